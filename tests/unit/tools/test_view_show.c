/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "proto/clock.h"
#include "tests/unit/tools/text.h"
#include "tools/client.h"
#include "tools/view_show.h"

static struct arena *arena;
static char *text;
static size_t len;
static FILE *out;

static struct rollup_spec specs[] = {{ROLLUP_SUM, "load/power", 0}, {ROLLUP_COUNT, "load/power", 0}};
static struct rollup_state totals[] = {{.n = 2, .sum = 51754.08, .unit = "MW"},
				       {.n = 2, .sum = 51754.08, .unit = "MW"}};
static struct rollup_state none[2];
static struct view_member members[] = {
	{"observer/germany", "", MEMBER_LIVE, KIND_SYSTEM_OF_SYSTEMS, "country", "Germany", LIFE_OPERATING,
	 HEALTH_GOOD, totals, NULL, 0},
	{"amprion/grid", "observer/germany", MEMBER_LIVE, KIND_SYSTEM, "grid", "", LIFE_OPERATING,
	 HEALTH_GOOD, totals, NULL, 0},
	{"tennet/grid", "observer/germany", MEMBER_CACHED, KIND_SYSTEM, "grid", "", LIFE_OPERATING,
	 HEALTH_ALARM, none, NULL, 0},
	{"amprion/bus-1", "amprion/grid", MEMBER_LIVE, KIND_ASSET, "bus", "a\x1b[31m", LIFE_OPERATING,
	 HEALTH_GOOD, none, NULL, 0},
};
static struct view_source sources[] = {{"amprion", "site", 7, 0, 3, MEMBER_LIVE},
				       {"tennet", "site", 5, 12 * NS_PER_S, 2, MEMBER_CACHED}};
static const char *problems[] = {"units differ"};
static struct view_part view = {.members = members,
				.n_members = 4,
				.sources = sources,
				.n_sources = 2,
				.counts = {.members = 1463, .live = 1100, .cached = 363},
				.rollups = totals,
				.n_rollups = 2,
				.problems = problems,
				.n_problems = 1};
static struct view_question question = {.hierarchy = "contains", .rollups = specs, .n_rollups = 2};
static struct shown_view shown;

static void begin(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 20), 0));
	out = open_memstream(&text, &len);
	shown = (struct shown_view){
		.arena = arena, .question = &question, .view = &view, .root = "observer/germany"};
	cr_assert(eq(int, view_link(&shown), 0));
}

static void end(void)
{
	fclose(out);
	free(text);
	arena_free(arena);
	text = NULL;
	arena = NULL;
}

TestSuite(view_show, .init = begin, .fini = end);

Test(view_show, json_has_root_rollups_members_as_a_tree_and_the_certificate)
{
	json_t *j, *source;
	const char *root, *first, *below, *state, *unit;
	double value, age;
	json_int_t n, live;

	view_json(&shown, out);
	fflush(out);
	j = json_loads(text, 0, NULL);
	cr_assert(j != NULL, "%s", text);
	cr_assert(eq(int,
		     json_unpack(j,
				 "{s:s, s:[{s:F, s:I, s:s}, {}], s:[{s:s, s:[{s:s, s:[]}]}, {s:s}], s:{s:I, "
				 "s:[{}, o]}}",
				 "root", &root, "rollups", "value", &value, "n", &n, "unit", &unit, "members",
				 "id", &first, "members", "id", &below, "members", "state", &state,
				 "certificate", "live", &live, "sources", &source),
		     0));
	expect_text(root, "observer/germany");
	cr_expect(eq(dbl, value, 51754.08));
	cr_expect(eq(int, (int)n, 2));
	expect_text(unit, "MW");
	expect_text(first, "amprion/grid");
	expect_text(below, "amprion/bus-1");
	expect_text(state, "cached");
	cr_expect(eq(int, (int)live, 1100));
	cr_assert(eq(int, json_unpack(source, "{s:F, s:s}", "age_s", &age, "state", &state), 0));
	cr_expect(eq(dbl, age, 12));
	json_decref(j);
}

Test(view_show, text_is_a_tree_with_units_marks_and_one_line_of_certificate)
{
	view_text(&shown, out);
	fflush(out);
	expect_text(text,
		    "observer/germany  Germany  sum load/power 51,754.08 MW (2)  count load/power 2\n"
		    "├── amprion/grid  sum load/power 51,754.08 MW (2)  count load/power 2\n"
		    "│   └── amprion/bus-1  a?[31m  sum load/power 0 (0)  count load/power 0\n"
		    "└── tennet/grid  cached  alarm  sum load/power 0 (0)  count load/power 0\n"
		    "total:  sum load/power 51,754.08 MW (2)  count load/power 2\n"
		    "1,463 members: 1,100 live, 363 cached (tennet/site 12s ago)\n"
		    "problem: units differ\n");
}

Test(view_show, parts_of_an_answer_become_one_view)
{
	struct control_answer whole = {0};
	struct control_answer parts[] = {
		{.has_view = true, .view = {.members = members, .n_members = 2, .counts = {.members = 2}}},
		{.has_view = true,
		 .last = true,
		 .view = {.members = members + 2, .n_members = 2, .counts = {.members = 2}}},
	};

	for (int i = 0; i < 2; i++)
		cr_assert(eq(int, answer_merge(arena, &whole, &parts[i]), 0));
	cr_expect(eq(sz, whole.view.n_members, 4));
	cr_expect(eq(u64, whole.view.counts.members, 4));
	expect_text(whole.view.members[3].id, "amprion/bus-1");
	cr_expect(whole.last);
}
