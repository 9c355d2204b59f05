/* SPDX-License-Identifier: Apache-2.0 */
/* Audit log - an append-only file of records (proto/audit.h) that outlives crashes and tells of a full disk
 * before it bites.
 *
 *     DIR/0000000001.log, 0000000002.log, ...   segments, each allocated whole before it is used
 *     DIR/spare                                 the next one, allocated already
 *
 * A group of records is written and synced as one; at a crash it is there whole or not at all. With a spare
 * there is room for a segment's worth more, whatever else fills the disk. Nothing is ever taken away.
 *
 * Owner:   one log per directory and process.
 * Threads: audit_log_commit() and audit_log_reserve() in one at a time, the rest in any.
 */
#pragma once

#include "proto/audit.h"
#include "proto/scope.h"

struct audit_log;

struct audit_options {
	const char *dir;
	size_t segment_bytes; /* 0: AUDIT_SEGMENT_BYTES */
};
enum { AUDIT_SEGMENT_BYTES = 4 << 20, AUDIT_SEGMENT_MIN = 8192, AUDIT_GROUP_MAX = 1 << 20 };

/* Makes the directory if it is absent, cuts off a group that was not finished. ERR_CORRUPT when something is
 * damaged that was whole once, ERR_VERSION, -errno; the note says which file and what to do. */
MUST_CHECK int audit_log_open(struct audit_log **ret, const struct audit_options *opt, struct err_note *note);
void audit_log_close(struct audit_log *l); /* NULL is fine */

/* Records written as one. */
struct audit_group {
	struct bytes records; /* at most AUDIT_GROUP_MAX and half a segment: else -EMSGSIZE */
	uint32_t n_entries;   /* so many of them are entries */
	bool has_checkpoint;
	int64_t time_ns; /* no entry in it is later; one before that of the last group counts as that */
};
/* Durable when it returns 0. ERR_FULL (no room is left), -EIO, ...: nothing is acknowledged, and the same
 * records may be given again. */
MUST_CHECK int audit_log_commit(struct audit_log *l, const struct audit_group *group);

/* AUDIT_LOW: there is no spare, for the disk is full or fails: what remains of the last segment is all there
 * is. AUDIT_NONE: the last commit failed. */
enum audit_room { AUDIT_ROOMY, AUDIT_LOW, AUDIT_NONE };
enum audit_room audit_log_room(struct audit_log *l);
/* Try to make the spare if it is missing. */
MUST_CHECK int audit_log_reserve(struct audit_log *l);

uint64_t audit_log_entries(struct audit_log *l);
uint64_t audit_log_bytes(struct audit_log *l); /* of the segments, on disk */

/* Append the records of whole groups to out, from the one that holds entry `from` (0..) on, at least one
 * group and until there are max_bytes. *ret_first is the number of the first entry in them, *ret_next where
 * to go on. AUDIT_LOG_END: that was all there is; none were appended when `from` is beyond. ERR_CORRUPT: a
 * damaged group stands there. */
enum { AUDIT_LOG_END = 1 };
MUST_CHECK int audit_log_read(struct audit_log *l, uint64_t from, size_t max_bytes, struct buf *out,
			      uint64_t *ret_first, uint64_t *ret_next);
/* The first entry of the first group whose time is not before this one; audit_log_entries() when there is
 * none. */
MUST_CHECK int audit_log_find_time(struct audit_log *l, int64_t time_ns, uint64_t *ret);
/* From which entry to read so that the last checkpoint is among the first records. AUDIT_LOG_ABSENT: there is
 * no checkpoint. */
enum { AUDIT_LOG_ABSENT = 1 };
MUST_CHECK int audit_log_checkpoint(struct audit_log *l, uint64_t *ret);

DEFINE_SCOPED(audit_log, audit_log_close)
