/* SPDX-License-Identifier: Apache-2.0 */
/* Lab - views over many owners in a simulated world: the real plan (federation/plan.h) at every node, between
 * pretended walks and a network of their own, seeded.
 *
 * Three organisations of up to four nodes hold twins in a random hierarchy: trees that meet, over owners and
 * organisations, cycles, claims nobody confirmed, twins hidden from others, relations that hold at some times
 * only. Owners are slow, silent, restart, or lie; summaries of others are old, or missing. One view is asked;
 * an oracle that sees the whole world says what it should have been. Nothing of the world changes meanwhile.
 *
 * What must hold: a view that neither says that it was cut nor counts anybody cached or unreachable, and
 * complains of nothing but cycles, has the oracle's totals, cells and members. No twin counts twice. Every
 * lie is refused. Every view ends, soon after its deadline.
 */
#pragma once

#include <stdio.h>

#include "federation/plan.h"
#include "proto/limits.h"

enum {
	LAB_ORGS = 3,
	LAB_NODES_MAX = 12,
	LAB_TWINS_MAX = 64,
	LAB_EDGES_MAX = 192,
	LAB_TIMES = 4,
	LAB_PLACES = LAB_TWINS_MAX * LAB_TIMES,
	LAB_GROUPS = 3,
	LAB_ROLLUPS = 3,
	LAB_EVENTS_MAX = 4096,
	LAB_DESKS_MAX = 1024,
	LAB_ASKS_MAX = 4096,
	LAB_ID_BYTES = 24,
	LAB_FROM_NS = 1000,
	LAB_STEP_NS = 10,
};

/* Safeguards of what stands around a plan, each of which can be taken away. */
#define LAB_BREAKS(X) \
	X(NONE, "none") \
	X(NO_SEEN, "no-seen")             /* owners are not told what was counted before */ \
	X(NO_ENDS, "no-ends")             /* nor do they follow that beyond their own twins */ \
	X(NO_MET, "no-met")               /* roots that count already are passed over in silence */ \
	X(OTHER_LIST, "other-list")       /* summaries that stand in are asked as if nothing was seen */ \
	X(STRAY_SUMMARIES, "stray-cache") /* and are gone through beyond their owner's twins */ \
	X(QUIET_LOSS, "quiet-loss")       /* no answer is taken for an empty one */ \
	X(QUIET_CUT, "quiet-cut")         /* an owner stops at its budget and does not say so */ \
	X(NO_CONFIRM, "no-confirm")       /* every claim counts */ \
	X(TAKE_LIES, "take-lies")         /* what is refused is taken for an empty answer */

enum lab_break {
#define X(name, text) LAB_##name,
	LAB_BREAKS(X)
#undef X
		N_LAB_BREAKS
};

struct lab_twin {
	char id[LAB_ID_BYTES];
	int org, node;
	double value;
	int groups;            /* bits; its kind is the lowest */
	bool selected, hidden; /* by the filter; from other organisations */
};

struct lab_edge {
	int parent, child;
	bool confirmed;
	uint32_t times; /* at which it holds: bits */
	bool gone;      /* only old summaries have it */
};

/* What a node has of a twin of another one. */
struct lab_row {
	bool held;
	double value;
};

struct lab_node {
	char name[LAB_ID_BYTES];
	int org;
	bool up, silent, lies, fresh; /* fresh: its summaries are young enough for the asker */
	int delay_ms, generation;
	struct lab_row rows[LAB_TWINS_MAX];
	bool edges[LAB_EDGES_MAX]; /* that its rows know of */
};

struct lab_desk;

struct lab_event {
	int64_t at_ms;
	uint64_t order;
	enum { LAB_QUESTION, LAB_ANSWER, LAB_TIMEOUT, LAB_DOWN, LAB_UP } kind;
	int node, generation; /* to whom, or who */
	struct view_question question;
	int64_t timeout_ms;
	struct lab_desk *desk; /* who asked */
	uint32_t ask;
	struct view_part *parts;
	size_t n_parts;
	const uint8_t *counted;
	bool lie;
};

/* A view being assembled at a node. */
struct lab_desk {
	struct lab *lab;
	int node, generation, asker; /* organisation */
	bool relayed, ended;
	int64_t deadline_ms;
	struct plan *plan;
	struct lab_desk *client; /* whose question it is; NULL: the view of this run */
	uint32_t client_ask;
	int client_generation;
	bool lost[LAB_ASKS_MAX];     /* by number: an answer comes too late */
	uint8_t counted[LAB_PLACES]; /* how often each twin went into what was taken, for each time */
};

struct lab {
	enum lab_break broken;
	bool trace;
	uint64_t random, seed;
	struct arena *arena;
	struct lab_twin twins[LAB_TWINS_MAX];
	int n_twins;
	struct lab_edge edges[LAB_EDGES_MAX];
	int n_edges;
	struct lab_node nodes[LAB_NODES_MAX];
	int n_nodes;
	bool true_rows;            /* summaries know of every twin, and its place today */
	bool offline, lists_again; /* owners list roots that count already for their place, or tell them by an
				      edge */
	struct view_question question;
	struct view_root root;
	struct rollup_spec rollups[LAB_ROLLUPS];
	struct lab_event events[LAB_EVENTS_MAX];
	size_t n_events;
	uint64_t last_order;
	int64_t now_ms;
	struct lab_desk *desks[LAB_DESKS_MAX];
	size_t n_desks;
	unsigned n_asked, n_lies, n_cached; /* questions, refused answers, walks over summaries */
	struct view_part result;
	bool has_result;
	char failure[512];
	bool was_exact, was_clean; /* of the run, for the report */
};

/* views_world.c */
uint64_t lab_random(struct lab *l, uint64_t below);
bool lab_chance(struct lab *l, unsigned percent);
void lab_build(struct lab *l);
int lab_twin(const struct lab *l, const char *id); /* -1: none */
uint32_t lab_times(const struct lab *l);           /* all, as bits */
uint32_t lab_interval(const struct lab *l, int64_t from_ns, int64_t to_ns);
void lab_fail(struct lab *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* views_walk.c: the answer of a node's own twins, or of its summaries; how often each twin
 * was counted at each time. */
struct view_part *lab_walk(struct lab *l, int node, int asker, const struct view_question *q, bool cached,
			   uint8_t *counted);

/* views_net.c */
void lab_run(struct lab *l);

/* views_lie.c: make an answer one that no plan may take. */
void lab_lie(struct lab *l, const struct lab_event *e);

/* views_check.c */
void lab_check(struct lab *l);
