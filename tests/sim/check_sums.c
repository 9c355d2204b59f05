/* SPDX-License-Identifier: Apache-2.0 */
/* What a border answers to a repair of another organisation adds up what that one may see, and takes away
 * nothing but what it has listed: sums and keys of what is hidden would tell that it is there. */
#include "tests/sim/port.h"

/* Who asks whom for what, and where the border stands. */
struct asked {
	const struct sim_node *n;
	const struct repair *repair; /* what is being answered */
	int audience, origin;
};

/* What a twin may add to a sum: nothing, or one of the states it ever had that this audience may see under
 * the policy of this node. */
static size_t shares(const struct asked *q, int twin, uint64_t ret[N_ATTRS + 1])
{
	const struct sim_node *n = q->n;
	const struct world *w = n->world;
	const struct facts *f = &w->facts[q->origin][twin];
	const int org = sites[n->id].org;
	bool had[N_ATTRS] = {false};
	size_t k = 0;

	ret[k++] = 0;
	for (size_t i = 0; i < f->n; i++)
		had[f->list[i].attr] |= f->list[i].durable && !f->list[i].deleted;
	for (uint8_t attr = 0; attr < N_ATTRS; attr++) {
		if (!had[attr] || !port_visible(w, org, n->disk.epoch, q->audience, attr))
			continue;
		const struct hash128 h = row_hash(twin_name(q->origin, twin), (struct row_version){0},
						  port_face(w, org, n->disk.epoch, attr));
		ret[k++] = get_u64(h.b + sizeof h.b - sizeof(uint64_t));
	}
	return k;
}

/* Is it the sum of something that twins from this one on may add below the prefix? */
static bool adds_up(const struct asked *q, uint32_t depth, uint32_t prefix, uint64_t sum, int twin)
{
	uint64_t share[N_ATTRS + 1];

	while (twin < TWINS && tree_prefix(row_key(twin_name(q->origin, twin)), depth) != prefix)
		twin++;
	if (twin == TWINS)
		return sum == 0;
	const size_t k = shares(q, twin, share);
	for (size_t i = 0; i < k; i++)
		if (adds_up(q, depth, prefix, sum - share[i], twin + 1))
			return true;
	return false;
}

static void check_sums(const struct asked *q, const struct sums *sums)
{
	const uint32_t depth = tree_child_depth(q->repair->depth);
	const size_t children = tree_children(q->repair->depth);
	struct world *w = q->n->world;

	if (sums->n != q->repair->n * children || sums->epoch != q->n->disk.epoch) {
		world_fail(w, "%s sends sums that do not fit the question", sites[q->n->id].origin);
		return;
	}
	for (size_t i = 0; i < sums->n; i++) {
		const uint32_t prefix =
			(uint32_t)(q->repair->prefixes[i / children] * children + i % children);
		if (!adds_up(q, depth, prefix, sums->sums[i], 0))
			world_fail(w, "%s adds up for %s what that may not see of %s", sites[q->n->id].origin,
				   org_names[q->audience], sites[q->origin].origin);
	}
}

static bool is_listed(const struct repair *r, uint64_t key)
{
	for (size_t i = 0; i < r->n_entries; i++)
		if (r->entries[i].key == key)
			return true;
	return false;
}

/* Does the border show that row, now and when its tree was made? */
static bool is_shown(const struct asked *q, uint64_t key)
{
	struct sim_node *n = &q->n->world->nodes[q->n->id];
	const struct view v = view_of(n, org_names[q->audience], sites[q->origin].origin);
	const struct tree *t = n->trees[q->audience + 1][q->origin].tree;

	for (int twin = 0; twin < TWINS; twin++)
		if (row_key(twin_name(q->origin, twin)) == key)
			return view_shows(&v, twin) && tree_find(t, key) < tree_rows(t);
	return false;
}

static void check_gone(const struct asked *q, const struct rows *rows)
{
	struct world *w = q->n->world;

	for (size_t i = 0; i < rows->n_gone; i++) {
		if (!is_listed(q->repair, rows->gone[i]))
			world_fail(w, "%s takes away from %s of %s what that never listed",
				   sites[q->n->id].origin, org_names[q->audience], sites[q->origin].origin);
		else if (is_shown(q, rows->gone[i]))
			world_fail(w, "%s takes away from %s of %s what it shows", sites[q->n->id].origin,
				   org_names[q->audience], sites[q->origin].origin);
	}
}

void check_mended(struct sim_node *n, int peer, const struct message *m)
{
	struct world *w = n->world;
	const bool sums = m->kind == MESSAGE_SUMS;
	const struct repair *r = w->heard && w->heard->kind == MESSAGE_REPAIR ? &w->heard->repair : NULL;

	if (sites[peer].org == sites[n->id].org || (!sums && !(m->kind == MESSAGE_ROWS && m->rows.repair)))
		return;
	if (!r || r->id != (sums ? m->sums.id : m->rows.pull)) {
		world_fail(w, "%s repairs at %s what that did not ask for", sites[n->id].origin,
			   sites[peer].origin);
		return;
	}
	const struct asked q = {n, r, sites[peer].org, origin_index(r->origin)};
	if (sums)
		check_sums(&q, &m->sums);
	else
		check_gone(&q, &m->rows);
}
