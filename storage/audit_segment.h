/* SPDX-License-Identifier: Apache-2.0 */
/* Audit segment - one file of the audit log as bytes:
 *
 *     "holon audit v1\n" NUL  number (8)  first entry (8)  time before (8)  checksum (8)
 *     groups:  "HAG1"  bytes (4)  n entries (4)  flags (4)  first entry (8)  time (8)  checksum (8)  records
 *     zeros to the end: room
 *
 * Numbers are big-endian. A checksum is BLAKE2b-64 over what stands before it and, of a group, its records.
 * No group can stand inside the records of another: its numbers have zero bytes, the texts of entries have
 * none, and what is random in an entry is too short for one.
 */
#pragma once

#include "storage/audit.h"

enum { SEGMENT_HEAD = 48, GROUP_HEAD = 40 };
enum { GROUP_HAS_CHECKPOINT = 1 };

struct segment_head {
	uint64_t number, first;
	int64_t time_ns; /* of the group before it */
};
void segment_head_encode(const struct segment_head *h, uint8_t ret[SEGMENT_HEAD]);
/* ERR_CORRUPT, ERR_VERSION. */
MUST_CHECK int segment_head_decode(struct bytes in, struct segment_head *ret);

struct segment_group {
	uint64_t first;
	int64_t time_ns;
	uint32_t n_entries;
	bool has_checkpoint;
	struct bytes records;
};
void segment_group_encode(const struct segment_group *g, struct buf *out);

/* The group at *at, which is moved behind it: 1. 0: only zeros are left. ERR_CORRUPT: no whole group of the
 * entry numbers that follow stands there. */
MUST_CHECK int segment_group_next(struct bytes segment, size_t *at, struct segment_group *ret);
/* Does a whole group begin anywhere behind `at`? Then what stands at it is not the end of a write that was
 * cut off. */
bool segment_goes_on(struct bytes segment, size_t at);
