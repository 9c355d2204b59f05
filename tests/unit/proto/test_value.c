/* SPDX-License-Identifier: Apache-2.0 */
#include <float.h>

#include "proto/limits.h"
#include "proto/value.h"
#include "tests/unit/proto/text.h"

static struct arena *arena;

static void set_up(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 20), 0));
}

static void tear_down(void)
{
	arena_free(arena);
	arena = NULL;
}

TestSuite(value, .init = set_up, .fini = tear_down);

static struct value read_as(enum value_type type, const char *text)
{
	struct value v = {0};

	cr_expect(eq(int, value_parse(arena, type, text, &v, NULL), 0), "%s", text);
	cr_expect(eq(int, v.type, type));
	return v;
}

static void expect_refused(enum value_type type, const char *text)
{
	struct err_note note = {0};
	struct value v = {.type = VALUE_BOOL};

	cr_expect(eq(int, value_parse(arena, type, text, &v, &note), ERR_REFUSED), "%s", text);
	cr_expect(gt(sz, strlen(note.text), 0));
	cr_expect(eq(int, v.type, VALUE_BOOL)); /* written only on success */
}

Test(value, words_of_the_enums_go_both_ways)
{
	enum value_type type;
	enum quality quality;

	for (int i = VALUE_BOOL; i <= VALUE_POSITION; i++) {
		cr_expect(value_type_parse(value_type_text((enum value_type)i), &type));
		cr_expect(eq(int, type, i));
	}
	for (int i = QUALITY_GOOD; i <= QUALITY_BAD; i++) {
		cr_expect(quality_parse(quality_text((enum quality)i), &quality));
		cr_expect(eq(int, quality, i));
	}
	cr_expect(not(value_type_parse("none", &type)));
	cr_expect(not(value_type_parse("float", &type)));
	cr_expect(not(value_type_parse(NULL, &type)));
	cr_expect(not(quality_parse("", &quality)));
	EXPECT_TEXT(value_type_text((enum value_type)99), "?");
}

Test(value, numbers_are_read_exactly_or_refused)
{
	cr_expect(eq(i64, read_as(VALUE_INT64, "-9223372036854775808").integer, INT64_MIN));
	cr_expect(eq(i64, read_as(VALUE_INT64, "+7").integer, 7));
	cr_expect(eq(dbl, read_as(VALUE_DOUBLE, "51754.08").real, 51754.08));
	cr_expect(eq(dbl, read_as(VALUE_DOUBLE, "-.5e3").real, -500.0));
	cr_expect(isnan(read_as(VALUE_DOUBLE, "NaN").real));
	cr_expect(eq(dbl, read_as(VALUE_DOUBLE, "-inf").real, -INFINITY));
	cr_expect(eq(dbl, read_as(VALUE_DOUBLE, "1e-320").real, 1e-320)); /* subnormal is no overflow */

	const char *const no_integer[] = {"", " 1", "1 ", "1.0", "0x10", "9223372036854775808", "-", "1e3"};
	for (size_t i = 0; i < sizeof no_integer / sizeof no_integer[0]; i++)
		expect_refused(VALUE_INT64, no_integer[i]);
	const char *const no_real[] = {"", " 1", "1 ", "1,5", "0x1p3", "1e999", "-", "one", "1.5MW"};
	for (size_t i = 0; i < sizeof no_real / sizeof no_real[0]; i++)
		expect_refused(VALUE_DOUBLE, no_real[i]);
}

Test(value, bools_are_true_and_false)
{
	cr_expect(read_as(VALUE_BOOL, "true").boolean);
	cr_expect(read_as(VALUE_BOOL, "1").boolean);
	cr_expect(not(read_as(VALUE_BOOL, "false").boolean));
	cr_expect(not(read_as(VALUE_BOOL, "0").boolean));
	expect_refused(VALUE_BOOL, "yes");
	expect_refused(VALUE_BOOL, "");
}

Test(value, text_is_utf8_of_bounded_length_and_copied)
{
	char text[TEXT_VALUE_MAX + 2];
	struct value v = read_as(VALUE_TEXT, "M\xc3\xbchle");

	EXPECT_TEXT(v.text, "M\xc3\xbchle");
	expect_refused(VALUE_TEXT, "\xff");
	memset(text, 'x', sizeof text);
	text[TEXT_VALUE_MAX] = '\0';
	v = read_as(VALUE_ENUM, text);
	text[0] = 'y';
	cr_expect(eq(int, v.text[0], 'x'));
	memset(text, 'x', sizeof text);
	text[TEXT_VALUE_MAX + 1] = '\0';
	expect_refused(VALUE_TEXT, text);
}

Test(value, a_position_is_on_the_earth)
{
	const struct position p = read_as(VALUE_POSITION, "52.5,-13.25").position;

	cr_expect(eq(dbl, p.lat_deg, 52.5));
	cr_expect(eq(dbl, p.lon_deg, -13.25));
	cr_expect(isnan(p.alt_m));
	cr_expect(eq(dbl, read_as(VALUE_POSITION, "90,180,-3.5").position.alt_m, -3.5));
	cr_expect(eq(dbl, read_as(VALUE_POSITION, "-90,-180").position.lat_deg, -90));
	const char *const wrong[] = {"",      "52.5",  "52.5,",   ",13",     "91,0",    "-90.1,0", "0,180.5",
				     "nan,0", "0,inf", "1,2,inf", "1,2,nan", "1,2,3,4", "1;2",     "1, 2"};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		expect_refused(VALUE_POSITION, wrong[i]);
}

Test(value, no_value_is_the_empty_text)
{
	cr_expect(eq(int, read_as(VALUE_NONE, "").type, VALUE_NONE));
	expect_refused(VALUE_NONE, "1");
	expect_refused((enum value_type)99, "1");
}

static const char *shown(struct value v)
{
	return value_text(arena, &v);
}

static struct value real(double x)
{
	return (struct value){.type = VALUE_DOUBLE, .real = x};
}

Test(value, the_text_is_short_and_reads_back_as_the_same_value)
{
	const double numbers[] = {
		0, -0.0, 1, 0.1, 51754.08, 1.0 / 3, 1e22, 5e-324, DBL_MAX, 9007199254740993.0, 1e-7};

	EXPECT_TEXT(shown(real(0.1)), "0.1");
	EXPECT_TEXT(shown(real(51754.08)), "51754.08");
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		cr_expect(eq(dbl, read_as(VALUE_DOUBLE, shown(real(numbers[i]))).real, numbers[i]));
	EXPECT_TEXT(shown(real(NAN)), "NaN");
	EXPECT_TEXT(shown(real(-INFINITY)), "-inf");
	EXPECT_TEXT(shown((struct value){.type = VALUE_INT64, .integer = INT64_MIN}), "-9223372036854775808");
	EXPECT_TEXT(shown((struct value){.type = VALUE_BOOL, .boolean = true}), "true");
	EXPECT_TEXT(shown((struct value){.type = VALUE_TEXT, .text = "a b"}), "a b");
	EXPECT_TEXT(shown((struct value){0}), "");
	EXPECT_TEXT(shown(read_as(VALUE_POSITION, "52.5,-13.25")), "52.5,-13.25");
	EXPECT_TEXT(shown(read_as(VALUE_POSITION, "52.5,-13.25,34")), "52.5,-13.25,34");
}

Test(value, equal_is_same_type_and_same_content)
{
	const struct value one = {.type = VALUE_INT64, .integer = 1},
			   yes = {.type = VALUE_BOOL, .boolean = true};
	const struct value a = {.type = VALUE_TEXT, .text = "a"}, word = {.type = VALUE_ENUM, .text = "a"};
	struct value here = read_as(VALUE_POSITION, "1,2"), there = here;

	cr_expect(value_equal(&one, &one));
	cr_expect(not(value_equal(&one, &yes)));
	cr_expect(value_equal(&yes, &yes));
	cr_expect(not(value_equal(&yes, &(struct value){.type = VALUE_BOOL, .boolean = false})));
	cr_expect(not(value_equal(&a, &word)));
	cr_expect(value_equal(&a, &a));
	cr_expect(value_equal(&(struct value){.type = VALUE_DOUBLE, .real = NAN},
			      &(struct value){.type = VALUE_DOUBLE, .real = NAN}));
	cr_expect(value_equal(&here, &there));
	there.position.alt_m = 0;
	cr_expect(not(value_equal(&here, &there)));
	cr_expect(value_equal(&(struct value){0}, &(struct value){0}));
}

Test(value, only_bools_and_numbers_are_numbers)
{
	double x = -1;

	cr_expect(value_number(&(struct value){.type = VALUE_BOOL, .boolean = true}, &x));
	cr_expect(eq(dbl, x, 1));
	cr_expect(value_number(&(struct value){.type = VALUE_INT64, .integer = -3}, &x));
	cr_expect(eq(dbl, x, -3));
	cr_expect(value_number(&(struct value){.type = VALUE_DOUBLE, .real = 2.5}, &x));
	cr_expect(eq(dbl, x, 2.5));
	cr_expect(not(value_number(&(struct value){.type = VALUE_TEXT, .text = "1"}, &x)));
	cr_expect(not(value_number(&(struct value){0}, &x)));
}

Test(value, a_copy_owns_its_text)
{
	char text[] = "abc";
	const struct value v = {.type = VALUE_TEXT, .text = text};
	SCOPED(scope_arena) struct arena *tiny = NULL;
	struct value copy = {0};

	cr_assert(eq(int, value_copy(arena, &v, &copy), 0));
	text[0] = 'x';
	EXPECT_TEXT(copy.text, "abc");
	const struct value word = {.type = VALUE_ENUM, .text = text};
	cr_assert(eq(int, value_copy(arena, &word, &copy), 0));
	cr_expect(copy.text != text);
	cr_assert(eq(int, arena_new(&tiny, 2), 0));
	cr_expect(eq(int, value_copy(tiny, &v, &copy), -ENOMEM));
}
