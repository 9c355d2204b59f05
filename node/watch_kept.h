/* SPDX-License-Identifier: Apache-2.0 */
/* Watch kept - answers of other owners, good as long as what is held of their twins' summaries is what was
 * held when they were asked: so a view that is looked at again asks only those that have changed.
 *
 * An answer is kept from one look to the next, and longer as long as it is used. What is kept is bounded;
 * with more, owners are asked again.
 *
 * Owner:   a watch; it outlives the views that are asked with it. Threads: the loop's.
 */
#pragma once

#include "node/gossip.h"
#include "proto/hash.h"

enum { WATCH_KEPT_BYTES_MAX = 16 << 20, WATCH_KEPT_MAX = 1024 };

struct watch_kept;

MUST_CHECK int watch_kept_new(struct watch_kept **ret, struct engine *e);
void watch_kept_free(struct watch_kept *k);  /* NULL is fine */
void watch_kept_clear(struct watch_kept *k); /* also what is being asked now will not be kept */
void watch_kept_round(struct watch_kept *k); /* the next look: what the last one did not use goes */

/* A question to whoever is at the other end of a session, and what is held of them now. */
struct watch_mark {
	struct hash128 question;
	uint64_t held, era;
};

/* Before it is asked. -ENOMEM. */
MUST_CHECK int watch_kept_mark(const struct watch_kept *k, const struct session *s,
			       const struct view_question *q, struct watch_mark *ret);
/* The answer that was given to it, in the arena; sources say for how long their owner has not vouched. 1:
 * there is one. */
MUST_CHECK int watch_kept_find(struct watch_kept *k, const struct watch_mark *mark, struct arena *a,
			       struct answer **ret, size_t *ret_n);
/* The whole answer; forgotten when there is no room. */
void watch_kept_put(struct watch_kept *k, const struct watch_mark *mark, const struct answer *parts,
		    size_t n);
