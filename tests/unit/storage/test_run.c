/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/run.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

static const char *dir;
static struct run_writer writer;
static struct run *run;

static void begin(void)
{
	dir = tmpdir_make();
	must(run_writer_begin(&writer, dir, 3, 1 << 24) == 0);
}

static void end(void)
{
	run_writer_drop(&writer);
	run_close(run);
	run = NULL;
	tmpdir_remove();
}

TestSuite(run, .init = begin, .fini = end);

static int put(uint32_t series, enum run_kind kind, int64_t t_ns, const char *value)
{
	const struct run_key key = {series, kind, t_ns};
	const struct run_span span = {t_ns, t_ns + 5, 2};

	return run_writer_put(&writer, &key, bytes_of_text(value), &span);
}

static void write_some(void)
{
	cr_assert_eq(put(2, RUN_CHUNK, -50, "before the epoch"), 0);
	cr_assert_eq(put(2, RUN_CHUNK, 10, "early"), 0);
	cr_assert_eq(put(2, RUN_CHUNK, 20, "late"), 0);
	cr_assert_eq(run_writer_pause(&writer), 0);
	cr_assert_eq(put(2, RUN_MINUTES, 0, "minutes"), 0);
	cr_assert_eq(put(300, RUN_CHUNK, 15, "another"), 0);
	cr_assert_eq(run_writer_end(&writer, &run), 0);
}

/* The values of a walk behind the floor of a time, after whether there is one. */
static const char *walk(uint32_t series, enum run_kind kind, int64_t floor_ns)
{
	static char out[128];
	SCOPED(run_walk_end) struct run_walk w = {0};
	struct bytes value;

	cr_assert_eq(run_walk_begin(&w, run, series, kind), 0);
	size_t n = (size_t)snprintf(out, sizeof out, "%d:", run_walk_floor(&w, floor_ns));
	while (run_walk_next(&w) > 0) {
		cr_assert_eq(run_walk_value(&w, &value), 0);
		n += (size_t)snprintf(out + n, sizeof out - n, " %.*s", (int)value.len,
				      (const char *)value.data);
	}
	return out;
}

Test(run, records_of_one_kind_come_in_the_order_of_their_times)
{
	write_some();
	cr_expect_str_eq(walk(2, RUN_CHUNK, INT64_MIN), "0: before the epoch early late");
	cr_expect_str_eq(walk(2, RUN_CHUNK, 10), "1: late");
	cr_expect_str_eq(walk(2, RUN_CHUNK, 9), "1: early late");
	cr_expect_str_eq(walk(2, RUN_CHUNK, INT64_MAX), "1:");
	cr_expect_str_eq(walk(2, RUN_MINUTES, -1), "0: minutes");
	cr_expect_str_eq(walk(2, RUN_HOURS, 0), "0:");
	cr_expect_str_eq(walk(3, RUN_CHUNK, 0), "0:");
}

Test(run, what_is_in_it_is_known_after_opening_again)
{
	struct err_note note = {0};

	writer.meta.level = 2;
	write_some();
	run_close(run);
	run = NULL;
	cr_assert_eq(run_open(&run, dir, 3, 1 << 24, &note), 0, "%s", note.text);
	const struct run_meta *m = &run->meta;
	cr_expect(m->level == 2 && m->first_series == 2 && m->last_series == 300);
	cr_expect(m->first_ns == -50 && m->last_ns == 25 && m->n_records == 5 && m->n_samples == 10);
	cr_expect(m->n_rolled == 1 && m->n_lost == 0 && m->expired_at_ns == INT64_MIN);
	cr_expect(run_may_hold(run, 5, 0, 100) && !run_may_hold(run, 1, 0, 100));
	cr_expect(!run_may_hold(run, 5, 26, 100) && !run_may_hold(run, 5, -100, -51));
	cr_expect_str_eq(walk(300, RUN_CHUNK, 15), "1:");
}

Test(run, series_are_found_one_after_the_other)
{
	uint32_t series = 0;

	write_some();
	cr_expect(run_series_next(run, 0, &series) == 1 && series == 2);
	cr_expect(run_series_next(run, 2, &series) == 1 && series == 2);
	cr_expect(run_series_next(run, 3, &series) == 1 && series == 300);
	cr_expect_eq(run_series_next(run, 301, &series), 0);
}

static size_t memory_in_use(void)
{
	const struct mallinfo2 m = mallinfo2(); /* nothing under a sanitizer */

	return m.uordblks + m.hblkhd;
}

Test(run, it_takes_no_memory_by_its_length)
{
	char value[1000];
	const size_t before = memory_in_use();

	memset(value, 'x', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	for (uint32_t series = 1; series <= 6000; series++)
		cr_assert_eq(put(series, RUN_CHUNK, 1, value), 0);
	cr_assert_eq(run_writer_end(&writer, &run), 0);
	cr_expect_geq(run->disk_bytes, 6000000);
	const size_t after = memory_in_use();
	cr_expect_leq(after, before + run->disk_bytes / 8, "%zu bytes more", after - before);
	cr_expect_str_eq(walk(6000, RUN_CHUNK, 1), "1:");
}

Test(run, keys_must_rise)
{
	cr_assert_eq(put(2, RUN_CHUNK, 10, "x"), 0);
	cr_expect_eq(put(2, RUN_CHUNK, 9, "x"), -EEXIST);
	cr_expect_eq(put(2, RUN_CHUNK, 10, "x"), -EEXIST);
}

Test(run, what_is_given_up_leaves_nothing)
{
	char path[RUN_PATH_BYTES];

	cr_assert_eq(put(2, RUN_CHUNK, 10, "x"), 0);
	cr_assert_eq(run_writer_pause(&writer), 0);
	run_writer_drop(&writer);
	cr_assert_eq(run_path(dir, 3, path), 0);
	cr_expect_neq(access(path, F_OK), 0);
}

static void look(void *ctx, const struct run *r, const struct run_key *key, bool sound)
{
	size_t *n = ctx;

	cr_assert(r == run && sound && key->series >= 2);
	++*n;
}

Test(run, a_check_goes_on_where_it_was)
{
	SCOPED(buf_fini) struct buf behind = {0};
	size_t n = 0, steps = 0;
	int r;

	write_some();
	while ((r = run_check(run, &behind, 1, look, &n)) == 0)
		steps++;
	cr_expect_eq(r, 1);
	cr_expect_eq(n, 5);
	cr_expect_eq(steps, 5);
}
