/* SPDX-License-Identifier: Apache-2.0 */
#include "node/context.h"

#include <stdlib.h>
#include <string.h>

#include "proto/id.h"
#include "proto/words.h"

#define LOCATED_IN "located-in"

/* What lies around a twin, nearest first, of equally near ones the first by id. One that this node does not
 * own ends the way: where that is located its row does not say. */
struct around {
	struct {
		const char *id;
		const struct twin *twin; /* NULL: */
		const struct remote_row *row;
	} places[CONTEXT_TWINS_MAX];
	size_t n;
};

static bool is_met(const struct around *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->places[i].id, id) == 0)
			return true;
	return false;
}

static void add(const struct engine *e, struct around *s, const char *id)
{
	const struct twin *t = store_twin(e->store, id);
	const struct remote_row *row = t ? NULL : store_row(e->store, id);

	if ((!t && !row) || s->n == CONTEXT_TWINS_MAX || is_met(s, id))
		return;
	s->places[s->n].id = t ? t->id : row->id;
	s->places[s->n].twin = t;
	s->places[s->n].row = row;
	s->n++;
}

static int compare_places(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b; /* the id comes first */

	return strcmp(*x, *y);
}

static void add_next(const struct engine *e, struct around *s, const struct twin *t, int64_t now_ns)
{
	for (const struct edge *edge = t->out; edge; edge = edge->next_out) {
		const struct relation *r = &edge->relation;
		if (strcmp(r->type, LOCATED_IN) == 0 && r->valid_from_ns <= now_ns &&
		    now_ns <= r->valid_to_ns)
			add(e, s, r->to);
	}
}

/* The twin itself is the first, and no surroundings. */
static void look_around(const struct engine *e, const struct twin *t, struct around *ret)
{
	const int64_t now_ns = trust_now(e->trust);
	size_t begin = 0;

	ret->n = 0;
	add(e, ret, t->id);
	for (int step = 0; step < CONTEXT_STEPS_MAX && begin < ret->n; step++) {
		const size_t end = ret->n;
		for (size_t i = begin; i < end; i++)
			if (ret->places[i].twin)
				add_next(e, ret, ret->places[i].twin, now_ns);
		qsort(&ret->places[end], ret->n - end, sizeof *ret->places, compare_places);
		begin = end;
	}
}

/* ---- What one of them gives -------------------------------------------------------------------------------
 */

/* Called for each reading that they may have; false ends it. */
typedef bool reading_fn(void *ctx, const struct context_value *v);

struct giving {
	struct engine *e;
	const struct audience *to;
	bool own;
	const char *only; /* NULL: all that were declared */
	reading_fn *each;
	void *ctx;
};

static bool give(const struct giving *g, const struct row *full, const struct kpi *v, bool kpi)
{
	if (v->sample.value.type == VALUE_NONE)
		return true;
	if (!g->own && egress_value(&g->e->egress, g->to, full, v->property, kpi) != FORM_PLAIN)
		return true;
	return g->each(g->ctx,
		       &(struct context_value){full->id, v->property, text_or_empty(v->unit), v->sample});
}

static bool give_twin(const struct giving *g, const struct twin *t)
{
	const struct twin_def def = store_twin_def(t);
	const struct row full = {.id = t->id, .type = def.type, .tags = def.tags, .n_tags = def.n_tags};

	if (!t->type || (!g->own && !egress_discovers(&g->e->egress, g->to, &full)))
		return true;
	for (size_t i = 0; i < t->type->def.n_properties; i++) {
		const struct property_def *p = &t->type->def.properties[i];
		if (g->only ? strcmp(p->name, g->only) != 0 : p->made != MADE_DECLARED)
			continue;
		const struct kpi v = {
			.property = p->name, .unit = p->unit, .sample = store_value(g->e->store, t, i)};
		if (!give(g, &full, &v, p->kpi))
			return false;
	}
	return true;
}

/* What another organisation shows us is not ours to show. */
static bool give_row(const struct giving *g, const struct remote_row *r, struct arena *a)
{
	struct row full;

	if (row_decode(a, r->encoded, &full) < 0 || full.deleted || full.kind != KIND_ENVIRONMENT)
		return true;
	if (!g->own && (!id_is_of_org(r->id, g->e->trust->own.org.manifest.org) ||
			!egress_discovers(&g->e->egress, g->to, &full)))
		return true;
	for (size_t i = 0; i < full.n_kpis; i++)
		if ((!g->only || strcmp(full.kpis[i].property, g->only) == 0) &&
		    !give(g, &full, &full.kpis[i], true))
			return false;
	return true;
}

/* What is not for them is as if it were not there: else a reading from farther away would tell of it. */
static void give_all(const struct giving *g, const struct twin *t, struct arena *a)
{
	struct around around;
	bool more = true;

	look_around(g->e, t, &around);
	for (size_t i = 1; i < around.n && more; i++) {
		const struct twin *twin = around.places[i].twin;
		if (!twin)
			more = give_row(g, around.places[i].row, a);
		else if (twin->kind == KIND_ENVIRONMENT)
			more = give_twin(g, twin);
	}
}

/* ---- The surroundings -------------------------------------------------------------------------------------
 */

struct first {
	struct context_value *ret;
	bool found;
};

static bool take_first(void *ctx, const struct context_value *v)
{
	struct first *f = ctx;

	*f->ret = *v;
	f->found = true;
	return false;
}

bool context_value(struct engine *e, const struct twin *t, const char *name, const struct audience *to,
		   struct arena *a, struct context_value *ret)
{
	struct first first = {.ret = ret};
	const struct giving g = {.e = e,
				 .to = to,
				 .own = egress_is_own(&e->egress, to),
				 .only = name,
				 .each = take_first,
				 .ctx = &first};

	give_all(&g, t, a);
	return first.found;
}

struct list {
	struct arena *arena;
	struct context_value *items;
	size_t n;
	bool failed;
};

/* The nearest one was first. */
static bool take_new(void *ctx, const struct context_value *v)
{
	struct list *l = ctx;

	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->items[i].property, v->property) == 0)
			return true;
	struct context_value *place = arena_push(l->arena, &l->items, &l->n, sizeof *place);
	l->failed = !place;
	if (place)
		*place = *v;
	return !l->failed;
}

static int compare_names(const void *a, const void *b)
{
	const struct context_value *x = a, *y = b;

	return strcmp(x->property, y->property);
}

int context_values(struct engine *e, const struct twin *t, const struct audience *to, struct arena *a,
		   struct context_value **ret, size_t *ret_n)
{
	struct list list = {.arena = a};
	const struct giving g = {
		.e = e, .to = to, .own = egress_is_own(&e->egress, to), .each = take_new, .ctx = &list};

	give_all(&g, t, a);
	if (list.failed)
		return FAIL(-ENOMEM);
	if (list.n > 1)
		qsort(list.items, list.n, sizeof *list.items, compare_names);
	*ret = list.items;
	*ret_n = list.n;
	return 0;
}
