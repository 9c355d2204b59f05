/* SPDX-License-Identifier: Apache-2.0 */
/* Find - which twins an expression selects, of all that who asks may see, wherever their owner is.
 *
 * Own twins are looked at here, a millisecond or two at a time between the other work of the loop; rare texts
 * lead to their twins at once. Who asks decides how far it reaches:
 *
 *     the own organisation   own twins, other own nodes, partners through their borders
 *     a partner, at a border own twins, other own nodes on the partner's behalf
 *     a node of ours         own twins
 *
 * Whoever does not answer in time is looked up in the rows held of him, and counted so. Each twin is judged
 * once, as it is when it is looked at; what is returned is judged again at the end.
 *
 * Owner:   a find frees itself. Threads: the loop's.
 */
#pragma once

#include "node/views.h"

enum {
	FIND_PAGE_MAX = 1000, /* twins returned at a time, however many are asked for */
	FINDS_MAX = 32,       /* at the same time; half of them for others than the own organisation */
};

/* Of `question` counts where, show, after, limit, offline, fresh and deadline. The part has members in order
 * of ids, counts.members: all that were found (see view.h), counts by state, sources and problems; behind a
 * full page there may be another. `done` is called once, perhaps before this returns; not
 * when it fails: ERR_REFUSED or ERR_UNIT with a note that names the column, or too many are running. */
MUST_CHECK int find_ask(struct engine *e, const struct audience *to, const struct view_question *question,
			view_fn *done, void *ctx, struct err_note *note);
