/* SPDX-License-Identifier: Apache-2.0 */
/* Groups and series of a view for people, and cells that their tables share with the tree of members. */
#pragma once

#include "tools/print.h"
#include "tools/view_show.h"

/* A line for each group, or for each time; of one roll-up over groups and times a column for each group. */
void view_cells_text(const struct shown_view *v, FILE *out);

enum paint view_health_paint(enum health health);
/* What the roll-up comes to; s NULL: nothing. */
void view_rollup_cell(struct table *table, const struct rollup_spec *spec, const struct rollup_state *s);
/* `██████▌     54 %`; empty for what is no part of the total. */
void view_share_cell(struct table *table, const struct rollup_spec *spec, const struct rollup_state *part,
		     const struct rollup_state *total);
/* The roll-up of which shares are drawn: the first sum or count with a total above 0. SIZE_MAX: none. */
size_t view_share_of(const struct view_question *q, const struct rollup_state *totals);
