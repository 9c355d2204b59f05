/* SPDX-License-Identifier: Apache-2.0 */
/* Numbered - items in the order of numbers that they stand under, each number once.
 *
 * Leaves as in ordered.h, but with the numbers beside the pointers: no item is looked at to find another, and
 * of a million that would be as many misses of the cache as steps of the search.
 *
 * Owner:   embeds the struct, zeroed is empty. Items are not owned.
 * Threads: one at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "proto/err.h"

struct numbered_leaf;
struct numbered {
	struct numbered_entry {
		uint64_t least; /* nothing in the leaf is below it */
		struct numbered_leaf *leaf;
	} * entries;
	size_t n_leaves, size; /* size: room in entries */
	size_t n;              /* items */
};

void numbered_fini(struct numbered *x); /* frees the index, not the items */

/* The number must not be there yet. -ENOMEM, then nothing has changed. */
MUST_CHECK int numbered_put(struct numbered *x, uint64_t number, void *item);
void *numbered_remove(struct numbered *x, uint64_t number); /* the item that was there, or NULL */

void *numbered_get(const struct numbered *x, uint64_t number);   /* NULL: not there */
void *numbered_after(const struct numbered *x, uint64_t number); /* the first above the number, or NULL */
void *numbered_first(const struct numbered *x);
uint64_t numbered_last(const struct numbered *x); /* its number; 0: empty */
