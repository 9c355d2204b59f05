/* SPDX-License-Identifier: Apache-2.0 */
/* Desk - one mesh, of acme/me, and a port that answers what a test has laid out. What a step wants done comes
 * back as one line of text: "opened, ping", "pull acme/a1 from c5", "store acme/a1 n=2 head, heard acme/a1".
 * Sets of rows are told apart by their count alone; a session other than 1 is written "@2 pull ...". */
#pragma once

#include "federation/mesh.h"
#include "proto/clock.h"

enum { DESK_ORIGINS = 4, DESK_TEXT = 4096 };

/* What this node holds of an origin, and what it would serve of it. */
struct laid {
	const char *origin; /* NULL: unused */
	bool held;
	const char *cursor;
	uint64_t lives;                              /* incarnations in its head; 0: one */
	uint64_t count, head_count, head_seq, epoch; /* head_count 0 and head_seq 0: no head yet */
	bool offered;                                /* to anybody who asks */
	unsigned batches;                            /* ROWS frames up to the head */
	int reset;                                   /* what port.rows and port.tree answer instead */
	struct tree *tree, *shown;                   /* over what is held, and what would be served */
};

struct desk {
	struct mesh *mesh;
	struct arena *arena;
	struct laid laid[DESK_ORIGINS];
	int64_t now_ns;
	uint64_t nonce, frame; /* of the peer on session 1 */
	uint64_t pull;         /* the last PULL sent */
	bool full;             /* and whether it asked for everything */
	uint32_t asked;        /* and the session it went to */
	uint64_t epoch;        /* of partners: policy in their heads and rows */
	uint64_t token;        /* the last STORE */
	const char *hidden;    /* the id of a row that is not shown any more */
	struct message sent;   /* the last one */
	struct op_rows stored; /* the last one */
	uint64_t my_nonce, my_frame;
	uint64_t features;    /* that peers say they know */
	int64_t age_ns;       /* of heads that the port gives; 0: two seconds */
	int64_t ping_ns;      /* age in the last PING sent */
	unsigned heads_given; /* by the port */
	int step, fail_step;  /* in the fail_step'th step allocations fail after so many */
	long fail_after;
	bool failed;           /* one did */
	int belief;            /* what verify_hello answers */
	int admit;             /* what admit answers, but to HELLO and HEADS */
	bool all_void;         /* no incarnation counts, */
	uint64_t void_life;    /* ... or this one does not */
	const char *not_owned; /* this id is no origin's */
	char shown;            /* and the first byte of the credential it was asked about */
	char text[DESK_TEXT];
};

void desk_init(struct desk *d);
void desk_fini(struct desk *d);
struct laid *desk_lay(struct desk *d, const char *origin);

/* All of them return the text of what the mesh wants done; NULL when the step ran out of memory. */
const char *desk_up(struct desk *d, uint32_t session, const char *org, const char *node);
const char *desk_hello(struct desk *d, uint32_t session, const char *org,
		       const char *node); /* and a tick at once: heads wait for it */
/* The next frame of the peer; nonce and frame number are filled in. */
const char *desk_frame(struct desk *d, uint32_t session, struct message *m);
const char *desk_raw(struct desk *d, uint32_t session, const struct message *m);
const char *desk_pass(struct desk *d, int64_t ns); /* time, then a tick */
const char *desk_event(struct desk *d, const struct mesh_event *e);
const char *desk_stored(struct desk *d, int result);

/* HEADS with one head; seq 0 as from a partner. */
const char *desk_heads(struct desk *d, uint32_t session, const char *origin, uint64_t seq, uint64_t count);
/* The same of acme/a1 in this one incarnation. */
const char *desk_life(struct desk *d, uint32_t session, uint64_t life, uint64_t seq, uint64_t count);
struct head_notice desk_notice(struct desk *d, const char *origin, uint64_t seq, uint64_t epoch,
			       uint64_t count);
/* ROWS to the last PULL, of `n` rows of twins of acme; head_count > 0 ends it with a head. */
const char *desk_rows(struct desk *d, const char *origin, uint32_t index, size_t n, uint64_t seq,
		      uint64_t head_count);
struct bytes desk_row(struct desk *d, const char *id);

/* The story went like this. */
#define EXPECT(call, want) \
	do { \
		const char *expect_got = (call), *expect_want = (want); \
		cr_expect(expect_got &&strcmp(expect_got, expect_want) == 0, "%s gave \"%s\", not \"%s\"", \
			  #call, expect_got ? expect_got : "no memory", expect_want); \
	} while (0)
