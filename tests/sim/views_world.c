/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/views.h"

#include <stdarg.h>

static const char *const orgs[LAB_ORGS] = {"harbor", "acme", "volt"};

uint64_t lab_random(struct lab *l, uint64_t below)
{
	uint64_t z = (l->random += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % below;
}

bool lab_chance(struct lab *l, unsigned percent)
{
	return lab_random(l, 100) < percent;
}

void lab_fail(struct lab *l, const char *format, ...)
{
	va_list args;

	if (l->failure[0])
		return; /* the first one tells the story */
	va_start(args, format);
	vsnprintf(l->failure, sizeof l->failure, format, args);
	va_end(args);
}

int lab_twin(const struct lab *l, const char *id)
{
	for (int i = 0; i < l->n_twins; i++)
		if (strcmp(l->twins[i].id, id) == 0)
			return i;
	return -1;
}

uint32_t lab_times(const struct lab *l)
{
	return l->question.step_ns > 0 ? (1u << LAB_TIMES) - 1 : 1;
}

uint32_t lab_interval(const struct lab *l, int64_t from_ns, int64_t to_ns)
{
	uint32_t bits = 0;

	if (l->question.step_ns == 0 || (from_ns == 0 && to_ns == 0))
		return lab_times(l);
	for (int i = 0; i < LAB_TIMES; i++) {
		const int64_t t_ns = LAB_FROM_NS + i * LAB_STEP_NS;
		bits |= t_ns >= from_ns && t_ns <= to_ns ? 1u << i : 0;
	}
	return bits;
}

static void build_nodes(struct lab *l)
{
	const bool calm = lab_chance(l, 40);

	for (int org = 0; org < LAB_ORGS; org++) {
		const int n = 1 + (int)lab_random(l, 4);
		for (int i = 0; i < n; i++) {
			struct lab_node *node = &l->nodes[l->n_nodes++];
			node->org = org;
			node->up = true;
			snprintf(node->name, sizeof node->name, "n%d", i);
			node->delay_ms = 1 + (int)lab_random(l, lab_chance(l, 20) && !calm ? 60 : 5);
			node->silent = l->n_nodes > 1 && !calm && lab_chance(l, 8);
			node->lies = l->n_nodes > 1 && !calm && lab_chance(l, 8);
			node->fresh = !calm && lab_chance(l, 5);
		}
	}
}

static void build_twins(struct lab *l)
{
	const unsigned here = lab_chance(l, 80) ? 0 : 90;

	l->n_twins = 4 + (int)lab_random(l, LAB_TWINS_MAX - 4);
	for (int i = 0; i < l->n_twins; i++) {
		struct lab_twin *t = &l->twins[i];
		t->node = i == 0 || lab_chance(l, here) ? 0 : (int)lab_random(l, (uint64_t)l->n_nodes);
		t->org = l->nodes[t->node].org;
		snprintf(t->id, sizeof t->id, "%s/t%02d", orgs[t->org], i);
		t->value = (double)(1 + lab_random(l, 1u << 30));
		t->groups = (int)lab_random(l, 1u << LAB_GROUPS);
		t->selected = l->question.where[0] == '\0' || lab_chance(l, 70);
		t->hidden = i > 0 && lab_chance(l, 5);
	}
}

static void add_edge(struct lab *l, int parent, int child)
{
	if (l->n_edges == LAB_EDGES_MAX)
		return;
	struct lab_edge *e = &l->edges[l->n_edges++];
	*e = (struct lab_edge){.parent = parent, .child = child, .times = lab_times(l)};
	e->confirmed = l->twins[parent].org == l->twins[child].org || lab_chance(l, 95);
	for (const struct lab_edge *other = l->edges; other < e; other++)
		if (other->parent == parent && other->child == child)
			e->confirmed = other->confirmed; /* of a parent, for all times */
	e->gone = !l->true_rows && lab_chance(l, 5);
	if (l->question.step_ns > 0 && lab_chance(l, 40))
		e->times = (uint32_t)lab_random(l, 1u << LAB_TIMES);
}

/* Mostly a tree; then ways that meet again, and now and then a way back up. */
static void build_edges(struct lab *l)
{
	const unsigned more = (unsigned)lab_random(l, 60), back = lab_chance(l, 30) ? 10 : 0;

	for (int child = 1; child < l->n_twins; child++) {
		const int near = child > 6 && lab_chance(l, 50) ? child - 5 : 0;
		add_edge(l, near + (int)lab_random(l, (uint64_t)(child - near)), child);
		if (lab_chance(l, more))
			add_edge(l, (int)lab_random(l, (uint64_t)child), child);
		if (lab_chance(l, back))
			add_edge(l, child, (int)lab_random(l, (uint64_t)child));
	}
}

static void build_rows(struct lab *l)
{
	const unsigned held = l->true_rows ? 100 : 80;

	for (int n = 0; n < l->n_nodes; n++) {
		struct lab_node *node = &l->nodes[n];
		for (int i = 0; i < l->n_twins; i++)
			node->rows[i] = (struct lab_row){.held = l->twins[i].node != n && lab_chance(l, held),
							 .value = l->twins[i].value +
								  (double)(lab_chance(l, 30) ? 7 : 0)};
		for (int i = 0; i < l->n_edges; i++)
			node->edges[i] = l->true_rows ? !l->edges[i].gone : lab_chance(l, 90);
	}
}

static void build_question(struct lab *l)
{
	static const struct rollup_spec specs[LAB_ROLLUPS] = {
		{.fn = ROLLUP_COUNT, .property = ""},
		{.fn = ROLLUP_SUM, .property = "power"},
		{.fn = ROLLUP_MAX, .property = "power"},
	};
	static const enum view_by groups[] = {GROUP_NONE, GROUP_NONE, GROUP_KIND, GROUP_TAG};

	memcpy(l->rollups, specs, sizeof specs);
	l->question = (struct view_question){.roots = &l->root,
					     .n_roots = 1,
					     .hierarchy = "contains",
					     .depth = lab_chance(l, 50) ? VIEW_DEPTH_ALL
									: (uint32_t)lab_random(l, 4),
					     .rollups = l->rollups,
					     .n_rollups = LAB_ROLLUPS,
					     .where = lab_chance(l, 25) ? "kind = asset" : "",
					     .by = groups[lab_random(l, 4)],
					     .by_property = "",
					     .members_max = lab_chance(l, 15) ? 1 + lab_random(l, 30) : 0};
	if (lab_chance(l, 30)) {
		l->question.from_ns = LAB_FROM_NS;
		l->question.step_ns = LAB_STEP_NS;
		l->question.to_ns = LAB_FROM_NS + (LAB_TIMES - 1) * LAB_STEP_NS;
	}
	l->root = (struct view_root){.id = l->twins[0].id, .parent = ""};
}

void lab_build(struct lab *l)
{
	l->true_rows = lab_chance(l, 60);
	build_question(l);
	build_nodes(l);
	build_twins(l);
	build_edges(l);
	build_rows(l);
	l->offline = lab_chance(l, 3);
	l->lists_again = lab_chance(l, 50);
}
