/* SPDX-License-Identifier: Apache-2.0 */
/* View content - what is told of a view, as bytes: where they are equal, nobody can see a difference. For who
 * tells only what differs. How a roll-up came about (its sketch, who brought the unit) is not told, nor are
 * ages and the stamps of newest rows, which say nothing of what is in it.
 */
#pragma once

#include "proto/buf.h"
#include "proto/view.h"

/* Appended to `b`. */
void view_put_member(struct buf *b, const struct view_question *q, const struct view_member *m);
void view_put_totals(struct buf *b, const struct view_question *q,
		     const struct view_part *view); /* and cells */
void view_put_certificate(struct buf *b, const struct view_part *view);
