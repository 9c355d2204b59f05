/* SPDX-License-Identifier: Apache-2.0 */
/* Types as people write them. */
#include <stdlib.h>

#include "proto/clock.h"
#include "proto/words.h"
#include "tools/document.h"

#define FOR_EVER "forever"

/* Keeping for ever is said as such, or by not saying anything. */
static int read_span(const struct spot *up, const char *key, int64_t *ret_ns, struct err_note *note)
{
	const struct spot s = spot_key(up, key);
	struct err_note why = {0};
	const char *text;

	TRY(in_text(up, key, "", &text, note));
	if (*text && strcmp(text, FOR_EVER) != 0)
		return spot_blame(&s, duration_parse(text, ret_ns, &why), &why, note);
	*ret_ns = *text ? TIME_MAX : 0;
	return 0;
}

static int read_retention(const struct spot *up, struct retention *ret, struct err_note *note)
{
	static const char *const keys[] = {"raw", "minute", "hour", NULL};
	const struct spot s = spot_key(up, "retention");

	if (!s.json)
		return 0;
	TRY(in_object(&s, keys, note));
	TRY(read_span(&s, "raw", &ret->raw_ns, note));
	TRY(read_span(&s, "minute", &ret->minute_ns, note));
	return read_span(&s, "hour", &ret->hour_ns, note);
}

static int read_duration(const struct spot *up, const char *key, int64_t *ret_ns, struct err_note *note)
{
	const struct spot s = spot_key(up, key);
	struct err_note why = {0};
	const char *text;

	TRY(in_text(up, key, "", &text, note));
	*ret_ns = 0;
	return *text ? spot_blame(&s, duration_parse(text, ret_ns, &why), &why, note) : 0;
}

static int read_limits(struct arena *a, const struct spot *up, const struct limits **ret,
		       struct err_note *note)
{
	static const char *const keys[] = {
		"low-alarm",  "low-warning", "high-warning", "high-alarm", "rate-warning",
		"rate-alarm", "hysteresis",  "dead-band",    "delay",      "stale",
		NULL};
	const struct spot s = spot_key(up, "limits");
	struct limits *l = s.json ? arena_take(a, sizeof *l) : NULL;

	*ret = l;
	if (!s.json)
		return 0;
	if (!l)
		return FAIL(-ENOMEM);
	TRY(in_object(&s, keys, note));
	for (int i = 0; i < N_LIMITS; i++)
		TRY(in_number(&s, limit_text((enum limit)i), NAN, &l->at[i], note));
	TRY(in_number(&s, "rate-warning", NAN, &l->rate_warning, note));
	TRY(in_number(&s, "rate-alarm", NAN, &l->rate_alarm, note));
	TRY(in_number(&s, "hysteresis", 0, &l->hysteresis, note));
	TRY(in_number(&s, "dead-band", 0, &l->dead_band, note));
	TRY(read_duration(&s, "delay", &l->delay_ns, note));
	return read_duration(&s, "stale", &l->stale_ns, note);
}

static int compare_steps(const void *a, const void *b)
{
	const struct transition *x = a, *y = b;

	return x->from != y->from ? (int)x->from - (int)y->from : (int)x->to - (int)y->to;
}

/* In the order of the options, whatever order they are written in: {"idle": ["running"], "running": ["idle",
 * "stopped"]} */
static int read_transitions(struct arena *a, const struct spot *up, struct property_def *p,
			    struct err_note *note)
{
	const struct spot s = spot_key(up, "transitions");
	const char *from;
	json_t *value;

	if (s.json && !json_is_object(s.json))
		return spot_fail(&s, note, "an object is expected here: for each word those that may follow");
	json_object_foreach(s.json, from, value)
	{
		const struct spot item = spot_key(&s, from);
		const size_t place = word_find(p->options, p->n_options, from);
		const char **to;
		size_t n;
		if (place == p->n_options)
			return spot_fail(&s, note, "%.60s is none of the options", from);
		TRY(in_words(a, &s, from, &to, &n, note));
		for (size_t i = 0; i < n; i++) {
			const size_t next = word_find(p->options, p->n_options, to[i]);
			struct transition *t = arena_push(a, &p->transitions, &p->n_transitions, sizeof *t);
			if (next == p->n_options)
				return spot_fail(&item, note, "%.60s is none of the options", to[i]);
			if (!t)
				return FAIL(-ENOMEM);
			*t = (struct transition){(uint16_t)place, (uint16_t)next};
		}
	}
	if (p->n_transitions > 1)
		qsort(p->transitions, p->n_transitions, sizeof *p->transitions, compare_steps);
	return 0;
}

/* What a parameter says too. */
static int read_value_form(struct arena *a, const struct spot *s, struct property_def *p,
			   struct err_note *note)
{
	const struct spot type = spot_key(s, "type");
	const char *text;

	TRY(in_text(s, "name", NULL, &p->name, note));
	TRY(in_text(s, "type", NULL, &text, note));
	if (!value_type_parse(text, &p->type))
		return spot_fail(&type, note, "%.60s is none of bool, int64, double, text, enum, position",
				 text);
	TRY(in_text(s, "unit", "", &p->unit, note));
	TRY(in_number(s, "min", NAN, &p->min, note));
	TRY(in_number(s, "max", NAN, &p->max, note));
	return in_words(a, s, "options", &p->options, &p->n_options, note);
}

static int read_property(struct arena *a, const struct spot *s, struct property_def *p, struct err_note *note)
{
	static const char *const keys[] = {"name",        "type",      "unit",     "min",       "max",
					   "kpi",         "options",   "settable", "retention", "limits",
					   "transitions", "tolerance", "settle",   NULL};

	TRY(in_object(s, keys, note));
	TRY(read_value_form(a, s, p, note));
	TRY(in_bool(s, "kpi", false, &p->kpi, note));
	TRY(in_bool(s, "settable", false, &p->settable, note));
	TRY(in_number(s, "tolerance", 0, &p->tolerance, note));
	TRY(read_duration(s, "settle", &p->settle_ns, note));
	TRY(read_retention(s, &p->retention, note));
	TRY(read_limits(a, s, &p->limits, note));
	return read_transitions(a, s, p, note);
}

static int read_parameter(struct arena *a, const struct spot *s, struct property_def *p,
			  struct err_note *note)
{
	static const char *const keys[] = {"name", "type", "unit", "min", "max", "options", NULL};

	TRY(in_object(s, keys, note));
	return read_value_form(a, s, p, note);
}

static int read_alarm(struct arena *a, const struct spot *s, struct alarm_def *alarm, struct err_note *note)
{
	static const char *const keys[] = {"name", "when", "severity", "text", "delay", NULL};
	const struct spot severity = spot_key(s, "severity");
	const char *text;

	(void)a;
	TRY(in_object(s, keys, note));
	TRY(in_text(s, "name", NULL, &alarm->name, note));
	TRY(in_text(s, "when", NULL, &alarm->when, note));
	TRY(in_text(s, "severity", health_text(HEALTH_ALARM), &text, note));
	if (!health_parse(text, &alarm->severity) || alarm->severity < HEALTH_WARNING)
		return spot_fail(&severity, note, "%.60s is none of warning, alarm", text);
	TRY(in_text(s, "text", "", &alarm->text, note));
	return read_duration(s, "delay", &alarm->delay_ns, note);
}

/* A list, each item of which is read into one of an array. */
#define READ_LIST(a, up, key, each, ret, ret_n, note) \
	__extension__({ \
		const struct spot list = spot_key((up), (key)); \
		int list_r = in_list(&list, (ret_n), (note)); \
		*(ret) = list_r == 0 ? arena_take_array((a), *(ret_n), sizeof **(ret)) : NULL; \
		if (list_r == 0 && !*(ret)) \
			list_r = FAIL(-ENOMEM); \
		for (size_t list_i = 0; list_r == 0 && list_i < *(ret_n); list_i++) { \
			const struct spot list_item = spot_item(&list, list_i); \
			list_r = each((a), &list_item, &(*(ret))[list_i], (note)); \
		} \
		list_r; \
	})

static int read_operation(struct arena *a, const struct spot *s, struct operation_def *o,
			  struct err_note *note)
{
	static const char *const keys[] = {"name", "text", "parameters", "within", NULL};

	TRY(in_object(s, keys, note));
	TRY(in_text(s, "name", NULL, &o->name, note));
	TRY(in_text(s, "text", "", &o->text, note));
	TRY(read_duration(s, "within", &o->within_ns, note));
	return READ_LIST(a, s, "parameters", read_parameter, &o->parameters, &o->n_parameters, note);
}

static int read_health(const struct spot *up, struct health_def *h, struct err_note *note)
{
	static const char *const keys[N_HEALTH_RULES][6] = {
		[HEALTH_OWN] = {"rule", NULL},
		[HEALTH_WORST] = {"rule", "hierarchy", NULL},
		[HEALTH_K_OF_N] = {"rule", "hierarchy", "k", NULL},
		[HEALTH_WEIGHTED] = {"rule", "hierarchy", "weight", "warning", "alarm", NULL},
	};
	const struct spot s = spot_key(up, "health"), rule = spot_key(&s, "rule");
	const char *text;

	*h = (struct health_def){.hierarchy = "", .weight = ""};
	if (!s.json)
		return 0;
	TRY(in_text(&s, "rule", NULL, &text, note));
	if (!health_rule_parse(text, &h->rule))
		return spot_fail(&rule, note, "%.60s is none of own, worst, k-of-n, weighted", text);
	TRY(in_object(&s, keys[h->rule], note));
	TRY(in_text(&s, "hierarchy", "", &h->hierarchy, note));
	TRY(in_count(&s, "k", 0, &h->k, note));
	TRY(in_text(&s, "weight", "", &h->weight, note));
	TRY(in_number(&s, "warning", 0, &h->warning, note));
	return in_number(&s, "alarm", 0, &h->alarm, note);
}

/* A type that extends another is of that one's kind. */
static int read_type_kind(const struct spot *s, kind_of_type_fn *kind_of_type, void *ctx,
			  struct type_def *type, struct err_note *note)
{
	const struct spot extends = spot_key(s, "extends");

	if (json_object_get(s->json, "kind") || !*type->parent || !kind_of_type)
		return in_kind(s, &type->kind, note);
	if (!kind_of_type(ctx, type->parent, &type->kind))
		return spot_fail(&extends, note, "unknown type %.100s: define it under \"types\"",
				 type->parent);
	return 0;
}

int document_type(struct arena *a, const struct spot *s, kind_of_type_fn *kind_of_type, void *ctx,
		  struct type_def *ret, struct err_note *note)
{
	static const char *const keys[] = {"name",       "version", "kind",       "extends", "retention",
					   "properties", "alarms",  "operations", "health",  NULL};
	struct type_def type = {0};
	struct err_note why = {0};

	TRY(in_object(s, keys, note));
	TRY(in_text(s, "name", NULL, &type.name, note));
	TRY(in_count(s, "version", 1, &type.version, note));
	TRY(in_text(s, "extends", "", &type.parent, note));
	TRY(read_type_kind(s, kind_of_type, ctx, &type, note));
	TRY(read_retention(s, &type.retention, note));
	TRY(READ_LIST(a, s, "properties", read_property, &type.properties, &type.n_properties, note));
	TRY(READ_LIST(a, s, "alarms", read_alarm, &type.alarms, &type.n_alarms, note));
	TRY(READ_LIST(a, s, "operations", read_operation, &type.operations, &type.n_operations, note));
	TRY(read_health(s, &type.health, note));
	TRY(spot_blame(s, type_def_check(&type, &why), &why, note));
	*ret = type;
	return 0;
}

/* The types of the list, wherever they stand in it, and those known elsewhere. */
struct kinds {
	const struct spot *list;
	kind_of_type_fn *elsewhere; /* may be NULL */
	void *ctx;
};

static const json_t *type_in_list(const struct spot *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list->json); i++) {
		const json_t *item = json_array_get(list->json, i);
		const char *text = json_string_value(json_object_get(item, "name"));
		if (text && strcmp(text, name) == 0)
			return item;
	}
	return NULL;
}

static bool kind_in_list(void *ctx, const char *type, enum kind *ret)
{
	const struct kinds *kinds = ctx;

	for (int depth = 0; depth < TYPE_DEPTH_MAX; depth++) {
		const json_t *item = type_in_list(kinds->list, type);
		const char *kind = json_string_value(json_object_get(item, "kind"));
		if (!item)
			return kinds->elsewhere && kinds->elsewhere(kinds->ctx, type, ret);
		if (kind)
			return kind_parse(kind, ret);
		type = json_string_value(json_object_get(item, "extends"));
		if (!type)
			return false;
	}
	return false;
}

int document_types(struct arena *a, const struct spot *list, kind_of_type_fn *elsewhere, void *ctx,
		   struct type_def **ret, size_t *ret_n, struct err_note *note)
{
	struct kinds kinds = {list, elsewhere, ctx};

	TRY(in_list(list, ret_n, note));
	*ret = arena_take_array(a, *ret_n, sizeof **ret);
	if (!*ret)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < *ret_n; i++) {
		const struct spot item = spot_item(list, i);
		TRY(document_type(a, &item, kind_in_list, &kinds, &(*ret)[i], note));
	}
	return 0;
}
