/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "node/visibility_private.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
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

TestSuite(visibility, .init = set_up, .fini = world_tear_down, .timeout = 60);

struct look {
	struct fingerprint f;
	int64_t stamp_ns;
};

static struct look look(const char *org, const char *origin)
{
	struct look l;

	visibility_view(world.visibility, org, origin, &l.f, &l.stamp_ns);
	return l;
}

static uint64_t in_sight(const char *org)
{
	return look(org, "acme/n1").f.count;
}

static uint32_t mask(const char *org, const char *id)
{
	struct shown w;

	return visibility_shown(world.visibility, org, id, &w) ? w.mask : 0;
}

static bool left(const char *org, const char *id)
{
	struct shown w;

	return visibility_shown(world.visibility, org, id, &w) && w.mask == 0;
}

static struct shown shown_in(const struct visibility *v, const char *org, const char *id)
{
	struct shown w = {0};

	cr_assert(visibility_shown(v, org, id, &w));
	return w;
}

static struct shown shown(const char *org, const char *id)
{
	return shown_in(world.visibility, org, id);
}

static void follow(void)
{
	cr_assert(eq(int, visibility_follow(world.visibility), 0));
}

/* A row of another node of acme, as it would be relayed. */
static void relay(const char *origin, const struct row *row)
{
	SCOPED(buf_fini) struct buf b = {0};

	row_encode(row, &b);
	must(buf_check(&b) == 0);
	const struct bytes encoded = buf_bytes(&b);
	const struct op op = {.kind = OP_ROWS,
			      .rows = {.origin = origin,
				       .rows = (struct bytes *)(uintptr_t)&encoded,
				       .n = 1,
				       .cursor = bytes_of_text("c")}};
	world_put(&op, 1);
}

static struct row relayed(const char *id, int64_t stamp_ns, uint64_t seq)
{
	static const char *tags[] = {"tie-volt"};

	return (struct row){.id = id,
			    .version.stamp_ns = stamp_ns,
			    .seq = seq,
			    .mask = ROW_MASK_ALL,
			    .type = "",
			    .name = "",
			    .tags = tags,
			    .n_tags = 1};
}

Test(visibility, a_twin_comes_into_sight_of_those_who_may_and_of_nobody_else)
{
	world_twin("acme/l1", "line", "tie-volt");
	world_twin("acme/l2", "line", NULL);
	follow();

	cr_expect(ne(u32, mask("volt", "acme/l1"), 0));
	cr_expect(eq(u32, mask("volt", "acme/l2"), 0));
	cr_expect(eq(u32, mask("harbor", "acme/l1"), 0));
	cr_expect(eq(u64, in_sight("volt"), 1));
	cr_expect(eq(u64, in_sight("harbor"), 0));
}

Test(visibility, a_twin_that_loses_its_tag_is_retracted_to_those_who_had_it)
{
	world_twin("acme/l1", "line", "tie-volt");
	world_twin("acme/l2", "line", NULL);
	follow();
	world_twin("acme/l1", "line", NULL);
	follow();

	cr_expect(left("volt", "acme/l1"));
	cr_expect(not(left("harbor", "acme/l1")));
	cr_expect(not(left("volt", "acme/l2")), "it never was in sight");
	cr_expect(eq(u64, in_sight("volt"), 0));
}

Test(visibility, a_policy_edit_is_a_sweep)
{
	world_twin("acme/l1", "line", "tie-volt");
	follow();
	world_policy("share \"all\"\n to org harbor\n twins **\n allow discover\n until 2100-01-01\n");
	cr_assert(eq(int, visibility_edit(world.visibility), 0));

	cr_expect(eq(u64, in_sight("volt"), 0));
	cr_expect(eq(u64, in_sight("harbor"), 1));
	cr_expect(eq(u32, mask("harbor", "acme/l1"), ROW_MASK_DISCOVER));
}

Test(visibility, the_fingerprint_forgets_what_it_was_before)
{
	world_twin("acme/l1", "line", "tie-volt");
	world_value("acme/l1", "rating", 5, 1);
	follow();
	const struct look before = look("volt", "acme/n1");
	world_value("acme/l1", "rating", 6, 2);
	follow();
	struct look after = look("volt", "acme/n1");
	cr_expect(not(fingerprint_equal(&before.f, &after.f)));
	cr_expect(gt(i64, after.stamp_ns, before.stamp_ns));

	world_policy("");
	cr_assert(eq(int, visibility_sweep(world.visibility), 0));
	after = look("volt", "acme/n1");
	cr_expect(fingerprint_equal(&after.f, &(struct fingerprint){0}),
		  "an empty set leaves nothing behind");
	cr_expect(eq(i64, after.stamp_ns, 0));
}

Test(visibility, a_deleted_twin_is_out_of_sight)
{
	const struct op gone = {.kind = OP_TWIN_DELETE, .id = "acme/l1"};

	world_twin("acme/l1", "line", "tie-volt");
	follow();
	world_put(&gone, 1);
	follow();
	cr_expect(left("volt", "acme/l1"));
	cr_expect(eq(u64, in_sight("volt"), 0));
}

#define NEVER_LENGTH SHARE_TIES "never \"length\"\n to everyone-else\n twins **\n deny read of length\n"

/* length stands before rating: were its place told, the mask would. */
static void line_with_hidden_length(void)
{
	const struct property_def p[] = {
		{.name = "length", .type = VALUE_DOUBLE, .unit = "km", .min = NAN, .max = NAN, .kpi = true},
		{.name = "rating", .type = VALUE_DOUBLE, .unit = "MVA", .min = NAN, .max = NAN, .kpi = true}};
	const struct op op = {.kind = OP_TYPE,
			      .type = {.name = "cable",
				       .version = 1,
				       .properties = (struct property_def *)(uintptr_t)p,
				       .n_properties = 2}};

	world_put(&op, 1);
	world_policy(NEVER_LENGTH);
	cr_assert(eq(int, visibility_sweep(world.visibility), 0));
	world_twin("acme/l1", "cable", "tie-volt");
	world_value("acme/l1", "length", 5, 1);
	world_value("acme/l1", "rating", 5, 1);
	follow();
}

Test(visibility, a_hidden_change_moves_nothing_that_a_partner_gets)
{
	line_with_hidden_length();
	const struct look before = look("volt", "acme/n1");
	const struct shown first = shown("volt", "acme/l1");
	world_value("acme/l1", "length", 6, 2);
	follow();
	const struct look after = look("volt", "acme/n1");
	struct shown then = shown("volt", "acme/l1");

	cr_expect(fingerprint_equal(&before.f, &after.f));
	cr_expect(eq(i64, after.stamp_ns, before.stamp_ns));
	cr_expect(eq(i64, then.version.stamp_ns, first.version.stamp_ns));
	cr_expect(eq(u64, then.place, first.place));
	world_value("acme/l1", "rating", 6, 2);
	follow();
	then = shown("volt", "acme/l1");
	cr_expect(gt(u64, then.place, first.place), "and what is shown moves it");
}

Test(visibility, two_borders_agree_whatever_they_saw_before)
{
	struct visibility *other = NULL;
	struct look theirs;

	line_with_hidden_length();
	world_value("acme/l1", "length", 6, 2);
	follow();
	cr_assert(eq(int, visibility_new(&other, &world.egress), 0));
	cr_assert(eq(int, visibility_sweep(other), 0));
	visibility_view(other, "volt", "acme/n1", &theirs.f, &theirs.stamp_ns);
	const struct look ours = look("volt", "acme/n1");
	cr_expect(eq(u64, theirs.f.count, 1));
	cr_expect(fingerprint_equal(&ours.f, &theirs.f));
	cr_expect(ne(i64, shown_in(other, "volt", "acme/l1").version.stamp_ns,
		     shown("volt", "acme/l1").version.stamp_ns));
	visibility_free(other);
}

Test(visibility, what_left_the_sight_stays_as_it_was_then)
{
	world_twin("acme/l1", "line", "tie-volt");
	follow();
	const struct shown seen = shown("volt", "acme/l1");
	world_twin("acme/l1", "line", NULL);
	follow();
	const struct shown gone = shown("volt", "acme/l1");
	world_value("acme/l1", "rating", 5, 1);
	follow();
	const struct shown later = shown("volt", "acme/l1");

	cr_expect(gt(u64, gone.place, seen.place), "a reader that had it learns it");
	cr_expect(eq(i64, gone.version.stamp_ns, seen.version.stamp_ns));
	cr_expect(eq(u64, later.place, gone.place), "once");
	cr_expect(eq(i64, later.version.stamp_ns, gone.version.stamp_ns));
}

Test(visibility, a_twin_that_changes_its_owner_is_in_sight_under_one)
{
	const struct row with_a = relayed("acme/l9", 10, 1), with_b = relayed("acme/l9", 11, 1);

	relay("acme/a", &with_a);
	follow();
	cr_assert(eq(u64, look("volt", "acme/a").f.count, 1));
	relay("acme/b", &with_b);
	follow();
	const struct look a = look("volt", "acme/a");
	cr_expect(fingerprint_equal(&a.f, &(struct fingerprint){0}));
	cr_expect(eq(u64, look("volt", "acme/b").f.count, 1));
}

Test(visibility, a_parent_that_leaves_the_sight_is_named_no_more_in_any_hierarchy)
{
	struct row_parent parents[] = {{"electrical", "acme/bus", CONFIRM_CONFIRMED}};
	struct row bus = relayed("acme/bus", 10, 1), line = relayed("acme/l9", 11, 2);

	line.parents = parents;
	line.n_parents = 1;
	relay("acme/a", &bus);
	relay("acme/a", &line);
	follow();
	cr_assert(ne(u32, mask("volt", "acme/l9") & ROW_MASK_PARENT, 0));
	bus = relayed("acme/bus", 12, 3);
	bus.n_tags = 0;
	relay("acme/a", &bus);
	follow();
	cr_expect(eq(u32, mask("volt", "acme/l9") & ROW_MASK_PARENT, 0));
}

Test(visibility, an_origin_that_went_back_is_seen_from_the_beginning)
{
	const struct row late = relayed("acme/l8", 10, 7), early = relayed("acme/l9", 11, 3);

	relay("acme/a", &late);
	follow();
	relay("acme/a", &early);
	cr_assert(eq(int, visibility_sweep(world.visibility), 0));
	cr_expect(eq(u64, look("volt", "acme/a").f.count, 2));
}

/* As if so many organisations had been trusted, one after the other, and none of them is any more. */
static void use_up_places(void)
{
	struct visibility *v = world.visibility;

	for (v->n_partners = 0; v->n_partners < PARTNERS_MAX; v->n_partners++)
		snprintf(v->partners[v->n_partners], sizeof v->partners[0], "gone%zu", v->n_partners);
}

Test(visibility, places_of_organisations_that_are_gone_are_given_again)
{
	world_twin("acme/l1", "line", "tie-volt");
	follow();
	const uint64_t run = visibility_run(world.visibility);
	cr_expect(zero(int, visibility_renew(&world.visibility)));
	cr_expect(eq(u64, visibility_run(world.visibility), run), "there is room: it goes on");
	use_up_places();
	cr_expect(eq(int, visibility_edit(world.visibility), ERR_FULL));
	cr_expect(not(visibility_is_settled(world.visibility)));
	cr_expect(zero(int, visibility_renew(&world.visibility)));
	cr_expect(ne(u64, visibility_run(world.visibility), run), "what was a place before is none now");
	cr_expect(visibility_is_settled(world.visibility));
	cr_expect(ne(u32, mask("volt", "acme/l1"), 0));
	cr_expect(eq(u64, in_sight("volt"), 1));
}
