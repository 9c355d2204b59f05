/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/print.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

void table_row(struct table *t, const char *const cells[])
{
	for (size_t i = 0; i < t->n_columns; i++) {
		const char **cell = arena_push(t->arena, &t->cells, &t->n_cells, sizeof *cell);
		if (cell)
			*cell = cells[i] ? cells[i] : "";
		else
			t->failed = true;
	}
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t widest = 0;

	for (size_t i = column; i < t->n_cells; i += t->n_columns) {
		const size_t width = text_width(t->cells[i]);
		widest = width > widest ? width : widest;
	}
	return widest;
}

static void pad(FILE *out, size_t n)
{
	while (n-- > 0)
		fputc(' ', out);
}

/* Blanks wait until something stands behind them. */
static void print_row(const struct table *t, size_t row, const size_t *widths, FILE *out)
{
	const char *const *cells = &t->cells[row * t->n_columns];
	size_t blanks = 0;

	for (size_t c = 0; c < t->n_columns; c++) {
		if (*cells[c]) {
			pad(out, blanks);
			blanks = 0;
			paint(out, row == 0 ? PAINT_BOLD : PAINT_PLAIN, cells[c]);
		}
		blanks += widths[c] - text_width(cells[c]) + 2;
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
	for (size_t row = 0; row * t->n_columns < t->n_cells; row++)
		print_row(t, row, widths, out);
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
