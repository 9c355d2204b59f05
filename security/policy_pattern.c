/* SPDX-License-Identifier: Apache-2.0 */
#include "security/policy_pattern.h"

#include "proto/id.h"
#include "proto/limits.h"

static int check_segment(struct bytes segment, bool last, struct err_note *note)
{
	if (bytes_equal(segment, BYTES("*")))
		return 0;
	if (bytes_equal(segment, BYTES("**")))
		return last ? 0
			    : FAIL_SAY(note, ERR_REFUSED,
				       "'**' stands only at the end, use '*' for one segment");
	if (segment.len == 0)
		return FAIL_SAY(note, ERR_REFUSED,
				"there is an empty segment, write one '/' between segments");
	if (memchr(segment.data, '*', segment.len))
		return FAIL_SAY(note, ERR_REFUSED, "'*' stands for a whole segment, not for a part of one");
	if (bytes_equal(segment, BYTES(".")) || bytes_equal(segment, BYTES("..")))
		return FAIL_SAY(note, ERR_REFUSED, "there are no '.' and '..' in ids, write the whole path");
	if (!id_is_segment(segment, TWIN_ID_MAX))
		return FAIL_SAY(note, ERR_REFUSED, "segments are made of A-Z a-z 0-9 . _ - only");
	return 0;
}

int pattern_check(struct bytes pattern, struct err_note *note)
{
	size_t n = 0, at = 0;

	if (pattern.len > TWIN_ID_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "it has %zu bytes, at most %d are possible", pattern.len,
				TWIN_ID_MAX);
	while (at <= pattern.len) {
		size_t end = at;
		while (end < pattern.len && pattern.data[end] != '/')
			end++;
		const struct bytes segment = {pattern.data + at, end - at};
		TRY(check_segment(segment, end == pattern.len, note));
		if (++n > ID_SEGMENTS_MAX)
			return FAIL_SAY(note, ERR_REFUSED, "it has more than %d segments", ID_SEGMENTS_MAX);
		at = end + 1;
	}
	return 0;
}

bool pattern_is_all(const char *pattern)
{
	return strcmp(pattern, "**") == 0;
}

static bool at_end(const char *segment)
{
	return *segment == '\0' || *segment == '/';
}

/* Every decision spends its time here: one pass, no lengths. A segment that begins with '*' is nothing else.
 */
bool pattern_matches(const char *pattern, const char *path)
{
	for (;;) {
		if (*pattern == '*') {
			if (*++pattern == '*')
				return true;
			if (at_end(path))
				return false;
			while (!at_end(path))
				path++;
		} else {
			while (!at_end(pattern) && *pattern == *path)
				pattern++, path++;
			if (!at_end(pattern) || !at_end(path))
				return false;
		}
		if (*pattern == '\0')
			return *path == '\0';
		if (*path == '\0')
			return pattern_is_all(pattern + 1);
		pattern++;
		path++;
	}
}

static size_t segment_length(const char *at)
{
	size_t n = 0;

	while (at[n] != '\0' && at[n] != '/')
		n++;
	return n;
}

/* A `**` or `*` in `narrow` is met only by the same or more, so that `narrow` reads as if it were a path:
 * its `*` equals the literal `*` of `wide`, and its `**` is a segment that only `**` matches. */
bool pattern_covers(const char *wide, const char *narrow)
{
	for (;;) {
		if (pattern_is_all(wide))
			return true;
		if (pattern_is_all(narrow))
			return false;
		const size_t w = segment_length(wide), n = segment_length(narrow);
		const bool any = w == 1 && *wide == '*';
		if (!any && (w != n || memcmp(wide, narrow, w) != 0))
			return false;
		wide += w;
		narrow += n;
		if (*wide == '\0')
			return *narrow == '\0';
		wide++;
		if (*narrow == '\0')
			return pattern_is_all(wide);
		narrow++;
	}
}

bool patterns_meet(const char *a, const char *b)
{
	for (;;) {
		if (pattern_is_all(a) || pattern_is_all(b))
			return true;
		const size_t n_a = segment_length(a), n_b = segment_length(b);
		const bool any = (n_a == 1 && *a == '*') || (n_b == 1 && *b == '*');
		if (!any && (n_a != n_b || memcmp(a, b, n_a) != 0))
			return false;
		a += n_a;
		b += n_b;
		if (*a == '\0')
			return *b == '\0' || pattern_is_all(b + 1);
		if (*b == '\0')
			return pattern_is_all(a + 1);
		a++;
		b++;
	}
}
