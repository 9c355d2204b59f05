/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/standing.h"

#include "proto/clock.h"
#include "proto/limits.h"
#include "proto/words.h"

#define SINCE "since "
#define UNTIL "until "

/* Cut in front of the letter that goes beyond. */
static size_t cut(const char *text, size_t most)
{
	size_t n = strlen(text);

	if (n <= most)
		return n;
	for (n = most; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
		n--;
	return n;
}

const char *standing_text(struct arena *a, const struct standing *s)
{
	const char *what = text_or_empty(s->what), *comment = text_or_empty(s->comment);
	char at[TIME_TEXT_SIZE];
	char since[TIME_TEXT_SIZE];
	const char *text = arena_print(a, "%s%s%s%s%s%s%s", s->state, *what ? " " : "", what,
				       s->since_ns == 0 ? "" : " " SINCE,
				       s->since_ns == 0 ? "" : time_text(s->since_ns, since),
				       s->until_ns == TIME_MAX ? "" : " " UNTIL,
				       s->until_ns == TIME_MAX ? "" : time_text(s->until_ns, at));

	if (!text || !*comment || strlen(text) + 3 > KPI_TEXT_MAX)
		return text;
	return arena_print(a, "%s: %.*s", text, (int)cut(comment, KPI_TEXT_MAX - 3 - strlen(text)), comment);
}

static size_t word_len(const char *text)
{
	return strcspn(text, " :");
}

static bool starts(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

/* A word goes to *ret; the text behind it and a blank is returned. */
static const char *take_word(struct arena *a, const char *text, const char **ret)
{
	const size_t n = word_len(text);

	*ret = arena_print(a, "%.*s", (int)n, text);
	return text[n] == ' ' ? text + n + 1 : text + n;
}

/* "2026-11-22T08:00:00Z" up to the end, a blank or ": ". */
static const char *take_time(struct arena *a, const char *text, int64_t *ret_ns)
{
	const char *end = strstr(text, ": ");
	const size_t whole = end ? (size_t)(end - text) : strlen(text), word_end = strcspn(text, " ");
	const size_t n = word_end < whole ? word_end : whole;
	const char *word = arena_print(a, "%.*s", (int)n, text);

	if (!word || time_parse(word, ret_ns, NULL) < 0)
		return NULL;
	return text[n] == ' ' ? text + n + 1 : text + n;
}

bool standing_parse(struct arena *a, const char *text, struct standing *ret)
{
	struct standing s = {.what = "", .until_ns = TIME_MAX, .comment = ""};

	if (word_len(text) == 0)
		return false;
	text = take_word(a, text, &s.state);
	if (word_len(text) > 0 && !starts(text, UNTIL) && !starts(text, SINCE))
		text = take_word(a, text, &s.what);
	if (starts(text, SINCE))
		text = take_time(a, text + strlen(SINCE), &s.since_ns);
	if (text && starts(text, UNTIL))
		text = take_time(a, text + strlen(UNTIL), &s.until_ns);
	if (text && starts(text, ": "))
		s.comment = arena_copy(a, text + 2);
	else if (text && *text)
		return false;
	if (!text || !s.state || !s.what || !s.comment || strcmp(s.what, "until") == 0)
		return false;
	*ret = s;
	return true;
}
