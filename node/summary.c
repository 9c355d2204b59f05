/* SPDX-License-Identifier: Apache-2.0 */
#include "node/summary.h"

#include <math.h>
#include <string.h>

#include "proto/id.h"
#include "storage/shape.h"

/* A summary has to fit into one frame with others. */
static bool is_long_text(const struct value *v)
{
	return (v->type == VALUE_TEXT || v->type == VALUE_ENUM) && strlen(v->text) > KPI_TEXT_MAX;
}

/* Without limits and alarms health is what the data says: bad quality is an alarm of the sensor, not of the
 * asset. */
static enum health health_of_quality(enum quality quality)
{
	return quality == QUALITY_GOOD        ? HEALTH_GOOD
	       : quality == QUALITY_UNCERTAIN ? HEALTH_WARNING
					      : HEALTH_ALARM;
}

enum health summary_health_of(const struct sample *s)
{
	return s->value.type == VALUE_NONE || is_long_text(&s->value) ? HEALTH_UNKNOWN
								      : health_of_quality(s->quality);
}

static enum health health_of(const struct row *r)
{
	enum health worst = HEALTH_UNKNOWN;

	for (size_t i = 0; i < r->n_kpis; i++) {
		const enum health h = summary_health_of(&r->kpis[i].sample);
		worst = h > worst ? h : worst;
	}
	return worst;
}

enum health summary_health(const struct store *s, const struct twin *t)
{
	enum quality worst;

	return store_worst_quality(s, t, &worst) ? health_of_quality(worst) : HEALTH_UNKNOWN;
}

static int add_kpis(const struct store *s, const struct twin *t, struct arena *a, struct row *r)
{
	r->kpis = arena_take_array(a, t->type->n_kpis, sizeof *r->kpis);
	if (!r->kpis)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < t->type->n_kpis; i++) {
		const struct property_def *p = &t->type->def.properties[t->type->kpis[i]];
		r->kpis[i] = (struct kpi){
			.property = p->name, .unit = p->unit, .sample = store_value(s, t, t->type->kpis[i])};
		r->kpis[i].sample.source = NULL;
		if (is_long_text(&r->kpis[i].sample.value))
			r->kpis[i].sample.value = (struct value){.type = VALUE_NONE};
	}
	r->n_kpis = t->type->n_kpis;
	return 0;
}

static struct row_parent *push_parent(struct arena *a, struct row *r)
{
	return r->n_parents < PARENTS_MAX ? arena_push(a, &r->parents, &r->n_parents, sizeof *r->parents)
					  : NULL;
}

static bool is_contained(const struct edge *e)
{
	return strcmp(e->relation.type, "contains") == 0;
}

/* Parents of the own organisation come from the relations, */
static int add_relations(const struct twin *t, bool contains, struct arena *a, struct row *r)
{
	for (const struct edge *e = t->in; e && r->n_parents < PARENTS_MAX; e = e->next_in) {
		if (is_contained(e) != contains)
			continue;
		struct row_parent *p = push_parent(a, r);
		if (!p)
			return FAIL(-ENOMEM);
		*p = (struct row_parent){.hierarchy = e->relation.type,
					 .parent = e->relation.from,
					 .state = CONFIRM_CONFIRMED};
	}
	return 0;
}

/* parents elsewhere from the word given on them. */
static int add_memberships(const struct store *s, const struct twin *t, struct arena *a, struct row *r)
{
	const struct membership *m = NULL;

	while ((m = store_membership_next(s, t->id, m)) && r->n_parents < PARENTS_MAX) {
		struct row_parent *p = push_parent(a, r);
		if (!p)
			return FAIL(-ENOMEM);
		*p = (struct row_parent){.hierarchy = m->hierarchy, .parent = m->parent, .state = m->state};
	}
	return 0;
}

/* A busbar has more lines than a row has room for: what places the twin in views goes first. */
static int add_parents(const struct store *s, const struct twin *t, struct arena *a, struct row *r)
{
	TRY(add_relations(t, true, a, r));
	TRY(add_memberships(s, t, a, r));
	return add_relations(t, false, a, r);
}

int summary_row(const struct store *s, const struct twin *t, struct arena *a, struct row *ret)
{
	const struct twin_def def = store_twin_def(t);
	struct row r = {.id = t->id,
			.version = t->version,
			.seq = t->seq,
			.mask = ROW_MASK_ALL,
			.deleted = t->deleted,
			.kind = t->kind,
			.type = def.type,
			.name = def.name};

	if (t->deleted) {
		*ret = r;
		return 0;
	}
	r.life = twin_life_at(&def, INT64_MAX);
	r.tags = def.tags;
	r.n_tags = def.n_tags;
	if (t->type)
		TRY(add_kpis(s, t, a, &r));
	TRY(add_parents(s, t, a, &r));
	r.health = health_of(&r);
	*ret = r;
	return 0;
}
