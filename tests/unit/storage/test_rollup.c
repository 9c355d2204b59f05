/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/rollup.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/clock.h"
#include "storage/record.h"
#include "tests/lib/failing_alloc.h"
#include "tests/lib/must.h"

static struct buckets made;

static void end(void)
{
	buckets_fini(&made);
}

TestSuite(rollup, .fini = end);

static struct bucket bucket(int64_t t_ns, int64_t step_ns, double v)
{
	return (struct bucket){.t_ns = t_ns,
			       .step_ns = step_ns,
			       .n = 3,
			       .n_bad = 1,
			       .mean = v,
			       .m2 = v * v,
			       .min = v - 1,
			       .max = v + 1,
			       .last = v,
			       .last_ns = t_ns + 7};
}

static void make(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct bucket b = bucket((int64_t)(i * 2) * MINUTE_NS, MINUTE_NS, (double)i / 3);
		cr_assert_eq(buckets_add(&made, &b, MINUTE_NS), 0);
	}
}

Test(rollup, buckets_come_back_as_they_went_in)
{
	SCOPED(buckets_fini) struct buckets got = {0};
	SCOPED(buf_fini) struct buf out = {0};

	make(ROLLUP_MAX);
	cr_assert_eq(rollup_encode(made.items, made.n, MINUTE_NS, &out), 0);
	cr_assert_eq(rollup_decode(buf_bytes(&out), 0, MINUTE_NS, &got), 0);
	cr_assert_eq(got.n, made.n);
	for (size_t i = 0; i < got.n; i++) {
		const struct bucket *x = &made.items[i], *y = &got.items[i];
		cr_assert(x->t_ns == y->t_ns && y->step_ns == MINUTE_NS && x->n == y->n &&
			  x->n_bad == y->n_bad);
		cr_assert(x->mean == y->mean && x->m2 == y->m2 && x->min == y->min && x->max == y->max);
		cr_assert(x->last == y->last && x->last_ns == y->last_ns && y->coarse);
	}
}

Test(rollup, what_is_cut_off_or_elsewhere_is_refused)
{
	SCOPED(buckets_fini) struct buckets got = {0};
	SCOPED(buf_fini) struct buf out = {0};

	make(20);
	cr_assert_eq(rollup_encode(made.items, made.n, MINUTE_NS, &out), 0);
	for (size_t len = 0; len < out.len; len++)
		cr_assert_eq(rollup_decode((struct bytes){out.data, len}, 0, MINUTE_NS, &got), ERR_CORRUPT);
	cr_expect_eq(rollup_decode(buf_bytes(&out), 1, MINUTE_NS, &got), ERR_CORRUPT);
	cr_expect_eq(got.n, 0);
	out.data[0]++;
	cr_expect_eq(rollup_decode(buf_bytes(&out), 0, MINUTE_NS, &got), ERR_VERSION);
}

Test(rollup, joining_is_the_same_as_looking_at_all)
{
	SCOPED(column_fini) struct column c = {0};
	SCOPED(buckets_fini) struct buckets halves = {0};

	for (int i = 0; i < 1000; i++) {
		const struct sample s = {.t_ns = i,
					 .value = {.type = VALUE_DOUBLE, .real = 1e6 + i * 7919 % 1009},
					 .quality = i % 10 ? QUALITY_GOOD : QUALITY_BAD,
					 .sigma = (double)NAN};
		cr_assert_eq(column_add(&c, &s), 0);
	}
	cr_assert_eq(buckets_add_column(&made, &c, 0, 1000, 2000), 0);
	cr_assert_eq(buckets_add_column(&halves, &c, 300, 1000, 2000), 0);
	cr_assert_eq(buckets_add_column(&halves, &c, 0, 300, 2000), 0);
	cr_assert(made.n == 1 && halves.n == 1);
	const struct bucket *x = &made.items[0], *y = &halves.items[0];
	cr_expect(x->n == 900 && y->n == 900 && x->n_bad == 100 && y->n_bad == 100);
	cr_expect_float_eq(x->mean, y->mean, 1e-9);
	cr_expect_float_eq(x->m2 / y->m2, 1, 1e-9);
	cr_expect(x->min == y->min && x->max == y->max && x->last == y->last && y->last_ns == 999);
}

Test(rollup, buckets_are_kept_in_order)
{
	const int64_t order[] = {3, 1, 2, 0, 2};

	for (size_t i = 0; i < 5; i++) {
		const struct bucket b = bucket(order[i] * MINUTE_NS, MINUTE_NS, 1);
		cr_assert_eq(buckets_add(&made, &b, MINUTE_NS), 0);
	}
	cr_assert_eq(made.n, 4);
	for (size_t i = 0; i < 4; i++)
		cr_expect_eq(made.items[i].t_ns, (int64_t)i * MINUTE_NS);
	cr_expect_eq(made.items[2].n, 6);
}

Test(rollup, the_mean_of_large_numbers_is_a_number)
{
	int64_t t_ns[] = {0, 1, MINUTE_NS, MINUTE_NS + 1};
	uint64_t bits[] = {double_bits(1.5e308), double_bits(1.5e308), double_bits(-1.5e308),
			   double_bits(-1.5e308)};
	const struct column c = {.type = VALUE_DOUBLE, .t_ns = t_ns, .bits = bits, .n = 4};
	SCOPED(buckets_fini) struct buckets b = {0};

	cr_assert_eq(buckets_add_column(&b, &c, 0, 4, MINUTE_NS), 0);
	cr_assert_eq(b.n, 2);
	cr_expect_eq(b.items[0].mean, 1.5e308);
	bucket_join(&b.items[0], &b.items[1]);
	cr_expect_eq(b.items[0].mean, 0);
	cr_expect(isinf(b.items[0].m2));
}

Test(rollup, horizons_are_whole_buckets_before_the_newest_sample)
{
	const struct series_rule rule = {true, 90 * MINUTE_NS, 5 * HOUR_NS, 0};
	const struct horizon h = horizon_of(&rule, 10 * HOUR_NS + 5);
	const struct series_rule ever = {.alive = true, .minute_ns = HOUR_NS};

	cr_expect_eq(h.raw_ns, 10 * HOUR_NS - 90 * MINUTE_NS);
	cr_expect_eq(h.minute_ns, 3 * HOUR_NS);
	cr_expect_eq(h.hour_ns, TIME_MAX);
	cr_expect_eq(horizon_of(&ever, 0).raw_ns, TIME_MIN);
	cr_expect_eq(horizon_of(&rule, INT64_MIN + 1).raw_ns, TIME_MIN);
}

Test(rollup, every_allocation_may_fail)
{
	SCOPED(buf_fini) struct buf out = {0};
	bool failed = true;

	make(20);
	cr_assert_eq(rollup_encode(made.items, made.n, MINUTE_NS, &out), 0);
	for (long allowed = 0; failed; allowed++) {
		SCOPED(buckets_fini) struct buckets got = {0};
		alloc_fail_after(allowed);
		const int r = rollup_decode(buf_bytes(&out), 0, MINUTE_NS, &got);
		failed = alloc_has_failed();
		alloc_fail_after(-1);
		cr_expect_eq(r, failed ? -ENOMEM : 0);
		cr_expect_eq(got.n, failed ? 0 : 20);
	}
}
