/* SPDX-License-Identifier: Apache-2.0 */

#include "proto/trust.h"
#include "proto/words.h"
#include "tests/unit/proto/text.h"

static const char *const table[] = {"zero", NULL, "two"};

Test(words, a_table_is_looked_up_both_ways)
{
	EXPECT_TEXT(word_at(table, 3, 2), "two");
	EXPECT_TEXT(word_at(table, 3, 1), "?");
	EXPECT_TEXT(word_at(table, 3, 3), "?");
	cr_expect(eq(sz, word_find(table, 3, "two"), 2));
	cr_expect(eq(sz, word_find(table, 3, "one"), 3));
	cr_expect(eq(sz, word_find(table, 3, NULL), 3));
}

static bool clean(const char *text)
{
	return text_is_clean(bytes_of_text(text));
}

Test(words, clean_text_is_utf8_in_its_one_form)
{
	const char *const good[] = {"",
				    "abc\n",
				    "\xc2\x80",
				    "\xdf\xbf",
				    "\xe0\xa0\x80",
				    "\xed\x9f\xbf",
				    "\xee\x80\x80",
				    "\xef\xbf\xbf",
				    "\xf0\x90\x80\x80",
				    "\xf4\x8f\xbf\xbf",
				    "\x7f"};
	const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc2",
		"\xc2\x7f",
		"\xe0\x9f\xbf",
		"\xe1\x80",
		"\xed\xa0\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"\xe1\x80\x41",
		"ok\xc3",
		"\xf1\x80\x80",
	};

	for (size_t i = 0; i < N_WORDS(good); i++)
		cr_expect(clean(good[i]), "good %zu", i);
	for (size_t i = 0; i < N_WORDS(bad); i++)
		cr_expect(not(clean(bad[i])), "bad %zu", i);
	cr_expect(not(text_is_clean(BYTES("a\0b"))));
}

Test(words, mended_text_is_clean)
{
	char text[] = "M\xc3\xbchle \xc3( \xff\xe1\x80";

	text_mend(text, strlen(text));
	EXPECT_TEXT(text, "M\xc3\xbchle ?( ???");
}

Test(words, roles_go_both_ways)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	uint32_t roles = 99;

	cr_assert(eq(int, arena_new(&a, 100), 0));
	for (uint32_t all = 1; all <= ROLES_ALL; all++) {
		arena_reset(a);
		const char *text = roles_text(a, all);
		cr_assert(text != NULL);
		cr_expect(roles_parse(text, &roles), "%s", text);
		cr_expect(eq(u32, roles, all));
	}
	EXPECT_TEXT(roles_text(a, ROLE_OWNER | ROLE_BORDER), "owner,border");
	EXPECT_TEXT(roles_text(a, 0), "");
	roles = 99;
	cr_expect(not(roles_parse("", &roles)));
	cr_expect(not(roles_parse("owner,", &roles)));
	cr_expect(not(roles_parse("owner border", &roles)));
	cr_expect(not(roles_parse("own", &roles)));
	cr_expect(not(roles_parse(NULL, &roles)));
	cr_expect(eq(u32, roles, 99));
}
