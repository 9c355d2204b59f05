/* SPDX-License-Identifier: Apache-2.0 */
#include "node/matcher.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "node/context.h"
#include "node/sights.h"
#include "node/summary.h"
#include "proto/unit.h"
#include "proto/words.h"
#include "storage/shape.h"

enum { NO_PLACE = UINT16_MAX, AROUND_BYTES = 4 << 20 };

static bool is_around(const char *property)
{
	return strncmp(property, CONTEXT_PREFIX, strlen(CONTEXT_PREFIX)) == 0;
}

int matcher_init(struct matcher *m, struct engine *e, const struct audience *to, const char *where,
		 struct arena *a, struct err_note *note)
{
	*m = (struct matcher){.e = e, .egress = &e->egress, .to = to, .own = egress_is_own(&e->egress, to)};
	TRY(arena_new(&m->around, AROUND_BYTES));
	TRY(expr_parse(a, where, &m->expr, note));
	m->properties = expr_properties(m->expr, &m->n_properties);
	m->is_bound = m->own && expr_is_bound(m->expr, &m->bound) && !is_around(m->properties[m->bound.slot]);
	m->type = expr_requires(m->expr, EXPR_TYPE);
	m->tags = expr_uses(m->expr, EXPR_TAG);
	m->name = expr_uses(m->expr, EXPR_NAME);
	m->life = expr_uses(m->expr, EXPR_LIFE);
	m->health = expr_uses(m->expr, EXPR_HEALTH);
	m->position = expr_uses_position(m->expr);
	m->of_summary = m->tags || m->name || m->life || m->health;
	return 0;
}

void matcher_fini(struct matcher *m)
{
	free(m->sights);
	arena_free(m->around);
	m->around = NULL;
	m->sights = NULL;
	m->n_sights = 0;
}

int matcher_renew(struct matcher *m)
{
	uint64_t ignored;

	for (size_t i = 0; i < MATCHER_TYPES; i++)
		m->types[i].type = NULL;
	for (size_t i = 0; i < m->n_sights; i++)
		m->sights[i].decided = false;
	m->now_ns = trust_now(m->egress->trust);
	if (m->own)
		return 0;
	if (!m->e->sights)
		TRY(sights_new(&m->e->sights));
	return sights_follow(m->e->sights, m->egress->trust->policy, &ignored);
}

/* ---- What they may see -----------------------------------------------------------------------------------
 */

static void decide(const struct matcher *m, const struct row *row, struct matcher_sight *s)
{
	*s = (struct matcher_sight){.decided = true, .discover = egress_discovers(m->egress, m->to, row)};
	if (!s->discover)
		return;
	s->summary = egress_mask(m->egress, m->to, row) & ROW_MASK_SUMMARY;
	s->withheld = m->of_summary && !s->summary;
	for (size_t i = 0; i < m->n_properties; i++) {
		const char *name = m->properties[i];
		s->as_kpi[i] = egress_value(m->egress, m->to, row, name, true) == FORM_PLAIN;
		s->as_other[i] = egress_value(m->egress, m->to, row, name, false) == FORM_PLAIN;
		s->withheld = s->withheld || !s->as_kpi[i];
	}
}

static int sight_of(struct matcher *m, uint32_t class, const struct row *row)
{
	if (class >= m->n_sights) {
		const size_t n = (size_t) class * 2 + 16;
		struct matcher_sight *sights = realloc(m->sights, n * sizeof *sights);
		if (!sights)
			return FAIL(-ENOMEM);
		memset(sights + m->n_sights, 0, (n - m->n_sights) * sizeof *sights);
		m->sights = sights;
		m->n_sights = n;
	}
	if (!m->sights[class].decided)
		decide(m, row, &m->sights[class]);
	m->sight = &m->sights[class];
	return 0;
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

/* The bound in the unit of a property, as expr.h converts it. */
static void convert_bound(const struct matcher *m, const struct property_def *p, struct matcher_type *shape)
{
	const char *unit = text_or_empty(p->unit);
	double scale = 1, offset = 0;

	shape->is_number = (p->type == VALUE_INT64 || p->type == VALUE_DOUBLE) &&
			   (strcmp(unit, m->bound.unit) == 0 ||
			    unit_convert(m->bound.unit, unit, &scale, &offset, NULL) == 0);
	shape->bound = m->bound.number * scale + offset;
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
	shape->is_number = false;
	if (m->is_bound && shape->places[m->bound.slot] != NO_PLACE)
		convert_bound(m, &type->def.properties[shape->places[m->bound.slot]], shape);
	return shape;
}

/* `context/NAME`: what they may have of the surroundings is decided there. */
static bool property_around(const struct matcher *m, const char *name, struct sample *ret,
			    const char **ret_unit)
{
	struct context_value v;

	if (!is_around(name) ||
	    !context_value(m->e, m->twin, name + strlen(CONTEXT_PREFIX), m->to, m->around, &v))
		return false;
	*ret = v.sample;
	*ret_unit = v.unit;
	return true;
}

static bool property_of_twin(void *ctx, size_t slot, const char *name, struct sample *ret,
			     const char **ret_unit)
{
	const struct matcher *m = ctx;
	const struct type *type = m->shape->type;

	if (!type || m->shape->places[slot] == NO_PLACE)
		return property_around(m, name, ret, ret_unit);
	const struct property_def *p = &type->def.properties[m->shape->places[slot]];
	if (m->sight && !(p->kpi ? m->sight->as_kpi[slot] : m->sight->as_other[slot]))
		return false;
	*ret = store_value(m->egress->store, m->twin, m->shape->places[slot]);
	*ret_unit = text_or_empty(p->unit);
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

static void dress(struct matcher *m, const struct twin_def *def, struct expr_twin *ret)
{
	ret->name = text_or_empty(def->name);
	ret->tags = (const char *const *)def->tags;
	ret->n_tags = def->n_tags;
	if (m->life)
		ret->life = twin_life_at(def, INT64_MAX);
	if (m->health)
		ret->health = summary_health(m->egress->store, m->twin);
}

/* Name, life-cycle, health and tags come with the summary: without it they are unknown. */
static bool is_true(struct matcher *m, const struct expr_twin *twin)
{
	if (m->sight && !m->sight->summary && m->of_summary)
		return false;
	return expr_truth(m->expr, twin) == TRUTH_TRUE;
}

/* The same as the whole expression would say, a few times as fast. */
static bool meets_bound(struct matcher *m, const struct twin *t)
{
	const struct matcher_type *shape = shape_of(m, t->type);
	struct store_number v;

	if (!shape->is_number || !store_number(m->egress->store, t, shape->places[m->bound.slot], &v) ||
	    v.quality == QUALITY_BAD || !isfinite(v.number))
		return false;
	return v.number < shape->bound   ? m->bound.less
	       : v.number > shape->bound ? m->bound.more
					 : m->bound.equal;
}

static int look_at(struct matcher *m, const struct twin *t)
{
	uint32_t class;

	m->sight = NULL;
	if (m->own)
		return 0;
	TRY(sights_class(m->e->sights, t, &class));
	if (class < m->n_sights && m->sights[class].decided) {
		m->sight = &m->sights[class];
		return 0;
	}
	const struct twin_def def = store_twin_def(t);
	const struct row row = {.id = t->id, .type = def.type, .tags = def.tags, .n_tags = def.n_tags};
	return sight_of(m, class, &row);
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
	if (m->is_bound) {
		ret->selected = meets_bound(m, t);
		return 0;
	}
	if (m->own && m->type && strcmp(twin.type, m->type) != 0)
		return 0;
	m->twin = t;
	arena_reset(m->around);
	m->shape = shape_of(m, t->type);
	TRY(look_at(m, t));
	if (m->sight && !m->sight->discover)
		return 0;
	ret->discovered = true;
	ret->withheld = m->sight && m->sight->withheld;
	if (m->of_summary || m->position) {
		const struct twin_def def = store_twin_def(t);
		const struct row row = {
			.id = t->id, .type = twin.type, .tags = def.tags, .n_tags = def.n_tags};
		dress(m, &def, &twin);
		twin.position = m->position ? position_of_twin(m, &row) : NULL;
	}
	ret->selected = is_true(m, &twin);
	return 0;
}

/* ---- Rows ------------------------------------------------------------------------------------------------
 */

static bool property_of_row(void *ctx, size_t slot, const char *name, struct sample *ret,
			    const char **ret_unit)
{
	const struct matcher *m = ctx;
	const struct kpi *k = row_kpi(m->row, name);

	if (!k || (m->sight && !m->sight->as_kpi[slot]))
		return false;
	*ret = k->sample;
	*ret_unit = text_or_empty(k->unit);
	return true;
}

static const struct position *position_of_row(const struct matcher *m)
{
	for (size_t i = 0; i < m->row->n_kpis; i++) {
		const struct kpi *k = &m->row->kpis[i];
		if (k->sample.value.type != VALUE_POSITION)
			continue;
		const bool may =
			m->own || egress_value(m->egress, m->to, m->row, k->property, true) == FORM_PLAIN;
		return may ? &k->sample.value.position : NULL;
	}
	return NULL;
}

static int look_at_row(struct matcher *m, const struct row *row)
{
	const struct policy_twin twin = {.id = row->id,
					 .type = text_or_empty(row->type),
					 .tags = (const char *const *)row->tags,
					 .n_tags = row->n_tags};
	uint32_t class;

	m->sight = NULL;
	if (m->own)
		return 0;
	TRY(sights_class_of(m->e->sights, &twin, &class));
	return sight_of(m, class, row);
}

int matcher_row(struct matcher *m, const struct row *row, struct match *ret)
{
	struct expr_twin twin = {.id = row->id,
				 .name = text_or_empty(row->name),
				 .type = text_or_empty(row->type),
				 .kind = row->kind,
				 .life = row->life,
				 .health = row->health,
				 .tags = (const char *const *)row->tags,
				 .n_tags = row->n_tags,
				 .now_ns = m->now_ns,
				 .property = property_of_row,
				 .ctx = m};

	*ret = (struct match){0};
	m->row = row;
	TRY(look_at_row(m, row));
	if (row->deleted || (m->sight && !m->sight->discover))
		return 0;
	ret->discovered = true;
	ret->withheld = m->sight && m->sight->withheld;
	if (m->position)
		twin.position = position_of_row(m);
	ret->selected = is_true(m, &twin);
	return 0;
}
