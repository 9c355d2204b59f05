/* SPDX-License-Identifier: Apache-2.0 */
/* Tail file - the lines of a file that grows, batch by batch, each exactly once as far as a time is theirs.
 *
 * Before a batch is handed out, where it begins and ends, and the time it came, are on disk: after a crash
 * the same lines come again with the same time, so that storing them again changes nothing. The next call of
 * tail_file_next() says that the batch before is stored.
 *
 * Rotation: a file that was renamed is read to its end, also after a crash, as long as it stays in its
 * folder; then the one that has its name now from its beginning. Truncation: from the beginning. A last line
 * without its end waits for it, in a file that was renamed it counts as whole.
 *
 * Owner:   tail_file_new(). Threads: any, one at a time; it waits for the disk.
 * Views:   a batch is good until the next call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/scope.h"

struct tail_file;

enum {
	TAIL_LINE_MAX = 64 * 1024,
	TAIL_BATCH_BYTES = 128 * 1024,
	TAIL_GRACE_MS = 2000, /* a renamed file in which nothing is written any more is over */
};

struct tail_options {
	const char *path, *record; /* record: the file that keeps the position */
	bool has_header;           /* the first line of a file names its columns */
	bool from_end;             /* when it is looked at for the first time: only what is new */
};

struct tail_batch {
	struct bytes lines;  /* whole ones, each with its newline; may be empty */
	struct bytes header; /* without its newline */
	int64_t t_ns;        /* when they came; the same again after a crash */
	bool new_file;       /* from here on it is another file, or the same from its beginning */
	bool lost;           /* the one before is gone, with what was not read of it */
	bool too_long;       /* a line was skipped */
};

MUST_CHECK int tail_file_new(struct tail_file **ret, const struct tail_options *opt);
void tail_file_free(struct tail_file *t); /* NULL is fine */

/* TAIL_NOTHING: nothing new. -errno with a note: the file, or the record, cannot be read or written. */
enum { TAIL_NOTHING = 1 };
MUST_CHECK int tail_file_next(struct tail_file *t, int64_t now_ns, struct tail_batch *ret,
			      struct err_note *note);
/* The lines of the last batch are on disk elsewhere. */
void tail_file_stored(struct tail_file *t);

DEFINE_SCOPED(tail_file, tail_file_free)
