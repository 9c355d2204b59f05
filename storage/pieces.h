/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces - the samples of one series out of several sources that may overlap in time, in order: runs from the
 * oldest to the youngest, then memory; where two have the same time the younger wins.
 *
 * Chunks are decoded when they are reached. Where a chunk overlaps no other source it is handed out as it was
 * decoded; only where sources really interleave are their samples merged.
 *
 * Owner:   embeds the struct; zeroed is none. It must not be moved. No transaction is open between two calls.
 * Views:   a piece is good until the next call.
 */
#pragma once

#include "storage/recent.h"
#include "storage/run.h"

/* A stretch of time in which a chunk cannot be read. `stored` is its value as it lies there. */
struct lost {
	int64_t first_ns, last_ns;
	struct bytes stored;
};
/* What to do about a rotten chunk: 0 goes on behind it. */
typedef int lost_fn(void *ctx, const struct lost *lost);

struct piece_source;

struct pieces {
	uint32_t series;
	int64_t from_ns, to_ns;
	struct piece_source *sources; /* oldest first */
	size_t n;
	const struct slot_view *memory;
	struct slot_ref *refs; /* of the source that is memory */
	struct column view, merged;
	enum value_type type;
	lost_fn *on_lost; /* NULL: a rotten chunk, or one that a merge lost before, is ERR_CORRUPT */
	void *lost_ctx;
};

struct piece_options {
	struct run *const *runs; /* oldest first; must outlive the pieces */
	size_t n_runs;
	uint32_t series;
	int64_t from_ns, to_ns;      /* inclusive */
	const struct recent *recent; /* NULL: none */
	uint32_t chain;
	lost_fn *on_lost;
	void *lost_ctx;
};
MUST_CHECK int pieces_begin(struct pieces *p, const struct piece_options *opt);
/* 1: at most CHUNK_SAMPLES_MAX samples; 0: the end. */
MUST_CHECK int pieces_next(struct pieces *p, const struct column **ret);
void pieces_fini(struct pieces *p);

/* Samples of a column without those before a place, without copying. Must not be freed or changed. */
struct column column_view(const struct column *c, size_t i, size_t end);
