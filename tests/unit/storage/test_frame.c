/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>

#include "storage/chunk.h"
#include "storage/frame.h"
#include "tests/lib/must.h"

static struct packed_writer writer;
static struct buf bytes;
static struct arena *arena;

static void begin(void)
{
	must(arena_new(&arena, SIZE_MAX) == 0);
}

static void end(void)
{
	packed_writer_fini(&writer);
	buf_fini(&bytes);
	arena_free(arena);
	arena = NULL;
}

TestSuite(frame, .init = begin, .fini = end);

/* Column by column, what a sample may have besides its value. */
enum { WITH_SIGMA = 1, WITH_QUALITY = 2, WITH_TEXT = 4, WITH_SOURCE = 8, N_MIXES = 16 };

static struct packed make(unsigned mix, uint32_t n)
{
	const struct packed_id id = {1, 2, 3};
	struct packed frame;

	for (uint32_t i = 0; i < n; i++) {
		struct sample s = {.t_ns = INT64_C(1700000000000000000) + i / 10 * 1000000000,
				   .value = {VALUE_DOUBLE, .real = sin(i)},
				   .sigma = mix & WITH_SIGMA && i % 3 ? 0.1 * i : NAN,
				   .quality = mix & WITH_QUALITY && i % 5 == 0 ? QUALITY_BAD : QUALITY_GOOD,
				   .source = mix & WITH_SOURCE ? "gateway" : NULL};
		if (mix & WITH_TEXT && i % 7 == 0)
			s.value = (struct value){VALUE_TEXT, .text = "stopped"};
		cr_assert_eq(packed_put(&writer, 100 + i * 7 % 50, &s), 0);
	}
	buf_clear(&bytes);
	cr_assert_eq(packed_finish(&writer, &id, &bytes), 0);
	packed_writer_clear(&writer);
	cr_assert_eq(packed_check(buf_bytes(&bytes), &frame), 0);
	return frame;
}

Test(frame, the_small_form_gives_the_frame_again)
{
	for (unsigned mix = 0; mix < N_MIXES; mix++) {
		SCOPED(buf_fini) struct buf small = {0};
		const struct packed frame = make(mix, 500);
		struct bytes back;
		cr_assert(frame_squeeze(&frame, &small));
		cr_assert_eq(buf_check(&small), 0);
		cr_assert_eq(frame_expand(arena, buf_bytes(&small), &back), 0, "mix %u", mix);
		cr_assert(bytes_equal(back, frame.frame), "mix %u", mix);
		cr_assert_lt(small.len, frame.frame.len, "mix %u", mix);
	}
}

Test(frame, numbers_with_few_digits_become_a_quarter)
{
	SCOPED(buf_fini) struct buf small = {0};

	for (uint32_t i = 0; i < 1000; i++) {
		const struct sample s = {.t_ns = INT64_C(1700000000000000000),
					 .value = {VALUE_DOUBLE, .real = (i * 37 % 500) / 10.0},
					 .sigma = NAN};
		cr_assert_eq(packed_put(&writer, i + 1, &s), 0);
	}
	const struct packed frame = make(0, 0);
	cr_assert(frame_squeeze(&frame, &small));
	cr_expect_lt(small.len, frame.frame.len / 4, "%zu of %zu", small.len, frame.frame.len);
}

Test(frame, one_with_too_many_samples_has_no_small_form)
{
	SCOPED(buf_fini) struct buf small = {0};
	const struct packed frame = make(0, CHUNK_SAMPLES_MAX + 1), none = make(0, 0);

	cr_assert_not(frame_squeeze(&frame, &small));
	cr_assert_not(frame_squeeze(&none, &small));
	cr_assert_eq(small.len, 0);
}

/* Any damage is found or gives another frame of the same size: never a read or write out of bounds. */
Test(frame, a_damaged_small_form_is_corrupt)
{
	SCOPED(buf_fini) struct buf small = {0};
	const struct packed frame = make(N_MIXES - 1, 60);
	struct bytes back;

	cr_assert(frame_squeeze(&frame, &small));
	for (size_t n = 0; n < small.len; n++)
		cr_assert_eq(frame_expand(arena, (struct bytes){small.data, n}, &back), ERR_CORRUPT);
	for (size_t i = 0; i < small.len; i++) {
		small.data[i] ^= 0xff;
		const int r = frame_expand(arena, buf_bytes(&small), &back);
		cr_assert(r == 0 || r == ERR_CORRUPT);
		small.data[i] ^= 0xff;
		arena_reset(arena);
	}
}

Test(frame, marked_samples_are_taken_out_of_every_column)
{
	for (unsigned mix = 0; mix < N_MIXES; mix++) {
		SCOPED(buf_fini) struct buf out = {0};
		const struct packed whole = make(mix, 20);
		const bool marked[20] = {[0] = true, [7] = true, [8] = true, [19] = true};
		struct packed left;
		frame_without(&whole, marked, &out);
		cr_assert_eq(packed_check(buf_bytes(&out), &left), 0, "mix %u", mix);
		cr_assert_eq(left.n, 16);
		for (uint32_t i = 0, j = 0; i < 20; i++) {
			if (marked[i])
				continue;
			cr_assert_eq(packed_u64(left.t_ns, j), packed_u64(whole.t_ns, i));
			cr_assert_eq(packed_u64(left.bits, j), packed_u64(whole.bits, i));
			cr_assert_eq(packed_u32(left.series, j), packed_u32(whole.series, i));
			cr_assert(!left.sigma || packed_u64(left.sigma, j) == packed_u64(whole.sigma, i));
			cr_assert(!left.quality || left.quality[j] == whole.quality[i]);
			j++;
		}
		cr_assert(bytes_equal(left.source, whole.source) && left.number == whole.number);
	}
}
