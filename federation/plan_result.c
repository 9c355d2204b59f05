/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/plan_state.h"

static int by_id(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return strcmp((*x)->member.id, (*y)->member.id);
}

/* Brothers and sisters in the order of their ids, whoever answered first. */
static int sort_children(struct plan *p, struct node *parent)
{
	size_t n = 0;

	for (const struct node *c = parent->first_child; c; c = c->next)
		n++;
	if (n < 2)
		return 0;
	struct node **all = arena_take_array(p->results, n, sizeof *all);
	if (!all)
		return FAIL(-ENOMEM);
	n = 0;
	for (struct node *c = parent->first_child; c; c = c->next)
		all[n++] = c;
	qsort(all, n, sizeof(struct node *), by_id);
	parent->first_child = all[0];
	for (size_t i = 0; i < n; i++)
		all[i]->next = i + 1 < n ? all[i + 1] : NULL;
	parent->last_child = all[n - 1];
	return 0;
}

static struct node *after(const struct node *n)
{
	if (n->first_child)
		return n->first_child;
	while (n && !n->next)
		n = n->parent;
	return n ? n->next : NULL;
}

/* ---- Totals ---------------------------------------------------------------------------------------------
 */

static int merge_all(struct plan *p, struct rollup_state *to, const struct rollup_state *from)
{
	struct err_note note = {0};

	for (size_t i = 0; i < p->question.n_rollups; i++) {
		const int r = rollup_merge(p->results, &p->question.rollups[i], &to[i], &from[i], &note);
		TRY(r == ERR_UNIT ? plan_problem(p, "%s", note.text) : r);
	}
	return 0;
}

static int add_below(struct plan *p, struct node *n, const struct rollup_state *from)
{
	if (!n->below)
		n->below = arena_take_array(p->results, p->question.n_rollups, sizeof *n->below);
	return n->below ? merge_all(p, n->below, from) : FAIL(-ENOMEM);
}

/* Totals of an answer's root go to its anchor and everything above; inside one answer they are there already.
 */
static int propagate_all(struct plan *p)
{
	if (p->question.n_rollups == 0)
		return 0;
	for (const struct claim *c = p->claims; c; c = c->next)
		if (c->anchor && c->rollups)
			TRY(add_below(p, c->anchor, c->rollups));
	for (struct node *n = p->newest; n; n = n->older) {
		if (!n->below)
			continue;
		TRY(merge_all(p, n->member.rollups, n->below));
		if (n->parent)
			TRY(add_below(p, n->parent, n->below));
	}
	return 0;
}

/* ---- Lists ----------------------------------------------------------------------------------------------
 */

/* What others are to be asked for; and of the roots of the question those that counts already. */
static int list_edges(struct plan *p, struct view_part *ret)
{
	for (const struct claim *c = p->claims; c; c = c->next) {
		const bool met = c->state == CLAIM_MET && c->of_question && !c->seen;
		const bool left = c->state == CLAIM_LEFT && !c->of_question;
		if (!left && !met)
			continue;
		struct view_edge *e = arena_push(p->results, &ret->edges, &ret->n_edges, sizeof *e);
		if (!e)
			return FAIL(-ENOMEM);
		*e = c->edge;
		e->seen |= met;
	}
	return 0;
}

static int list_members(struct plan *p, struct view_part *ret)
{
	for (struct node *n = p->roots; n; n = after(n))
		TRY(sort_children(p, n));
	ret->members = arena_take_array(p->results, p->n_members, sizeof *ret->members);
	ret->sources = arena_take_array(p->results, p->n_sources, sizeof *ret->sources);
	ret->rollups = arena_take_array(p->results, p->question.n_rollups, sizeof *ret->rollups);
	if (!ret->members || !ret->sources || !ret->rollups)
		return FAIL(-ENOMEM);
	for (const struct node *n = p->roots; n; n = after(n))
		ret->members[ret->n_members++] = n->member;
	for (const struct source *s = p->sources; s; s = s->next)
		ret->sources[ret->n_sources++] = s->source;
	for (const struct node *n = p->roots; n; n = n->next)
		TRY(merge_all(p, ret->rollups, n->member.rollups));
	return 0;
}

int plan_result(struct plan *p, struct view_part *ret)
{
	struct view_part r = {.counts = p->counts, .n_rollups = p->question.n_rollups};

	if (p->broken < 0)
		return FAIL(p->broken);
	if (!plan_has_room_to_show(p))
		TRY(plan_problem(p,
				 "the list of members ends at the budget of memory, the totals do not: ask "
				 "for less depth"));
	TRY(propagate_all(p));
	TRY(list_members(p, &r));
	TRY(list_edges(p, &r));
	TRY(plan_list_cells(p, &r));
	r.cut = p->cut;
	r.problems = p->problems;
	r.n_problems = p->n_problems;
	*ret = r;
	return 0;
}
