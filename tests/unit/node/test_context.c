/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "node/context.h"
#include "proto/clock.h"
#include "tests/unit/node/world.h"

static struct arena *a;

/* An environment with a KPI and another property. */
static void put_environment(const char *id, double temperature, double wind)
{
	struct property_def p[] = {
		{.name = "temperature",
		 .type = VALUE_DOUBLE,
		 .unit = "degC",
		 .min = NAN,
		 .max = NAN,
		 .kpi = true},
		{.name = "wind",
		 .type = VALUE_DOUBLE,
		 .unit = "m/s",
		 .min = NAN,
		 .max = NAN,
		 .settable = true},
	};
	struct life_step life = {LIFE_OPERATING, TIME_MIN};
	const struct op ops[] = {
		{.kind = OP_TYPE,
		 .type = {.name = "air",
			  .parent = "",
			  .version = 1,
			  .kind = KIND_ENVIRONMENT,
			  .properties = p,
			  .n_properties = 2}},
		{.kind = OP_TWIN,
		 .twin = {.id = id, .type = "air", .kind = KIND_ENVIRONMENT, .life = &life, .n_life = 1}},
	};
	const bool first = !store_type(world.store, "air");

	world_put(first ? ops : ops + 1, first ? 2 : 1);
	if (!isnan(temperature))
		world_value(id, "temperature", 5, temperature);
	if (!isnan(wind))
		world_value(id, "wind", 5, wind);
}

static void set_up(void)
{
	world_set_up();
	cr_assert(eq(int, arena_new(&a, 1 << 20), 0));
	world_type("press", "power", "recipe/force", "kW");
	world_twin("acme/p1", "press", NULL);
	world_twin("acme/cell", "", NULL);
	put_environment("acme/hall", 31, NAN);
	put_environment("acme/site", 12, 7);
	world_relation("located-in", "acme/p1", "acme/cell");
	world_relation("located-in", "acme/cell", "acme/hall");
	world_relation("located-in", "acme/hall", "acme/site");
	world_relation("located-in", "acme/site", "acme/p1");
}

static void tear_down(void)
{
	arena_free(a);
	a = NULL;
	world_tear_down();
}

TestSuite(context, .init = set_up, .fini = tear_down, .timeout = 60);

/* "acme/hall 31"; "" for none. */
static const char *reading(const char *org, const char *twin, const char *name)
{
	const struct audience to = audience_of(org);
	struct context_value v;

	if (!context_value(&world, store_twin(world.store, twin), name, &to, a, &v))
		return "";
	return arena_print(a, "%s %g %s", v.from, v.sample.value.real, v.unit);
}

static void expect(const char *org, const char *twin, const char *name, const char *wanted)
{
	const char *found = reading(org, twin, name);

	cr_expect(strcmp(found, wanted) == 0, "%s of %s for '%s': '%s' is not '%s'", name, twin, org, found,
		  wanted);
}

Test(context, the_nearest_environment_that_has_it_gives_it)
{
	expect("", "acme/p1", "temperature", "acme/hall 31 degC");
	expect("", "acme/p1", "wind", "acme/site 7 m/s");
	expect("", "acme/p1", "power", "");
	expect("", "acme/hall", "temperature", "acme/site 12 degC");
	put_environment("acme/cabin", 25, NAN);
	put_environment("acme/booth", 26, NAN);
	world_relation("located-in", "acme/p1", "acme/cabin");
	world_relation("located-in", "acme/p1", "acme/booth");
	expect("", "acme/p1", "temperature", "acme/booth 26 degC");
}

Test(context, all_of_them_come_once_in_order_of_names)
{
	const struct audience to = audience_of("");
	struct context_value *values;
	size_t n;

	cr_assert(
		eq(int, context_values(&world, store_twin(world.store, "acme/p1"), &to, a, &values, &n), 0));
	cr_assert(eq(sz, n, 2), "and nothing that the node makes");
	cr_expect(eq(dbl, values[0].sample.value.real, 31));
	cr_expect(eq(dbl, values[1].sample.value.real, 7));
}

Test(context, it_ends_after_so_many_steps_and_twins)
{
	char id[32], next[32];

	for (int i = 0; i < CONTEXT_STEPS_MAX + 1; i++) {
		snprintf(id, sizeof id, "acme/s%d", i);
		world_twin(id, "", NULL);
	}
	put_environment("acme/far", 1, NAN);
	for (int i = 0; i < CONTEXT_STEPS_MAX - 1; i++) {
		snprintf(id, sizeof id, "acme/s%d", i);
		snprintf(next, sizeof next, "acme/s%d", i + 1);
		world_relation("located-in", id, next);
	}
	world_relation("located-in", next, "acme/far");
	expect("", "acme/s0", "temperature", "acme/far 1 degC");
	world_twin("acme/before", "", NULL);
	world_relation("located-in", "acme/before", "acme/s0");
	expect("", "acme/before", "temperature", "");
	world_twin("acme/wide", "", NULL);
	for (int i = 0; i < 2 * CONTEXT_TWINS_MAX; i++) {
		snprintf(id, sizeof id, "acme/w%d", i);
		world_twin(id, "", NULL);
		world_relation("located-in", "acme/wide", id);
	}
	expect("", "acme/wide", "temperature", "");
}

Test(context, others_have_what_they_would_have_of_the_environment_itself)
{
	expect("volt", "acme/p1", "temperature", "");
	world_policy(
		"share \"site\"\n to org volt\n twins site\n allow discover, summary\n until "
		"2100-01-01\n");
	expect("volt", "acme/p1", "temperature", "acme/site 12 degC");
	expect("volt", "acme/p1", "wind", "");
	expect("harbor", "acme/p1", "temperature", "");
	world_policy(
		"share \"all\"\n to org volt\n twins **\n allow discover, summary\n allow read wind\n "
		"until 2100-01-01\n"
		"never \"hall\"\n to everyone-else\n twins hall\n deny read of temperature\n");
	expect("volt", "acme/p1", "temperature", "acme/site 12 degC");
	expect("volt", "acme/p1", "wind", "acme/site 7 m/s");
}
