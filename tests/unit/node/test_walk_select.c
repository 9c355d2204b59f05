/* SPDX-License-Identifier: Apache-2.0 */
/* Walks that filter, group and show. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/node/scene.h"
#include "tests/unit/node/walk_part.h"

TestSuite(walk_select, .init = scene_set_up, .fini = scene_tear_down, .timeout = 60);

static void add_three(void)
{
	scene_add_tagged("acme/plant/p1", "acme/plant", "old", 1);
	scene_add_press("acme/plant/p2", "acme/plant/p1", 2);
	scene_add_tagged("acme/plant/p3", "acme/plant/p2", "old", 4);
	world_value("acme/plant/p1", "force", 10, 7);
}

Test(walk_select, what_is_not_selected_is_gone_through_and_nothing_else)
{
	add_three();
	scene.question.where = "power != 2 kW";
	const struct view_part part = scene_walked("");

	cr_assert(eq(sz, part.n_members, 3), "a root is an anchor");
	cr_expect(strcmp(part.members[0].id, "acme/plant") == 0);
	cr_expect(strcmp(part.members[2].id, "acme/plant/p3") == 0);
	cr_expect(strcmp(part.members[2].parent, "acme/plant/p1") == 0, "the nearest one that is returned");
	cr_expect(eq(dbl, scene_sum(part.members[0].rollups), 5));
	cr_expect(eq(u64, part.counts.members, 4));
	cr_expect(eq(u64, part.counts.live, 4));
	cr_expect(eq(u64, part.counts.filtered, 2), "p2, and the plant, whose power is unknown");
	cr_expect(eq(u64, part.counts.withheld, 0));
}

Test(walk_select, an_expression_speaks_of_what_a_twin_is)
{
	add_three();
	scene.question.where = "tag = old and type = press and health = good and life = operating";
	const struct view_part part = scene_walked("");

	cr_expect(eq(dbl, scene_sum(part.members[0].rollups), 5));
	scene.question.where = "force > 5 kW";
	const struct view_part other = scene_walked("");
	cr_expect(eq(dbl, scene_sum(other.members[0].rollups), 1), "also of what is no KPI");
}

Test(walk_select, as_of_selects_by_the_value_of_that_time)
{
	scene_add_press("acme/plant/p1", "acme/plant", 1);
	world_value("acme/plant/p1", "power", 20, 9);
	scene.question.where = "power > 5 kW";
	scene.question.has_as_of = true;
	scene.question.as_of_ns = 15;
	const struct view_part before = scene_walked("");
	scene.question.as_of_ns = 25;
	const struct view_part after = scene_walked("");

	cr_expect(eq(u64, before.counts.filtered, 2));
	cr_expect(eq(u64, after.counts.filtered, 1));
	cr_expect(eq(dbl, scene_sum(after.members[0].rollups), 9));
}

static void share(const char *rights)
{
	char text[256];

	snprintf(text, sizeof text, "share \"all\"\n to org volt\n twins **\n allow %s\n until 2100-01-01\n",
		 rights);
	world_policy(text);
}

Test(walk_select, what_one_may_not_see_selects_nothing_and_is_withheld)
{
	add_three();
	share("discover\n allow read power");
	scene.question.where = "force > 5 kW or power > 0 kW";
	const struct view_part part = scene_walked("volt");

	cr_expect(eq(dbl, scene_sum(part.members[0].rollups), 7), "the other side of `or` is known");
	cr_expect(eq(u64, part.counts.withheld, 4));
	scene.question.where = "not (force > 100 kW)";
	const struct view_part hidden = scene_walked("volt");
	cr_expect(eq(u64, hidden.counts.filtered, 4), "unknown is not false");
	scene.question.where = "tag = old";
	const struct view_part tags = scene_walked("volt");
	cr_expect(eq(u64, tags.counts.filtered, 4), "tags come with the summary");
	cr_expect(eq(u64, tags.counts.withheld, 4));
	scene.question.where = "name = ''";
	const struct view_part names = scene_walked("volt");
	cr_expect(eq(u64, names.counts.filtered, 4), "a hidden name is not an empty one");
}

Test(walk_select, a_filter_does_not_tell_which_properties_there_are)
{
	add_three();
	share("discover\n allow read power");
	scene.question.where = "force > 5 kW";
	const struct view_part there = scene_walked("volt");
	scene.question.where = "nonesuch > 5 kW";
	const struct view_part absent = scene_walked("volt");

	cr_expect(eq(u64, there.counts.withheld, absent.counts.withheld));
	cr_expect(eq(u64, there.counts.filtered, absent.counts.filtered));
}

Test(walk_select, a_position_is_hidden_with_its_property)
{
	struct property_def p = {
		.name = "at", .type = VALUE_POSITION, .unit = "", .min = NAN, .max = NAN, .kpi = true};
	struct sample s = {
		.t_ns = 10, .value = {.type = VALUE_POSITION, .position = {50, 10, NAN}}, .sigma = NAN};
	const struct op ops[] = {
		{.kind = OP_TYPE, .type = {.name = "van", .version = 1, .properties = &p, .n_properties = 1}},
		{.kind = OP_TWIN, .twin = {.id = "acme/plant/v", .type = "van", .name = ""}},
		{.kind = OP_SAMPLES,
		 .samples = {.twin = "acme/plant/v", .property = "at", .samples = &s, .n = 1}}};

	world_put(ops, 3);
	world_relation("contains", "acme/plant", "acme/plant/v");
	scene.question.where = "distance(50, 10.001) < 100 m";
	const struct view_part own = scene_walked("");
	cr_expect(eq(u64, own.counts.filtered, 1));
	share("discover");
	const struct view_part hidden = scene_walked("volt");
	cr_expect(eq(u64, hidden.counts.filtered, 2));
	share("discover, summary");
	const struct view_part shown = scene_walked("volt");
	cr_expect(eq(u64, shown.counts.filtered, 1));
}

Test(walk_select, an_expression_that_does_not_parse_is_malformed)
{
	const struct audience to = audience_of("");
	struct view_part part;

	scene.question.where = "power >";
	cr_expect(eq(int, walk_part(&world, &to, &scene.question, WALK_LIVE, scene.arena, &part),
		     ERR_MALFORMED));
}

/* ---- Groups */

static const struct view_cell *cell(const struct view_part *part, const char *group)
{
	for (size_t i = 0; i < part->n_cells; i++)
		if (strcmp(part->cells[i].group, group) == 0)
			return &part->cells[i];
	cr_assert(false, "no group '%s'", group);
	return NULL;
}

Test(walk_select, groups_are_cells_in_order)
{
	add_three();
	scene.question.by = GROUP_TYPE;
	const struct view_part part = scene_walked("");

	cr_assert(eq(sz, part.n_cells, 2));
	cr_expect(strcmp(part.cells[0].group, "") == 0);
	cr_expect(eq(u64, cell(&part, "")->members, 1), "the plant has no type");
	cr_expect(eq(u64, cell(&part, "press")->members, 3));
	cr_expect(eq(dbl, scene_sum(cell(&part, "press")->rollups), 7));
	cr_expect(eq(i64, part.cells[0].t_ns, 0));
}

Test(walk_select, a_member_counts_in_each_of_its_tags)
{
	const char *both[] = {"old", "red"};
	const struct op op = {
		.kind = OP_TWIN,
		.twin = {.id = "acme/plant/p2", .type = "press", .name = "", .tags = both, .n_tags = 2}};

	add_three();
	world_put(&op, 1);
	scene.question.by = GROUP_TAG;
	const struct view_part part = scene_walked("");
	cr_assert(eq(sz, part.n_cells, 3));
	cr_expect(eq(dbl, scene_sum(cell(&part, "old")->rollups), 7));
	cr_expect(eq(dbl, scene_sum(cell(&part, "red")->rollups), 2));
	cr_expect(eq(dbl, scene_sum(part.members[0].rollups), 7), "in all it counts once");
}

Test(walk_select, values_of_a_property_are_groups_by_their_text)
{
	add_three();
	scene.question.by = GROUP_PROPERTY;
	scene.question.by_property = "force";
	const struct view_part part = scene_walked("");

	cr_assert(eq(sz, part.n_cells, 2));
	cr_expect(eq(u64, cell(&part, "7")->members, 1));
	cr_expect(eq(u64, cell(&part, "")->members, 3));
	share("discover\n allow read power");
	const struct view_part hidden = scene_walked("volt");
	cr_expect(eq(sz, hidden.n_cells, 1));
	cr_expect(eq(u64, hidden.counts.withheld, 4));
}

Test(walk_select, kinds_and_organisations_are_groups)
{
	add_three();
	scene.question.by = GROUP_ORG;
	const struct view_part orgs = scene_walked("");
	cr_expect(eq(u64, cell(&orgs, "acme")->members, 4));
	scene.question.by = GROUP_KIND;
	const struct view_part kinds = scene_walked("");
	cr_expect(eq(u64, cell(&kinds, kind_text(KIND_COMPONENT))->members, 4));
}

Test(walk_select, tags_that_are_hidden_make_no_groups)
{
	add_three();
	share("discover\n allow read power");
	scene.question.by = GROUP_TAG;
	const struct view_part part = scene_walked("volt");

	cr_expect(eq(sz, part.n_cells, 1));
	cr_expect(eq(u64, part.counts.withheld, 4));
}

Test(walk_select, what_is_not_selected_is_in_no_group)
{
	add_three();
	scene.question.where = "power > 3 kW";
	scene.question.by = GROUP_TYPE;
	const struct view_part part = scene_walked("");

	cr_assert(eq(sz, part.n_cells, 1));
	cr_expect(eq(u64, part.cells[0].members, 1));
}

/* ---- Showing */

Test(walk_select, properties_are_shown_as_far_as_they_may_be_seen)
{
	const char *show[] = {"force", "power", "nonesuch"};

	add_three();
	scene.question.show = show;
	scene.question.n_show = 3;
	const struct view_part own = scene_walked("");
	cr_assert(eq(sz, own.members[1].n_values, 2));
	cr_expect(strcmp(own.members[1].values[0].property, "force") == 0);
	cr_expect(eq(dbl, own.members[1].values[0].sample.value.real, 7));
	cr_expect(strcmp(own.members[1].values[1].unit, "kW") == 0);
	cr_expect(eq(sz, own.members[0].n_values, 0));
	share("discover\n allow read power");
	const struct view_part theirs = scene_walked("volt");
	cr_assert(eq(sz, theirs.members[1].n_values, 1));
	cr_expect(strcmp(theirs.members[1].values[0].property, "power") == 0);
	cr_expect(eq(u64, theirs.counts.withheld, 0), "what is only shown is not needed");
}

Test(walk_select, hidden_health_is_withheld_where_the_worst_is_asked_for)
{
	struct rollup_spec worst = {.fn = ROLLUP_WORST_HEALTH, .property = ""};

	add_three();
	share("discover\n allow read power");
	scene.question.rollups = &worst;
	const struct view_part part = scene_walked("volt");
	cr_expect(eq(u64, part.counts.withheld, 4));
}

/* ---- What is remembered of the policy */

Test(walk_select, an_edited_policy_counts_at_once)
{
	add_three();
	share("discover\n allow read power");
	cr_expect(eq(u64, scene_walked("volt").counts.withheld, 0));
	share("discover");
	cr_expect(eq(u64, scene_walked("volt").counts.withheld, 4), "the same conditions, another right");
	world_policy("share \"one\"\n to org volt\n twins plant\n allow discover\n until 2100-01-01\n");
	cr_expect(eq(u64, scene_walked("volt").counts.members, 1), "other conditions");
}

Test(walk_select, a_twin_that_changes_what_it_is_changes_its_class)
{
	const struct op untagged = {.kind = OP_TWIN,
				    .twin = {.id = "acme/plant/p1", .type = "press", .name = ""}};

	scene_add_tagged("acme/plant/p0", "acme/plant", "old", 0); /* of the same class, and met first */
	add_three();
	world_policy(
		"share \"old\"\n to org volt\n twins tag old, plant, plant/p2\n allow discover, summary\n"
		" until 2100-01-01\n");
	cr_expect(eq(u64, scene_walked("volt").counts.members, 5));
	world_put(&untagged, 1);
	cr_expect(eq(u64, scene_walked("volt").counts.members, 2),
		  "what is below what is hidden is not come to");
}
