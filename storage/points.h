/* SPDX-License-Identifier: Apache-2.0 */
/* Points - samples of one series in memory, in the order of their times, each time once: 24 bytes for a
 * number without uncertainty and source, more only for what has more.
 *
 * Owner:   embeds the struct, zeroed is empty. Threads: one changes it; any may read while nobody changes it.
 */
#pragma once

#include "proto/buf.h"
#include "proto/value.h"

struct points {
	enum value_type type; /* of all values; set by the first */
	size_t n, size;
	struct point *items;
	struct buf more;  /* uncertainties, sources, texts, positions */
	size_t last_more; /* where the latest of these begins: the next one is often the same */
};

void points_fini(struct points *p);  /* frees, leaves it empty */
void points_clear(struct points *p); /* empty, keeps the memory */

/* A sample at a time that is there already replaces it. -ENOMEM, then nothing has changed. */
MUST_CHECK int points_add(struct points *p, const struct sample *s);

/* The place of the first sample at or behind a time; p->n when there is none. */
size_t points_find(const struct points *p, int64_t t_ns);

int64_t points_time(const struct points *p, size_t i);
/* Texts point into p and are good until it changes. */
struct sample points_get(const struct points *p, size_t i);

/* Add the samples of `from` in the places i .. end - 1. */
MUST_CHECK int points_merge(struct points *to, const struct points *from, size_t i, size_t end);

/* Same time, value, quality, uncertainty and source. */
bool sample_equal(const struct sample *a, const struct sample *b);
