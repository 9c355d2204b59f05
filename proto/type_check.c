/* SPDX-License-Identifier: Apache-2.0 */
/* What a type may say: its properties, and what its twins do by themselves. */
#include "proto/check.h"
#include "proto/clock.h"
#include "proto/command.h"
#include "proto/expr.h"
#include "proto/id.h"
#include "proto/words.h"

static bool is_number(enum value_type type)
{
	return type == VALUE_INT64 || type == VALUE_DOUBLE;
}

static int check_range(const struct property_def *p, struct err_note *note)
{
	const bool open = isnan(p->min) && isnan(p->max);

	if (!open && !is_number(p->type))
		return FAIL_SAY(note, ERR_REFUSED, "property '%.80s' is no number, so it has no range",
				p->name);
	if (p->min > p->max)
		return FAIL_SAY(note, ERR_REFUSED, "property '%.80s': the minimum %g is above the maximum %g",
				p->name, p->min, p->max);
	return 0;
}

static int check_options(const struct property_def *p, struct err_note *note)
{
	TRY(check_count(p->n_options, OPTIONS_MAX, "options", p->name, note));
	if ((p->type == VALUE_ENUM) != (p->n_options > 0))
		return FAIL_SAY(note, ERR_REFUSED,
				"property '%.80s': an enum has options and nothing else has", p->name);
	for (size_t i = 0; i < p->n_options; i++) {
		TRY(check_text(p->options[i], PROPERTY_MAX, "an option", p->name, note));
		if (*text_or_empty(p->options[i]) == '\0')
			return FAIL_SAY(note, ERR_REFUSED, "property '%.80s' has an empty option", p->name);
		TRY(check_new(p->options, i, "option", p->name, note));
	}
	return 0;
}

/* What is given up must have been kept before. */
static int check_retention(const struct retention *r, const char *of, struct err_note *note)
{
	int64_t sum;

	if (r->raw_ns < 0 || r->minute_ns < 0 || r->hour_ns < 0)
		return FAIL_SAY(note, ERR_REFUSED, "'%.80s' keeps samples for less than no time", of);
	if ((r->raw_ns == 0 || r->raw_ns == TIME_MAX) && (r->minute_ns > 0 || r->hour_ns > 0))
		return FAIL_SAY(note, ERR_REFUSED,
				"'%.80s' keeps raw samples for ever: minutes and hours never come after that",
				of);
	if (__builtin_add_overflow(r->raw_ns, r->minute_ns, &sum) ||
	    __builtin_add_overflow(sum, r->hour_ns, &sum))
		return FAIL_SAY(note, ERR_REFUSED, "'%.80s' keeps samples for longer than time can be told",
				of);
	return 0;
}

/* ---- Limits, transitions, desired values */

static int check_bounds(const struct limits *l, const char *of, struct err_note *note)
{
	double last = -INFINITY, inner[2] = {-INFINITY, INFINITY};

	for (int i = 0; i < N_LIMITS; i++) {
		const double at = l->at[i];
		const int upper = i >= LIMIT_HIGH_WARNING;
		if (isnan(at))
			continue;
		if (isinf(at))
			return FAIL_SAY(note, ERR_REFUSED, "property '%.80s': the limit %s is not finite", of,
					limit_text((enum limit)i));
		if (!(at > last))
			return FAIL_SAY(
				note, ERR_REFUSED,
				"property '%.80s': the limit %s, %g, is not above the one before it, %g", of,
				limit_text((enum limit)i), at, last);
		last = at;
		if (!upper || isinf(inner[1]))
			inner[upper] = at;
	}
	if (!(inner[0] + l->hysteresis < inner[1] - l->hysteresis))
		return FAIL_SAY(
			note, ERR_REFUSED,
			"property '%.80s': with a hysteresis of %g nothing between its limits is ever "
			"fine",
			of, l->hysteresis);
	return 0;
}

static int check_rates(const struct limits *l, const char *of, struct err_note *note)
{
	const bool warned = !isnan(l->rate_warning), alarmed = !isnan(l->rate_alarm);

	if ((warned && !(l->rate_warning > 0 && isfinite(l->rate_warning))) ||
	    (alarmed && !(l->rate_alarm > 0 && isfinite(l->rate_alarm))))
		return FAIL_SAY(note, ERR_REFUSED, "property '%.80s': a rate is above 0 and finite", of);
	if (warned && alarmed && !(l->rate_warning < l->rate_alarm))
		return FAIL_SAY(note, ERR_REFUSED,
				"property '%.80s': the rate of the warning is not below that of the alarm",
				of);
	return 0;
}

static int check_limits(const struct property_def *p, struct err_note *note)
{
	const struct limits *l = p->limits;

	if (!l)
		return 0;
	if (!is_number(p->type))
		return FAIL_SAY(note, ERR_REFUSED, "property '%.80s' is no number, so it has no limits",
				p->name);
	if (limits_are_none(l))
		return FAIL_SAY(
			note, ERR_REFUSED,
			"property '%.80s' has limits that limit nothing: give low-alarm, low-warning, "
			"high-warning, high-alarm, rate-warning, rate-alarm or stale",
			p->name);
	if (!(l->hysteresis >= 0 && isfinite(l->hysteresis)) ||
	    !(l->dead_band >= 0 && isfinite(l->dead_band)))
		return FAIL_SAY(note, ERR_REFUSED,
				"property '%.80s': hysteresis and dead band are finite and not negative",
				p->name);
	if (l->delay_ns < 0 || l->stale_ns < 0)
		return FAIL_SAY(note, ERR_REFUSED, "property '%.80s': delay and stale are not negative",
				p->name);
	TRY(check_bounds(l, p->name, note));
	return check_rates(l, p->name, note);
}

static int check_transitions(const struct property_def *p, struct err_note *note)
{
	uint64_t seen[OPTIONS_MAX] = {0}; /* a bit for each step from a word */

	TRY(check_count(p->n_transitions, TRANSITIONS_MAX, "transitions", p->name, note));
	for (size_t i = 0; i < p->n_transitions; i++) {
		const struct transition t = p->transitions[i];
		if (t.from >= p->n_options || t.to >= p->n_options)
			return FAIL_SAY(note, ERR_REFUSED,
					"property '%.80s': a transition is between two of its options",
					p->name);
		if (t.from == t.to || (seen[t.from] >> t.to & 1) != 0)
			return FAIL_SAY(note, ERR_REFUSED,
					"property '%.80s': the transition from '%.60s' to '%.60s' %s",
					p->name, p->options[t.from], p->options[t.to],
					t.from == t.to ? "goes nowhere: staying is always allowed"
						       : "is said twice");
		seen[t.from] |= UINT64_C(1) << t.to;
	}
	return 0;
}

static int check_desired(const struct property_def *p, struct err_note *note)
{
	if (!(p->tolerance >= 0 && isfinite(p->tolerance)))
		return FAIL_SAY(note, ERR_REFUSED, "property '%.80s': a tolerance is finite and not negative",
				p->name);
	if (p->tolerance > 0 && !is_number(p->type))
		return FAIL_SAY(note, ERR_REFUSED, "property '%.80s' is no number, so it has no tolerance",
				p->name);
	if (p->settle_ns < 0)
		return FAIL_SAY(note, ERR_REFUSED, "property '%.80s': the time to settle is negative",
				p->name);
	return 0;
}

static int check_property(const struct property_def *p, struct err_note *note)
{
	TRY(id_check_name(p->name, "property", note));
	if (p->type == VALUE_NONE || p->type > VALUE_POSITION)
		return FAIL_SAY(note, ERR_REFUSED,
				"property '%.80s' has no type: use bool, int64, double, text, enum or "
				"position",
				p->name);
	TRY(check_text(p->unit, UNIT_MAX, "the unit", p->name, note));
	TRY(check_range(p, note));
	TRY(check_retention(&p->retention, p->name, note));
	TRY(check_options(p, note));
	TRY(check_limits(p, note));
	TRY(check_transitions(p, note));
	return check_desired(p, note);
}

static int check_properties(const struct type_def *t, struct err_note *note)
{
	size_t n_kpis = 0, first;

	TRY(check_count(t->n_properties, PROPERTIES_MAX, "properties", t->name, note));
	for (size_t i = 0; i < t->n_properties; i++) {
		TRY(check_property(&t->properties[i], note));
		if (type_property(t, t->properties[i].name, &first) && first < i)
			return FAIL_SAY(note, ERR_REFUSED, "type '%.80s' has the property '%.80s' twice",
					t->name, t->properties[i].name);
		n_kpis += t->properties[i].kpi;
	}
	return check_count(n_kpis, KPIS_MAX, "KPIs", t->name, note);
}

/* ---- Alarms, operations, health */

static int check_when(const struct alarm_def *alarm, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct err_note why = {0};
	struct expr *e;

	TRY(arena_new(&a, SIZE_MAX));
	const int r = expr_parse(a, text_or_empty(alarm->when), &e, &why);
	if (r == ERR_REFUSED || r == ERR_UNIT)
		return FAIL_SAY(note, ERR_REFUSED, "alarm '%.80s': %s", alarm->name, why.text);
	return r;
}

static int check_alarms(const struct type_def *t, struct err_note *note)
{
	size_t first;

	TRY(check_count(t->n_alarms, ALARMS_MAX, "alarms", t->name, note));
	for (size_t i = 0; i < t->n_alarms; i++) {
		const struct alarm_def *alarm = &t->alarms[i];
		TRY(id_check_name(alarm->name, "alarm", note));
		TRY(check_text(alarm->text, KPI_TEXT_MAX, "the text", alarm->name, note));
		if (alarm->severity != HEALTH_WARNING && alarm->severity != HEALTH_ALARM)
			return FAIL_SAY(note, ERR_REFUSED,
					"alarm '%.80s' is of no severity: use warning or alarm", alarm->name);
		if (alarm->delay_ns < 0)
			return FAIL_SAY(note, ERR_REFUSED, "alarm '%.80s': its delay is negative",
					alarm->name);
		TRY(check_when(alarm, note));
		if (type_alarm(t, alarm->name, &first) && first < i)
			return FAIL_SAY(note, ERR_REFUSED, "type '%.80s' has the alarm '%.80s' twice",
					t->name, alarm->name);
	}
	return 0;
}

/* A value with a name, not something that is measured. */
static bool is_parameter(const struct property_def *p)
{
	return !p->kpi && !p->settable && !retention_is_said(&p->retention) && !p->limits &&
	       p->n_transitions == 0 && p->tolerance == 0 && p->settle_ns == 0;
}

static int check_parameters(const struct operation_def *o, struct err_note *note)
{
	TRY(check_count(o->n_parameters, PARAMETERS_MAX, "parameters", o->name, note));
	for (size_t i = 0; i < o->n_parameters; i++) {
		TRY(check_property(&o->parameters[i], note));
		if (!is_parameter(&o->parameters[i]))
			return FAIL_SAY(
				note, ERR_REFUSED,
				"operation '%.80s': its parameter '%.80s' has no more than name, type, unit, "
				"min, max and options",
				o->name, o->parameters[i].name);
		for (size_t k = 0; k < i; k++)
			if (strcmp(o->parameters[k].name, o->parameters[i].name) == 0)
				return FAIL_SAY(note, ERR_REFUSED,
						"operation '%.80s' has the parameter '%.80s' twice", o->name,
						o->parameters[i].name);
	}
	return 0;
}

static bool every_twin_has(const char *operation)
{
	static const char *const words[] = {OPERATION_ACK, OPERATION_SHELVE, OPERATION_SET};

	return word_find(words, N_WORDS(words), operation) < N_WORDS(words);
}

static int check_operations(const struct type_def *t, struct err_note *note)
{
	size_t first;

	TRY(check_count(t->n_operations, OPERATIONS_MAX, "operations", t->name, note));
	for (size_t i = 0; i < t->n_operations; i++) {
		const struct operation_def *o = &t->operations[i];
		TRY(id_check_segment(o->name, "operation", PROPERTY_MAX, note));
		if (every_twin_has(o->name))
			return FAIL_SAY(note, ERR_REFUSED,
					"type '%.80s': every twin has the operation '%.80s' already: give it "
					"another name",
					t->name, o->name);
		TRY(check_text(o->text, KPI_TEXT_MAX, "the text", o->name, note));
		if (o->within_ns < 0)
			return FAIL_SAY(note, ERR_REFUSED, "operation '%.80s': its deadline is negative",
					o->name);
		TRY(check_parameters(o, note));
		if (type_operation(t, o->name, &first) && first < i)
			return FAIL_SAY(note, ERR_REFUSED, "type '%.80s' has the operation '%.80s' twice",
					t->name, o->name);
	}
	return 0;
}

static int check_health(const struct type_def *t, struct err_note *note)
{
	const struct health_def *h = &t->health;

	if (h->rule >= N_HEALTH_RULES)
		return FAIL_SAY(note, ERR_REFUSED, "type '%.80s' has a rule of health that does not exist",
				t->name);
	if (*text_or_empty(h->hierarchy) != '\0')
		TRY(id_check_name(h->hierarchy, "hierarchy", note));
	if (*text_or_empty(h->weight) != '\0')
		TRY(id_check_name(h->weight, "property", note));
	if (h->rule == HEALTH_K_OF_N && h->k == 0)
		return FAIL_SAY(note, ERR_REFUSED,
				"type '%.80s': k-of-n health needs k, how many members must be without alarm",
				t->name);
	if (h->rule == HEALTH_WEIGHTED && !(h->warning > 0 && h->warning <= h->alarm && h->alarm <= 1))
		return FAIL_SAY(note, ERR_REFUSED,
				"type '%.80s': weighted health needs 0 < warning <= alarm <= 1", t->name);
	return 0;
}

int type_def_check(const struct type_def *t, struct err_note *note)
{
	TRY(id_check_name(t->name, "type", note));
	if (t->version == 0)
		return FAIL_SAY(note, ERR_REFUSED, "type '%.80s' has version 0: versions begin at 1",
				t->name);
	if (*text_or_empty(t->parent) != '\0')
		TRY(id_check_name(t->parent, "type", note));
	TRY(check_kind(t->kind, t->name, note));
	TRY(check_retention(&t->retention, t->name, note));
	TRY(check_properties(t, note));
	TRY(check_alarms(t, note));
	TRY(check_operations(t, note));
	return check_health(t, note);
}
