/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves with a view that filters, groups, shows and looks back: see test_egress_messages.c. */
#define _GNU_SOURCE /* memmem */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "node/gossip.h"
#include "node/log.h"
#include "node/views.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/wire.h"

#define SOME \
	"share \"some\"\n to org volt\n twins plant/**\n allow discover, summary\n allow read open/*\n" \
	" allow history open/*\n redact open/token as token\n until 2100-01-01\n" \
	"share \"bare\"\n to org volt\n twins bare\n allow discover\n until 2100-01-01\n" \
	"never \"secrets\"\n to everyone-else\n twins **\n deny summary, read, history, watch of " \
	"secret/**\n"
#define ALL \
	"share \"all\"\n to org volt\n twins **\n allow discover, summary\n allow read **\n allow history " \
	"**\n until 2100-01-01\n"

/* In what the partner may not see, and nowhere else. */
static const char *const marks[] = {"zq-id",       "zq-name", "zq-tag",    "zq-bare-name",
				    "zq-bare-tag", "zq-type", "zq-secret", "zq-token"};
enum { N_MARKS = sizeof marks / sizeof *marks };

static const char *const shown[] = {"open/level", "open/word", "open/token", "secret/level", "secret/word"};
enum { N_SHOWN = sizeof shown / sizeof *shown };

static void put_type(const char *name)
{
	struct property_def p[] = {
		{.name = "open/level",
		 .type = VALUE_DOUBLE,
		 .unit = "m",
		 .min = NAN,
		 .max = NAN,
		 .kpi = true},
		{.name = "open/word", .type = VALUE_TEXT, .unit = "", .min = NAN, .max = NAN},
		{.name = "open/token", .type = VALUE_TEXT, .unit = "", .min = NAN, .max = NAN, .kpi = true},
		{.name = "secret/level",
		 .type = VALUE_DOUBLE,
		 .unit = "m",
		 .min = NAN,
		 .max = NAN,
		 .kpi = true},
		{.name = "secret/word", .type = VALUE_TEXT, .unit = "", .min = NAN, .max = NAN}};

	world_put(
		&(struct op){.kind = OP_TYPE,
			     .type = {.name = name, .version = 1, .properties = p, .n_properties = N_SHOWN}},
		1);
}

static void put_text(const char *id, const char *property, const char *text)
{
	struct sample s = {.t_ns = 20, .value = {.type = VALUE_TEXT, .text = text}, .sigma = NAN};

	world_put(&(struct op){.kind = OP_SAMPLES,
			       .samples = {.twin = id, .property = property, .samples = &s, .n = 1}},
		  1);
}

static void put_twin(const char *id, const char *type, const char *name, const char *tag)
{
	world_put(&(struct op){.kind = OP_TWIN,
			       .twin = {.id = id, .type = type, .name = name, .tags = &tag, .n_tags = 1}},
		  1);
	world_value(id, "open/level", 20, 2);
	world_value(id, "secret/level", 20, 73645.19283746551);
	put_text(id, "open/word", "sesame");
	put_text(id, "open/token", "zq-token");
	put_text(id, "secret/word", "zq-secret");
}

static void set_up(void)
{
	log_set_level(LOG_LEVEL_WARNING);
	wire_set_up();
	put_type("press");
	put_type("zq-type");
	put_twin("acme/plant/p1", "press", "press 1", "shown");
	put_twin("acme/bare", "press", "zq-bare-name", "zq-bare-tag");
	put_twin("acme/guessed", "zq-type", "zq-name", "zq-tag");
	put_twin("acme/zq-id", "zq-type", "zq-name", "zq-tag");
	world_relation("contains", "acme/plant/p1", "acme/bare");
	world_relation("contains", "acme/plant/p1", "acme/guessed");
	world_relation("contains", "acme/bare", "acme/zq-id");
	world_policy(SOME);
	must(visibility_sweep(world.visibility) == 0);
	wire_features = FEATURE_VIEW;
	wire_join(WIRE_VOLT);
	wire_join(WIRE_HARBOR);
	wire_join(WIRE_OWN);
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
				q.show = (const char **)(uintptr_t)shown;
				q.n_show = N_SHOWN;
				view(session, asker, roots[r], q);
				q.from_ns = 10;
				q.to_ns = 30;
				q.step_ns = 10;
				view(session, asker, roots[r], q);
			}
}

static size_t times_sent(uint32_t session, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < wire_n_sent; i++)
		n += wire_sent[i].session == session &&
		     memmem(wire_sent[i].frame.data, wire_sent[i].frame.len, text, strlen(text));
	return n;
}

Test(leaves, nothing_in_a_view_that_the_search_would_not_find)
{
	world_policy(ALL);
	view_all(WIRE_VOLT, "volt");
	for (size_t i = 0; i < N_MARKS; i++)
		cr_expect(times_sent(WIRE_VOLT, marks[i]) > 0, "%s", marks[i]);
}

Test(leaves, answer_view_filtered_and_grouped_has_what_may_be_seen)
{
	view_all(WIRE_VOLT, "volt");
	view_all(WIRE_HARBOR, "");
	for (size_t i = 0; i < N_MARKS; i++) {
		cr_expect(eq(sz, times_sent(WIRE_VOLT, marks[i]), 0), "%s", marks[i]);
		cr_expect(eq(sz, times_sent(WIRE_HARBOR, marks[i]), 0), "%s", marks[i]);
	}
	cr_expect(times_sent(WIRE_VOLT, "press 1") > 0);
	cr_expect(times_sent(WIRE_VOLT, "sesame") > 0);
	cr_expect(eq(sz, times_sent(WIRE_HARBOR, "press 1"), 0));
	cr_expect(eq(sz, times_sent(WIRE_HARBOR, "sesame"), 0));
}

/* A border of ours asks on behalf of a partner: it puts in the tokens. */
Test(leaves, answer_view_to_a_border_that_groups_for_a_partner)
{
	view_all(WIRE_OWN, "volt");
	for (size_t i = 0; i < N_MARKS; i++)
		cr_expect(strcmp(marks[i], "zq-token") == 0 || times_sent(WIRE_OWN, marks[i]) == 0, "%s",
			  marks[i]);
	cr_expect(times_sent(WIRE_OWN, "press 1") > 0);
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
