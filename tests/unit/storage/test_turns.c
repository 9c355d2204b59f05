/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/turns.h"

#include <criterion/criterion.h>

#include "tests/lib/must.h"

enum { TWINS = 2000, CHANGES = 40000 };

static uint64_t seqs[TWINS + 1];

static uint64_t seq_of(const void *ctx, uint32_t twin)
{
	(void)ctx;
	return seqs[twin];
}

/* Every twin is met once, in the order of its latest change. */
static void check_order(const struct turns *t, size_t n_in)
{
	uint64_t seq = 0;
	size_t n = 0;

	for (uint32_t twin; (twin = turns_after(t, seq, seq_of, NULL)) > 0; n++) {
		cr_assert_gt(seqs[twin], seq);
		seq = seqs[twin];
	}
	cr_assert_eq(n, n_in);
}

Test(turns, twins_come_in_the_order_of_their_latest_change)
{
	struct turns t = {0};
	uint32_t x = 7;
	size_t n = 0;

	cr_expect_eq(turns_after(&t, 0, seq_of, NULL), 0);
	for (uint64_t seq = 1; seq <= CHANGES; seq++) {
		x = x * 1664525 + 1013904223;
		const uint32_t twin = 1 + (x >> 8) % (seq % 5 == 0 ? TWINS : 40);
		if (seqs[twin] > 0)
			turns_remove(&t, seqs[twin], twin);
		n += seqs[twin] == 0;
		seqs[twin] = seq;
		must(turns_append(&t, seq, twin) == 0);
		if (seq % 4000 == 0)
			check_order(&t, n);
	}
	cr_expect_leq(t.n, n / 64 + 2, "leaves that have become empty are joined: %zu", t.n);
	turns_fini(&t);
}
