/* SPDX-License-Identifier: Apache-2.0 */
/* Topic - patterns of topics and of ids of twins: levels between slashes, each with at most one variable.
 *
 *     plant/{line}/press-{n}/data      {line}: a whole level; {n}: the rest of one
 *     plant/{line}/{rest+}             {rest+}: this level and all behind it, at least one
 *
 * What variables stand for in one text fills the same variables of another pattern.
 *
 * Owner: a pattern is text, checked once. Values point into the text that was matched.
 */
#pragma once

#include <stdbool.h>

#include "proto/arena.h"

enum { TOPIC_VARIABLES_MAX = 16, TOPIC_VARIABLE_BYTES = 32, TOPIC_PATTERN_MAX = 1024 };

struct topic_variable {
	struct bytes name, value;
};
struct topic_variables {
	struct topic_variable of[TOPIC_VARIABLES_MAX];
	size_t n;
};

/* Braces in pairs, names of letters, digits, '_' and '-', each once; no level is empty or has '+' or '#'.
 * ERR_REFUSED with a note. */
MUST_CHECK int topic_check(const char *pattern, struct err_note *note);
/* Has every variable of `pattern` a value by `source`? ERR_REFUSED with a note that names the one. */
MUST_CHECK int topic_covers(const char *source, const char *pattern, struct err_note *note);
bool topic_match(const char *pattern, struct bytes text, struct topic_variables *ret);
/* Filled in; false: it does not fit into `size` bytes. A variable without a value stays as it is written. */
bool topic_fill(const char *pattern, const struct topic_variables *v, char *ret, size_t size);
/* What to subscribe to: `plant/+/+/data`; NULL: -ENOMEM. */
const char *topic_filter(struct arena *a, const char *pattern);
