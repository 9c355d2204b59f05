/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/import.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "tools/document.h"

/* One row of a rule on its way to a twin. */
struct making {
	struct import *im;
	const struct rule *rule;
	size_t rule_at;
	struct scope scope;
	struct mark mark;
};

int import_skip(struct import *im, const char *file, unsigned line, const char *format, ...)
{
	struct skip *skip = arena_push(im->arena, &im->skips, &im->n_skips, sizeof *skip);
	char reason[512];
	va_list args;

	if (!skip)
		return FAIL(-ENOMEM);
	va_start(args, format);
	vsnprintf(reason, sizeof reason, format, args);
	va_end(args);
	*skip = (struct skip){file, line, arena_copy(im->arena, reason)};
	return skip->reason ? 0 : FAIL(-ENOMEM);
}

static int skip_row(struct making *k, const char *reason)
{
	k->im->rules[k->rule_at].skipped++;
	return import_skip(k->im, k->mark.file, k->mark.line, "%s", reason);
}

static struct op *plan_op(struct making *k, struct planned_list *list, enum op_kind kind, const char *what)
{
	struct planned *p = arena_push(k->im->arena, &list->items, &list->n, sizeof *p);

	if (!p)
		return NULL;
	*p = (struct planned){.op = {.kind = kind}, .mark = k->mark, .rule = k->rule_at};
	p->mark.what = what;
	return &p->op;
}

/* Tags or aliases: those whose conditions hold and that are not empty. */
static int fill_items(struct making *k, const struct mapped_items *items, const char ***ret, size_t *ret_n)
{
	const char **texts = arena_take_array(k->im->arena, items->n, sizeof *texts);

	*ret_n = 0;
	if (!texts)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < items->n; i++) {
		const int holds = scope_holds(&k->scope, &items->items[i].where);
		const char *text = scope_fill(&k->scope, items->items[i].value);
		TRY(holds);
		if (!text)
			return FAIL(-ENOMEM);
		if (holds && *text)
			texts[(*ret_n)++] = text;
	}
	*ret = texts;
	return 0;
}

static int fill_twin(struct making *k, struct twin_def *t)
{
	const struct rule *rule = k->rule;

	*t = (struct twin_def){.id = k->scope.id,
			       .type = rule->type ? rule->type->name : "",
			       .kind = rule->kind,
			       .name = ""};
	if (rule->display_name)
		t->name = scope_fill(&k->scope, rule->display_name);
	if (!t->name)
		return FAIL(-ENOMEM);
	TRY(fill_items(k, &rule->tags, &t->tags, &t->n_tags));
	TRY(fill_items(k, &rule->aliases, &t->aliases, &t->n_aliases));
	return life_begin(k->im->arena, rule->life, t);
}

/* Read a cell as the property wants it; 1: it cannot be, and the note says why. */
static int read_cell(struct arena *a, const struct property_def *def, const struct conversion *c,
		     const char *text, struct sample *s, struct err_note *note)
{
	s->quality = QUALITY_GOOD;
	s->sigma = NAN;
	if (value_parse(a, def->type, text, &s->value, note) < 0)
		return 1;
	if (s->value.type == VALUE_DOUBLE) {
		s->value.real = s->value.real * c->scale + c->offset;
		if (!isfinite(s->value.real))
			s->quality = QUALITY_BAD;
	}
	return property_accepts(def, s, note) < 0 ? 1 : 0;
}

static int make_value(struct making *k, const struct mapped_property *p)
{
	struct sample *s = arena_take(k->im->arena, sizeof *s);
	const int holds = scope_holds(&k->scope, &p->where);
	const char *text = scope_fill(&k->scope, p->value);
	struct err_note why = {0};
	struct op *op;

	TRY(holds);
	if (!s || !text)
		return FAIL(-ENOMEM);
	if (!holds || !*text)
		return 0;
	s->t_ns = k->im->mapping->at_ns;
	if (read_cell(k->im->arena, p->def, &p->conversion, text, s, &why) != 0)
		return import_skip(k->im, k->mark.file, k->mark.line, "%s: %s", p->def->name, why.text);
	op = plan_op(k, &k->im->values, OP_SAMPLES, p->def->name);
	if (!op)
		return FAIL(-ENOMEM);
	op->samples =
		(struct op_samples){.twin = k->scope.id, .property = p->def->name, .samples = s, .n = 1};
	return 0;
}

static int fill_time(const struct making *k, const struct template *t, int64_t *ret_ns, struct err_note *why)
{
	const char *text = t ? scope_fill(&k->scope, t) : "";

	if (!text)
		return FAIL(-ENOMEM);
	return *text ? time_parse(text, ret_ns, why) : 0;
}

static int make_relation(struct making *k, const struct mapped_relation *m)
{
	struct relation r = {.type = m->type, .valid_from_ns = TIME_MIN, .valid_to_ns = TIME_MAX};
	const int holds = scope_holds(&k->scope, &m->where);
	struct err_note why = {0};
	struct op *op;

	if (holds <= 0)
		return holds;
	r.from = m->from ? scope_fill(&k->scope, m->from) : k->scope.id;
	r.to = m->to ? scope_fill(&k->scope, m->to) : k->scope.id;
	if (!r.from || !r.to)
		return FAIL(-ENOMEM);
	if (fill_time(k, m->valid_from, &r.valid_from_ns, &why) < 0 ||
	    fill_time(k, m->valid_to, &r.valid_to_ns, &why) < 0 || relation_check(&r, &why) < 0)
		return import_skip(k->im, k->mark.file, k->mark.line, "relation %s: %s", m->type, why.text);
	op = plan_op(k, &k->im->relations, OP_RELATION, "relation");
	if (!op)
		return FAIL(-ENOMEM);
	op->relation = r;
	return 0;
}

static int make_series(struct making *k, const struct mapped_series *m)
{
	const int holds = scope_holds(&k->scope, &m->where);
	const char *column = scope_fill(&k->scope, m->column);
	struct planned_series *s;
	size_t at;

	TRY(holds);
	if (!column)
		return FAIL(-ENOMEM);
	if (!holds)
		return 0;
	if (!csv_column(m->table, column, &at))
		return m->optional
			       ? 0
			       : import_skip(k->im, k->mark.file, k->mark.line, "%s %s has no series in %s",
					     k->rule->name, column, m->table->name);
	s = arena_push(k->im->arena, &k->im->series, &k->im->n_series, sizeof *s);
	if (!s)
		return FAIL(-ENOMEM);
	*s = (struct planned_series){.twin = k->scope.id, .series = m, .column = at, .rule = k->rule_at};
	return 0;
}

static int make_parts(struct making *k)
{
	for (size_t i = 0; i < k->rule->n_properties; i++)
		TRY(make_value(k, &k->rule->properties[i]));
	for (size_t i = 0; i < k->rule->n_relations; i++)
		TRY(make_relation(k, &k->rule->relations[i]));
	for (size_t i = 0; i < k->rule->n_series; i++)
		TRY(make_series(k, &k->rule->series[i]));
	return 0;
}

static int make_twin(struct making *k)
{
	struct err_note why = {0};
	const char *id = scope_fill(&k->scope, k->rule->id);
	struct twin_def t;
	struct op *op;

	if (!id)
		return FAIL(-ENOMEM);
	k->scope.id = id;
	TRY(fill_twin(k, &t));
	if (twin_def_check(&t, &why) < 0)
		return skip_row(k, why.text);
	if (!id_is_of_org(id, k->im->mapping->org)) {
		ignore(err_say(&why, 0, "%s is not a twin of %s", id, k->im->mapping->org)); /* words only */
		return skip_row(k, why.text);
	}
	if (map_get(&k->im->ids, id)) {
		ignore(err_say(&why, 0, "twin %s is made by an earlier row already", id)); /* words only */
		return skip_row(k, why.text);
	}
	op = plan_op(k, &k->im->twins, OP_TWIN, "twin");
	if (!op)
		return FAIL(-ENOMEM);
	op->twin = t;
	k->im->rules[k->rule_at].chosen++;
	TRY(map_put(&k->im->ids, id, k->im));
	return make_parts(k);
}

static int make_row(struct making *k, size_t *joined)
{
	struct err_note why = {0};
	int r = scope_join(&k->scope, joined, &why);

	TRY(r);
	if (r == SCOPE_ALONE)
		return skip_row(k, why.text);
	r = scope_holds(&k->scope, &k->rule->where);
	return r > 0 ? make_twin(k) : r;
}

static struct scope new_scope(const struct import *im, const struct csv *table, const struct joins *joins)
{
	return (struct scope){.arena = im->arena,
			      .variables = im->mapping->variables,
			      .n_variables = im->mapping->n_variables,
			      .table = table,
			      .joins = joins};
}

static int plan_rule(struct import *im, size_t at)
{
	const struct rule *rule = &im->mapping->rules[at];
	struct making k = {.im = im, .rule = rule, .rule_at = at};
	size_t *joined = arena_take_array(im->arena, rule->joins.n, sizeof *joined);
	const size_t n_rows = rule->table ? rule->table->n_rows : 1;

	if (!joined)
		return FAIL(-ENOMEM);
	if (rule->table) {
		im->rules[at].rows = n_rows + rule->table->n_bad;
		im->rules[at].skipped = rule->table->n_bad;
	}
	for (size_t row = 0; row < n_rows; row++) {
		k.scope = new_scope(im, rule->table, &rule->joins);
		k.scope.row = row;
		k.mark.file = rule->table ? rule->table->name : rule->name;
		k.mark.line = rule->table ? csv_line(rule->table, row) : 0;
		TRY(make_row(&k, joined));
	}
	return 0;
}

/* The time of one row of a series; rows without a good one are skipped as a whole. */
static int read_time(struct import *im, struct mapped_series *m, struct scope *scope, size_t *joined)
{
	struct err_note why = {0};
	const unsigned line = csv_line(m->table, scope->row);
	int64_t *time = &m->times[scope->row];
	const char *text;
	int r = scope_join(scope, joined, &why);

	TRY(r);
	*time = TIME_MIN;
	if (r == SCOPE_ALONE)
		return import_skip(im, m->table->name, line, "%s", why.text);
	text = scope_fill(scope, m->time);
	if (!text)
		return FAIL(-ENOMEM);
	if (time_parse(text, time, &why) == 0)
		return 0;
	*time = TIME_MIN;
	return import_skip(im, m->table->name, line, "%s", why.text);
}

static int read_times(struct import *im, struct mapped_series *m)
{
	struct scope scope = new_scope(im, m->table, &m->joins);
	size_t *joined = arena_take_array(im->arena, m->joins.n, sizeof *joined);

	m->times = arena_take_array(im->arena, m->table->n_rows, sizeof *m->times);
	if (!joined || !m->times)
		return FAIL(-ENOMEM);
	for (scope.row = 0; scope.row < m->table->n_rows; scope.row++)
		TRY(read_time(im, m, &scope, joined));
	return 0;
}

int import_samples(struct import *im, const struct planned_series *s, struct arena *a, size_t *at, size_t max,
		   bool report, struct op_samples *ret)
{
	const struct mapped_series *m = s->series;

	*ret = (struct op_samples){.twin = s->twin, .property = m->def->name};
	for (; *at < m->table->n_rows && ret->n < max; ++*at) {
		const char *cell = csv_cell(m->table, *at, s->column);
		struct sample sample = {.t_ns = m->times[*at]}, *kept;
		struct err_note why = {0};

		if (m->times[*at] == TIME_MIN || !*cell)
			continue;
		if (read_cell(a, m->def, &m->conversion, cell, &sample, &why) != 0) {
			if (report)
				TRY(import_skip(im, m->table->name, csv_line(m->table, *at), "%s: %s",
						csv_header(m->table, s->column), why.text));
			continue;
		}
		kept = arena_push(a, &ret->samples, &ret->n, sizeof *kept);
		if (!kept)
			return FAIL(-ENOMEM);
		*kept = sample;
	}
	return 0;
}

/* Look at every field of every series, so that the report is whole before anything is sent. */
static int check_series(struct import *im)
{
	enum { PIECE = 4096 };
	SCOPED(scope_arena) struct arena *a = NULL;

	TRY(arena_new(&a, 64 << 20));
	for (size_t i = 0; i < im->n_series; i++) {
		struct planned_series *s = &im->series[i];
		for (size_t at = 0; at < s->series->table->n_rows;) {
			struct op_samples piece;
			arena_reset(a);
			TRY(import_samples(im, s, a, &at, PIECE, true, &piece));
			s->n_samples += piece.n;
		}
	}
	return 0;
}

static int report_bad_rows(struct import *im)
{
	for (size_t t = 0; t < im->mapping->n_tables; t++) {
		const struct csv *table = im->mapping->tables[t];
		for (size_t i = 0; i < table->n_bad; i++)
			TRY(import_skip(im, table->name, table->bad[i].line,
					"the row has %zu fields, the header %zu", table->bad[i].n_fields,
					table->n_columns));
	}
	return 0;
}

int import_plan(struct import *im)
{
	struct mapping *m = im->mapping;

	im->rules = arena_take_array(im->arena, m->n_rules, sizeof *im->rules);
	if (!im->rules)
		return FAIL(-ENOMEM);
	TRY(report_bad_rows(im));
	for (size_t i = 0; i < m->n_rules; i++)
		for (size_t s = 0; s < m->rules[i].n_series; s++)
			TRY(read_times(im, &m->rules[i].series[s]));
	for (size_t i = 0; i < m->n_rules; i++)
		TRY(plan_rule(im, i));
	return check_series(im);
}

void import_fini(struct import *im)
{
	map_fini(&im->ids);
}
