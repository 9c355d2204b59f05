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

/* What a walk looks at instead of the row. */
Test(summary, health_without_a_row_is_that_of_the_row)
{
	static char text[KPI_TEXT_MAX + 2];
	struct property_def properties[] = {
		{.name = "a", .type = VALUE_DOUBLE, .unit = "", .min = NAN, .max = NAN, .kpi = true},
		{.name = "b", .type = VALUE_TEXT, .unit = "", .min = NAN, .max = NAN, .kpi = true},
		{.name = "c", .type = VALUE_DOUBLE, .unit = "", .min = NAN, .max = NAN}};
	const struct op type = {
		.kind = OP_TYPE,
		.type = {.name = "probe", .version = 1, .properties = properties, .n_properties = 3}};
	SCOPED(scope_arena) struct arena *a = NULL;

	memset(text, 'x', KPI_TEXT_MAX + 1);
	const struct {
		const char *property;
		struct sample sample;
		enum health health;
	} steps[] = {
		{"c",
		 {.t_ns = 1, .value = {VALUE_DOUBLE, .real = 1}, .quality = QUALITY_BAD},
		 HEALTH_UNKNOWN},
		{"b",
		 {.t_ns = 1, .value = {VALUE_TEXT, .text = text}, .quality = QUALITY_BAD},
		 HEALTH_UNKNOWN},
		{"a", {.t_ns = 1, .value = {VALUE_DOUBLE, .real = 1}, .quality = QUALITY_GOOD}, HEALTH_GOOD},
		{"b",
		 {.t_ns = 2, .value = {VALUE_TEXT, .text = "y"}, .quality = QUALITY_UNCERTAIN},
		 HEALTH_WARNING},
		{"a", {.t_ns = 2, .value = {VALUE_DOUBLE, .real = 1}, .quality = QUALITY_BAD}, HEALTH_ALARM},
	};
	cr_assert(eq(int, arena_new(&a, 1 << 20), 0));
	world_put(&type, 1);
	world_twin("acme/p", "probe", NULL);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct sample s = steps[i].sample;
		struct row row;
		s.sigma = NAN;
		world_put(&(struct op){.kind = OP_SAMPLES, .samples = {"acme/p", steps[i].property, &s, 1}},
			  1);
		const struct twin *t = store_twin(world.store, "acme/p");
		cr_assert(eq(int, summary_row(world.store, t, a, &row), 0));
		cr_expect(eq(int, (int)row.health, (int)steps[i].health), "step %zu", i);
		cr_expect(eq(int, (int)summary_health(world.store, t), (int)steps[i].health), "step %zu", i);
	}
}
