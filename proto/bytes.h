/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed run of bytes. Owns nothing, is passed by value, lives no longer than what it points into. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *data;
	size_t len;
};

#define BYTES(text) ((struct bytes){(const uint8_t *)("" text), sizeof(text) - 1})

/* The characters of a NUL-terminated text, without the NUL; NULL gives no bytes. */
static inline struct bytes bytes_of_text(const char *text)
{
	return (struct bytes){(const uint8_t *)text, text ? strlen(text) : 0};
}

static inline bool bytes_start_with(struct bytes b, struct bytes prefix)
{
	return b.len >= prefix.len && (prefix.len == 0 || memcmp(b.data, prefix.data, prefix.len) == 0);
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && bytes_start_with(a, b);
}

/* Byte order, the shorter first where one begins with the other: the order of LMDB keys. <0, 0, >0. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int r = n > 0 ? memcmp(a.data, b.data, n) : 0;

	return r != 0 ? r : (a.len > b.len) - (a.len < b.len);
}
