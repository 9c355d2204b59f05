/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>

#include "node/watch_diff.h"

static struct watch_shown shown;
static struct arena *arena;
static struct rollup_spec sum = {.fn = ROLLUP_SUM, .property = "load/power"};
static struct view_question question = {.rollups = &sum, .n_rollups = 1};

static void set_up(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 20), 0));
}

static void tear_down(void)
{
	watch_shown_fini(&shown);
	arena_free(arena);
}

TestSuite(watch_diff, .init = set_up, .fini = tear_down, .timeout = 60);

static struct view_member member(const char *id, double power)
{
	struct rollup_state *s = arena_take(arena, sizeof *s);

	*s = (struct rollup_state){.n = 1, .sum = power, .unit = "MW", .min_sigma = -1, .max_sigma = -1};
	return (struct view_member){
		.id = id, .parent = "", .type = "press", .name = "", .state = MEMBER_LIVE, .rollups = s};
}

/* What is told of a view after those before it; false: nothing. */
static bool tell(struct view_member *members, size_t n, struct view_part *ret)
{
	const struct view_part view = {
		.members = members, .n_members = n, .n_rollups = 1, .counts = {.members = 7}};
	bool differs;

	cr_assert(eq(int, watch_differ(&shown, &question, &view, arena, ret, &differs), 0));
	return differs;
}

Test(watch_diff, the_first_time_all_is_told_and_then_nothing)
{
	struct view_member m[] = {member("acme/a", 1), member("acme/b", 2)};
	struct view_part told;

	cr_assert(tell(m, 2, &told));
	cr_expect(eq(sz, told.n_members, 2));
	cr_assert(not(tell(m, 2, &told)));
	cr_expect(eq(sz, told.n_members, 0));
}

Test(watch_diff, one_that_differs_is_told_alone)
{
	struct view_member m[] = {member("acme/a", 1), member("acme/b", 2)};
	struct view_part told;

	cr_assert(tell(m, 2, &told));
	m[1] = member("acme/b", 3);
	cr_assert(tell(m, 2, &told));
	cr_assert(eq(sz, told.n_members, 1));
	cr_expect(eq(int, strcmp(told.members[0].id, "acme/b"), 0));
	cr_expect(eq(sz, told.n_gone, 0));
	cr_expect(not(tell(m, 2, &told)));
}

/* Each field of a member by itself is a difference. */
Test(watch_diff, whatever_differs_of_a_member_is_told)
{
	struct kpi value = {.property = "meta/note", .unit = "", .sample = {.sigma = NAN}};
	struct view_part told;

	for (int field = 0; field < 7; field++) {
		struct view_member m = member("acme/a", 1);
		(void)tell(&m, 1, &told);
		switch (field) {
		case 0: m.parent = "acme/p"; break;
		case 1: m.type = "lathe"; break;
		case 2: m.name = "A"; break;
		case 3: m.state = MEMBER_CACHED; break;
		case 4: m.health = HEALTH_ALARM; break;
		case 5: m.life = LIFE_RETIRED; break;
		default:
			m.values = &value;
			m.n_values = 1;
			break;
		}
		cr_expect(tell(&m, 1, &told), "field %d", field);
		cr_expect(eq(sz, told.n_members, 1), "field %d", field);
	}
}

Test(watch_diff, who_is_not_there_any_more_is_told_once)
{
	struct view_member m[] = {member("acme/a", 1), member("acme/b", 2)};
	struct view_part told;

	cr_assert(tell(m, 2, &told));
	cr_assert(tell(m, 1, &told));
	cr_expect(eq(sz, told.n_members, 0));
	cr_assert(eq(sz, told.n_gone, 1));
	cr_expect(eq(int, strcmp(told.gone[0], "acme/b"), 0));
	cr_expect(not(tell(m, 1, &told)));
	cr_assert(tell(m, 2, &told));
	cr_expect(eq(sz, told.n_members, 1));
}

/* An age rises all the time, and a newest row says nothing of what is in it. */
Test(watch_diff, ages_are_no_difference_and_states_are)
{
	struct view_source source = {.org = "acme", .node = "n1", .revision = 1, .state = MEMBER_LIVE};
	struct view_part view = {.sources = &source, .n_sources = 1}, told;
	bool differs;

	cr_assert(eq(int, watch_differ(&shown, &question, &view, arena, &told, &differs), 0));
	source.age_ns = 5;
	source.revision = 2;
	cr_assert(eq(int, watch_differ(&shown, &question, &view, arena, &told, &differs), 0));
	cr_expect(not(differs));
	source.state = MEMBER_CACHED;
	cr_assert(eq(int, watch_differ(&shown, &question, &view, arena, &told, &differs), 0));
	cr_expect(differs);
	view.cut = true;
	cr_assert(eq(int, watch_differ(&shown, &question, &view, arena, &told, &differs), 0));
	cr_expect(differs);
}

Test(watch_diff, a_cell_that_differs_is_told)
{
	struct rollup_state s = {.n = 1, .sum = 1, .unit = "MW"};
	struct view_cell cell = {.group = "press", .members = 1, .rollups = &s};
	struct view_part view = {.cells = &cell, .n_cells = 1, .n_rollups = 1}, told;
	bool differs;

	cr_assert(eq(int, watch_differ(&shown, &question, &view, arena, &told, &differs), 0));
	s.sum = 2;
	cr_assert(eq(int, watch_differ(&shown, &question, &view, arena, &told, &differs), 0));
	cr_expect(differs);
	cr_expect(eq(sz, told.n_cells, 1));
}

/* Parts that come in another order bring the unit by another twin. */
Test(watch_diff, how_a_total_came_about_is_no_difference)
{
	struct view_member m = member("acme/a", 1);
	struct view_part told;

	cr_assert(tell(&m, 1, &told));
	m.rollups->unit_twin = "acme/b";
	m.rollups->t_ns = 7;
	cr_expect(not(tell(&m, 1, &told)));
	m.rollups->n_uncertain = 1;
	cr_expect(tell(&m, 1, &told), "its quality is");
}
