/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "node/summary.h"
#include "proto/clock.h"
#include "tests/unit/node/world.h"

static struct arena *a;

static void set_up(void)
{
	world_set_up();
	cr_assert(eq(int, arena_new(&a, 1 << 20), 0));
	world_type("press", "power", "recipe/force", "kW");
	world_twin("acme/plant", "", NULL);
	world_twin("acme/plant/p1", "press", "tie-volt");
	world_relation("contains", "acme/plant", "acme/plant/p1");
	world_value("acme/plant/p1", "power", 5, 7.5);
	world_policy(
		"share \"press\"\n to org volt\n twins plant/p1\n allow discover, summary\n until "
		"2100-01-01\n"
		"share \"number only\"\n to org harbor\n twins plant/p1\n allow read power\n until "
		"2100-01-01\n");
}

static void tear_down(void)
{
	arena_free(a);
	a = NULL;
	world_tear_down();
}

TestSuite(egress, .init = set_up, .fini = tear_down, .timeout = 60);

static struct row full(const char *id)
{
	struct row row;

	cr_assert(eq(int, egress_full_row(&world.egress, id, a, &row), 0));
	return row;
}

static struct row shown_to(const char *org, const char *id)
{
	const struct row whole = full(id);
	struct row row;

	cr_assert(eq(int, egress_row(&whole, egress_mask(&world.egress, org, &whole), a, &row), 0));
	return row;
}

Test(egress, without_a_grant_nothing_is_visible)
{
	const struct row plant = full("acme/plant");

	cr_expect(eq(u32, egress_mask(&world.egress, "volt", &plant), 0));
	cr_expect(eq(u32, egress_mask(&world.egress, "", &plant), ROW_MASK_ALL));
	cr_expect(eq(u32, egress_mask(&world.egress, "acme", &plant), ROW_MASK_ALL));
}

Test(egress, a_summary_shows_kpis_and_tags_but_no_hidden_parent)
{
	const struct row row = shown_to("volt", "acme/plant/p1");

	cr_assert(eq(sz, row.n_kpis, 1));
	cr_expect(eq(dbl, row.kpis[0].sample.value.real, 7.5));
	cr_expect(eq(sz, row.n_tags, 1));
	cr_expect(eq(sz, row.n_parents, 0), "volt may not discover the plant");
	cr_expect(eq(u64, row.seq, 0), "a sequence number would tell how much else changes");
}

Test(egress, reading_one_property_shows_it_and_nothing_of_the_summary)
{
	const struct row row = shown_to("harbor", "acme/plant/p1");

	cr_assert(eq(sz, row.n_kpis, 1));
	cr_expect(eq(sz, row.n_tags, 0));
	cr_expect(eq(int, (int)row.health, HEALTH_UNKNOWN));
}

Test(egress, a_never_takes_the_property_out_of_the_summary)
{
	world_policy(
		"share \"press\"\n to org volt\n twins **\n allow discover, summary\n until 2100-01-01\n"
		"never \"power\"\n to everyone-else\n twins **\n deny read of power\n");
	const struct row row = shown_to("volt", "acme/plant/p1");

	cr_expect(eq(sz, row.n_kpis, 0));
	cr_expect(eq(sz, row.n_parents, 1), "now the plant may be discovered too");
}

Test(egress, denied_and_absent_are_the_same_sentence)
{
	struct err_note denied = {0}, absent = {0};

	cr_expect(eq(int, egress_refuse(&world.egress, "volt", "acme/x", &denied), ERR_DENIED));
	cr_expect(eq(int, egress_refuse(&world.egress, "volt", "acme/x", &absent), ERR_DENIED));
	cr_expect(strcmp(denied.text, absent.text) == 0);
	cr_expect(strstr(denied.text, "not shared with you or not there; ask acme") != NULL);
}

Test(egress, no_policy_shares_nothing)
{
	const struct row press = full("acme/plant/p1");
	struct trust bare = *world.trust;
	const struct egress egress = {.trust = &bare, .store = world.store};

	bare.policy = NULL;
	cr_expect(eq(u32, egress_mask(&egress, "volt", &press), 0));
}

Test(egress, a_row_does_not_tell_how_much_of_it_is_hidden)
{
	struct row one = full("acme/plant/p1"), two = one;
	struct kpi kpis[] = {{.property = "secret", .unit = "kW"}, one.kpis[0]};
	uint64_t digest_one, digest_two;

	two.kpis = kpis;
	two.n_kpis = 2;
	two.version.stamp_ns++;
	two.seq++;
	const uint32_t mask = ROW_MASK_DISCOVER | ROW_MASK_SUMMARY;
	cr_assert(eq(int, egress_row(&one, mask | ROW_MASK_KPI, a, &one), 0));
	cr_assert(eq(int, egress_row(&two, mask | ROW_MASK_KPI << 1, a, &two), 0));
	cr_expect(eq(i64, two.version.stamp_ns, 0));
	cr_assert(eq(int, egress_digest(&one, &digest_one), 0));
	cr_assert(eq(int, egress_digest(&two, &digest_two), 0));
	cr_expect(eq(u64, digest_one, digest_two));
	cr_expect(eq(u32, one.mask, two.mask));
	cr_expect(eq(u32, one.mask & mask, mask));

	two.mask = mask;
	two.kpis[0].sample.value.real++;
	cr_assert(eq(int, egress_digest(&two, &digest_two), 0));
	cr_expect(ne(u32, one.mask, two.mask), "other content is another row");
}
