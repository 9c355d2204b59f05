/* SPDX-License-Identifier: Apache-2.0 */
/* Values from inside: what values.c and values_record.c share. `i` is a place in the block. */
#pragma once

#include "storage/values.h"

static inline const char *values_text(const struct values_block *b, uint32_t i)
{
	return (const char *)(uintptr_t)b->bits[i];
}

static inline struct position *values_position(const struct values_block *b, uint32_t i)
{
	return (struct position *)(uintptr_t)b->bits[i];
}

MUST_CHECK int values_make_block(struct values *v, uint32_t series, struct values_block **ret);
void values_retire(struct values *v, size_t block); /* frees a block whose series are all gone */

/* Takes over the note in `more`, also when it fails. */
MUST_CHECK int values_put_more(struct values *v, struct values_block *b, uint32_t i, uint32_t more);
/* A text or a position. */
MUST_CHECK int values_hold(struct values *v, struct values_block *b, uint32_t i, const struct value *value);

/* Encode a piece (number of its first series / VALUES_PIECE) into v->frozen_to. */
MUST_CHECK int values_take_piece(const struct values *v, const struct values_block *b, uint32_t piece);
