/* SPDX-License-Identifier: Apache-2.0 */
#include "node/setting.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/clock.h"

enum { WAY_BYTES = 128, WORDS_BYTES = 160, TEXT_DEFAULT_MAX = 4096, LIST_DEFAULT_MAX = 10000 };

/* ---- Where -----------------------------------------------------------------------------------------------
 */

static size_t put_way(const struct setting_at *at, char *ret, size_t size)
{
	const size_t n = at->up ? put_way(at->up, ret, size) : 0;
	int more;

	if (!at->up)
		more = snprintf(ret + n, size - n, "%s:", at->key);
	else if (at->key)
		more = snprintf(ret + n, size - n, "%s%s", at->up->up ? "." : " ", at->key);
	else
		more = snprintf(ret + n, size - n, "[%zu]", at->index);
	return more < 0 || n + (size_t)more >= size ? size - 1 : n + (size_t)more;
}

int setting_fail(const struct setting_at *at, struct err_note *note, const char *format, ...)
{
	char way[WAY_BYTES] = "", text[sizeof note->text];
	va_list args;

	put_way(at, way, sizeof way);
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return FAIL_SAY(note, ERR_REFUSED, "%s%s %s", way, at->up ? ":" : "", text);
}

int setting_blame(const struct setting_at *at, int code, const struct err_note *why, struct err_note *note)
{
	return code == ERR_REFUSED || code == ERR_UNIT ? setting_fail(at, note, "%s", why->text) : code;
}

struct setting_at setting_key(const struct setting_at *up, const char *key)
{
	return (struct setting_at){.up = up, .key = key, .json = json_object_get(up->json, key)};
}

struct setting_at setting_item(const struct setting_at *list, size_t index)
{
	return (struct setting_at){.up = list, .index = index, .json = json_array_get(list->json, index)};
}

int setting_parse(const char *name, const char *text, size_t len, json_t **ret, struct err_note *note)
{
	json_error_t why;
	json_t *j = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);

	if (!j)
		return FAIL_SAY(note, ERR_REFUSED, "%s:%d: %s", name, why.line, why.text);
	if (!json_is_object(j)) {
		json_decref(j);
		return FAIL_SAY(note, ERR_REFUSED, "%s: it must be one JSON object { ... }", name);
	}
	*ret = j;
	return 0;
}

/* ---- Values ----------------------------------------------------------------------------------------------
 */

typedef int read_fn(const struct setting_at *at, const struct setting *s, void *into, struct err_note *note);

static void *field(const struct setting *s, void *into)
{
	return (char *)into + s->offset;
}

static int read_text(const struct setting_at *at, const struct setting *s, void *into, struct err_note *note)
{
	const char *text = json_string_value(at->json);
	const double max = s->max > 0 ? s->max : TEXT_DEFAULT_MAX;

	if (!text)
		return setting_fail(at, note, "it must be a text in quotes");
	if ((double)strlen(text) < s->min || (double)strlen(text) > max)
		return setting_fail(at, note, "it must have %.0f to %.0f bytes", s->min, max);
	*(const char **)field(s, into) = text;
	return 0;
}

static int read_int(const struct setting_at *at, const struct setting *s, void *into, struct err_note *note)
{
	const json_int_t v = json_integer_value(at->json);

	if (!json_is_integer(at->json) || (double)v < s->min || (double)v > s->max)
		return setting_fail(at, note, "it must be a whole number from %.0f to %.0f", s->min, s->max);
	*(int64_t *)field(s, into) = v;
	return 0;
}

static int read_number(const struct setting_at *at, const struct setting *s, void *into,
		       struct err_note *note)
{
	const double v = json_number_value(at->json);
	const bool bounded = s->min < s->max;

	if (!json_is_number(at->json) || !isfinite(v))
		return setting_fail(at, note, "it must be a number");
	if (bounded && (v < s->min || v > s->max))
		return setting_fail(at, note, "it must be a number from %g to %g", s->min, s->max);
	*(double *)field(s, into) = v;
	return 0;
}

static int read_bool(const struct setting_at *at, const struct setting *s, void *into, struct err_note *note)
{
	if (!json_is_boolean(at->json))
		return setting_fail(at, note, "it must be true or false");
	*(bool *)field(s, into) = json_is_true(at->json);
	return 0;
}

static const char *list_words(const char *const *words, char *ret, size_t size)
{
	size_t n = 0;

	ret[0] = '\0';
	for (size_t i = 0; words[i] && n + 1 < size; i++) {
		const int more = snprintf(ret + n, size - n, "%s%s", i > 0 ? ", " : "", words[i]);
		n += more > 0 ? (size_t)more : 0;
	}
	return ret;
}

static int read_word(const struct setting_at *at, const struct setting *s, void *into, struct err_note *note)
{
	const char *text = json_string_value(at->json);
	char words[WORDS_BYTES];

	for (int i = 0; text && s->words[i]; i++)
		if (strcmp(text, s->words[i]) == 0) {
			*(int *)field(s, into) = i;
			return 0;
		}
	return setting_fail(at, note, "it must be one of: %s", list_words(s->words, words, sizeof words));
}

static int read_duration(const struct setting_at *at, const struct setting *s, void *into,
			 struct err_note *note)
{
	const char *text = json_string_value(at->json);
	char min[DURATION_TEXT_SIZE], max[DURATION_TEXT_SIZE];
	int64_t ns;

	if (!text || duration_parse(text, &ns, NULL) < 0)
		return setting_fail(at, note, "it must be a duration in quotes, such as \"500ms\" or \"1h\"");
	if ((double)ns < s->min || (double)ns > s->max)
		return setting_fail(at, note, "it must be from %s to %s", duration_text((int64_t)s->min, min),
				    duration_text((int64_t)s->max, max));
	*(int64_t *)field(s, into) = ns;
	return 0;
}

static int read_list(const struct setting_at *at, const struct setting *s, void *into, struct err_note *note)
{
	const double max = s->max > 0 ? s->max : LIST_DEFAULT_MAX, n = (double)json_array_size(at->json);

	if (!json_is_array(at->json))
		return setting_fail(at, note, "it must be a list [ ... ]");
	if (n < s->min || n > max)
		return setting_fail(at, note, "it must have %.0f to %.0f items", s->min, max);
	*(const json_t **)field(s, into) = at->json;
	return 0;
}

static int read_object(const struct setting_at *at, const struct setting *s, void *into,
		       struct err_note *note)
{
	if (!json_is_object(at->json))
		return setting_fail(at, note, "it must be an object { ... }");
	*(const json_t **)field(s, into) = at->json;
	return 0;
}

static int read_any(const struct setting_at *at, const struct setting *s, void *into, struct err_note *note)
{
	(void)note;
	*(const json_t **)field(s, into) = at->json;
	return 0;
}

static read_fn *const readers[] = {
	[SETTING_TEXT] = read_text, [SETTING_INT] = read_int,       [SETTING_NUMBER] = read_number,
	[SETTING_BOOL] = read_bool, [SETTING_WORD] = read_word,     [SETTING_DURATION] = read_duration,
	[SETTING_LIST] = read_list, [SETTING_OBJECT] = read_object, [SETTING_ANY] = read_any,
};

/* ---- Objects ---------------------------------------------------------------------------------------------
 */

static bool is_known(const struct setting *table, const char *key)
{
	if (strcmp(key, "note") == 0)
		return true;
	for (const struct setting *s = table; s->name; s++)
		if (strcmp(key, s->name) == 0)
			return true;
	return false;
}

static int check_keys(const struct setting_at *at, const struct setting *table, struct err_note *note)
{
	const char *names[64] = {NULL}, *key;
	char words[WORDS_BYTES];
	size_t n = 0;

	if (!json_is_object(at->json))
		return setting_fail(at, note, "it must be an object { ... }");
	for (const struct setting *s = table; s->name && n + 1 < sizeof names / sizeof *names; s++)
		names[n++] = s->name;
	for (void *i = json_object_iter((json_t *)(uintptr_t)at->json); i;
	     i = json_object_iter_next((json_t *)(uintptr_t)at->json, i)) {
		key = json_object_iter_key(i);
		if (!is_known(table, key))
			return setting_fail(at, note, "there is no key '%.40s', only: %s", key,
					    list_words(names, words, sizeof words));
	}
	return 0;
}

int setting_read(const struct setting_at *at, const struct setting *table, void *into, struct err_note *note)
{
	TRY(check_keys(at, table, note));
	for (const struct setting *s = table; s->name; s++) {
		const struct setting_at inner = setting_key(at, s->name);
		if (inner.json)
			TRY(readers[s->type](&inner, s, into, note));
		else if (s->required)
			return setting_fail(at, note, "the key '%s' is missing", s->name);
	}
	return 0;
}
