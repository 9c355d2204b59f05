/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/table.h"

#include "storage/table_alias.h"

static int by_id(const void *key, const void *item)
{
	return strcmp(key, ((const struct own_twin *)item)->id);
}

static int by_seq(const void *key, const void *item)
{
	const uint64_t seq = *(const uint64_t *)key, other = ((const struct own_twin *)item)->pub.seq;

	return (seq > other) - (seq < other);
}

static int by_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct own_type *)item)->name);
}

/* From first, so that the relations of a twin lie together. */
static int by_ends(const void *key, const void *item)
{
	const struct relation *a = key, *b = &((const struct own_edge *)item)->pub.relation;
	int r = strcmp(a->from, b->from);

	if (r == 0)
		r = strcmp(a->type, b->type);
	return r != 0 ? r : strcmp(a->to, b->to);
}

static int by_child(const void *key, const void *item)
{
	const struct membership *a = key, *b = &((const struct own_member *)item)->pub;
	int r = strcmp(a->child, b->child);

	if (r == 0)
		r = strcmp(a->hierarchy, b->hierarchy);
	return r != 0 ? r : strcmp(a->parent, b->parent);
}

static int by_alias(const void *key, const void *item)
{
	const struct alias_key *a = key;
	const struct alias_ref *b = item;
	const int r = strcmp(a->alias, b->alias);

	return r != 0 ? r : strcmp(a->id, b->twin->id);
}

void table_init(struct table *t)
{
	*t = (struct table){
		.by_id.compare = by_id,
		.by_seq.compare = by_seq,
		.by_alias.compare = by_alias,
		.types.compare = by_name,
		.edges.compare = by_ends,
		.members.compare = by_child,
		.next_series = 1,
		.next_number = 1,
	};
}

static void free_type(void *item)
{
	struct own_type *type = item;

	arena_free(type->arena);
	free(type);
}

static void free_twin(void *item)
{
	struct own_twin *w = item;

	free(w->block);
	free(w->pub.values);
	free(w);
}

void table_fini(struct table *t)
{
	ordered_fini(&t->by_seq);
	ordered_fini(&t->by_alias);
	ordered_fini_items(&t->by_id, free_twin);
	ordered_fini_items(&t->types, free_type);
	ordered_fini_items(&t->members, free);
	edges_free(t);
	map_fini(&t->twins);
	intern_fini(&t->words);
	free(t->dirty_twins.items);
	free(t->dirty_edges.items);
	changeset_fini(&t->changes);
}

/* ---- The order of changes ---------------------------------------------------------------------------------
 */

void table_begin_batch(struct table *t, uint32_t lineage, int64_t stamp_base_ns)
{
	t->batch_seq = t->seq;
	t->lineage = lineage;
	t->next_stamp_ns = stamp_base_ns;
}

int table_touch(struct table *t, struct own_twin *w)
{
	TRY(twin_mark(t, w, DIRTY_TWIN));
	if (w->pub.seq > t->batch_seq)
		return 0;
	if (w->pub.seq > 0)
		ordered_remove(&t->by_seq, &w->pub.seq);
	w->pub.seq = ++t->seq;
	t->stamp_ns = t->next_stamp_ns++;
	w->pub.version = (struct row_version){.lineage = t->lineage, .stamp_ns = t->stamp_ns};
	return ordered_put(&t->by_seq, &w->pub.seq, w);
}

int pile_put(struct pile *p, void *item)
{
	if (p->n == p->size) {
		const size_t size = p->size ? p->size * 2 : 64;
		void **items = realloc(p->items, size * sizeof *items);
		if (!items)
			return FAIL(-ENOMEM);
		p->items = items;
		p->size = size;
	}
	p->items[p->n++] = item;
	return 0;
}

int twin_mark(struct table *t, struct own_twin *w, uint8_t dirty)
{
	if (!w->dirty)
		TRY(pile_put(&t->dirty_twins, w));
	w->dirty |= dirty;
	return 0;
}

/* ---- Types ------------------------------------------------------------------------------------------------
 */

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

/* ---- Looking ----------------------------------------------------------------------------------------------
 */

struct own_twin *table_twin(const struct table *t, const char *id)
{
	return map_get(&t->twins, id);
}

struct own_type *table_type(const struct table *t, const char *name)
{
	return ordered_get(&t->types, name);
}

const struct twin *table_alias_next(const struct table *t, const char *alias, const char *after_id)
{
	const struct alias_key key = {alias, after_id};
	const struct alias_ref *ref = ordered_after(&t->by_alias, &key);

	return ref && strcmp(ref->alias, alias) == 0 ? &ref->twin->pub : NULL;
}
