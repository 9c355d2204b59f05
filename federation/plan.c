/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/plan_state.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/words.h"

int plan_copy_text(struct arena *a, const char *text, const char **ret)
{
	*ret = arena_copy(a, text ? text : "");
	return *ret ? 0 : FAIL(-ENOMEM);
}

int plan_copy_rollups(struct arena *a, const struct rollup_state *from, size_t n, struct rollup_state **ret)
{
	struct rollup_state *to = arena_take_array(a, n, sizeof *to);

	if (!to)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++) {
		to[i] = from[i];
		if (from[i].unit)
			TRY(plan_copy_text(a, from[i].unit, &to[i].unit));
		if (from[i].unit_twin)
			TRY(plan_copy_text(a, from[i].unit_twin, &to[i].unit_twin));
		to[i].sketch = (struct sketch){0};
		TRY(sketch_merge(a, &to[i].sketch, &from[i].sketch, 1, 0));
	}
	*ret = to;
	return 0;
}

static int copy_question(struct arena *a, const struct view_question *q, struct view_question *ret)
{
	*ret = *q;
	ret->roots = NULL; /* they are the first claims */
	ret->n_roots = 0;
	ret->rollups = arena_take_array(a, q->n_rollups, sizeof *q->rollups);
	ret->show = arena_take_array(a, q->n_show, sizeof *q->show);
	if (!ret->rollups || !ret->show)
		return FAIL(-ENOMEM);
	TRY(plan_copy_text(a, q->hierarchy, &ret->hierarchy));
	TRY(plan_copy_text(a, q->where, &ret->where));
	TRY(plan_copy_text(a, q->by_property, &ret->by_property));
	TRY(plan_copy_text(a, q->after, &ret->after));
	for (size_t i = 0; i < q->n_rollups; i++) {
		ret->rollups[i] = q->rollups[i];
		TRY(plan_copy_text(a, q->rollups[i].property, &ret->rollups[i].property));
	}
	for (size_t i = 0; i < q->n_show; i++)
		TRY(plan_copy_text(a, q->show[i], &ret->show[i]));
	return 0;
}

/* ---- Budgets --------------------------------------------------------------------------------------------
 */

int plan_problem(struct plan *p, const char *format, ...)
{
	char text[SENTENCE_MAX];
	va_list args;

	if (p->n_problems == PROBLEMS_MAX)
		return 0;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	for (size_t i = 0; i < p->n_problems; i++)
		if (strcmp(p->problems[i], text) == 0)
			return 0;
	const char **slot = arena_push(p->arena, &p->problems, &p->n_problems, sizeof *p->problems);
	const char *copy = arena_copy(p->arena, text);

	if (!slot || !copy)
		return FAIL(-ENOMEM);
	*slot = copy;
	return 0;
}

bool plan_cut(struct plan *p, bool *said)
{
	const bool first = !*said;

	p->cut = *said = true;
	return first;
}

/* The last part of the memory is for what must be kept in any case: what was asked, totals, problems. */
bool plan_has_room_to_show(const struct plan *p)
{
	return arena_used(p->arena) < p->budget_bytes / 4 * 3;
}

bool plan_has_room_to_ask(const struct plan *p)
{
	return arena_used(p->arena) < p->budget_bytes / 8 * 7;
}

int plan_out_of_bytes(struct plan *p)
{
	if (!plan_cut(p, &p->said_bytes))
		return 0;
	return plan_problem(p,
			    "the view ends at its budget of memory: ask for less depth, or for a part of it");
}

/* ---- Members --------------------------------------------------------------------------------------------
 */

struct node *plan_add_node(struct plan *p, struct node *parent, const struct view_member *m)
{
	struct node *n = arena_take(p->arena, sizeof *n);

	if (!n)
		return NULL;
	*n = (struct node){.member = *m, .parent = parent, .level = parent ? parent->level + 1 : 0};
	n->member.parent = parent ? parent->member.id : "";
	return n;
}

void plan_link_node(struct plan *p, struct node *n)
{
	struct node **last = n->parent ? &n->parent->last_child : &p->last_root;
	struct node **first = n->parent ? &n->parent->first_child : &p->roots;

	*(*last ? &(*last)->next : first) = n;
	*last = n;
	n->next = NULL;
	n->older = p->newest;
	p->newest = n;
	p->n_members++;
}

int plan_add_bare(struct plan *p, struct claim *c, enum member_state state)
{
	struct view_member m = {.id = c->edge.child, .type = "", .name = "", .state = state};

	if (c->anchor && !plan_has_room_to_show(p))
		return 0;
	m.rollups = arena_take_array(p->arena, p->question.n_rollups, sizeof *m.rollups);
	struct node *n = m.rollups ? plan_add_node(p, c->anchor, &m) : NULL;
	if (!n)
		return FAIL(-ENOMEM);
	plan_link_node(p, n);
	return 0;
}

/* ---- Beginning and end ----------------------------------------------------------------------------------
 */

int plan_new(struct plan **ret, const struct view_question *question, size_t budget_bytes)
{
	SCOPED(scope_plan) struct plan *p = calloc(1, sizeof *p);

	if (!p)
		return FAIL(-ENOMEM);
	p->claims_end = &p->claims;
	p->budget_bytes = budget_bytes;
	TRY(arena_new(&p->arena, budget_bytes));
	TRY(arena_new(&p->results, budget_bytes));
	TRY(copy_question(p->arena, question, &p->question));
	for (int seen = 1; seen >= 0; seen--) /* what counts already is known before the others come */
		for (size_t i = 0; i < question->n_roots; i++) {
			const struct view_root *r = &question->roots[i];
			const struct view_edge edge = {.anchor = "",
						       .parent = text_or_empty(r->parent),
						       .child = r->id,
						       .seen = r->seen,
						       .from_ns = r->from_ns,
						       .to_ns = r->to_ns};
			if (r->seen == (seen == 1))
				TRY(plan_claim(p, &edge, NULL, true));
		}
	*ret = MOVE(p);
	return 0;
}

void plan_end_ask(struct ask *a)
{
	plan_forget(a);
	map_fini(&a->roots);
	free(a->question.roots);
	a->question.roots = NULL;
	a->open = false;
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	for (struct ask *a = p->asks; a; a = a->next)
		plan_end_ask(a);
	map_fini(&p->by_child);
	map_fini(&p->cells);
	arena_free(p->arena);
	arena_free(p->results);
	free(p);
}

bool plan_done(const struct plan *p)
{
	return p->n_waiting + p->n_held + p->n_asked == 0;
}

void plan_lost(struct plan *p, uint32_t ask, int instead)
{
	struct ask *a = p->asks;

	while (a && a->id != ask)
		a = a->next;
	if (!a || !a->open)
		return;
	plan_void(a);
	a->open = false;
	a->instead = instead;
	a->next_lost = p->lost;
	p->lost = a;
}
