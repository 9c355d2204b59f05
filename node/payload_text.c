/* SPDX-License-Identifier: Apache-2.0 */
/* Plain values, and lines of columns. */
#include <ctype.h>
#include <string.h>

#include "node/payload.h"

static struct bytes trimmed(struct bytes b)
{
	while (b.len > 0 && isspace(b.data[0]))
		b = (struct bytes){b.data + 1, b.len - 1};
	while (b.len > 0 && isspace(b.data[b.len - 1]))
		b.len--;
	return b;
}

static void take_value(const struct taking *k, struct bytes payload)
{
	const struct bytes b = trimmed(payload);
	struct record_time at = {.t_ns = k->sink->now_ns};

	if (b.len == 0 || b.len > TEXT_VALUE_MAX || memchr(b.data, 0, b.len)) {
		payload_fault(k, "it is no value: it must have 1 to %d bytes, and none of them 0",
			      TEXT_VALUE_MAX);
		return;
	}
	const char *text = arena_text(k->arena, b);
	if (text)
		payload_put(k, &k->map->values[0], NULL, text, NAN, &at);
}

/* ---- Lines -----------------------------------------------------------------------------------------------
 */

/* The next field, unquoted in place; *at behind it, NULL: it was the last. NULL: a quote has no end. */
static char *next_field(char **at, char separator)
{
	char *field = *at, *out = *at, *in = *at;
	bool quoted = *in == '"';

	if (!quoted) {
		char *end = strchr(in, separator);
		if (end)
			*end = '\0';
		*at = end ? end + 1 : NULL;
		return field;
	}
	for (in++; *in && quoted; in++) {
		if (*in == '"' && in[1] == '"')
			*out++ = *in++;
		else if (*in == '"')
			quoted = false;
		else
			*out++ = *in;
	}
	if (quoted || (*in && *in != separator))
		return NULL;
	*at = *in ? in + 1 : NULL;
	*out = '\0';
	return field;
}

/* False: it is no line of as many columns. */
static bool split(const struct payload_map *m, char *line, const char **fields)
{
	size_t n = 0;

	for (char *at = line; at; n++) {
		char *field = next_field(&at, m->separator[0]);
		if (!field || n == m->n_columns)
			return false;
		fields[n] = field;
	}
	return n == m->n_columns;
}

static double sigma_of(const char *text)
{
	struct value v;

	return text && value_parse(NULL, VALUE_DOUBLE, text, &v, NULL) == 0 ? v.real : NAN;
}

/* Dates and words are read as those of JSON are. */
static json_t *as_json(const char *key, const char *text)
{
	return key && text[0] ? json_string(text) : NULL;
}

static void take_fields(const struct taking *k, const char *const *fields)
{
	const struct payload_map *m = k->map;
	json_t *time = as_json(m->time, fields[m->time_column]);
	json_t *quality = as_json(m->quality, fields[m->quality_column]);
	struct record_time at;

	payload_quality_of(k, quality, &at);
	const bool has_time = payload_time_of(k, time, &at);
	for (size_t i = 0; has_time && i < m->n_values; i++) {
		struct payload_value *v = &m->values[i];
		const char *text = fields[v->column];
		if (text[0])
			payload_put(k, v, NULL, text, sigma_of(v->sigma ? fields[v->sigma_column] : NULL),
				    &at);
		else if (!v->optional)
			payload_fault(k, "there is nothing in the column '%.80s'", v->from);
	}
	json_decref(time);
	json_decref(quality);
}

static void take_line(struct taking *k, struct bytes line, const char **fields)
{
	line = trimmed(line);
	if (line.len == 0)
		return;
	char *text = memchr(line.data, 0, line.len) ? NULL : arena_text(k->arena, line);
	if (++k->n_records > PAYLOAD_RECORDS_MAX) {
		if (k->n_records == PAYLOAD_RECORDS_MAX + 1)
			payload_fault(k, "it has more than %d lines: the rest is left out",
				      PAYLOAD_RECORDS_MAX);
		return;
	}
	if (text && split(k->map, text, fields))
		take_fields(k, fields);
	else
		payload_fault(k, "line %zu: it has not %zu columns", k->n_records, k->map->n_columns);
}

void payload_take_text(struct taking *k, struct bytes payload)
{
	const char **fields;

	if (k->map->format == PAYLOAD_VALUE) {
		take_value(k, payload);
		return;
	}
	fields = arena_take_array(k->arena, k->map->n_columns, sizeof *fields);
	while (fields && payload.len > 0) {
		const uint8_t *end = memchr(payload.data, '\n', payload.len);
		const size_t len = end ? (size_t)(end - payload.data) : payload.len;
		take_line(k, (struct bytes){payload.data, len}, fields);
		payload = (struct bytes){payload.data + len, payload.len - len};
		if (end)
			payload = (struct bytes){payload.data + 1, payload.len - 1};
	}
}
