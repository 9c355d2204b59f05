/* SPDX-License-Identifier: Apache-2.0 */
#include "node/matcher.h"

#include "node/summary.h"
#include "proto/words.h"

enum { NO_PLACE = UINT16_MAX, SCRATCH_BYTES = 1 << 20 };

int matcher_init(struct matcher *m, const struct egress *egress, const struct audience *to, const char *where,
		 struct arena *a, struct err_note *note)
{
	*m = (struct matcher){.egress = egress,
			      .to = to,
			      .own = egress_is_own(egress, to),
			      .now_ns = trust_now(egress->trust)};
	TRY(expr_parse(a, where, &m->expr, note));
	TRY(arena_new(&m->scratch, SCRATCH_BYTES));
	m->properties = expr_properties(m->expr, &m->n_properties);
	m->type = expr_requires(m->expr, EXPR_TYPE);
	m->tags = expr_speaks_of(m->expr, EXPR_TAG);
	m->name = expr_speaks_of(m->expr, EXPR_NAME);
	m->life = expr_speaks_of(m->expr, EXPR_LIFE);
	m->health = expr_speaks_of(m->expr, EXPR_HEALTH);
	m->position = expr_speaks_of_position(m->expr);
	return 0;
}

void matcher_fini(struct matcher *m)
{
	arena_free(m->scratch);
	m->scratch = NULL;
}

void matcher_renew(struct matcher *m)
{
	for (size_t i = 0; i < MATCHER_TYPES; i++)
		m->types[i].type = NULL;
	m->now_ns = trust_now(m->egress->trust);
}

static bool hides(const struct matcher *m, const struct row *row)
{
	for (size_t i = 0; i < m->n_properties; i++)
		if (egress_value(m->egress, m->to, row, m->properties[i], true) != FORM_PLAIN)
			return true;
	return false;
}

/* ---- Own twins -------------------------------------------------------------------------------------------
 */

/* The position of a twin is what its row has for it: the first KPI of that type. */
static uint16_t position_place(const struct type *type)
{
	for (size_t i = 0; i < type->n_kpis; i++)
		if (type->def.properties[type->kpis[i]].type == VALUE_POSITION)
			return type->kpis[i];
	return NO_PLACE;
}

/* Where in a type the properties of the expression are. */
static const struct matcher_type *shape_of(struct matcher *m, const struct type *type)
{
	static const struct matcher_type none;
	struct matcher_type *shape = &m->types[(uintptr_t)type / 64 % MATCHER_TYPES];

	if (!type)
		return &none;
	if (shape->type == type)
		return shape;
	shape->type = type;
	shape->position = position_place(type);
	for (size_t i = 0; i < m->n_properties; i++) {
		size_t place;
		const bool has = type_property(&type->def, m->properties[i], &place) != NULL;
		shape->places[i] = has ? (uint16_t)place : (uint16_t)NO_PLACE;
	}
	return shape;
}

static bool property_of_twin(void *ctx, size_t slot, const char *name, struct sample *ret,
			     const char **ret_unit)
{
	const struct matcher *m = ctx;
	const struct type *type = m->shape->type;

	(void)name;
	if (!type || m->shape->places[slot] == NO_PLACE || (!m->own && !m->plain[slot]))
		return false;
	*ret = store_value(m->egress->store, m->twin, m->shape->places[slot]);
	*ret_unit = text_or_empty(type->def.properties[m->shape->places[slot]].unit);
	return true;
}

static const struct position *position_of_twin(struct matcher *m, const struct row *row)
{
	if (!m->shape->type || m->shape->position == NO_PLACE)
		return NULL;
	const struct property_def *p = &m->shape->type->def.properties[m->shape->position];
	const struct sample s = store_value(m->egress->store, m->twin, m->shape->position);
	if (s.value.type != VALUE_POSITION ||
	    (!m->own && egress_value(m->egress, m->to, row, p->name, true) != FORM_PLAIN))
		return NULL;
	m->where = s.value.position;
	return &m->where;
}

/* As egress_row() leaves it: without the summary neither name nor tags, life nor health. */
static int dress(struct matcher *m, const struct twin_def *def, bool summary, struct expr_twin *ret)
{
	struct row row;

	ret->name = "";
	if (!summary)
		return 0;
	ret->name = text_or_empty(def->name);
	ret->tags = (const char *const *)def->tags;
	ret->n_tags = def->n_tags;
	if (m->life)
		ret->life = twin_life_at(def, INT64_MAX);
	if (m->health) {
		arena_reset(m->scratch);
		TRY(summary_row(m->egress->store, m->twin, m->scratch, &row));
		ret->health = row.health;
	}
	return 0;
}

/* What they may have of this twin's values. */
static void judge(struct matcher *m, const struct row *row)
{
	const struct type *type = m->shape->type;

	for (size_t i = 0; i < m->n_properties; i++) {
		const uint16_t place = m->shape->places[i];
		m->plain[i] = type && place != NO_PLACE &&
			      egress_value(m->egress, m->to, row, m->properties[i],
					   type->def.properties[place].kpi) == FORM_PLAIN;
	}
}

static int match_foreign(struct matcher *m, const struct twin_def *def, struct expr_twin *twin,
			 struct match *ret)
{
	const struct row row = {.id = twin->id, .type = twin->type, .tags = def->tags, .n_tags = def->n_tags};
	const uint64_t mask = egress_mask(m->egress, m->to, &row);

	if (mask == 0)
		return 0;
	ret->discovered = true;
	ret->withheld = hides(m, &row);
	judge(m, &row);
	TRY(dress(m, def, mask & ROW_MASK_SUMMARY, twin));
	if (m->position)
		twin->position = position_of_twin(m, &row);
	ret->selected = expr_truth(m->expr, twin) == TRUTH_TRUE;
	return 0;
}

int matcher_twin(struct matcher *m, const struct twin *t, struct match *ret)
{
	struct expr_twin twin = {.id = t->id,
				 .name = "",
				 .type = t->type ? t->type->def.name : "",
				 .kind = t->kind,
				 .now_ns = m->now_ns,
				 .property = property_of_twin,
				 .ctx = m};

	*ret = (struct match){.discovered = m->own};
	if (m->own && m->type && strcmp(twin.type, m->type) != 0)
		return 0;
	m->twin = t;
	m->shape = shape_of(m, t->type);
	if (!m->own) {
		const struct twin_def def = store_twin_def(t);
		return match_foreign(m, &def, &twin, ret);
	}
	if (m->tags || m->name || m->life || m->health) {
		const struct twin_def def = store_twin_def(t);
		TRY(dress(m, &def, true, &twin));
	}
	if (m->position)
		twin.position = position_of_twin(m, NULL);
	ret->selected = expr_truth(m->expr, &twin) == TRUTH_TRUE;
	return 0;
}

/* ---- Rows ------------------------------------------------------------------------------------------------
 */

static bool has_kpi(const struct matcher *m, const struct kpi *k)
{
	const size_t i = (size_t)(k - m->row->kpis);

	return (m->mask & (uint64_t)ROW_MASK_KPI << i) && !(m->mask & EGRESS_TOKEN << i);
}

static bool property_of_row(void *ctx, size_t slot, const char *name, struct sample *ret,
			    const char **ret_unit)
{
	const struct matcher *m = ctx;
	const struct kpi *k = row_kpi(m->row, name);

	(void)slot;
	if (!k || !has_kpi(m, k))
		return false;
	*ret = k->sample;
	*ret_unit = text_or_empty(k->unit);
	return true;
}

static const struct position *position_of_row(const struct matcher *m)
{
	for (size_t i = 0; i < m->row->n_kpis; i++) {
		const struct kpi *k = &m->row->kpis[i];
		if (k->sample.value.type == VALUE_POSITION && has_kpi(m, k))
			return &k->sample.value.position;
	}
	return NULL;
}

int matcher_row(struct matcher *m, const struct row *row, struct match *ret)
{
	struct expr_twin twin = {.id = row->id,
				 .name = "",
				 .type = text_or_empty(row->type),
				 .kind = row->kind,
				 .now_ns = m->now_ns,
				 .property = property_of_row,
				 .ctx = m};

	*ret = (struct match){0};
	m->row = row;
	m->mask = egress_mask(m->egress, m->to, row);
	if (m->mask == 0)
		return 0;
	ret->discovered = true;
	ret->withheld = !m->own && hides(m, row);
	if (m->mask & ROW_MASK_SUMMARY) {
		twin.name = text_or_empty(row->name);
		twin.life = row->life;
		twin.health = row->health;
		twin.tags = (const char *const *)row->tags;
		twin.n_tags = row->n_tags;
	}
	if (m->position)
		twin.position = position_of_row(m);
	ret->selected = expr_truth(m->expr, &twin) == TRUTH_TRUE;
	return 0;
}
