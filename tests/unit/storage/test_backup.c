/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/backup.h"
#include "tests/lib/must.h"
#include "world.h"

static char place[512];

static void setup(void)
{
	world_begin();
	world_types();
	must(world_twin("acme/p1", "press", KIND_ASSET) == 0);
	for (int i = 1; i <= 5; i++)
		must(world_sample("acme/p1", i, i * 1.5) == 0);
	world_checkpoint();
	snprintf(place, sizeof place, "%s/copy", world.dir);
}

TestSuite(backup, .init = setup, .fini = world_end);

static int begin(const char *dir, struct backup **ret)
{
	return backup_begin(world.store, dir, NOW, ret, &world.note);
}

static void take(void)
{
	SCOPED(scope_backup) struct backup *b = NULL;
	uint64_t done, total;
	int r;

	cr_assert(eq(int, begin(place, &b), 0), "%s", world.note.text);
	while ((r = backup_step(b)) == 0)
		;
	cr_assert(eq(int, r, BACKUP_WHOLE));
	backup_progress(b, &done, &total);
	cr_expect(eq(u64, done, total));
	cr_expect(gt(u64, done, 0));
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

Test(backup, what_the_checkpoint_held_is_in_it_and_opens_as_a_store)
{
	take();
	cr_expect(eq(int, world_sample("acme/p1", 6, 9), 0));
	store_close(world.store);
	world.store = NULL;
	world.dir = place;
	cr_assert(eq(int, world_try_open("acme", "north"), 0), "%s", world.note.text);
	cr_expect(
		eq(int, strcmp(temperatures("acme/p1", TIME_MIN, TIME_MAX), "1=1.5 2=3 3=4.5 4=6 5=7.5"), 0));
}

static void mark_restored(void)
{
	char path[600];

	snprintf(path, sizeof path, "%s/" BACKUP_RESTORED_NAME, place);
	const int fd = open(path, O_WRONLY | O_CREAT, 0600);
	must(fd >= 0);
	close(fd);
}

Test(backup, restored_it_goes_on_as_a_new_incarnation_and_only_once)
{
	struct store_position before, after;

	take();
	store_position(world.store, &before);
	store_close(world.store);
	world.store = NULL;
	world.dir = place;
	mark_restored();
	for (int i = 0; i < 2; i++) {
		cr_assert(eq(int, world_try_open("acme", "north"), 0), "%s", world.note.text);
		store_position(world.store, &after);
		cr_assert(eq(sz, after.n_lineage, 2));
		cr_expect(eq(u64, after.lineage[0].id, before.lineage[0].id));
		cr_expect(eq(u64, after.lineage[1].start_seq, before.seq + 1));
		store_close(world.store);
		world.store = NULL;
	}
	cr_assert(eq(int, world_try_open("acme", "north"), 0));
	cr_expect(eq(int, world_sample("acme/p1", 6, 9), 0));
	cr_expect(eq(u32, store_twin(world.store, "acme/p1")->version.lineage, 1));
}

Test(backup, its_list_names_every_file_with_its_length)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	char path[1024], text[65536];
	struct backup_list l;
	struct err_note note = {0};

	take();
	snprintf(path, sizeof path, "%s/list", place);
	const int fd = open(path, O_RDONLY);
	cr_assert(ge(int, fd, 0));
	const ssize_t n = read(fd, text, sizeof text);
	close(fd);
	cr_assert(eq(int, arena_new(&a, SIZE_MAX), 0));
	cr_assert(eq(int, backup_list_parse(a, (struct bytes){(uint8_t *)text, n}, &l, &note), 0), "%s",
		  note.text);
	cr_expect(eq(int, strcmp(l.node, "acme/north"), 0));
	cr_expect(ge(sz, l.n_files, 3));
	for (size_t i = 0; i < l.n_files; i++) {
		struct stat st;
		snprintf(path, sizeof path, "%s/%s", place, l.files[i].path);
		cr_assert(eq(int, stat(path, &st), 0), "%s", path);
		cr_expect(eq(i64, st.st_size, (int64_t)l.files[i].bytes), "%s", path);
	}
}

Test(backup, a_name_that_is_taken_and_a_relative_one_are_refused)
{
	struct backup *b = NULL;

	take();
	cr_expect(eq(int, begin(place, &b), ERR_REFUSED));
	cr_expect(eq(int, begin("somewhere", &b), ERR_REFUSED));
	cr_expect(eq(int, begin("/nowhere/at/all", &b), -ENOENT));
	cr_expect(eq(ptr, b, NULL));
}

Test(backup, of_one_that_did_not_end_nothing_stays)
{
	struct backup *b = NULL;
	char part[600];

	cr_assert(eq(int, begin(place, &b), 0), "%s", world.note.text);
	snprintf(part, sizeof part, "%s.part", place);
	cr_expect(exists(part));
	backup_end(b);
	cr_expect(not(exists(part)));
	cr_expect(not(exists(place)));
	take();
}
