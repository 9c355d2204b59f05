/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/table.h"

static int new_type(struct table *t, const char *name, struct own_type **ret)
{
	const size_t size = strlen(name) + 1;
	SCOPED(scope_free) struct own_type *type = calloc(1, sizeof *type + size);

	if (!type)
		return FAIL(-ENOMEM);
	memcpy(type->name, name, size);
	type->pub.def.name = type->name;
	TRY(ordered_put(&t->types, name, type));
	*ret = MOVE(type);
	return 0;
}

static void list_kpis(struct type *type)
{
	type->n_kpis = 0;
	for (size_t i = 0; i < type->def.n_properties && type->n_kpis < KPIS_MAX; i++)
		if (type->def.properties[i].kpi)
			type->kpis[type->n_kpis++] = (uint16_t)i;
}

static bool same_kpis(const struct type *a, const struct type *b)
{
	for (size_t i = 0; a->n_kpis == b->n_kpis && i < a->n_kpis; i++) {
		const struct property_def *p = &a->def.properties[a->kpis[i]];
		const struct property_def *q = &b->def.properties[b->kpis[i]];
		if (strcmp(p->name, q->name) != 0 || p->type != q->type || strcmp(p->unit, q->unit) != 0)
			return false;
	}
	return a->n_kpis == b->n_kpis;
}

static bool same_places(const struct type_def *a, const struct type_def *b)
{
	for (size_t i = 0; a->n_properties == b->n_properties && i < a->n_properties; i++)
		if (strcmp(a->properties[i].name, b->properties[i].name) != 0 ||
		    a->properties[i].type != b->properties[i].type)
			return false;
	return a->n_properties == b->n_properties;
}

/* Bring the twins of a type from one definition to the next, in id order. */
static int carry_over(struct table *t, struct own_type *type, const struct type *from, const struct type *to)
{
	const bool retype = !same_places(&from->def, &to->def), touch = !same_kpis(from, to);
	const char *after = "";

	if (type->n_users == 0 || (!retype && !touch))
		return 0;
	for (struct own_twin *w; (w = ordered_after(&t->by_id, after)); after = w->id) {
		if (w->pub.type != &type->pub)
			continue;
		if (retype)
			TRY(twin_retype(t, w, &from->def, &to->def));
		if (touch)
			TRY(table_touch(t, w));
	}
	return 0;
}

int type_set(struct table *t, const struct type_def *def)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct own_type *type = table_type(t, def->name);
	struct type next = {0};

	TRY(arena_new(&a, SIZE_MAX));
	TRY(type_def_copy(a, def, &next.def));
	list_kpis(&next);
	if (!type)
		TRY(new_type(t, def->name, &type));
	TRY(carry_over(t, type, &type->pub, &next));
	next.def.name = type->name;
	type->pub = next;
	arena_free(type->arena);
	type->arena = MOVE(a);
	return 0;
}

int table_put_type(struct table *t, const struct type_def *def)
{
	struct own_type *type = table_type(t, def->name);

	if (type && type_def_equal(&type->pub.def, def))
		return 0;
	TRY(type_set(t, def));
	table_type(t, def->name)->dirty = true;
	return 0;
}

struct own_type *table_type(const struct table *t, const char *name)
{
	return ordered_get(&t->types, name);
}
