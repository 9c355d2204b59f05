/* SPDX-License-Identifier: Apache-2.0 */
/* Turns - the twins in the order of their latest change, by sequence number: who changed after a given one?
 *
 * Leaves of twin numbers, each under the sequence number of its first; where a twin stands in a leaf is found
 * by its number, so that a change touches no other twin.
 *
 * Owner:   embeds the struct, zeroed is empty. Threads: one at a time.
 */
#pragma once

#include <stdint.h>

#include "proto/err.h"

struct turns_leaf;
struct turns {
	struct turns_entry {
		uint64_t seq; /* nothing in the leaf is below it */
		struct turns_leaf *leaf;
	} * entries;
	size_t n, size;
};

void turns_fini(struct turns *t);
/* seq is above all that are in it. -ENOMEM, then nothing has changed. */
MUST_CHECK int turns_append(struct turns *t, uint64_t seq, uint32_t twin);
void turns_remove(struct turns *t, uint64_t seq, uint32_t twin); /* it is there under this seq */

/* The twin with the lowest seq above one; 0: none. */
typedef uint64_t turns_seq_fn(const void *ctx, uint32_t twin);
uint32_t turns_after(const struct turns *t, uint64_t seq, turns_seq_fn *seq_of, const void *ctx);
