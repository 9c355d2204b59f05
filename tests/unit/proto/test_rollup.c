/* SPDX-License-Identifier: Apache-2.0 */

#include "proto/rollup.h"
#include "proto/unit.h"
#include "tests/unit/proto/text.h"

static struct arena *arena;
static const struct rollup_spec any = {.fn = ROLLUP_SUM, .property = "p"};

static void begin(void)
{
	cr_assert(eq(int, arena_new(&arena, 64 << 20), 0));
}

static void end(void)
{
	arena_free(arena);
	unit_fini();
}

TestSuite(rollup, .init = begin, .fini = end);

static int add_at(struct rollup_state *s, double number, const char *unit, const char *twin,
		  struct err_note *note)
{
	const struct rollup_item item = {.number = number, .sigma = NAN, .unit = unit, .twin = twin};

	return rollup_add(arena, &any, s, &item, note);
}

static void add(struct rollup_state *s, double number, const char *unit)
{
	cr_assert(eq(int, add_at(s, number, unit, "acme/a", NULL), 0));
}

static int merge(struct rollup_state *s, const struct rollup_state *other, struct err_note *note)
{
	return rollup_merge(arena, &any, s, other, note);
}

static bool has_value(const struct rollup_state *s, enum rollup_fn fn, double *ret)
{
	const struct rollup_spec spec = {.fn = fn, .property = "p", .quantile = 0.5};

	return rollup_value(s, &spec, ret);
}

static double value(const struct rollup_state *s, enum rollup_fn fn)
{
	double x = NAN;

	cr_expect(has_value(s, fn, &x), "%s", rollup_fn_text(fn));
	return x;
}

Test(rollup, a_specification_is_function_and_property)
{
	struct rollup_spec spec = {0};
	struct err_note note = {0};
	const char *const wrong[] = {"",
				     "sum",
				     "sum:",
				     ":load",
				     "total:load",
				     "sum:load power",
				     "SUM:load",
				     "sums:load",
				     "quantile:x",
				     "quantile(2):x",
				     "quantile(0.5)",
				     "quantile(0.5:x",
				     "sum(1):x",
				     "worst-health:x",
				     "count(1)",
				     "mean"};

	cr_assert(eq(int, rollup_spec_parse("sum:load/power", &spec, NULL), 0));
	cr_expect(eq(int, spec.fn, ROLLUP_SUM));
	EXPECT_TEXT(spec.property, "load/power");
	cr_assert(eq(int, rollup_spec_parse("max:x", &spec, NULL), 0));
	cr_expect(eq(int, spec.fn, ROLLUP_MAX));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_expect(eq(int, rollup_spec_parse(wrong[i], &spec, NULL), ERR_REFUSED), "%s", wrong[i]);
	cr_expect(eq(int, rollup_spec_parse("total:x", &spec, &note), ERR_REFUSED));
	EXPECT_WORDS(note.text, "count, sum, mean, min, max");
}

Test(rollup, nothing_added_counts_and_sums_to_zero_and_has_no_mean)
{
	const struct rollup_state s = {0};
	double x;

	cr_expect(eq(dbl, value(&s, ROLLUP_COUNT), 0));
	cr_expect(eq(dbl, value(&s, ROLLUP_SUM), 0));
	cr_expect(not(has_value(&s, ROLLUP_MEAN, &x)));
	cr_expect(not(has_value(&s, ROLLUP_MIN, &x)));
	cr_expect(not(has_value(&s, ROLLUP_MAX, &x)));
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
	cr_assert(eq(int, merge(&left, &right, NULL), 0));
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
	cr_assert(eq(int, merge(&s, &other, NULL), 0));
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
	cr_assert(eq(int, merge(&k, &c, NULL), 0));
	cr_expect(lt(dbl, fabs(value(&k, ROLLUP_MEAN) - 283.15), 1e-9));
	cr_expect(lt(dbl, fabs(value(&k, ROLLUP_MAX) - 293.15), 1e-9));
}

Test(rollup, merging_with_nothing_changes_nothing)
{
	struct rollup_state s = {0}, empty = {0};

	add(&s, 3, "MW");
	cr_assert(eq(int, merge(&s, &empty, NULL), 0));
	cr_expect(eq(dbl, value(&s, ROLLUP_SUM), 3));
	cr_assert(eq(int, merge(&empty, &s, NULL), 0));
	cr_expect(eq(dbl, value(&empty, ROLLUP_SUM), 3));
	EXPECT_TEXT(empty.unit, "MW");
}

Test(rollup, units_that_do_not_agree_name_both_twins)
{
	struct rollup_state s = {0}, other = {0};
	struct err_note note = {0};

	add(&s, 3, "MW");
	cr_expect(eq(int, add_at(&s, 5, "K", "volt/b", &note), ERR_UNIT));
	EXPECT_WORDS(note.text, "'acme/a'");
	EXPECT_WORDS(note.text, "'volt/b'");
	cr_assert(eq(int, add_at(&other, 5, "", "volt/c", NULL), 0));
	cr_expect(eq(int, merge(&s, &other, &note), ERR_UNIT));
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

/* ---- more than sums */

static struct rollup_spec parsed(const char *text)
{
	struct rollup_spec spec;

	cr_assert(eq(int, rollup_spec_parse(text, &spec, NULL), 0));
	EXPECT_TEXT(rollup_spec_text(arena, &spec), text);
	cr_expect(rollup_spec_is_valid(&spec));
	return spec;
}

static double numbers[1000];

/* A thousand numbers between 1 and 1000, in no order. */
static void draw_numbers(void)
{
	for (size_t i = 0; i < 1000; i++)
		numbers[i] = (double)((i * 387 + 11) % 1000) + 1;
}

/* The same values, added one by one, and in three parts that are merged. */
static void fill(const struct rollup_spec *spec, struct rollup_state *whole, struct rollup_state *merged)
{
	struct rollup_state parts[3] = {0};

	draw_numbers();
	for (size_t i = 0; i < 1000; i++) {
		const struct rollup_item item = {.number = numbers[i],
						 .sigma = 3,
						 .quality = i == 500 ? QUALITY_UNCERTAIN : QUALITY_GOOD,
						 .t_ns = (int64_t)(i * 71 % 1000),
						 .unit = "MW",
						 .twin = i % 2 ? "acme/a" : "acme/b"};
		cr_assert(eq(int, rollup_add(arena, spec, whole, &item, NULL), 0));
		cr_assert(eq(int, rollup_add(arena, spec, &parts[i * i % 3], &item, NULL), 0));
	}
	for (size_t i = 0; i < 3; i++)
		cr_assert(eq(int, rollup_merge(arena, spec, merged, &parts[i], NULL), 0));
}

static void expect_both(const char *text, double expected, double relative)
{
	const struct rollup_spec spec = parsed(text);
	struct rollup_state whole = {0}, merged = {0};
	double a = NAN, b = NAN;

	fill(&spec, &whole, &merged);
	cr_assert(rollup_value(&whole, &spec, &a) && rollup_value(&merged, &spec, &b));
	cr_expect(fabs(a - expected) <= relative * fabs(expected), "%s: %.17g", text, a);
	cr_expect(fabs(b - expected) <= relative * fabs(expected), "%s merged: %.17g", text, b);
	const bool one = spec.fn == ROLLUP_LATEST || spec.fn == ROLLUP_FIRST;
	cr_expect(eq(int, rollup_quality(&merged), one ? QUALITY_GOOD : QUALITY_UNCERTAIN));
}

Test(rollup, every_function_merges)
{
	expect_both("count:p", 1000, 0);
	expect_both("sum:p", 500500, 1e-15);
	expect_both("mean:p", 500.5, 1e-15);
	expect_both("min:p", 1, 0);
	expect_both("max:p", 1000, 0);
	expect_both("stddev:p", sqrt((1e6 - 1) / 12), 1e-12);
	expect_both("quantile(0):p", 1, SKETCH_ERROR);
	expect_both("quantile(0.5):p", 500, SKETCH_ERROR + 1e-3);
	expect_both("quantile(0.95):p", 950, SKETCH_ERROR + 1e-3);
	expect_both("quantile(1):p", 1000, SKETCH_ERROR);
	expect_both("latest:p", numbers[169], 0); /* 169 * 71 = 11999 */
	expect_both("first:p", 12, 0);
}

/* A peer may send along whatever it likes: it stays where it came. */
Test(rollup, one_value_takes_no_sketch_over)
{
	const struct rollup_spec latest = parsed("latest:p");
	struct sketch_bucket bucket = {1, 1};
	struct rollup_state s = {.n = 1, .t_ns = 1, .unit = "", .unit_twin = "acme/a"};
	const struct rollup_state other = {.n = 1,
					   .t_ns = 2,
					   .unit = "",
					   .unit_twin = "acme/b",
					   .sketch = {.buckets = &bucket, .n_buckets = 1, .room = 1}};

	cr_assert(eq(int, rollup_merge(arena, &latest, &s, &other, NULL), 0));
	cr_expect(eq(i64, s.t_ns, 2));
	cr_expect(eq(sz, s.sketch.n_buckets, 0));
	cr_expect(s.sketch.buckets != &bucket);
}

Test(rollup, uncertainty_is_propagated_where_all_stated_one)
{
	const struct rollup_spec sum = parsed("sum:p"), mean = parsed("mean:p"), max = parsed("max:p");
	struct rollup_state whole = {0}, merged = {0};
	double sigma = NAN;

	fill(&sum, &whole, &merged);
	cr_assert(rollup_sigma(&merged, &sum, &sigma));
	cr_expect(lt(dbl, fabs(sigma - 3 * sqrt(1000)), 1e-9));
	cr_assert(rollup_sigma(&merged, &mean, &sigma));
	cr_expect(lt(dbl, fabs(sigma - 3 / sqrt(1000)), 1e-12));
	cr_assert(rollup_sigma(&merged, &max, &sigma));
	cr_expect(eq(dbl, sigma, 3));
	add(&merged, 5, "kW"); /* nothing stated */
	cr_expect(not(rollup_sigma(&merged, &sum, &sigma)));
}

Test(rollup, uncertainty_is_converted_with_its_unit)
{
	struct rollup_state mw = {0}, kw = {0};
	const struct rollup_item item = {.number = 2000, .sigma = 30, .unit = "kW", .twin = "acme/b"};
	double sigma = NAN;

	const struct rollup_item other = {.number = 1, .sigma = 0.04, .unit = "MW", .twin = "acme/a"};
	cr_assert(eq(int, rollup_add(arena, &any, &kw, &item, NULL), 0));
	cr_assert(eq(int, rollup_add(arena, &any, &mw, &other, NULL), 0));
	cr_assert(eq(int, merge(&mw, &kw, NULL), 0));
	cr_assert(rollup_sigma(&mw, &any, &sigma));
	cr_expect(lt(dbl, fabs(sigma - 0.05), 1e-12));
}

Test(rollup, members_are_counted_without_a_property)
{
	const struct rollup_spec count = parsed("count"), worst = parsed("worst-health");
	struct rollup_state n = {0}, h = {0}, more = {0};
	double x = NAN;

	cr_expect(rollup_counts_members(&count));
	cr_expect(not(rollup_value(&h, &worst, &x)));
	rollup_add_member(&count, &n, HEALTH_GOOD);
	rollup_add_member(&count, &n, HEALTH_ALARM);
	rollup_add_member(&worst, &h, HEALTH_GOOD);
	rollup_add_member(&worst, &more, HEALTH_WARNING);
	rollup_add_member(&worst, &more, HEALTH_UNKNOWN);
	cr_assert(eq(int, rollup_merge(arena, &worst, &h, &more, NULL), 0));
	cr_assert(rollup_value(&n, &count, &x));
	cr_expect(eq(dbl, x, 2));
	cr_assert(rollup_value(&h, &worst, &x));
	cr_expect(eq(dbl, x, HEALTH_WARNING));
}
