/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "proto/backup.h"

static struct arena *arena;
static struct buf text;

static void setup(void)
{
	struct backup_file files[] = {
		{.path = "state/data.mdb", .bytes = 8192, .hash = {{1, 2, 3}}},
		{.path = "history/0000000007/data.mdb", .bytes = UINT64_MAX, .hash = {{0xff}}},
	};
	const struct backup_list list = {.node = "acme/plant",
					 .incarnation = 0xdeadbeef,
					 .seq = 42,
					 .taken_ns = 1000000000,
					 .files = files,
					 .n_files = 2};

	cr_assert(eq(int, arena_new(&arena, SIZE_MAX), 0));
	backup_list_print(&list, &text);
	cr_assert(eq(int, buf_check(&text), 0));
}

static void teardown(void)
{
	arena_free(arena);
	arena = NULL;
	buf_fini(&text);
}

TestSuite(backup, .init = setup, .fini = teardown);

static int parse(struct backup_list *ret)
{
	struct err_note note = {0};

	return backup_list_parse(arena, buf_bytes(&text), ret, &note);
}

Test(backup, a_list_reads_back_as_it_was_written)
{
	struct backup_list l;

	cr_assert(eq(int, parse(&l), 0));
	cr_expect(eq(int, strcmp(l.node, "acme/plant"), 0));
	cr_expect(eq(u64, l.incarnation, 0xdeadbeef));
	cr_expect(eq(u64, l.seq, 42));
	cr_expect(eq(i64, l.taken_ns, 1000000000));
	cr_assert(eq(sz, l.n_files, 2));
	cr_expect(eq(int, strcmp(l.files[1].path, "history/0000000007/data.mdb"), 0));
	cr_expect(eq(u64, l.files[1].bytes, UINT64_MAX));
	cr_expect(eq(u8, l.files[0].hash.b[2], 3));
	cr_expect(eq(u8, l.files[1].hash.b[0], 0xff));
}

Test(backup, every_cut_and_every_changed_byte_is_found)
{
	struct backup_list l;

	for (size_t len = 0; len < text.len; len++) {
		const struct bytes cut = {text.data, len};
		struct err_note note = {0};
		cr_expect(lt(int, backup_list_parse(arena, cut, &l, &note), 0), "cut at %zu", len);
	}
	for (size_t i = 0; i < text.len; i++) {
		text.data[i] ^= 1;
		cr_expect(lt(int, parse(&l), 0), "byte %zu", i);
		text.data[i] ^= 1;
	}
	cr_expect(eq(int, parse(&l), 0));
}

/* With the right sum, so that it is the path that counts. */
static int parse_with_path(const char *path)
{
	struct backup_file file = {.path = path, .bytes = 1};
	const struct backup_list list = {.node = "acme/plant", .files = &file, .n_files = 1};
	struct backup_list l;

	buf_clear(&text);
	backup_list_print(&list, &text);
	return parse(&l);
}

Test(backup, no_path_leads_outside)
{
	cr_expect(eq(int, parse_with_path("state/data.mdb"), 0));
	cr_expect(eq(int, parse_with_path("/etc/passwd"), ERR_CORRUPT));
	cr_expect(eq(int, parse_with_path("../keys"), ERR_CORRUPT));
	cr_expect(eq(int, parse_with_path("state/../../keys"), ERR_CORRUPT));
	cr_expect(eq(int, parse_with_path("list"), ERR_CORRUPT));
	cr_expect(eq(int, parse_with_path(""), ERR_CORRUPT));
}

Test(backup, a_newer_form_is_told_from_a_damaged_one)
{
	struct backup_list l;

	text.data[strlen("holon-backup ")] = '2';
	cr_expect(eq(int, parse(&l), ERR_VERSION));
}
