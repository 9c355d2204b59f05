/* SPDX-License-Identifier: Apache-2.0 */
/* Trees that are asked for by many at once, with the clock in the test's hand: each look at it takes a while,
 * so that no tree is made in one piece. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "node/trees.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"

enum { TWINS = 600, ASKERS = 40, ROUNDS_MAX = 4000 };

static int64_t now_ns, look_ns;

int64_t __wrap_engine_mono_ns(void);
int64_t __wrap_engine_mono_ns(void)
{
	return now_ns += look_ns;
}

static void set_up(void)
{
	char id[32];

	now_ns = 1000 * NS_PER_S;
	look_ns = 0;
	world_set_up();
	for (int i = 0; i < TWINS; i++) {
		snprintf(id, sizeof id, "acme/t%d", i);
		world_put(&(struct op){.kind = OP_TWIN,
				       .twin = {.id = id, .kind = KIND_ASSET, .type = "", .name = "n"}},
			  1);
	}
	look_ns = 6 * NS_PER_MS;
}

static void tear_down(void)
{
	trees_free(world.trees);
	world.trees = NULL;
	world_tear_down();
}

TestSuite(trees, .init = set_up, .fini = tear_down, .timeout = 60);

static int ask_as(const char *audience, const struct tree **ret)
{
	const struct tree_wish wish = {.audience = audience, .origin = world.origin, .begins = true};
	struct tree_base base;

	return trees_get(&world, &wish, ret, &base);
}

Test(trees, who_comes_later_takes_no_place_that_is_in_use)
{
	bool has[ASKERS] = {0};
	const struct tree *t;
	char audience[16];
	size_t left = ASKERS;

	for (int round = 0; round < ROUNDS_MAX && left > 0; round++)
		for (size_t i = 0; i < ASKERS; i++) {
			snprintf(audience, sizeof audience, "org%zu", i);
			if (!has[i] && ask_as(audience, &t) == 0) {
				has[i] = true;
				left--;
			}
			now_ns += NS_PER_MS;
		}
	cr_expect(eq(sz, left, 0), "each has its turn");
}

Test(trees, partners_leave_the_own_organisation_its_places)
{
	const struct tree *t;
	char audience[16];
	int r = RESET_LATER;

	for (int round = 0; round < 100 && r != 0; round++) {
		for (size_t i = 0; i < ASKERS; i++) {
			snprintf(audience, sizeof audience, "org%zu", i);
			ignore(ask_as(audience, &t));
		}
		now_ns += 50 * NS_PER_MS;
		r = ask_as("", &t);
	}
	cr_assert(eq(int, r, 0));
	cr_expect(eq(sz, tree_rows(t), TWINS));
}
