/* SPDX-License-Identifier: Apache-2.0 */

#include "proto/rollup.h"
#include "proto/unit.h"
#include "tests/unit/proto/text.h"

TestSuite(rollup, .fini = unit_fini);

static void add(struct rollup_state *s, double number, const char *unit)
{
	cr_assert(eq(int, rollup_add(s, number, unit, "acme/a", NULL), 0));
}

static double value(const struct rollup_state *s, enum rollup_fn fn)
{
	double x = NAN;

	cr_expect(rollup_value(s, fn, &x), "%s", rollup_fn_text(fn));
	return x;
}

Test(rollup, a_specification_is_function_and_property)
{
	struct rollup_spec spec = {0};
	struct err_note note = {0};
	const char *const wrong[] = {"",         "sum",      "sum:", ":load", "total:load", "sum:load power",
				     "SUM:load", "sums:load"};

	cr_assert(eq(int, rollup_spec_parse("sum:load/power", &spec, NULL), 0));
	cr_expect(eq(int, spec.fn, ROLLUP_SUM));
	EXPECT_TEXT(spec.property, "load/power");
	cr_assert(eq(int, rollup_spec_parse("max:x", &spec, NULL), 0));
	cr_expect(eq(int, spec.fn, ROLLUP_MAX));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_expect(eq(int, rollup_spec_parse(wrong[i], &spec, NULL), ERR_REFUSED), "%s", wrong[i]);
	cr_expect(eq(int, rollup_spec_parse("total:x", &spec, &note), ERR_REFUSED));
	EXPECT_WORDS(note.text, "count, sum, mean, min or max");
}

Test(rollup, nothing_added_counts_and_sums_to_zero_and_has_no_mean)
{
	const struct rollup_state s = {0};
	double x;

	cr_expect(eq(dbl, value(&s, ROLLUP_COUNT), 0));
	cr_expect(eq(dbl, value(&s, ROLLUP_SUM), 0));
	cr_expect(not(rollup_value(&s, ROLLUP_MEAN, &x)));
	cr_expect(not(rollup_value(&s, ROLLUP_MIN, &x)));
	cr_expect(not(rollup_value(&s, ROLLUP_MAX, &x)));
}

Test(rollup, numbers_that_are_none_are_left_out)
{
	struct rollup_state s = {0};

	add(&s, NAN, "K");
	cr_expect(s.unit == NULL);
	add(&s, 4, "MW");
	add(&s, INFINITY, "K");
	add(&s, -2, "MW");
	cr_expect(eq(dbl, value(&s, ROLLUP_COUNT), 2));
	cr_expect(eq(dbl, value(&s, ROLLUP_SUM), 2));
	cr_expect(eq(dbl, value(&s, ROLLUP_MEAN), 1));
	cr_expect(eq(dbl, value(&s, ROLLUP_MIN), -2));
	cr_expect(eq(dbl, value(&s, ROLLUP_MAX), 4));
	EXPECT_TEXT(s.unit, "MW");
}

Test(rollup, the_order_does_not_show_in_the_sum)
{
	const double numbers[] = {1, 1e100, 1, -1e100, 0.1, 0.2, 0.3};
	struct rollup_state up = {0}, down = {0}, left = {0}, right = {0};
	const size_t n = sizeof numbers / sizeof numbers[0];

	for (size_t i = 0; i < n; i++) {
		add(&up, numbers[i], "");
		add(&down, numbers[n - 1 - i], "");
		add(i % 2 ? &left : &right, numbers[i], "");
	}
	cr_assert(eq(int, rollup_merge(&left, &right, NULL), 0));
	cr_expect(eq(dbl, value(&up, ROLLUP_SUM), value(&down, ROLLUP_SUM)));
	cr_expect(eq(dbl, value(&up, ROLLUP_SUM), value(&left, ROLLUP_SUM)));
	cr_expect(lt(dbl, fabs(value(&up, ROLLUP_SUM) - 2.6), 1e-12));
	cr_expect(eq(dbl, value(&left, ROLLUP_COUNT), 7));
}

Test(rollup, units_are_converted_to_the_first)
{
	struct rollup_state s = {0}, other = {0};

	add(&s, 1, "MW");
	add(&s, 500, "kW");
	cr_expect(lt(dbl, fabs(value(&s, ROLLUP_SUM) - 1.5), 1e-12));
	add(&other, 2e6, "W");
	cr_assert(eq(int, rollup_merge(&s, &other, NULL), 0));
	cr_expect(lt(dbl, fabs(value(&s, ROLLUP_SUM) - 3.5), 1e-12));
	cr_expect(lt(dbl, fabs(value(&s, ROLLUP_MAX) - 2), 1e-12));
	cr_expect(lt(dbl, fabs(value(&s, ROLLUP_MIN) - 0.5), 1e-12));
	EXPECT_TEXT(s.unit, "MW");
}

Test(rollup, an_offset_counts_once_per_value)
{
	struct rollup_state k = {0}, c = {0};

	add(&k, 273.15, "K");
	add(&c, 10, "degC");
	add(&c, 20, "degC");
	cr_assert(eq(int, rollup_merge(&k, &c, NULL), 0));
	cr_expect(lt(dbl, fabs(value(&k, ROLLUP_MEAN) - 283.15), 1e-9));
	cr_expect(lt(dbl, fabs(value(&k, ROLLUP_MAX) - 293.15), 1e-9));
}

Test(rollup, merging_with_nothing_changes_nothing)
{
	struct rollup_state s = {0}, empty = {0};

	add(&s, 3, "MW");
	cr_assert(eq(int, rollup_merge(&s, &empty, NULL), 0));
	cr_expect(eq(dbl, value(&s, ROLLUP_SUM), 3));
	cr_assert(eq(int, rollup_merge(&empty, &s, NULL), 0));
	cr_expect(eq(dbl, value(&empty, ROLLUP_SUM), 3));
	EXPECT_TEXT(empty.unit, "MW");
}

Test(rollup, units_that_do_not_agree_name_both_twins)
{
	struct rollup_state s = {0}, other = {0};
	struct err_note note = {0};

	add(&s, 3, "MW");
	cr_expect(eq(int, rollup_add(&s, 5, "K", "volt/b", &note), ERR_UNIT));
	EXPECT_WORDS(note.text, "'acme/a'");
	EXPECT_WORDS(note.text, "'volt/b'");
	cr_assert(eq(int, rollup_add(&other, 5, "", "volt/c", NULL), 0));
	cr_expect(eq(int, rollup_merge(&s, &other, &note), ERR_UNIT));
	EXPECT_WORDS(note.text, "'volt/c'");
	cr_expect(eq(dbl, value(&s, ROLLUP_COUNT), 1)); /* and is left out */
}

Test(rollup, a_sum_beyond_double_is_infinite_and_no_nonsense)
{
	struct rollup_state s = {0};

	add(&s, 1.7e308, "");
	add(&s, 1.7e308, "");
	add(&s, 1, "");
	cr_expect(isinf(value(&s, ROLLUP_SUM)));
	cr_expect(isfinite(s.carry));
}
