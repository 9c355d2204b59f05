/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the walk share: walk.c goes down and hands up, walk_live.c and walk_cached.c find what is
 * below a twin, walk_value.c adds what it has.
 */
#pragma once

#include "node/summary.h"
#include "node/walk.h"
#include "proto/map.h"

/* A twin on the way down. */
struct step {
	const char *id, *parent;
	size_t above;  /* place of the step that led here, SIZE_MAX at a root */
	size_t anchor; /* place in part->members of the nearest returned member */
	uint32_t depth;
	bool root;
	size_t below; /* next one on the stack of those still to be met */
};

struct walk {
	struct engine *e;
	const struct audience *to;
	const struct view_question *q;
	enum walk_source source;
	struct arena *arena;
	struct view_part *part;
	struct map met;     /* ids found */
	struct step *steps; /* every twin found, in order; `above` is the way back up */
	size_t n_steps;
	size_t pending;     /* top of the stack: a place in steps, SIZE_MAX when it is empty */
	struct arena *rows; /* the row being looked at */
	size_t *above; /* for each returned member the place of its parent in part->members, SIZE_MAX at a
			  root */
	size_t n_above;
};

bool walk_is_own(const struct walk *w);
/* The first ones tell the story, and an answer has to fit its frame. */
MUST_CHECK int walk_problem(struct walk *w, const char *text);
/* To be met, unless it has been. */
MUST_CHECK int walk_push(struct walk *w, const struct step *s);
/* Another owner's to answer for. */
MUST_CHECK int walk_push_edge(struct walk *w, const struct step *parent, const char *child);

MUST_CHECK int walk_children_live(struct walk *w, size_t place, const struct twin *t);
MUST_CHECK int walk_children_cached(struct walk *w, size_t place);

/* May the asker have this value, and as of when? */
bool walk_may_have(const struct walk *w, const struct row *row, const char *property, bool kpi,
		   int64_t *ret_at_ns);
/* `t` NULL: from the row. */
MUST_CHECK int walk_add_values(struct walk *w, const struct step *s, const struct twin *t,
			       const struct row *row, bool *ret_withheld);
