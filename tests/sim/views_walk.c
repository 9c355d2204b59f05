/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/views.h"

enum { STACK_MAX = 8192 };

/* A twin on the way down, at these times. */
struct step {
	int twin;
	uint32_t times;
	size_t anchor;
	uint32_t depth;
};

struct walk {
	struct lab *l;
	const struct lab_node *node;
	int place, asker; /* which node; organisation */
	const struct view_question *q;
	bool cached;
	struct view_part *part;
	uint8_t *counted;
	uint32_t seen[LAB_TWINS_MAX], met[LAB_TWINS_MAX];
	size_t members_below[LAB_TWINS_MAX]; /* place of a member's parent */
	struct step stack[STACK_MAX];
	size_t n_stack;
	struct view_cell cells[LAB_TIMES][LAB_GROUPS + 1];
};

static void *must(void *p)
{
	if (!p)
		abort(); /* a run takes far less than its arena has */
	return p;
}

static void must_do(int code)
{
	if (code < 0)
		abort();
}

/* Is it among what is gone through here? */
static bool is_here(const struct walk *w, int twin, int from)
{
	const struct lab_twin *t = &w->l->twins[twin];

	if (!w->cached)
		return t->node == w->place;
	if (!w->node->rows[twin].held)
		return false;
	if (from < 0 || w->l->broken == LAB_STRAY_SUMMARIES)
		return true;
	if (t->org != w->l->twins[from].org)
		return false;
	return t->org != w->node->org || t->node == w->l->twins[from].node;
}

static bool may_know(const struct walk *w, int twin)
{
	return !w->l->twins[twin].hidden || w->l->twins[twin].org == w->asker;
}

static bool has_edge(const struct walk *w, int edge)
{
	if (!w->cached)
		return !w->l->edges[edge].gone;
	return w->node->edges[edge] && w->node->rows[w->l->edges[edge].child].held;
}

static bool is_confirmed(const struct walk *w, const char *parent, int twin)
{
	const int p = lab_twin(w->l, parent);

	if (p < 0 || w->l->twins[p].org == w->l->twins[twin].org || w->l->broken == LAB_NO_CONFIRM)
		return true;
	for (int i = 0; i < w->l->n_edges; i++)
		if (w->l->edges[i].parent == p && w->l->edges[i].child == twin && w->l->edges[i].confirmed &&
		    has_edge(w, i))
			return true;
	return false;
}

/* An edge for every stretch of time. */
static void push_edges(struct walk *w, const char *anchor, int parent, int child, uint32_t times, bool seen)
{
	for (int first = 0; first < LAB_TIMES; first++) {
		int last = first;
		if (!(times & (1u << first)))
			continue;
		while (last + 1 < LAB_TIMES && (times & (2u << last)))
			last++;
		struct view_edge *e =
			must(arena_push(w->l->arena, &w->part->edges, &w->part->n_edges, sizeof *e));
		*e = (struct view_edge){.anchor = anchor,
					.parent = w->l->twins[parent].id,
					.child = w->l->twins[child].id,
					.seen = seen};
		if (w->q->step_ns > 0) {
			e->from_ns = LAB_FROM_NS + first * LAB_STEP_NS - 3;
			e->to_ns = LAB_FROM_NS + last * LAB_STEP_NS + 3;
		}
		first = last;
	}
}

static void push(struct walk *w, struct step s)
{
	if (w->n_stack == STACK_MAX)
		abort();
	w->stack[w->n_stack++] = s;
}

/* A twin of another organisation says that it belongs to one of these: nobody confirms it now. */
static void claim(struct walk *w, int parent, int child)
{
	const char **slot =
		must(arena_push(w->l->arena, &w->part->problems, &w->part->n_problems, sizeof *slot));

	*slot = must(arena_print(w->l->arena, "%s claims %s", w->l->twins[child].id, w->l->twins[parent].id));
	w->part->counts.members++;
	w->part->counts.unconfirmed++;
}

static void push_children(struct walk *w, const struct step *s, bool seen)
{
	const char *anchor = seen ? "" : w->part->members[s->anchor].id;

	for (int i = 0; i < w->l->n_edges; i++) {
		const struct lab_edge *e = &w->l->edges[i];
		const uint32_t times = s->times & e->times;
		if (e->parent != s->twin || !has_edge(w, i) || times == 0)
			continue;
		const bool foreign = w->cached && w->l->twins[e->child].org != w->l->twins[s->twin].org;
		if (is_here(w, e->child, s->twin))
			push(w, (struct step){e->child, times, s->anchor, s->depth + 1});
		else if (foreign && !seen && w->asker == w->node->org)
			claim(w, s->twin, e->child);
		else if (!foreign && may_know(w, e->child) && !(seen && w->l->broken == LAB_NO_ENDS))
			push_edges(w, anchor, s->twin, e->child, times, seen);
	}
}

static void go_through_seen(struct walk *w)
{
	while (w->n_stack > 0) {
		struct step s = w->stack[--w->n_stack];
		s.times &= ~w->seen[s.twin];
		if (s.times == 0 || !may_know(w, s.twin))
			continue;
		w->seen[s.twin] |= s.times;
		push_children(w, &s, true);
	}
}

static void add_cells(struct walk *w, const struct lab_twin *t, uint32_t times, double value)
{
	const int groups = w->q->by == GROUP_NONE  ? 0
			   : w->q->by == GROUP_TAG ? t->groups
						   : t->groups & -t->groups;

	for (int time = 0; time < LAB_TIMES; time++)
		for (int g = 0; g <= LAB_GROUPS; g++) {
			struct view_cell *c = &w->cells[time][g];
			const bool in = g == 0 ? groups == 0 : (groups & (1 << (g - 1))) != 0;
			if (!(times & (1u << time)) || !in)
				continue;
			c->members++;
			rollup_add_member(&w->q->rollups[0], &c->rollups[0], HEALTH_GOOD);
			for (size_t i = 1; i < LAB_ROLLUPS; i++)
				must_do(rollup_add(
					w->l->arena, &w->q->rollups[i], &c->rollups[i],
					&(struct rollup_item){
						.number = value, .sigma = NAN, .unit = "W", .twin = t->id},
					NULL));
		}
}

static void add_totals(struct walk *w, const struct lab_twin *t, size_t anchor, double value)
{
	struct rollup_state *states = w->part->members[anchor].rollups;
	const struct rollup_item item = {.number = value, .sigma = NAN, .unit = "W", .twin = t->id};

	rollup_add_member(&w->q->rollups[0], &states[0], HEALTH_GOOD);
	for (size_t i = 1; i < LAB_ROLLUPS; i++)
		must_do(rollup_add(w->l->arena, &w->q->rollups[i], &states[i], &item, NULL));
}

/* False: the budget is used up. */
static bool count(struct walk *w, const struct step *s)
{
	struct view_counts *c = &w->part->counts;
	const struct lab_twin *t = &w->l->twins[s->twin];
	const double value = w->cached ? w->node->rows[s->twin].value : t->value;

	/* of a series: who counted at other times is known already, but not that it is from a summary now */
	if (w->met[s->twin] == 0 && (w->seen[s->twin] == 0 || w->cached)) {
		if (w->q->members_max > 0 && c->members >= w->q->members_max)
			return false;
		c->members++;
		c->cached += w->cached;
		c->live += !w->cached;
		c->filtered += !t->selected;
	}
	w->met[s->twin] |= s->times;
	for (int i = 0; i < LAB_TIMES; i++)
		if (s->times & (1u << i))
			w->counted[s->twin * LAB_TIMES + i]++;
	if (!t->selected)
		return true;
	if (w->q->step_ns == 0)
		add_totals(w, t, s->anchor, value);
	add_cells(w, t, s->times, value);
	return true;
}

static size_t add_member(struct walk *w, int twin, enum member_state state, size_t above)
{
	struct view_member *m =
		must(arena_push(w->l->arena, &w->part->members, &w->part->n_members, sizeof *m));

	*m = (struct view_member){.id = w->l->twins[twin].id, .type = "", .name = "", .state = state};
	m->parent = above == SIZE_MAX ? "" : w->part->members[above].id;
	m->rollups = must(arena_take_array(w->l->arena, LAB_ROLLUPS, sizeof *m->rollups));
	w->members_below[w->part->n_members - 1] = above;
	return w->part->n_members - 1;
}

static void stop(struct walk *w)
{
	w->n_stack = 0;
	if (w->l->broken == LAB_QUIET_CUT)
		return;
	w->part->cut = true;
	const char **slot =
		must(arena_push(w->l->arena, &w->part->problems, &w->part->n_problems, sizeof *slot));
	*slot = "a budget was reached";
}

static size_t find_member(const struct walk *w, int twin)
{
	for (size_t i = 0; i < w->part->n_members; i++)
		if (strcmp(w->part->members[i].id, w->l->twins[twin].id) == 0)
			return i;
	return SIZE_MAX;
}

static void go_through(struct walk *w)
{
	while (w->n_stack > 0) {
		struct step s = w->stack[--w->n_stack];
		s.times &= ~(w->seen[s.twin] | w->met[s.twin]);
		if (s.times == 0 || !may_know(w, s.twin))
			continue;
		const bool is_new = w->met[s.twin] == 0 && w->seen[s.twin] == 0;
		if (is_new && s.depth <= w->q->depth && w->l->twins[s.twin].selected &&
		    (w->q->members_max == 0 || w->part->counts.members < w->q->members_max) &&
		    find_member(w, s.twin) == SIZE_MAX) /* else it is a root that one parent claims in vain */
			s.anchor = add_member(w, s.twin, w->cached ? MEMBER_CACHED : MEMBER_LIVE, s.anchor);
		if (!count(w, &s)) {
			stop(w);
			return;
		}
		push_children(w, &s, false);
	}
}

/* What this root is: not there, unconfirmed, met, or the beginning of a way down. */
static void begin_root(struct walk *w, const struct view_root *r, struct step *roots, size_t *n)
{
	const int twin = lab_twin(w->l, r->id);

	if (twin < 0 || !is_here(w, twin, -1) || !may_know(w, twin))
		return;
	if (!is_confirmed(w, r->parent, twin)) {
		if (find_member(w, twin) == SIZE_MAX) {
			add_member(w, twin, MEMBER_UNCONFIRMED, SIZE_MAX);
			w->part->counts.members++;
			w->part->counts.unconfirmed++;
		}
		return;
	}
	struct step s = {.twin = twin, .times = lab_interval(w->l, r->from_ns, r->to_ns)};
	if ((s.times & ~w->seen[twin]) == 0) {
		if (w->l->lists_again && find_member(w, twin) == SIZE_MAX)
			add_member(w, twin, w->cached ? MEMBER_CACHED : MEMBER_LIVE, SIZE_MAX);
		else if (w->l->broken != LAB_NO_MET)
			push_edges(w, "", twin, twin, s.times, true);
		return;
	}
	s.times &= ~(w->seen[twin] | w->met[twin]);
	s.anchor = find_member(w, twin);
	if (w->q->members_max > 0 && w->part->counts.members >= w->q->members_max) {
		stop(w);
		return;
	}
	if (s.anchor == SIZE_MAX)
		s.anchor = add_member(w, twin, w->cached ? MEMBER_CACHED : MEMBER_LIVE, SIZE_MAX);
	if (s.times != 0 && count(w, &s))
		roots[(*n)++] = s;
}

static void hand_up(struct walk *w)
{
	for (size_t i = w->part->n_members; i-- > 0;)
		for (size_t j = 0; j < LAB_ROLLUPS && w->members_below[i] != SIZE_MAX; j++)
			must_do(rollup_merge(w->l->arena, &w->q->rollups[j],
					     &w->part->members[w->members_below[i]].rollups[j],
					     &w->part->members[i].rollups[j], NULL));
}

static void list_cells(struct walk *w)
{
	static const char *const names[LAB_GROUPS + 1] = {"", "a", "b", "c"};

	for (int time = 0; time < LAB_TIMES; time++)
		for (int g = 0; g <= LAB_GROUPS; g++) {
			struct view_cell *from = &w->cells[time][g];
			if (from->members == 0 || (w->q->by == GROUP_NONE && w->q->step_ns == 0))
				continue;
			struct view_cell *c =
				must(arena_push(w->l->arena, &w->part->cells, &w->part->n_cells, sizeof *c));
			*c = *from;
			c->group = names[g];
			c->t_ns = w->q->step_ns > 0 ? LAB_FROM_NS + time * LAB_STEP_NS : 0;
		}
}

static void tell(const struct walk *w)
{
	printf("%4d ms: %s of %d, %s, for %d:", (int)w->l->now_ms, w->node->name, w->node->org,
	       w->cached ? "summaries" : "live", w->asker);
	for (size_t i = 0; i < w->q->n_roots; i++)
		printf(" %s%s<%s", w->q->roots[i].seen ? "seen " : "", w->q->roots[i].id,
		       w->q->roots[i].parent);
	printf(" ->");
	for (int i = 0; i < w->l->n_twins; i++)
		if (w->met[i] != 0)
			printf(" %s", w->l->twins[i].id);
	for (size_t i = 0; i < w->part->n_edges; i++)
		printf(" %sedge %s<%s", w->part->edges[i].seen ? "seen " : "", w->part->edges[i].child,
		       w->part->edges[i].parent);
	printf("\n");
}

struct view_part *lab_walk(struct lab *l, int node, int asker, const struct view_question *q, bool cached,
			   uint8_t *counted)
{
	struct walk *w = must(arena_take(l->arena, sizeof *w));
	struct step *roots = must(arena_take_array(l->arena, q->n_roots, sizeof *roots));
	size_t n = 0;

	*w = (struct walk){.l = l,
			   .node = &l->nodes[node],
			   .place = node,
			   .asker = asker,
			   .q = q,
			   .cached = cached,
			   .part = must(arena_take(l->arena, sizeof *w->part)),
			   .counted = counted};
	w->part->n_rollups = LAB_ROLLUPS;
	for (size_t i = 0; i < sizeof w->cells / sizeof **w->cells; i++)
		(&w->cells[0][0])[i].rollups =
			must(arena_take_array(l->arena, LAB_ROLLUPS, sizeof(struct rollup_state)));
	for (size_t i = 0; i < q->n_roots; i++) {
		const struct view_root *r = &q->roots[i];
		const int twin = lab_twin(l, r->id);
		if (r->seen && twin >= 0 && is_here(w, twin, -1) && is_confirmed(w, r->parent, twin))
			push(w, (struct step){.twin = twin, .times = lab_interval(l, r->from_ns, r->to_ns)});
	}
	go_through_seen(w);
	for (size_t i = 0; i < q->n_roots; i++)
		if (!q->roots[i].seen)
			begin_root(w, &q->roots[i], roots, &n);
	for (size_t i = 0; i < n; i++)
		push_children(w, &roots[i], false);
	go_through(w);
	hand_up(w);
	list_cells(w);
	if (l->trace)
		tell(w);
	return w->part;
}
