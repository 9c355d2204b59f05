/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "proto/buf.h"
#include "tests/unit/tools/text.h"
#include "tools/csv.h"

static struct csv *t;
static struct err_note note;

static void done(void)
{
	csv_close(t);
	t = NULL;
}

TestSuite(csv, .fini = done);

static int read_text(const char *text)
{
	return csv_read(&t, bytes_of_text(text), "t.csv", &note);
}

Test(csv, cells_are_found_by_row_and_column)
{
	size_t column;

	cr_assert(eq(int, read_text("id,name\n1,one\n2,two\n"), 0));
	cr_expect(eq(sz, t->n_rows, 2));
	cr_expect(csv_column(t, "name", &column));
	expect_text(csv_cell(t, 1, column), "two");
	cr_expect(eq(uint, csv_line(t, 1), 3));
}

Test(csv, quotes_hide_commas_line_ends_and_quotes)
{
	cr_assert(eq(int, read_text("a,b\n\"x, \"\"y\"\"\n z\",\"\"\nlast,1\n"), 0));
	expect_text(csv_cell(t, 0, 0), "x, \"y\"\n z");
	expect_text(csv_cell(t, 0, 1), "");
	cr_expect(eq(uint, csv_line(t, 1), 4));
}

Test(csv, crlf_a_byte_order_mark_and_a_missing_last_line_end_do_not_matter)
{
	cr_assert(eq(int,
		     read_text("\xef\xbb\xbf"
			       "a,b\r\n1,2\r\n3,4"),
		     0));
	expect_text(csv_header(t, 0), "a");
	cr_expect(eq(sz, t->n_rows, 2));
	expect_text(csv_cell(t, 0, 1), "2");
	expect_text(csv_cell(t, 1, 1), "4");
}

Test(csv, a_column_without_header_is_found_by_its_place)
{
	size_t column;

	cr_assert(eq(int, read_text(",x\n0,1\n"), 0));
	cr_expect(csv_column(t, "#1", &column));
	cr_expect(eq(sz, column, 0));
	cr_expect(not(csv_column(t, "#0", &column)));
	cr_expect(not(csv_column(t, "#3", &column)));
	cr_expect(not(csv_column(t, "#-1", &column)));
	cr_expect(not(csv_column(t, "#1x", &column)));
	cr_expect(not(csv_column(t, "#", &column)));
	cr_expect(not(csv_column(t, "y", &column)));
}

Test(csv, rows_of_another_length_are_kept_apart_and_empty_lines_are_nothing)
{
	cr_assert(eq(int, read_text("a,b\n1\n\n1,2,3\n1,2\n"), 0));
	cr_expect(eq(sz, t->n_rows, 1));
	cr_expect(eq(uint, csv_line(t, 0), 5));
	cr_assert(eq(sz, t->n_bad, 2));
	cr_expect(eq(uint, t->bad[0].line, 2));
	cr_expect(eq(uint, t->bad[1].line, 4));
	cr_expect(eq(sz, t->bad[1].n_fields, 3));
}

Test(csv, more_rows_than_fit_at_first_are_all_there)
{
	SCOPED(buf_fini) struct buf text = {0};

	buf_put_text(&text, "a\n");
	for (int i = 0; i < 5000; i++)
		buf_print(&text, "%d\n", i);
	cr_assert(eq(int, csv_read(&t, buf_bytes(&text), "t.csv", &note), 0));
	cr_expect(eq(sz, t->n_rows, 5000));
	expect_text(csv_cell(t, 4999, 0), "4999");
}

Test(csv, what_is_no_csv_is_refused_with_file_and_line)
{
	cr_expect(eq(int, read_text(""), ERR_REFUSED));
	expect_text(note.text, "t.csv:1: the file is empty, there is no header");
	cr_expect(eq(int, read_text("a\n1\n\"x\n\n"), ERR_REFUSED));
	expect_text(note.text, "t.csv:3: a quote is opened and never closed");
	cr_expect(eq(int, read_text("a\n\"x\"y\n"), ERR_REFUSED));
	expect_text(note.text, "t.csv:2: text behind a closing quote");
	cr_expect(eq(int, csv_read(&t, BYTES("a\n\0\n"), "t.csv", &note), ERR_REFUSED));
	cr_expect(eq(int, csv_open(&t, "/nowhere", "t.csv", &note), -ENOENT));
	expect_text(note.text, "/nowhere/t.csv: No such file or directory");
	cr_expect(eq(int, csv_open(&t, "/", "dev", &note), ERR_REFUSED));
}
