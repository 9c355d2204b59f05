/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/log.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"
#include "tests/unit/storage/damage.h"

static char dir[128], seen[4096];
static struct log *ring;
static struct err_note note;

static int try_open(size_t limit_bytes)
{
	log_close(ring);
	ring = NULL;
	note = (struct err_note){0};
	return log_open(&ring, dir, limit_bytes, &note);
}

static void begin(void)
{
	snprintf(dir, sizeof dir, "%s/log", tmpdir_make());
	must(try_open(64 << 20) == 0);
}

static void end(void)
{
	log_close(ring);
	ring = NULL;
	tmpdir_remove();
}

TestSuite(log, .init = begin, .fini = end);

static int append(uint64_t number, const char *text)
{
	return log_append(ring, number, bytes_of_text(text));
}

static int see(void *ctx, uint64_t number, struct bytes batch)
{
	(void)ctx;
	const size_t n = strlen(seen);
	snprintf(seen + n, sizeof seen - n, "%d%.*s ", (int)number, (int)batch.len, (const char *)batch.data);
	return 0;
}

/* What is replayed behind a number, or the error. */
static const char *replayed(uint64_t after)
{
	seen[0] = '\0';
	const int r = log_replay(ring, after, see, NULL, &note);
	return r == 0 ? seen : err_text(r);
}

static char *segment(uint64_t name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%010d", dir, (int)name);
	return path;
}

static bool exists(uint64_t name)
{
	struct stat st;

	return stat(segment(name), &st) == 0;
}

Test(log, replays_what_was_appended_behind_a_number)
{
	cr_expect_str_eq(replayed(0), "");
	cr_assert_eq(append(1, "a"), 0);
	cr_assert_eq(append(2, "b"), 0);
	cr_assert_eq(try_open(64 << 20), 0);
	cr_assert_eq(append(3, "c"), 0);
	cr_assert_eq(try_open(64 << 20), 0);
	cr_expect_str_eq(replayed(0), "1a 2b 3c ");
	cr_expect_str_eq(replayed(1), "2b 3c ");
	cr_expect_str_eq(replayed(3), "");
	cr_expect_eq(log_last(ring), 3);
}

Test(log, a_missing_batch_is_told)
{
	cr_assert_eq(append(1, "a"), 0);
	cr_assert_eq(append(3, "c"), 0);
	cr_expect_str_eq(replayed(0), err_text(ERR_CORRUPT));
	cr_expect(strstr(note.text, "behind batch 1"), "%s", note.text);
}

Test(log, a_damaged_batch_is_told)
{
	cr_assert_eq(append(1, "something to be found again"), 0);
	log_close(ring);
	ring = NULL;
	cr_assert(damage_file(segment(1), "something to be found again"));
	cr_expect_eq(try_open(64 << 20), ERR_CORRUPT);
	cr_expect(strstr(note.text, segment(1)), "%s", note.text);
}

Test(log, environments_are_dropped_whole)
{
	for (uint64_t i = 1; i <= 3; i++) {
		cr_assert_eq(append(i, "x"), 0);
		cr_assert_eq(try_open(64 << 20), 0);
	}
	log_drop(ring, 1);
	cr_expect(!exists(1) && exists(2) && exists(3));
	cr_expect_str_eq(replayed(1), "2x 3x ");
	log_drop(ring, 3);
	cr_expect(!exists(2) && !exists(3));
	cr_expect_eq(log_bytes(ring), 0);
	cr_assert_eq(append(4, "y"), 0);
	cr_assert_eq(append(5, "z"), 0);
	log_drop(ring, 4);
	cr_expect_str_eq(replayed(4), "5z ", "half of an environment stays");
}

Test(log, a_new_environment_begins_when_one_is_big_enough)
{
	SCOPED(scope_free) uint8_t *big = calloc(1, 5 << 20);

	for (uint64_t i = 1; i <= 3; i++)
		cr_assert_eq(log_append(ring, i, (struct bytes){big, 5 << 20}), 0);
	cr_expect(exists(1) && exists(2) && !exists(3));
}

Test(log, a_full_log_takes_nothing_until_something_is_dropped)
{
	SCOPED(scope_free) uint8_t *big = calloc(1, 100 * 1024);
	uint64_t n = 0;
	int r = 0;

	cr_assert_eq(try_open(1 << 20), 0);
	while (r == 0)
		r = log_append(ring, ++n, (struct bytes){big, 100 * 1024});
	cr_expect_eq(r, ERR_FULL);
	cr_expect(n > 5 && n < 11);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(log_append(ring, n, (struct bytes){big, 100 * 1024}), ERR_FULL);
	cr_assert_eq(try_open(1 << 20), 0);
	cr_expect_eq(log_last(ring), n - 1);
	log_drop(ring, n - 1);
	cr_expect_eq(append(n, "fits again"), 0);
}

Test(log, a_batch_larger_than_its_limit_leaves_nothing_behind)
{
	SCOPED(scope_free) uint8_t *big = calloc(1, 2 << 20);

	cr_assert_eq(try_open(1 << 20), 0);
	cr_assert_eq(append(1, "a"), 0);
	cr_expect_eq(log_append(ring, 2, (struct bytes){big, 2 << 20}), ERR_FULL);
	cr_assert_eq(append(2, "b"), 0);
	cr_expect_str_eq(replayed(0), "1a 2b ");
}

/* A batch whose commit was in doubt stands in one environment, what was acknowledged in its place in a later
 * one. */
Test(log, what_was_written_last_under_a_number_counts)
{
	cr_assert_eq(append(1, "a"), 0);
	cr_assert_eq(append(2, "doubtful"), 0);
	cr_assert_eq(try_open(64 << 20), 0);
	cr_assert_eq(append(2, "b"), 0);
	cr_assert_eq(append(3, "c"), 0);
	cr_assert_eq(try_open(64 << 20), 0);
	cr_expect_str_eq(replayed(0), "1a 2b 3c ");
	cr_expect_str_eq(replayed(2), "3c ");
}

Test(log, an_empty_environment_left_by_a_crash_is_removed)
{
	log_close(ring);
	ring = NULL;
	must(mkdir(segment(7), 0700) == 0);
	cr_assert_eq(try_open(64 << 20), 0, "%s", note.text);
	cr_expect(!exists(7));
	cr_assert_eq(append(1, "a"), 0);
	cr_expect(exists(8), "its name is not used again");
}
