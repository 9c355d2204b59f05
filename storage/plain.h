/* SPDX-License-Identifier: Apache-2.0 */
/* Plain - the stored form of a run of samples of one series; its key holds the series and the time of the
 * first.
 *
 *     format (1)  type (1)  n (varint)  last time - first time (varint)
 *     n samples:  time (varint; not the first: difference, then difference of differences, zigzag)
 *                 flags (1)  sigma (8)?  source (text)?  value?
 *     value: bool 1 byte; int64 difference to the one before, zigzag varint; double XOR with the one before:
 * a byte of leading and trailing zero bytes, then the others; text; position 3 x 8 bytes
 */
#pragma once

#include "storage/points.h"

enum { PLAIN_SAMPLES_MAX = 512 };

/* The places i .. end - 1 of p; at most PLAIN_SAMPLES_MAX. */
void plain_encode(const struct points *p, size_t i, size_t end, struct buf *out);

/* Into `ret`, which is cleared first. ERR_CORRUPT, ERR_VERSION, -ENOMEM. */
MUST_CHECK int plain_decode(struct bytes in, int64_t first_ns, struct points *ret);
