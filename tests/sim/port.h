/* SPDX-License-Identifier: Apache-2.0 */
/* Port - what the files of the modelled port share; private to tests/sim.
 *
 *   port.c         heads, rows for the own organisation
 *   port_border.c  rows for another one, as node/visibility.h and node/serve_partner.c keep and send them
 */
#pragma once

#include "tests/sim/world.h"

/* Which rows of an origin an audience gets; audience -1: the own organisation. */
struct view {
	struct sim_node *n;
	int origin, audience;
	const struct sim_origin *held;
};

bool view_shows(const struct view *v, int twin);
/* 0, or the reason why a cursor is refused, as far as the safeguards that are left allow one. */
int view_judge(const struct view *v, struct cursor *c, const struct head *head);
int view_push(struct rows *rows, struct arena *a, struct bytes encoded);

/* ---- port_border.c */
int border_rows(const struct view *v, const struct pull *pull, const struct head *top, struct arena *a,
		struct rows *ret);
