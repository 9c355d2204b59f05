/* SPDX-License-Identifier: Apache-2.0 */
/* Tombstones go for good, in every way a store is opened again. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/row.h"
#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

TestSuite(collect, .init = world_begin, .fini = world_end);

static int collect(const char *origin, uint64_t floor)
{
	return world_do(&(struct op){.kind = OP_COLLECTION, .collection = {origin, floor}});
}

static uint64_t over(const char *origin, int64_t since_ns, uint64_t most)
{
	return store_graves_over(world.store, origin, &(struct graves_kept){since_ns, most});
}

static uint64_t floor_of_own(void)
{
	struct store_position p;

	store_position(world.store, &p);
	return p.floor;
}

/* "id id! ..." in the order of changes; the dead have a mark. */
static const char *changes(void)
{
	SCOPED(buf_fini) struct buf out = {0};
	uint64_t after = 0;

	for (const struct twin *t; (t = store_change_next(world.store, after)); after = t->seq)
		buf_print(&out, "%s%s ", t->id + strlen("acme/"), t->deleted ? "!" : "");
	return arena_text(world.arena, buf_bytes(&out));
}

static const char *ids(void)
{
	SCOPED(buf_fini) struct buf out = {0};
	const char *after = "";

	for (const struct twin *t; (t = store_twin_next(world.store, "", after)); after = t->id)
		buf_print(&out, "%s ", t->id + strlen("acme/"));
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

static void make(const char *id)
{
	cr_assert_eq(world_twin(id, "press", KIND_ASSET), 0);
	cr_assert_eq(world_sample(id, 5, 20), 0);
}

/* a, b, c, d are made; b, d and a deleted. */
static void make_graves(void)
{
	world_types();
	for (char id[] = "acme/a"; id[5] < 'e'; id[5]++)
		make(id);
	cr_assert_eq(world_delete("acme/b"), 0);
	cr_assert_eq(world_delete("acme/d"), 0);
	cr_assert_eq(world_delete("acme/a"), 0);
}

static uint64_t seq_of_last(void)
{
	struct store_position p;

	store_position(world.store, &p);
	return p.seq;
}

static void own_tombstones_go(void (*between)(void))
{
	make_graves();
	const struct fingerprint before = store_fingerprint(world.store);
	const uint64_t last = seq_of_last();
	between();
	cr_expect_str_eq(changes(), "c b! d! a! ");
	cr_assert_eq(collect("acme/north", last - 1), 0);
	between();
	cr_expect_str_eq(changes(), "c a! ");
	cr_expect_eq(floor_of_own(), last - 1);
	cr_expect_eq(seq_of_last(), last);
	const struct fingerprint after = store_fingerprint(world.store);
	cr_expect(fingerprint_equal(&before, &after));
	make("acme/b"); /* the numbers of two are free again */
	between();
	make("acme/e");
	make("acme/f");
	between();
	cr_expect_str_eq(ids(), "b c e f ");
	cr_expect_str_eq(changes(), "c a! b e f ");
	for (char id[] = "acme/b"; id[5] <= 'f'; id[5]++)
		if (id[5] != 'd')
			cr_expect_str_eq(temperatures(id, 0, 100), "5=20");
	cr_assert_eq(world_delete("acme/f"), 0);
	cr_assert_eq(collect("acme/north", seq_of_last()), 0);
	between();
	cr_expect_str_eq(changes(), "c b e ");
	cr_expect_eq(floor_of_own(), seq_of_last());
}

Test(collect, own_tombstones_go)
{
	own_tombstones_go(nothing);
}

Test(collect, own_tombstones_go_also_when_the_log_is_replayed)
{
	own_tombstones_go(world_reopen);
}

Test(collect, own_tombstones_go_also_with_checkpoints)
{
	own_tombstones_go(checkpoint_and_reopen);
}

Test(collect, a_checkpoint_that_is_being_written_keeps_what_goes_meanwhile)
{
	struct checkpoint *c;

	make_graves();
	cr_assert_eq(checkpoint_begin(world.store, &c), 0);
	cr_assert_eq(collect("acme/north", seq_of_last()), 0);
	make("acme/e");
	cr_assert_eq(checkpoint_write(c), 0);
	checkpoint_end(world.store, c, true);
	cr_expect_str_eq(changes(), "c e ");
	world_reopen();
	cr_expect_str_eq(changes(), "c e ");
	checkpoint_and_reopen();
	cr_expect_str_eq(changes(), "c e ");
	cr_expect_eq(temperature_at("acme/e", 5), 20);
}

Test(collect, who_comes_back_has_no_tombstone)
{
	make_graves();
	make("acme/b");
	cr_assert_eq(collect("acme/north", seq_of_last()), 0);
	cr_expect_str_eq(changes(), "c b ");
	checkpoint_and_reopen();
	cr_expect_str_eq(ids(), "b c ");
}

Test(collect, nothing_is_collected_twice_or_beyond_what_was)
{
	make_graves();
	const uint64_t last = seq_of_last();
	cr_expect_eq(collect("acme/north", last + 1), STORE_REFUSED);
	cr_expect_eq(collect("volt/east", 1), STORE_REFUSED);
	cr_assert_eq(collect("acme/north", last), 0);
	cr_expect_eq(collect("acme/north", last), STORE_UNCHANGED);
	cr_expect_eq(collect("acme/north", last - 1), STORE_UNCHANGED);
}

Test(collect, the_oldest_go_by_age_and_by_number)
{
	make_graves();
	const uint64_t last = seq_of_last();
	const int64_t newest_ns = store_change_next(world.store, last - 1)->version.stamp_ns;

	cr_expect_eq(over("acme/north", TIME_MIN, 3), 0);
	cr_expect_eq(over("acme/north", TIME_MIN, 2), last - 2);
	cr_expect_eq(over("acme/north", TIME_MIN, 0), last);
	cr_expect_eq(over("acme/north", newest_ns, 3), last - 1);
	cr_expect_eq(over("acme/north", newest_ns + 1, 3), last);
	world_reopen();
	cr_expect_eq(over("acme/north", newest_ns, 3), last - 1);
	checkpoint_and_reopen();
	cr_expect_eq(over("acme/north", newest_ns, 3), last - 1);
	cr_expect_eq(over("volt/east", TIME_MAX, 0), 0);
}

static const char *many(int i)
{
	static char id[24];

	snprintf(id, sizeof id, "acme/many%d", i);
	return id;
}

/* The index of ids is nearly full, so that many stand behind others in it. */
Test(collect, the_others_are_found_among_many)
{
	enum { MANY = 94 };

	world_types();
	for (int i = 0; i < MANY; i++)
		cr_assert_eq(world_twin(many(i), "line", KIND_SYSTEM), 0);
	for (int i = 0; i < MANY; i += 2)
		cr_assert_eq(world_delete(many(i)), 0);
	cr_assert_eq(collect("acme/north", seq_of_last()), 0);
	for (int i = 0; i < MANY; i++)
		cr_expect_eq(store_twin(world.store, many(i)) != NULL, i % 2, "%s", many(i));
	for (int i = 0; i < MANY; i += 2)
		cr_assert_eq(world_twin(many(i), "line", KIND_SYSTEM), 0);
	checkpoint_and_reopen();
	for (int i = 0; i < MANY; i++)
		cr_expect(store_twin(world.store, many(i)), "%s", many(i));
}

/* ---- Of others --------------------------------------------------------------------------------------------
 */

static struct bytes encode(const char *id, uint64_t seq, bool deleted)
{
	SCOPED(buf_fini) struct buf b = {0};
	const struct row row = {.id = id,
				.version = {0, (int64_t)seq * 10},
				.seq = seq,
				.mask = ROW_MASK_ALL,
				.deleted = deleted,
				.type = "",
				.name = ""};

	row_encode(&row, &b);
	must(buf_check(&b) == 0);
	const char *copy = arena_text(world.arena, buf_bytes(&b));
	must(copy);
	return (struct bytes){(const uint8_t *)copy, b.len};
}

static void put_rows(const char *cursor)
{
	struct bytes rows[] = {encode("acme/w", 3, true), encode("acme/x", 4, true),
			       encode("acme/y", 5, false), encode("acme/z", 6, true)};
	const struct op_rows op = {.origin = "acme/east",
				   .rows = rows,
				   .n = 4,
				   .cursor = bytes_of_text(cursor),
				   .repair = !*cursor};

	cr_assert_eq(world_do(&(struct op){.kind = OP_ROWS, .rows = op}), 0);
}

static const char *seqs(void)
{
	SCOPED(buf_fini) struct buf out = {0};
	uint64_t after = 0;

	for (const struct remote_row *r; (r = store_row_change_next(world.store, "acme/east", after));
	     after = r->seq)
		buf_print(&out, "%d ", (int)r->seq);
	return arena_text(world.arena, buf_bytes(&out));
}

static void held_tombstones_go(void (*between)(void))
{
	put_rows("c");
	between();
	cr_expect_eq(over("acme/east", TIME_MIN, 3), 0);
	cr_expect_eq(over("acme/east", TIME_MIN, 2), 3);
	cr_expect_eq(over("acme/east", 41, 3), 4);
	cr_assert_eq(collect("acme/east", 4), 0);
	between();
	cr_expect_str_eq(seqs(), "5 6 ");
	const struct origin *o = store_origin(world.store, "acme/east");
	cr_expect(o && o->floor == 4 && o->n_rows == 1 && o->max_seq == 6);
	cr_expect_eq(collect("acme/east", 4), STORE_UNCHANGED);
	cr_expect_eq(collect("acme/east", 7), STORE_REFUSED);
}

Test(collect, held_tombstones_go)
{
	held_tombstones_go(nothing);
}

Test(collect, held_tombstones_go_also_when_the_log_is_replayed)
{
	held_tombstones_go(world_reopen);
}

Test(collect, held_tombstones_go_also_with_checkpoints)
{
	held_tombstones_go(checkpoint_and_reopen);
}

Test(collect, a_repair_is_not_disturbed)
{
	put_rows("");
	cr_expect_eq(over("acme/east", TIME_MAX, 0), 0);
	cr_assert_eq(collect("acme/east", 4), 0);
	cr_expect_str_eq(seqs(), "3 4 5 6 ");
	cr_expect_eq(store_origin(world.store, "acme/east")->floor, 0);
}
