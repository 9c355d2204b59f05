/* SPDX-License-Identifier: Apache-2.0 */
/* Cursor - a reader's place in an origin's stream, and whether a server can go on from it (DESIGN 7, MESH 1.4).
 *
 * (incarnation, seq, snap_hi, epoch): every row up to `seq` has been seen, in states no newer than `snap_hi`. A bare
 * sequence number would be wrong after a restore from backup, one without snap_hi would let rows "from the
 * future" survive it. Between organisations the node seals the encoded form; inside it travels plain.
 */
#pragma once

#include "proto/message.h"

struct cursor {
	uint64_t incarnation;
	uint64_t seq;
	uint64_t snap_hi; /* head when the rows were read; >= seq */
	uint64_t epoch;   /* policy epoch under which they were filtered; 0 inside the organisation */
};

enum { CURSOR_BYTES = 33 }; /* version byte, four big-endian numbers */

void cursor_encode(const struct cursor *c, uint8_t ret[CURSOR_BYTES]);
/* ERR_MALFORMED */
MUST_CHECK int cursor_decode(struct bytes in, struct cursor *ret);

/* 0: serve from c->seq; otherwise an enum reset_reason:
 *   RESET_LINEAGE  the incarnation is unknown, or the reader has seen states that a newer incarnation undid
 *   RESET_BEHIND   the reader is ahead of this server on the same lineage: another server must serve
 *   RESET_EPOCH    the rows were filtered under another policy */
int cursor_check(const struct cursor *c, const struct incarnation *lineage, size_t n_lineage, uint64_t head_seq,
                 uint64_t epoch);
