/* SPDX-License-Identifier: Apache-2.0 */
/* Criterion's eq(str, ...) takes no const text, and cr_expect() no bare pointer. */
#pragma once

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define EXPECT_TEXT(actual, expected) \
	do { \
		const char *got = (actual), *want = (expected); \
		cr_expect(got &&strcmp(got, want) == 0, "'%s' is not '%s'", got ? got : "(none)", want); \
	} while (0)

#define EXPECT_WORDS(actual, words) \
	do { \
		const char *got = (actual), *want = (words); \
		cr_expect(strstr(got, want) != NULL, "'%s' does not contain '%s'", got, want); \
	} while (0)
