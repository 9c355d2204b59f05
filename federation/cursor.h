/* SPDX-License-Identifier: Apache-2.0 */
/* Cursor - a reader's place in an origin's stream, and whether a server can go on from it (DESIGN 7,
 * MESH 1.4).
 *
 * (incarnation, seq, snap_hi, stamp, epoch): every row up to `seq` has been seen, in states no newer than
 * `snap_hi`, which was the head at `stamp`. A bare sequence number would be wrong after a restore from
 * backup, one without snap_hi would let rows "from the future" survive it, and without the stamp a server
 * that was restored itself, or has not heard of the newest incarnation, would take a reader ahead of it for
 * one on a lost branch. Between organisations the node seals the encoded form; inside it travels plain.
 *
 * Deletions are collected some day: below its floor a server no longer knows all of them, and a reader whose
 * place is below it may hold what is gone. But one that began with nothing holds only what was there when it
 * began: `begun` says what the head was then, until its place has passed that.
 */
#pragma once

#include "proto/message.h"

struct cursor {
	uint64_t incarnation;
	uint64_t seq;
	uint64_t snap_hi; /* head when the rows were read; >= seq */
	int64_t stamp_ns; /* hybrid clock of that head */
	uint64_t epoch;   /* policy epoch under which they were filtered; 0 inside the organisation */
	uint64_t begun;   /* above seq: the reader began with nothing when this was the head; else it says
			     nothing */
};

enum { CURSOR_BYTES = 41, CURSOR_SCAN_BYTES = 49 }; /* version byte, five or six big-endian numbers */

/* Without `begun`. */
void cursor_encode(const struct cursor *c, uint8_t ret[CURSOR_BYTES]);
/* With it, if it says anything: returns the length. */
size_t cursor_encode_scan(const struct cursor *c, uint8_t ret[CURSOR_SCAN_BYTES]);
bool cursor_is_scan(const struct cursor *c); /* `begun` says something */
/* ERR_MALFORMED */
MUST_CHECK int cursor_decode(struct bytes in, struct cursor *ret);

/* `floor`: up to there deletions were collected. Against the head this server can serve up to, as its origin
 * made it (inside the organisation): 0             serve from c->seq otherwise an enum reset_reason:
 *   RESET_LINEAGE the reader has seen states that a newer incarnation undid
 *   RESET_COLLECTED  deletions behind that cursor are not known any more
 *   RESET_BEHIND  the reader is ahead of this server, or of the policy it knows: another one must serve
 * Under an older policy the rows are as good as any: what an edit changed stands in the order of changes
 * like everything else. Rests on a head's stamp never going back, and on each incarnation beginning with a
 * larger one. */
int cursor_judge(const struct cursor *c, const struct head *head, uint64_t epoch, uint64_t floor);
