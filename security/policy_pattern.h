/* SPDX-License-Identifier: Apache-2.0 */
/* Policy pattern - paths of twins and properties with wildcards: literal segments, `*` for one segment, a
 * last `**` for this and everything below. A pattern is plain text that pattern_check() has accepted. */
#pragma once

#include <stddef.h>

#include "proto/bytes.h"
#include "proto/err.h"

/* Is it a pattern? ERR_REFUSED with a note that says what is wrong and what to write. */
MUST_CHECK int pattern_check(struct bytes pattern, struct err_note *note);

bool pattern_matches(const char *pattern, const char *path);

/* True only if `wide` matches every path that `narrow` matches. */
bool pattern_covers(const char *wide, const char *narrow);

/* Is there a path that both match? */
bool patterns_meet(const char *a, const char *b);

/* Does it match every path? */
bool pattern_is_all(const char *pattern);
