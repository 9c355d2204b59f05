/* SPDX-License-Identifier: Apache-2.0 */
/* Serve, inside - what serve.c (the own organisation, and what is held) and serve_partner.c (other
 * organisations) share. */
#pragma once

#include "federation/mesh.h"
#include "node/engine.h"
#include "proto/message.h"

/* What stands in an origin's head, as this node knows it: lineage, sequence number. ERR_ABSENT. */
MUST_CHECK int serve_origin_head(const struct engine *e, const char *origin, struct arena *a,
				 struct head *ret);
MUST_CHECK int serve_sign(struct engine *e, const struct head *h, struct arena *a, struct head_notice *ret);
/* A cursor of the own organisation. */
MUST_CHECK int serve_cursor(const struct cursor *c, struct arena *a, struct bytes *ret);
/* Up to where deletions of an origin are no longer known. */
uint64_t serve_floor(const struct engine *e, const char *origin);
MUST_CHECK int serve_keep(struct arena *a, const struct buf *b, struct bytes *ret);
MUST_CHECK int serve_push(struct rows *rows, const struct row *row, struct arena *a);

/* ---- serve_repair.c: see struct mesh_port */

MUST_CHECK int repair_tree(void *ctx, const char *audience, const char *origin, struct bytes cursor,
			   struct arena *a, struct tree_view *ret);
MUST_CHECK int repair_row(void *ctx, const char *audience, const char *origin, const char *id,
			  struct arena *a, struct bytes *ret);
MUST_CHECK int repair_held_tree(void *ctx, const char *origin, uint64_t run, const struct tree **ret);

/* ---- serve_partner.c */

/* The age is filled in already. */
MUST_CHECK int partner_head(struct engine *e, const char *org, const char *origin, struct arena *a,
			    struct head_notice *ret);
/* Rows behind a partner's cursor, its retractions first. >0: an enum reset_reason. */
MUST_CHECK int partner_rows(struct engine *e, const char *org, const struct pull *pull, struct arena *a,
			    struct rows *ret);
/* One row as the partner sees it now; none when it does not. */
MUST_CHECK int partner_row(struct engine *e, const char *org, const char *id, struct arena *a,
			   struct rows *rows);
/* Where a partner goes on after a repair: from `begun` in the origin's order and `end` in the partner's, or
 * from where the cursor `before` of the same repair stands. >0: an enum reset_reason. */
struct partner_cursor {
	const struct head *head;
	struct cursor begun;
	uint64_t end;
	struct bytes before;
};
MUST_CHECK int partner_cursor(struct engine *e, const char *org, const char *origin,
			      const struct partner_cursor *where, struct arena *a, struct bytes *ret);
