/* SPDX-License-Identifier: Apache-2.0 */
/* Types: what one that is staged makes of those that extend it, and of the twins there are. */
#include <inttypes.h>

#include "proto/unit.h"
#include "proto/words.h"
#include "storage/stage.h"
#include "storage/store_private.h"

/* A type that is to take effect in another way. */
struct effect {
	const struct type_def *declared;
	const struct type_def *held; /* how it takes effect until then; NULL: not there yet */
	struct type_def next;
	int depth; /* 1: it extends none */
};

/* Parents before children; the first is the one that is staged. */
struct effects {
	struct arena *arena;
	struct effect *items;
	size_t n;
};

static const struct type_def *declared_type(const struct stage *g, const char *name)
{
	const struct staged *top = batch_find(g->batch, &(struct staged_key){STAGED_TYPE, name, NULL, NULL});
	const struct own_type *t = top ? NULL : table_type(&g->store->table, name);

	if (top)
		return &top->op->type;
	return t ? &t->pub.declared : NULL;
}

const struct type_def *stage_type(const struct stage *g, const char *name)
{
	const struct staged *top =
		batch_find(g->batch, &(struct staged_key){STAGED_EFFECT, name, NULL, NULL});
	const struct own_type *t = top ? NULL : table_type(&g->store->table, name);

	if (top)
		return &top->op->type;
	return t ? &t->pub.def : NULL;
}

/* ---- What extends what ------------------------------------------------------------------------------------
 */

/* The way up ends at a type that extends none. */
static int check_parents(const struct stage *g, const struct type_def *next, int *ret_depth)
{
	const char *name = text_or_empty(next->parent);

	*ret_depth = 1;
	while (*name) {
		const struct type_def *parent = declared_type(g, name);
		if (strcmp(name, next->name) == 0)
			return FAIL_SAY(g->note, ERR_REFUSED,
					"type %s cannot extend %s, which extends it already", next->name,
					strcmp(next->parent, name) == 0 ? "itself" : next->parent);
		if (!parent)
			return FAIL_SAY(g->note, ERR_REFUSED, "type %s extends %s, which does not exist",
					next->name, name);
		if (++*ret_depth > TYPE_DEPTH_MAX)
			return FAIL_SAY(g->note, ERR_REFUSED,
					"type %s would have more than %d types above it, itself counted",
					next->name, TYPE_DEPTH_MAX);
		name = parent->parent;
	}
	return 0;
}

static int push(const struct stage *g, struct effects *all, const struct type_def *declared, int depth)
{
	struct effect *e;

	if (depth > TYPE_DEPTH_MAX)
		return FAIL_SAY(g->note, ERR_REFUSED,
				"type %s would have more than %d types above it, itself counted",
				declared->name, TYPE_DEPTH_MAX);
	e = arena_push(all->arena, &all->items, &all->n, sizeof *e);
	if (!e)
		return FAIL(-ENOMEM);
	*e = (struct effect){.declared = declared, .held = stage_type(g, declared->name), .depth = depth};
	return 0;
}

static bool extends(const struct type_def *declared, const char *name)
{
	return strcmp(declared->parent, name) == 0;
}

/* In the table, and in the batch what is not in the table yet. */
static int push_children(const struct stage *g, struct effects *all, const char *name, int depth)
{
	const struct table *t = &g->store->table;
	const char *after = "";

	for (const struct own_type *o; (o = ordered_after(&t->types, after)); after = o->name) {
		const struct type_def *declared = declared_type(g, o->name);
		if (extends(declared, name))
			TRY(push(g, all, declared, depth));
	}
	for (const struct staged *s = g->batch->last; s; s = s->before) {
		const char *new_name = s->kind == STAGED_TYPE ? s->op->type.name : NULL;
		if (new_name && !table_type(t, new_name) && extends(&s->op->type, name) &&
		    declared_type(g, new_name) == &s->op->type)
			TRY(push(g, all, declared_type(g, new_name), depth));
	}
	return 0;
}

static const struct type_def *parent_of(const struct stage *g, const struct effects *all, size_t at)
{
	const char *name = text_or_empty(all->items[at].declared->parent);

	for (size_t i = 0; i < at; i++)
		if (strcmp(all->items[i].declared->name, name) == 0)
			return &all->items[i].next;
	return *name ? stage_type(g, name) : NULL;
}

/* How a type, and all below it, will take effect. A new one has none below it. */
static int plan_effects(const struct stage *g, const struct type_def *next, struct effects *all)
{
	int depth;

	TRY(check_parents(g, next, &depth));
	TRY(push(g, all, next, depth));
	for (size_t i = 0; all->items[0].held && i < all->n; i++)
		TRY(push_children(g, all, all->items[i].declared->name, all->items[i].depth + 1));
	for (size_t i = 0; i < all->n; i++)
		TRY(type_def_extend(all->arena, parent_of(g, all, i), all->items[i].declared,
				    &all->items[i].next, g->note));
	return 0;
}

/* ---- Staging ----------------------------------------------------------------------------------------------
 */

static int check_units(const struct type_def *type, struct err_note *note)
{
	struct err_note why = {0};

	for (size_t i = 0; i < type->n_properties; i++) {
		const struct property_def *p = &type->properties[i];
		const int r = unit_check(p->unit, &why);
		if (r < 0)
			return FAIL_SAY(note, r, "type %s, property %s: %s", type->name, p->name, why.text);
	}
	return 0;
}

static bool in_use(const struct stage *g, const char *name)
{
	const struct own_type *type = table_type(&g->store->table, name);

	if (type && type->n_users > 0)
		return true;
	for (const struct staged *s = g->batch->last; s; s = s->before)
		if (s->kind == STAGED_TWIN && !s->gone && strcmp(s->op->twin.type, name) == 0)
			return true;
	return false;
}

static int check_change(const struct stage *g, const struct type_def *held, const struct type_def *next)
{
	if (next->version < held->version)
		return FAIL_SAY(g->note, ERR_REFUSED,
				"type %s is at version %u already: version %u comes too late", next->name,
				held->version, next->version);
	if (next->version == held->version)
		return FAIL_SAY(g->note, ERR_REFUSED,
				"type %s is held at version %u with other content: give what has changed a "
				"higher version",
				next->name, held->version);
	if (held->kind != next->kind && in_use(g, next->name))
		return FAIL_SAY(g->note, ERR_REFUSED,
				"type %s is in use by twins of kind %s: its kind cannot change", next->name,
				kind_text(held->kind));
	return 0;
}

static int note_effects(const struct stage *g, const struct effects *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct op seen = {.kind = OP_TYPE, .type = all->items[i].next};
		TRY(batch_note(g->batch, &(struct staged_key){STAGED_EFFECT, seen.type.name, NULL, NULL},
			       &seen));
	}
	return 0;
}

int stage_type_def(const struct stage *g, const struct op *op)
{
	const struct staged_key key = {STAGED_TYPE, op->type.name, NULL, NULL};
	SCOPED(scope_arena) struct arena *a = NULL;
	struct effects all = {0};

	TRY(type_def_check(&op->type, g->note));
	TRY(check_units(&op->type, g->note));
	const struct type_def *held = declared_type(g, op->type.name);
	if (held && type_def_equal(held, &op->type))
		return STORE_UNCHANGED;
	if (held)
		TRY(check_change(g, held, &op->type));
	TRY(arena_new(&a, SIZE_MAX));
	all.arena = a;
	TRY(plan_effects(g, &op->type, &all));
	const size_t mark = batch_mark(g->batch);
	TRY(batch_take(g->batch, &key, op, op));
	const int r = note_effects(g, &all);
	if (r < 0)
		batch_rewind(g->batch, mark);
	return r;
}

/* ---- What it does to the twins ----------------------------------------------------------------------------
 */

/* Properties of one kind of fate. */
struct fate {
	const char *names; /* "torque, desired/power" */
	size_t n;
	uint64_t n_values; /* that twins have of them */
};

static int add_name(struct arena *a, struct fate *f, const char *name)
{
	f->names = arena_print(a, "%s%s%s", f->n > 0 ? f->names : "", f->n > 0 ? ", " : "", name);
	f->n++;
	return f->names ? 0 : FAIL(-ENOMEM);
}

static uint64_t count_values(const struct stage *g, const char *type, size_t property)
{
	const struct table *t = &g->store->table;
	const struct own_type *own = table_type(t, type);
	const char *after = "";
	uint64_t n = 0;

	for (const struct own_twin *w; own && (w = ordered_after(&t->by_id, after)); after = w->id)
		n += w->pub.type == &own->pub &&
		     store_value(g->store, &w->pub, property).value.type != VALUE_NONE;
	return n;
}

static int compare(const struct stage *g, const struct effect *e, struct arena *a, struct fate *added,
		   struct fate *removed, struct fate *changed)
{
	for (size_t i = 0; i < e->next.n_properties; i++)
		if (!type_property(e->held, e->next.properties[i].name, NULL))
			TRY(add_name(a, added, e->next.properties[i].name));
	for (size_t i = 0; i < e->held->n_properties; i++) {
		const struct property_def *p = &e->held->properties[i];
		const struct property_def *q = type_property(&e->next, p->name, NULL);
		struct fate *fate = q ? changed : removed;
		if (q && measures_alike(p, q))
			continue;
		TRY(add_name(a, fate, p->name));
		fate->n_values += count_values(g, e->declared->name, i);
	}
	return 0;
}

static const char *fate_text(struct arena *a, const struct fate *f, const char *what)
{
	const char *lost = "";

	if (f->n == 0)
		return "";
	if (f->n_values > 0)
		lost = arena_print(a, ", whose %" PRIu64 " present %s can no longer be reached", f->n_values,
				   f->n_values == 1 ? "value" : "values");
	return lost ? arena_print(a, "; %zu %s %s (%s)%s", f->n, f->n == 1 ? "property" : "properties", what,
				  f->names, lost)
		    : NULL;
}

static int describe(const struct stage *g, const struct effect *e, uint64_t n_twins, struct arena *a,
		    struct type_effect *ret)
{
	struct fate added = {0}, removed = {0}, changed = {0};
	const char *texts[3];

	TRY(compare(g, e, a, &added, &removed, &changed));
	texts[0] = fate_text(a, &added, "added");
	texts[1] = fate_text(a, &removed, "taken away");
	texts[2] = fate_text(a, &changed, "measured anew");
	if (!texts[0] || !texts[1] || !texts[2])
		return FAIL(-ENOMEM);
	ret->text = arena_print(a, "type %s has %" PRIu64 " %s%s%s%s%s", e->declared->name, n_twins,
				n_twins == 1 ? "twin" : "twins", texts[0], texts[1], texts[2],
				added.n + removed.n + changed.n > 0 ? "" : "; their properties stay");
	ret->n_twins = n_twins;
	ret->n_lost = removed.n_values + changed.n_values;
	return ret->text ? 0 : FAIL(-ENOMEM);
}

int store_type_effects(struct store *s, struct batch *b, const struct type_def *next, struct arena *a,
		       struct type_effect **ret, size_t *ret_n)
{
	struct err_note note = {0};
	const struct stage g = {.store = s, .batch = b, .note = &note};
	const struct type_def *held = declared_type(&g, next->name);
	struct effects all = {.arena = a};

	*ret = NULL;
	*ret_n = 0;
	if (!held || type_def_equal(held, next))
		return 0;
	const int r = plan_effects(&g, next, &all);
	if (r < 0)
		return r == ERR_REFUSED ? 0 : r; /* staging says why */
	for (size_t i = 0; i < all.n; i++) {
		const struct own_type *type = table_type(&s->table, all.items[i].declared->name);
		struct type_effect *e;
		if (!type || type->n_users == 0)
			continue;
		e = arena_push(a, ret, ret_n, sizeof *e);
		if (!e)
			return FAIL(-ENOMEM);
		TRY(describe(&g, &all.items[i], type->n_users, a, e));
	}
	return 0;
}
