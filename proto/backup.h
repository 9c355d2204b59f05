/* SPDX-License-Identifier: Apache-2.0 */
/* Backup list - what a backup holds and whose it is: a text file `list` beside its files, written last, so
 * that a directory with a whole list is a whole backup.
 *
 *     holon-backup 1
 *     node ORG/NODE
 *     incarnation 0123456789abcdef
 *     seq 1234                               the head of the stream when it was taken
 *     taken 2026-01-01T00:00:00Z
 *     file BYTES BLAKE2B-256 state/data.mdb  one line a file
 *     end BLAKE2B-256                        of every line before
 */
#pragma once

#include "proto/arena.h"
#include "proto/buf.h"
#include "proto/hash.h"

#define BACKUP_LIST_NAME "list"
#define BACKUP_RESTORED_NAME "restored" /* in a store that was a backup and has not been opened since */

enum { BACKUP_LIST_MAX = 16 << 20, BACKUP_PATH_MAX = 255 };

struct backup_file {
	const char
		*path; /* below the backup's directory; [A-Za-z0-9._-] and single slashes, no dot segments */
	uint64_t bytes;
	struct hash256 hash;
};

struct backup_list {
	const char *node; /* ORG/NODE */
	uint64_t incarnation, seq;
	int64_t taken_ns;
	struct backup_file *files;
	size_t n_files;
};

void backup_list_print(const struct backup_list *l, struct buf *out);
/* ERR_CORRUPT (cut, changed, not a list), ERR_VERSION, -ENOMEM, with a note. */
MUST_CHECK int backup_list_parse(struct arena *a, struct bytes in, struct backup_list *ret,
				 struct err_note *note);
