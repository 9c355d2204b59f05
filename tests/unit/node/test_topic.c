/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "node/topic.h"
#include "tests/unit/proto/text.h"

TestSuite(topic, .timeout = 60);

static const char *turned(const char *from, const char *text, const char *to)
{
	static char out[64];
	struct topic_variables v;

	if (!topic_match(from, bytes_of_text(text), &v))
		return "(no match)";
	return topic_fill(to, &v, out, sizeof out) ? out : "(too long)";
}

Test(topic, what_matches_fills_another_pattern)
{
	static const char *const cases[][4] = {
		{"plant/{line}/{machine}/data", "plant/l1/press7/data", "acme/{line}/{machine}",
		 "acme/l1/press7"},
		{"plant/{line}/{machine}/data", "plant/l1/press7/status", "x", "(no match)"},
		{"plant/{line}/{machine}/data", "plant/l1/press7", "x", "(no match)"},
		{"plant/{line}/{machine}/data", "plant/l1/press7/data/more", "x", "(no match)"},
		{"plant/{line}/{machine}/data", "plant//press7/data", "x", "(no match)"},
		{"p/press-{n}-x", "p/press-12-x", "{n}", "12"},
		{"p/press-{n}-x", "p/press--x", "{n}", "(no match)"},
		{"p/{rest+}", "p/a/b/c", "t/{rest}", "t/a/b/c"},
		{"p/{rest+}", "p", "x", "(no match)"},
		{"p/{rest+}", "p/", "x", "(no match)"},
		{"a", "a", "b", "b"},
		{"a", "", "b", "(no match)"},
		{"{a}", "12345678901234567890123456789012345678901234567890123456789012345", "{a}",
		 "(too long)"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		EXPECT_TEXT(turned(cases[i][0], cases[i][1], cases[i][2]), cases[i][3]);
}

Test(topic, what_is_no_pattern_is_refused)
{
	static const char *const wrong[] = {"",   "a//b",    "/a",     "a/",      "a/+",    "a/#",   "{",
					    "{}", "a/{b c}", "{a}{b}", "{a}/{a}", "{a+}/b", "x{a+}", "a/}b"};
	static const char *const right[] = {"a", "{a}", "a/{b}c/{d+}", "spBv1.0/{g}"};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_expect(eq(int, topic_check(wrong[i], NULL), ERR_REFUSED), "%s", wrong[i]);
	for (size_t i = 0; i < sizeof right / sizeof *right; i++)
		cr_expect(eq(int, topic_check(right[i], NULL), 0), "%s", right[i]);
}

Test(topic, a_variable_without_source_is_named)
{
	struct err_note note = {0};

	cr_expect(eq(int, topic_covers("a/{b}", "x/{b}", &note), 0));
	cr_expect(eq(int, topic_covers("a/{b}", "x/{c}", &note), ERR_REFUSED));
	EXPECT_TEXT(note.text, "{c} does not occur in 'a/{b}'");
}

Test(topic, what_to_subscribe_to_has_wildcards)
{
	SCOPED(scope_arena) struct arena *a = NULL;

	cr_assert(eq(int, arena_new(&a, 4096), 0));
	EXPECT_TEXT(topic_filter(a, "plant/{line}/press-{n}/data"), "plant/+/+/data");
	EXPECT_TEXT(topic_filter(a, "plant/{rest+}"), "plant/#");
	EXPECT_TEXT(topic_filter(a, "plant"), "plant");
}
