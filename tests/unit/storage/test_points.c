/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/points.h"

#include <criterion/criterion.h>

#include "storage/rollup.h"
#include "tests/lib/must.h"
#include "tests/unit/storage/past.h"

enum { N_MAX = 64 };
static struct arena *a;
static struct point got[N_MAX];

static void set_up(void)
{
	past_begin();
	must(arena_new(&a, 1 << 20) == 0);
}

static void tear_down(void)
{
	arena_free(a);
	a = NULL;
	past_end();
}

TestSuite(points, .init = set_up, .fini = tear_down, .timeout = 120);

/* As of n times, in seconds. */
static int look(const struct series *s, const int64_t *t_s, size_t n)
{
	int64_t t_ns[N_MAX];

	for (size_t i = 0; i < n; i++)
		t_ns[i] = t_s[i] * SECOND_NS;
	return history_points(world.h, s, t_ns, n, a, got);
}

static void is_sample(size_t i, int64_t t_s)
{
	cr_expect(got[i].known == KNOWN_SAMPLE && got[i].sample.t_ns == t_s * SECOND_NS &&
			  got[i].sample.value.real == (double)t_s,
		  "place %zu: known %d, time %ld", i, (int)got[i].known,
		  (long)(got[i].sample.t_ns / SECOND_NS));
}

Test(points, each_time_gets_the_last_sample_at_or_before_it)
{
	static const int64_t times[] = {-1, 0, 4, 1000, 1000, 1001, 7999, 9000, 9500, 10000};

	eight_runs();
	add_seconds(&world.one, 9000, 10);
	cr_assert_eq(look(&world.one, times, 10), 0);
	cr_expect(got[0].known == KNOWN_NOTHING && got[0].sample.value.type == VALUE_NONE);
	for (size_t i = 1; i < 8; i++)
		is_sample(i, times[i]);
	is_sample(8, 9009);
	is_sample(9, 9009);
	cr_assert_eq(look(&world.two, times, 4), 0);
	is_sample(3, 79);
	cr_assert_eq(look(&world.two, times, 0), 0);
}

Test(points, one_run_of_many_chunks_is_gone_through)
{
	static const int64_t times[] = {0, 16383, 16384, 40000, 40001, 86399};

	a_day();
	cr_assert_eq(merge(), 1);
	cr_assert_eq(look(&world.one, times, 6), 0);
	for (size_t i = 0; i < 6; i++)
		is_sample(i, times[i]);
}

Test(points, a_late_sample_wins_from_its_time_on)
{
	static const int64_t times[] = {99, 100, 101};

	add_seconds(&world.one, 0, 100);
	cr_assert_eq(checkpoint(), 0);
	add(&world.one, 99 * SECOND_NS, -1);
	cr_assert_eq(checkpoint(), 0);
	add(&world.one, 100 * SECOND_NS, -2);
	cr_assert_eq(look(&world.one, times, 3), 0);
	cr_expect_eq(got[0].sample.value.real, -1, "the younger run wins at equal times");
	cr_expect_eq(got[1].sample.value.real, -2);
	cr_expect_eq(got[2].sample.value.real, -2);
}

Test(points, texts_outlive_the_chunk_they_were_in)
{
	struct series text = {.id = 3, .type = VALUE_TEXT};
	const struct value words[] = {{.type = VALUE_TEXT, .text = "on"},
				      {.type = VALUE_TEXT, .text = "off"}};
	static const int64_t times[] = {0, 1, 2, 3};

	for (int64_t i = 0; i < 2; i++) {
		const struct sample s = {
			.t_ns = 2 * i * SECOND_NS, .value = words[i], .sigma = 0.5, .source = "a person"};
		cr_assert_eq(history_add(world.h, text.id, &text.chain, &s), 0);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_assert_eq(look(&text, times, 4), 0);
	for (size_t i = 0; i < 4; i++)
		cr_expect_str_eq(got[i].sample.value.text, i < 2 ? "on" : "off");
	cr_expect_str_eq(got[3].sample.source, "a person");
	cr_expect_eq(got[1].sample.value.text, got[0].sample.value.text, "one copy for both");
}

Test(points, where_single_samples_are_over_the_stretch_speaks)
{
	/* a day of seconds: six hours of samples, twelve of minutes, the rest in hours */
	static const int64_t hour = 3600,
			     times[] = {600, 3599, 4 * 3600, 10 * 3600 + 59, 10 * 3600 + 60, 86399};

	world.rules[world.one.id] = (struct series_rule){true, 6 * HOUR_NS, 12 * HOUR_NS, 240 * HOUR_NS};
	a_day();
	cr_assert_eq(merge(), 1);
	cr_assert_eq(look(&world.one, times, 6), 0);
	cr_expect(got[0].known == KNOWN_COARSE && got[0].sample.t_ns == 0);
	cr_expect_float_eq(got[0].sample.value.real, 1799.5, 1e-6, "the mean of the hour it lies in");
	cr_expect(got[1].known == KNOWN_COARSE && got[1].sample.value.real == 3599, "the hour's last");
	cr_expect_eq(got[1].sample.t_ns, 3599 * SECOND_NS);
	cr_expect_float_eq(got[2].sample.value.real, 4.5 * (double)hour - 0.5, 1e-6);
	cr_expect(got[3].known == KNOWN_COARSE && got[3].sample.value.real == 10 * 3600 + 59);
	cr_expect_float_eq(got[4].sample.value.real, 10 * 3600 + 60 + 29.5, 1e-6, "the minute's mean");
	is_sample(5, 86399);
}

Test(points, bad_samples_in_a_stretch_make_it_uncertain)
{
	static const int64_t times[] = {100, 200};

	world.rules[world.one.id] = (struct series_rule){true, HOUR_NS, 12 * HOUR_NS, 0};
	add(&world.one, 10 * SECOND_NS, 4);
	add(&world.one, 20 * SECOND_NS, (double)NAN);
	add(&world.one, 150 * SECOND_NS, (double)NAN);
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add_seconds(&world.one, 4 * 3600 + i * 100, 100);
		cr_assert_eq(checkpoint(), 0);
	}
	cr_assert_eq(merge(), 1);
	cr_assert_eq(look(&world.one, times, 2), 0);
	cr_expect(got[0].known == KNOWN_COARSE && got[0].sample.value.real == 4);
	cr_expect_eq(got[0].sample.quality, QUALITY_UNCERTAIN);
	cr_expect(got[1].known == KNOWN_COARSE && got[1].sample.quality == QUALITY_BAD);
}

Test(points, what_is_not_kept_is_said_to_be_expired)
{
	static const int64_t hours[] = {1 * 3600, 12 * 3600, 20 * 3600};
	struct series text = {.id = 3, .type = VALUE_TEXT};
	const struct value on = {.type = VALUE_TEXT, .text = "on"};

	world.rules[world.one.id] = (struct series_rule){true, 6 * HOUR_NS, 2 * HOUR_NS, 8 * HOUR_NS};
	world.rules[text.id] = (struct series_rule){true, 6 * HOUR_NS, 2 * HOUR_NS, 8 * HOUR_NS};
	for (int64_t t_s = 0; t_s < 86400; t_s += 3600) {
		const struct sample s = {.t_ns = t_s * SECOND_NS, .value = on, .sigma = (double)NAN};
		cr_assert_eq(history_add(world.h, text.id, &text.chain, &s), 0);
	}
	a_day();
	cr_assert_eq(merge(), 1);
	cr_assert_eq(look(&world.one, hours, 3), 0);
	cr_expect(got[0].known == KNOWN_EXPIRED && got[0].sample.value.type == VALUE_NONE);
	cr_expect_eq(got[1].known, KNOWN_COARSE);
	is_sample(2, 20 * 3600);
	cr_assert_eq(look(&text, hours, 3), 0);
	cr_expect_eq(got[0].known, KNOWN_EXPIRED);
	cr_expect_eq(got[1].known, KNOWN_EXPIRED, "texts have no stretches");
	cr_expect_eq(got[2].known, KNOWN_SAMPLE);
	cr_expect_str_eq(got[2].sample.value.text, "on");
	cr_assert_eq(look(&world.two, hours, 3), 0);
	cr_expect_eq(got[2].known, KNOWN_NOTHING, "a series without samples has nothing that could expire");
}

Test(points, a_late_sample_beyond_raw_retention_is_coarse)
{
	static const int64_t times[] = {5 * 3600};

	world.rules[world.one.id] = (struct series_rule){true, 6 * HOUR_NS, 12 * HOUR_NS, 240 * HOUR_NS};
	a_day();
	cr_assert_eq(merge(), 1);
	add(&world.one, times[0] * SECOND_NS, -1);
	cr_assert_eq(look(&world.one, times, 1), 0);
	cr_expect(got[0].known == KNOWN_COARSE && got[0].sample.value.real == -1);
}
