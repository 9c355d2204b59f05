/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/print.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "proto/words.h"

enum { GAP = 2, GIVES_DOWN_TO = 12 };

void table_cell(struct table *t, enum paint colour, const char *text)
{
	struct table_cell *cell = arena_push(t->arena, &t->cells, &t->n_cells, sizeof *cell);

	if (cell)
		*cell = (struct table_cell){text_or_empty(text), colour};
	else
		t->failed = true;
}

void table_column(struct table *t, enum column how, const char *heading)
{
	enum column *column = arena_push(t->arena, &t->columns, &t->n_columns, sizeof *column);

	if (column)
		*column = how;
	else
		t->failed = true;
	table_cell(t, PAINT_PLAIN, heading);
}

void table_row(struct table *t, const char *const cells[])
{
	for (size_t i = 0; i < t->n_columns; i++)
		table_cell(t, PAINT_PLAIN, cells[i]);
}

static enum column column_of(const struct table *t, size_t column)
{
	return t->columns ? t->columns[column] : COLUMN_LEFT;
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t widest = 0;

	for (size_t i = column; i < t->n_cells; i += t->n_columns) {
		const size_t width = text_width(t->cells[i].text);
		widest = width > widest ? width : widest;
	}
	return widest;
}

static size_t line_width(const struct table *t, const size_t *widths)
{
	size_t n = 0;

	for (size_t c = 0; c < t->n_columns; c++)
		n += widths[c] > 0 ? widths[c] + (n > 0 ? GAP : 0) : 0;
	return n;
}

/* Fit the columns into the width, as far as they give way. */
static void narrow(const struct table *t, size_t *widths)
{
	for (size_t c = t->n_columns; c-- > 0;)
		if (column_of(t, c) == COLUMN_SPARE && line_width(t, widths) > t->width)
			widths[c] = 0;
	for (size_t c = t->n_columns; c-- > 0;) {
		const size_t line = line_width(t, widths), over = line > t->width ? line - t->width : 0;
		const size_t spare = widths[c] > GIVES_DOWN_TO ? widths[c] - GIVES_DOWN_TO : 0;
		if (column_of(t, c) == COLUMN_GIVES)
			widths[c] -= over < spare ? over : spare;
	}
}

static void pad(FILE *out, size_t n)
{
	while (n-- > 0)
		fputc(' ', out);
}

/* Bytes of the first so many columns. */
static size_t bytes_of_columns(const char *text, size_t columns)
{
	size_t bytes = 0, n = 0;

	for (; text[bytes]; bytes++) {
		n += ((unsigned char)text[bytes] & 0xc0) != 0x80;
		if (n > columns)
			break;
	}
	return bytes;
}

/* The text, or its begin, a sign that something is missing, and more of its end: of an id that says most. */
static const char *cut_text(struct arena *a, const char *text, size_t width)
{
	const size_t all = text_width(text), head = (width - 1) / 3, tail = width - 1 - head;

	if (all <= width)
		return text;
	return text_or_empty(arena_print(a, "%.*s…%s", (int)bytes_of_columns(text, head), text,
					 text + bytes_of_columns(text, all - tail)));
}

/* Blanks wait until something stands behind them. */
static void print_row(const struct table *t, size_t row, const size_t *widths, FILE *out)
{
	const struct table_cell *cells = &t->cells[row * t->n_columns];
	size_t blanks = 0;

	for (size_t c = 0; c < t->n_columns; c++) {
		const char *text = widths[c] > 0 ? cut_text(t->arena, cells[c].text, widths[c]) : "";
		const size_t rest = widths[c] - (*text ? text_width(text) : 0);
		const bool right = column_of(t, c) == COLUMN_RIGHT;

		if (widths[c] == 0)
			continue;
		if (*text) {
			pad(out, blanks + (right ? rest : 0));
			paint(out, row == 0 ? PAINT_BOLD : cells[c].paint, text);
			blanks = right ? 0 : rest;
		} else {
			blanks += rest;
		}
		blanks += GAP;
	}
	fputc('\n', out);
}

void table_print(const struct table *t, FILE *out)
{
	size_t *widths = arena_take_array(t->arena, t->n_columns, sizeof *widths);

	if (t->failed || !widths)
		return;
	for (size_t c = 0; c < t->n_columns; c++)
		widths[c] = column_width(t, c);
	if (t->width > 0)
		narrow(t, widths);
	for (size_t row = 0; row * t->n_columns < t->n_cells; row++)
		print_row(t, row, widths, out);
}

size_t terminal_width(FILE *out)
{
	struct winsize size;

	return isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool paint_wanted(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(out)) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

void paint(FILE *out, enum paint colour, const char *text)
{
	static const char *const codes[] = {
		[PAINT_PLAIN] = "0", [PAINT_BOLD] = "1",     [PAINT_DIM] = "2",
		[PAINT_GOOD] = "32", [PAINT_WARNING] = "33", [PAINT_ALARM] = "31",
	};

	if (colour == PAINT_PLAIN || !paint_wanted(out)) {
		print_clean(out, text);
		return;
	}
	fprintf(out, "\033[%sm", codes[colour]);
	print_clean(out, text);
	fputs("\033[0m", out);
}

void print_clean(FILE *out, const char *text)
{
	for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
		/* C1 controls are 0xc2 0x80..0x9f in UTF-8 */
		const bool control = *s < 0x20 || *s == 0x7f || (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0);
		fputc(control ? '?' : *s, out);
		s += *s == 0xc2 && control;
	}
}

size_t text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* Put commas into the digits of the integer part. */
static const char *grouped(struct arena *a, const char *plain)
{
	const size_t sign = plain[0] == '-', digits = strspn(plain + sign, "0123456789");
	char *text = arena_take(a, strlen(plain) + digits / 3 + 1), *to = text;

	if (!text)
		return "";
	for (size_t i = 0; plain[i]; i++) {
		const bool inside = i > sign && i < sign + digits;
		if (inside && (sign + digits - i) % 3 == 0)
			*to++ = ',';
		*to++ = plain[i];
	}
	return text;
}

const char *human_number(struct arena *a, double number)
{
	char plain[32];

	snprintf(plain, sizeof plain, "%.*g", fabs(number) < 1e15 && trunc(number) == number ? 15 : 10,
		 number);
	return strchr(plain, 'e') || !isdigit((unsigned char)plain[strspn(plain, "-")]) ? arena_copy(a, plain)
											: grouped(a, plain);
}

const char *human_count(struct arena *a, uint64_t number)
{
	char plain[32];

	snprintf(plain, sizeof plain, "%" PRIu64, number);
	return grouped(a, plain);
}
