/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/stage.h"
#include "storage/store_private.h"

static bool has_values(const struct stage *g, const char *id, const char *property)
{
	const struct own_twin *w = table_twin(&g->store->table, id);
	size_t i;

	if (batch_find(g->batch, &(struct staged_key){STAGED_SAMPLES, id, property, NULL}))
		return true;
	return w && w->pub.type && type_property(&w->pub.type->def, property, &i) &&
	       twin_value(&g->store->table, w, i).value.type != VALUE_NONE && !stage_twin_goes(g, id, 0);
}

/* A twin that gets another type keeps every value it has, but what the node made of them. */
static int check_retype(const struct stage *g, const struct twin_def *held, const struct twin_def *next)
{
	const struct type_def *from = stage_type(g, held->type), *to = stage_type(g, next->type);

	for (size_t i = 0; from && i < from->n_properties; i++) {
		const struct property_def *p = &from->properties[i];
		const struct property_def *q = to ? type_property(to, p->name, NULL) : NULL;
		if (!property_is_nodes_own(p) && (!q || !measures_alike(p, q)) &&
		    has_values(g, held->id, p->name))
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
