/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/merge.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/storage/past.h"

TestSuite(merge, .init = past_begin, .fini = past_end);

/* ---- Merging ----------------------------------------------------------------------------------------------
 */

Test(merge, eight_runs_become_one)
{
	eight_runs();
	cr_assert_eq(merge(), 1);
	cr_expect_eq(world.h->runs.n, 1);
	cr_expect_eq(world.h->runs.runs[0]->meta.level, 1);
	cr_expect_eq(read_all(&world.one, 0, 9000).values, 8000.0 * 7999 / 2);
	reopen();
	cr_expect_eq(read_all(&world.one, 0, 9000).n, 8000);
	cr_expect_eq(read_all(&world.two, 0, 9000).n, 80);
	cr_expect_eq(merge(), HISTORY_NOTHING);
}

Test(merge, fewer_runs_are_left_alone)
{
	for (int64_t i = 0; i + 1 < MERGE_RUNS; i++) {
		add_seconds(&world.one, i, 1);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_expect_eq(merge(), HISTORY_NOTHING);
}

Test(merge, what_is_written_during_a_merge_stays_the_younger)
{
	double v;

	eight_runs();
	cr_assert_eq(history_merge_begin(world.h, rule_of, NULL, 10), 0);
	add(&world.one, 5 * SECOND_NS, -1);
	cr_assert_eq(checkpoint(), 0);
	cr_assert_eq(history_merge_step(world.h), 1);
	buf_clear(&world.runs);
	history_runs(world.h, &world.runs);
	history_merge_end(world.h, true);
	cr_expect_eq(world.h->runs.n, 2);
	cr_assert_eq(value_at(&world.one, 5, &v), 0);
	cr_expect_eq(v, -1);
	reopen();
	cr_assert_eq(value_at(&world.one, 5, &v), 0);
	cr_expect_eq(v, -1);
}

Test(merge, a_merge_given_up_changes_nothing)
{
	eight_runs();
	world.h->merge_work = 1;
	cr_assert_eq(history_merge_begin(world.h, rule_of, NULL, 10), 0);
	cr_assert_eq(history_merge_step(world.h), 0);
	history_merge_end(world.h, false);
	cr_expect_eq(world.h->runs.n, 8);
	cr_expect_eq(read_all(&world.one, 0, 9000).n, 8000);
	cr_expect_eq(merge(), 1);
}

Test(merge, what_was_merged_stays_until_something_durable_names_the_result)
{
	eight_runs();
	cr_assert_eq(history_merge_begin(world.h, rule_of, NULL, 10), 0);
	cr_assert_eq(history_merge_step(world.h), 1);
	history_merge_end(world.h, false);
	cr_expect_eq(world.h->runs.n, 1);
	cr_expect_eq(read_all(&world.one, 0, 9000).n, 8000);
	reopen(); /* by the list from before */
	cr_expect_eq(world.h->runs.n, 8);
	cr_expect_eq(read_all(&world.one, 0, 9000).n, 8000);
}

Test(merge, what_was_merged_goes_with_the_next_checkpoint)
{
	char path[RUN_PATH_BYTES];

	eight_runs();
	cr_assert_eq(history_merge_begin(world.h, rule_of, NULL, 10), 0);
	cr_assert_eq(history_merge_step(world.h), 1);
	history_merge_end(world.h, false);
	cr_assert_eq(run_path(world.dir, 1, path), 0);
	cr_expect_eq(access(path, F_OK), 0);
	cr_assert_eq(checkpoint(), 0);
	cr_expect_neq(access(path, F_OK), 0);
	reopen();
	cr_expect_eq(read_all(&world.one, 0, 9000).n, 8000);
}

Test(merge, of_a_series_that_is_gone_nothing_is_kept)
{
	eight_runs();
	world.rules[world.two.id].alive = false;
	cr_assert_eq(merge(), 1);
	cr_expect_eq(read_all(&world.two, 0, 9000).n, 0);
	cr_expect_eq(read_all(&world.one, 0, 9000).n, 8000);
}

Test(merge, when_all_series_are_gone_no_run_is_left)
{
	eight_runs();
	world.rules[world.one.id].alive = world.rules[world.two.id].alive = false;
	cr_assert_eq(merge(), 1);
	cr_expect_eq(world.h->runs.n, 0);
	reopen();
	cr_expect_eq(read_all(&world.one, 0, 9000).n, 0);
}

Test(merge, a_run_that_cannot_be_walked_is_merged_no_more)
{
	eight_runs();
	world.h->runs.runs[7]->stuck = true;
	cr_expect_eq(merge(), HISTORY_NOTHING);
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add_seconds(&world.one, 9000 + i, 1);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_assert_eq(merge(), 1);
	cr_expect_eq(world.h->runs.n, 9);
	cr_expect_eq(read_all(&world.one, 0, 8000).n, 8000);
	cr_expect_eq(merge(), HISTORY_NOTHING);
}

/* A level-1 run of readings that a dictionary suits: few values, far apart, in no order. */
static void add_merged_run(int64_t begin_s)
{
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		for (int64_t k = 0; k < 500; k++) {
			const uint64_t t_s = (uint64_t)(begin_s + i * 500 + k);
			const uint64_t mixed = t_s * UINT64_C(0x9e3779b97f4a7c15) >> 61;
			add(&world.one, (int64_t)t_s * SECOND_NS, (double)(mixed * mixed * mixed * 1717));
		}
		cr_assert_eq(checkpoint(), 0);
	}
	cr_assert_eq(merge(), 1);
}

Test(merge, the_second_merge_looks_for_the_smallest_chunks)
{
	uint64_t bytes = 0;

	for (int64_t i = 0; i < MERGE_RUNS; i++)
		add_merged_run(i * 4000);
	for (size_t i = 0; i < world.h->runs.n; i++)
		bytes += world.h->runs.runs[i]->meta.bytes;
	const struct sum before = read_all(&world.one, 0, 40000);
	cr_assert_eq(merge(), 1);
	cr_assert_eq(world.h->runs.n, 1);
	cr_expect_eq(world.h->runs.runs[0]->meta.level, 2);
	cr_expect_lt(10 * world.h->runs.runs[0]->meta.bytes, 7 * bytes);
	cr_expect_eq(read_all(&world.one, 0, 40000).n, 8 * 4000);
	cr_expect_eq(read_all(&world.one, 0, 40000).values, before.values);
}

/* ---- Retention --------------------------------------------------------------------------------------------
 */

/* All buckets of an hour of the first series as one. */
static struct bucket total(void)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct bucket_range range = hours(0, 1000 * 3600);
	struct bucket *got, sum = {0};
	size_t n;
	bool more;

	must(arena_new(&a, 1 << 20) == 0);
	cr_assert_eq(history_buckets(world.h, &world.one, &range, a, &got, &n, &more), 0);
	cr_assert(!more);
	for (size_t i = 0; i < n; i++)
		bucket_join(&sum, &got[i]);
	return sum;
}

Test(merge, expired_samples_live_on_in_buckets)
{
	int64_t since_ns;

	a_day();
	const struct bucket before = total();
	world.rules[world.one.id] = (struct series_rule){true, 6 * HOUR_NS, 12 * HOUR_NS, 240 * HOUR_NS};
	cr_assert_eq(merge(), 1);
	const struct bucket after = total();
	cr_expect_eq(after.n, 86400);
	cr_expect_eq(after.n, before.n);
	cr_expect_float_eq(after.mean, before.mean, 1e-6);
	cr_expect_float_eq(after.m2 / before.m2, 1, 1e-9);
	cr_expect(after.min == 0 && after.max == 86399 && after.last == 86399 && after.coarse);
	cr_assert_eq(history_raw_since(world.h, &world.one, &since_ns), 0);
	cr_expect_eq(since_ns, time_floor(86399 * SECOND_NS - 6 * HOUR_NS, MINUTE_NS));
	const struct sum raw = read_all(&world.one, 0, 90000);
	cr_expect_eq(raw.n, 86400 - (size_t)(since_ns / SECOND_NS));
}

Test(merge, what_is_not_to_be_rolled_up_is_gone)
{
	a_day();
	world.rules[world.one.id] = (struct series_rule){true, 6 * HOUR_NS, 0, 0};
	cr_assert_eq(merge(), 1);
	cr_expect_eq(total().n, read_all(&world.one, 0, 90000).n);
	cr_expect(total().n < 7 * 3600);
}

Test(merge, minutes_become_hours_and_hours_end)
{
	int64_t before_ns, after_ns;

	world.rules[world.one.id] = (struct series_rule){true, 2 * HOUR_NS, 4 * HOUR_NS, 18 * HOUR_NS};
	a_day();
	cr_assert_eq(merge(), 1);
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add_seconds(&world.one, 86400 + i * 3600, 3600);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_assert_eq(merge(), 1);
	cr_expect_eq(world.h->runs.n, 1);
	/* 32 hours came; the last of them began 24 hours before the last sample, at the hour. */
	const struct bucket all = total();
	cr_expect_eq(all.n, 25 * 3600);
	cr_expect_eq(all.min, 7 * 3600);
	reopen();
	cr_expect_eq(total().n, 25 * 3600);
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add_seconds(&world.one, 32 * 3600 + i, 1);
		cr_assert_eq(checkpoint(), 0);
	}
	world.h->runs.runs[0]->meta.level = 0; /* so that it is merged though nothing new has expired */
	cr_assert_eq(history_raw_since(world.h, &world.one, &before_ns), 0);
	cr_assert_eq(merge(), 1);
	cr_expect_eq(world.h->runs.n, 1);
	cr_assert_eq(history_raw_since(world.h, &world.one, &after_ns), 0);
	cr_expect(before_ns == after_ns && before_ns != TIME_MIN);
}

Test(merge, retention_is_looked_at_when_time_has_gone_on)
{
	world.rules[world.one.id] = (struct series_rule){true, 2 * HOUR_NS, 6 * HOUR_NS, 24 * HOUR_NS};
	a_day();
	cr_assert_eq(merge(), 1);
	for (int64_t i = 0; i < MERGE_RUNS; i++) { /* nothing new has expired: no merge of all */
		add_seconds(&world.one, 86400 + i, 1);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_assert_eq(merge(), 1);
	cr_expect_eq(world.h->runs.n, 2);
}

Test(merge, late_samples_join_their_buckets)
{
	world.rules[world.one.id] = (struct series_rule){true, 2 * HOUR_NS, 6 * HOUR_NS, 240 * HOUR_NS};
	a_day();
	cr_assert_eq(merge(), 1);
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add(&world.one, 3600 * SECOND_NS + i + 1, 1e6);
		add_seconds(&world.one, 86400 + i * 900, 900);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_expect_eq(total().n, 86400 + 7200 + 8);
	cr_assert_eq(merge(), 1);
	const struct bucket all = total();
	cr_expect_eq(all.n, 86400 + 7200 + 8);
	cr_expect_eq(all.max, 1e6);
	cr_expect_eq(read_all(&world.one, 0, 7200).n, 0);
}

Test(merge, bad_samples_are_counted_apart)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct bucket_range range = hours(0, 3600);
	struct bucket *got;
	size_t n;
	bool more;

	add(&world.one, 1, 4);
	add(&world.one, 2, (double)NAN);
	cr_assert_eq(history_add_number(world.h, world.one.id, &world.one.chain, 3, VALUE_DOUBLE, 0,
					QUALITY_BAD, "gauge"),
		     0);
	must(arena_new(&a, 1 << 20) == 0);
	cr_assert_eq(history_buckets(world.h, &world.one, &range, a, &got, &n, &more), 0);
	cr_assert_eq(n, 1);
	cr_expect(got[0].n == 1 && got[0].n_bad == 2 && got[0].mean == 4 && got[0].last == 4);
	const struct series text = {.id = 3, .type = VALUE_TEXT};
	cr_expect_eq(history_buckets(world.h, &text, &range, a, &got, &n, &more), ERR_REFUSED);
}

/* ---- Damage -----------------------------------------------------------------------------------------------
 */

/* Flip a bit in the record of a run that begins at a time. */
static void damage(size_t run, const struct series *s, enum run_kind kind, int64_t t0_s)
{
	uint8_t stored[48], *file;
	char path[RUN_PATH_BYTES + 16];
	struct stat st;

	{
		SCOPED(run_walk_end) struct run_walk w = {0};
		must(run_walk_begin(&w, world.h->runs.runs[run], s->id, kind) == 0);
		must(run_walk_floor(&w, t0_s * SECOND_NS) == 1 && w.key.t_ns == t0_s * SECOND_NS);
		must(w.walk.stored.len >= sizeof stored);
		memcpy(stored, w.walk.stored.data, sizeof stored);
	}
	snprintf(path, sizeof path, "%s/data.mdb", world.h->runs.runs[run]->dir);
	history_close(world.h);
	world.h = NULL;
	const int fd = open(path, O_RDWR);
	must(fd >= 0 && fstat(fd, &st) == 0 && (file = malloc((size_t)st.st_size)));
	must(read(fd, file, (size_t)st.st_size) == st.st_size);
	for (off_t at = 0; at + (off_t)sizeof stored <= st.st_size; at++)
		if (memcmp(file + at, stored, sizeof stored) == 0) {
			const uint8_t flipped = stored[40] ^ 4;
			must(pwrite(fd, &flipped, 1, at + 40) == 1);
		}
	free(file);
	close(fd);
	open_it();
}

Test(merge, a_rotten_chunk_is_told_of_where_it_lies)
{
	double v;

	add_seconds(&world.one, 0, 1000);
	cr_assert_eq(checkpoint(), 0);
	for (int64_t i = 0; i < 3000; i++)
		add(&world.one, (1000 + i) * SECOND_NS, (double)(i * 7919 % 3001) / 7);
	cr_assert_eq(checkpoint(), 0);
	add_seconds(&world.one, 5000, 1000);
	cr_assert_eq(checkpoint(), 0);
	damage(1, &world.one, RUN_CHUNK, 1000);

	const struct sum all = read_all(&world.one, 0, 9000);
	cr_expect_eq(all.r, ERR_CORRUPT);
	cr_expect_eq(all.n, 1000);
	cr_expect_eq(read_all(&world.one, 5000, 9000).n, 1000);
	cr_expect_eq(read_all(&world.one, 1500, 1600).r, ERR_CORRUPT);
	cr_expect_eq(value_at(&world.one, 999, &v), 0);
	cr_expect_eq(value_at(&world.one, 2000, &v), ERR_CORRUPT);
	cr_expect_eq(value_at(&world.one, 5000, &v), 0);
}

Test(merge, what_comes_before_a_rotten_chunk_is_read_though_they_overlap)
{
	for (int64_t i = 0; i < 100; i++)
		add(&world.one, 2 * i * SECOND_NS, 1);
	cr_assert_eq(checkpoint(), 0);
	for (int64_t i = 0; i < 100; i++)
		add(&world.one, (51 + 2 * i) * SECOND_NS, (double)(i * 7919 % 1009) / 7);
	cr_assert_eq(checkpoint(), 0);
	for (int64_t i = 0; i < 10; i++)
		add(&world.one, (21 + 2 * i) * SECOND_NS, 1);
	damage(1, &world.one, RUN_CHUNK, 51);
	for (int64_t i = 0; i < 10; i++)
		add(&world.one, (21 + 2 * i) * SECOND_NS, 1);
	const struct sum all = read_all(&world.one, 0, 9000);
	cr_expect_eq(all.r, ERR_CORRUPT);
	cr_expect_eq(all.n, 26 + 10);
}

static void rotten_in_eight(void)
{
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		for (int64_t k = 0; k < 1000; k++)
			add(&world.one, (i * 1000 + k) * SECOND_NS, (double)(k * 7919 % 1009) / 7);
		cr_assert_eq(checkpoint(), 0);
	}
	damage(3, &world.one, RUN_CHUNK, 3000);
}

Test(merge, a_merge_goes_on_behind_a_rotten_chunk_and_remembers_it)
{
	double v;

	rotten_in_eight();
	cr_assert_eq(merge(), 1);
	cr_expect_eq(world.h->runs.n, 1);
	cr_expect_eq(world.h->runs.runs[0]->meta.n_lost, 1);
	reopen();
	const struct sum all = read_all(&world.one, 0, 9000);
	cr_expect_eq(all.r, ERR_CORRUPT);
	cr_expect_eq(all.n, 3000);
	cr_expect_eq(read_all(&world.one, 3500, 3600).r, ERR_CORRUPT);
	cr_expect_eq(read_all(&world.one, 4000, 9000).n, 4000);
	cr_expect_eq(value_at(&world.one, 3500, &v), ERR_CORRUPT);
	cr_expect_eq(value_at(&world.one, 2999, &v), 0);
	cr_expect_eq(value_at(&world.one, 4000, &v), 0);
}

Test(merge, what_was_lost_stays_known_through_further_merges)
{
	SCOPED(run_walk_end) struct run_walk w = {0};
	struct run_lost lost;
	struct bytes value;

	rotten_in_eight();
	cr_assert_eq(merge(), 1);
	world.h->runs.runs[0]->meta.level = 0; /* so that it is merged with the next seven */
	for (int64_t i = 1; i < MERGE_RUNS; i++) {
		add_seconds(&world.one, 9000 + i, 1);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_assert_eq(merge(), 1);
	cr_expect_eq(world.h->runs.runs[0]->meta.n_lost, 1);
	cr_expect_eq(read_all(&world.one, 3500, 3600).r, ERR_CORRUPT);
	cr_assert_eq(run_walk_begin(&w, world.h->runs.runs[0], world.one.id, RUN_LOST), 0);
	cr_assert_eq(run_walk_next(&w), 1);
	cr_assert_eq(run_walk_value(&w, &value), 0);
	cr_assert_eq(run_lost_decode(value, &lost), 0);
	cr_expect_eq(lost.last_ns, 3999 * SECOND_NS);
	cr_expect_gt(lost.stored.len, 100);
}

Test(merge, rotten_buckets_are_told_of)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct bucket_range range = hours(0, 1000 * 3600);
	struct bucket *got;
	size_t n;
	bool more;

	world.rules[world.one.id] = (struct series_rule){true, 2 * HOUR_NS, 240 * HOUR_NS, 0};
	a_day();
	cr_assert_eq(merge(), 1);
	damage(0, &world.one, RUN_MINUTES, 0);
	must(arena_new(&a, 1 << 20) == 0);
	cr_expect_eq(history_buckets(world.h, &world.one, &range, a, &got, &n, &more), ERR_CORRUPT);
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add_seconds(&world.one, 86400 + i * 900, 900);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_assert_eq(merge(), 1);
	cr_expect_eq(world.h->runs.runs[0]->meta.n_lost, 1);
	cr_expect_eq(history_buckets(world.h, &world.one, &range, a, &got, &n, &more), ERR_CORRUPT);
}

Test(merge, scrubbing_finds_rot)
{
	struct history_health health;
	int r;

	rotten_in_eight();
	while ((r = history_scrub_step(world.h)) == 0)
		;
	cr_expect_eq(r, 1);
	history_health(world.h, &health);
	cr_expect_eq(health.n_runs, 8);
	cr_expect_eq(health.scrubbed, 8);
	cr_expect_eq(health.rotten, 1);
	cr_expect(strstr(health.first_rotten, "0000000004, series 7"), "%s", health.first_rotten);
	while ((r = history_scrub_step(world.h)) == 0)
		;
	history_health(world.h, &health);
	cr_expect_eq(health.scrubbed, 16);
}
