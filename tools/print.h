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

/* Columns as wide as their widest cell. Cells are borrowed until table_print(). */
struct table {
	struct arena *arena;
	size_t n_columns;
	const char **cells; /* row by row */
	size_t n_cells;
	bool failed; /* memory ran out */
};

/* The first row is the heading. As many cells as there are columns. */
void table_row(struct table *t, const char *const cells[]);
void table_print(const struct table *t, FILE *out);

enum paint { PAINT_PLAIN, PAINT_BOLD, PAINT_DIM, PAINT_GOOD, PAINT_WARNING, PAINT_ALARM };

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
