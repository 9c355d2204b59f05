/* SPDX-License-Identifier: Apache-2.0 */
/* What a terminal is given, and what is no terminal. */
#define _XOPEN_SOURCE 600 /* pseudo-terminals */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "tests/lib/must.h"
#include "tests/unit/tools/text.h"
#include "tools/print.h"

enum { COLUMNS = 24 };

static struct arena *arena;
static int terminal;
static FILE *out;

static void begin(void)
{
	struct winsize size = {.ws_row = 10, .ws_col = COLUMNS};

	cr_assert(eq(int, arena_new(&arena, 1 << 20), 0));
	terminal = posix_openpt(O_RDWR | O_NOCTTY);
	cr_assert(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	cr_assert(eq(int, ioctl(terminal, TIOCSWINSZ, &size), 0));
	out = fopen(ptsname(terminal), "w");
	cr_assert(out != NULL);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
}

static void end(void)
{
	must(fclose(out) == 0);
	close(terminal);
	arena_free(arena);
}

TestSuite(print, .init = begin, .fini = end);

/* A terminal hands on what was written in pieces: a bell is the last of them. */
static const char *shown(void)
{
	static char text[4096];
	size_t len = 0;

	must(fputc('\a', out) == '\a' && fflush(out) == 0);
	while (len == 0 || text[len - 1] != '\a') {
		const ssize_t n = read(terminal, text + len, sizeof text - len);
		must(n > 0);
		len += (size_t)n;
	}
	text[len - 1] = '\0';
	return text;
}

Test(print, a_terminal_has_colours_and_a_width)
{
	cr_expect(eq(sz, terminal_width(out), COLUMNS));
	paint(out, PAINT_ALARM, "ala\x1brm");
	expect_text(shown(), "\033[31mala?rm\033[0m");
}

Test(print, who_wants_no_colour_gets_none)
{
	setenv("NO_COLOR", "1", 1);
	paint(out, PAINT_ALARM, "alarm");
	expect_text(shown(), "alarm");
}

Test(print, a_file_has_neither)
{
	FILE *file = tmpfile();

	cr_assert(file != NULL);
	cr_expect(eq(sz, terminal_width(file), 0));
	cr_expect(not(paint_wanted(file)));
	fclose(file);
}

static void table_of(size_t width)
{
	struct table t = {.arena = arena, .width = width};

	table_column(&t, COLUMN_GIVES, "TWIN");
	table_column(&t, COLUMN_RIGHT, "VALUE");
	table_column(&t, COLUMN_SPARE, "SHARE");
	table_cell(&t, PAINT_GOOD, "acme/plant/line/press1");
	table_cell(&t, PAINT_PLAIN, "12 MW");
	table_cell(&t, PAINT_PLAIN, "██");
	table_print(&t, out);
}

Test(print, a_table_is_fitted_into_the_width_of_its_lines)
{
	setenv("NO_COLOR", "1", 1);
	table_of(0);
	expect_text(shown(), "TWIN                    VALUE  SHARE\r\nacme/plant/line/press1  12 MW  ██\r\n");
	table_of(30);
	expect_text(shown(), "TWIN                    VALUE\r\nacme/plant/line/press1  12 MW\r\n");
	table_of(COLUMNS);
	expect_text(shown(), "TWIN               VALUE\r\nacme/…line/press1  12 MW\r\n");
}
