/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/gossip.h"
#include "node/writer.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"

static int answers, last_code;
static uint64_t changed, unchanged;
static size_t n_refused;
static struct refusal first_refusal, last_refusal;
static bool stopped, stopping;

static void set_up_with(size_t checkpoint_bytes)
{
	world_checkpoint_bytes = checkpoint_bytes;
	world_set_up();
	world_type("press", "power", NULL, "kW");
	world_twin("acme/p1", "press", NULL);
	cr_assert(eq(int, gossip_start(&world.gossip, &world), 0));
	cr_assert(eq(int, writer_start(&world.writer, &world), 0));
}

static void set_up(void)
{
	set_up_with(0);
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
		first_refusal = r->refused[0], last_refusal = r->refused[n_refused - 1];
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

/* Whoever sends and sends is told to wait before memory is gone, whatever it is that is sent. */
Test(writer, what_waits_is_bounded_in_bytes)
{
	enum { EACH = 1 << 20, MOST = 200 };
	struct op op = twin("acme/m1", "press");
	int taken = 0, r = 0;

	for (; r == 0 && taken < MOST; taken += r == 0) {
		struct write_request request = {.ops = &op, .n_ops = 1, .done = on_done};
		must(arena_new(&request.arena, 2 * EACH) == 0 && arena_take(request.arena, EACH));
		r = writer_submit(world.writer, &request);
	}
	cr_expect(eq(int, r, -EAGAIN));
	cr_expect(lt(int, taken, MOST));
	wait_for(taken);
	cr_expect(eq(int, last_code, 0));
}

Test(writer, of_many_bad_samples_each_is_named_and_the_others_are_kept)
{
	enum { N = 5000 };
	static struct sample samples[N];
	struct op op = {.kind = OP_SAMPLES,
			.samples = {.twin = "acme/p1", .property = "power", .samples = samples, .n = N}};
	struct writer_stats stats;

	for (int i = 0; i < N; i++) {
		samples[i] = (struct sample){
			.t_ns = i + 1, .value = {.type = VALUE_DOUBLE, .real = i}, .sigma = NAN};
		if (i % 10 < 3)
			samples[i].value = (struct value){.type = VALUE_TEXT, .text = "no"};
	}
	submit(&op, 1, false, false);
	wait_for(1);
	cr_expect(eq(u64, changed, N / 10 * 7));
	cr_expect(eq(sz, n_refused, 1000), "the first thousand are named");
	cr_expect(eq(u32, first_refusal.sample, 0));
	cr_expect(eq(u32, last_refusal.sample, 3330));
	writer_stats(world.writer, &stats);
	cr_expect(eq(u64, stats.samples_taken, N / 10 * 7));
	cr_expect(eq(u64, stats.samples_refused, N / 10 * 3));
	cr_expect(eq(dbl, store_value(world.store, store_twin(world.store, "acme/p1"), 0).value.real, N - 1));
}

/* ---- Packed frames ---------------------------------------------------------------------------------------
 */

static struct buf frames[400];

static uint32_t power_of_p1(void)
{
	return store_series(world.store, store_twin(world.store, "acme/p1"), 0);
}

/* A frame of `n` samples at the times number * n ... */
static void submit_frame(uint64_t number, size_t n, uint32_t series)
{
	SCOPED(packed_writer_fini) struct packed_writer w = {0};
	const struct packed_id id = {77, number, store_incarnation(world.store)};
	struct write_request request = {.done = on_done};
	struct packed *frame;

	for (size_t i = 0; i < n; i++) {
		const struct sample s = {.t_ns = (int64_t)(number * n + i),
					 .value = {.type = VALUE_DOUBLE, .real = (double)number},
					 .sigma = NAN};
		cr_assert(eq(int, packed_put(&w, series, &s), 0));
	}
	cr_assert(eq(int, packed_finish(&w, &id, &frames[number]), 0));
	cr_assert(eq(int, arena_new(&request.arena, 1 << 20), 0));
	frame = arena_take(request.arena, sizeof *frame);
	cr_assert(frame != NULL);
	cr_assert(eq(int, packed_check(buf_bytes(&frames[number]), frame), 0));
	request.frame = frame;
	cr_assert(eq(int, writer_submit(world.writer, &request), 0));
}

static void free_frames(void)
{
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++)
		buf_fini(&frames[i]);
}

Test(writer, a_packed_frame_is_taken_and_its_bad_samples_are_named)
{
	submit_frame(1, 10, power_of_p1());
	wait_for(1);
	cr_expect(eq(u64, changed, 10));
	submit_frame(2, 3, 999);
	wait_for(2);
	cr_expect(eq(int, last_code, 0));
	cr_expect(eq(u64, changed, 0));
	cr_assert(eq(sz, n_refused, 3));
	cr_expect(eq(u32, first_refusal.index, 0));
	cr_expect(eq(u32, last_refusal.sample, 2));
	cr_expect(strstr(last_refusal.reason, "no such twin") != NULL);
	free_frames();
}

/* With a checkpoint for every few frames the two threads are at it most of the time; with each frame bigger
 * than the whole bound, requests have to wait for checkpoints all the time. */
static void ingest_under_checkpoints(size_t checkpoint_bytes)
{
	enum { N = 200, SAMPLES = 500 };
	struct writer_stats stats;

	tear_down();
	stopped = false;
	set_up_with(checkpoint_bytes);
	const uint32_t series = power_of_p1();
	for (uint64_t i = 1; i <= N; i++)
		submit_frame(i, SAMPLES, series);
	wait_for(N);
	cr_expect(eq(int, last_code, 0));
	writer_stats(world.writer, &stats);
	cr_expect(eq(u64, stats.samples_taken, N * SAMPLES));
	cr_expect(le(u64, stats.backlog_samples, N * SAMPLES));
	free_frames();
}

Test(writer, commits_and_checkpoints_go_on_together)
{
	ingest_under_checkpoints(50000);
}

static struct store_health health(void)
{
	struct store_health h;

	store_health(world.store, &h);
	return h;
}

static void turn_a_while(void)
{
	uv_run(&world.loop, UV_RUN_NOWAIT);
	writer_tick(world.writer);
	uv_sleep(5);
}

Test(writer, what_checkpoints_leave_is_merged)
{
	enum { N = 24, SAMPLES = 500, FEW = 12 };
	size_t made = 0;

	tear_down();
	stopped = false;
	set_up_with(5000); /* less than a frame takes: each leaves a run of its own */
	const uint32_t series = power_of_p1();
	for (uint64_t i = 1; i <= N; i++) {
		const uint64_t before = health().n_runs;
		submit_frame(i, SAMPLES, series);
		wait_for((int)i);
		for (int turn = 0; turn < 1000 && health().backlog_samples > 0; turn++)
			turn_a_while();
		made += health().n_runs != before;
	}
	cr_expect(ge(sz, made, N / 2));
	for (int turn = 0; turn < 1000 && health().n_runs > FEW; turn++)
		turn_a_while();
	cr_expect(le(u64, health().n_runs, FEW));
	cr_expect(ge(u64, health().n_runs, 1));
	free_frames();
}

Test(writer, requests_wait_while_checkpoints_are_far_behind)
{
	ingest_under_checkpoints(100);
	cr_expect(le(dbl, checkpoint_backlog(world.store), 4.0 + 4e6 / 100), "one batch above the bound");
}

Test(writer, with_checkpoints_failing_for_long_requests_are_refused_and_taken_again_later)
{
	char state[300], aside[300];

	tear_down();
	stopped = false;
	set_up_with(100);
	snprintf(state, sizeof state, "%s/state", world_dir);
	snprintf(aside, sizeof aside, "%s/aside", world_dir);
	const uint32_t series = power_of_p1();
	cr_assert(eq(int, rename(state, aside), 0));
	cr_assert(eq(int, symlink("/dev/null/nowhere", state), 0));
	for (uint64_t i = 1; i <= 3 || last_code == 0; i++) {
		cr_assert(lt(u64, i, 300));
		submit_frame(i, 10, series);
		wait_for((int)i);
	}
	cr_expect(eq(int, last_code, ERR_FULL));
	cr_expect(eq(u32, writer_credit(world.writer), 1));
	cr_expect(writer_trouble(world.writer) != NULL);
	cr_assert(eq(int, unlink(state), 0));
	cr_assert(eq(int, rename(aside, state), 0));
	for (const int before = answers; last_code != 0;) {
		const int n = answers + 1;
		cr_assert(lt(int, n - before, 90));
		uv_sleep(100);
		uv_run(&world.loop, UV_RUN_NOWAIT);
		writer_tick(world.writer);
		submit_frame(300 + (uint64_t)(n - before), 10, series);
		wait_for(n);
	}
	cr_expect(writer_trouble(world.writer) == NULL);
	free_frames();
}
