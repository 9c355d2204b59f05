/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves with a find: see test_egress_messages.c. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "node/find.h"
#include "node/gossip.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/leaves.h"

static void set_up(void)
{
	leaves_set_up();
	leaves_begin(LEAVES_SOME(""));
}

TestSuite(leaves, .init = set_up, .fini = wire_tear_down, .timeout = 60);

static bool is_answered(uint32_t session, uint64_t id)
{
	const struct sent *s = wire_last(session, MESSAGE_ANSWER);

	return s && s->message.answer.id == id && s->message.answer.last;
}

static const struct answer *ask(uint32_t session, const char *asker, const char *where, uint32_t limit)
{
	static uint64_t id;
	const struct question q = {.id = ++id,
				   .timeout_ns = NS_PER_S,
				   .kind = QUESTION_FIND,
				   .asker = asker,
				   .twin = "",
				   .property = "",
				   .view = {.hierarchy = "",
					    .by_property = "",
					    .after = "",
					    .where = where,
					    .limit = limit,
					    .show = (const char **)(uintptr_t)leaves_shown,
					    .n_show = LEAVES_SHOWN}};

	wire_hear(session, &(struct message){.kind = MESSAGE_QUESTION, .question = q});
	while (!is_answered(session, id)) /* on a slow machine it takes more than one slice */
		uv_run(&world.loop, UV_RUN_NOWAIT);
	return &wire_last(session, MESSAGE_ANSWER)->message.answer;
}

/* Everything there is, and what only holds of what is hidden. */
static void find_all(uint32_t session, const char *asker)
{
	static const char *const wheres[] = {"kind = component", "known(secret/word) or tag = zq-tag",
					     "secret/level > 0 m", "open/level > 1 m", "name like 'zq*'"};

	for (size_t i = 0; i < sizeof wheres / sizeof *wheres; i++) {
		ask(session, asker, wheres[i], 0);
		ask(session, asker, wheres[i], 1);
		ask(session, asker, wheres[i], 100);
	}
}

Test(leaves, nothing_found_that_the_search_would_not_find)
{
	world_policy(LEAVES_ALL(""));
	find_all(WIRE_VOLT, "volt");
	for (size_t i = 0; i < LEAVES_MARKS; i++)
		cr_expect(strstr(leaves_marks[i], "tag") || leaves_times_sent(WIRE_VOLT, leaves_marks[i]) > 0,
			  "%s", leaves_marks[i]);
}

Test(leaves, answer_find_has_what_may_be_seen)
{
	find_all(WIRE_VOLT, "volt");
	find_all(WIRE_HARBOR, "");
	leaves_expect_clean(WIRE_VOLT);
	leaves_expect_clean(WIRE_HARBOR);
	cr_expect(leaves_times_sent(WIRE_VOLT, "press 1") > 0);
	cr_expect(leaves_times_sent(WIRE_VOLT, "sesame") > 0);
	cr_expect(eq(sz, leaves_times_sent(WIRE_HARBOR, "press 1"), 0));
	cr_expect(eq(u64, ask(WIRE_VOLT, "", "kind = component", 9)->view.counts.members, 2));
	cr_expect(eq(u64, ask(WIRE_HARBOR, "", "kind = component", 9)->view.counts.members, 0));
}

Test(leaves, answer_find_to_a_border_that_asks_for_a_partner)
{
	find_all(WIRE_OWN, "volt");
	leaves_expect_only_tokens(WIRE_OWN);
	cr_expect(leaves_times_sent(WIRE_OWN, "press 1") > 0);
}

/* That nothing is found tells nothing: whether it is not so, or hidden. */
Test(leaves, answer_find_is_no_oracle)
{
	static const char *const wheres[] = {"secret/word = 'zq-secret'", "not secret/word = 'zq-secret'",
					     "secret/level > 0 m",        "known(secret/level)",
					     "age(secret/level) > 0 s",   "id = acme/guessed",
					     "tag = zq-bare-tag",         "open/token = 'zq-token'",
					     "name = 'zq-bare-name'",     "type = zq-type"};

	for (size_t i = 0; i < sizeof wheres / sizeof *wheres; i++)
		cr_expect(eq(u64, ask(WIRE_VOLT, "", wheres[i], 9)->view.counts.members, 0), "%s", wheres[i]);
}

static void on_found(void *ctx, int code, const struct err_note *note, const struct view_part *view)
{
	(void)ctx, (void)code, (void)note, (void)view;
}

Test(leaves, question_find_says_what_is_looked_for_and_no_more)
{
	const struct view_question q = {
		.where = "open/level > 1 m", .after = "", .limit = 3, .deadline_ns = NS_PER_S};
	const struct audience ourselves = {.org = ""};
	struct err_note note;

	must(find_ask(&world, &ourselves, &q, on_found, NULL, &note) == 0);
	const struct sent *asked = wire_last(WIRE_VOLT, MESSAGE_QUESTION);
	cr_assert(asked != NULL);
	cr_expect(eq(int, (int)asked->message.question.kind, QUESTION_FIND));
	cr_expect_str_eq(asked->message.question.view.where, "open/level > 1 m");
	cr_expect_str_eq(asked->message.question.asker, "");
	leaves_expect_clean(WIRE_VOLT);
}
