/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the history share: history.c (opening, adding, write-behind), history_write.c,
 * history_read.c, history_buckets.c, merge.c, scrub.c. */
#pragma once

#include "storage/chunk.h"
#include "storage/history.h"
#include "storage/pieces.h"

/* Runs in the order of their age, the oldest first. */
struct run_list {
	struct run **runs;
	size_t n;
};

/* How far the look at the checksums has come, and what it has found; the loop's thread reads the latter. */
struct scrub {
	uint64_t number;   /* of the run it is in */
	size_t place;      /* and where that was in the list */
	struct buf behind; /* the last key looked at */
	_Atomic uint64_t seen, rotten;
	char first_rotten[160]; /* written once, before `rotten` becomes 1 */
};

struct history {
	char *dir;
	size_t limit_bytes;
	struct recent recent;
	struct run_list runs;   /* those that count; changed by the loop's thread only */
	struct run *written;    /* by history_write(), until the thaw */
	bool ahead;             /* see history_is_ahead() */
	struct run_list doomed; /* merged; kept until it is sure that nothing durable names them */
	uint64_t next_number;   /* used by the other thread */
	struct merge *merge;
	size_t merge_work; /* samples looked at in a step of a merge */
	struct scrub scrub;
};

/* Room for n in all. */
MUST_CHECK int run_list_reserve(struct run_list *l, size_t n);
MUST_CHECK int run_list_add(struct run_list *l, struct run *r);

/* Close it, and remove it as soon as it is sure that nothing durable names it. */
void history_doom(struct history *h, struct run *r);
void history_remove_doomed(struct history *h);

/* ERR_FULL when the runs have reached the limit. */
MUST_CHECK int history_check_room(const struct history *h);

/* Put the places i .. end - 1 of a column into a run as one chunk; `scratch` holds what it became. */
MUST_CHECK int history_put_chunk(struct run_writer *run, uint32_t series, const struct column *c, size_t i,
				 size_t end, enum chunk_effort effort, struct buf *scratch);
