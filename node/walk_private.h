/* SPDX-License-Identifier: Apache-2.0 */
/* Walk, inside - what the files of the walk share.
 *
 *   walk.c         begins, goes on in slices, ends: totals handed up, the budget, problems
 *   walk_path.c    what was met, what is still to be met, cycles
 *   walk_live.c    an own twin: who it is, what is below it
 *   walk_cached.c  the same of a row
 *   walk_sight.c   what the asker may know, decided once for a class of twins
 *   walk_where.c   does the expression select it
 *   walk_value.c   what it adds to the roll-ups
 *   walk_cell.c    groups
 *   walk_past.c    values and health of times past
 *   walk_time.c    a series of times
 */
#pragma once

#include "node/pointers.h"
#include "node/sights.h"
#include "node/summary.h"
#include "node/walk.h"
#include "proto/expr.h"
#include "proto/map.h"
#include "storage/shape.h"

/* A twin on the way down. */
struct step {
	const char *id, *parent; /* parent: who names it a member; "" for none */
	const void *what;        /* struct twin of a live walk, struct remote_row of a cached one */
	size_t anchor;           /* place in part->members of the nearest returned member; SIZE_MAX: none */
	uint32_t depth;          /* below its root */
	uint32_t level;          /* on the path from the root that is walked */
	bool root;
	bool seen; /* below a root that was seen: counts no more */
};

/* What the question needs of a twin, one property after another: of the roll-ups, of `where`, of `by`, to be
 * shown. */
struct needs {
	const char *property[ROLLUPS_MAX + EXPR_PROPERTIES_MAX + 1 + SHOW_MAX];
	size_t n, where, by, show;     /* places of the first of each; roll-ups begin at 0 */
	size_t of_rollup[ROLLUPS_MAX]; /* roll-ups of one property share it; SIZE_MAX: members are counted */
};

/* Where a type has it: -1: not at all. */
struct type_needs {
	const struct property_def *position; /* a KPI; NULL: none */
	size_t position_place;
	int place[];
};

/* What the asker may have of a property. History: as of a time past. */
struct need_sight {
	bool hidden;              /* by its name alone, see walk_sight.c */
	bool as_kpi, as_other;    /* the present value, of a KPI or of another property */
	bool history;             /* values of the past: */
	int64_t last_ns, step_ns; /* egress_history() */
};

/* What the asker may know of the twins of a class. */
struct sight {
	bool discover, summary;
	bool withheld; /* something that the question needs of them is hidden */
	struct need_sight need[];
};

struct series; /* walk_time.c */

struct walk {
	struct engine *e;
	const struct audience *to;
	const struct view_question *q;
	enum walk_source source;
	struct arena *arena;
	struct view_part *part;
	size_t bytes_max;
	uint64_t members_max;

	bool own;             /* the own organisation asks: sees everything */
	const char *relation; /* store_relation_type() of the hierarchy */
	int64_t now_ns;       /* when it began */
	int64_t at_ns;        /* when relations must be valid */
	struct expr *where;   /* NULL: none */
	bool needs_health;    /* somebody looks at it: of every member */
	struct needs needs;
	struct pointers types; /* struct type -> place in type_needs */
	struct type_needs **type_needs;
	size_t n_type_needs;
	struct sight **sights; /* by class; NULL: not decided */
	size_t n_sights;
	struct sight *everything; /* of the own organisation */

	struct pointers met; /* rows that were met, and how (walk_path.c) */
	uint32_t *met_twins; /* the same of own twins, by number; 0: not met */
	size_t met_size;
	const void **path; /* by level: from the root to the twin that is met */
	size_t n_path, path_size;
	struct step *stack;
	size_t n_stack, stack_size;
	uint64_t n_met;
	size_t *above; /* for each returned member the place of its parent in part->members, SIZE_MAX at a
			  root */
	size_t n_above;
	int64_t newest_ns;  /* stamp of the newest row, of the own twins */
	struct map cells;   /* group -> by the number of the time: place in part->cells, one up */
	struct map texts;   /* that outlive the store's; each once */
	struct arena *rows; /* of the twin that is looked at */

	const struct origin *origin; /* of the row that was counted last; NULL: none */
	size_t source_at;            /* place of its source in part->sources */

	struct series *series;    /* NULL: the view is of one time */
	struct store_shape shape; /* what it has pointers into, */
	uint64_t round, epoch;    /* ... and what was decided of the classes */
	unsigned n_restarts;
	enum { WALK_SEEN, WALK_ROOTS, WALK_ENDED } phase;
};

/* ---- walk.c */

/* The first ones tell the story, and an answer has to fit its frame. */
MUST_CHECK int walk_problem(struct walk *w, const char *text);
/* The budget is used up: what was gone through counts, nothing more is. `why` is a sentence. */
MUST_CHECK int walk_cut(struct walk *w, const char *why);
/* Cut it when the budget is used up. */
MUST_CHECK int walk_check_budget(struct walk *w);
/* Another owner's to answer for. */
MUST_CHECK int walk_push_edge(struct walk *w, const struct step *parent, const char *child);
/* Return a member, or the anchor of a root; `face` has what the asker may see. */
MUST_CHECK int walk_add_member(struct walk *w, struct step *s, const struct view_member *face);
/* Whose rows went in. */
MUST_CHECK int walk_source_of(struct walk *w, const char *org, const char *node, struct view_source **ret);
/* A copy that is good as long as the part; equal texts share one. NULL when memory is used up. */
const char *walk_text(struct walk *w, const char *text);
/* The same of the organisation of an id. */
const char *walk_org(struct walk *w, const char *id);
/* Is this member filled in: gone through, and what is it to the totals? */
struct member_fate {
	enum member_state state; /* live, cached, unconfirmed */
	bool filtered, withheld, coarse, expired;
};
void walk_count(struct walk *w, const struct member_fate *fate);
/* Is a member to be returned? */
bool walk_shows(const struct walk *w, const struct step *s, bool filtered);

/* ---- walk_path.c */

/* To be met, unless it has been by then; a cycle is told. */
MUST_CHECK int walk_push(struct walk *w, const struct step *s);
/* The same of a root, which is walked by itself, however else it is come to. */
MUST_CHECK int walk_push_root(struct walk *w, const struct step *s);
/* Take the next one. 1: it is to be met now, 0: there is none. A root that was met before comes once more,
 * with *ret_again: only to be returned. */
MUST_CHECK int walk_pop(struct walk *w, struct step *ret, bool *ret_again);
void walk_path_fini(struct walk *w);

/* ---- walk_live.c, walk_cached.c */
MUST_CHECK int walk_meet_live(struct walk *w, struct step *s, bool again);
MUST_CHECK int walk_meet_cached(struct walk *w, struct step *s, bool again);

/* Since when its owner, this side, has confirmed a root as a member of a parent of another organisation:
 * TIME_MIN: always, or it needs no word; TIME_MAX: never, or that is not for the asker to know. */
MUST_CHECK int walk_confirmed_since(const struct walk *w, const char *parent, const char *id,
				    int64_t *ret_ns);
/* May the asker be told that this twin, which this node does not own, is a member? */
bool walk_may_name(struct walk *w, const char *id);
/* What the asker may see of an own twin, as of the question's time, or the holder's; also h->health. */
struct holder;
MUST_CHECK int walk_look(struct walk *w, struct holder *h, struct expr_twin *face, struct position *room);

/* ---- walk_sight.c */
MUST_CHECK int walk_sights_begin(struct walk *w);
void walk_sights_fini(struct walk *w);
/* Of an own twin, or of a row as its owner has it. */
MUST_CHECK int walk_sight(struct walk *w, const struct twin *t, const struct sight **ret);
MUST_CHECK int walk_sight_of_row(struct walk *w, const struct row *full, const struct sight **ret);
/* Where the type has what is needed; the type is not NULL. */
MUST_CHECK int walk_type_needs(struct walk *w, const struct type *type, const struct type_needs **ret);
/* May the asker have the value, and as of when? `at_ns`: the time asked for, in a view of the past. A share
 * with a step shows the value at its last full step, not between. */
bool walk_may_have(const struct walk *w, const struct need_sight *need, bool kpi, bool past, int64_t at_ns,
		   int64_t *ret_at_ns);

/* ---- walk_past.c */

/* A twin as of times past, which rise. */
struct past {
	const int64_t *t_ns;
	const size_t *number; /* of each in the series; NULL: there is only one */
	size_t n;
	struct point **points; /* by need; NULL: not asked for yet */
	enum health *health;   /* NULL: not asked for yet */
	enum known *doubt;     /* of the health: the least sure */
};
MUST_CHECK int walk_past_begin(struct walk *w, struct past *past);
/* The value of a property in its place, as of the time that the holder is at; coarse and expired ones are
 * noted there. */
MUST_CHECK int walk_past_value(struct walk *w, struct holder *h, size_t need, size_t place,
			       struct sample *ret);
/* Noted only if the question needs it. */
MUST_CHECK int walk_past_health(struct walk *w, struct holder *h, bool needed, enum health *ret);

/* ---- walk_time.c */

/* NULL stays NULL if the question has no series, or is not asked live. */
MUST_CHECK int walk_series_begin(struct walk *w);
void walk_series_end(struct walk *w); /* without one is fine */
/* Go on with one twin: 1: that was all. */
MUST_CHECK int walk_series_next(struct walk *w);
/* When that time is. */
int64_t walk_series_time(const struct walk *w, size_t number);
size_t walk_series_times(const struct walk *w); /* 1 without a series */
size_t walk_series_bytes(const struct walk *w); /* memory besides the arenas */

/* ---- walk_value.c */

/* A twin, as far as values are concerned: live with its type's places, or a row. */
struct holder {
	const struct sight *sight;
	const struct twin *twin; /* NULL: */
	const struct row *row;
	const struct type_needs *type; /* NULL: it has none */
	enum health health;            /* as the asker may know it */
	bool withheld;                 /* something was: rises as values are asked for */
	struct past *past;             /* NULL: as of now */
	size_t at;                     /* which of its times */
	bool coarse, expired;          /* rise as values of the past are asked for */
};
/* The value that answers a need, as of the question's time; *ret_unit is good as long as the type. False: it
 * has none, or not for the asker. Texts may be in w->rows. */
MUST_CHECK int walk_value(struct walk *w, struct holder *h, size_t need, struct sample *ret,
			  const char **ret_unit, bool *ret_has);
/* Add what it has to the anchor's (SIZE_MAX: none) roll-ups and to those of its groups; `face`: what the
 * asker may see of it. */
MUST_CHECK int walk_roll_up(struct walk *w, const struct step *s, struct holder *h,
			    const struct expr_twin *face);
/* What is to be shown of a returned member. */
MUST_CHECK int walk_show_values(struct walk *w, struct holder *h, struct view_member *m);

/* ---- walk_where.c */

/* Parse the expression; ERR_MALFORMED: whoever asked should have refused it. */
MUST_CHECK int walk_where_begin(struct walk *w);
/* Does it select the twin? `face`: what the asker may see of it. */
MUST_CHECK int walk_selects(struct walk *w, struct holder *h, const struct expr_twin *face, bool *ret);

/* ---- walk_cell.c */

/* The groups that a member is in: places in part->cells, at most TAGS_MAX. `face` as above. */
MUST_CHECK int walk_groups(struct walk *w, struct holder *h, const struct expr_twin *face, size_t *ret,
			   size_t *ret_n);
/* A cell; of a series by the number of its time, else 0. SIZE_MAX: there are too many, and it is cut. */
MUST_CHECK int walk_cell(struct walk *w, const char *group, size_t time, size_t *ret);
void walk_sort_cells(struct walk *w);
