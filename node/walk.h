/* SPDX-License-Identifier: Apache-2.0 */
/* Walk - the part of a view that this node can answer by itself: live from its own twins, or cached from
 * rows.
 *
 * Goes down the hierarchy from every root with an explicit stack (a hierarchy may be 10,000 deep), meets
 * every twin once, adds each value where it is found, and hands totals up to the returned members at the end.
 * Everything the asker may not know of is passed over by egress, decided once for each class of twins.
 *
 * Roots that were seen are walked first, and neither returned nor counted: what hangs below them counted when
 * they were asked for the first time, and what is met there counts no more. Another root that was met there
 * is returned without anything.
 *
 * In slices: between two the loop goes on. When twins, relations or the policy change meanwhile the walk
 * begins again, a few times; then it goes through without a pause. Values may change: each is as it is when
 * it is met, as if another node had been asked.
 *
 * Owner:   whoever called walk_new(). Threads: the loop's.
 */
#pragma once

#include "node/audience.h"
#include "node/engine.h"
#include "proto/view.h"

enum walk_source { WALK_LIVE, WALK_CACHED };

struct walk;

/* Memory that a walk takes for its part at most; then the part is cut. */
enum { WALK_BYTES_MAX = 160 << 20 };

/* `to` is who will read. Question, audience and arena are borrowed; the part lives in the arena, which has
 * room for half as much again as bytes_max. ERR_MALFORMED: an expression that does not parse. -ENOMEM. */
MUST_CHECK int walk_new(struct walk **ret, struct engine *e, const struct audience *to,
			const struct view_question *q, enum walk_source source, struct arena *a,
			size_t bytes_max);
/* Go on until engine_mono_ns() is `until_ns`, a little longer perhaps. 1: it is done, *ret is the part, which
 * is good until the store changes; 0: call again. -ENOMEM. */
MUST_CHECK int walk_step(struct walk *w, int64_t until_ns, struct view_part *ret);
/* Its time is over: cut it where it is. 1: *ret is the part, as above. -ENOMEM. */
MUST_CHECK int walk_stop(struct walk *w, struct view_part *ret);
void walk_free(struct walk *w); /* NULL is fine */

DEFINE_SCOPED(walk, walk_free)
