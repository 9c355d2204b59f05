/* SPDX-License-Identifier: Apache-2.0 */
/* What stands until it is over, on a clock of the test's. */
#include "node/alarms.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "proto/clock.h"
#include "tests/lib/must.h"

static struct alarms *alarms;
static struct arena *a;
static struct alarm_info *list;
static size_t n;
static int64_t now_ns;

int64_t __wrap_engine_wall_ns(void);
int64_t __wrap_engine_mono_ns(void);

int64_t __wrap_engine_wall_ns(void)
{
	return 1000 * NS_PER_S + now_ns;
}

int64_t __wrap_engine_mono_ns(void)
{
	return now_ns;
}

static void set_up(void)
{
	now_ns = 0;
	must(alarms_new(&alarms) == 0 && arena_new(&a, 1 << 20) == 0);
}

static void tear_down(void)
{
	alarms_free(alarms);
	arena_free(a);
	alarms = NULL;
	a = NULL;
}

TestSuite(alarms, .init = set_up, .fini = tear_down);

static void look(size_t want)
{
	must(alarms_list(alarms, a, &list, &n) == 0);
	cr_assert(eq(sz, n, want));
}

Test(alarms, stand_from_when_they_were_raised_until_they_are_cleared)
{
	alarms_raise(alarms, ALARM_REPAIR, "acme/a1", "no agreement");
	now_ns = 5 * NS_PER_S;
	alarms_raise(alarms, ALARM_REPAIR, "acme/a1", "still none");
	now_ns = 3600 * NS_PER_S;
	alarms_tick(alarms);
	look(1);
	cr_expect_str_eq(list[0].kind, "repair");
	cr_expect_str_eq(list[0].about, "acme/a1");
	cr_expect_str_eq(list[0].text, "still none");
	cr_expect(list[0].todo[0] != '\0');
	cr_expect(eq(i64, list[0].since_ns, 1000 * NS_PER_S));
	cr_expect(eq(i64, list[0].last_ns, 1005 * NS_PER_S));
	cr_expect(eq(u64, list[0].count, 2));
	alarms_clear(alarms, ALARM_REPAIR, "acme/a2");
	look(1);
	alarms_clear(alarms, ALARM_REPAIR, "acme/a1");
	look(0);
}

Test(alarms, about_peers_end_when_nothing_is_heard_of_them_any_more)
{
	alarms_raise(alarms, ALARM_PEER, "bolt/b1", "sent a twin that is not its own");
	now_ns = 599 * NS_PER_S;
	alarms_raise(alarms, ALARM_PEER, "bolt/b2", "the same");
	alarms_tick(alarms);
	look(2);
	now_ns = 600 * NS_PER_S;
	alarms_tick(alarms);
	look(1);
	cr_expect_str_eq(list[0].about, "bolt/b2");
}

Test(alarms, of_one_kind_push_out_none_of_another_and_are_bounded)
{
	char peer[32];

	alarms_raise(alarms, ALARM_FORK, "acme/a1", "two heads");
	for (int i = 0; i < 10000; i++) {
		snprintf(peer, sizeof peer, "bolt/b%d", i);
		alarms_raise(alarms, ALARM_PEER, peer, "nonsense");
	}
	look(1 + ALARMS_OF_KIND_MAX);
	cr_expect_str_eq(list[0].kind, "fork");
	cr_expect(eq(u64, alarms_left_out(alarms), 10000 - ALARMS_OF_KIND_MAX));
}

Test(alarms, that_keep_a_node_from_its_work_come_first)
{
	cr_expect(alarms_worst(alarms) == NULL);
	alarms_raise(alarms, ALARM_PEER, "bolt/b1", "nonsense");
	cr_expect(alarms_worst(alarms) == NULL);
	alarms_raise(alarms, ALARM_POLICY, "", "not in force");
	alarms_raise(alarms, ALARM_STORE, "", "disk full");
	cr_expect_str_eq(alarms_worst(alarms), "disk full");
	look(3);
	cr_expect_str_eq(list[0].kind, "store");
}

Test(alarms, with_texts_too_long_are_cut)
{
	char text[2000];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	alarms_raise(alarms, ALARM_PEER, text, text);
	look(1);
	cr_expect(lt(sz, strlen(list[0].about), 200));
	cr_expect(lt(sz, strlen(list[0].text), 400));
	alarms_raise(NULL, ALARM_PEER, "bolt/b1", "nobody keeps it");
	alarms_clear(NULL, ALARM_PEER, "bolt/b1");
}

Test(alarms, every_kind_says_what_to_do)
{
	for (int kind = 0; kind < N_ALARM_KINDS; kind++)
		alarms_raise(alarms, (enum alarm_kind)kind, "", "it is so");
	look(N_ALARM_KINDS);
	for (size_t i = 0; i < n; i++)
		cr_expect(list[i].kind && list[i].todo && list[i].todo[0], "kind %zu", i);
}
