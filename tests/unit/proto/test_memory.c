/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "proto/arena.h"
#include "proto/buf.h"
#include "proto/err.h"
#include "proto/words.h"
#include "tests/lib/failing_alloc.h"
#include "tests/unit/proto/text.h"

static struct arena *arena;

static void set_up(void)
{
	cr_assert(eq(int, arena_new(&arena, 100000), 0));
}

static void tear_down(void)
{
	arena_free(arena);
	arena = NULL;
}

TestSuite(arena, .init = set_up, .fini = tear_down);

Test(arena, what_it_hands_out_is_zeroed_aligned_and_apart)
{
	uint8_t *last = NULL;

	for (size_t size = 0; size < 300; size++) {
		uint8_t *p = arena_take(arena, size);
		cr_assert(p != NULL);
		cr_expect(eq(sz, (uintptr_t)p % _Alignof(max_align_t), 0));
		for (size_t i = 0; i < size; i++)
			cr_assert(eq(int, p[i], 0));
		memset(p, 0xee, size);
		cr_expect(size < 2 || p != last);
		last = p;
	}
}

Test(arena, the_budget_is_a_ceiling)
{
	cr_expect(arena_take(arena, 60000) != NULL);
	cr_expect(arena_take(arena, 40001) == NULL);
	cr_expect(arena_take(arena, 40000) != NULL);
	cr_expect(arena_take(arena, 1) == NULL);
	cr_expect(eq(sz, arena_used(arena), 100000));
	cr_expect(arena_take(arena, SIZE_MAX) == NULL);
	cr_expect(arena_take_array(arena, SIZE_MAX / 2, 3) == NULL);
}

Test(arena, after_a_reset_it_is_zeroed_again)
{
	for (int round = 0; round < 3; round++) {
		uint8_t *p = arena_take(arena, 9000);
		cr_assert(p != NULL);
		for (size_t i = 0; i < 9000; i++)
			cr_assert(eq(int, p[i], 0));
		memset(p, 0xee, 9000);
		memset(arena_take(arena, 100), 0xee, 100);
		arena_reset(arena);
		cr_expect(eq(sz, arena_used(arena), 0));
	}
}

Test(arena, texts_end_with_a_nul)
{
	EXPECT_TEXT(arena_text(arena, BYTES("abc")), "abc");
	EXPECT_TEXT(arena_text(arena, (struct bytes){NULL, 0}), "");
	EXPECT_TEXT(arena_copy(arena, "xyz"), "xyz");
	cr_expect(arena_copy(arena, NULL) == NULL);
	EXPECT_TEXT(arena_print(arena, "%s-%d", "a", 7), "a-7");
}

Test(arena, pushing_keeps_what_was_there)
{
	int *items = NULL;
	size_t n = 0;

	for (int i = 0; i < 1000; i++) {
		int *p = arena_push(arena, &items, &n, sizeof *items);
		cr_assert(p != NULL);
		cr_expect(eq(int, *p, 0));
		*p = i;
	}
	cr_assert(eq(sz, n, 1000));
	for (int i = 0; i < 1000; i++)
		cr_expect(eq(int, items[i], i));
}

Test(arena, without_memory_it_gives_nothing)
{
	struct arena *none = NULL;

	alloc_fail_after(0);
	const int r = arena_new(&none, 10);
	const bool nothing = arena_take(arena, 5000) == NULL;
	alloc_fail_after(-1);
	cr_expect(eq(int, r, -ENOMEM));
	cr_expect(none == NULL);
	cr_expect(nothing);
	arena_free(NULL);
}

Test(buf, numbers_are_big_endian)
{
	SCOPED(buf_fini) struct buf b = {0};

	buf_put_u8(&b, 1);
	buf_put_u32(&b, 0x02030405);
	buf_put_u64(&b, 0x060708090a0b0c0d);
	buf_put_text(&b, "x");
	buf_print(&b, "%03d", 7);
	cr_assert(eq(int, buf_check(&b), 0));
	cr_expect(bytes_equal(buf_bytes(&b), BYTES("\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0dx007")));
	cr_expect(eq(u32, get_u32(b.data + 1), 0x02030405));
	cr_expect(eq(u64, get_u64(b.data + 5), 0x060708090a0b0c0d));
}

Test(buf, a_failure_is_remembered_until_it_is_cleared)
{
	SCOPED(buf_fini) struct buf b = {0};

	alloc_fail_after(0);
	buf_put_text(&b, "lost");
	alloc_fail_after(-1);
	buf_put_text(&b, "after");
	cr_expect(eq(int, buf_check(&b), -ENOMEM));
	buf_clear(&b);
	buf_put_text(&b, "again");
	cr_expect(eq(int, buf_check(&b), 0));
	cr_expect(bytes_equal(buf_bytes(&b), BYTES("again")));
	cr_expect(buf_extend(&b, SIZE_MAX) == NULL);
	cr_expect(b.failed);
}

Test(bytes, order_is_byte_order_and_the_shorter_first)
{
	cr_expect(lt(int, bytes_compare(BYTES("a"), BYTES("b")), 0));
	cr_expect(lt(int, bytes_compare(BYTES("a"), BYTES("a\0")), 0));
	cr_expect(gt(int, bytes_compare(BYTES("\xff"), BYTES("a")), 0));
	cr_expect(eq(int, bytes_compare(BYTES(""), BYTES("")), 0));
	cr_expect(bytes_start_with(BYTES("abc"), BYTES("ab")));
	cr_expect(not(bytes_start_with(BYTES("a"), BYTES("ab"))));
	cr_expect(not(bytes_equal(BYTES("a"), BYTES("ab"))));
}

static int fails(void)
{
	return FAIL(ERR_CORRUPT);
}

static int passes_on(void)
{
	TRY(fails());
	return 0;
}

Test(err, a_chain_remembers_every_step)
{
	char chain[200];

	cr_expect(eq(int, passes_on(), ERR_CORRUPT));
	err_chain(chain, sizeof chain);
	EXPECT_WORDS(chain, "test_memory.c:");
	EXPECT_WORDS(chain, " < ");
	err_chain(chain, 5);
	cr_expect(lt(sz, strlen(chain), 5));
}

Test(err, every_code_has_a_text)
{
	EXPECT_TEXT(err_text(0), "success");
	EXPECT_TEXT(err_text(ERR_UNIT), "units do not agree");
	EXPECT_TEXT(err_text(-ENOENT), "No such file or directory");
	EXPECT_TEXT(err_text(7), "not an error code");
}

Test(err, a_note_stays_clean_text_also_when_it_is_cut)
{
	struct err_note note;
	char text[400];

	for (size_t shift = 0; shift < 2; shift++) {
		for (size_t i = 0; i + 1 < sizeof text; i++)
			text[i] = (i + shift) % 2 ? '\xa4' : '\xc3';
		text[sizeof text - 1] = '\0';
		cr_expect(eq(int, err_say(&note, ERR_REFUSED, "%s", text), ERR_REFUSED));
		cr_expect(text_is_clean(bytes_of_text(note.text)));
		cr_expect(eq(sz, strlen(note.text), sizeof note.text - 1));
	}
	cr_expect(eq(int, err_say(NULL, ERR_UNIT, "nobody listens"), ERR_UNIT));
}
