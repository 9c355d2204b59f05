/* SPDX-License-Identifier: Apache-2.0 */
/* Trees - hash-prefix trees (federation/tree.h) over what is shown and what is held, for repairs. Made when
 * they are asked for, a slice with each question, so that the loop is never held for long; kept for half a
 * minute after, the oldest dropped when they are too many or too large.
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "federation/tree.h"
#include "node/engine.h"

struct trees;

MUST_CHECK int trees_new(struct trees **ret);       /* trees_get() calls it when the engine has none */
void trees_free(struct trees *t);                   /* NULL is fine */
void trees_expire(struct trees *t, int64_t now_ns); /* NULL is fine */

/* A tree, and where its maker stood when it was begun. */
struct tree_base {
	uint64_t incarnation;
	uint64_t seq, epoch;
	uint64_t end; /* in the order of what an audience is shown */
};

/* What a tree is over: `audience` NULL: what is held of the origin, for one `run` of repairing it. */
struct tree_wish {
	const char *audience, *origin;
	uint64_t run;
	bool begins; /* a repair: what has changed since should be in it, but for the last two seconds */
	struct tree_base now;
	uint64_t floor; /* of the origin: a tree from below it is no good */
};

/* 0: it is made; RESET_LATER: a piece of it was. Pointers are good until the next call of any of these. */
MUST_CHECK int trees_get(struct engine *e, const struct tree_wish *wish, const struct tree **ret,
			 struct tree_base *ret_base);

DEFINE_SCOPED(trees, trees_free)
