/* SPDX-License-Identifier: Apache-2.0 */
/* CSV: one line a member or a cell; each value and each roll-up has its unit in a column of its own. */
#include <inttypes.h>

#include "proto/clock.h"
#include "proto/words.h"
#include "tools/csv.h"
#include "tools/view_show.h"

#define NONE SIZE_MAX

static void put_cell(FILE *out, const char *text)
{
	fputc(',', out);
	csv_put_text(out, text_or_empty(text));
}

static void rollup_headings(const struct shown_view *v, FILE *out)
{
	for (size_t i = 0; i < v->question->n_rollups; i++) {
		const char *spec = text_or_empty(rollup_spec_text(v->arena, &v->question->rollups[i]));
		put_cell(out, spec);
		put_cell(out, arena_print(v->arena, "%s unit", spec));
	}
}

static void rollup_cells(const struct shown_view *v, const struct rollup_state *states, FILE *out)
{
	for (size_t i = 0; i < v->question->n_rollups; i++) {
		const struct rollup_spec *spec = &v->question->rollups[i];
		double value;
		const bool has = states && rollup_value(&states[i], spec, &value);

		fputc(',', out);
		if (has && spec->fn == ROLLUP_WORST_HEALTH)
			csv_put_text(out, health_text((enum health)value));
		else if (has && spec->fn == ROLLUP_COUNT)
			fprintf(out, "%.0f", value);
		else if (has)
			csv_put_number(out, value);
		put_cell(out, has ? view_rollup_unit(spec, &states[i]) : "");
	}
}

static void value_cells(const struct shown_view *v, const struct view_member *m, const char *property,
			FILE *out)
{
	const struct kpi *k = NULL;
	char at[TIME_TEXT_SIZE];

	for (size_t i = 0; i < m->n_values && !k; i++)
		if (strcmp(m->values[i].property, property) == 0 &&
		    m->values[i].sample.value.type != VALUE_NONE)
			k = &m->values[i];
	put_cell(out, k ? value_text(v->arena, &k->sample.value) : "");
	put_cell(out, k ? k->unit : "");
	put_cell(out, k ? time_text(k->sample.t_ns, at) : "");
}

static void members_csv(const struct shown_view *v, FILE *out)
{
	const struct view_question *q = v->question;
	size_t depth = 0;

	fputs("id,parent,depth,name,kind,type,state,life_cycle,health", out);
	for (size_t i = 0; i < q->n_show; i++) {
		put_cell(out, q->show[i]);
		put_cell(out, arena_print(v->arena, "%s unit", q->show[i]));
		put_cell(out, arena_print(v->arena, "%s t", q->show[i]));
	}
	rollup_headings(v, out);
	fputc('\n', out);
	for (size_t i = v->root_member; i != NONE; i = view_next(v, i, &depth, SIZE_MAX)) {
		const struct view_member *m = &v->view->members[i];
		csv_put_text(out, m->id);
		put_cell(out, m->parent);
		fprintf(out, ",%zu", depth);
		put_cell(out, m->name);
		put_cell(out, kind_text(m->kind));
		put_cell(out, m->type);
		put_cell(out, member_state_text(m->state));
		put_cell(out, life_cycle_text(m->life));
		put_cell(out, health_text(m->health));
		for (size_t s = 0; s < q->n_show; s++)
			value_cells(v, m, q->show[s], out);
		rollup_cells(v, m->rollups, out);
		fputc('\n', out);
	}
}

static void cells_csv(const struct shown_view *v, FILE *out)
{
	const bool series = v->question->step_ns > 0, groups = v->question->by != GROUP_NONE;
	char at[TIME_TEXT_SIZE];

	fputs(series && groups ? "t,group,members" : series ? "t,members" : "group,members", out);
	rollup_headings(v, out);
	fputc('\n', out);
	for (size_t i = 0; i < v->view->n_cells; i++) {
		const struct view_cell *c = &v->view->cells[i];
		if (series)
			fputs(time_text(c->t_ns, at), out);
		if (groups && series)
			fputc(',', out);
		if (groups)
			csv_put_text(out, c->group);
		fprintf(out, ",%" PRIu64, c->members);
		rollup_cells(v, c->rollups, out);
		fputc('\n', out);
	}
}

void view_csv(const struct shown_view *v, FILE *out)
{
	if (view_has_cells(v->question))
		cells_csv(v, out);
	else
		members_csv(v, out);
}
