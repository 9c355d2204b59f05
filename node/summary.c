/* SPDX-License-Identifier: Apache-2.0 */
#include "node/summary.h"

#include <math.h>
#include <string.h>

#include "proto/id.h"
#include "proto/standing.h"
#include "storage/shape.h"

/* A summary has to fit into one frame with others. */
static bool is_long_text(const struct value *v)
{
	return (v->type == VALUE_TEXT || v->type == VALUE_ENUM) && strlen(v->text) > KPI_TEXT_MAX;
}

static enum health health_of_quality(enum quality quality)
{
	return quality == QUALITY_GOOD        ? HEALTH_GOOD
	       : quality == QUALITY_UNCERTAIN ? HEALTH_WARNING
					      : HEALTH_ALARM;
}

static enum health health_of_kpi(const struct sample *s)
{
	return s->value.type == VALUE_NONE || is_long_text(&s->value) ? HEALTH_UNKNOWN
								      : health_of_quality(s->quality);
}

static enum health worse(enum health a, enum health b)
{
	return a > b ? a : b;
}

/* ---- Alarms ----------------------------------------------------------------------------------------------
 */

/* The first words of a standing, where they stand. */
struct glance {
	enum alarm_state state;
	struct bytes what;
};

static struct bytes take_word(const char **text)
{
	const size_t n = strcspn(*text, " :");
	const struct bytes word = {(const uint8_t *)*text, n};

	*text += n;
	*text += strspn(*text, " ");
	return word;
}

static bool glance_at(const char *text, struct glance *ret)
{
	const struct bytes state = take_word(&text);

	ret->state = ALARM_STATE_NONE;
	for (enum alarm_state s = ALARM_ACTIVE; s < ALARM_CLEARED; s++)
		if (bytes_equal(state, bytes_of_text(alarm_state_text(s))))
			ret->state = s;
	if (ret->state == ALARM_STATE_NONE)
		return false;
	ret->what = take_word(&text);
	return true;
}

static bool ends_with(struct bytes word, const char *end)
{
	const size_t n = strlen(end);

	return word.len >= n && memcmp(word.data + word.len - n, end, n) == 0;
}

/* `high-alarm`, `rate-warning`, `stale`; of an expression its alarm says it. */
static enum health severity_of(const struct type *type, size_t place, struct bytes what)
{
	const struct property_def *p = &type->def.properties[place];

	if (p->made_of_alarm && p->made_of < type->def.n_alarms)
		return type->def.alarms[p->made_of].severity;
	return ends_with(what, "-alarm") ? HEALTH_ALARM : HEALTH_WARNING;
}

static enum health health_of_alarm(const struct type *type, size_t place, const struct sample *standing)
{
	struct glance g;

	return standing->value.type == VALUE_TEXT && glance_at(standing->value.text, &g) &&
			       g.state != ALARM_SHELVED
		       ? severity_of(type, place, g.what)
		       : HEALTH_UNKNOWN;
}

static enum health health_said(const struct sample *said)
{
	enum health health;

	return said->value.type == VALUE_ENUM && health_parse(said->value.text, &health) ? health
											 : HEALTH_UNKNOWN;
}

enum health summary_health_of(const struct type *type, size_t place, const struct sample *s)
{
	switch (type->def.properties[place].made) {
	case MADE_ALARM: return health_of_alarm(type, place, s);
	case MADE_HEALTH: return health_said(s);
	case MADE_DECLARED:
	case MADE_DESIRED:
	case MADE_SETTLE:
	case N_MADE: break;
	}
	return health_of_kpi(s);
}

bool summary_alarm(const struct type *type, size_t place, const struct sample *standing, struct arena *a,
		   struct row_alarm *ret)
{
	struct glance g;
	struct standing s;

	if (standing->value.type != VALUE_TEXT || !glance_at(standing->value.text, &g) || g.what.len == 0 ||
	    !standing_parse(a, standing->value.text, &s))
		return false;
	*ret = (struct row_alarm){.name = type->def.properties[place].name + sizeof ALARM_PREFIX - 1,
				  .severity = severity_of(type, place, g.what),
				  .state = g.state,
				  .what = s.what,
				  .since_ns = s.since_ns != 0 ? s.since_ns : standing->t_ns};
	return true;
}

static int by_weight(const void *a, const void *b)
{
	const struct row_alarm *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	if (x->since_ns != y->since_ns)
		return x->since_ns > y->since_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int add_alarms(const struct store *s, const struct twin *t, struct arena *a, struct row *r)
{
	const struct type *type = t->type;

	for (size_t i = 0; i < type->n_standings; i++) {
		const struct sample standing = store_value(s, t, type->standings[i]);
		struct row_alarm alarm;
		if (!summary_alarm(type, type->standings[i], &standing, a, &alarm))
			continue;
		struct row_alarm *place = arena_push(a, &r->alarms, &r->n_alarms, sizeof *place);
		if (!place)
			return FAIL(-ENOMEM);
		*place = alarm;
	}
	if (r->n_alarms > 1)
		qsort(r->alarms, r->n_alarms, sizeof *r->alarms, by_weight);
	r->n_alarms = r->n_alarms < ROW_ALARMS_MAX ? r->n_alarms : ROW_ALARMS_MAX;
	return 0;
}

/* What alarms and members say. */
static enum health health_of_standings(const struct store *s, const struct twin *t)
{
	const struct type *type = t->type;
	enum health worst = HEALTH_UNKNOWN;
	struct sample v;

	for (size_t i = 0; i < type->n_standings; i++) {
		v = store_value(s, t, type->standings[i]);
		worst = worse(worst, health_of_alarm(type, type->standings[i], &v));
	}
	if (type->def.health.rule == HEALTH_OWN)
		return worst;
	v = store_value(s, t, type->members_place);
	return worse(worst, health_said(&v));
}

/* ---- The row ---------------------------------------------------------------------------------------------
 */

static enum health health_of_kpis(const struct row *r)
{
	enum health worst = HEALTH_UNKNOWN;

	for (size_t i = 0; i < r->n_kpis; i++) {
		worst = worse(worst, health_of_kpi(&r->kpis[i].sample));
	}
	return worst;
}

enum health summary_health(const struct store *s, const struct twin *t)
{
	enum quality worst;
	const enum health data =
		store_worst_quality(s, t, &worst) ? health_of_quality(worst) : HEALTH_UNKNOWN;

	return t->type ? worse(data, health_of_standings(s, t)) : data;
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
	r.health = HEALTH_UNKNOWN;
	if (t->type) {
		TRY(add_kpis(s, t, a, &r));
		TRY(add_alarms(s, t, a, &r));
		r.health = worse(health_of_kpis(&r), health_of_standings(s, t));
	}
	TRY(add_parents(s, t, a, &r));
	*ret = r;
	return 0;
}
