/* SPDX-License-Identifier: Apache-2.0 */
/* Print - answers for people: columns, numbers with thousands, colour on a terminal.
 *
 * Text from elsewhere never reaches a terminal raw: control characters come out as '?'.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/arena.h"

enum paint { PAINT_PLAIN, PAINT_BOLD, PAINT_DIM, PAINT_GOOD, PAINT_WARNING, PAINT_ALARM };

/* LEFT, RIGHT: aligned. Where the lines would be too wide: SPARE is left out first, then GIVES (aligned left)
 * is cut in the middle, the last one first. */
enum column { COLUMN_LEFT, COLUMN_RIGHT, COLUMN_GIVES, COLUMN_SPARE };

struct table_cell {
	const char *text;
	enum paint paint;
};

/* Columns as wide as their widest cell. Texts are borrowed until table_print(). */
struct table {
	struct arena *arena;
	size_t n_columns;
	enum column *columns;     /* NULL: all of them LEFT */
	size_t width;             /* of a line; 0: whatever it takes */
	struct table_cell *cells; /* row by row */
	size_t n_cells;
	bool failed; /* memory ran out */
};

/* One more column, and its cell of the first row; before any other cell. */
void table_column(struct table *t, enum column how, const char *heading);
/* The first row is the heading. As many cells as there are columns. */
void table_row(struct table *t, const char *const cells[]);
/* The same one by one. */
void table_cell(struct table *t, enum paint colour, const char *text);
void table_print(const struct table *t, FILE *out);

/* Columns of the terminal that `out` is; 0: it is none, or does not tell. */
size_t terminal_width(FILE *out);
/* Is `out` a terminal that wants colour (NO_COLOR is not set)? */
bool paint_wanted(FILE *out);
/* Text in colour if the stream wants it. */
void paint(FILE *out, enum paint colour, const char *text);

/* Write text with its control characters replaced. */
void print_clean(FILE *out, const char *text);
/* Columns it takes on a terminal (code points). */
size_t text_width(const char *text);

/* `51,754.08`: ten significant digits, thousands grouped. In the arena; "" without memory. */
const char *human_number(struct arena *a, double number);
const char *human_count(struct arena *a, uint64_t number);
