/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "federation/cursor.h"

/* Restored twice: 11 ran up to 60, 22 began at 51, 33 at 81. */
static struct incarnation lineage[] = {{11, 1}, {22, 51}, {33, 81}};
static const struct head head = {.lineage = lineage, .n_lineage = 3, .seq = 100, .stamp_ns = 1000};

static int judge(struct cursor c)
{
	return cursor_judge(&c, &head, 7, 0);
}

Test(cursor, comes_back_as_it_was)
{
	const struct cursor c = {UINT64_MAX, 1, 2, INT64_MIN, UINT64_MAX - 5, 0};
	uint8_t bytes[CURSOR_BYTES];
	struct cursor back;

	cursor_encode(&c, bytes);
	cr_assert(eq(int, cursor_decode((struct bytes){bytes, sizeof bytes}, &back), 0));
	cr_expect(eq(u64, back.incarnation, c.incarnation));
	cr_expect(eq(u64, back.seq, c.seq));
	cr_expect(eq(u64, back.snap_hi, c.snap_hi));
	cr_expect(eq(i64, back.stamp_ns, c.stamp_ns));
	cr_expect(eq(u64, back.epoch, c.epoch));
}

Test(cursor, is_refused_when_it_makes_no_sense)
{
	const struct cursor backwards = {11, 9, 8, 0, 0, 0};
	uint8_t bytes[CURSOR_BYTES];
	struct cursor c;

	cursor_encode(&backwards, bytes);
	cr_expect(eq(int, cursor_decode((struct bytes){bytes, sizeof bytes}, &c), ERR_MALFORMED));
	cursor_encode(&(struct cursor){11, 8, 9, 0, 0, 0}, bytes);
	cr_expect(eq(int, cursor_decode((struct bytes){bytes, sizeof bytes}, &c), 0));
	cr_expect(eq(int, cursor_decode((struct bytes){bytes, sizeof bytes - 1}, &c), ERR_MALFORMED));
	cr_expect(eq(int, cursor_decode((struct bytes){0}, &c), ERR_MALFORMED));
	bytes[0]++;
	cr_expect(eq(int, cursor_decode((struct bytes){bytes, sizeof bytes}, &c), ERR_MALFORMED));
}

Test(cursor, is_good_up_to_where_the_next_incarnation_begins)
{
	cr_expect(eq(int, judge((struct cursor){11, 50, 50, 0, 7, 0}), 0));
	cr_expect(eq(int, judge((struct cursor){11, 50, 51, 0, 7, 0}), RESET_LINEAGE));
	cr_expect(eq(int, judge((struct cursor){22, 80, 80, 0, 7, 0}), 0));
	cr_expect(eq(int, judge((struct cursor){22, 81, 81, 0, 7, 0}), RESET_LINEAGE));
	cr_expect(eq(int, judge((struct cursor){33, 100, 100, 0, 7, 0}), 0));
}

Test(cursor, with_rows_from_the_future_is_refused_though_its_place_is_good)
{
	cr_expect(eq(int, judge((struct cursor){11, 40, 55, 0, 7, 0}), RESET_LINEAGE));
}

Test(cursor, ahead_of_the_server_wants_another_server)
{
	cr_expect(eq(int, judge((struct cursor){33, 90, 101, 0, 7, 0}), RESET_BEHIND));
}

Test(cursor, of_an_unknown_incarnation_is_judged_by_the_clock)
{
	cr_expect(eq(int, judge((struct cursor){44, 1, 1, 999, 7, 0}), RESET_LINEAGE));
	cr_expect(eq(int, judge((struct cursor){44, 1, 1, 1001, 7, 0}), RESET_BEHIND));
}

Test(cursor, of_an_older_policy_is_good_and_of_a_newer_one_wants_another_server)
{
	cr_expect(eq(int, judge((struct cursor){33, 90, 90, 0, 6, 0}), 0));
	cr_expect(eq(int, judge((struct cursor){33, 90, 90, 0, 8, 0}), RESET_BEHIND));
}

/* Deletions up to 60 are collected; the head of its lineage goes on. */
static int judge_floor(struct cursor c)
{
	return cursor_judge(&c, &head, 7, 60);
}

Test(cursor, below_what_was_collected_is_refused_unless_it_began_with_nothing_later)
{
	cr_expect(eq(int, judge_floor((struct cursor){33, 60, 90, 0, 7, 0}), 0));
	cr_expect(eq(int, judge_floor((struct cursor){33, 59, 90, 0, 7, 0}), RESET_COLLECTED));
	cr_expect(eq(int, judge_floor((struct cursor){33, 20, 90, 0, 7, 60}), 0));
	cr_expect(eq(int, judge_floor((struct cursor){33, 20, 90, 0, 7, 59}), RESET_COLLECTED));
	cr_expect(eq(int, judge_floor((struct cursor){44, 20, 90, 0, 7, 59}), RESET_LINEAGE));
}

Test(cursor, of_a_scan_comes_back_as_it_was)
{
	const struct cursor c = {11, 5, 9, 1, 0, 7}, over = {11, 7, 9, 1, 0, 7};
	uint8_t bytes[CURSOR_SCAN_BYTES];
	struct cursor back;

	cr_assert(eq(sz, cursor_encode_scan(&c, bytes), CURSOR_SCAN_BYTES));
	cr_assert(eq(int, cursor_decode((struct bytes){bytes, sizeof bytes}, &back), 0));
	cr_expect(eq(u64, back.begun, 7));
	cr_expect(eq(u64, back.seq, 5));
	bytes[48] = 5; /* no scan has passed its begin and still says so */
	cr_expect(eq(int, cursor_decode((struct bytes){bytes, sizeof bytes}, &back), ERR_MALFORMED));
	cr_assert(eq(sz, cursor_encode_scan(&over, bytes), CURSOR_BYTES));
	cr_assert(eq(int, cursor_decode((struct bytes){bytes, CURSOR_BYTES}, &back), 0));
	cr_expect(eq(u64, back.begun, 0));
}
