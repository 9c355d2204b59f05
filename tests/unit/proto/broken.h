/* SPDX-License-Identifier: Apache-2.0 */
/* Broken - one thing is broken in an otherwise good object, to see what its decoder says. Each test that
 * includes it has its own arena and frame. */
#pragma once

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "tests/unit/proto/codecs.h"

static struct arena *arena;
static struct buf frame;

static inline void break_begin(void)
{
	cr_assert(eq(int, arena_new(&arena, 64 << 20), 0));
}

static inline void break_end(void)
{
	arena_free(arena);
	arena = NULL;
	buf_fini(&frame);
}

/* What decoding says to the object after the change. */
#define DECODES(object, codec, change, expected) \
	do { \
		__typeof__(object) x = (object), y; \
		change; \
		buf_clear(&frame); \
		codec##_encode(&x, &frame); \
		cr_assert(eq(int, buf_check(&frame), 0)); \
		arena_reset(arena); \
		cr_expect(eq(int, codec##_decode(arena, buf_bytes(&frame), &y), (expected)), #change); \
	} while (0)
#define MALFORMED(object, codec, change) DECODES(object, codec, change, ERR_MALFORMED)
#define GOOD(object, codec, change) DECODES(object, codec, change, 0)

static inline const char *run(size_t n)
{
	static char text[1 << 21];

	memset(text, 'a', n);
	text[n] = '\0';
	return text;
}

static inline struct bytes blob(size_t n)
{
	return bytes_of_text(run(n));
}

/* n different words */
static inline const char **many(size_t n)
{
	static const char *texts[1024];
	static char text[1024][8];

	for (size_t i = 0; i < n; i++) {
		snprintf(text[i], sizeof text[i], "t%zu", i);
		texts[i] = text[i];
	}
	return texts;
}

/* n times the first of an array */
#define TIMES(n, type, first) \
	__extension__({ \
		type *copies = arena_take_array(arena, (n), sizeof(type)); \
		cr_assert(copies != NULL); \
		for (size_t copy = 0; copy < (n); copy++) \
			copies[copy] = (first); \
		copies; \
	})
