/* SPDX-License-Identifier: Apache-2.0 */
/* Policy lex - a policy text cut into lines and the lines into words.
 *
 * A word is a run of visible ASCII characters; `,` and `=` stand alone; "a title" may hold any UTF-8 text;
 * `#` begins a comment. Blanks, tabs, a byte order mark and the carriage return of CRLF are decoration.
 * Anything else, such as look-alike letters of other scripts and control characters (also in titles and
 * comments, where they could hide rules on a screen), is a fault.
 *
 * Views: words point into the text.
 */
#pragma once

#include "proto/bytes.h"

enum { TITLE_MAX = 200 };

enum word_kind {
	WORD_END, /* of the line; comes again when asked again */
	WORD_PLAIN,
	WORD_TITLE,
	WORD_COMMA,
	WORD_EQUALS,
	WORD_FAULTS, /* from here on: what is wrong with the text */
	WORD_NOT_ASCII = WORD_FAULTS,
	WORD_NOT_UTF8,
	WORD_CONTROL,
	WORD_TITLE_OPEN,
	WORD_TITLE_LONG,
};

struct word {
	enum word_kind kind;
	struct bytes text; /* of a title without the quotes; of a fault the offending character */
};

struct line {
	struct bytes text;
	size_t at;
	unsigned number; /* 1.. */
};

struct lines {
	struct bytes rest;
	unsigned number; /* of the line read last */
};

struct lines lines_of(const char *text);
bool lines_next(struct lines *l, struct line *ret); /* false: no line is left */

struct word line_next(struct line *l);

/* Where a word of the line stands: 1.., in characters. Counts from the front: for findings, not for every
 * word. */
unsigned line_column(const struct line *l, const struct word *w);

/* The character at the front of `text` as a code point, *ret_len its bytes; false if it is not UTF-8. */
bool utf8_decode(struct bytes text, uint32_t *ret, size_t *ret_len);
