/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/view_cells_text.h"

#include <math.h>
#include <stdlib.h>

#include "proto/clock.h"
#include "proto/words.h"

#define NONE SIZE_MAX

enum { BAR_COLUMNS = 12, EIGHTHS = 8, PIVOT_GROUPS_MAX = 24 };

/* ---- Cells */

enum paint view_health_paint(enum health health)
{
	static const enum paint paints[N_HEALTHS] = {[HEALTH_UNKNOWN] = PAINT_DIM,
						     [HEALTH_GOOD] = PAINT_GOOD,
						     [HEALTH_WARNING] = PAINT_WARNING,
						     [HEALTH_ALARM] = PAINT_ALARM};

	return paints[health];
}

void view_rollup_cell(struct table *table, const struct rollup_spec *spec, const struct rollup_state *s)
{
	double value;
	const bool health = spec->fn == ROLLUP_WORST_HEALTH && s && rollup_value(s, spec, &value);

	table_cell(table, health ? view_health_paint((enum health)value) : PAINT_PLAIN,
		   s ? view_rollup_words(table->arena, spec, s) : "-");
}

size_t view_share_of(const struct view_question *q, const struct rollup_state *totals)
{
	double total;

	for (size_t i = 0; i < q->n_rollups && totals; i++) {
		const struct rollup_spec *spec = &q->rollups[i];
		if ((spec->fn == ROLLUP_SUM || spec->fn == ROLLUP_COUNT) &&
		    rollup_value(&totals[i], spec, &total) && total > 0 && isfinite(total))
			return i;
	}
	return NONE;
}

/* Blocks of an eighth of a column: the fuller, the larger the part. */
static const char *bar(struct arena *a, double part)
{
	static const char *const eighths[EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	const unsigned n = (unsigned)lround(part * BAR_COLUMNS * EIGHTHS);
	const char *text = eighths[n % EIGHTHS];

	for (unsigned i = 0; i < n / EIGHTHS && text; i++)
		text = arena_print(a, "█%s", text);
	for (unsigned i = (n + EIGHTHS - 1) / EIGHTHS; i < BAR_COLUMNS && text; i++)
		text = arena_print(a, "%s ", text);
	return text_or_empty(text);
}

void view_share_cell(struct table *table, const struct rollup_spec *spec, const struct rollup_state *part,
		     const struct rollup_state *total)
{
	const bool comparable = spec->fn == ROLLUP_COUNT ||
				(part && part->unit && total->unit && strcmp(part->unit, total->unit) == 0);
	double number, whole, share = NAN;

	if (part && part->n > 0 && comparable && rollup_value(part, spec, &number) &&
	    rollup_value(total, spec, &whole))
		share = number / whole;
	table_cell(table, PAINT_PLAIN,
		   share >= 0 && share <= 1
			   ? arena_print(table->arena, "%s %3.0f %%", bar(table->arena, share), 100 * share)
			   : "");
}

/* ---- A line for each cell. */

static const char *by_heading(const struct view_question *q)
{
	return q->by == GROUP_PROPERTY ? q->by_property : view_by_text(q->by);
}

static const char *group_words(const char *group)
{
	return *group ? group : "-";
}

static const char *time_words(struct arena *a, int64_t t_ns)
{
	char at[TIME_TEXT_SIZE];

	return arena_copy(a, time_text(t_ns, at));
}

static void cells_table(const struct shown_view *v, FILE *out)
{
	const struct view_question *q = v->question;
	const size_t share = q->step_ns > 0 ? NONE : view_share_of(q, v->view->rollups);
	struct table t = {.arena = v->arena, .width = v->width};

	if (q->step_ns > 0)
		table_column(&t, COLUMN_LEFT, "TIME");
	if (q->by != GROUP_NONE)
		table_column(&t, COLUMN_GIVES, by_heading(q));
	table_column(&t, COLUMN_RIGHT, "MEMBERS");
	for (size_t i = 0; i < q->n_rollups; i++)
		table_column(&t, COLUMN_RIGHT, rollup_spec_text(v->arena, &q->rollups[i]));
	if (share != NONE)
		table_column(&t, COLUMN_SPARE, "SHARE");
	for (size_t c = 0; c < v->view->n_cells; c++) {
		const struct view_cell *cell = &v->view->cells[c];
		const bool again = c > 0 && cell->t_ns == cell[-1].t_ns;
		if (q->step_ns > 0)
			table_cell(&t, PAINT_PLAIN, again ? "" : time_words(v->arena, cell->t_ns));
		if (q->by != GROUP_NONE)
			table_cell(&t, PAINT_PLAIN, group_words(cell->group));
		table_cell(&t, PAINT_PLAIN, human_count(v->arena, cell->members));
		for (size_t i = 0; i < q->n_rollups; i++)
			view_rollup_cell(&t, &q->rollups[i], cell->rollups ? &cell->rollups[i] : NULL);
		if (share != NONE)
			view_share_cell(&t, &q->rollups[share], cell->rollups ? &cell->rollups[share] : NULL,
					&v->view->rollups[share]);
	}
	table_print(&t, out);
}

/* ---- One roll-up, a line for each time, a column for each group. */

static int compare_groups(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All groups there are, in order; SIZE_MAX: more than fit. */
static size_t gather_groups(const struct view_part *view, const char *groups[PIVOT_GROUPS_MAX])
{
	size_t n = 0;

	for (size_t c = 0; c < view->n_cells; c++) {
		const char *group = view->cells[c].group;
		if (n > 0 && bsearch(&group, groups, n, sizeof *groups, compare_groups))
			continue;
		if (n == PIVOT_GROUPS_MAX)
			return NONE;
		groups[n++] = group;
		qsort(groups, n, sizeof *groups, compare_groups);
	}
	return n;
}

/* Said in the heading once, if it is the same everywhere. */
static const char *common_unit(const struct view_question *q, const struct view_part *view)
{
	const char *unit = NULL;

	for (size_t c = 0; c < view->n_cells; c++) {
		const struct rollup_state *s = view->cells[c].rollups;
		const char *here = s && s->n > 0 ? view_rollup_unit(q->rollups, s) : unit;
		if (unit && here && strcmp(unit, here) != 0)
			return NULL;
		unit = here;
	}
	return text_or_empty(unit);
}

static const char *pivot_number(struct arena *a, const struct rollup_spec *spec, const struct rollup_state *s)
{
	double value;

	return s && s->n > 0 && rollup_value(s, spec, &value) ? human_number(a, value) : "-";
}

static void pivot_table(const struct shown_view *v, const char *const groups[], size_t n_groups, FILE *out)
{
	struct table t = {.arena = v->arena, .width = v->width};
	const struct rollup_spec *spec = v->question->rollups;
	const struct view_cell *cell = v->view->cells, *const end = cell + v->view->n_cells;

	table_column(&t, COLUMN_LEFT, "TIME");
	for (size_t g = 0; g < n_groups; g++)
		table_column(&t, COLUMN_RIGHT, group_words(groups[g]));
	while (cell < end) {
		const int64_t t_ns = cell->t_ns;
		table_cell(&t, PAINT_PLAIN, time_words(v->arena, t_ns));
		for (size_t g = 0; g < n_groups; g++) {
			const bool here =
				cell < end && cell->t_ns == t_ns && strcmp(cell->group, groups[g]) == 0;
			table_cell(&t, PAINT_PLAIN, here ? pivot_number(v->arena, spec, cell->rollups) : "-");
			cell += here;
		}
	}
	table_print(&t, out);
}

void view_cells_text(const struct shown_view *v, FILE *out)
{
	const struct view_question *q = v->question;
	const char *groups[PIVOT_GROUPS_MAX];
	const bool one = q->step_ns > 0 && q->by != GROUP_NONE && q->n_rollups == 1 &&
			 q->rollups->fn != ROLLUP_WORST_HEALTH;
	const size_t n = one ? gather_groups(v->view, groups) : NONE;
	const char *unit = n == NONE ? NULL : common_unit(q, v->view);

	if (!unit) {
		cells_table(v, out);
		return;
	}
	fprintf(out, "%s%s%s by %s\n", text_or_empty(rollup_spec_text(v->arena, q->rollups)),
		*unit ? " in " : "", unit, by_heading(q));
	pivot_table(v, groups, n, out);
}
