/* SPDX-License-Identifier: Apache-2.0 */
/* Message - everything one node says to another: one protobuf Envelope in one ZeroMQ frame (DESIGN 7).
 *
 *   dialler                                listener
 *     HELLO ------------------------------->        who I am, what I speak, a nonce for this session
 *           <------------------------------ HELLO
 *     HEADS <-----------------------------> HEADS    which origins I can serve you, and how far; on change
 *     TELL  <-----------------------------> TELL     something you said was lost: tell me all heads again
 *     PING  <-----------------------------> PING     one-way, in silence: nothing that I told has changed
 *     PULL  ------------------------------->         I lack rows of this origin behind this cursor
 *           <------------------------------ ROWS...  at most `credit` frames; the last one carries the head
 *           <------------------------------ RESET    that cursor cannot be served: repair
 *     REPAIR ------------------------------>         sums below these prefixes? or: these rows I hold there
 *           <------------------------------ SUMS     of what you may see
 *           <------------------------------ ROWS     that you lack, and which of yours are gone
 *     QUESTION <--------------------------> ANSWER...
 *     POLICY <----------------------------> POLICY   inside the organisation only
 *     REACH <-----------------------------> REACH    inside the organisation: partners I am connected with
 *     STANDING <--------------------------> STANDING what I hold of an organisation: who holds more sends
 *     TRUST <-----------------------------> TRUST    ... its bundle, in pieces
 *     AGREEMENT <-------------------------> AGREEMENT  inside the organisation: whom we trust, or no longer
 *     FRESHNESS <-------------------------> FRESHNESS  inside the organisation: what is newest
 *     BYE
 *
 * STANDING and TRUST about the own organisation may come on a session whose HELLO was not yet believed: after
 * a long absence it is they that show why it should be. What is newer than the first protocol goes only to
 * who says in HELLO that he knows it (features). Every envelope carries the sender's session nonce and a
 * frame number that rises by one: a frame of an old session or a gap is seen (MESH 6.1, 6.5).
 */
#pragma once

#include "proto/arena.h"
#include "proto/buf.h"
#include "proto/clock.h"
#include "proto/hash.h"
#include "proto/report.h"
#include "proto/trust.h"
#include "proto/view.h"

enum { PROTOCOL_MIN = 1, PROTOCOL_MAX = 1 };

/* Older than that, an origin is told of by HEADS alone: a PING says nothing about it. */
#define PING_AGE_MAX_NS (10 * NS_PER_S)

enum message_kind {
	MESSAGE_HELLO = 1,
	MESSAGE_HEADS,
	MESSAGE_PULL,
	MESSAGE_ROWS,
	MESSAGE_RESET,
	MESSAGE_QUESTION,
	MESSAGE_ANSWER,
	MESSAGE_PING,
	MESSAGE_POLICY,
	MESSAGE_BYE,
	MESSAGE_STANDING,
	MESSAGE_TRUST,
	MESSAGE_AGREEMENT,
	MESSAGE_FRESHNESS,
	MESSAGE_TELL,
	MESSAGE_REPAIR,
	MESSAGE_SUMS,
	MESSAGE_REACH,
	N_MESSAGE_KINDS,
};

enum {
	FEATURE_TRUST = 1u << 0,  /* STANDING, TRUST, AGREEMENT, FRESHNESS */
	FEATURE_QUIET = 1u << 1,  /* heads only on change: HEADS.all, PING.age_ns, TELL */
	FEATURE_REPAIR = 1u << 2, /* REPAIR, SUMS, RESET_COLLECTED */
	FEATURE_REACH = 1u << 3,  /* REACH */
	FEATURE_MESH = 1u << 4,   /* QUESTION_MESH */
	FEATURE_COMMAND =
		1u << 6,        /* QUESTION_COMMAND; alarms in rows are ignored by who does not know them */
	FEATURE_VIEW = 1u << 5, /* view questions beyond count, sum, mean, min and max of one frame; FIND */
};

struct hello {
	uint32_t protocol_min, protocol_max;
	uint64_t features; /* bits; unknown ones are ignored */
	const char *org, *node;
	struct bytes credential; /* encoded signed_blob of the sender's credential */
	uint64_t policy_epoch;   /* of the sender's organisation */
};

/* One step of an origin's lineage: each start after a restore or loss begins a new incarnation. */
struct incarnation {
	uint64_t id;        /* random */
	uint64_t start_seq; /* its first sequence number */
};

/* Where an origin's stream stands. Inside an organisation signed by the origin; towards a partner made and
 * signed by the serving border, over what the partner may see, with the sequence numbers left 0. */
struct head {
	const char *origin;          /* ORG/NODE */
	struct incarnation *lineage; /* oldest first; towards partners only the ids */
	size_t n_lineage;
	uint64_t seq;                   /* 0 towards partners */
	struct fingerprint fingerprint; /* over the visible, not deleted rows */
	uint64_t epoch;                 /* policy epoch; 0 inside the organisation */
	int64_t stamp_ns;               /* hybrid clock of the newest change in it */
};

/* An encoded head with its signature, and how long ago its origin vouched for it, by the sender's clock. */
struct head_notice {
	struct signed_blob head;
	int64_t age_ns;
};

struct heads {
	struct head_notice *heads;
	size_t n;
	bool all; /* these, with what follows on this session before any PING, are all that is offered */
};

/* Nothing that was told on this session has changed, and of every origin whose last notice was not older than
 * PING_AGE_MAX the sender has heard, directly or not, at most age_ns ago. */
struct ping {
	int64_t age_ns; /* a multiple of 1 ms, rounded up; 0 from who does not know FEATURE_QUIET */
};

struct pull {
	uint64_t id; /* chosen by the asker, never 0 */
	const char *origin;
	struct bytes cursor; /* opaque; empty: from the beginning */
	bool full;           /* of an earlier release: list everything; what is not in it will be dropped */
	uint32_t credit;     /* frames the answer may have */
};

struct rows {
	uint64_t pull;  /* the PULL it answers */
	uint32_t index; /* 0, 1, ... within that answer */
	const char *origin;
	struct bytes *rows; /* encoded rows (row.h), verbatim inside an organisation */
	size_t n;
	struct bytes cursor;     /* behind the last row scanned */
	uint64_t epoch;          /* policy epoch of the sender's organisation; 0 inside it */
	bool full;               /* the answer to such a PULL */
	bool at_head;            /* nothing more: `head` follows */
	struct head_notice head; /* only when at_head */
	bool repair;             /* answers a REPAIR about leaves */
	uint64_t *gone; /* repair: keys (tree.h) that the reader holds and the server does not show */
	size_t n_gone;
	uint32_t leaves; /* repair: so many of the prefixes, from the first on, are answered in full */
};

/* A question about the hash-prefix tree over what the server shows of an origin (MESH 6.3,
 * federation/tree.h). The server keeps nothing between two of them: what it must know stands in the cursor.
 */
struct repair {
	uint64_t id; /* chosen by the asker, never 0 */
	const char *origin;
	struct bytes cursor; /* of the last answer in this repair; empty: it begins */
	uint32_t depth; /* bits of the prefixes: 0 (one prefix, 0), 8, 12: their children's sums; 16: rows */
	uint16_t *prefixes; /* rising */
	size_t n;
	struct tree_leaf {
		uint64_t key;
		uint32_t hash;
	} * entries; /* depth 16: all that the asker holds below the prefixes, by key */
	size_t n_entries;
};

struct sums {
	uint64_t id; /* the REPAIR it answers */
	const char *origin;
	struct bytes cursor; /* where to go on when the repair is over */
	uint64_t epoch;      /* policy epoch of the sender's organisation; 0 inside it */
	uint64_t *sums;      /* of the children, prefix by prefix: 256 at depth 0, else 16 for each */
	size_t n;
};

enum reset_reason {
	RESET_LINEAGE = 1,
	RESET_EPOCH,
	RESET_BEHIND,
	RESET_UNKNOWN,
	RESET_COLLECTED, /* tombstones behind that cursor are collected; RESET_LINEAGE for who does not know
			    it */
	RESET_LATER,     /* repair: the tree is being made, ask again in a moment */
	N_RESET_REASONS
};

struct reset {
	uint64_t pull;
	const char *origin;
	enum reset_reason reason;
};

/* A stretch of a series, see struct bucket in storage/history.h; sd: of the population. */
struct history_bucket {
	int64_t t_ns, last_ns;
	uint64_t n, n_bad;
	double mean, sd, min, max, last;
	bool coarse;
};

enum question_kind {
	QUESTION_VIEW = 1,
	QUESTION_READ,
	QUESTION_HISTORY,
	QUESTION_MESH,
	QUESTION_FIND,
	QUESTION_COMMAND,
	N_QUESTION_KINDS
};

/* READ: the present state of a twin. HISTORY: samples or buckets of one property, oldest first. MESH: what
 * the node knows of its peers; of own nodes only, and only to who knows it (FEATURE_MESH). FIND: which twins
 * an expression selects; inside an organisation those of the node, of a partner's border those of the
 * partner. A VIEW with many roots comes in several frames: all of them are alike but for the roots. */
struct question {
	uint64_t id;
	int64_t timeout_ns; /* how long the asker will wait */
	const char *asker;  /* organisation that asks; a border fills it in for the owners behind it, and only
			       nodes of the own organisation are believed */
	struct bytes person, errand; /* encoded signed_blobs of a person and an errand of that organisation,
					handed on as they came; empty: the node asks for itself */
	enum question_kind kind;
	uint32_t index;              /* VIEW: 0, 1, ... of its frames */
	bool unfinished;             /* VIEW: another one follows, with more roots */
	struct view_question view;   /* VIEW, FIND */
	const char *twin, *property; /* READ ("" for all properties), HISTORY */
	int64_t from_ns, to_ns;      /* HISTORY, inclusive */
	uint32_t limit;              /* HISTORY: most samples wanted; 0: a frame full */
	int64_t step_ns;             /* HISTORY: buckets of so long instead of samples; 0: samples */
	/* COMMAND: take this command, or say what became of it: the same question asked again is answered
	 * when more than `seen` steps are known, or with what is known when timeout_ns is nearly over. A
	 * permit (only inside an organisation) is taken at once. */
	struct bytes command; /* encoded signed_blob of a command or permit */
	bool permit;
	uint32_t seen;
};

/* What the sender holds of an organisation: inside one, of any; across its border, of the receiver's. */
struct trust_standing {
	const char *org;
	uint64_t digest; /* of the encoded bundle; 0: holds none */
};

/* A piece of a bundle. Pieces come in order; one that begins at 0 begins anew. */
struct trust_piece {
	const char *org;
	uint64_t digest; /* of the whole */
	uint32_t total, offset;
	struct bytes piece; /* at most FRAME_FILL */
};

/* Inside an organisation, from a border node, on change: partners with which it has an open session. Who is
 * next to speak to a partner steps in when those before it do not reach it (federation/membership.h). */
struct reach {
	const char **orgs;
	size_t n;
};

struct answer {
	uint64_t id;
	uint32_t index;
	bool last;
	int32_t code;     /* 0 or ERR_*, as err.h */
	const char *text; /* the sentence to a code; "" */
	enum question_kind kind;
	struct view_part view;
	struct node_report report; /* MESH; node NULL when none; its lists may go on in the next part */
	struct row row;            /* READ; id NULL when none */
	struct kpi *values;        /* READ: every property the asker may read */
	size_t n_values;
	struct sample *samples; /* HISTORY */
	size_t n_samples;
	const char *unit; /* HISTORY */
	bool more;        /* HISTORY: there is more after the last sample or bucket */
	struct history_bucket *buckets;
	size_t n_buckets;
	bool has_coarse_until;
	int64_t coarse_until_ns; /* HISTORY: no raw samples before this time: their retention is over */
	struct bytes command;    /* COMMAND: encoded command_record, as much of it as the asker may have */
};

struct message {
	enum message_kind kind;
	uint64_t nonce; /* of the sender's session */
	uint64_t frame; /* 1, 2, ... */
	union {
		struct hello hello;
		struct heads heads;
		struct pull pull;
		struct rows rows;
		struct reset reset;
		struct question question;
		struct answer answer;
		struct signed_blob policy; /* of a policy_doc */
		struct trust_standing standing;
		struct trust_piece trust;
		struct signed_blob agreement, freshness;
		struct ping ping;
		struct repair repair;
		struct sums sums;
		struct reach reach;
	};
};

const char *message_kind_text(enum message_kind kind);
const char *reset_reason_text(enum reset_reason reason);

void message_encode(const struct message *m, struct buf *out);
/* Checks every length, count, enum, range and id; ERR_MALFORMED, or -ENOMEM beyond the arena's budget. Points
 * into `a` and not into `in`. */
MUST_CHECK int message_decode(struct arena *a, struct bytes in, struct message *ret);

void head_encode(const struct head *h, struct buf *out);
MUST_CHECK int head_decode(struct arena *a, struct bytes in, struct head *ret);
