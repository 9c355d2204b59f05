/* SPDX-License-Identifier: Apache-2.0 */
/* Compare texts, and show the one found. (Criterion's eq(str, ...) wants text that may be written to.) */
#pragma once

#include <criterion/criterion.h>
#include <string.h>

static inline void expect_text_at(const char *found, const char *wanted, int line)
{
	cr_expect(strcmp(found, wanted) == 0, "line %d: found \"%s\"\n  instead of \"%s\"", line, found,
		  wanted);
}

#define expect_text(found, wanted) expect_text_at((found), (wanted), __LINE__)
