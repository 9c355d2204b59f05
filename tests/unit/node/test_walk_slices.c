/* SPDX-License-Identifier: Apache-2.0 */
/* Walks in slices, of roots that were seen, up to a budget. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "tests/unit/node/scene.h"

enum { MANY = 300 };

static struct view_root roots[3];
static const struct audience own = {.org = ""};

static void set_up(void)
{
	scene_set_up();
	memset(roots, 0, sizeof roots);
	roots[0] = scene.root;
	scene.question.roots = roots;
	scene.question.depth = 0;
}

TestSuite(walk_slices, .init = set_up, .fini = scene_tear_down, .timeout = 60);

static void add_many(void)
{
	char id[32];

	for (int i = 0; i < MANY; i++) {
		snprintf(id, sizeof id, "acme/plant/p%d", i);
		scene_add_press(id, "acme/plant", 1);
	}
}

/* ---- Slices */

static struct walk *begun(const char *org, struct audience *to)
{
	struct walk *w;

	*to = audience_of(org);
	cr_assert(eq(int, walk_new(&w, &world, to, &scene.question, WALK_LIVE, scene.arena, WALK_BYTES_MAX),
		     0));
	return w;
}

Test(walk_slices, a_walk_goes_on_where_it_stopped)
{
	struct view_part part;
	struct audience to;
	int n = 1;

	add_many();
	struct walk *w = begun("", &to);
	while (walk_step(w, 0, &part) == 0)
		n++;
	cr_expect(gt(int, n, 2), "there were pauses");
	cr_expect(eq(u64, part.counts.members, MANY + 1));
	cr_expect(eq(dbl, scene_sum(part.members[0].rollups), MANY));
	walk_free(w);
}

Test(walk_slices, who_moves_meanwhile_is_neither_lost_nor_counted_twice)
{
	struct view_part part;
	struct audience to;
	const struct op gone = {
		.kind = OP_RELATION_DELETE,
		.relation = {.type = "contains", .from = "acme/plant", .to = "acme/plant/p299"}};

	add_many();
	struct walk *w = begun("", &to);
	cr_assert(eq(int, walk_step(w, 0, &part), 0));
	world_put(&gone, 1);
	world_relation("contains", "acme/plant/p0", "acme/plant/p299");
	while (walk_step(w, 0, &part) == 0)
		;
	cr_expect(eq(u64, part.counts.members, MANY + 1));
	cr_expect(eq(dbl, scene_sum(part.members[0].rollups), MANY));
	walk_free(w);
}

Test(walk_slices, a_twin_that_is_deleted_meanwhile_is_not_looked_at)
{
	struct view_part part;
	struct audience to;
	char id[32];

	add_many();
	struct walk *w = begun("", &to);
	cr_assert(eq(int, walk_step(w, 0, &part), 0));
	for (int i = 0; i < MANY; i++) {
		snprintf(id, sizeof id, "acme/plant/p%d", i);
		world_put(&(struct op){.kind = OP_TWIN_DELETE, .id = id}, 1);
	}
	while (walk_step(w, 0, &part) == 0)
		;
	cr_expect(eq(u64, part.counts.members, 1));
	walk_free(w);
}

Test(walk_slices, a_walk_that_is_disturbed_again_and_again_comes_to_its_end)
{
	struct view_part part;
	struct audience to;
	int n = 0, r = 0;

	add_many();
	for (struct walk *w = begun("", &to); r == 0; n++) {
		char id[32];
		r = walk_step(w, 0, &part);
		snprintf(id, sizeof id, "acme/other%d", n);
		world_twin(id, "", NULL);
		if (r > 0)
			walk_free(w);
	}
	cr_expect(lt(int, n, 5));
	cr_expect(eq(u64, part.counts.members, MANY + 1));
}

Test(walk_slices, a_policy_that_changes_meanwhile_counts)
{
	struct view_part part;
	struct audience to;

	add_many();
	world_policy("share \"all\"\n to org volt\n twins **\n allow discover, summary\n until 2100-01-01\n");
	struct walk *w = begun("volt", &to);
	cr_assert(eq(int, walk_step(w, 0, &part), 0));
	world_policy("share \"all\"\n to org volt\n twins plant\n allow discover\n until 2100-01-01\n");
	while (walk_step(w, 0, &part) == 0)
		;
	cr_expect(eq(u64, part.counts.members, 1), "nothing of what was gone through before is told");
	walk_free(w);
}

Test(walk_slices, a_walk_whose_time_is_over_is_cut_and_says_so)
{
	const struct op gone = {.kind = OP_TWIN_DELETE, .id = "acme/plant/p299"};
	uint64_t n_before = MANY;
	struct view_part part;
	struct audience to;

	add_many();
	for (int disturbed = 0; disturbed < 2; disturbed++) {
		struct walk *w = begun("", &to);
		cr_assert(eq(int, walk_step(w, 0, &part), 0));
		if (disturbed)
			world_put(&gone, 1);
		cr_assert(eq(int, walk_stop(w, &part), 1));
		cr_expect(part.cut && part.n_problems == 1);
		cr_expect(part.counts.members > 0 && part.counts.members < n_before,
			  "of what it met before the change nothing is left");
		n_before = part.counts.members;
		cr_expect(eq(dbl, scene_sum(part.members[0].rollups), (double)part.counts.members - 1));
		walk_free(w);
	}
}

Test(walk_slices, values_may_change_meanwhile)
{
	struct view_part part;
	struct audience to;
	int n = 0;

	add_many();
	struct walk *w = begun("", &to);
	for (; walk_step(w, 0, &part) == 0; n++)
		world_value("acme/plant/p0", "power", 100 + n, 1);
	cr_expect(ge(int, n, 3), "it did not begin again");
	walk_free(w);
}

/* ---- Budget */

Test(walk_slices, a_budget_of_members_cuts_and_says_so)
{
	add_many();
	scene.question.members_max = 100;
	const struct view_part part = scene_walked("");

	cr_expect(part.cut);
	cr_expect(eq(u64, part.counts.members, 100));
	cr_expect(eq(dbl, scene_sum(part.members[0].rollups), 99));
	cr_assert(eq(sz, part.n_problems, 1));
	cr_expect(strstr(part.problems[0], "--members-max") != NULL);
	cr_expect(not(view_is_clean(&part)));
	scene.question.members_max = MANY + 1;
	const struct view_part all = scene_walked("");
	cr_expect(not(all.cut), "just enough is enough");
	cr_expect(view_is_clean(&all));
}

Test(walk_slices, a_budget_of_memory_cuts_and_says_so)
{
	struct view_part part;
	struct walk *w;

	add_many();
	scene.question.depth = VIEW_DEPTH_ALL;
	cr_assert(eq(int, walk_new(&w, &world, &own, &scene.question, WALK_LIVE, scene.arena, 40000), 0));
	cr_assert(eq(int, walk_step(w, INT64_MAX, &part), 1));
	cr_expect(part.cut);
	cr_expect(lt(u64, part.counts.members, MANY));
	cr_expect(eq(dbl, scene_sum(part.members[0].rollups), (double)(part.counts.members - 1)));
	walk_free(w);
}

Test(walk_slices, too_many_groups_are_cut)
{
	static struct op ops[3 * (VIEW_CELLS_MAX + 2)];
	static char ids[VIEW_CELLS_MAX + 2][24];
	static struct sample samples[VIEW_CELLS_MAX + 2];
	size_t n = 0;

	for (int i = 0; i < VIEW_CELLS_MAX + 2; i++) {
		snprintf(ids[i], sizeof ids[i], "acme/plant/p%d", i);
		samples[i] =
			(struct sample){.t_ns = 10, .value = {.type = VALUE_DOUBLE, .real = i}, .sigma = NAN};
		ops[n++] = (struct op){.kind = OP_TWIN, .twin = {.id = ids[i], .type = "press", .name = ""}};
		ops[n++] = (struct op){.kind = OP_RELATION,
				       .relation = {"contains", "acme/plant", ids[i], TIME_MIN, TIME_MAX}};
		ops[n++] = (struct op){.kind = OP_SAMPLES, .samples = {ids[i], "power", &samples[i], 1}};
	}
	world_put(ops, n);
	scene.question.by = GROUP_PROPERTY;
	scene.question.by_property = "power";
	const struct view_part part = scene_walked("");
	cr_expect(part.cut);
	cr_expect(eq(sz, part.n_cells, VIEW_CELLS_MAX));
	for (size_t i = 1; i < part.n_cells; i++)
		cr_assert(lt(int, strcmp(part.cells[i - 1].group, part.cells[i].group), 0));
}

/* ---- Roots that were seen */

Test(walk_slices, what_is_below_a_seen_root_counts_no_more)
{
	scene_add_press("acme/plant/p1", "acme/plant", 1);
	scene_add_press("acme/plant/p2", "acme/plant/p1", 2);
	world_twin("acme/other", "", NULL);
	scene_add_press("acme/other/p4", "acme/other", 8);
	world_relation("contains", "acme/other", "acme/plant/p1");
	roots[0] = (struct view_root){.id = "acme/other", .parent = ""};
	roots[1] = (struct view_root){.id = "acme/plant", .parent = "", .seen = true};
	scene.question.n_roots = 2;
	const struct view_part part = scene_walked("");

	cr_assert(eq(sz, part.n_members, 1));
	cr_expect(strcmp(part.members[0].id, "acme/other") == 0);
	cr_expect(eq(u64, part.counts.members, 2));
	cr_expect(eq(dbl, scene_sum(part.members[0].rollups), 8));
}

Test(walk_slices, edges_below_a_seen_root_are_seen)
{
	world_relation("contains", "acme/plant", "volt/feeder");
	world_twin("acme/other", "", NULL);
	world_relation("contains", "acme/other", "volt/other");
	roots[1] = (struct view_root){.id = "acme/other", .parent = "", .seen = true};
	scene.question.n_roots = 2;
	const struct view_part part = scene_walked("");

	cr_assert(eq(sz, part.n_edges, 2));
	for (size_t i = 0; i < 2; i++)
		cr_expect(eq(int, part.edges[i].seen, strcmp(part.edges[i].child, "volt/other") == 0));
}

Test(walk_slices, a_root_that_was_met_below_a_seen_one_is_returned_empty)
{
	scene_add_press("acme/plant/p1", "acme/plant", 1);
	roots[0] = (struct view_root){.id = "acme/plant/p1", .parent = "acme/plant"};
	roots[1] = (struct view_root){.id = "acme/plant", .parent = "", .seen = true};
	scene.question.n_roots = 2;
	const struct view_part part = scene_walked("");

	cr_assert(eq(sz, part.n_members, 1));
	cr_expect(eq(u64, part.counts.members, 0));
	cr_expect(eq(u64, part.members[0].rollups[0].n, 0));
}

Test(walk_slices, a_root_below_another_is_walked_by_itself)
{
	scene_add_press("acme/plant/p1", "acme/plant", 1);
	scene_add_press("acme/plant/p2", "acme/plant/p1", 2);
	roots[1] = roots[2] = (struct view_root){.id = "acme/plant/p1", .parent = "acme/plant"};
	scene.question.n_roots = 3;
	const struct view_part part = scene_walked("");

	cr_assert(eq(sz, part.n_members, 2), "once, though it was asked for twice");
	cr_expect(eq(dbl, scene_sum(part.members[0].rollups), 0));
	cr_expect(eq(dbl, scene_sum(part.members[1].rollups), 3));
	cr_expect(eq(u64, part.counts.members, 3));
}

Test(walk_slices, every_cycle_is_told)
{
	world_twin("acme/plant/b", "press", NULL);
	world_twin("acme/plant/c", "press", NULL);
	world_relation("contains", "acme/plant", "acme/plant/b");
	world_relation("contains", "acme/plant", "acme/plant/c");
	world_relation("contains", "acme/plant/b", "acme/plant/c");
	const struct view_part none = scene_walked("");
	cr_expect(eq(sz, none.n_problems, 0), "two ways are no cycle");
	world_relation("contains", "acme/plant/c", "acme/plant/b");
	const struct view_part part = scene_walked("");
	cr_expect(eq(sz, part.n_problems, 1), "also of two siblings");
	cr_expect(eq(u64, part.counts.members, 3));
}
