/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "proto/buf.h"
#include "proto/clock.h"
#include "proto/twin.h"
#include "tests/unit/proto/text.h"

static struct arena *arena;
static struct err_note note;

static void begin(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 22), 0));
}

static void end(void)
{
	arena_free(arena);
	arena = NULL;
}

TestSuite(twin_extend, .init = begin, .fini = end);

static struct property_def number(const char *name, const char *unit)
{
	return (struct property_def){
		.name = name, .type = VALUE_DOUBLE, .unit = unit, .min = NAN, .max = NAN};
}

static struct type_def type_of(const char *name, struct property_def *properties, size_t n)
{
	return (struct type_def){.name = name,
				 .parent = "",
				 .version = 1,
				 .kind = KIND_ASSET,
				 .properties = properties,
				 .n_properties = n};
}

/* "power speed desired/power": the properties in their order. */
static const char *names(const struct type_def *t)
{
	const char *text = "";

	for (size_t i = 0; i < t->n_properties; i++)
		text = arena_print(arena, "%s%s%s", text, i > 0 ? " " : "", t->properties[i].name);
	return text;
}

static struct type_def extend(const struct type_def *parent, const struct type_def *own)
{
	struct type_def t = {0};

	note = (struct err_note){0};
	cr_assert(eq(int, type_def_extend(arena, parent, own, &t, &note), 0), "%s", note.text);
	return t;
}

static void refuse(const struct type_def *parent, const struct type_def *own, const char *words)
{
	struct type_def t = {0};

	note = (struct err_note){0};
	cr_expect(eq(int, type_def_extend(arena, parent, own, &t, &note), ERR_REFUSED), "%s", words);
	EXPECT_WORDS(note.text, words);
}

Test(twin_extend, a_type_that_extends_none_is_as_declared)
{
	struct property_def own[] = {number("power", "kW"), number("speed", "m/s")};
	const struct type_def declared = type_of("press", own, 2), t = extend(NULL, &declared);

	cr_expect(type_def_equal(&t, &declared));
}

Test(twin_extend, the_parents_properties_come_first)
{
	struct property_def above[] = {number("power", "kW"), number("speed", "m/s")},
			    own[] = {number("force", "kN")};
	const struct type_def machine = type_of("machine", above, 2), press = type_of("press", own, 1);
	const struct type_def t = extend(&machine, &press);

	EXPECT_TEXT(names(&t), "power speed force");
	EXPECT_TEXT(t.name, "press");
}

Test(twin_extend, the_same_name_takes_the_parents_place_with_its_own_limits)
{
	struct property_def above[] = {number("power", "kW"), number("speed", "m/s")},
			    own[] = {number("power", "kW")};
	const struct type_def machine = type_of("machine", above, 2), press = type_of("press", own, 1);

	above[0].max = 10;
	above[0].retention.raw_ns = 7;
	own[0].max = 20;
	own[0].kpi = true;
	struct type_def t = extend(&machine, &press);
	EXPECT_TEXT(names(&t), "power speed");
	cr_expect(eq(dbl, t.properties[0].max, 20));
	cr_expect(t.properties[0].kpi);
	cr_expect(eq(i64, t.properties[0].retention.raw_ns, 7), "it says nothing of it");
	own[0].retention.raw_ns = 8;
	t = extend(&machine, &press);
	cr_expect(eq(i64, t.properties[0].retention.raw_ns, 8));
}

Test(twin_extend, the_same_name_with_another_measure_is_refused)
{
	struct property_def above[] = {number("power", "kW")}, own[] = {number("power", "MW")};
	const struct type_def machine = type_of("machine", above, 1), press = type_of("press", own, 1);

	refuse(&machine, &press, "is double in 'kW' by the type it extends, not double in 'MW'");
	own[0].unit = "kW";
	own[0].type = VALUE_INT64;
	refuse(&machine, &press, "not int64");
}

Test(twin_extend, a_settable_property_brings_a_desired_one)
{
	struct property_def own[] = {number("power", "kW"), number("speed", "m/s")};
	const struct type_def press = type_of("press", own, 2);
	size_t of = 99;

	own[0].settable = own[0].kpi = true;
	own[0].max = 10;
	own[0].retention.raw_ns = 7;
	const struct type_def t = extend(NULL, &press);
	EXPECT_TEXT(names(&t), "power speed desired/power settle/power");
	const struct property_def *p = &t.properties[2];
	cr_expect(measures_alike(p, &own[0]));
	cr_expect(eq(dbl, p->max, 10));
	cr_expect(eq(i64, p->retention.raw_ns, 7));
	cr_expect(not(p->kpi));
	cr_expect(not(p->settable));
	cr_expect(property_is_desired(&t, p, &of));
	cr_expect(eq(sz, of, 0));
	cr_expect(not(property_is_desired(&t, &t.properties[0], NULL)));
	cr_expect(eq(int, type_def_check(&t, NULL), 0));
}

Test(twin_extend, desired_ones_stay_behind_and_are_inherited_once)
{
	struct property_def above[] = {number("power", "kW"), number("speed", "m/s")};
	struct property_def own[] = {number("force", "kN"), number("speed", "m/s"), number("power", "kW")};
	const struct type_def machine = type_of("machine", above, 2), press = type_of("press", own, 3);

	above[0].settable = own[0].settable = own[1].settable = true;
	own[2].max = 5;
	const struct type_def parent = extend(NULL, &machine), t = extend(&parent, &press);
	EXPECT_TEXT(names(&t),
		    "power speed force desired/power desired/speed desired/force settle/power settle/speed "
		    "settle/force");
	cr_expect(t.properties[0].settable, "what is settable stays so");
	cr_expect(eq(dbl, t.properties[3].max, 5));
}

Test(twin_extend, a_desired_property_of_ones_own_is_none_of_ours)
{
	struct property_def own[] = {number("desired/power", "kW"), number("power", "kW")};
	const struct type_def press = type_of("press", own, 2);
	const struct type_def t = extend(NULL, &press);

	EXPECT_TEXT(names(&t), "desired/power power");
	cr_expect(not(property_is_desired(&t, &t.properties[0], NULL)));
	own[1].settable = true;
	refuse(NULL, &press, "which the settable 'power' brings already");
}

Test(twin_extend, a_desired_name_has_to_fit)
{
	static char name[PROPERTY_MAX + 1];
	struct property_def own[] = {number(name, "")};
	const struct type_def press = type_of("press", own, 1);

	memset(name, 'a', PROPERTY_MAX - 7);
	own[0].settable = true;
	refuse(NULL, &press, "longer than");
	name[PROPERTY_MAX - 8] = '\0';
	cr_expect(eq(sz, extend(NULL, &press).n_properties, 3));
}

Test(twin_extend, the_kind_is_the_parents)
{
	const struct type_def machine = type_of("machine", NULL, 0);
	struct type_def press = type_of("press", NULL, 0);

	press.kind = KIND_SYSTEM;
	refuse(&machine, &press,
	       "'press' is of kind system and cannot extend 'machine', which is of kind asset");
}

static struct property_def *many_numbers(char prefix, size_t n)
{
	struct property_def *list = arena_take_array(arena, n, sizeof *list);

	for (size_t i = 0; i < n; i++)
		list[i] = number(arena_print(arena, "%c%zu", prefix, i), "");
	return list;
}

Test(twin_extend, the_limits_hold_for_all_of_them)
{
	const struct type_def machine =
		type_of("machine", many_numbers('a', PROPERTIES_MAX - 2), PROPERTIES_MAX - 2);
	struct type_def press = type_of("press", many_numbers('b', 3), 2);

	cr_expect(eq(sz, extend(&machine, &press).n_properties, PROPERTIES_MAX));
	press.properties[1].settable = true;
	refuse(&machine, &press, "more than 256 properties");
	press.properties[1].settable = false;
	press.n_properties = 3;
	refuse(&machine, &press, "more than 256 properties");
	for (size_t i = 0; i < KPIS_MAX; i++)
		machine.properties[i].kpi = true;
	press.n_properties = 1;
	cr_expect(eq(sz, extend(&machine, &press).n_properties, PROPERTIES_MAX - 1));
	press.properties[0].kpi = true;
	refuse(&machine, &press, "17 KPIs");
}

static struct retention held_for(struct retention machine, struct retention press, struct retention property)
{
	struct property_def own[] = {number("power", "kW")};
	struct type_def above = type_of("machine", NULL, 0), below = type_of("press", own, 1);

	above.retention = machine;
	below.retention = press;
	own[0].retention = property;
	const struct type_def t = extend(&above, &below);
	return property_retention(&t, &t.properties[0]);
}

Test(twin_extend, retention_is_the_propertys_or_the_types_or_the_parents)
{
	const struct retention none = {0}, a = {1, 2, 3}, b = {4, 5, 6}, c = {7, 8, 9},
			       for_ever = {TIME_MAX, 0, 0};

	cr_expect(eq(i64, held_for(none, none, none).raw_ns, 0));
	cr_expect(eq(i64, held_for(a, none, none).hour_ns, 3));
	cr_expect(eq(i64, held_for(a, b, none).hour_ns, 6));
	cr_expect(eq(i64, held_for(a, b, c).hour_ns, 9));
	cr_expect(eq(i64, held_for(a, b, for_ever).raw_ns, 0));
	cr_expect(eq(i64, held_for(a, b, for_ever).hour_ns, 0));
}

static struct property_def mode(const char **words, size_t n)
{
	return (struct property_def){.name = "mode",
				     .type = VALUE_ENUM,
				     .unit = "",
				     .min = NAN,
				     .max = NAN,
				     .options = words,
				     .n_options = n};
}

static const struct limits warm = {.at = {NAN, NAN, 70, 90}, .rate_warning = NAN, .rate_alarm = NAN};

Test(twin_extend, limits_and_alarms_bring_how_they_stand)
{
	struct property_def own[] = {number("power", "kW"), number("speed", "m/s")};
	struct alarm_def alarms[] = {
		{.name = "stuck", .when = "power > 5 MW and speed = 0 m/s", .severity = HEALTH_ALARM}};
	struct type_def press = type_of("press", own, 2);
	size_t at;

	own[0].limits = &warm;
	press.alarms = alarms;
	press.n_alarms = 1;
	const struct type_def t = extend(NULL, &press);
	EXPECT_TEXT(names(&t), "power speed alarm/power alarm/stuck");
	const struct property_def *p = type_made(&t, MADE_ALARM, "power", &at);
	cr_assert(p == &t.properties[2]);
	cr_expect(eq(sz, at, 2));
	cr_expect(eq(int, p->type, VALUE_TEXT));
	cr_expect(property_is_nodes_own(p));
	cr_expect(not(property_is_nodes_own(&t.properties[0])));
	cr_expect(eq(int, p->made_of, 0));
	cr_expect(not(p->made_of_alarm));
	p = type_made(&t, MADE_ALARM, "stuck", NULL);
	cr_assert(p == &t.properties[3]);
	cr_expect(eq(int, p->made_of, 0));
	cr_expect(p->made_of_alarm);
	cr_expect(type_made(&t, MADE_ALARM, "speed", NULL) == NULL);
	cr_expect(type_made(&t, MADE_SETTLE, "power", NULL) == NULL);
	cr_expect(eq(int, type_def_check(&t, NULL), 0));
}

Test(twin_extend, a_rule_of_health_brings_what_it_says)
{
	struct property_def own[] = {number("power", "kW")}, taken[] = {number("health/members", "")};
	struct type_def line = type_of("line", own, 1), press = type_of("press", NULL, 0);
	size_t at;

	line.health.rule = HEALTH_WORST;
	const struct type_def t = extend(NULL, &line);
	EXPECT_TEXT(names(&t), "power health/members");
	const struct property_def *p = type_made(&t, MADE_HEALTH, "members", &at);
	cr_assert(p == &t.properties[1]);
	cr_expect(property_is_nodes_own(p) && property_is_in_row(p));
	cr_expect(not(property_is_in_row(&t.properties[0])));
	cr_expect(eq(int, p->type, VALUE_ENUM));
	cr_expect(eq(sz, p->n_options, N_HEALTHS));
	EXPECT_TEXT(p->options[HEALTH_ALARM], "alarm");
	EXPECT_TEXT(names(&(struct type_def){.properties = extend(&t, &press).properties, .n_properties = 2}),
		    "power health/members");

	line.properties = taken;
	refuse(NULL, &line, "which the health of 'members' brings already");
}

/* A client gets types encoded. */
Test(twin_extend, what_is_made_is_known_again_after_decoding)
{
	struct property_def own[] = {number("power", "kW")};
	const struct type_def press = type_of("press", own, 1);
	SCOPED(buf_fini) struct buf buf = {0};
	struct type_def back;

	own[0].limits = &warm;
	own[0].settable = true;
	const struct type_def t = extend(NULL, &press);
	type_def_encode(&t, &buf);
	cr_assert(eq(int, type_def_decode(arena, buf_bytes(&buf), &back), 0));
	cr_assert(eq(sz, back.n_properties, 4));
	for (size_t i = 0; i < 4; i++)
		cr_expect(eq(int, back.properties[i].made, t.properties[i].made));
	cr_expect(property_is_desired(&back, &back.properties[1], NULL));
}

Test(twin_extend, what_is_desired_has_neither_limits_nor_steps)
{
	const char *words[] = {"idle", "running"};
	struct transition steps[] = {{0, 1}, {1, 0}};
	struct property_def own[] = {number("power", "kW"), mode(words, 2)};
	const struct type_def press = type_of("press", own, 2);

	own[0].limits = &warm;
	own[0].tolerance = 2;
	own[0].settable = own[1].settable = true;
	own[1].transitions = steps;
	own[1].n_transitions = 2;
	const struct type_def t = extend(NULL, &press);
	EXPECT_TEXT(names(&t), "power mode desired/power desired/mode settle/power settle/mode alarm/power");
	cr_expect(t.properties[2].limits == NULL);
	cr_expect(eq(dbl, t.properties[2].tolerance, 0));
	cr_expect(eq(sz, t.properties[3].n_transitions, 0));
	cr_expect(eq(sz, t.properties[3].n_options, 2));
}

Test(twin_extend, what_a_property_does_not_say_it_inherits)
{
	const char *words[] = {"idle", "running"}, *others[] = {"idle", "stopped"};
	struct transition steps[] = {{0, 1}};
	struct property_def above[] = {number("power", "kW"), mode(words, 2)},
			    own[] = {number("power", "kW"), mode(words, 2)};
	const struct type_def machine = type_of("machine", above, 2), press = type_of("press", own, 2);

	above[0].limits = &warm;
	above[0].tolerance = 2;
	above[0].settle_ns = 3;
	above[1].transitions = steps;
	above[1].n_transitions = 1;
	const struct type_def parent = extend(NULL, &machine);
	struct type_def t = extend(&parent, &press);
	EXPECT_TEXT(names(&t), "power mode alarm/power");
	cr_expect(t.properties[0].limits == &warm);
	cr_expect(eq(dbl, t.properties[0].tolerance, 2));
	cr_expect(eq(i64, t.properties[0].settle_ns, 3));
	cr_expect(eq(sz, t.properties[1].n_transitions, 1));
	own[1].options = others;
	refuse(&parent, &press, "say its transitions anew");
	own[1].transitions = steps;
	own[1].n_transitions = 1;
	t = extend(&parent, &press);
	EXPECT_TEXT(t.properties[1].options[t.properties[1].transitions[0].to], "stopped");
}

Test(twin_extend, alarms_operations_and_health_are_inherited_by_name)
{
	struct property_def above[] = {number("power", "kW")};
	struct alarm_def higher[] = {{.name = "a", .when = "power > 1 kW", .severity = HEALTH_ALARM},
				     {.name = "b", .when = "power > 2 kW", .severity = HEALTH_ALARM}},
			 lower[] = {{.name = "b", .when = "power > 3 kW", .severity = HEALTH_WARNING},
				    {.name = "c", .when = "power > 4 kW", .severity = HEALTH_WARNING}};
	struct operation_def stop[] = {{.name = "stop"}},
			     stop_better[] = {{.name = "stop", .within_ns = 5}, {.name = "start"}};
	struct type_def machine = type_of("machine", above, 1), press = type_of("press", NULL, 0);

	machine.alarms = higher;
	press.alarms = lower;
	machine.n_alarms = press.n_alarms = 2;
	machine.operations = stop;
	machine.n_operations = 1;
	press.operations = stop_better;
	press.n_operations = 2;
	machine.health = (struct health_def){.rule = HEALTH_K_OF_N, .k = 2};
	const struct type_def parent = extend(NULL, &machine);
	struct type_def t = extend(&parent, &press);
	EXPECT_TEXT(names(&t), "power alarm/a alarm/b alarm/c health/members");
	cr_assert(eq(sz, t.n_alarms, 3));
	EXPECT_TEXT(t.alarms[1].when, "power > 3 kW");
	cr_assert(eq(sz, t.n_operations, 2));
	cr_expect(eq(i64, t.operations[0].within_ns, 5));
	cr_expect(eq(int, t.health.k, 2));
	press.health.rule = HEALTH_WORST;
	t = extend(&parent, &press);
	cr_expect(eq(int, t.health.rule, HEALTH_WORST));
}

Test(twin_extend, an_alarm_speaks_of_what_is_there)
{
	struct property_def own[] = {number("power", "kW")};
	struct alarm_def alarms[] = {{.name = "hot", .when = "speed > 5", .severity = HEALTH_ALARM}};
	struct type_def press = type_of("press", own, 1);

	press.alarms = alarms;
	press.n_alarms = 1;
	refuse(NULL, &press, "type 'press', alarm 'hot': it has no property 'speed'");
	alarms[0].when = "power > 5 degC";
	refuse(NULL, &press, "type 'press', alarm 'hot': ");
	alarms[0].when = "context/temperature > 30 degC and power > 5 MW";
	const struct type_def t = extend(NULL, &press);
	EXPECT_TEXT(names(&t), "power alarm/hot");
	alarms[0].name = "power";
	own[0].limits = &warm;
	refuse(NULL, &press, "which the alarm of 'power' brings already");
}

Test(twin_extend, memory_may_run_out)
{
	struct property_def own[] = {number("power", "kW")};
	const struct type_def press = type_of("press", own, 1);
	struct type_def t;
	int r = -ENOMEM;

	own[0].settable = true;
	for (size_t budget = 0; r == -ENOMEM; budget += 8) {
		SCOPED(scope_arena) struct arena *a = NULL;
		cr_assert(eq(int, arena_new(&a, budget), 0));
		r = type_def_extend(a, NULL, &press, &t, &note);
		cr_assert(lt(sz, budget, 1 << 16));
	}
	cr_expect(eq(int, r, 0));
}
