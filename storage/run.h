/* SPDX-License-Identifier: Apache-2.0 */
/* Run - one immutable piece of the history: an environment written once in the order of its keys, then only
 * read, dropped whole.
 *
 *     's' series (4) kind (1) t0 (8, sign flipped)  ->  record
 *          'c'  chunk of samples; t0 is the time of the first        storage/chunk.h
 *          'e'  from when on raw samples are there (8); t0 is 0
 *          'h'  one-hour buckets, t0 is the begin of the first        storage/rollup.h
 *          'l'  a chunk that a merge found rotten: last time it can have held (8), its bytes as they were
 *          'm'  one-minute buckets
 *     'M'  ->  what is in it: struct run_meta. Written last: a run without it is not whole.
 *
 * Everything of a series lies together, so that a merge goes through its inputs once.
 *
 * Owner:   history. Threads: any may read.
 */
#pragma once

#include "proto/buf.h"
#include "storage/env.h"

enum run_kind {
	RUN_CHUNK = 'c',
	RUN_EXPIRY = 'e',
	RUN_HOURS = 'h',
	RUN_LOST = 'l',
	RUN_MINUTES = 'm',
};

struct run_key {
	uint32_t series;
	enum run_kind kind;
	int64_t t_ns;
};

struct run_meta {
	uint32_t level;
	uint32_t first_series, last_series; /* of all records; first above last: there are none */
	int64_t first_ns, last_ns;          /* of all samples and buckets; first above last: there are none */
	uint64_t n_records, n_samples, bytes;
	uint64_t n_lost, n_rolled; /* lost chunks; records of kinds 'e', 'h', 'm' */
	int64_t expired_at_ns;     /* newest time when retention was last applied; INT64_MIN: never */
};

struct run {
	uint64_t number;
	char *dir;
	struct env *env;
	struct run_meta meta;
	uint64_t disk_bytes;
	bool stuck; /* its tree is damaged: a merge could not get through it */
};

/* The run NUMBER below a directory. ERR_CORRUPT when it is not there or not whole; the note says which. */
MUST_CHECK int run_open(struct run **ret, const char *dir, uint64_t number, size_t limit_bytes,
			struct err_note *note);
void run_close(struct run *r); /* NULL is fine */
/* Close it and remove its directory; what cannot be removed now is at the next opening. */
void run_remove(struct run *r);

/* The directory of a run below `dir`. */
enum { RUN_PATH_BYTES = 4096 };
MUST_CHECK int run_path(const char *dir, uint64_t number, char ret[RUN_PATH_BYTES]);

/* May it have anything of a series between these times? */
bool run_may_hold(const struct run *r, uint32_t series, int64_t from_ns, int64_t to_ns);

/* Walk the records of one kind of a series. Ends within the call that began it.
 *
 *     SCOPED(run_walk_end) struct run_walk w = {0};
 *     TRY(run_walk_begin(&w, run, series, RUN_CHUNK));
 *     while ((r = run_walk_next(&w)) > 0)
 *             TRY(run_walk_value(&w, &value));      ERR_CORRUPT when it is rotten
 */
struct run_walk {
	struct run_key key; /* the current record's */
	struct env_txn *txn;
	struct env_walk walk;
	uint8_t prefix[6];
};
MUST_CHECK int run_walk_begin(struct run_walk *w, const struct run *r, uint32_t series, enum run_kind kind);
MUST_CHECK int run_walk_next(struct run_walk *w);
/* To the last record at or before a time: 1, or 0 when there is none; next goes on behind it. */
MUST_CHECK int run_walk_floor(struct run_walk *w, int64_t t_ns);
MUST_CHECK int run_walk_value(const struct run_walk *w, struct bytes *ret);
void run_walk_end(struct run_walk *w);

/* The smallest series number at or above one: 1, or 0 when there is none. */
MUST_CHECK int run_series_next(const struct run *r, uint32_t series, uint32_t *ret);

/* From when on raw samples of a series are there, if any of it have expired; else INT64_MIN. */
MUST_CHECK int run_expiry(const struct run *r, uint32_t series, int64_t *ret_ns);

/* Look at the checksums of the records behind a key ("" to begin; it moves on), about `budget` bytes of them.
 * 1: that was the last; 0: there are more. */
typedef void run_look_fn(void *ctx, const struct run *r, const struct run_key *key, bool sound);
MUST_CHECK int run_check(const struct run *r, struct buf *behind, size_t budget, run_look_fn *look,
			 void *ctx);

/* What a record of kind 'l' says. */
struct run_lost {
	int64_t last_ns;
	struct bytes stored;
};
MUST_CHECK int run_lost_decode(struct bytes in, struct run_lost *ret);
MUST_CHECK int run_meta_decode(struct bytes in, struct run_meta *ret);
void run_meta_encode(const struct run_meta *m, struct buf *out);

/* ---- Writing ----------------------------------------------------------------------------------------------
 */

/* A run being made. Zeroed is none. */
struct run_writer {
	struct env *env;
	struct env_txn *txn;
	struct run_meta meta;
	uint64_t number;
	size_t uncommitted;
	char dir[RUN_PATH_BYTES];
	size_t limit_bytes;
};
/* Whatever lies there under that number is removed. */
MUST_CHECK int run_writer_begin(struct run_writer *w, const char *dir, uint64_t number, size_t limit_bytes);
/* Keys in rising order. What the value spans in time and how many samples it has goes into the meta. */
struct run_span {
	int64_t first_ns, last_ns;
	size_t n_samples;
};
MUST_CHECK int run_writer_put(struct run_writer *w, const struct run_key *key, struct bytes value,
			      const struct run_span *span);
/* Make what was put so far durable: no transaction is left open, another thread may go on. */
MUST_CHECK int run_writer_pause(struct run_writer *w);
/* Durable and whole: ready to be read. */
MUST_CHECK int run_writer_end(struct run_writer *w, struct run **ret);
void run_writer_drop(struct run_writer *w); /* gives up and removes it; nothing to do after end */

DEFINE_SCOPED(run, run_close)
