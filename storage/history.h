/* SPDX-License-Identifier: Apache-2.0 */
/* History - the samples of every series: what came since the last checkpoint in memory, everything older in
 * runs: immutable environments of sorted chunks, each written once from front to back and dropped whole.
 *
 *                    add                    checkpoint                       merge
 *     samples ----> open ---freeze--> frozen ---write--> run (level 0) x 8 ---------> run (level 1) x 8 -->
 * ...
 *
 *     history/0000000007/   one run: see storage/run.h
 *
 * Which runs count is kept by the caller, in the same transaction as the rest of a checkpoint (state/), as
 * the text that history_runs() gives: a run that it does not name is a leftover, see history_tidy(). Runs
 * may overlap in time; where two hold the same time of a series the younger wins, so late samples need no
 * place kept for them and nothing old is ever rewritten for them before its merge.
 *
 * Retention is applied by merges of all runs (storage/rollup.h): raw samples that are older than a series'
 * raw retention, counted from its newest sample, become one-minute buckets, those one-hour buckets, then
 * nothing.
 *
 * Owner:   the store. Threads: the loop's, except history_write(), history_merge_step() and
 *          history_scrub_step(), which one other thread (the same for all three) may run meanwhile.
 * Views:   a reader and what it hands out are good until the loop's next history_add(), freeze or thaw: page
 *          by page, never across a wait.
 */
#pragma once

#include "proto/arena.h"
#include "proto/scope.h"
#include "proto/twin.h"
#include "storage/points.h"

struct history;

/* A series as readers and adders name it. `chain` is the caller's to keep, one per series, 0 at first: where
 * the newest sample in memory lies. It needs no upkeep when what it points to has gone to a run. */
struct series {
	uint32_t id; /* 1.. ; never used for anything else again */
	uint32_t chain;
	enum value_type type;
};

/* ERR_CORRUPT (a run that `runs` names is missing or damaged beyond opening), -errno; the note says which. */
MUST_CHECK int history_open(struct history **ret, const char *dir, size_t limit_bytes, struct bytes runs,
			    struct err_note *note);
void history_close(struct history *h); /* NULL is fine */

/* Remove the runs that do not count. Once everything else of the store is seen to be good: a list of runs
 * that turns out to be of another time must not cost those it does not name. */
void history_tidy(const struct history *h);

/* Take a sample into memory; *chain is the series' and changes. Any order of times. -ENOMEM. */
MUST_CHECK int history_add(struct history *h, uint32_t series, uint32_t *chain, const struct sample *s);

/* Many numbers at once, quality good, neither uncertainty nor source: what a packed frame mostly is. */
MUST_CHECK int history_add_number(struct history *h, uint32_t series, uint32_t *chain, int64_t t_ns,
				  enum value_type type, uint64_t bits, enum quality quality,
				  const char *source);

/* Samples in memory, open and frozen. */
size_t history_backlog(const struct history *h);

/* ---- Reading ----------------------------------------------------------------------------------------------
 */

enum { HISTORY_ABSENT = 1 };
/* The last sample at or before a time, raw. Text goes into the arena. HISTORY_ABSENT, ERR_CORRUPT. */
MUST_CHECK int history_at(struct history *h, const struct series *s, int64_t at_ns, struct arena *a,
			  struct sample *ret);

/* What is known as of each of n times, which do not fall: one pass over the series, however many there are.
 * Equal samples share their texts, which go into the arena. ERR_CORRUPT, -ENOMEM. */
MUST_CHECK int history_points(struct history *h, const struct series *s, const int64_t *t_ns, size_t n,
			      struct arena *a, struct point *ret);

/* Raw samples with from <= t <= to, oldest first:
 *
 *     SCOPED(scope_history_reader) struct history_reader *r = NULL;
 *     TRY(history_read(h, &series, from, to, &r));
 *     while ((n = history_next(r, &column)) > 0)       column: a piece of at most CHUNK_SAMPLES_MAX samples
 *
 * A damaged chunk is ERR_CORRUPT when the reader gets there, never skipped in silence. */
struct history_reader;
struct column;
MUST_CHECK int history_read(struct history *h, const struct series *s, int64_t from_ns, int64_t to_ns,
			    struct history_reader **ret);
MUST_CHECK int history_next(struct history_reader *r, const struct column **ret); /* 1: a piece; 0: the end */
void history_reader_free(struct history_reader *r);

/* What a stretch of time amounts to (DESIGN 4): of raw samples, or of roll-ups where raw ones are gone. NaN
 * and samples of quality bad count in n_bad only. Mean and variance by Chan's update. */
struct bucket {
	int64_t t_ns, step_ns; /* [t, t + step) */
	uint64_t n, n_bad;
	double mean, m2;       /* m2: sum of squared distances from the mean */
	double min, max, last; /* of n > 0 */
	int64_t last_ns;
	bool coarse; /* made of roll-ups whose own buckets are wider than a sample */
};

/* Buckets of step_ns, aligned to multiples of it, that have any sample with from <= t <= to; oldest first, at
 * most `limit`; go on at the last one's t_ns + step_ns. Numbers and bools only (ERR_REFUSED). Coarse buckets
 * that reach over the edge of a step belong to the step they begin in. */
struct bucket_range {
	int64_t from_ns, to_ns, step_ns;
	size_t limit;
};
MUST_CHECK int history_buckets(struct history *h, const struct series *s, const struct bucket_range *range,
			       struct arena *a, struct bucket **ret, size_t *ret_n, bool *ret_more);

/* From when on raw samples of a series are there; TIME_MIN: nothing of it has expired. */
MUST_CHECK int history_raw_since(struct history *h, const struct series *s, int64_t *ret_ns);

/* Is this very sample stored? */
MUST_CHECK int history_holds(struct history *h, const struct series *s, const struct sample *sample,
			     bool *ret);

/* ---- Write-behind -----------------------------------------------------------------------------------------
 */

/* See recent_reserve() and recent_bytes(). */
MUST_CHECK int history_reserve(struct history *h, size_t n_samples);
size_t history_memory(const struct history *h);

/* freeze (loop), write (other thread), thaw (loop): freeze, thaw and the begin and end of a merge only while
 * the other thread is in none of its functions. When the write failed, what was frozen is kept and goes into
 * the next one together with what came since. When only the caller failed to keep history_runs() durably,
 * thaw(false) too: the run is kept, and the next history_runs() names it. */
MUST_CHECK int history_freeze(struct history *h);
MUST_CHECK int history_write(struct history *h); /* a new run, durable, not yet counted */
/* What to keep durably so that the runs written so far count from then on; between write and thaw. Never
 * empty.
 */
void history_runs(const struct history *h, struct buf *out);
void history_thaw(struct history *h, bool written);
/* Does a run count of which nothing durable knows that it does? Then history_runs() may only be kept together
 * with what says that its samples need not come again from the log: in a checkpoint. Otherwise a merge could
 * make buckets of them, and what comes again would count twice. */
bool history_is_ahead(const struct history *h);

/* Merging, a slice at a time, so that checkpoints go on between slices (never during one).
 *
 *     begin (loop): HISTORY_NOTHING, or 0: then steps (other thread) until 1: written; the caller makes
 *     history_runs() durable and calls end(true) (loop), which removes the runs that were merged. end(false)
 *     before it is written gives up, and the next begin starts anew; after that it says that what is durable
 *     may still name the runs that were merged: they stay on disk until a later end(true) or thaw(true).
 *
 * rules[id] says what may go; ids beyond n_rules are gone series. Copied. */
struct series_rule {
	bool alive;                         /* false: nobody can ask for it any more; nothing of it is kept */
	int64_t raw_ns, minute_ns, hour_ns; /* each after the one before; 0: for ever (raw), none (others) */
};
typedef struct series_rule series_rule_fn(const void *ctx, uint32_t series);
enum { HISTORY_NOTHING = 1 };
MUST_CHECK int history_merge_begin(struct history *h, series_rule_fn *rule, const void *ctx,
				   uint32_t n_series);
MUST_CHECK int history_merge_step(struct history *h); /* 0: call again; 1: written */
void history_merge_end(struct history *h, bool durable);

/* Look at the checksums of a few MiB more of the runs. 0: call again; 1: all runs are through. What is rotten
 * is counted, named in the note, and stays unread. */
struct history_health {
	uint64_t n_runs, n_chunks, bytes;
	uint64_t scrubbed, rotten; /* chunks, since opening */
	char first_rotten[160];
};
MUST_CHECK int history_scrub_step(struct history *h);
void history_health(const struct history *h, struct history_health *ret);

DEFINE_SCOPED(history, history_close)
DEFINE_SCOPED(history_reader, history_reader_free)
