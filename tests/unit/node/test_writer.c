/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "node/gossip.h"
#include "node/writer.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"

static int answers, last_code;
static uint64_t changed, unchanged;
static size_t n_refused;
static struct refusal first_refusal;
static bool stopped, stopping;

static void set_up(void)
{
	world_set_up();
	world_type("press", "power", NULL, "kW");
	world_twin("acme/p1", "press", NULL);
	cr_assert(eq(int, gossip_start(&world.gossip, &world), 0));
	cr_assert(eq(int, writer_start(&world.writer, &world), 0));
}

static void on_stopped(struct engine *e)
{
	(void)e;
	stopped = true;
}

static void tear_down(void)
{
	world.stopping = true;
	if (!stopping)
		writer_stop(world.writer, on_stopped);
	gossip_stop(world.gossip);
	uv_run(&world.loop, UV_RUN_DEFAULT);
	must(stopped);
	writer_free(world.writer);
	gossip_free(world.gossip);
	world.writer = NULL;
	world.gossip = NULL;
	world_tear_down();
}

TestSuite(writer, .init = set_up, .fini = tear_down, .timeout = 60);

static void on_done(void *ctx, const struct write_result *r)
{
	(void)ctx;
	answers++;
	last_code = r->code;
	changed = r->n_changed;
	unchanged = r->n_unchanged;
	n_refused = r->n_refused;
	if (n_refused > 0)
		first_refusal = r->refused[0];
}

static void submit(struct op *ops, size_t n, bool atomic, bool dry_run)
{
	struct write_request request = {
		.ops = ops, .n_ops = n, .atomic = atomic, .dry_run = dry_run, .done = on_done};

	cr_assert(eq(int, arena_new(&request.arena, 1 << 20), 0));
	cr_assert(eq(int, writer_submit(world.writer, &request), 0));
}

static void wait_for(int n)
{
	while (answers < n)
		uv_run(&world.loop, UV_RUN_ONCE);
}

static struct op unchanged_op;

/* What a client does that has waited for its answer: it asks for more, at once. */
static void on_done_ask_more(void *ctx, const struct write_result *r)
{
	static const char *const ids[] = {"acme/m1", "acme/m2", "acme/m3"};
	static struct op ops[3];

	on_done(ctx, r);
	for (int i = 0; i < 3; i++) {
		ops[i] = (struct op){.kind = OP_TWIN, .twin = {.id = ids[i], .type = "press", .name = ""}};
		submit(&ops[i], 1, false, false);
	}
}

static struct op twin(const char *id, const char *type)
{
	return (struct op){.kind = OP_TWIN, .twin = {.id = id, .type = type, .name = ""}};
}

Test(writer, a_change_shows_only_when_it_is_durable)
{
	struct op op = twin("acme/p2", "press");

	submit(&op, 1, false, false);
	cr_expect(store_twin(world.store, "acme/p2") == NULL);
	wait_for(1);
	cr_expect(eq(int, last_code, 0));
	cr_expect(store_twin(world.store, "acme/p2") != NULL);
}

Test(writer, requests_that_wait_together_are_answered_each)
{
	struct op one = twin("acme/a", "press"), two = twin("acme/b", "press"),
		  again = twin("acme/p1", "press");

	submit(&one, 1, false, false);
	submit(&two, 1, false, false);
	submit(&again, 1, false, false);
	wait_for(3);
	cr_expect(eq(u64, unchanged, 1), "the last one changes nothing");
}

Test(writer, all_or_nothing_leaves_nothing)
{
	struct op ops[] = {twin("acme/x", "press"), twin("acme/y", "no-such-type")};

	submit(ops, 2, true, false);
	wait_for(1);
	cr_expect(eq(int, last_code, ERR_REFUSED));
	cr_expect(eq(sz, n_refused, 1));
	cr_expect(eq(u32, first_refusal.index, 1));
	cr_expect(store_twin(world.store, "acme/x") == NULL);
}

Test(writer, without_it_the_good_part_is_kept_and_the_bad_one_named)
{
	struct op ops[] = {twin("acme/x", "press"), twin("acme/y", "no-such-type")};

	submit(ops, 2, false, false);
	wait_for(1);
	cr_expect(eq(int, last_code, 0));
	cr_expect(eq(u64, changed, 1));
	cr_expect(eq(sz, n_refused, 1));
	cr_expect(store_twin(world.store, "acme/x") != NULL);
}

Test(writer, a_bad_sample_is_named_and_the_others_of_its_op_are_kept)
{
	struct sample samples[] = {{.t_ns = 1, .value = {.type = VALUE_DOUBLE, .real = 1}, .sigma = NAN},
				   {.t_ns = 2, .value = {.type = VALUE_TEXT, .text = "no"}, .sigma = NAN},
				   {.t_ns = 3, .value = {.type = VALUE_DOUBLE, .real = 3}, .sigma = NAN}};
	struct op op = {.kind = OP_SAMPLES,
			.samples = {.twin = "acme/p1", .property = "power", .samples = samples, .n = 3}};

	submit(&op, 1, false, false);
	wait_for(1);
	cr_expect(eq(u64, changed, 2));
	cr_assert(eq(sz, n_refused, 1));
	cr_expect(eq(u32, first_refusal.sample, 1));
	cr_expect(eq(dbl, store_value(world.store, store_twin(world.store, "acme/p1"), 0).value.real, 3));
}

Test(writer, a_dry_run_says_what_would_change_and_changes_nothing)
{
	struct op op = twin("acme/x", "press");

	submit(&op, 1, true, true);
	wait_for(1);
	cr_expect(eq(u64, changed, 1));
	cr_expect(store_twin(world.store, "acme/x") == NULL);
}

Test(writer, what_leans_on_the_same_request_is_taken_with_it)
{
	struct sample s = {.t_ns = 1, .value = {.type = VALUE_DOUBLE, .real = 1}, .sigma = NAN};
	struct op ops[] = {twin("acme/x", "press"),
			   {.kind = OP_SAMPLES,
			    .samples = {.twin = "acme/x", .property = "power", .samples = &s, .n = 1}}};

	submit(ops, 2, true, false);
	wait_for(1);
	cr_expect(eq(int, last_code, 0));
	cr_expect(eq(u64, changed, 2));
}

Test(writer, an_answer_may_bring_the_next_requests)
{
	struct write_request request = {.ops = &unchanged_op, .n_ops = 1, .done = on_done_ask_more};

	unchanged_op = twin("acme/p1", "press");
	cr_assert(eq(int, arena_new(&request.arena, 1 << 20), 0));
	cr_assert(eq(int, writer_submit(world.writer, &request), 0));
	wait_for(4);
	cr_expect(store_twin(world.store, "acme/m3") != NULL);
}

Test(writer, a_stopping_node_takes_no_more)
{
	struct op op = twin("acme/x", "press");
	struct write_request request = {.ops = &op, .n_ops = 1, .done = on_done};

	stopping = true;
	writer_stop(world.writer, on_stopped);
	cr_assert(eq(int, arena_new(&request.arena, 1 << 20), 0));
	cr_expect(eq(int, writer_submit(world.writer, &request), ERR_UNREACHABLE));
}
