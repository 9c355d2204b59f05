/* SPDX-License-Identifier: Apache-2.0 */

#include <math.h>
#include <stdlib.h>

#include "proto/sketch.h"
#include "tests/unit/proto/text.h"

static struct arena *arena;

static void begin(void)
{
	cr_assert(eq(int, arena_new(&arena, 16 << 20), 0));
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(sketch, .init = begin, .fini = end);

static void add(struct sketch *s, double x)
{
	cr_assert(eq(int, sketch_add(arena, s, x, 1), 0));
}

static double quantile(const struct sketch *s, double q)
{
	double x = NAN;

	cr_expect(sketch_quantile(s, q, &x));
	return x;
}

Test(sketch, nothing_has_no_quantile)
{
	const struct sketch s = {0};
	double x;

	cr_expect(not(sketch_quantile(&s, 0.5, &x)));
}

Test(sketch, every_magnitude_is_within_its_error)
{
	for (double x = 1e-29; x < 1e308; x *= 3.7)
		for (int sign = -1; sign <= 1; sign += 2) {
			struct sketch s = {0};
			add(&s, sign * x);
			cr_expect(fabs(quantile(&s, 0.5) - sign * x) <= SKETCH_ERROR * x * (1 + 1e-9), "%g",
				  sign * x);
		}
}

static int by_number(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

Test(sketch, quantiles_of_many_are_those_of_the_sorted_list)
{
	static double x[5000];
	struct sketch whole = {0}, parts[4] = {0}, merged = {0};
	uint32_t random = 7;

	for (size_t i = 0; i < 5000; i++) {
		random = random * 1664525 + 1013904223;
		x[i] = ((double)random / UINT32_MAX - 0.3) * 1000;
		add(&whole, x[i]);
		add(&parts[i % 4], x[i]);
	}
	for (size_t i = 0; i < 4; i++)
		cr_assert(eq(int, sketch_merge(arena, &merged, &parts[3 - i], 1, 0), 0));
	qsort(x, 5000, sizeof *x, by_number);
	for (double q = 0; q <= 1; q += 0.01) {
		const double exact = x[(size_t)(q * 4999)];
		cr_expect(fabs(quantile(&whole, q) - exact) <= SKETCH_ERROR * fabs(exact) + 1e-9, "%g", q);
		cr_expect(eq(dbl, quantile(&whole, q), quantile(&merged, q)));
	}
	cr_expect(sketch_is_valid(whole.buckets, whole.n_buckets));
}

Test(sketch, another_unit_costs_the_error_once_more)
{
	struct sketch kw = {0}, mw = {0};

	for (int i = 1; i <= 100; i++)
		add(&kw, i * 1000.);
	cr_assert(eq(int, sketch_merge(arena, &mw, &kw, 0.001, 0), 0));
	cr_expect(fabs(quantile(&mw, 0.5) - 50) <= 2.01 * SKETCH_ERROR * 50);
	cr_assert(eq(int, sketch_merge(arena, &mw, &kw, -0.001, 0), 0));
	cr_expect(fabs(quantile(&mw, 0) + 100) <= 2.01 * SKETCH_ERROR * 100);
}

Test(sketch, too_many_buckets_lose_the_least_magnitudes)
{
	struct sketch s = {0};
	double x = 1e-20;

	for (int i = 0; i < 6000; i++, x *= 1.011) {
		add(&s, x);
		add(&s, -x);
	}
	cr_expect(le(sz, s.n_buckets, SKETCH_BUCKETS_MAX));
	cr_expect(sketch_is_valid(s.buckets, s.n_buckets));
	uint64_t n = 0;
	for (size_t i = 0; i < s.n_buckets; i++)
		n += s.buckets[i].n;
	cr_expect(eq(u64, n, 12000));
	cr_expect(fabs(quantile(&s, 1) / (x / 1.011) - 1) <= SKETCH_ERROR * 1.01);
	cr_expect(fabs(quantile(&s, 0) / (-x / 1.011) - 1) <= SKETCH_ERROR * 1.01);
	cr_expect(fabs(quantile(&s, 0.95) / (1e-20 * pow(1.011, 5399)) - 1) <= 2 * SKETCH_ERROR);
}

Test(sketch, what_cannot_be_is_not_valid)
{
	static const struct sketch_bucket wrong[][2] = {
		{{1, 0}, {2, 1}},          {{2, 1}, {1, 1}},       {{1, 1}, {1, 1}},
		{{1, UINT64_MAX}, {2, 1}}, {{1, 1}, {1 << 20, 1}},
	};
	static const struct sketch_bucket good[2] = {{-5, 1}, {5, 1}};

	cr_expect(sketch_is_valid(good, 2));
	cr_expect(sketch_is_valid(NULL, 0));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_expect(not(sketch_is_valid(wrong[i], 2)), "%zu", i);
}
