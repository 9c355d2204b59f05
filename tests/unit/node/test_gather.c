/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "node/gather.h"

enum { TOOK_NS = 400000 };

static struct gather g;
static uint64_t now_ns;

static void set_up(void)
{
	g = (struct gather){0};
	now_ns = 1000000000;
}

TestSuite(gather, .init = set_up);

static void answered(size_t n_answered, size_t n_queued)
{
	gather_answered(&g, &(struct gather_commit){.n_answered = n_answered,
						    .n_queued = n_queued,
						    .bytes = 100 * n_answered,
						    .took_ns = TOOK_NS,
						    .now_ns = now_ns});
}

Test(gather, two_groups_that_take_turns_become_one)
{
	answered(25, 25);
	cr_expect(gather_holds(&g, 25, now_ns));
	cr_expect(gather_holds(&g, 49, now_ns + TOOK_NS / 2));
	cr_expect(not(gather_holds(&g, 50, now_ns + TOOK_NS / 2)));
	answered(50, 0);
	cr_expect(gather_holds(&g, 1, now_ns));
	cr_expect(not(gather_holds(&g, 50, now_ns)));
}

Test(gather, nobody_waits_longer_than_the_last_commit_took)
{
	answered(25, 25);
	cr_expect(gather_holds(&g, 30, now_ns + TOOK_NS - 1));
	cr_expect(not(gather_holds(&g, 30, now_ns + TOOK_NS)));
	cr_expect(not(gather_holds(&g, 30, now_ns)), "it was decided");
}

Test(gather, a_slow_disk_is_not_made_slower_by_much)
{
	gather_answered(&g, &(struct gather_commit){
				    .n_answered = 9, .n_queued = 9, .took_ns = UINT64_MAX, .now_ns = now_ns});
	cr_expect(gather_holds(&g, 9, now_ns + GATHER_NS_MAX - 1));
	cr_expect(not(gather_holds(&g, 9, now_ns + GATHER_NS_MAX)));
}

Test(gather, the_first_commit_and_one_of_large_frames_wait_for_nobody)
{
	cr_expect(not(gather_holds(&g, 1, now_ns)));
	gather_answered(&g, &(struct gather_commit){.n_answered = 9,
						    .n_queued = 9,
						    .bytes = GATHER_BYTES_MAX + 1,
						    .took_ns = TOOK_NS,
						    .now_ns = now_ns});
	cr_expect(not(gather_holds(&g, 9, now_ns)));
}

/* Commits, of which each is followed by a wait if that is tried, in vain; how many waited. */
static int waits_of(int commits)
{
	int waits = 0;

	for (int i = 0; i < commits; i++) {
		answered(10, 10);
		waits += gather_holds(&g, 10, now_ns);
		cr_expect(not(gather_holds(&g, 10, now_ns + TOOK_NS)));
		now_ns += 2 * TOOK_NS;
	}
	return waits;
}

Test(gather, who_never_comes_back_in_time_is_waited_for_ever_less_often)
{
	cr_expect(eq(int, waits_of(1), 1));
	cr_expect(eq(int, waits_of(2), 0));
	cr_expect(eq(int, waits_of(1), 1));
	cr_expect(lt(int, waits_of(6500), 110));
	cr_expect(gt(int, waits_of(6500), 90), "it is tried again, though");
}

Test(gather, what_worked_once_is_done_every_time)
{
	waits_of(100);
	while (g.skip > 0)
		answered(10, 10);
	answered(10, 10);
	cr_expect(not(gather_holds(&g, 20, now_ns)));
	for (int i = 0; i < 10; i++) {
		answered(20, 0);
		cr_expect(gather_holds(&g, 1, now_ns));
		cr_expect(not(gather_holds(&g, 15, now_ns + TOOK_NS)), "most of them will do");
	}
}
