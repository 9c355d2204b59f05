/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/recent.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "storage/chunk.h"

static struct recent r;

static void end(void)
{
	recent_fini(&r);
}

TestSuite(recent, .fini = end);

static void add(uint32_t series, uint32_t *chain, int64_t t_ns, double v)
{
	const struct sample s = {
		.t_ns = t_ns, .value = {.type = VALUE_DOUBLE, .real = v}, .sigma = (double)NAN};

	cr_assert_eq(recent_add(&r, series, chain, &s), 0);
}

/* "t=value t=value" of a series, in order. */
static const char *list(uint32_t series, uint32_t chain)
{
	static char out[512];
	SCOPED(scope_free) struct slot_ref *refs = NULL;
	SCOPED(column_fini) struct column c = {0};
	size_t n, taken, len = 0;

	cr_assert_eq(recent_collect(&r, series, chain, INT64_MIN, INT64_MAX, &refs, &n), 0);
	out[0] = '\0';
	if (n == 0)
		return out;
	cr_assert_eq(slot_view_fill(&r.all, refs, n, &c, &taken), 0);
	cr_assert_eq(taken, n);
	for (size_t i = 0; i < c.n; i++)
		len += (size_t)snprintf(out + len, sizeof out - len, "%s%d=%g", i ? " " : "", (int)c.t_ns[i],
					column_get(&c, i).value.real);
	return out;
}

Test(recent, samples_of_a_series_come_in_the_order_of_their_times)
{
	uint32_t one = 0, two = 0;

	add(1, &one, 30, 3);
	add(2, &two, 5, 7);
	add(1, &one, 10, 1);
	add(1, &one, 20, 2);
	cr_expect_str_eq(list(1, one), "10=1 20=2 30=3");
	cr_expect_str_eq(list(2, two), "5=7");
	cr_expect_str_eq(list(3, 0), "");
	cr_expect_eq(r.n, 4);
}

Test(recent, of_equal_times_the_last_one_counts)
{
	uint32_t one = 0;
	struct sample s;

	add(1, &one, 10, 1);
	add(1, &one, 20, 2);
	add(1, &one, 10, 3);
	cr_expect_str_eq(list(1, one), "10=3 20=2");
	cr_expect_eq(recent_at(&r, 1, one, 15, &s), 1);
	cr_expect_eq(s.value.real, 3);
	cr_expect_eq(recent_at(&r, 1, one, 9, &s), 0);
}

Test(recent, what_was_frozen_is_read_until_it_is_dropped)
{
	uint32_t one = 0;

	add(1, &one, 10, 1);
	cr_assert_eq(recent_freeze(&r), 0);
	add(1, &one, 20, 2);
	cr_expect_str_eq(list(1, one), "10=1 20=2");
	recent_thaw(&r, true);
	cr_expect_str_eq(list(1, one), "20=2");
	cr_expect_eq(r.n, 1);
}

Test(recent, what_could_not_be_written_is_frozen_again_with_what_came_since)
{
	uint32_t one = 0;

	add(1, &one, 10, 1);
	cr_assert_eq(recent_freeze(&r), 0);
	recent_thaw(&r, false);
	add(1, &one, 20, 2);
	cr_assert_eq(recent_freeze(&r), 0);
	cr_expect_eq(r.frozen.n, 2);
	cr_expect_str_eq(list(1, one), "10=1 20=2");
	recent_thaw(&r, true);
	cr_expect_eq(r.n, 0);
	cr_expect_str_eq(list(1, one), "");
}

Test(recent, a_chain_into_what_was_dropped_finds_nothing_of_other_series)
{
	uint32_t one = 0, two = 0;

	add(1, &one, 10, 1);
	cr_assert_eq(recent_freeze(&r), 0);
	recent_thaw(&r, true);
	r.next = one; /* the numbers have gone round */
	add(2, &two, 10, 1);
	cr_assert_eq(two, one);
	cr_expect_str_eq(list(1, one), "");
	add(1, &one, 20, 2);
	cr_expect_str_eq(list(1, one), "20=2");
}

Test(recent, numbers_go_round)
{
	uint32_t chains[3] = {0};

	r.next = (uint32_t)-BLOCK_SLOTS;
	for (int i = 0; i < 3 * BLOCK_SLOTS; i++)
		add((uint32_t)(1 + i % 3), &chains[i % 3], i, i);
	cr_expect_eq(r.n, 3 * BLOCK_SLOTS);
	for (uint32_t i = 0; i < 3; i++) {
		SCOPED(scope_free) struct slot_ref *refs = NULL;
		size_t n;
		cr_assert_eq(recent_collect(&r, 1 + i, chains[i], INT64_MIN, INT64_MAX, &refs, &n), 0);
		cr_expect_eq(n, BLOCK_SLOTS);
	}
	cr_assert_eq(recent_freeze(&r), 0);
	recent_thaw(&r, true);
	cr_expect_eq(r.n, 0);
}

Test(recent, notes_are_kept_once)
{
	struct sample s = {.value = {.type = VALUE_DOUBLE}, .sigma = 0.5, .source = "press-1"};
	uint32_t one = 0, two = 0;

	for (int i = 0; i < 100; i++) {
		s.t_ns = i;
		s.source = i % 2 ? "press-1" : "press-2";
		cr_assert_eq(recent_add(&r, 1, i % 2 ? &one : &two, &s), 0);
	}
	cr_expect_eq(r.all.blocks[0]->notes.len, 2 * sizeof(struct slot_note));
	cr_assert_eq(recent_at(&r, 1, one, 99, &s), 1);
	cr_expect_str_eq(s.source, "press-1");
	cr_expect_eq(s.sigma, 0.5);
}

Test(recent, texts_positions_and_qualities_come_back)
{
	struct sample s = {.t_ns = 1, .value = {.type = VALUE_TEXT, .text = "warm"}, .sigma = (double)NAN},
		      got;
	uint32_t one = 0, two = 0;

	s.quality = QUALITY_UNCERTAIN;
	cr_assert_eq(recent_add(&r, 1, &one, &s), 0);
	cr_assert_eq(recent_at(&r, 1, one, 1, &got), 1);
	cr_expect(sample_equal(&s, &got));
	s.value = (struct value){.type = VALUE_POSITION, .position = {48.1, 11.5, 520}};
	cr_assert_eq(recent_add(&r, 2, &two, &s), 0);
	cr_assert_eq(recent_at(&r, 2, two, 1, &got), 1);
	cr_expect(sample_equal(&s, &got));
}

Test(recent, long_texts_make_shorter_chunks)
{
	static char text[4001];
	struct sample s = {.value = {.type = VALUE_TEXT, .text = text}, .sigma = (double)NAN};
	SCOPED(scope_free) struct slot_ref *refs = NULL;
	SCOPED(column_fini) struct column c = {0};
	uint32_t one = 0;
	size_t n, taken;

	memset(text, 'x', 4000);
	for (int i = 0; i < 200; i++) {
		s.t_ns = i;
		snprintf(text, 8, "%07d", i);
		text[7] = '-';
		cr_assert_eq(recent_add(&r, 1, &one, &s), 0);
	}
	cr_assert_eq(recent_collect(&r, 1, one, 0, 199, &refs, &n), 0);
	cr_assert_eq(slot_view_fill(&r.all, refs, n, &c, &taken), 0);
	cr_expect(taken > 10 && taken < 100, "%zu samples", taken);
	cr_expect_eq(c.n, taken);
}
