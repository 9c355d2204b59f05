/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/fields.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/clock.h"
#include "tools/json.h"

/* An empty text is no field. */
static void put(struct fields *f, const char *name, const char *text)
{
	struct field *field;

	if (text && !*text)
		return;
	field = text ? arena_push(f->arena, &f->items, &f->n, sizeof *field) : NULL;
	if (!field) {
		f->failed = true;
		return;
	}
	*field = (struct field){name, text};
}

static const char *join(struct arena *a, const char *left, const char *between, const char *right)
{
	if (!left || !right)
		return NULL;
	return *left && *right ? arena_print(a, "%s%s%s", left, between, right) : *left ? left : right;
}

static const char *list(struct arena *a, const char *const *words, size_t n)
{
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = join(a, text, ", ", words[i]);
	return text;
}

static const char *bound(struct arena *a, const char *what, double v)
{
	char text[NUMBER_TEXT_SIZE];

	return isnan(v) ? "" : arena_print(a, "%s %s", what, number_text(v, text));
}

static const char *span(struct arena *a, const char *what, int64_t ns)
{
	char text[DURATION_TEXT_SIZE];

	if (ns == 0)
		return "";
	return arena_print(a, "%s %s", what, ns == TIME_MAX ? "forever" : duration_exact(ns, text));
}

static const char *retention(struct arena *a, const struct retention *r)
{
	const char *text = join(a, span(a, "raw", r->raw_ns), ", ", span(a, "minute", r->minute_ns));

	return join(a, text, ", ", span(a, "hour", r->hour_ns));
}

const char *limits_words(struct arena *a, const struct limits *l)
{
	const char *text = "";

	for (int i = 0; l && i < N_LIMITS; i++)
		text = join(a, text, ", ", bound(a, limit_text((enum limit)i), l->at[i]));
	if (!l)
		return text;
	text = join(a, text, ", ", bound(a, "rate-warning", l->rate_warning));
	text = join(a, text, ", ", bound(a, "rate-alarm", l->rate_alarm));
	text = join(a, text, ", ", l->hysteresis > 0 ? bound(a, "hysteresis", l->hysteresis) : "");
	text = join(a, text, ", ", l->dead_band > 0 ? bound(a, "dead-band", l->dead_band) : "");
	text = join(a, text, ", ", span(a, "delay", l->delay_ns));
	return join(a, text, ", ", span(a, "stale", l->stale_ns));
}

const char *steps_words(struct arena *a, const struct property_def *p)
{
	const char *text = "";

	for (size_t i = 0; i < p->n_transitions; i++)
		text = join(a, text, ", ",
			    arena_print(a, "%s > %s", p->options[p->transitions[i].from],
					p->options[p->transitions[i].to]));
	return text;
}

const char *settle_words(struct arena *a, const struct property_def *p)
{
	return join(a, p->tolerance > 0 ? bound(a, "tolerance", p->tolerance) : "", ", ",
		    span(a, "settle", p->settle_ns));
}

/* "double kW, min 0, kpi" */
static const char *property(struct arena *a, const struct property_def *p)
{
	const char *text = join(a, value_type_text(p->type), " ", p->unit);

	text = join(a, text, ", ", bound(a, "min", p->min));
	text = join(a, text, ", ", bound(a, "max", p->max));
	text = join(a, text, ", ", p->kpi ? "kpi" : "");
	text = join(a, text, ", ", p->settable ? "settable" : "");
	text = join(a, text, ", ", settle_words(a, p));
	text = join(a, text, ", ", retention(a, &p->retention));
	text = join(a, text, ", ", limits_words(a, p->limits));
	text = join(a, text, ": ", list(a, p->options, p->n_options));
	return join(a, text, "; ", steps_words(a, p));
}

const char *alarm_words(struct arena *a, const struct alarm_def *d)
{
	const char *text = arena_print(a, "%s when %s", health_text(d->severity), d->when);

	text = join(a, text, ", ", span(a, "delay", d->delay_ns));
	return join(a, text, ": ", d->text);
}

const char *operation_words(struct arena *a, const struct operation_def *o)
{
	const char *text = "";

	for (size_t i = 0; i < o->n_parameters; i++)
		text = join(a, text, "; ",
			    join(a, o->parameters[i].name, " ", property(a, &o->parameters[i])));
	text = text ? arena_print(a, "(%s)", text) : NULL;
	text = join(a, text, ", ", span(a, "within", o->within_ns));
	return join(a, text, ": ", o->text);
}

const char *health_rule_words(struct arena *a, const struct health_def *h)
{
	const char *text = h->rule == HEALTH_OWN ? "" : health_rule_text(h->rule);

	text = join(a, text, " below ", h->hierarchy);
	if (h->rule == HEALTH_K_OF_N)
		text = join(a, text, ", ", arena_print(a, "k %u", h->k));
	text = join(a, text, ", by ", h->weight);
	if (h->rule != HEALTH_WEIGHTED)
		return text;
	text = join(a, text, ", ", bound(a, "warning", h->warning));
	return join(a, text, ", ", bound(a, "alarm", h->alarm));
}

void fields_of_type(struct fields *f, const struct type_def *t)
{
	put(f, "version", arena_print(f->arena, "%u", t->version));
	put(f, "kind", kind_text(t->kind));
	put(f, "extends", t->parent);
	put(f, "retention", retention(f->arena, &t->retention));
	for (size_t i = 0; i < t->n_properties; i++)
		put(f, arena_print(f->arena, "property %s", t->properties[i].name),
		    property(f->arena, &t->properties[i]));
	for (size_t i = 0; i < t->n_alarms; i++)
		put(f, arena_print(f->arena, "alarm %s", t->alarms[i].name),
		    alarm_words(f->arena, &t->alarms[i]));
	for (size_t i = 0; i < t->n_operations; i++)
		put(f, arena_print(f->arena, "operation %s", t->operations[i].name),
		    operation_words(f->arena, &t->operations[i]));
	put(f, "health", health_rule_words(f->arena, &t->health));
}

static const char *life(struct arena *a, const struct twin_def *t)
{
	const char *text = "";
	char since[TIME_TEXT_SIZE];

	for (size_t i = 0; i < t->n_life; i++) {
		const char *state = life_cycle_text(t->life[i].state);
		if (t->life[i].since_ns != TIME_MIN)
			state = arena_print(a, "%s since %s", state, time_text(t->life[i].since_ns, since));
		text = join(a, text, ", ", state);
	}
	return text;
}

void fields_of_twin(struct fields *f, const struct twin_def *t)
{
	put(f, "type", t->type);
	put(f, "kind", kind_text(t->kind));
	put(f, "name", t->name);
	put(f, "tags", list(f->arena, t->tags, t->n_tags));
	put(f, "aliases", list(f->arena, t->aliases, t->n_aliases));
	put(f, "life", life(f->arena, t));
}

static const char *at(struct arena *a, int64_t ns)
{
	char text[TIME_TEXT_SIZE];

	return ns == TIME_MIN || ns == TIME_MAX ? "" : arena_copy(a, time_text(ns, text));
}

void fields_of_relation(struct fields *f, const struct relation *r)
{
	put(f, "valid_from", at(f->arena, r->valid_from_ns));
	put(f, "valid_to", at(f->arena, r->valid_to_ns));
}

void fields_of_membership(struct fields *f, const struct membership *m)
{
	put(f, "state", confirmation_text(m->state));
	put(f, "since", at(f->arena, m->since_ns));
}

void fields_of_sample(struct fields *f, const struct sample *s)
{
	put(f, "value", value_text(f->arena, &s->value));
	put(f, "quality", quality_text(s->quality));
	put(f, "sigma", bound(f->arena, "+-", s->sigma));
	put(f, "source", s->source ? s->source : "");
}

const char *field_text(const struct fields *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->items[i].name, name) == 0)
			return f->items[i].text;
	return NULL;
}
