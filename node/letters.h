/* SPDX-License-Identifier: Apache-2.0 */
/* Letters - dead letters of one adapter: what could not be mapped or stored, and why.
 *
 * In memory the latest LETTERS_MAX (adapter.h); the same reason of the same source is one letter with a
 * count. In the file, JSON lines: a letter when it is new, and then as often as LETTER_LINES_S allows; a line
 * says how many were left out before it.
 *
 * Owner: the adapter. Threads: the loop's. Views: texts are good until the next letters_put().
 */
#pragma once

#include "proto/control.h"
#include "proto/scope.h"

struct letters;

enum {
	LETTER_SOURCE_MAX = 255,
	LETTER_REASON_MAX = 255,
	LETTER_LINES_S = 20, /* lines of the file in a second, on the average of a minute */
};

/* `path` of the file ("": none), made with the first letter (0600); rotated at `file_max` bytes to PATH.1. */
MUST_CHECK int letters_new(struct letters **ret, const char *path, uint64_t file_max);
void letters_free(struct letters *l); /* NULL is fine */

struct letter_in {
	const char *source, *reason;
	struct bytes payload;
	int64_t t_ns; /* wall clock; the list makes times of letters differ */
};
void letters_put(struct letters *l, const struct letter_in *in);
size_t letters_count(const struct letters *l);
/* The latest before `before_ns` (TIME_MAX to begin); false: there is none. `ret->adapter` stays. */
bool letters_next(const struct letters *l, int64_t before_ns, struct dead_letter *ret);

DEFINE_SCOPED(letters, letters_free)
