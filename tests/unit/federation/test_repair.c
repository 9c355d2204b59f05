/* SPDX-License-Identifier: Apache-2.0 */
/* Twins are acme/t0, acme/t1, ...; what is held and what is shown are two sets of them, with versions. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "proto/row.h"
#include "tests/lib/must.h"
#include "tests/unit/federation/desk.h"

static struct desk desk;
static struct laid *a1;

static struct tree *tree_of(const char *twins)
{
	struct tree *t;
	char id[] = "acme/t?";

	must(tree_new(&t) == 0);
	for (; *twins; twins++) {
		id[6] = *twins;
		const struct hash128 h = row_hash(id, (struct row_version){0, 1}, 1);
		must(tree_add(t, id, &h) == 0);
	}
	must(tree_end(t) == 0);
	return t;
}

static void begin(void)
{
	desk_init(&desk);
	desk.features = FEATURE_REPAIR;
	a1 = desk_lay(&desk, "acme/a1");
	desk_up(&desk, 1, "acme", "a1");
	desk_hello(&desk, 1, "acme", "a1");
}

static void end(void)
{
	tree_free(a1->tree);
	tree_free(a1->shown);
	desk_fini(&desk);
}

TestSuite(repair, .init = begin, .fini = end);

/* acme/a1 is held with these twins, and its cursor is refused. */
static const char *refused(const char *twins)
{
	struct message m = {.kind = MESSAGE_RESET, .reset = {0, "acme/a1", RESET_LINEAGE}};

	*a1 = (struct laid){.origin = "acme/a1",
			    .held = true,
			    .cursor = "c5",
			    .count = 3,
			    .head_count = 3,
			    .head_seq = 5,
			    .tree = tree_of(twins)};
	EXPECT(desk_heads(&desk, 1, "acme/a1", 7, 4), "pull acme/a1 from c5");
	m.reset.pull = desk.pull;
	return desk_frame(&desk, 1, &m);
}

/* SUMS over a server's twins to the last question. */
static const char *sums(const struct tree *t)
{
	const struct repair asked = desk.sent.repair;
	const size_t children = tree_children(asked.depth);
	static uint64_t list[REPAIR_PREFIXES_MAX * 16];
	struct message m = {.kind = MESSAGE_SUMS,
			    .sums = {.id = asked.id,
				     .origin = "acme/a1",
				     .cursor = BYTES("c8"),
				     .sums = list,
				     .n = asked.n * children}};

	for (size_t i = 0; i < m.sums.n; i++)
		list[i] = tree_sum(t, tree_child_depth(asked.depth),
				   (uint32_t)(asked.prefixes[i / children] * children + i % children));
	return desk_frame(&desk, 1, &m);
}

/* ROWS of these twins, taking away that one. */
static const char *rows(const char *twins, const char *gone, uint32_t leaves)
{
	struct bytes list[8];
	uint64_t keys[8];
	char id[] = "acme/t?";
	struct message m = {.kind = MESSAGE_ROWS,
			    .rows = {.pull = desk.sent.repair.id,
				     .origin = "acme/a1",
				     .rows = list,
				     .gone = keys,
				     .cursor = BYTES("c9"),
				     .repair = true,
				     .leaves = leaves}};

	for (; *twins; twins++) {
		id[6] = *twins;
		list[m.rows.n++] = desk_row(&desk, id);
	}
	for (; *gone; gone++) {
		id[6] = *gone;
		keys[m.rows.n_gone++] = row_key(id);
	}
	return desk_frame(&desk, 1, &m);
}

/* Down to the leaves that differ from those of a server with these twins. */
static const char *descend(const char *twins)
{
	SCOPED(scope_tree) struct tree *t = tree_of(twins);

	sums(t);
	sums(t);
	return sums(t);
}

Test(repair, finds_what_differs_mends_it_and_goes_on_behind_its_cursor)
{
	EXPECT(refused("123"), "repair acme/a1/0 n=1 entries=0");
	EXPECT(descend("124"), "repair acme/a1/16 n=2 entries=1");
	EXPECT(rows("4", "3", 2), "store acme/a1 n=2 repair");
	a1->cursor = "";
	EXPECT(desk_stored(&desk, 0), "store acme/a1 n=0 repair to c9");
	a1->cursor = "c9";
	EXPECT(desk_stored(&desk, 0), "pull acme/a1 from c9");
	EXPECT(desk_rows(&desk, "acme/a1", 0, 0, 7, 4), "store acme/a1 n=0 head to c9");
	a1->count = a1->head_count = 4;
	a1->head_seq = 7;
	EXPECT(desk_stored(&desk, 0), "heard acme/a1 2s");
}

Test(repair, of_what_does_not_differ_takes_the_cursor)
{
	SCOPED(scope_tree) struct tree *same = tree_of("123");

	refused("123");
	EXPECT(sums(same), "store acme/a1 n=0 repair to c8");
}

Test(repair, takes_a_leaf_in_pieces_and_does_not_ask_for_the_same_again)
{
	const bool in_order = row_key("acme/t4") < row_key("acme/t5");

	refused("12");
	EXPECT(descend("1245"), "repair acme/a1/16 n=2 entries=0");
	EXPECT(rows(in_order ? "4" : "5", "", 0), "store acme/a1 n=1 repair");
	EXPECT(desk_stored(&desk, 0), "repair acme/a1/16 n=2 entries=1");
	EXPECT(rows(in_order ? "4" : "5", "", 0), "alarm, close");
}

Test(repair, is_left_alone_after_three_that_did_not_help)
{
	SCOPED(scope_tree) struct tree *same = tree_of("123");

	refused("123");
	for (int i = 0; i < 3; i++) {
		EXPECT(sums(same), "store acme/a1 n=0 repair to c8");
		a1->head_count = 3;
		EXPECT(desk_stored(&desk, 0), "pull acme/a1 from c5");
		desk_rows(&desk, "acme/a1", 0, 0, 7, 4);
		EXPECT(desk_stored(&desk, 0), i < 2 ? "repair acme/a1/0 n=1 entries=0" : "alarm");
	}
}

Test(repair, waits_while_a_tree_is_being_made)
{
	struct message m = {.kind = MESSAGE_RESET, .reset = {0, "acme/a1", RESET_LATER}};

	refused("123");
	m.reset.pull = desk.pull;
	EXPECT(desk_frame(&desk, 1, &m), "");
	EXPECT(desk_pass(&desk, 50 * NS_PER_MS), "repair acme/a1/0 n=1 entries=0");
}

Test(repair, goes_on_with_the_same_question_after_a_gap)
{
	refused("123");
	descend("124");
	desk.frame++;
	EXPECT(rows("4", "3", 2), "repair acme/a1/16 n=2 entries=1");
	EXPECT(rows("4", "3", 2), "store acme/a1 n=2 repair");
}

Test(repair, of_a_session_that_ends_is_given_up)
{
	const struct mesh_event down = {.kind = MESH_DOWN, .session = 1};

	refused("123");
	EXPECT(desk_event(&desk, &down), "");
	EXPECT(desk_pass(&desk, 10 * NS_PER_S), "");
}

Test(repair, with_what_was_not_asked_about_closes_the_session)
{
	refused("123");
	descend("124");
	EXPECT(rows("5", "", 1), "alarm, close");
}

Test(repair, that_takes_away_what_was_not_listed_closes_the_session)
{
	refused("123");
	descend("124");
	EXPECT(rows("", "1", 1), "alarm, close");
}

Test(repair, that_does_not_go_on_closes_the_session)
{
	refused("123");
	descend("124");
	EXPECT(rows("", "", 0), "alarm, close");
}

Test(repair, with_sums_that_do_not_fit_closes_the_session)
{
	SCOPED(scope_tree) struct tree *t = tree_of("1");

	refused("123");
	desk.sent.repair.n = 0;
	EXPECT(sums(t), "alarm, close");
}

/* ---- The server -------------------------------------------------------------------------------------------
 */

static const char *ask(uint32_t depth, uint16_t *prefixes, size_t n, struct tree_leaf *entries,
		       size_t n_entries)
{
	struct message m = {.kind = MESSAGE_REPAIR,
			    .repair = {.id = 5,
				       .origin = "acme/me",
				       .depth = depth,
				       .prefixes = prefixes,
				       .n = n,
				       .entries = entries,
				       .n_entries = n_entries}};

	return desk_frame(&desk, 1, &m);
}

static void serve(const char *twins)
{
	struct laid *me = desk_lay(&desk, "acme/me");

	*me = (struct laid){.origin = "acme/me", .offered = true, .shown = tree_of(twins)};
	a1 = me;
}

Test(repair, is_answered_with_sums)
{
	uint16_t prefix = 0;

	serve("123");
	EXPECT(ask(0, &prefix, 1, NULL, 0), "sums n=256");
	prefix = (uint16_t)tree_prefix(row_key("acme/t2"), 8);
	EXPECT(ask(8, &prefix, 1, NULL, 0), "sums n=16");
	uint64_t all = 0;
	for (size_t i = 0; i < 16; i++)
		all += desk.sent.sums.sums[i];
	cr_expect(eq(u64, all, tree_sum(a1->shown, 8, prefix)));
}

Test(repair, is_answered_with_what_the_reader_lacks_and_has_too_much)
{
	uint16_t prefix = (uint16_t)tree_prefix(row_key("acme/t2"), 16);
	struct tree_leaf mine = {row_key("acme/t2") ^ 1, 7}, same;

	serve("123");
	EXPECT(ask(16, &prefix, 1, &mine, 1), "rows acme/me #0 repair n=1 gone=1 leaves=1");
	same = tree_entry(a1->shown, tree_find(a1->shown, row_key("acme/t2")));
	EXPECT(ask(16, &prefix, 1, &same, 1), "rows acme/me #0 repair n=0 gone=0 leaves=1");
	same.hash++;
	EXPECT(ask(16, &prefix, 1, &same, 1), "rows acme/me #0 repair n=1 gone=0 leaves=1");
	desk.hidden = "acme/t2";
	EXPECT(ask(16, &prefix, 1, &same, 1), "rows acme/me #0 repair n=0 gone=1 leaves=1");
}

Test(repair, that_cannot_be_served_is_reset)
{
	uint16_t prefix = 0;

	serve("123");
	a1->reset = RESET_LATER;
	EXPECT(ask(0, &prefix, 1, NULL, 0), "reset acme/me later");
	a1->offered = false;
	EXPECT(ask(0, &prefix, 1, NULL, 0), "reset acme/me unknown");
}
