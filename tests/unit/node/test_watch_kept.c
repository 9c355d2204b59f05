/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "node/watch_kept.h"
#include "proto/buf.h"
#include "proto/clock.h"
#include "proto/row.h"
#include "tests/unit/node/world.h"

static struct watch_kept *kept;
static struct arena *arena;
static const struct session volt = {.id = 7, .org = "volt", .node = "b1"};
static const struct session fellow = {.id = 8, .org = "acme", .node = "n2", .own = true};
static struct view_root root = {.id = "volt/grid", .parent = ""};
static const struct view_question question = {
	.roots = &root, .n_roots = 1, .hierarchy = "contains", .where = "", .by_property = "", .after = ""};
static int64_t vouched_ns;

int64_t __wrap_gossip_age(const struct gossip *g, const char *origin);
int64_t __wrap_gossip_age(const struct gossip *g, const char *origin)
{
	(void)g;
	return strcmp(origin, "volt/n1") == 0 ? vouched_ns : INT64_MAX;
}

static void hold(const char *origin, const char *cursor)
{
	char id[64];
	SCOPED(buf_fini) struct buf b = {0};

	snprintf(id, sizeof id, "%.4s/twin-%s", origin, cursor);
	const struct row row = {.id = id, .mask = ROW_MASK_DISCOVER, .type = "", .name = ""};
	row_encode(&row, &b);
	struct bytes encoded = buf_bytes(&b);
	const struct op op = {
		.kind = OP_ROWS,
		.rows = {.origin = origin, .rows = &encoded, .n = 1, .cursor = bytes_of_text(cursor)}};
	world_put(&op, 1);
}

static void set_up(void)
{
	world_set_up();
	vouched_ns = INT64_MAX;
	cr_assert(eq(int, arena_new(&arena, 1 << 20), 0));
	cr_assert(eq(int, watch_kept_new(&kept, &world), 0));
	hold("volt/n1", "1");
	hold("volt/n2", "1");
	hold("acme/n2", "1");
}

static void tear_down(void)
{
	watch_kept_free(kept);
	arena_free(arena);
	world_tear_down();
}

TestSuite(watch_kept, .init = set_up, .fini = tear_down, .timeout = 60);

static struct watch_mark mark_of(const struct session *s, const struct view_question *q)
{
	struct watch_mark mark;

	cr_assert(eq(int, watch_kept_mark(kept, s, q, &mark), 0));
	return mark;
}

static void keep(const struct watch_mark *mark)
{
	struct view_source source = {.org = "volt", .node = "n1", .state = MEMBER_LIVE};
	const struct answer parts[] = {
		{.id = 1, .kind = QUESTION_VIEW, .text = "", .unit = "", .view = {.counts = {.members = 3}}},
		{.id = 1,
		 .index = 1,
		 .last = true,
		 .kind = QUESTION_VIEW,
		 .text = "",
		 .unit = "",
		 .view = {.counts = {.members = 4}, .sources = &source, .n_sources = 1}}};

	watch_kept_put(kept, mark, parts, 2);
}

static bool is_kept(const struct session *s, const struct view_question *q)
{
	const struct watch_mark mark = mark_of(s, q);
	struct answer *parts;
	size_t n;

	const int r = watch_kept_find(kept, &mark, arena, &parts, &n);
	cr_assert(r >= 0);
	if (r == 1) {
		cr_expect(eq(sz, n, 2));
		cr_expect(eq(u64, parts[0].view.counts.members, 3));
		cr_expect(eq(u64, parts[1].view.counts.members, 4));
	}
	return r == 1;
}

Test(watch_kept, an_answer_is_good_as_long_as_nothing_of_its_owner_has_changed)
{
	const struct watch_mark mark = mark_of(&volt, &question);

	cr_assert(not(is_kept(&volt, &question)));
	keep(&mark);
	cr_expect(is_kept(&volt, &question));
	hold("acme/n2", "2");
	cr_expect(is_kept(&volt, &question), "another organisation's rows are nothing to it");
	hold("volt/n2", "2");
	cr_expect(not(is_kept(&volt, &question)), "its border speaks for all of its nodes");
}

Test(watch_kept, a_node_of_ours_speaks_for_itself)
{
	const struct watch_mark mark = mark_of(&fellow, &question);

	keep(&mark);
	hold("acme/n3", "1");
	hold("acme/n22", "1");
	hold("volt/n1", "2");
	cr_expect(is_kept(&fellow, &question));
	hold("acme/n2", "2");
	cr_expect(not(is_kept(&fellow, &question)));
}

/* What came while it was asked may be in the answer, or not. */
Test(watch_kept, what_changes_while_it_is_asked_makes_it_be_asked_again)
{
	const struct watch_mark mark = mark_of(&volt, &question);

	hold("volt/n1", "2");
	keep(&mark);
	cr_expect(not(is_kept(&volt, &question)));
}

Test(watch_kept, another_policy_of_the_partner_makes_it_be_asked_again)
{
	const struct watch_mark mark = mark_of(&volt, &question);

	keep(&mark);
	world.trust->partners[0]->epoch_seen++;
	cr_expect(not(is_kept(&volt, &question)));
}

Test(watch_kept, another_question_is_another_answer)
{
	struct view_root other = {.id = "volt/grid", .parent = "", .seen = true};
	struct view_question q = question;

	const struct watch_mark mark = mark_of(&volt, &question);
	keep(&mark);
	q.deadline_ns = NS_PER_S;
	cr_expect(is_kept(&volt, &q), "by when is nothing to the owner");
	q.roots = &other;
	cr_expect(not(is_kept(&volt, &q)));
	cr_expect(not(is_kept(&fellow, &question)));
}

Test(watch_kept, after_clearing_nothing_is_kept_also_of_what_is_under_way)
{
	const struct watch_mark mark = mark_of(&volt, &question);

	keep(&mark);
	watch_kept_clear(kept);
	cr_expect(not(is_kept(&volt, &question)));
	keep(&mark);
	cr_expect(not(is_kept(&volt, &question)));
}

Test(watch_kept, what_a_look_did_not_use_goes_with_the_next)
{
	const struct watch_mark mark = mark_of(&volt, &question);

	watch_kept_round(kept);
	keep(&mark);
	watch_kept_round(kept);
	cr_expect(is_kept(&volt, &question));
	watch_kept_round(kept);
	watch_kept_round(kept);
	cr_expect(not(is_kept(&volt, &question)));
}

Test(watch_kept, a_source_is_as_old_as_the_last_word_of_its_owner)
{
	const struct watch_mark mark = mark_of(&volt, &question);
	struct answer *parts;
	size_t n;

	keep(&mark);
	const struct timespec moment = {.tv_nsec = 20 * NS_PER_MS};
	nanosleep(&moment, NULL);
	cr_assert(eq(int, watch_kept_find(kept, &mark, arena, &parts, &n), 1));
	cr_expect(parts[1].view.sources[0].age_ns >= 20 * NS_PER_MS);
	vouched_ns = 5;
	cr_assert(eq(int, watch_kept_find(kept, &mark, arena, &parts, &n), 1));
	cr_expect(eq(i64, parts[1].view.sources[0].age_ns, 5));
}

Test(watch_kept, no_more_is_kept_than_there_is_room_for)
{
	struct view_root other = {.parent = ""};
	struct view_question q = question;
	char id[32];
	int n = 0;

	q.roots = &other;
	other.id = id;
	for (int i = 0; i < 2 * WATCH_KEPT_MAX; i++) {
		snprintf(id, sizeof id, "volt/g%d", i);
		const struct watch_mark mark = mark_of(&volt, &q);
		keep(&mark);
		n += is_kept(&volt, &q);
		arena_reset(arena);
	}
	cr_expect(eq(int, n, WATCH_KEPT_MAX));
}
