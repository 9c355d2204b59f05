/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/plan_state.h"

/* On one twin. Its owner knows of PARENTS_MAX at most, so that of honest ones none is lost. */
enum { CLAIMS_MAX = 64 };

static bool is_open(enum claim_state s)
{
	return s == CLAIM_WAITING || s == CLAIM_ASKED || s == CLAIM_HELD;
}

static void count(struct plan *p, const struct claim *c, size_t by)
{
	p->n_waiting += c->state == CLAIM_WAITING ? by : 0;
	p->n_asked += c->state == CLAIM_ASKED ? by : 0;
	p->n_held += c->state == CLAIM_HELD ? by : 0;
	p->n_seen_open += c->seen && is_open(c->state) ? by : 0;
}

void plan_set_state(struct plan *p, struct claim *c, enum claim_state state)
{
	count(p, c, SIZE_MAX); /* one less */
	c->state = state;
	count(p, c, 1);
}

/* The times of a series from which and up to which it holds. False: at none. */
static bool find_times(const struct plan *p, struct claim *c)
{
	const struct view_question *q = &p->question;
	const size_t n = view_times(q);
	const bool always = c->edge.from_ns == 0 && c->edge.to_ns == 0;

	c->first = 0;
	c->last = n > 0 ? n - 1 : 0;
	if (n == 0 || always)
		return true;
	if (c->edge.to_ns < q->from_ns || c->edge.from_ns > q->to_ns || c->edge.from_ns > c->edge.to_ns)
		return false;
	if (c->edge.from_ns > q->from_ns) {
		const uint64_t before = (uint64_t)c->edge.from_ns - (uint64_t)q->from_ns;
		c->first = (size_t)((before - 1) / (uint64_t)q->step_ns + 1);
	}
	if (c->edge.to_ns < q->to_ns)
		c->last = (size_t)(((uint64_t)c->edge.to_ns - (uint64_t)q->from_ns) / (uint64_t)q->step_ns);
	return c->first <= c->last;
}

static bool covers(const struct claim *c, const struct claim *other)
{
	return c->first <= other->first && c->last >= other->last;
}

/* Whether a seen root of somebody else's counted is for him to say. Of a series one answer tells of several
 * claims on a twin, each at its times: which of them is confirmed it does not say, unless nobody has to. */
static bool counts_surely(const struct plan *p, const struct claim *c)
{
	const bool needs_no_word = bytes_equal(id_org(c->edge.parent), id_org(c->edge.child));

	return c->state == CLAIM_COUNTED && (p->question.step_ns == 0 || (needs_no_word && !c->seen));
}

/* What an earlier claim on the same twin makes of this one; CLAIM_WAITING: nothing. */
static enum claim_state beside(const struct plan *p, const struct claim *earlier, const struct claim *c)
{
	const bool same_parent = strcmp(earlier->edge.parent, c->edge.parent) == 0;

	if (!covers(earlier, c) || (c->seen && !earlier->seen))
		return CLAIM_WAITING;
	if (earlier->seen)
		return same_parent || counts_surely(p, earlier) ? CLAIM_MET : CLAIM_WAITING;
	if (is_open(earlier->state))
		return same_parent ? CLAIM_MET : CLAIM_HELD;
	if (earlier->state == CLAIM_UNCONFIRMED ||
	    (earlier->state == CLAIM_COUNTED && !counts_surely(p, earlier)))
		return same_parent ? CLAIM_MET : CLAIM_WAITING; /* another parent may be confirmed */
	if (earlier->state == CLAIM_LEFT)
		return same_parent ? CLAIM_MET : CLAIM_LEFT;
	return earlier->state == CLAIM_CUT ? CLAIM_CUT : CLAIM_MET;
}

static enum claim_state standing(const struct plan *p, const struct claim *c)
{
	enum claim_state s = CLAIM_WAITING;

	for (const struct claim *e = map_get(&p->by_child, c->edge.child); e && e != c; e = e->same) {
		const enum claim_state one = beside(p, e, c);
		if (one == CLAIM_MET)
			return one;
		if (one != CLAIM_WAITING)
			s = one;
	}
	return s;
}

bool plan_settle(struct plan *p)
{
	const size_t held = p->n_held;

	for (struct claim *c = p->claims; c && p->n_held > 0; c = c->next)
		if (c->state == CLAIM_HELD)
			plan_set_state(p, c, standing(p, c));
	return p->n_held < held;
}

/* ---- Cycles ---------------------------------------------------------------------------------------------
 */

static bool is_below_itself(const struct claim *c)
{
	for (const struct node *n = c->anchor; n; n = n->parent)
		if (strcmp(n->member.id, c->edge.child) == 0)
			return true;
	for (const struct claim *up = c->above; up; up = up->above)
		if (strcmp(up->edge.child, c->edge.child) == 0)
			return true;
	return false;
}

int plan_tell_cycle(struct plan *p, const struct claim *c)
{
	if (c->seen || !is_below_itself(c))
		return 0;
	return plan_problem(p, "%s contains itself by way of %s: the cycle ends there", c->edge.child,
			    c->edge.parent);
}

/* ---- Claiming -------------------------------------------------------------------------------------------
 */

static int keep(struct plan *p, const struct claim *c)
{
	struct claim *mine = arena_take(p->arena, sizeof *mine);
	struct claim *first = map_get(&p->by_child, c->edge.child);

	if (!mine)
		return FAIL(-ENOMEM);
	*mine = *c;
	TRY(plan_copy_text(p->arena, c->edge.parent, &mine->edge.parent));
	TRY(plan_copy_text(p->arena, c->edge.child, &mine->edge.child));
	mine->edge.anchor = c->anchor ? c->anchor->member.id : "";
	if (!first)
		TRY(map_put(&p->by_child, mine->edge.child, mine));
	while (first && first->same)
		first = first->same;
	if (first)
		first->same = mine;
	*p->claims_end = mine;
	p->claims_end = &mine->next;
	count(p, mine, 1);
	return 0;
}

static size_t count_claims(const struct plan *p, const char *child)
{
	size_t n = 0;

	for (const struct claim *c = map_get(&p->by_child, child); c; c = c->same)
		n++;
	return n;
}

/* What an earlier round counted below a seen root is no root any more. */
static void meet_roots(struct plan *p, const struct claim *seen)
{
	for (struct claim *c = map_get(&p->by_child, seen->edge.child); c; c = c->same)
		if (!c->seen && c->state == CLAIM_WAITING && beside(p, seen, c) == CLAIM_MET)
			plan_set_state(p, c, CLAIM_MET);
}

int plan_claim(struct plan *p, const struct view_edge *edge, const struct place *anchor, bool of_question)
{
	struct claim c = {.above = anchor ? anchor->claim : NULL,
			  .edge = *edge,
			  .anchor = anchor ? anchor->node : NULL,
			  .seen = edge->seen,
			  .of_question = of_question};
	const size_t n = count_claims(p, edge->child);

	if (!find_times(p, &c))
		return 0;
	if (!plan_has_room_to_ask(p))
		return plan_out_of_bytes(p);
	if (n >= CLAIMS_MAX)
		return plan_cut(p, &p->said_claims)
			       ? plan_problem(p, "more than %d parents claim %s: the others are left out",
					      CLAIMS_MAX, edge->child)
			       : 0;
	if (n > 0 && !of_question)
		TRY(plan_tell_cycle(p, &c));
	c.state = standing(p, &c);
	if (c.seen)
		meet_roots(p, &c);
	return c.state == CLAIM_MET && !of_question ? 0 : keep(p, &c);
}

static bool has_org(const struct ask *a, const char *id)
{
	for (size_t i = 0; i < a->n_orgs; i++)
		if (bytes_equal(a->orgs[i], id_org(id)))
			return true;
	return false;
}

/* Was it counted before this is asked? The order matters: of two questions that are open to one organisation
 * the later one leaves out what the earlier one brings, even when that is lost and its summaries are taken.
 */
bool plan_is_seen(const struct plan *p, const struct claim *c, const struct ask *a)
{
	if (a->seen_only || c->state == CLAIM_WAITING || c->state == CLAIM_HELD)
		return false;
	const bool in_part = c->state == CLAIM_UNCONFIRMED && p->question.step_ns > 0;
	const bool counted = c->state == CLAIM_COUNTED || c->state == CLAIM_ASKED || in_part;

	return counted && (c->seen || c->order < a->order) && has_org(a, c->edge.child);
}
