/* SPDX-License-Identifier: Apache-2.0 */
/* View pieces - a view as the frames it is told in: members, edges, cells, sources and problems in order, as
 * many as a frame takes; what is said of the view as a whole comes with the last piece.
 */
#pragma once

#include "proto/view.h"

enum { VIEW_LISTS = 6 };

/* Where the next piece begins; zeroed: at the beginning. */
struct view_place {
	size_t at[VIEW_LISTS];
};

/* The next piece, pointing into `whole`: of at most `fill_bytes` as a message, or of one item that is larger.
 * True: another one follows; false: it is the last, with counts, totals and `cut`. */
bool view_piece(const struct view_part *whole, size_t fill_bytes, struct view_place *place,
		struct view_part *ret);

/* The largest item, as bytes of a message, at most: what every frame must take. */
size_t view_largest_item(const struct view_part *view);
