/* SPDX-License-Identifier: Apache-2.0 */
/* Huffman - bytes whose values are far from equally frequent, each as a prefix code of at most 11 bits.
 *
 *     largest byte that occurs (1)  for it and each below it, from 0 up: length of its code, 0: does not
 * occur length of three streams (3 x varint)  four streams
 *
 * A length is told by its difference to the one before (11 at first): 0 one bit 0, +1 bits 1 0, -1 bits 1 1
 * 0, else 1 1 1 and the length itself in 4 bits. Codes are canonical: shorter ones first, then by value.
 * Bytes 0 .. n/4 - 1 (rounded up) are in the first stream, and so on: four that are decoded side by side, for
 * none has to wait for another's bits. First bits are low bits.
 */
#pragma once

#include "proto/buf.h"

/* At least one byte. */
void huffman_encode(struct bytes in, struct buf *out);

/* Exactly n bytes; all of `in` is used. ERR_CORRUPT. */
MUST_CHECK int huffman_decode(struct bytes in, size_t n, uint8_t *ret);
