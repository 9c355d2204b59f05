/* SPDX-License-Identifier: Apache-2.0 */
/* Log - the one commit point: numbered batches, each durable when log_append() returns.
 *
 * A ring of small environments DIR/0000000001, ...: key batch number, value batch. One is written to until it
 * is big enough, then the next begins; environments are dropped whole once a checkpoint holds what is in
 * them, so no free list ever fragments. After opening, and after a failed commit, a fresh environment begins:
 * what is in doubt is never written to again, and a number that occurs twice counts where it was written
 * last.
 *
 * Owner:   the store. Threads: one may append while another drops; everything else alone.
 */
#pragma once

#include <stdint.h>

#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/scope.h"

struct log;

/* `limit_bytes` bounds all of it together. */
MUST_CHECK int log_open(struct log **ret, const char *dir, size_t limit_bytes, struct err_note *note);
void log_close(struct log *l); /* NULL is fine */

/* Every batch with a number above `after`, in order. ERR_CORRUPT when one is missing or damaged. */
typedef int log_replay_fn(void *ctx, uint64_t number, struct bytes batch);
MUST_CHECK int log_replay(struct log *l, uint64_t after, log_replay_fn *replay, void *ctx,
			  struct err_note *note);

/* The number of the last batch; 0: the log is empty. */
uint64_t log_last(const struct log *l);

/* Durable when it returns 0; otherwise nothing of it is kept. ERR_FULL, -ENOSPC, -EIO, ... */
MUST_CHECK int log_append(struct log *l, uint64_t number, struct bytes batch);

/* Forget the environments in which no number is above up_to, but for one that is being written to. */
void log_drop(struct log *l, uint64_t up_to);

uint64_t log_bytes(struct log *l); /* on disk */

DEFINE_SCOPED(log, log_close)
