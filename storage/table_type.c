/* SPDX-License-Identifier: Apache-2.0 */
/* Types, of which some extend others: a change of one changes all below it, and their twins. */
#include <stdint.h>

#include "proto/expr.h"
#include "proto/words.h"
#include "storage/table.h"

/* What becomes of a type. */
struct type_change {
	struct own_type *type;
	struct type next;
	struct arena *arena; /* of next.def */
	bool retype, touch;  /* its twins */
};

/* Parents before children; the first is the one that is set. */
struct type_changes {
	struct type_change *items;
	size_t n, size;
};

static void scope_changes(struct type_changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		arena_free(c->items[i].arena);
		c->items[i].type->change = NULL;
	}
	free(c->items);
}

struct own_type *table_type(const struct table *t, const char *name)
{
	return ordered_get(&t->types, name);
}

void type_free(void *item)
{
	struct own_type *type = item;

	arena_free(type->arena);
	arena_free(type->declared_arena);
	free(type);
}

/* ---- What a type is ---------------------------------------------------------------------------------------
 */

static void list_kpis(struct type *type)
{
	type->n_kpis = 0;
	for (size_t i = 0; i < type->def.n_properties && type->n_kpis < KPIS_MAX; i++)
		if (type->def.properties[i].kpi)
			type->kpis[type->n_kpis++] = (uint16_t)i;
}

static int list_standings(struct arena *a, struct type *type)
{
	const struct type_def *def = &type->def;
	uint16_t *places = arena_take_array(a, def->n_properties, sizeof *places);

	if (!places)
		return FAIL(-ENOMEM);
	type->standings = places;
	type->n_standings = 0;
	for (size_t i = 0; i < def->n_properties; i++) {
		if (def->properties[i].made == MADE_ALARM)
			places[type->n_standings++] = (uint16_t)i;
		if (def->properties[i].made == MADE_HEALTH)
			type->members_place = (uint16_t)i;
	}
	return 0;
}

/* Do alarms and members make the row the same way? */
static bool same_standings(const struct type *a, const struct type *b)
{
	for (size_t i = 0; a->n_standings == b->n_standings && i < a->n_standings; i++)
		if (strcmp(a->def.properties[a->standings[i]].name,
			   b->def.properties[b->standings[i]].name) != 0)
			return false;
	return a->n_standings == b->n_standings && a->def.health.rule == b->def.health.rule;
}

static bool same_kpis(const struct type *a, const struct type *b)
{
	for (size_t i = 0; a->n_kpis == b->n_kpis && i < a->n_kpis; i++) {
		const struct property_def *p = &a->def.properties[a->kpis[i]];
		const struct property_def *q = &b->def.properties[b->kpis[i]];
		if (strcmp(p->name, q->name) != 0 || !measures_alike(p, q))
			return false;
	}
	return a->n_kpis == b->n_kpis;
}

static bool same_places(const struct type_def *a, const struct type_def *b)
{
	for (size_t i = 0; a->n_properties == b->n_properties && i < a->n_properties; i++)
		if (strcmp(a->properties[i].name, b->properties[i].name) != 0 ||
		    !measures_alike(&a->properties[i], &b->properties[i]))
			return false;
	return a->n_properties == b->n_properties;
}

/* What an alarm speaks of. Of an expression that cannot be read there is nothing to judge. */
static int watch_alarm(const struct type_def *def, const char *when, uint8_t *watched)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct expr *e;
	size_t n, place;

	TRY(arena_new(&a, SIZE_MAX));
	const int r = expr_parse(a, when, &e, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	const char *const *names = expr_properties(e, &n);
	for (size_t i = 0; i < n; i++)
		if (type_property(def, names[i], &place))
			watched[place] |= WATCHED_ALARM;
	return 0;
}

static uint8_t watched_bits(const struct property_def *p)
{
	const bool settles = p->settable || p->made == MADE_DESIRED;

	return (uint8_t)((p->limits ? WATCHED_LIMITS : 0) | (settles ? WATCHED_SETTLE : 0));
}

static int list_watched(struct arena *a, struct type *type)
{
	const struct type_def *def = &type->def;
	bool any = def->n_alarms > 0;

	type->watched = NULL;
	for (size_t i = 0; i < def->n_properties; i++)
		any |= watched_bits(&def->properties[i]) != 0;
	if (!any)
		return 0;
	uint8_t *watched = arena_take_array(a, def->n_properties, sizeof *watched);
	if (!watched)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < def->n_properties; i++)
		watched[i] = watched_bits(&def->properties[i]);
	for (size_t i = 0; i < def->n_alarms; i++)
		TRY(watch_alarm(def, def->alarms[i].when, watched));
	type->watched = watched;
	return 0;
}

/* How next.declared takes effect, in an arena of its own that keeps nothing of the parent's. */
static int take_effect(struct type *next, const struct type_def *parent, struct arena **ret)
{
	SCOPED(scope_arena) struct arena *scratch = NULL, *a = NULL;
	struct type_def def;

	TRY(arena_new(&scratch, SIZE_MAX));
	TRY(arena_new(&a, SIZE_MAX));
	TRY(type_def_extend(scratch, parent, &next->declared, &def, NULL));
	TRY(type_def_copy(a, &def, &next->def));
	TRY(list_standings(a, next));
	list_kpis(next);
	TRY(list_watched(a, next));
	*ret = MOVE(a);
	return 0;
}

/* ---- What a change reaches --------------------------------------------------------------------------------
 */

static int push_change(struct type_changes *c, struct own_type *type, const struct type_def *declared)
{
	if (c->n == c->size) {
		const size_t size = c->size ? c->size * 2 : 8;
		struct type_change *items = realloc(c->items, size * sizeof *items);
		if (!items)
			return FAIL(-ENOMEM);
		c->items = items;
		c->size = size;
	}
	c->items[c->n++] = (struct type_change){.type = type, .next.declared = *declared};
	return 0;
}

static bool extends(const struct type_def *declared, const char *name)
{
	return strcmp(declared->parent, name) == 0;
}

/* All below a type: the children of each, once it has been listed itself. */
static int push_descendants(const struct table *t, struct type_changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const char *name = c->items[i].type->name, *after = "";
		for (struct own_type *o; (o = ordered_after(&t->types, after)); after = o->name)
			if (o != c->items[0].type && extends(&o->pub.declared, name))
				TRY(push_change(c, o, &o->pub.declared));
	}
	return 0;
}

/* The definition in effect after the change; NULL: there is none, or it would extend itself. */
static const struct type_def *parent_def(const struct table *t, const struct type_change *change)
{
	const struct own_type *parent = table_type(t, change->next.declared.parent);

	if (!parent || (parent->change && parent->change >= change))
		return NULL;
	return parent->change ? &parent->change->next.def : &parent->pub.def;
}

/* ERR_REFUSED: some type would not hold together; staging lets nothing like that through. */
static int plan_changes(const struct table *t, struct type_changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		c->items[i].type->change = &c->items[i];
	for (size_t i = 0; i < c->n; i++) {
		struct type_change *change = &c->items[i];
		const struct type *held = &change->type->pub;
		const struct type_def *parent = parent_def(t, change);
		if (*change->next.declared.parent && !parent)
			return FAIL(ERR_REFUSED);
		TRY(take_effect(&change->next, parent, &change->arena));
		change->next.def.name = change->next.declared.name = change->type->name;
		change->retype = !same_places(&held->def, &change->next.def);
		change->touch = !same_kpis(held, &change->next) || !same_standings(held, &change->next);
	}
	return 0;
}

/* ---- Doing it ---------------------------------------------------------------------------------------------
 */

static bool reaches_twins(const struct type_changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->items[i].type->n_users > 0 && (c->items[i].retype || c->items[i].touch))
			return true;
	return false;
}

/* Bring the twins from one definition to the next, in id order. */
static int carry_over(struct table *t, const struct type_changes *c)
{
	const char *after = "";

	if (!reaches_twins(c))
		return 0;
	for (struct own_twin *w; (w = ordered_after(&t->by_id, after)); after = w->id) {
		const struct own_type *type = (const struct own_type *)(const void *)w->pub.type;
		const struct type_change *change = type ? type->change : NULL;
		if (change && change->retype)
			TRY(twin_retype(t, w, &type->pub.def, &change->next.def));
		if (change && change->touch)
			TRY(table_touch(t, w));
	}
	return 0;
}

static void put_in_effect(struct type_changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct own_type *type = c->items[i].type;
		type->pub = c->items[i].next;
		arena_free(type->arena);
		type->arena = MOVE(c->items[i].arena);
	}
}

static int new_type(struct table *t, const char *name, struct own_type **ret)
{
	const size_t size = strlen(name) + 1;
	SCOPED(scope_free) struct own_type *type = calloc(1, sizeof *type + size);

	if (!type)
		return FAIL(-ENOMEM);
	memcpy(type->name, name, size);
	type->pub.def.name = type->pub.declared.name = type->name;
	type->pub.def.parent = type->pub.declared.parent = "";
	TRY(ordered_put(&t->types, name, type));
	*ret = MOVE(type);
	return 0;
}

static int change_type(struct table *t, struct own_type *type, const struct type_def *def, bool is_new)
{
	SCOPED(scope_changes) struct type_changes changes = {0};
	SCOPED(scope_arena) struct arena *a = NULL;
	struct type_def declared;

	TRY(arena_new(&a, SIZE_MAX));
	TRY(type_def_copy(a, def, &declared));
	TRY(push_change(&changes, type, &declared));
	if (!is_new)
		TRY(push_descendants(t, &changes));
	TRY(plan_changes(t, &changes));
	TRY(carry_over(t, &changes));
	put_in_effect(&changes);
	t->bands.n_types++;
	arena_free(type->declared_arena);
	type->declared_arena = MOVE(a);
	type->dirty = true;
	return 0;
}

int table_put_type(struct table *t, const struct type_def *def)
{
	struct own_type *type = table_type(t, def->name);
	const bool is_new = !type;

	if (type && type_def_equal(&type->pub.declared, def))
		return 0;
	if (*text_or_empty(def->parent) && !table_type(t, def->parent))
		return 0;
	if (is_new)
		TRY(new_type(t, def->name, &type));
	const int r = change_type(t, type, def, is_new);
	if (r < 0 && is_new) {
		ordered_remove(&t->types, type->name);
		type_free(type);
	}
	return r == ERR_REFUSED ? 0 : r;
}

/* ---- Loading ----------------------------------------------------------------------------------------------
 */

int type_load(struct table *t, const struct type_def *def)
{
	struct own_type *type;

	if (table_type(t, def->name))
		return FAIL(ERR_CORRUPT);
	TRY(new_type(t, def->name, &type));
	TRY(arena_new(&type->declared_arena, SIZE_MAX));
	TRY(type_def_copy(type->declared_arena, def, &type->pub.declared));
	type->pub.declared.name = type->name;
	return 0;
}

/* Those above it first. */
static int link_type(struct table *t, struct own_type *type, int depth)
{
	const char *name = type->pub.declared.parent;
	struct own_type *parent = *name ? table_type(t, name) : NULL;

	if (type->arena)
		return 0;
	if (depth > TYPE_DEPTH_MAX || (*name && !parent))
		return FAIL(ERR_CORRUPT);
	if (parent)
		TRY(link_type(t, parent, depth + 1));
	const int r = take_effect(&type->pub, parent ? &parent->pub.def : NULL, &type->arena);
	type->pub.def.name = type->name;
	return r == ERR_REFUSED ? FAIL(ERR_CORRUPT) : r;
}

int types_link(struct table *t)
{
	const char *after = "";

	for (struct own_type *type; (type = ordered_after(&t->types, after)); after = type->name)
		TRY(link_type(t, type, 1));
	return 0;
}
