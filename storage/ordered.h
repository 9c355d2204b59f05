/* SPDX-License-Identifier: Apache-2.0 */
/* Ordered - the one ordered index of the store: pointers to items in the order a comparison gives them.
 *
 * Two levels: a sorted array of leaves, each a sorted array of pointers. Finding is two binary searches,
 * adding and removing move at most one leaf; appending in order fills leaves completely. Items are not owned.
 *
 * Owner:   embeds the struct; `compare` is set at start, the rest zeroed.
 * Threads: one at a time.
 */
#pragma once

#include "proto/err.h"

/* Where does the key stand to the item? <0: before it, 0: it is the item's, >0: behind it. */
typedef int ordered_fn(const void *key, const void *item);

struct ordered {
	ordered_fn *compare;
	struct ordered_leaf **leaves;
	size_t n_leaves, size; /* size: room in leaves */
	size_t n;              /* items */
};

void ordered_fini(struct ordered *o); /* frees the index, not the items */
/* The same, after giving every item to `release`; nothing is compared any more. */
void ordered_fini_items(struct ordered *o, void (*release)(void *item));

/* The key must not be there yet. -ENOMEM, then nothing has changed. */
MUST_CHECK int ordered_put(struct ordered *o, const void *key, void *item);
/* The same behind all that are in it: nothing is compared. */
MUST_CHECK int ordered_append(struct ordered *o, void *item);
void *ordered_remove(struct ordered *o, const void *key); /* the item that was there, or NULL */

void *ordered_get(const struct ordered *o, const void *key);   /* NULL: not there */
void *ordered_from(const struct ordered *o, const void *key);  /* the first at or behind the key, or NULL */
void *ordered_after(const struct ordered *o, const void *key); /* the first behind the key, or NULL */
/* The same, and how many lie side by side from there on; NULL: none. Good until the index changes. */
void *const *ordered_run(const struct ordered *o, const void *after, size_t *ret_n);
void *ordered_first(const struct ordered *o);
void *ordered_last(const struct ordered *o);
