/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/plan_state.h"

void plan_forget(struct ask *a)
{
	map_fini(&a->stage.members);
	arena_free(a->stage.arena);
	a->stage = (struct stage){0};
	for (size_t i = 0; i < a->n_claims; i++)
		a->claims[i]->told = a->claims[i]->met = false;
}

void plan_void(struct ask *a)
{
	plan_forget(a);
	for (size_t i = 0; i < a->n_claims; i++)
		a->claims[i]->rollups = NULL;
}

static int begin_stage(const struct plan *p, struct stage *s)
{
	if (s->arena)
		return 0;
	s->nodes_end = &s->nodes;
	s->edges_end = &s->edges;
	return arena_new(&s->arena, p->budget_bytes);
}

static int malformed_unless(bool good)
{
	return good ? 0 : FAIL(ERR_MALFORMED);
}

static bool asked_org(const struct ask *a, struct bytes org)
{
	for (size_t i = 0; i < a->n_orgs; i++)
		if (bytes_equal(a->orgs[i], org))
			return true;
	return false;
}

/* ---- Members --------------------------------------------------------------------------------------------
 */

static bool is_shown(const struct plan *p, const char *property)
{
	for (size_t i = 0; i < p->question.n_show; i++)
		if (strcmp(p->question.show[i], property) == 0)
			return true;
	return false;
}

/* Each at most once, and nothing that was not asked for. */
static int check_member(const struct plan *p, const struct ask *a, const struct view_part *part,
			const struct view_member *m, uint32_t depth)
{
	const uint32_t nobody = m->state == MEMBER_UNREACHABLE; /* is shown although it lies deeper */

	TRY(malformed_unless(asked_org(a, id_org(m->id)) && m->state < N_MEMBER_STATES));
	/* of a series some hang below a twin that stands in another place at other times */
	TRY(malformed_unless(p->question.step_ns > 0 || depth <= a->question.depth ||
			     depth - nobody <= a->question.depth));
	TRY(malformed_unless(part->n_rollups == p->question.n_rollups && m->n_values <= p->question.n_show));
	TRY(malformed_unless(p->question.n_rollups == 0 || m->rollups));
	for (size_t i = 0; i < m->n_values; i++)
		TRY(malformed_unless(is_shown(p, m->values[i].property)));
	return 0;
}

static int copy_values(struct plan *p, const struct view_member *m, struct view_member *ret)
{
	ret->values = arena_take_array(p->arena, m->n_values, sizeof *m->values);
	if (!ret->values)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < m->n_values; i++) {
		struct kpi *to = &ret->values[i];
		*to = m->values[i];
		to->sample.source = NULL;
		TRY(plan_copy_text(p->arena, m->values[i].property, &to->property));
		TRY(plan_copy_text(p->arena, m->values[i].unit, &to->unit));
		TRY(value_copy(p->arena, &m->values[i].sample.value, &to->sample.value));
	}
	return 0;
}

/* The node of a member that is shown; it stands among the others once the whole answer was right. */
static int stage_node(struct plan *p, struct stage *s, struct node *above, const struct view_member *m,
		      struct node **ret)
{
	struct view_member copy = *m;

	TRY(plan_copy_text(p->arena, m->id, &copy.id));
	TRY(plan_copy_text(p->arena, m->type, &copy.type));
	TRY(plan_copy_text(p->arena, m->name, &copy.name));
	TRY(plan_copy_rollups(p->arena, m->rollups, p->question.n_rollups, &copy.rollups));
	TRY(copy_values(p, m, &copy));
	*ret = plan_add_node(p, above, &copy);
	if (!*ret)
		return FAIL(-ENOMEM);
	*s->nodes_end = *ret;
	s->nodes_end = &(*ret)->next;
	return 0;
}

static int tell_root(struct plan *p, struct claim *c, const struct view_member *m)
{
	static const enum claim_state states[N_MEMBER_STATES] = {
		[MEMBER_LIVE] = CLAIM_COUNTED,
		[MEMBER_CACHED] = CLAIM_COUNTED,
		[MEMBER_UNREACHABLE] = CLAIM_UNREACHABLE,
		[MEMBER_UNCONFIRMED] = CLAIM_UNCONFIRMED,
		[MEMBER_ABSENT] = CLAIM_ABSENT,
	};

	c->told = true;
	c->told_state = states[m->state];
	return plan_copy_rollups(p->arena, m->rollups, p->question.n_rollups, &c->rollups);
}

static bool has_values(const struct plan *p, const struct view_member *m)
{
	for (size_t i = 0; i < p->question.n_rollups; i++)
		if (m->rollups[i].n > 0)
			return true;
	return false;
}

/* Each twin once, but where it counted already and is listed for its place; but what one parent claims in
 * vain may be there by another one, and an old summary may know of another place. */
static int stage_member(struct plan *p, struct ask *a, const struct view_part *part,
			const struct view_member *m)
{
	struct stage *s = &a->stage;
	const bool is_root = m->parent[0] == '\0';
	struct claim *root = is_root ? map_get(&a->roots, m->id) : NULL;
	const struct place *above = is_root ? NULL : map_get(&s->members, m->parent);
	struct place *before = map_get(&s->members, m->id);
	const bool unconfirmed = m->state == MEMBER_UNCONFIRMED;

	TRY(malformed_unless(root || above));
	const uint32_t depth = above ? above->depth + 1 : 0;
	TRY(check_member(p, a, part, m, depth));
	if (before && p->question.step_ns > 0) /* it is met again at other times */
		return root && !root->told ? tell_root(p, root, m) : 0;
	const bool live = m->state == MEMBER_LIVE && has_values(p, m);
	TRY(malformed_unless(!before || !before->live || !live));
	const struct node *up = root ? root->anchor : above->node;
	if (before && before->shown && !has_values(p, m) && before->node->parent == up)
		return 0; /* in the very place where it is listed already */
	struct place *mine = arena_take(s->arena, sizeof *mine);
	if (!mine)
		return FAIL(-ENOMEM);
	*mine = root ? (struct place){.node = root->anchor, .claim = root, .shown = true}
		     : (struct place){above->node, above->claim, depth, above->shown, false};
	mine->live = live;
	s->n_full += has_values(p, m);
	s->n_listed += m->state != MEMBER_ABSENT;
	if (root && !root->told)
		TRY(tell_root(p, root, m));
	mine->shown = !mine->node ||
		      (mine->shown && mine->node->level < p->question.depth && plan_has_room_to_show(p));
	if (mine->shown)
		TRY(stage_node(p, s, mine->node, m, &mine->node));
	if (before && unconfirmed)
		return 0; /* another parent is confirmed: what hangs below it is found there */
	const char *key = mine->shown ? mine->node->member.id : arena_copy(s->arena, m->id);
	return key ? map_put(&s->members, key, mine) : FAIL(-ENOMEM);
}

/* ---- Edges ----------------------------------------------------------------------------------------------
 */

static int keep_edge(struct stage *s, const struct view_edge *e, const struct place *anchor)
{
	struct found_edge *mine = arena_take(s->arena, sizeof *mine);

	if (!mine)
		return FAIL(-ENOMEM);
	*mine = (struct found_edge){.edge = *e, .anchor = anchor};
	TRY(plan_copy_text(s->arena, e->parent, &mine->edge.parent));
	TRY(plan_copy_text(s->arena, e->child, &mine->edge.child));
	*s->edges_end = mine;
	s->edges_end = &mine->next;
	return 0;
}

/* Found below what was seen: news only while that is what is asked for; and the roots met there. */
static int stage_seen(struct ask *a, const struct view_edge *e)
{
	struct claim *root = e->anchor[0] == '\0' ? map_get(&a->roots, e->child) : NULL;

	TRY(malformed_unless(a->seen_only || a->n_seen > 0));
	if (root && !a->seen_only) {
		root->met = true;
		return 0;
	}
	TRY(malformed_unless(asked_org(a, id_org(e->parent))));
	return a->seen_only ? keep_edge(&a->stage, e, NULL) : 0;
}

/* Only a parent's owner says what belongs to it. */
static int stage_edge(struct ask *a, const struct view_edge *e)
{
	const struct place *anchor = map_get(&a->stage.members, e->anchor);

	if (e->seen)
		return stage_seen(a, e);
	TRY(malformed_unless(!a->seen_only && anchor && asked_org(a, id_org(e->parent))));
	return keep_edge(&a->stage, e, anchor);
}

/* ---- The certificate ------------------------------------------------------------------------------------
 */

/* A partner could lend its answer another's name. */
static int stage_sources(struct ask *a, const struct view_part *part)
{
	struct stage *s = &a->stage;

	TRY(malformed_unless(part->n_sources <= ORIGINS_MAX - s->n_sources));
	for (size_t i = 0; i < part->n_sources; i++) {
		TRY(malformed_unless(asked_org(a, bytes_of_text(part->sources[i].org))));
		struct view_source *mine = arena_push(s->arena, &s->sources, &s->n_sources, sizeof *mine);
		if (!mine)
			return FAIL(-ENOMEM);
		*mine = part->sources[i];
		TRY(plan_copy_text(s->arena, mine->org, &mine->org));
		TRY(plan_copy_text(s->arena, mine->node, &mine->node));
	}
	return 0;
}

static int stage_problems(struct stage *s, const struct view_part *part)
{
	for (size_t i = 0; i < part->n_problems && s->n_problems < PROBLEMS_MAX; i++) {
		const char **mine = arena_push(s->arena, &s->problems, &s->n_problems, sizeof *mine);
		if (!mine)
			return FAIL(-ENOMEM);
		TRY(plan_copy_text(s->arena, part->problems[i], mine));
	}
	return 0;
}

static int add_count(uint64_t *to, uint64_t n)
{
	TRY(malformed_unless(n <= COUNT_MAX && *to <= COUNT_MAX));
	*to += n;
	return 0;
}

int plan_add_counts(struct view_counts *to, const struct view_counts *from)
{
	TRY(add_count(&to->members, from->members));
	TRY(add_count(&to->live, from->live));
	TRY(add_count(&to->cached, from->cached));
	TRY(add_count(&to->withheld, from->withheld));
	TRY(add_count(&to->unreachable, from->unreachable));
	TRY(add_count(&to->unconfirmed, from->unconfirmed));
	TRY(add_count(&to->coarse, from->coarse));
	TRY(add_count(&to->expired, from->expired));
	return add_count(&to->filtered, from->filtered);
}

static int stage_part(struct plan *p, struct ask *a, const struct view_part *part)
{
	struct stage *s = &a->stage;

	TRY(begin_stage(p, s));
	for (size_t i = 0; i < part->n_members; i++)
		TRY(stage_member(p, a, part, &part->members[i]));
	for (size_t i = 0; i < part->n_edges; i++)
		TRY(stage_edge(a, &part->edges[i]));
	TRY(plan_stage_cells(p, s, part));
	TRY(stage_sources(a, part));
	TRY(stage_problems(s, part));
	s->cut |= part->cut;
	return plan_add_counts(&s->counts, &part->counts);
}

/* More values than members went into the roots' totals. */
static bool are_totals_too_many(const struct plan *p, const struct ask *a)
{
	for (size_t j = 0; j < p->question.n_rollups; j++) {
		uint64_t left = a->stage.counts.members;
		for (size_t i = 0; i < a->n_claims; i++) {
			const struct claim *c = a->claims[i];
			if (!c->told)
				continue;
			if (c->rollups[j].n > left)
				return true;
			left -= c->rollups[j].n;
		}
	}
	return false;
}

/* Counts that cannot be. */
static int check_whole(const struct plan *p, const struct ask *a)
{
	const struct stage *s = &a->stage;
	const struct view_counts *c = &s->counts;

	TRY(malformed_unless(c->live + c->cached + c->unreachable + c->unconfirmed == c->members));
	TRY(malformed_unless(c->withheld <= c->members && c->coarse <= c->members &&
			     c->expired <= c->members && c->filtered <= c->members));
	TRY(malformed_unless(!a->seen_only || (c->members == 0 && s->n_cells == 0)));
	if (p->question.step_ns > 0)
		return 0; /* who counted before at some times may come again for others */
	TRY(malformed_unless(s->n_full <= c->members)); /* what is listed again has nothing */
	TRY(malformed_unless(p->question.by == GROUP_TAG || s->cells_most <= c->members));
	return malformed_unless(!are_totals_too_many(p, a));
}

int plan_answer(struct plan *p, uint32_t ask, const struct view_part *part, bool last)
{
	struct ask *a = p->asks;
	int r;

	while (a && a->id != ask)
		a = a->next;
	if (!a || !a->open)
		return 0; /* too late: it was given up */
	r = stage_part(p, a, part);
	if (r == 0 && last)
		r = check_whole(p, a);
	if (r == 0 && last) {
		r = p->broken = plan_take(p, a);
		plan_end_ask(a);
	}
	if (r < 0)
		plan_void(a);
	return r;
}
