/* SPDX-License-Identifier: Apache-2.0 */
/* Trees over what is shown and what is held. As in node/serve_repair.c a tree is kept for a while, so that a
 * repair may begin with one that is behind. */
#include "tests/sim/port.h"

enum { MAKING = 100 }; /* per mille: a tree is still being made */

#define TREE_KEPT_NS (2 * NS_PER_S)

static void add(struct tree *t, int origin, int twin, const struct sim_row *row, uint32_t mask)
{
	const char *id = twin_name(origin, twin);
	const struct hash128 h = row_hash(id, row->version, mask);
	if (tree_add(t, id, &h) < 0)
		abort();
}

static struct tree *tree_over(const struct view *v)
{
	struct tree *t;

	if (tree_new(&t) < 0)
		abort();
	for (int i = 0; i < TWINS; i++) {
		const struct sim_row *row = &v->held->rows[i];
		const bool lives = row->present && !row->deleted;
		const bool all = v->audience < 0 || v->n->world->opt.broken == BREAK_SUMS_OF_ALL;
		if (all ? lives : view_shows(v, i))
			add(t, v->origin, i, row, v->audience >= 0 ? view_face(v, i) : row->mask);
	}
	if (tree_end(t) < 0)
		abort();
	return t;
}

static void make(struct sim_tree *t, const struct view *v, const struct head *top)
{
	tree_free(t->tree);
	*t = (struct sim_tree){.tree = tree_over(v),
			       .made_ns = v->n->world->now_ns,
			       .incarnation = top->lineage[top->n_lineage - 1].id,
			       .begun = {.seq = top->seq, .epoch = v->n->disk.epoch}};
	if (v->audience >= 0)
		t->place = border_end(v, top->seq);
}

static bool is_good(const struct sim_tree *t, const struct view *v, const struct head *top)
{
	/* who began below what was collected since could not go on */
	return t->tree && (v->audience >= 0 || t->begun.seq >= v->held->floor) &&
	       t->begun.epoch == v->n->disk.epoch && t->incarnation == top->lineage[top->n_lineage - 1].id &&
	       t->made_ns + TREE_KEPT_NS > v->n->world->now_ns;
}

/* Where the reader goes on when the repair is over: where the tree stood when it began, knowing that rows may
 * be as new as the head. */
static int next_cursor(const struct view *v, const struct sim_tree *t, const struct head *top,
		       struct bytes before, struct arena *a, struct bytes *ret)
{
	struct cursor c = t->begun;
	uint8_t *out = arena_take(a, CURSOR_SCAN_BYTES);

	if (v->audience >= 0)
		return border_cursor(v, t, top, before, a, ret);
	if (!out)
		return -ENOMEM;
	if (before.len > 0) {
		if (cursor_decode(before, &c) < 0)
			return RESET_LINEAGE;
		const int reason = view_judge(v, &c, top);
		if (reason != 0)
			return reason;
	}
	c.incarnation = top->lineage[top->n_lineage - 1].id;
	c.snap_hi = top->seq;
	c.stamp_ns = top->stamp_ns;
	c.epoch = 0;
	*ret = (struct bytes){out, cursor_encode_scan(&c, out)};
	return 0;
}

int port_tree(void *ctx, const char *audience, const char *origin, struct bytes cursor, struct arena *a,
	      struct tree_view *ret)
{
	struct sim_node *n = ctx;
	const struct view v = view_of(n, audience, origin);
	struct sim_tree *t = &n->trees[v.audience + 1][v.origin];
	struct head top;

	if (!v.held || !v.held->known || view_top(&v, a, &top) < 0)
		return RESET_UNKNOWN;
	if (world_chance(n->world, MAKING))
		return RESET_LATER;
	if (!is_good(t, &v, &top))
		make(t, &v, &top);
	ret->tree = t->tree;
	ret->epoch = v.audience < 0 ? 0 : n->disk.epoch;
	return next_cursor(&v, t, &top, cursor, a, &ret->cursor);
}

int port_row(void *ctx, const char *audience, const char *origin, const char *id, struct arena *a,
	     struct bytes *ret)
{
	struct sim_node *n = ctx;
	const struct view v = view_of(n, audience, origin);
	struct head top;
	int owner, twin = twin_index(id, &owner);

	TRY(view_top(&v, a, &top));
	if (v.audience >= 0)
		return border_row(&v, twin, &top, a, ret);
	const struct sim_row *row = &v.held->rows[twin];
	if (!row->present || row->deleted)
		return ERR_ABSENT;
	*ret = row->encoded;
	return 0;
}

int port_held_tree(void *ctx, const char *origin, uint64_t run, const struct tree **ret)
{
	struct sim_node *n = ctx;
	const struct view v = view_of(n, "", origin);
	struct sim_tree *t = &n->held_trees[v.origin];

	if (world_chance(n->world, MAKING))
		return RESET_LATER;
	if (t->run != run) {
		tree_free(t->tree);
		*t = (struct sim_tree){.tree = tree_over(&v), .run = run};
	}
	*ret = t->tree;
	return 0;
}

void port_forget(struct sim_node *n)
{
	for (int i = 0; i < N_NODES; i++) {
		for (int audience = 0; audience <= N_ORGS; audience++)
			tree_free(n->trees[audience][i].tree);
		tree_free(n->held_trees[i].tree);
	}
	memset(n->trees, 0, sizeof n->trees);
	memset(n->held_trees, 0, sizeof n->held_trees);
}
