/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of ours fails once: the call says -ENOMEM, nothing leaks or crashes, and what was
 * acknowledged is there when the store is opened again. */
#include <criterion/criterion.h>

#include "proto/row.h"
#include "storage/recent.h"
#include "tests/lib/failing_alloc.h"
#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

TestSuite(memory, .init = world_begin, .fini = world_end);

/* Repeat a step with ever more allocations allowed until none was left to fail. Between, the store is opened
 * anew: a failed store_apply() asks for that. */
static void fail_each(int (*step)(void), void (*undo)(void))
{
	bool failed = true;

	for (long allowed = 0; failed; allowed++) {
		alloc_fail_after(allowed);
		const int r = step();
		failed = alloc_has_failed();
		alloc_fail_after(-1);
		if (failed)
			cr_expect_eq(r, -ENOMEM, "allocation %ld: %d %s", allowed, r, world.note.text);
		else
			cr_expect_eq(r, 0, "%d %s", r, world.note.text);
		if (failed)
			undo();
	}
}

static int open_step(void)
{
	store_close(world.store);
	world.store = NULL;
	return world_try_open("acme", "north");
}

static void undo_nothing(void)
{
}

static void make_some(void)
{
	world_types();
	must(world_twin("acme/a", "press", KIND_ASSET) == 0);
	must(world_twin("acme/b", "press", KIND_ASSET) == 0);
	must(world_relate("contains", "acme/a", "acme/b") == 0);
	must(world_member("contains", "harbor/city", "acme/a", CONFIRM_CONFIRMED) == 0);
	must(world_sample("acme/a", 1, 1) == 0);
}

Test(memory, opening_survives_every_failing_allocation)
{
	make_some();
	fail_each(open_step, undo_nothing); /* from the log */
	world_checkpoint();
	fail_each(open_step, undo_nothing); /* from the environments */
	cr_expect_eq(temperature_at("acme/a", 1), 1);
}

/* ---- Changing ---------------------------------------------------------------------------------------------
 */

static const struct op *ops;
static size_t n_ops;

static int change_all(struct batch *b)
{
	for (size_t i = 0; i < n_ops; i++) {
		const int r = store_stage(world.store, b, &ops[i], world.now_ns, NULL, &world.note);
		TRY(r);
		must(r == 0);
	}
	TRY(store_write(world.store, b));
	return store_apply(world.store, b, world.now_ns);
}

static int change_step(void)
{
	SCOPED(scope_batch) struct batch *b = NULL;

	TRY(batch_new(&b));
	return change_all(b);
}

/* Back to what was there before: replay may or may not have brought the changes. */
static void undo_changes(void)
{
	world_reopen();
	world_delete("acme/c");
	world_delete("acme/d");
	world_do(&(struct op){.kind = OP_ORG_DROP, .id = "volt"});
	world_unrelate("contains", "acme/a", "volt/x");
	world_reopen();
}

static struct bytes encoded_row(void)
{
	struct row_parent parent = {"contains", "acme/a", CONFIRM_PENDING};
	const struct row row = {.id = "volt/x",
				.version = {0, 5},
				.seq = 3,
				.mask = ROW_MASK_ALL,
				.type = "",
				.name = "",
				.parents = &parent,
				.n_parents = 1};
	SCOPED(buf_fini) struct buf b = {0};

	row_encode(&row, &b);
	return (struct bytes){(const uint8_t *)arena_text(world.arena, buf_bytes(&b)), b.len};
}

Test(memory, changing_survives_every_failing_allocation)
{
	const char *aliases[] = {"urn:c"};
	struct sample s[] = {number_at(1, 1), number_at(2, NAN)};
	struct sample text = {
		.t_ns = 1, .value = {.type = VALUE_TEXT, .text = "hello"}, .sigma = NAN, .source = "me"};
	struct bytes row = encoded_row();
	const struct op all[] = {
		{.kind = OP_TWIN,
		 .twin = {.id = "acme/c",
			  .type = "press",
			  .kind = KIND_ASSET,
			  .name = "",
			  .aliases = aliases,
			  .n_aliases = 1}},
		{.kind = OP_TWIN, .twin = {.id = "acme/d", .type = "press", .kind = KIND_ASSET, .name = ""}},
		{.kind = OP_RELATION, .relation = {"contains", "acme/c", "acme/a", 0, 1}},
		{.kind = OP_RELATION, .relation = {"contains", "acme/a", "volt/x", 0, 1}},
		{.kind = OP_MEMBERSHIP, .membership = {"contains", "volt/x", "acme/c", CONFIRM_CONFIRMED, 0}},
		{.kind = OP_SAMPLES, .samples = {"acme/c", "temperature", s, 2}},
		{.kind = OP_SAMPLES, .samples = {"acme/c", "note", &text, 1}},
		{.kind = OP_TWIN_DELETE, .id = "acme/d"},
		{.kind = OP_ROWS,
		 .rows = {.origin = "volt/east", .rows = &row, .n = 1, .cursor = BYTES("c")}},
	};

	make_some();
	ops = all;
	n_ops = sizeof all / sizeof all[0];
	fail_each(change_step, undo_changes);
	world_reopen();
	cr_expect_eq(temperature_at("acme/c", 1), 1);
	cr_expect_not_null(store_row(world.store, "volt/x"));
}

/* ---- Write-behind and reading -----------------------------------------------------------------------------
 */

static int checkpoint_step(void)
{
	struct checkpoint *c;

	TRY(checkpoint_begin(world.store, &c));
	const int r = checkpoint_write(c);
	checkpoint_end(world.store, c, r == 0);
	return r;
}

Test(memory, a_checkpoint_survives_every_failing_allocation)
{
	make_some();
	fail_each(checkpoint_step, undo_nothing);
	cr_assert_eq(world_sample("acme/a", 2, 2), 0);
	cr_assert_eq(world_delete("acme/b"), 0);
	fail_each(checkpoint_step, undo_nothing);
	world_reopen();
	cr_expect_str_eq(temperatures("acme/a", 0, 9), "1=1 2=2");
	cr_expect_null(store_twin(world.store, "acme/b"));
	cr_expect_null(store_twin(world.store, "acme/a")->out);
}

static int read_step(void)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct twin *t = store_twin(world.store, "acme/a");
	struct sample one, *many;
	size_t n;
	bool more;

	TRY(arena_new(&a, SIZE_MAX));
	TRY(store_value_at(world.store, t, 0, 5, a, &one));
	TRY(store_history(world.store, t, 0, 0, 9, 9, a, &many, &n, &more));
	must(one.value.real == 1 && n == 1);
	return 0;
}

Test(memory, reading_survives_every_failing_allocation)
{
	make_some();
	world_checkpoint();
	fail_each(read_step, undo_nothing);
}

/* ---- Memory ahead -----------------------------------------------------------------------------------------
 */

Test(memory, samples_that_have_room_are_added_without_allocating)
{
	enum { N = 100000 };
	const struct slot number = {.t_ns = 1, .type = VALUE_DOUBLE};
	struct recent r = {0};
	uint32_t chain = 0;
	int result = 0;

	for (int round = 0; round < 3; round++) {
		cr_assert_eq(recent_reserve(&r, N), 0);
		cr_assert_eq(recent_freeze(&r), 0, "as a checkpoint may, before the batch is applied");
		alloc_fail_after(0);
		for (int i = 0; i < N && result == 0; i++)
			result = recent_add_number(&r, 7, &chain, &number, NULL);
		alloc_fail_after(-1);
		cr_expect_eq(result, 0);
		cr_expect_geq(recent_bytes(&r), r.n * sizeof(struct slot));
		recent_thaw(&r, round > 0);
	}
	recent_fini(&r);
}

Test(memory, want_of_memory_for_applying_is_told_before_it_is_written)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	struct sample s[] = {number_at(7, 7)};
	const struct op op = {.kind = OP_SAMPLES, .samples = {"acme/a", "temperature", s, 1}};

	make_some();
	must(batch_new(&b) == 0);
	must(store_stage(world.store, b, &op, world.now_ns, NULL, &world.note) == 0);
	for (long allowed = 0; allowed < 2; allowed++) {
		alloc_fail_after(allowed);
		cr_expect_eq(store_reserve(world.store, b), -ENOMEM, "allocation %ld", allowed);
		alloc_fail_after(-1);
	}
	cr_expect_eq(store_reserve(world.store, b), 0);
	cr_expect_eq(world_commit(b), 0);
	cr_expect_str_eq(temperatures("acme/a", 0, 9), "1=1 7=7");
}

Test(memory, short_memory_makes_a_checkpoint_due)
{
	make_some();
	cr_expect_not(checkpoint_due(world.store, world.now_ns));
	cr_expect(store_save_memory(world.store));
	cr_expect(checkpoint_due(world.store, world.now_ns));
	world_checkpoint();
	cr_expect_not(checkpoint_due(world.store, world.now_ns));
	cr_expect_not(store_save_memory(world.store), "all of it is written behind");
	cr_expect_not(checkpoint_due(world.store, world.now_ns));
}

Test(memory, samples_in_memory_make_a_checkpoint_due)
{
	store_close(world.store);
	world.store = NULL;
	world.memory_bytes = 4096;
	must(world_try_open("acme", "north") == 0);
	make_some();
	int i;
	for (i = 2; checkpoint_backlog(world.store) < BACKLOG_MAX && i < 1000; i++)
		must(world_sample("acme/a", i, i) == 0);
	cr_expect_lt(i, 4096 / (int)sizeof(struct slot) + 2);
	cr_expect(checkpoint_due(world.store, world.now_ns));
	world_checkpoint();
	cr_expect_eq(checkpoint_backlog(world.store), 0);
}
