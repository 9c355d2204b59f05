/* SPDX-License-Identifier: Apache-2.0 */
/* Turns - walks that take turns with the loop: what lasts longer than a slice goes on in its next rounds, one
 * slice in each, so that gossip, heartbeats and other questions do not wait for it. Of another organisation a
 * few do so at the same time, and more wait for these.
 *
 * Owner:   the views. Threads: the loop's.
 */
#pragma once

#include "node/walk.h"

struct turns;

enum { TURN_MS = 5 };

MUST_CHECK int turns_new(struct turns **ret, struct engine *e);
/* Every walk ends now, with ERR_UNREACHABLE; those that begin later go through without a pause. */
void turns_stop(struct turns *t);
void turns_free(struct turns *t); /* NULL is fine */

/* A walk (walk.h), cut at its deadline. `done` is called once, perhaps before this returns; not when it
 * fails. The part dies with the call; audience and question must stay as they are until then. */
typedef void turn_fn(void *ctx, uint32_t number, int code, const struct view_part *part);
struct turn_options {
	const struct audience *to;
	struct view_question question;
	enum walk_source source;
	size_t bytes_max;    /* of the part */
	int64_t deadline_ns; /* monotonic; nobody waits for it any longer */
	uint32_t number;     /* given back */
	turn_fn *done;
	void *ctx;
};
MUST_CHECK int turns_walk(struct turns *t, const struct turn_options *opt);
