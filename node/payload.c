/* SPDX-License-Identifier: Apache-2.0 */
/* What all formats share: the time, quality and value of one record. */
#include "node/payload.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "proto/clock.h"
#include "proto/unit.h"

enum { REASON_BYTES = 250, SHOWN_BYTES = 60 };

void payload_fault(const struct taking *k, const char *format, ...)
{
	char reason[REASON_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof reason, format, args);
	va_end(args);
	k->sink->fault(k->sink->ctx, reason);
}

void payload_take(struct payload_map *m, const struct topic_variables *v, struct bytes payload,
		  struct arena *a, const struct payload_sink *sink)
{
	struct taking k = {.map = m, .variables = v, .arena = a, .sink = sink};

	if (m->format == PAYLOAD_JSON)
		payload_take_json(&k, payload);
	else
		payload_take_text(&k, payload);
}

/* ---- Time and quality ------------------------------------------------------------------------------------
 */

static const int64_t units_ns[] = {
	[TIME_S] = NS_PER_S, [TIME_MILLI] = NS_PER_MS, [TIME_MICRO] = 1000, [TIME_NANO] = 1};

/* Whole numbers without loss; of others the whole seconds apart, as a double has 53 bits. */
static bool number_time(const json_t *j, int unit, int64_t *ret_ns)
{
	if (unit == TIME_ISO)
		return false;
	if (json_is_integer(j))
		return !__builtin_mul_overflow((int64_t)json_integer_value(j), units_ns[unit], ret_ns);
	const double v = json_real_value(j), whole = floor(v);
	if (!isfinite(v) || fabs(v) * (double)units_ns[unit] > 9.2e18)
		return false;
	*ret_ns = (int64_t)whole * units_ns[unit] + (int64_t)((v - whole) * (double)units_ns[unit]);
	return true;
}

static bool text_time(const char *text, int unit, int64_t *ret_ns)
{
	char *end;

	if (unit == TIME_ISO)
		return time_parse(text, ret_ns, NULL) == 0;
	errno = 0;
	const long long whole = strtoll(text, &end, 10);
	if (end == text || errno != 0)
		return false;
	if (*end == '\0')
		return !__builtin_mul_overflow((int64_t)whole, units_ns[unit], ret_ns);
	const double v = strtod(text, &end), part = v - (double)whole;
	if (*end != '\0' || !isfinite(v) || fabs(v) * (double)units_ns[unit] > 9.2e18)
		return false;
	*ret_ns = whole * units_ns[unit] + (int64_t)(part * (double)units_ns[unit]);
	return true;
}

void payload_judge_clock(const struct taking *k, struct record_time *at)
{
	const int64_t now_ns = k->sink->now_ns;
	int64_t off_ns;

	if (k->map->offset_max_ns == 0)
		return;
	const bool over = __builtin_sub_overflow(at->t_ns, now_ns, &off_ns);
	if (!over && off_ns <= k->map->offset_max_ns && off_ns >= -k->map->offset_max_ns)
		return;
	at->t_ns = now_ns;
	at->quality = at->quality == QUALITY_GOOD ? QUALITY_UNCERTAIN : at->quality;
	k->sink->wrong_clock(k->sink->ctx);
}

bool payload_time_of(const struct taking *k, const json_t *j, struct record_time *ret)
{
	static const char *const names[] = {"ISO 8601", "s", "ms", "us", "ns"};
	const int unit = k->map->time_unit;
	bool ok = false;

	ret->t_ns = k->sink->now_ns;
	if (!k->map->time)
		return true;
	if (json_is_number(j))
		ok = number_time(j, unit, &ret->t_ns);
	else if (json_is_string(j))
		ok = text_time(json_string_value(j), unit, &ret->t_ns);
	if (ok)
		payload_judge_clock(k, ret);
	else if (!j)
		payload_fault(k, "there is no time at '%.60s'", k->map->time);
	else
		payload_fault(k, "what is at '%.60s' is no time in %s", k->map->time, names[unit]);
	return ok;
}

/* A scalar as text; NULL: it is none. */
static const char *scalar_text(struct arena *a, const json_t *j)
{
	if (json_is_string(j))
		return json_string_value(j);
	if (json_is_integer(j))
		return arena_print(a, "%lld", (long long)json_integer_value(j));
	if (json_is_real(j))
		return arena_print(a, "%.17g", json_real_value(j));
	return json_is_true(j) ? "true" : json_is_false(j) ? "false" : NULL;
}

/* A word that nobody explained is not trusted. */
void payload_quality_of(const struct taking *k, const json_t *j, struct record_time *ret)
{
	const char *text = scalar_text(k->arena, j);
	char low[SHOWN_BYTES];

	ret->quality = QUALITY_GOOD;
	if (!k->map->quality)
		return;
	ret->quality = QUALITY_UNCERTAIN;
	if (!text)
		return;
	if (k->map->qualities)
		text = json_string_value(json_object_get(k->map->qualities, text));
	else if (json_is_boolean(j))
		text = json_is_true(j) ? "good" : "bad";
	snprintf(low, sizeof low, "%s", text ? text : "");
	for (char *c = low; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	quality_parse(low, &ret->quality);
}

/* ---- Values ----------------------------------------------------------------------------------------------
 */

static bool read_number(const json_t *j, double *ret)
{
	*ret = json_is_number(j) ? json_number_value(j) : NAN;
	return json_is_number(j);
}

/* {"lat": .., "lon": .., "alt": ..}, or a list of the two or three. */
static bool position_of(const json_t *j, struct value *ret)
{
	static const char *const names[] = {"lat", "lon", "alt"};
	double at[3] = {NAN, NAN, NAN};
	bool has[3];

	for (size_t i = 0; i < 3; i++)
		has[i] = read_number(json_is_array(j) ? json_array_get(j, i) : json_object_get(j, names[i]),
				     &at[i]);
	*ret = (struct value){.type = VALUE_POSITION, .position = {at[0], at[1], at[2]}};
	return has[0] && has[1] && position_is_valid(&ret->position);
}

static bool value_of_json(const json_t *j, enum value_type wanted, struct value *ret)
{
	if (json_is_boolean(j))
		*ret = (struct value){.type = VALUE_BOOL, .boolean = json_is_true(j)};
	else if (json_is_integer(j))
		*ret = (struct value){.type = VALUE_INT64, .integer = json_integer_value(j)};
	else if (json_is_real(j))
		*ret = (struct value){.type = VALUE_DOUBLE, .real = json_real_value(j)};
	else if (json_is_string(j))
		*ret = (struct value){.type = VALUE_TEXT, .text = json_string_value(j)};
	else
		return wanted == VALUE_POSITION && position_of(j, ret);
	return true;
}

/* By the words of the mapping; NULL: they have nothing for it, and there are some. */
static const char *translate(const struct payload_value *v, const char *text)
{
	return text ? json_string_value(json_object_get(v->words, text)) : NULL;
}

/* What stands there, as the property wants it; false: told why not. */
static bool find_value(const struct taking *k, const struct payload_value *v, const json_t *j,
		       const char *text, const struct property_def *def, struct value *ret)
{
	struct err_note note = {0};

	if (v->words) {
		const char *given = text ? text : scalar_text(k->arena, j);
		text = translate(v, given);
		if (!text) {
			payload_fault(k, "'words' of %.60s have nothing for '%.60s'", def->name,
				      given ? given : "it");
			return false;
		}
	}
	const bool is_scaled = v->scale.scale != 1 || v->scale.offset != 0 || v->scale.unit[0];
	const enum value_type type = is_scaled ? VALUE_DOUBLE : def->type;
	if (text && value_parse(k->arena, type, text, ret, &note) == 0)
		return true;
	if (!text && value_of_json(j, def->type, ret))
		return true;
	if (text)
		payload_fault(k, "%.60s: '%.60s' is no %s", def->name, text, value_type_text(def->type));
	else
		payload_fault(k, "%.60s: what is at '%.60s' is no value", def->name, v->from);
	return false;
}

static bool convert(const struct taking *k, struct payload_value *v, const struct property_def *def,
		    struct sample *s)
{
	struct payload_scale *c = &v->scale;
	struct err_note note = {0};
	double x;

	if (c->scale == 1 && c->offset == 0 && !c->unit[0])
		return true;
	if (s->value.type == VALUE_BOOL || !value_number(&s->value, &x)) {
		payload_fault(k, "%.60s: it is no number, and has a scale or unit", def->name);
		return false;
	}
	if (c->unit[0] && (!c->is_known || strcmp(c->to, def->unit) != 0)) {
		if (unit_convert(c->unit, def->unit, &c->unit_scale, &c->unit_offset, &note) < 0) {
			payload_fault(k, "%.60s: %s", def->name, note.text);
			return false;
		}
		snprintf(c->to, sizeof c->to, "%s", def->unit);
		c->is_known = true;
	}
	x = x * c->scale + c->offset;
	s->sigma *= fabs(c->scale);
	if (c->unit[0]) {
		x = x * c->unit_scale + c->unit_offset;
		s->sigma *= fabs(c->unit_scale);
	}
	s->value = (struct value){.type = VALUE_DOUBLE, .real = x};
	return true;
}

void payload_put(const struct taking *k, struct payload_value *v, const json_t *j, const char *text,
		 double sigma, const struct record_time *at)
{
	struct sample s = {.t_ns = at->t_ns, .quality = at->quality, .sigma = sigma};
	char property[PROPERTY_MAX + 1];

	if (!topic_fill(v->property, k->variables, property, sizeof property)) {
		payload_fault(k, "the name of the property is too long");
		return;
	}
	const struct property_def *def = k->sink->wants(k->sink->ctx, property);
	if (!def) {
		payload_fault(k, "the twin has no property %.100s", property);
		return;
	}
	if (!find_value(k, v, j, text, def, &s.value) || !convert(k, v, def, &s))
		return;
	k->sink->put(k->sink->ctx, property, &s);
}
