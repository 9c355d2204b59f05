/* SPDX-License-Identifier: Apache-2.0 */
/* Words that follow each other, and what only the node writes. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/packed.h"
#include "tests/unit/storage/world.h"

static const char *words[] = {"idle", "running", "stopped"};
static struct transition transitions[] = {{0, 1}, {1, 2}, {2, 0}};

static void put_type(uint32_t version, const char **options)
{
	struct property_def p[] = {
		{.name = "state",
		 .type = VALUE_ENUM,
		 .unit = "",
		 .min = NAN,
		 .max = NAN,
		 .options = options,
		 .n_options = 3,
		 .transitions = transitions,
		 .n_transitions = 3},
		{.name = "speed",
		 .type = VALUE_DOUBLE,
		 .unit = "m/s",
		 .min = NAN,
		 .max = NAN,
		 .settable = true},
	};
	const struct op op = {.kind = OP_TYPE,
			      .type = {.name = "process",
				       .parent = "",
				       .version = version,
				       .kind = KIND_PROCESS,
				       .properties = p,
				       .n_properties = 2}};

	cr_assert_eq(world_do(&op), 0, "%s", world.note.text);
}

static void begin(void)
{
	world_begin();
	put_type(1, words);
	cr_assert_eq(world_twin("acme/p", "process", KIND_PROCESS), 0);
}

TestSuite(steps, .init = begin, .fini = world_end);

static struct sample word_at_time(int64_t t_ns, const char *word)
{
	return (struct sample){.t_ns = t_ns, .value = {VALUE_ENUM, .text = word}, .sigma = NAN};
}

static struct op step_op(struct sample *s, size_t n)
{
	return (struct op){.kind = OP_SAMPLES, .samples = {"acme/p", "state", s, n}};
}

static int step(int64_t t_ns, const char *word)
{
	struct sample s = word_at_time(t_ns, word);
	const struct op op = step_op(&s, 1);

	return world_do(&op);
}

static const char *present(void)
{
	const struct twin *t = store_twin(world.store, "acme/p");
	const struct sample s = store_value(world.store, t, property_of(t, "state"));

	return s.value.type == VALUE_ENUM ? s.value.text : "";
}

static void refused(int64_t t_ns, const char *word, const char *why)
{
	cr_expect_eq(step(t_ns, word), STORE_REFUSED, "%s", word);
	cr_expect(strstr(world.note.text, why), "'%s' lacks '%s'", world.note.text, why);
}

Test(steps, a_word_follows_the_one_before)
{
	refused(NOW, "stopped", "state of acme/p: stopped does not follow idle");
	cr_expect_eq(step(NOW, "running"), 0);
	refused(NOW + 1, "idle", "idle does not follow running");
	cr_expect_eq(step(NOW + 1, "running"), 0, "staying is allowed");
	cr_expect_eq(step(NOW + 2, "stopped"), 0);
	cr_expect_eq(step(NOW + 3, "idle"), 0);
	refused(NOW + 1, "stopped", "stopped comes too late: it is idle since");
	refused(NOW + 3, "running", "comes too late");
	cr_expect_str_eq(present(), "idle");
}

Test(steps, what_was_taken_may_come_again)
{
	cr_assert_eq(step(NOW, "running"), 0);
	cr_assert_eq(step(NOW + 1, "stopped"), 0);
	cr_expect_eq(step(NOW, "running"), STORE_UNCHANGED);
	cr_expect_eq(step(NOW + 1, "stopped"), STORE_UNCHANGED);
	world_checkpoint();
	world_reopen();
	cr_expect_eq(step(NOW, "running"), STORE_UNCHANGED);
	cr_expect_eq(step(NOW + 2, "idle"), 0);
}

Test(steps, an_op_is_walked_in_its_order_around_what_is_bad)
{
	struct sample s[] = {word_at_time(NOW, "running"),     word_at_time(NOW + 1, "idle"),
			     word_at_time(NOW + 2, "stopped"), word_at_time(NOW + 1, "stopped"),
			     word_at_time(NOW + 3, "idle"),    word_at_time(NOW + 4, "no such word")};
	const struct op op = step_op(s, 6);
	SCOPED(scope_batch) struct batch *b = NULL;
	size_t bad = 99;

	cr_assert_eq(batch_new(&b), 0);
	cr_expect_eq(store_stage(world.store, b, &op, NOW, &bad, &world.note), STORE_REFUSED);
	cr_expect_eq(bad, 1);
	cr_expect_eq(store_check_samples(world.store, b, &op, NOW, 2, &bad, &world.note), STORE_REFUSED);
	cr_expect_eq(bad, 3);
	cr_expect_eq(store_check_samples(world.store, b, &op, NOW, 4, &bad, &world.note), STORE_REFUSED);
	cr_expect_eq(bad, 5);
	cr_expect_eq(store_check_samples(world.store, b, &op, NOW, 6, &bad, &world.note), 0);
}

static int stage_step(struct batch *b, int64_t t_ns, const char *word)
{
	struct sample s = word_at_time(t_ns, word);
	const struct op op = step_op(&s, 1);

	return store_stage(world.store, b, &op, NOW, NULL, &world.note);
}

Test(steps, ops_of_a_batch_follow_each_other)
{
	SCOPED(scope_batch) struct batch *b = NULL;

	cr_assert_eq(batch_new(&b), 0);
	cr_expect_eq(stage_step(b, NOW, "running"), 0);
	const size_t mark = batch_mark(b);
	cr_expect_eq(stage_step(b, NOW + 1, "idle"), STORE_REFUSED);
	cr_expect_eq(stage_step(b, NOW + 1, "stopped"), 0);
	cr_expect_eq(stage_step(b, NOW + 2, "idle"), 0);
	batch_rewind(b, mark);
	cr_expect_eq(stage_step(b, NOW + 2, "idle"), STORE_REFUSED, "it never stopped");
	const struct op gone = {.kind = OP_TWIN_DELETE, .id = "acme/p"};
	cr_expect_eq(store_stage(world.store, b, &gone, NOW, NULL, &world.note), 0);
	const struct op anew = {.kind = OP_TWIN,
				.twin = {.id = "acme/p", .type = "process", .kind = KIND_PROCESS}};
	cr_expect_eq(store_stage(world.store, b, &anew, NOW, NULL, &world.note), 0);
	cr_expect_eq(stage_step(b, NOW, "stopped"), STORE_REFUSED, "it is idle again");
	cr_expect_eq(stage_step(b, NOW, "running"), 0);
	cr_assert_eq(world_commit(b), 0);
	cr_expect_str_eq(present(), "running");
}

Test(steps, a_word_that_is_no_more_may_be_left)
{
	const char *others[] = {"off", "on", "broken"};

	cr_assert_eq(step(NOW, "running"), 0);
	put_type(2, others);
	cr_expect_eq(step(NOW + 1, "broken"), 0);
	refused(NOW + 2, "on", "on does not follow broken");
}

/* ---- frames */

static struct packed_writer writer;
static struct buf bytes;
static struct packed_result result;

static uint32_t handle(const char *property)
{
	const struct twin *t = store_twin(world.store, "acme/p");

	return store_series(world.store, t, property_of(t, property));
}

static void put(const char *property, struct sample s)
{
	cr_assert_eq(packed_put(&writer, handle(property), &s), 0);
}

static void stage_frame(struct batch *b, uint64_t number)
{
	struct store_position at;
	struct packed frame;

	store_position(world.store, &at);
	const struct packed_id id = {7, number, at.lineage[at.n_lineage - 1].id};
	buf_clear(&bytes);
	cr_assert_eq(packed_finish(&writer, &id, &bytes), 0);
	cr_assert_eq(packed_check(buf_bytes(&bytes), &frame), 0);
	cr_assert_eq(store_stage_packed(world.store, b, &frame, NOW, world.arena, &result), 0);
}

static void free_writer(void)
{
	packed_writer_fini(&writer);
	buf_fini(&bytes);
}

Test(steps, frames_take_what_follows_and_name_the_rest)
{
	SCOPED(scope_batch) struct batch *b = NULL;

	cr_assert_eq(batch_new(&b), 0);
	put("state", word_at_time(NOW, "running"));
	put("state", word_at_time(NOW + 1, "idle"));
	put("state", word_at_time(NOW + 2, "stopped"));
	stage_frame(b, 1);
	cr_expect_eq(result.n_taken, 2);
	cr_assert_eq(result.n_refused, 1);
	cr_expect_eq(result.refused[0].index, 1);
	cr_expect_eq(result.refused[0].reason, SAMPLE_NO_STEP);
	stage_frame(b, 1);
	cr_expect(result.again);
	cr_expect_eq(result.n_refused, 1, "the same again");
	packed_writer_clear(&writer);
	put("state", word_at_time(NOW + 3, "running"));
	put("state", word_at_time(NOW + 3, "idle"));
	stage_frame(b, 2);
	cr_expect_eq(result.n_taken, 1, "it goes on from the frame before");
	cr_assert_eq(world_commit(b), 0);
	cr_expect_str_eq(present(), "idle");
	free_writer();
}

Test(steps, frames_sent_again_to_a_store_that_was_closed_change_nothing)
{
	SCOPED(scope_batch) struct batch *b = NULL, *again = NULL;

	cr_assert_eq(batch_new(&b), 0);
	put("state", word_at_time(NOW, "running"));
	put("state", word_at_time(NOW + 2, "stopped"));
	stage_frame(b, 0);
	cr_assert_eq(world_commit(b), 0);
	world_reopen();
	cr_assert_eq(batch_new(&again), 0);
	stage_frame(again, 0);
	cr_expect_eq(result.n_unchanged, 2);
	cr_expect_eq(result.n_refused, 0);
	free_writer();
}

/* ---- what is the node's own */

static int settle(bool by_node)
{
	struct sample s = {.t_ns = NOW, .value = {VALUE_TEXT, .text = "converged"}, .sigma = NAN};
	const struct op op = {
		.kind = OP_SAMPLES, .by_node = by_node, .samples = {"acme/p", "settle/speed", &s, 1}};

	return world_do(&op);
}

Test(steps, only_the_node_writes_how_something_stands)
{
	cr_expect_eq(settle(false), STORE_REFUSED);
	cr_expect(strstr(world.note.text, "settle/speed of acme/p: only the node itself writes"), "%s",
		  world.note.text);
	cr_expect_eq(settle(true), 0);
	struct sample s = number_at(NOW, 5);
	const struct op op = {.kind = OP_SAMPLES, .samples = {"acme/p", "desired/speed", &s, 1}};
	cr_expect_eq(world_do(&op), 0, "what is desired is anybody's");
}

Test(steps, what_the_node_made_keeps_no_twin_from_another_type)
{
	struct property_def speed = {
		.name = "speed", .type = VALUE_DOUBLE, .unit = "m/s", .min = NAN, .max = NAN};
	const struct op op = {.kind = OP_TYPE,
			      .type = {.name = "plain",
				       .parent = "",
				       .version = 1,
				       .kind = KIND_PROCESS,
				       .properties = &speed,
				       .n_properties = 1}};

	cr_assert_eq(world_do(&op), 0);
	cr_assert_eq(settle(true), 0);
	cr_expect_eq(world_twin("acme/p", "plain", KIND_PROCESS), 0, "%s", world.note.text);
	cr_assert_eq(world_twin("acme/p", "process", KIND_PROCESS), 0);
	cr_assert_eq(step(NOW, "running"), 0);
	cr_expect_eq(world_twin("acme/p", "plain", KIND_PROCESS), STORE_REFUSED);
}

Test(steps, no_frame_writes_how_something_stands)
{
	SCOPED(scope_batch) struct batch *b = NULL;

	cr_assert_eq(batch_new(&b), 0);
	put("settle/speed", (struct sample){.t_ns = NOW, .value = {VALUE_TEXT, .text = "x"}, .sigma = NAN});
	stage_frame(b, 1);
	cr_assert_eq(result.n_refused, 1);
	cr_expect_eq(result.refused[0].reason, SAMPLE_NODES_OWN);
	free_writer();
}

/* It is not a word that a client could say. */
Test(steps, by_node_is_not_encoded)
{
	struct sample s = word_at_time(NOW, "running");
	struct op op = step_op(&s, 1), back;
	SCOPED(buf_fini) struct buf out = {0};

	op.by_node = true;
	op_encode(&op, &out);
	cr_assert_eq(op_decode(world.arena, buf_bytes(&out), &back), 0);
	cr_expect(!back.by_node);
}
