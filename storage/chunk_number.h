/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of a chunk - a part that is an array of 64-bit numbers: values, uncertainties, places in a
 * dictionary. Lossless to the bit, whatever the numbers are.
 *
 *     encoding (1)  length (varint)  bytes:
 *
 *     constant    the number (8)
 *     integer     factor (varint), integers: the numbers divided by it
 *     ordered     the same of doubles as whole numbers of the same order: negative ones with the other bits
 * turned decimal     digits (1), number of odd ones (varint), odd ones: distance to the place of the one
 * before (varint), number (8); factor (varint), integers: see storage/chunk_decimal.h single      the same by
 * way of floats dictionary  number of words (varint), numbers: the words; integers: the place of each number
 * among them
 *
 * Fixed-width numbers are little-endian; integers are drawn in storage/chunk_integer.h and go to the end.
 */
#pragma once

#include "storage/chunk.h"
#include "storage/record.h"

enum number_kind { NUMBER_INTEGER, NUMBER_DOUBLE };

/* Appends the part. */
void numbers_encode(const uint64_t *v, size_t n, enum number_kind kind, enum chunk_effort effort,
		    struct buf *out);

/* ERR_CORRUPT, -ENOMEM. */
MUST_CHECK int numbers_decode(struct record_reader *r, size_t n, uint64_t *ret);

/* Is the part that begins here n times the same number? Then that is read. */
bool numbers_constant(struct record_reader *r, uint64_t *ret);

/* The name of the encoding of the part that begins here. */
const char *numbers_encoding_text(struct bytes part);
