/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "proto/view_text.h"
#include "tests/unit/proto/text.h"

static struct arena *arena;
static struct view_question q;

static void begin(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 20), 0));
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(view_text, .init = begin, .fini = end);

static const char *again(const char *text)
{
	struct err_note note = {0};
	const char *out = "";

	cr_assert(eq(int, view_text_parse(arena, text, &q, &note), 0), "%s: %s", text, note.text);
	cr_assert(eq(int, view_text_print(arena, &q, &out), 0));
	return out;
}

Test(view_text, a_twin_alone_is_the_question_one_asks_without_more)
{
	EXPECT_TEXT(again("  acme/plant "), "acme/plant");
	cr_assert(eq(sz, q.n_roots, 1));
	EXPECT_TEXT(q.roots[0].id, "acme/plant");
	EXPECT_TEXT(q.hierarchy, "contains");
	cr_expect(eq(u32, q.depth, VIEW_DEPTH_DEFAULT));
}

Test(view_text, everything_reads_back)
{
	static const char *const texts[] = {
		"acme/plant hierarchy feeds depth all rollup sum:load/power rollup quantile(0.95):load/power "
		"by "
		"load/kind show load/power show name members-max 1000 as-of 2011-01-01T00:00:00Z fresh 1min "
		"deadline 250ms unconfirmed offline where kind = asset and name = 'by  org'",
		"acme/plant depth 0 by \"kind\"",
		"acme/plant by kind from 2011-01-01T00:00:00Z to 2011-01-02T00:00:00Z step 1h",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		EXPECT_TEXT(again(texts[i]), texts[i]);
}

Test(view_text, words_come_in_any_order_and_what_is_usual_is_not_said)
{
	EXPECT_TEXT(again("acme/plant by org hierarchy contains  depth 2 rollup count"),
		    "acme/plant rollup count by org");
	cr_expect(eq(int, q.by, GROUP_ORG));
}

static const struct {
	const char *text, *sentence;
} wrong[] = {
	{"", "the twin to begin at is missing"},
	{"plant", NULL},
	{"acme/plant depht 2", "'depht' is no word of a view's question"},
	{"acme/plant depth", "depth what?"},
	{"acme/plant where  ", "where what?"},
	{"acme/plant depth 2 depth 3", "depth is said twice"},
	{"acme/plant depth -1", "depth: '-1' is not a number from 0 to 4294967295"},
	{"acme/plant members-max 4294967296",
	 "members-max: '4294967296' is not a number from 0 to 4294967295"},
	{"acme/plant where kind = ", "where: column 8: the expression ends too early"},
	{"acme/plant rollup total:a", NULL},
	{"acme/plant by a:b", "by: by what? kind, type, org, tag or a property, not 'a:b'"},
	{"acme/plant show a:b", NULL},
	{"acme/plant fresh soon", NULL},
	{"acme/plant as-of soon", NULL},
	{"acme/plant step 1h", "a series needs all of from, to and step"},
	{"acme/plant from 2011-01-01 to 2011-01-02", "a series needs all of from, to and step"},
	{"acme/plant from 2011-01-02 to 2011-01-01 step 1h",
	 "a series has 1 to 1024 times, from the earlier to the later, and no as-of"},
	{"acme/plant as-of 2011-01-01 from 2011-01-01 to 2011-01-02 step 1h",
	 "a series has 1 to 1024 times, from the earlier to the later, and no as-of"},
};

Test(view_text, what_makes_no_sense_is_named)
{
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct err_note note = {0};
		cr_expect(lt(int, view_text_parse(arena, wrong[i].text, &q, &note), 0), "%s", wrong[i].text);
		cr_expect(note.text[0] != '\0', "%s", wrong[i].text);
		if (wrong[i].sentence)
			EXPECT_TEXT(note.text, wrong[i].sentence);
	}
}

Test(view_text, there_are_only_so_many_roll_ups)
{
	SCOPED(buf_fini) struct buf b = {0};
	struct err_note note = {0};

	buf_put_text(&b, "acme/plant");
	for (int i = 0; i <= ROLLUPS_MAX; i++)
		buf_print(&b, " rollup sum:p%d", i);
	buf_put_u8(&b, 0);
	cr_expect(eq(int, view_text_parse(arena, (const char *)b.data, &q, &note), ERR_REFUSED));
	EXPECT_TEXT(note.text, "rollup: more than 32");
}
