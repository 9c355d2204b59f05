/* SPDX-License-Identifier: Apache-2.0 */
/* Questions that do not fit into a frame: parted, and joined by whoever answers them. */
#include "node/question_frames.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "node/gossip.h"
#include "proto/clock.h"
#include "tests/lib/must.h"

enum { FRAMES_MAX = 512 };

static struct arena *a;
static struct unfinished *list;
static int64_t now_ns = NS_PER_S;
static const struct session volt = {.id = 1, .org = "volt", .node = "v1"},
			    volt_again = {.id = 2, .org = "volt", .node = "v2"},
			    fellow = {.id = 3, .org = "acme", .node = "n2", .own = true},
			    fellow_too = {.id = 4, .org = "acme", .node = "n3", .own = true};

int64_t __wrap_engine_mono_ns(void);

int64_t __wrap_engine_mono_ns(void)
{
	return now_ns;
}

static void set_up(void)
{
	must(arena_new(&a, 256 << 20) == 0);
}

static void tear_down(void)
{
	unfinished_free(&list);
	must(list == NULL);
	arena_free(a);
	a = NULL;
}

TestSuite(question_frames, .init = set_up, .fini = tear_down, .timeout = 60);

static struct question question_of(size_t n, size_t id_bytes)
{
	struct question q = {.id = 7,
			     .timeout_ns = NS_PER_S,
			     .asker = "",
			     .kind = QUESTION_VIEW,
			     .twin = "",
			     .property = "",
			     .view = {.hierarchy = "contains", .where = "", .n_roots = n}};

	q.view.roots = arena_take_array(a, n, sizeof *q.view.roots);
	for (size_t i = 0; i < n; i++) {
		char *id = arena_print(a, "acme/%0*zu", (int)id_bytes - 5, i);
		q.view.roots[i] = (struct view_root){
			.id = id, .parent = id, .seen = i % 2, .from_ns = INT64_MIN, .to_ns = INT64_MAX};
	}
	return q;
}

static size_t part(const struct question *q, struct question frames[FRAMES_MAX])
{
	size_t room = SIZE_MAX, from = 0, n = 0, some;

	for (; from < q->view.n_roots; from += some) {
		must(n < FRAMES_MAX && question_frame(q, from, &room, &some) == 0 && some > 0);
		frames[n] = *q;
		frames[n].index = (uint32_t)n;
		frames[n].view.roots += from;
		frames[n].view.n_roots = some;
		frames[n++].unfinished = from + some < q->view.n_roots;
	}
	return n;
}

static size_t bytes_of(const struct question *q)
{
	SCOPED(buf_fini) struct buf b = {0};
	const struct message m = {
		.kind = MESSAGE_QUESTION, .nonce = UINT64_MAX, .frame = UINT64_MAX, .question = *q};

	message_encode(&m, &b);
	must(buf_check(&b) == 0);
	return b.len;
}

/* Roots of the longest names, and somebody who has a lot to show. */
Test(question_frames, every_frame_is_one_that_a_border_takes)
{
	static uint8_t credential[CREDENTIAL_MAX];
	static struct question frames[FRAMES_MAX];
	struct question q = question_of(3000, TWIN_ID_MAX);
	struct message copy;

	q.person = (struct bytes){credential, sizeof credential};
	const size_t n = part(&q, frames);
	for (size_t i = 0; i < n; i++) {
		SCOPED(buf_fini) struct buf b = {0};
		const struct message m = {
			.kind = MESSAGE_QUESTION, .nonce = 1, .frame = 1, .question = frames[i]};
		message_encode(&m, &b);
		cr_assert(bytes_of(&frames[i]) <= FRAME_BORDER_MAX, "%zu bytes", bytes_of(&frames[i]));
		cr_assert(eq(int, message_decode(a, buf_bytes(&b), &copy), 0));
	}
	cr_expect(n > 30 && n < 60, "%zu frames", n);
	cr_expect(not(question_is_one_frame(&q)));
	q = question_of(500, 16);
	cr_expect(question_is_one_frame(&q));
	cr_expect(eq(sz, part(&q, frames), 1));
	q = question_of(1025, 6);
	cr_expect(not(question_is_one_frame(&q)), "so many roots a frame has");
	cr_expect(eq(sz, part(&q, frames), 2));
}

static int join(const struct session *from, const struct question *frame, struct question *ret)
{
	SCOPED(scope_arena) struct arena *roots = NULL;
	struct question whole;
	const int r = question_join(&list, from, frame, &whole, &roots);

	if (r != 0)
		return r;
	*ret = whole;
	ret->view.roots = arena_take_array(a, whole.view.n_roots, sizeof *ret->view.roots);
	for (size_t i = 0; i < whole.view.n_roots; i++) {
		ret->view.roots[i] = whole.view.roots[i];
		ret->view.roots[i].id = arena_copy(a, whole.view.roots[i].id);
	}
	return 0;
}

Test(question_frames, they_are_joined_to_what_was_asked)
{
	static struct question frames[FRAMES_MAX];
	const struct question q = question_of(ROOTS_MAX, 40);
	const size_t n = part(&q, frames);
	struct question got;

	cr_assert(n > 1);
	for (size_t i = 0; i + 1 < n; i++)
		cr_assert(eq(int, join(&volt, &frames[i], &got), QUESTION_UNFINISHED));
	cr_assert(eq(int, join(&volt, &frames[n - 1], &got), 0));
	cr_assert(eq(sz, got.view.n_roots, ROOTS_MAX));
	for (size_t i = 0; i < ROOTS_MAX; i++) {
		cr_assert_str_eq(got.view.roots[i].id, q.view.roots[i].id);
		cr_assert(got.view.roots[i].seen == q.view.roots[i].seen);
		cr_assert(got.view.roots[i].from_ns == INT64_MIN && got.view.roots[i].to_ns == INT64_MAX);
	}
	cr_expect(list == NULL, "and nothing is kept");
}

static struct question frame_of(uint64_t id, uint32_t index, bool unfinished, size_t n)
{
	struct question q = question_of(n, 20);

	q.id = id;
	q.index = index;
	q.unfinished = unfinished;
	return q;
}

Test(question_frames, what_is_missing_or_too_much_is_refused)
{
	struct question got, f = frame_of(1, 0, true, 4);

	cr_assert(eq(int, join(&volt, &f, &got), QUESTION_UNFINISHED));
	f = frame_of(1, 2, false, 4);
	cr_expect(eq(int, join(&volt, &f, &got), ERR_MALFORMED), "one is missing");
	cr_expect(list == NULL);
	f = frame_of(2, 1, false, 4);
	cr_expect(eq(int, join(&volt, &f, &got), QUESTION_UNFINISHED), "without a beginning it is none");
	f = frame_of(3, 0, true, ROOTS_MAX);
	cr_assert(eq(int, join(&volt, &f, &got), QUESTION_UNFINISHED));
	f = frame_of(3, 1, false, 1);
	cr_expect(eq(int, join(&volt, &f, &got), ERR_MALFORMED), "more roots than a view has");
	f = frame_of(4, 0, true, 1);
	cr_assert(eq(int, join(&volt, &f, &got), QUESTION_UNFINISHED));
	cr_expect(eq(int, join(&volt, &f, &got), ERR_MALFORMED), "the same again");
	cr_expect(list == NULL);
}

Test(question_frames, nobody_leaves_many_unfinished)
{
	struct question got;

	for (uint64_t id = 1; id <= UNFINISHED_MAX; id++) {
		const struct question f = frame_of(id, 0, true, 1);
		cr_assert(eq(int, join(&volt, &f, &got), QUESTION_UNFINISHED));
		cr_assert(eq(int, join(&fellow, &f, &got), QUESTION_UNFINISHED));
	}
	struct question f = frame_of(99, 0, true, 1);
	cr_expect(eq(int, join(&volt_again, &f, &got), ERR_REFUSED), "of all nodes of the organisation");
	cr_expect(eq(int, join(&fellow, &f, &got), ERR_REFUSED));
	cr_expect(eq(int, join(&fellow_too, &f, &got), QUESTION_UNFINISHED),
		  "of the own one each for itself");
	now_ns += UNFINISHED_S * NS_PER_S + 1;
	cr_expect(eq(int, join(&volt, &f, &got), QUESTION_UNFINISHED), "they end by themselves");
	f = frame_of(1, 1, false, 1);
	cr_expect(eq(int, join(&volt, &f, &got), QUESTION_UNFINISHED), "what comes late is nobody's");
}

Test(question_frames, one_session_does_not_finish_what_another_began)
{
	struct question got, f = frame_of(1, 0, true, 1);

	cr_assert(eq(int, join(&volt, &f, &got), QUESTION_UNFINISHED));
	f = frame_of(1, 1, false, 1);
	cr_expect(eq(int, join(&volt_again, &f, &got), QUESTION_UNFINISHED));
	cr_expect(eq(int, join(&volt, &f, &got), 0));
	cr_expect(eq(sz, got.view.n_roots, 2));
}
