/* SPDX-License-Identifier: Apache-2.0 */
#include "security/policy_parser.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/id.h"
#include "proto/words.h"
#include "security/policy_pattern.h"

bool parser_complain(struct parser *ps, const char *format, ...)
{
	char text[320];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	report_error(ps->report, ps->line.number, "%s", text);
	return false;
}

bool parser_complain_at(struct parser *ps, const struct word *w, const char *format, ...)
{
	char text[320];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return parser_complain(ps, "column %u: %s", line_column(&ps->line, w), text);
}

struct word parser_next(struct parser *ps)
{
	return line_next(&ps->line);
}

struct word parser_peek(const struct parser *ps)
{
	struct line ahead = ps->line;

	return line_next(&ahead);
}

int word_shown(const struct word *w)
{
	int n = SHOWN;

	if (w->text.len <= SHOWN)
		return (int)w->text.len;
	while (n > 0 && (w->text.data[n] & 0xc0) == 0x80) /* not in the middle of a character */
		n--;
	return n;
}

const char *word_chars(const struct word *w)
{
	return (const char *)w->text.data;
}

bool word_is(const struct word *w, const char *text)
{
	return w->kind == WORD_PLAIN && bytes_equal(w->text, bytes_of_text(text));
}

bool parser_skip(struct parser *ps, const char *text)
{
	const struct word w = parser_peek(ps);

	return word_is(&w, text) ? (parser_next(ps), true) : false;
}

static bool complain_of_foreign(struct parser *ps, const struct word *w)
{
	uint32_t code;
	size_t len;

	if (!utf8_decode(w->text, &code, &len))
		return parser_complain_at(ps, w, "byte 0x%02x is not ASCII, type the character anew",
					  w->text.data[0]);
	return parser_complain_at(ps, w,
				  "U+%04X is possible in titles and comments only, type an ASCII character",
				  (unsigned)code);
}

static bool complain_of_fault(struct parser *ps, const struct word *w)
{
	switch (w->kind) {
	case WORD_NOT_ASCII: return complain_of_foreign(ps, w);
	case WORD_NOT_UTF8:
		return parser_complain_at(ps, w, "byte 0x%02x is not UTF-8, save the file as UTF-8",
					  w->text.data[0]);
	case WORD_CONTROL: return parser_complain_at(ps, w, "there is a control character, remove it");
	case WORD_TITLE_OPEN: return parser_complain_at(ps, w, "the title does not end, add a '\"'");
	case WORD_TITLE_LONG:
		return parser_complain_at(ps, w, "the title is longer than %d bytes, shorten it", TITLE_MAX);
	case WORD_END:
	case WORD_PLAIN:
	case WORD_TITLE:
	case WORD_COMMA:
	case WORD_EQUALS: break;
	}
	return false;
}

static const char *const unsupported[] = {"aggregate", "protect", "by"};

static bool is_unsupported(const struct word *w)
{
	for (size_t i = 0; i < N_WORDS(unsupported); i++)
		if (word_is(w, unsupported[i]))
			return true;
	return false;
}

bool parser_unexpected(struct parser *ps, const struct word *w, const char *what)
{
	if (w->kind >= WORD_FAULTS)
		return complain_of_fault(ps, w);
	if (w->kind == WORD_END)
		return parser_complain(ps, "the line ends too early, write %s", what);
	if (is_unsupported(w))
		return parser_complain(ps, "'%.*s' is not supported yet, leave it out", word_shown(w),
				       word_chars(w));
	return parser_complain_at(ps, w, "'%.*s' is not expected here, write %s", word_shown(w),
				  word_chars(w), what);
}

bool parser_end(struct parser *ps, const char *what)
{
	const struct word w = parser_next(ps);

	return w.kind == WORD_END || parser_unexpected(ps, &w, what);
}

bool parser_goes_on(struct parser *ps)
{
	return parser_peek(ps).kind == WORD_COMMA ? (parser_next(ps), true) : false;
}

static void *out_of_memory(struct parser *ps)
{
	ps->failed = true;
	return NULL;
}

const char *parser_keep(struct parser *ps, struct bytes text)
{
	const char *copy = arena_text(ps->p->arena, text);

	return copy ? copy : out_of_memory(ps);
}

void *parser_push(struct parser *ps, void *items, size_t *n, size_t size)
{
	void *item = arena_push(ps->p->arena, items, n, size);

	return item ? item : out_of_memory(ps);
}

const char *parser_name(struct parser *ps, const char *what, size_t max)
{
	const struct word w = parser_next(ps);

	if (w.kind != WORD_PLAIN)
		return parser_unexpected(ps, &w, what), NULL;
	if (!id_is_segment(w.text, max))
		return parser_complain_at(ps, &w,
					  "'%.*s' is not %s, those have 1 to %zu of A-Z a-z 0-9 . _ -",
					  word_shown(&w), word_chars(&w), what, max),
		       NULL;
	return parser_keep(ps, w.text);
}

const char *parser_pattern(struct parser *ps, const char *what)
{
	const struct word w = parser_next(ps);
	struct err_note note;

	if (w.kind != WORD_PLAIN)
		return parser_unexpected(ps, &w, what), NULL;
	if (pattern_check(w.text, &note) < 0)
		return parser_complain_at(ps, &w, "pattern '%.*s' is not possible: %s", word_shown(&w),
					  word_chars(&w), note.text),
		       NULL;
	return parser_keep(ps, w.text);
}
