/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "federation/tree.h"
#include "proto/row.h"
#include "tests/lib/failing_alloc.h"
#include "tests/lib/must.h"

static struct tree *tree;
static struct arena *arena;

static void begin(void)
{
	must(tree_new(&tree) == 0 && arena_new(&arena, 1 << 20) == 0);
}

static void end(void)
{
	tree_free(tree);
	arena_free(arena);
	tree = NULL;
	arena = NULL;
}

TestSuite(tree, .init = begin, .fini = end);

static struct hash128 hash_of(int i, int stamp)
{
	char id[64];

	snprintf(id, sizeof id, "acme/plant%d/press%d", i / 100, i);
	return row_hash(id, (struct row_version){0, stamp}, ROW_MASK_ALL);
}

static void add(struct tree *t, int i, int stamp)
{
	const struct hash128 h = hash_of(i, stamp);
	char id[64];

	snprintf(id, sizeof id, "acme/plant%d/press%d", i / 100, i);
	must(tree_add(t, id, &h) == 0);
}

static void fill(int n)
{
	for (int i = 0; i < n; i++)
		add(tree, i, 1);
	must(tree_end(tree) == 0);
}

Test(tree, of_nothing_has_sums_of_nothing)
{
	size_t first;

	fill(0);
	cr_expect(eq(sz, tree_rows(tree), 0));
	cr_expect(eq(u64, tree_sum(tree, 8, 0), 0));
	cr_expect(eq(sz, tree_leaf(tree, 0xffff, &first), 0));
	cr_expect(eq(sz, tree_find(tree, 7), 0));
}

Test(tree, gives_every_row_back_by_its_key)
{
	const char *id;

	fill(5000);
	for (size_t at = 0; at < tree_rows(tree); at++) {
		arena_reset(arena);
		must(tree_id(tree, at, arena, &id) == 0);
		cr_assert(eq(u64, row_key(id), tree_entry(tree, at).key), "%s", id);
		cr_assert(at == 0 || tree_entry(tree, at - 1).key < tree_entry(tree, at).key);
		cr_assert(eq(sz, tree_find(tree, row_key(id)), at));
	}
	cr_expect(eq(sz, tree_find(tree, 1), 5000));
}

Test(tree, has_sums_that_add_up_at_every_depth)
{
	uint64_t all = 0;
	size_t rows = 0, first;

	fill(5000);
	for (uint32_t p = 0; p < 256; p++)
		all += tree_sum(tree, 8, p);
	for (uint32_t depth = 8; depth < TREE_LEAF_DEPTH; depth = tree_child_depth(depth))
		for (uint32_t p = 0; p < (uint32_t)1 << depth; p++) {
			uint64_t sum = 0;
			for (uint32_t c = 0; c < tree_children(depth); c++)
				sum += tree_sum(tree, tree_child_depth(depth), p * 16 + c);
			cr_assert(eq(u64, sum, tree_sum(tree, depth, p)));
		}
	for (uint32_t leaf = 0; leaf < 1 << TREE_LEAF_DEPTH; leaf++)
		rows += tree_leaf(tree, leaf, &first);
	cr_expect(eq(sz, rows, 5000));
	uint64_t direct = 0;
	for (int i = 0; i < 5000; i++) {
		const struct hash128 h = hash_of(i, 1);
		direct += get_u64(h.b + 8);
	}
	cr_expect(eq(u64, all, direct));
}

Test(tree, differs_below_what_differs_and_nowhere_else)
{
	struct tree *other;
	size_t differing = 0;

	fill(5000);
	must(tree_new(&other) == 0);
	for (int i = 4999; i >= 0; i--) /* in another order, one of them newer */
		add(other, i, i == 77 ? 2 : 1);
	must(tree_end(other) == 0);
	for (uint32_t leaf = 0; leaf < 1 << TREE_LEAF_DEPTH; leaf++)
		differing += tree_sum(tree, 16, leaf) != tree_sum(other, 16, leaf);
	cr_expect(eq(sz, differing, 1));
	tree_free(other);
}

/* The form is frozen: other nodes compute the same. */
Test(tree, has_keys_that_stay_as_they_are)
{
	cr_expect(eq(u64, row_key("acme/press"), UINT64_C(11041057931659113111)));
	cr_expect(eq(u32, tree_prefix(UINT64_C(0x123456789abcdef0), 8), 0x12));
	cr_expect(eq(u32, tree_prefix(UINT64_C(0x123456789abcdef0), 12), 0x123));
	cr_expect(eq(u32, tree_prefix(UINT64_C(0x123456789abcdef0), 16), 0x1234));
}

static int build(void)
{
	SCOPED(scope_tree) struct tree *t = NULL;

	TRY(tree_new(&t));
	for (int i = 0; i < 40; i++) {
		const struct hash128 h = hash_of(i, 1);
		TRY(tree_add(t, "acme/press", &h));
	}
	return tree_end(t);
}

Test(tree, every_allocation_may_fail)
{
	bool failed = true;

	for (long allowed = 0; failed; allowed++) {
		alloc_fail_after(allowed);
		const int r = build();
		failed = alloc_has_failed();
		alloc_fail_after(-1);
		cr_expect(eq(int, r, failed ? -ENOMEM : 0), "allocation %ld", allowed);
	}
}
