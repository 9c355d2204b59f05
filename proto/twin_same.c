/* SPDX-License-Identifier: Apache-2.0 */
/* Twins, types and relations: equal content, and copies of it. */
#include "proto/twin.h"
#include "proto/words.h"

static bool same_text(const char *a, const char *b)
{
	return strcmp(text_or_empty(a), text_or_empty(b)) == 0;
}

static bool same_bound(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static bool same_texts(const char *const *a, size_t n_a, const char *const *b, size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return n_a == n_b;
}

static bool same_life(const struct twin_def *a, const struct twin_def *b)
{
	for (size_t i = 0; a->n_life == b->n_life && i < a->n_life; i++)
		if (a->life[i].state != b->life[i].state || a->life[i].since_ns != b->life[i].since_ns)
			return false;
	return a->n_life == b->n_life;
}

bool twin_def_equal(const struct twin_def *a, const struct twin_def *b)
{
	return same_text(a->id, b->id) && same_text(a->type, b->type) && a->kind == b->kind &&
	       same_text(a->name, b->name) && same_texts(a->tags, a->n_tags, b->tags, b->n_tags) &&
	       same_texts(a->aliases, a->n_aliases, b->aliases, b->n_aliases) && same_life(a, b);
}

static bool same_retention(const struct retention *a, const struct retention *b)
{
	return a->raw_ns == b->raw_ns && a->minute_ns == b->minute_ns && a->hour_ns == b->hour_ns;
}

static bool same_limits(const struct limits *a, const struct limits *b)
{
	a = a ? a : &LIMITS_NONE;
	b = b ? b : &LIMITS_NONE;
	for (int i = 0; i < N_LIMITS; i++)
		if (!same_bound(a->at[i], b->at[i]))
			return false;
	return same_bound(a->rate_warning, b->rate_warning) && same_bound(a->rate_alarm, b->rate_alarm) &&
	       a->hysteresis == b->hysteresis && a->dead_band == b->dead_band && a->delay_ns == b->delay_ns &&
	       a->stale_ns == b->stale_ns;
}

static bool same_transitions(const struct property_def *a, const struct property_def *b)
{
	for (size_t i = 0; a->n_transitions == b->n_transitions && i < a->n_transitions; i++)
		if (a->transitions[i].from != b->transitions[i].from ||
		    a->transitions[i].to != b->transitions[i].to)
			return false;
	return a->n_transitions == b->n_transitions;
}

static bool same_property(const struct property_def *a, const struct property_def *b)
{
	return same_text(a->name, b->name) && measures_alike(a, b) && same_bound(a->min, b->min) &&
	       same_bound(a->max, b->max) && a->kpi == b->kpi && a->settable == b->settable &&
	       same_retention(&a->retention, &b->retention) && same_limits(a->limits, b->limits) &&
	       a->tolerance == b->tolerance && a->settle_ns == b->settle_ns && same_transitions(a, b) &&
	       same_texts(a->options, a->n_options, b->options, b->n_options);
}

static bool same_properties(const struct property_def *a, size_t n_a, const struct property_def *b,
			    size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++)
		if (!same_property(&a[i], &b[i]))
			return false;
	return n_a == n_b;
}

static bool same_alarms(const struct type_def *a, const struct type_def *b)
{
	for (size_t i = 0; a->n_alarms == b->n_alarms && i < a->n_alarms; i++) {
		const struct alarm_def *x = &a->alarms[i], *y = &b->alarms[i];
		if (!same_text(x->name, y->name) || !same_text(x->when, y->when) ||
		    x->severity != y->severity || !same_text(x->text, y->text) || x->delay_ns != y->delay_ns)
			return false;
	}
	return a->n_alarms == b->n_alarms;
}

static bool same_operations(const struct type_def *a, const struct type_def *b)
{
	for (size_t i = 0; a->n_operations == b->n_operations && i < a->n_operations; i++) {
		const struct operation_def *x = &a->operations[i], *y = &b->operations[i];
		if (!same_text(x->name, y->name) || !same_text(x->text, y->text) ||
		    x->within_ns != y->within_ns ||
		    !same_properties(x->parameters, x->n_parameters, y->parameters, y->n_parameters))
			return false;
	}
	return a->n_operations == b->n_operations;
}

static bool same_health(const struct health_def *a, const struct health_def *b)
{
	return a->rule == b->rule && same_text(a->hierarchy, b->hierarchy) && a->k == b->k &&
	       same_text(a->weight, b->weight) && a->warning == b->warning && a->alarm == b->alarm;
}

bool type_def_equal(const struct type_def *a, const struct type_def *b)
{
	return same_text(a->name, b->name) && same_text(a->parent, b->parent) && a->version == b->version &&
	       a->kind == b->kind && same_retention(&a->retention, &b->retention) &&
	       same_properties(a->properties, a->n_properties, b->properties, b->n_properties) &&
	       same_alarms(a, b) && same_operations(a, b) && same_health(&a->health, &b->health);
}

bool relation_equal(const struct relation *a, const struct relation *b)
{
	return same_text(a->type, b->type) && same_text(a->from, b->from) && same_text(a->to, b->to) &&
	       a->valid_from_ns == b->valid_from_ns && a->valid_to_ns == b->valid_to_ns;
}

static int copy_text(struct arena *a, const char *text, const char **ret)
{
	*ret = arena_copy(a, text_or_empty(text));
	return *ret ? 0 : FAIL(-ENOMEM);
}

static int copy_texts(struct arena *a, const char *const *texts, size_t n, const char ***ret)
{
	const char **copy = arena_take_array(a, n, sizeof *copy);

	if (!copy)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		TRY(copy_text(a, texts[i], &copy[i]));
	*ret = copy;
	return 0;
}

int twin_def_copy(struct arena *a, const struct twin_def *t, struct twin_def *ret)
{
	struct twin_def copy = *t;

	TRY(copy_text(a, t->id, &copy.id));
	TRY(copy_text(a, t->type, &copy.type));
	TRY(copy_text(a, t->name, &copy.name));
	TRY(copy_texts(a, t->tags, t->n_tags, &copy.tags));
	TRY(copy_texts(a, t->aliases, t->n_aliases, &copy.aliases));
	copy.life = arena_take_array(a, t->n_life, sizeof *copy.life);
	if (!copy.life)
		return FAIL(-ENOMEM);
	if (t->n_life > 0)
		memcpy(copy.life, t->life, t->n_life * sizeof *copy.life);
	*ret = copy;
	return 0;
}

static int copy_limits(struct arena *a, const struct limits *l, const struct limits **ret)
{
	struct limits *copy = l ? arena_take(a, sizeof *copy) : NULL;

	if (l && !copy)
		return FAIL(-ENOMEM);
	if (copy)
		*copy = *l;
	*ret = copy;
	return 0;
}

static int copy_property(struct arena *a, const struct property_def *p, struct property_def *ret)
{
	*ret = *p;
	TRY(copy_text(a, p->name, &ret->name));
	TRY(copy_text(a, p->unit, &ret->unit));
	TRY(copy_texts(a, p->options, p->n_options, &ret->options));
	TRY(copy_limits(a, p->limits, &ret->limits));
	ret->transitions = arena_take_array(a, p->n_transitions, sizeof *ret->transitions);
	if (!ret->transitions)
		return FAIL(-ENOMEM);
	if (p->n_transitions > 0)
		memcpy(ret->transitions, p->transitions, p->n_transitions * sizeof *ret->transitions);
	return 0;
}

static int copy_properties(struct arena *a, const struct property_def *list, size_t n,
			   struct property_def **ret)
{
	struct property_def *copy = arena_take_array(a, n, sizeof *copy);

	if (!copy)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		TRY(copy_property(a, &list[i], &copy[i]));
	*ret = copy;
	return 0;
}

static int copy_alarms(struct arena *a, const struct type_def *t, struct alarm_def **ret)
{
	struct alarm_def *copy = arena_take_array(a, t->n_alarms, sizeof *copy);

	if (!copy)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < t->n_alarms; i++) {
		copy[i] = t->alarms[i];
		TRY(copy_text(a, t->alarms[i].name, &copy[i].name));
		TRY(copy_text(a, t->alarms[i].when, &copy[i].when));
		TRY(copy_text(a, t->alarms[i].text, &copy[i].text));
	}
	*ret = copy;
	return 0;
}

static int copy_operations(struct arena *a, const struct type_def *t, struct operation_def **ret)
{
	struct operation_def *copy = arena_take_array(a, t->n_operations, sizeof *copy);

	if (!copy)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < t->n_operations; i++) {
		const struct operation_def *o = &t->operations[i];
		copy[i] = *o;
		TRY(copy_text(a, o->name, &copy[i].name));
		TRY(copy_text(a, o->text, &copy[i].text));
		TRY(copy_properties(a, o->parameters, o->n_parameters, &copy[i].parameters));
	}
	*ret = copy;
	return 0;
}

int type_def_copy(struct arena *a, const struct type_def *t, struct type_def *ret)
{
	struct type_def copy = *t;

	TRY(copy_text(a, t->name, &copy.name));
	TRY(copy_text(a, t->parent, &copy.parent));
	TRY(copy_properties(a, t->properties, t->n_properties, &copy.properties));
	TRY(copy_alarms(a, t, &copy.alarms));
	TRY(copy_operations(a, t, &copy.operations));
	TRY(copy_text(a, t->health.hierarchy, &copy.health.hierarchy));
	TRY(copy_text(a, t->health.weight, &copy.health.weight));
	*ret = copy;
	return 0;
}
