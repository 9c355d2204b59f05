/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "proto/id.h"
#include "proto/limits.h"
#include "tests/unit/proto/text.h"

static bool is_twin(const char *text)
{
	return id_is_twin(bytes_of_text(text));
}

/* n characters 'a' */
static const char *run(size_t n)
{
	static char text[2048];

	memset(text, 'a', n);
	text[n] = '\0';
	return text;
}

Test(id, a_twin_id_is_an_organisation_and_at_least_one_segment)
{
	cr_expect(is_twin("acme/a"));
	cr_expect(is_twin("50hertz/grid/Bus_1.2-x"));
	cr_expect(is_twin("a/..."));
	cr_expect(not(is_twin("acme")));
	cr_expect(not(is_twin("")));
}

Test(id, empty_and_dot_segments_are_refused)
{
	const char *const wrong[] = {"/a", "a/", "a//b", "a/./b", "a/..", "../a", "/", "a/b/"};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_expect(not(is_twin(wrong[i])), "%s", wrong[i]);
}

Test(id, only_the_plain_characters_may_stand_in_it)
{
	for (unsigned c = 1; c < 256; c++) {
		const char id[] = {'a', '/', (char)c, 'b', '\0'};
		const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
				   (c >= 'a' && c <= 'z') || strchr("._-", (int)c);
		cr_expect(eq(int, is_twin(id), plain), "character %u", c);
	}
	cr_expect(not(id_is_twin((struct bytes){(const uint8_t *)"a/b\0c", 5})));
}

Test(id, length_and_depth_are_bounded)
{
	char id[2200];

	snprintf(id, sizeof id, "a/%s", run(TWIN_ID_MAX - 2));
	cr_expect(is_twin(id));
	snprintf(id, sizeof id, "a/%s", run(TWIN_ID_MAX - 1));
	cr_expect(not(is_twin(id)));

	id[0] = '\0';
	for (size_t i = 0; i < ID_SEGMENTS_MAX; i++)
		snprintf(id + strlen(id), sizeof id - strlen(id), "%sx", i > 0 ? "/" : "");
	cr_expect(is_twin(id));
	snprintf(id + strlen(id), sizeof id - strlen(id), "/x");
	cr_expect(not(is_twin(id)));

	snprintf(id, sizeof id, "%s/x", run(ORG_NAME_MAX));
	cr_expect(is_twin(id));
	snprintf(id, sizeof id, "%s/x", run(ORG_NAME_MAX + 1));
	cr_expect(not(is_twin(id)));
}

Test(id, a_name_may_be_one_segment)
{
	cr_expect(id_is_name(BYTES("power")));
	cr_expect(id_is_name(BYTES("load/power")));
	cr_expect(id_is_name(bytes_of_text(run(PROPERTY_MAX))));
	cr_expect(not(id_is_name(bytes_of_text(run(PROPERTY_MAX + 1)))));
	cr_expect(not(id_is_name(BYTES("load/"))));
	cr_expect(not(id_is_name(BYTES(""))));
}

Test(id, a_segment_has_no_slash_and_its_own_limit)
{
	cr_expect(id_is_segment(BYTES("tie-volt"), 8));
	cr_expect(not(id_is_segment(BYTES("tie-volt"), 7)));
	cr_expect(not(id_is_segment(BYTES("a/b"), 8)));
	cr_expect(not(id_is_segment(BYTES(".."), 8)));
	cr_expect(not(id_is_segment(BYTES(""), 8)));
}

static const char *why(int r, const struct err_note *note)
{
	cr_expect(eq(int, r, ERR_REFUSED));
	return note->text;
}

Test(id, a_refusal_names_the_offending_character)
{
	struct err_note n = {0};

	cr_expect(eq(int, id_check_twin("acme/press-7", &n), 0));
	cr_expect(eq(int, id_check_twin("acme/pr ess", NULL), ERR_REFUSED));
	EXPECT_WORDS(why(id_check_twin("acme/pr ess", &n), &n), "character 8 (byte 0x20)");
	EXPECT_WORDS(why(id_check_twin("acme/pr*ess", &n), &n), "character 8, '*'");
	EXPECT_WORDS(why(id_check_twin("acme/\xc3\xa4", &n), &n), "character 6 (byte 0xc3)");
}

Test(id, a_refusal_says_what_is_wrong)
{
	struct err_note n = {0};

	EXPECT_WORDS(why(id_check_twin("press", &n), &n), "write ORG/press");
	EXPECT_WORDS(why(id_check_twin("", &n), &n), "twin id is empty");
	EXPECT_WORDS(why(id_check_twin(NULL, &n), &n), "twin id is empty");
	EXPECT_WORDS(why(id_check_twin("a//b", &n), &n), "empty segment at character 3");
	EXPECT_WORDS(why(id_check_twin("a/../b", &n), &n), "segment '.' or '..'");
	EXPECT_WORDS(why(id_check_name(run(300), "property", &n), &n), "longer than 255");
	EXPECT_WORDS(why(id_check_twin(run(100), &n), &n), "organisation is longer");
	EXPECT_WORDS(why(id_check_segment("a/b", "tag", 63, &n), &n), "tag 'a/b' must not contain");
	EXPECT_WORDS(why(id_check_segment(run(64), "node", 63, &n), &n), "longer than 63");
	EXPECT_WORDS(why(id_check_name("1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3",
				       "x", &n),
			 &n),
		     "more than 32 segments");
}

Test(id, the_check_and_the_predicate_agree)
{
	const char *const ids[] = {"a/b", "a", "", "a/", "a b/c", "a/b/c/d", "./a", "a/.b"};

	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		cr_expect(eq(int, id_check_twin(ids[i], NULL) == 0, is_twin(ids[i])), "%s", ids[i]);
		cr_expect(eq(int, id_check_name(ids[i], "x", NULL) == 0, id_is_name(bytes_of_text(ids[i]))),
			  "%s", ids[i]);
	}
}

Test(id, the_organisation_is_the_first_segment)
{
	cr_expect(bytes_equal(id_org("acme/plant/press"), BYTES("acme")));
	cr_expect(bytes_equal(id_org("acme"), BYTES("acme")));
	cr_expect(id_is_of_org("acme/plant", "acme"));
	cr_expect(not(id_is_of_org("acme2/plant", "acme")));
	cr_expect(not(id_is_of_org("acm/plant", "acme")));
	EXPECT_TEXT(id_local("acme/plant/press"), "plant/press");
	EXPECT_TEXT(id_local("acme"), "");
}

Test(id, within_goes_by_segments)
{
	cr_expect(id_is_within("acme/plant/press", "acme/plant"));
	cr_expect(id_is_within("acme/plant", "acme/plant"));
	cr_expect(id_is_within("acme/plant", "acme"));
	cr_expect(not(id_is_within("acme/plant2", "acme/plant")));
	cr_expect(not(id_is_within("acme", "acme/plant")));
}

static const char *slug(const char *name)
{
	static char text[16];

	id_slug(name, text, sizeof text);
	return text;
}

Test(id, any_foreign_name_becomes_a_segment)
{
	EXPECT_TEXT(slug("110 kV / Ost"), "110-kV-Ost");
	EXPECT_TEXT(slug("  -a--b- "), "a-b");
	EXPECT_TEXT(slug("Z\xc3\xbcrich"), "Z-rich");
	EXPECT_TEXT(slug("a_b.c"), "a_b.c");
	EXPECT_TEXT(slug(""), "_");
	EXPECT_TEXT(slug("***"), "_");
	EXPECT_TEXT(slug("."), "_");
	EXPECT_TEXT(slug(".."), "_");
	EXPECT_TEXT(slug("..."), "...");
	EXPECT_TEXT(slug("0123456789abcdefgh"), "0123456789abcde");
	EXPECT_TEXT(slug("0123456789abcd efgh"), "0123456789abcd");
}
