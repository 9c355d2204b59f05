/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "node/summary.h"
#include "proto/clock.h"
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

/* ---- Alarms ----------------------------------------------------------------------------------------------
 */

static const struct limits some_limits = {.at = {NAN, NAN, 70, 90}, .rate_warning = NAN, .rate_alarm = NAN};
static char letters[12][2];

/* Twelve properties with limits, and an expression. */
static void put_watched_type(enum health_rule rule)
{
	static struct property_def properties[12];
	static struct alarm_def worn = {
		.name = "worn", .when = "a > 5 m", .severity = HEALTH_WARNING, .text = ""};

	for (size_t i = 0; i < 12; i++) {
		snprintf(letters[i], sizeof letters[i], "%c", (char)('a' + (char)i));
		properties[i] = (struct property_def){.name = letters[i],
						      .type = VALUE_DOUBLE,
						      .unit = "m",
						      .min = NAN,
						      .max = NAN,
						      .limits = &some_limits};
	}
	const struct op type = {.kind = OP_TYPE,
				.type = {.name = "watched",
					 .version = 1,
					 .properties = properties,
					 .n_properties = 12,
					 .alarms = &worn,
					 .n_alarms = 1,
					 .health = {.rule = rule}}};
	world_put(&type, 1);
	world_twin("acme/w", "watched", NULL);
}

static void stand(const char *property, int64_t t_ns, const char *text)
{
	struct sample s = {.t_ns = t_ns, .value = {VALUE_TEXT, .text = text}, .sigma = NAN};

	if (strncmp(property, "health/", 7) == 0)
		s.value.type = VALUE_ENUM;
	world_put(&(struct op){.kind = OP_SAMPLES, .by_node = true, .samples = {"acme/w", property, &s, 1}},
		  1);
}

static struct row row_of_watched(struct arena *a)
{
	const struct twin *t = store_twin(world.store, "acme/w");
	struct row row;

	cr_assert(eq(int, summary_row(world.store, t, a, &row), 0));
	cr_expect(eq(int, (int)summary_health(world.store, t), (int)row.health));
	return row;
}

Test(summary, alarms_that_stand_are_in_the_row_the_worst_and_latest_first)
{
	SCOPED(scope_arena) struct arena *a = NULL;

	cr_assert(eq(int, arena_new(&a, 1 << 20), 0));
	put_watched_type(HEALTH_OWN);
	cr_expect(eq(sz, row_of_watched(a).n_alarms, 0));
	const uint64_t before = store_twin(world.store, "acme/w")->seq;
	stand("alarm/a", 5, "active high-warning");
	cr_expect(gt(u64, store_twin(world.store, "acme/w")->seq, before), "the row is another one");
	stand("alarm/b", 6, "cleared high-alarm");
	stand("alarm/c", 7, "active high-alarm");
	stand("alarm/d", 9, "acknowledged low-alarm since 1970-01-01T00:00:00.000000008Z: seen");
	stand("alarm/worn", 4, "active expression");
	const struct row row = row_of_watched(a);
	cr_assert(eq(sz, row.n_alarms, 4));
	cr_expect(strcmp(row.alarms[0].name, "d") == 0);
	cr_expect(eq(int, row.alarms[0].state, ALARM_ACKNOWLEDGED));
	cr_expect(eq(i64, row.alarms[0].since_ns, 8), "since it is active");
	cr_expect(strcmp(row.alarms[0].what, "low-alarm") == 0);
	cr_expect(strcmp(row.alarms[1].name, "c") == 0 && row.alarms[1].severity == HEALTH_ALARM);
	cr_expect(strcmp(row.alarms[2].name, "a") == 0 && row.alarms[2].severity == HEALTH_WARNING);
	cr_expect(strcmp(row.alarms[3].name, "worn") == 0 && row.alarms[3].severity == HEALTH_WARNING);
	cr_expect(eq(int, (int)row.health, HEALTH_ALARM));

	SCOPED(buf_fini) struct buf encoded = {0};
	struct row back;
	row_encode(&row, &encoded);
	cr_expect(eq(int, row_decode(a, buf_bytes(&encoded), &back), 0), "it can travel");
}

Test(summary, of_many_alarms_the_worst_are_in_the_row)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	char name[sizeof "alarm/a"];

	cr_assert(eq(int, arena_new(&a, 1 << 20), 0));
	put_watched_type(HEALTH_OWN);
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof name, "alarm/%c", 'a' + i);
		stand(name, 100 - i, i == 11 ? "active high-alarm" : "active high-warning");
	}
	const struct row row = row_of_watched(a);
	cr_assert(eq(sz, row.n_alarms, ROW_ALARMS_MAX));
	cr_expect(strcmp(row.alarms[0].name, "l") == 0);
	cr_expect(strcmp(row.alarms[1].name, "a") == 0);
}

Test(summary, an_alarm_that_is_shelved_is_told_and_makes_nobody_ill)
{
	SCOPED(scope_arena) struct arena *a = NULL;

	cr_assert(eq(int, arena_new(&a, 1 << 20), 0));
	put_watched_type(HEALTH_WORST);
	stand("alarm/a", 5, "shelved high-alarm until 2100-01-01T00:00:00Z");
	cr_expect(eq(sz, row_of_watched(a).n_alarms, 1));
	cr_expect(eq(int, (int)row_of_watched(a).health, HEALTH_UNKNOWN));
	stand("health/members", 6, "warning");
	cr_expect(eq(int, (int)row_of_watched(a).health, HEALTH_WARNING), "of the members");
	stand("alarm/a", 7, "active stale");
	cr_expect(eq(int, (int)row_of_watched(a).health, HEALTH_WARNING));
	stand("alarm/a", 8, "active rate-alarm");
	cr_expect(eq(int, (int)row_of_watched(a).health, HEALTH_ALARM));
	stand("alarm/a", 9, "cleared rate-alarm");
	stand("health/members", 9, "good");
	cr_expect(eq(int, (int)row_of_watched(a).health, HEALTH_GOOD));
}
