/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/codec.h"
#include "proto/id.h"
#include "proto/words.h"

_Static_assert((int)HOLON__V1__KIND__KIND_ENVIRONMENT == N_KINDS - 1, "kinds agree");
_Static_assert((int)HOLON__V1__LIFE_CYCLE__LIFE_RETIRED == N_LIFE_CYCLES - 1, "life-cycle states agree");
_Static_assert((int)HOLON__V1__HEALTH__HEALTH_ALARM == N_HEALTHS - 1, "healths agree");
_Static_assert((int)HOLON__V1__CONFIRMATION__CONFIRM_REFUSED == N_CONFIRMATIONS - 1, "confirmations agree");
_Static_assert((int)HOLON__V1__VALUE_TYPE__VALUE_POSITION == VALUE_POSITION, "value types agree");

/* What breaks a rule for people is malformed when a peer sends it. */
static int malformed_if(int r)
{
	return malformed_unless(r >= 0);
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

static int property_def_to_pb(struct arena *a, const struct property_def *p, PB(PropertyDef) * pb)
{
	pb->name = text_to_pb(p->name);
	pb->type = (PB(ValueType))p->type;
	pb->unit = text_to_pb(p->unit);
	pb->kpi = p->kpi;
	pb->settable = p->settable;
	TRY(retention_or_none_to_pb(a, &p->retention, &pb->retention));
	if (!isnan(p->min)) {
		pb->lower_case = HOLON__V1__PROPERTY_DEF__LOWER_MIN;
		pb->min = p->min;
	}
	if (!isnan(p->max)) {
		pb->upper_case = HOLON__V1__PROPERTY_DEF__UPPER_MAX;
		pb->max = p->max;
	}
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
	ret->retention = retention_from_pb(pb->retention);
	TRY(malformed_unless(pb->n_options <= OPTIONS_MAX));
	ret->n_options = pb->n_options;
	return texts_from_pb(a, pb->options, pb->n_options, PROPERTY_MAX, &ret->options);
}

int type_def_to_pb(struct arena *a, const struct type_def *t, PB(TypeDef) * pb)
{
	pb->name = text_to_pb(t->name);
	pb->parent = text_to_pb(t->parent);
	pb->version = t->version;
	pb->kind = (PB(Kind))t->kind;
	TRY(retention_or_none_to_pb(a, &t->retention, &pb->retention));
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
	TRY(malformed_unless(pb->n_properties <= PROPERTIES_MAX));
	TRY(LIST_FROM_PB(a, pb->properties, pb->n_properties, property_def_from_pb, &ret->properties,
			 &ret->n_properties));
	return malformed_if(type_def_check(ret, NULL));
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
