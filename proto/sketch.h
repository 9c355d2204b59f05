/* SPDX-License-Identifier: Apache-2.0 */
/* Sketch - quantiles of many numbers in little memory, mergeable in any order (DDSketch: Masson, Rim, Lee,
 * PVLDB 12(12), 2019).
 *
 * A number falls into the bucket of its logarithm, so every quantile is answered with a relative error of at
 * most SKETCH_ERROR of the number that has that rank. Magnitudes below SKETCH_LEAST count as 0. A sketch has
 * at most SKETCH_BUCKETS_MAX buckets, enough for numbers of one sign that differ by a factor of 10^8; with
 * more the two of the least magnitude become one, and only quantiles that fall there lose precision.
 * Numbers in another unit are moved bucket by bucket, which costs another SKETCH_ERROR.
 *
 * Owner:   the arena its buckets are in.
 */
#pragma once

#include "proto/arena.h"

#define SKETCH_ERROR 0.005
#define SKETCH_LEAST 1e-30

enum { SKETCH_BUCKETS_MAX = 2048 };

/* `key` orders buckets by their numbers: below 0 negative numbers, 0 for 0. */
struct sketch_bucket {
	int32_t key;
	uint64_t n;
};

/* Zeroed is empty. Buckets rise by key, none is empty. */
struct sketch {
	struct sketch_bucket *buckets;
	size_t n_buckets, room;
};

/* x is finite. -ENOMEM. */
MUST_CHECK int sketch_add(struct arena *a, struct sketch *s, double x, uint64_t n);
/* s += other * scale + offset. */
MUST_CHECK int sketch_merge(struct arena *a, struct sketch *s, const struct sketch *other, double scale,
			    double offset);

/* The number of rank q * (count - 1), 0 <= q <= 1. False: the sketch is empty. */
bool sketch_quantile(const struct sketch *s, double q, double *ret);

/* Buckets as they may stand in a message: rising, not empty, keys in range, counts that do not overflow. */
bool sketch_is_valid(const struct sketch_bucket *buckets, size_t n);
