/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "proto/clock.h"
#include "tests/unit/node/scene.h"

TestSuite(walk, .init = scene_set_up, .fini = scene_tear_down, .timeout = 60);

static double total(const struct view_part *part)
{
	return scene_sum(part->members[0].rollups);
}

Test(walk, every_member_counts_once_whatever_leads_to_it)
{
	scene_add_press("acme/plant/p1", "acme/plant", 1);
	scene_add_press("acme/plant/p2", "acme/plant", 2);
	scene_add_press("acme/plant/p3", "acme/plant/p1", 4);
	world_relation("contains", "acme/plant/p2", "acme/plant/p3");
	const struct view_part part = scene_walked("");

	cr_expect(eq(u64, part.counts.members, 4));
	cr_expect(eq(dbl, total(&part), 7));
	cr_expect(eq(sz, part.n_problems, 0));
}

Test(walk, roll_ups_reach_below_the_depth_that_is_shown)
{
	scene_add_press("acme/plant/p1", "acme/plant", 1);
	scene_add_press("acme/plant/p2", "acme/plant/p1", 2);
	scene.question.depth = 1;
	const struct view_part part = scene_walked("");

	cr_expect(eq(sz, part.n_members, 2));
	cr_expect(eq(dbl, total(&part), 3));
	scene.question.depth = 0;
	const struct view_part root_only = scene_walked("");
	cr_expect(eq(sz, root_only.n_members, 1));
	cr_expect(eq(dbl, total(&root_only), 3));
}

Test(walk, a_cycle_ends_where_it_began_and_is_told)
{
	scene_add_press("acme/plant/p1", "acme/plant", 1);
	world_relation("contains", "acme/plant/p1", "acme/plant");
	const struct view_part part = scene_walked("");

	cr_expect(eq(dbl, total(&part), 1));
	cr_assert(eq(sz, part.n_problems, 1));
	cr_expect(strstr(part.problems[0], "acme/plant contains itself") != NULL);
}

Test(walk, a_hierarchy_of_thousands_of_levels_is_walked)
{
	enum { LEVELS = 10000 };
	static char ids[LEVELS][24];
	static struct op ops[LEVELS * 2];

	for (int i = 0; i < LEVELS; i++) {
		snprintf(ids[i], sizeof ids[i], "acme/deep%d", i);
		ops[2 * i] = (struct op){.kind = OP_TWIN, .twin = {.id = ids[i], .type = "", .name = ""}};
		ops[2 * i + 1] = (struct op){.kind = OP_RELATION,
					     .relation = {.type = "contains",
							  .from = i > 0 ? ids[i - 1] : "acme/plant",
							  .to = ids[i],
							  .valid_from_ns = TIME_MIN,
							  .valid_to_ns = TIME_MAX}};
	}
	world_put(ops, LEVELS * 2);
	scene.question.depth = 1;
	const struct view_part part = scene_walked("");
	cr_expect(eq(u64, part.counts.members, LEVELS + 1));
}

Test(walk, as_of_reads_values_and_relations_of_that_time)
{
	const struct op later = {.kind = OP_RELATION,
				 .relation = {.type = "contains",
					      .from = "acme/plant",
					      .to = "acme/plant/p2",
					      .valid_from_ns = 50,
					      .valid_to_ns = TIME_MAX}};

	scene_add_press("acme/plant/p1", "acme/plant", 1);
	world_twin("acme/plant/p2", "press", NULL);
	world_value("acme/plant/p2", "power", 10, 100);
	world_put(&later, 1);
	world_value("acme/plant/p1", "power", 30, 5);
	scene.question.has_as_of = true;
	scene.question.as_of_ns = 29;
	const struct view_part before = scene_walked("");
	cr_expect(eq(dbl, total(&before), 1));
	scene.question.as_of_ns = 50;
	const struct view_part after = scene_walked("");
	cr_expect(eq(dbl, total(&after), 105));
	scene.question.as_of_ns = 9;
	const struct view_part first = scene_walked("");
	cr_expect(eq(u64, first.members[0].rollups[0].n, 0));
}

Test(walk, as_of_reads_life_cycle_and_health_of_that_time)
{
	struct life_step steps[] = {{LIFE_COMMISSIONED, TIME_MIN}, {LIFE_OPERATING, 20}, {LIFE_RETIRED, 40}};
	struct sample bad = {
		.t_ns = 30, .value = {.type = VALUE_DOUBLE, .real = 2}, .quality = QUALITY_BAD, .sigma = NAN};
	const struct op ops[] = {
		{.kind = OP_TWIN,
		 .twin = {.id = "acme/plant/p1", .type = "press", .name = "", .life = steps, .n_life = 3}},
		{.kind = OP_RELATION, .relation = {"contains", "acme/plant", "acme/plant/p1", 20, 30}},
		{.kind = OP_SAMPLES, .samples = {"acme/plant/p1", "power", &bad, 1}}};
	struct view_part part;

	world_put(ops, 3);
	world_value("acme/plant/p1", "power", 25, 1);
	scene.question.has_as_of = true;
	scene.question.as_of_ns = 20;
	part = scene_walked("");
	cr_assert(eq(sz, part.n_members, 2));
	cr_expect(eq(int, part.members[1].life, LIFE_OPERATING));
	cr_expect(eq(int, part.members[1].health, HEALTH_UNKNOWN));
	scene.question.as_of_ns = 29;
	part = scene_walked("");
	cr_expect(eq(int, part.members[1].health, HEALTH_GOOD));
	scene.question.as_of_ns = 30;
	part = scene_walked("");
	cr_assert(eq(sz, part.n_members, 2), "the end is part of it");
	cr_expect(eq(int, part.members[1].health, HEALTH_ALARM));
	scene.question.as_of_ns = 31;
	part = scene_walked("");
	cr_expect(eq(sz, part.n_members, 1));
	scene.root.id = "acme/plant/p1";
	part = scene_walked("");
	cr_expect(eq(int, part.members[0].life, LIFE_OPERATING));
	scene.question.has_as_of = false;
	part = scene_walked("");
	cr_expect(eq(int, part.members[0].life, LIFE_RETIRED));
}

Test(walk, units_that_do_not_agree_are_told_by_name)
{
	scene_add_press("acme/plant/p1", "acme/plant", 1);
	world_type("tank", "power", NULL, "m3");
	world_twin("acme/plant/t1", "tank", NULL);
	world_relation("contains", "acme/plant", "acme/plant/t1");
	world_value("acme/plant/t1", "power", 10, 3);
	const struct view_part part = scene_walked("");

	cr_assert(ge(sz, part.n_problems, 1));
	cr_expect(strstr(part.problems[0], "acme/plant/p1") != NULL &&
		  strstr(part.problems[0], "acme/plant/t1") != NULL);
}

Test(walk, units_are_converted)
{
	scene_add_press("acme/plant/p1", "acme/plant", 1);
	world_type("turbine", "power", NULL, "MW");
	world_twin("acme/plant/t1", "turbine", NULL);
	world_relation("contains", "acme/plant", "acme/plant/t1");
	world_value("acme/plant/t1", "power", 10, 2);
	const struct view_part part = scene_walked("");
	const double in_kw = strcmp(part.members[0].rollups[0].unit, "kW") == 0 ? 2001 : 2.001;

	cr_expect(epsilon_eq(dbl, total(&part), in_kw, 1e-9));
}

Test(walk, a_stranger_sees_nothing_and_a_partner_what_is_shared)
{
	scene_add_press("acme/plant/p1", "acme/plant", 1);
	scene_add_press("acme/plant/p2", "acme/plant", 2);
	world_policy(
		"share \"plant\"\n to org volt\n twins plant, plant/p1\n allow discover\n until 2100-01-01\n"
		"share \"power\"\n to org volt\n twins plant/p2\n allow read power\n until 2100-01-01\n");
	const struct view_part none = scene_walked("harbor"), some = scene_walked("volt");

	cr_expect(eq(sz, none.n_members, 0));
	cr_expect(eq(u64, none.counts.members, 0), "what one may not discover appears in no count");
	cr_expect(eq(u64, some.counts.members, 3));
	cr_expect(eq(u64, some.counts.withheld, 2), "by its name alone: also where no such property is");
	cr_expect(eq(dbl, total(&some), 2));
}

Test(walk, who_may_only_discover_learns_neither_name_nor_health)
{
	const struct op named = {.kind = OP_TWIN,
				 .twin = {.id = "acme/plant/p1", .type = "press", .name = "Secret"}};

	scene_add_press("acme/plant/p1", "acme/plant", 1);
	world_put(&named, 1);
	world_policy("share \"plant\"\n to org volt\n twins plant/**\n allow discover\n until 2100-01-01\n");
	scene.root.id = "acme/plant/p1";
	const struct view_part part = scene_walked("volt");
	cr_assert(eq(sz, part.n_members, 1));
	cr_expect(strcmp(part.members[0].name, "") == 0);
	cr_expect(eq(int, (int)part.members[0].health, HEALTH_UNKNOWN));
}

Test(walk, withheld_does_not_tell_which_properties_there_are)
{
	struct rollup_spec secret = {.fn = ROLLUP_COUNT, .property = "force"},
			   absent = {.fn = ROLLUP_COUNT, .property = "nonesuch"};

	scene_add_press("acme/plant/p1", "acme/plant", 1);
	world_policy(
		"share \"plant\"\n to org volt\n twins plant/**\n allow read power\n until 2100-01-01\n");
	scene.question.rollups = &secret;
	const struct view_part one = scene_walked("volt");
	scene.question.rollups = &absent;
	const struct view_part two = scene_walked("volt");
	cr_expect(eq(u64, one.counts.withheld, 2));
	cr_expect(eq(u64, two.counts.withheld, 2));
}

Test(walk, a_partner_cannot_ask_whom_a_twin_is_confirmed_to)
{
	const struct op yes = {.kind = OP_MEMBERSHIP,
			       .membership = {.hierarchy = "contains",
					      .parent = "harbor/city",
					      .child = "acme/plant",
					      .state = CONFIRM_CONFIRMED}};

	world_put(&yes, 1);
	world_policy(
		"share \"plant\"\n to org volt\n twins **\n allow discover, summary\n until 2100-01-01\n"
		"share \"plant too\"\n to org harbor\n twins **\n allow discover, summary\n until "
		"2100-01-01\n");
	scene.root.parent = "harbor/city";
	const struct view_part volt = scene_walked("volt"), harbor = scene_walked("harbor");
	cr_expect(eq(int, (int)volt.members[0].state, MEMBER_UNCONFIRMED));
	cr_expect(eq(int, (int)harbor.members[0].state, MEMBER_LIVE));
}

Test(walk, problems_are_listed_up_to_a_bound)
{
	static char ids[100][32];

	world_type("tank", "power", NULL, "m3");
	for (int i = 0; i < 100; i++) {
		snprintf(ids[i], sizeof ids[i], "acme/plant/t%d", i);
		world_twin(ids[i], i < 50 ? "tank" : "press", NULL);
		world_relation("contains", "acme/plant", ids[i]);
		world_value(ids[i], "power", 10, 3);
	}
	const struct view_part part = scene_walked("");
	cr_expect(eq(sz, part.n_problems, PROBLEMS_MAX));
}

Test(walk, a_foreign_claim_needs_the_owners_word)
{
	const struct op yes = {.kind = OP_MEMBERSHIP,
			       .membership = {.hierarchy = "contains",
					      .parent = "harbor/city",
					      .child = "acme/plant",
					      .state = CONFIRM_CONFIRMED}};

	scene_add_press("acme/plant/p1", "acme/plant", 1);
	scene.root.parent = "harbor/city";
	const struct view_part claimed = scene_walked("");
	cr_expect(eq(int, (int)claimed.members[0].state, MEMBER_UNCONFIRMED));
	cr_expect(eq(u64, claimed.counts.unconfirmed, 1));
	cr_expect(eq(dbl, total(&claimed), 0));
	scene.question.unconfirmed = true;
	const struct view_part asked_for = scene_walked("");
	cr_expect(eq(dbl, total(&asked_for), 1));
	scene.question.unconfirmed = false;
	world_put(&yes, 1);
	const struct view_part confirmed = scene_walked("");
	cr_expect(eq(dbl, total(&confirmed), 1));
}

Test(walk, members_of_others_are_edges_named_only_to_whom_they_belong)
{
	world_relation("contains", "acme/plant", "volt/feeder");
	world_policy(
		"share \"plant\"\n to org volt\n twins plant\n allow discover\n until 2100-01-01\n"
		"share \"plant to harbor\"\n to org harbor\n twins plant\n allow discover\n until "
		"2100-01-01\n");
	const struct view_part own = scene_walked(""), theirs = scene_walked("volt"),
			       third = scene_walked("harbor");

	cr_expect(eq(sz, own.n_edges, 1));
	cr_expect(eq(sz, theirs.n_edges, 1));
	cr_expect(eq(sz, third.n_edges, 0));
}

Test(walk, a_token_is_no_number_and_counts_as_withheld)
{
	world_policy(
		"share \"all\"\n to org volt\n twins **\n allow discover, summary\n allow read power\n"
		" redact power as token\n until 2100-01-01\n");
	scene_add_press("acme/plant/p1", "acme/plant", 4);
	const struct view_part part = scene_walked("volt");

	cr_expect(eq(u64, part.counts.members, 2));
	cr_expect(eq(u64, part.counts.withheld, 2), "by the name alone, with or without the property");
	cr_expect(eq(u64, part.members[0].rollups[0].n, 0));
}
