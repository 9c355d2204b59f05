/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/plan_state.h"

static int take_source(struct plan *p, const struct view_source *s)
{
	struct source **end = &p->sources;

	for (; *end; end = &(*end)->next) {
		struct view_source *v = &(*end)->source;
		if (v->state != s->state || strcmp(v->org, s->org) != 0 || strcmp(v->node, s->node) != 0)
			continue;
		v->revision = s->revision > v->revision ? s->revision : v->revision;
		v->age_ns = s->age_ns > v->age_ns ? s->age_ns : v->age_ns;
		v->epoch = s->epoch > v->epoch ? s->epoch : v->epoch;
		return 0;
	}
	struct source *fresh = arena_take(p->arena, sizeof *fresh);
	if (!fresh)
		return FAIL(-ENOMEM);
	*fresh = (struct source){.source = *s};
	TRY(plan_copy_text(p->arena, s->org, &fresh->source.org));
	TRY(plan_copy_text(p->arena, s->node, &fresh->source.node));
	*end = fresh;
	p->n_sources++;
	return 0;
}

/* Summaries alone, asked for, are one state of affairs; those that stand in for an owner may be another one
 * than what he said before. */
static bool stands_in(const struct plan *p, const struct ask *a)
{
	return a->owner == PLAN_CACHE && !p->question.offline;
}

/* Met below what was seen: known to its owner it is, but a summary cannot be relied upon for that. */
static int take_met(struct plan *p, const struct ask *a, struct claim *c)
{
	plan_set_state(p, c, CLAIM_MET);
	if (stands_in(p, a))
		TRY(plan_problem(p,
				 "only a summary says that %s was counted before: its owner "
				 "does not answer",
				 c->edge.child));
	return plan_tell_cycle(p, c);
}

static int take_seen(struct plan *p, const struct ask *a, struct claim *c)
{
	plan_set_state(p, c, CLAIM_COUNTED);
	if (a->owner != PLAN_CACHE)
		return 0;
	return plan_problem(p,
			    "%s was counted before, and only a summary of it is here now: what "
			    "hangs below it may be counted twice",
			    c->edge.child);
}

/* What nobody spoke of is not there for us, when its owner was asked; what a summary does not know may be. */
static int take_silence(struct plan *p, const struct ask *a, struct claim *c)
{
	const bool asked_owner = a->owner != PLAN_CACHE;

	if (a->stage.cut) {
		plan_set_state(p, c, CLAIM_CUT); /* the owner did not come to it */
		return 0;
	}
	plan_set_state(p, c, asked_owner ? CLAIM_ABSENT : CLAIM_UNREACHABLE);
	p->counts.members += !asked_owner;
	p->counts.unreachable += !asked_owner;
	if (asked_owner && c->anchor && c->anchor->level >= p->question.depth)
		return 0; /* lies deeper than what is shown */
	return plan_add_bare(p, c, asked_owner ? MEMBER_ABSENT : MEMBER_UNREACHABLE);
}

static int take_root(struct plan *p, const struct ask *a, struct claim *c)
{
	const struct claim *first = map_get(&a->roots, c->edge.child);

	if (a->seen_only)
		return take_seen(p, a, c);
	if (first->told)
		plan_set_state(p, c, first->told_state);
	else if (first->met)
		return take_met(p, a, c);
	else if (c != first)
		plan_set_state(p, c, CLAIM_ABSENT); /* its silence was taken already */
	else
		return take_silence(p, a, c);
	return 0;
}

static int take_nodes(struct plan *p, struct stage *s)
{
	for (struct node *n = s->nodes, *next; n; n = next) {
		next = n->next;
		plan_link_node(p, n);
	}
	s->nodes = NULL;
	return 0;
}

static int take_edges(struct plan *p, const struct stage *s)
{
	for (const struct found_edge *e = s->edges; e; e = e->next)
		TRY(plan_claim(p, &e->edge, e->anchor, false));
	return 0;
}

int plan_take(struct plan *p, struct ask *a)
{
	const struct stage *s = &a->stage;

	TRY(take_nodes(p, &a->stage));
	for (size_t i = 0; i < a->n_claims; i++)
		TRY(take_root(p, a, a->claims[i]));
	if (stands_in(p, a) && a->n_seen > 0 && s->n_listed > s->counts.members)
		TRY(plan_problem(
			p,
			"only a summary says that members were counted before: their owner does not answer"));
	TRY(take_edges(p, s));
	TRY(plan_take_cells(p, s));
	for (size_t i = 0; i < s->n_sources; i++)
		TRY(take_source(p, &s->sources[i]));
	for (size_t i = 0; i < s->n_problems; i++)
		TRY(plan_problem(p, "%s", s->problems[i]));
	p->cut |= s->cut;
	return plan_add_counts(&p->counts, &s->counts);
}
