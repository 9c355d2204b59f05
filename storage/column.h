/* SPDX-License-Identifier: Apache-2.0 */
/* Column - samples of one series in memory, in the order of their times, each time once; one array per part
 * of a sample, so that encoders, decoders and sums run over plain arrays.
 *
 * Owner:   embeds the struct, zeroed is empty. Threads: one changes it; any may read while nobody changes it.
 * Views:   texts and samples handed out point into it and are good until it changes.
 */
#pragma once

#include "proto/buf.h"
#include "proto/value.h"

#define COLUMN_NONE UINT32_MAX /* in source[]: not stated */

struct column {
	enum value_type type; /* of all values; set by the first */
	size_t n, size;
	int64_t *t_ns;
	uint64_t *bits;   /* of the number; TEXT, ENUM, POSITION: place in `more` */
	uint8_t *quality; /* NULL: all are good */
	double *sigma;    /* NULL: none is stated; NaN: this one is not */
	uint32_t *source; /* place in `more`, or COLUMN_NONE; NULL: none is stated */
	struct buf more;  /* texts with their NUL, positions as three doubles */
	size_t last_text; /* where the latest text begins, one up: the next one is often the same */
};

void column_fini(struct column *c);  /* frees, leaves it empty */
void column_clear(struct column *c); /* empty, keeps the memory */

/* Room for n samples in all, every part that is in use included. -ENOMEM. */
MUST_CHECK int column_reserve(struct column *c, size_t n);

/* Samples in the order of time are appended; one at a time that is there already replaces it; an earlier one
 * is put in its place. -ENOMEM, then nothing has changed. The type must be the column's. */
MUST_CHECK int column_add(struct column *c, const struct sample *s);

/* The place of the first sample at or behind a time; c->n when there is none. */
size_t column_find(const struct column *c, int64_t t_ns);
struct sample column_get(const struct column *c, size_t i);

/* Add the samples of `from` in the places i .. end - 1: they win over what is there at the same times. Linear
 * in both. */
MUST_CHECK int column_merge(struct column *to, const struct column *from, size_t i, size_t end);

/* The bits[] of a bool, int64 or double, and back; 0 of any other type. */
uint64_t value_bits(const struct value *v);
struct value value_of_bits(enum value_type type, uint64_t bits);

/* Same time, value, quality, uncertainty and source. */
bool sample_equal(const struct sample *a, const struct sample *b);
