/* SPDX-License-Identifier: Apache-2.0 */
/* A file that grows, against what was written to it: every line once and in order, whatever happens between
 * two looks.
 */
#include "node/tail_file.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

static struct tail_file *tail;
static struct err_note note;
static struct tail_batch batch;
static char path[512], old[520], record[520], got[1 << 20];
static size_t n_got;
static int64_t now_ns = 1;
static bool has_header, from_end;

static void set_up(void)
{
	const char *tmpdir = tmpdir_make();

	snprintf(path, sizeof path, "%s/f.csv", tmpdir);
	snprintf(old, sizeof old, "%s/f.csv.1", tmpdir);
	snprintf(record, sizeof record, "%s/record", tmpdir);
	n_got = 0;
}

static void open_tail(void)
{
	const struct tail_options opt = {
		.path = path, .record = record, .has_header = has_header, .from_end = from_end};

	tail_file_free(tail);
	tail = NULL;
	cr_assert(tail_file_new(&tail, &opt) == 0);
}

static void tear_down(void)
{
	tail_file_free(tail);
	tail = NULL;
	tmpdir_remove();
}

TestSuite(tail_file, .init = set_up, .fini = tear_down);

static void write_to(const char *where, const char *mode, const char *text)
{
	FILE *f = fopen(where, mode);

	must(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static int look(void)
{
	return tail_file_next(tail, now_ns, &batch, &note);
}

/* All there is, stored; then so much time passes that a renamed file is over. */
static void take(void)
{
	int r;

	for (int i = 0; i < 2; i++) {
		while ((r = look()) == 0) {
			memcpy(got + n_got, batch.lines.data, batch.lines.len);
			n_got += batch.lines.len;
			tail_file_stored(tail);
		}
		cr_assert(eq(int, r, TAIL_NOTHING), "%s", note.text);
		now_ns += TAIL_GRACE_MS * NS_PER_MS;
	}
	got[n_got] = '\0';
}

#define EXPECT(text) cr_expect(strcmp(got, text) == 0, "is:        %s\nshould be: %s", got, text)

Test(tail_file, whole_lines_come_once)
{
	write_to(path, "w", "a\nb\nhal");
	open_tail();
	take();
	EXPECT("a\nb\n");
	take();
	EXPECT("a\nb\n");
	write_to(path, "a", "f\n\nc\n");
	take();
	EXPECT("a\nb\nhalf\n\nc\n");
}

Test(tail_file, what_was_not_stored_comes_again_with_its_time_also_after_a_crash)
{
	write_to(path, "w", "a\nb\n");
	now_ns = 17;
	open_tail();
	cr_assert(look() == 0 && batch.t_ns == 17 && batch.lines.len == 4);
	write_to(path, "a", "c\n");
	now_ns = 18;
	cr_assert(look() == 0);
	cr_expect(batch.t_ns == 17 && batch.lines.len == 4);
	open_tail();
	cr_assert(look() == 0);
	cr_expect(batch.t_ns == 17 && batch.lines.len == 4);
	tail_file_stored(tail);
	cr_assert(look() == 0);
	cr_expect(batch.t_ns == 18 && batch.lines.len == 2);
	tail_file_stored(tail);
	cr_expect(eq(int, look(), TAIL_NOTHING));
	open_tail();
	cr_expect(eq(int, look(), TAIL_NOTHING));
}

Test(tail_file, a_renamed_file_is_read_to_its_end)
{
	write_to(path, "w", "a\n");
	open_tail();
	take();
	write_to(path, "a", "b\n");
	must(rename(path, old) == 0);
	write_to(old, "a", "last");
	write_to(path, "w", "c\n");
	take();
	take();
	EXPECT("a\nb\nlast\nc\n");
}

Test(tail_file, a_file_that_was_renamed_during_a_crash_is_found)
{
	write_to(path, "w", "a\nb\n");
	open_tail();
	take();
	write_to(path, "a", "c\n");
	must(rename(path, old) == 0);
	write_to(path, "w", "d\n");
	open_tail();
	take();
	take();
	EXPECT("a\nb\nc\nd\n");
	cr_expect(batch.lost == false);
}

Test(tail_file, a_file_that_is_gone_is_told_of)
{
	write_to(path, "w", "a\nb\n");
	open_tail();
	take();
	must(rename(path, old) == 0 && unlink(old) == 0);
	write_to(path, "w", "other\n");
	open_tail();
	cr_assert(look() == 0);
	cr_expect(batch.lost && batch.new_file && batch.lines.len == 6);
}

Test(tail_file, a_file_that_was_cut_is_read_from_its_beginning)
{
	write_to(path, "w", "a\nb\n");
	open_tail();
	take();
	write_to(path, "w", "c\n");
	take();
	EXPECT("a\nb\nc\n");
	write_to(path, "w", "longer than before\nd\n");
	take();
	EXPECT("a\nb\nc\nlonger than before\nd\n");
}

Test(tail_file, the_header_is_no_line_and_known_after_a_crash)
{
	has_header = true;
	write_to(path, "w", "x,y");
	open_tail();
	take();
	EXPECT("");
	write_to(path, "a", "\n1,2\n");
	take();
	EXPECT("1,2\n");
	write_to(path, "a", "3,4\n");
	open_tail();
	cr_assert(look() == 0);
	cr_expect(batch.header.len == 3 && memcmp(batch.header.data, "x,y", 3) == 0);
	cr_expect(batch.lines.len == 4);
}

Test(tail_file, from_the_end_only_what_is_new_comes)
{
	from_end = true;
	write_to(path, "w", "a\nb\nhal");
	open_tail();
	take();
	write_to(path, "a", "f\nc\n");
	take();
	EXPECT("c\n");
}

Test(tail_file, a_line_without_end_is_skipped_and_the_next_one_is_not)
{
	FILE *f = fopen(path, "w");
	bool too_long = false;
	int r;

	must(f);
	fputs("a\n", f);
	for (int i = 0; i < 300000; i++)
		fputc('x', f);
	fputs("\nb\n", f);
	must(fclose(f) == 0);
	open_tail();
	while ((r = look()) == 0) {
		memcpy(got + n_got, batch.lines.data, batch.lines.len);
		n_got += batch.lines.len;
		too_long |= batch.too_long;
		tail_file_stored(tail);
	}
	cr_expect(eq(int, r, TAIL_NOTHING));
	got[n_got] = '\0';
	EXPECT("a\nb\n");
	cr_expect(too_long);
}

Test(tail_file, a_file_that_is_not_there_is_a_failure_that_passes)
{
	open_tail();
	cr_expect(eq(int, look(), -ENOENT));
	cr_expect(strstr(note.text, "f.csv: ") != NULL);
	write_to(path, "w", "a\n");
	take();
	EXPECT("a\n");
}

static unsigned draw(void)
{
	static uint32_t x = 4711;

	x ^= x << 13;
	x ^= x >> 17;
	return x ^= x << 5;
}

/* The next line is that number. */
static const char *hear(const char *at, const char *stop, unsigned want)
{
	const unsigned long number = strtoul(at, NULL, 10);

	cr_assert(number == want, "%lu is not %u", number, want);
	return (const char *)memchr(at, '\n', (size_t)(stop - at)) + 1;
}

/* Lines 0, 1, 2, ... are written while the file is renamed, cut when all was read, and the reader crashes. */
Test(tail_file, nothing_is_lost_or_comes_twice_in_a_random_life)
{
	unsigned next = 0, heard = 0;
	int r;

	open_tail();
	write_to(path, "w", "");
	for (int step = 0; step < 3000; step++) {
		char line[32];
		switch (draw() % 8) {
		case 0: open_tail(); break;
		case 1:
			r = look();
			cr_assert(r >= 0, "%s", note.text);
			if (r != TAIL_NOTHING)
				break; /* not stored: it comes again */
			now_ns += TAIL_GRACE_MS * NS_PER_MS;
			if (look() != TAIL_NOTHING)
				break;
			if (access(old, F_OK) == 0)
				unlink(old);
			must(rename(path, old) == 0);
			write_to(path, "w", "");
			break;
		case 2:
		case 3:
			for (; (r = look()) == 0; tail_file_stored(tail)) {
				const char *at = (const char *)batch.lines.data, *stop = at + batch.lines.len;
				for (; at < stop; heard++)
					at = hear(at, stop, heard);
			}
			now_ns += draw() % 2 * TAIL_GRACE_MS * NS_PER_MS;
			break;
		default: snprintf(line, sizeof line, "%u\n", next++); write_to(path, "a", line);
		}
	}
	for (int i = 0; i < 4; i++, now_ns += TAIL_GRACE_MS * NS_PER_MS)
		for (; (r = look()) == 0; tail_file_stored(tail))
			for (size_t k = 0; k < batch.lines.len; k++)
				heard += batch.lines.data[k] == '\n';
	cr_expect(eq(u32, heard, next));
	cr_expect(gt(u32, heard, 1000));
}

static void restart(void)
{
	open_tail();
	take();
}

Test(tail_file, what_was_passed_over_before_a_restart_is_not_read_again)
{
	enum { LONG = TAIL_BATCH_BYTES + TAIL_LINE_MAX };
	char *long_line = malloc(LONG + 2);

	must(long_line != NULL);
	memset(long_line, 'x', LONG);
	memcpy(long_line + LONG, "\n", 2);
	write_to(path, "w", "a\n");
	write_to(path, "a", long_line);
	free(long_line);
	open_tail();
	take();
	restart();
	write_to(path, "a", "b\n");
	restart();
	EXPECT("a\nb\n");
}

Test(tail_file, what_comes_while_nobody_looks_is_new_to_who_began_at_the_end)
{
	from_end = true;
	write_to(path, "w", "old\n");
	open_tail();
	take();
	write_to(path, "a", "new\n");
	restart();
	from_end = false;
	EXPECT("new\n");
}

Test(tail_file, a_file_that_comes_later_is_new_from_its_beginning)
{
	from_end = true;
	open_tail();
	cr_expect(eq(int, look(), -ENOENT));
	write_to(path, "w", "a\n");
	take();
	from_end = false;
	EXPECT("a\n");
}

/* The record cannot be written while there is a folder of the name that it is written under first. */
static void block(bool on)
{
	char fresh[sizeof record + 4];

	snprintf(fresh, sizeof fresh, "%s.new", record);
	must((on ? mkdir(fresh, 0700) : rmdir(fresh)) == 0);
}

Test(tail_file, no_batch_comes_while_its_place_cannot_be_kept)
{
	write_to(path, "w", "a\n");
	block(true);
	open_tail();
	for (int i = 0; i < 3; i++)
		cr_expect(lt(int, look(), 0), "look %d", i);
	block(false);
	restart();
	EXPECT("a\n");
}

Test(tail_file, that_it_is_another_file_is_said_once_its_place_is_kept)
{
	write_to(path, "w", "a\n");
	open_tail();
	take();
	write_to(path, "w", "bb\nb\n");
	block(true);
	cr_expect(lt(int, look(), 0));
	block(false);
	cr_assert(eq(int, look(), 0));
	cr_expect(batch.new_file);
}
