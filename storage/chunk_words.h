/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a chunk - a part that is an array of texts: text and enum values, sources. A dictionary of the
 * texts in the order in which they first occur, and the place of each in it.
 *
 *     number of words (varint)  each: length (varint), bytes;  then numbers: see storage/chunk_number.h
 *
 * The number of words, as a place, says that there is no text (sources only).
 */
#pragma once

#include "storage/chunk.h"
#include "storage/record.h"

/* The texts at places[0 .. n - 1] of `more`; COLUMN_NONE: none. */
void words_encode(const struct buf *more, const uint64_t *places, size_t n, enum chunk_effort effort,
		  struct buf *out);

/* The words go into `more`, with their NULs, the place of each text into places[]. ERR_CORRUPT, -ENOMEM. */
MUST_CHECK int words_decode(struct record_reader *r, size_t n, bool may_lack, struct buf *more,
			    uint64_t *places);
