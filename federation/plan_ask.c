/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/plan_state.h"

/* Nobody can be asked: the member stands in the view by the word of its parent only. What a seen root hides
 * is not known then. */
static int give_up(struct plan *p, struct claim *c)
{
	plan_set_state(p, c, CLAIM_UNREACHABLE);
	if (c->seen)
		return plan_problem(p,
				    "%s was counted before, and nobody answers for it now: what hangs below "
				    "it may be counted twice",
				    c->edge.child);
	p->counts.members++;
	p->counts.unreachable++;
	return plan_add_bare(p, c, MEMBER_UNREACHABLE);
}

static int give_up_all(struct plan *p, struct ask *a)
{
	for (size_t i = 0; i < a->n_claims; i++)
		TRY(give_up(p, a->claims[i]));
	plan_end_ask(a);
	return 0;
}

/* Levels that are still to be shown below a root found under this anchor. */
static uint32_t depth_left(const struct plan *p, const struct node *anchor)
{
	const uint32_t level = anchor ? anchor->level + 1 : 0;

	if (p->question.depth == VIEW_DEPTH_ALL)
		return VIEW_DEPTH_ALL;
	return p->question.depth > level ? p->question.depth - level : 0;
}

static int add_org(struct plan *p, struct ask *a, const char *id)
{
	const struct bytes org = id_org(id);

	for (size_t i = 0; i < a->n_orgs; i++)
		if (bytes_equal(a->orgs[i], org))
			return 0;
	struct bytes *slot = arena_push(p->arena, &a->orgs, &a->n_orgs, sizeof *slot);
	if (!slot)
		return FAIL(-ENOMEM);
	*slot = org;
	return 0;
}

/* Every waiting root of this owner. */
static int gather(struct plan *p, struct ask *a, struct claim *first, plan_owner_fn *owner, void *ctx)
{
	for (struct claim *c = first; c && a->n_claims < ROOTS_MAX; c = c->next) {
		if (c->state != CLAIM_WAITING || c->seen != a->seen_only)
			continue;
		c->owner = c == first ? c->owner : owner(ctx, c->edge.child);
		if (c->owner != a->owner)
			continue;
		struct claim **slot = arena_push(p->arena, &a->claims, &a->n_claims, sizeof *slot);
		if (!slot)
			return FAIL(-ENOMEM);
		*slot = c;
		TRY(add_org(p, a, c->edge.child));
	}
	return 0;
}

static struct view_root root_of(const struct claim *c, bool seen)
{
	return (struct view_root){.id = c->edge.child,
				  .parent = c->edge.parent,
				  .seen = seen,
				  .from_ns = c->edge.from_ns,
				  .to_ns = c->edge.to_ns};
}

/* What counts already goes first; what does not fit behind it is cut. */
static int write_roots(struct plan *p, struct ask *a)
{
	struct view_question *q = &a->question;
	size_t n = a->n_claims;

	for (const struct claim *c = p->claims; c; c = c->next)
		n += plan_is_seen(p, c, a);
	q->roots = calloc(n < ROOTS_MAX ? n : ROOTS_MAX, sizeof *q->roots);
	if (!q->roots)
		return FAIL(-ENOMEM);
	for (const struct claim *c = p->claims; c && q->n_roots < ROOTS_MAX; c = c->next)
		if (plan_is_seen(p, c, a))
			q->roots[q->n_roots++] = root_of(c, true);
	a->n_seen = q->n_roots;
	const size_t room = ROOTS_MAX - q->n_roots;
	for (size_t i = room; i < a->n_claims; i++)
		plan_set_state(p, a->claims[i], CLAIM_CUT);
	if (a->n_claims > room && plan_cut(p, &p->said_roots))
		TRY(plan_problem(p,
				 "more than %d members would have to be asked for one by one: ask for a part "
				 "of the view",
				 ROOTS_MAX));
	a->n_claims = a->n_claims < room ? a->n_claims : room;
	for (size_t i = 0; i < a->n_claims; i++) {
		struct claim *c = a->claims[i];
		const uint32_t depth = depth_left(p, c->anchor);
		q->roots[q->n_roots++] = root_of(c, c->seen);
		q->depth = depth > q->depth && !c->seen ? depth : q->depth;
		plan_set_state(p, c, CLAIM_ASKED);
		c->order = a->order;
		if (!map_get(&a->roots, c->edge.child))
			TRY(map_put(&a->roots, c->edge.child, c));
	}
	return 0;
}

/* An owner goes through what was seen as well, so its share of the budget must not shrink by that. */
static uint64_t members_left(const struct plan *p, const struct ask *a)
{
	const uint64_t most = p->question.members_max;

	return most == 0 || a->n_seen > 0 || a->seen_only ? most : most - p->counts.members;
}

static int give_out(struct plan *p, struct ask *a, struct plan_ask *ret)
{
	a->id = ++p->last_id;
	a->open = true;
	*ret = (struct plan_ask){.owner = a->owner, .id = a->id, .question = a->question};
	return 1;
}

/* 0: nothing of it fitted. */
static int ask(struct plan *p, struct claim *first, plan_owner_fn *owner, void *ctx, struct plan_ask *ret)
{
	struct ask *a = arena_take(p->arena, sizeof *a);

	if (!a)
		return FAIL(-ENOMEM);
	*a = (struct ask){.next = p->asks,
			  .order = ++p->last_order,
			  .seen_only = first->seen,
			  .owner = first->owner,
			  .question = p->question};
	p->asks = a;
	a->question.depth = 0;
	TRY(gather(p, a, first, owner, ctx));
	TRY(write_roots(p, a));
	a->question.members_max = members_left(p, a);
	if (a->n_claims > 0)
		return give_out(p, a, ret);
	plan_end_ask(a);
	return 0;
}

static bool is_busy(const struct plan *p, int owner)
{
	for (const struct ask *a = p->asks; a; a = a->next)
		if (a->open && a->owner == owner)
			return true;
	return false;
}

/* Without a budget left for it. */
static int cut_claim(struct plan *p, struct claim *c, bool *ret)
{
	const uint64_t most = p->question.members_max;
	const bool members = most > 0 && p->counts.members >= most;

	*ret = members || !plan_has_room_to_ask(p);
	if (!*ret)
		return 0;
	plan_set_state(p, c, CLAIM_CUT);
	if (!members)
		return plan_out_of_bytes(p);
	if (!plan_cut(p, &p->said_members))
		return 0;
	return plan_problem(
		p,
		"the view ends at its budget of %llu members: ask for a part of it, or with a greater budget",
		(unsigned long long)most);
}

/* Ask for it now, unless it goes another way. 1: asked. */
static int next_claim(struct plan *p, struct claim *c, plan_owner_fn *owner, void *ctx, struct plan_ask *ret)
{
	bool is_cut = false;

	if (!c->seen)
		TRY(cut_claim(p, c, &is_cut));
	if (is_cut)
		return 0;
	c->owner = owner(ctx, c->edge.child);
	if (c->owner == PLAN_NOBODY)
		return give_up(p, c);
	if (c->owner == PLAN_LEAVE && c->of_question && !c->seen) {
		plan_set_state(p, c, CLAIM_ABSENT); /* whoever asked took us for its owner */
		return plan_add_bare(p, c, MEMBER_ABSENT);
	}
	if (c->owner == PLAN_LEAVE)
		plan_set_state(p, c, CLAIM_LEFT);
	else if (!is_busy(p, c->owner))
		return ask(p, c, owner, ctx, ret);
	return 0;
}

/* Seen roots are asked to their ends before the others. */
static int next_of(struct plan *p, bool seen, plan_owner_fn *owner, void *ctx, struct plan_ask *ret)
{
	for (struct claim *c = p->claims; c && p->n_waiting > 0; c = c->next) {
		const int r =
			c->state == CLAIM_WAITING && c->seen == seen ? next_claim(p, c, owner, ctx, ret) : 0;
		if (r != 0)
			return r;
	}
	return 0;
}

int plan_next(struct plan *p, plan_owner_fn *owner, void *ctx, struct plan_ask *ret)
{
	if (p->broken < 0)
		return FAIL(p->broken);
	while (p->lost) {
		struct ask *a = p->lost;
		p->lost = a->next_lost;
		if (a->instead != PLAN_NOBODY) {
			a->owner = a->instead;
			return give_out(p, a, ret);
		}
		TRY(give_up_all(p, a));
	}
	do {
		int r = next_of(p, true, owner, ctx, ret);
		if (r == 0 && p->n_seen_open == 0)
			r = next_of(p, false, owner, ctx, ret);
		if (r != 0)
			return r;
	} while (plan_settle(p));
	return 0;
}
