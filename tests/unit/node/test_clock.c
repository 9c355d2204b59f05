/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clock.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

#define DAY (86400 * NS_PER_S)
#define YEAR (365 * DAY)
#define NOW (INT64_C(1790000000) * NS_PER_S)

static struct trust_store *store;
static struct clock clock_of_node;
static int64_t wall_ns;

static int64_t wall_clock(void)
{
	return wall_ns;
}

static void start_at(int64_t ns)
{
	wall_ns = ns;
	clock_of_node = (struct clock){.wall_ns = wall_clock};
	cr_assert(eq(int, clock_load(&clock_of_node, store), 0));
}

static void keep(int64_t evidence_ns, bool now)
{
	cr_assert(eq(int, clock_keep(&clock_of_node, store, evidence_ns, now), 0));
}

static int64_t now_ns(void)
{
	return clock_now(&clock_of_node);
}

static void begin(void)
{
	must(trust_store_open(&store, tmpdir_make(), NULL) == 0);
	start_at(NOW);
}

static void end(void)
{
	trust_store_close(store);
	store = NULL;
	tmpdir_remove();
}

TestSuite(clock, .init = begin, .fini = end);

Test(clock, a_clock_set_back_does_not_bring_time_back)
{
	keep(NOW, true);
	wall_ns = NOW - YEAR;
	cr_expect(eq(i64, now_ns(), NOW), "while the node runs");
	start_at(NOW - YEAR);
	cr_expect(eq(i64, now_ns(), NOW), "and after it was started again");
	cr_expect(eq(i64, clock_back_ns(&clock_of_node), YEAR));
	wall_ns = NOW + 1;
	cr_expect(eq(i64, now_ns(), NOW + 1));
	cr_expect(eq(i64, clock_back_ns(&clock_of_node), 0));
}

Test(clock, time_is_stored_once_a_minute_and_at_the_end)
{
	keep(NOW, false);
	wall_ns = NOW + 59 * NS_PER_S;
	keep(NOW, false);
	cr_expect(eq(i64, clock_of_node.stored_ns, NOW));
	wall_ns = NOW + 60 * NS_PER_S;
	keep(NOW, false);
	cr_expect(eq(i64, clock_of_node.stored_ns, NOW + 60 * NS_PER_S));
	wall_ns = NOW + 61 * NS_PER_S;
	keep(NOW, true);
	start_at(NOW);
	cr_expect(eq(i64, now_ns(), NOW + 61 * NS_PER_S));
}

Test(clock, a_clock_far_ahead_is_kept_only_as_far_as_a_credential_lives)
{
	const int64_t most_ns = NOW + CLOCK_AHEAD_MAX_S * NS_PER_S;

	wall_ns = NOW + 80 * YEAR;
	keep(NOW, true);
	cr_expect(eq(i64, now_ns(), wall_ns), "as long as it stands there");
	start_at(NOW + DAY);
	cr_expect(eq(i64, now_ns(), most_ns));
	cr_expect(gt(i64, most_ns, NOW + CREDENTIAL_LIFE_DAYS * DAY),
		  "what was signed until then has ended, whatever the clock says");
	keep(NOW + DAY, true);
	cr_expect(eq(i64, now_ns(), most_ns), "it does not move by itself");
	wall_ns = most_ns + DAY;
	keep(wall_ns, true);
	cr_expect(eq(i64, now_ns(), most_ns + DAY));
}

Test(clock, an_operator_can_have_it_forgotten)
{
	wall_ns = NOW + YEAR;
	keep(NOW, true);
	cr_assert(eq(int, clock_forget(store), 0));
	start_at(NOW + DAY);
	cr_expect(clock_of_node.was_forgotten);
	cr_expect(eq(i64, now_ns(), NOW + DAY));
	keep(NOW, true);
	start_at(NOW + DAY);
	cr_expect(not(clock_of_node.was_forgotten), "it is said once");
}

Test(clock, without_one_the_wall_clock_counts)
{
	const int64_t before_ns = clock_wall_ns();

	cr_expect(ge(i64, clock_now(NULL), before_ns));
	cr_expect(eq(i64, clock_back_ns(NULL), 0));
}

Test(clock, what_was_signed_last_is_evidence_of_time)
{
	struct credential nodes[] = {{.not_before_ns = NOW}, {.not_before_ns = NOW + DAY}};
	struct org org = {.manifest = {.issued_ns = NOW - DAY}};

	cr_expect(eq(i64, clock_evidence_ns(&org), NOW - DAY));
	org.nodes = nodes;
	org.n_nodes = 2;
	cr_expect(eq(i64, clock_evidence_ns(&org), NOW + DAY));
	org.revocations = (struct revocations){.this_update_ns = NOW + 2 * DAY};
	cr_expect(eq(i64, clock_evidence_ns(&org), NOW + DAY), "there is no list");
	org.revocations.seq = 1;
	cr_expect(eq(i64, clock_evidence_ns(&org), NOW + 2 * DAY));
}
