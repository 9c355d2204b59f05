/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "node/summary.h"
#include "node/vitals.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"

enum { GROUPS = 8, MEMBERS = 24, STEPS = 400, MANY = 100000 };

static struct vitals *vitals;
static struct arena *a;
static int64_t t_ns;

static void put_type(const char *name, const struct health_def *rule)
{
	static uint32_t version;
	struct property_def p[] = {
		{.name = "load", .type = VALUE_DOUBLE, .unit = "", .min = NAN, .max = NAN, .kpi = true},
		{.name = "share", .type = VALUE_DOUBLE, .unit = "", .min = NAN, .max = NAN}};

	world_put(&(struct op){.kind = OP_TYPE,
			       .type = {.name = name,
					.version = ++version,
					.properties = p,
					.n_properties = 2,
					.health = rule ? *rule : (struct health_def){.rule = HEALTH_OWN}}},
		  1);
}

static const struct health_def worst = {.rule = HEALTH_WORST, .hierarchy = ""},
			       two = {.rule = HEALTH_K_OF_N, .hierarchy = "", .k = 2},
			       shares = {.rule = HEALTH_WEIGHTED,
					 .hierarchy = "feeds",
					 .weight = "share",
					 .warning = 0.25,
					 .alarm = 0.5};

static void set_up(void)
{
	world_set_up();
	must(arena_new(&a, 64 << 20) == 0);
	must(vitals_new(&vitals, world.store) == 0);
	put_type("part", NULL);
	put_type("line", &worst);
	put_type("pumps", &two);
	put_type("grid", &shares);
	t_ns = 0;
}

static void tear_down(void)
{
	vitals_free(vitals);
	arena_free(a);
	vitals = NULL;
	a = NULL;
	world_tear_down();
}

TestSuite(vitals, .init = set_up, .fini = tear_down, .timeout = 120);

static void feel(const char *id, enum health health)
{
	static const enum quality quality[] = {[HEALTH_GOOD] = QUALITY_GOOD,
					       [HEALTH_WARNING] = QUALITY_UNCERTAIN,
					       [HEALTH_ALARM] = QUALITY_BAD};
	struct sample s = {.t_ns = ++t_ns,
			   .value = {.type = VALUE_DOUBLE, .real = 1},
			   .quality = quality[health],
			   .sigma = NAN};

	world_put(&(struct op){.kind = OP_SAMPLES, .samples = {id, "load", &s, 1}}, 1);
}

static void part(const char *id, const char *parent, enum health health)
{
	world_twin(id, "part", NULL);
	if (parent)
		world_relation("contains", parent, id);
	if (health != HEALTH_UNKNOWN)
		feel(id, health);
}

/* What is due is written, until nothing is. How many times something was written is returned. */
static size_t settle(void)
{
	struct due_health due;
	size_t n = 0, before;

	do {
		before = n;
		cr_assert(eq(int, vitals_follow(vitals, 1000 * NS_PER_S, 1, true), 0));
		for (; vitals_next_due(vitals, &due); n++) {
			struct sample s = {.t_ns = ++t_ns,
					   .value = {.type = VALUE_ENUM, .text = health_text(due.health)},
					   .sigma = NAN};
			world_put(&(struct op){.kind = OP_SAMPLES,
					       .by_node = true,
					       .samples = {.twin = due.twin->id,
							   .property = due.property->name,
							   .samples = &s,
							   .n = 1}},
				  1);
		}
		cr_assert(lt(sz, n, 100 * GROUPS * MEMBERS), "it comes to rest");
	} while (n > before);
	return n;
}

static const char *health_of(const char *id)
{
	return health_text(summary_health(world.store, store_twin(world.store, id)));
}

#define EXPECT_HEALTH(id, word) cr_expect(strcmp(health_of(id), word) == 0, "%s is %s", id, health_of(id))

/* ---- Rules -----------------------------------------------------------------------------------------------
 */

Test(vitals, each_rule_says_what_its_members_amount_to)
{
	const struct health_def w = {.rule = HEALTH_WEIGHTED, .warning = 0.25, .alarm = 0.5};
	const struct {
		const struct health_def *rule;
		uint64_t n[N_HEALTHS]; /* unknown, good, warning, alarm */
		enum health health;
	} cases[] = {
		{&worst, {0, 0, 0, 0}, HEALTH_UNKNOWN}, {&worst, {3, 0, 0, 0}, HEALTH_UNKNOWN},
		{&worst, {3, 1, 0, 0}, HEALTH_GOOD},    {&worst, {3, 1, 1, 0}, HEALTH_WARNING},
		{&worst, {0, 9, 1, 1}, HEALTH_ALARM},   {&two, {3, 0, 0, 0}, HEALTH_UNKNOWN},
		{&two, {0, 3, 0, 0}, HEALTH_GOOD},      {&two, {0, 2, 0, 1}, HEALTH_WARNING},
		{&two, {0, 2, 1, 0}, HEALTH_WARNING},   {&two, {1, 2, 0, 0}, HEALTH_WARNING},
		{&two, {0, 1, 1, 5}, HEALTH_WARNING},   {&two, {1, 1, 0, 5}, HEALTH_WARNING},
		{&two, {0, 1, 0, 5}, HEALTH_ALARM},     {&two, {0, 1, 0, 0}, HEALTH_ALARM},
		{&w, {9, 0, 0, 0}, HEALTH_UNKNOWN},     {&w, {9, 3, 0, 0}, HEALTH_GOOD},
		{&w, {9, 3, 1, 0}, HEALTH_GOOD},        {&w, {9, 2, 2, 0}, HEALTH_WARNING},
		{&w, {9, 2, 0, 1}, HEALTH_WARNING},     {&w, {9, 1, 0, 1}, HEALTH_ALARM},
		{&w, {0, 0, 1, 0}, HEALTH_ALARM},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct member_counts c = {0};
		for (size_t k = 0; k < N_HEALTHS; k++) {
			c.n[k] = cases[i].n[k];
			c.weight[k] = (double)cases[i].n[k];
		}
		cr_expect(eq(int, (int)health_of_members(cases[i].rule, &c), (int)cases[i].health),
			  "case %zu", i);
	}
}

/* ---- What goes upwards -----------------------------------------------------------------------------------
 */

Test(vitals, health_goes_up_as_many_levels_as_there_are)
{
	world_twin("acme/site", "line", NULL);
	world_twin("acme/site/l1", "line", NULL);
	world_relation("contains", "acme/site", "acme/site/l1");
	part("acme/site/l1/p", "acme/site/l1", HEALTH_GOOD);
	settle();
	EXPECT_HEALTH("acme/site", "good");
	feel("acme/site/l1/p", HEALTH_ALARM);
	EXPECT_HEALTH("acme/site", "good");
	cr_expect(eq(sz, settle(), 2), "one word for each level");
	EXPECT_HEALTH("acme/site", "alarm");
	EXPECT_HEALTH("acme/site/l1", "alarm");
	cr_expect(eq(sz, settle(), 0));
	feel("acme/site/l1/p", HEALTH_GOOD);
	settle();
	EXPECT_HEALTH("acme/site", "good");
}

Test(vitals, what_happens_in_between_two_looks_is_told_once)
{
	world_twin("acme/site", "line", NULL);
	part("acme/p", "acme/site", HEALTH_GOOD);
	settle();
	for (int i = 0; i < 100; i++)
		feel("acme/p", i % 2 ? HEALTH_GOOD : HEALTH_ALARM);
	cr_expect(eq(sz, settle(), 0));
	feel("acme/p", HEALTH_WARNING);
	cr_expect(eq(sz, settle(), 1));
}

Test(vitals, who_joins_leaves_or_retires_counts_from_then_on)
{
	struct life_step retired[] = {{LIFE_OPERATING, TIME_MIN}, {LIFE_RETIRED, 5}};
	const struct op retire = {
		.kind = OP_TWIN,
		.twin = {.id = "acme/q", .type = "part", .name = "", .life = retired, .n_life = 2}};
	const struct op leave = {.kind = OP_RELATION_DELETE,
				 .relation = {"contains", "acme/site", "acme/p", TIME_MIN, TIME_MAX}};

	world_twin("acme/site", "line", NULL);
	part("acme/p", "acme/site", HEALTH_ALARM);
	part("acme/q", "acme/site", HEALTH_WARNING);
	part("acme/r", "acme/site", HEALTH_GOOD);
	settle();
	EXPECT_HEALTH("acme/site", "alarm");
	world_put(&leave, 1);
	settle();
	EXPECT_HEALTH("acme/site", "warning");
	world_put(&retire, 1);
	settle();
	EXPECT_HEALTH("acme/site", "good");
	world_put(&(struct op){.kind = OP_TWIN_DELETE, .id = "acme/r"}, 1);
	settle();
	EXPECT_HEALTH("acme/site", "unknown");
	put_type("line", &two);
	part("acme/s", "acme/site", HEALTH_GOOD);
	settle();
	EXPECT_HEALTH("acme/site", "alarm"); /* two are wanted */
}

Test(vitals, weights_come_from_the_members)
{
	struct sample heavy = {.t_ns = 1, .value = {.type = VALUE_DOUBLE, .real = 3}, .sigma = NAN};

	world_twin("acme/grid", "grid", NULL);
	part("acme/a", NULL, HEALTH_ALARM);
	part("acme/b", NULL, HEALTH_GOOD);
	part("acme/c", NULL, HEALTH_GOOD);
	part("acme/d", NULL, HEALTH_GOOD);
	for (const char *id = "a"; *id <= 'd'; id = *id == 'a'   ? "b"
						    : *id == 'b' ? "c"
						    : *id == 'c' ? "d"
								 : "e")
		world_relation("feeds", "acme/grid", arena_print(a, "acme/%s", id));
	settle();
	EXPECT_HEALTH("acme/grid", "warning"); /* one of four */
	world_put(&(struct op){.kind = OP_SAMPLES, .samples = {"acme/a", "share", &heavy, 1}}, 1);
	feel("acme/a", HEALTH_ALARM); /* a weight alone that is no KPI tells nobody */
	settle();
	EXPECT_HEALTH("acme/grid", "alarm"); /* three of six */
}

Test(vitals, in_a_cycle_nobody_keeps_the_others_alarm_up)
{
	static const char *const ids[] = {"acme/a", "acme/b", "acme/c"};

	for (size_t i = 0; i < 3; i++)
		world_twin(ids[i], "line", NULL);
	for (size_t i = 0; i < 3; i++)
		world_relation("contains", ids[i], ids[(i + 1) % 3]);
	part("acme/p", "acme/c", HEALTH_GOOD);
	feel("acme/a", HEALTH_ALARM);
	settle();
	EXPECT_HEALTH("acme/a", "alarm");
	EXPECT_HEALTH("acme/c", "good");
	feel("acme/a", HEALTH_GOOD);
	settle();
	for (size_t i = 0; i < 3; i++)
		cr_expect(strcmp(health_of(ids[i]), "alarm") != 0, "%s", ids[i]);
	world_put(&(struct op){.kind = OP_RELATION_DELETE,
			       .relation = {"contains", "acme/c", "acme/a", TIME_MIN, TIME_MAX}},
		  1);
	feel("acme/p", HEALTH_ALARM);
	settle();
	EXPECT_HEALTH("acme/a", "alarm"); /* the cycle is broken */
}

/* ---- Members of others -----------------------------------------------------------------------------------
 */

static void hold(const char *origin, struct row row, uint64_t seq)
{
	SCOPED(buf_fini) struct buf b = {0};

	row.version.stamp_ns = (int64_t)seq;
	row.type = row.name = "";
	row.seq = row.mask == ROW_MASK_ALL ? seq : 0;
	row_encode(&row, &b);
	struct bytes encoded = buf_bytes(&b);
	world_put(
		&(struct op){
			.kind = OP_ROWS,
			.rows = {.origin = origin, .rows = &encoded, .n = 1, .cursor = bytes_of_text("c")}},
		1);
}

Test(vitals, rows_of_other_nodes_count_and_of_other_organisations_once_confirmed)
{
	struct row_parent parent = {"contains", "acme/site", CONFIRM_PENDING};
	struct row near = {.id = "acme/far", .mask = ROW_MASK_ALL, .health = HEALTH_GOOD};
	struct row theirs = {.id = "volt/x",
			     .mask = ROW_MASK_DISCOVER | ROW_MASK_SUMMARY | 5,
			     .health = HEALTH_ALARM,
			     .parents = &parent,
			     .n_parents = 1};

	world_twin("acme/site", "line", NULL);
	world_relation("contains", "acme/site", "volt/x");
	settle();
	EXPECT_HEALTH("acme/site", "unknown");
	hold("acme/n2", near, 1);
	world_relation("contains", "acme/site", "acme/far");
	hold("volt/b", theirs, 1);
	settle();
	EXPECT_HEALTH("acme/site", "good");
	near.health = HEALTH_WARNING;
	hold("acme/n2", near, 2);
	settle();
	EXPECT_HEALTH("acme/site", "warning");
	parent.state = CONFIRM_CONFIRMED;
	theirs.mask++;
	hold("volt/b", theirs, 2);
	settle();
	EXPECT_HEALTH("acme/site", "alarm");
	theirs.mask = ROW_MASK_DISCOVER | 6; /* without the summary its health is not known */
	hold("volt/b", theirs, 3);
	settle();
	EXPECT_HEALTH("acme/site", "warning");
	near.deleted = true;
	hold("acme/n2", near, 3);
	settle();
	EXPECT_HEALTH("acme/site", "unknown");
}

/* ---- Many ------------------------------------------------------------------------------------------------
 */

static void put_many(void)
{
	struct op *ops = arena_take_array(a, 2 * MANY, sizeof *ops);

	for (size_t i = 0; i < MANY; i++) {
		const char *id = arena_print(a, "acme/site/p%zu", i);
		ops[2 * i] = (struct op){.kind = OP_TWIN, .twin = {.id = id, .type = "part", .name = ""}};
		ops[2 * i + 1] = (struct op){.kind = OP_RELATION,
					     .relation = {"contains", "acme/site", id, TIME_MIN, TIME_MAX}};
	}
	world_put(ops, 2 * MANY);
}

Test(vitals, of_a_hundred_thousand_members_only_those_that_changed_are_looked_at)
{
	world_twin("acme/site", "line", NULL);
	put_many();
	settle();
	const uint64_t before = vitals_looked(vitals);
	cr_expect(ge(u64, before, MANY));
	for (int i = 0; i < 10; i++) {
		feel("acme/site/p7", i % 2 ? HEALTH_GOOD : HEALTH_ALARM);
		settle();
		EXPECT_HEALTH("acme/site", i % 2 ? "good" : "alarm");
	}
	cr_expect(eq(u64, vitals_looked(vitals) - before, 10));
}

/* ---- Against the plain way -------------------------------------------------------------------------------
 */

static uint32_t seed = 1;

static uint32_t below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static const struct health_def *const rules[] = {&worst, &two};

static const char *name_of(size_t i)
{
	return arena_print(a, i < GROUPS ? "acme/g%zu" : "acme/m%zu", i);
}

/* The health that a group should say: of what its members say now. */
static enum health plain(const struct twin *t)
{
	struct member_counts c = {0};

	for (const struct edge *e = t->out; e; e = e->next_out)
		if (e->to && strcmp(e->relation.type, "contains") == 0)
			c.n[summary_health(world.store, e->to)]++;
	return health_of_members(&t->type->def.health, &c);
}

static void random_step(void)
{
	const size_t group = below(GROUPS),
		     member = group + 1 + below(GROUPS + MEMBERS - (uint32_t)group - 1);
	const struct op leave = {
		.kind = OP_RELATION_DELETE,
		.relation = {"contains", name_of(group), name_of(member), TIME_MIN, TIME_MAX}};

	switch (below(8)) {
	case 0: world_relation("contains", name_of(group), name_of(member)); break;
	case 1: world_put(&leave, 1); break;
	case 2: put_type("line", rules[below(2)]); break;
	default: feel(name_of(GROUPS + below(MEMBERS)), HEALTH_GOOD + below(3)); break;
	}
}

Test(vitals, whatever_happens_every_group_says_what_its_members_amount_to)
{
	for (size_t i = 0; i < GROUPS + MEMBERS; i++)
		world_twin(name_of(i), i < GROUPS ? (i % 2 ? "pumps" : "line") : "part", NULL);
	for (int step = 0; step < STEPS; step++) {
		arena_reset(a);
		for (uint32_t n = 1 + below(4); n > 0; n--)
			random_step();
		settle();
		for (size_t i = 0; i < GROUPS; i++) {
			const struct twin *t = store_twin(world.store, name_of(i));
			const struct sample said = store_value(world.store, t, t->type->members_place);
			const char *is = said.value.type == VALUE_NONE ? "unknown" : said.value.text;
			cr_assert(strcmp(is, health_text(plain(t))) == 0, "step %d: %s says %s", step, t->id,
				  is);
		}
	}
}
