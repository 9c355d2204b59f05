/* SPDX-License-Identifier: Apache-2.0 */
/* Merge - several runs that lie beside each other in age become one: of a level as soon as there are
 * MERGE_RUNS, or all of them when retention has something to end. Series by series; what nobody can ask for
 * any more is left out.
 *
 * A chunk that is found rotten is not lost in silence and holds nothing up: its bytes go into the new run as
 * they were, as a record that says for what stretch of time they stood, and whoever reads there is told. A
 * run whose tree is damaged, so that its records cannot be found, stays as it is and is merged no more.
 *
 * Owner:   history. Threads: as history_merge_*.
 */
#pragma once

#include "storage/history_private.h"
#include "storage/rollup.h"

struct merge;

enum { MERGE_RUNS = 8 };

/* One series after the other on its way from the inputs to the result: merge_series.c. Zeroed is none. */
struct series_merge {
	uint32_t series;
	bool active;              /* between begin and the step that says it is through */
	struct horizon horizon;   /* of a merge that ends retention, else everything stays */
	enum chunk_effort effort; /* the caller's to set, once; what follows is not */
	struct pieces pieces;
	struct column waiting; /* for a chunk to become full */
	struct buckets minutes, hours;
	bool expired;
	int64_t first_kept_ns; /* TIME_MIN: none yet */
	struct buf scratch;
	struct loss {
		int64_t first_ns, last_ns;
		struct buf stored;
	} * losses;
	size_t n_losses;
};

struct merge_inputs {
	struct run **runs; /* oldest first */
	size_t n;
};

/* The rule is NULL when nothing is to expire. */
MUST_CHECK int series_merge_begin(struct series_merge *m, const struct merge_inputs *in, uint32_t series,
				  const struct series_rule *rule);
/* A chunk or so further: 1, or 0 when the series is through; *work grows by the samples looked at. */
MUST_CHECK int series_merge_step(struct series_merge *m, const struct merge_inputs *in,
				 struct run_writer *out, size_t *work);
void series_merge_end(struct series_merge *m);

/* What history_runs() has to know. A merge that is NULL is not done. */
bool merge_is_done(const struct merge *m);
bool merge_takes(const struct merge *m, const struct run *r);
/* Is the result to be named where this input was? Not when nothing is left of the inputs. */
bool merge_comes_at(const struct merge *m, const struct run *r);
const struct run *merge_result(const struct merge *m);
void merge_free(struct merge *m); /* NULL is fine */
