/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/plan_state.h"

static int compare(const struct view_cell *a, const struct view_cell *b)
{
	return a->t_ns != b->t_ns ? (a->t_ns > b->t_ns) - (a->t_ns < b->t_ns) : strcmp(a->group, b->group);
}

static bool is_time_of(const struct view_question *q, int64_t t_ns)
{
	if (q->step_ns == 0)
		return t_ns == 0;
	return t_ns >= q->from_ns && t_ns <= q->to_ns &&
	       ((uint64_t)t_ns - (uint64_t)q->from_ns) % (uint64_t)q->step_ns == 0;
}

/* Of a group and a time that were asked for, and not of more values than members. */
static bool is_sound(const struct plan *p, const struct view_cell *c)
{
	const struct view_question *q = &p->question;

	if (!is_time_of(q, c->t_ns) || (q->by == GROUP_NONE && c->group[0] != '\0') ||
	    c->members > COUNT_MAX || (q->n_rollups > 0 && !c->rollups))
		return false;
	for (size_t i = 0; i < q->n_rollups; i++)
		if (c->rollups[i].n > c->members)
			return false;
	return true;
}

static void sum_members(struct stage *s, const struct view_cell *c)
{
	const bool same_time = s->n_cells > 0 && s->cells[s->n_cells - 1].t_ns == c->t_ns;

	s->cells_sum = c->members + (same_time ? s->cells_sum : 0);
	s->cells_most = s->cells_sum > s->cells_most ? s->cells_sum : s->cells_most;
}

static int copy_cell(struct arena *a, const struct view_cell *c, size_t n_rollups, struct view_cell *ret)
{
	*ret = *c;
	TRY(plan_copy_text(a, c->group, &ret->group));
	return plan_copy_rollups(a, c->rollups, n_rollups, &ret->rollups);
}

/* Over all parts of an answer they rise. */
int plan_stage_cells(const struct plan *p, struct stage *s, const struct view_part *part)
{
	const struct view_question *q = &p->question;
	const bool asked = q->by != GROUP_NONE || q->step_ns > 0;

	if (part->n_cells == 0)
		return 0;
	if (!asked || part->n_rollups != q->n_rollups || part->n_cells > VIEW_CELLS_MAX - s->n_cells)
		return FAIL(ERR_MALFORMED);
	for (size_t i = 0; i < part->n_cells; i++) {
		const struct view_cell *c = &part->cells[i];
		if (!is_sound(p, c) || (s->n_cells > 0 && compare(&s->cells[s->n_cells - 1], c) >= 0))
			return FAIL(ERR_MALFORMED);
		sum_members(s, c);
		struct view_cell *mine = arena_push(s->arena, &s->cells, &s->n_cells, sizeof *mine);
		if (!mine)
			return FAIL(-ENOMEM);
		TRY(copy_cell(s->arena, c, q->n_rollups, mine));
	}
	return 0;
}

/* It may take the other's texts, which go with the answer. */
static int merge_state(struct plan *p, size_t rollup, struct rollup_state *into,
		       const struct rollup_state *from)
{
	const char *const unit = into->unit, *const twin = into->unit_twin;
	struct err_note note = {0};
	const int r = rollup_merge(p->arena, &p->question.rollups[rollup], into, from, &note);

	if (r == ERR_UNIT)
		return plan_problem(p, "%s", note.text);
	TRY(r);
	if (into->unit && into->unit != unit)
		TRY(plan_copy_text(p->arena, into->unit, &into->unit));
	return into->unit_twin && into->unit_twin != twin
		       ? plan_copy_text(p->arena, into->unit_twin, &into->unit_twin)
		       : 0;
}

static int merge_cell(struct plan *p, struct view_cell *into, const struct view_cell *c)
{
	into->members += c->members;
	for (size_t i = 0; i < p->question.n_rollups; i++)
		TRY(merge_state(p, i, &into->rollups[i], &c->rollups[i]));
	return 0;
}

static int add_cell(struct plan *p, const struct view_cell *c)
{
	if (p->cells.n >= VIEW_CELLS_MAX || !plan_has_room_to_ask(p))
		return plan_cut(p, &p->said_cells)
			       ? plan_problem(p,
					      "there are more than %d groups and times: take a greater step, "
					      "or group by something coarser",
					      VIEW_CELLS_MAX)
			       : 0;
	struct view_cell *mine = arena_take(p->arena, sizeof *mine);
	const char *key = arena_print(p->arena, "%lld %s", (long long)c->t_ns, c->group);

	if (!mine || !key)
		return FAIL(-ENOMEM);
	TRY(copy_cell(p->arena, c, p->question.n_rollups, mine));
	return map_put(&p->cells, key, mine);
}

/* Each is taken on its own: the states keep their memory while the plan lives. */
int plan_take_cells(struct plan *p, const struct stage *s)
{
	for (size_t i = 0; i < s->n_cells; i++) {
		const struct view_cell *c = &s->cells[i];
		const char *key = arena_print(s->arena, "%lld %s", (long long)c->t_ns, c->group);
		struct view_cell *have = key ? map_get(&p->cells, key) : NULL;
		if (!key)
			return FAIL(-ENOMEM);
		TRY(have ? merge_cell(p, have, c) : add_cell(p, c));
	}
	return 0;
}

static int by_place(const void *a, const void *b)
{
	return compare(a, b);
}

int plan_list_cells(struct plan *p, struct view_part *ret)
{
	size_t at = 0;

	ret->cells = arena_take_array(p->results, p->cells.n, sizeof *ret->cells);
	if (!ret->cells)
		return FAIL(-ENOMEM);
	for (const struct map_entry *e; (e = map_next(&p->cells, &at));)
		ret->cells[ret->n_cells++] = *(const struct view_cell *)e->value;
	if (ret->n_cells > 0)
		qsort(ret->cells, ret->n_cells, sizeof *ret->cells, by_place);
	return 0;
}
