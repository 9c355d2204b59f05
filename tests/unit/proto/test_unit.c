/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "proto/unit.h"
#include "tests/unit/proto/text.h"

TestSuite(unit, .fini = unit_fini);

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

static void expect_line(const char *from, const char *to, double scale, double offset)
{
	double s = NAN, o = NAN;

	cr_expect(eq(int, unit_convert(from, to, &s, &o, NULL), 0), "%s to %s", from, to);
	cr_expect(near(s, scale), "%s to %s: scale %.17g", from, to, s);
	cr_expect(near(o, offset), "%s to %s: offset %.17g", from, to, o);
}

Test(unit, units_of_the_data_base_are_accepted)
{
	const char *const good[] = {"MW", "degC", "ug/m3", "mbar", "kV", "1", "", "%", "m2 s-1", "MVA"};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		cr_expect(eq(int, unit_check(good[i], NULL), 0), "%s", good[i]);
	cr_expect(eq(int, unit_check(NULL, NULL), 0));
}

Test(unit, what_is_no_unit_is_refused_with_a_note)
{
	struct err_note note = {0};
	char longest[80];

	cr_expect(eq(int, unit_check("furlongs-ish", &note), ERR_UNIT));
	EXPECT_WORDS(note.text, "'furlongs-ish' is not a unit");
	cr_expect(eq(int, unit_check("\xff", NULL), ERR_UNIT));
	snprintf(longest, sizeof longest, "m%64s", "");
	cr_expect(eq(int, unit_check(longest, NULL), ERR_UNIT));
	cr_expect(eq(int, unit_check("MW)", NULL), ERR_UNIT));
	cr_expect(eq(int, unit_check("MW\n", NULL), ERR_UNIT));
	cr_expect(eq(int, unit_check("(MW", NULL), ERR_UNIT));
	cr_expect(eq(int, unit_check("(MW)", NULL), 0));
}

Test(unit, a_conversion_is_a_straight_line)
{
	expect_line("MW", "kW", 1000, 0);
	expect_line("kW", "MW", 0.001, 0);
	expect_line("degC", "K", 1, 273.15);
	expect_line("degF", "degC", 5.0 / 9, -160.0 / 9);
	expect_line("%", "1", 0.01, 0);
	expect_line("%", NULL, 0.01, 0);
	expect_line("mbar", "Pa", 100, 0);
}

Test(unit, equal_texts_need_no_library)
{
	expect_line("nobody knows", "nobody knows", 1, 0);
	expect_line("", "1", 1, 0);
	expect_line(NULL, "", 1, 0);
}

Test(unit, different_things_do_not_convert)
{
	struct err_note note = {0};
	double s, o;

	cr_expect(eq(int, unit_convert("MW", "K", &s, &o, &note), ERR_UNIT));
	EXPECT_WORDS(note.text, "'MW'");
	EXPECT_WORDS(note.text, "'K'");
	cr_expect(eq(int, unit_convert("MW", "", &s, &o, NULL), ERR_UNIT));
	cr_expect(eq(int, unit_convert("MW", "nonsense-", &s, &o, NULL), ERR_UNIT));
}

Test(unit, a_curved_conversion_is_refused)
{
	double s, o;

	cr_expect(eq(int, unit_convert("s", "Hz", &s, &o, NULL), ERR_UNIT));
	cr_expect(eq(int, unit_convert("lg(re 1 mW)", "W", &s, &o, NULL), ERR_UNIT));
}

Test(unit, more_conversions_than_the_cache_holds_stay_right)
{
	for (int round = 0; round < 2; round++) {
		for (int i = 2; i < 80; i++) {
			char from[16];
			snprintf(from, sizeof from, "%d m", i);
			expect_line(from, "m", i, 0);
			expect_line("kW", "W", 1000, 0);
		}
	}
}

Test(unit, a_kept_conversion_is_found_by_both_its_ends)
{
	for (int round = 0; round < 2; round++) {
		expect_line("kW", "W", 1000, 0);
		expect_line("kW", "MW", 0.001, 0);
		expect_line("MW", "W", 1e6, 0);
	}
}

Test(unit, the_longest_text_that_is_allowed_is_kept_whole)
{
	/* 63 characters */
	expect_line("2.00000000000000000000000000000000000000000000000000000000000 m", "m", 2, 0);
	expect_line("2.00000000000000000000000000000000000000000000000000000000000 m", "m", 2, 0);
}

Test(unit, after_the_end_the_data_base_is_read_anew)
{
	unit_fini();
	expect_line("kW", "W", 1000, 0);
	unit_fini();
	unit_fini();
	expect_line("kW", "W", 1000, 0);
}
