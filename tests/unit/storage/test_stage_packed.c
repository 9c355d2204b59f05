/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "proto/packed.h"
#include "tests/unit/storage/world.h"

#define DAY_NS (INT64_C(86400) * NS_PER_S)

static struct packed_writer writer;
static struct buf bytes;
static struct packed_result result;

static void begin(void)
{
	world_begin();
	world_types();
	cr_assert_eq(world_twin("acme/p1", "press", KIND_ASSET), 0);
	cr_assert_eq(world_twin("acme/p2", "press", KIND_ASSET), 0);
}

static void end(void)
{
	packed_writer_fini(&writer);
	buf_fini(&bytes);
	world_end();
}

TestSuite(stage_packed, .init = begin, .fini = end);

static uint32_t handle(const char *id, const char *property)
{
	const struct twin *t = store_twin(world.store, id);

	return store_series(world.store, t, property_of(t, property));
}

static struct sample value_of(const char *id, const char *property)
{
	const struct twin *t = store_twin(world.store, id);

	return store_value(world.store, t, property_of(t, property));
}

static uint64_t incarnation(void)
{
	struct store_position at;

	store_position(world.store, &at);
	return at.lineage[at.n_lineage - 1].id;
}

static void put(uint32_t series, struct sample s)
{
	cr_assert_eq(packed_put(&writer, series, &s), 0);
}

static void put_number(const char *id, int64_t t_ns, double v)
{
	put(handle(id, "temperature"), number_at(t_ns, v));
}

/* The frame as it stands, begun anew. */
static struct packed finish(uint64_t session, uint64_t number)
{
	const struct packed_id id = {session, number, incarnation()};
	struct packed frame;

	buf_clear(&bytes);
	cr_assert_eq(packed_finish(&writer, &id, &bytes), 0);
	packed_writer_clear(&writer);
	cr_assert_eq(packed_check(buf_bytes(&bytes), &frame), 0);
	return frame;
}

static void stage_into(struct batch *b, const struct packed *frame)
{
	cr_assert_eq(store_stage_packed(world.store, b, frame, world.now_ns, world.arena, &result), 0);
}

/* Send the frame: staged, written, applied. */
static void send(uint64_t session, uint64_t number)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	const struct packed frame = finish(session, number);

	cr_assert_eq(batch_new(&b), 0);
	stage_into(b, &frame);
	cr_assert_eq(world_commit(b), 0);
}

Test(stage_packed, samples_show_in_table_and_history)
{
	put_number("acme/p1", NOW, 20);
	put_number("acme/p2", NOW, 30);
	put_number("acme/p1", NOW + 1, 21);
	send(1, 1);
	cr_assert_eq(result.n_taken, 3);
	cr_assert_eq(value_of("acme/p1", "temperature").value.real, 21);
	cr_assert_eq(value_of("acme/p2", "temperature").value.real, 30);
	world_reopen();
	cr_assert_eq(value_of("acme/p1", "temperature").value.real, 21);
	cr_assert_eq(temperature_at("acme/p1", NOW), 20);
	world_checkpoint();
	world_reopen();
	cr_assert_eq(temperature_at("acme/p1", NOW), 20);
}

Test(stage_packed, every_type_of_value_is_taken)
{
	const struct sample samples[] = {
		{NOW, {VALUE_INT64, .integer = INT64_MIN}, QUALITY_GOOD, NAN, "plc"},
		{NOW, {VALUE_BOOL, .boolean = true}, QUALITY_UNCERTAIN, NAN, "plc"},
		{NOW, {VALUE_ENUM, .text = "manual"}, QUALITY_GOOD, NAN, "plc"},
		{NOW, {VALUE_TEXT, .text = "oiled"}, QUALITY_GOOD, NAN, "plc"},
		{NOW, {VALUE_POSITION, .position = {1, 2, 3}}, QUALITY_GOOD, 0.5, "plc"},
	};
	static const char *const names[] = {"count", "on", "mode", "note", "place"};

	for (size_t i = 0; i < 5; i++)
		put(handle("acme/p1", names[i]), samples[i]);
	send(1, 1);
	cr_assert_eq(result.n_taken, 5);
	world_reopen();
	for (size_t i = 0; i < 5; i++) {
		const struct sample s = value_of("acme/p1", names[i]);
		cr_assert(value_equal(&s.value, &samples[i].value), "%s", names[i]);
		cr_assert_eq(s.quality, samples[i].quality);
		cr_assert_str_eq(s.source, "plc");
	}
	cr_assert_eq(value_of("acme/p1", "place").sigma, 0.5);
}

Test(stage_packed, what_is_not_a_number_is_kept_as_bad)
{
	put_number("acme/p1", NOW, NAN);
	put_number("acme/p2", NOW, INFINITY);
	send(1, 1);
	cr_assert_eq(result.n_taken, 2);
	cr_assert_eq(value_of("acme/p1", "temperature").quality, QUALITY_BAD);
	cr_assert(isinf(value_of("acme/p2", "temperature").value.real));
	cr_assert_eq(value_of("acme/p2", "temperature").quality, QUALITY_BAD);
	put_number("acme/p1", NOW, NAN);
	send(1, 2);
	cr_assert_eq(result.n_unchanged, 1);
}

/* Whatever is wrong with one sample, it is named, and the others are kept. */
static void expect_refusal(struct sample bad, uint32_t series, enum sample_refusal reason)
{
	static int64_t t_ns = NOW;

	t_ns++;
	put_number("acme/p2", t_ns, 1);
	put(series, bad);
	put_number("acme/p2", t_ns + 1000, 2);
	send(0, 0);
	cr_assert_eq(result.n_taken, 2);
	cr_assert_eq(result.n_refused, 1);
	cr_assert_eq(result.n_listed, 1);
	cr_assert_eq(result.refused[0].index, 1);
	cr_assert_eq(result.refused[0].reason, reason, "%d", (int)result.refused[0].reason);
	cr_assert_eq(value_of("acme/p2", "temperature").t_ns, t_ns + 1000);
	cr_assert_eq(temperature_at("acme/p2", t_ns), 1);
	world_reopen();
	cr_assert_eq(temperature_at("acme/p2", t_ns), 1);
	cr_assert_eq(value_of("acme/p2", "temperature").t_ns, t_ns + 1000);
}

Test(stage_packed, each_refused_sample_has_its_reason)
{
	const uint32_t temperature = handle("acme/p1", "temperature"), on = handle("acme/p1", "on");
	const uint32_t mode = handle("acme/p1", "mode"), place = handle("acme/p1", "place");
	struct sample s = number_at(NOW, 501);

	expect_refusal(s, temperature, SAMPLE_WRONG_VALUE);
	s.value.real = -51;
	expect_refusal(s, temperature, SAMPLE_WRONG_VALUE);
	s.value.real = 1;
	expect_refusal(s, 0, SAMPLE_NO_SERIES);
	expect_refusal(s, UINT32_MAX, SAMPLE_NO_SERIES);
	s.t_ns = world.now_ns + 300 * NS_PER_S + 1;
	expect_refusal(s, temperature, SAMPLE_AHEAD);
	s.t_ns = NOW;
	s.value.type = VALUE_NONE;
	expect_refusal(s, temperature, SAMPLE_WRONG_VALUE);
	s.value = (struct value){VALUE_INT64, .integer = 2};
	expect_refusal(s, on, SAMPLE_WRONG_VALUE);
	s.value = (struct value){VALUE_ENUM, .text = "fast"};
	expect_refusal(s, mode, SAMPLE_WRONG_VALUE);
	s.value = (struct value){VALUE_INT64, .integer = 1 << 20}; /* no text there */
	expect_refusal(s, mode, SAMPLE_WRONG_VALUE);
	s.value = (struct value){VALUE_POSITION, .position = {91, 0, NAN}};
	expect_refusal(s, place, SAMPLE_WRONG_VALUE);
	cr_assert_eq(value_of("acme/p1", "temperature").value.type, VALUE_NONE);
	cr_assert_eq(value_of("acme/p1", "on").value.type, VALUE_NONE);
}

Test(stage_packed, exactly_five_minutes_ahead_is_taken)
{
	put_number("acme/p1", world.now_ns + 300 * NS_PER_S, 1);
	send(1, 1);
	cr_assert_eq(result.n_taken, 1);
}

Test(stage_packed, beyond_retention_is_expired)
{
	struct type_def press = world_press();

	press.version = 2;
	press.retention = (struct retention){DAY_NS, DAY_NS, DAY_NS};
	cr_assert_eq(world_do(&(struct op){.kind = OP_TYPE, .type = press}), 0);
	put_number("acme/p1", NOW - 9 * DAY_NS, 1); /* nothing is newer */
	send(1, 1);
	cr_assert_eq(result.n_taken, 1);
	put_number("acme/p1", NOW, 1);
	send(1, 2);
	put_number("acme/p1", NOW - 3 * DAY_NS, 2);
	put_number("acme/p1", NOW - 3 * DAY_NS - 1, 3);
	send(1, 3);
	cr_assert_eq(result.n_taken, 1);
	cr_assert_eq(result.n_refused, 1);
	cr_assert_eq(result.refused[0].index, 1);
	cr_assert_eq(result.refused[0].reason, SAMPLE_EXPIRED);
	cr_expect_eq(world_sample("acme/p1", NOW - 3 * DAY_NS, 4), 0, "by name it is the same");
	cr_expect_eq(world_sample("acme/p1", NOW - 3 * DAY_NS - 1, 4), STORE_REFUSED);
	cr_expect(strstr(world.note.text, "retention"), "%s", world.note.text);
}

Test(stage_packed, only_so_many_refusals_are_listed)
{
	for (int i = 0; i < PACKED_REFUSALS_MAX + 5; i++)
		put(0, number_at(NOW, 1));
	send(1, 1);
	cr_assert_eq(result.n_refused, PACKED_REFUSALS_MAX + 5);
	cr_assert_eq(result.n_listed, PACKED_REFUSALS_MAX);
}

Test(stage_packed, a_frame_sent_again_changes_nothing)
{
	for (int checkpoints = 0; checkpoints < 2; checkpoints++) {
		const uint64_t session = 40 + (unsigned)checkpoints;
		put_number("acme/p1", NOW + checkpoints, 20);
		send(session, 1);
		put_number("acme/p1", NOW + checkpoints, 25); /* corrected */
		send(session, 2);
		if (checkpoints)
			world_checkpoint();
		world_reopen();
		put_number("acme/p1", NOW + checkpoints, 20);
		send(session, 1);
		cr_assert(result.again);
		cr_assert_eq(result.n_taken, 0);
		cr_assert_eq(result.n_unchanged, 1);
		cr_assert_eq(value_of("acme/p1", "temperature").value.real, 25);
	}
}

/* Whoever did not get the first answer must not take for stored what was refused. */
Test(stage_packed, a_frame_sent_again_tells_its_refusals_again)
{
	for (int round = 0; round < 3; round++) {
		put_number("acme/p1", NOW, 20);
		put(0, number_at(NOW, 1));
		put_number("acme/p2", NOW + 400 * NS_PER_S, 1);
		if (round == 2)
			world.now_ns += 600 * NS_PER_S; /* by now it would not be ahead */
		send(7, 1);
		cr_assert_eq(result.again, round > 0);
		cr_assert_eq(result.n_taken + result.n_unchanged, 1);
		cr_assert_eq(result.n_refused, 2);
		cr_expect(result.refused[0].index == 1 && result.refused[0].reason == SAMPLE_NO_SERIES);
		cr_expect(result.refused[1].index == 2 && result.refused[1].reason == SAMPLE_AHEAD);
	}
}

Test(stage_packed, again_is_seen_within_a_batch_and_not_after_a_rewind)
{
	SCOPED(scope_batch) struct batch *b = NULL;

	cr_assert_eq(batch_new(&b), 0);
	put_number("acme/p1", NOW, 20);
	const struct packed frame = finish(9, 1);
	const size_t mark = batch_mark(b);
	stage_into(b, &frame);
	cr_assert_not(result.again);
	stage_into(b, &frame);
	cr_assert(result.again);
	batch_rewind(b, mark);
	cr_assert_eq(batch_ops(b), 0);
	stage_into(b, &frame);
	cr_assert_not(result.again);
	cr_assert_eq(batch_ops(b), 1);
	cr_assert_eq(world_commit(b), 0);
	cr_assert_eq(temperature_at("acme/p1", NOW), 20);
}

Test(stage_packed, what_is_there_already_is_not_logged)
{
	put_number("acme/p1", NOW, 20);
	send(1, 1);
	SCOPED(scope_batch) struct batch *b = NULL;
	cr_assert_eq(batch_new(&b), 0);
	put_number("acme/p1", NOW, 20);
	const struct packed frame = finish(1, 2);
	stage_into(b, &frame);
	cr_assert_eq(result.n_unchanged, 1);
	cr_assert_eq(batch_ops(b), 0);
}

Test(stage_packed, back_to_the_old_value_within_a_batch_is_logged)
{
	SCOPED(scope_batch) struct batch *b = NULL;

	put_number("acme/p1", NOW, 20);
	send(1, 1);
	cr_assert_eq(batch_new(&b), 0);
	put_number("acme/p1", NOW, 21);
	struct packed frame = finish(1, 2);
	stage_into(b, &frame);
	put_number("acme/p1", NOW, 20);
	frame = finish(1, 3);
	stage_into(b, &frame);
	cr_assert_eq(world_commit(b), 0);
	cr_assert_eq(value_of("acme/p1", "temperature").value.real, 20);
}

Test(stage_packed, an_op_behind_a_frame_sees_what_it_changes)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	struct sample s = number_at(NOW, 20);
	const struct op op = {.kind = OP_SAMPLES, .samples = {"acme/p1", "temperature", &s, 1}};

	cr_assert_eq(world_do(&op), 0);
	cr_assert_eq(batch_new(&b), 0);
	put_number("acme/p1", NOW, 21);
	const struct packed frame = finish(1, 1);
	stage_into(b, &frame);
	cr_assert_eq(store_stage(world.store, b, &op, world.now_ns, NULL, &world.note), 0);
	cr_assert_eq(world_commit(b), 0);
	cr_assert_eq(value_of("acme/p1", "temperature").value.real, 20);
}

Test(stage_packed, samples_of_a_twin_that_the_batch_deletes_go_with_it)
{
	SCOPED(scope_batch) struct batch *b = NULL;

	cr_assert_eq(batch_new(&b), 0);
	cr_assert_eq(store_stage(world.store, b, &(struct op){.kind = OP_TWIN_DELETE, .id = "acme/p1"},
				 world.now_ns, NULL, &world.note),
		     0);
	put_number("acme/p1", NOW, 21);
	put_number("acme/p2", NOW, 22);
	const struct packed frame = finish(1, 1);
	stage_into(b, &frame);
	cr_assert_eq(world_commit(b), 0);
	world_reopen();
	cr_assert_null(store_twin(world.store, "acme/p1"));
	cr_assert_eq(value_of("acme/p2", "temperature").value.real, 22);
}

Test(stage_packed, handles_of_another_incarnation_are_refused)
{
	SCOPED(scope_batch) struct batch *b = NULL;

	cr_assert_eq(batch_new(&b), 0);
	put_number("acme/p1", NOW, 20);
	struct packed frame = finish(1, 1);
	frame.incarnation++;
	cr_assert_eq(store_stage_packed(world.store, b, &frame, world.now_ns, world.arena, &result),
		     ERR_REFUSED);
	cr_assert_eq(batch_ops(b), 0);
}

Test(stage_packed, replay_gives_the_same_sequence)
{
	struct store_position before, after;

	for (uint64_t i = 1; i <= 20; i++) {
		put_number("acme/p1", NOW + (int64_t)i, (double)i);
		put_number(i % 2 ? "acme/p2" : "acme/p1", NOW - (int64_t)i, 600 * (double)(i % 3));
		send(3, i);
	}
	store_position(world.store, &before);
	world_reopen();
	store_position(world.store, &after);
	cr_assert_eq(before.seq, after.seq);
	cr_assert_eq(before.stamp_ns, after.stamp_ns);
}

Test(stage_packed, a_log_that_is_to_be_small_replays_the_same)
{
	world.squeeze_log = true;
	world_reopen();
	for (uint64_t i = 1; i <= 3; i++) {
		for (int j = 0; j < 200; j++)
			put_number(j % 2 ? "acme/p1" : "acme/p2", NOW + (int64_t)i * 1000 + j, 0.1 * j);
		put(handle("acme/p1", "note"),
		    (struct sample){
			    NOW + (int64_t)i, {VALUE_TEXT, .text = "oiled"}, QUALITY_GOOD, NAN, NULL});
		send(1, i);
		cr_assert_eq(result.n_taken, 201);
	}
	world_reopen();
	cr_assert_eq(value_of("acme/p1", "temperature").value.real, 0.1 * 199);
	cr_assert_str_eq(value_of("acme/p1", "note").value.text, "oiled");
	cr_assert_eq(temperature_at("acme/p2", NOW + 2000 + 50), 0.1 * 50);
	put_number("acme/p1", NOW, 1);
	send(1, 3);
	cr_assert(result.again);
}
