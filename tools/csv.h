/* SPDX-License-Identifier: Apache-2.0 */
/* Csv - a table read as a whole: RFC 4180 with quotes, LF or CRLF, and a byte-order mark that is skipped.
 *
 * The first line is the header. Rows whose number of fields differs from it are kept apart as bad. NUL bytes
 * are refused. Owner:   csv_open() makes it; cells point into it.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/scope.h"

struct csv {
	char *name;               /* as in reports */
	char *text;               /* the file, cut into cells in place */
	char **cells;             /* header first, then row by row: n_columns each */
	unsigned *lines;          /* of each row; [0] is the header's */
	size_t n_columns, n_rows; /* without the header */
	struct csv_bad {
		unsigned line;
		size_t n_fields;
	} * bad;
	size_t n_bad;
};

enum { CSV_BYTES_MAX = 1 << 30, CSV_COLUMNS_MAX = 1 << 20 };

/* `dir`/`name`; reports say `name`. ERR_REFUSED or -errno with a note `name:line: what`. */
MUST_CHECK int csv_open(struct csv **ret, const char *dir, const char *name, struct err_note *note);
/* The same from memory, which is copied. */
MUST_CHECK int csv_read(struct csv **ret, struct bytes text, const char *name, struct err_note *note);
void csv_close(struct csv *t); /* NULL is fine */

static inline const char *csv_header(const struct csv *t, size_t column)
{
	return t->cells[column];
}

static inline const char *csv_cell(const struct csv *t, size_t row, size_t column)
{
	return t->cells[(row + 1) * t->n_columns + column];
}

static inline unsigned csv_line(const struct csv *t, size_t row)
{
	return t->lines[row + 1];
}

/* A column by its header, or by `#N`. False: there is none. Of equal headers the first. */
bool csv_column(const struct csv *t, const char *name, size_t *ret);

/* ---- Writing: a cell; commas and ends of lines are the caller's. */

/* In quotes where it needs them. */
void csv_put_text(FILE *out, const char *text);
/* The shortest text that reads back; nothing if it is not finite. */
void csv_put_number(FILE *out, double number);

DEFINE_SCOPED(csv, csv_close)
