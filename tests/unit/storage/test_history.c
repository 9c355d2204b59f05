/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/history.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/clock.h"
#include "storage/history_private.h"
#include "storage/merge.h"
#include "tests/lib/failing_alloc.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

#define SECOND_NS INT64_C(1000000000)

static struct history *h;
static char dir[160];
static struct buf runs;
static struct series one = {.id = 7, .type = VALUE_DOUBLE}, two = {.id = 9, .type = VALUE_DOUBLE};
static struct series_rule rules[10];

static void open_it(void)
{
	struct err_note note = {0};

	cr_assert_eq(history_open(&h, dir, 1 << 28, buf_bytes(&runs), &note), 0, "%s", note.text);
	one.chain = two.chain = 0;
}

static void begin(void)
{
	snprintf(dir, sizeof dir, "%s/history", tmpdir_make());
	for (size_t i = 0; i < 10; i++)
		rules[i] = (struct series_rule){.alive = true};
	open_it();
}

static void end(void)
{
	history_close(h);
	h = NULL;
	buf_fini(&runs);
	tmpdir_remove();
}

TestSuite(history, .init = begin, .fini = end);

static void reopen(void)
{
	history_close(h);
	open_it();
}

static void add(struct series *s, int64_t t_ns, double v)
{
	const struct value value = {.type = VALUE_DOUBLE, .real = v};

	cr_assert_eq(history_add_number(h, s->id, &s->chain, t_ns, VALUE_DOUBLE, value_bits(&value),
					QUALITY_GOOD, NULL),
		     0);
}

/* n samples from a time on, a second apart; their values are their seconds. */
static void add_seconds(struct series *s, int64_t begin_s, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		add(s, (begin_s + i) * SECOND_NS, (double)(begin_s + i));
}

static int checkpoint(void)
{
	cr_assert_eq(history_freeze(h), 0);
	const int r = history_write(h);
	if (r == 0) {
		buf_clear(&runs);
		history_runs(h, &runs);
	}
	history_thaw(h, r == 0);
	return r;
}

static struct series_rule rule_of(const void *ctx, uint32_t series)
{
	(void)ctx;
	return rules[series];
}

static int merge(void)
{
	int r = history_merge_begin(h, rule_of, NULL, 10);

	if (r != 0)
		return r;
	while ((r = history_merge_step(h)) == 0)
		;
	if (r > 0) {
		buf_clear(&runs);
		history_runs(h, &runs);
	}
	history_merge_end(h, r > 0);
	return r;
}

/* How many samples, and the sum of their values; what came before a failure counts. */
struct sum {
	size_t n;
	double values;
	int r;
};

static struct sum read_all(const struct series *s, int64_t from_s, int64_t to_s)
{
	SCOPED(scope_history_reader) struct history_reader *r = NULL;
	const struct column *c;
	struct sum sum = {0};

	sum.r = history_read(h, s, from_s * SECOND_NS, to_s * SECOND_NS, &r);
	while (sum.r == 0 && (sum.r = history_next(r, &c)) > 0) {
		cr_assert(c->n > 0 && c->n <= CHUNK_SAMPLES_MAX);
		for (size_t i = 0; i < c->n; i++)
			sum.values += column_get(c, i).value.real;
		sum.n += c->n;
		sum.r = 0;
	}
	return sum;
}

static int value_at(const struct series *s, int64_t at_s, double *ret)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct sample got;

	must(arena_new(&a, 1 << 16) == 0);
	const int r = history_at(h, s, at_s * SECOND_NS, a, &got);
	if (r == 0)
		*ret = got.value.real;
	return r;
}

Test(history, what_is_in_many_chunks_is_read_once_each)
{
	add_seconds(&one, 0, 50000);
	cr_assert_eq(checkpoint(), 0);
	add_seconds(&one, 50000, 20000);
	const struct sum sum = read_all(&one, 0, 100000);
	cr_expect_eq(sum.n, 70000);
	cr_expect_eq(sum.values, 70000.0 * 69999 / 2);
	cr_expect_eq(read_all(&one, 16383, 16384).n, 2);
	cr_expect_eq(read_all(&two, 0, 100000).n, 0);
}

Test(history, late_samples_come_between)
{
	add_seconds(&one, 0, 1000);
	add_seconds(&one, 2000, 1000);
	cr_assert_eq(checkpoint(), 0);
	add_seconds(&one, 1000, 1000);
	cr_assert_eq(checkpoint(), 0);
	add(&one, 5 * SECOND_NS / 2, 0.5);
	const struct sum sum = read_all(&one, 0, 3000);
	cr_expect_eq(sum.n, 3001);
	cr_expect_eq(sum.values, 3000.0 * 2999 / 2 + 0.5);
}

Test(history, interleaved_sources_are_merged_in_long_pieces)
{
	SCOPED(scope_history_reader) struct history_reader *r = NULL;
	const struct column *c;
	size_t n = 0, pieces = 0;

	for (int64_t i = 0; i < 16000; i++)
		add(&one, 2 * i, 1);
	cr_assert_eq(checkpoint(), 0);
	for (int64_t i = 0; i < 16000; i++)
		add(&one, 2 * i + 1, 2);
	cr_assert_eq(history_read(h, &one, TIME_MIN, TIME_MAX, &r), 0);
	for (; history_next(r, &c) > 0; n += c->n, pieces++)
		cr_assert(c->n <= CHUNK_SAMPLES_MAX);
	cr_expect_eq(n, 32000);
	cr_expect(pieces < 10, "%zu pieces", pieces);
}

Test(history, samples_at_the_ends_of_time_are_read)
{
	double v;

	add(&one, INT64_MIN, 1);
	add(&one, INT64_MAX, 2);
	cr_assert_eq(checkpoint(), 0);
	add(&one, INT64_MAX, 3);
	SCOPED(scope_history_reader) struct history_reader *r = NULL;
	const struct column *c;
	size_t n = 0;
	cr_assert_eq(history_read(h, &one, TIME_MIN, TIME_MAX, &r), 0);
	while (history_next(r, &c) > 0)
		n += c->n;
	cr_expect_eq(n, 2);
	SCOPED(scope_arena) struct arena *a = NULL;
	struct sample got;
	must(arena_new(&a, 1 << 16) == 0);
	cr_assert_eq(history_at(h, &one, INT64_MAX, a, &got), 0);
	v = got.value.real;
	cr_expect_eq(v, 3);
}

/* ---- Opening and failing ----------------------------------------------------------------------------------
 */

Test(history, a_run_that_is_named_and_missing_is_told_of)
{
	struct err_note note = {0};
	struct history *other = NULL;

	cr_expect_eq(history_open(&other, dir, 1 << 28, BYTES("3"), &note), ERR_CORRUPT);
	cr_expect(strstr(note.text, "0000000003"), "%s", note.text);
	cr_expect_eq(history_open(&other, dir, 1 << 28, BYTES("3x"), &note), ERR_CORRUPT);
}

Test(history, a_run_that_is_not_named_is_removed)
{
	char path[RUN_PATH_BYTES];

	add_seconds(&one, 0, 10);
	cr_assert_eq(history_freeze(h), 0);
	cr_assert_eq(history_write(h), 0);
	cr_assert_eq(run_path(dir, 1, path), 0);
	cr_expect_eq(access(path, F_OK), 0);
	reopen();
	cr_expect_neq(access(path, F_OK), 0);
}

Test(history, a_run_that_is_only_half_written_is_not_opened)
{
	struct run_writer w = {0};
	struct run *run = NULL;
	struct err_note note = {0};

	cr_assert_eq(run_writer_begin(&w, dir, 5, 1 << 20), 0);
	cr_assert_eq(
		run_writer_put(&w, &(struct run_key){1, RUN_CHUNK, 0}, BYTES("x"), &(struct run_span){0}), 0);
	cr_assert_eq(run_writer_pause(&w), 0);
	env_close(w.env);
	w.env = NULL;
	cr_expect_eq(run_open(&run, dir, 5, 1 << 20, &note), ERR_CORRUPT);
	cr_expect(strstr(note.text, "0000000005"), "%s", note.text);
}

Test(history, a_full_store_takes_no_more_and_loses_nothing)
{
	add_seconds(&one, 0, 1000);
	cr_assert_eq(checkpoint(), 0);
	h->limit_bytes = 4096;
	add_seconds(&one, 1000, 1000);
	cr_expect_eq(checkpoint(), ERR_FULL);
	cr_expect_eq(history_backlog(h), 1000);
	cr_expect_eq(read_all(&one, 0, 5000).n, 2000);
	h->limit_bytes = 1 << 28;
	cr_expect_eq(checkpoint(), 0);
	cr_expect_eq(history_backlog(h), 0);
	cr_expect_eq(read_all(&one, 0, 5000).n, 2000);
}

Test(history, a_run_that_outgrows_its_limit_is_none)
{
	h->limit_bytes = 256 * 1024;
	for (int64_t i = 0; i < 100000; i++)
		add(&one, i * i, (double)(i * 7919 % 100003) / 7);
	cr_expect_eq(checkpoint(), ERR_FULL);
	h->limit_bytes = 1 << 28;
	cr_expect_eq(checkpoint(), 0);
	cr_expect_eq(h->runs.n, 1);
	cr_expect_eq(history_backlog(h), 0);
}

/* ---- Merging ----------------------------------------------------------------------------------------------
 */

static void eight_runs(void)
{
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add_seconds(&one, i * 1000, 1000);
		add_seconds(&two, i * 10, 10);
		cr_assert_eq(checkpoint(), 0);
	}
}

Test(history, eight_runs_become_one)
{
	eight_runs();
	cr_assert_eq(merge(), 1);
	cr_expect_eq(h->runs.n, 1);
	cr_expect_eq(h->runs.runs[0]->meta.level, 1);
	cr_expect_eq(read_all(&one, 0, 9000).values, 8000.0 * 7999 / 2);
	reopen();
	cr_expect_eq(read_all(&one, 0, 9000).n, 8000);
	cr_expect_eq(read_all(&two, 0, 9000).n, 80);
	cr_expect_eq(merge(), HISTORY_NOTHING);
}

Test(history, fewer_runs_are_left_alone)
{
	for (int64_t i = 0; i + 1 < MERGE_RUNS; i++) {
		add_seconds(&one, i, 1);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_expect_eq(merge(), HISTORY_NOTHING);
}

Test(history, what_is_written_during_a_merge_stays_the_younger)
{
	double v;

	eight_runs();
	cr_assert_eq(history_merge_begin(h, rule_of, NULL, 10), 0);
	add(&one, 5 * SECOND_NS, -1);
	cr_assert_eq(checkpoint(), 0);
	cr_assert_eq(history_merge_step(h), 1);
	buf_clear(&runs);
	history_runs(h, &runs);
	history_merge_end(h, true);
	cr_expect_eq(h->runs.n, 2);
	cr_assert_eq(value_at(&one, 5, &v), 0);
	cr_expect_eq(v, -1);
	reopen();
	cr_assert_eq(value_at(&one, 5, &v), 0);
	cr_expect_eq(v, -1);
}

Test(history, a_merge_given_up_changes_nothing)
{
	eight_runs();
	cr_assert_eq(history_merge_begin(h, rule_of, NULL, 10), 0);
	cr_assert_eq(history_merge_step(h), 1);
	history_merge_end(h, false);
	cr_expect_eq(h->runs.n, 8);
	cr_expect_eq(read_all(&one, 0, 9000).n, 8000);
	reopen();
	cr_expect_eq(read_all(&one, 0, 9000).n, 8000);
	cr_expect_eq(merge(), 1);
}

Test(history, of_a_series_that_is_gone_nothing_is_kept)
{
	eight_runs();
	rules[two.id].alive = false;
	cr_assert_eq(merge(), 1);
	cr_expect_eq(read_all(&two, 0, 9000).n, 0);
	cr_expect_eq(read_all(&one, 0, 9000).n, 8000);
}

Test(history, when_all_series_are_gone_no_run_is_left)
{
	eight_runs();
	rules[one.id].alive = rules[two.id].alive = false;
	cr_assert_eq(merge(), 1);
	cr_expect_eq(h->runs.n, 0);
	cr_expect_eq(runs.len, 0);
	reopen();
	cr_expect_eq(read_all(&one, 0, 9000).n, 0);
}

Test(history, a_run_that_cannot_be_walked_is_merged_no_more)
{
	eight_runs();
	h->runs.runs[7]->stuck = true;
	cr_expect_eq(merge(), HISTORY_NOTHING);
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add_seconds(&one, 9000 + i, 1);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_assert_eq(merge(), 1);
	cr_expect_eq(h->runs.n, 9);
	cr_expect_eq(read_all(&one, 0, 8000).n, 8000);
	cr_expect_eq(merge(), HISTORY_NOTHING);
}

Test(history, a_run_that_was_not_sure_to_count_goes_when_another_does)
{
	char path[RUN_PATH_BYTES];

	add_seconds(&one, 0, 10);
	cr_assert_eq(history_freeze(h), 0);
	cr_assert_eq(history_write(h), 0);
	history_thaw(h, false);
	cr_assert_eq(run_path(dir, 1, path), 0);
	cr_expect_eq(access(path, F_OK), 0); /* what is durable may name it */
	cr_assert_eq(checkpoint(), 0);
	cr_expect_neq(access(path, F_OK), 0);
	cr_expect_eq(read_all(&one, 0, 100).n, 10);
}

/* ---- Retention --------------------------------------------------------------------------------------------
 */

static struct bucket_range hours(int64_t from_s, int64_t to_s)
{
	return (struct bucket_range){from_s * SECOND_NS, to_s * SECOND_NS, HOUR_NS, 1000};
}

/* All buckets of an hour of the first series as one. */
static struct bucket total(void)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct bucket_range range = hours(0, 1000 * 3600);
	struct bucket *got, sum = {0};
	size_t n;
	bool more;

	must(arena_new(&a, 1 << 20) == 0);
	cr_assert_eq(history_buckets(h, &one, &range, a, &got, &n, &more), 0);
	cr_assert(!more);
	for (size_t i = 0; i < n; i++)
		bucket_join(&sum, &got[i]);
	return sum;
}

/* Eight runs of three hours each, a sample every second. */
static void a_day(void)
{
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add_seconds(&one, i * 3 * 3600, 3 * 3600);
		cr_assert_eq(checkpoint(), 0);
	}
}

Test(history, expired_samples_live_on_in_buckets)
{
	int64_t since_ns;

	a_day();
	const struct bucket before = total();
	rules[one.id] = (struct series_rule){true, 6 * HOUR_NS, 12 * HOUR_NS, 240 * HOUR_NS};
	cr_assert_eq(merge(), 1);
	const struct bucket after = total();
	cr_expect_eq(after.n, 86400);
	cr_expect_eq(after.n, before.n);
	cr_expect_float_eq(after.mean, before.mean, 1e-6);
	cr_expect_float_eq(after.m2 / before.m2, 1, 1e-9);
	cr_expect(after.min == 0 && after.max == 86399 && after.last == 86399 && after.coarse);
	cr_assert_eq(history_raw_since(h, &one, &since_ns), 0);
	cr_expect_eq(since_ns, time_floor(86399 * SECOND_NS - 6 * HOUR_NS, MINUTE_NS));
	const struct sum raw = read_all(&one, 0, 90000);
	cr_expect_eq(raw.n, 86400 - (size_t)(since_ns / SECOND_NS));
}

Test(history, what_is_not_to_be_rolled_up_is_gone)
{
	a_day();
	rules[one.id] = (struct series_rule){true, 6 * HOUR_NS, 0, 0};
	cr_assert_eq(merge(), 1);
	cr_expect_eq(total().n, read_all(&one, 0, 90000).n);
	cr_expect(total().n < 7 * 3600);
}

Test(history, minutes_become_hours_and_hours_end)
{
	int64_t before_ns, after_ns;

	rules[one.id] = (struct series_rule){true, 2 * HOUR_NS, 6 * HOUR_NS, 24 * HOUR_NS};
	a_day();
	cr_assert_eq(merge(), 1);
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add_seconds(&one, 86400 + i * 3600, 3600);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_assert_eq(merge(), 1);
	cr_expect_eq(h->runs.n, 1);
	/* 32 hours came; the last of them began 24 hours before the last sample, at the hour. */
	const struct bucket all = total();
	cr_expect_eq(all.n, 25 * 3600);
	cr_expect_eq(all.min, 7 * 3600);
	reopen();
	cr_expect_eq(total().n, 25 * 3600);
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add_seconds(&one, 32 * 3600 + i, 1);
		cr_assert_eq(checkpoint(), 0);
	}
	h->runs.runs[0]->meta.level = 0; /* so that it is merged though nothing new has expired */
	cr_assert_eq(history_raw_since(h, &one, &before_ns), 0);
	cr_assert_eq(merge(), 1);
	cr_expect_eq(h->runs.n, 1);
	cr_assert_eq(history_raw_since(h, &one, &after_ns), 0);
	cr_expect(before_ns == after_ns && before_ns != TIME_MIN);
}

Test(history, retention_is_looked_at_when_time_has_gone_on)
{
	rules[one.id] = (struct series_rule){true, 2 * HOUR_NS, 6 * HOUR_NS, 24 * HOUR_NS};
	a_day();
	cr_assert_eq(merge(), 1);
	for (int64_t i = 0; i < MERGE_RUNS; i++) { /* nothing new has expired: no merge of all */
		add_seconds(&one, 86400 + i, 1);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_assert_eq(merge(), 1);
	cr_expect_eq(h->runs.n, 2);
}

Test(history, late_samples_join_their_buckets)
{
	rules[one.id] = (struct series_rule){true, 2 * HOUR_NS, 6 * HOUR_NS, 240 * HOUR_NS};
	a_day();
	cr_assert_eq(merge(), 1);
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add(&one, 3600 * SECOND_NS + i + 1, 1e6);
		add_seconds(&one, 86400 + i * 900, 900);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_expect_eq(total().n, 86400 + 7200 + 8);
	cr_assert_eq(merge(), 1);
	const struct bucket all = total();
	cr_expect_eq(all.n, 86400 + 7200 + 8);
	cr_expect_eq(all.max, 1e6);
	cr_expect_eq(read_all(&one, 0, 7200).n, 0);
}

Test(history, bad_samples_are_counted_apart)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct bucket_range range = hours(0, 3600);
	struct bucket *got;
	size_t n;
	bool more;

	add(&one, 1, 4);
	add(&one, 2, (double)NAN);
	cr_assert_eq(history_add_number(h, one.id, &one.chain, 3, VALUE_DOUBLE, 0, QUALITY_BAD, "gauge"), 0);
	must(arena_new(&a, 1 << 20) == 0);
	cr_assert_eq(history_buckets(h, &one, &range, a, &got, &n, &more), 0);
	cr_assert_eq(n, 1);
	cr_expect(got[0].n == 1 && got[0].n_bad == 2 && got[0].mean == 4 && got[0].last == 4);
	const struct series text = {.id = 3, .type = VALUE_TEXT};
	cr_expect_eq(history_buckets(h, &text, &range, a, &got, &n, &more), ERR_REFUSED);
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
		must(run_walk_begin(&w, h->runs.runs[run], s->id, kind) == 0);
		must(run_walk_floor(&w, t0_s * SECOND_NS) == 1 && w.key.t_ns == t0_s * SECOND_NS);
		must(w.walk.stored.len >= sizeof stored);
		memcpy(stored, w.walk.stored.data, sizeof stored);
	}
	snprintf(path, sizeof path, "%s/data.mdb", h->runs.runs[run]->dir);
	history_close(h);
	h = NULL;
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

Test(history, a_rotten_chunk_is_told_of_where_it_lies)
{
	double v;

	add_seconds(&one, 0, 1000);
	cr_assert_eq(checkpoint(), 0);
	for (int64_t i = 0; i < 3000; i++)
		add(&one, (1000 + i) * SECOND_NS, (double)(i * 7919 % 3001) / 7);
	cr_assert_eq(checkpoint(), 0);
	add_seconds(&one, 5000, 1000);
	cr_assert_eq(checkpoint(), 0);
	damage(1, &one, RUN_CHUNK, 1000);

	const struct sum all = read_all(&one, 0, 9000);
	cr_expect_eq(all.r, ERR_CORRUPT);
	cr_expect_eq(all.n, 1000);
	cr_expect_eq(read_all(&one, 5000, 9000).n, 1000);
	cr_expect_eq(read_all(&one, 1500, 1600).r, ERR_CORRUPT);
	cr_expect_eq(value_at(&one, 999, &v), 0);
	cr_expect_eq(value_at(&one, 2000, &v), ERR_CORRUPT);
	cr_expect_eq(value_at(&one, 5000, &v), 0);
}

Test(history, what_comes_before_a_rotten_chunk_is_read_though_they_overlap)
{
	for (int64_t i = 0; i < 100; i++)
		add(&one, 2 * i * SECOND_NS, 1);
	cr_assert_eq(checkpoint(), 0);
	for (int64_t i = 0; i < 100; i++)
		add(&one, (51 + 2 * i) * SECOND_NS, (double)(i * 7919 % 1009) / 7);
	cr_assert_eq(checkpoint(), 0);
	for (int64_t i = 0; i < 10; i++)
		add(&one, (21 + 2 * i) * SECOND_NS, 1);
	damage(1, &one, RUN_CHUNK, 51);
	for (int64_t i = 0; i < 10; i++)
		add(&one, (21 + 2 * i) * SECOND_NS, 1);
	const struct sum all = read_all(&one, 0, 9000);
	cr_expect_eq(all.r, ERR_CORRUPT);
	cr_expect_eq(all.n, 26 + 10);
}

static void rotten_in_eight(void)
{
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		for (int64_t k = 0; k < 1000; k++)
			add(&one, (i * 1000 + k) * SECOND_NS, (double)(k * 7919 % 1009) / 7);
		cr_assert_eq(checkpoint(), 0);
	}
	damage(3, &one, RUN_CHUNK, 3000);
}

Test(history, a_merge_goes_on_behind_a_rotten_chunk_and_remembers_it)
{
	double v;

	rotten_in_eight();
	cr_assert_eq(merge(), 1);
	cr_expect_eq(h->runs.n, 1);
	cr_expect_eq(h->runs.runs[0]->meta.n_lost, 1);
	reopen();
	const struct sum all = read_all(&one, 0, 9000);
	cr_expect_eq(all.r, ERR_CORRUPT);
	cr_expect_eq(all.n, 3000);
	cr_expect_eq(read_all(&one, 3500, 3600).r, ERR_CORRUPT);
	cr_expect_eq(read_all(&one, 4000, 9000).n, 4000);
	cr_expect_eq(value_at(&one, 3500, &v), ERR_CORRUPT);
	cr_expect_eq(value_at(&one, 2999, &v), 0);
	cr_expect_eq(value_at(&one, 4000, &v), 0);
}

Test(history, what_was_lost_stays_known_through_further_merges)
{
	SCOPED(run_walk_end) struct run_walk w = {0};
	struct run_lost lost;
	struct bytes value;

	rotten_in_eight();
	cr_assert_eq(merge(), 1);
	h->runs.runs[0]->meta.level = 0; /* so that it is merged with the next seven */
	for (int64_t i = 1; i < MERGE_RUNS; i++) {
		add_seconds(&one, 9000 + i, 1);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_assert_eq(merge(), 1);
	cr_expect_eq(h->runs.runs[0]->meta.n_lost, 1);
	cr_expect_eq(read_all(&one, 3500, 3600).r, ERR_CORRUPT);
	cr_assert_eq(run_walk_begin(&w, h->runs.runs[0], one.id, RUN_LOST), 0);
	cr_assert_eq(run_walk_next(&w), 1);
	cr_assert_eq(run_walk_value(&w, &value), 0);
	cr_assert_eq(run_lost_decode(value, &lost), 0);
	cr_expect_eq(lost.last_ns, 3999 * SECOND_NS);
	cr_expect_gt(lost.stored.len, 100);
}

Test(history, rotten_buckets_are_told_of)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct bucket_range range = hours(0, 1000 * 3600);
	struct bucket *got;
	size_t n;
	bool more;

	rules[one.id] = (struct series_rule){true, 2 * HOUR_NS, 240 * HOUR_NS, 0};
	a_day();
	cr_assert_eq(merge(), 1);
	damage(0, &one, RUN_MINUTES, 0);
	must(arena_new(&a, 1 << 20) == 0);
	cr_expect_eq(history_buckets(h, &one, &range, a, &got, &n, &more), ERR_CORRUPT);
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add_seconds(&one, 86400 + i * 900, 900);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_assert_eq(merge(), 1);
	cr_expect_eq(h->runs.runs[0]->meta.n_lost, 1);
	cr_expect_eq(history_buckets(h, &one, &range, a, &got, &n, &more), ERR_CORRUPT);
}

Test(history, scrubbing_finds_rot)
{
	struct history_health health;
	int r;

	rotten_in_eight();
	while ((r = history_scrub_step(h)) == 0)
		;
	cr_expect_eq(r, 1);
	history_health(h, &health);
	cr_expect_eq(health.n_runs, 8);
	cr_expect_eq(health.scrubbed, 8);
	cr_expect_eq(health.rotten, 1);
	cr_expect(strstr(health.first_rotten, "0000000004, series 7"), "%s", health.first_rotten);
	while ((r = history_scrub_step(h)) == 0)
		;
	history_health(h, &health);
	cr_expect_eq(health.scrubbed, 16);
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

	TRY(history_add(h, third.id, &third.chain, &text));
	for (int64_t i = 0; i < 100; i++)
		TRY(history_add_number(h, one.id, &one.chain, (round * 50 + i) * SECOND_NS, VALUE_DOUBLE, 0,
				       QUALITY_GOOD, NULL));
	return 0;
}

static int write_one(void)
{
	TRY(history_freeze(h));
	const int r = history_write(h);
	history_thaw(h, r == 0);
	return r;
}

static int merge_one(void)
{
	int r = history_merge_begin(h, rule_of, NULL, 10);

	TRY(r);
	if (r == HISTORY_NOTHING)
		return 0;
	while ((r = history_merge_step(h)) == 0)
		;
	history_merge_end(h, r > 0);
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
	TRY(history_read(h, &one, TIME_MIN, TIME_MAX, &reader));
	while ((r = history_next(reader, &c)) > 0)
		n += c->n;
	TRY(r);
	cr_assert(n >= 100);
	r = history_at(h, &one, TIME_MAX, a, &sample);
	TRY(r);
	return history_buckets(h, &one, &range, a, &got, &n, &more);
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
	return history_scrub_step(h) < 0 ? -ENOMEM : 0;
}

Test(history, every_allocation_may_fail)
{
	const struct series_rule rule = {true, 60 * SECOND_NS, 3600 * SECOND_NS, 0};
	bool failed = true;

	rules[one.id] = rule;
	for (long allowed = 0; failed; allowed += 1 + allowed / 16) {
		alloc_fail_after(allowed);
		const int r = live();
		failed = alloc_has_failed();
		alloc_fail_after(-1);
		if (r < 0)
			cr_expect_eq(r, -ENOMEM, "allocation %ld: %s", allowed, err_text(r));
		else if (failed)
			cr_expect_eq(r, 0);
		if (h->merge)
			history_merge_end(h, false);
		end();
		begin();
		rules[one.id] = rule;
	}
}
