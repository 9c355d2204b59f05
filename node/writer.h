/* SPDX-License-Identifier: Apache-2.0 */
/* Writer - group commit: requests for changes in, one log commit for all that wait, answers when it is
 * durable.
 *
 *     submit -> queue --stage--> batch --(pool thread) store_write--> store_apply --> answers,
 * engine_store_changed
 *
 * While a batch is being written the next requests gather; a commit starts when the last one ends (or, with
 * `commit-interval`, when it has passed). Checkpoints are written at the same time by another thread, see
 * node/behind.h. When they cannot keep up, requests wait in the queue, and beyond its bounds are refused.
 */
#pragma once

#include "node/behind.h"
#include "node/engine.h"
#include "proto/control.h"
#include "proto/packed.h"

struct write_result {
	int code; /* 0, or why nothing of the request was kept */
	struct err_note note;
	uint64_t n_changed, n_unchanged; /* ops; samples count as one each */
	struct refusal *refused;
	size_t n_refused;
	struct change_note *notes;
	size_t n_notes;
};

/* Called on the loop when the request is durable, refused or failed; the result dies with the call. */
typedef void write_fn(void *ctx, const struct write_result *result);

struct write_request {
	struct arena *arena; /* holds what follows; the writer frees it after `done` ... */
	bool arena_is_lent;  /* ... unless it is the asker's, who keeps it until `done` */
	struct op *ops;
	size_t n_ops;
	const struct packed *frame; /* instead of ops; NULL: none */
	bool atomic, dry_run;
	write_fn *done; /* NULL: nobody waits */
	void *ctx;
};

MUST_CHECK int writer_start(struct writer **ret, struct engine *e);
/* Takes the request's arena unless it is lent, also when it fails. ERR_UNREACHABLE when the node is stopping,
 * -EAGAIN when too much waits already. */
MUST_CHECK int writer_submit(struct writer *w, const struct write_request *request);
/* How many requests an asker may have on their way: falls as checkpoints fall behind. */
uint32_t writer_credit(const struct writer *w);
/* Time passed: a checkpoint may be due. */
void writer_tick(struct writer *w);
/* See behind_backup() in node/behind.h. */
MUST_CHECK int writer_backup(struct writer *w, const char *dir, backup_report_fn *on_report, void *ctx,
			     struct err_note *note);
/* Finish what is queued, then call `done`; nothing may be submitted any more. */
void writer_stop(struct writer *w, void (*done)(struct engine *e));
void writer_free(struct writer *w); /* after `done`; NULL is fine */

/* Why the last commit or checkpoint failed, or NULL when the store takes writes. */
const char *writer_trouble(const struct writer *w);

struct writer_stats {
	uint64_t samples_taken, samples_refused; /* since the start */
	uint64_t backlog_samples;                /* not behind a checkpoint */
	uint64_t commits;
	uint64_t commit_p99_ns; /* of the latest thousand */
};
void writer_stats(const struct writer *w, struct writer_stats *ret);
