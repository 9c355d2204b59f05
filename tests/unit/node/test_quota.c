/* SPDX-License-Identifier: Apache-2.0 */
/* What one partner may use of a border, with the clock in the test's hand. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "node/quota.h"
#include "proto/clock.h"
#include "tests/lib/must.h"

static const struct quota_limits small = {.of = {[QUOTA_ROWS] = {100, 1000},
						 [QUOTA_PULLS] = {10, 20},
						 [QUOTA_REPAIRS] = {1, 5},
						 [QUOTA_HEADS] = {10, 20},
						 [QUOTA_QUESTIONS] = {10, 20}}};
static struct quotas *quotas;
static int64_t now_ns;

static void set_up(void)
{
	now_ns = 1000 * NS_PER_S;
	must(quotas_new(&quotas, &small) == 0);
}

static void tear_down(void)
{
	quotas_free(quotas);
	quotas = NULL;
}

TestSuite(quota, .init = set_up, .fini = tear_down, .timeout = 60);

static int take(const char *org, enum quota_kind kind)
{
	return quota_take(quotas, org, kind, now_ns);
}

static int taken(const char *org, enum quota_kind kind, int most)
{
	int n = 0;

	while (n < most && take(org, kind) == 0)
		n++;
	return n;
}

Test(quota, a_burst_and_then_the_rate)
{
	cr_expect(eq(int, taken("volt", QUOTA_PULLS, 1000), 20));
	cr_expect(eq(int, take("volt", QUOTA_PULLS), QUOTA_OVER));
	now_ns += NS_PER_S;
	cr_expect(eq(int, taken("volt", QUOTA_PULLS, 1000), 10));
	now_ns += 3600 * NS_PER_S;
	cr_expect(eq(int, taken("volt", QUOTA_PULLS, 1000), 20));
	cr_expect(eq(u64, quota_refused(quotas), 4),
		  "each refusal is counted, also those that ended a count");
}

Test(quota, one_partners_appetite_is_its_own)
{
	cr_expect(eq(int, taken("volt", QUOTA_PULLS, 1000), 20));
	cr_expect(eq(int, taken("harbor", QUOTA_PULLS, 1000), 20));
	cr_expect(eq(int, taken("volt", QUOTA_QUESTIONS, 1000), 20), "nor does one kind use up another");
}

Test(quota, rows_that_were_sent_are_owed)
{
	quota_charge(quotas, "volt", QUOTA_ROWS, 3000, now_ns);
	cr_expect(eq(int, take("volt", QUOTA_PULLS), QUOTA_OVER));
	cr_expect(eq(int, take("volt", QUOTA_REPAIRS), QUOTA_OVER));
	cr_expect(eq(int, take("volt", QUOTA_QUESTIONS), 0));
	now_ns += 19 * NS_PER_S;
	cr_expect(eq(int, take("volt", QUOTA_PULLS), QUOTA_OVER));
	now_ns += 2 * NS_PER_S;
	cr_expect(eq(int, take("volt", QUOTA_PULLS), 0));
	quota_charge(quotas, "volt", QUOTA_ROWS, UINT64_MAX, now_ns);
	quota_charge(quotas, "volt", QUOTA_ROWS, UINT64_MAX, now_ns);
	now_ns += 1000000 * NS_PER_S;
	cr_expect(eq(int, take("volt", QUOTA_PULLS), QUOTA_OVER));
}

Test(quota, who_asks_on_all_the_same_loses_patience)
{
	int n = 0, r;

	cr_expect(eq(int, taken("volt", QUOTA_REPAIRS, 1000), 5));
	while ((r = take("volt", QUOTA_REPAIRS)) == QUOTA_OVER && n < 10 * QUOTA_PATIENCE)
		n++;
	cr_expect(eq(int, r, ERR_REFUSED));
	cr_expect(eq(int, n, QUOTA_PATIENCE - 1), "one went when the burst ended");
	now_ns += NS_PER_S;
	cr_expect(eq(int, take("volt", QUOTA_REPAIRS), 0), "it is forgiven in time");
	for (n = 0; (r = take("volt", QUOTA_REPAIRS)) == QUOTA_OVER && n < QUOTA_PATIENCE;)
		n++;
	cr_expect(eq(int, n, QUOTA_FORGIVEN));
}

Test(quota, who_waits_when_told_to_is_slowed_and_never_cut)
{
	quota_charge(quotas, "volt", QUOTA_ROWS, 100000, now_ns);
	for (int round = 0; round < 300; round++, now_ns += 2 * NS_PER_S)
		for (int i = 0; i < 2 * ORIGINS_MAX; i++)
			cr_assert(eq(int, take("volt", QUOTA_PULLS), QUOTA_OVER), "round %d", round);
}

Test(quota, as_many_partners_as_there_can_be_and_more)
{
	char org[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(org, sizeof org, "org%d", i);
		cr_expect(take(org, QUOTA_PULLS) == (i < 256 ? 0 : QUOTA_OVER));
	}
	now_ns += 3600 * NS_PER_S; /* quiet ones make room */
	cr_expect(eq(int, take("org999", QUOTA_PULLS), 0));
}

Test(quota, none_for_the_own_organisation)
{
	for (int i = 0; i < 100; i++)
		cr_expect(eq(int, take("", QUOTA_PULLS), 0));
	cr_expect(eq(int, quota_take(NULL, "volt", QUOTA_PULLS, now_ns), 0));
	quota_charge(NULL, "volt", QUOTA_ROWS, 1, now_ns);
}
