/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/chunk.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/lib/failing_alloc.h"

static struct column c, back;
static struct buf out;

static void finish(void)
{
	alloc_fail_after(-1);
	column_fini(&c);
	column_fini(&back);
	buf_fini(&out);
}

TestSuite(chunk, .fini = finish);

static void add(struct sample s)
{
	cr_assert_eq(column_add(&c, &s), 0);
}

static void add_bits(int64_t t_ns, uint64_t bits)
{
	struct sample s = {.t_ns = t_ns, .value = {.type = VALUE_DOUBLE}, .sigma = NAN};

	memcpy(&s.value.real, &bits, sizeof bits);
	add(s);
}

static void add_number(int64_t t_ns, double v)
{
	add((struct sample){.t_ns = t_ns, .value = {.type = VALUE_DOUBLE, .real = v}, .sigma = NAN});
}

static void expect_same(const struct column *a, size_t i, const struct column *b, size_t k)
{
	const struct sample x = column_get(a, i), y = column_get(b, k);

	cr_expect(sample_equal(&x, &y), "sample %zu", i);
	if (a->type == VALUE_DOUBLE || a->type == VALUE_INT64)
		cr_expect_eq(a->bits[i], b->bits[k], "bits of sample %zu", i);
}

static void check_range(size_t i, size_t end, enum chunk_effort effort)
{
	struct chunk_info info;

	buf_clear(&out);
	chunk_encode(&c, i, end, effort, &out);
	cr_assert_eq(buf_check(&out), 0);
	cr_assert_eq(chunk_decode(buf_bytes(&out), c.t_ns[i], &back), 0);
	cr_assert_eq(back.n, end - i);
	cr_assert_eq(back.type, c.type);
	for (size_t k = i; k < end; k++)
		expect_same(&c, k, &back, k - i);
	cr_assert_eq(chunk_inspect(buf_bytes(&out), c.t_ns[i], &info), 0);
	cr_expect_eq(info.n, end - i);
	cr_expect_eq(info.last_ns, c.t_ns[end - 1]);
	cr_expect_eq(info.time_bytes + info.value_bytes + info.other_bytes, out.len);
}

/* The whole column and parts of it, both ways; c is cleared. */
static void check_back(void)
{
	for (enum chunk_effort effort = CHUNK_FAST; effort <= CHUNK_SMALL; effort++) {
		check_range(0, c.n, effort);
		check_range(c.n / 3, c.n - c.n / 4, effort);
		check_range(c.n - 1, c.n, effort);
	}
	column_clear(&c);
}

static uint64_t random_bits(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

Test(chunk, one_sample_comes_back)
{
	add_number(INT64_MIN, 21.5);
	check_back();
	add_number(INT64_MAX, 21.5);
	check_back();
}

Test(chunk, times_at_both_ends_of_the_range_come_back)
{
	add_number(INT64_MIN, 1);
	add_number(-1, 2);
	add_number(INT64_MAX, 3);
	check_back();
}

Test(chunk, times_at_any_distance_come_back)
{
	for (unsigned width = 1; width < 50; width++) {
		uint64_t seed = width;
		int64_t t = 1700000000000000000;
		for (int i = 0; i < 300; i++, t += 1 + (int64_t)(random_bits(&seed) >> (64 - width)))
			add_number(t, i);
		check_back();
	}
}

Test(chunk, odd_doubles_come_back_to_the_bit)
{
	static const uint64_t odd[] = {
		0,
		0x8000000000000000,
		0x7ff0000000000000,
		0xfff0000000000000,
		0x7ff8000000000000,
		0x7ff8000000000001,
		0xfff8dead0000beef,
		0x7ff0000000000001,
		1,
		0x8000000000000001,
		0x7fefffffffffffff,
		0x4059000000000000,
		0x3fb999999999999a,
	};

	for (int64_t i = 0; i < 500; i++)
		add_bits(i, odd[i * i % 13]);
	check_back();
	for (int64_t i = 0; i < 500; i++) /* a few among decimals */
		add_number(i, i % 100 == 7 ? NAN : i % 100 == 9 ? -0.0 : 0.1 * (double)(i % 37));
	check_back();
}

Test(chunk, random_bits_of_every_width_come_back)
{
	for (unsigned width = 1; width <= 64; width++) {
		uint64_t seed = 99 + width;
		for (int64_t i = 0; i < 257; i++)
			add_bits(i, random_bits(&seed) >> (64 - width));
		check_back();
	}
}

static void add_integer(int64_t t_ns, int64_t v)
{
	add((struct sample){.t_ns = t_ns, .value = {.type = VALUE_INT64, .integer = v}, .sigma = NAN});
}

Test(chunk, integers_at_any_distance_come_back)
{
	for (unsigned width = 1; width <= 64; width++) {
		uint64_t seed = width;
		uint64_t v = 0x4000000000000000;
		for (int64_t i = 0; i < 300; i++, v += random_bits(&seed) >> (64 - width))
			add_integer(i, (int64_t)v);
		check_back();
	}
	for (int64_t i = 0; i < 10; i++)
		add_integer(i, i % 2 ? INT64_MIN : INT64_MAX);
	check_back();
}

Test(chunk, decimals_of_every_scale_come_back)
{
	double scale = 1;

	for (int e = 0; e < 25; e++, scale *= 10) {
		uint64_t seed = 5;
		for (int64_t i = 0; i < 400; i++)
			add_number(i, (double)(int64_t)(random_bits(&seed) % 100000) / scale);
		check_back();
		for (int64_t i = 0; i < 400; i++)
			add_number(i, (double)(float)((double)(random_bits(&seed) % 100000) / scale));
		check_back();
		for (int64_t i = 0; i < 400; i++)
			add_number(i, (double)(random_bits(&seed) % 100) * scale);
		check_back();
	}
}

/* Bell-shaped noise takes about its entropy, and what is far outside of it costs only itself. */
Test(chunk, noise_with_rare_outliers_is_small_and_comes_back)
{
	uint64_t seed = 11;

	for (int64_t i = 0; i < 8000; i++) {
		int64_t v = i % 397 == 0 ? (int64_t)1 << 40 : 0;
		for (int k = 0; k < 8; k++)
			v += (int64_t)(random_bits(&seed) % 64);
		add_integer(i * 1000, v);
	}
	buf_clear(&out);
	chunk_encode(&c, 0, c.n, CHUNK_SMALL, &out);
	cr_expect_lt(out.len, 8000 * 8 / 8 + 1000, "%zu bytes", out.len); /* 8 bits of noise each */
	check_back();
}

Test(chunk, whole_chunks_come_back)
{
	uint64_t seed = 3;
	double v = 20;

	for (int64_t i = 0; i < CHUNK_SAMPLES_MAX; i++, v += (double)(int64_t)(random_bits(&seed) % 11) - 5)
		add_number(1000 * i + (int64_t)(random_bits(&seed) % 10), v / 10);
	check_back();
}

Test(chunk, bools_come_back)
{
	for (int64_t i = 0; i < 1000; i++)
		add((struct sample){
			.t_ns = i, .value = {.type = VALUE_BOOL, .boolean = i % 97 < 40}, .sigma = NAN});
	check_back();
}

Test(chunk, no_values_come_back)
{
	for (int64_t i = 0; i < 10; i++)
		add((struct sample){.t_ns = i, .sigma = NAN});
	check_back();
}

Test(chunk, positions_come_back)
{
	for (int64_t i = 0; i < 500; i++)
		add((struct sample){
			.t_ns = i,
			.value = {.type = VALUE_POSITION,
				  .position = {50 + 0.0001 * (double)i, 8.6, i % 2 ? (double)NAN : 112}},
			.sigma = NAN});
	check_back();
}

Test(chunk, texts_with_everything_come_back)
{
	static const char *const words[] = {"", "open", "closed", "\xc3\xa4rgerlich", "half"};

	for (int64_t i = 0; i < 1000; i++)
		add((struct sample){
			.t_ns = i,
			.value = {.type = i < 1000 ? VALUE_TEXT : VALUE_ENUM, .text = words[i * i % 5]},
			.quality = (enum quality)(i % 3),
			.sigma = i % 4 ? (double)NAN : 0.25,
			.source = i % 10 < 3 ? NULL : words[i % 4]});
	check_back();
}

Test(chunk, texts_that_never_repeat_come_back)
{
	char text[40];

	for (int64_t i = 0; i < 3000; i++) {
		snprintf(text, sizeof text, "message number %ld", (long)(i * 7919 % 3000));
		add((struct sample){.t_ns = i, .value = {.type = VALUE_TEXT, .text = text}, .sigma = NAN});
	}
	check_back();
}

Test(chunk, equal_input_gives_equal_output)
{
	SCOPED(buf_fini) struct buf again = {0};

	for (int64_t i = 0; i < 2000; i++)
		add_number(i * 1000, (double)(i * i % 101) / 10);
	chunk_encode(&c, 0, c.n, CHUNK_SMALL, &out);
	chunk_encode(&c, 0, c.n, CHUNK_SMALL, &again);
	cr_expect(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
}

Test(chunk, damaged_bytes_are_refused_or_decode_to_something)
{
	SCOPED(buf_fini) struct buf bad = {0};
	uint64_t seed = 77;
	const char *const sources[] = {"a", "b", NULL};

	for (int64_t i = 0; i < 200; i++)
		add((struct sample){.t_ns = i * i,
				    .value = {.type = VALUE_DOUBLE, .real = (double)(i * i % 101) / 10},
				    .quality = (enum quality)(i % 3),
				    .sigma = 0.5,
				    .source = sources[i % 3]});
	chunk_encode(&c, 0, c.n, CHUNK_SMALL, &out);
	for (size_t len = 0; len < out.len; len++)
		cr_expect_lt(chunk_decode((struct bytes){out.data, len}, 0, &back), 0);
	for (int i = 0; i < 20000; i++) {
		buf_clear(&bad);
		buf_put(&bad, buf_bytes(&out));
		bad.data[random_bits(&seed) % bad.len] ^= (uint8_t)(1U << random_bits(&seed) % 8);
		bad.data[random_bits(&seed) % bad.len] = (uint8_t)random_bits(&seed);
		const int r = chunk_decode(buf_bytes(&bad), 0, &back);
		cr_expect(r == 0 || r == ERR_CORRUPT || r == ERR_VERSION);
		cr_expect(r == 0 || back.n == 0);
	}
}

Test(chunk, another_format_is_another_version)
{
	add_number(1, 1);
	chunk_encode(&c, 0, 1, CHUNK_FAST, &out);
	out.data[0]++;
	cr_expect_eq(chunk_decode(buf_bytes(&out), 1, &back), ERR_VERSION);
}

Test(chunk, without_memory_it_says_so)
{
	bool failed = true;
	const char *const sources[] = {"a", "b", NULL};

	for (int64_t i = 0; i < 200; i++)
		add((struct sample){.t_ns = i,
				    .value = {.type = VALUE_TEXT, .text = sources[i % 2]},
				    .quality = QUALITY_BAD,
				    .sigma = 0.5,
				    .source = sources[i % 3]});
	for (long allowed = 0; failed; allowed++) {
		buf_fini(&out);
		column_fini(&back);
		alloc_fail_after(allowed);
		chunk_encode(&c, 0, c.n, CHUNK_SMALL, &out);
		const int r =
			buf_check(&out) == 0 ? chunk_decode(buf_bytes(&out), c.t_ns[0], &back) : -ENOMEM;
		failed = alloc_has_failed();
		alloc_fail_after(-1);
		cr_expect_eq(r, failed ? -ENOMEM : 0);
	}
}
