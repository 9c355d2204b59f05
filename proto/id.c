/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/id.h"

#include <assert.h>

#include "proto/limits.h"
#include "proto/words.h"

/* What a path may be; a single segment is a path of exactly one. */
struct shape {
	size_t max_bytes, min_segments, max_segments, first_max;
};

static const struct shape twin_shape = {TWIN_ID_MAX, 2, ID_SEGMENTS_MAX, ORG_NAME_MAX};
static const struct shape name_shape = {PROPERTY_MAX, 1, ID_SEGMENTS_MAX, PROPERTY_MAX};

enum flaw {
	FLAW_NONE,
	FLAW_EMPTY,
	FLAW_LONG,
	FLAW_CHARACTER,
	FLAW_EMPTY_SEGMENT,
	FLAW_DOT_SEGMENT,
	FLAW_LONG_ORG,
	FLAW_FEW_SEGMENTS,
	FLAW_MANY_SEGMENTS,
};

static bool is_id_char(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
	       c == '_' || c == '-';
}

static bool is_dots(struct bytes segment)
{
	return bytes_equal(segment, BYTES(".")) || bytes_equal(segment, BYTES(".."));
}

static enum flaw segment_flaw(struct bytes segment)
{
	if (segment.len == 0)
		return FLAW_EMPTY_SEGMENT;
	return is_dots(segment) ? FLAW_DOT_SEGMENT : FLAW_NONE;
}

/* The first flaw of a path; *ret_at is where it is. */
static enum flaw path_flaw(struct bytes path, const struct shape *shape, size_t *ret_at)
{
	size_t n = 0, begin = 0;

	*ret_at = 0;
	if (path.len == 0)
		return FLAW_EMPTY;
	for (size_t i = 0; i <= path.len; i++) {
		*ret_at = i;
		if (i < path.len && path.data[i] != '/') {
			if (!is_id_char(path.data[i]))
				return FLAW_CHARACTER;
			continue;
		}
		enum flaw f = segment_flaw((struct bytes){path.data + begin, i - begin});
		if (f != FLAW_NONE)
			return f;
		if (n == 0 && i > shape->first_max)
			return path.len > shape->max_bytes ? FLAW_LONG : FLAW_LONG_ORG;
		if (++n > shape->max_segments)
			return FLAW_MANY_SEGMENTS;
		begin = i + 1;
	}
	if (path.len > shape->max_bytes)
		return FLAW_LONG;
	return n < shape->min_segments ? FLAW_FEW_SEGMENTS : FLAW_NONE;
}

static bool fits(struct bytes path, const struct shape *shape)
{
	size_t at;

	return path.len <= shape->max_bytes && path_flaw(path, shape, &at) == FLAW_NONE;
}

bool id_is_segment(struct bytes text, size_t max)
{
	return fits(text, &(struct shape){max, 1, 1, max});
}

bool id_is_twin(struct bytes text)
{
	return fits(text, &twin_shape);
}

bool id_is_name(struct bytes text)
{
	return fits(text, &name_shape);
}

static int say_character(const char *path, const char *what, size_t at, struct err_note *note)
{
	unsigned char c = (unsigned char)path[at];

	if (c > ' ' && c < 0x7f)
		return FAIL_SAY(note, ERR_REFUSED,
				"%s '%.80s': character %zu, '%c', is not allowed; use "
				"letters, digits, '.', '_' and '-'",
				what, path, at + 1, c);
	return FAIL_SAY(note, ERR_REFUSED,
			"%s '%.80s': character %zu (byte 0x%02x) is not allowed; use letters, "
			"digits, '.', '_' and '-'",
			what, path, at + 1, c);
}

static int check(const char *path, const char *what, const struct shape *shape, struct err_note *note)
{
	size_t at;

	path = text_or_empty(path);
	switch (path_flaw(bytes_of_text(path), shape, &at)) {
	case FLAW_NONE: return 0;
	case FLAW_EMPTY: return FAIL_SAY(note, ERR_REFUSED, "%s is empty", what);
	case FLAW_LONG:
		return FAIL_SAY(note, ERR_REFUSED, "%s '%.80s...' is longer than %zu characters", what, path,
				shape->max_bytes);
	case FLAW_CHARACTER: return say_character(path, what, at, note);
	case FLAW_EMPTY_SEGMENT:
		return FAIL_SAY(note, ERR_REFUSED, "%s '%.80s' has an empty segment at character %zu", what,
				path, at + 1);
	case FLAW_DOT_SEGMENT:
		return FAIL_SAY(note, ERR_REFUSED,
				"%s '%.80s' has a segment '.' or '..' before character %zu", what, path,
				at + 1);
	case FLAW_LONG_ORG:
		return FAIL_SAY(note, ERR_REFUSED,
				"%s '%.80s': the organisation is longer than %zu characters", what, path,
				shape->first_max);
	case FLAW_FEW_SEGMENTS:
		return FAIL_SAY(note, ERR_REFUSED, "%s '%s' lacks its organisation: write ORG/%s", what, path,
				path);
	case FLAW_MANY_SEGMENTS:
		if (shape->max_segments == 1)
			return FAIL_SAY(note, ERR_REFUSED, "%s '%.80s' must not contain '/'", what, path);
		return FAIL_SAY(note, ERR_REFUSED, "%s '%.80s' has more than %zu segments", what, path,
				shape->max_segments);
	}
	return 0;
}

int id_check_twin(const char *id, struct err_note *note)
{
	return check(id, "twin id", &twin_shape, note);
}

int id_check_name(const char *name, const char *what, struct err_note *note)
{
	return check(name, what, &name_shape, note);
}

int id_check_segment(const char *word, const char *what, size_t max, struct err_note *note)
{
	return check(word, what, &(struct shape){max, 1, 1, max}, note);
}

struct bytes id_org(const char *id)
{
	return (struct bytes){(const uint8_t *)id, strcspn(id, "/")};
}

bool id_is_of_org(const char *id, const char *org)
{
	return bytes_equal(id_org(id), bytes_of_text(org));
}

const char *id_local(const char *id)
{
	const char *slash = strchr(id, '/');

	return slash ? slash + 1 : id + strlen(id);
}

bool id_is_within(const char *id, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(id, prefix, n) == 0 && (id[n] == '\0' || id[n] == '/');
}

void id_slug(const char *name, char *ret, size_t size)
{
	size_t n = 0;

	assert(size >= 2);
	for (; *name && n + 1 < size; name++) {
		uint8_t c = (uint8_t)*name;
		if (is_id_char(c) && c != '-')
			ret[n++] = (char)c;
		else if (n > 0 && ret[n - 1] != '-')
			ret[n++] = '-';
	}
	if (n > 0 && ret[n - 1] == '-')
		n--;
	if (n == 0 || is_dots((struct bytes){(uint8_t *)ret, n})) {
		ret[0] = '_';
		n = 1;
	}
	ret[n] = '\0';
}
