/* SPDX-License-Identifier: Apache-2.0 */
#include "node/tail_map.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/clock.h"
#include "tests/lib/must.h"

static struct arena *arena;
static struct err_note note;
static struct tail_map map;
static json_t *config;

static void set_up(void)
{
	must(arena_new(&arena, 1 << 20) == 0);
}

static void tear_down(void)
{
	arena_free(arena);
	arena = NULL;
	json_decref(config);
	config = NULL;
}

TestSuite(tail_map, .init = set_up, .fini = tear_down);

/* Single quotes for double ones. */
static int read_map(const char *text)
{
	char *json = arena_copy(arena, text);

	for (char *c = json; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	json_decref(config);
	config = NULL;
	cr_assert(setting_parse("t", json, strlen(json), &config, &note) == 0, "%s", note.text);
	return tail_map_read(arena, "t", config, &map, &note);
}

static void refuses(const char *text, const char *want)
{
	note.text[0] = '\0';
	cr_expect(eq(int, read_map(text), ERR_REFUSED), "%s", text);
	cr_expect(strcmp(note.text, want) == 0, "is:        %s\nshould be: %s", note.text, want);
}

#define COLUMN(rest) \
	"{'file': 'f.csv', 'columns': [{'column': 'x', 'twin': 'acme/p', 'property': 'a'" rest "}]}"

Test(tail_map, what_makes_no_sense_is_refused_by_its_key)
{
	refuses("{'columns': []}", "t: the key 'file' is missing");
	refuses("{'file': 'f', 'header': false, 'columns': [{'column': 'x', 'twin': 'acme/p', 'property': "
		"'a'}]}",
		"t: columns[0].column: without a header it must be a number, the first one is 1");
	refuses("{'file': 'f', 'columns': [{'column': 0, 'twin': 'acme/p', 'property': 'a'}]}",
		"t: columns[0].column: it must be a name in the header, or a number from 1 to 1024");
	cr_expect(eq(int, read_map(COLUMN(", 'unit': 'furlongs per'")), ERR_REFUSED));
	cr_expect(eq(int, read_map(COLUMN(", 'colour': 1")), ERR_REFUSED));
	cr_expect(eq(int, read_map(COLUMN("")), 0), "%s", note.text);
}

static struct tail_line cut_line(const char *text)
{
	static char copies[4][200];
	static unsigned n;
	char *copy = copies[n++ % 4];
	struct tail_line line;

	snprintf(copy, sizeof copies[0], "%s", text);
	cr_assert(tail_cut(copy, ',', &line, &note) == 0, "%s", note.text);
	return line;
}

Test(tail_map, a_line_is_cut_into_its_cells)
{
	const struct tail_line line = cut_line("a,,\"b,\"\"c\"\"\",\r");
	static const char *const want[] = {"a", "", "b,\"c\"", ""};
	char wrong[] = "a,\"b", wrong_too[] = "\"a\"b,c";
	struct tail_line none;

	cr_assert(eq(sz, line.n, 4));
	for (size_t i = 0; i < 4; i++)
		cr_expect(strcmp(line.cells[i], want[i]) == 0, "%zu: '%s'", i, line.cells[i]);
	cr_expect(eq(int, tail_cut(wrong, ',', &none, &note), ERR_REFUSED));
	cr_expect(eq(int, tail_cut(wrong_too, ',', &none, &note), ERR_REFUSED));
}

Test(tail_map, columns_are_found_by_their_names)
{
	cr_assert(read_map(COLUMN("")) == 0);
	cr_assert(tail_map_header(&map, arena, bytes_of_text("t,x,machine"), &note) == 0);
	cr_expect(eq(sz, map.columns[0].cell.place, 1));
	cr_expect(eq(int, tail_map_header(&map, arena, bytes_of_text("t,y"), &note), ERR_REFUSED));
	cr_expect(strcmp(note.text, "f.csv has no column 'x' in its first line") == 0, "%s", note.text);
}

Test(tail_map, twins_are_named_by_cells)
{
	char id[TWIN_ID_MAX + 1];

	cr_assert(read_map(COLUMN("")) == 0);
	cr_assert(tail_map_header(&map, arena, bytes_of_text("t,x,machine"), &note) == 0);
	const struct tail_line line = cut_line("0,1,line1/m7"), bad = cut_line("0,1,a b"),
			       few = cut_line("0");
	cr_expect(tail_twin(&map, &line, "acme/{machine}/drive{2}", id, &note) == 0, "%s", note.text);
	cr_expect(strcmp(id, "acme/line1/m7/drive1") == 0, "%s", id);
	cr_expect(eq(int, tail_twin(&map, &bad, "acme/{machine}", id, &note), ERR_REFUSED));
	cr_expect(eq(int, tail_twin(&map, &few, "acme/{machine}", id, &note), ERR_REFUSED));
	cr_expect(eq(int, tail_twin(&map, &line, "acme/{machine", id, &note), ERR_REFUSED));
	cr_expect(eq(int, tail_twin(&map, &line, "acme/{nothing}", id, &note), ERR_REFUSED));
}

Test(tail_map, times_have_the_stated_form)
{
	static const struct {
		int form;
		const char *text;
		int64_t ns;
	} times[] = {{TAIL_S, "1700000000.5", INT64_C(1700000000500000000)},
		     {TAIL_S, "-1.5", INT64_C(-1500000000)},
		     {TAIL_MS, "1700000000123", INT64_C(1700000000123000000)},
		     {TAIL_NS, "1700000000123456789", INT64_C(1700000000123456789)},
		     {TAIL_ISO, "1970-01-01T00:00:01Z", NS_PER_S}};
	static const char *const wrong[] = {"", "now", "1x", "99999999999", "1e5"};
	int64_t t;

	map = (struct tail_map){.has_time = true};
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		const struct tail_line line = cut_line(times[i].text);
		map.time_form = times[i].form;
		cr_expect(tail_line_time(&map, &line, &t, &note) == 0 && t == times[i].ns, "%zu: %lld", i,
			  (long long)t);
	}
	map.time_form = TAIL_S;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		const struct tail_line line = cut_line(wrong[i]);
		cr_expect(eq(int, tail_line_time(&map, &line, &t, &note), ERR_REFUSED), "%s", wrong[i]);
	}
}
