/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "node/summary.h"
#include "tests/unit/node/world.h"

enum { LINES = PARENTS_MAX + 4 };

static void set_up(void)
{
	world_set_up();
	world_type("thing", "rating", NULL, "MVA");
}

TestSuite(summary, .init = set_up, .fini = world_tear_down, .timeout = 60);

static size_t parents_named(const struct row *r, const char *hierarchy, const char *parent)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_parents; i++)
		n += strcmp(r->parents[i].hierarchy, hierarchy) == 0 &&
		     strcmp(r->parents[i].parent, parent) == 0;
	return n;
}

Test(summary, many_connections_do_not_push_out_what_contains_a_twin)
{
	const struct membership word = {"contains", "harbor/city", "acme/bus", CONFIRM_CONFIRMED, 1};
	SCOPED(scope_arena) struct arena *a = NULL;
	char line[sizeof "acme/line-00"];
	struct row row;

	cr_assert(eq(int, arena_new(&a, 1 << 20), 0));
	world_twin("acme/grid", "thing", NULL);
	world_twin("acme/bus", "thing", NULL);
	world_relation("contains", "acme/grid", "acme/bus");
	for (int i = 0; i < LINES; i++) {
		snprintf(line, sizeof line, "acme/line-%02d", i);
		world_twin(line, "thing", NULL);
		world_relation("connects", line, "acme/bus");
	}
	world_put(&(struct op){.kind = OP_MEMBERSHIP, .membership = word}, 1);

	cr_assert(eq(int, summary_row(world.store, store_twin(world.store, "acme/bus"), a, &row), 0));
	cr_expect(eq(sz, row.n_parents, PARENTS_MAX));
	cr_expect(eq(sz, parents_named(&row, "contains", "acme/grid"), 1));
	cr_expect(eq(sz, parents_named(&row, "contains", "harbor/city"), 1));
}
