/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "node/adapter.h"
#include "node/letters.h"
#include "proto/clock.h"
#include "tests/lib/tmpdir.h"
#include "tests/unit/proto/text.h"

enum { FILE_MAX = 2000 };

static char path[300];
static struct letters *letters;

static void set_up(void)
{
	snprintf(path, sizeof path, "%s/a.dead", tmpdir_make());
	cr_assert(eq(int, letters_new(&letters, path, FILE_MAX), 0));
}

static void tear_down(void)
{
	letters_free(letters);
	tmpdir_remove();
}

TestSuite(letters, .init = set_up, .fini = tear_down, .timeout = 60);

static void put(const char *source, const char *reason, const char *payload, int64_t t_ns)
{
	letters_put(letters, &(struct letter_in){source, reason, bytes_of_text(payload), t_ns});
}

static size_t file_lines(const char *name, char *ret_last, size_t size)
{
	FILE *f = fopen(name, "r");
	char line[8192];
	size_t n = 0;

	while (f && fgets(line, sizeof line, f)) {
		snprintf(ret_last, size, "%s", line);
		n++;
	}
	if (f)
		fclose(f);
	return n;
}

Test(letters, the_same_again_is_counted_and_the_newest_comes_first)
{
	struct dead_letter l = {0};

	put("t/1", "no twin", "5", 100);
	put("t/2", "no twin", "6", 100);
	put("t/1", "no twin", "7", 100);
	cr_expect(eq(sz, letters_count(letters), 2));
	cr_assert(letters_next(letters, TIME_MAX, &l));
	EXPECT_TEXT(l.source, "t/1");
	EXPECT_TEXT(l.reason, "no twin");
	cr_expect(eq(u64, l.count, 2));
	cr_expect(l.payload.len == 1 && l.payload.data[0] == '7');
	cr_assert(letters_next(letters, l.t_ns, &l));
	EXPECT_TEXT(l.source, "t/2");
	cr_expect(not(letters_next(letters, l.t_ns, &l)));
}

Test(letters, the_list_and_the_file_are_bounded)
{
	char source[40], aside[310], last[8192];
	struct stat st;

	for (int i = 0; i < LETTERS_MAX + 500; i++) {
		snprintf(source, sizeof source, "t/%d", i);
		put(source, "no twin", "x", 1);
	}
	cr_expect(eq(sz, letters_count(letters), LETTERS_MAX));
	snprintf(aside, sizeof aside, "%s.1", path);
	cr_assert(eq(int, stat(path, &st), 0));
	cr_expect(lt(long, (long)st.st_size, FILE_MAX + 500));
	cr_expect(eq(int, (int)(st.st_mode & 0777), 0600));
	cr_expect(eq(int, stat(aside, &st), 0));
	cr_expect(lt(long, (long)st.st_size, FILE_MAX + 500));
	put("late", "no twin", "x", 3600 * NS_PER_S);
	cr_assert(gt(sz, file_lines(path, last, sizeof last), 0));
	cr_expect(strstr(last, "\"left_out\":300") != NULL, "%s", last);
}

Test(letters, what_is_no_text_is_written_as_digits_and_nothing_breaks_a_line)
{
	char last[8192];

	put("a\nb\xff", "because\n\"of\"", "\xff\xfe", 5);
	cr_assert(eq(sz, file_lines(path, last, sizeof last), 1));
	cr_expect(strstr(last, "\"payload_hex\":\"fffe\"") != NULL, "%s", last);
	cr_expect(strstr(last, "\"source\":\"a b\"") || strstr(last, "\"source\":\"a b?\""), "%s", last);
}
