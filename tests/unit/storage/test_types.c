/* SPDX-License-Identifier: Apache-2.0 */
/* Types that extend others, and what a change of them does to the twins there are. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

static struct batch *batch;

static void begin(void)
{
	world_begin();
	must(batch_new(&batch) == 0);
}

static void end(void)
{
	batch_free(batch);
	batch = NULL;
	world_end();
}

TestSuite(types, .init = begin, .fini = end);

/* ---- Short ways -------------------------------------------------------------------------------------------
 */

static struct property_def number(const char *name, const char *unit)
{
	return (struct property_def){
		.name = name, .type = VALUE_DOUBLE, .unit = unit, .min = NAN, .max = NAN};
}

static struct type_def type_of(const char *name, uint32_t version, const char *parent,
			       struct property_def *properties, size_t n)
{
	return (struct type_def){.name = name,
				 .parent = parent,
				 .version = version,
				 .kind = KIND_ASSET,
				 .properties = properties,
				 .n_properties = n};
}

static int stage(const struct type_def *type)
{
	world.note = (struct err_note){0};
	return store_stage(world.store, batch, &(struct op){.kind = OP_TYPE, .type = *type}, world.now_ns,
			   NULL, &world.note);
}

static int stage_twin(const char *id, const char *type)
{
	return store_stage(world.store, batch,
			   &(struct op){.kind = OP_TWIN,
					.twin = {.id = id, .type = type, .kind = KIND_ASSET, .name = ""}},
			   world.now_ns, NULL, &world.note);
}

static void commit(void)
{
	cr_assert_eq(world_commit(batch), 0);
	batch_free(batch);
	must(batch_new(&batch) == 0);
}

static void put(struct type_def type)
{
	cr_assert_eq(world_do(&(struct op){.kind = OP_TYPE, .type = type}), 0, "%s", world.note.text);
}

static void refused(struct type_def type, const char *why)
{
	const int r = stage(&type);

	cr_expect_eq(r, STORE_REFUSED, "%s: %d", why, r);
	cr_expect(strstr(world.note.text, why), "'%s' does not say '%s'", world.note.text, why);
}

static void set(const char *id, const char *property, int64_t t_ns, double v)
{
	struct sample s = number_at(t_ns, v);

	cr_assert_eq(world_do(&(struct op){.kind = OP_SAMPLES, .samples = {id, property, &s, 1}}), 0, "%s",
		     world.note.text);
}

/* The value of a property in the table; NaN: never measured. */
static double value(const char *id, const char *property)
{
	const struct twin *t = store_twin(world.store, id);
	const struct sample s = store_value(world.store, t, property_of(t, property));

	return s.value.type == VALUE_NONE ? NAN : s.value.real;
}

static uint32_t series(const char *id, const char *property)
{
	const struct twin *t = store_twin(world.store, id);

	return store_series(world.store, t, property_of(t, property));
}

static const char *names(const char *type)
{
	const struct type_def *t = &store_type(world.store, type)->def;
	const char *text = "";

	for (size_t i = 0; i < t->n_properties; i++)
		text = arena_print(world.arena, "%s%s%s", text, i > 0 ? " " : "", t->properties[i].name);
	return text;
}

/* "type press has 1 twin; ... | ..." */
static const char *effects(struct type_def next, uint64_t *ret_lost)
{
	struct type_effect *list;
	const char *text = "";
	size_t n;

	must(store_type_effects(world.store, batch, &next, world.arena, &list, &n) == 0);
	*ret_lost = 0;
	for (size_t i = 0; i < n; i++) {
		text = arena_print(world.arena, "%s%s%s", text, i > 0 ? " | " : "", list[i].text);
		*ret_lost += list[i].n_lost;
	}
	return text;
}

/* After replay, after a checkpoint, and after both. */
static void come_back(int round)
{
	if (round > 0)
		world_checkpoint();
	world_reopen();
}

/* machine: power (settable), speed; press extends it with force; twins acme/m of machine, acme/p of press. */
static struct property_def machine_properties[4], press_properties[4];

static struct type_def machine(uint32_t version, size_t n)
{
	machine_properties[0] = number("power", "kW");
	machine_properties[0].settable = true;
	machine_properties[1] = number("speed", "m/s");
	machine_properties[2] = number("torque", "N m");
	return type_of("machine", version, "", machine_properties, n);
}

static struct type_def press(uint32_t version)
{
	press_properties[0] = number("force", "kN");
	return type_of("press", version, "machine", press_properties, 1);
}

static void plant(void)
{
	put(machine(1, 2));
	put(press(1));
	cr_assert_eq(world_twin("acme/m", "machine", KIND_ASSET), 0);
	cr_assert_eq(world_twin("acme/p", "press", KIND_ASSET), 0);
}

/* ---- Inheritance ------------------------------------------------------------------------------------------
 */

Test(types, a_type_takes_effect_with_what_it_inherits)
{
	plant();
	for (int round = 0; round < 3; round++) {
		const struct type *type = store_type(world.store, "press");
		cr_expect_str_eq(names("press"), "power speed force desired/power settle/power");
		cr_expect_eq(type->declared.n_properties, 1);
		cr_expect_str_eq(type->declared.parent, "machine");
		cr_expect_str_eq(type->def.parent, "machine");
		cr_expect_eq(world_do(&(struct op){.kind = OP_TYPE, .type = press(1)}), STORE_UNCHANGED);
		come_back(round);
	}
}

Test(types, one_batch_may_bring_a_type_what_extends_it_and_their_twins)
{
	struct type_def m = machine(1, 2), p = press(1);

	cr_assert_eq(stage(&m), 0);
	cr_assert_eq(stage(&p), 0);
	cr_assert_eq(stage_twin("acme/p", "press"), 0);
	struct sample s = number_at(1, 5);
	cr_assert_eq(
		store_stage(world.store, batch,
			    &(struct op){.kind = OP_SAMPLES, .samples = {"acme/p", "desired/power", &s, 1}},
			    world.now_ns, NULL, &world.note),
		0, "%s", world.note.text);
	m = machine(2, 3);
	cr_assert_eq(stage(&m), 0);
	cr_assert_eq(store_stage(world.store, batch,
				 &(struct op){.kind = OP_SAMPLES, .samples = {"acme/p", "torque", &s, 1}},
				 world.now_ns, NULL, &world.note),
		     0, "%s", world.note.text);
	commit();
	cr_expect_str_eq(names("press"), "power speed torque force desired/power settle/power");
	cr_expect_eq(value("acme/p", "desired/power"), 5);
	cr_expect_eq(value("acme/p", "torque"), 5);
}

Test(types, a_batch_that_rewinds_takes_back_what_followed_from_it)
{
	struct sample s = number_at(1, 5);
	const struct op op = {.kind = OP_SAMPLES, .samples = {"acme/p", "torque", &s, 1}};
	struct type_def m;

	plant();
	const size_t mark = batch_mark(batch);
	m = machine(2, 3);
	cr_assert_eq(stage(&m), 0);
	cr_expect_eq(batch_ops(batch), 1);
	cr_assert_eq(store_stage(world.store, batch, &op, world.now_ns, NULL, &world.note), 0);
	batch_rewind(batch, mark);
	cr_expect_eq(batch_ops(batch), 0);
	cr_expect_eq(store_stage(world.store, batch, &op, world.now_ns, NULL, &world.note), STORE_REFUSED);
	cr_assert_eq(stage(&m), 0);
	commit();
	cr_expect_str_eq(names("press"), "power speed torque force desired/power settle/power");
}

Test(types, what_a_type_extends_must_be_there)
{
	refused(press(1), "type press extends machine, which does not exist");
	refused(type_of("a", 1, "a", NULL, 0), "type a cannot extend itself");
}

Test(types, no_type_extends_itself_by_a_detour)
{
	put(type_of("a", 1, "", NULL, 0));
	put(type_of("b", 1, "a", NULL, 0));
	put(type_of("c", 1, "b", NULL, 0));
	refused(type_of("a", 2, "a", NULL, 0), "type a cannot extend itself");
	refused(type_of("a", 2, "c", NULL, 0), "type a cannot extend c, which extends it already");
	cr_assert_eq(stage(&(struct type_def){.name = "c", .parent = "", .version = 2, .kind = KIND_ASSET}),
		     0);
	cr_expect_eq(stage(&(struct type_def){.name = "a", .parent = "c", .version = 2, .kind = KIND_ASSET}),
		     0, "%s", world.note.text);
	refused(type_of("c", 3, "b", NULL, 0), "which extends it already");
	commit();
	come_back(1);
	cr_expect_str_eq(store_type(world.store, "a")->def.parent, "c");
}

Test(types, sixteen_levels_are_enough)
{
	char names_of[TYPE_DEPTH_MAX + 1][8];

	for (int i = 0; i < TYPE_DEPTH_MAX; i++) {
		snprintf(names_of[i], sizeof names_of[i], "t%d", i);
		put(type_of(names_of[i], 1, i > 0 ? names_of[i - 1] : "", NULL, 0));
	}
	refused(type_of("deeper", 1, "t15", NULL, 0), "type deeper would have more than 16 types above it");
	put(type_of("root", 1, "", NULL, 0));
	refused(type_of("t0", 2, "root", NULL, 0), "type t15 would have more than 16 types above it");
	come_back(1);
	cr_expect_not_null(store_type(world.store, "t15"));
}

Test(types, what_a_child_cannot_follow_is_refused_at_the_parent)
{
	struct property_def own[] = {number("torque", "kJ")};

	plant();
	put(type_of("drill", 1, "machine", own, 1));
	refused(machine(2, 3),
		"type 'drill': its property 'torque' is double in 'N m' by the type it extends");
	struct type_def m = machine(2, 2);
	m.kind = KIND_SYSTEM;
	refused(m, "its kind cannot change");
	cr_expect_str_eq(names("press"), "power speed force desired/power settle/power",
			 "nothing has changed");
}

/* ---- What becomes of the twins ----------------------------------------------------------------------------
 */

Test(types, twins_keep_what_their_type_keeps)
{
	plant();
	set("acme/p", "power", 1, 10);
	set("acme/p", "force", 1, 20);
	set("acme/p", "desired/power", 1, 30);
	const uint32_t power = series("acme/p", "power"), force = series("acme/p", "force"),
		       desired = series("acme/p", "desired/power");
	put(machine(2, 3));
	for (int round = 0; round < 3; round++) {
		cr_expect_eq(value("acme/p", "power"), 10);
		cr_expect_eq(value("acme/p", "force"), 20);
		cr_expect_eq(value("acme/p", "desired/power"), 30);
		cr_expect_eq(series("acme/p", "power"), power);
		cr_expect_eq(series("acme/p", "force"), force);
		cr_expect_eq(series("acme/p", "desired/power"), desired);
		cr_expect(isnan(value("acme/p", "torque")));
		const uint32_t torque = series("acme/p", "torque");
		cr_expect(torque != 0 && torque != power && torque != force && torque != desired);
		come_back(round);
	}
	set("acme/m", "torque", 5, 7);
	cr_expect_eq(value("acme/m", "torque"), 7);
}

Test(types, what_a_type_takes_away_is_gone)
{
	size_t place;

	plant();
	set("acme/p", "power", 1, 10);
	set("acme/p", "speed", 1, 11);
	set("acme/p", "force", 1, 20);
	const uint32_t speed = series("acme/p", "speed"), force = series("acme/p", "force");
	put(machine(2, 1));
	for (int round = 0; round < 3; round++) {
		cr_expect_str_eq(names("press"), "power force desired/power settle/power");
		cr_expect_eq(value("acme/p", "power"), 10);
		cr_expect_eq(value("acme/p", "force"), 20);
		cr_expect_eq(series("acme/p", "force"), force);
		cr_expect_null(store_series_owner(world.store, speed, &place));
		come_back(round);
	}
	put(machine(3, 2));
	cr_expect(isnan(value("acme/p", "speed")), "it begins anew");
	cr_expect_neq(series("acme/p", "speed"), speed);
}

Test(types, what_is_measured_anew_begins_anew)
{
	plant();
	set("acme/p", "speed", 1, 11);
	set("acme/p", "power", 1, 10);
	const uint32_t speed = series("acme/p", "speed");
	struct type_def m = machine(2, 2);
	m.properties[1].unit = "km/h";
	put(m);
	for (int round = 0; round < 3; round++) {
		cr_expect(isnan(value("acme/p", "speed")));
		cr_expect_neq(series("acme/p", "speed"), speed);
		cr_expect_eq(value("acme/p", "power"), 10);
		come_back(round);
	}
}

Test(types, a_kpi_more_shows_in_the_rows_of_all_below)
{
	plant();
	cr_assert_eq(world_twin("acme/a", "press", KIND_ASSET), 0);
	struct store_position p;
	store_position(world.store, &p);
	struct type_def m = machine(2, 2);
	m.properties[0].kpi = true;
	put(m);
	for (int round = 0; round < 3; round++) {
		cr_expect_eq(store_twin(world.store, "acme/a")->seq, p.seq + 1, "in the order of their ids");
		cr_expect_eq(store_twin(world.store, "acme/m")->seq, p.seq + 2);
		cr_expect_eq(store_twin(world.store, "acme/p")->seq, p.seq + 3);
		cr_expect_eq(store_type(world.store, "press")->n_kpis, 1);
		come_back(round);
	}
}

Test(types, other_limits_leave_the_twins_alone)
{
	plant();
	const uint64_t seq = store_twin(world.store, "acme/p")->seq;
	struct type_def m = machine(2, 2);
	m.properties[0].max = 5;
	m.retention.raw_ns = 1;
	put(m);
	cr_expect_eq(store_twin(world.store, "acme/p")->seq, seq);
	cr_expect_eq(store_type(world.store, "press")->def.properties[0].max, 5);
	cr_expect_eq(store_type(world.store, "press")->def.properties[3].max, 5, "what is desired too");
	cr_expect_eq(store_type(world.store, "press")->def.retention.raw_ns, 1);
	struct sample s = number_at(1, 6);
	cr_expect_eq(
		world_do(&(struct op){.kind = OP_SAMPLES, .samples = {"acme/p", "desired/power", &s, 1}}),
		STORE_REFUSED);
}

Test(types, desired_values_have_history)
{
	struct sample s;

	plant();
	set("acme/p", "desired/power", 1, 10);
	set("acme/p", "desired/power", 5, 20);
	const struct twin *t = store_twin(world.store, "acme/p");
	cr_assert_eq(store_value_at(world.store, t, property_of(t, "desired/power"), 4, world.arena, &s), 0);
	cr_expect_eq(s.value.real, 10);
}

/* ---- The report -------------------------------------------------------------------------------------------
 */

Test(types, a_report_says_what_becomes_of_the_twins)
{
	uint64_t lost;

	plant();
	set("acme/p", "speed", 1, 11);
	cr_expect_str_eq(effects(machine(2, 3), &lost),
			 "type machine has 1 twin; 1 property added (torque) | "
			 "type press has 1 twin; 1 property added (torque)");
	cr_expect_eq(lost, 0);
	cr_expect_str_eq(effects(machine(2, 1), &lost),
			 "type machine has 1 twin; 1 property taken away (speed) | type press has 1 twin; 1 "
			 "property taken away (speed), whose 1 present value can no longer be reached");
	cr_expect_eq(lost, 1);
	struct type_def m = machine(2, 2);
	m.properties[1].unit = "km/h";
	m.properties[0].settable = false;
	cr_expect_str_eq(effects(m, &lost),
			 "type machine has 1 twin; 2 properties taken away (desired/power, settle/power); 1 "
			 "property measured "
			 "anew (speed) | type press has 1 twin; 2 properties taken away (desired/power, "
			 "settle/power); 1 "
			 "property measured anew (speed), whose 1 present value can no longer be reached");
	cr_expect_eq(lost, 1);
	m = machine(2, 2);
	m.properties[0].max = 5;
	cr_expect_str_eq(effects(m, &lost),
			 "type machine has 1 twin; their properties stay | type press has 1 "
			 "twin; their properties stay");
}

Test(types, a_report_is_empty_where_nothing_becomes_of_them)
{
	uint64_t lost;

	plant();
	cr_expect_str_eq(effects(machine(1, 2), &lost), "", "the same");
	cr_expect_str_eq(effects(type_of("drill", 1, "machine", NULL, 0), &lost), "", "new");
	cr_expect_str_eq(effects(type_of("machine", 2, "press", NULL, 0), &lost), "", "refused");
	cr_assert_eq(world_delete("acme/p"), 0);
	cr_assert_eq(world_delete("acme/m"), 0);
	cr_expect_str_eq(effects(machine(2, 1), &lost), "", "no twins");
}

Test(types, a_report_sees_what_was_staged_before)
{
	uint64_t lost;
	struct type_def m;

	plant();
	m = machine(2, 3);
	cr_assert_eq(stage(&m), 0);
	m = machine(3, 3);
	m.properties++;
	m.n_properties = 2;
	cr_expect_str_eq(effects(m, &lost),
			 "type machine has 1 twin; 3 properties taken away (power, desired/power, "
			 "settle/power) | type press "
			 "has 1 twin; 3 properties taken away (power, desired/power, settle/power)");
}
