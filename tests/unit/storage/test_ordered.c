/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/ordered.h"

#include <criterion/criterion.h>
#include <stdint.h>

static int by_number(const void *key, const void *item)
{
	const uint32_t a = *(const uint32_t *)key, b = *(const uint32_t *)item;

	return (a > b) - (a < b);
}

enum { N = 5000 };

static uint32_t numbers[N];
static struct ordered index_of = {.compare = by_number};

static void fill(void)
{
	for (uint32_t i = 0; i < N; i++)
		numbers[i] = i;
}

static void finish(void)
{
	ordered_fini(&index_of);
}

TestSuite(ordered, .init = fill, .fini = finish);

/* Knuth's mixing of a counter: every number once, in no order. */
static uint32_t shuffled(uint32_t i)
{
	return (uint32_t)((uint64_t)i * 2741 % N); /* 2741 and 5000 share no divisor */
}

static void put(uint32_t n)
{
	cr_assert_eq(ordered_put(&index_of, &n, &numbers[n]), 0);
}

static uint32_t number_of(const void *item)
{
	return item ? *(const uint32_t *)item : UINT32_MAX;
}

static void check_walk(uint32_t from, uint32_t step)
{
	uint32_t expected = from;

	for (void *item = ordered_first(&index_of); item;
	     item = ordered_after(&index_of, item), expected += step)
		cr_assert_eq(number_of(item), expected);
	cr_assert(expected >= N);
}

Test(ordered, empty_has_nothing)
{
	cr_expect_null(ordered_first(&index_of));
	cr_expect_null(ordered_last(&index_of));
	cr_expect_null(ordered_get(&index_of, &numbers[1]));
	cr_expect_null(ordered_from(&index_of, &numbers[1]));
	cr_expect_null(ordered_remove(&index_of, &numbers[1]));
}

Test(ordered, walks_in_order_however_it_was_filled)
{
	for (uint32_t i = 0; i < N; i++)
		put(shuffled(i));
	cr_assert_eq(index_of.n, N);
	check_walk(0, 1);
	cr_expect_eq(number_of(ordered_last(&index_of)), N - 1);
}

Test(ordered, appending_fills_the_leaves)
{
	for (uint32_t i = 0; i < N; i++)
		put(i);
	check_walk(0, 1);
	cr_expect(index_of.n_leaves <= N / 126 + 1);
}

Test(ordered, finds_neighbours_of_what_is_not_there)
{
	for (uint32_t i = 0; i < N; i++)
		if (shuffled(i) % 2 == 0)
			put(shuffled(i));
	for (uint32_t n = 0; n < N - 1; n++) {
		const uint32_t even = (n + 1) / 2 * 2;
		cr_assert_eq(number_of(ordered_from(&index_of, &n)), even >= N ? UINT32_MAX : even);
		cr_assert_eq(number_of(ordered_after(&index_of, &n)),
			     n / 2 * 2 + 2 >= N ? UINT32_MAX : n / 2 * 2 + 2);
		cr_assert_eq(ordered_get(&index_of, &n) != NULL, n % 2 == 0);
	}
}

Test(ordered, removing_keeps_the_order_and_gives_leaves_back)
{
	for (uint32_t i = 0; i < N; i++)
		put(shuffled(i));
	for (uint32_t i = 0; i < N; i++)
		if (shuffled(i) % 50 != 0)
			cr_assert_eq(ordered_remove(&index_of, &numbers[shuffled(i)]), &numbers[shuffled(i)]);
	check_walk(0, 50);
	cr_expect(index_of.n_leaves < 10);
	for (uint32_t n = 0; n < N; n += 50)
		cr_assert_not_null(ordered_remove(&index_of, &n));
	cr_expect_eq(index_of.n, 0);
	cr_expect_eq(index_of.n_leaves, 0);
}

Test(ordered, runs_make_up_the_whole_order)
{
	uint32_t expected = 1, key = 0;
	size_t n;

	cr_expect_null(ordered_run(&index_of, &key, &n));
	cr_expect_eq(n, 0);
	for (uint32_t i = 0; i < N; i++)
		put(shuffled(i));
	for (void *const *run; (run = ordered_run(&index_of, &key, &n));) {
		cr_assert(n > 0);
		for (size_t i = 0; i < n; i++)
			cr_assert_eq(number_of(run[i]), expected++);
		key = expected - 1;
	}
	cr_expect_eq(expected, N);
	cr_expect_eq(n, 0);
}
