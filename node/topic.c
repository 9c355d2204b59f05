/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* strchrnul() */
#include "node/topic.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A level of a pattern: text, a variable, text. */
struct level {
	struct bytes before, name, after; /* name.data NULL: there is no variable */
	bool rest;                        /* {name+} */
};

static struct bytes span(const char *from, const char *to)
{
	return (struct bytes){(const uint8_t *)from, (size_t)(to - from)};
}

/* The level that begins at `at`; returns where the next one begins, NULL: this was the last. */
static const char *read_level(const char *at, struct level *ret)
{
	const char *end = strchrnul(at, '/');
	const char *open = memchr(at, '{', (size_t)(end - at));
	const char *close = open ? memchr(open, '}', (size_t)(end - open)) : NULL;

	*ret = (struct level){.before = span(at, end)};
	if (close) {
		ret->rest = close[-1] == '+';
		ret->before = span(at, open);
		ret->name = span(open + 1, close - ret->rest);
		ret->after = span(close + 1, end);
	}
	return *end ? end + 1 : NULL;
}

/* ---- Checking --------------------------------------------------------------------------------------------
 */

static bool is_variable(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum(name.data[i]) && name.data[i] != '_' && name.data[i] != '-')
			return false;
	return name.len > 0 && name.len < TOPIC_VARIABLE_BYTES;
}

static bool has_any(struct bytes b, const char *chars)
{
	for (size_t i = 0; i < b.len; i++)
		if (strchr(chars, b.data[i]))
			return true;
	return false;
}

static bool has_variable(const char *pattern, struct bytes name)
{
	struct level l;

	for (const char *at = pattern; at;) {
		at = read_level(at, &l);
		if (l.name.data && bytes_equal(l.name, name))
			return true;
	}
	return false;
}

static int check_level(const char *pattern, const char *at, const struct level *l, bool is_last,
		       struct err_note *note)
{
	struct level earlier;

	if (l->before.len + l->name.len + l->after.len == 0)
		return FAIL_SAY(note, ERR_REFUSED, "'%.100s' has an empty level", pattern);
	if (has_any(l->before, "+#{}") || has_any(l->after, "+#{}"))
		return FAIL_SAY(note, ERR_REFUSED,
				"'%.100s': a level is text with at most one {name}, and has no '+' or '#'",
				pattern);
	if (!l->name.data)
		return 0;
	if (!is_variable(l->name))
		return FAIL_SAY(note, ERR_REFUSED,
				"'%.100s': a name in braces has 1 to %d letters, digits, '_' and '-'",
				pattern, TOPIC_VARIABLE_BYTES - 1);
	if (l->rest && (!is_last || l->before.len + l->after.len > 0))
		return FAIL_SAY(note, ERR_REFUSED, "'%.100s': {%.*s+} must be the whole of the last level",
				pattern, (int)l->name.len, (const char *)l->name.data);
	for (const char *p = pattern; p && p < at;) {
		p = read_level(p, &earlier);
		if (earlier.name.data && bytes_equal(earlier.name, l->name) && p && p <= at)
			return FAIL_SAY(note, ERR_REFUSED, "'%.100s' has {%.*s} twice", pattern,
					(int)l->name.len, (const char *)l->name.data);
	}
	return 0;
}

int topic_check(const char *pattern, struct err_note *note)
{
	size_t n_variables = 0;
	struct level l;

	if (strlen(pattern) > TOPIC_PATTERN_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "it is longer than %d bytes", TOPIC_PATTERN_MAX);
	for (const char *at = pattern; at;) {
		const char *next = read_level(at, &l);
		TRY(check_level(pattern, at, &l, !next, note));
		n_variables += l.name.data != NULL;
		at = next;
	}
	if (n_variables > TOPIC_VARIABLES_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "'%.100s' has more than %d names in braces", pattern,
				TOPIC_VARIABLES_MAX);
	return 0;
}

int topic_covers(const char *source, const char *pattern, struct err_note *note)
{
	struct level l;

	for (const char *at = pattern; at;) {
		at = read_level(at, &l);
		if (l.name.data && !has_variable(source, l.name))
			return FAIL_SAY(note, ERR_REFUSED, "{%.*s} does not occur in '%.100s'",
					(int)l.name.len, (const char *)l.name.data, source);
	}
	return 0;
}

/* ---- Matching and filling --------------------------------------------------------------------------------
 */

static bool match_level(const struct level *l, struct bytes text, struct topic_variables *ret)
{
	const size_t around = l->before.len + l->after.len;

	if (!l->name.data)
		return bytes_equal(l->before, text);
	if (text.len <= around || !bytes_start_with(text, l->before) ||
	    memcmp(text.data + text.len - l->after.len, l->after.data, l->after.len) != 0)
		return false;
	ret->of[ret->n++] = (struct topic_variable){l->name, {text.data + l->before.len, text.len - around}};
	return true;
}

bool topic_match(const char *pattern, struct bytes text, struct topic_variables *ret)
{
	const char *at = pattern;

	ret->n = 0;
	while (at) {
		struct level l;
		const uint8_t *slash = memchr(text.data, '/', text.len);
		at = read_level(at, &l);
		const size_t len = slash && !l.rest ? (size_t)(slash - text.data) : text.len;
		if (!match_level(&l, (struct bytes){text.data, len}, ret))
			return false;
		if (!slash || l.rest)
			return !at;
		text = (struct bytes){text.data + len + 1, text.len - len - 1};
	}
	return false;
}

static const struct bytes *find_value(const struct topic_variables *v, struct bytes name)
{
	for (size_t i = 0; i < v->n; i++)
		if (bytes_equal(v->of[i].name, name))
			return &v->of[i].value;
	return NULL;
}

struct out {
	char *at, *end;
	bool full;
};

static void put(struct out *o, struct bytes b)
{
	if (o->full || (size_t)(o->end - o->at) < b.len + 1) {
		o->full = true;
		return;
	}
	if (b.len > 0)
		memcpy(o->at, b.data, b.len);
	o->at += b.len;
}

bool topic_fill(const char *pattern, const struct topic_variables *v, char *ret, size_t size)
{
	struct out o = {ret, ret + size, false};

	for (const char *at = pattern; at;) {
		struct level l;
		const char *next = read_level(at, &l);
		const struct bytes *value = l.name.data ? find_value(v, l.name) : NULL;
		put(&o, l.before);
		if (l.name.data)
			put(&o, value ? *value
				      : span((const char *)l.name.data - 1,
					     (const char *)l.name.data + l.name.len + l.rest + 1));
		put(&o, l.after);
		if (next)
			put(&o, BYTES("/"));
		at = next;
	}
	*o.at = '\0';
	return !o.full;
}

const char *topic_filter(struct arena *a, const char *pattern)
{
	const char *filter = "";

	for (const char *at = pattern; at && filter;) {
		struct level l;
		const char *next = read_level(at, &l);
		if (l.name.data)
			filter = arena_print(a, "%s%s%s", filter, l.rest ? "#" : "+", next ? "/" : "");
		else
			filter = arena_print(a, "%s%.*s%s", filter, (int)l.before.len,
					     (const char *)l.before.data, next ? "/" : "");
		at = next;
	}
	return filter;
}
