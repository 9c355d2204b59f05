/* SPDX-License-Identifier: Apache-2.0 */
/* A mapping out of the configuration. */
#include <string.h>

#include "node/payload.h"
#include "proto/clock.h"
#include "proto/unit.h"

static const char *const formats[] = {"json", "value", "csv", "sparkplug", NULL};
static const char *const time_units[] = {"iso", "s", "ms", "us", "ns", NULL};

/* As it stands in the configuration. */
struct raw {
	struct payload_map map;
	const json_t *values, *columns, *qualities;
};

static const struct setting map_keys[] = {
	{.name = "topic", .type = SETTING_TEXT, SETTING_IN(struct raw, map.topic), .required = true},
	{.name = "twin", .type = SETTING_TEXT, SETTING_IN(struct raw, map.twin), .required = true},
	{.name = "format", .type = SETTING_WORD, SETTING_IN(struct raw, map.format), .words = formats},
	{.name = "items", .type = SETTING_TEXT, SETTING_IN(struct raw, map.items), .min = 1},
	{.name = "time", .type = SETTING_TEXT, SETTING_IN(struct raw, map.time), .min = 1},
	{.name = "time-unit",
	 .type = SETTING_WORD,
	 SETTING_IN(struct raw, map.time_unit),
	 .words = time_units},
	{.name = "time-offset-max",
	 .type = SETTING_DURATION,
	 SETTING_IN(struct raw, map.offset_max_ns),
	 .min = 1e6,
	 .max = 3.2e18},
	{.name = "quality", .type = SETTING_TEXT, SETTING_IN(struct raw, map.quality), .min = 1},
	{.name = "qualities", .type = SETTING_OBJECT, SETTING_IN(struct raw, qualities)},
	{.name = "separator",
	 .type = SETTING_TEXT,
	 SETTING_IN(struct raw, map.separator),
	 .min = 1,
	 .max = 1},
	{.name = "columns", .type = SETTING_LIST, SETTING_IN(struct raw, columns), .min = 1, .max = 1000},
	{.name = "values",
	 .type = SETTING_LIST,
	 SETTING_IN(struct raw, values),
	 .min = 1,
	 .max = PAYLOAD_VALUES_MAX},
	{0},
};

static const struct setting value_keys[] = {
	{.name = "property",
	 .type = SETTING_TEXT,
	 SETTING_IN(struct payload_value, property),
	 .required = true},
	{.name = "from", .type = SETTING_TEXT, SETTING_IN(struct payload_value, from), .min = 1},
	{.name = "sigma", .type = SETTING_TEXT, SETTING_IN(struct payload_value, sigma), .min = 1},
	{.name = "optional", .type = SETTING_BOOL, SETTING_IN(struct payload_value, optional)},
	{.name = "words", .type = SETTING_OBJECT, SETTING_IN(struct payload_value, words)},
	{.name = "scale", .type = SETTING_NUMBER, SETTING_IN(struct payload_value, scale.scale)},
	{.name = "offset", .type = SETTING_NUMBER, SETTING_IN(struct payload_value, scale.offset)},
	{.name = "unit", .type = SETTING_TEXT, SETTING_IN(struct payload_value, scale.unit), .max = UNIT_MAX},
	{0},
};

/* ---- Columns ---------------------------------------------------------------------------------------------
 */

static int read_columns(const struct setting_at *at, struct arena *a, struct payload_map *m,
			struct err_note *note)
{
	const struct setting_at list = setting_key(at, "columns");

	m->n_columns = json_array_size(list.json);
	m->columns = arena_take_array(a, m->n_columns, sizeof *m->columns);
	if (!m->columns)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < m->n_columns; i++) {
		const struct setting_at item = setting_item(&list, i);
		m->columns[i] = json_string_value(item.json);
		if (!m->columns[i])
			return setting_fail(&item, note, "it must be a text: the name of a column");
	}
	return 0;
}

static int find_column(const struct setting_at *at, const struct payload_map *m, const char *key,
		       const char *name, size_t *ret, struct err_note *note)
{
	if (!name || m->format != PAYLOAD_CSV)
		return 0;
	for (*ret = 0; *ret < m->n_columns; (*ret)++)
		if (strcmp(m->columns[*ret], name) == 0)
			return 0;
	const struct setting_at inner = setting_key(at, key);
	return setting_fail(&inner, note, "'%.60s' is not one of the columns", name);
}

/* ---- Values ----------------------------------------------------------------------------------------------
 */

static int check_words(const struct setting_at *at, const char *key, const json_t *words, bool qualities,
		       struct err_note *note)
{
	const struct setting_at list = setting_key(at, key);
	enum quality q;

	for (void *i = json_object_iter((json_t *)(uintptr_t)words); words && i;
	     i = json_object_iter_next((json_t *)(uintptr_t)words, i)) {
		const struct setting_at item = setting_key(&list, json_object_iter_key(i));
		const char *text = json_string_value(item.json);
		if (!text)
			return setting_fail(&item, note, "it must be a text in quotes");
		if (qualities && !quality_parse(text, &q))
			return setting_fail(&item, note, "it must be one of: good, uncertain, bad");
	}
	return 0;
}

static int check_value(const struct setting_at *at, const struct payload_map *m, struct payload_value *v,
		       struct err_note *note)
{
	const struct setting_at property = setting_key(at, "property"), unit = setting_key(at, "unit");
	struct err_note why = {0};
	int r = topic_check(v->property, &why);

	if (r == 0)
		r = topic_covers(m->topic, v->property, &why);
	if (r < 0)
		return setting_blame(&property, r, &why, note);
	r = unit_check(v->scale.unit, &why);
	if (r < 0)
		return setting_blame(&unit, r, &why, note);
	if (!v->from && m->format != PAYLOAD_VALUE)
		return setting_fail(at, note, "the key 'from' is missing");
	if (v->from && m->format == PAYLOAD_VALUE)
		return setting_fail(at, note, "'from' means nothing where the format is 'value'");
	TRY(find_column(at, m, "from", v->from, &v->column, note));
	TRY(find_column(at, m, "sigma", v->sigma, &v->sigma_column, note));
	return check_words(at, "words", v->words, false, note);
}

static int read_values(const struct setting_at *at, struct arena *a, struct payload_map *m,
		       struct err_note *note)
{
	const struct setting_at list = setting_key(at, "values");

	m->n_values = json_array_size(list.json);
	m->values = arena_take_array(a, m->n_values, sizeof *m->values);
	if (!m->values)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < m->n_values; i++) {
		const struct setting_at item = setting_item(&list, i);
		m->values[i].scale = (struct payload_scale){.scale = 1, .unit = ""};
		TRY(setting_read(&item, value_keys, &m->values[i], note));
		TRY(check_value(&item, m, &m->values[i], note));
	}
	return 0;
}

/* ---- The whole -------------------------------------------------------------------------------------------
 */

/* `spBv1.0/GROUP/{TYPE}/NODE` or `.../NODE/DEVICE`: messages of all types are needed to know any. */
static int check_sparkplug(const struct setting_at *at, const struct payload_map *m, struct err_note *note)
{
	const struct setting_at topic = setting_key(at, "topic");
	const char *level = m->topic, *type = NULL;
	size_t n = 1;

	for (const char *c = m->topic; *c; c++) {
		n += *c == '/';
		if (*c == '/' && n == 3)
			type = c + 1;
	}
	const char *end = type ? strchr(type, '/') : NULL;
	if (strncmp(level, "spBv1.0/", 8) != 0 || n < 4 || n > 5 || !end || type[0] != '{' ||
	    end[-1] != '}' || strstr(level, "+}"))
		return setting_fail(&topic, note,
				    "it must be spBv1.0/{group}/{type}/{node} or "
				    "spBv1.0/{group}/{type}/{node}/{device} where the format is 'sparkplug'; "
				    "the type is a name in braces");
	if (m->time || m->quality)
		return setting_fail(at, note, "'time' and 'quality' are in the payload of 'sparkplug'");
	for (size_t i = 0; i < m->n_values; i++)
		if (m->values[i].sigma)
			return setting_fail(at, note,
					    "'sigma' means nothing where the format is 'sparkplug'");
	return 0;
}

/* Keys that mean nothing with a format are refused: who wrote them thinks that they do something. */
static int check_format(const struct setting_at *at, const struct payload_map *m, struct err_note *note)
{
	if ((m->format == PAYLOAD_CSV) != (m->n_columns > 0))
		return setting_fail(at, note, "'columns' goes with the format 'csv', and with no other");
	if (m->items && m->format != PAYLOAD_JSON)
		return setting_fail(at, note, "'items' goes with the format 'json' only");
	if (m->format == PAYLOAD_VALUE && (m->time || m->quality || m->n_values != 1))
		return setting_fail(
			at, note,
			"where the format is 'value' there is exactly one of 'values', and no 'time' "
			"and 'quality'");
	if (m->format == PAYLOAD_CSV && m->n_values == 0)
		return setting_fail(at, note, "the key 'values' is missing");
	return m->format == PAYLOAD_SPARKPLUG ? check_sparkplug(at, m, note) : 0;
}

static int check_patterns(const struct setting_at *at, const struct payload_map *m, struct err_note *note)
{
	const struct setting_at topic = setting_key(at, "topic"), twin = setting_key(at, "twin");
	struct err_note why = {0};
	int r = topic_check(m->topic, &why);

	if (r < 0)
		return setting_blame(&topic, r, &why, note);
	r = topic_check(m->twin, &why);
	if (r == 0)
		r = topic_covers(m->topic, m->twin, &why);
	return r < 0 ? setting_blame(&twin, r, &why, note) : 0;
}

int payload_map_read(const struct setting_at *at, struct arena *a, struct payload_map *ret,
		     struct err_note *note)
{
	struct raw raw = {.map = {.separator = ","}};

	TRY(setting_read(at, map_keys, &raw, note));
	TRY(check_patterns(at, &raw.map, note));
	TRY(read_columns(at, a, &raw.map, note));
	raw.map.qualities = raw.qualities;
	TRY(check_words(at, "qualities", raw.qualities, true, note));
	TRY(find_column(at, &raw.map, "time", raw.map.time, &raw.map.time_column, note));
	TRY(find_column(at, &raw.map, "quality", raw.map.quality, &raw.map.quality_column, note));
	TRY(read_values(at, a, &raw.map, note));
	TRY(check_format(at, &raw.map, note));
	*ret = raw.map;
	return 0;
}
