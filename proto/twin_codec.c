/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/check.h"
#include "proto/codec.h"
#include "proto/expr.h"
#include "proto/id.h"
#include "proto/words.h"

_Static_assert((int)HOLON__V1__KIND__KIND_ENVIRONMENT == N_KINDS - 1, "kinds agree");
_Static_assert((int)HOLON__V1__LIFE_CYCLE__LIFE_RETIRED == N_LIFE_CYCLES - 1, "life-cycle states agree");
_Static_assert((int)HOLON__V1__HEALTH__HEALTH_ALARM == N_HEALTHS - 1, "healths agree");
_Static_assert((int)HOLON__V1__CONFIRMATION__CONFIRM_REFUSED == N_CONFIRMATIONS - 1, "confirmations agree");
_Static_assert((int)HOLON__V1__HEALTH_RULE__HEALTH_WEIGHTED == N_HEALTH_RULES - 1, "rules of health agree");
_Static_assert((int)HOLON__V1__VALUE_TYPE__VALUE_POSITION == VALUE_POSITION, "value types agree");

/* What breaks a rule for people is malformed when a peer sends it. */
static int malformed_if(int r)
{
	return r == -ENOMEM ? r : malformed_unless(r >= 0);
}

static int retention_to_pb(struct arena *a, const struct retention *r, PB(Retention) * pb)
{
	(void)a;
	pb->raw_ns = r->raw_ns;
	pb->minute_ns = r->minute_ns;
	pb->hour_ns = r->hour_ns;
	return 0;
}

/* Nothing said costs nothing. */
static int retention_or_none_to_pb(struct arena *a, const struct retention *r, PB(Retention) * *pb)
{
	return retention_is_said(r) ? ONE_TO_PB(a, retention, r, retention_to_pb, pb) : 0;
}

static struct retention retention_from_pb(const PB(Retention) * pb)
{
	return pb ? (struct retention){pb->raw_ns, pb->minute_ns, pb->hour_ns} : (struct retention){0};
}

static int limits_to_pb(struct arena *a, const struct limits *l, PB(Limits) * pb)
{
	(void)a;
#define PUT_BOUND(number, oneof, CASE, field) \
	if (!isnan(number)) { \
		pb->oneof = HOLON__V1__LIMITS__##CASE; \
		pb->field = (number); \
	}
	PUT_BOUND(l->at[LIMIT_LOW_ALARM], la_case, LA_LOW_ALARM, low_alarm)
	PUT_BOUND(l->at[LIMIT_LOW_WARNING], lw_case, LW_LOW_WARNING, low_warning)
	PUT_BOUND(l->at[LIMIT_HIGH_WARNING], hw_case, HW_HIGH_WARNING, high_warning)
	PUT_BOUND(l->at[LIMIT_HIGH_ALARM], ha_case, HA_HIGH_ALARM, high_alarm)
	PUT_BOUND(l->rate_warning, rw_case, RW_RATE_WARNING, rate_warning)
	PUT_BOUND(l->rate_alarm, ra_case, RA_RATE_ALARM, rate_alarm)
#undef PUT_BOUND
	pb->hysteresis = l->hysteresis;
	pb->dead_band = l->dead_band;
	pb->delay_ns = l->delay_ns;
	pb->stale_ns = l->stale_ns;
	return 0;
}

static int limits_from_pb(struct arena *a, const PB(Limits) * pb, const struct limits **ret)
{
	struct limits *l = pb ? arena_take(a, sizeof *l) : NULL;

	*ret = l;
	if (!pb)
		return 0;
	if (!l)
		return FAIL(-ENOMEM);
	*l = (struct limits){
		.at = {pb->la_case ? pb->low_alarm : NAN, pb->lw_case ? pb->low_warning : NAN,
		       pb->hw_case ? pb->high_warning : NAN, pb->ha_case ? pb->high_alarm : NAN},
		.rate_warning = pb->rw_case ? pb->rate_warning : NAN,
		.rate_alarm = pb->ra_case ? pb->rate_alarm : NAN,
		.hysteresis = pb->hysteresis,
		.dead_band = pb->dead_band,
		.delay_ns = pb->delay_ns,
		.stale_ns = pb->stale_ns,
	};
	return 0;
}

static int transitions_to_pb(struct arena *a, const struct property_def *p, PB(PropertyDef) * pb)
{
	if (p->n_transitions == 0)
		return 0;
	pb->transitions = arena_take_array(a, 2 * p->n_transitions, sizeof *pb->transitions);
	if (!pb->transitions)
		return FAIL(-ENOMEM);
	pb->n_transitions = 2 * p->n_transitions;
	for (size_t i = 0; i < p->n_transitions; i++) {
		pb->transitions[2 * i] = p->transitions[i].from;
		pb->transitions[2 * i + 1] = p->transitions[i].to;
	}
	return 0;
}

static int transitions_from_pb(struct arena *a, const PB(PropertyDef) * pb, struct property_def *ret)
{
	const size_t n = pb->n_transitions / 2;

	TRY(malformed_unless(pb->n_transitions % 2 == 0 && n <= TRANSITIONS_MAX));
	ret->transitions = arena_take_array(a, n, sizeof *ret->transitions);
	if (!ret->transitions)
		return FAIL(-ENOMEM);
	ret->n_transitions = n;
	for (size_t i = 0; i < n; i++) {
		const uint32_t from = pb->transitions[2 * i], to = pb->transitions[2 * i + 1];
		TRY(malformed_unless(from < OPTIONS_MAX && to < OPTIONS_MAX));
		ret->transitions[i] = (struct transition){(uint16_t)from, (uint16_t)to};
	}
	return 0;
}

static int property_def_to_pb(struct arena *a, const struct property_def *p, PB(PropertyDef) * pb)
{
	pb->name = text_to_pb(p->name);
	pb->type = (PB(ValueType))p->type;
	pb->unit = text_to_pb(p->unit);
	pb->kpi = p->kpi;
	pb->settable = p->settable;
	pb->tolerance = p->tolerance;
	pb->settle_ns = p->settle_ns;
	TRY(retention_or_none_to_pb(a, &p->retention, &pb->retention));
	if (p->limits)
		TRY(ONE_TO_PB(a, limits, p->limits, limits_to_pb, &pb->limits));
	if (!isnan(p->min)) {
		pb->lower_case = HOLON__V1__PROPERTY_DEF__LOWER_MIN;
		pb->min = p->min;
	}
	if (!isnan(p->max)) {
		pb->upper_case = HOLON__V1__PROPERTY_DEF__UPPER_MAX;
		pb->max = p->max;
	}
	TRY(transitions_to_pb(a, p, pb));
	return texts_to_pb(a, p->options, p->n_options, &pb->options, &pb->n_options);
}

static int property_def_from_pb(struct arena *a, const PB(PropertyDef) * pb, struct property_def *ret)
{
	TRY(raw_from_pb(pb->name, PROPERTY_MAX, &ret->name));
	TRY(ENUM_FROM_PB(pb->type, VALUE_POSITION + 1, &ret->type));
	TRY(raw_from_pb(pb->unit, UNIT_MAX, &ret->unit));
	ret->min = pb->lower_case ? pb->min : NAN;
	ret->max = pb->upper_case ? pb->max : NAN;
	ret->kpi = pb->kpi;
	ret->settable = pb->settable;
	ret->tolerance = pb->tolerance;
	ret->settle_ns = pb->settle_ns;
	ret->retention = retention_from_pb(pb->retention);
	TRY(limits_from_pb(a, pb->limits, &ret->limits));
	TRY(transitions_from_pb(a, pb, ret));
	TRY(malformed_unless(pb->n_options <= OPTIONS_MAX));
	ret->n_options = pb->n_options;
	return texts_from_pb(a, pb->options, pb->n_options, PROPERTY_MAX, &ret->options);
}

static int alarm_def_to_pb(struct arena *a, const struct alarm_def *d, PB(AlarmDef) * pb)
{
	(void)a;
	pb->name = text_to_pb(d->name);
	pb->when = text_to_pb(d->when);
	pb->severity = (PB(Health))d->severity;
	pb->text = text_to_pb(d->text);
	pb->delay_ns = d->delay_ns;
	return 0;
}

static int alarm_def_from_pb(struct arena *a, const PB(AlarmDef) * pb, struct alarm_def *ret)
{
	(void)a;
	TRY(raw_from_pb(pb->name, PROPERTY_MAX, &ret->name));
	TRY(raw_from_pb(pb->when, EXPR_TEXT_MAX, &ret->when));
	TRY(ENUM_FROM_PB(pb->severity, N_HEALTHS, &ret->severity));
	TRY(raw_from_pb(pb->text, KPI_TEXT_MAX, &ret->text));
	ret->delay_ns = pb->delay_ns;
	return 0;
}

static int operation_def_to_pb(struct arena *a, const struct operation_def *o, PB(OperationDef) * pb)
{
	pb->name = text_to_pb(o->name);
	pb->text = text_to_pb(o->text);
	pb->within_ns = o->within_ns;
	return LIST_TO_PB(a, property_def, o->parameters, o->n_parameters, property_def_to_pb,
			  &pb->parameters, &pb->n_parameters);
}

static int operation_def_from_pb(struct arena *a, const PB(OperationDef) * pb, struct operation_def *ret)
{
	TRY(raw_from_pb(pb->name, PROPERTY_MAX, &ret->name));
	TRY(raw_from_pb(pb->text, KPI_TEXT_MAX, &ret->text));
	ret->within_ns = pb->within_ns;
	TRY(malformed_unless(pb->n_parameters <= PARAMETERS_MAX));
	return LIST_FROM_PB(a, pb->parameters, pb->n_parameters, property_def_from_pb, &ret->parameters,
			    &ret->n_parameters);
}

static int health_def_to_pb(struct arena *a, const struct health_def *h, PB(HealthDef) * pb)
{
	(void)a;
	pb->rule = (PB(HealthRule))h->rule;
	pb->hierarchy = text_to_pb(h->hierarchy);
	pb->k = h->k;
	pb->weight = text_to_pb(h->weight);
	pb->warning = h->warning;
	pb->alarm = h->alarm;
	return 0;
}

static int health_def_from_pb(const PB(HealthDef) * pb, struct health_def *ret)
{
	*ret = (struct health_def){.hierarchy = "", .weight = ""};
	if (!pb)
		return 0;
	TRY(ENUM_FROM_PB(pb->rule, N_HEALTH_RULES, &ret->rule));
	TRY(raw_from_pb(pb->hierarchy, PROPERTY_MAX, &ret->hierarchy));
	TRY(raw_from_pb(pb->weight, PROPERTY_MAX, &ret->weight));
	ret->k = pb->k;
	ret->warning = pb->warning;
	ret->alarm = pb->alarm;
	return 0;
}

int type_def_to_pb(struct arena *a, const struct type_def *t, PB(TypeDef) * pb)
{
	pb->name = text_to_pb(t->name);
	pb->parent = text_to_pb(t->parent);
	pb->version = t->version;
	pb->kind = (PB(Kind))t->kind;
	TRY(retention_or_none_to_pb(a, &t->retention, &pb->retention));
	if (t->health.rule != HEALTH_OWN)
		TRY(ONE_TO_PB(a, health_def, &t->health, health_def_to_pb, &pb->health));
	TRY(LIST_TO_PB(a, alarm_def, t->alarms, t->n_alarms, alarm_def_to_pb, &pb->alarms, &pb->n_alarms));
	TRY(LIST_TO_PB(a, operation_def, t->operations, t->n_operations, operation_def_to_pb, &pb->operations,
		       &pb->n_operations));
	return LIST_TO_PB(a, property_def, t->properties, t->n_properties, property_def_to_pb,
			  &pb->properties, &pb->n_properties);
}

int type_def_from_pb(struct arena *a, const PB(TypeDef) * pb, struct type_def *ret)
{
	TRY(raw_from_pb(pb->name, PROPERTY_MAX, &ret->name));
	TRY(raw_from_pb(pb->parent, PROPERTY_MAX, &ret->parent));
	ret->version = pb->version;
	ret->retention = retention_from_pb(pb->retention);
	TRY(ENUM_FROM_PB(pb->kind, N_KINDS, &ret->kind));
	TRY(malformed_unless(pb->n_properties <= PROPERTIES_MAX && pb->n_alarms <= ALARMS_MAX &&
			     pb->n_operations <= OPERATIONS_MAX));
	TRY(LIST_FROM_PB(a, pb->properties, pb->n_properties, property_def_from_pb, &ret->properties,
			 &ret->n_properties));
	TRY(LIST_FROM_PB(a, pb->alarms, pb->n_alarms, alarm_def_from_pb, &ret->alarms, &ret->n_alarms));
	TRY(LIST_FROM_PB(a, pb->operations, pb->n_operations, operation_def_from_pb, &ret->operations,
			 &ret->n_operations));
	TRY(health_def_from_pb(pb->health, &ret->health));
	TRY(malformed_if(type_def_check(ret, NULL)));
	type_def_mark_made(ret);
	return 0;
}

DEFINE_CODEC(type_def, TypeDef, type_def)

static int life_step_to_pb(struct arena *a, const struct life_step *s, PB(LifeStep) * pb)
{
	(void)a;
	pb->state = (PB(LifeCycle))s->state;
	pb->since_ns = s->since_ns;
	return 0;
}

static int life_step_from_pb(struct arena *a, const PB(LifeStep) * pb, struct life_step *ret)
{
	(void)a;
	ret->since_ns = pb->since_ns;
	return ENUM_FROM_PB(pb->state, N_LIFE_CYCLES, &ret->state);
}

int twin_def_to_pb(struct arena *a, const struct twin_def *t, PB(TwinDef) * pb)
{
	pb->id = text_to_pb(t->id);
	pb->type = text_to_pb(t->type);
	pb->kind = (PB(Kind))t->kind;
	pb->name = text_to_pb(t->name);
	TRY(texts_to_pb(a, t->tags, t->n_tags, &pb->tags, &pb->n_tags));
	TRY(texts_to_pb(a, t->aliases, t->n_aliases, &pb->aliases, &pb->n_aliases));
	return LIST_TO_PB(a, life_step, t->life, t->n_life, life_step_to_pb, &pb->life, &pb->n_life);
}

int twin_def_from_pb(struct arena *a, const PB(TwinDef) * pb, struct twin_def *ret)
{
	TRY(malformed_unless(pb->n_tags <= TAGS_MAX && pb->n_aliases <= ALIASES_MAX &&
			     pb->n_life <= LIFE_STEPS_MAX));
	TRY(raw_from_pb(pb->id, TWIN_ID_MAX, &ret->id));
	TRY(raw_from_pb(pb->type, PROPERTY_MAX, &ret->type));
	TRY(ENUM_FROM_PB(pb->kind, N_KINDS, &ret->kind));
	TRY(raw_from_pb(pb->name, NAME_MAX_BYTES, &ret->name));
	TRY(texts_from_pb(a, pb->tags, pb->n_tags, TAG_MAX, &ret->tags));
	ret->n_tags = pb->n_tags;
	TRY(texts_from_pb(a, pb->aliases, pb->n_aliases, ALIAS_MAX, &ret->aliases));
	ret->n_aliases = pb->n_aliases;
	TRY(LIST_FROM_PB(a, pb->life, pb->n_life, life_step_from_pb, &ret->life, &ret->n_life));
	return malformed_if(twin_def_check(ret, NULL));
}

DEFINE_CODEC(twin_def, TwinDef, twin_def)

int relation_to_pb(struct arena *a, const struct relation *r, PB(Relation) * pb)
{
	(void)a;
	pb->type = text_to_pb(r->type);
	pb->from = text_to_pb(r->from);
	pb->to = text_to_pb(r->to);
	pb->valid_from_ns = r->valid_from_ns;
	pb->valid_to_ns = r->valid_to_ns;
	return 0;
}

int relation_from_pb(struct arena *a, const PB(Relation) * pb, struct relation *ret)
{
	(void)a;
	TRY(raw_from_pb(pb->type, PROPERTY_MAX, &ret->type));
	TRY(raw_from_pb(pb->from, TWIN_ID_MAX, &ret->from));
	TRY(raw_from_pb(pb->to, TWIN_ID_MAX, &ret->to));
	ret->valid_from_ns = pb->valid_from_ns;
	ret->valid_to_ns = pb->valid_to_ns;
	return malformed_if(relation_check(ret, NULL));
}

DEFINE_CODEC(relation, Relation, relation)

int membership_to_pb(struct arena *a, const struct membership *m, PB(Membership) * pb)
{
	(void)a;
	pb->hierarchy = text_to_pb(m->hierarchy);
	pb->parent = text_to_pb(m->parent);
	pb->child = text_to_pb(m->child);
	pb->state = (PB(Confirmation))m->state;
	pb->since_ns = m->since_ns;
	return 0;
}

int membership_from_pb(struct arena *a, const PB(Membership) * pb, struct membership *ret)
{
	(void)a;
	TRY(word_from_pb(pb->hierarchy, id_is_name, &ret->hierarchy));
	TRY(word_from_pb(pb->parent, id_is_twin, &ret->parent));
	TRY(word_from_pb(pb->child, id_is_twin, &ret->child));
	TRY(ENUM_FROM_PB(pb->state, N_CONFIRMATIONS, &ret->state));
	ret->since_ns = pb->since_ns;
	return 0;
}

DEFINE_CODEC(membership, Membership, membership)
