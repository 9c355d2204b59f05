/* SPDX-License-Identifier: Apache-2.0 */
/* Timeline - the samples of all series of an import, one after the other in the order of their times; of
 * equal times in the order of the series.
 *
 * Owner:   the caller's struct, zeroed. The import outlives it.
 */
#pragma once

#include "tools/import.h"

struct timeline {
	struct import *im;
	struct arena *arena; /* of the sample that was given last */
	struct timeline_cursor {
		const struct planned_series *series;
		const size_t *rows; /* in the order of their times; of one table they share it */
		size_t n, at;
	} * cursors;
	struct timeline_cursor **heap; /* the earliest on top */
	size_t n_cursors, n_heap;
	uint64_t n_samples;        /* there are, all in all */
	int64_t first_ns, last_ns; /* times of the first and the last; 0 without any */
};

/* -ENOMEM. */
MUST_CHECK int timeline_open(struct timeline *t, struct import *im);
void timeline_fini(struct timeline *t);
/* From the beginning. */
void timeline_rewind(struct timeline *t);
/* 1: the next one, good until the next call; 0: the end; -ENOMEM. */
struct timeline_sample {
	const char *twin;
	const struct property_def *property;
	struct sample sample;
};
MUST_CHECK int timeline_next(struct timeline *t, struct timeline_sample *ret);
