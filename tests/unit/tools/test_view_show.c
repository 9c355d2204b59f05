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
static struct rollup_state half[] = {{.n = 1, .sum = 12938.52, .unit = "MW"},
				     {.n = 1, .sum = 12938.52, .unit = "MW"}};
static struct rollup_state none[2];
static struct view_member members[] = {
	{"observer/germany", "", MEMBER_LIVE, KIND_SYSTEM_OF_SYSTEMS, "country", "Germany", LIFE_OPERATING,
	 HEALTH_GOOD, totals, NULL, 0},
	{"amprion/grid", "observer/germany", MEMBER_LIVE, KIND_SYSTEM, "grid", "", LIFE_OPERATING,
	 HEALTH_GOOD, half, NULL, 0},
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
static struct view_question question;
static struct shown_view shown;

static void begin(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 20), 0));
	out = open_memstream(&text, &len);
	question = (struct view_question){.hierarchy = "contains",
					  .rollups = specs,
					  .n_rollups = 2,
					  .where = "",
					  .by_property = "",
					  .after = ""};
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

/* What a form makes of the view. */
static const char *shown_by(void (*form)(const struct shown_view *v, FILE *out))
{
	form(&shown, out);
	fflush(out);
	return text;
}

Test(view_show, json_has_root_rollups_members_as_a_tree_and_the_certificate)
{
	json_t *j, *source;
	const char *root, *first, *below, *state, *unit;
	double value, age;
	json_int_t n, live;

	j = json_loads(shown_by(view_json), 0, NULL);
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

Test(view_show, text_is_a_tree_in_columns_and_one_line_of_certificate)
{
	expect_text(
		shown_by(view_text),
		"TWIN                   NAME     HEALTH  STATE     sum:load/power  count:load/power  SHARE\n"
		"observer/germany       Germany  good            51,754.08 MW (2)                 2  "
		"████████████ 100 %\n"
		"├── amprion/grid                good            12,938.52 MW (1)                 1  "
		"███           25 %\n"
		"│   └── amprion/bus-1  a?[31m   good                           -                 0\n"
		"└── tennet/grid                 alarm   cached                 -                 0\n"
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

Test(view_show, csv_has_a_line_for_each_member_and_units_in_columns_of_their_own)
{
	expect_text(
		shown_by(view_csv),
		"id,parent,depth,name,kind,type,state,life_cycle,health,sum:load/power,sum:load/power unit,"
		"count:load/power,count:load/power unit\n"
		"observer/germany,,0,Germany,system-of-systems,country,live,operating,good,51754.08,MW,2,\n"
		"amprion/grid,observer/germany,1,,system,grid,live,operating,good,12938.52,MW,1,\n"
		"amprion/bus-1,amprion/grid,2,a\x1b[31m,asset,bus,live,operating,good,0.0,,0,\n"
		"tennet/grid,observer/germany,1,,system,grid,cached,operating,alarm,0.0,,0,\n");
}

Test(view_show, dot_is_a_digraph_under_its_certificate)
{
	question.n_rollups = 1;
	expect_text(
		shown_by(view_dot),
		"digraph view {\n  rankdir=LR;\n  node [shape=box];\n"
		"  label=\"1,463 members: 1,100 live, 363 cached (tennet/site 12s ago)\";\n"
		"  \"observer/germany\" [label=\"observer/germany\\nGermany\\nsum:load/power 51,754.08 MW "
		"(2)\", color=darkgreen];\n"
		"  \"amprion/grid\" [label=\"amprion/grid\\nsum:load/power 12,938.52 MW (1)\", "
		"color=darkgreen];\n"
		"  \"observer/germany\" -> \"amprion/grid\";\n"
		"  \"amprion/bus-1\" [label=\"amprion/bus-1\\na?[31m\\nsum:load/power -\", "
		"color=darkgreen];\n"
		"  \"amprion/grid\" -> \"amprion/bus-1\";\n"
		"  \"tennet/grid\" [label=\"tennet/grid\\nsum:load/power -\", color=red, style=dashed];\n"
		"  \"observer/germany\" -> \"tennet/grid\";\n}\n");
}

Test(view_show, values_are_shown_with_unit_and_age)
{
	struct kpi values[] = {
		{"load/power", "MW", {.t_ns = 7 * NS_PER_S, .value = {.type = VALUE_DOUBLE, .real = 12.5}}},
		{"load/word", "", {.t_ns = 99 * NS_PER_S, .value = {.type = VALUE_INT64, .integer = 3}}},
	};
	const char *show[] = {"load/power", "load/word"};
	struct view_member one = {"acme/a",       "",   MEMBER_LIVE, KIND_ASSET, "", "", LIFE_RETIRED,
				  HEALTH_UNKNOWN, NULL, values,      2};
	const struct view_part alone = {
		.members = &one, .n_members = 1, .counts = {.members = 1, .live = 1, .filtered = 4}};

	question = (struct view_question){.hierarchy = "contains", .show = show, .n_show = 2, .where = ""};
	shown.view = &alone;
	shown.root = "acme/a";
	shown.now_ns = 10 * NS_PER_S;
	cr_assert(eq(int, view_link(&shown), 0));
	expect_text(shown_by(view_text),
		    "TWIN    LIFE          load/power  load/word\n"
		    "acme/a  retired  12.5 MW, 3s ago          3\n"
		    "1 member: 1 live, 4 not selected\n");
	rewind(out);
	expect_text(shown_by(view_csv),
		    "id,parent,depth,name,kind,type,state,life_cycle,health,load/power,load/power unit,"
		    "load/power t,load/word,load/word unit,load/word t\n"
		    "acme/a,,0,,asset,,live,retired,unknown,12.5,MW,1970-01-01T00:00:07Z,3,,"
		    "1970-01-01T00:01:39Z\n");
}

Test(view_show, a_narrow_terminal_loses_bars_first_then_middles_of_ids)
{
	shown.width = 76;
	question.n_rollups = 1;
	const char *narrow = shown_by(view_text);
	cr_expect(strstr(narrow, "SHARE") == NULL, "%s", narrow);
	cr_expect(strstr(narrow, "│   └── amprion/bus-1  a?[31m") != NULL, "%s", narrow);
	rewind(out);
	shown.width = 50;
	narrow = shown_by(view_text);
	cr_expect(strstr(narrow, "obs…/germany  Germany  good            51,754.08 MW (2)\n") != NULL, "%s",
		  narrow);
}

/* ---- Groups and series */

static struct view_cell cells[] = {
	{"amprion", 0, 2, totals},
	{"tennet", 0, 1, none},
	{"", 3600 * NS_PER_S, 1, none},
	{"amprion", 3600 * NS_PER_S, 2, half},
};
static struct view_part of_cells = {
	.cells = cells, .n_cells = 4, .rollups = totals, .n_rollups = 2, .counts = {.members = 3, .live = 3}};

static void show_cells(size_t first, size_t n)
{
	of_cells.cells = cells + first;
	of_cells.n_cells = n;
	shown.view = &of_cells;
	question.by = GROUP_ORG;
	cr_assert(eq(int, view_link(&shown), 0));
}

Test(view_show, groups_are_a_table_with_shares)
{
	show_cells(0, 2);
	expect_text(shown_by(view_text),
		    "org      MEMBERS    sum:load/power  count:load/power  SHARE\n"
		    "amprion        2  51,754.08 MW (2)                 2  ████████████ 100 %\n"
		    "tennet         1                 -                 0\n"
		    "total: sum:load/power 51,754.08 MW (2), count:load/power 2\n"
		    "3 members: 3 live\n");
}

Test(view_show, one_roll_up_over_groups_and_times_has_a_column_for_each_group)
{
	show_cells(0, 4);
	question.step_ns = 3600 * NS_PER_S;
	question.n_rollups = 1;
	of_cells.rollups = NULL;
	expect_text(shown_by(view_text),
		    "sum:load/power in MW by org\n"
		    "TIME                  -    amprion  tennet\n"
		    "1970-01-01T00:00:00Z  -  51,754.08       -\n"
		    "1970-01-01T01:00:00Z  -  12,938.52       -\n"
		    "3 members: 3 live\n");
	of_cells.rollups = totals;
}

Test(view_show, several_roll_ups_over_groups_and_times_have_a_line_for_each_cell)
{
	show_cells(0, 4);
	question.step_ns = 3600 * NS_PER_S;
	of_cells.rollups = NULL;
	expect_text(shown_by(view_text),
		    "TIME                  org      MEMBERS    sum:load/power  count:load/power\n"
		    "1970-01-01T00:00:00Z  amprion        2  51,754.08 MW (2)                 2\n"
		    "                      tennet         1                 -                 0\n"
		    "1970-01-01T01:00:00Z  -              1                 -                 0\n"
		    "                      amprion        2  12,938.52 MW (1)                 1\n"
		    "3 members: 3 live\n");
	of_cells.rollups = totals;
}

Test(view_show, cells_as_csv_have_time_and_group)
{
	show_cells(1, 2);
	question.step_ns = 3600 * NS_PER_S;
	question.n_rollups = 1;
	expect_text(shown_by(view_csv),
		    "t,group,members,sum:load/power,sum:load/power unit\n"
		    "1970-01-01T00:00:00Z,tennet,1,0.0,\n"
		    "1970-01-01T01:00:00Z,,1,0.0,\n");
}

Test(view_show, cells_as_json_have_time_and_group)
{
	const char *group, *at, *by;
	json_int_t n;
	double step;

	show_cells(3, 1);
	question.step_ns = 3600 * NS_PER_S;
	json_t *j = json_loads(shown_by(view_json), 0, NULL);
	cr_assert(j != NULL, "%s", text);
	cr_assert(eq(int,
		     json_unpack(j, "{s:s, s:F, s:[{s:s, s:s, s:I}]}", "by", &by, "step_s", &step, "cells",
				 "group", &group, "t", &at, "members", &n),
		     0));
	expect_text(by, "org");
	expect_text(group, "amprion");
	expect_text(at, "1970-01-01T01:00:00Z");
	cr_expect(eq(dbl, step, 3600));
	cr_expect(json_object_get(j, "members") == NULL);
	json_decref(j);
}

/* ---- Deep hierarchies */

enum { DEEP = 3000 };

static void go_deep(void)
{
	static struct view_member deep[DEEP];
	static char ids[DEEP][16];
	static struct view_part part = {.members = deep, .n_members = DEEP};

	for (size_t i = 0; i < DEEP; i++) {
		snprintf(ids[i], sizeof ids[i], "acme/t%zu", i);
		deep[i] = (struct view_member){
			.id = ids[i], .parent = i > 0 ? ids[i - 1] : "", .type = "", .name = ""};
	}
	question.n_rollups = 0;
	shown.view = &part;
	shown.root = ids[0];
	cr_assert(eq(int, view_link(&shown), 0));
}

Test(view_show, a_deep_tree_keeps_its_ids_in_sight_and_says_what_it_leaves_out)
{
	go_deep();
	const char *tree = shown_by(view_text);
	cr_expect(strstr(tree, "└── acme/t1000 ") != NULL);
	cr_expect(strstr(tree, "acme/t1001") == NULL);
	cr_expect(strstr(tree, "\n1,999 more below level 1000: see --csv\n") != NULL);
	rewind(out);
	cr_expect(strstr(shown_by(view_csv), "\nacme/t2999,acme/t2998,2999,") != NULL);
}

Test(view_show, deep_json_says_how_many_it_leaves_out)
{
	json_int_t deeper;

	go_deep();
	json_t *j = json_loads(shown_by(view_json), 0, NULL);
	cr_assert(j != NULL);
	cr_assert(eq(int, json_unpack(j, "{s:I}", "deeper", &deeper), 0));
	cr_expect(eq(int, (int)deeper, DEEP - 1 - VIEW_SHOW_DEPTH_MAX));
	json_decref(j);
}
