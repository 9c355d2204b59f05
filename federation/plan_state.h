/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the plan share: plan_ask.c asks, plan_claim.c decides what is to be asked, plan_answer.c
 * checks and takes answers, plan_cell.c the cells in them, plan_result.c adds up. Nobody else includes it.
 *
 * plan_take.c takes what was right.
 * Owner:   struct plan; what is not said to be malloc'ed lives in its arena.
 */
#pragma once

#include "federation/plan.h"
#include "proto/id.h"
#include "proto/map.h"

enum { COUNT_MAX = 1 << 30 };

/* A member of the result. Its roll-ups are those of its own answer until plan_result() adds what other
 * answers hung below it. */
struct node {
	struct view_member member;
	uint32_t level;      /* 0: a root of the whole view */
	struct node *parent; /* NULL: a root of the whole view */
	struct node *first_child, *last_child, *next;
	struct node *older; /* of all, newest first: children before their parents */
	struct rollup_state
		*below; /* what is still to be added to it and to everything above; NULL: nothing */
};

enum claim_state {
	CLAIM_WAITING,     /* to be asked */
	CLAIM_HELD,        /* as soon as it is clear that an earlier claim on the same twin did not count */
	CLAIM_ASKED,       /* and not answered yet */
	CLAIM_COUNTED,     /* is in; a seen one: everything below it is known to its owner */
	CLAIM_UNCONFIRMED, /* answered, and not counted for this parent */
	CLAIM_ABSENT,      /* answered: not there for us */
	CLAIM_MET,         /* counts already, below another root */
	CLAIM_UNREACHABLE, /* nobody answers for it */
	CLAIM_LEFT,        /* not ours to ask */
	CLAIM_CUT,         /* there was no budget left for it */
};

/* Somebody's word that a twin is a member: a root of the question, or an edge of an answer. */
struct claim {
	struct claim *next;  /* of all, oldest first */
	struct claim *same;  /* the next one on the same child */
	struct claim *above; /* the root in whose answer it was found; NULL: a root of the question */
	struct view_edge edge;
	size_t first, last;           /* times of a series at which it holds; else both 0 */
	struct node *anchor;          /* NULL: a root of the question */
	struct rollup_state *rollups; /* of the twin and all below it, once answered, for the anchor */
	enum claim_state state;
	bool seen, of_question;
	uint32_t order; /* which ask it went with first, 0: none yet */
	int owner;
	/* While its answer comes in: */
	bool told, met;
	enum claim_state told_state;
};

/* A member of an answer. */
struct place {
	struct node *node;   /* it, or the nearest one above it that is shown; NULL: nothing is */
	struct claim *claim; /* the root it hangs below */
	uint32_t depth;      /* below that root */
	bool shown, live;
};

struct found_edge {
	struct found_edge *next;
	struct view_edge edge;
	const struct place *anchor; /* NULL: a seen one */
};

/* What has come of an answer. Nothing of it counts before the last part was there and all of it is right. */
struct stage {
	struct arena *arena; /* NULL before the first part */
	struct map members;  /* id -> place */
	struct node *nodes, **nodes_end;
	size_t n_listed, n_full; /* members, without absent ones; and those that anything was added up for */
	struct found_edge *edges, **edges_end;
	struct view_source *sources;
	size_t n_sources;
	const char **problems;
	size_t n_problems;
	struct view_cell *cells;
	size_t n_cells;
	uint64_t cells_sum, cells_most; /* members at the last time, and at the time with most */
	struct view_counts counts;
	bool cut;
};

struct ask {
	struct ask *next, *next_lost;
	uint32_t id, order;
	bool open, seen_only;
	int owner;
	int instead;           /* once lost */
	struct claim **claims; /* what is asked for */
	size_t n_claims;
	size_t n_seen;      /* roots that stand before them in the question */
	struct map roots;   /* id -> claim, the first of those on the same twin */
	struct bytes *orgs; /* whose twins are asked for */
	size_t n_orgs;
	struct view_question question; /* its roots are malloc'ed, until it has ended */
	struct stage stage;
};

struct source {
	struct source *next;
	struct view_source source;
};

struct plan {
	struct arena *arena, *results; /* each with the whole budget */
	size_t budget_bytes;
	struct view_question question;
	struct claim *claims, **claims_end;
	struct map by_child; /* id -> the first claim on it */
	size_t n_waiting, n_held, n_asked, n_seen_open;
	struct node *roots, *last_root, *newest;
	size_t n_members;
	struct ask *asks, *lost;
	uint32_t last_id, last_order;
	int broken; /* why an answer was taken in part only; 0: none was */
	struct source *sources;
	size_t n_sources;
	struct map cells; /* "time group" -> struct view_cell */
	struct view_counts counts;
	bool cut, said_members, said_bytes, said_roots, said_cells, said_claims;
	const char **problems;
	size_t n_problems;
};

/* plan.c */
MUST_CHECK int plan_copy_text(struct arena *a, const char *text, const char **ret);
MUST_CHECK int plan_copy_rollups(struct arena *a, const struct rollup_state *from, size_t n,
				 struct rollup_state **ret);
/* Kept once, up to PROBLEMS_MAX, cut at SENTENCE_MAX. */
MUST_CHECK int plan_problem(struct plan *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A budget was reached. True: for the first time, and is to be told. */
bool plan_cut(struct plan *p, bool *said);
MUST_CHECK int plan_out_of_bytes(struct plan *p);
/* May more members be shown; may more be asked for? */
bool plan_has_room_to_show(const struct plan *p);
bool plan_has_room_to_ask(const struct plan *p);
struct node *plan_add_node(struct plan *p, struct node *parent, const struct view_member *m);
void plan_link_node(struct plan *p, struct node *n);
/* The claim's twin stands in the result without anything that it has. */
MUST_CHECK int plan_add_bare(struct plan *p, struct claim *c, enum member_state state);

void plan_end_ask(struct ask *a);

/* plan_claim.c */
MUST_CHECK int plan_claim(struct plan *p, const struct view_edge *edge, const struct place *anchor,
			  bool of_question);
void plan_set_state(struct plan *p, struct claim *c, enum claim_state state);
/* Look at the claims held again. True: one is held no more. */
bool plan_settle(struct plan *p);
/* A twin that hangs below itself: told. */
MUST_CHECK int plan_tell_cycle(struct plan *p, const struct claim *c);
bool plan_is_seen(const struct plan *p, const struct claim *c, const struct ask *a);

/* plan_answer.c */
void plan_forget(struct ask *a);
/* Nothing counts of what was told of its roots either: the answer was not right, or never ended. */
void plan_void(struct ask *a); /* what has come of the answer */
MUST_CHECK int plan_add_counts(struct view_counts *to, const struct view_counts *from);

/* plan_take.c: an answer that was right as a whole. */
MUST_CHECK int plan_take(struct plan *p, struct ask *a);

/* plan_cell.c: the cells of a part are checked and staged; taken; given out. */
MUST_CHECK int plan_stage_cells(const struct plan *p, struct stage *s, const struct view_part *part);
MUST_CHECK int plan_take_cells(struct plan *p, const struct stage *s);
MUST_CHECK int plan_list_cells(struct plan *p, struct view_part *ret);
