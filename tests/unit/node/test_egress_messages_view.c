/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves with a view that filters, groups, shows and looks back: see test_egress_messages.c. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "node/gossip.h"
#include "node/views.h"
#include "proto/clock.h"
#include "tests/unit/node/leaves.h"

static void set_up(void)
{
	leaves_set_up();
	world_relation("contains", "acme/plant/p1", "acme/bare");
	world_relation("contains", "acme/plant/p1", "acme/guessed");
	world_relation("contains", "acme/bare", "acme/zq-id");
	leaves_begin(LEAVES_SOME(" allow history open/*\n"));
}

TestSuite(leaves, .init = set_up, .fini = wire_tear_down, .timeout = 60);

/* ---- What a partner can ask -------------------------------------------------------------------------------
 */

static struct rollup_spec rollups[] = {{.fn = ROLLUP_COUNT, .property = ""},
				       {.fn = ROLLUP_MAX, .property = "secret/level"},
				       {.fn = ROLLUP_LATEST, .property = "open/level"},
				       {.fn = ROLLUP_WORST_HEALTH, .property = ""}};

static const struct view_part *view(uint32_t session, const char *asker, const char *root_id,
				    struct view_question how)
{
	static uint64_t id;
	struct view_root root = {.id = root_id, .parent = ""};
	struct question q = {.id = ++id,
			     .timeout_ns = NS_PER_S,
			     .kind = QUESTION_VIEW,
			     .asker = asker,
			     .twin = "",
			     .property = "",
			     .view = how};

	q.view.roots = &root;
	q.view.n_roots = 1;
	q.view.hierarchy = "contains";
	q.view.depth = VIEW_DEPTH_ALL;
	q.view.rollups = rollups;
	q.view.n_rollups = sizeof rollups / sizeof *rollups;
	q.view.where = q.view.where ? q.view.where : "";
	q.view.by_property = q.view.by_property ? q.view.by_property : "";
	q.view.after = "";
	wire_hear(session, &(struct message){.kind = MESSAGE_QUESTION, .question = q});
	const struct sent *answer = wire_last(session, MESSAGE_ANSWER);
	cr_assert(answer && answer->message.answer.id == id && answer->message.answer.last);
	return &answer->message.answer.view;
}

static const struct view_question groups[] = {
	{.by = GROUP_NONE},
	{.by = GROUP_KIND},
	{.by = GROUP_TYPE},
	{.by = GROUP_ORG},
	{.by = GROUP_TAG},
	{.by = GROUP_PROPERTY, .by_property = "secret/word"},
	{.by = GROUP_PROPERTY, .by_property = "secret/level"},
	{.by = GROUP_PROPERTY, .by_property = "open/token"},
	{.by = GROUP_PROPERTY, .by_property = "open/word"},
};
static const char *const wheres[] = {"", "known(secret/word) or tag = zq-tag or kind = component",
				     "open/level > 1 m"};
static const char *const roots[] = {"acme/plant/p1", "acme/bare", "acme/guessed"};

static void view_all(uint32_t session, const char *asker)
{
	for (size_t r = 0; r < sizeof roots / sizeof *roots; r++)
		for (size_t w = 0; w < sizeof wheres / sizeof *wheres; w++)
			for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
				struct view_question q = groups[g];
				q.where = wheres[w];
				q.show = (const char **)(uintptr_t)leaves_shown;
				q.n_show = LEAVES_SHOWN;
				view(session, asker, roots[r], q);
				q.from_ns = 10;
				q.to_ns = 30;
				q.step_ns = 10;
				view(session, asker, roots[r], q);
			}
}

Test(leaves, nothing_in_a_view_that_the_search_would_not_find)
{
	world_policy(LEAVES_ALL(" allow history **\n"));
	view_all(WIRE_VOLT, "volt");
	for (size_t i = 0; i < LEAVES_MARKS; i++)
		cr_expect(leaves_times_sent(WIRE_VOLT, leaves_marks[i]) > 0, "%s", leaves_marks[i]);
}

Test(leaves, answer_view_filtered_and_grouped_has_what_may_be_seen)
{
	view_all(WIRE_VOLT, "volt");
	view_all(WIRE_HARBOR, "");
	leaves_expect_clean(WIRE_VOLT);
	leaves_expect_clean(WIRE_HARBOR);
	cr_expect(leaves_times_sent(WIRE_VOLT, "press 1") > 0);
	cr_expect(leaves_times_sent(WIRE_VOLT, "sesame") > 0);
	cr_expect(eq(sz, leaves_times_sent(WIRE_HARBOR, "press 1"), 0));
	cr_expect(eq(sz, leaves_times_sent(WIRE_HARBOR, "sesame"), 0));
}

Test(leaves, answer_view_to_a_border_that_groups_for_a_partner)
{
	view_all(WIRE_OWN, "volt");
	leaves_expect_only_tokens(WIRE_OWN);
	cr_expect(leaves_times_sent(WIRE_OWN, "press 1") > 0);
}

static bool same(const struct view_part *a, const struct view_part *b)
{
	return memcmp(&a->counts, &b->counts, sizeof a->counts) == 0 && a->n_members == b->n_members &&
	       a->n_cells == b->n_cells;
}

/* What holds of hidden values, and what does not, selects and counts the same. */
Test(leaves, answer_view_is_no_oracle)
{
	static const char *const pairs[][2] = {
		{"secret/word = 'zq-secret'", "secret/word = 'zq-nothing'"},
		{"secret/level > 0 m", "secret/level < 0 m"},
		{"not secret/level > 0 m", "not secret/level < 0 m"},
		{"open/token = 'zq-token'", "open/token = 'zq-nothing'"},
		{"name = 'zq-bare-name'", "name = 'zq-nothing'"},
		{"tag = zq-bare-tag", "tag = zq-nothing"},
	};

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
			struct view_question q = groups[g];
			q.where = pairs[i][0];
			const struct view_part yes = *view(WIRE_VOLT, "", "acme/plant/p1", q);
			q.where = pairs[i][1];
			cr_expect(same(&yes, view(WIRE_VOLT, "", "acme/plant/p1", q)), "%s by %zu", q.where,
				  g);
		}
}

Test(leaves, answer_view_groups_by_nothing_that_is_hidden)
{
	const struct view_question q = {.by = GROUP_PROPERTY, .by_property = "secret/word"};
	const struct view_part *v = view(WIRE_VOLT, "", "acme/plant/p1", q);

	cr_assert(eq(sz, v->n_cells, 1));
	cr_expect_str_eq(v->cells[0].group, "");
	cr_expect(eq(u64, v->cells[0].members, 2));
}
