/* SPDX-License-Identifier: Apache-2.0 */
/* Pointers - a hash map from pointers to numbers, for what is looked up a hundred thousand times in a walk.
 *
 * Owner:   embeds the struct, zeroed is empty. Order: none.
 */
#pragma once

#include <stdint.h>
#include <stdlib.h>

#include "proto/err.h"

struct pointers {
	struct pointers_entry {
		const void *key; /* NULL: free */
		uint32_t value;
	} * entries;
	size_t size, n; /* size: a power of two, or 0 */
};

static inline void pointers_fini(struct pointers *p)
{
	free(p->entries);
	*p = (struct pointers){0};
}

/* Keys are addresses of this process, which nobody outside can choose. Those of one page of memory stand side
 * by side: who goes through neighbours finds them in the cache. */
static inline size_t pointers_hash(const struct pointers *p, const void *key)
{
	const uint64_t page = (uint64_t)(uintptr_t)key >> 12, at = (uint64_t)(uintptr_t)key >> 6 & 63;

	return (size_t)((page * UINT64_C(0x9E3779B97F4A7C15) >> 26 << 6) + at) & (p->size - 1);
}

static inline void pointers_prefetch(const struct pointers *p, const void *key)
{
	if (p->size > 0)
		__builtin_prefetch(&p->entries[pointers_hash(p, key)]);
}

static inline size_t pointers_place(const struct pointers *p, const void *key)
{
	size_t at = pointers_hash(p, key);

	while (p->entries[at].key && p->entries[at].key != key)
		at = (at + 1) & (p->size - 1);
	return at;
}

/* Its number, good until the next put; NULL: not there. */
static inline uint32_t *pointers_get(const struct pointers *p, const void *key)
{
	if (p->size == 0)
		return NULL;
	struct pointers_entry *e = &p->entries[pointers_place(p, key)];
	return e->key ? &e->value : NULL;
}

/* Put or replace. -ENOMEM. */
MUST_CHECK int pointers_put(struct pointers *p, const void *key, uint32_t value);
