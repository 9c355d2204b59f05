/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/test_policy.h"

#define RULE_TO(to, twins) "to " to "\ntwins " twins "\n"
#define UNTIL "until 2027-01-01\n"

static struct parsed p;

/* The policy that the questions of a test are about. */
static void given(const char *rules)
{
	static char text[4096];

	parsed_free(&p);
	snprintf(text, sizeof text, ACME "%s", rules);
	p = parsed_well(text);
}

static void tear_down(void)
{
	parsed_free(&p);
}

TestSuite(policy, .fini = tear_down);

static const char *const tags[] = {"old", "tie-volt"};
static const struct policy_twin press = {"acme/plant1/line3/press7", "press", tags, 2};
static const struct policy_twin line = {"acme/plant1/line3", "line", NULL, 0};

static struct policy_query asks(const char *org, enum right right, const struct policy_twin *twin,
				const char *property)
{
	return (struct policy_query){
		.org = org, .right = right, .twin = twin, .property = property, .now_ns = at("2026-06-01")};
}

static bool may(const char *org, enum right right, const struct policy_twin *twin, const char *property)
{
	const struct policy_query q = asks(org, right, twin, property);

	return policy_allows(p.policy, &q, NULL);
}

static bool may_as(const char *org, const char *role)
{
	struct policy_query q = asks(org, RIGHT_DISCOVER, &press, NULL);

	q.role = role;
	return policy_allows(p.policy, &q, NULL);
}

Test(policy, rights_have_words)
{
	enum right right = RIGHT_SUMMARY;

	for (enum right r = 0; r < N_RIGHTS; r++)
		cr_expect(right_parse(right_text(r), &right) && right == r);
	cr_expect(not(right_parse("write", &right)));
	cr_expect(not(right_parse(NULL, &right)));
}

Test(policy, nothing_is_shared_by_default)
{
	given("");
	for (enum right r = 0; r < N_RIGHTS; r++)
		cr_expect(not(may("volt", r, &press, "state/power")));
	parsed_free(&p);
	cr_expect(not(may("volt", RIGHT_DISCOVER, &press, NULL)), "no policy at all");
}

Test(policy, rights_imply_the_weaker_ones_of_their_twin)
{
	given("share \"d\"\n" RULE_TO("org volt", "plant1/line3") "allow discover\n" UNTIL);
	cr_expect(may("volt", RIGHT_DISCOVER, &line, NULL));
	cr_expect(not(may("volt", RIGHT_DISCOVER, &press, NULL)));
	cr_expect(not(may("volt", RIGHT_SUMMARY, &line, NULL)));
	cr_expect(not(may("harbor", RIGHT_DISCOVER, &line, NULL)));
	given("share \"s\"\n" RULE_TO("org volt", "**") "allow summary\n" UNTIL);
	cr_expect(may("volt", RIGHT_DISCOVER, &press, NULL));
	cr_expect(may("volt", RIGHT_SUMMARY, &press, NULL));
	cr_expect(may("volt", RIGHT_SUMMARY, &press, "state/power"));
	cr_expect(not(may("volt", RIGHT_READ, &press, "state/power")));
	given("share \"r\"\n" RULE_TO("org volt", "**") "allow read state/*\n" UNTIL);
	cr_expect(may("volt", RIGHT_DISCOVER, &press, NULL));
	cr_expect(may("volt", RIGHT_READ, &press, "state/power"));
	cr_expect(not(may("volt", RIGHT_READ, &press, "meta/serial")));
	cr_expect(not(may("volt", RIGHT_READ, &press, NULL)));
	cr_expect(not(may("volt", RIGHT_SUMMARY, &press, NULL)));
	cr_expect(not(may("volt", RIGHT_HISTORY, &press, "state/power")));
	given("share \"h\"\n" RULE_TO("org volt", "**") "allow history state/*\n" UNTIL);
	cr_expect(may("volt", RIGHT_DISCOVER, &press, NULL));
	cr_expect(may("volt", RIGHT_READ, &press, "state/power"));
	cr_expect(may("volt", RIGHT_HISTORY, &press, "state/power"));
	cr_expect(not(may("volt", RIGHT_SUMMARY, &press, "state/power")));
}

#define SHARE_ALL "share \"all\"\n" RULE_TO("everyone-else", "**") "allow summary\nallow history **\n" UNTIL

Test(policy, deny_discover_takes_everything)
{
	given(SHARE_ALL "never \"n\"\n" RULE_TO("org volt", "plant1/line3/press7") "deny discover\n");
	for (enum right r = 0; r < N_RIGHTS; r++)
		cr_expect(not(may("volt", r, &press, "state/power")), "%s", right_text(r));
	cr_expect(not(may("volt", RIGHT_SUMMARY, &press, NULL)));
	cr_expect(may("volt", RIGHT_DISCOVER, &line, NULL));
	cr_expect(may("harbor", RIGHT_HISTORY, &press, "state/power"));
}

Test(policy, deny_read_takes_history_and_the_value_in_summaries)
{
	given("never \"n\"\n" RULE_TO("everyone-else", "**") "deny read of recipe/**\n" SHARE_ALL);
	cr_expect(not(may("volt", RIGHT_READ, &press, "recipe/mix")));
	cr_expect(not(may("volt", RIGHT_HISTORY, &press, "recipe/mix")));
	cr_expect(not(may("volt", RIGHT_SUMMARY, &press, "recipe/mix")));
	cr_expect(may("volt", RIGHT_SUMMARY, &press, "state/power"));
	cr_expect(may("volt", RIGHT_SUMMARY, &press, NULL));
	cr_expect(may("volt", RIGHT_DISCOVER, &press, NULL));
	given("never \"n\"\n" RULE_TO("everyone-else", "**") "deny read\n" SHARE_ALL);
	cr_expect(not(may("volt", RIGHT_SUMMARY, &press, "state/power")));
	cr_expect(may("volt", RIGHT_SUMMARY, &press, NULL), "the health of a twin is no property");
}

Test(policy, deny_summary_and_deny_history_take_only_themselves)
{
	given("never \"n\"\n" RULE_TO("everyone-else",
				      "**") "deny summary of a\ndeny history of b\n" SHARE_ALL);
	cr_expect(not(may("volt", RIGHT_SUMMARY, &press, "a")));
	cr_expect(may("volt", RIGHT_READ, &press, "a"));
	cr_expect(may("volt", RIGHT_HISTORY, &press, "a"));
	cr_expect(may("volt", RIGHT_SUMMARY, &press, "b"));
	cr_expect(may("volt", RIGHT_SUMMARY, &press, NULL));
	cr_expect(may("volt", RIGHT_READ, &press, "b"));
	cr_expect(not(may("volt", RIGHT_HISTORY, &press, "b")));
	for (const char **deny = (const char *[]){"deny summary\n", "deny summary of a, **\n", NULL}; *deny;
	     deny++) {
		char rules[512];
		snprintf(rules, sizeof rules, "never \"n\"\n" RULE_TO("org volt", "**") "%s" SHARE_ALL,
			 *deny);
		given(rules);
		cr_expect(not(may("volt", RIGHT_SUMMARY, &press, NULL)));
		cr_expect(not(may("volt", RIGHT_SUMMARY, &press, "b")));
		cr_expect(may("volt", RIGHT_READ, &press, "b"));
	}
}

Test(policy, subjects_are_organisations_groups_and_everyone_else)
{
	given("share \"x\"\n" RULE_TO("group partners", "**") "allow discover\n" UNTIL);
	cr_expect(may("volt", RIGHT_DISCOVER, &press, NULL));
	cr_expect(may("harbor", RIGHT_DISCOVER, &press, NULL));
	cr_expect(not(may("bolt", RIGHT_DISCOVER, &press, NULL)));
	cr_expect(not(may("partners", RIGHT_DISCOVER, &press, NULL)));
	given(SHARE_ALL);
	cr_expect(may("bolt", RIGHT_DISCOVER, &press, NULL));
	cr_expect(may("somebody", RIGHT_DISCOVER, &press, NULL), "not declared, yet somebody else");
	cr_expect(not(may("acme", RIGHT_DISCOVER, &press, NULL)), "a policy speaks of others");
	given("share \"x\"\nto org volt, org bolt\nto org harbor\ntwins **\nallow discover\n" UNTIL);
	cr_expect(may("volt", RIGHT_DISCOVER, &press, NULL));
	cr_expect(may("bolt", RIGHT_DISCOVER, &press, NULL));
	cr_expect(may("harbor", RIGHT_DISCOVER, &press, NULL));
}

Test(policy, a_rule_for_a_role_speaks_to_that_role_only)
{
	given("share \"x\"\n" RULE_TO("org volt role lead, org bolt role clerk",
				      "**") "allow discover\n" UNTIL);
	cr_expect(may_as("volt", "lead"));
	cr_expect(not(may_as("volt", NULL)));
	cr_expect(not(may_as("volt", "clerk")));
	cr_expect(not(may_as("bolt", "lead")));
	given("never \"n\"\n" RULE_TO("org volt role lead", "**") "deny discover\n" SHARE_ALL);
	cr_expect(not(may_as("volt", "lead")));
	cr_expect(may_as("volt", NULL));
	cr_expect(may_as("volt", "clerk"));
	cr_expect(may_as("harbor", "lead"));
}

Test(policy, twins_are_chosen_by_path_tag_and_type)
{
	const struct policy_twin bare = {.id = "acme/plant1/bare"}, foreign = {.id = "volt/plant1/line3"},
				 longer = {.id = "acmeter/plant1"}, odd = {.id = "acme"};

	given("share \"x\"\n" RULE_TO("org volt", "tag tie-volt, type line") "allow discover\n" UNTIL);
	cr_expect(may("volt", RIGHT_DISCOVER, &press, NULL));
	cr_expect(may("volt", RIGHT_DISCOVER, &line, NULL));
	cr_expect(not(may("volt", RIGHT_DISCOVER, &bare, NULL)));
	given("share \"x\"\n" RULE_TO(
		"org volt", "plant1/**, plant2 with tag old and type press") "allow discover\n" UNTIL);
	cr_expect(may("volt", RIGHT_DISCOVER, &press, NULL));
	cr_expect(not(may("volt", RIGHT_DISCOVER, &line, NULL)));
	given("share \"x\"\n" RULE_TO("org volt",
				      "plant2/** with tag old\ntwins plant1/*") "allow discover\n" UNTIL);
	cr_expect(not(may("volt", RIGHT_DISCOVER, &press, NULL)));
	cr_expect(may("volt", RIGHT_DISCOVER, &line, NULL));
	given(SHARE_ALL);
	cr_expect(not(may("volt", RIGHT_DISCOVER, &foreign, NULL)), "a policy speaks of own twins");
	cr_expect(not(may("volt", RIGHT_DISCOVER, &longer, NULL)));
	cr_expect(not(may("volt", RIGHT_DISCOVER, &odd, NULL)));
}

static bool may_at(const char *time)
{
	struct policy_query q = asks("volt", RIGHT_DISCOVER, &press, NULL);

	q.now_ns = at(time);
	return policy_allows(p.policy, &q, NULL);
}

Test(policy, a_share_ends_with_its_day_or_at_its_instant)
{
	given("share \"x\"\n" RULE_TO("org volt", "**") "allow discover\nuntil 2026-07-31\n");
	cr_expect(may_at("2026-07-31T23:59:59.999999999"));
	cr_expect(not(may_at("2026-08-01")));
	given("share \"x\"\n" RULE_TO("org volt", "**") "allow discover\nuntil 2026-07-31 12:00+02:00\n");
	cr_expect(may_at("2026-07-31T09:59:59.999999999"));
	cr_expect(not(may_at("2026-07-31T10:00")));
}

Test(policy, an_allow_holds_until_the_latest_share_ends)
{
	struct policy_query q = asks("volt", RIGHT_DISCOVER, &press, NULL);
	int64_t until = 7;

	given("share \"x\"\n" RULE_TO("org volt", "**") "allow discover\nuntil 2026-07-31\n"
	      "share \"y\"\n" RULE_TO("org volt", "**") "allow summary\nuntil 2026-09-30T00:00\n"
	      "share \"z\"\n" RULE_TO("org bolt", "**") "allow summary\nuntil 2026-12-31T00:00\n");
	cr_expect(policy_allows(p.policy, &q, &until));
	cr_expect(eq(i64, until, at("2026-09-30")));
	cr_expect(eq(i64, policy_next_end(p.policy, q.now_ns), at("2026-08-01")));
	cr_expect(eq(i64, policy_next_end(p.policy, at("2026-08-01")), at("2026-09-30")));
	cr_expect(eq(i64, policy_next_end(p.policy, at("2026-12-31")), INT64_MAX));
	cr_expect(eq(i64, policy_next_end(NULL, 0), INT64_MAX));
	q.now_ns = at("2027-01-01");
	until = 7;
	cr_expect(not(policy_allows(p.policy, &q, &until)));
	cr_expect(eq(i64, until, 7), "only written on success");
}

static bool window_is(const struct policy_query *q, int64_t last_ns, int64_t step_ns)
{
	int64_t last, step;

	return policy_history_window(p.policy, q, &last, &step) && last == last_ns && step == step_ns;
}

Test(policy, the_window_of_history_is_the_widest_of_one_share)
{
	struct policy_query q = asks("volt", RIGHT_READ, &press, "a");
	const int64_t day = 24 * 3600 * NS_PER_S, minute = 60 * NS_PER_S;

	given("share \"x\"\n" RULE_TO("org volt", "**")
	      "allow read z\nallow history a, b last 30d step 1min\nallow history b, c last 1d\n" UNTIL
	      "share \"y\"\n" RULE_TO("org volt role lead", "**") "allow history a\n" UNTIL
	      "share \"z\"\n" RULE_TO("org volt", "**") "allow history c step 1h\nallow history a last 30d step 2min\n"
	      UNTIL);
	cr_expect(window_is(&q, 30 * day, minute));
	q.property = "b";
	cr_expect(window_is(&q, 30 * day, minute), "not 30 days of every sample");
	q.property = "c";
	cr_expect(window_is(&q, 0, 60 * minute));
	q.property = "z";
	cr_expect(not(policy_history_window(p.policy, &q, &(int64_t){0}, &(int64_t){0})));
	q.property = "a";
	q.role = "lead";
	cr_expect(window_is(&q, 0, 0));
}

/* ---- Watch, command, redact ---- */

static struct policy_bounds bounds(const char *org, const char *role, enum right right, const char *property)
{
	struct policy_query q = asks(org, right, &press, property);
	struct policy_bounds b = {0};

	q.role = role;
	cr_expect(policy_bounds(p.policy, &q, &b), "%s", property);
	return b;
}

Test(policy, watch_and_command_stand_alone)
{
	given("share \"w\"\n" RULE_TO("org volt",
				      "**") "allow watch state/*\nallow command stop, go\n" UNTIL);
	cr_expect(may("volt", RIGHT_WATCH, &press, "state/power"));
	cr_expect(may("volt", RIGHT_COMMAND, &press, "stop"));
	cr_expect(may("volt", RIGHT_COMMAND, &press, "go"));
	cr_expect(not(may("volt", RIGHT_COMMAND, &press, "halt")));
	cr_expect(not(may("volt", RIGHT_COMMAND, &press, "state/power")));
	cr_expect(not(may("volt", RIGHT_WATCH, &press, "stop")));
	cr_expect(not(may("volt", RIGHT_READ, &press, "state/power")));
	cr_expect(not(may("volt", RIGHT_DISCOVER, &press, NULL)));
	cr_expect(not(may("harbor", RIGHT_COMMAND, &press, "stop")));
}

Test(policy, what_may_not_be_read_may_not_be_watched)
{
	given("share \"w\"\n" RULE_TO(
		"org volt", "**") "allow watch **\nallow command stop, go\n" UNTIL
				  "never \"n\"\n" RULE_TO("everyone-else",
							  "**") "deny read of recipe/**\ndeny command go\n");
	cr_expect(may("volt", RIGHT_WATCH, &press, "state/power"));
	cr_expect(not(may("volt", RIGHT_WATCH, &press, "recipe/mix")));
	cr_expect(may("volt", RIGHT_COMMAND, &press, "stop"));
	cr_expect(not(may("volt", RIGHT_COMMAND, &press, "go")));
	given("share \"w\"\n" RULE_TO("org volt",
				      "**") "allow watch **\nallow command stop\n" UNTIL
					    "never \"n\"\n" RULE_TO("everyone-else",
								    "**") "deny command, watch of a\n");
	cr_expect(not(may("volt", RIGHT_WATCH, &press, "a")));
	cr_expect(may("volt", RIGHT_WATCH, &press, "b"));
	cr_expect(not(may("volt", RIGHT_COMMAND, &press, "stop")));
}

Test(policy, the_lightest_terms_of_one_share_count)
{
	struct policy_query q = asks("harbor", RIGHT_COMMAND, &press, "stop");
	struct policy_bounds b;

	given("share \"a\"\n" RULE_TO(
		"org volt",
		"**") "allow command stop confirm role lead rate 1/s\nallow watch a rate 2/s\n" UNTIL
		      "share \"b\"\n" RULE_TO(
			      "org volt role operator",
			      "**") "allow command stop rate 1/min\n" UNTIL
				    "share \"c\"\n" RULE_TO(
					    "org volt",
					    "**") "allow watch a rate 100/min\nallow watch b\n" UNTIL);
	b = bounds("volt", NULL, RIGHT_COMMAND, "stop");
	cr_expect_str_eq(b.confirm_role, "lead");
	cr_expect(b.rate == 1 && b.rate_per_ns == NS_PER_S);
	b = bounds("volt", "operator", RIGHT_COMMAND, "stop");
	cr_expect(b.confirm_role == NULL);
	cr_expect(b.rate == 1 && b.rate_per_ns == 60 * NS_PER_S);
	b = bounds("volt", NULL, RIGHT_WATCH, "a");
	cr_expect(b.rate == 2 && b.rate_per_ns == NS_PER_S);
	b = bounds("volt", NULL, RIGHT_WATCH, "b");
	cr_expect(b.rate_per_ns == 0);
	cr_expect(not(policy_bounds(p.policy, &q, &b)));
	cr_expect(not(policy_bounds(NULL, &q, &b)));
}

static enum policy_form form(const char *org, enum right right, const char *property)
{
	const struct policy_query q = asks(org, right, &press, property);

	return policy_form(p.policy, &q);
}

Test(policy, redactions_bound_their_share_only)
{
	given("share \"a\"\n" RULE_TO(
		"group partners",
		"**") "allow summary\nallow history **\nredact meta/serial, meta/x as token\nredact meta/x, "
		      "meta/y as drop\n" UNTIL
		      "share \"b\"\n" RULE_TO("org harbor", "**") "allow read meta/*\n" UNTIL);
	cr_expect(form("volt", RIGHT_READ, "meta/serial") == FORM_TOKEN);
	cr_expect(form("volt", RIGHT_HISTORY, "meta/serial") == FORM_TOKEN);
	cr_expect(form("volt", RIGHT_SUMMARY, "meta/serial") == FORM_TOKEN);
	cr_expect(form("volt", RIGHT_READ, "meta/x") == FORM_NOTHING, "of two in one share the stricter");
	cr_expect(form("volt", RIGHT_READ, "meta/y") == FORM_NOTHING);
	cr_expect(form("volt", RIGHT_READ, "state") == FORM_PLAIN);
	cr_expect(form("volt", RIGHT_DISCOVER, NULL) == FORM_PLAIN);
	cr_expect(form("volt", RIGHT_SUMMARY, NULL) == FORM_PLAIN);
	cr_expect(form("harbor", RIGHT_READ, "meta/y") == FORM_PLAIN, "lifted");
	cr_expect(form("harbor", RIGHT_HISTORY, "meta/serial") == FORM_TOKEN);
	cr_expect(not(may("volt", RIGHT_READ, &press, "meta/serial")),
		  "who knows of no tokens gives nothing");
	cr_expect(form("bolt", RIGHT_READ, "meta/serial") == FORM_NOTHING);
}

Test(policy, tokens_are_stable_and_tell_partners_apart)
{
	static const uint8_t key[POLICY_TOKEN_KEY] = {1}, other[POLICY_TOKEN_KEY] = {2};
	char a[TOKEN_SIZE], b[TOKEN_SIZE];

	policy_token(key, "volt", "meta/serial", BYTES("4711"), a);
	policy_token(key, "volt", "meta/serial", BYTES("4711"), b);
	cr_expect_str_eq(a, b);
	cr_expect(eq(sz, strspn(a, "abcdefghijklmnopqrstuvwxyz234567"), TOKEN_SIZE - 1));
	policy_token(key, "harbor", "meta/serial", BYTES("4711"), b);
	cr_expect_str_neq(a, b);
	policy_token(key, "volt", "meta/seria", BYTES("l4711"), b);
	cr_expect_str_neq(a, b);
	policy_token(key, "volt", "meta/serial", BYTES("4712"), b);
	cr_expect_str_neq(a, b);
	policy_token(other, "volt", "meta/serial", BYTES("4711"), b);
	cr_expect_str_neq(a, b);
}

Test(policy, the_ruling_is_the_share_that_holds_longest)
{
	struct policy_query q = asks("volt", RIGHT_READ, &press, "a");
	struct policy_ruling ruling;

	given("share \"a\"\n" RULE_TO("org volt", "**") "allow read a\nuntil 2026-12-01\n"
	      "share \"b\"\n" RULE_TO("org volt", "**") "allow read a\n" UNTIL
	      "share \"c\"\n" RULE_TO("org volt", "**") "allow read a\nredact a as token\nuntil 2027-02-01\n"
	      "share \"d\"\n" RULE_TO("org volt role lead", "**") "allow command stop\n" UNTIL);
	cr_expect(policy_ruling(p.policy, &q, &ruling) == FORM_PLAIN);
	cr_expect_str_eq(ruling.title, "b");
	cr_expect(eq(int, ruling.line, ACME_LINES + 6));
	q.property = "b";
	cr_expect(policy_ruling(p.policy, &q, &ruling) == FORM_NOTHING);

	const char **roles = NULL, **commands = NULL;
	size_t n_roles = 0, n_commands = 0;
	cr_assert(eq(int, policy_roles(p.policy, "volt", p.arena, &roles, &n_roles), 0));
	cr_assert(eq(int, policy_roles(p.policy, "volt", p.arena, &roles, &n_roles), 0));
	cr_assert(eq(int, policy_roles(p.policy, "bolt", p.arena, &roles, &n_roles), 0));
	cr_assert(eq(int, policy_commands(p.policy, p.arena, &commands, &n_commands), 0));
	cr_expect(n_roles == 1 && strcmp(roles[0], "lead") == 0);
	cr_expect(n_commands == 1 && strcmp(commands[0], "stop") == 0);
}
