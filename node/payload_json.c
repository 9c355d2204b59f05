/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/payload.h"

enum { KEY_SIZE = 256 };

/* `p.kw`, `list[2].x`, `[0]`; `.`: the whole. NULL: nothing there. */
static const json_t *at_path(const json_t *j, const char *path)
{
	char key[KEY_SIZE];

	if (strcmp(path, ".") == 0)
		return j;
	while (j && *path) {
		if (*path == '[') {
			char *end;
			j = json_array_get(j, strtoul(path + 1, &end, 10));
			path = *end == ']' ? end + 1 : end;
		} else {
			const size_t n = strcspn(path, ".[");
			if (n == 0 || n >= sizeof key)
				return NULL;
			memcpy(key, path, n);
			key[n] = '\0';
			j = json_object_get(j, key);
			path += n;
		}
		path += *path == '.';
	}
	return j;
}

/* What a record does not say may stand beside the list of records. */
static const json_t *in_record(const json_t *record, const json_t *whole, const char *path)
{
	const json_t *j = path ? at_path(record, path) : NULL;

	return path && !j ? at_path(whole, path) : j;
}

static double sigma_of(const json_t *record, const struct payload_value *v)
{
	const json_t *j = v->sigma ? at_path(record, v->sigma) : NULL;

	return json_is_number(j) ? json_number_value(j) : NAN;
}

/* Without `values`: every member that is a property of the twin. */
static void take_members(const struct taking *k, const json_t *record, const struct record_time *at)
{
	json_t *const j = (json_t *)(uintptr_t)record;
	size_t n = 0;

	for (void *i = json_object_iter(j); i; i = json_object_iter_next(j, i)) {
		struct payload_value v = {.property = json_object_iter_key(i),
					  .from = json_object_iter_key(i),
					  .scale = {.scale = 1, .unit = ""}};
		if (!k->sink->wants(k->sink->ctx, v.property))
			continue;
		payload_put(k, &v, json_object_iter_value(i), NULL, NAN, at);
		n++;
	}
	if (n == 0)
		payload_fault(k, "nothing in it has the name of a property of the twin");
}

static void take_record(struct taking *k, const json_t *record, const json_t *whole)
{
	const struct payload_map *m = k->map;
	struct record_time at;

	payload_quality_of(k, in_record(record, whole, m->quality), &at);
	if (!payload_time_of(k, in_record(record, whole, m->time), &at))
		return;
	if (m->n_values == 0)
		take_members(k, record, &at);
	for (size_t i = 0; i < m->n_values; i++) {
		struct payload_value *v = &m->values[i];
		const json_t *j = at_path(record, v->from);
		if (j && !json_is_null(j))
			payload_put(k, v, j, NULL, sigma_of(record, v), &at);
		else if (!v->optional)
			payload_fault(k, "there is nothing at '%.80s'", v->from);
	}
}

static void take_records(struct taking *k, const json_t *whole)
{
	const json_t *list = at_path(whole, k->map->items);
	const size_t n = json_array_size(list);

	if (!json_is_array(list))
		payload_fault(k, "there is no list at '%.80s'", k->map->items);
	else if (n > PAYLOAD_RECORDS_MAX)
		payload_fault(k, "the list at '%.60s' has more than %d records", k->map->items,
			      PAYLOAD_RECORDS_MAX);
	else
		for (size_t i = 0; i < n; i++)
			take_record(k, json_array_get(list, i), whole);
}

void payload_take_json(struct taking *k, struct bytes payload)
{
	json_error_t why;
	json_t *whole = json_loadb((const char *)payload.data, payload.len, JSON_DECODE_ANY, &why);

	if (!whole)
		payload_fault(k, "it is no JSON: line %d: %.120s", why.line, why.text);
	else if (k->map->items)
		take_records(k, whole);
	else
		take_record(k, whole, whole);
	json_decref(whole);
}
