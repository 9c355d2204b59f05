/* SPDX-License-Identifier: Apache-2.0 */
/* Chunk - the stored form of a run of samples of one series, lossless to the bit; the encoding of each part
 * is chosen by what fits the run. The key holds the series and the time of the first sample.
 *
 *     format (1)  type (1)  parts present (1)  n (varint)  last time - first time (varint)
 *     then the parts: n - 1 steps of time, values (a position: latitudes, longitudes, altitudes), and, where
 *     any sample has them, qualities, uncertainties, sources
 *
 * The parts are drawn where they are made: numbers (constant, decimals as whole numbers, dictionary, ...) in
 * storage/chunk_number.h, whole numbers (differences, bit-packed or Huffman-coded) in
 * storage/chunk_integer.h, texts in storage/chunk_words.h.
 */
#pragma once

#include "storage/column.h"

enum { CHUNK_SAMPLES_MAX = 16384 };

/* How hard to look for the smallest form. */
enum chunk_effort {
	CHUNK_FAST,  /* on the way into the first run: at least 20 M samples/s */
	CHUNK_SMALL, /* when runs are merged: several times slower, decodes as fast */
};

/* The places i .. end - 1 of c, at least one, at most CHUNK_SAMPLES_MAX, appended to `out` (whose failure is
 * to be checked). Equal input gives equal output. */
void chunk_encode(const struct column *c, size_t i, size_t end, enum chunk_effort effort, struct buf *out);

/* Into `ret`, which is cleared first. ERR_CORRUPT (whatever the bytes are, nothing is read or written out of
 * bounds and no more memory taken than CHUNK_SAMPLES_MAX samples and TEXT_VALUE_MAX each need), ERR_VERSION,
 * -ENOMEM. */
MUST_CHECK int chunk_decode(struct bytes in, int64_t first_ns, struct column *ret);

/* What the head of a chunk says. ERR_CORRUPT, ERR_VERSION. */
struct chunk_info {
	enum value_type type;
	size_t n;
	int64_t last_ns;
	size_t time_bytes, value_bytes,
		other_bytes;        /* parts with their headers; the chunk's head is in other */
	const char *value_encoding; /* for tables and tests */
};
MUST_CHECK int chunk_inspect(struct bytes in, int64_t first_ns, struct chunk_info *ret);
