/* SPDX-License-Identifier: Apache-2.0 */
/* A type as JSON, in the form that `apply` reads. */
#include "proto/clock.h"
#include "tools/show.h"

static void show_span(struct json *j, const char *key, int64_t ns)
{
	char text[DURATION_TEXT_SIZE];

	if (ns > 0)
		json_text(j, key, ns == TIME_MAX ? "forever" : duration_exact(ns, text));
}

void show_retention(struct json *j, const char *key, const struct retention *r)
{
	if (!retention_is_said(r))
		return;
	json_open(j, key, '{');
	show_span(j, "raw", r->raw_ns);
	show_span(j, "minute", r->minute_ns);
	show_span(j, "hour", r->hour_ns);
	json_close(j);
}

/* Nothing where nothing is said. */
static void show_bound(struct json *j, const char *key, double number)
{
	if (!isnan(number) && number != 0)
		json_number(j, key, number);
}

static void show_limits(struct json *j, const struct limits *l)
{
	if (!l)
		return;
	json_open(j, "limits", '{');
	for (int i = 0; i < N_LIMITS; i++)
		if (!isnan(l->at[i]))
			json_number(j, limit_text((enum limit)i), l->at[i]);
	show_bound(j, "rate-warning", l->rate_warning);
	show_bound(j, "rate-alarm", l->rate_alarm);
	show_bound(j, "hysteresis", l->hysteresis);
	show_bound(j, "dead-band", l->dead_band);
	show_span(j, "delay", l->delay_ns);
	show_span(j, "stale", l->stale_ns);
	json_close(j);
}

static bool leads_on(const struct property_def *p, size_t from)
{
	for (size_t i = 0; i < p->n_transitions; i++)
		if (p->transitions[i].from == from)
			return true;
	return false;
}

/* From each word in the order of options, so that the same is always shown in the same way. */
static void show_transitions(struct json *j, const struct property_def *p)
{
	if (p->n_transitions == 0)
		return;
	json_open(j, "transitions", '{');
	for (size_t from = 0; from < p->n_options; from++) {
		if (!leads_on(p, from))
			continue;
		json_open(j, p->options[from], '[');
		for (size_t i = 0; i < p->n_transitions; i++)
			if (p->transitions[i].from == from)
				json_text(j, NULL, p->options[p->transitions[i].to]);
		json_close(j);
	}
	json_close(j);
}

static void show_form(struct json *j, const struct property_def *p)
{
	json_text(j, "name", p->name);
	json_text(j, "type", value_type_text(p->type));
	json_text(j, "unit", p->unit);
	json_number(j, "min", p->min);
	json_number(j, "max", p->max);
}

static void show_options(struct json *j, const struct property_def *p)
{
	if (p->n_options > 0)
		show_words(j, "options", p->options, p->n_options);
}

static void show_property(struct json *j, const struct property_def *p)
{
	json_open(j, NULL, '{');
	show_form(j, p);
	json_bool(j, "kpi", p->kpi);
	show_options(j, p);
	if (p->settable)
		json_bool(j, "settable", true);
	show_bound(j, "tolerance", p->tolerance);
	show_span(j, "settle", p->settle_ns);
	show_retention(j, "retention", &p->retention);
	show_limits(j, p->limits);
	show_transitions(j, p);
	json_close(j);
}

void show_properties(struct json *j, const struct type_def *t)
{
	json_open(j, "properties", '[');
	for (size_t i = 0; i < t->n_properties; i++)
		show_property(j, &t->properties[i]);
	json_close(j);
}

static void show_alarms(struct json *j, const struct type_def *t)
{
	json_open(j, "alarms", '[');
	for (size_t i = 0; i < t->n_alarms; i++) {
		const struct alarm_def *alarm = &t->alarms[i];
		json_open(j, NULL, '{');
		json_text(j, "name", alarm->name);
		json_text(j, "when", alarm->when);
		json_text(j, "severity", health_text(alarm->severity));
		if (*alarm->text)
			json_text(j, "text", alarm->text);
		show_span(j, "delay", alarm->delay_ns);
		json_close(j);
	}
	json_close(j);
}

static void show_operations(struct json *j, const struct type_def *t)
{
	json_open(j, "operations", '[');
	for (size_t i = 0; i < t->n_operations; i++) {
		const struct operation_def *o = &t->operations[i];
		json_open(j, NULL, '{');
		json_text(j, "name", o->name);
		if (*o->text)
			json_text(j, "text", o->text);
		json_open(j, "parameters", '[');
		for (size_t k = 0; k < o->n_parameters; k++) {
			json_open(j, NULL, '{');
			show_form(j, &o->parameters[k]);
			show_options(j, &o->parameters[k]);
			json_close(j);
		}
		json_close(j);
		show_span(j, "within", o->within_ns);
		json_close(j);
	}
	json_close(j);
}

static void show_health_rule(struct json *j, const struct health_def *h)
{
	if (h->rule == HEALTH_OWN)
		return;
	json_open(j, "health", '{');
	json_text(j, "rule", health_rule_text(h->rule));
	if (*h->hierarchy)
		json_text(j, "hierarchy", h->hierarchy);
	if (h->rule == HEALTH_K_OF_N)
		json_count(j, "k", h->k);
	if (*h->weight)
		json_text(j, "weight", h->weight);
	if (h->rule == HEALTH_WEIGHTED) {
		json_number(j, "warning", h->warning);
		json_number(j, "alarm", h->alarm);
	}
	json_close(j);
}

void show_behaviour(struct json *j, const struct type_def *t)
{
	if (t->n_alarms > 0)
		show_alarms(j, t);
	if (t->n_operations > 0)
		show_operations(j, t);
	show_health_rule(j, &t->health);
}

void show_type_members(struct json *j, const struct type_def *t)
{
	json_text(j, "name", t->name);
	json_count(j, "version", t->version);
	json_text(j, "kind", kind_text(t->kind));
	if (*t->parent)
		json_text(j, "extends", t->parent);
	show_retention(j, "retention", &t->retention);
	show_properties(j, t);
	show_behaviour(j, t);
}
