/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/plain.h"

#include <criterion/criterion.h>

static struct points in, out;
static struct buf encoded;

static void end(void)
{
	points_fini(&in);
	points_fini(&out);
	buf_fini(&encoded);
}

TestSuite(plain, .fini = end);

static void add(struct sample s)
{
	cr_assert_eq(points_add(&in, &s), 0);
}

static int decode(void)
{
	buf_clear(&encoded);
	plain_encode(&in, 0, in.n, &encoded);
	cr_assert_eq(buf_check(&encoded), 0);
	return plain_decode(buf_bytes(&encoded), points_time(&in, 0), &out);
}

static void check_round_trip(void)
{
	cr_assert_eq(decode(), 0);
	cr_assert_eq(out.n, in.n);
	for (size_t i = 0; i < in.n; i++) {
		const struct sample a = points_get(&in, i), b = points_get(&out, i);
		cr_assert(sample_equal(&a, &b), "sample %zu", i);
	}
}

static struct sample number(int64_t t_ns, double v)
{
	return (struct sample){.t_ns = t_ns, .value = {.type = VALUE_DOUBLE, .real = v}, .sigma = NAN};
}

Test(plain, keeps_numbers_to_the_bit)
{
	const double values[] = {0, -0.0, 1, 0.1, -1e300, 1e-300, INFINITY, -INFINITY, NAN, 5e-324, 0.1, 0.1};

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		add(number((int64_t)(i * i * 1000), values[i]));
	check_round_trip();
	for (size_t i = 0; i < in.n; i++) {
		const double a = points_get(&in, i).value.real, b = points_get(&out, i).value.real;
		cr_expect_eq(memcmp(&a, &b, sizeof a), 0);
	}
}

Test(plain, keeps_times_at_both_ends)
{
	add(number(INT64_MIN, 1));
	add(number(-1, 2));
	add(number(0, 3));
	add(number(INT64_MAX, 4));
	check_round_trip();
}

Test(plain, keeps_quality_uncertainty_and_source)
{
	for (int i = 0; i < 40; i++) {
		struct sample s = number(i, i / 4);
		s.quality = (enum quality)(i % 3);
		s.sigma = i % 5 == 0 ? NAN : i / 10;
		s.source = i % 7 == 0 ? NULL : i % 2 ? "adapter" : "person";
		add(s);
	}
	check_round_trip();
}

Test(plain, keeps_every_type)
{
	const int64_t integers[] = {0, 1, -1, INT64_MAX, INT64_MIN, 7, 7};
	const char *texts[] = {"", "a", "a", "a longer text", "", "z", "z"};

	for (int type = VALUE_BOOL; type <= VALUE_POSITION; type++) {
		points_clear(&in);
		for (int i = 0; i < 7; i++) {
			struct sample s = {.t_ns = i * 60, .value.type = (enum value_type)type, .sigma = NAN};
			if (type == VALUE_BOOL)
				s.value.boolean = i % 2;
			else if (type == VALUE_INT64)
				s.value.integer = integers[i];
			else if (type == VALUE_TEXT || type == VALUE_ENUM)
				s.value.text = texts[i];
			else if (type == VALUE_POSITION)
				s.value.position = (struct position){i / 2, -i, i % 2 ? NAN : 100};
			else
				s.value.real = i;
			add(s);
		}
		check_round_trip();
	}
}

Test(plain, is_small_where_little_happens)
{
	for (int i = 0; i < PLAIN_SAMPLES_MAX; i++)
		add(number(INT64_C(1700000000000000000) + i * INT64_C(1000000000), 21.5));
	check_round_trip();
	cr_expect(encoded.len < 2 * PLAIN_SAMPLES_MAX + 32, "%zu bytes", encoded.len);
}

Test(plain, refuses_what_is_cut_or_too_long)
{
	for (int i = 0; i < 20; i++)
		add(number(i * i, i));
	cr_assert_eq(decode(), 0);
	for (size_t len = 0; len < encoded.len; len++)
		cr_assert_eq(plain_decode((struct bytes){encoded.data, len}, 0, &out), ERR_CORRUPT, "%zu",
			     len);
	buf_put_u8(&encoded, 0);
	cr_expect_eq(plain_decode(buf_bytes(&encoded), 0, &out), ERR_CORRUPT);
	encoded.data[0] = 2;
	cr_expect_eq(plain_decode(buf_bytes(&encoded), 0, &out), ERR_VERSION);
}

Test(plain, refuses_times_that_stand_still_and_unknown_flags)
{
	const uint8_t good[] = {1, VALUE_DOUBLE, 2, 1, 0x40, 2, 0x40},
		      still[] = {1, VALUE_DOUBLE, 2, 0, 0x40, 0, 0x40};
	const uint8_t flags[] = {1, VALUE_DOUBLE, 1, 0, 0xc0},
		      span[] = {1, VALUE_DOUBLE, 2, 2, 0x40, 2, 0x40};

	cr_expect_eq(plain_decode((struct bytes){good, sizeof good}, 0, &out), 0);
	cr_expect_eq(plain_decode((struct bytes){still, sizeof still}, 0, &out), ERR_CORRUPT);
	cr_expect_eq(plain_decode((struct bytes){flags, sizeof flags}, 0, &out), ERR_CORRUPT);
	cr_expect_eq(plain_decode((struct bytes){span, sizeof span}, 0, &out), ERR_CORRUPT);
}

/* The checksum finds rot; the decoder must only survive what passes it. */
Test(plain, survives_any_byte)
{
	const char *texts[] = {"one", "two"};

	for (int i = 0; i < 30; i++) {
		struct sample s = {.t_ns = i,
				   .value = {.type = VALUE_TEXT, .text = texts[i % 2]},
				   .sigma = i,
				   .source = "s"};
		add(s);
	}
	cr_assert_eq(decode(), 0);
	for (size_t i = 0; i < encoded.len; i++) {
		const uint8_t good = encoded.data[i];
		for (int v = 0; v < 256; v++) {
			encoded.data[i] = (uint8_t)v;
			const int r = plain_decode(buf_bytes(&encoded), 0, &out);
			cr_assert(r == 0 || r == ERR_CORRUPT || r == ERR_VERSION);
			cr_assert(out.n <= PLAIN_SAMPLES_MAX);
		}
		encoded.data[i] = good;
	}
}

Test(plain, points_replace_what_has_the_same_time)
{
	add(number(5, 1));
	add(number(1, 2));
	add(number(3, 3));
	add(number(5, 4));
	cr_assert_eq(in.n, 3);
	cr_expect_eq(points_get(&in, 0).value.real, 2);
	cr_expect_eq(points_get(&in, 2).value.real, 4);
	cr_expect_eq(points_find(&in, 2), 1);
	cr_expect_eq(points_find(&in, 3), 1);
	cr_expect_eq(points_find(&in, 6), 3);
}

Test(plain, points_keep_sources_apart)
{
	const char *sources[] = {"a", "a", "b", NULL, "a", "b"};

	for (int i = 0; i < 6; i++) {
		struct sample s = number(i, i);
		s.source = sources[i];
		s.sigma = i == 4 ? 0.5 : NAN;
		add(s);
	}
	for (size_t i = 0; i < 6; i++) {
		const struct sample s = points_get(&in, i);
		cr_assert_eq(s.source == NULL, sources[i] == NULL);
		cr_expect(!s.source || strcmp(s.source, sources[i]) == 0);
		cr_expect_eq(isnan(s.sigma), i != 4);
	}
}
