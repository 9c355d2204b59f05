/* SPDX-License-Identifier: Apache-2.0 */
/* Series - the history of every property of every twin: what came since the last checkpoint in memory (the
 * head of a series), everything else in chunks in the environment history/.
 *
 *     history/  'c' series (8) t0 (8, sign flipped): chunk, see storage/plain.h
 *               'M': number of the last log batch that is in it
 * Chunks of a series do not overlap. Samples at the same time merge, the later one wins; so do late ones,
 * into the chunk they belong to. Merging the same samples again changes nothing, which is what replay needs.
 *
 * Owner:   the store. Threads: the loop's, except series_write(), which any one thread may run between
 *          series_freeze() and series_thaw(): it reads only what is frozen.
 */
#pragma once

#include "proto/scope.h"
#include "storage/points.h"

struct series_set;

/* The handle of one series; embedded in what has a history. id 0: nothing was ever measured. */
struct series {
	uint64_t id;
	struct head *head; /* private; NULL: everything is in chunks */
};

MUST_CHECK int series_set_open(struct series_set **ret, const char *dir, size_t limit_bytes, struct err_note *note);
void series_set_close(struct series_set *h); /* NULL is fine; series handles mean nothing any more */

/* The log batch up to which everything is in chunks. */
uint64_t series_set_position(const struct series_set *h);

/* The id must be set. -ENOMEM. */
MUST_CHECK int series_add(struct series_set *h, struct series *s, const struct sample *sample);

/* The handle moves in memory, or its owner goes away (what is in the head still reaches the chunks). */
void series_move(struct series *to, struct series *from);
void series_leave(struct series *s);

enum { SERIES_ABSENT = 1 };

/* The last sample at or before a time. Text goes into the arena. SERIES_ABSENT, ERR_CORRUPT. */
MUST_CHECK int series_at(struct series_set *h, const struct series *s, int64_t at_ns, struct arena *a,
			 struct sample *ret);

/* At most `limit` samples with from <= t <= to, oldest first. */
struct series_range {
	int64_t from_ns, to_ns;
	size_t limit;
};
MUST_CHECK int series_read(struct series_set *h, const struct series *s, const struct series_range *range,
			   struct arena *a, struct sample **ret, size_t *ret_n, bool *ret_more);

/* Are all of these stored just so? Any order. */
MUST_CHECK int series_holds(struct series_set *h, const struct series *s, const struct sample *samples, size_t n,
			    bool *ret);

/* Write-behind: freeze what is in the heads, write it into chunks as far as log batch `position`, and thaw:
 * forget it if it was written, else keep it for the next freeze. */
MUST_CHECK int series_freeze(struct series_set *h);
MUST_CHECK int series_write(struct series_set *h, uint64_t position);
void series_thaw(struct series_set *h, bool written);

DEFINE_SCOPED(series_set, series_set_close)
