/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/arena.h"

#include <stdarg.h>
#include <stdio.h>

#define BLOCK_BYTES 4096
#define ALIGN _Alignof(max_align_t)

struct block {
	struct block *next;
	size_t size, used;
	max_align_t data[];
};

struct arena {
	struct block *blocks; /* newest first */
	size_t budget, used;
};

int arena_new(struct arena **ret, size_t budget_bytes)
{
	struct arena *a = calloc(1, sizeof *a);

	if (!a)
		return FAIL(-ENOMEM);
	a->budget = budget_bytes;
	*ret = a;
	return 0;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	while (a->blocks) {
		struct block *b = a->blocks;
		a->blocks = b->next;
		free(b);
	}
	free(a);
}

void arena_reset(struct arena *a)
{
	while (a->blocks && a->blocks->next) {
		struct block *b = a->blocks;
		a->blocks = b->next;
		free(b);
	}
	if (a->blocks)
		a->blocks->used = 0;
	a->used = 0;
}

static struct block *add_block(struct arena *a, size_t at_least)
{
	size_t size = a->blocks ? a->blocks->size * 2 : BLOCK_BYTES;

	if (size > 64 * (size_t)BLOCK_BYTES)
		size = 64 * (size_t)BLOCK_BYTES;
	if (size < at_least)
		size = at_least;
	struct block *b = malloc(sizeof *b + size);
	if (!b)
		return NULL;
	*b = (struct block){.next = a->blocks, .size = size};
	a->blocks = b;
	return b;
}

void *arena_take(struct arena *a, size_t size)
{
	struct block *b = a->blocks;

	if (size > a->budget - a->used)
		return NULL;
	size_t padded = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (padded < size)
		return NULL;
	if (!b || b->size - b->used < padded)
		b = add_block(a, padded);
	if (!b)
		return NULL;
	uint8_t *p = (uint8_t *)b->data + b->used;
	b->used += padded;
	a->used += size;
	memset(p, 0, padded);
	return p;
}

void *arena_take_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	return __builtin_mul_overflow(n, size, &total) ? NULL : arena_take(a, total);
}

char *arena_text(struct arena *a, struct bytes text)
{
	char *p = text.len < SIZE_MAX ? arena_take(a, text.len + 1) : NULL;

	if (p && text.len > 0)
		memcpy(p, text.data, text.len);
	return p;
}

char *arena_copy(struct arena *a, const char *text)
{
	return text ? arena_text(a, bytes_of_text(text)) : NULL;
}

char *arena_print(struct arena *a, const char *format, ...)
{
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *p = n >= 0 ? arena_take(a, (size_t)n + 1) : NULL;
	if (p)
		vsnprintf(p, (size_t)n + 1, format, again);
	va_end(again);
	return p;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

/* The array is full whenever its length is 0 or a power of two: no capacity has to be kept anywhere. */
void *arena_push(struct arena *a, void *items, size_t *n, size_t size)
{
	void **array = items;
	uint8_t *p = *array;

	if ((*n & (*n - 1)) == 0) {
		size_t room = *n == 0 ? 1 : *n * 2;
		uint8_t *grown = arena_take_array(a, room, size);
		if (!grown)
			return NULL;
		if (*n > 0)
			memcpy(grown, p, *n * size);
		p = grown;
		*array = p;
	}
	return p + size * (*n)++;
}
