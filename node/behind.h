/* SPDX-License-Identifier: Apache-2.0 */
/* Behind - writing behind on a pool thread, beside the commits: a checkpoint when one is due, else a piece of
 * a backup that was asked for, else a slice of merging the history, else, now and then, a slice of looking
 * for rot. Each begins and ends on the loop.
 *
 * Owner:   the writer. Threads: the loop's.
 */
#pragma once

#include "node/engine.h"

struct behind;

/* `ended` is called whenever a piece of work has ended: more room may be there, or another piece due. */
MUST_CHECK int behind_new(struct behind **ret, struct engine *e, void (*ended)(void *ctx), void *ctx);
void behind_free(struct behind *b); /* nothing may be under way; NULL is fine */

/* Begin what is due, unless something is under way. While commits are under way merging takes half of a
 * thread at most; a stopping node only writes checkpoints. */
enum behind_pace { BEHIND_FREE, BEHIND_GENTLE, BEHIND_STOPPING };
void behind_turn(struct behind *b, enum behind_pace pace);
bool behind_is_busy(const struct behind *b);

/* Samples were applied; how many are not behind a checkpoint. */
void behind_applied(struct behind *b, uint64_t n_samples);
uint64_t behind_samples(const struct behind *b);

/* Copy the store into a directory (storage/backup.h) right after a checkpoint that begins from now on,
 * between the other work. One at a time: ERR_REFUSED with a note while one is under way. `on_report` may be
 * called any number of times, the last time with a code: BACKUP_WHOLE, or why there is no backup. */
struct backup_report {
	int code; /* 0: it goes on */
	const char *why;
	uint64_t done_bytes, total_bytes;
};
typedef void backup_report_fn(void *ctx, const struct backup_report *report);
MUST_CHECK int behind_backup(struct behind *b, const char *dir, backup_report_fn *on_report, void *ctx,
			     struct err_note *note);

/* Why the last checkpoint was not written, or NULL. */
const char *behind_trouble(const struct behind *b);
