/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/views.h"

/* What the whole world says. */
struct oracle {
	uint32_t times[LAB_TWINS_MAX]; /* at which it is a member */
	uint64_t members, filtered, selected;
	double sum;
};

static void ask_world(const struct lab *l, struct oracle *o)
{
	bool more = true;

	*o = (struct oracle){0};
	o->times[0] = lab_times(l);
	while (more) {
		more = false;
		for (int i = 0; i < l->n_edges; i++) {
			const struct lab_edge *e = &l->edges[i];
			const struct lab_twin *child = &l->twins[e->child];
			const uint32_t times = o->times[e->parent] & e->times & ~o->times[e->child];
			if (e->gone || !e->confirmed || (child->hidden && child->org != l->nodes[0].org) ||
			    times == 0)
				continue;
			o->times[e->child] |= times;
			more = true;
		}
	}
	for (int i = 0; i < l->n_twins; i++) {
		if (o->times[i] == 0)
			continue;
		o->members++;
		o->filtered += !l->twins[i].selected;
		o->selected += l->twins[i].selected;
		o->sum += l->twins[i].selected ? l->twins[i].value : 0;
	}
}

/* Does the view itself say that its totals may be wrong? Whom an owner did not confirm is left out rightly;
 * whom an old summary does not, perhaps not. */
static bool is_doubtful(const struct lab *l)
{
	const struct view_part *v = &l->result;
	const struct view_counts *c = &v->counts;

	for (size_t i = 0; i < v->n_problems; i++)
		if (!strstr(v->problems[i], "contains itself"))
			return true;
	return v->cut || (c->unconfirmed > 0 && l->n_cached > 0) ||
	       (c->cached | c->withheld | c->unreachable | c->coarse | c->expired) != 0;
}

static double number(const struct lab *l, size_t rollup, const struct rollup_state *s)
{
	double x = 0;

	rollup_value(s, &l->rollups[rollup], &x);
	return x;
}

static void check_totals(struct lab *l, const struct oracle *o)
{
	const struct view_part *v = &l->result;

	if (v->counts.members - v->counts.unconfirmed != o->members || v->counts.filtered != o->filtered)
		lab_fail(l, "the view counts %d members, %d filtered: there are %d and %d",
			 (int)v->counts.members, (int)v->counts.filtered, (int)o->members, (int)o->filtered);
	if (l->question.step_ns > 0)
		return;
	if (number(l, 0, &v->rollups[0]) != (double)o->selected || number(l, 1, &v->rollups[1]) != o->sum)
		lab_fail(l, "totals %.0f of %.0f members: it is %.0f of %d", number(l, 1, &v->rollups[1]),
			 number(l, 0, &v->rollups[0]), o->sum, (int)o->selected);
}

static bool is_in_group(const struct lab *l, int groups, int group)
{
	if (l->question.by == GROUP_NONE)
		return group == 0;
	if (l->question.by == GROUP_KIND)
		groups &= -groups;
	return group == 0 ? groups == 0 : (groups & (1 << (group - 1))) != 0;
}

static const struct view_cell *find_cell(const struct view_part *v, const char *group, int64_t t_ns)
{
	for (size_t i = 0; i < v->n_cells; i++)
		if (v->cells[i].t_ns == t_ns && strcmp(v->cells[i].group, group) == 0)
			return &v->cells[i];
	return NULL;
}

static void check_cell(struct lab *l, const struct oracle *o, int time, int group)
{
	static const char *const names[LAB_GROUPS + 1] = {"", "a", "b", "c"};
	const int64_t t_ns = l->question.step_ns > 0 ? LAB_FROM_NS + time * LAB_STEP_NS : 0;
	const struct view_cell *c = find_cell(&l->result, names[group], t_ns);
	const double found = c ? number(l, 1, &c->rollups[1]) : 0;
	uint64_t members = 0;
	double sum = 0;

	for (int i = 0; i < l->n_twins; i++) {
		const struct lab_twin *t = &l->twins[i];
		if (!(o->times[i] & (1u << time)) || !t->selected || !is_in_group(l, t->groups, group))
			continue;
		members++;
		sum += t->value;
	}
	if ((c ? c->members : 0) != members || found != sum)
		lab_fail(l, "cell '%s' at %d: %.0f of %d members, it is %.0f of %d", names[group], (int)t_ns,
			 found, (int)(c ? c->members : 0), sum, (int)members);
}

static void check_cells(struct lab *l, const struct oracle *o)
{
	if (l->question.by == GROUP_NONE && l->question.step_ns == 0)
		return;
	for (int time = 0; time < (l->question.step_ns > 0 ? LAB_TIMES : 1); time++)
		for (int group = 0; group <= LAB_GROUPS; group++)
			check_cell(l, o, time, group);
}

static void check_tree(struct lab *l, const struct oracle *o)
{
	const struct view_part *v = &l->result;
	bool there[LAB_TWINS_MAX] = {0};

	for (size_t i = 0; i < v->n_members; i++) {
		const struct view_member *m = &v->members[i];
		const int twin = lab_twin(l, m->id);
		if (twin < 0)
			lab_fail(l, "%s is no twin of this world", m->id);
		else if (m->state == MEMBER_ABSENT && o->times[twin] != 0)
			lab_fail(l, "%s is said to be absent, and counts", m->id);
		else if (m->state == MEMBER_LIVE && !l->lists_again &&
			 (o->times[twin] == 0 || (there[twin] && l->question.step_ns == 0)))
			lab_fail(l, "%s stands in the tree twice, or wrongly", m->id);
		if (twin >= 0 && m->state == MEMBER_LIVE)
			there[twin] = true;
	}
}

/* Where it is said that something may count twice, it may; and old summaries have other ways. */
static void check_once(struct lab *l)
{
	const struct view_part *v = &l->result;

	for (size_t i = 0; i < v->n_problems; i++)
		if (strstr(v->problems[i], "counted before"))
			return;
	for (int i = 0; i < LAB_PLACES && l->true_rows; i++)
		if (l->desks[0]->counted[i] > 1)
			lab_fail(l, "%s counts %d times", l->twins[i / LAB_TIMES].id,
				 l->desks[0]->counted[i]);
}

void lab_check(struct lab *l)
{
	struct oracle o;

	if (l->failure[0])
		return;
	ask_world(l, &o);
	for (int i = 0; l->trace && i < l->n_twins; i++)
		printf("%s: a member at times %x\n", l->twins[i].id, o.times[i]);
	check_once(l);
	l->was_clean = view_is_clean(&l->result);
	l->was_exact = !is_doubtful(l);
	if (l->was_clean && !l->was_exact)
		lab_fail(l, "a certificate is clean and doubtful");
	if (!l->was_exact)
		return;
	check_totals(l, &o);
	check_cells(l, &o);
	check_tree(l, &o);
}
