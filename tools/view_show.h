/* SPDX-License-Identifier: Apache-2.0 */
/* Showing the answer to a view, in four forms: for people a tree (or, of groups and series, a table) with
 * the certificate in one line; JSON; CSV; the language of Graphviz.
 *
 *     struct shown_view v = {.arena = a, .question = &q, .view = &answer.view, .root = id, ...};
 *     TRY(view_link(&v));
 *     view_text(&v, stdout);
 */
#pragma once

#include <stdio.h>

#include "proto/control.h"

struct json;

/* Levels below the root that the tree and JSON show; CSV and Graphviz show all. */
enum { VIEW_SHOW_DEPTH_MAX = 1000 };

struct shown_view {
	struct arena *arena;
	const struct view_question *question;
	const struct view_part *view;
	const char *root;
	int64_t now_ns; /* ages are counted from here */
	size_t width;   /* of a line for people; 0: whatever it takes */
	/* Made by view_link(), by place in view->members; SIZE_MAX: none. */
	size_t *parent, *first_child, *next_sibling;
	size_t root_member; /* SIZE_MAX: the root itself is not among the members */
};

/* Turn the list of members into a tree. A member whose parent is not there hangs on the root. -ENOMEM. */
MUST_CHECK int view_link(struct shown_view *v);
/* The member behind this one where parents come before their children, and children stay together. `*depth`
 * (that of this one) becomes that of the next; children below `depth_max` are left out. SIZE_MAX: the end. */
size_t view_next(const struct shown_view *v, size_t i, size_t *depth, size_t depth_max);

void view_text(const struct shown_view *v, FILE *out);
void view_json(const struct shown_view *v, FILE *out);
/* Without the certificate: see view_certificate_text(). */
void view_csv(const struct shown_view *v, FILE *out);
void view_dot(const struct shown_view *v, FILE *out);

/* ---- Parts of them */

/* Is the answer one of cells: groups, a series? Then members are not shown. */
bool view_has_cells(const struct view_question *q);

/* `51,754.08 ± 12 MW (485)`; `-` for no value. In the arena; "" without memory. */
const char *view_rollup_words(struct arena *a, const struct rollup_spec *spec, const struct rollup_state *s);
/* The unit of what a function gives; "" for none. */
const char *view_rollup_unit(const struct rollup_spec *spec, const struct rollup_state *s);
/* `1,463 members: 1,100 live, 363 cached (amprion/n1 12s ago)`. In the arena; "" without memory. */
const char *view_certificate_text(struct arena *a, const struct view_part *view);

/* `states` NULL: an empty list. */
void view_rollups_json(struct json *j, const struct view_question *q, const struct rollup_state *states);
/* Its own fields and values, without the braces and what is below it. */
void view_member_json(struct json *j, const struct view_question *q, const struct view_member *m);
void view_cells_json(struct json *j, const struct view_question *q, const struct view_part *view);
/* The members `certificate` and `problems`. */
void view_certificate_json(struct json *j, const struct view_part *view);
