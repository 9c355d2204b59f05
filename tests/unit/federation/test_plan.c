/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "federation/plan.h"
#include "proto/id.h"
#include "tests/lib/failing_alloc.h"

/* The world: harbor (asked here) has a city over members of acme and volt; volt's grid leads back to harbor.
 */
enum { HERE = 0, CACHE = 1, ACME = 10, VOLT = 11 };

static struct rollup_spec power = {.fn = ROLLUP_SUM, .property = "power"};
static struct view_root city = {.id = "harbor/city", .parent = ""};
static struct view_question question = {
	.roots = &city, .n_roots = 1, .hierarchy = "contains", .depth = 9, .rollups = &power, .n_rollups = 1};
static struct plan *plan;

static void set_up(void)
{
	cr_assert(eq(int, plan_new(&plan, &question, 1 << 20), 0));
}

static void tear_down(void)
{
	plan_free(plan);
	plan = NULL;
}

TestSuite(plan, .init = set_up, .fini = tear_down, .timeout = 60);

static int owner(void *ctx, const char *id)
{
	(void)ctx;
	return id_is_of_org(id, "harbor") ? HERE
	       : id_is_of_org(id, "acme") ? ACME
	       : id_is_of_org(id, "volt") ? VOLT
					  : PLAN_NOBODY;
}

static struct rollup_state states[32];
static size_t n_states;

static struct view_member member(const char *id, const char *parent, double value)
{
	struct rollup_state *s = &states[n_states++];
	const struct rollup_item item = {.number = value, .sigma = NAN, .unit = "MW", .twin = id};

	*s = (struct rollup_state){0};
	cr_assert(eq(int, rollup_add(NULL, &power, s, &item, NULL), 0));
	return (struct view_member){.id = id, .parent = parent, .type = "", .name = "", .rollups = s};
}

static struct plan_ask must_ask(int expected_owner)
{
	struct plan_ask ask;

	cr_assert(eq(int, plan_next(plan, owner, NULL, &ask), 1));
	cr_assert(eq(int, ask.owner, expected_owner));
	return ask;
}

static void must_answer(uint32_t ask, struct view_member *members, size_t n, struct view_edge *edges,
			size_t n_edges)
{
	const struct view_part part = {.members = members,
				       .n_members = n,
				       .edges = edges,
				       .n_edges = n_edges,
				       .n_rollups = 1,
				       .counts = {.members = n, .live = n}};

	cr_assert(eq(int, plan_answer(plan, ask, &part, true), 0));
}

/* harbor/city answers with itself and names one member each of acme and volt. */
static void answer_city(void)
{
	struct view_member here[] = {member("harbor/city", "", 1)};
	struct view_edge edges[] = {{.anchor = "harbor/city", .parent = "harbor/city", .child = "acme/plant"},
				    {.anchor = "harbor/city", .parent = "harbor/city", .child = "volt/grid"}};

	must_answer(must_ask(HERE).id, here, 1, edges, 2);
}

static struct view_part result(void)
{
	struct view_part r;

	cr_assert(plan_done(plan));
	cr_assert(eq(int, plan_result(plan, &r), 0));
	return r;
}

static double sum(const struct rollup_state *s)
{
	double v = -1;

	rollup_value(s, &power, &v);
	return v;
}

Test(plan, totals_of_other_owners_reach_every_ancestor)
{
	answer_city();
	struct view_member acme[] = {member("acme/plant", "", 30), member("acme/press", "acme/plant", 20)};
	struct view_member volt[] = {member("volt/grid", "", 400)};
	must_answer(must_ask(ACME).id, acme, 2, NULL, 0);
	must_answer(must_ask(VOLT).id, volt, 1, NULL, 0);
	const struct view_part r = result();

	cr_assert(eq(sz, r.n_members, 4));
	cr_expect(strcmp(r.members[0].id, "harbor/city") == 0);
	cr_expect(strcmp(r.members[1].id, "acme/plant") == 0);
	cr_expect(strcmp(r.members[2].id, "acme/press") == 0);
	cr_expect(eq(dbl, sum(&r.members[0].rollups[0]), 431));
	cr_expect(eq(dbl, sum(&r.members[1].rollups[0]), 30));
	cr_expect(eq(dbl, sum(&r.rollups[0]), 431));
	cr_expect(eq(u64, r.counts.members, 4));
}

Test(plan, a_hierarchy_that_crosses_owners_twice_is_counted_once)
{
	struct view_member here[] = {member("harbor/city", "", 1)}, acme[] = {member("acme/plant", "", 10)},
			   volt[] = {member("volt/feeder", "", 100)};
	struct view_edge to_acme[] = {{.anchor = "harbor/city",
				       .parent = "harbor/city",
				       .child = "acme/plant"}},
			 to_volt[] = {
				 {.anchor = "acme/plant", .parent = "acme/plant", .child = "volt/feeder"}};

	must_answer(must_ask(HERE).id, here, 1, to_acme, 1);
	must_answer(must_ask(ACME).id, acme, 1, to_volt, 1);
	must_answer(must_ask(VOLT).id, volt, 1, NULL, 0);
	const struct view_part r = result();
	cr_expect(eq(dbl, sum(&r.members[0].rollups[0]), 111));
	cr_expect(eq(dbl, sum(&r.members[1].rollups[0]), 110));
	cr_expect(eq(dbl, sum(&r.members[2].rollups[0]), 100));
}

Test(plan, depth_counts_from_the_root_of_the_view_across_owners)
{
	struct plan_ask ask;
	struct view_question shallow = question;

	tear_down();
	shallow.depth = 1;
	cr_assert(eq(int, plan_new(&plan, &shallow, 1 << 20), 0));
	answer_city();
	ask = must_ask(ACME);
	cr_expect(eq(u32, ask.question.depth, 0));
	struct view_member acme[] = {member("acme/plant", "", 30)};
	struct view_edge deeper[] = {{.anchor = "acme/plant", .parent = "acme/press", .child = "volt/below"}};
	must_answer(ask.id, acme, 1, deeper, 1);
	ask = must_ask(VOLT);
	cr_expect(eq(sz, ask.question.n_roots, 2));
	struct view_member volt[] = {member("volt/grid", "", 400), member("volt/below", "", 5)};
	must_answer(ask.id, volt, 2, NULL, 0);
	const struct view_part r = result();
	cr_expect(eq(sz, r.n_members, 3), "what lies deeper is counted, not shown");
	cr_expect(eq(dbl, sum(&r.rollups[0]), 436));
	cr_expect(eq(dbl, sum(&r.members[1].rollups[0]), 35));
}

Test(plan, siblings_stand_in_the_order_of_their_ids)
{
	struct view_member here[] = {member("harbor/city", "", 0), member("harbor/z", "harbor/city", 0),
				     member("harbor/a", "harbor/city", 0),
				     member("harbor/m", "harbor/city", 0)};

	must_answer(must_ask(HERE).id, here, 4, NULL, 0);
	const struct view_part r = result();
	cr_expect(strcmp(r.members[1].id, "harbor/a") == 0);
	cr_expect(strcmp(r.members[3].id, "harbor/z") == 0);
}

Test(plan, a_round_asks_each_owner_once_with_all_its_roots)
{
	struct view_member here[] = {member("harbor/city", "", 0)};
	struct view_edge edges[] = {{.anchor = "harbor/city", .parent = "harbor/city", .child = "acme/a"},
				    {.anchor = "harbor/city", .parent = "harbor/city", .child = "volt/v"},
				    {.anchor = "harbor/city", .parent = "harbor/city", .child = "acme/b"}};
	struct plan_ask none;

	must_answer(must_ask(HERE).id, here, 1, edges, 3);
	const struct plan_ask acme = must_ask(ACME);
	cr_expect(eq(sz, acme.question.n_roots, 2));
	cr_expect(strcmp(acme.question.roots[1].id, "acme/b") == 0);
	cr_expect(strcmp(acme.question.roots[1].parent, "harbor/city") == 0);
	must_ask(VOLT);
	cr_expect(eq(int, plan_next(plan, owner, NULL, &none), 0));
	cr_expect(not(plan_done(plan)));
}

Test(plan, a_cycle_across_owners_ends_and_is_told)
{
	answer_city();
	struct view_member volt[] = {member("volt/grid", "", 5)};
	struct view_edge back[] = {{.anchor = "volt/grid", .parent = "volt/grid", .child = "harbor/city"}};
	struct view_member acme[] = {member("acme/plant", "", 1)};
	must_answer(must_ask(ACME).id, acme, 1, NULL, 0);
	must_answer(must_ask(VOLT).id, volt, 1, back, 1);
	const struct view_part r = result();

	cr_expect(eq(dbl, sum(&r.rollups[0]), 7));
	cr_assert(eq(sz, r.n_problems, 1));
	cr_expect(strstr(r.problems[0], "harbor/city contains itself") != NULL);
}

Test(plan, a_silent_owner_is_replaced_by_its_summaries_and_counted_once)
{
	answer_city();
	struct view_member acme[] = {member("acme/plant", "", 30)};
	struct view_member late[] = {member("acme/plant", "", 99)};
	const uint32_t silent = must_ask(ACME).id;
	const uint32_t volt = must_ask(VOLT).id;
	plan_lost(plan, silent, CACHE);
	const struct plan_ask again = must_ask(CACHE);
	must_answer(again.id, acme, 1, NULL, 0);
	must_answer(silent, late, 1, NULL, 0); /* comes after all: too late */
	plan_lost(plan, volt, PLAN_NOBODY);
	struct plan_ask none;
	cr_assert(eq(int, plan_next(plan, owner, NULL, &none), 0));
	const struct view_part r = result();

	cr_expect(eq(dbl, sum(&r.rollups[0]), 31));
	cr_expect(eq(u64, r.counts.unreachable, 1));
	cr_expect(eq(int, (int)r.members[2].state, MEMBER_UNREACHABLE));
}

Test(plan, what_an_owner_does_not_speak_of_is_absent)
{
	answer_city();
	must_answer(must_ask(ACME).id, NULL, 0, NULL, 0);
	must_answer(must_ask(VOLT).id, NULL, 0, NULL, 0);
	const struct view_part r = result();

	cr_assert(eq(sz, r.n_members, 3));
	cr_expect(eq(int, (int)r.members[1].state, MEMBER_ABSENT));
	cr_expect(eq(u64, r.counts.members, 1));
}

Test(plan, members_nobody_asked_for_are_refused)
{
	answer_city();
	const uint32_t ask = must_ask(ACME).id;
	struct view_member foreign[] = {member("acme/plant", "", 1), member("volt/secret", "acme/plant", 1)};
	struct view_member other_root[] = {member("acme/other", "", 1)};
	struct view_member orphan[] = {member("acme/plant", "", 1), member("acme/x", "acme/nowhere", 1)};
	struct view_member *bad[] = {foreign, other_root, orphan};
	const size_t sizes[] = {2, 1, 2};

	for (size_t i = 0; i < 3; i++) {
		const struct view_part part = {.members = bad[i], .n_members = sizes[i], .n_rollups = 1};
		cr_expect(eq(int, plan_answer(plan, ask, &part, true), ERR_MALFORMED), "part %zu", i);
	}
	const struct view_part short_rollups = {.members = foreign, .n_members = 1, .n_rollups = 0};
	cr_expect(eq(int, plan_answer(plan, ask, &short_rollups, true), ERR_MALFORMED));
}

Test(plan, an_answer_cannot_speak_for_others)
{
	answer_city();
	const uint32_t ask = must_ask(ACME).id;
	struct view_member plant[] = {member("acme/plant", "", 1)};
	struct view_edge stolen[] = {{.anchor = "acme/plant", .parent = "volt/grid", .child = "harbor/x"}};
	struct view_source lent[] = {{.org = "volt", .node = "n1"}};
	const struct view_part bad[] = {
		{.members = plant,
		 .n_members = 1,
		 .n_rollups = 1,
		 .counts = {.members = 1, .live = 1},
		 .edges = stolen,
		 .n_edges = 1},
		{.members = plant,
		 .n_members = 1,
		 .n_rollups = 1,
		 .counts = {.members = 1, .live = 1},
		 .sources = lent,
		 .n_sources = 1},
		{.members = plant,
		 .n_members = 1,
		 .n_rollups = 1,
		 .counts = {.members = 1, .live = 1, .withheld = UINT64_MAX}},
		{.members = plant, .n_members = 1, .n_rollups = 1, .counts = {.members = UINT64_MAX}},
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect(eq(int, plan_answer(plan, ask, &bad[i], true), ERR_MALFORMED), "part %zu", i);
}

static int leave_others(void *ctx, const char *id)
{
	(void)ctx;
	return id_is_of_org(id, "harbor") ? HERE : PLAN_LEAVE;
}

Test(plan, a_border_leaves_other_owners_to_the_asker)
{
	struct plan_ask ask;
	struct view_member here[] = {member("harbor/city", "", 1)};
	struct view_edge edges[] = {
		{.anchor = "harbor/city", .parent = "harbor/city", .child = "acme/plant"}};

	cr_assert(eq(int, plan_next(plan, leave_others, NULL, &ask), 1));
	must_answer(ask.id, here, 1, edges, 1);
	cr_assert(eq(int, plan_next(plan, leave_others, NULL, &ask), 0));
	const struct view_part r = result();
	cr_assert(eq(sz, r.n_edges, 1));
	cr_expect(strcmp(r.edges[0].anchor, "harbor/city") == 0);
	cr_expect(strcmp(r.edges[0].child, "acme/plant") == 0);
}

Test(plan, every_allocation_may_fail)
{
	bool failed = true;

	tear_down();
	for (long allowed = 0; failed; allowed++) {
		struct plan_ask ask;
		struct view_part r = {0};
		n_states = 0;
		struct view_member here[] = {member("harbor/city", "", 1)};
		const struct view_part part = {
			.members = here, .n_members = 1, .n_rollups = 1, .counts = {.members = 1, .live = 1}};
		alloc_fail_after(allowed);
		int code = plan_new(&plan, &question, 1 << 20);
		code = code < 0 ? code : plan_next(plan, owner, NULL, &ask);
		code = code < 0 ? code : plan_answer(plan, ask.id, &part, true);
		code = code < 0 ? code : plan_result(plan, &r);
		failed = alloc_has_failed();
		alloc_fail_after(-1);
		cr_expect(eq(int, code, failed ? -ENOMEM : 0), "allocation %ld", allowed);
		tear_down();
	}
}

/* Of a cell without values in the first answer. */
Test(plan, a_cell_keeps_the_unit_when_the_answer_is_gone)
{
	struct view_question series = question;
	struct rollup_state none = {0}, some = {0};
	char unit[] = "MW", twin[] = "acme/plant";
	const struct rollup_item item = {.number = 7, .sigma = NAN, .unit = unit, .twin = twin};
	struct view_member here[] = {member("harbor/city", "", 1)}, there[] = {member("acme/plant", "", 30)};
	struct view_edge edge = {
		.anchor = "harbor/city", .parent = "harbor/city", .child = "acme/plant", .to_ns = 1};
	struct view_cell cell = {.group = "", .t_ns = 1, .members = 1, .rollups = &none};
	struct view_part part = {.members = here,
				 .n_members = 1,
				 .edges = &edge,
				 .n_edges = 1,
				 .n_rollups = 1,
				 .counts = {.members = 1, .live = 1},
				 .cells = &cell,
				 .n_cells = 1};

	plan_free(plan);
	series.from_ns = series.to_ns = series.step_ns = 1;
	cr_assert(eq(int, plan_new(&plan, &series, 1 << 20), 0));
	here[0].rollups = there[0].rollups = &none;
	cr_assert(eq(int, plan_answer(plan, must_ask(HERE).id, &part, true), 0));
	cr_assert(eq(int, rollup_add(NULL, &power, &some, &item, NULL), 0));
	cell.rollups = &some;
	part.members = there;
	part.n_edges = 0;
	cr_assert(eq(int, plan_answer(plan, must_ask(ACME).id, &part, true), 0));
	memset(unit, '?', sizeof unit - 1);
	memset(twin, '?', sizeof twin - 1);
	const struct view_part whole = result();
	cr_assert(eq(sz, whole.n_cells, 1));
	cr_expect(eq(dbl, sum(&whole.cells[0].rollups[0]), 7));
	cr_expect(strcmp(whole.cells[0].rollups[0].unit, "MW") == 0);
	cr_expect(strcmp(whole.cells[0].rollups[0].unit_twin, "acme/plant") == 0);
}
