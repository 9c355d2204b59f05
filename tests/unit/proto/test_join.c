/* SPDX-License-Identifier: Apache-2.0 */
/* A token as text: read back whatever mail did to it, and never as another one. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ctype.h>
#include <stdio.h>

#include "tests/unit/proto/codecs.h"

static struct arena *arena;
static struct buf text;
static struct err_note note;

static void set_up(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 20), 0));
	join_token_print(&full_token, &text);
	buf_put_u8(&text, 0);
	cr_assert(eq(int, buf_check(&text), 0));
}

static void tear_down(void)
{
	buf_fini(&text);
	arena_free(arena);
	arena = NULL;
}

TestSuite(join_text, .init = set_up, .fini = tear_down);

static int parse(const char *what, struct join_token *ret)
{
	struct join_token ignored;

	note.text[0] = '\0';
	arena_reset(arena);
	return join_token_parse(arena, what, ret ? ret : &ignored, &note);
}

Test(join_text, a_token_is_one_word_and_reads_back)
{
	const char *word = (const char *)text.data;
	struct join_token t;

	cr_expect_null(strpbrk(word, " \n\t$&<>|;'\"\\!{}"));
	cr_expect(lt(sz, strlen(word), JOIN_TEXT_MAX));
	cr_assert(eq(int, parse(word, &t), 0), "%s", note.text);
	cr_expect_str_eq(t.name, full_token.name);
	cr_expect_str_eq(t.endpoint, full_token.endpoint);
	cr_expect(eq(int, memcmp(t.secret, full_token.secret, sizeof t.secret), 0));
	cr_expect(eq(int, memcmp(t.server.b, full_token.server.b, sizeof t.server.b), 0));
	cr_expect(eq(i64, t.until_ns, full_token.until_ns));
}

Test(join_text, mail_may_break_lines_and_shout)
{
	char changed[4096];
	size_t n = 0;

	changed[n++] = '\n';
	for (const char *p = (const char *)text.data; *p; p++) {
		changed[n++] = (char)toupper((unsigned char)*p);
		if (n > 20 && n % 40 == 0)
			changed[n++] = '\n';
	}
	changed[n] = '\0';
	cr_expect(eq(int, parse(changed, NULL), 0), "%s", note.text);
}

Test(join_text, every_wrong_character_is_noticed)
{
	char *word = (char *)text.data;

	for (size_t i = 0; word[i]; i++) {
		const char was = word[i];
		for (const char *p = "ab7q1-_%"; *p; p++) {
			word[i] = *p;
			if (*p != was)
				cr_expect(eq(int, parse(word, NULL), ERR_MALFORMED), "place %zu as %c", i,
					  *p);
			if (*p != was)
				cr_expect_neq(note.text[0], '\0');
		}
		word[i] = was;
	}
	cr_expect(eq(int, parse(word, NULL), 0));
}

Test(join_text, what_was_cut_or_has_more_is_noticed)
{
	char *word = (char *)text.data;
	char longer[JOIN_TEXT_MAX * 2];

	snprintf(longer, sizeof longer, "%sa", word);
	cr_expect(eq(int, parse(longer, NULL), ERR_MALFORMED));
	memset(longer, 'a', sizeof longer - 1);
	memcpy(longer, word, strlen(word));
	longer[sizeof longer - 1] = '\0';
	cr_expect(eq(int, parse(longer, NULL), ERR_MALFORMED));
	for (size_t n = strlen(word); n-- > 0;) {
		word[n] = '\0';
		cr_expect(eq(int, parse(word, NULL), ERR_MALFORMED), "cut at %zu", n);
	}
	cr_expect_str_eq(note.text, "this is not a token: one begins with holon-join-1-");
}
