/* SPDX-License-Identifier: Apache-2.0 */
/* Mesh state - what the files of the mesh share; private to federation/.
 *
 *   mesh.c          the step: events and messages to their functions, deadlines
 *   session.c       HELLO, nonces, frame numbers, silence
 *   liveness.c      how long a silence is too long
 *   stream.c        the reader: pulls, and what comes back
 *   stream_offer.c  the reader: who offers which stream
 *   stream_store.c  the reader: what is made durable, agreement with the head
 *   stream_place.c  which of two heads is newer
 *   stream_flow.c   the reader: how much may be under way
 *   stream_fork.c   which two cannot both be true
 *   stream_repair.c the reader: finding and mending what differs
 *   stream_tell.c   the server: heads told, and vouched for
 *   stream_serve.c  the server: pulls answered
 *   stream_tree.c   the server: repairs answered
 *   mesh_stats.c    what is counted, and how far behind the reader is
 */
#pragma once

#include "federation/liveness.h"
#include "federation/mesh.h"
#include "proto/clock.h"
#include "proto/hash.h"

enum {
	PULL_CREDIT = 8,       /* frames one PULL may be answered with */
	REPAIRS_MAX = 3,       /* in a row after which it does not agree with the head of who served it */
	REPAIRS_A_MINUTE = 24, /* of one origin, whoever served it */
	LATERS_MAX = 400,      /* in a row, then the repair is given up */
	PULL_TIMEOUTS_MAX = 2, /* in a row, then the session is closed */
	PARTNERS_MAX = 256,
	LOOKS_PER_STEP = 2048, /* at heads: each takes room in the step's arena */
};

#define OFFER_PAUSE_NS (2 * NS_PER_S)     /* a server that is behind is not asked again for so long */
#define LATER_PAUSE_NS (50 * NS_PER_MS)   /* while a tree is being made */
#define FAILURE_PAUSE_NS NS_PER_S         /* after rows could not be stored, or were not sent */
#define MISMATCH_PAUSE_NS (60 * NS_PER_S) /* after REPAIRS_MAX or REPAIRS_A_MINUTE */

#define HOP_NS (250 * NS_PER_MS) /* what a relay says of an age is older by this: more than a frame flies */

#define GREETING_NS (5 * NS_PER_S)        /* a session that is not open may be silent for so long */
#define SPARED_NS (250 * NS_PER_MS)       /* who was not judged is looked at again then */
#define ALL_PAUSE_NS NS_PER_S             /* everything is told at most so often */
#define TELL_PAUSE_NS NS_PER_S            /* it is asked for again after so long, then twice that ... */
#define TELL_PAUSE_MAX_NS (16 * NS_PER_S) /* ... up to this */

#define FORK_MARGIN_NS (60 * NS_PER_S)  /* longer than anything is under way, unless options say otherwise */
#define FORK_PAUSE_NS (3600 * NS_PER_S) /* a fork of an origin is told so often */

/* Where a head stands. */
struct place {
	struct incarnation *lineage;
	size_t n_lineage;
	uint64_t seq, epoch;
	struct fingerprint fingerprint;
	uint64_t digest; /* of the encoded head */
};

/* A session that says it can serve a stream. */
struct offer {
	uint32_t session;
	bool direct; /* it is the origin itself */
	bool old;    /* a PING says nothing about it */
	bool listed; /* told since the session began to list all */
	struct place place;
	int64_t not_before_ns; /* not to be asked until then */
};

/* An incarnation of an origin: its last head, and when it spoke for itself. */
struct life {
	uint64_t id, seq;
	struct fingerprint fingerprint;
	int64_t first_ns, last_ns;
	struct buf head; /* encoded signed_blob; empty: none */
};
enum { N_LIVES = 2 };

enum stream_phase {
	STREAM_IDLE,
	STREAM_PULLING,   /* waiting for ROWS */
	STREAM_REPAIRING, /* waiting for SUMS, or for ROWS of a repair */
	STREAM_STORING,   /* all ROWS of the question are here, not all are durable */
};

struct repair_run;

/* What is being done about one origin. */
struct stream {
	char *origin;
	struct offer *offers;
	size_t n_offers;
	struct buf stored; /* the head last reached, as it is stored; empty: not read yet */
	struct place stored_place;
	enum stream_phase phase;
	struct repair_run *repair; /* the one that is going on, with `session`; NULL: none */
	bool wanted;               /* a repair: `session` refused the cursor, or disagrees at its head */
	bool treeless;             /* it cannot be repaired: it is pulled afresh */
	uint64_t pull;
	uint32_t session;
	uint32_t index;   /* of the next ROWS ... */
	uint32_t credit;  /* ... of so many */
	int64_t first_ns; /* when the first of them came */
	bool from_start;  /* the pull begins with nothing ... */
	bool afresh;      /* ... for which what is held goes */
	bool scanning;    /* it, or one before it, began with nothing */
	bool flowing;     /* the next pull goes on behind `tail`, durable or not */
	bool waits;       /* for room in the session's window */
	struct buf tail;  /* cursor of the last row that came */
	int64_t deadline_ns;
	size_t n_stores; /* not yet durable */
	bool failed;     /* one of them could not be stored */
	bool at_head;    /* the last ROWS reached the head ... */
	struct fingerprint reached;
	int64_t reached_ns; /* ... that the origin vouched for at this time */
	int64_t vouched_ns; /* the latest time of which a PING said so */
	int64_t look_ns;    /* when to look for something to pull; INT64_MAX: nothing is known to be there */
	int64_t blocked_ns; /* nothing is pulled before */
	bool mended;        /* by a repair, or by beginning anew, which has not yet been seen to help */
	uint32_t mended_by; /* from whom */
	unsigned repairs;   /* that did not */
	unsigned wishes;    /* for a repair, since minute_ns */
	int64_t minute_ns;
	struct life lives[N_LIVES];
	int64_t fork_ns; /* none is told before */
};

/* What an audience can be told of an origin. */
struct look {
	const char *origin;
	uint64_t name, head; /* hashes */
	bool settled, shown;
	struct head_notice notice;
};

/* Of all origins, in their order; in the step's arena. */
struct looks {
	const char *audience; /* NULL: nothing was looked at */
	struct look *items;
	size_t n;
};

/* What a session was last told of an origin. */
struct told {
	uint64_t origin, head; /* hashes */
	int64_t at_ns;         /* when its origin vouched for that head, as far as is known */
	bool old;              /* then already: a PING says nothing about it */
	bool offered;          /* when it was last looked at */
};

/* What is counted of a peer, over all its sessions. */
struct tally {
	char *org, *node;
	struct mesh_stats stats;
};

struct session {
	uint32_t id;
	char *org, *node;
	bool own, dialled;
	bool greeted;                    /* HELLO came ... */
	bool open;                       /* ... and is believed */
	bool closed;                     /* to be freed at the end of the step */
	uint64_t nonce, frame;           /* ours, last sent */
	uint64_t peer_nonce, peer_frame; /* theirs, last taken */
	uint32_t protocol;
	uint64_t features;
	struct buf credential; /* from HELLO */
	struct pulse pulse;
	int64_t spared_ns; /* overdue, and not judged before */
	unsigned timeouts;
	uint32_t credit; /* frames that the link carries in a moment; 0: not known */
	uint64_t life;   /* incarnation that the peer speaks for as an origin; 0: not known */
	/* what it is told */
	int64_t heads_due_ns; /* or a PING, if it knows FEATURE_QUIET */
	bool stale;           /* heads may differ from what was told */
	bool tell_all;        /* all are to be told, when all_ns has come */
	int64_t all_ns;
	struct told *told;
	size_t n_told, told_at; /* told_at: where the next one is likely to be found */
	/* what it tells */
	bool lost;           /* something was: what it says holds again when all was told */
	bool listing;        /* all is being told, up to the next PING */
	int64_t tell_due_ns; /* when to ask for that; INT64_MAX: there is no need */
	int64_t tell_pause_ns;
	struct tally *tally; /* NULL: there was no memory for it */
};

/* A STORE on its way. */
struct pending {
	uint64_t token;
	struct stream *stream;
	uint32_t session; /* that its rows came from */
	size_t bytes;     /* they take */
};

/* The highest policy epoch seen of another organisation: nothing older is taken (DESIGN 7). */
struct partner {
	char *org;
	uint64_t epoch;
};

struct mesh {
	struct mesh_options opt;
	char *org, *node, *self; /* self: ORG/NODE */
	struct buf credential;   /* shown in HELLO */
	uint64_t random;
	struct arena *scratch; /* emptied whenever a helper needs it */
	struct session **sessions;
	size_t n_sessions;
	struct stream **streams; /* by origin */
	size_t n_streams;
	struct pending *pending;
	size_t n_pending;
	struct partner partners[PARTNERS_MAX];
	size_t n_partners;
	uint64_t last_token;
	size_t stream_turn; /* the stream that looks first */
	bool room;          /* in the window of some session, perhaps */
	struct awake awake;
	int64_t deadline_ns; /* mesh_deadline() */
	size_t turn;         /* the session that is looked at first */
	bool dirty;          /* heads may differ from what was told */
	int64_t publish_ns;  /* not before */
	int64_t fork_ns;     /* of this node, none is told before */
	struct mesh_stats stats;
	struct tally **tallies;
	size_t n_tallies;
	/* of the present step */
	int64_t now_ns;
	struct mesh_todo *todo;
	int64_t awake_ns; /* now_ns, without what was overslept */
	size_t n_looked;
	struct looks looks[2]; /* at what the own organisation can be told, and another one */
	bool heard; /* it tells the owner an age, so heads, which the owner fills with ages, wait for the next
		       one */
};

/* ---- mesh_stats.c */

/* The peer's; made if it is new. NULL without memory. */
struct tally *tally_of(struct mesh *m, const char *org, const char *node);
void tallies_free(struct mesh *m);
/* One more, of the mesh and of the peer; `s` may be NULL. */
#define COUNT(m, s, field) \
	do { \
		const struct session *counted_s = (s); \
		(m)->stats.field++; \
		if (counted_s && counted_s->tally) \
			counted_s->tally->stats.field++; \
	} while (0)

/* ---- mesh.c */

uint64_t mesh_random(struct mesh *m); /* never 0 */
/* One more action; NULL without memory. */
struct mesh_action *mesh_emit(struct mesh *m, enum mesh_action_kind kind, uint32_t session);
MUST_CHECK int mesh_alarm(struct mesh *m, uint32_t session, const char *text);
/* The same about an origin. */
MUST_CHECK int mesh_alarm_of(struct mesh *m, uint32_t session, const char *origin, const char *text);
/* Room for one more element in a heap array; the new element is zeroed. NULL without memory. */
void *mesh_grow(void *items, size_t *n, size_t size);
/* Put a copy in the place of what was there. -ENOMEM: it stays. */
MUST_CHECK int mesh_keep(struct bytes what, struct buf *where);
/* A message of an open session, fenced. */
MUST_CHECK int mesh_dispatch(struct mesh *m, struct session *s, const struct message *message);

/* ---- session.c */

struct session *session_find(const struct mesh *m, uint32_t id); /* NULL: unknown or closed */
MUST_CHECK int session_up(struct mesh *m, const struct mesh_event *e);
MUST_CHECK int session_down(struct mesh *m, const struct mesh_event *e);
MUST_CHECK int session_frame(struct mesh *m, const struct mesh_event *e);
/* The same peer, another credential perhaps. */
MUST_CHECK int session_hello_again(struct mesh *m, struct session *s, const struct message *message);
/* May this be said on it now? */
bool session_lets_out(const struct session *s, enum message_kind kind);
MUST_CHECK int sessions_trust(struct mesh *m, const struct mesh_event *e); /* MESH_TRUST */
/* Fills in nonce and frame number. */
MUST_CHECK int session_send(struct mesh *m, struct session *s, struct message *message);
MUST_CHECK int session_close(struct mesh *m, struct session *s, const char *why);
/* The peer broke the protocol: alarm and close. */
MUST_CHECK int session_refuse(struct mesh *m, struct session *s, const char *why);
/* Something that it said cannot be believed yet: it is asked to tell all again. */
void session_misses(const struct mesh *m, struct session *s);
MUST_CHECK int sessions_run(struct mesh *m); /* silence, heads that are due */
int64_t sessions_deadline(const struct mesh *m);
void sessions_reap(struct mesh *m);
/* It left the last question unanswered, or is late with what it says: others are asked first. */
bool session_is_doubtful(const struct mesh *m, const struct session *s);
const char *session_audience(const struct session *s); /* "" for own nodes */
void session_free(struct session *s);

/* ---- stream.c */

MUST_CHECK int stream_on_rows(struct mesh *m, struct session *s, const struct message *message);
MUST_CHECK int stream_on_reset(struct mesh *m, struct session *s, const struct message *message);
bool stream_is_busy(const struct stream *st); /* a pull or a repair goes on, or rows are not yet durable */
void stream_abandon(struct mesh *m, struct stream *st);        /* back to IDLE, to look again */
void streams_abandon(struct mesh *m, const struct session *s); /* its pulls in flight */
void streams_forget(struct mesh *m, const struct session *s);  /* its pulls and offers */
MUST_CHECK int streams_run(struct mesh *m);                    /* pulls due and overdue */
int64_t streams_deadline(const struct mesh *m);
void streams_reap(struct mesh *m);

/* It should be repaired, unless that was tried too often. */
MUST_CHECK int stream_want_repair(struct mesh *m, struct stream *st);
/* What is wrong with a row of an origin, which is decoded into the scratch arena; NULL: nothing. */
const char *stream_row_fault(struct mesh *m, const char *origin, struct bytes encoded, struct row *ret);
/* The peer's fault, or that of the origin whose rows it hands on. */
MUST_CHECK int stream_fault(struct mesh *m, struct session *s, struct stream *st, const char *fault);

/* ---- stream_repair.c */

MUST_CHECK int repair_begin(struct mesh *m, struct stream *st, struct session *s);
MUST_CHECK int repair_ask(struct mesh *m, struct stream *st); /* the next question, or the end */
void repair_drop(struct stream *st);                          /* none goes on any more */
/* The stream whose repair a message answers; NULL: one that was given up. */
struct stream *repair_find(const struct mesh *m, const struct session *s, const char *origin, uint64_t id);
MUST_CHECK int stream_on_sums(struct mesh *m, struct session *s, const struct message *message);
MUST_CHECK int repair_on_rows(struct mesh *m, struct session *s, const struct message *message);
/* A repair goes on with the same question a little later; false: it does not. */
bool repair_waits(struct mesh *m, struct stream *st, enum reset_reason reason);

/* ---- stream_flow.c */

/* Bytes that are asked for on a session, or came from it and are not yet durable. */
size_t flow_bytes(const struct mesh *m, const struct session *s);
/* Frames that a pull may ask for on it now; 0: it has to wait. */
uint32_t flow_credit(const struct mesh *m, const struct session *s);
void flow_begin(struct mesh *m, struct stream *st, const struct session *s, uint32_t credit); /* a pull */
/* A frame of it came and is being stored: what next. */
MUST_CHECK int flow_took(struct mesh *m, struct stream *st, struct session *s, const struct rows *rows);
void flow_wait(const struct mesh *m, struct stream *st); /* for room */
void flow_wake(struct mesh *m);                          /* those that wait, if there may be some */

/* ---- stream_offer.c */

MUST_CHECK int stream_on_heads(struct mesh *m, struct session *s, const struct message *message);
MUST_CHECK int stream_on_ping(struct mesh *m, struct session *s, const struct message *message);
struct stream *stream_find(const struct mesh *m, const char *origin); /* NULL: nobody offers it */
void stream_free(struct stream *st);
struct offer *offer_find(const struct stream *st, uint32_t session);
void offer_drop(struct stream *st, uint32_t session);
void offer_pause(const struct stream *st, uint32_t session, int64_t until_ns);
MUST_CHECK int offer_set(struct stream *st, const struct session *s, const struct head *head,
			 struct bytes payload);

bool offer_is_direct(const struct session *s, const char *origin); /* it is the origin itself */

struct held;
enum verdict {
	OFFER_NOTHING, /* held already, or older */
	OFFER_HEAD,    /* a newer head over the same rows */
	OFFER_ROWS,
};
enum verdict offer_weigh(const struct held *held, const struct place *offered);

/* ---- stream_store.c */

MUST_CHECK int stream_on_stored(struct mesh *m, const struct mesh_event *e);
MUST_CHECK int stream_emit_store(struct mesh *m, struct stream *st, const struct op_rows *rows);
MUST_CHECK int stream_store_rows(struct mesh *m, struct stream *st, const struct rows *rows);
/* The rows held are also what a newer head is about. */
MUST_CHECK int stream_store_head(struct mesh *m, struct stream *st, const struct held *held,
				 const struct signed_blob *head);
void stream_agrees(struct stream *st); /* what is held is what its head says */
MUST_CHECK int stream_heard(struct mesh *m, const char *origin, int64_t age_ns);
/* Of what a session tells of the head of an origin: nothing is younger than this. */
int64_t stream_told_age(const struct session *s, const char *origin, int64_t age_ns);
int64_t stream_age(int64_t age_ns); /* what a peer says of an age, kept away from overflow */
MUST_CHECK int stream_copy(struct arena *a, struct bytes in, struct bytes *ret);

/* ---- stream_place.c */

/* <0: a is older than b, 0: neither, >0: newer, or on another branch. */
int place_compare(const struct place *a, const struct place *b);
MUST_CHECK int place_set(struct place *p, const struct head *head, struct bytes payload);
void place_fini(struct place *p);

/* What is held of an origin. */
struct held {
	bool known;
	struct bytes cursor;
	struct fingerprint fingerprint;
	bool whole;         /* no repair is under way: the cursor stands for all of it */
	bool at_head;       /* whole, and it agrees with the head below */
	struct place place; /* of the head last reached; lineage is borrowed, for this step */
};
/* -ENOMEM */
MUST_CHECK int held_read(struct mesh *m, const char *origin, struct held *ret);

/* Raise the highest epoch seen of an organisation; false: `epoch` is below it. */
bool partner_epoch(struct mesh *m, const char *org, uint64_t epoch);
void partner_forget(struct mesh *m, const char *org); /* MESH_ENDED */
/* Below it; nothing is raised, for rows are nobody's signed word. */
bool partner_is_past(const struct mesh *m, const char *org, uint64_t epoch);

/* ---- stream_fork.c */

/* A head that was verified: does another one say otherwise? MESH_FORK if so. */
MUST_CHECK int fork_watch(struct mesh *m, struct stream *st, struct session *s, const struct head *head,
			  const struct head_notice *notice);
struct held;
MUST_CHECK int fork_watch_held(struct mesh *m, struct stream *st, const struct held *held,
			       const struct place *offered, const struct head_notice *notice);
MUST_CHECK int fork_watch_self(struct mesh *m, const struct session *s, const struct head *head,
			       const struct head_notice *notice);
/* It said that it lives, without a head. */
MUST_CHECK int fork_watch_ping(struct mesh *m, const struct session *s);
/* Does what stands at a place of an origin count? (port.counts) */
bool fork_counts(const struct mesh *m, const char *origin, const struct place *p);
void forks_chosen(struct mesh *m); /* MESH_CHOSEN */
/* It spoke for itself a short while ago. */
bool fork_is_watched(const struct mesh *m, const struct stream *st);
void fork_fini(struct stream *st);

/* ---- stream_tell.c */

/* Tell the heads that changed since the session was told, all of them when it has to; `due`: and vouch for
 * the others. */
MUST_CHECK int serve_heads(struct mesh *m, struct session *s, bool due);
MUST_CHECK int serve_tell(struct mesh *m, struct session *s, const struct message *message);
/* It does not know any more that it was told of that origin. */
void serve_forget(struct session *s, const char *origin);
/* May this be handed on now? */
MUST_CHECK int serve_settled(struct mesh *m, const char *origin, bool *ret);

/* ---- stream_serve.c */

MUST_CHECK int serve_pull(struct mesh *m, struct session *s, const struct message *message);
MUST_CHECK int serve_resumed(struct mesh *m, const struct mesh_event *e);
/* May an origin be served on that session now? 0, or an enum reset_reason. */
MUST_CHECK int serve_may(struct mesh *m, const struct session *s, const char *origin);
MUST_CHECK int serve_reset(struct mesh *m, struct session *s, const struct reset *reset);
enum reset_reason serve_reason(int r); /* of what a port answered */

/* ---- stream_tree.c */

MUST_CHECK int serve_repair(struct mesh *m, struct session *s, const struct message *message);

/* ---- stream_serve.c */

/* Not now: what is asked for is to be asked again. */
MUST_CHECK int serve_later(struct mesh *m, struct session *s, const struct message *message);
