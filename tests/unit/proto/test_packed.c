/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/op.h"
#include "proto/packed.h"
#include "proto/words.h"
#include "tests/lib/failing_alloc.h"
#include "tests/unit/proto/text.h"

static struct packed_writer writer;
static struct buf frame;
static const struct packed_id id = {11, 12, 13};

static void tear_down(void)
{
	packed_writer_fini(&writer);
	buf_fini(&frame);
}

TestSuite(packed, .fini = tear_down, .timeout = 60);

static const struct sample samples[] = {
	{.t_ns = 5, .value = {.type = VALUE_DOUBLE, .real = -0.0}, .sigma = NAN},
	{.t_ns = INT64_MIN, .value = {.type = VALUE_INT64, .integer = INT64_MIN}, .sigma = NAN},
	{.t_ns = INT64_MAX, .value = {.type = VALUE_BOOL, .boolean = true}, .sigma = 0.5},
	{.t_ns = 1, .value = {.type = VALUE_TEXT, .text = "Gr\xc3\xbc\xc3\x9f"}, .sigma = NAN},
	{.t_ns = 1, .value = {.type = VALUE_ENUM, .text = "on"}, .quality = QUALITY_BAD, .sigma = NAN},
	{.t_ns = 2, .value = {.type = VALUE_ENUM, .text = "on"}, .sigma = NAN},
	{.t_ns = 3, .value = {.type = VALUE_POSITION, .position = {52.5, 13.4, NAN}}, .sigma = NAN},
	{.t_ns = 4, .value = {.type = VALUE_TEXT, .text = ""}, .sigma = 0},
	{.t_ns = 4, .value = {.type = VALUE_NONE}, .sigma = NAN},
	{.t_ns = 4, .value = {.type = VALUE_DOUBLE, .real = NAN}, .quality = QUALITY_UNCERTAIN, .sigma = 1},
};
enum { N_SAMPLES = N_WORDS(samples) };

/* The value that never was has the type of its series. */
static enum value_type type_of(size_t i)
{
	return samples[i].value.type == VALUE_NONE ? VALUE_INT64 : samples[i].value.type;
}

static void finish(struct packed *ret)
{
	buf_clear(&frame);
	cr_assert(eq(int, packed_finish(&writer, &id, &frame), 0));
	cr_assert(eq(int, packed_check(buf_bytes(&frame), ret), 0));
}

static void expect_sample(const struct packed *p, size_t i, enum value_type type, const struct sample *want)
{
	struct sample s;

	cr_assert(eq(int, packed_sample(p, i, type, NULL, &s), 0), "sample %zu", i);
	cr_expect(value_equal(&s.value, &want->value), "sample %zu", i);
	cr_expect(eq(i64, s.t_ns, want->t_ns));
	cr_expect(eq(int, s.quality, want->quality));
	cr_expect(s.sigma == want->sigma || (isnan(s.sigma) && isnan(want->sigma)), "sample %zu", i);
}

static void put_all(void)
{
	for (size_t i = 0; i < N_SAMPLES; i++)
		cr_assert(eq(int, packed_put(&writer, 100 + (uint32_t)i, &samples[i]), 0));
}

Test(packed, samples_of_every_type_come_back)
{
	struct packed p;

	put_all();
	finish(&p);
	cr_expect(eq(u32, p.n, N_SAMPLES));
	cr_expect(p.session == 11 && p.number == 12 && p.incarnation == 13);
	cr_expect(eq(sz, p.source.len, 0));
	for (size_t i = 0; i < N_SAMPLES; i++) {
		expect_sample(&p, i, type_of(i), &samples[i]);
		cr_expect(eq(u32, packed_u32(p.series, i), 100 + (uint32_t)i));
	}
}

Test(packed, what_nobody_states_takes_no_room)
{
	struct packed p;

	cr_assert(eq(int, packed_put(&writer, 1, &samples[0]), 0));
	cr_assert(eq(int, packed_put(&writer, 2, &samples[1]), 0));
	finish(&p);
	cr_expect(p.sigma == NULL && p.quality == NULL);
	cr_expect(eq(sz, frame.len, PACKED_HEADER_BYTES + 2 * 20));
	packed_writer_clear(&writer);
	cr_assert(eq(int, packed_put(&writer, 1, &samples[4]), 0));
	cr_assert(eq(int, packed_put(&writer, 2, &samples[5]), 0));
	finish(&p);
	cr_expect(p.sigma == NULL && p.quality != NULL);
	cr_expect(eq(sz, p.texts.len, sizeof "on")); /* the same word again */
}

Test(packed, a_frame_has_one_source)
{
	struct sample s = samples[0];
	struct packed p;
	char longest[SOURCE_MAX + 2];

	s.source = "adapter-1";
	cr_expect(eq(int, packed_put(&writer, 1, &s), 0));
	cr_expect(eq(int, packed_put(&writer, 2, &s), 0));
	s.source = NULL;
	cr_expect(eq(int, packed_put(&writer, 3, &s), PACKED_OTHER));
	s.source = "adapter-2";
	cr_expect(eq(int, packed_put(&writer, 3, &s), PACKED_OTHER));
	finish(&p);
	cr_expect(eq(u32, p.n, 2));
	cr_expect(bytes_equal(p.source, BYTES("adapter-1")));
	packed_writer_clear(&writer);
	memset(longest, 's', sizeof longest);
	longest[SOURCE_MAX + 1] = '\0';
	s.source = longest;
	cr_expect(eq(int, packed_put(&writer, 3, &s), ERR_MALFORMED));
	s.source++;
	cr_expect(eq(int, packed_put(&writer, 3, &s), 0));
	s.source = NULL;
	cr_expect(eq(int, packed_put(&writer, 3, &s), PACKED_OTHER));
	finish(&p);
	cr_expect(eq(sz, p.source.len, SOURCE_MAX));
}

Test(packed, a_frame_of_nothing_is_a_frame)
{
	struct packed p;

	finish(&p);
	cr_expect(eq(u32, p.n, 0));
	cr_expect(eq(sz, frame.len, PACKED_HEADER_BYTES));
}

Test(packed, a_full_frame_takes_no_more)
{
	struct packed p;
	const struct sample s = {.t_ns = 1, .value = {.type = VALUE_DOUBLE, .real = 1}, .sigma = NAN};

	for (uint32_t i = 0; i < PACKED_SAMPLES_MAX; i++)
		cr_assert(eq(int, packed_put(&writer, i, &s), 0));
	cr_expect(eq(int, packed_put(&writer, 0, &s), PACKED_FULL));
	finish(&p);
	cr_expect(eq(u32, p.n, PACKED_SAMPLES_MAX));
	cr_expect(eq(u32, packed_u32(p.series, PACKED_SAMPLES_MAX - 1), PACKED_SAMPLES_MAX - 1));
}

Test(packed, a_frame_full_of_text_takes_numbers)
{
	static char text[TEXT_VALUE_MAX + 2];
	struct sample s = {.t_ns = 1, .value = {.type = VALUE_TEXT, .text = text}, .sigma = NAN};
	struct packed p;
	uint32_t n = 0;
	int r;

	memset(text, 'x', TEXT_VALUE_MAX + 1);
	cr_expect(eq(int, packed_put(&writer, 1, &s), ERR_MALFORMED));
	text[TEXT_VALUE_MAX] = '\0';
	while ((r = packed_put(&writer, 1, &s)) == 0)
		text[n++ % TEXT_VALUE_MAX] ^= 1;
	cr_expect(eq(int, r, PACKED_FULL));
	cr_expect(eq(int, packed_put(&writer, 1, &samples[0]), 0));
	finish(&p);
	cr_expect(eq(u32, p.n, n + 1));
	cr_expect(gt(sz, p.texts.len, PACKED_TEXTS_MAX - TEXT_VALUE_MAX - 1));
	cr_expect(lt(sz, frame.len, FRAME_CONTROL_MAX));
	for (size_t i = 0; i < n; i++)
		cr_assert(eq(int, packed_sample(&p, i, VALUE_TEXT, NULL, &s), 0));
}

/* ---- what a peer can do to a frame */

static void expect_malformed(const char *what)
{
	struct packed p;

	cr_expect(eq(int, packed_check(buf_bytes(&frame), &p), ERR_MALFORMED), "%s", what);
}

/* One byte of a good frame changed. */
static void expect_header_checked(size_t at, uint8_t byte)
{
	const uint8_t before = frame.data[at];

	frame.data[at] = byte;
	expect_malformed("header");
	frame.data[at] = before;
}

Test(packed, a_header_is_checked)
{
	struct packed p;

	put_all();
	finish(&p);
	expect_header_checked(0, 2); /* format */
	expect_header_checked(1, 7); /* flags */
	expect_header_checked(1, 0); /* flags: columns too many */
	expect_header_checked(2, 1); /* source length */
	expect_header_checked(3, 1); /* and its upper byte */
	expect_header_checked(4, N_SAMPLES + 1);
	expect_header_checked(6, 1);     /* n + 65536 */
	expect_header_checked(7, 0xff);  /* n */
	expect_header_checked(11, 0xff); /* text bytes */
	expect_header_checked(12, 1);    /* the zeros */
	cr_expect(eq(int, packed_check(buf_bytes(&frame), &p), 0));
}

Test(packed, a_frame_of_more_samples_than_allowed_is_malformed)
{
	const uint32_t n = PACKED_SAMPLES_MAX + 1;
	struct packed p;

	finish(&p); /* of nothing */
	memcpy(frame.data + 4, &n, sizeof n);
	cr_assert(buf_extend(&frame, (size_t)n * 20) != NULL);
	memset(frame.data + PACKED_HEADER_BYTES, 0, (size_t)n * 20);
	expect_malformed("one sample too many");
	frame.data[4] = 0;
	frame.len -= 20;
	cr_expect(eq(int, packed_check(buf_bytes(&frame), &p), 0));
}

Test(packed, a_cut_or_longer_frame_is_malformed)
{
	struct packed p;

	put_all();
	finish(&p);
	for (size_t len = 0; len < frame.len; len++) {
		SCOPED(buf_fini)
		struct buf cut = {0}; /* its own memory, so that a read behind the end is seen */
		buf_put(&cut, (struct bytes){frame.data, len});
		cr_assert(eq(int, packed_check(buf_bytes(&cut), &p), ERR_MALFORMED), "cut to %zu", len);
	}
	buf_put_u8(&frame, 0);
	expect_malformed("one byte more");
}

Test(packed, qualities_and_the_source_are_checked)
{
	struct sample s = samples[4];
	struct packed p;

	s.source = "adapter";
	cr_assert(eq(int, packed_put(&writer, 1, &s), 0));
	finish(&p);
	uint8_t *quality = frame.data + (p.quality - frame.data), *source = frame.data + frame.len - 7;
	quality[0] = QUALITY_BAD + 1;
	expect_malformed("quality");
	quality[0] = PACKED_ABSENT;
	cr_expect(eq(int, packed_check(buf_bytes(&frame), &p), 0));
	source[3] = 0xff;
	expect_malformed("source: not UTF-8");
	source[3] = 0;
	expect_malformed("source: a NUL inside");
}

static void expect_sample_malformed(const struct packed *p, size_t i, enum value_type type)
{
	struct sample s;

	cr_expect(eq(int, packed_sample(p, i, type, NULL, &s), ERR_MALFORMED), "sample %zu as %s", i,
		  value_type_text(type));
}

/* A frame of one sample whose bits say anything, with these texts. */
static void frame_of(uint64_t bits, struct bytes texts, struct packed *ret)
{
	const struct sample s = {
		.t_ns = 1, .value = {.type = VALUE_INT64, .integer = (int64_t)bits}, .sigma = NAN};

	packed_writer_clear(&writer);
	cr_assert(eq(int, packed_put(&writer, 1, &s), 0));
	buf_put(&writer.texts, texts);
	finish(ret);
}

Test(packed, places_outside_of_the_texts_are_malformed)
{
	static const struct bytes texts = {(const uint8_t *)"one\0two\0no end of it, and 24 bytes", 34};
	static const uint64_t outside[] = {34, 35, UINT32_MAX, INT64_MAX, UINT64_MAX, UINT64_MAX - 23};
	struct packed p;
	struct sample s;

	frame_of(4, texts, &p);
	cr_assert(eq(int, packed_sample(&p, 0, VALUE_TEXT, "me", &s), 0));
	EXPECT_TEXT(s.value.text, "two");
	EXPECT_TEXT(s.source, "me");
	frame_of(8, texts, &p);
	expect_sample_malformed(&p, 0, VALUE_ENUM);
	frame_of(11, texts, &p);
	expect_sample_malformed(&p, 0, VALUE_POSITION);
	frame_of(10, texts, &p);
	cr_expect(eq(int, packed_sample(&p, 0, VALUE_POSITION, NULL, &s), 0));
	for (size_t i = 0; i < N_WORDS(outside); i++) {
		frame_of(outside[i], texts, &p);
		expect_sample_malformed(&p, 0, VALUE_TEXT);
		expect_sample_malformed(&p, 0, VALUE_POSITION);
		expect_sample_malformed(&p, 0, VALUE_BOOL);
	}
}

Test(packed, texts_are_utf8_of_bounded_length)
{
	static char text[TEXT_VALUE_MAX + 2];
	struct packed p;

	frame_of(0, BYTES("\xc3(\0"), &p);
	expect_sample_malformed(&p, 0, VALUE_TEXT);
	memset(text, 'x', TEXT_VALUE_MAX + 1);
	frame_of(0, (struct bytes){(const uint8_t *)text, sizeof text}, &p);
	expect_sample_malformed(&p, 0, VALUE_TEXT);
}

Test(packed, an_uncertainty_is_a_finite_number_not_below_zero)
{
	static const double bad[] = {-1, -1e-300, INFINITY, -INFINITY};
	struct sample s = samples[0];
	struct packed p;

	for (size_t i = 0; i < N_WORDS(bad); i++) {
		packed_writer_clear(&writer);
		s.sigma = bad[i];
		cr_assert(eq(int, packed_put(&writer, 1, &s), 0));
		finish(&p);
		expect_sample_malformed(&p, 0, VALUE_DOUBLE);
	}
}

/* What failed is tried again. False: nothing failed. */
static bool put_with_failure(long allowed)
{
	bool failed = false;

	packed_writer_fini(&writer);
	alloc_fail_after(allowed);
	for (size_t i = 0; i < N_SAMPLES; i++) {
		const int r = packed_put(&writer, 100 + (uint32_t)i, &samples[i]);
		cr_assert(r == 0 || r == -ENOMEM);
		cr_assert(eq(u32, writer.n, (uint32_t)i + (r == 0)));
		if (r < 0) {
			i--;
			failed = true;
			alloc_fail_after(-1);
		}
	}
	alloc_fail_after(-1);
	return failed;
}

Test(packed, without_memory_the_frame_stays_as_it_was)
{
	struct packed p;
	bool failed = true;

	for (long allowed = 0; failed; allowed++) {
		failed = put_with_failure(allowed);
		finish(&p);
		for (size_t i = 0; i < N_SAMPLES; i++)
			expect_sample(&p, i, type_of(i), &samples[i]);
		cr_assert(failed || allowed > 4);
	}
}

Test(packed, every_refusal_has_its_sentence)
{
	for (int i = 0; i < N_SAMPLE_REFUSALS; i++)
		cr_expect(gt(sz, strlen(sample_refusal_text((enum sample_refusal)i)), 10));
	EXPECT_TEXT(sample_refusal_text(N_SAMPLE_REFUSALS), "?");
}
