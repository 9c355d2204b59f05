/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/test_policy.h"

static const char text[] = ACME
	"never \"recipes\"\n"
	"  to everyone-else\n"
	"  twins **\n"
	"  deny read of recipe/**\n"
	"share \"line 3\"\n"
	"  to org volt\n"
	"  twins plant1/line3/**\n"
	"  allow discover, summary\n"
	"  allow read state/*, recipe/mix\n"
	"  allow history state/power last 30d step 1min\n"
	"  allow history state/noise\n"
	"  until 2026-12-31\n"
	"share \"operators\"\n"
	"  to org bolt role operator\n"
	"  twins plant1/line3\n"
	"  allow read state/*\n"
	"  until 2026-11-30T18:00\n"
	"share \"operators too\"\n"
	"  to org bolt role operator\n"
	"  twins plant1/line3\n"
	"  allow read state/*, state/x\n"
	"  until 2026-12-30T18:00\n"
	"share \"stop\"\n"
	"  to org bolt role operator\n"
	"  twins plant1/line3/press7\n"
	"  allow command safe-stop confirm role lead rate 1/min\n"
	"  allow watch state/power, meta/serial, meta/id\n"
	"  redact meta/serial as token\n"
	"  redact meta/id as drop\n"
	"  until 2026-12-30T18:00\n"
	"share \"last year\"\n"
	"  to org harbor\n"
	"  twins plant1/**\n"
	"  allow read state/*\n"
	"  until 2025-12-31\n";

static struct parsed p;

static void set_up(void)
{
	p = parsed_well(text);
}

static void tear_down(void)
{
	parsed_free(&p);
}

TestSuite(policy_why, .init = set_up, .fini = tear_down);

static struct policy_query asks(const char *org, const char *role, enum right right, const char *property)
{
	return (struct policy_query){
		.org = org, .role = role, .right = right, .property = property, .now_ns = at("2026-06-01")};
}

static void expect_why(struct policy_query q, const char *id, const char *expected)
{
	const struct policy_twin twin = {.id = id};
	bool allowed = false;

	q.twin = &twin;
	const char *why = policy_why(p.policy, &q, p.arena, &allowed);
	cr_assert(why != NULL);
	cr_expect_str_eq(why, expected);
	cr_expect(eq(int, allowed, policy_allows(p.policy, &q, NULL)));
}

#define LINE3 "acme/plant1/line3"

Test(policy_why, an_allow_names_its_share_and_how_long_it_holds)
{
	expect_why(asks("volt", NULL, RIGHT_READ, "state/power"), LINE3,
		   "read of state/power of acme/plant1/line3 is granted to volt by share \"line 3\" (line "
		   "10) until "
		   "2027-01-01T00:00:00Z");
	expect_why(asks("volt", "lead", RIGHT_HISTORY, "state/power"), LINE3,
		   "history of state/power of acme/plant1/line3 is granted to volt as lead by share \"line "
		   "3\" (line 10) "
		   "until 2027-01-01T00:00:00Z, the last 30d in steps of 1min");
	expect_why(asks("volt", NULL, RIGHT_HISTORY, "state/noise"), LINE3,
		   "history of state/noise of acme/plant1/line3 is granted to volt by share \"line 3\" (line "
		   "10) until "
		   "2027-01-01T00:00:00Z, all of it");
	expect_why(asks("volt", NULL, RIGHT_SUMMARY, NULL), LINE3,
		   "summary of acme/plant1/line3 is granted to volt by share \"line 3\" (line 10) until "
		   "2027-01-01T00:00:00Z");
}

Test(policy_why, of_several_shares_the_one_that_holds_longest_is_named)
{
	expect_why(asks("bolt", "operator", RIGHT_READ, "state/power"), LINE3,
		   "read of state/power of acme/plant1/line3 is granted to bolt as operator by share "
		   "\"operators too\" "
		   "(line 23) until 2026-12-30T18:00:00Z");
}

Test(policy_why, a_never_is_named_with_the_share_it_wins_over)
{
	expect_why(asks("volt", NULL, RIGHT_READ, "recipe/mix"), LINE3,
		   "read of recipe/mix of acme/plant1/line3 is denied to volt by never \"recipes\" (line 6), "
		   "which wins "
		   "over share \"line 3\" (line 10)");
	expect_why(asks("harbor", NULL, RIGHT_HISTORY, "recipe/mix"), LINE3,
		   "history of recipe/mix of acme/plant1/line3 is denied to harbor by never \"recipes\" "
		   "(line 6), and no "
		   "share grants it");
}

Test(policy_why, what_is_missing_is_named_with_the_nearest_share)
{
	expect_why(asks("volt", NULL, RIGHT_READ, "gen/capacity"), LINE3,
		   "discover is granted by line 10, read is not: no share grants read of gen/capacity of "
		   "acme/plant1/line3 to volt; share \"line 3\" (line 10) speaks of this twin, but does not "
		   "grant that");
	expect_why(asks("volt", NULL, RIGHT_HISTORY, "state/heat"), LINE3,
		   "read is granted by line 10, history is not: no share grants history of state/heat of "
		   "acme/plant1/line3 to volt; share \"line 3\" (line 10) speaks of this twin, but does not "
		   "grant that");
	expect_why(asks("volt", NULL, RIGHT_DISCOVER, NULL), "acme/plant2",
		   "no share grants discover of acme/plant2 to volt; share \"line 3\" (line 10) speaks to "
		   "volt, but not of "
		   "this twin");
	expect_why(asks("bolt", NULL, RIGHT_READ, "state/power"), LINE3,
		   "no share grants read of state/power of acme/plant1/line3 to bolt; share \"operators\" "
		   "(line 18) grants "
		   "it to the role operator only");
	expect_why(asks("harbor", NULL, RIGHT_READ, "state/power"), LINE3,
		   "no share grants read of state/power of acme/plant1/line3 to harbor; share \"last year\" "
		   "(line 36) "
		   "granted it and ended 2026-01-01T00:00:00Z");
	expect_why(asks("stranger", NULL, RIGHT_SUMMARY, NULL), LINE3,
		   "no share grants summary of acme/plant1/line3 to stranger; share \"line 3\" (line 10) "
		   "grants it, but not "
		   "to stranger");
	expect_why(asks("stranger", NULL, RIGHT_SUMMARY, NULL), "acme/plant9",
		   "no share grants summary of acme/plant9 to stranger; no share speaks to stranger");
}

Test(policy_why, terms_and_redactions_are_said)
{
	static const char press7[] = "acme/plant1/line3/press7";

	expect_why(asks("bolt", "operator", RIGHT_COMMAND, "safe-stop"), press7,
		   "command safe-stop of acme/plant1/line3/press7 is granted to bolt as operator by share "
		   "\"stop\" (line 28) until 2026-12-30T18:00:00Z, confirmed by the role lead, at most 1 in "
		   "1min");
	expect_why(
		asks("bolt", NULL, RIGHT_COMMAND, "safe-stop"), press7,
		"no share grants command safe-stop of acme/plant1/line3/press7 to bolt; share \"stop\" (line "
		"28) grants it to the role operator only");
	expect_why(asks("bolt", "operator", RIGHT_WATCH, "state/power"), press7,
		   "watch of state/power of acme/plant1/line3/press7 is granted to bolt as operator by share "
		   "\"stop\" (line 28) until 2026-12-30T18:00:00Z");
	expect_why(
		asks("bolt", "operator", RIGHT_WATCH, "meta/serial"), press7,
		"no share grants watch of meta/serial of acme/plant1/line3/press7 to bolt as operator; share "
		"\"stop\" (line 28) grants a token in its place");
	expect_why(asks("bolt", "operator", RIGHT_WATCH, "meta/id"), press7,
		   "no share grants watch of meta/id of acme/plant1/line3/press7 to bolt as operator; share "
		   "\"stop\" (line 28) drops it by a redact line");
}

Test(policy_why, questions_a_policy_does_not_answer_are_said_to_be_so)
{
	const struct policy_twin twin = {.id = LINE3};
	struct policy_query q = asks("volt", NULL, RIGHT_SUMMARY, NULL);
	bool allowed = true;

	q.twin = &twin;
	expect_why(asks("acme", NULL, RIGHT_SUMMARY, NULL), LINE3,
		   "acme is the own organisation: its nodes need no share, a policy speaks of others");
	cr_expect_str_eq(policy_why(NULL, &q, p.arena, &allowed), "there is no policy, so nothing is shared");
	cr_expect(not(allowed));
}

Test(policy_why, an_arena_without_room_gives_no_sentence)
{
	const struct policy_twin twin = {.id = LINE3};
	const char *const orgs[] = {"volt", "bolt", "harbor", "stranger"};
	bool allowed;

	for (size_t budget = 0; budget < 600; budget += 3)
		for (size_t i = 0; i < 8; i++) {
			SCOPED(scope_arena) struct arena *a = NULL;
			cr_assert(eq(int, arena_new(&a, budget), 0));
			const struct policy_query q = {orgs[i / 2],
						       NULL,
						       RIGHT_HISTORY,
						       &twin,
						       i % 2 ? "recipe/mix" : "state/power",
						       at("2026-06-01")};
			const char *why = policy_why(p.policy, &q, a, &allowed);
			cr_expect(why == NULL || strstr(why, LINE3) != NULL);
			cr_expect(budget > 10 || why == NULL);
		}
}
