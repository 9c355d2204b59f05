/* SPDX-License-Identifier: Apache-2.0 */
/* For people: one line a member, one column for each thing asked for. Columns in which nothing would stand
 * are left out. */
#include "proto/clock.h"
#include "proto/words.h"
#include "tools/print.h"
#include "tools/show.h"
#include "tools/view_cells_text.h"
#include "tools/view_show.h"

#define NONE SIZE_MAX

enum { STEM_LEVELS = 14 };

/* What the columns are, decided once for all lines. */
struct tree {
	const struct shown_view *v;
	struct table table;
	bool names, life, health, states;
	size_t share; /* the roll-up whose shares are drawn; NONE */
};

static void decide(struct tree *t)
{
	for (size_t i = 0; i < t->v->view->n_members; i++) {
		const struct view_member *m = &t->v->view->members[i];
		t->names |= *m->name != '\0';
		t->life |= m->life != LIFE_OPERATING;
		t->health |= m->health != HEALTH_UNKNOWN;
		t->states |= m->state != MEMBER_LIVE;
	}
	t->share = view_share_of(t->v->question, t->v->view->rollups);
}

static void heading(struct tree *t)
{
	const struct view_question *q = t->v->question;

	table_column(&t->table, COLUMN_GIVES, "TWIN");
	if (t->names)
		table_column(&t->table, COLUMN_GIVES, "NAME");
	if (t->health)
		table_column(&t->table, COLUMN_LEFT, "HEALTH");
	if (t->life)
		table_column(&t->table, COLUMN_LEFT, "LIFE");
	if (t->states)
		table_column(&t->table, COLUMN_LEFT, "STATE");
	for (size_t i = 0; i < q->n_show; i++)
		table_column(&t->table, COLUMN_RIGHT, q->show[i]);
	for (size_t i = 0; i < q->n_rollups; i++)
		table_column(&t->table, COLUMN_RIGHT, rollup_spec_text(t->v->arena, &q->rollups[i]));
	if (t->share != NONE)
		table_column(&t->table, COLUMN_SPARE, "SHARE");
}

/* `12.5 MW, 3s ago` */
static const char *value_words(const struct shown_view *v, const struct view_member *m, const char *property)
{
	const int64_t now_ns = v->question->has_as_of ? v->question->as_of_ns : v->now_ns;
	char age[DURATION_TEXT_SIZE];

	for (size_t i = 0; i < m->n_values; i++) {
		const struct kpi *k = &m->values[i];
		const char *words;
		if (strcmp(k->property, property) != 0)
			continue;
		words = sample_words(v->arena, &k->sample, k->unit);
		if (k->sample.t_ns > now_ns || k->sample.value.type == VALUE_NONE)
			return words;
		return arena_print(v->arena, "%s, %s ago", words,
				   duration_text(now_ns - k->sample.t_ns, age));
	}
	return "-";
}

static enum paint state_paint(enum member_state state)
{
	return state == MEMBER_LIVE ? PAINT_PLAIN : state == MEMBER_CACHED ? PAINT_WARNING : PAINT_ALARM;
}

static void member_row(struct tree *t, const char *stem, const struct view_member *m)
{
	const struct view_question *q = t->v->question;
	struct table *const table = &t->table;

	table_cell(table, PAINT_PLAIN, arena_print(table->arena, "%s%s", stem, m->id));
	if (t->names)
		table_cell(table, PAINT_DIM, m->name);
	if (t->health)
		table_cell(table, view_health_paint(m->health), health_text(m->health));
	if (t->life)
		table_cell(table, PAINT_PLAIN, m->life == LIFE_OPERATING ? "" : life_cycle_text(m->life));
	if (t->states)
		table_cell(table, state_paint(m->state),
			   m->state == MEMBER_LIVE ? "" : member_state_text(m->state));
	for (size_t i = 0; i < q->n_show; i++)
		table_cell(table, PAINT_PLAIN, value_words(t->v, m, q->show[i]));
	for (size_t i = 0; i < q->n_rollups; i++)
		view_rollup_cell(table, &q->rollups[i], m->rollups ? &m->rollups[i] : NULL);
	if (t->share != NONE)
		view_share_cell(table, &q->rollups[t->share], m->rollups ? &m->rollups[t->share] : NULL,
				&t->v->view->rollups[t->share]);
}

/* What stands before a member: a branch for each level above it, the first ones left out where there are
 * many. */
static const char *stem_of(const struct shown_view *v, size_t i, size_t depth)
{
	const char *stem = depth == 0 ? "" : v->next_sibling[i] == NONE ? "└── " : "├── ";

	for (size_t level = 1; level < depth && stem; level++) {
		if (level == STEM_LEVELS)
			return arena_print(v->arena, "…%s", stem);
		i = v->parent[i];
		stem = arena_print(v->arena, "%s%s", v->next_sibling[i] == NONE ? "    " : "│   ", stem);
	}
	return text_or_empty(stem);
}

static void tree_text(const struct shown_view *v, FILE *out)
{
	struct tree t = {.v = v, .table = {.arena = v->arena, .width = v->width}};
	size_t depth = 0, shown = 0;

	decide(&t);
	heading(&t);
	for (size_t i = v->root_member; i != NONE; i = view_next(v, i, &depth, VIEW_SHOW_DEPTH_MAX)) {
		member_row(&t, stem_of(v, i, depth), &v->view->members[i]);
		shown++;
	}
	table_print(&t.table, out);
	if (shown > 0 && shown < v->view->n_members)
		fprintf(out, "%s more below level %d: see --csv\n",
			human_count(v->arena, v->view->n_members - shown), VIEW_SHOW_DEPTH_MAX);
}

static void totals_text(const struct shown_view *v, FILE *out)
{
	const struct view_question *q = v->question;

	for (size_t i = 0; i < q->n_rollups && v->view->rollups; i++) {
		fprintf(out, "%s%s ", i == 0 ? "total: " : ", ",
			text_or_empty(rollup_spec_text(v->arena, &q->rollups[i])));
		paint(out, PAINT_BOLD, view_rollup_words(v->arena, &q->rollups[i], &v->view->rollups[i]));
	}
	if (q->n_rollups > 0 && v->view->rollups)
		fputc('\n', out);
}

void view_text(const struct shown_view *v, FILE *out)
{
	if (view_has_cells(v->question))
		view_cells_text(v, out);
	else
		tree_text(v, out);
	/* of a tree those of the root are the totals, of a series there are none */
	if (v->question->step_ns == 0 && (v->question->by != GROUP_NONE || v->root_member == NONE))
		totals_text(v, out);
	paint(out, view_is_clean(v->view) ? PAINT_GOOD : PAINT_WARNING,
	      view_certificate_text(v->arena, v->view));
	fputc('\n', out);
	for (size_t i = 0; i < v->view->n_problems; i++) {
		fputs("problem: ", out);
		print_clean(out, v->view->problems[i]);
		fputc('\n', out);
	}
}
