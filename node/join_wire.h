/* SPDX-License-Identifier: Apache-2.0 */
/* Join wire - one connection of a machine that joins: asks again and again, puts the answer together.
 *
 * Blocks; for a process that does nothing else. Its ZeroMQ context is its own.
 */
#pragma once

#include "proto/join.h"
#include "security/keys.h"

struct join_wire_options {
	const char *endpoint;
	const struct curve_key *server; /* pinned: nobody else is told anything */
	const struct curve_pair *keys;
	struct bytes request; /* an encoded signed_blob */
	void (*on_wait)(void *ctx, const char *text);
	void *ctx;
};

/* How a connection can end without an answer; all of them may pass. */
enum {
	JOIN_WIRE_ABSENT = 1, /* nobody listens */
	JOIN_WIRE_STRANGER,   /* somebody who has not the key */
	JOIN_WIRE_LOST,       /* the node, for a time */
};

/* 0: `ret_answer` is a whole join_answer, as the node at the other end gave it. ERR_REFUSED: it said no, in
 * the note's words. */
MUST_CHECK int join_wire_ask(const struct join_wire_options *opt, struct buf *ret_answer,
			     struct err_note *note);
