/* SPDX-License-Identifier: Apache-2.0 */

#include "proto/clock.h"
#include "tests/unit/proto/text.h"

#define S_2011 INT64_C(1293840000)

static int64_t at(const char *text)
{
	int64_t ns = -1;

	cr_expect(eq(int, time_parse(text, &ns, NULL), 0), "%s", text);
	return ns;
}

static const char *shown(int64_t ns)
{
	static char text[TIME_TEXT_SIZE];

	return time_text(ns, text);
}

Test(clock, a_time_without_a_zone_is_utc)
{
	cr_expect(eq(i64, at("1970-01-01"), 0));
	cr_expect(eq(i64, at("2011-01-01"), S_2011 * NS_PER_S));
	cr_expect(eq(i64, at("2011-01-01T00:00"), S_2011 * NS_PER_S));
	cr_expect(eq(i64, at("2011-01-01 00:00:00"), S_2011 * NS_PER_S));
	cr_expect(eq(i64, at("2011-01-01t00:00:00z"), S_2011 * NS_PER_S));
	cr_expect(eq(i64, at("2000-02-29"), INT64_C(951782400) * NS_PER_S));
	cr_expect(eq(i64, at("1969-12-31T23:59:59.999999999"), -1));
}

Test(clock, fractions_are_exact_to_the_nanosecond)
{
	cr_expect(eq(i64, at("2011-01-01 00:00:00.25"), S_2011 * NS_PER_S + 250000000));
	cr_expect(eq(i64, at("2011-01-01T00:00:00.000000001Z"), S_2011 * NS_PER_S + 1));
}

Test(clock, zones_count_from_utc)
{
	cr_expect(eq(i64, at("2011-01-01T01:00:00+01:00"), S_2011 * NS_PER_S));
	cr_expect(eq(i64, at("2010-12-31T18:30-0530"), S_2011 * NS_PER_S));
	cr_expect(eq(i64, at("2011-01-01T02:00+02"), S_2011 * NS_PER_S));
	cr_expect(eq(i64, at("2011-01-01T23:59+23:59"), S_2011 * NS_PER_S));
	cr_expect(eq(i64, at("2011-01-01T00:00-00:00"), S_2011 * NS_PER_S));
}

Test(clock, what_is_no_time_is_refused_with_an_example)
{
	const char *const wrong[] = {
		"",
		"2011",
		"2011-1-1",
		"2011-13-01",
		"2011-00-01",
		"2011-02-29",
		"1900-02-29",
		"2011-04-31",
		"2011-01-00",
		"1677-12-31",
		"2262-01-01",
		"2011-01-01T",
		"2011-01-01T24:00",
		"2011-01-01T00:60",
		"2011-01-01T00:00:60",
		"2011-01-01T00:00:00.",
		"2011-01-01T00:00:00.0000000001",
		"2011-01-01T00:00x",
		"2011-01-01T00:00+1",
		"2011-01-01T00:00+24:00",
		"2011-01-01T00:00+01:60",
		"2011-01-01T00:00Zx",
		"2011-01-01Z",
		" 2011-01-01",
		"-011-01-01",
		"2011-01-01T00:00:00,5",
	};
	struct err_note note = {0};
	int64_t ns = 42;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_expect(eq(int, time_parse(wrong[i], &ns, &note), ERR_REFUSED), "%s", wrong[i]);
	cr_expect(eq(int, time_parse(NULL, &ns, NULL), ERR_REFUSED));
	EXPECT_WORDS(note.text, "write it like 2011-01-01T00:00:00Z");
	cr_expect(eq(i64, ns, 42)); /* written only on success */
}

Test(clock, a_time_is_shown_with_as_many_decimals_as_it_has)
{
	EXPECT_TEXT(shown(0), "1970-01-01T00:00:00Z");
	EXPECT_TEXT(shown(S_2011 * NS_PER_S + 250 * NS_PER_MS), "2011-01-01T00:00:00.250Z");
	EXPECT_TEXT(shown(S_2011 * NS_PER_S + 1000), "2011-01-01T00:00:00.000001Z");
	EXPECT_TEXT(shown(-1), "1969-12-31T23:59:59.999999999Z");
	EXPECT_TEXT(shown(TIME_MIN), "always");
	EXPECT_TEXT(shown(TIME_MAX), "forever");
	EXPECT_TEXT(shown(TIME_MIN + 1), "1677-09-21T00:12:43.145224193Z");
	EXPECT_TEXT(shown(TIME_MAX - 1), "2262-04-11T23:47:16.854775806Z");
}

Test(clock, every_day_of_the_range_reads_back_as_itself)
{
	const int64_t day = 86400 * NS_PER_S, first = at("1678-01-01"), last = at("2261-12-31");
	int64_t odd = 0;

	for (int64_t t = first; t <= last; t += day, odd = (odd + 7919 * NS_PER_S + 12345678) % day)
		cr_assert(eq(i64, at(shown(t + odd)), t + odd));
}

static int64_t lasting(const char *text)
{
	int64_t ns = -1;

	cr_expect(eq(int, duration_parse(text, &ns, NULL), 0), "%s", text);
	return ns;
}

Test(clock, durations_are_numbers_with_units)
{
	cr_expect(eq(i64, lasting("250ms"), 250 * NS_PER_MS));
	cr_expect(eq(i64, lasting("5s"), 5 * NS_PER_S));
	cr_expect(eq(i64, lasting("2min"), 120 * NS_PER_S));
	cr_expect(eq(i64, lasting("1h30min"), 5400 * NS_PER_S));
	cr_expect(eq(i64, lasting("4min 10s"), 250 * NS_PER_S));
	cr_expect(eq(i64, lasting("30d"), 30 * 86400 * NS_PER_S));
	cr_expect(eq(i64, lasting("0s"), 0));
	cr_expect(eq(i64, lasting("19s"), 19 * NS_PER_S));
	cr_expect(eq(i64, lasting("90s"), 90 * NS_PER_S));
	cr_expect(eq(i64, lasting("7us1ns"), 7001));
	cr_expect(eq(i64, lasting("106751d"), INT64_C(106751) * 86400 * NS_PER_S));
}

Test(clock, what_is_no_duration_is_refused)
{
	const char *const wrong[] = {"",
				     "5",
				     "s",
				     "-5s",
				     "+5s",
				     "5 s",
				     "5m",
				     "5sec",
				     "1.5h",
				     "106752d",
				     "1h ,",
				     "99999999999999999999s",
				     "106751d2562047h",
				     "5S",
				     "5s\n"};
	int64_t ns;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_expect(eq(int, duration_parse(wrong[i], &ns, NULL), ERR_REFUSED), "%s", wrong[i]);
}

static const char *spelt(int64_t ns)
{
	static char text[DURATION_TEXT_SIZE];

	return duration_text(ns, text);
}

Test(clock, a_duration_may_be_shown_without_loss)
{
	char text[DURATION_TEXT_SIZE];
	static const char *const same[] = {"2y", "3w", "90d", "36h", "90min", "59s", "250ms", "7us", "1ns"};
	int64_t ns;

	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		cr_assert(eq(int, duration_parse(same[i], &ns, NULL), 0), "%s", same[i]);
		EXPECT_TEXT(duration_exact(ns, text), same[i]);
	}
	EXPECT_TEXT(duration_exact(0, text), "0y");
	EXPECT_TEXT(duration_text(800 * INT64_C(86400) * NS_PER_S, text), "800d");
}

Test(clock, a_duration_is_shown_in_its_largest_units)
{
	EXPECT_TEXT(spelt(0), "0s");
	EXPECT_TEXT(spelt(1), "1ns");
	EXPECT_TEXT(spelt(1999), "1us");
	EXPECT_TEXT(spelt(12 * NS_PER_MS), "12ms");
	EXPECT_TEXT(spelt(3200 * NS_PER_MS), "3.2s");
	EXPECT_TEXT(spelt(3 * NS_PER_S), "3s");
	EXPECT_TEXT(spelt(59999 * NS_PER_MS), "59.9s");
	EXPECT_TEXT(spelt(60 * NS_PER_S), "1min");
	EXPECT_TEXT(spelt(1100 * NS_PER_MS), "1.1s");
	EXPECT_TEXT(spelt(3660 * NS_PER_S), "1h 1min");
	EXPECT_TEXT(spelt(3659 * NS_PER_S), "1h");
	EXPECT_TEXT(spelt(250 * NS_PER_S), "4min 10s");
	EXPECT_TEXT(spelt(7500 * NS_PER_S), "2h 5min");
	EXPECT_TEXT(spelt((3 * 24 + 4) * 3600 * NS_PER_S), "3d 4h");
	EXPECT_TEXT(spelt(-5 * NS_PER_S), "-5s");
	EXPECT_TEXT(spelt(INT64_MIN), "-106751d 23h");
}

Test(clock, steps_begin_at_their_multiples_before_the_epoch_too)
{
	cr_expect(eq(i64, time_floor(0, 60), 0));
	cr_expect(eq(i64, time_floor(59, 60), 0));
	cr_expect(eq(i64, time_floor(60, 60), 60));
	cr_expect(eq(i64, time_floor(-1, 60), -60));
	cr_expect(eq(i64, time_floor(-60, 60), -60));
	cr_expect(eq(i64, time_floor(TIME_MIN, 60) % 60, 0));
	cr_expect(eq(i64, time_floor(TIME_MAX, 60), TIME_MAX - TIME_MAX % 60));
}
