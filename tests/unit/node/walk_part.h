/* SPDX-License-Identifier: Apache-2.0 */
/* A walk (node/walk.h) from its beginning to its end in one go. */
#pragma once

#include "node/walk.h"

/* The part lives in the arena. What walk_new() and walk_step() fail with. */
MUST_CHECK static inline int walk_part(struct engine *e, const struct audience *to,
				       const struct view_question *q, enum walk_source source,
				       struct arena *a, struct view_part *ret)
{
	SCOPED(scope_walk) struct walk *w = NULL;

	TRY(walk_new(&w, e, to, q, source, a, WALK_BYTES_MAX));
	const int r = walk_step(w, INT64_MAX, ret);
	return r < 0 ? r : 0;
}
