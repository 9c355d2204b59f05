/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/node/world.h"

#define SHARE_TIES \
	"share \"ties\"\n to org volt\n twins tag tie-volt\n allow discover, summary\n until 2100-01-01\n"

static void set_up(void)
{
	world_set_up();
	world_type("line", "rating", NULL, "MVA");
	world_policy(SHARE_TIES);
	cr_assert(eq(int, visibility_sweep(world.visibility), 0));
}

TestSuite(visibility, .init = set_up, .fini = world_tear_down, .timeout = 10);

static uint64_t in_sight(const char *org)
{
	struct fingerprint f;
	int64_t stamp_ns;

	visibility_view(world.visibility, org, "acme/n1", &f, &stamp_ns);
	return f.count;
}

Test(visibility, a_twin_comes_into_sight_of_those_who_may_and_of_nobody_else)
{
	world_twin("acme/l1", "line", "tie-volt");
	world_twin("acme/l2", "line", NULL);
	cr_assert(eq(int, visibility_follow(world.visibility), 0));

	cr_expect(ne(u32, visibility_mask(world.visibility, "volt", "acme/l1"), 0));
	cr_expect(eq(u32, visibility_mask(world.visibility, "volt", "acme/l2"), 0));
	cr_expect(eq(u32, visibility_mask(world.visibility, "harbor", "acme/l1"), 0));
	cr_expect(eq(u64, in_sight("volt"), 1));
	cr_expect(eq(u64, in_sight("harbor"), 0));
}

Test(visibility, a_twin_that_loses_its_tag_is_retracted_to_those_who_had_it)
{
	world_twin("acme/l1", "line", "tie-volt");
	world_twin("acme/l2", "line", NULL);
	cr_assert(eq(int, visibility_follow(world.visibility), 0));
	world_twin("acme/l1", "line", NULL);
	cr_assert(eq(int, visibility_follow(world.visibility), 0));

	cr_expect(visibility_left(world.visibility, "volt", "acme/l1"));
	cr_expect(not(visibility_left(world.visibility, "harbor", "acme/l1")));
	cr_expect(not(visibility_left(world.visibility, "volt", "acme/l2")), "it never was in sight");
	cr_expect(eq(u64, in_sight("volt"), 0));
}

Test(visibility, a_policy_edit_is_a_sweep)
{
	world_twin("acme/l1", "line", "tie-volt");
	cr_assert(eq(int, visibility_follow(world.visibility), 0));
	world_policy("share \"all\"\n to org harbor\n twins **\n allow discover\n until 2100-01-01\n");
	cr_assert(eq(int, visibility_sweep(world.visibility), 0));

	cr_expect(eq(u64, in_sight("volt"), 0));
	cr_expect(eq(u64, in_sight("harbor"), 1));
	cr_expect(eq(u32, visibility_mask(world.visibility, "harbor", "acme/l1"), ROW_MASK_DISCOVER));
}

Test(visibility, the_fingerprint_forgets_what_it_was_before)
{
	struct fingerprint before, after;
	int64_t stamp_ns;

	world_twin("acme/l1", "line", "tie-volt");
	world_value("acme/l1", "rating", 5, 1);
	cr_assert(eq(int, visibility_follow(world.visibility), 0));
	visibility_view(world.visibility, "volt", "acme/n1", &before, &stamp_ns);
	world_value("acme/l1", "rating", 6, 2);
	cr_assert(eq(int, visibility_follow(world.visibility), 0));
	visibility_view(world.visibility, "volt", "acme/n1", &after, &stamp_ns);
	cr_expect(not(fingerprint_equal(&before, &after)));

	world_policy("");
	cr_assert(eq(int, visibility_sweep(world.visibility), 0));
	visibility_view(world.visibility, "volt", "acme/n1", &after, &stamp_ns);
	cr_expect(fingerprint_equal(&after, &(struct fingerprint){0}), "an empty set leaves nothing behind");
}

Test(visibility, a_deleted_twin_is_out_of_sight)
{
	const struct op gone = {.kind = OP_TWIN_DELETE, .id = "acme/l1"};

	world_twin("acme/l1", "line", "tie-volt");
	cr_assert(eq(int, visibility_follow(world.visibility), 0));
	world_put(&gone, 1);
	cr_assert(eq(int, visibility_follow(world.visibility), 0));
	cr_expect(visibility_left(world.visibility, "volt", "acme/l1"));
	cr_expect(eq(u64, in_sight("volt"), 0));
}
