/* SPDX-License-Identifier: Apache-2.0 */
/* Showing the answer to a view: a tree with its roll-ups, totals and the certificate. */
#pragma once

#include <stdio.h>

#include "proto/control.h"

enum { VIEW_SHOW_DEPTH_MAX = 1000 };

struct shown_view {
	struct arena *arena;
	const struct view_question *question;
	const struct view_part *view;
	const char *root;
	size_t *first_child,
		*next_sibling; /* by place in view->members; SIZE_MAX: none. Made by view_link() */
	size_t root_member;    /* SIZE_MAX: the root itself is not among the members */
};

/* Turn the list of members into a tree. -ENOMEM. */
MUST_CHECK int view_link(struct shown_view *v);

void view_json(const struct shown_view *v, FILE *out);
void view_text(const struct shown_view *v, FILE *out);
