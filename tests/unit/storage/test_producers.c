/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "proto/limits.h"
#include "storage/producers.h"

static void take(struct producers *p, uint64_t session, uint64_t number)
{
	cr_assert_eq(producers_take(p, session, number), 0);
}

Test(producers, a_number_is_taken_once)
{
	SCOPED(producers_fini) struct producers p = {0};

	cr_assert_not(producers_took(&p, 7, 1));
	take(&p, 7, 1);
	cr_assert(producers_took(&p, 7, 1));
	cr_assert_not(producers_took(&p, 7, 2));
	cr_assert_not(producers_took(&p, 8, 1), "another session has its own numbers");
}

Test(producers, one_that_was_left_out_may_come_later)
{
	SCOPED(producers_fini) struct producers p = {0};

	take(&p, 7, 1);
	take(&p, 7, 3);
	cr_assert(producers_took(&p, 7, 1));
	cr_assert_not(producers_took(&p, 7, 2));
	take(&p, 7, 2);
	cr_assert(producers_took(&p, 7, 2));
	cr_assert(producers_took(&p, 7, 3));
}

Test(producers, the_window_has_sharp_edges)
{
	for (uint64_t step = 1; step <= PRODUCER_WINDOW + 2; step++) {
		SCOPED(producers_fini) struct producers p = {0};
		take(&p, 7, 100);
		take(&p, 7, 99);
		take(&p, 7, 100 + step);
		cr_assert_eq(producers_took(&p, 7, 100), step <= PRODUCER_WINDOW, "step %d", (int)step);
		cr_assert_eq(producers_took(&p, 7, 99), step < PRODUCER_WINDOW, "step %d", (int)step);
		cr_assert_not(producers_took(&p, 7, 98));
		cr_assert(producers_took(&p, 7, 100 + step));
	}
}

Test(producers, with_too_many_the_silent_one_is_forgotten)
{
	SCOPED(producers_fini) struct producers p = {0};

	for (uint64_t i = 1; i <= PRODUCERS_MAX; i++)
		take(&p, i << 32, 5);
	take(&p, UINT64_C(1) << 32, 6); /* the first one speaks again */
	take(&p, 3, 1);
	cr_assert_eq(p.n, PRODUCERS_MAX);
	cr_assert(producers_took(&p, UINT64_C(1) << 32, 5));
	cr_assert_not(producers_took(&p, UINT64_C(2) << 32, 5));
	cr_assert(producers_took(&p, UINT64_C(3) << 32, 5));
	cr_assert(producers_took(&p, 3, 1));
}

Test(producers, the_stored_form_keeps_numbers_and_order)
{
	SCOPED(producers_fini) struct producers p = {0}, back = {0};
	SCOPED(buf_fini) struct buf b = {0};

	for (uint64_t i = 1; i <= PRODUCERS_MAX; i++)
		take(&p, i, 2);
	take(&p, 1, 4);
	producers_encode(&p, &b);
	cr_assert_eq(buf_check(&b), 0);
	struct record_reader r = record_reader(buf_bytes(&b));
	cr_assert_eq(producers_decode(&back, &r), 0);
	cr_assert_eq(record_end(&r), 0);
	cr_assert(producers_took(&back, 1, 2) && producers_took(&back, 1, 4) && !producers_took(&back, 1, 3));
	take(&back, PRODUCERS_MAX + 1, 1);
	cr_assert_not(producers_took(&back, 2, 2), "the one silent for longest goes first");
	cr_assert(producers_took(&back, 1, 4));
}

Test(producers, what_is_no_stored_form_is_corrupt)
{
	SCOPED(producers_fini) struct producers p = {0}, back = {0};
	SCOPED(buf_fini) struct buf b = {0};

	take(&p, 1, 4);
	producers_encode(&p, &b);
	for (size_t n = 0; n < b.len; n++) {
		struct record_reader r = record_reader((struct bytes){b.data, n});
		cr_assert_eq(producers_decode(&back, &r), ERR_CORRUPT);
		producers_clear(&back);
	}
	b.data[0] = 0xff;
	struct record_reader r = record_reader(buf_bytes(&b));
	cr_assert_eq(producers_decode(&back, &r), ERR_CORRUPT);
}
