/* SPDX-License-Identifier: Apache-2.0 */
/* Integers of a chunk - an array of whole numbers as what a predictor leaves of them, packed.
 *
 *     predictor | packing << 4 (1)  base (varint, zigzag)  centre (varint, zigzag)  packed residuals
 *
 *     predictor  level   v[i] = base + r[i]
 *                step    v[i] = v[i - 1] + centre + unzigzag(r[i]); v[-1] = base
 *                bend    v[i] = v[i - 1] + d[i], d[i] = d[i - 1] + unzigzag(r[i]); v[-1] = base, d[-1] =
 * centre xor     v[i] = v[i - 1] ^ r[i] << centre; v[-1] = base packing    blocks  for each INTEGER_BLOCK
 * residuals: width (1), then so many bits for each: storage/bits.h coded   shift (1), n x shift low bits,
 * number of escapes (varint), escapes: distance to the place of the one before (varint), residual (varint);
 * the rest: n bytes, the bits above `shift`: storage/huffman.h; those of an escape do not count
 */
#pragma once

#include "storage/chunk.h"
#include "storage/record.h"

enum { INTEGER_BLOCK = 128 };

/* Appends without a length: what is in `in` to its end is the array when it is read. */
void integers_encode(const uint64_t *v, size_t n, enum chunk_effort effort, struct buf *out);

struct escape {
	size_t at;
	uint64_t residual;
};

/* Reading, a block at a time, so that what is done with a block is done while it is at hand. */
struct integer_reader {
	const uint8_t *at, *end; /* private from here on */
	unsigned predictor, packing, shift;
	uint64_t last, centre; /* v[i - 1]; centre or d[i - 1] */
	size_t place, n;
	struct bytes low;
	struct record_reader escapes;
	size_t n_escapes, next_escape;
	uint8_t high[CHUNK_SAMPLES_MAX];
};

/* n at most CHUNK_SAMPLES_MAX. ERR_CORRUPT, -ENOMEM. */
MUST_CHECK int integer_reader_begin(struct integer_reader *r, struct bytes in, size_t n);
/* The next INTEGER_BLOCK, or what is left; ret has room for a whole block. ERR_CORRUPT. */
MUST_CHECK int integer_reader_next(struct integer_reader *r, uint64_t *ret);

const char *integers_encoding_text(uint8_t form);
