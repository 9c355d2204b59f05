/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "proto/buf.h"

/* Reading and writing place in the same text: a cell never grows when its quotes go. */
struct reader {
	struct csv *t;
	char *at, *end;
	unsigned line;
	size_t n_cells, cells_size, n_lines, lines_size;
	struct err_note *note;
};

static int grow(void *items, size_t *size, size_t n, size_t item_bytes)
{
	void **array = items;
	size_t more = *size > 0 ? *size * 2 : 256;
	void *grown;

	if (n < *size)
		return 0;
	grown = realloc(*array, more * item_bytes);
	if (!grown)
		return FAIL(-ENOMEM);
	*array = grown;
	*size = more;
	return 0;
}

static int put_cell(struct reader *r, char *cell)
{
	TRY(grow(&r->t->cells, &r->cells_size, r->n_cells, sizeof *r->t->cells));
	r->t->cells[r->n_cells++] = cell;
	return 0;
}

static int put_line(struct reader *r, unsigned line)
{
	TRY(grow(&r->t->lines, &r->lines_size, r->n_lines, sizeof *r->t->lines));
	r->t->lines[r->n_lines++] = line;
	return 0;
}

static bool at_line_end(const struct reader *r)
{
	return r->at == r->end || *r->at == '\n' ||
	       (*r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n');
}

/* The inside of quotes moves to the cell's begin; stands behind the closing quote afterwards. */
static int read_quoted(struct reader *r, char **ret_end)
{
	const unsigned opened = r->line;
	char *to = r->at++;

	for (; r->at < r->end; r->at++) {
		if (*r->at == '"' && (r->at + 1 == r->end || r->at[1] != '"')) {
			r->at++;
			*ret_end = to;
			return 0;
		}
		r->at += *r->at == '"';
		r->line += *r->at == '\n';
		*to++ = *r->at;
	}
	return FAIL_SAY(r->note, ERR_REFUSED, "%s:%u: a quote is opened and never closed", r->t->name,
			opened);
}

/* One field; ret_more: a comma follows, and with it another field. */
static int read_field(struct reader *r, bool *ret_more)
{
	char *cell = r->at, *cell_end = cell;

	if (r->at < r->end && *r->at == '"') {
		TRY(read_quoted(r, &cell_end));
		if (!at_line_end(r) && *r->at != ',')
			return FAIL_SAY(r->note, ERR_REFUSED, "%s:%u: text behind a closing quote",
					r->t->name, r->line);
	} else {
		while (!at_line_end(r) && *r->at != ',')
			r->at++;
		cell_end = r->at;
	}
	*ret_more = r->at < r->end && *r->at == ',';
	if (*ret_more) {
		r->at++;
	} else if (r->at < r->end) {
		r->at += *r->at == '\r' ? 2 : 1;
		r->line++;
	}
	*cell_end = '\0';
	return put_cell(r, cell);
}

static int note_bad_row(struct reader *r, unsigned line, size_t n_fields)
{
	struct csv *t = r->t;
	struct csv_bad *grown = realloc(t->bad, (t->n_bad + 1) * sizeof *grown);

	if (!grown)
		return FAIL(-ENOMEM);
	t->bad = grown;
	t->bad[t->n_bad++] = (struct csv_bad){line, n_fields};
	return 0;
}

static int read_row(struct reader *r)
{
	const unsigned line = r->line;
	const size_t begin = r->n_cells;
	bool more = true;
	size_t n;

	while (more)
		TRY(read_field(r, &more));
	n = r->n_cells - begin;
	if (begin == 0 && n > CSV_COLUMNS_MAX)
		return FAIL_SAY(r->note, ERR_REFUSED, "%s:%u: more than %d columns", r->t->name, line,
				CSV_COLUMNS_MAX);
	if (begin == 0)
		r->t->n_columns = n;
	if (n == r->t->n_columns)
		return put_line(r, line);
	r->n_cells = begin;
	if (n == 1 && *r->t->cells[begin] == '\0')
		return 0; /* an empty line */
	return note_bad_row(r, line, n);
}

static int read_table(struct csv *t, size_t len, struct err_note *note)
{
	struct reader r = {.t = t, .at = t->text, .end = t->text + len, .line = 1, .note = note};

	if (bytes_start_with((struct bytes){(uint8_t *)t->text, len}, BYTES("\xef\xbb\xbf")))
		r.at += 3;
	if (memchr(t->text, '\0', len))
		return FAIL_SAY(note, ERR_REFUSED, "%s: holds NUL bytes: not a CSV text", t->name);
	if (r.at == r.end)
		return FAIL_SAY(note, ERR_REFUSED, "%s:1: the file is empty, there is no header", t->name);
	while (r.at < r.end)
		TRY(read_row(&r));
	t->n_rows = r.n_lines - 1;
	return 0;
}

static int make(struct csv **ret, char *text, size_t len, const char *name, struct err_note *note)
{
	SCOPED(scope_csv) struct csv *t = calloc(1, sizeof *t);

	if (!t) {
		free(text);
		return FAIL(-ENOMEM);
	}
	t->text = text;
	t->name = strdup(name);
	if (!t->name)
		return FAIL(-ENOMEM);
	TRY(read_table(t, len, note));
	*ret = MOVE(t);
	return 0;
}

int csv_read(struct csv **ret, struct bytes text, const char *name, struct err_note *note)
{
	char *copy = malloc(text.len + 1);

	if (!copy)
		return FAIL(-ENOMEM);
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return make(ret, copy, text.len, name, note);
}

static void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

int csv_open(struct csv **ret, const char *dir, const char *name, struct err_note *note)
{
	SCOPED(buf_fini) struct buf path = {0};
	SCOPED(close_file) FILE *f = NULL;
	SCOPED(scope_free) char *text = NULL;
	struct stat st;
	size_t n;

	buf_print(&path, "%s/%s", dir, name);
	buf_put_u8(&path, 0);
	TRY(buf_check(&path));
	f = fopen((const char *)path.data, "rb");
	if (!f || fstat(fileno(f), &st) < 0)
		return FAIL_SAY(note, -errno, "%s: %s", (const char *)path.data, err_text(-errno));
	if (!S_ISREG(st.st_mode) || st.st_size > CSV_BYTES_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "%s: not a file of at most %d bytes",
				(const char *)path.data, CSV_BYTES_MAX);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return FAIL(-ENOMEM);
	n = fread(text, 1, (size_t)st.st_size, f);
	if (ferror(f))
		return FAIL_SAY(note, -EIO, "%s: cannot be read", (const char *)path.data);
	text[n] = '\0';
	return make(ret, MOVE(text), n, name, note);
}

void csv_close(struct csv *t)
{
	if (!t)
		return;
	free(t->name);
	free(t->text);
	free(t->cells);
	free(t->lines);
	free(t->bad);
	free(t);
}

bool csv_column(const struct csv *t, const char *name, size_t *ret)
{
	if (name[0] == '#') {
		char *end;
		const unsigned long number = strtoul(name + 1, &end, 10);
		*ret = number - 1;
		return name[1] >= '0' && name[1] <= '9' && *end == '\0' && number >= 1 &&
		       number <= t->n_columns;
	}
	for (*ret = 0; *ret < t->n_columns; ++*ret)
		if (strcmp(csv_header(t, *ret), name) == 0)
			return true;
	return false;
}
