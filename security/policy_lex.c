/* SPDX-License-Identifier: Apache-2.0 */
#include "security/policy_lex.h"

bool utf8_decode(struct bytes text, uint32_t *ret, size_t *ret_len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t first = text.len > 0 ? text.data[0] : 0x80;
	const size_t n = first < 0x80   ? 1
			 : first < 0xc0 ? 0
			 : first < 0xe0 ? 2
			 : first < 0xf0 ? 3
			 : first < 0xf8 ? 4
					: 0;
	uint32_t code = n == 1 ? first : first & (0x7fu >> n);

	if (n == 0 || n > text.len)
		return false;
	for (size_t i = 1; i < n; i++) {
		if ((text.data[i] & 0xc0) != 0x80)
			return false;
		code = code << 6 | (text.data[i] & 0x3fu);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return false;
	*ret = code;
	*ret_len = n;
	return true;
}

struct lines lines_of(const char *text)
{
	struct bytes all = bytes_of_text(text);
	const struct bytes mark = BYTES("\xef\xbb\xbf");

	if (bytes_start_with(all, mark))
		all = (struct bytes){all.data + mark.len, all.len - mark.len};
	return (struct lines){.rest = all};
}

bool lines_next(struct lines *l, struct line *ret)
{
	if (l->rest.len == 0)
		return false;
	const uint8_t *end = memchr(l->rest.data, '\n', l->rest.len);
	const size_t len = end ? (size_t)(end - l->rest.data) : l->rest.len;
	const size_t used = end ? len + 1 : len;
	struct bytes text = {l->rest.data, len};

	if (text.len > 0 && text.data[text.len - 1] == '\r')
		text.len--;
	l->rest = (struct bytes){l->rest.data + used, l->rest.len - used};
	*ret = (struct line){.text = text, .number = ++l->number};
	return true;
}

static bool is_control(uint8_t c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

static bool is_separator(uint8_t c)
{
	return c == ' ' || c == '\t' || c == ',' || c == '=' || c == '#' || c == '"';
}

static bool is_plain(uint8_t c)
{
	return c > 0x20 && c < 0x7f && !is_separator(c);
}

unsigned line_column(const struct line *l, const struct word *w)
{
	unsigned n = 1;

	for (const uint8_t *c = l->text.data; c < w->text.data; c++)
		n += (*c & 0xc0) != 0x80; /* the later bytes of a character do not count */
	return n;
}

/* A word of `len` bytes from `from` on; the line goes on at `next`. */
static struct word cut(struct line *l, enum word_kind kind, size_t from, size_t len, size_t next)
{
	l->at = next;
	return (struct word){kind, {l->text.data + from, len}};
}

/* The fault stays where it is: whoever reads on meets it again. */
static struct word fault(struct line *l, enum word_kind kind, size_t at)
{
	return cut(l, kind, at, l->text.len - at, l->at);
}

/* Titles and comments hold any text that cannot play tricks on a screen. Where it stops being so, or `stop`
 * is met, or the line ends: that place, and in *ret_fault WORD_END or what is wrong. */
static size_t skip_text(const struct line *l, size_t at, uint8_t stop, enum word_kind *ret_fault)
{
	uint32_t code;
	size_t len;

	*ret_fault = WORD_END;
	while (at < l->text.len && l->text.data[at] != stop) {
		const struct bytes rest = {l->text.data + at, l->text.len - at};
		if (!utf8_decode(rest, &code, &len))
			*ret_fault = WORD_NOT_UTF8;
		else if ((code < 0x20 && code != '\t') || (code >= 0x7f && code < 0xa0))
			*ret_fault = WORD_CONTROL;
		if (*ret_fault != WORD_END)
			break;
		at += len;
	}
	return at;
}

static struct word next_comment(struct line *l)
{
	enum word_kind kind;
	const size_t end = skip_text(l, l->at, '\n', &kind);

	return kind == WORD_END ? cut(l, WORD_END, end, 0, end) : fault(l, kind, end);
}

static struct word next_title(struct line *l)
{
	enum word_kind kind;
	const size_t from = l->at + 1, end = skip_text(l, from, '"', &kind);

	if (kind != WORD_END)
		return fault(l, kind, end);
	if (end == l->text.len)
		return fault(l, WORD_TITLE_OPEN, l->at);
	if (end - from > TITLE_MAX)
		return fault(l, WORD_TITLE_LONG, l->at);
	return cut(l, WORD_TITLE, from, end - from, end + 1);
}

struct word line_next(struct line *l)
{
	const uint8_t *text = l->text.data;
	size_t end;

	while (l->at < l->text.len && (text[l->at] == ' ' || text[l->at] == '\t'))
		l->at++;
	if (l->at == l->text.len)
		return cut(l, WORD_END, l->at, 0, l->at);
	const uint8_t c = text[l->at];
	if (c == '#')
		return next_comment(l);
	if (c == '"')
		return next_title(l);
	if (c == ',' || c == '=')
		return cut(l, c == ',' ? WORD_COMMA : WORD_EQUALS, l->at, 1, l->at + 1);
	for (end = l->at; end < l->text.len && is_plain(text[end]);)
		end++;
	if (end < l->text.len &&
	    !is_separator(text[end])) /* also in the middle: a look-alike makes no two words */
		return fault(l, is_control(text[end]) ? WORD_CONTROL : WORD_NOT_ASCII, end);
	return cut(l, WORD_PLAIN, l->at, end - l->at, end);
}
