/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "federation/plan.h"
#include "proto/id.h"
#include "proto/limits.h"

/* harbor asks here; acme and volt are others; harbor/2 and below are another node's. */
enum { HERE = 0, NODE_2 = 2, ACME = 10, VOLT = 11 };
enum { BUDGET = 4 << 20 };

static struct rollup_spec specs[] = {{.fn = ROLLUP_SUM, .property = "power"}};
static struct view_root city = {.id = "harbor/city", .parent = ""};
static struct view_question question = {.roots = &city,
					.n_roots = 1,
					.hierarchy = "contains",
					.depth = VIEW_DEPTH_ALL,
					.rollups = specs,
					.n_rollups = 1};
static struct plan *plan;
static struct arena *arena;

static void begin(const struct view_question *q, size_t budget_bytes)
{
	cr_assert(eq(int, arena_new(&arena, 64 << 20), 0));
	cr_assert(eq(int, plan_new(&plan, q, budget_bytes), 0));
}

static void tear_down(void)
{
	plan_free(plan);
	arena_free(arena);
}

TestSuite(plan_rules, .fini = tear_down, .timeout = 60);

static int owner(void *ctx, const char *id)
{
	const bool *border = ctx;

	if (id_is_within(id, "harbor/2"))
		return NODE_2;
	if (id_is_of_org(id, "harbor"))
		return HERE;
	if (border && *border)
		return PLAN_LEAVE;
	return id_is_of_org(id, "acme") ? ACME : id_is_of_org(id, "volt") ? VOLT : PLAN_NOBODY;
}

static const bool at_border = true;

static struct plan_ask must_ask_at(int expected_owner, const bool *border)
{
	struct plan_ask ask;

	cr_assert(eq(int, plan_next(plan, owner, (void *)(uintptr_t)border, &ask), 1));
	cr_assert(eq(int, ask.owner, expected_owner));
	return ask;
}

static struct plan_ask must_ask(int expected_owner)
{
	return must_ask_at(expected_owner, NULL);
}

static void must_not_ask(void)
{
	struct plan_ask ask;

	cr_assert(eq(int, plan_next(plan, owner, NULL, &ask), 0));
}

static struct view_member member(const char *id, const char *parent, double value)
{
	struct rollup_state *s = arena_take(arena, sizeof *s);
	const struct rollup_item item = {.number = value, .sigma = NAN, .unit = "MW", .twin = id};

	cr_assert(eq(int, rollup_add(arena, &specs[0], s, &item, NULL), 0));
	return (struct view_member){.id = id, .parent = parent, .type = "", .name = "", .rollups = s};
}

static struct view_edge edge(const char *parent, const char *child)
{
	return (struct view_edge){.anchor = parent, .parent = parent, .child = child};
}

static struct view_edge seen_edge(const char *parent, const char *child)
{
	return (struct view_edge){.anchor = "", .parent = parent, .child = child, .seen = true};
}

static struct view_part part_of(struct view_member *members, size_t n, struct view_edge *edges,
				size_t n_edges)
{
	return (struct view_part){.members = members,
				  .n_members = n,
				  .edges = edges,
				  .n_edges = n_edges,
				  .n_rollups = 1,
				  .counts = {.members = n, .live = n}};
}

static int answer(uint32_t ask, struct view_member *members, size_t n, struct view_edge *edges,
		  size_t n_edges)
{
	const struct view_part part = part_of(members, n, edges, n_edges);

	return plan_answer(plan, ask, &part, true);
}

static void must_answer(uint32_t ask, struct view_member *members, size_t n, struct view_edge *edges,
			size_t n_edges)
{
	cr_assert(eq(int, answer(ask, members, n, edges, n_edges), 0));
}

static void answer_one(uint32_t ask, const char *id, double value, const char *child)
{
	struct view_member m = member(id, "", value);
	struct view_edge e = edge(id, child);

	must_answer(ask, &m, 1, &e, child ? 1 : 0);
}

static struct view_part result(void)
{
	struct view_part r;

	cr_assert(plan_done(plan));
	cr_assert(eq(int, plan_result(plan, &r), 0));
	return r;
}

static double total(const struct view_part *r)
{
	double v = -1;

	rollup_value(&r->rollups[0], &specs[0], &v);
	return v;
}

static void expect_root(const struct plan_ask *ask, size_t at, const char *id, bool seen)
{
	cr_assert(lt(sz, at, ask->question.n_roots));
	cr_expect(strcmp(ask->question.roots[at].id, id) == 0, "root %zu is %s", at,
		  ask->question.roots[at].id);
	cr_expect(eq(int, ask->question.roots[at].seen, seen), "root %zu", at);
}

static void expect_problem(const struct view_part *r, const char *words)
{
	bool found = false;

	for (size_t i = 0; i < r->n_problems; i++)
		found |= strstr(r->problems[i], words) != NULL;
	cr_expect(found, "nothing about '%s'", words);
}

/* harbor/city over acme/plant over volt/grid over acme/press. */
static struct plan_ask come_back_to_acme(void)
{
	begin(&question, BUDGET);
	answer_one(must_ask(HERE).id, "harbor/city", 1, "acme/plant");
	answer_one(must_ask(ACME).id, "acme/plant", 10, "volt/grid");
	answer_one(must_ask(VOLT).id, "volt/grid", 100, "acme/press");
	return must_ask(ACME);
}

Test(plan_rules, a_later_question_says_what_was_counted_before)
{
	const struct plan_ask ask = come_back_to_acme();

	cr_assert(eq(sz, ask.question.n_roots, 2));
	expect_root(&ask, 0, "acme/plant", true);
	expect_root(&ask, 1, "acme/press", false);
	struct view_edge met = seen_edge("volt/grid", "acme/press");
	must_answer(ask.id, NULL, 0, &met, 1);
	const struct view_part r = result();
	cr_expect(eq(dbl, total(&r), 111));
	cr_expect(eq(sz, r.n_members, 3), "neither shown again nor said to be absent");
	cr_expect(view_is_clean(&r));
}

Test(plan_rules, summaries_that_stand_in_get_the_same_list)
{
	const struct plan_ask ask = come_back_to_acme();

	plan_lost(plan, ask.id, PLAN_CACHE);
	const struct plan_ask again = must_ask(PLAN_CACHE);
	cr_assert(eq(sz, again.question.n_roots, 2));
	expect_root(&again, 0, "acme/plant", true);
	expect_root(&again, 1, "acme/press", false);
	struct view_edge met = seen_edge("volt/grid", "acme/press");
	must_answer(again.id, NULL, 0, &met, 1);
	const struct view_part r = result();
	cr_expect(not(view_is_clean(&r)), "a summary may be wrong about that");
	expect_problem(&r, "only a summary says");
}

Test(plan_rules, a_root_listed_again_for_its_place_counts_no_more)
{
	static const int owners[] = {ACME, PLAN_CACHE};

	for (size_t i = 0; i < 2; i++) {
		struct plan_ask ask = come_back_to_acme();
		if (owners[i] == PLAN_CACHE) {
			plan_lost(plan, ask.id, PLAN_CACHE);
			ask = must_ask(PLAN_CACHE);
		}
		struct rollup_state nothing = {0};
		struct view_member press = {.id = "acme/press", .parent = "", .type = "", .name = ""};
		press.rollups = &nothing;
		const struct view_part part = {.members = &press, .n_members = 1, .n_rollups = 1};
		cr_assert(eq(int, plan_answer(plan, ask.id, &part, true), 0));
		const struct view_part r = result();
		cr_expect(eq(dbl, total(&r), 111));
		cr_expect(eq(u64, r.counts.members, 3));
		cr_expect(eq(int, view_is_clean(&r), owners[i] == ACME));
		tear_down();
	}
	begin(&question, BUDGET);
}

Test(plan_rules, what_a_summary_does_not_know_is_unreachable)
{
	begin(&question, BUDGET);
	answer_one(must_ask(HERE).id, "harbor/city", 1, "acme/plant");
	plan_lost(plan, must_ask(ACME).id, PLAN_CACHE);
	must_answer(must_ask(PLAN_CACHE).id, NULL, 0, NULL, 0);
	const struct view_part r = result();
	cr_expect(eq(u64, r.counts.unreachable, 1));
	cr_expect(eq(int, (int)r.members[1].state, MEMBER_UNREACHABLE));
}

static struct view_root two[] = {{.id = "harbor/old", .parent = "", .seen = true},
				 {.id = "harbor/new", .parent = "acme/plant"}};

static struct view_question of_border(void)
{
	struct view_question q = question;

	q.roots = two;
	q.n_roots = 2;
	return q;
}

Test(plan_rules, a_border_goes_down_what_was_seen_to_its_ends_first)
{
	const struct view_question q = of_border();

	begin(&q, BUDGET);
	struct plan_ask ask = must_ask_at(HERE, &at_border), none;
	cr_assert(eq(sz, ask.question.n_roots, 1));
	expect_root(&ask, 0, "harbor/old", true);
	struct view_edge down[] = {seen_edge("harbor/old", "harbor/2"), seen_edge("harbor/old", "acme/x")};
	must_answer(ask.id, NULL, 0, down, 2);
	ask = must_ask_at(NODE_2, &at_border);
	expect_root(&ask, 0, "harbor/2", true);
	cr_expect(eq(int, plan_next(plan, owner, (void *)(uintptr_t)&at_border, &none), 0));
	must_answer(ask.id, NULL, 0, NULL, 0);
	ask = must_ask_at(HERE, &at_border);
	cr_assert(eq(sz, ask.question.n_roots, 3));
	expect_root(&ask, 0, "harbor/old", true);
	expect_root(&ask, 1, "harbor/2", true);
	expect_root(&ask, 2, "harbor/new", false);
	struct view_edge met = seen_edge("acme/plant", "harbor/new");
	must_answer(ask.id, NULL, 0, &met, 1);
	cr_expect(eq(int, plan_next(plan, owner, (void *)(uintptr_t)&at_border, &none), 0));
	const struct view_part r = result();
	cr_expect(eq(sz, r.n_members, 0));
	bool told = false;
	for (size_t i = 0; i < r.n_edges; i++)
		told |= r.edges[i].seen && strcmp(r.edges[i].child, "harbor/new") == 0;
	cr_expect(told, "the asker hears that the root is there and counts already");
}

Test(plan_rules, what_was_seen_and_cannot_be_asked_any_more_is_told)
{
	const struct view_question q = of_border();
	static const int instead[] = {PLAN_CACHE, PLAN_NOBODY};

	for (size_t i = 0; i < 2; i++) {
		begin(&q, BUDGET);
		plan_lost(plan, must_ask(HERE).id, instead[i]);
		if (instead[i] == PLAN_CACHE)
			must_answer(must_ask(PLAN_CACHE).id, NULL, 0, NULL, 0);
		answer_one(must_ask(HERE).id, "harbor/new", 1, NULL);
		const struct view_part r = result();
		cr_expect(eq(u64, r.counts.members, 1));
		cr_expect(not(view_is_clean(&r)));
		expect_problem(&r, "may be counted twice");
		tear_down();
	}
	begin(&q, BUDGET);
}

Test(plan_rules, another_parent_is_asked_for_when_one_claimed_in_vain)
{
	begin(&question, BUDGET);
	struct view_member here[] = {member("harbor/city", "", 1), member("harbor/x", "harbor/city", 0)};
	struct view_edge edges[] = {edge("harbor/city", "acme/plant"), edge("harbor/x", "acme/plant"),
				    edge("harbor/x", "acme/plant")};
	must_answer(must_ask(HERE).id, here, 2, edges, 3);
	struct plan_ask ask = must_ask(ACME);
	cr_expect(eq(sz, ask.question.n_roots, 1));
	struct view_member in_vain = member("acme/plant", "", 0);
	in_vain.state = MEMBER_UNCONFIRMED;
	struct view_part part = part_of(&in_vain, 1, NULL, 0);
	part.counts = (struct view_counts){.members = 1, .unconfirmed = 1};
	cr_assert(eq(int, plan_answer(plan, ask.id, &part, true), 0));
	ask = must_ask(ACME);
	cr_assert(eq(sz, ask.question.n_roots, 1), "it did not count, so it was not seen");
	cr_expect(strcmp(ask.question.roots[0].parent, "harbor/x") == 0);
	answer_one(ask.id, "acme/plant", 30, NULL);
	must_not_ask();
	const struct view_part r = result();
	cr_expect(eq(dbl, total(&r), 31));
}

Test(plan_rules, an_owner_has_one_question_at_a_time)
{
	begin(&question, BUDGET);
	struct view_member here = member("harbor/city", "", 1);
	struct view_edge edges[] = {edge("harbor/city", "acme/a"), edge("harbor/city", "volt/v")};
	must_answer(must_ask(HERE).id, &here, 1, edges, 2);
	const uint32_t acme = must_ask(ACME).id;
	answer_one(must_ask(VOLT).id, "volt/v", 1, "acme/b");
	must_not_ask();
	cr_expect(not(plan_done(plan)));
	answer_one(acme, "acme/a", 1, NULL);
	answer_one(must_ask(ACME).id, "acme/b", 1, NULL);
	const struct view_part r = result();
	cr_expect(eq(dbl, total(&r), 4));
}

Test(plan_rules, of_an_answer_that_is_wrong_in_its_last_part_nothing_is_taken)
{
	begin(&question, BUDGET);
	answer_one(must_ask(HERE).id, "harbor/city", 1, "acme/plant");
	const uint32_t ask = must_ask(ACME).id;
	struct view_member good = member("acme/plant", "", 30), foreign = member("volt/x", "acme/plant", 1);
	struct view_edge onward = edge("acme/plant", "volt/grid");
	const struct view_part first = part_of(&good, 1, &onward, 1), second = part_of(&foreign, 1, NULL, 0);
	cr_assert(eq(int, plan_answer(plan, ask, &first, false), 0));
	cr_assert(eq(int, plan_answer(plan, ask, &second, true), ERR_MALFORMED));
	plan_lost(plan, ask, PLAN_NOBODY);
	must_not_ask();
	const struct view_part r = result();
	cr_expect(eq(dbl, total(&r), 1));
	cr_expect(eq(u64, r.counts.members, 2));
	cr_expect(eq(u64, r.counts.unreachable, 1));
	cr_expect(eq(sz, r.n_members, 2));
}

Test(plan_rules, answers_that_cannot_be_are_refused)
{
	struct view_question q = question;
	const char *shown = "name";

	q.depth = 1;
	q.show = &shown;
	q.n_show = 1;
	begin(&q, BUDGET);
	answer_one(must_ask(HERE).id, "harbor/city", 1, "acme/plant");
	const uint32_t ask = must_ask(ACME).id;
	struct view_member twice[] = {member("acme/plant", "", 1), member("acme/plant", "", 1)};
	struct view_member deep[] = {member("acme/plant", "", 1), member("acme/deep", "acme/plant", 1)};
	struct kpi kpi = {.property = "secret", .sample.value.type = VALUE_BOOL};
	struct view_member shows = member("acme/plant", "", 1);
	struct view_edge seen = seen_edge("acme/plant", "acme/y");
	struct view_cell cell = {.group = ""};
	struct rollup_state nothing = {0};
	struct view_member silent[] = {member("acme/plant", "", 1)};
	struct view_part parts[] = {
		part_of(silent, 1, NULL, 0), part_of(silent, 1, NULL, 0), part_of(twice, 2, NULL, 0),
		part_of(deep, 2, NULL, 0),   part_of(&shows, 1, NULL, 0), part_of(twice, 1, &seen, 1),
		part_of(twice, 1, NULL, 0),  part_of(twice, 1, NULL, 0),  part_of(twice, 1, NULL, 0),
	};
	shows.values = &kpi;
	shows.n_values = 1;
	silent[0].rollups = &nothing;
	parts[0].counts = (struct view_counts){.members = 1}; /* in no state */
	parts[1].members = twice;
	parts[1].members[0].rollups[0].n = 2; /* values of one */
	parts[6].cells = &cell;
	parts[6].n_cells = 1;
	parts[7].counts.members = 2; /* and one of them in no state */
	parts[8].counts = (struct view_counts){0};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		cr_expect(eq(int, plan_answer(plan, ask, &parts[i], true), ERR_MALFORMED), "part %zu", i);
	answer_one(ask, "acme/plant", 1, NULL);
}

Test(plan_rules, who_goes_down_what_was_seen_counts_nothing)
{
	const struct view_question q = of_border();
	const struct view_part counted = {.counts = {.members = 1, .live = 1}, .n_rollups = 1};

	begin(&q, BUDGET);
	struct view_member old = member("harbor/old", "", 1);
	const uint32_t ask = must_ask(HERE).id;
	cr_expect(eq(int, plan_answer(plan, ask, &counted, true), ERR_MALFORMED));
	cr_expect(eq(int, answer(ask, &old, 1, NULL, 0), ERR_MALFORMED));
	must_answer(ask, NULL, 0, NULL, 0);
}

Test(plan_rules, a_twin_met_again_below_itself_is_a_cycle)
{
	begin(&question, BUDGET);
	answer_one(must_ask(HERE).id, "harbor/city", 1, "acme/plant");
	struct view_member acme[] = {member("acme/plant", "", 2), member("acme/press", "acme/plant", 1)};
	struct view_edge down = edge("acme/press", "volt/grid");
	must_answer(must_ask(ACME).id, acme, 2, &down, 1);
	answer_one(must_ask(VOLT).id, "volt/grid", 1, "acme/press");
	struct view_edge met = seen_edge("volt/grid", "acme/press");
	must_answer(must_ask(ACME).id, NULL, 0, &met, 1);
	const struct view_part r = result();
	cr_expect(eq(dbl, total(&r), 4));
	expect_problem(&r, "acme/press contains itself by way of volt/grid");
}

/* ---- Budgets */

Test(plan_rules, an_owner_that_stops_at_its_budget_has_not_said_what_is_absent)
{
	const struct view_part nothing = {.cut = true, .n_rollups = 1};

	begin(&question, BUDGET);
	answer_one(must_ask(HERE).id, "harbor/city", 1, "acme/plant");
	cr_assert(eq(int, plan_answer(plan, must_ask(ACME).id, &nothing, true), 0));
	const struct view_part r = result();
	cr_expect(r.cut);
	cr_expect(eq(sz, r.n_members, 1));
}

Test(plan_rules, with_its_memory_used_up_nothing_more_is_asked)
{
	enum { N = 4000 };
	begin(&question, 512 << 10);
	struct view_edge *edges = arena_take_array(arena, N, sizeof *edges);
	struct view_member here = member("harbor/city", "", 1);

	for (size_t i = 0; i < N; i++)
		edges[i] = edge("harbor/city", arena_print(arena, "acme/p%zu", i));
	must_answer(must_ask(HERE).id, &here, 1, edges, N);
	must_not_ask();
	const struct view_part r = result();
	cr_expect(r.cut);
	cr_expect(eq(dbl, total(&r), 1));
	expect_problem(&r, "budget of memory");
}

Test(plan_rules, a_view_ends_at_its_budget_of_members_and_says_so)
{
	struct view_question q = question;

	q.members_max = 2;
	begin(&q, BUDGET);
	struct plan_ask ask = must_ask(HERE);
	cr_expect(eq(u64, ask.question.members_max, 2));
	answer_one(ask.id, "harbor/city", 1, "acme/plant");
	ask = must_ask(ACME);
	cr_expect(eq(u64, ask.question.members_max, 1));
	answer_one(ask.id, "acme/plant", 10, "volt/grid");
	must_not_ask();
	const struct view_part r = result();
	cr_expect(r.cut);
	cr_expect(eq(dbl, total(&r), 11), "what was gone through counts");
	expect_problem(&r, "budget of 2 members");
}

Test(plan_rules, more_roots_than_a_question_may_have_are_cut)
{
	enum { N = ROOTS_MAX + 10 };
	begin(&question, 256 << 20);
	struct view_edge *edges = arena_take_array(arena, N, sizeof *edges);
	struct view_member here = member("harbor/city", "", 1);

	for (size_t i = 0; i < N; i++)
		edges[i] = edge("harbor/city", arena_print(arena, "acme/p%zu", i));
	must_answer(must_ask(HERE).id, &here, 1, edges, N);
	struct plan_ask ask = must_ask(ACME);
	cr_expect(eq(sz, ask.question.n_roots, ROOTS_MAX));
	struct view_member *all = arena_take_array(arena, ROOTS_MAX, sizeof *all);
	for (size_t i = 0; i < ROOTS_MAX; i++)
		all[i] = member(ask.question.roots[i].id, "", 1);
	must_answer(ask.id, all, ROOTS_MAX, NULL, 0);
	must_not_ask();
	const struct view_part r = result();
	cr_expect(r.cut);
	cr_expect(eq(dbl, total(&r), ROOTS_MAX + 1));
	expect_problem(&r, "one by one");
}

Test(plan_rules, with_its_memory_used_up_the_list_ends_and_the_totals_do_not)
{
	enum { N = 2000 };
	begin(&question, 512 << 10);
	struct view_member *all = arena_take_array(arena, N, sizeof *all);

	all[0] = member("harbor/city", "", N);
	for (size_t i = 1; i < N; i++)
		all[i] = member(arena_print(arena, "harbor/p%zu", i), "harbor/city", 1);
	struct view_edge onward = edge("harbor/p1999", "acme/plant");
	must_answer(must_ask(HERE).id, all, N, &onward, 1);
	answer_one(must_ask(ACME).id, "acme/plant", 30, NULL);
	const struct view_part r = result();
	cr_expect(lt(sz, r.n_members, N));
	cr_expect(eq(dbl, total(&r), N + 30));
	cr_expect(eq(u64, r.counts.members, N + 1));
	expect_problem(&r, "budget of memory");
}

/* ---- Cells and series */

static struct view_question of_series(void)
{
	struct view_question q = question;

	q.from_ns = 1000;
	q.to_ns = 1030;
	q.step_ns = 10;
	q.by = GROUP_KIND;
	return q;
}

static struct view_cell cell(const char *group, int64_t t_ns, double value)
{
	const struct view_member m = member("acme/plant", "", value);

	return (struct view_cell){.group = group, .t_ns = t_ns, .members = 1, .rollups = m.rollups};
}

static int answer_cells(uint32_t ask, const char *id, struct view_cell *cells, size_t n, const char *child)
{
	struct view_member m = member(id, "", 1);
	struct view_edge e = edge(id, child);
	struct view_part part = part_of(&m, 1, &e, child ? 1 : 0);

	part.cells = cells;
	part.n_cells = n;
	return plan_answer(plan, ask, &part, true);
}

Test(plan_rules, cells_of_all_owners_are_merged_by_time_and_group)
{
	const struct view_question q = of_series();

	begin(&q, BUDGET);
	struct view_cell here[] = {cell("b", 1000, 1), cell("a", 1010, 2)},
			 acme[] = {cell("a", 1000, 10), cell("b", 1000, 20), cell("a", 1010, 40)};
	cr_assert(eq(int, answer_cells(must_ask(HERE).id, "harbor/city", here, 2, "acme/plant"), 0));
	cr_assert(eq(int, answer_cells(must_ask(ACME).id, "acme/plant", acme, 3, NULL), 0));
	const struct view_part r = result();
	static const struct {
		const char *group;
		int64_t t_ns;
		double sum;
		uint64_t members;
	} want[] = {{"a", 1000, 10, 1}, {"b", 1000, 21, 2}, {"a", 1010, 42, 2}};
	cr_assert(eq(sz, r.n_cells, 3));
	for (size_t i = 0; i < 3; i++) {
		double sum = -1;
		rollup_value(&r.cells[i].rollups[0], &specs[0], &sum);
		cr_expect(strcmp(r.cells[i].group, want[i].group) == 0, "cell %zu", i);
		cr_expect(eq(i64, r.cells[i].t_ns, want[i].t_ns));
		cr_expect(eq(dbl, sum, want[i].sum), "cell %zu", i);
		cr_expect(eq(u64, r.cells[i].members, want[i].members));
	}
}

/* Cells whose sketches are full, from a key on. */
static struct view_cell *full_cells(size_t n, int32_t key)
{
	struct view_cell *cells = arena_take_array(arena, n, sizeof *cells);

	for (size_t i = 0; i < n; i++) {
		struct sketch *s;
		cells[i] = cell(arena_print(arena, "g%03zu", i), 1000, 1);
		s = &cells[i].rollups[0].sketch;
		s->n_buckets = s->room = SKETCH_BUCKETS_MAX;
		s->buckets = arena_take_array(arena, s->room, sizeof *s->buckets);
		for (size_t k = 0; k < s->room; k++)
			s->buckets[k] = (struct sketch_bucket){key + (int32_t)k, 1};
	}
	return cells;
}

Test(plan_rules, an_answer_that_does_not_fit_into_memory_ends_the_view)
{
	enum { N = 40 };
	const struct view_question q = of_series();
	struct plan_ask ask;
	struct view_part r;

	begin(&q, BUDGET);
	cr_assert(eq(int, answer_cells(must_ask(HERE).id, "harbor/city", full_cells(N, 1), N, "acme/plant"),
		     0));
	ask = must_ask(ACME);
	cr_assert(eq(int, answer_cells(ask.id, "acme/plant", full_cells(N, 5000), N, NULL), -ENOMEM));
	plan_lost(plan, ask.id, PLAN_CACHE);
	cr_expect(eq(int, plan_next(plan, owner, NULL, &ask), -ENOMEM), "it would wait for nobody");
	cr_expect(eq(int, plan_result(plan, &r), -ENOMEM));
}

Test(plan_rules, cells_nobody_asked_for_are_refused)
{
	struct view_question q = of_series();

	begin(&q, BUDGET);
	struct view_cell falling[] = {cell("b", 1000, 1), cell("a", 1000, 1)},
			 twice[] = {cell("a", 1000, 1), cell("a", 1000, 1)}, late = cell("a", 1040, 1),
			 between = cell("a", 1005, 1), crowd = cell("a", 1000, 1);
	crowd.members = 0; /* and a value of somebody */
	const uint32_t ask = must_ask(HERE).id;
	cr_expect(eq(int, answer_cells(ask, "harbor/city", falling, 2, NULL), ERR_MALFORMED));
	cr_expect(eq(int, answer_cells(ask, "harbor/city", twice, 2, NULL), ERR_MALFORMED));
	cr_expect(eq(int, answer_cells(ask, "harbor/city", &late, 1, NULL), ERR_MALFORMED));
	cr_expect(eq(int, answer_cells(ask, "harbor/city", &between, 1, NULL), ERR_MALFORMED));
	cr_expect(eq(int, answer_cells(ask, "harbor/city", &crowd, 1, NULL), ERR_MALFORMED));
	tear_down();
	q.by = GROUP_NONE;
	begin(&q, BUDGET);
	cr_expect(
		eq(int, answer_cells(must_ask(HERE).id, "harbor/city", &falling[0], 1, NULL), ERR_MALFORMED));
}

Test(plan_rules, of_a_series_a_twin_is_asked_for_at_each_time_once)
{
	const struct view_question q = of_series();

	begin(&q, BUDGET);
	struct view_member here[] = {member("harbor/city", "", 1), member("harbor/x", "harbor/city", 0)};
	struct view_edge edges[] = {edge("harbor/city", "harbor/2"), edge("harbor/city", "harbor/2"),
				    edge("harbor/x", "harbor/2"), edge("harbor/x", "harbor/2/b")};
	static const int64_t times[][2] = {{990, 1010}, {1030, 1040}, {1005, 1012}, {1002, 1008}};
	for (size_t i = 0; i < 4; i++) {
		edges[i].from_ns = times[i][0];
		edges[i].to_ns = times[i][1];
	}
	must_answer(must_ask(HERE).id, here, 2, edges, 4);
	const struct plan_ask ask = must_ask(NODE_2);
	cr_assert(eq(sz, ask.question.n_roots, 3),
		  "1010 is known by then, and between two times nobody asks");
	expect_root(&ask, 0, "harbor/city", true);
	cr_expect(eq(i64, ask.question.roots[1].from_ns, 990));
	cr_expect(eq(i64, ask.question.roots[2].from_ns, 1030));
	answer_one(ask.id, "harbor/2", 1, NULL);
	must_not_ask();
	cr_expect(plan_done(plan));
}

Test(plan_rules, of_a_series_one_answer_does_not_say_which_parent_is_confirmed)
{
	const struct view_question q = of_series();

	begin(&q, BUDGET);
	struct view_member here[] = {member("harbor/city", "", 1), member("harbor/x", "harbor/city", 0)};
	struct view_edge edges[] = {edge("harbor/city", "acme/plant"), edge("harbor/x", "acme/plant"),
				    edge("harbor/city", "volt/grid")};
	edges[0].from_ns = 1000, edges[0].to_ns = 1010;
	edges[1].from_ns = 1010, edges[1].to_ns = 1030;
	must_answer(must_ask(HERE).id, here, 2, edges, 3);
	struct plan_ask ask = must_ask(ACME);
	cr_expect(eq(sz, ask.question.n_roots, 2));
	answer_one(ask.id, "acme/plant", 1, NULL);
	struct view_member volt = member("volt/grid", "", 1);
	struct view_edge again = edge("volt/grid", "acme/plant");
	again.from_ns = 1020, again.to_ns = 1030; /* as harbor/x said, who may have said it in vain */
	must_answer(must_ask(VOLT).id, &volt, 1, &again, 1);
	ask = must_ask(ACME);
	cr_assert(eq(sz, ask.question.n_roots, 3));
	cr_expect(strcmp(ask.question.roots[2].parent, "volt/grid") == 0);
	must_answer(ask.id, NULL, 0, NULL, 0);
}

/* ---- Depth */

Test(plan_rules, a_hierarchy_that_crosses_owners_a_thousand_times_adds_up)
{
	enum { N = 1000 };
	begin(&question, 256 << 20);
	answer_one(must_ask(HERE).id, "harbor/city", 1, "acme/p0");
	for (int i = 0; i < N; i++) {
		const char *id = arena_print(arena, "%s/p%d", i % 2 ? "volt" : "acme", i);
		const char *next = arena_print(arena, "%s/p%d", i % 2 ? "acme" : "volt", i + 1);
		answer_one(must_ask(i % 2 ? VOLT : ACME).id, id, 1, i + 1 < N ? next : NULL);
	}
	const struct view_part r = result();
	cr_expect(eq(dbl, total(&r), N + 1));
	cr_expect(eq(sz, r.n_members, N + 1));
	cr_expect(view_is_clean(&r));
}
