/* SPDX-License-Identifier: Apache-2.0 */
/* Port - what the files of the modelled port share; private to tests/sim.
 *
 *   port.c         what is offered, rows for the own organisation
 *   port_head.c    heads, kept until something in them changes
 *   port_repair.c  trees for repairs
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

struct view view_of(struct sim_node *n, const char *audience, const char *origin);
/* The head up to which this node can serve the origin. */
int view_top(const struct view *v, struct arena *a, struct head *ret);
uint32_t view_face(const struct view *v, int twin); /* of what a border shows under its policy */
bool view_shows(const struct view *v, int twin);
/* 0, or the reason why a cursor is refused, as far as the safeguards that are left allow one. */
int view_judge(const struct view *v, struct cursor *c, const struct head *head);
int view_push(struct rows *rows, struct arena *a, struct bytes encoded);

/* ---- port_head.c: see struct mesh_port */
int port_head(void *ctx, const char *audience, const char *origin, struct arena *a, struct head_notice *ret);
int port_verify_head(void *ctx, const char *peer_org, const char *peer_node, const struct head_notice *notice,
		     struct arena *a, struct head *ret);

/* ---- port_border.c */
int border_rows(const struct view *v, const struct pull *pull, const struct head *top, struct arena *a,
		struct rows *ret);
/* Behind the newest change of what is shown. */
uint64_t border_end(const struct view *v, uint64_t head_seq);
int border_cursor(const struct view *v, const struct sim_tree *t, const struct head *top, struct bytes before,
		  struct arena *a, struct bytes *ret);
int border_row(const struct view *v, int twin, const struct head *top, struct arena *a, struct bytes *ret);

/* ---- port_repair.c: see struct mesh_port */
int port_tree(void *ctx, const char *audience, const char *origin, struct bytes cursor, struct arena *a,
	      struct tree_view *ret);
int port_row(void *ctx, const char *audience, const char *origin, const char *id, struct arena *a,
	     struct bytes *ret);
int port_held_tree(void *ctx, const char *origin, uint64_t run, const struct tree **ret);
