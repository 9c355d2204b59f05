/* SPDX-License-Identifier: Apache-2.0 */
/* Producers - which frames of each ingest session were taken, so that one that is sent again changes nothing.
 *
 * Of a session the highest number is kept and which of the PRODUCER_WINDOW numbers before it were taken:
 * frames that were on their way together may be taken in any order, and one that failed may come again after
 * its successors. Older numbers are not known any more: such a frame is taken (again), which does no harm.
 * With PRODUCERS_MAX sessions the one that was silent for longest is forgotten.
 *
 * Owner:   embeds the struct, zeroed is empty. Threads: one at a time.
 */
#pragma once

#include "storage/record.h"

enum { PRODUCER_WINDOW = 64 };

struct producer {
	uint64_t session, last;
	uint64_t before;       /* bit i: last - 1 - i was taken */
	uint32_t next;         /* in its bucket, one up; 0: the end */
	uint32_t newer, older; /* by when they last spoke, one up; 0: the end */
};

struct producers {
	struct producer *items;
	size_t n, size;
	uint32_t *buckets; /* n_buckets: a power of two, or 0; first item, one up */
	size_t n_buckets;
	uint32_t newest, oldest; /* one up */
};

void producers_fini(struct producers *p);  /* frees, leaves it empty */
void producers_clear(struct producers *p); /* empty, keeps the memory */

bool producers_took(const struct producers *p, uint64_t session, uint64_t number);
MUST_CHECK int producers_take(struct producers *p, uint64_t session, uint64_t number);

/* n (4), then n times, the one silent for longest first: session (8), last (8), before (8). */
void producers_encode(const struct producers *p, struct buf *out);
/* Into an empty one. ERR_CORRUPT, -ENOMEM. */
MUST_CHECK int producers_decode(struct producers *p, struct record_reader *in);
