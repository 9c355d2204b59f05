/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/history.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "proto/clock.h"
#include "tests/lib/failing_alloc.h"
#include "tests/lib/must.h"
#include "tests/unit/storage/past.h"

TestSuite(history, .init = past_begin, .fini = past_end);

Test(history, what_is_in_many_chunks_is_read_once_each)
{
	add_seconds(&world.one, 0, 50000);
	cr_assert_eq(checkpoint(), 0);
	add_seconds(&world.one, 50000, 20000);
	const struct sum sum = read_all(&world.one, 0, 100000);
	cr_expect_eq(sum.n, 70000);
	cr_expect_eq(sum.values, 70000.0 * 69999 / 2);
	cr_expect_eq(read_all(&world.one, 16383, 16384).n, 2);
	cr_expect_eq(read_all(&world.two, 0, 100000).n, 0);
}

Test(history, late_samples_come_between)
{
	add_seconds(&world.one, 0, 1000);
	add_seconds(&world.one, 2000, 1000);
	cr_assert_eq(checkpoint(), 0);
	add_seconds(&world.one, 1000, 1000);
	cr_assert_eq(checkpoint(), 0);
	add(&world.one, 5 * SECOND_NS / 2, 0.5);
	const struct sum sum = read_all(&world.one, 0, 3000);
	cr_expect_eq(sum.n, 3001);
	cr_expect_eq(sum.values, 3000.0 * 2999 / 2 + 0.5);
}

Test(history, interleaved_sources_are_merged_in_long_pieces)
{
	SCOPED(scope_history_reader) struct history_reader *r = NULL;
	const struct column *c;
	size_t n = 0, pieces = 0;

	for (int64_t i = 0; i < 16000; i++)
		add(&world.one, 2 * i, 1);
	cr_assert_eq(checkpoint(), 0);
	for (int64_t i = 0; i < 16000; i++)
		add(&world.one, 2 * i + 1, 2);
	cr_assert_eq(history_read(world.h, &world.one, TIME_MIN, TIME_MAX, &r), 0);
	for (; history_next(r, &c) > 0; n += c->n, pieces++)
		cr_assert(c->n <= CHUNK_SAMPLES_MAX);
	cr_expect_eq(n, 32000);
	cr_expect(pieces < 10, "%zu pieces", pieces);
}

Test(history, samples_at_the_ends_of_time_are_read)
{
	double v;

	add(&world.one, INT64_MIN, 1);
	add(&world.one, INT64_MAX, 2);
	cr_assert_eq(checkpoint(), 0);
	add(&world.one, INT64_MAX, 3);
	SCOPED(scope_history_reader) struct history_reader *r = NULL;
	const struct column *c;
	size_t n = 0;
	cr_assert_eq(history_read(world.h, &world.one, TIME_MIN, TIME_MAX, &r), 0);
	while (history_next(r, &c) > 0)
		n += c->n;
	cr_expect_eq(n, 2);
	SCOPED(scope_arena) struct arena *a = NULL;
	struct sample got;
	must(arena_new(&a, 1 << 16) == 0);
	cr_assert_eq(history_at(world.h, &world.one, INT64_MAX, a, &got), 0);
	v = got.value.real;
	cr_expect_eq(v, 3);
}

/* ---- Opening and failing ----------------------------------------------------------------------------------
 */

Test(history, a_run_that_is_named_and_missing_is_told_of)
{
	struct err_note note = {0};
	struct history *other = NULL;

	cr_expect_eq(history_open(&other, world.dir, 1 << 28, BYTES("3"), &note), ERR_CORRUPT);
	cr_expect(strstr(note.text, "0000000003"), "%s", note.text);
	cr_expect_eq(history_open(&other, world.dir, 1 << 28, BYTES("3x"), &note), ERR_CORRUPT);
}

Test(history, a_run_that_is_not_named_is_removed)
{
	char path[RUN_PATH_BYTES];

	add_seconds(&world.one, 0, 10);
	cr_assert_eq(history_freeze(world.h), 0);
	cr_assert_eq(history_write(world.h), 0);
	cr_assert_eq(run_path(world.dir, 1, path), 0);
	cr_expect_eq(access(path, F_OK), 0);
	reopen();
	cr_expect_neq(access(path, F_OK), 0);
}

Test(history, a_run_that_is_only_half_written_is_not_opened)
{
	struct run_writer w = {0};
	struct run *run = NULL;
	struct err_note note = {0};

	cr_assert_eq(run_writer_begin(&w, world.dir, 5, 1 << 20), 0);
	cr_assert_eq(
		run_writer_put(&w, &(struct run_key){1, RUN_CHUNK, 0}, BYTES("x"), &(struct run_span){0}), 0);
	cr_assert_eq(run_writer_pause(&w), 0);
	env_close(w.env);
	w.env = NULL;
	cr_expect_eq(run_open(&run, world.dir, 5, 1 << 20, &note), ERR_CORRUPT);
	cr_expect(strstr(note.text, "0000000005"), "%s", note.text);
}

Test(history, a_full_store_takes_no_more_and_loses_nothing)
{
	add_seconds(&world.one, 0, 1000);
	cr_assert_eq(checkpoint(), 0);
	world.h->limit_bytes = 4096;
	add_seconds(&world.one, 1000, 1000);
	cr_expect_eq(checkpoint(), ERR_FULL);
	cr_expect_eq(history_backlog(world.h), 1000);
	cr_expect_eq(read_all(&world.one, 0, 5000).n, 2000);
	world.h->limit_bytes = 1 << 28;
	cr_expect_eq(checkpoint(), 0);
	cr_expect_eq(history_backlog(world.h), 0);
	cr_expect_eq(read_all(&world.one, 0, 5000).n, 2000);
}

Test(history, a_run_that_outgrows_its_limit_is_none)
{
	world.h->limit_bytes = 256 * 1024;
	for (int64_t i = 0; i < 100000; i++)
		add(&world.one, i * i, (double)(i * 7919 % 100003) / 7);
	cr_expect_eq(checkpoint(), ERR_FULL);
	world.h->limit_bytes = 1 << 28;
	cr_expect_eq(checkpoint(), 0);
	cr_expect_eq(world.h->runs.n, 1);
	cr_expect_eq(history_backlog(world.h), 0);
}

Test(history, a_run_counts_though_the_checkpoint_failed_behind_it)
{
	add_seconds(&world.one, 0, 10);
	cr_assert_eq(history_freeze(world.h), 0);
	cr_assert_eq(history_write(world.h), 0);
	history_thaw(world.h, false);
	cr_expect_eq(history_backlog(world.h), 0);
	cr_expect_eq(read_all(&world.one, 0, 100).n, 10);
	cr_assert_eq(checkpoint(), 0); /* names it */
	reopen();
	cr_expect_eq(read_all(&world.one, 0, 100).n, 10);
}

Test(history, the_list_of_no_runs_is_not_empty)
{
	cr_assert_eq(checkpoint(), 0);
	cr_expect_gt(world.runs.len, 0);
	reopen();
	cr_expect_eq(world.h->runs.n, 0);
}

/* ---- Memory -----------------------------------------------------------------------------------------------
 */

static int add_all(int64_t round)
{
	const struct sample text = {
		.t_ns = round,
		.value = {.type = VALUE_TEXT, .text = "stand-by"},
		.quality = QUALITY_UNCERTAIN,
		.sigma = 0.5,
		.source = "gateway",
	};
	struct series third = {.id = 3, .type = VALUE_TEXT};

	TRY(history_add(world.h, third.id, &third.chain, &text));
	for (int64_t i = 0; i < 100; i++)
		TRY(history_add_number(world.h, world.one.id, &world.one.chain, (round * 50 + i) * SECOND_NS,
				       VALUE_DOUBLE, 0, QUALITY_GOOD, NULL));
	return 0;
}

static int write_one(void)
{
	TRY(history_freeze(world.h));
	const int r = history_write(world.h);
	history_thaw(world.h, r == 0);
	return r;
}

static int merge_one(void)
{
	int r = history_merge_begin(world.h, rule_of, NULL, 10);

	TRY(r);
	if (r == HISTORY_NOTHING)
		return 0;
	while ((r = history_merge_step(world.h)) == 0)
		;
	history_merge_end(world.h, r > 0);
	return r < 0 ? r : 0;
}

static int read_one(void)
{
	SCOPED(scope_history_reader) struct history_reader *reader = NULL;
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct bucket_range range = hours(0, 3600);
	const struct column *c;
	struct sample sample;
	struct bucket *got;
	size_t n = 0;
	bool more;
	int r;

	TRY(arena_new(&a, 1 << 20));
	TRY(history_read(world.h, &world.one, TIME_MIN, TIME_MAX, &reader));
	while ((r = history_next(reader, &c)) > 0)
		n += c->n;
	TRY(r);
	cr_assert(n >= 100);
	r = history_at(world.h, &world.one, TIME_MAX, a, &sample);
	TRY(r);
	return history_buckets(world.h, &world.one, &range, a, &got, &n, &more);
}

static int live(void)
{
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		TRY(add_all(i));
		TRY(write_one());
	}
	TRY(add_all(MERGE_RUNS));
	TRY(read_one());
	TRY(merge_one());
	TRY(read_one());
	return history_scrub_step(world.h) < 0 ? -ENOMEM : 0;
}

Test(history, every_allocation_may_fail)
{
	const struct series_rule rule = {true, 60 * SECOND_NS, 3600 * SECOND_NS, 0};
	bool failed = true;

	world.rules[world.one.id] = rule;
	for (long allowed = 0; failed; allowed += 1 + allowed / 16) {
		alloc_fail_after(allowed);
		const int r = live();
		failed = alloc_has_failed();
		alloc_fail_after(-1);
		if (r < 0)
			cr_expect_eq(r, -ENOMEM, "allocation %ld: %s", allowed, err_text(r));
		else if (failed)
			cr_expect_eq(r, 0);
		if (world.h->merge)
			history_merge_end(world.h, false);
		past_end();
		past_begin();
		world.rules[world.one.id] = rule;
	}
}
