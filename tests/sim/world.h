/* SPDX-License-Identifier: Apache-2.0 */
/* World - two organisations simulated: their nodes run the real mesh core over a modelled network, store and
 * clock.
 *
 *     acme  a1 owner, a2 owner and border, a3 border          bolt  b1 owner and border, b2 owner
 *
 * Everything that happens is an event in one queue, ordered by time and a seeded tie-break; every decision is
 * drawn from one seeded generator. So a seed is a whole history, and running it twice gives the same trace
 * hash.
 *
 *   world.c   the queue, stepping a node and doing what its mesh wants
 *   net.c     connections: FIFO until they break, then frames lost or late; drops, duplicates, cut links
 *   disk.c    what a node stores: own twins, rows of others with their cursors; commits, crashes, copies
 *   port*.c   struct mesh_port over that
 *   chaos.c   what goes wrong, and how it heals
 *   check.c   what must hold, after every step and at the end
 */
#pragma once

#include "federation/mesh.h"
#include "proto/clock.h"
#include "proto/hash.h"
#include "proto/row.h"

enum { N_ORGS = 2, N_NODES = 5, N_LINKS = 6, TWINS = 10, N_ATTRS = 6, EPOCHS_MAX = 128, ROW_BYTES = 128 };

/* A safeguard taken away, to see that its absence is noticed. */
#define BREAK_MAP(X) \
	X(NONE, "none") \
	X(NO_NONCE, "no-nonce") \
	X(NO_GAP, "no-gap") \
	X(NO_LINEAGE, "no-lineage") \
	X(NO_SNAP_HI, "no-snap-hi") \
	X(NO_STAMP, "no-stamp") \
	X(NO_BEHIND, "no-behind") \
	X(NO_FILTER, "no-filter") \
	X(NO_SWEEP, "no-sweep") \
	X(NO_TOMBSTONES, "no-tombstones") \
	X(NO_CHECK, "no-check") \
	X(FORGET_OFFERS, "forget-offers") \
	X(KEEP_NEWER, "keep-newer") \
	X(SPLIT_COMMIT, "split-commit") \
	X(STORE_HOLES, "store-holes") \
	X(PUBLISH_EARLY, "publish-early") \
	X(NO_VERIFY, "no-verify")

enum sim_break {
#define X(name, text) BREAK_##name,
	BREAK_MAP(X)
#undef X
		N_BREAKS,
};

struct sim_options {
	uint64_t seed;
	unsigned steps;
	enum sim_break broken;
	bool verbose; /* every seed that fails, also with --break */
	bool trace;   /* every action of every node */
};

struct site {
	int org;
	const char *name;   /* of the node */
	const char *origin; /* ORG/NODE */
	bool owner, border;
};
extern const struct site sites[N_NODES];
extern const char *const org_names[N_ORGS];

/* A twin of an origin as some node holds it. */
struct sim_row {
	bool present, deleted, marked;
	struct row_version version;
	uint64_t seq;
	uint32_t mask;
	uint8_t attr; /* own twins only: what policies look at */
	uint8_t len;
	uint8_t encoded[ROW_BYTES];
};

/* What a node holds of one origin, itself included. */
struct sim_origin {
	bool known;
	bool mixed;   /* a listing broke off in the middle: parts are of one state, parts of another */
	bool suspect; /* something happened that makes a full listing necessary */
	struct sim_row rows[TWINS];
	struct fingerprint fingerprint;
	uint8_t cursor[96], head[1024];
	size_t cursor_len, head_len;
};

/* A tree over rows, kept for a while. */
struct sim_tree {
	struct tree *tree; /* NULL: none */
	int64_t made_ns;
	uint64_t incarnation; /* of the origin then */
	struct cursor begun;  /* only seq and epoch */
	uint64_t place;       /* in the order of what is shown */
	uint64_t run;         /* held: for which repair */
};

/* What a border shows another organisation of a twin, or showed last. */
struct sim_sight {
	bool shown, sent; /* sent: at least once */
	struct row_version version;
	uint32_t mask;
	uint64_t place;      /* in the order of changes; 0: never shown */
	uint64_t seq, epoch; /* of the origin and the policy, then */
};

/* What survives a crash. */
struct disk {
	struct incarnation lineage[LINEAGE_MAX];
	size_t n_lineage;
	uint64_t seq, epoch;
	int64_t stamp_ns;
	struct sim_origin origins[N_NODES];
};

/* Accepted but not durable: lost in a crash. */
struct sim_change {
	struct sim_change *next;
	bool is_rows, deleted;
	int twin;
	uint8_t attr;
	uint64_t token;
	struct bytes op; /* owned */
};

struct sim_node {
	struct world *world;
	int id;
	bool up;
	unsigned boots;
	struct mesh *mesh;
	struct disk disk, copy,
		durable; /* copy: a backup; durable: only where publish-early parts it from disk */
	bool has_copy, commit_due, parted;
	struct sim_change *changes;
	int64_t tick_ns; /* of the tick in the queue */
	/* lost in a crash */
	int64_t heard_ns[N_NODES];
	struct sim_sight sight[N_ORGS][N_NODES][TWINS];
	uint64_t place; /* the newest given */
	struct sim_tree trees[N_ORGS + 1][N_NODES], held_trees[N_NODES];
	bool offered[N_ORGS][N_NODES];
	unsigned stores[N_NODES];
	bool failing[N_NODES]; /* a store of this origin failed, and so do those that wait behind it */
};

struct conn {
	uint32_t session[2]; /* 0: this side is closed; [0] dialled */
	bool broken;
	int64_t last_ns[2]; /* arrival of the newest frame towards that side */
	uint64_t nonce[2];  /* of the latest HELLO that came to that side */
	uint64_t shift[2];  /* no-nonce, no-gap: renumbering towards that side */
	uint64_t last_frame[2];
	uint64_t pull[2]; /* no-gap: of the ROWS passing towards that side */
	uint32_t index[2];
};

struct late {
	struct late *next;
	struct bytes frame; /* owned */
};

struct link {
	int ends[2];   /* [0] dials */
	bool cut[2];   /* towards that end frames vanish */
	uint32_t conn; /* the newest, 0: none yet */
	struct late *late[2];
};

enum sim_event_kind {
	SIM_TICK,
	SIM_FRAME,
	SIM_DIAL,
	SIM_DOWN,
	SIM_COMMIT,
	SIM_POLICY,
	SIM_RESTART,
	SIM_CHAOS
};

struct sim_event {
	int64_t at_ns;
	uint64_t tie;
	enum sim_event_kind kind;
	int node; /* or link */
	uint32_t conn;
	int side;
	unsigned boot;
	uint64_t number; /* policy: epoch; down: session */
	bool late;
	struct bytes frame; /* owned */
};

struct rule {
	uint8_t attrs[N_ORGS]; /* bits: twins with that attribute are visible to that organisation */
	uint32_t mask;
};

/* One state a twin ever had. */
struct fact {
	struct row_version version;
	uint8_t attr;
	bool deleted, durable;
	bool undone; /* by restoring the origin from a copy made before */
};

struct facts {
	struct fact *list;
	size_t n;
};

/* What an origin's live twins added up to, from that time on. */
struct epoch_of_state {
	int64_t since_ns;
	struct fingerprint fingerprint;
};

struct rates { /* per mille; drawn anew for each seed */
	unsigned drop, duplicate, late, store_failure, notice;
	int64_t latency_ns, commit_ns;
};

struct world {
	struct sim_options opt;
	struct rates rates;
	uint64_t random, trace;
	int64_t now_ns;
	struct sim_event *queue;
	size_t n_queue;
	struct sim_node nodes[N_NODES];
	struct link links[N_LINKS];
	struct conn *conns; /* number - 1 */
	size_t n_conns;
	struct session_at {
		uint32_t conn;
		int side, node, link;
	} * sessions; /* id - 1 */
	size_t n_sessions;
	struct rule rules[N_ORGS][EPOCHS_MAX];
	uint64_t epochs[N_ORGS];
	struct facts facts[N_NODES][TWINS];
	struct epoch_of_state *states[N_NODES];
	size_t n_states[N_NODES];
	bool ever_sent[N_ORGS][N_NODES][TWINS];
	unsigned chaos_left;
	bool healed;
	bool stale;          /* the present step is about a late or repeated frame */
	bool ended[N_NODES]; /* nobody believes that node's credential */
	uint64_t questions_said, question_seen;
	uint8_t asked[1 << 16];
	struct mesh_stats stats; /* of meshes that are gone */
	struct arena *arena;     /* of the present step */
	struct arena *scratch;   /* of a check */
	char failure[512];
};

/* ---- world.c */
void world_run(struct world *w, const struct sim_options *opt);
void world_fini(struct world *w);
void world_stats(const struct world *w, struct mesh_stats *ret);
/* The first failure is kept and ends the run. */
void world_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line of the story, with --trace. */
void world_tell(const struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint64_t world_random(struct world *w);
uint64_t world_below(struct world *w, uint64_t n);
bool world_chance(struct world *w, unsigned per_mille);
int64_t world_delay(struct world *w, int64_t most_ns);
void world_push(struct world *w, struct sim_event e);
/* One step of a node's mesh, with everything it wants done. */
void node_step(struct sim_node *n, const struct mesh_event *e);
void node_start(struct sim_node *n);
void node_stop(struct sim_node *n);
/* A copy on the heap. */
struct bytes bytes_dup(struct bytes b);
void bytes_drop(struct bytes b);
int origin_index(const char *name);          /* -1: no such node */
int org_index(const char *name);             /* -1 */
int twin_index(const char *id, int *origin); /* -1 */

/* ---- net.c */
void net_start(struct world *w);
void net_send(struct sim_node *n, uint32_t session, struct message *m);
void net_close(struct sim_node *n, uint32_t session);
void net_on_frame(struct world *w, struct sim_event *e);
void net_on_dial(struct world *w, const struct sim_event *e);
void net_on_down(struct world *w, const struct sim_event *e);
void net_break(struct world *w, struct link *l);      /* the connection is reset */
void net_node_gone(struct world *w, int node);        /* its sessions die with it */
uint32_t net_any_session(struct world *w, int *node); /* 0: none */

/* ---- disk.c */
void disk_init(struct sim_node *n);
void disk_change(struct sim_node *n, int twin, uint8_t attr, bool deleted);
void disk_store(struct sim_node *n, uint64_t token, const struct op *op);
void disk_on_commit(struct sim_node *n);
void disk_lose_changes(struct sim_node *n);
/* Between the first and the last rows of a full listing of it. */
bool disk_is_listing(const struct sim_origin *o);
void disk_restore(struct sim_node *n); /* the copy, as a new incarnation */
void disk_corrupt(struct sim_node *n, int origin, int twin);

/* ---- port.c */
struct mesh_port port_of(struct sim_node *n);
void port_forget(struct sim_node *n); /* its trees */
bool port_visible(const struct world *w, int org, uint64_t epoch, int audience, uint8_t attr);
struct fact *fact_find(const struct world *w, int origin, int twin, struct row_version version);

/* ---- chaos.c */
void chaos_start(struct world *w);
void chaos_on_step(struct world *w);
void chaos_on_policy(struct world *w, const struct sim_event *e);
void chaos_heal(struct world *w);

/* ---- check.c */
void check_sent(struct sim_node *n, const struct session_at *to, const struct message *m);
void check_received(struct sim_node *n, const struct message *m);
void check_stored(struct sim_node *n, const struct mesh_action *a);
void check_applied(struct sim_node *n, int origin, int twin, struct row_version version, bool listing);
void check_heard(struct sim_node *n, const char *origin, int64_t age_ns);
void check_delivered(struct sim_node *n, const struct mesh_action *a);
void check_late(struct sim_node *n, const struct mesh_todo *todo);
void check_state(struct sim_node *n); /* the own twins changed */
void check_converged(struct world *w);
