/* SPDX-License-Identifier: Apache-2.0 */
/* Twin index - numbers to twins, and their ids to numbers: four bytes a place, where a general map has 24.
 *
 * Owner:   embeds the struct, zeroed is empty; the twins are not its own. Threads: one at a time.
 */
#pragma once

#include <stdint.h>

#include "proto/bytes.h"
#include "proto/err.h"

struct own_twin;

struct twin_index {
	struct own_twin **twins; /* by number; [0] is NULL */
	uint32_t n, twins_size;  /* n: the highest number, one up; 0: none was put */
	uint32_t *places;        /* numbers, 0: free */
	uint32_t n_places;       /* a power of two, or 0 */
	uint8_t secret[16];      /* of the hash: nobody can choose ids that collide */
	uint32_t n_put;
};

void twin_index_fini(struct twin_index *x);

/* Room for twins with numbers below n. -ENOMEM. */
MUST_CHECK int twin_index_reserve(struct twin_index *x, uint32_t n);

/* The id must not be in it, the number not taken. -ENOMEM, then nothing has changed. */
MUST_CHECK int twin_index_put(struct twin_index *x, struct own_twin *w);
void twin_index_remove(struct twin_index *x, const struct own_twin *w);       /* it is in it */
struct own_twin *twin_index_get(const struct twin_index *x, struct bytes id); /* NULL: not there */

static inline struct own_twin *twin_index_at(const struct twin_index *x, uint32_t number)
{
	return number < x->n ? x->twins[number] : NULL;
}
