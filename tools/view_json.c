/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "proto/words.h"
#include "tools/json.h"
#include "tools/show.h"
#include "tools/view_show.h"

#define NONE SIZE_MAX

static void rollup_json(struct json *j, const struct rollup_spec *spec, const struct rollup_state *s)
{
	double value, sigma;
	const bool has = rollup_value(s, spec, &value);

	json_open(j, NULL, '{');
	json_text(j, "fn", rollup_fn_text(spec->fn));
	if (spec->fn == ROLLUP_QUANTILE)
		json_number(j, "quantile", spec->quantile);
	json_text(j, "property", spec->property);
	json_text(j, "unit", view_rollup_unit(spec, s));
	if (!has)
		json_none(j, "value");
	else if (spec->fn == ROLLUP_WORST_HEALTH)
		json_text(j, "value", health_text((enum health)value));
	else
		json_number(j, "value", value);
	if (rollup_sigma(s, spec, &sigma))
		json_number(j, "sigma", sigma);
	if (spec->fn == ROLLUP_LATEST || spec->fn == ROLLUP_FIRST)
		json_time(j, "t", has ? s->t_ns : TIME_MIN);
	json_text(j, "quality", quality_text(rollup_quality(s)));
	json_count(j, "n", s->n);
	json_close(j);
}

void view_rollups_json(struct json *j, const struct view_question *q, const struct rollup_state *states)
{
	json_open(j, "rollups", '[');
	for (size_t i = 0; i < q->n_rollups && states; i++)
		rollup_json(j, &q->rollups[i], &states[i]);
	json_close(j);
}

static void member_fields(struct json *j, const struct view_member *m)
{
	json_text(j, "name", m->name);
	json_text(j, "kind", kind_text(m->kind));
	json_text(j, "type", m->type);
	json_text(j, "state", member_state_text(m->state));
	json_text(j, "life_cycle", life_cycle_text(m->life));
	json_text(j, "health", health_text(m->health));
}

static void values_json(struct json *j, const struct view_question *q, const struct view_member *m)
{
	if (q->n_show == 0)
		return;
	json_open(j, "values", '[');
	for (size_t i = 0; i < m->n_values; i++) {
		json_open(j, NULL, '{');
		json_text(j, "property", m->values[i].property);
		json_text(j, "unit", m->values[i].unit);
		show_sample_members(j, &m->values[i].sample);
		json_close(j);
	}
	json_close(j);
}

void view_member_json(struct json *j, const struct view_question *q, const struct view_member *m)
{
	json_text(j, "id", m->id);
	member_fields(j, m);
	values_json(j, q, m);
	view_rollups_json(j, q, m->rollups);
}

static void close_member(struct json *j)
{
	json_close(j); /* its members */
	json_close(j);
}

/* Below the root: its own fields are those of the whole. */
static void tree_json(const struct shown_view *v, struct json *j)
{
	size_t depth = 0, shown = 0, at = v->root_member;

	json_open(j, "members", '[');
	while (at != NONE) {
		const size_t before = depth;
		at = view_next(v, at, &depth, VIEW_SHOW_DEPTH_MAX);
		for (size_t d = at == NONE ? 1 : depth; d <= before; d++)
			close_member(j);
		if (at == NONE)
			break;
		json_open(j, NULL, '{');
		view_member_json(j, v->question, &v->view->members[at]);
		json_open(j, "members", '[');
		shown++;
	}
	json_close(j);
	if (v->root_member != NONE && shown + 1 < v->view->n_members)
		json_count(j, "deeper", v->view->n_members - 1 - shown);
}

void view_cells_json(struct json *j, const struct view_question *q, const struct view_part *view)
{
	json_open(j, "cells", '[');
	for (size_t i = 0; i < view->n_cells; i++) {
		const struct view_cell *c = &view->cells[i];
		json_open(j, NULL, '{');
		if (q->step_ns > 0)
			json_time(j, "t", c->t_ns);
		if (q->by != GROUP_NONE)
			json_text(j, "group", c->group);
		json_count(j, "members", c->members);
		view_rollups_json(j, q, c->rollups);
		json_close(j);
	}
	json_close(j);
}

static void source_json(struct json *j, const struct view_source *s)
{
	json_open(j, NULL, '{');
	json_text(j, "org", s->org);
	json_text(j, "node", s->node);
	json_count(j, "revision", s->revision);
	json_seconds(j, "age_s", s->age_ns);
	json_count(j, "epoch", s->epoch);
	json_text(j, "state", member_state_text(s->state));
	json_close(j);
}

void view_certificate_json(struct json *j, const struct view_part *view)
{
	const struct view_counts *c = &view->counts;

	json_open(j, "certificate", '{');
	json_bool(j, "clean", view_is_clean(view));
	json_count(j, "members", c->members);
	json_count(j, "live", c->live);
	json_count(j, "cached", c->cached);
	json_count(j, "withheld", c->withheld);
	json_count(j, "unreachable", c->unreachable);
	json_count(j, "unconfirmed", c->unconfirmed);
	json_count(j, "coarse", c->coarse);
	json_count(j, "expired", c->expired);
	json_count(j, "filtered", c->filtered);
	json_bool(j, "cut", view->cut);
	json_open(j, "sources", '[');
	for (size_t i = 0; i < view->n_sources; i++)
		source_json(j, &view->sources[i]);
	json_close(j);
	json_close(j);
	json_open(j, "problems", '[');
	for (size_t i = 0; i < view->n_problems; i++)
		json_text(j, NULL, view->problems[i]);
	json_close(j);
}

/* What was asked, where it is not what everybody asks. */
static void question_json(struct json *j, const struct view_question *q)
{
	json_text(j, "hierarchy", q->hierarchy);
	if (*q->where)
		json_text(j, "where", q->where);
	if (q->by != GROUP_NONE)
		json_text(j, "by", q->by == GROUP_PROPERTY ? q->by_property : view_by_text(q->by));
	if (q->has_as_of)
		json_time(j, "as_of", q->as_of_ns);
	if (q->step_ns > 0) {
		json_time(j, "from", q->from_ns);
		json_time(j, "to", q->to_ns);
		json_seconds(j, "step_s", q->step_ns);
	}
}

void view_json(const struct shown_view *v, FILE *out)
{
	const struct view_member *root = v->root_member == NONE ? NULL : &v->view->members[v->root_member];
	struct json j = {.out = out};

	json_open(&j, NULL, '{');
	json_text(&j, "root", v->root);
	if (root)
		member_fields(&j, root);
	question_json(&j, v->question);
	if (root)
		values_json(&j, v->question, root);
	if (v->question->step_ns == 0)
		view_rollups_json(&j, v->question, v->view->rollups);
	if (view_has_cells(v->question))
		view_cells_json(&j, v->question, v->view);
	else
		tree_json(v, &j);
	view_certificate_json(&j, v->view);
	json_close(&j);
}
