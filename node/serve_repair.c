/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/cursor.h"
#include "node/border.h"
#include "node/quota.h"
#include "node/serve_private.h"
#include "node/summary.h"
#include "node/trees.h"

/* Where a reader of the own organisation goes on: where the tree was begun, knowing that rows shown since may
 * be as new as the head. >0: an enum reset_reason. */
static int next_cursor(const struct engine *e, const char *origin, const struct head *head, struct cursor c,
		       struct bytes before, struct arena *a, struct bytes *ret)
{
	if (before.len > 0) {
		if (cursor_decode(before, &c) < 0)
			return RESET_LINEAGE;
		const int reason = cursor_judge(&c, head, 0, serve_floor(e, origin));
		if (reason != 0)
			return reason;
	}
	c.incarnation = head->lineage[head->n_lineage - 1].id;
	c.snap_hi = head->seq;
	c.stamp_ns = head->stamp_ns;
	c.epoch = 0;
	return serve_cursor(&c, a, ret);
}

int repair_tree(void *ctx, const char *audience, const char *origin, struct bytes cursor, struct arena *a,
		struct tree_view *ret)
{
	struct engine *e = ctx;
	const bool own = audience[0] == '\0';
	struct tree_wish wish = {.audience = audience, .origin = origin, .begins = cursor.len == 0};
	struct tree_base base;
	struct head head;

	if (!own && !border_is_open(e))
		return RESET_BEHIND;
	if (serve_origin_head(e, origin, a, &head) < 0)
		return RESET_UNKNOWN;
	wish.now = (struct tree_base){.incarnation = head.lineage[head.n_lineage - 1].id,
				      .seq = head.seq,
				      .epoch = own ? 0 : e->trust->policy_doc.epoch,
				      .end = own ? 0 : visibility_end(e->visibility, origin)};
	wish.floor = own ? serve_floor(e, origin) : 0;
	const int r = trees_get(e, &wish, &ret->tree, &base);
	if (r != 0)
		return r;
	ret->epoch = wish.now.epoch;
	const struct cursor c = {.seq = base.seq, .epoch = base.epoch};
	return own ? next_cursor(e, origin, &head, c, cursor, a, &ret->cursor)
		   : partner_cursor(e, audience, origin, &(struct partner_cursor){&head, c, base.end, cursor},
				    a, &ret->cursor);
}

static int push(const struct engine *e, const char *origin, const char *id, struct arena *a,
		struct rows *rows)
{
	struct row row;

	if (strcmp(origin, e->origin) != 0) {
		const struct remote_row *r = store_row(e->store, id);
		if (!r || strcmp(r->origin->name, origin) != 0)
			return FAIL(ERR_ABSENT);
		struct bytes *slot = arena_push(a, &rows->rows, &rows->n, sizeof *slot);
		if (!slot)
			return FAIL(-ENOMEM);
		*slot = r->encoded;
		return 0;
	}
	const struct twin *t = store_twin(e->store, id);
	if (!t)
		return FAIL(ERR_ABSENT);
	TRY(summary_row(e->store, t, a, &row));
	return serve_push(rows, &row, a);
}

int repair_row(void *ctx, const char *audience, const char *origin, const char *id, struct arena *a,
	       struct bytes *ret)
{
	struct engine *e = ctx;
	struct rows rows = {0};

	if (audience[0] == '\0')
		TRY(push(e, origin, id, a, &rows));
	else
		TRY(partner_row(e, audience, id, a, &rows));
	if (rows.n == 0)
		return FAIL(ERR_ABSENT);
	*ret = rows.rows[0];
	quota_charge(e->quotas, audience, QUOTA_ROWS, 1, engine_mono_ns());
	return 0;
}

int repair_held_tree(void *ctx, const char *origin, uint64_t run, const struct tree **ret)
{
	struct engine *e = ctx;
	const struct tree_wish wish = {.origin = origin, .run = run};
	struct tree_base base;

	return trees_get(e, &wish, ret, &base);
}
