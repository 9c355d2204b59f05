/* SPDX-License-Identifier: Apache-2.0 */
/* Backup - a copy of the store of a running node, taken file by file while the node goes on.
 *
 * What a checkpoint has written is copied: right after one, state/ and remote/ agree and hold everything up
 * to it, and the runs of history/ never change. The log is not needed, so a backup holds every change that
 * was acknowledged before the checkpoint began. Files are copied into DIR.part, synced, listed
 * (proto/backup.h), and only then DIR gets its name: a directory of that name is a whole backup.
 *
 * Keys are not part of a store and so not of its backup.
 *
 * Owner:   the node makes it and ends it.
 * Threads: backup_begin() and backup_end() the loop's; backup_step() the one that writes behind. Between
 * begin and the first step no checkpoint may begin, between begin and end no merge may end.
 */
#pragma once

#include "proto/backup.h"
#include "storage/store.h"

struct backup;

/* `dir`: absolute, its parent is there, itself not. ERR_REFUSED, -errno, with a note. */
MUST_CHECK int backup_begin(struct store *s, const char *dir, int64_t now_ns, struct backup **ret,
			    struct err_note *note);
enum { BACKUP_WHOLE = 1 };
/* Copy some MiB more: 0, BACKUP_WHOLE when the directory has got its name, or why it failed. */
MUST_CHECK int backup_step(struct backup *b);
void backup_progress(const struct backup *b, uint64_t *ret_done_bytes, uint64_t *ret_total_bytes);
/* Frees it; what is not whole is removed. NULL is fine. */
void backup_end(struct backup *b);

DEFINE_SCOPED(backup, backup_end)
