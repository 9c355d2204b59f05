/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/unit.h"
#include "storage/stage.h"
#include "storage/store_private.h"

/* ---- Types ------------------------------------------------------------------------------------------------
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

/* Twins have values of it: what they were measured as must stay. */
static int check_compatible(const struct type_def *from, const struct type_def *to, struct err_note *note)
{
	if (from->kind != to->kind)
		return FAIL_SAY(note, ERR_REFUSED,
				"type %s is in use by twins of kind %s: its kind cannot change", from->name,
				kind_text(from->kind));
	for (size_t i = 0; i < from->n_properties; i++) {
		const struct property_def *p = &from->properties[i], *q = type_property(to, p->name, NULL);
		if (!q)
			return FAIL_SAY(note, ERR_REFUSED,
					"type %s is in use: its property %s cannot be taken away", from->name,
					p->name);
		if (!same_measure(p, q))
			return FAIL_SAY(note, ERR_REFUSED,
					"type %s is in use: its property %s stays %s in '%s', give a new one "
					"a new name",
					from->name, p->name, value_type_text(p->type), p->unit);
	}
	return 0;
}

int stage_type_def(const struct stage *g, const struct op *op)
{
	const struct type_def *next = &op->type, *held;
	const struct staged_key key = {STAGED_TYPE, next->name, NULL, NULL};

	TRY(type_def_check(next, g->note));
	TRY(check_units(next, g->note));
	held = stage_type(g, next->name);
	if (held && type_def_equal(held, next))
		return STORE_UNCHANGED;
	if (held && next->version < held->version)
		return FAIL_SAY(g->note, ERR_REFUSED,
				"type %s is at version %u already: version %u comes too late", next->name,
				held->version, next->version);
	if (held && in_use(g, next->name))
		TRY(check_compatible(held, next, g->note));
	return batch_take(g->batch, &key, op, op);
}

/* ---- Twins ------------------------------------------------------------------------------------------------
 */

static bool has_values(const struct stage *g, const char *id, const char *property)
{
	const struct own_twin *w = table_twin(&g->store->table, id);
	size_t i;

	if (batch_find(g->batch, &(struct staged_key){STAGED_SAMPLES, id, property, NULL}))
		return true;
	return w && w->pub.type && type_property(&w->pub.type->def, property, &i) &&
	       w->values[i].value.type != VALUE_NONE && !stage_twin_goes(g, id, 0);
}

/* A twin that gets another type keeps every value it has. */
static int check_retype(const struct stage *g, const struct twin_def *held, const struct twin_def *next)
{
	const struct type_def *from = stage_type(g, held->type), *to = stage_type(g, next->type);

	for (size_t i = 0; from && i < from->n_properties; i++) {
		const struct property_def *p = &from->properties[i];
		const struct property_def *q = to ? type_property(to, p->name, NULL) : NULL;
		if ((!q || !same_measure(p, q)) && has_values(g, held->id, p->name))
			return FAIL_SAY(g->note, ERR_REFUSED,
					"%s has values of %s, which it would lose as a twin of type '%s'",
					held->id, p->name, next->type);
	}
	return 0;
}

static int check_type(const struct stage *g, const struct twin_def *def)
{
	const struct type_def *type = stage_type(g, def->type);

	if (!*def->type)
		return 0;
	if (!type)
		return FAIL_SAY(g->note, ERR_REFUSED, "%s: there is no type %s", def->id, def->type);
	if (type->kind != def->kind)
		return FAIL_SAY(g->note, ERR_REFUSED, "%s: twins of type %s are of kind %s, not %s", def->id,
				def->type, kind_text(type->kind), kind_text(def->kind));
	return 0;
}

/* Inside the organisation too, a twin has one owner. */
static int check_no_other_owner(const struct stage *g, const char *id)
{
	const struct remote_row *row = remote_row(&g->store->remote, id);

	if (row)
		return FAIL_SAY(g->note, ERR_REFUSED, "%s is owned by %s already", id, row->origin->name);
	return 0;
}

int stage_twin_def(const struct stage *g, const struct op *op)
{
	const struct staged_key key = {STAGED_TWIN, op->twin.id, NULL, NULL};
	struct life_step life[LIFE_STEPS_MAX];
	struct op seen = *op;
	struct twin_def def;

	seen.twin.type = op->twin.type ? op->twin.type : "";
	seen.twin.life = life;
	TRY(twin_def_check(&op->twin, g->note));
	TRY(stage_check_own(g, op->twin.id));
	TRY(check_type(g, &seen.twin));
	const struct twin_def *held = stage_twin(g, op->twin.id, &def) ? &def : NULL;
	TRY(life_join(held, &op->twin, life, &seen.twin.n_life, g->note));
	if (held && twin_def_equal(held, &seen.twin))
		return STORE_UNCHANGED;
	if (held)
		TRY(check_retype(g, held, &seen.twin));
	else
		TRY(check_no_other_owner(g, op->twin.id));
	return batch_take(g->batch, &key, op, &seen);
}
