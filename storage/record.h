/* SPDX-License-Identifier: Apache-2.0 */
/* Record - the small parts that stored values are made of: numbers, texts, samples. Appended to a buf; read
 * by a reader that remembers the first thing that did not fit, so that a decoder checks once, at the end.
 */
#pragma once

#include "proto/buf.h"
#include "proto/value.h"

/* 7 bits per byte, low ones first. */
void record_put_varint(struct buf *out, uint64_t v);
/* With its NUL, so that a reader hands it out in place; NULL becomes "". */
void record_put_text(struct buf *out, const char *text);
void record_put_double(struct buf *out, double v);
void record_put_sample(struct buf *out, const struct sample *s);

struct record_reader {
	const uint8_t *at, *end;
	bool failed; /* something did not fit: everything read since is 0 or "" */
};

static inline struct record_reader record_reader(struct bytes in)
{
	return (struct record_reader){in.data, in.data ? in.data + in.len : NULL, false};
}

uint8_t record_u8(struct record_reader *r);
uint32_t record_u32(struct record_reader *r);
uint64_t record_u64(struct record_reader *r);
uint64_t record_varint(struct record_reader *r);
double record_double(struct record_reader *r);
const char *record_text(struct record_reader *r); /* points into the input */
struct bytes record_bytes(struct record_reader *r, uint64_t len);
struct bytes record_rest(struct record_reader *r);
/* Texts point into the input; "" becomes a source of NULL. */
void record_sample(struct record_reader *r, struct sample *ret);

/* ERR_CORRUPT when something did not fit or something is left over. */
MUST_CHECK int record_end(const struct record_reader *r);

/* Small numbers of either sign as small numbers without. */
static inline uint64_t zigzag(uint64_t v)
{
	return (v << 1) ^ (0 - (v >> 63));
}

static inline uint64_t unzigzag(uint64_t v)
{
	return (v >> 1) ^ (0 - (v & 1));
}

static inline uint64_t double_bits(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof bits);
	return bits;
}

static inline double bits_double(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof v);
	return v;
}
