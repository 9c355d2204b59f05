/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/plan.h"

#include <assert.h>
#include <string.h>

#include "proto/id.h"
#include "proto/map.h"

/* A member of the result. Its roll-ups are those of its own part until plan_result() adds what hangs below
 * it. */
struct node {
	struct view_member member;
	uint32_t level;      /* 0: a root of the whole view */
	struct node *parent; /* NULL: a root of the whole view */
	struct node *first_child, *last_child, *next;
};

enum edge_state { EDGE_WAITING, EDGE_ASKED, EDGE_ANSWERED, EDGE_LEFT };

/* A root that must be, is being or has been asked for. */
struct edge {
	struct edge *next;
	struct view_edge edge;
	struct node *anchor;
	struct rollup_state *rollups; /* of the root and all below it, once answered */
	enum edge_state state;
	uint32_t ask;
	bool forced; /* a first answer never came: `owner` says who is asked instead */
	int owner;
};

struct ask {
	struct ask *next;
	uint32_t id;
	bool open;
	struct map members; /* id -> its node, or the nearest one above it that is shown */
	struct map roots;   /* id -> edge */
};

struct source {
	struct source *next;
	struct view_source source;
};

enum { COUNT_MAX = 1 << 30 };

struct plan {
	struct arena *arena;
	struct view_question question;
	struct edge *edges, **edges_end;
	struct node *roots, *last_root;
	size_t n_members;
	struct ask *asks;
	uint32_t last_ask;
	struct map asked; /* id -> edge: every root once */
	struct source *sources;
	size_t n_sources;
	struct view_counts counts;
	const char **problems;
	size_t n_problems;
};

static int copy_text(struct arena *a, const char *text, const char **ret)
{
	*ret = arena_copy(a, text ? text : "");
	return *ret ? 0 : FAIL(-ENOMEM);
}

static int copy_question(struct arena *a, const struct view_question *q, struct view_question *ret)
{
	*ret = *q;
	ret->roots = arena_take_array(a, q->n_roots, sizeof *q->roots);
	ret->rollups = arena_take_array(a, q->n_rollups, sizeof *q->rollups);
	if (!ret->roots || !ret->rollups)
		return FAIL(-ENOMEM);
	TRY(copy_text(a, q->hierarchy, &ret->hierarchy));
	for (size_t i = 0; i < q->n_roots; i++) {
		TRY(copy_text(a, q->roots[i].id, &ret->roots[i].id));
		TRY(copy_text(a, q->roots[i].parent, &ret->roots[i].parent));
	}
	for (size_t i = 0; i < q->n_rollups; i++) {
		ret->rollups[i] = q->rollups[i];
		TRY(copy_text(a, q->rollups[i].property, &ret->rollups[i].property));
	}
	return 0;
}

static int add_problem(struct plan *p, const char *text)
{
	if (p->n_problems == PROBLEMS_MAX)
		return 0;
	const char **slot = arena_push(p->arena, &p->problems, &p->n_problems, sizeof *p->problems);
	const char *copy = arena_copy(p->arena, text);

	if (!slot || !copy)
		return FAIL(-ENOMEM);
	*slot = copy;
	return 0;
}

static bool is_below(const struct node *n, const char *id)
{
	for (; n; n = n->parent)
		if (strcmp(n->member.id, id) == 0)
			return true;
	return false;
}

/* A root to be asked for, once: meeting it again is either a cycle, which is told, or two hierarchies that
 * meet. */
static int add_edge(struct plan *p, const struct view_edge *edge, struct node *anchor)
{
	if (map_get(&p->asked, edge->child)) {
		if (!is_below(anchor, edge->child))
			return 0;
		const char *text =
			arena_print(p->arena, "%s contains itself by way of %s: the cycle ends there",
				    edge->child, edge->parent);
		return text ? add_problem(p, text) : FAIL(-ENOMEM);
	}
	struct edge *e = arena_take(p->arena, sizeof *e);
	if (!e)
		return FAIL(-ENOMEM);
	TRY(copy_text(p->arena, edge->parent, &e->edge.parent));
	TRY(copy_text(p->arena, edge->child, &e->edge.child));
	e->edge.anchor = anchor ? anchor->member.id : "";
	e->anchor = anchor;
	TRY(map_put(&p->asked, e->edge.child, e));
	*p->edges_end = e;
	p->edges_end = &e->next;
	return 0;
}

int plan_new(struct plan **ret, const struct view_question *question, size_t budget_bytes)
{
	SCOPED(scope_plan) struct plan *p = calloc(1, sizeof *p);

	if (!p)
		return FAIL(-ENOMEM);
	p->edges_end = &p->edges;
	TRY(arena_new(&p->arena, budget_bytes));
	TRY(copy_question(p->arena, question, &p->question));
	for (size_t i = 0; i < question->n_roots; i++) {
		const struct view_edge edge = {.anchor = "",
					       .parent = p->question.roots[i].parent,
					       .child = p->question.roots[i].id};
		TRY(add_edge(p, &edge, NULL));
	}
	*ret = MOVE(p);
	return 0;
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	for (struct ask *a = p->asks; a; a = a->next) {
		map_fini(&a->members);
		map_fini(&a->roots);
	}
	map_fini(&p->asked);
	arena_free(p->arena);
	free(p);
}

static struct ask *find_ask(struct plan *p, uint32_t id)
{
	struct ask *a = p->asks;

	while (a && a->id != id)
		a = a->next;
	return a && a->open ? a : NULL;
}

static struct ask *begin_ask(struct plan *p)
{
	struct ask *a = arena_take(p->arena, sizeof *a);

	if (!a)
		return NULL;
	*a = (struct ask){.next = p->asks, .id = ++p->last_ask, .open = true};
	p->asks = a;
	return a;
}

/* Levels that are still to be shown below a root found under this anchor. */
static uint32_t depth_left(const struct plan *p, const struct node *anchor)
{
	const uint32_t level = anchor ? anchor->level + 1 : 0;

	if (p->question.depth == VIEW_DEPTH_ALL)
		return VIEW_DEPTH_ALL;
	return p->question.depth > level ? p->question.depth - level : 0;
}

/* Take every waiting root of this owner into one question; the limit of roots makes it two. */
static int fill_ask(struct plan *p, struct ask *a, const struct edge *first, plan_owner_fn *owner, void *ctx,
		    struct plan_ask *ret)
{
	struct view_question *q = &ret->question;

	*q = p->question;
	q->roots = NULL;
	q->n_roots = 0;
	q->depth = 0;
	for (struct edge *e = p->edges; e && q->n_roots < ROOTS_MAX; e = e->next) {
		if (e->state != EDGE_WAITING)
			continue;
		if (!e->forced)
			e->owner = owner(ctx, e->edge.child);
		if (e->owner != first->owner)
			continue;
		struct view_root *root = arena_push(p->arena, &q->roots, &q->n_roots, sizeof *root);
		if (!root)
			return FAIL(-ENOMEM);
		*root = (struct view_root){.id = e->edge.child, .parent = e->edge.parent};
		TRY(map_put(&a->roots, e->edge.child, e));
		const uint32_t depth = depth_left(p, e->anchor);
		q->depth = depth > q->depth ? depth : q->depth;
		e->state = EDGE_ASKED;
		e->ask = a->id;
	}
	ret->id = a->id;
	ret->owner = first->owner;
	return 0;
}

static struct node *add_node(struct plan *p, struct node *parent, const struct view_member *m);

/* Nobody can be asked: the member stands in the view by the word of its parent only. */
static int add_unreachable(struct plan *p, struct edge *e)
{
	struct view_member m = {.id = e->edge.child, .type = "", .name = "", .state = MEMBER_UNREACHABLE};

	e->state = EDGE_ANSWERED;
	m.rollups = arena_take_array(p->arena, p->question.n_rollups, sizeof *m.rollups);
	if (!m.rollups || !add_node(p, e->anchor, &m))
		return FAIL(-ENOMEM);
	p->counts.members++;
	p->counts.unreachable++;
	return 0;
}

int plan_next(struct plan *p, plan_owner_fn *owner, void *ctx, struct plan_ask *ret)
{
	for (struct edge *e = p->edges; e; e = e->next) {
		if (e->state != EDGE_WAITING)
			continue;
		if (!e->forced)
			e->owner = owner(ctx, e->edge.child);
		if (e->owner == PLAN_LEAVE) {
			e->state = EDGE_LEFT;
			continue;
		}
		if (e->owner == PLAN_NOBODY) {
			TRY(add_unreachable(p, e));
			continue;
		}
		struct ask *a = begin_ask(p);
		if (!a)
			return FAIL(-ENOMEM);
		TRY(fill_ask(p, a, e, owner, ctx, ret));
		return 1;
	}
	return 0;
}

/* ---- Answers ---------------------------------------------------------------------------------------------
 */

static bool asked_org_bytes(const struct ask *a, struct bytes org)
{
	size_t at = 0;

	for (const struct map_entry *r; (r = map_next(&a->roots, &at));)
		if (bytes_equal(id_org(r->key), org))
			return true;
	return false;
}

static bool asked_org(const struct ask *a, const char *id)
{
	return asked_org_bytes(a, id_org(id));
}

/* Counts that cannot be, or sources of somebody else: a partner could lend its answer another's name. */
static bool is_honest(const struct ask *a, const struct view_part *part)
{
	const struct view_counts *c = &part->counts;
	const uint64_t *const counts[] = {&c->live,        &c->cached, &c->withheld, &c->unreachable,
					  &c->unconfirmed, &c->coarse, &c->expired};

	if (c->members > COUNT_MAX || part->n_sources > ORIGINS_MAX)
		return false;
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		if (*counts[i] > c->members)
			return false;
	for (size_t i = 0; i < part->n_sources; i++)
		if (!asked_org_bytes(a, bytes_of_text(part->sources[i].org)))
			return false;
	return true;
}

/* Only what was asked for is taken: roots that were asked, members below members of the same answer, nothing
 * of an organisation whose twins were not asked for. */
static int check_part(const struct plan *p, const struct ask *a, const struct view_part *part)
{
	SCOPED(map_fini) struct map fresh = {0};

	for (size_t i = 0; i < part->n_members; i++) {
		struct view_member *m = &part->members[i];
		const bool known = m->parent[0] == '\0'
					   ? map_get(&a->roots, m->id) != NULL
					   : map_get(&fresh, m->parent) || map_get(&a->members, m->parent);
		if (!known || !asked_org(a, m->id) || (p->question.n_rollups > 0 && !m->rollups))
			return FAIL(ERR_MALFORMED);
		TRY(map_put(&fresh, m->id, m));
	}
	for (size_t i = 0; i < part->n_edges; i++) {
		const struct view_edge *e = &part->edges[i];
		if ((!map_get(&fresh, e->anchor) && !map_get(&a->members, e->anchor)) ||
		    !asked_org(a, e->parent))
			return FAIL(ERR_MALFORMED); /* only a parent's owner says what belongs to it */
	}
	if (!is_honest(a, part))
		return FAIL(ERR_MALFORMED);
	return part->n_members > 0 && part->n_rollups != p->question.n_rollups ? FAIL(ERR_MALFORMED) : 0;
}

static int copy_rollups(struct plan *p, const struct rollup_state *from, struct rollup_state **ret)
{
	struct rollup_state *to = arena_take_array(p->arena, p->question.n_rollups, sizeof *to);

	if (!to)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < p->question.n_rollups; i++) {
		to[i] = from[i];
		if (from[i].unit)
			TRY(copy_text(p->arena, from[i].unit, &to[i].unit));
		if (from[i].unit_twin)
			TRY(copy_text(p->arena, from[i].unit_twin, &to[i].unit_twin));
		to[i].sketch = (struct sketch){0};
		TRY(sketch_merge(p->arena, &to[i].sketch, &from[i].sketch, 1, 0));
	}
	*ret = to;
	return 0;
}

static struct node *add_node(struct plan *p, struct node *parent, const struct view_member *m)
{
	struct node *n = arena_take(p->arena, sizeof *n);

	if (!n)
		return NULL;
	*n = (struct node){.member = *m, .parent = parent, .level = parent ? parent->level + 1 : 0};
	n->member.parent = parent ? parent->member.id : "";
	if (parent) {
		struct node **end = parent->last_child ? &parent->last_child->next : &parent->first_child;
		*end = parent->last_child = n;
	} else {
		struct node **end = p->last_root ? &p->last_root->next : &p->roots;
		*end = p->last_root = n;
	}
	p->n_members++;
	return n;
}

/* The node of a member, or, where it lies below what is shown, the nearest one above. */
static struct node *place_member(struct plan *p, struct node *above, bool above_shown,
				 const struct view_member *m)
{
	if (above && (!above_shown || above->level >= p->question.depth))
		return above;
	return add_node(p, above, m);
}

static int take_member(struct plan *p, struct ask *a, const struct view_member *m)
{
	struct view_member copy = *m;
	struct edge *root = m->parent[0] == '\0' ? map_get(&a->roots, m->id) : NULL;
	struct node *above = root ? root->anchor : map_get(&a->members, m->parent);

	if (map_get(&a->members, m->id))
		return 0; /* the same part twice */
	TRY(copy_text(p->arena, m->id, &copy.id));
	TRY(copy_text(p->arena, m->type, &copy.type));
	TRY(copy_text(p->arena, m->name, &copy.name));
	if (p->question.n_rollups > 0)
		TRY(copy_rollups(p, m->rollups, &copy.rollups));
	struct node *n = place_member(p, above, root || strcmp(above->member.id, m->parent) == 0, &copy);
	if (!n)
		return FAIL(-ENOMEM);
	if (root) {
		root->state = EDGE_ANSWERED;
		if (p->question.n_rollups > 0)
			TRY(copy_rollups(p, m->rollups, &root->rollups));
	}
	return map_put(&a->members, copy.id, n);
}

static int take_source(struct plan *p, const struct view_source *s)
{
	for (struct source *have = p->sources; have; have = have->next) {
		struct view_source *v = &have->source;
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
	TRY(copy_text(p->arena, s->org, &fresh->source.org));
	TRY(copy_text(p->arena, s->node, &fresh->source.node));
	struct source **end = &p->sources;
	while (*end)
		end = &(*end)->next;
	*end = fresh;
	p->n_sources++;
	return 0;
}

static void take_counts(struct view_counts *to, const struct view_counts *from)
{
	to->members += from->members;
	to->live += from->live;
	to->cached += from->cached;
	to->withheld += from->withheld;
	to->unreachable += from->unreachable;
	to->unconfirmed += from->unconfirmed;
	to->coarse += from->coarse;
	to->expired += from->expired;
}

/* The question has been answered: a root that no part spoke of is not there for us. */
static int end_ask(struct plan *p, struct ask *a)
{
	size_t at = 0;

	a->open = false;
	for (struct map_entry *r; (r = map_next(&a->roots, &at));) {
		struct edge *e = r->value;
		struct view_member m = {.id = e->edge.child, .type = "", .name = "", .state = MEMBER_ABSENT};
		if (e->state != EDGE_ASKED || e->ask != a->id)
			continue;
		e->state = EDGE_ANSWERED;
		m.rollups = arena_take_array(p->arena, p->question.n_rollups, sizeof *m.rollups);
		if (!m.rollups || !place_member(p, e->anchor, true, &m))
			return FAIL(-ENOMEM);
	}
	return 0;
}

int plan_answer(struct plan *p, uint32_t ask, const struct view_part *part, bool last)
{
	struct ask *a = find_ask(p, ask);

	if (!a)
		return 0; /* too late: it was given up */
	TRY(check_part(p, a, part));
	for (size_t i = 0; i < part->n_members; i++)
		TRY(take_member(p, a, &part->members[i]));
	for (size_t i = 0; i < part->n_edges; i++)
		TRY(add_edge(p, &part->edges[i], map_get(&a->members, part->edges[i].anchor)));
	for (size_t i = 0; i < part->n_sources; i++)
		TRY(take_source(p, &part->sources[i]));
	for (size_t i = 0; i < part->n_problems; i++)
		TRY(add_problem(p, part->problems[i]));
	take_counts(&p->counts, &part->counts);
	return last ? end_ask(p, a) : 0;
}

void plan_lost(struct plan *p, uint32_t ask, int instead)
{
	struct ask *a = find_ask(p, ask);
	size_t at = 0;

	if (!a)
		return;
	a->open = false;
	for (struct map_entry *r; (r = map_next(&a->roots, &at));) {
		struct edge *e = r->value;
		if (e->state != EDGE_ASKED || e->ask != ask)
			continue;
		e->state = EDGE_WAITING;
		e->forced = true;
		e->owner = instead;
	}
}

bool plan_done(const struct plan *p)
{
	for (const struct edge *e = p->edges; e; e = e->next)
		if (e->state == EDGE_WAITING || e->state == EDGE_ASKED)
			return false;
	return true;
}

/* ---- The whole -------------------------------------------------------------------------------------------
 */

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
	struct node **all = arena_take_array(p->arena, n, sizeof *all);
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

/* Totals of an answer's root go to its anchor and everything above; inside one answer they are there already.
 */
static int propagate(struct plan *p, const struct edge *e)
{
	struct err_note note = {0};

	for (struct node *up = e->anchor; up; up = up->parent)
		for (size_t i = 0; i < p->question.n_rollups; i++) {
			int r = rollup_merge(p->arena, &p->question.rollups[i], &up->member.rollups[i],
					     &e->rollups[i], &note);
			if (r == ERR_UNIT && up == e->anchor)
				TRY(add_problem(p, note.text));
			else if (r < 0 && r != ERR_UNIT)
				return r;
		}
	return 0;
}

/* Every root's totals reach all nodes above it by themselves, so their order does not matter. */
static int propagate_all(struct plan *p)
{
	for (const struct edge *e = p->edges; e; e = e->next)
		if (e->anchor && e->rollups && p->question.n_rollups > 0)
			TRY(propagate(p, e));
	return 0;
}

static int list_left(struct plan *p, struct view_part *ret)
{
	for (const struct edge *e = p->edges; e; e = e->next) {
		if (e->state != EDGE_LEFT)
			continue;
		struct view_edge *left = arena_push(p->arena, &ret->edges, &ret->n_edges, sizeof *left);
		if (!left)
			return FAIL(-ENOMEM);
		*left = e->edge;
	}
	return 0;
}

static int add_totals(struct plan *p, struct rollup_state *to)
{
	struct err_note note = {0};

	for (const struct node *n = p->roots; n; n = n->next)
		for (size_t i = 0; i < p->question.n_rollups; i++) {
			const int r = rollup_merge(p->arena, &p->question.rollups[i], &to[i],
						   &n->member.rollups[i], &note);
			TRY(r == ERR_UNIT ? add_problem(p, note.text) : r);
		}
	return 0;
}

int plan_result(struct plan *p, struct view_part *ret)
{
	struct view_part r = {.counts = p->counts, .n_rollups = p->question.n_rollups};

	TRY(propagate_all(p));
	for (struct node *n = p->roots; n; n = after(n))
		TRY(sort_children(p, n));
	r.members = arena_take_array(p->arena, p->n_members, sizeof *r.members);
	r.sources = arena_take_array(p->arena, p->n_sources, sizeof *r.sources);
	r.rollups = arena_take_array(p->arena, r.n_rollups, sizeof *r.rollups);
	if (!r.members || !r.sources || !r.rollups)
		return FAIL(-ENOMEM);
	for (const struct node *n = p->roots; n; n = after(n))
		r.members[r.n_members++] = n->member;
	for (const struct source *s = p->sources; s; s = s->next)
		r.sources[r.n_sources++] = s->source;
	TRY(add_totals(p, r.rollups));
	TRY(list_left(p, &r));
	r.problems = p->problems;
	r.n_problems = p->n_problems;
	*ret = r;
	return 0;
}
