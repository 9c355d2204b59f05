/* SPDX-License-Identifier: Apache-2.0 */
/* Records of commands survive every way in which a store is opened again. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "storage/store.h"
#include "tests/unit/storage/world.h"

TestSuite(commands, .init = world_begin, .fini = world_end);

static int put(char id, const char *record)
{
	struct op op = {.kind = OP_COMMAND, .command = {.record = bytes_of_text(record)}};

	memset(op.command.id, id, sizeof op.command.id);
	return world_do(&op);
}

/* "c=3 b=2 " from the newest on. */
static const char *all(void)
{
	SCOPED(buf_fini) struct buf out = {0};

	for (const struct store_command *c = NULL; (c = store_command_next(world.store, c));)
		buf_print(&out, "%c=%.*s ", c->id[0], (int)c->record.len, (const char *)c->record.data);
	return arena_text(world.arena, buf_bytes(&out));
}

static void nothing(void)
{
}

static void checkpoint_and_reopen(void)
{
	world_checkpoint();
	world_reopen();
}

static void (*const ways[])(void) = {nothing, world_reopen, checkpoint_and_reopen};

Test(commands, they_are_there_newest_first_after_every_way_of_opening)
{
	for (size_t i = 0; i < 3; i++) {
		cr_assert_eq(put('z', "1"), i == 0 ? 0 : STORE_UNCHANGED);
		cr_assert_eq(put('a', i == 0 ? "22" : "24"), 0);
		cr_assert_eq(put('m', "3"), i == 0 ? 0 : STORE_UNCHANGED);
		ways[i]();
		cr_assert_eq(put('a', "23"), 0,
			     "of the same id the later one counts, and it keeps its place");
		ways[i]();
		cr_expect_str_eq(all(), "m=3 a=23 z=1 ");
	}
	size_t bytes;
	cr_expect_eq(store_commands(world.store, &bytes), 3);
	cr_expect_eq(bytes, 4);
	cr_expect_eq(store_command_oldest(world.store)->id[0], 'z');
	cr_expect_eq(store_command_newer(store_command_oldest(world.store))->id[0], 'a');
}

Test(commands, one_that_went_stays_away)
{
	for (size_t i = 0; i < 3; i++) {
		cr_assert_eq(put('a', "1"), 0);
		cr_assert_eq(put('b', "2"), i == 0 ? 0 : STORE_UNCHANGED);
		ways[i]();
		cr_assert_eq(put('a', ""), 0);
		cr_assert_eq(put('a', ""), STORE_UNCHANGED, "what is not there need not go");
		ways[i]();
		cr_expect_str_eq(all(), "b=2 ");
	}
	cr_expect_eq(store_command(world.store, (const uint8_t *)"aaaaaaaaaaaaaaaa"), NULL);
	cr_expect_neq(store_command(world.store, (const uint8_t *)"bbbbbbbbbbbbbbbb"), NULL);
}

Test(commands, a_change_and_its_opposite_may_come_in_one_batch)
{
	struct op op = {.kind = OP_COMMAND, .command = {.id = "one", .record = BYTES("x")}};
	SCOPED(scope_batch) struct batch *b = NULL;

	cr_assert_eq(batch_new(&b), 0);
	cr_assert_eq(store_stage(world.store, b, &op, NOW, NULL, &world.note), 0);
	op.command.record = (struct bytes){0};
	cr_assert_eq(store_stage(world.store, b, &op, NOW, NULL, &world.note), 0);
	cr_assert_eq(world_commit(b), 0);
	cr_expect_str_eq(all(), "");
}

Test(commands, one_that_is_too_long_is_refused)
{
	static char record[COMMAND_RECORD_MAX + 2];

	memset(record, 'x', COMMAND_RECORD_MAX + 1);
	cr_expect_eq(put('a', record), STORE_REFUSED);
	cr_expect(strstr(world.note.text, "longer than"), "%s", world.note.text);
	record[COMMAND_RECORD_MAX] = '\0';
	cr_expect_eq(put('a', record), 0);
	world_reopen();
	cr_expect_eq(store_command_oldest(world.store)->record.len, COMMAND_RECORD_MAX);
}
