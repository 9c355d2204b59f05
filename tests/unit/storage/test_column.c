/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/column.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/lib/failing_alloc.h"

static struct column c, other;

static void finish(void)
{
	alloc_fail_after(-1);
	column_fini(&c);
	column_fini(&other);
}

TestSuite(column, .fini = finish);

static struct sample number(int64_t t_ns, double v)
{
	return (struct sample){.t_ns = t_ns, .value = {.type = VALUE_DOUBLE, .real = v}, .sigma = NAN};
}

static struct sample text(int64_t t_ns, const char *v)
{
	return (struct sample){.t_ns = t_ns, .value = {.type = VALUE_TEXT, .text = v}, .sigma = NAN};
}

static void add(struct column *to, struct sample s)
{
	cr_assert_eq(column_add(to, &s), 0);
}

static void check(const struct column *in, size_t i, struct sample expected)
{
	const struct sample s = column_get(in, i);

	cr_expect(sample_equal(&s, &expected), "place %zu: %ld, not %ld", i, (long)s.t_ns,
		  (long)expected.t_ns);
}

Test(column, samples_stand_in_the_order_of_time)
{
	add(&c, number(20, 2));
	add(&c, number(40, 4));
	add(&c, number(30, 3));
	add(&c, number(10, 1));
	cr_assert_eq(c.n, 4);
	for (size_t i = 0; i < 4; i++)
		check(&c, i, number(10 * (int64_t)(i + 1), (double)(i + 1)));
}

Test(column, the_later_one_of_the_same_time_wins)
{
	add(&c, number(10, 1));
	add(&c, number(20, 2));
	add(&c, number(10, 5));
	cr_assert_eq(c.n, 2);
	check(&c, 0, number(10, 5));
}

Test(column, finds_the_first_at_or_behind_a_time)
{
	add(&c, number(10, 1));
	add(&c, number(20, 2));
	cr_expect_eq(column_find(&c, 9), 0);
	cr_expect_eq(column_find(&c, 10), 0);
	cr_expect_eq(column_find(&c, 11), 1);
	cr_expect_eq(column_find(&c, 21), 2);
}

Test(column, parts_that_come_later_leave_the_earlier_samples_alone)
{
	struct sample rich = number(20, 2);

	rich.quality = QUALITY_BAD;
	rich.sigma = 0.5;
	rich.source = "adapter";
	add(&c, number(10, 1));
	cr_expect_null(c.quality);
	add(&c, rich);
	rich.t_ns = 5;
	rich.source = "person";
	add(&c, rich);
	check(&c, 0, rich);
	check(&c, 1, number(10, 1));
	rich.t_ns = 20;
	rich.source = "adapter";
	check(&c, 2, rich);
}

Test(column, values_of_every_type_come_back)
{
	const struct value values[] = {
		{.type = VALUE_NONE},
		{.type = VALUE_BOOL, .boolean = true},
		{.type = VALUE_INT64, .integer = INT64_MIN},
		{.type = VALUE_DOUBLE, .real = -0.0},
		{.type = VALUE_TEXT, .text = "a text"},
		{.type = VALUE_ENUM, .text = "open"},
		{.type = VALUE_POSITION, .position = {50.1, 8.6, NAN}},
	};

	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		const struct sample s = {.t_ns = 7, .value = values[i], .sigma = NAN};

		column_clear(&c);
		add(&c, s);
		cr_expect_eq(c.type, values[i].type);
		check(&c, 0, s);
	}
}

Test(column, a_text_that_repeats_is_kept_once)
{
	add(&c, text(1, "open"));
	const size_t len = c.more.len;
	for (int64_t t = 2; t < 100; t++)
		add(&c, text(t, "open"));
	cr_expect_eq(c.more.len, len);
	check(&c, 98, text(99, "open"));
}

Test(column, clearing_forgets_everything_but_the_memory)
{
	struct sample s = text(1, "open");

	s.quality = QUALITY_BAD;
	add(&c, s);
	column_clear(&c);
	cr_expect_eq(c.n, 0);
	cr_expect_null(c.quality);
	add(&c, number(1, 1));
	check(&c, 0, number(1, 1));
}

/* Sample i of a pattern that has everything now and then. */
static struct sample any(int64_t i, const char *const words[3])
{
	struct sample s = text(i, words[i % 3]);

	s.quality = i % 5 == 0 ? QUALITY_UNCERTAIN : QUALITY_GOOD;
	s.sigma = i % 7 == 0 ? (double)i : (double)NAN;
	s.source = i % 2 == 0 ? words[i % 3] : NULL;
	return s;
}

static const char *const old_words[] = {"old a", "old b", "old c"};
static const char *const new_words[] = {"new a", "new b", "new c"};

static uint32_t step(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 16;
}

/* Both columns take the times of a random set; merged, the new ones win. */
static void merge_random(uint32_t seed)
{
	enum { TIMES = 60 };
	char has[TIMES] = {0};
	size_t n = 0;

	for (int64_t t = 0; t < TIMES; t++)
		if (step(&seed) % 3 == 0) {
			add(&c, any(t, old_words));
			has[t] = 1;
		}
	for (int64_t t = 0; t < TIMES; t++)
		if (step(&seed) % 3 == 0)
			add(&other, any(t, new_words));
	const size_t i = other.n / 4, end = other.n - other.n / 5;
	for (size_t k = i; k < end; k++)
		has[other.t_ns[k]] = 2;
	cr_assert_eq(column_merge(&c, &other, i, end), 0);
	for (int64_t t = 0; t < TIMES; t++)
		if (has[t])
			check(&c, n++, any(t, has[t] == 2 ? new_words : old_words));
	cr_expect_eq(c.n, n);
}

Test(column, merging_puts_both_in_order_and_the_newcomers_win)
{
	for (uint32_t seed = 0; seed < 300; seed++) {
		merge_random(seed);
		column_clear(&c);
		column_clear(&other);
	}
}

Test(column, merging_into_an_empty_one_copies)
{
	add(&other, number(1, 1));
	add(&other, number(2, 2));
	cr_assert_eq(column_merge(&c, &other, 0, 2), 0);
	cr_assert_eq(column_merge(&c, &other, 1, 1), 0);
	cr_assert_eq(c.n, 2);
	check(&c, 1, number(2, 2));
}

/* Three that are joined one behind the other, of which one or none has uncertainties and bad qualities. */
static void check_joined(int with_parts)
{
	struct sample s[3];

	column_clear(&c);
	for (int i = 0; i < 3; i++) {
		s[i] = number(10 * i, i);
		if (i == with_parts) {
			s[i].quality = QUALITY_BAD;
			s[i].sigma = 0.5;
		}
		column_clear(&other);
		add(&other, number(10 * i - 1, -i));
		add(&other, s[i]);
		cr_assert_eq(column_merge(&c, &other, 1, 2), 0);
	}
	cr_assert_eq(c.n, 3);
	cr_expect_eq(c.quality != NULL, with_parts >= 0);
	for (size_t i = 0; i < 3; i++)
		check(&c, i, s[i]);
}

Test(column, what_lies_behind_is_joined_with_its_parts)
{
	for (int with_parts = -1; with_parts < 3; with_parts++)
		check_joined(with_parts);
}

Test(column, without_memory_nothing_changes)
{
	bool failed = true;

	for (long allowed = 0; failed; allowed++) {
		struct sample s = any(35, new_words);

		column_fini(&c);
		column_fini(&other);
		for (int64_t t = 0; t < 16; t++)
			add(&c, text(t, "long enough to need room, this word"));
		add(&other, s);
		alloc_fail_after(allowed);
		const int r = column_add(&c, &s);
		const int merged = r == 0 ? column_merge(&c, &other, 0, 1) : r;
		failed = alloc_has_failed();
		alloc_fail_after(-1);
		cr_expect_eq(merged, failed ? -ENOMEM : 0);
		cr_expect_eq(c.n, r == 0 ? 17 : 16);
		for (int64_t t = 0; t < 16; t++)
			check(&c, (size_t)t, text(t, "long enough to need room, this word"));
	}
}
