/* SPDX-License-Identifier: Apache-2.0 */
/* Words - the texts of an enum as a table, looked up both ways; and whether bytes are text at all. */
#pragma once

#include "proto/bytes.h"

#define N_WORDS(table) (sizeof(table) / sizeof(table)[0])

/* The word at place i; "?" for a place the table does not have. */
const char *word_at(const char *const words[], size_t n, size_t i);

/* The place of a word; n when it is not in the table (NULL never is). */
size_t word_find(const char *const words[], size_t n, const char *text);

/* Well-formed UTF-8 (no overlong forms, no surrogates) without a NUL inside. */
bool text_is_clean(struct bytes text);

/* Put '?' in place of every byte that keeps text of `n` bytes from being clean. */
void text_mend(char *text, size_t n);

static inline const char *text_or_empty(const char *text)
{
	return text ? text : "";
}
