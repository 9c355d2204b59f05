/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/numbered.h"

#include <criterion/criterion.h>
#include <stdint.h>

enum { N = 5000, STEPS = 60000 };

static uint64_t items[N + 1];
static bool is_in[N + 1];
static struct numbered index_of;

static void finish(void)
{
	numbered_fini(&index_of);
}

TestSuite(numbered, .fini = finish);

static void put(uint64_t n)
{
	items[n] = n;
	cr_assert_eq(numbered_put(&index_of, n, &items[n]), 0);
	is_in[n] = true;
}

static uint64_t number_of(const void *item)
{
	return item ? *(const uint64_t *)item : 0;
}

/* All that are in, in order, and no other. */
static void check_all(void)
{
	uint64_t at = number_of(numbered_first(&index_of)), last = 0;
	size_t n = 0;

	for (uint64_t i = 1; i <= N; i++) {
		cr_assert_eq(number_of(numbered_get(&index_of, i)), is_in[i] ? i : 0);
		if (!is_in[i])
			continue;
		cr_assert_eq(at, i);
		at = number_of(numbered_after(&index_of, i));
		last = i;
		n++;
	}
	cr_assert_eq(at, 0);
	cr_assert_eq(numbered_last(&index_of), last);
	cr_assert_eq(index_of.n, n);
}

Test(numbered, empty_has_nothing)
{
	cr_expect_null(numbered_first(&index_of));
	cr_expect_null(numbered_get(&index_of, 1));
	cr_expect_null(numbered_after(&index_of, 0));
	cr_expect_null(numbered_remove(&index_of, 1));
	cr_expect_eq(numbered_last(&index_of), 0);
}

Test(numbered, appending_fills_the_leaves)
{
	for (uint64_t i = 1; i <= N; i++)
		put(i);
	check_all();
	cr_expect_leq(index_of.n_leaves, N / 127 + 1);
}

Test(numbered, put_from_the_end_and_from_the_middle)
{
	for (uint64_t i = N; i > 0; i--)
		put(i * 2741 % N + 1); /* 2741 and 5000 share no divisor */
	check_all();
	for (uint64_t i = 1; i <= N; i += 2) {
		cr_assert_eq(number_of(numbered_remove(&index_of, i)), i);
		is_in[i] = false;
	}
	check_all();
	for (uint64_t i = N - 1; i < N; i -= 2)
		put(i);
	check_all();
}

Test(numbered, holds_what_was_put_and_not_removed)
{
	uint32_t random = 3;

	for (size_t step = 1; step <= STEPS; step++) {
		random = random * 1664525 + 1013904223;
		/* grows, and shrinks to nearly nothing */
		const uint64_t i = (random >> 8) % (step / 10000 % 2 ? N : N / 50) + 1;
		if (!is_in[i] && step / 20000 % 2 == 0) {
			put(i);
		} else {
			cr_assert_eq(number_of(numbered_remove(&index_of, i)), is_in[i] ? i : 0);
			is_in[i] = false;
		}
		if (step % 5000 == 0)
			check_all();
	}
}

Test(numbered, what_is_between_is_found_by_what_is_below_it)
{
	for (uint64_t i = 10; i <= N; i += 10)
		put(i);
	for (uint64_t i = 0; i < N; i++)
		cr_assert_eq(number_of(numbered_after(&index_of, i)), i / 10 * 10 + 10);
}
