/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "storage/store_private.h"
#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

static struct batch *batch;

static void begin(void)
{
	world_begin();
	world_types();
	must(world_twin("acme/p1", "press", KIND_ASSET) == 0);
	must(world_twin("acme/line", "line", KIND_SYSTEM) == 0);
	must(batch_new(&batch) == 0);
}

static void end(void)
{
	batch_free(batch);
	batch = NULL;
	world_end();
}

TestSuite(stage, .init = begin, .fini = end);

static int stage(const struct op *op)
{
	world.note = (struct err_note){0};
	return store_stage(world.store, batch, op, world.now_ns, NULL, &world.note);
}

static int stage_twin(const char *id, const char *type, enum kind kind)
{
	return stage(
		&(struct op){.kind = OP_TWIN, .twin = {.id = id, .type = type, .kind = kind, .name = ""}});
}

static int stage_relation(const char *type, const char *from, const char *to)
{
	return stage(&(struct op){.kind = OP_RELATION, .relation = {type, from, to, TIME_MIN, TIME_MAX}});
}

static int stage_sample(const char *id, const char *property, struct sample s)
{
	return stage(&(struct op){.kind = OP_SAMPLES, .samples = {id, property, &s, 1}});
}

static int stage_delete(const char *id)
{
	return stage(&(struct op){.kind = OP_TWIN_DELETE, .id = id});
}

static int stage_member(const char *child, enum confirmation state)
{
	const struct membership m = {"contains", "harbor/city", child, state, TIME_MIN};

	return stage(&(struct op){.kind = OP_MEMBERSHIP, .membership = m});
}

/* Refused, with a note in which this stands. */
static void check_refused(int r, const char *why)
{
	cr_expect_eq(r, STORE_REFUSED, "%s: %d", why, r);
	cr_expect(strstr(world.note.text, why), "'%s' does not say '%s'", world.note.text, why);
}

/* ---- What is refused --------------------------------------------------------------------------------------
 */

Test(stage, refuses_what_belongs_to_others)
{
	check_refused(stage_twin("volt/x", "", KIND_ASSET), "not owned by acme");
	check_refused(stage_delete("volt/x"), "not owned by acme");
	check_refused(stage_relation("feeds", "volt/x", "acme/p1"), "not owned by acme");
	check_refused(stage_member("volt/x", CONFIRM_CONFIRMED), "not owned by acme");
	check_refused(stage_sample("volt/x", "temperature", number_at(1, 1)), "not owned by acme");
	cr_expect_eq(batch_ops(batch), 0);
}

Test(stage, refuses_what_does_not_exist)
{
	check_refused(stage_twin("acme/x", "pump", KIND_ASSET), "no type pump");
	check_refused(stage_relation("feeds", "acme/x", "volt/x"), "no twin acme/x");
	check_refused(stage_relation("feeds", "acme/p1", "acme/x"), "no twin acme/x");
	check_refused(stage_member("acme/x", CONFIRM_CONFIRMED), "no twin acme/x");
	check_refused(stage_sample("acme/x", "temperature", number_at(1, 1)), "no twin acme/x");
	check_refused(stage_sample("acme/p1", "colour", number_at(1, 1)), "no property colour");
	check_refused(stage_sample("acme/line", "temperature", number_at(1, 1)), "no property temperature");
}

Test(stage, refuses_what_is_malformed)
{
	check_refused(stage_twin("acme//x", "", KIND_ASSET), "empty segment");
	check_refused(stage_twin("acme", "", KIND_ASSET), "organisation");
	check_refused(stage_twin("acme/x", "press", KIND_SYSTEM), "of kind asset");
	check_refused(stage_sample("acme/p1", "temperature", number_at(1, 501)), "above the maximum");
	check_refused(stage_sample("acme/p1", "count", number_at(1, 1)), "of type int64");
	check_refused(
		stage(&(struct op){.kind = OP_RELATION, .relation = {"feeds", "acme/p1", "volt/x", 2, 1}}),
		"ends before it begins");
	check_refused(stage(&(struct op){.kind = (enum op_kind)77}), "no change of kind 77");
}

Test(stage, names_the_first_bad_sample_of_many)
{
	struct sample s[] = {number_at(1, 1), number_at(2, 600), number_at(3, 700)};
	size_t bad = 99;

	cr_expect_eq(
		store_stage(world.store, batch,
			    &(struct op){.kind = OP_SAMPLES, .samples = {"acme/p1", "temperature", s, 3}},
			    world.now_ns, &bad, &world.note),
		STORE_REFUSED);
	cr_expect_eq(bad, 1);
	bad = 99;
	cr_expect_eq(
		store_stage(world.store, batch,
			    &(struct op){.kind = OP_SAMPLES, .samples = {"acme/p2", "temperature", s, 3}},
			    world.now_ns, &bad, &world.note),
		STORE_REFUSED);
	cr_expect_eq(bad, 99, "the op as a whole");
}

Test(stage, refuses_samples_more_than_five_minutes_ahead)
{
	const int64_t limit = world.now_ns + 300 * NS_PER_S;

	cr_expect_eq(stage_sample("acme/p1", "temperature", number_at(limit, 1)), 0);
	check_refused(stage_sample("acme/p1", "temperature", number_at(limit + 1, 1)), "ahead of the clock");
	check_refused(stage_sample("acme/p1", "temperature", number_at(INT64_MAX, 1)), "ahead of the clock");
	cr_expect_eq(stage_sample("acme/p1", "temperature", number_at(INT64_MIN + 1, 1)), 0);
}

Test(stage, takes_no_number_with_quality_bad)
{
	const double odd[] = {NAN, INFINITY, -INFINITY};
	struct sample s;

	for (int i = 0; i < 3; i++) {
		cr_assert_eq(world_sample("acme/p1", i, odd[i]), 0, "%s", world.note.text);
		const struct twin *t = store_twin(world.store, "acme/p1");
		cr_assert_eq(
			store_value_at(world.store, t, property_of(t, "temperature"), i, world.arena, &s), 0);
		cr_expect_eq(s.quality, QUALITY_BAD);
		cr_expect_eq(world_sample("acme/p1", i, odd[i]), STORE_UNCHANGED);
	}
}

Test(stage, life_cycles_go_forwards_only)
{
	struct life_step steps[] = {{LIFE_MAINTENANCE, 100}, {LIFE_OPERATING, 200}};
	struct twin_def def = {
		.id = "acme/p1", .type = "press", .kind = KIND_ASSET, .name = "", .life = steps};

	def.n_life = 2;
	cr_assert_eq(world_do(&(struct op){.kind = OP_TWIN, .twin = def}), 0);
	cr_expect_eq(store_twin_def(store_twin(world.store, "acme/p1")).n_life, 3,
		     "operating since always, and these");
	cr_expect_eq(stage(&(struct op){.kind = OP_TWIN, .twin = def}), STORE_UNCHANGED);
	def.n_life = 1;
	cr_expect_eq(stage(&(struct op){.kind = OP_TWIN, .twin = def}), STORE_UNCHANGED, "known already");
	def.n_life = 0;
	cr_expect_eq(stage(&(struct op){.kind = OP_TWIN, .twin = def}), STORE_UNCHANGED, "nothing said");
	steps[0] = (struct life_step){LIFE_MAINTENANCE, 150};
	def.n_life = 1;
	check_refused(stage(&(struct op){.kind = OP_TWIN, .twin = def}), "later steps");
	steps[0] = (struct life_step){LIFE_DESIGN, 300};
	check_refused(stage(&(struct op){.kind = OP_TWIN, .twin = def}), "cannot go to design");
	steps[0] = (struct life_step){LIFE_RETIRED, 300};
	cr_assert_eq(world_do(&(struct op){.kind = OP_TWIN, .twin = def}), 0);
	steps[0] = (struct life_step){LIFE_OPERATING, 400};
	check_refused(stage(&(struct op){.kind = OP_TWIN, .twin = def}), "cannot go to operating");
	cr_expect_eq(stage_relation("feeds", "acme/line", "acme/p1"), 0, "a retired twin may be related to");
}

/* ---- Types in use -----------------------------------------------------------------------------------------
 */

static int stage_press(void (*edit)(struct type_def *type))
{
	struct property_def properties[8];
	struct type_def type = world_press();

	memcpy(properties, type.properties, 6 * sizeof *properties);
	type.properties = properties;
	if (edit)
		edit(&type);
	return stage(&(struct op){.kind = OP_TYPE, .type = type});
}

static void other_range(struct type_def *type)
{
	type->properties[0].max = 7;
}

static void other_kind(struct type_def *type)
{
	type->version = 2;
	type->kind = KIND_COMPONENT;
}

static void no_unit(struct type_def *type)
{
	type->properties[1].unit = "parrots";
}

static void newer_without_kpi(struct type_def *type)
{
	type->version = 3;
	type->properties[0].kpi = false;
}

Test(stage, what_changes_in_a_type_has_a_higher_version)
{
	cr_expect_eq(stage_press(NULL), STORE_UNCHANGED);
	check_refused(stage_press(other_range), "version 1 with other content");
	check_refused(stage_press(no_unit), "parrots");
	cr_expect_eq(stage_press(newer_without_kpi), 0);
	cr_expect_eq(stage_press(newer_without_kpi), STORE_UNCHANGED);
	check_refused(stage_press(NULL), "version 1 comes too late");
}

Test(stage, the_kind_of_a_type_in_use_stays)
{
	check_refused(stage_press(other_kind), "its kind cannot change");
	cr_assert_eq(world_delete("acme/p1"), 0);
	cr_assert_eq(stage_twin("acme/p2", "press", KIND_ASSET), 0);
	check_refused(stage_press(other_kind), "its kind cannot change");
}

Test(stage, the_kind_of_a_type_nobody_uses_may_change)
{
	cr_assert_eq(world_delete("acme/p1"), 0);
	cr_expect_eq(stage_press(other_kind), 0);
	check_refused(stage_twin("acme/p2", "press", KIND_ASSET), "of kind component");
}

Test(stage, a_twin_keeps_its_values_when_its_type_changes)
{
	struct type_def other = world_press();

	other.name = "hammer";
	other.properties++;
	other.n_properties = 2;
	cr_assert_eq(world_do(&(struct op){.kind = OP_TYPE, .type = other}), 0);
	cr_assert_eq(world_sample("acme/p1", 1, 20), 0);
	check_refused(stage_twin("acme/p1", "hammer", KIND_ASSET), "values of temperature");
	cr_assert_eq(world_twin("acme/p2", "press", KIND_ASSET), 0);
	struct sample count = {.t_ns = 1, .value = {.type = VALUE_INT64, .integer = 5}, .sigma = NAN};
	cr_assert_eq(world_do(&(struct op){.kind = OP_SAMPLES, .samples = {"acme/p2", "count", &count, 1}}),
		     0);
	cr_assert_eq(world_twin("acme/p2", "hammer", KIND_ASSET), 0, "%s", world.note.text);
	const struct twin *t = store_twin(world.store, "acme/p2");
	cr_expect_eq(store_value(world.store, t, property_of(t, "count")).value.integer, 5);
	world_checkpoint();
	world_reopen();
	t = store_twin(world.store, "acme/p2");
	cr_expect_eq(store_value(world.store, t, property_of(t, "count")).value.integer, 5);
}

/* ---- What changes nothing ---------------------------------------------------------------------------------
 */

Test(stage, the_same_again_changes_nothing)
{
	cr_assert_eq(world_relate("contains", "acme/line", "acme/p1"), 0);
	cr_assert_eq(world_member("contains", "harbor/city", "acme/line", CONFIRM_CONFIRMED), 0);
	cr_assert_eq(world_sample("acme/p1", 1, 20), 0);
	for (int round = 0; round < 3; round++) {
		cr_expect_eq(world_twin("acme/p1", "press", KIND_ASSET), STORE_UNCHANGED);
		cr_expect_eq(world_relate("contains", "acme/line", "acme/p1"), STORE_UNCHANGED);
		cr_expect_eq(world_member("contains", "harbor/city", "acme/line", CONFIRM_CONFIRMED),
			     STORE_UNCHANGED);
		cr_expect_eq(world_sample("acme/p1", 1, 20), STORE_UNCHANGED);
		cr_expect_eq(world_delete("acme/p9"), STORE_UNCHANGED);
		cr_expect_eq(world_unrelate("feeds", "acme/line", "acme/p1"), STORE_UNCHANGED);
		cr_expect_eq(stage_press(NULL), STORE_UNCHANGED);
		world_checkpoint();
		if (round == 1)
			world_reopen();
	}
	cr_expect_eq(world_sample("acme/p1", 1, 21), 0, "another value");
	cr_expect_eq(world_member("contains", "harbor/city", "acme/line", CONFIRM_REFUSED), 0,
		     "another word");
}

Test(stage, no_samples_change_nothing)
{
	cr_expect_eq(stage(&(struct op){.kind = OP_SAMPLES, .samples = {"acme/p1", "temperature", NULL, 0}}),
		     STORE_UNCHANGED);
}

/* ---- One batch --------------------------------------------------------------------------------------------
 */

Test(stage, later_ops_of_a_batch_see_the_earlier_ones)
{
	struct type_def pump = world_press();

	pump.name = "pump";
	cr_assert_eq(stage(&(struct op){.kind = OP_TYPE, .type = pump}), 0);
	cr_assert_eq(stage_twin("acme/q1", "pump", KIND_ASSET), 0, "%s", world.note.text);
	cr_assert_eq(stage_twin("acme/q1", "pump", KIND_ASSET), STORE_UNCHANGED);
	cr_assert_eq(stage_relation("contains", "acme/line", "acme/q1"), 0);
	cr_assert_eq(stage_relation("contains", "acme/line", "acme/q1"), STORE_UNCHANGED);
	cr_assert_eq(stage_member("acme/q1", CONFIRM_CONFIRMED), 0);
	cr_assert_eq(stage_member("acme/q1", CONFIRM_CONFIRMED), STORE_UNCHANGED);
	cr_assert_eq(stage_sample("acme/q1", "temperature", number_at(1, 5)), 0);
	cr_assert_eq(batch_ops(batch), 5);
	cr_expect_null(store_twin(world.store, "acme/q1"), "nothing shows before it is applied");
	cr_assert_eq(world_commit(batch), 0);
	cr_expect_eq(temperature_at("acme/q1", 1), 5);
	cr_expect_eq(store_twin(world.store, "acme/q1")->seq, 3, "one change for all of it");
	cr_expect_eq(store_twin(world.store, "acme/q1")->in->from, store_twin(world.store, "acme/line"));
	world_reopen();
	cr_expect_eq(store_twin(world.store, "acme/q1")->seq, 3);
}

Test(stage, deleting_and_making_again_in_one_batch_starts_afresh)
{
	cr_assert_eq(world_relate("contains", "acme/line", "acme/p1"), 0);
	cr_assert_eq(world_sample("acme/p1", 1, 20), 0);
	cr_assert_eq(world_member("contains", "harbor/city", "acme/p1", CONFIRM_CONFIRMED), 0);
	cr_assert_eq(stage_delete("acme/p1"), 0);
	cr_expect_eq(stage_delete("acme/p1"), STORE_UNCHANGED);
	check_refused(stage_sample("acme/p1", "temperature", number_at(1, 20)), "no twin acme/p1");
	cr_assert_eq(stage_twin("acme/p1", "press", KIND_ASSET), 0);
	cr_expect_eq(stage_relation("contains", "acme/line", "acme/p1"), 0, "the old one went with the twin");
	cr_expect_eq(stage_sample("acme/p1", "temperature", number_at(1, 20)), 0);
	cr_expect_eq(stage_member("acme/p1", CONFIRM_CONFIRMED), 0);
	cr_assert_eq(world_commit(batch), 0);
	cr_expect_str_eq(temperatures("acme/p1", 0, 10), "1=20");
	cr_expect_not_null(store_twin(world.store, "acme/p1")->in);
}

Test(stage, a_value_set_and_set_back_in_one_batch_is_set_back)
{
	cr_assert_eq(world_sample("acme/p1", 1, 20), 0);
	cr_assert_eq(stage_sample("acme/p1", "temperature", number_at(1, 21)), 0);
	cr_assert_eq(stage_sample("acme/p1", "temperature", number_at(1, 20)), 0);
	cr_assert_eq(world_commit(batch), 0);
	cr_expect_eq(temperature_at("acme/p1", 1), 20);
}

Test(stage, a_batch_rewinds_to_a_mark)
{
	cr_assert_eq(stage_twin("acme/a", "", KIND_ASSET), 0);
	const size_t mark = batch_mark(batch), bytes = batch_bytes(batch);
	cr_assert_eq(stage_twin("acme/b", "", KIND_ASSET), 0);
	cr_assert_eq(stage_delete("acme/a"), 0);
	cr_assert_eq(stage_delete("acme/line"), 0);
	batch_rewind(batch, mark);
	cr_expect_eq(batch_ops(batch), 1);
	cr_expect_eq(batch_bytes(batch), bytes);
	cr_expect_eq(stage_twin("acme/a", "", KIND_ASSET), STORE_UNCHANGED);
	cr_expect_eq(stage_delete("acme/b"), STORE_UNCHANGED);
	cr_expect_eq(stage_relation("feeds", "acme/line", "acme/a"), 0);
	cr_assert_eq(world_commit(batch), 0);
	cr_expect_not_null(store_twin(world.store, "acme/a"));
	cr_expect_null(store_twin(world.store, "acme/b"));
	cr_expect_not_null(store_twin(world.store, "acme/line")->out);
}

Test(stage, an_empty_batch_is_done_at_once)
{
	struct store_position a, b;

	store_position(world.store, &a);
	cr_expect_eq(store_write(world.store, batch), 0);
	cr_expect_eq(store_apply(world.store, batch, world.now_ns), 0);
	store_position(world.store, &b);
	cr_expect_eq(a.seq, b.seq);
}

/* To look for each could take the time of all that lies in memory, so many times. */
Test(stage, known_samples_are_looked_for_while_they_are_few)
{
	enum { MANY = 100 };
	struct sample samples[MANY + 1];
	struct op op = {.kind = OP_SAMPLES, .samples = {"acme/s", "temperature", samples, MANY + 1}};

	cr_assert_eq(world_twin("acme/s", "press", KIND_ASSET), 0);
	for (int i = 0; i <= MANY; i++)
		samples[i] = number_at(i, i);
	cr_assert_eq(world_do(&op), 0);
	op.samples.n = 10;
	cr_expect_eq(world_do(&op), STORE_UNCHANGED);
	op.samples.n = MANY;
	cr_expect_eq(world_do(&op), 0);
	cr_expect_eq(temperature_at("acme/s", MANY - 1), MANY - 1);
	op.samples = (struct op_samples){"acme/s", "temperature", samples + MANY, 1};
	cr_expect_eq(world_do(&op), STORE_UNCHANGED);
	samples[MANY].value.real = 1;
	cr_expect_eq(world_do(&op), 0, "something else at the same time");
}

/* Applying what is in the log must not fail, now or at the next opening. */
Test(stage, with_its_numbers_of_series_given_a_store_takes_no_more_twins)
{
	world.store->table.values.next = UINT32_MAX - (1 << 20);
	cr_expect_eq(world_twin("acme/p2", "press", KIND_ASSET), STORE_REFUSED);
	cr_expect(strstr(world.note.text, "numbers"), "%s", world.note.text);
	cr_expect_eq(world_sample("acme/p1", NOW, 1), 0, "but samples");
	world.store->table.values.next = 1 << 20;
	cr_expect_eq(world_twin("acme/p2", "press", KIND_ASSET), 0);
}
