/* SPDX-License-Identifier: Apache-2.0 */
/* World - three organisations of four nodes simulated: they run the real mesh core over a modelled network,
 * store and clock.
 *
 *     acme a1..a4   bolt b1..b4   cord c1..c4
 *     1 owner       2 owner and border       3 border, in some seeds owner       4 owner behind a relay
 *
 * Who is connected to whom is drawn anew for each seed: inside an organisation everybody reaches everybody,
 * but not directly; two organisations meet at one to four pairs of their borders.
 *
 * Everything that happens is an event in one queue, ordered by time and a seeded tie-break; every decision is
 * drawn from one seeded generator. So a seed is a whole history, and running it twice gives the same trace
 * hash.
 *
 *   world.c     the queue, stepping a node and doing what its mesh wants
 *   topology.c  who is what, and who is connected
 *   net.c       connections: FIFO until they break, then frames lost or late; marks, duplicates, cut links
 *   frame.c     messages under way
 *   codec.c     stand-ins for encodings and hashes, most seeds run on them: they cost less
 *   disk.c      what a node stores: own twins, rows of others with their cursors; commits, crashes, copies
 *   port*.c     struct mesh_port over that
 *   chaos*.c    what goes wrong, and how it heals
 *   check.c     what must hold, after every step and at the end
 *   check_epoch.c   what is taken from partners is of no older policy
 *   check_sums.c  what repairs tell a partner is of what it may see
 *   check_memory.c  nor does anything grow without bound
 *   pace.c      a node that hangs and a stream that never rests delay nobody
 *   sim.c       the command line
 */
#pragma once

#include "federation/mesh.h"
#include "proto/clock.h"
#include "proto/hash.h"
#include "proto/row.h"

enum {
	N_ORGS = 3,
	N_OF_ORG = 4,
	N_NODES = N_ORGS * N_OF_ORG,
	LINKS_MAX = 30,
	TWINS = 10,
	N_ATTRS = 6,
	EPOCHS_MAX = 128,
	QUESTIONS_MAX = 4096,
};

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
	X(NO_GONE, "no-gone") \
	X(NO_FLOOR, "no-floor") \
	X(NO_COLLECTED, "no-collected") \
	X(NO_TOMBSTONES, "no-tombstones") \
	X(NO_CHECK, "no-check") \
	X(FORGET_OFFERS, "forget-offers") \
	X(KEEP_NEWER, "keep-newer") \
	X(SPLIT_COMMIT, "split-commit") \
	X(STORE_HOLES, "store-holes") \
	X(PUBLISH_EARLY, "publish-early") \
	X(NO_VERIFY, "no-verify") \
	X(YOUNG_PINGS, "young-pings") \
	X(NO_TELL, "no-tell") \
	X(NO_EPOCH, "no-epoch") \
	X(NO_SILENCE, "no-silence") \
	X(SUMS_OF_ALL, "sums-of-all")

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
};
extern const struct site sites[N_NODES];
extern const char *const org_names[N_ORGS];

struct duty {
	bool owner, border;
};

/* A twin of an origin as some node holds it. */
struct sim_row {
	bool present, deleted;
	uint8_t attr; /* own twins only: what policies look at */
	uint32_t mask;
	struct row_version version;
	uint64_t seq;
	struct bytes encoded; /* in the world's pool */
};

/* What a node holds of one origin, itself included. */
struct sim_origin {
	bool known;
	bool mixed;     /* a repair broke off in the middle: parts are of one state, parts of another */
	bool suspect;   /* something happened that makes a repair necessary */
	bool excused;   /* so it is that one that goes on */
	uint64_t floor; /* deletions up to there are not known any more */
	struct sim_row rows[TWINS];
	struct fingerprint fingerprint;
	struct bytes cursor, head; /* in the world's pool */
	uint64_t edits;            /* of rows or head */
};

/* A head as it is told, as long as nothing in it changes. */
struct sim_head {
	bool good;
	uint64_t edits, epoch;
	struct signed_blob blob; /* in the world's pool, like what head points to */
	struct head head;
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
	bool shown;
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

enum sim_change_kind { CHANGE_OWN, CHANGE_ROWS, CHANGE_DROP, CHANGE_COLLECT };

/* Accepted but not durable: lost in a crash. */
struct sim_change {
	struct sim_change *next;
	enum sim_change_kind kind;
	bool deleted;
	int twin; /* CHANGE_DROP: the organisation; CHANGE_COLLECT: the origin */
	uint8_t attr;
	uint64_t token;
	struct op *op; /* owned: op_copy() */
};

/* What a node believes of another one. */
struct belief {
	uint64_t needs;   /* credentials of an older generation have ended */
	bool without_org; /* there is no agreement with its organisation any more */
};

struct sim_node {
	struct world *world;
	int id;
	bool up;
	unsigned boots;
	uint64_t credential; /* generation of the own one */
	struct mesh *mesh;
	struct disk disk;
	struct disk *copy;    /* a backup; NULL: none */
	struct disk *durable; /* only where publish-early parts it from disk */
	bool commit_due, parted;
	bool old;      /* a release that knows neither quiet heads nor repairs by tree */
	size_t n_open; /* sessions that the transport has for it */
	struct sim_change *changes, **changes_end;
	int64_t tick_ns;   /* of the tick in the queue */
	int64_t full_ns;   /* the disk is full until then */
	int64_t frozen_ns; /* the process stands still until then; what comes waits here: */
	struct sim_event *waiting;
	size_t n_waiting;
	struct belief beliefs[N_NODES];
	/* lost in a crash */
	int64_t heard_ns[N_NODES];
	struct sim_sight sight[N_ORGS][N_OF_ORG][TWINS]; /* of the origins of its own organisation */
	uint64_t place;                                  /* the newest given */
	struct sim_tree trees[N_ORGS + 1][N_NODES], held_trees[N_NODES];
	struct sim_head heads[N_ORGS + 1][N_NODES];
	bool offered[N_ORGS][N_NODES];
	uint64_t seen_epoch[N_ORGS]; /* the highest in heads of that partner */
	unsigned stores[N_NODES];
	struct bytes given[N_NODES]; /* the cursor of the latest of them */
	bool failing[N_NODES];       /* a store of this origin failed, and so do those that wait behind it */
	unsigned behind[N_NODES];    /* so many of them, as they were given out before it failed */
};

struct conn {
	uint32_t session[2]; /* 0: this side is closed; [0] dialled */
	bool broken;
	int64_t last_ns[2];  /* arrival of the newest frame towards that side */
	unsigned waiting[2]; /* frames under way towards that side ... */
	unsigned rows[2];    /* ... those with rows */
	uint64_t nonce[2];   /* of the latest HELLO that came to that side */
	uint64_t shown[2];   /* the credential in it */
	uint64_t shift[2];   /* no-nonce, no-gap: renumbering towards that side */
	uint64_t last_frame[2];
	uint64_t said[2]; /* the last frame number that side gave out */
	uint64_t pull[2]; /* no-gap: of the ROWS passing towards that side */
	uint32_t index[2];
};

/* A message under way, never changed. */
struct frame {
	unsigned refs;
	size_t size; /* about as many bytes on the wire */
	int64_t sent_ns;
	struct message message;
	max_align_t body[];
};

struct late {
	struct late *next;
	struct frame *frame; /* owned */
};

struct link {
	int ends[2];        /* [0] dials */
	bool cut[2];        /* towards that end frames vanish */
	uint32_t conn;      /* the newest, 0: none yet */
	int64_t byte_ns;    /* how long a byte takes; 0: no time */
	int64_t free_ns[2]; /* when the line towards that end has passed all that it was given */
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
	SIM_THAW,
	SIM_TRUST,
	SIM_CHAOS
};

struct sim_event {
	int64_t at_ns;
	uint64_t tie;
	uint8_t kind, side;
	bool late;
	int16_t node; /* or link */
	uint32_t conn;
	unsigned boot;
	uint64_t number;     /* policy: epoch; down: session; trust: who and what, see chaos_trust.c */
	struct frame *frame; /* owned */
};

struct rule {
	uint8_t attrs[N_ORGS]; /* bits: twins with that attribute are visible to that organisation */
	uint32_t mask;         /* without the digest */
};

/* One state a twin ever had. */
struct fact {
	struct row_version version;
	uint8_t attr;
	bool deleted, durable;
	bool undone; /* by restoring the origin from a copy made before */
	struct bytes encoded;
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
	unsigned mark; /* frames under way on a connection, one way; what is more is dropped */
	int64_t latency_ns, commit_ns, pause_ns;
	bool slow_lines, hangs; /* there are such at all */
};

struct pool_block;

struct world {
	struct sim_options opt;
	struct rates rates;
	uint64_t random, trace;
	int64_t now_ns;
	struct sim_event *queue;
	size_t n_queue, queue_room;
	struct duty duties[N_NODES];
	struct sim_node nodes[N_NODES];
	struct link links[LINKS_MAX];
	int n_links;
	struct conn *conns; /* number - 1 */
	size_t n_conns;
	struct session_at {
		uint32_t conn;
		int side, node, link;
		unsigned boot;
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
	bool real;                   /* codecs and hashes are those of the product */
	bool stale;                  /* the present step is about a late or repeated frame */
	const struct message *heard; /* what the present step is about; NULL: no frame */
	uint64_t questions_said;
	uint8_t asked[QUESTIONS_MAX];
	int rows_of; /* the origin at a partner whose rows the present step is about, and their epoch; -1:
			none */
	uint64_t rows_epoch;
	uint64_t n_frames, n_steps;
	int64_t flight_ns;       /* the longest that a frame was under way */
	struct mesh_stats stats; /* of meshes that are gone */
	struct arena *arena;     /* of the present step */
	struct arena *scratch;   /* of a check */
	struct pool_block *pool; /* what lives as long as the world */
	char failure[512];
};

/* ---- world.c */
void world_run(struct world *w, const struct sim_options *opt);
/* Go on for so long, or until something fails. */
void world_go_on(struct world *w, int64_t for_ns);
void world_fini(struct world *w);
/* Bytes that its nodes ask for on a session at most. */
size_t world_window(const struct world *w);
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
/* Room for one more element in a heap array; the new element is zeroed. */
void *world_grow(void *items, size_t *n, size_t size);
/* Memory that lives as long as the world. */
void *world_take(struct world *w, size_t size);
struct bytes world_keep(struct world *w, struct bytes b);
/* One step of a node's mesh, with everything it wants done. */
void node_step(struct sim_node *n, const struct mesh_event *e);
void node_start(struct sim_node *n);
void node_stop(struct sim_node *n);
/* What waits there happens now. */
void node_thaw(struct sim_node *n);

/* ---- topology.c */
void topology_draw(struct world *w);
int origin_index(const char *name);          /* -1: no such node */
int org_index(const char *name);             /* -1 */
int twin_index(const char *id, int *origin); /* -1 */
const char *twin_name(int origin, int twin);

/* ---- frame.c */
struct frame *frame_new(struct world *w, const struct message *m);
void frame_drop(struct frame *f);        /* NULL is fine */
struct op *op_copy(const struct op *op); /* free() it */

/* ---- codec.c */
/* From now on encodings and hashes are the stand-ins, or the real ones. */
void codec_use(bool real);

/* ---- net.c */
void net_start(struct world *w);
void net_send(struct sim_node *n, uint32_t session, struct message *m);
void net_close(struct sim_node *n, uint32_t session);
void net_on_frame(struct world *w, const struct sim_event *e);
void net_on_dial(struct world *w, const struct sim_event *e);
void net_on_down(struct world *w, const struct sim_event *e);
void net_break(struct world *w, int link); /* the connection is reset */
/* One side hears of the end at once, the other one finds out by silence. */
void net_half_open(struct world *w, int link);
void net_node_gone(struct world *w, int node);        /* its sessions die with it */
bool net_is_up(const struct world *w, int link);      /* and both ends know */
uint32_t net_any_session(struct world *w, int *node); /* 0: none */
/* The node that steps for an event; -1: none. */
int net_whose(const struct world *w, const struct sim_event *e);

/* ---- disk.c */
void disk_init(struct sim_node *n);
void disk_change(struct sim_node *n, int twin, uint8_t attr, bool deleted);
void disk_store(struct sim_node *n, uint64_t token, const struct op *op);
void disk_collect(struct sim_node *n, int origin); /* some of its tombstones go */
void disk_drop_org(struct sim_node *n, int org);
void disk_on_commit(struct sim_node *n);
void disk_lose_changes(struct sim_node *n);
void disk_copy(struct sim_node *n);
/* Between the first and the last rows of a repair of it. */
bool disk_is_repairing(const struct sim_origin *o);
void disk_restore(struct sim_node *n); /* the copy, as a new incarnation */
void disk_corrupt(struct sim_node *n, int origin, int twin);

/* ---- port.c */
struct mesh_port port_of(struct sim_node *n);
void port_forget(struct sim_node *n); /* its trees */
/* The mask of a row that a border shows: with a digest of what it says. */
uint32_t port_face(const struct world *w, int org, uint64_t epoch, uint8_t attr);
bool port_visible(const struct world *w, int org, uint64_t epoch, int audience, uint8_t attr);
struct fact *fact_find(const struct world *w, int origin, int twin, struct row_version version);

/* ---- chaos.c */
void chaos_start(struct world *w);
void chaos_on_step(struct world *w);
void chaos_on_policy(struct world *w, const struct sim_event *e);
void chaos_heal(struct world *w);
unsigned chaos_draw(struct world *w, unsigned most);

/* ---- chaos_trust.c */
void trust_start(struct world *w);
void trust_end_or_renew(struct world *w);
void trust_end_org(struct world *w);
void trust_on_event(struct world *w, const struct sim_event *e);
void trust_heal(struct world *w);
bool trust_believes(const struct sim_node *n, int peer, uint64_t credential);
struct bytes trust_credential(const struct sim_node *n);
uint64_t trust_generation(struct bytes credential);

/* ---- check.c */
void check_sent(struct sim_node *n, const struct session_at *to, const struct message *m);
void check_received(struct sim_node *n, const struct message *m);
void check_stored(struct sim_node *n, const struct mesh_action *a);
void check_applied(struct sim_node *n, int origin, int twin, struct row_version version, bool repair);
void check_heard(struct sim_node *n, const char *origin, int64_t age_ns);
void check_delivered(struct sim_node *n, const struct mesh_action *a);
void check_late(struct sim_node *n, const struct mesh_todo *todo);
void check_state(struct sim_node *n); /* the own twins changed */
/* Does everybody hold what it should? False: `ret` says who does not. */
bool check_converged(const struct world *w, char *ret, size_t size);

/* ---- check_epoch.c */
void check_epoch_begin(struct sim_node *n, int peer, const struct message *m); /* a frame it will hear */
void check_epoch(struct sim_node *n, const char *origin);                      /* it takes rows */
void check_epoch_end(struct world *w);

/* ---- check_sums.c */
void check_mended(struct sim_node *n, int peer, const struct message *m); /* an answer to a repair */

/* ---- check_memory.c */
void check_memory(struct sim_node *n);

/* ---- pace.c */
void pace_check(struct world *w);
