/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "storage/table.h"

/* A twin that is not in the table but that relations lead to. */
struct end {
	struct edge *in;
	char id[];
};

/* The table shows its edges as const; to itself they are not. */
static struct own_edge *own(const struct edge *e)
{
	return (struct own_edge *)(uintptr_t)e;
}

struct own_edge *table_edge(const struct table *t, const struct relation *r)
{
	return ordered_get(&t->edges, r);
}

const struct edge *table_edges_to(const struct table *t, const char *to)
{
	const struct own_twin *w = table_twin(t, to);
	const struct end *end = w ? NULL : map_get(&t->ends, to);

	if (w)
		return w->pub.in;
	return end ? end->in : NULL;
}

int edge_mark(struct table *t, struct own_edge *e)
{
	TRY(edge_take(t, e));
	if (e->dirty_at > 0)
		return 0;
	TRY(pile_put(&t->dirty_edges, e));
	e->dirty_at = t->dirty_edges.n;
	return 0;
}

/* ---- Chains -----------------------------------------------------------------------------------------------
 */

static int find_end(struct table *t, const char *id, struct end **ret)
{
	struct end *held = map_get(&t->ends, id);
	const size_t size = strlen(id) + 1;

	*ret = held;
	if (held)
		return 0;
	SCOPED(scope_free) struct end *end = calloc(1, sizeof *end + size);
	if (!end)
		return FAIL(-ENOMEM);
	memcpy(end->id, id, size);
	TRY(map_put(&t->ends, end->id, end));
	*ret = MOVE(end);
	return 0;
}

static void chain_out(struct own_twin *from, struct own_edge *e)
{
	e->pub.next_out = from->pub.out;
	if (from->pub.out)
		own(from->pub.out)->prev_out = e;
	from->pub.out = &e->pub;
}

static void chain_in(struct own_twin *to, struct own_edge *e)
{
	const struct edge *first = to ? to->pub.in : e->end->in;

	e->prev_in = NULL;
	e->pub.next_in = first;
	if (first)
		own(first)->prev_in = e;
	if (to)
		to->pub.in = &e->pub;
	else
		e->end->in = &e->pub;
}

static void unchain_out(struct own_edge *e)
{
	if (e->prev_out)
		e->prev_out->pub.next_out = e->pub.next_out;
	else
		own_twin(e->pub.from)->pub.out = e->pub.next_out;
	if (e->pub.next_out)
		own(e->pub.next_out)->prev_out = e->prev_out;
}

static void unchain_in(struct table *t, struct own_edge *e)
{
	if (e->pub.next_in)
		own(e->pub.next_in)->prev_in = e->prev_in;
	if (e->prev_in) {
		e->prev_in->pub.next_in = e->pub.next_in;
		return;
	}
	if (e->pub.to) {
		own_twin(e->pub.to)->pub.in = e->pub.next_in;
		return;
	}
	e->end->in = own(e->pub.next_in) ? &own(e->pub.next_in)->pub : NULL;
	if (!e->end->in)
		free(map_remove(&t->ends, e->end->id));
}

/* ---- Making and dropping ----------------------------------------------------------------------------------
 */

static void free_edge(struct table *t, struct own_edge *e)
{
	intern_drop(&t->words, e->pub.relation.type);
	free(e);
}

static int place_edge(struct table *t, struct own_edge *e, struct own_twin *from, const char *to)
{
	struct own_twin *target = table_twin(t, to);

	if (!target)
		TRY(find_end(t, to, &e->end));
	e->pub.from = &from->pub;
	e->pub.relation.from = from->id;
	e->pub.to = target ? &target->pub : NULL;
	e->pub.relation.to = target ? target->id : e->end->id;
	const int r = ordered_put(&t->edges, &e->pub.relation, e);
	if (r < 0 && e->end && !e->end->in)
		free(map_remove(&t->ends, e->end->id));
	TRY(r);
	chain_out(from, e);
	chain_in(target, e);
	return 0;
}

int edge_new(struct table *t, const struct relation *r, uint64_t number, struct own_edge **ret)
{
	struct own_twin *from = table_twin(t, r->from);
	struct own_edge *e = calloc(1, sizeof *e);

	if (!e)
		return FAIL(-ENOMEM);
	e->pub.relation = *r;
	e->number = number;
	e->pub.relation.type = NULL;
	int result = intern_take(&t->words, r->type, &e->pub.relation.type);
	if (result == 0)
		result = place_edge(t, e, from, r->to);
	if (result < 0) {
		free_edge(t, e);
		return result;
	}
	*ret = e;
	return 0;
}

static struct bytes edge_key(const struct own_edge *e, uint8_t ret[9])
{
	ret[0] = 'r';
	for (unsigned i = 0; i < 8; i++)
		ret[1 + i] = (uint8_t)(e->number >> (56 - 8 * i));
	return (struct bytes){ret, 9};
}

static int drop_edge(struct table *t, struct own_edge *e)
{
	struct own_twin *to = e->pub.to ? own_twin(e->pub.to) : NULL;
	uint8_t key[9];

	TRY(edge_take(t, e));
	changeset_delete(&t->changes, edge_key(e, key));
	if (e->dirty_at > 0)
		t->dirty_edges.items[e->dirty_at - 1] = NULL;
	ordered_remove(&t->edges, &e->pub.relation);
	unchain_out(e);
	unchain_in(t, e);
	free_edge(t, e);
	return to && !to->pub.deleted ? table_touch(t, to) : 0;
}

int table_put_edge(struct table *t, const struct relation *r)
{
	const struct own_twin *from = table_twin(t, r->from), *to = table_twin(t, r->to);
	struct own_edge *e = table_edge(t, r);

	if (!from || from->pub.deleted || (to && to->pub.deleted) ||
	    (e && relation_equal(&e->pub.relation, r)))
		return 0;
	if (!e)
		TRY(edge_new(t, r, t->next_number++, &e));
	TRY(edge_mark(t, e));
	e->pub.relation.valid_from_ns = r->valid_from_ns;
	e->pub.relation.valid_to_ns = r->valid_to_ns;
	return e->pub.to ? table_touch(t, own_twin(e->pub.to)) : 0;
}

int table_delete_edge(struct table *t, const struct relation *r)
{
	struct own_edge *e = table_edge(t, r);

	return e ? drop_edge(t, e) : 0;
}

int edges_drop(struct table *t, struct own_twin *w)
{
	while (w->pub.out)
		TRY(drop_edge(t, own(w->pub.out)));
	while (w->pub.in)
		TRY(drop_edge(t, own(w->pub.in)));
	return 0;
}

/* Oldest first, so that the newest ends up in front again. */
int edges_of_new_twin(struct table *t, struct own_twin *w)
{
	struct end *end = map_remove(&t->ends, w->id);
	struct own_edge *last = end ? own(end->in) : NULL, *before;

	if (!end)
		return 0;
	while (last->pub.next_in)
		last = own(last->pub.next_in);
	for (struct own_edge *e = last; e; e = before) {
		before = e->prev_in;
		e->end = NULL;
		e->pub.to = &w->pub;
		e->pub.relation.to = w->id;
		chain_in(w, e);
	}
	free(end);
	return 0;
}

void edges_free(struct table *t)
{
	size_t at = 0;

	ordered_fini_items(&t->edges, free);
	for (struct map_entry *m; (m = map_next(&t->ends, &at));)
		free(m->value);
	map_fini(&t->ends);
}
