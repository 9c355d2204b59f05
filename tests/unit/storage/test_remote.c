/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/row.h"
#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

TestSuite(remote, .init = world_begin, .fini = world_end);

static struct row make_row(const char *id, int64_t stamp_ns, uint64_t seq)
{
	return (struct row){
		.id = id, .version = {0, stamp_ns}, .seq = seq, .mask = ROW_MASK_ALL, .type = "", .name = ""};
}

static struct bytes encode(const struct row *row)
{
	SCOPED(buf_fini) struct buf b = {0};

	row_encode(row, &b);
	must(buf_check(&b) == 0);
	const char *copy = arena_text(world.arena, buf_bytes(&b));
	must(copy);
	return (struct bytes){(const uint8_t *)copy, b.len};
}

struct how {
	const char *origin, *cursor;
	bool afresh, repair;
	uint64_t floor; /* 0: none */
};

static int put_as(struct how how, const struct row *rows, size_t n)
{
	struct bytes encoded[64];

	must(n <= 64);
	for (size_t i = 0; i < n; i++)
		encoded[i] = encode(&rows[i]);
	const struct op_rows op = {
		.origin = how.origin,
		.rows = encoded,
		.n = n,
		.cursor = bytes_of_text(how.cursor),
		.afresh = how.afresh,
		.repair = how.repair,
		.has_floor = how.floor > 0,
		.floor = how.floor,
	};
	return world_do(&(struct op){.kind = OP_ROWS, .rows = op});
}

static int put(const struct row *row, const char *cursor)
{
	return put_as((struct how){.origin = "volt/east", .cursor = cursor}, row, 1);
}

static void every_way(void (*check)(void))
{
	check();
	world_reopen();
	check();
	world_checkpoint();
	check();
	world_reopen();
	check();
}

/* "id@stamp ..." of the rows below a prefix. */
static const char *rows_below(const char *prefix)
{
	SCOPED(buf_fini) struct buf out = {0};
	const char *after = "";

	for (const struct remote_row *r; (r = store_row_next(world.store, prefix, after)); after = r->id)
		buf_print(&out, "%s@%d ", r->id, (int)r->version.stamp_ns);
	return arena_text(world.arena, buf_bytes(&out));
}

/* What store_rows() gives is what store_row_next() gives. */
static void check_runs(void)
{
	const struct remote_row *run[3], *expected = NULL;
	const char *after = "";

	for (size_t n; (n = store_rows(world.store, after, run, 3)) > 0; after = run[n - 1]->id)
		for (size_t i = 0; i < n; i++) {
			expected = store_row_next(world.store, "", expected ? expected->id : "");
			cr_assert(run[i] == expected);
		}
	cr_expect_null(store_row_next(world.store, "", after));
}

/* The fingerprint and count of an origin must be those of the rows that are shown. */
static void check_fingerprint(const char *origin)
{
	const struct origin *o = store_origin(world.store, origin);
	struct fingerprint expected = {0};
	const char *after = "";

	check_runs();
	cr_assert_not_null(o);
	for (const struct remote_row *r; (r = store_row_next(world.store, "", after)); after = r->id) {
		const struct hash128 h = row_hash(r->id, r->version, r->mask);
		if (r->origin == o)
			fingerprint_add(&expected, &h);
	}
	cr_expect(fingerprint_equal(&expected, &o->fingerprint));
	cr_expect_eq(o->n_rows, expected.count);
}

static void check_one_row(void)
{
	const struct remote_row *r = store_row(world.store, "volt/a");

	cr_assert(r && r->version.stamp_ns == 10 && r->seq == 1 && r->mask == ROW_MASK_ALL);
	cr_expect_str_eq(r->origin->name, "volt/east");
	cr_expect(bytes_equal(r->origin->cursor, BYTES("c1")));
	cr_expect_eq(r->origin->max_seq, 1);
	cr_expect_eq(r->origin->stamp_ns, 10);
	check_fingerprint("volt/east");
	cr_expect(store_origin_next(world.store, "") == r->origin);
	cr_expect_null(store_origin_next(world.store, "volt/east"));
}

Test(remote, rows_and_their_cursor_are_kept_together)
{
	const struct row row = make_row("volt/a", 10, 1);

	cr_assert_eq(put(&row, "c1"), 0);
	every_way(check_one_row);
	cr_expect_eq(put(&row, "c1"), STORE_UNCHANGED);
}

Test(remote, only_newer_rows_replace)
{
	struct row row = make_row("volt/a", 10, 5);

	cr_assert_eq(put(&row, "c1"), 0);
	row = make_row("volt/a", 9, 4);
	cr_assert_eq(put(&row, "c2"), 0, "the cursor moves");
	cr_expect_str_eq(rows_below(""), "volt/a@10 ");
	row.version.lineage = 1;
	cr_assert_eq(put(&row, "c3"), 0);
	cr_expect_str_eq(rows_below(""), "volt/a@9 ", "a later incarnation is newer whatever its clock says");
	check_fingerprint("volt/east");
}

Test(remote, what_crossed_a_border_replaces_whatever_its_version)
{
	struct row row = make_row("volt/a", 10, 0);

	cr_assert_eq(put(&row, "c1"), 0);
	row = make_row("volt/a", 9, 0);
	cr_assert_eq(put(&row, "c2"), 0);
	cr_expect_str_eq(rows_below(""), "volt/a@9 ", "another border showed it first under that version");
}

Test(remote, at_the_same_version_the_last_word_counts)
{
	struct row row = make_row("volt/a", 10, 0);

	row.mask = ROW_MASK_DISCOVER | ROW_MASK_SUMMARY;
	cr_assert_eq(put(&row, "c1"), 0);
	row.mask = ROW_MASK_DISCOVER;
	cr_assert_eq(put(&row, "c2"), 0);
	cr_expect_eq(store_row(world.store, "volt/a")->mask, ROW_MASK_DISCOVER);
	check_fingerprint("volt/east");
	row.deleted = true;
	cr_assert_eq(put(&row, "c3"), 0);
	cr_expect_null(store_row(world.store, "volt/a"), "retracted");
	row.deleted = false;
	cr_assert_eq(put(&row, "c4"), 0);
	cr_expect_not_null(store_row(world.store, "volt/a"), "and shared again");
	check_fingerprint("volt/east");
}

static void check_tombstone(void)
{
	const struct remote_row *r = store_row_change_next(world.store, "volt/east", 0);

	cr_expect_null(store_row(world.store, "volt/a"));
	cr_expect_str_eq(rows_below(""), "volt/b@11 ");
	cr_assert(r && r->seq == 2 && strcmp(r->id, "volt/b") == 0);
	r = store_row_change_next(world.store, "volt/east", 2);
	cr_assert(r && r->seq == 3 && strcmp(r->id, "volt/a") == 0);
	cr_expect_null(store_row_change_next(world.store, "volt/east", 3));
	check_fingerprint("volt/east");
}

Test(remote, tombstones_are_handed_on_inside_the_organisation)
{
	struct row rows[] = {make_row("volt/a", 10, 1), make_row("volt/b", 11, 2), make_row("volt/a", 12, 3)};

	rows[2].deleted = true;
	cr_assert_eq(put_as((struct how){.origin = "volt/east", .cursor = "c"}, rows, 3), 0);
	every_way(check_tombstone);
}

Test(remote, what_is_held_goes_before_rows_that_begin_afresh)
{
	struct row rows[] = {make_row("volt/a", 10, 1), make_row("volt/b", 11, 2), make_row("volt/c", 12, 3)};
	const struct row other = make_row("bolt/x", 1, 1);

	rows[1].deleted = true;
	cr_assert_eq(put_as((struct how){.origin = "volt/east", .cursor = "c1"}, rows, 3), 0);
	cr_assert_eq(put_as((struct how){.origin = "bolt/one", .cursor = "c1"}, &other, 1), 0);
	rows[1] = make_row("volt/b", 5, 2);
	cr_assert_eq(put_as((struct how){.origin = "volt/east", .cursor = "c2", .afresh = true}, &rows[1], 1),
		     0);
	for (int round = 0; round < 3; round++) {
		cr_expect_str_eq(rows_below(""), "bolt/x@1 volt/b@5 ");
		check_fingerprint("volt/east");
		if (round > 0)
			world_checkpoint();
		world_reopen();
	}
}

/* Its frames carry no cursor but the last one. */
Test(remote, a_repair_may_go_back_and_takes_away)
{
	struct row rows[] = {make_row("volt/a", 10, 1), make_row("volt/b", 11, 2), make_row("volt/c", 12, 3)};

	cr_assert_eq(put_as((struct how){.origin = "volt/east", .cursor = "c1"}, rows, 3), 0);
	rows[2] = make_row("volt/c", 5, 3);
	rows[1].deleted = true;
	rows[1].version.stamp_ns = 0;
	rows[1].seq = 0;
	cr_assert_eq(put_as((struct how){.origin = "volt/east", .cursor = "", .repair = true}, &rows[1], 2),
		     0);
	cr_expect_eq(store_origin(world.store, "volt/east")->cursor.len, 0);
	cr_assert_eq(put_as((struct how){.origin = "volt/east", .cursor = "c2", .repair = true}, rows, 0), 0);
	for (int round = 0; round < 3; round++) {
		cr_expect_str_eq(rows_below(""), "volt/a@10 volt/c@5 ");
		check_fingerprint("volt/east");
		cr_expect(bytes_equal(store_origin(world.store, "volt/east")->cursor, BYTES("c2")));
		if (round > 0)
			world_checkpoint();
		world_reopen();
	}
}

static void check_floor(void)
{
	const struct remote_row *r = store_row_change_next(world.store, "volt/east", 0);

	cr_expect_eq(store_origin(world.store, "volt/east")->floor, 7);
	cr_expect(r && r->seq == 2 && !store_row_change_next(world.store, "volt/east", 2));
}

Test(remote, a_floor_is_kept_and_tombstones_go)
{
	struct row rows[] = {make_row("volt/a", 10, 1), make_row("volt/b", 11, 2)};

	rows[0].deleted = true;
	cr_assert_eq(put_as((struct how){.origin = "volt/east", .cursor = "c1"}, rows, 2), 0);
	cr_assert_eq(put_as((struct how){.origin = "volt/east", .cursor = "c1", .floor = 7}, rows, 0), 0);
	every_way(check_floor);
}

Test(remote, rows_are_found_by_the_parents_they_name)
{
	struct row_parent parents[] = {{"contains", "acme/city", CONFIRM_CONFIRMED},
				       {"electrical", "acme/grid", 0}};
	struct row rows[] = {make_row("volt/b", 1, 1), make_row("volt/a", 1, 2), make_row("volt/c", 1, 3)};

	for (int i = 0; i < 3; i++) {
		rows[i].parents = parents;
		rows[i].n_parents = i == 2 ? 1 : 2;
	}
	cr_assert_eq(put_as((struct how){.origin = "volt/east", .cursor = "c"}, rows, 3), 0);
	for (int round = 0; round < 2; round++) {
		const struct remote_row *r = NULL;
		unsigned found = 0;
		for (int i = 0; i < 3; i++) {
			r = store_row_child_next(world.store, "contains", "acme/city", r);
			cr_assert(r && strncmp(r->id, "volt/", 5) == 0);
			found |= 1u << (r->id[5] - 'a');
		}
		cr_expect_eq(found, 7);
		cr_expect_null(store_row_child_next(world.store, "contains", "acme/city", r));
		cr_expect_null(store_row_child_next(world.store, "contains", "acme/grid", NULL));
		world_checkpoint();
		world_reopen();
	}
	rows[0].n_parents = 0;
	rows[0].version.stamp_ns = 2;
	rows[0].seq = 4;
	cr_assert_eq(put(&rows[0], "d"), 0);
	const struct remote_row *r = store_row_child_next(world.store, "electrical", "acme/grid", NULL);
	cr_assert(r && strcmp(r->id, "volt/a") == 0);
	cr_expect_null(store_row_child_next(world.store, "electrical", "acme/grid", r));
}

Test(remote, an_organisation_can_be_forgotten)
{
	const struct row row = make_row("volt/a", 10, 1), other = make_row("volt/b", 10, 1),
			 kept = make_row("volt-2/c", 10, 1);
	const struct op drop = {.kind = OP_ORG_DROP, .id = "volt"};

	cr_assert_eq(put_as((struct how){.origin = "volt-2/east", .cursor = "c"}, &kept, 1), 0);
	cr_assert_eq(put(&row, "c"), 0);
	cr_assert_eq(put_as((struct how){.origin = "volt/west", .cursor = "c"}, &other, 1), 0);
	world_checkpoint();
	cr_assert_eq(world_do(&drop), 0);
	for (int round = 0; round < 3; round++) {
		cr_expect_null(store_origin(world.store, "volt/east"));
		cr_expect_null(store_origin(world.store, "volt/west"));
		cr_expect_str_eq(rows_below(""), "volt-2/c@10 ");
		if (round > 0)
			world_checkpoint();
		world_reopen();
	}
	cr_expect_eq(world_do(&drop), STORE_UNCHANGED);
	cr_assert_eq(put(&row, "c"), 0);
	cr_expect_str_eq(rows_below(""), "volt-2/c@10 volt/a@10 ");
}

static void stage_one(struct batch *b, const struct op *op)
{
	cr_assert_eq(store_stage(world.store, b, op, world.now_ns, NULL, &world.note), 0);
}

Test(remote, what_an_organisation_sends_in_the_same_commit_goes_or_comes_in_its_order)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	SCOPED(buf_fini) struct buf encoded = {0};
	const struct row row = make_row("volt/a", 10, 1);
	const struct op drop = {.kind = OP_ORG_DROP, .id = "volt"};

	row_encode(&row, &encoded);
	struct bytes rows = buf_bytes(&encoded);
	const struct op rows_again = {
		.kind = OP_ROWS,
		.rows = {.origin = "volt/east", .rows = &rows, .n = 1, .cursor = bytes_of_text("c")}};
	cr_assert_eq(batch_new(&b), 0);
	stage_one(b, &rows_again);
	stage_one(b, &drop);
	cr_assert_eq(store_write(world.store, b), 0);
	cr_assert_eq(store_apply(world.store, b, world.now_ns), 0);
	cr_expect_str_eq(rows_below(""), "", "the rows came before the end");
	cr_assert_eq(put(&row, "c"), 0);

	batch_free(b);
	b = NULL;
	cr_assert_eq(batch_new(&b), 0);
	stage_one(b, &drop);
	stage_one(b, &rows_again);
	cr_assert_eq(store_write(world.store, b), 0);
	cr_assert_eq(store_apply(world.store, b, world.now_ns), 0);
	cr_expect_str_eq(rows_below(""), "volt/a@10 ", "and here behind it");
}

Test(remote, the_own_organisation_is_not_forgotten)
{
	cr_expect_eq(world_do(&(struct op){.kind = OP_ORG_DROP, .id = "acme"}), STORE_REFUSED);
	cr_expect_eq(world_do(&(struct op){.kind = OP_ORG_DROP, .id = "volt/east"}), STORE_REFUSED);
}

Test(remote, nobody_speaks_for_another_organisation)
{
	const struct row row = make_row("bolt/a", 10, 1), own = make_row("acme/a", 10, 1);
	const uint8_t junk[] = {1, 2, 3};
	struct bytes rows[] = {{junk, 3}};

	cr_expect_eq(put(&row, "c"), STORE_REFUSED);
	cr_expect(strstr(world.note.text, "volt/east speaks of bolt/a"), "%s", world.note.text);
	cr_expect_eq(put_as((struct how){.origin = "acme/north", .cursor = "c"}, &own, 1), STORE_REFUSED);
	cr_expect_eq(put_as((struct how){.origin = "volt", .cursor = "c"}, &row, 1), STORE_REFUSED);
	cr_expect_eq(world_do(&(struct op){.kind = OP_ROWS,
					   .rows = {.origin = "volt/east", .rows = rows, .n = 1}}),
		     STORE_REFUSED);
	cr_expect_eq(put_as((struct how){.origin = "acme/south", .cursor = "c"}, &own, 1), 0);
	cr_expect_eq(world_twin("acme/a", "", KIND_ASSET), STORE_REFUSED);
	cr_expect(strstr(world.note.text, "owned by acme/south"), "%s", world.note.text);
	cr_assert_eq(world_twin("acme/b", "", KIND_ASSET), 0);
	cr_expect_eq(world_relate("feeds", "acme/b", "acme/a"), 0, "it can be related to");
}

Test(remote, the_mark_of_the_node_stays_with_the_row)
{
	struct row row = make_row("volt/a", 10, 1);
	int mark;

	cr_assert_eq(put(&row, "c"), 0);
	((struct remote_row *)(uintptr_t)store_row(world.store, "volt/a"))->user = &mark;
	row = make_row("volt/a", 11, 2);
	cr_assert_eq(put(&row, "d"), 0);
	cr_expect(store_row(world.store, "volt/a")->user == &mark);
}

Test(remote, the_head_last_reached_is_kept)
{
	const struct op_rows first = {.origin = "volt/east", .cursor = BYTES("a"), .head = BYTES("signed")};
	const struct op_rows next = {.origin = "volt/east", .cursor = BYTES("b")};

	cr_assert_eq(world_do(&(struct op){.kind = OP_ROWS, .rows = first}), 0);
	cr_expect_eq(world_do(&(struct op){.kind = OP_ROWS, .rows = first}), STORE_UNCHANGED);
	cr_assert_eq(world_do(&(struct op){.kind = OP_ROWS, .rows = next}), 0);
	world_checkpoint();
	world_reopen();
	cr_expect(bytes_equal(store_origin(world.store, "volt/east")->head, BYTES("signed")));
	cr_expect(bytes_equal(store_origin(world.store, "volt/east")->cursor, BYTES("b")));
}

Test(remote, a_sequence_number_and_a_twin_are_held_once)
{
	struct row rows[] = {make_row("volt/a", 10, 7), make_row("volt/b", 11, 7)},
		   moved = make_row("volt/b", 12, 3);

	cr_assert_eq(put_as((struct how){.origin = "volt/east", .cursor = "c"}, rows, 2), 0);
	cr_expect_str_eq(rows_below(""), "volt/b@11 ", "of two rows under one number the later word counts");
	check_fingerprint("volt/east");
	cr_assert_eq(put_as((struct how){.origin = "volt/west", .cursor = "c"}, &moved, 1), 0);
	cr_expect_str_eq(store_row(world.store, "volt/b")->origin->name, "volt/west",
			 "it moved to another node");
	check_fingerprint("volt/east");
	check_fingerprint("volt/west");
	cr_expect_null(store_row_change_next(world.store, "volt/east", 0));
	cr_assert_eq(put_as((struct how){.origin = "volt/east", .cursor = "d"}, &rows[1], 1), 0);
	cr_expect_str_eq(rows_below(""), "volt/b@12 ", "and does not go back by an older row");
}

Test(remote, a_deleted_twin_goes_to_a_new_owner_whose_clock_is_behind)
{
	struct row row = make_row("volt/a", 10, 1);
	const struct row taken = make_row("volt/a", 5, 1);

	cr_assert_eq(put(&row, "c1"), 0);
	row = make_row("volt/a", 20, 2);
	row.deleted = true;
	cr_assert_eq(put(&row, "c2"), 0);
	cr_assert_eq(put_as((struct how){.origin = "volt/west", .cursor = "c"}, &taken, 1), 0);
	cr_expect_str_eq(rows_below(""), "volt/a@5 ");
	row.version.stamp_ns = 30;
	row.seq = 3;
	cr_assert_eq(put(&row, "c3"), 0);
	cr_expect_str_eq(rows_below(""), "volt/a@5 ", "what the old owner deletes is not the new one's");
	check_fingerprint("volt/east");
	check_fingerprint("volt/west");
}

/* Rows are read some ahead of being put, so what one does to another must be seen by it. */
Test(remote, rows_of_one_op_follow_each_other)
{
	struct row rows[50];
	SCOPED(buf_fini) struct buf expected = {0};

	for (size_t i = 0; i < 50; i++) {
		rows[i] = make_row(arena_print(world.arena, "volt/t%02zu", i % 20), (int64_t)i + 1, i + 1);
		rows[i].deleted = i == 32 || i == 47;
	}
	cr_assert_eq(put_as((struct how){.origin = "volt/east", .cursor = "c"}, rows, 50), 0);
	for (int i = 0; i < 20; i++)
		if (i != 7 && i != 12)
			buf_print(&expected, "volt/t%02d@%d ", i, i < 10 ? i + 41 : i + 21);
	cr_expect_str_eq(rows_below(""), arena_text(world.arena, buf_bytes(&expected)));
	check_fingerprint("volt/east");
	cr_expect_eq(store_origin(world.store, "volt/east")->max_seq, 50);
}

/* ---- Replaced again and again -----------------------------------------------------------------------------
 */

enum { N_CHANGING = 5, N_CHANGES = 400 };

static struct {
	struct bytes encoded[N_CHANGING];
	uint64_t seq[N_CHANGING];
	bool deleted[N_CHANGING];
	const char *parent[N_CHANGING];
} changing;

static const char *changing_id(size_t i)
{
	return arena_print(world.arena, "volt/t%zu", i);
}

/* Shorter and longer, with and without a parent - one of them at times itself -, deleted and back. */
static void change_one(unsigned *random, uint64_t seq)
{
	const unsigned r = *random = *random * 1103515245 + 12345;
	const size_t i = (r >> 16) % N_CHANGING;
	struct row_parent parent = {.hierarchy = "site", .parent = (r >> 8) % 2 ? "volt/p" : "volt/t0"};
	struct row row = make_row(changing_id(i), (int64_t)seq, seq);

	row.name = arena_print(world.arena, "%.*s", (int)((r >> 20) % 24), "something that has a name");
	row.parents = &parent;
	row.n_parents = (r >> 12) % 4 > 0;
	row.deleted = (r >> 24) % 8 == 0;
	row.n_parents = row.deleted ? 0 : row.n_parents;
	cr_assert_eq(put(&row, arena_print(world.arena, "%d", (int)seq)), 0);
	changing.encoded[i] = encode(&row);
	changing.seq[i] = seq;
	changing.deleted[i] = row.deleted;
	changing.parent[i] = row.n_parents > 0 ? parent.parent : "";
}

static void check_children(const char *parent)
{
	const struct remote_row *r = NULL;
	bool found[N_CHANGING] = {false};

	while ((r = store_row_child_next(world.store, "site", parent, r)))
		for (size_t i = 0; i < N_CHANGING; i++)
			if (strcmp(r->id, changing_id(i)) == 0) {
				cr_expect(!found[i], "once");
				found[i] = true;
			}
	for (size_t i = 0; i < N_CHANGING; i++)
		cr_expect_eq(found[i], changing.parent[i] && strcmp(changing.parent[i], parent) == 0);
}

static void check_changing(void)
{
	uint64_t seq = 0;
	size_t n = 0, expected = 0;

	for (size_t i = 0; i < N_CHANGING; i++) {
		const struct remote_row *r = store_row(world.store, changing_id(i));
		expected += changing.seq[i] > 0;
		cr_assert_eq(r != NULL, changing.seq[i] > 0 && !changing.deleted[i]);
		cr_expect(!r || (bytes_equal(r->encoded, changing.encoded[i]) && r->seq == changing.seq[i]));
		cr_expect(!r ||
			  r->is_parent == (store_row_child_next(world.store, "site", r->id, NULL) != NULL));
	}
	for (const struct remote_row *r; (r = store_row_change_next(world.store, "volt/east", seq)); n++) {
		cr_expect(bytes_equal(r->encoded, changing.encoded[r->id[6] - '0']));
		cr_assert_gt(r->seq, seq);
		seq = r->seq;
	}
	cr_expect_eq(n, expected);
	check_children("volt/p");
	check_children("volt/t0");
	check_fingerprint("volt/east");
}

Test(remote, a_row_that_is_replaced_again_and_again_is_the_last_one_everywhere)
{
	unsigned random = 7;

	for (uint64_t seq = 1; seq <= N_CHANGES; seq++) {
		change_one(&random, seq);
		check_changing();
		if (seq % 100 == 0)
			every_way(check_changing);
	}
}
