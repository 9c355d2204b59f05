/* SPDX-License-Identifier: Apache-2.0 */
/* Bits - arrays of numbers that need but a few bits each, one behind the other, low bits first: number i lies
 * at the bits i x width .. of the bytes taken as one little-endian number. */
#pragma once

#include "proto/buf.h"

static inline unsigned bits_width(uint64_t v)
{
	return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

/* Bytes of n numbers; width at most 64. */
static inline size_t bits_bytes(size_t n, unsigned width)
{
	return (n * width + 7) / 8;
}

/* Append the low `width` bits of each. */
void bits_pack(const uint64_t *v, size_t n, unsigned width, struct buf *out);

/* `in` holds bits_bytes(n, width) bytes at least; what lies behind them may be read but does not matter.
 * `ret` has room for n rounded up to a multiple of BITS_GROUP. */
enum { BITS_GROUP = 8 };
void bits_unpack(struct bytes in, size_t n, unsigned width, uint64_t *ret);
