/* SPDX-License-Identifier: Apache-2.0 */
/* Two lives of one origin: what is noted, what an admin decides, and that both survive a restart. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "node/forks.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

enum { A = 0xa1, B = 0xb2, C = 0xc3 };

static struct trust_store *store;
static struct forks *forks;
static const char *dir;

static void begin(void)
{
	must(trust_store_open(&store, dir, NULL) == 0);
	must(forks_open(&forks, store) == 0);
}

static void end(void)
{
	forks_close(forks);
	trust_store_close(store);
	forks = NULL;
	store = NULL;
}

static void set_up(void)
{
	dir = tmpdir_make();
	begin();
}

TestSuite(forks, .init = set_up, .fini = end);

static void restart(void)
{
	end();
	begin();
}

static void put_head(uint64_t incarnation, struct buf *ret)
{
	struct incarnation lineage[] = {{7, 1}, {incarnation, 5}};
	const struct head h = {
		.origin = "acme/plant", .lineage = lineage, .n_lineage = 2, .seq = 9, .stamp_ns = 11};
	SCOPED(buf_fini) struct buf payload = {0};
	struct signed_blob blob = {0};

	head_encode(&h, &payload);
	blob.payload = buf_bytes(&payload);
	signed_blob_encode(&blob, ret);
	must(buf_check(ret) == 0);
}

static int note(uint64_t a, uint64_t b)
{
	SCOPED(buf_fini) struct buf first = {0}, second = {0};

	put_head(a, &first);
	put_head(b, &second);
	return forks_note(forks, "acme/plant", (const struct bytes[]){buf_bytes(&first), buf_bytes(&second)},
			  1);
}

static bool counts(uint64_t incarnation)
{
	return forks_counts(forks, "acme/plant", incarnation);
}

static int choose(uint64_t incarnation)
{
	struct err_note why = {0};
	const int r = forks_choose(forks, "acme/plant", incarnation, &why);

	cr_expect(r == 0 || why.text[0]);
	return r;
}

Test(forks, while_nobody_has_chosen_nothing_of_it_counts)
{
	cr_expect(counts(A));
	cr_expect(zero(int, note(A, B)));
	for (int i = 0; i < 2; i++, restart()) {
		cr_expect(not(counts(A)));
		cr_expect(not(counts(B)));
		cr_expect(not(counts(C)), "not even one that came later");
		cr_expect(forks_is_open(forks, "acme/plant"));
		cr_expect(forks_counts(forks, "acme/other", A));
		cr_expect(not(forks_is_open(forks, "acme/other")));
		cr_expect(eq(u64, forks_first_open(forks)->lives[1].seq, 9));
	}
}

Test(forks, the_chosen_one_counts_and_what_comes_after_it)
{
	must(note(A, B) == 0);
	cr_expect(zero(int, choose(B)));
	for (int i = 0; i < 2; i++, restart()) {
		cr_expect(not(counts(A)));
		cr_expect(counts(B));
		cr_expect(counts(C));
		cr_expect(forks_first_open(forks) == NULL);
	}
	cr_expect(eq(int, note(A, B), FORKS_SAME), "that is decided");
	cr_expect(counts(B));
	cr_expect(zero(int, choose(A)), "and may be decided anew");
	cr_expect(counts(A));
	cr_expect(not(counts(B)));
}

Test(forks, it_may_fork_again)
{
	must(note(A, B) == 0 && choose(B) == 0);
	cr_expect(zero(int, note(B, C)));
	cr_expect(not(counts(B)));
	cr_expect(zero(int, choose(C)));
	restart();
	cr_expect(not(counts(A)));
	cr_expect(not(counts(B)));
	cr_expect(counts(C));
}

Test(forks, one_incarnation_is_nothing_to_choose_from)
{
	cr_expect(eq(int, note(A, A), FORKS_SAME));
	cr_expect(counts(A));
	cr_expect(eq(int, choose(A), ERR_ABSENT));
	must(note(A, B) == 0);
	cr_expect(eq(int, choose(C), ERR_ABSENT));
	cr_expect(forks_is_open(forks, "acme/plant"));
}

Test(forks, of_many_the_oldest_are_forgotten)
{
	size_t at = 0;

	for (uint64_t i = 1; i < 30; i++)
		must(note(i, i + 1) == 0 && choose(i + 1) == 0);
	restart();
	cr_expect(counts(30));
	cr_expect(not(counts(29)));
	cr_expect(eq(sz, forks_next(forks, &at)->n, FORK_LIVES_MAX));
	cr_expect(forks_next(forks, &at) == NULL);
}
