/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jsonin.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/clock.h"

const char *document_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "stdin" : path;
}

int json_load_document(const char *path, json_t **ret, struct err_note *note)
{
	json_error_t e;
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	int r;

	if (!f)
		return FAIL_SAY(note, -errno, "%s: %s", path, err_text(-errno));
	*ret = json_loadf(f, JSON_REJECT_DUPLICATES, &e);
	r = *ret ? 0 : FAIL_SAY(note, ERR_REFUSED, "%s:%d: %s", document_name(path), e.line, e.text);
	if (f != stdin)
		fclose(f);
	return r;
}

struct spot spot_key(const struct spot *up, const char *key)
{
	return (struct spot){up->file, up, key, 0, json_object_get(up->json, key)};
}

struct spot spot_item(const struct spot *list, size_t index)
{
	return (struct spot){list->file, list, NULL, index, json_array_get(list->json, index)};
}

static void write_way(const struct spot *s, char *text, size_t size)
{
	size_t len;

	if (!s->up) {
		snprintf(text, size, "%s:", s->file);
		return;
	}
	write_way(s->up, text, size);
	len = strlen(text);
	if (!s->key)
		snprintf(text + len, size - len, "[%zu]", s->index);
	else
		snprintf(text + len, size - len, "%s%s", s->up->up ? "." : " ", s->key);
}

int spot_fail(const struct spot *s, struct err_note *note, const char *format, ...)
{
	char way[160], what[sizeof note->text];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	write_way(s, way, sizeof way);
	return FAIL_SAY(note, ERR_REFUSED, "%s%s %s", way, s->up ? ":" : "", what);
}

int spot_blame(const struct spot *s, int code, const struct err_note *why, struct err_note *note)
{
	if (code >= 0)
		return code;
	return spot_fail(s, note, "%s", *why->text ? why->text : err_text(code));
}

static int unknown_key(const struct spot *s, const char *key, const char *const keys[], struct err_note *note)
{
	const struct spot at = spot_key(s, key);
	char known[160] = "";

	for (size_t i = 0; keys[i]; i++) {
		const size_t len = strlen(known);
		snprintf(known + len, sizeof known - len, "%s%s", i > 0 ? ", " : "", keys[i]);
	}
	return spot_fail(&at, note, "unknown key, expected one of %s", known);
}

int in_object(const struct spot *s, const char *const keys[], struct err_note *note)
{
	const char *key;
	json_t *value;

	if (!json_is_object(s->json))
		return spot_fail(s, note, "an object is expected here");
	json_object_foreach(s->json, key, value)
	{
		size_t i = 0;
		while (keys[i] && strcmp(keys[i], key) != 0)
			i++;
		if (!keys[i] && strcmp(key, "note") != 0)
			return unknown_key(s, key, keys, note);
	}
	return 0;
}

int in_list(const struct spot *s, size_t *ret_n, struct err_note *note)
{
	if (s->json && !json_is_array(s->json))
		return spot_fail(s, note, "a list is expected here");
	*ret_n = json_array_size(s->json);
	return 0;
}

int in_text(const struct spot *up, const char *key, const char *fallback, const char **ret,
	    struct err_note *note)
{
	const struct spot s = spot_key(up, key);

	if (!s.json && !fallback)
		return spot_fail(up, note, "the key \"%s\" is missing", key);
	if (s.json &&
	    (!json_is_string(s.json) || strlen(json_string_value(s.json)) != json_string_length(s.json)))
		return spot_fail(&s, note, "a text is expected here");
	*ret = s.json ? json_string_value(s.json) : fallback;
	return 0;
}

int in_number(const struct spot *up, const char *key, double fallback, double *ret, struct err_note *note)
{
	const struct spot s = spot_key(up, key);

	if (s.json && !json_is_number(s.json) && !json_is_null(s.json))
		return spot_fail(&s, note, "a number is expected here");
	*ret = json_is_number(s.json) ? json_number_value(s.json) : fallback;
	return 0;
}

int in_count(const struct spot *up, const char *key, uint32_t fallback, uint32_t *ret, struct err_note *note)
{
	const struct spot s = spot_key(up, key);
	const json_int_t number = json_integer_value(s.json);

	if (s.json && (!json_is_integer(s.json) || number < 0 || number > UINT32_MAX))
		return spot_fail(&s, note, "a whole number is expected here");
	*ret = s.json ? (uint32_t)number : fallback;
	return 0;
}

int in_bool(const struct spot *up, const char *key, bool fallback, bool *ret, struct err_note *note)
{
	const struct spot s = spot_key(up, key);

	if (s.json && !json_is_boolean(s.json))
		return spot_fail(&s, note, "true or false is expected here");
	*ret = s.json ? json_is_true(s.json) : fallback;
	return 0;
}

int in_time(const struct spot *up, const char *key, int64_t fallback_ns, int64_t *ret_ns,
	    struct err_note *note)
{
	const struct spot s = spot_key(up, key);
	struct err_note why = {0};

	*ret_ns = fallback_ns;
	if (!s.json || json_is_null(s.json))
		return 0;
	if (json_is_number(s.json)) {
		const double ns = json_number_value(s.json) * (double)NS_PER_S;
		if (!(ns > -9.2e18 && ns < 9.2e18))
			return spot_fail(&s, note,
					 "a time is expected here: ISO 8601, or seconds since 1970");
		*ret_ns = json_is_integer(s.json) ? json_integer_value(s.json) * NS_PER_S : (int64_t)ns;
		return 0;
	}
	if (!json_is_string(s.json))
		return spot_fail(&s, note, "a time is expected here: ISO 8601, or seconds since 1970");
	return spot_blame(&s, time_parse(json_string_value(s.json), ret_ns, &why), &why, note);
}
