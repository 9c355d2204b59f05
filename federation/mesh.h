/* SPDX-License-Identifier: Apache-2.0 */
/* Mesh - what one node says to its peers so that every summary reaches everybody who may have it (DESIGN 7).
 *
 * Pure: mesh_step() reads an event and the time, changes only the mesh, and fills `todo` with what must be
 * done. It performs no I/O, reads no clock, and takes rows, heads and signatures through the port its owner
 * plugs in, so that the node runs it on sockets and LMDB and the simulator on a simulated world.
 *
 * A session (one per connected peer):
 *
 *     UP --our HELLO sent--> GREETING --peer's HELLO, believed--> OPEN --BYE, silence, bad frame--> closed
 *
 * Until the credential in the peer's HELLO is believed (port: verify_hello) nothing but HELLO, STANDING,
 * TRUST and BYE passes either way: who was away for long shows with them why he should be. A session ends
 * when what opened it is no longer believed.
 *
 * Streams: each side announces with HEADS which origins it can serve the other and how far, when that
 * changes, and vouches for it with a PING now and then; who sees that a frame was lost has all told again.
 * Whoever holds less pulls by cursor, one pull per origin at a time, from the best session that offers it:
 * one that answers, the origin itself, else any node of its organisation. Rows are stored together with their
 * cursor (todo: STORE); the next pull goes out behind them before they are durable (stream_flow.c). At the
 * head, count and fingerprint must agree; if they do not, or the cursor is refused, the origin is repaired
 * (stream_repair.c). Three repairs in a row behind which it does not agree with the head of who served them,
 * or 24 in a minute whoever did, stop for a minute and raise an alarm. A server that cannot repair is pulled
 * from afresh.
 *
 * Owner:   node/ or the simulator. Threads: one.
 */
#pragma once

#include "federation/cursor.h"
#include "federation/tree.h"
#include "proto/op.h"
#include "proto/scope.h"

struct mesh;

/* What port.tree answers. */
struct tree_view {
	const struct tree *tree; /* good until mesh_step() returns */
	struct bytes cursor;
	uint64_t epoch; /* policy epoch; 0 inside the organisation */
};

/* How the owner's world answers. All pointers handed out must stay good until mesh_step() returns. `audience`
 * is the organisation that will read ("" for the own one). Negative: as err.h; the step goes on without. */
struct mesh_port {
	void *ctx;
	/* Origins that can be served to an audience, in order: NULL to begin, NULL at the end. Inside the
	 * organisation: this node if it owns twins, and every origin of the organisation that is held. To
	 * partners (border nodes only): the same, also those of which they may see nothing: only an empty
	 * head takes back what they once saw, perhaps through another border. */
	const char *(*origin_next)(void *ctx, const char *audience, const char *after);
	/* Encoded, signed head of an origin for that audience, and its age. ERR_ABSENT. */
	int (*head)(void *ctx, const char *audience, const char *origin, struct arena *a,
		    struct head_notice *ret);
	/* The rows behind a cursor: fills rows, n, cursor, epoch, at_head and (then) head; at most about
	 * FRAME_FILL bytes. An empty cursor begins at 0, also with `full`. >0: an enum reset_reason. */
	int (*rows)(void *ctx, const char *audience, const struct pull *pull, struct arena *a,
		    struct rows *ret);
	/* Check a head a peer showed: signature by a node of the origin's organisation (inside the own
	 * organisation: by the origin itself), origin's name. Decodes into the arena. ERR_UNTRUSTED. */
	int (*verify_head)(void *ctx, const char *peer_org, const char *peer_node,
			   const struct head_notice *notice, struct arena *a, struct head *ret);
	/* What is held of an origin. ERR_ABSENT when nothing. */
	int (*held)(void *ctx, const char *origin, struct bytes *ret_cursor,
		    struct fingerprint *ret_fingerprint, struct bytes *ret_head);
	/* For repairs (tree.h): what an audience is shown of an origin, now or at most half a minute ago
	 * under the present policy. `cursor` is that of the last answer in this repair, empty when it begins.
	 * The one that comes back stands where the tree stood when the repair began, and takes in what `row`
	 * has shown since. >0: an enum reset_reason; RESET_LATER: the tree is being made. */
	int (*tree)(void *ctx, const char *audience, const char *origin, struct bytes cursor, struct arena *a,
		    struct tree_view *ret);
	/* One row of it, encoded, as it is shown now. ERR_ABSENT: it is not. */
	int (*row)(void *ctx, const char *audience, const char *origin, const char *id, struct arena *a,
		   struct bytes *ret);
	/* The tree over what is held of an origin, as it was when this `run` (random) of repairing it began.
	 * RESET_LATER: it is being made. */
	int (*held_tree)(void *ctx, const char *origin, uint64_t run, const struct tree **ret);
	/* Of the own organisation, for HELLO. NULL: 0. */
	uint64_t (*policy_epoch)(void *ctx);
	/* Is the peer who its HELLO says? 0: yes; MESH_NOT_YET: nothing is wrong, but what is held does not
	 * show it; negative: no. NULL: everybody is believed. */
	int (*verify_hello)(void *ctx, uint32_t session, const struct hello *hello);
	/* Does what this incarnation of an origin says count? False while two of them live with one key and
	 * no admin has chosen, and of the one that was not chosen: it is neither taken nor handed on. NULL:
	 * yes. */
	bool (*counts)(void *ctx, const char *origin, uint64_t incarnation);
	/* May an origin have a twin of this id? NULL: any of its organisation. */
	bool (*owns)(void *ctx, const char *origin, const char *id);
	/* A peer of another organisation says something: has it asked for more than its share? 0: no;
	 * MESH_NOT_YET: a pull or repair is answered with RESET_BEHIND, anything else dropped; negative: it
	 * has gone on for too long, and its session is closed. NULL: 0. */
	int (*admit)(void *ctx, const char *org, const struct message *message);
};
enum { MESH_NOT_YET = 1 };

struct mesh_options {
	const char *org, *node;
	struct bytes credential; /* encoded signed_blob, shown in HELLO */
	uint64_t seed;           /* of nonces and jitter: another one at each start */
	struct mesh_port port;
	int64_t heads_every_ns; /* to peers that do not know FEATURE_QUIET; 0: 1 s */
	int64_t ping_every_ns;  /* to the others; 0: 2 s */
	int64_t silence_ns;     /* a session silent for so long is closed in any case (liveness.h); 0: 15 s */
	int64_t pull_timeout_ns;  /* 0: 3 s */
	int64_t publish_every_ns; /* heads go out at most this often; 0: 50 ms */
	size_t window_bytes;    /* at most so much is asked for on a session, or not yet durable; 0: 1 MiB */
	int64_t fork_margin_ns; /* two incarnations speak for so long: both live; 0: 60 s */
};

MUST_CHECK int mesh_new(struct mesh **ret, const struct mesh_options *opt);
void mesh_free(struct mesh *m); /* NULL is fine */

/* The session ids are the owner's and never used twice.
 *
 * STOREs of one origin are done in order. When one fails, those of the same origin that were given out before
 * the report fail too: rows behind a hole would take the cursor across it. */
enum mesh_event_kind {
	MESH_UP,      /* session, peer: connected and authenticated */
	MESH_DOWN,    /* session: the connection broke */
	MESH_FRAME,   /* session, message: decoded */
	MESH_SAY,     /* session, message: send this (question, answer, policy, bye) if the session is open;
			 STANDING and TRUST to who knows them, as soon as HELLO came */
	MESH_TRUST,   /* credential: what is trusted may differ now, and this is what the own HELLO shows */
	MESH_CHANGED, /* own changes became durable, or the policy changed: heads may differ now */
	MESH_CHOSEN,  /* port.counts may say something else now */
	MESH_ENDED, /* peer.org: it is not trusted any more; should it come back, its policy may begin anew */
	MESH_STORED,  /* token, result: the STORE of that token is durable (0) or failed */
	MESH_RESUMED, /* session, message, token: as MESH_RESUME said */
	MESH_TICK,    /* time passed */
};

struct mesh_peer {
	const char *org, *node;
	uint32_t roles;
	bool own;     /* of the own organisation */
	bool dialled; /* by this side */
};

struct mesh_event {
	enum mesh_event_kind kind;
	uint32_t session;
	struct mesh_peer peer;
	const struct message *message;
	struct bytes credential;
	uint64_t token;
	int result;
};

/* Of a repair the STOREs have an empty cursor up to the last one: until then the origin is not whole. Their
 * rows replace what is held of the origin even if that is newer by its version: an origin restored from a
 * copy has gone back. */
enum mesh_action_kind {
	MESH_SEND,    /* session, message: encode and send; if that fails report MESH_DOWN */
	MESH_STORE,   /* token, op (OP_ROWS): make durable, then report MESH_STORED */
	MESH_RESUME,  /* session, message, token: when all else of this step is done, report MESH_RESUMED with
			 them: an answer goes on, while its first frame is on its way */
	MESH_CLOSE,   /* session, text: close the connection; do not report MESH_DOWN */
	MESH_GREETED, /* session, features: the peer's HELLO came, believed or not */
	MESH_OPENED,  /* session: HELLO exchanged, version agreed; questions may be asked */
	MESH_DELIVER, /* session, message: a question, answer or policy for the node */
	MESH_HEARD,   /* origin, age_ns: what is held of it is what the origin vouched for so long ago */
	MESH_ALARM,   /* session, text: a human should know; origin: that it is about one, else NULL. What is
			 said of an origin is over when MESH_HEARD comes for it */
	MESH_FORK,    /* session, origin, text, heads: signed both, and they cannot both be true; told once an
			 hour */
};

struct mesh_action {
	enum mesh_action_kind kind;
	uint32_t session;
	struct message message;
	uint64_t token;
	struct op op;
	const char *origin, *text;
	int64_t age_ns;
	uint64_t features;
	struct bytes heads[2]; /* encoded signed_blobs */
};

/* Filled by a step, in order. What it points to lives in the caller's arena or in the event's message; both
 * must outlive its use. */
struct mesh_todo {
	struct arena *arena;
	struct mesh_action *actions;
	size_t n;
};

/* -ENOMEM only: what a peer does wrong ends in its session being closed. now_ns is monotonic. */
MUST_CHECK int mesh_step(struct mesh *m, const struct mesh_event *e, int64_t now_ns, struct mesh_todo *todo);

/* When mesh_step() wants the next MESH_TICK at the latest (monotonic); INT64_MAX: not before something
 * happens. */
int64_t mesh_deadline(const struct mesh *m);

struct mesh_stats {
	uint64_t frames_old_session, frames_gap, frames_refused, frames_unbelieved;
	uint64_t pulls, repairs, resets, mismatches, alarms, forks;
	uint64_t over_share;   /* messages of partners that asked for more than their share */
	uint64_t rows_outside; /* rows of twins that are not their origin's */
	uint64_t sessions;     /* opened so far */
	size_t sessions_open;
	size_t window_peak; /* the most bytes asked for on one session, or not yet durable */
};
void mesh_stats(const struct mesh *m, struct mesh_stats *ret);
/* What of it a peer had part in, since the mesh began; zeros for a stranger. */
void mesh_peer_stats(const struct mesh *m, const char *org, const char *node, struct mesh_stats *ret);

enum mesh_stream_state {
	MESH_STREAM_LEVEL,  /* what is held is what is offered */
	MESH_STREAM_BEHIND, /* more is offered, and will be asked for */
	MESH_STREAM_PULLING,
	MESH_STREAM_REPAIRING,
	MESH_STREAM_STOPPED, /* more is offered, and it is let be for a while: it led to nothing */
};

/* How an origin that peers offer stands to what is held of it. */
struct mesh_stream_stats {
	const char *origin; /* good until the next step */
	enum mesh_stream_state state;
	bool behind;           /* rows are offered that are not held */
	bool knows_lag;        /* inside the organisation; partners tell no sequence numbers */
	uint64_t seq, offered; /* held up to; the furthest that is offered */
	uint64_t lag;          /* the difference: so many changes at most */
	size_t n_offers;
};

/* The first origin behind `after` (NULL to begin) that a session offers, 0: that anybody offers. False: there
 * is none. */
bool mesh_stream_next(struct mesh *m, uint32_t session, const char *after, struct mesh_stream_stats *ret);
/* One of them. False: nobody offers it. */
bool mesh_stream_of(struct mesh *m, const char *origin, struct mesh_stream_stats *ret);

/* False: the peer is an incarnation that does not count (port.counts). */
bool mesh_session_counts(const struct mesh *m, uint32_t session);

/* Bytes asked for on a session, or not yet durable, now. */
size_t mesh_session_window(const struct mesh *m, uint32_t session);

/* For `peer list`. False: no such session. */
bool mesh_session_open(const struct mesh *m, uint32_t session, uint32_t *ret_protocol);

DEFINE_SCOPED(mesh, mesh_free)
