/* SPDX-License-Identifier: Apache-2.0 */
/* Walk - the part of a view that this node can answer by itself: live from its own twins, or cached from
 * rows.
 *
 * Goes down the hierarchy from every root with an explicit stack (a hierarchy may be 10,000 deep), meets
 * every twin once, adds each value where it is found, and hands totals up to the returned members at the end.
 * Everything they may not know of is passed over by egress.
 */
#pragma once

#include "node/audience.h"
#include "node/engine.h"
#include "proto/view.h"

enum walk_source { WALK_LIVE, WALK_CACHED };

/* `to` is who will read. The part lives in the arena. -ENOMEM. */
MUST_CHECK int walk_part(struct engine *e, const struct audience *to, const struct view_question *q,
			 enum walk_source source, struct arena *a, struct view_part *ret);
