/* SPDX-License-Identifier: Apache-2.0 */
/* Roll-up - buckets of one minute and one hour that stand for raw samples which retention has ended: how
 * samples become buckets, buckets become coarser ones, and how they are stored.
 *
 *     version (1)  n (varint)  then nine times: length (varint), chunk of n values at the times 0 .. n - 1
 *          (storage/chunk.h): begin, n, n_bad, mean, m2, min, max, last and its time
 *
 * Texts, words and positions have no buckets: what has expired of them is gone.
 */
#pragma once

#include "storage/column.h"
#include "storage/history.h"

#define MINUTE_NS INT64_C(60000000000)
#define HOUR_NS (60 * MINUTE_NS)

enum { ROLLUP_MAX = 8192 /* buckets in a record */ };

/* Buckets in the order of their times, all of one width. Zeroed is empty. */
struct buckets {
	struct bucket *items;
	size_t n, size;
};
void buckets_fini(struct buckets *b);

/* Take a bucket in: it is joined with the one of that time, or put in its place. Its width becomes step_ns.
 * Fast at the end. -ENOMEM. */
MUST_CHECK int buckets_add(struct buckets *b, const struct bucket *bucket, int64_t step_ns);
/* The same for the places i .. end - 1 of a column of numbers. */
MUST_CHECK int buckets_add_column(struct buckets *b, const struct column *c, size_t i, size_t end,
				  int64_t step_ns);

/* Join two by Chan's update. Means of finite numbers are finite; m2 may be infinite. */
void bucket_join(struct bucket *to, const struct bucket *from);

/* At least one bucket, at most ROLLUP_MAX. */
MUST_CHECK int rollup_encode(const struct bucket *items, size_t n, int64_t step_ns, struct buf *out);
/* Appended to ret. ERR_CORRUPT unless they are of that width, in order and possible; ERR_VERSION, -ENOMEM. */
MUST_CHECK int rollup_decode(struct bytes in, int64_t first_ns, int64_t step_ns, struct buckets *ret);

/* What retention leaves: raw samples from raw_ns on, before that buckets of a minute from minute_ns on,
 * before that buckets of an hour from hour_ns on: each is kept for so long after the one before it.
 * TIME_MIN: all; TIME_MAX: none. */
struct horizon {
	int64_t raw_ns, minute_ns, hour_ns;
};
struct horizon horizon_of(const struct series_rule *rule, int64_t newest_ns);
bool type_has_buckets(enum value_type type);
