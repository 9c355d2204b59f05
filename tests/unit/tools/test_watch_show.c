/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* open_memstream */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "proto/clock.h"
#include "tests/unit/tools/text.h"
#include "tools/watch_show.h"

static char *text;
static size_t len;
static struct rollup_spec sum = {ROLLUP_SUM, "load/power", 0};
static struct rollup_state seven = {.n = 2, .sum = 7, .unit = "MW", .n_sigma = 0};
static struct rollup_state three = {.n = 1, .sum = 3.5, .unit = "MW"};
static struct view_question question = {
	.rollups = &sum, .n_rollups = 1, .hierarchy = "contains", .where = "", .by_property = ""};
static struct view_member changed[] = {{"acme/press7", "acme/line", MEMBER_CACHED, KIND_ASSET, "press",
					"Press\x1b[31m 7", LIFE_OPERATING, HEALTH_ALARM, &three, NULL, 0}};
static const char *gone[] = {"acme/press6"};
static const char *problems[] = {"units\ndiffer"};
static struct view_cell cells[] = {{"", 0, 1, &three}, {"press", 0, 2, &seven}};
static struct view_part view = {.members = changed,
				.n_members = 1,
				.gone = gone,
				.n_gone = 1,
				.rollups = &seven,
				.n_rollups = 1,
				.problems = problems,
				.n_problems = 1,
				.counts = {.members = 2, .live = 1, .cached = 1}};
static struct client_event event = {
	.t_ns = 7 * NS_PER_S + 250 * NS_PER_MS + 1, .totals = true, .certificate = true, .view = &view};
static struct watch_show show;

static void set_up(void)
{
	show = (struct watch_show){.out = open_memstream(&text, &len), .question = &question};
}

static void tear_down(void)
{
	watch_show_fini(&show);
	fclose(show.out);
	free(text);
	text = NULL;
}

TestSuite(watch_show, .init = set_up, .fini = tear_down, .timeout = 60);

Test(watch_show, people_get_a_line_for_each_thing)
{
	cr_assert(eq(int, watch_show_text(&show, &event), 0));
	expect_text(text,
		    "00:00:07.250Z + acme/press7 Press?[31m 7, cached, alarm, sum:load/power 3.5 MW (1)\n"
		    "00:00:07.250Z - acme/press6\n"
		    "00:00:07.250Z = total sum:load/power 7 MW (2)\n"
		    "00:00:07.250Z = 2 members: 1 live, 1 cached\n"
		    "00:00:07.250Z ! units?differ\n");
}

Test(watch_show, what_is_as_it_was_is_not_told_again)
{
	struct view_part none = view;
	struct client_event same = event;

	none.n_members = none.n_gone = 0;
	same.totals = same.certificate = false;
	same.view = &none;
	cr_assert(eq(int, watch_show_text(&show, &same), 0));
	cr_expect(eq(sz, len, 0));
}

Test(watch_show, a_group_is_told_when_it_differs)
{
	struct view_question by = question;
	struct view_part groups = {.cells = cells, .n_cells = 2, .rollups = &seven, .n_rollups = 1};
	struct client_event one = {.view = &groups};

	by.by = GROUP_TYPE;
	show.question = &by;
	cr_assert(eq(int, watch_show_text(&show, &one), 0));
	cells[1].members = 3;
	cr_assert(eq(int, watch_show_text(&show, &one), 0));
	groups.n_cells = 1;
	cr_assert(eq(int, watch_show_text(&show, &one), 0));
	cr_assert(eq(int, watch_show_text(&show, &one), 0));
	expect_text(text,
		    "00:00:00Z = (none): 1 member, sum:load/power 3.5 MW (1)\n"
		    "00:00:00Z = press: 2 members, sum:load/power 7 MW (2)\n"
		    "00:00:00Z = press: 3 members, sum:load/power 7 MW (2)\n"
		    "00:00:00Z - press\n");
}

Test(watch_show, programs_get_an_object_for_each_event)
{
	json_error_t why;

	cr_assert(eq(int, watch_show_json(&show, &event), 0));
	cr_assert(eq(int, watch_show_json(&show, &event), 0));
	cr_expect(strchr(text, 10) + 1 == text + len / 2);
	json_t *j = json_loads(text, JSON_DISABLE_EOF_CHECK, &why);
	cr_assert(j != NULL, "%s", why.text);
	const json_t *m = json_array_get(json_object_get(j, "members"), 0);
	cr_expect(eq(int, strcmp(json_string_value(json_object_get(j, "event")), "change"), 0));
	cr_expect(eq(int, strcmp(json_string_value(json_object_get(m, "parent")), "acme/line"), 0));
	cr_expect(eq(sz, json_array_size(json_object_get(j, "gone")), 1));
	cr_expect(eq(sz, json_array_size(json_object_get(j, "rollups")), 1));
	cr_expect(json_object_size(json_object_get(j, "certificate")) > 0);
	json_decref(j);
}
