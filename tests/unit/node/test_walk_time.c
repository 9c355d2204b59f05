/* SPDX-License-Identifier: Apache-2.0 */
/* A series says of each of its times what a view as of that time says. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/walk_part.h"
#include "tests/unit/node/world.h"

enum { N_TWINS = 16, N_ROOTS = 3, N_ROLLUPS = 6 };

static struct arena *a;
static struct rollup_spec rollups[N_ROLLUPS] = {
	{.fn = ROLLUP_COUNT, .property = ""},        {.fn = ROLLUP_SUM, .property = "power"},
	{.fn = ROLLUP_LATEST, .property = "power"},  {.fn = ROLLUP_MAX, .property = "force"},
	{.fn = ROLLUP_WORST_HEALTH, .property = ""}, {.fn = ROLLUP_STDDEV, .property = "power"},
};
static struct view_root roots[N_ROOTS];
static struct view_question question;
static uint64_t state;

static void set_up(void)
{
	world_set_up();
	must(arena_new(&a, 256 << 20) == 0);
	state = 1;
	roots[0] = (struct view_root){.id = "acme/plant", .parent = ""};
	question = (struct view_question){.roots = roots,
					  .n_roots = 1,
					  .hierarchy = "contains",
					  .rollups = rollups,
					  .n_rollups = N_ROLLUPS,
					  .where = "",
					  .by_property = "",
					  .from_ns = 0,
					  .step_ns = 10,
					  .to_ns = 100};
	world_type("press", "power", "force", "kW");
	world_type("tank", "power", "level", "kW");
	world_twin("acme/plant", "", NULL);
}

static void tear_down(void)
{
	arena_free(a);
	a = NULL;
	world_tear_down();
}

TestSuite(walk_time, .init = set_up, .fini = tear_down, .timeout = 300);

static struct view_part walked(const char *org, const struct view_question *q)
{
	const struct audience to = audience_of(org);
	struct view_part part;

	cr_assert(walk_part(&world, &to, q, WALK_LIVE, a, &part) == 0);
	return part;
}

static struct view_part as_of(const char *org, int64_t t_ns)
{
	static struct view_root then[N_ROOTS];
	struct view_question q = question;

	q.roots = then;
	q.n_roots = 0;
	for (size_t i = 0; i < question.n_roots; i++) {
		const struct view_root *r = &roots[i];
		if ((r->from_ns == 0 && r->to_ns == 0) || (t_ns >= r->from_ns && t_ns <= r->to_ns))
			then[q.n_roots++] = *r;
	}
	q.from_ns = q.to_ns = q.step_ns = 0;
	q.has_as_of = true;
	q.as_of_ns = t_ns;
	return walked(org, &q);
}

static const struct view_cell *cell_at(const struct view_part *p, const char *group, int64_t t_ns)
{
	for (size_t i = 0; i < p->n_cells; i++)
		if (p->cells[i].t_ns == t_ns && strcmp(p->cells[i].group, group) == 0)
			return &p->cells[i];
	return NULL;
}

static void add(const struct op *op)
{
	world_put(op, 1);
}

static void relate(const char *from, const char *to, int64_t since_ns, int64_t until_ns)
{
	add(&(struct op){.kind = OP_RELATION, .relation = {"contains", from, to, since_ns, until_ns}});
}

static void confirm(const char *parent, const char *child, int64_t since_ns)
{
	add(&(struct op){.kind = OP_MEMBERSHIP,
			 .membership = {"contains", parent, child, CONFIRM_CONFIRMED, since_ns}});
}

/* ---- By hand ----------------------------------------------------------------------------------------------
 */

Test(walk_time, members_and_values_are_those_of_each_time)
{
	world_twin("acme/plant/p1", "press", NULL);
	world_twin("acme/plant/p2", "press", NULL);
	relate("acme/plant", "acme/plant/p1", TIME_MIN, 50);
	relate("acme/plant", "acme/plant/p2", 30, TIME_MAX);
	world_value("acme/plant/p1", "power", 5, 1);
	world_value("acme/plant/p1", "power", 40, 2);
	world_value("acme/plant/p2", "power", 60, 8);
	const struct view_part part = walked("", &question);
	static const double sums[] = {0, 1, 1, 1, 2, 2, 8, 8, 8, 8, 8};
	static const uint64_t members[] = {2, 2, 2, 3, 3, 3, 2, 2, 2, 2, 2};

	cr_assert_eq(part.n_cells, 11);
	for (size_t i = 0; i < 11; i++) {
		double sum;
		cr_assert(rollup_value(&part.cells[i].rollups[1], &rollups[1], &sum));
		cr_expect_eq(part.cells[i].t_ns, (int64_t)i * 10);
		cr_expect_eq(part.cells[i].members, members[i]);
		cr_expect_eq(sum, sums[i], "at %zu", i);
		cr_expect_str_eq(part.cells[i].group, "");
	}
	cr_expect_eq(part.counts.members, 3);
	cr_expect_eq(part.counts.live, 3);
	cr_expect_eq(part.n_members, 1, "the root, to hang edges on");
	cr_expect(view_is_clean(&part));
}

Test(walk_time, a_member_confirmed_later_is_unconfirmed_before)
{
	world_twin("acme/plant/p1", "press", NULL);
	relate("acme/plant", "acme/plant/p1", TIME_MIN, TIME_MAX);
	confirm("harbor/city", "acme/plant", 45);
	roots[0].parent = "harbor/city";
	const struct view_part part = walked("", &question);
	cr_expect_eq(part.n_cells, 6);
	cr_expect_eq(part.cells[0].t_ns, 50);
	cr_expect_eq(part.counts.members, 2);
	cr_expect_eq(part.counts.unconfirmed, 1);
	cr_expect_eq(part.counts.live, 1);
	cr_expect_not(view_is_clean(&part));
	const struct view_part before = as_of("", 44), after = as_of("", 45);
	cr_expect_eq(before.counts.unconfirmed, 1);
	cr_expect_eq(before.counts.members, 1);
	cr_expect(after.counts.unconfirmed == 0 && after.counts.members == 2);
	question.unconfirmed = true;
	const struct view_part all = walked("", &question);
	cr_expect(all.n_cells == 11 && all.counts.unconfirmed == 0);
}

Test(walk_time, members_of_others_come_with_the_times_at_which_they_are)
{
	world_twin("acme/plant/p1", "press", NULL);
	relate("acme/plant", "acme/plant/p1", 20, 70);
	relate("acme/plant/p1", "volt/feeder", 35, TIME_MAX);
	relate("acme/plant", "volt/meter", TIME_MIN, TIME_MAX);
	roots[1] = (struct view_root){
		.id = "acme/plant", .parent = "", .seen = true, .from_ns = 50, .to_ns = 60};
	question.n_roots = 2;
	const struct view_part part = walked("", &question);
	size_t n_feeder = 0;

	for (size_t i = 0; i < part.n_edges; i++) {
		const struct view_edge *e = &part.edges[i];
		if (strcmp(e->child, "volt/feeder") != 0)
			continue;
		n_feeder++;
		cr_expect_str_eq(e->parent, "acme/plant/p1");
		cr_expect_str_eq(e->anchor, e->seen ? "" : "acme/plant");
		if (e->seen)
			cr_expect(e->from_ns == 50 && e->to_ns == 60);
		else
			cr_expect((e->from_ns == 40 && e->to_ns == 40) ||
				  (e->from_ns == 70 && e->to_ns == 70));
	}
	cr_expect_eq(n_feeder, 3);
	cr_expect_eq(part.n_edges, 6);
	cr_expect_null(cell_at(&part, "", 50), "what was seen counts no more");
	cr_expect_eq(cell_at(&part, "", 70)->members, 2);
}

/* It is 1000 s. */
Test(walk_time, a_share_with_a_window_and_a_step_shows_no_more_in_a_series)
{
	world_twin("acme/plant/p1", "press", NULL);
	relate("acme/plant", "acme/plant/p1", TIME_MIN, TIME_MAX);
	for (int64_t i = 1; i <= 4; i++)
		world_value("acme/plant/p1", "power", (600 + 50 * i) * NS_PER_S, (double)i);
	world_policy(
		"share \"p\"\n to org volt\n twins **\n allow discover, summary\n"
		" allow history power last 5min step 1min\n until 2100-01-01\n");
	question.from_ns = 660 * NS_PER_S;
	question.step_ns = 30 * NS_PER_S;
	question.to_ns = 840 * NS_PER_S;
	const struct view_part part = walked("volt", &question);
	/* 650: 1, 700: 2, 750: 3, 800: 4; as of 720, 750 that of 720, as of 780, 810 that of 780, then that
	 * of 840 */
	static const double sums[] = {0, 0, 2, 2, 3, 3, 4};
	cr_assert_eq(part.n_cells, 7);
	for (size_t i = 0; i < 7; i++) {
		double sum;
		cr_assert(rollup_value(&part.cells[i].rollups[1], &rollups[1], &sum));
		cr_expect_eq(sum, sums[i], "at %zu: %g", i, sum);
	}
	cr_expect_gt(part.counts.withheld, 0);
	question.from_ns = 720 * NS_PER_S;
	question.n_rollups = 3;
	const struct view_part inside = walked("volt", &question);
	cr_expect_eq(inside.counts.withheld, 0);
}

/* It is 1000 s. What was measured at 980 s is not to be told before 1020 s. */
Test(walk_time, a_share_with_a_step_tells_nothing_newer_as_of_a_time_to_come)
{
	static const int64_t to_come[] = {1000 * NS_PER_S, 1020 * NS_PER_S, 5000 * NS_PER_S, TIME_MAX};
	double sum = NAN;

	world_twin("acme/plant/p1", "press", NULL);
	relate("acme/plant", "acme/plant/p1", TIME_MIN, TIME_MAX);
	world_value("acme/plant/p1", "power", 800 * NS_PER_S, 4);
	world_value("acme/plant/p1", "power", 980 * NS_PER_S, 5);
	world_policy(
		"share \"p\"\n to org volt\n twins **\n allow discover\n"
		" allow history power last 5min step 1min\n until 2100-01-01\n");
	question.from_ns = question.to_ns = question.step_ns = 0;
	question.has_as_of = true;
	for (size_t i = 0; i < sizeof to_come / sizeof to_come[0]; i++) {
		question.as_of_ns = to_come[i];
		const struct view_part part = walked("volt", &question);
		cr_assert(rollup_value(&part.members[0].rollups[1], &rollups[1], &sum));
		cr_expect_eq(sum, 4, "as of %zu: %g", i, sum);
	}
	question.as_of_ns = TIME_MIN;
	const struct view_part before = walked("volt", &question);
	cr_assert(rollup_value(&before.members[0].rollups[1], &rollups[1], &sum));
	cr_expect_eq(sum, 0, "before all times: %g", sum);
	cr_expect_gt(before.counts.withheld, 0);
}

/* Nine runs, and one of them all. */
static void merge_all(int64_t step_ns)
{
	for (int64_t i = -8; i <= 0; i++) {
		struct checkpoint *c = NULL;
		world_value("acme/plant/m", "level", i * step_ns, (double)i);
		must(checkpoint_begin(world.store, &c) == 0);
		while (checkpoint_take(c) == 0)
			;
		must(checkpoint_write(c) == 0);
		checkpoint_end(world.store, c, true);
	}
	must(store_merge_begin(world.store) == 0);
	while (store_merge_step(world.store) == 0)
		;
	store_merge_end(world.store, true);
}

Test(walk_time, what_is_not_kept_as_it_came_is_said_to_be_coarse_or_expired)
{
	enum { HOUR_S = 3600 };
	struct property_def level = {
		.name = "level", .type = VALUE_DOUBLE, .unit = "m", .min = NAN, .max = NAN, .kpi = true};
	const struct op type = {
		.kind = OP_TYPE,
		.type = {.name = "gauge",
			 .version = 1,
			 .properties = &level,
			 .n_properties = 1,
			 .retention = {.raw_ns = HOUR_S * NS_PER_S, .minute_ns = HOUR_S * NS_PER_S}}};
	struct rollup_spec sum = {.fn = ROLLUP_SUM, .property = "level"};

	add(&type);
	world_twin("acme/plant/m", "gauge", NULL);
	relate("acme/plant", "acme/plant/m", TIME_MIN, TIME_MAX);
	merge_all(HOUR_S / 2 * NS_PER_S);
	question.rollups = &sum;
	question.n_rollups = 1;
	question.from_ns = -4 * HOUR_S * NS_PER_S;
	question.step_ns = HOUR_S * NS_PER_S;
	question.to_ns = 0;
	const struct view_part part = walked("", &question);
	cr_assert_eq(part.n_cells, 5);
	static const uint64_t n[] = {0, 0, 1, 1, 1};
	static const double values[] = {0, 0, -4, -2, 0};
	for (size_t i = 0; i < 5; i++) {
		cr_expect_eq(part.cells[i].rollups[0].n, n[i], "at %zu", i);
		cr_expect_eq(part.cells[i].rollups[0].sum, values[i]);
	}
	cr_expect(part.counts.coarse == 1 && part.counts.expired == 1, "each member once");
	cr_expect_eq(part.counts.members, 2);
	const struct view_part old = as_of("", question.from_ns), later = as_of("", -2 * HOUR_S * NS_PER_S),
			       now = as_of("", 0);
	cr_expect(old.counts.expired == 1 && old.counts.coarse == 0);
	cr_expect(later.counts.expired == 0 && later.counts.coarse == 1);
	cr_expect(view_is_clean(&now));
}

Test(walk_time, a_cycle_is_told_with_its_time)
{
	world_twin("acme/plant/p1", "press", NULL);
	relate("acme/plant", "acme/plant/p1", TIME_MIN, TIME_MAX);
	relate("acme/plant/p1", "acme/plant", 61, 75);
	const struct view_part part = walked("", &question);
	cr_assert_eq(part.n_problems, 1);
	cr_expect(strstr(part.problems[0], "1970-01-01T00:00:00.000000070Z"), "%s", part.problems[0]);
	cr_expect_eq(cell_at(&part, "", 70)->members, 2);
}

Test(walk_time, the_budget_cuts_and_says_so)
{
	world_twin("acme/plant/p1", "press", NULL);
	world_twin("acme/plant/p2", "press", NULL);
	relate("acme/plant", "acme/plant/p1", TIME_MIN, TIME_MAX);
	relate("acme/plant/p1", "acme/plant/p2", TIME_MIN, TIME_MAX);
	question.members_max = 2;
	const struct view_part part = walked("", &question);
	cr_expect(part.cut && part.n_problems == 1);
	cr_expect_eq(part.counts.members, 2);
}

Test(walk_time, what_it_remembers_counts_for_the_budget)
{
	const struct audience to = audience_of("");
	SCOPED(scope_walk) struct walk *w = NULL;
	struct view_part part;

	for (int i = 0; i < 200; i++) {
		char id[32];
		snprintf(id, sizeof id, "acme/plant/p%d", i);
		world_twin(id, "press", NULL);
		relate("acme/plant", id, TIME_MIN, TIME_MAX);
	}
	question.to_ns = question.step_ns * (VIEW_TIMES_MAX - 1);
	cr_assert(walk_new(&w, &world, &to, &question, WALK_LIVE, a, 40 << 10) == 0);
	cr_assert(walk_step(w, INT64_MAX, &part) == 1);
	cr_expect(part.cut && part.n_problems == 1);
	cr_expect_lt(part.counts.members, 201);
}

Test(walk_time, a_walk_in_slices_says_the_same)
{
	const struct audience to = audience_of("");
	SCOPED(scope_walk) struct walk *w = NULL;
	struct view_part part;
	size_t n_slices = 1;
	int r;

	for (int i = 0; i < 100; i++) {
		char id[32];
		snprintf(id, sizeof id, "acme/plant/p%d", i);
		world_twin(id, "press", NULL);
		relate("acme/plant", id, i, TIME_MAX);
	}
	cr_assert(walk_new(&w, &world, &to, &question, WALK_LIVE, a, WALK_BYTES_MAX) == 0);
	for (; (r = walk_step(w, 0, &part)) == 0; n_slices++)
		if (n_slices == 50)
			world_twin("acme/plant/late", "press", NULL); /* it begins again */
	cr_assert_eq(r, 1);
	cr_expect_gt(n_slices, 200);
	cr_expect_lt(n_slices, 400);
	cr_expect_eq(cell_at(&part, "", 0)->members, 2);
	cr_expect_eq(cell_at(&part, "", 100)->members, 101);
	cr_expect_eq(part.counts.members, 101);
}

Test(walk_time, a_member_of_many_times_is_looked_at_in_pieces)
{
	const struct audience to = audience_of("");
	SCOPED(scope_walk) struct walk *w = NULL;
	struct view_part part;
	size_t n_slices = 1;
	double sum;

	world_twin("acme/plant/p1", "press", NULL);
	relate("acme/plant", "acme/plant/p1", TIME_MIN, TIME_MAX);
	for (int64_t i = 0; i < 100; i++)
		world_value("acme/plant/p1", "power", i * 100, (double)i);
	question.where = "known(power)";
	question.to_ns = question.step_ns * 999;
	cr_assert(walk_new(&w, &world, &to, &question, WALK_LIVE, a, WALK_BYTES_MAX) == 0);
	for (; walk_step(w, 0, &part) == 0; n_slices++)
		;
	cr_expect_gt(n_slices, 2 * 1000 / 64);
	cr_assert_eq(part.n_cells, 1000);
	for (size_t i = 0; i < 1000; i++) {
		cr_assert(rollup_value(&part.cells[i].rollups[1], &rollups[1], &sum));
		cr_assert_eq(sum, (double)(i / 10), "at %zu", i);
	}
	cr_expect(part.counts.members == 2 && part.counts.live == 2 && part.counts.filtered == 1);
}

Test(walk_time, too_many_groups_are_cut)
{
	static char tags[40][16];

	for (int i = 0; i < 20; i++) {
		char id[32];
		snprintf(id, sizeof id, "acme/plant/p%d", i);
		snprintf(tags[i], sizeof tags[i], "tag-%d", i);
		world_twin(id, "press", tags[i]);
		relate("acme/plant", id, TIME_MIN, TIME_MAX);
	}
	question.by = GROUP_TAG;
	question.to_ns = question.step_ns * (VIEW_TIMES_MAX - 1);
	const struct view_part part = walked("", &question);
	cr_expect(part.cut && part.n_problems == 1);
	cr_expect_eq(part.n_cells, VIEW_CELLS_MAX);
}

Test(walk_time, a_summary_knows_no_series)
{
	const struct audience to = audience_of("");
	struct view_part part;

	cr_assert(walk_part(&world, &to, &question, WALK_CACHED, a, &part) == 0);
	cr_expect_eq(part.n_cells, 0);
}

/* ---- At random --------------------------------------------------------------------------------------------
 */

static uint32_t random_below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((state >> 33) % n);
}

static const char *twin_of(uint32_t i)
{
	static char ids[N_TWINS][32];

	snprintf(ids[i], sizeof ids[i], "acme/plant/t%u", i);
	return ids[i];
}

static int64_t begin_ns;

static int64_t some_time(void)
{
	return begin_ns + (int64_t)random_below(1200) * NS_PER_S;
}

static void make_twin(uint32_t i)
{
	static const char *const types[] = {"press", "tank", ""};
	static const char *const tags[] = {"hot", "cold", NULL};
	struct life_step life[] = {{LIFE_BUILD, TIME_MIN}, {LIFE_OPERATING, some_time()}};
	const char *type = types[random_below(3)], *tag = tags[random_below(3)];
	const char *list[] = {tag};

	add(&(struct op){.kind = OP_TWIN,
			 .twin = {.id = twin_of(i),
				  .type = type,
				  .name = "",
				  .tags = list,
				  .n_tags = tag != NULL,
				  .life = life,
				  .n_life = 2}});
	for (uint32_t n = type[0] ? random_below(8) : 0; n > 0; n--)
		world_value(twin_of(i),
			    random_below(3)  ? "power"
			    : type[0] == 'p' ? "force"
					     : "level",
			    some_time(), (double)random_below(100));
}

static void make_world(bool rounds)
{
	for (uint32_t i = 0; i < N_TWINS; i++)
		make_twin(i);
	for (uint32_t i = 0; i < 3 * N_TWINS; i++) {
		const uint32_t from = random_below(N_TWINS - 1);
		const uint32_t to =
			rounds ? random_below(N_TWINS) : from + 1 + random_below(N_TWINS - 1 - from);
		const int64_t t = some_time();
		if (from != to)
			relate(twin_of(from), twin_of(to), random_below(2) ? TIME_MIN : t,
			       random_below(2) ? TIME_MAX : t + (int64_t)random_below(600) * NS_PER_S);
	}
	relate(twin_of(1), "volt/feeder", some_time(), TIME_MAX);
	relate(twin_of(5), "harbor/crane", TIME_MIN, some_time());
	confirm("harbor/city", twin_of(2), some_time());
}

static void make_question(void)
{
	static const char *const wheres[] = {
		"",
		"type = press",
		"power > 40 kW",
		"power > 40 kW or life = build",
		"not (tag = hot)",
		"health = good and known(force)",
		"age(power) < 5 min",
	};

	question.n_roots = 1 + random_below(N_ROOTS);
	for (size_t i = 0; i < question.n_roots; i++) {
		const int64_t t = some_time();
		roots[i] = (struct view_root){.id = twin_of((uint32_t)i + random_below(3) * 2), .parent = ""};
		roots[i].seen = i > 0 && random_below(2);
		if (random_below(2)) {
			roots[i].from_ns = t;
			roots[i].to_ns = t + (int64_t)random_below(900) * NS_PER_S;
		}
	}
	/* beside others it could be a member by a way that needs no word, which the series says at once */
	if (question.n_roots == 1 && strcmp(roots[0].id, twin_of(2)) == 0)
		roots[0].parent = "harbor/city";
	question.where = wheres[random_below(sizeof wheres / sizeof *wheres)];
	question.by = (enum view_by)random_below(N_VIEW_GROUPS);
	question.by_property = question.by == GROUP_PROPERTY ? "power" : "";
	question.from_ns = begin_ns + (int64_t)random_below(300) * NS_PER_S;
	question.step_ns = (int64_t)(1 + random_below(100)) * NS_PER_S;
	question.to_ns = question.from_ns + (int64_t)random_below(900) * NS_PER_S;
}

static void same_state(const struct rollup_state *x, const struct rollup_state *y)
{
	cr_assert_eq(x->n, y->n);
	cr_assert_float_eq(x->sum + x->carry, y->sum + y->carry, 1e-6);
	cr_assert_float_eq(x->m2, y->m2, 1e-6 * (1 + y->m2));
	cr_assert_eq(x->t_ns, y->t_ns);
	if (x->n > 0)
		cr_assert(x->min == y->min && x->max == y->max);
}

static void same_edges(const struct view_part *series, const struct view_part *then, int64_t t_ns)
{
	size_t n = 0;

	for (size_t i = 0; i < series->n_edges; i++) {
		const struct view_edge *e = &series->edges[i];
		bool found = false;
		if (t_ns < e->from_ns || t_ns > e->to_ns)
			continue;
		n++;
		for (size_t k = 0; k < then->n_edges; k++) {
			const struct view_edge *o = &then->edges[k];
			found = found || (strcmp(o->child, e->child) == 0 &&
					  strcmp(o->parent, e->parent) == 0 && o->seen == e->seen);
		}
		cr_assert(found, "%s below %s", e->child, e->parent);
	}
	cr_assert_eq(n, then->n_edges);
}

static void check_time(const char *org, const struct view_part *series, int64_t t_ns, struct view_counts *sum,
		       size_t *n_problems)
{
	const struct view_part then = as_of(org, t_ns);
	size_t n = 0;

	for (size_t i = 0; i < series->n_cells; i++)
		n += series->cells[i].t_ns == t_ns;
	if (question.by != GROUP_NONE)
		cr_assert_eq(n, then.n_cells);
	for (size_t i = 0; i < then.n_cells; i++) {
		const struct view_cell *c = cell_at(series, then.cells[i].group, t_ns);
		cr_assert_not_null(c);
		cr_assert_eq(c->members, then.cells[i].members);
		for (size_t k = 0; k < N_ROLLUPS; k++)
			same_state(&c->rollups[k], &then.cells[i].rollups[k]);
	}
	const struct view_cell *all = cell_at(series, "", t_ns);
	const uint64_t selected = then.counts.live - then.counts.filtered;
	if (question.by == GROUP_NONE)
		cr_assert_eq(all ? all->members : 0, selected);
	same_edges(series, &then, t_ns);
	sum->withheld += then.counts.withheld;
	sum->unconfirmed += then.counts.unconfirmed;
	sum->live += then.counts.live;
	*n_problems += then.n_problems;
}

static void play(uint64_t seed, const char *org)
{
	struct view_counts sum = {0};
	size_t n_problems = 0;
	bool any_seen = false;

	state = seed;
	make_question();
	printf("seed %lu as %s: by %s where '%s'\n", (unsigned long)seed, org, view_by_text(question.by),
	       question.where);
	fflush(stdout);
	const struct view_part series = walked(org, &question);
	for (size_t i = 0; i < view_times(&question); i++)
		check_time(org, &series, question.from_ns + (int64_t)i * question.step_ns, &sum, &n_problems);
	for (size_t i = 0; i < question.n_roots; i++)
		any_seen = any_seen || roots[i].seen;
	cr_assert(series.counts.withheld > 0 || sum.withheld == 0);
	cr_assert_eq(series.counts.unconfirmed > 0, sum.unconfirmed > 0);
	cr_assert(series.counts.live > 0 || sum.live == 0 || series.counts.unconfirmed > 0);
	if (!any_seen) /* a round through two roots is told by the series only */
		cr_assert(series.n_problems > 0 ? question.n_roots > 1 || n_problems > 0 : n_problems == 0);
	for (size_t i = 1; i < series.n_cells; i++)
		cr_assert(series.cells[i - 1].t_ns < series.cells[i].t_ns ||
			  (series.cells[i - 1].t_ns == series.cells[i].t_ns &&
			   strcmp(series.cells[i - 1].group, series.cells[i].group) < 0));
}

static void play_all(bool rounds)
{
	begin_ns = trust_now(world.trust) - 1300 * NS_PER_S;
	state = 7 + rounds;
	make_world(rounds);
	world_policy(
		"share \"some\"\n to org volt\n twins plant/t0, plant/t1, plant/t2, plant/t3, plant/t5, "
		"plant/t7, plant/t9\n allow discover, summary\n allow read power\n"
		" allow history power last 15min step 1min\n until 2100-01-01\n"
		"share \"hot\"\n to org volt\n twins tag hot\n allow discover\n allow read force\n"
		" allow history force\n until 2100-01-01\n");
	for (uint64_t seed = 1; seed <= 120; seed++) {
		play(seed, "");
		play(seed, "volt");
		arena_reset(a);
	}
}

Test(walk_time, what_holds_as_of_each_time_holds_in_the_series)
{
	play_all(false);
}

Test(walk_time, and_where_a_hierarchy_goes_round)
{
	play_all(true);
}
