/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of a chunk - a part that is an array of 64-bit numbers: values, uncertainties, places in a
 * dictionary. Lossless to the bit, whatever the numbers are.
 *
 *     encoding (1)  length (varint)  bytes
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

/* The name of the encoding of the part that begins here. */
const char *numbers_encoding_text(struct bytes part);
