/* SPDX-License-Identifier: Apache-2.0 */
/* The product against the naive meaning: every policy of one and two rules out of the phrases, and large ones
 * by chance. A program, so that it can be built against an evaluator with a fault in it, too.
 *
 *     policy_exhaustive [--every N] [--large N]
 *
 * --every N: of the small policies only every Nth. --large N: so many large ones. Stops at the first
 * difference.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/must.h"
#include "tests/unit/security/policy_phrases.h"

enum { SMALL_MAX = 800, N_TIMES = 2, N_SMALL_ASKERS = 5, QUERIES_MAX = N_QUERIES * N_TIMES };
enum { RULES_MAX = 200, N_QUESTIONS = 300 };

static struct naive_rule small[SMALL_MAX];
static unsigned char gives[SMALL_MAX][QUERIES_MAX]; /* enum policy_form */
static struct policy_query queries[QUERIES_MAX];
static size_t n_small, n_queries;
static unsigned long long n_decisions;

static void add_small(struct phrase_rule rule)
{
	must(n_small < SMALL_MAX);
	small[n_small++] = phrase_meaning(rule);
}

static void add_shares(unsigned to, unsigned twins)
{
	for (unsigned what = 0; what < N_ALLOW - 1; what++) {
		const bool value = what == 1 || what == 3 || what == 6; /* summary, read, history */
		if (phrase_has_command(1u << what) && to > 2)
			continue;
		for (unsigned until = 0; until < 2; until++)
			for (unsigned redact = 0; redact < (value ? 3 : 1); redact++)
				add_small((struct phrase_rule){.to = 1u << to,
							       .twins = 1u << twins,
							       .what = 1u << what,
							       .redact = redact,
							       .until = until});
	}
}

static void make_small(void)
{
	static const unsigned to[] = {0, 1, 3, 4}, twins[] = {0, 2, 5, 7};

	for (size_t i = 0; i < sizeof to / sizeof *to; i++)
		for (size_t j = 0; j < sizeof twins / sizeof *twins; j++) {
			add_shares(to[i], twins[j]);
			for (unsigned what = 0; what < N_DENY - 1; what++)
				add_small((struct phrase_rule){.never = true,
							       .to = 1u << to[i],
							       .twins = 1u << twins[j],
							       .what = 1u << what});
		}
	for (size_t t = 0; t < N_TIMES; t++)
		for (size_t i = 0; i < N_QUERIES; i++)
			queries[n_queries++] = phrase_query(i, phrase_until_ns[0] - 1 + (int64_t)t);
	for (size_t i = 0; i < n_small; i++)
		for (size_t q = 0; q < n_queries; q++)
			gives[i][q] = (unsigned char)naive_rule_gives(&small[i], &queries[q]);
}

/* What two rules make together. */
static enum policy_form joined(size_t i, size_t j, size_t q)
{
	const enum policy_form a = gives[i][q], b = gives[j][q];

	if ((small[i].never && a) || (small[j].never && b))
		return FORM_NOTHING;
	return a > b ? a : b;
}

static bool compare_pair(size_t i, size_t j)
{
	const struct naive_rule rules[] = {small[i], small[j]};
	const bool redacts = rules[0].redact[0] || rules[1].redact[0];
	SCOPED(buf_fini) struct buf text = {0};

	phrase_print(&text, rules, i == j ? 1 : 2);
	SCOPED(scope_policy) struct policy *p = phrase_policy((const char *)text.data);
	for (size_t q = 0; q < n_queries; q++, n_decisions++) {
		const enum policy_form wanted = joined(i, j, q);
		const bool plain = policy_allows(p, &queries[q], NULL);
		if (plain == (wanted == FORM_PLAIN) && (!redacts || policy_form(p, &queries[q]) == wanted))
			continue;
		phrase_say(plain ? "allowed" : "not allowed", &queries[q], (const char *)text.data);
		return false;
	}
	return true;
}

static bool compare_small(unsigned long every)
{
	unsigned long n = 0;

	for (size_t i = 0; i < n_small; i++)
		for (size_t j = i; j < n_small; j++)
			if (n++ % every == 0 && !compare_pair(i, j))
				return false;
	return true;
}

/* As many rules as there can be, too. */
static size_t choose_rules(struct naive_rule *rules, bool full)
{
	for (size_t i = 0; full && i < POLICY_RULES_MAX; i++)
		rules[i] = some_rule(chance(40) == 0);
	return full ? POLICY_RULES_MAX : some_rules(rules, RULES_MAX);
}

/* What is no right is nobody's. */
static bool denies_no_right(const struct policy *p, struct policy_query q)
{
	q.right = N_RIGHTS;
	return !policy_allows(p, &q, NULL);
}

static bool compare_large(bool full)
{
	static struct naive_rule rules[POLICY_RULES_MAX];
	const size_t n = choose_rules(rules, full);
	SCOPED(buf_fini) struct buf text = {0};

	phrase_print(&text, rules, n);
	SCOPED(scope_policy) struct policy *p = phrase_policy((const char *)text.data);
	for (int i = 0; i < N_QUESTIONS; i++, n_decisions++) {
		const struct policy_query q = some_query();
		int64_t until = 0, wanted_until = 0;
		const enum policy_form wanted = naive_decides(rules, n, &q, &wanted_until);
		const bool plain = policy_allows(p, &q, &until);
		if (plain == (wanted == FORM_PLAIN) && policy_form(p, &q) == wanted &&
		    (!plain || until == wanted_until) && denies_no_right(p, q))
			continue;
		phrase_say("decided otherwise", &q, (const char *)text.data);
		return false;
	}
	return true;
}

/* ---- Many names: one share for each ---- */

enum { N_NAMES = 1000, N_NAMED_ORGS = 50 };

static bool may_read(const struct policy *p, size_t org, size_t twin, size_t property)
{
	char names[3][32];
	const struct policy_twin t = {.id = names[1], .type = ""};
	const struct policy_query q = {
		.org = names[0], .right = RIGHT_READ, .twin = &t, .property = names[2]};

	snprintf(names[0], sizeof names[0], "o%zu", org % N_NAMED_ORGS);
	snprintf(names[1], sizeof names[1], "acme/t%zu/x", twin);
	snprintf(names[2], sizeof names[2], "p%zu", property);
	return policy_allows(p, &q, NULL);
}

static bool compare_names(void)
{
	SCOPED(buf_fini) struct buf text = {0};

	buf_put_text(&text, "policy acme\n");
	for (int i = 0; i < N_NAMED_ORGS; i++)
		buf_print(&text, "org o%d = O\n", i);
	for (int i = 0; i < N_NAMES; i++)
		buf_print(&text, "share \"%d\"\nto org o%d\ntwins t%d/x\nallow read p%d\nuntil 2027-01-01\n",
			  i, i % N_NAMED_ORGS, i, i);
	buf_put_u8(&text, 0);
	must(buf_check(&text) == 0);
	SCOPED(scope_policy) struct policy *p = phrase_policy((const char *)text.data);
	for (size_t i = 0; i < N_NAMES; i++)
		if (!may_read(p, i, i, i) || may_read(p, i + 1, i, i) ||
		    may_read(p, i, i + N_NAMED_ORGS, i) || may_read(p, i, i, i + 1)) {
			fprintf(stderr, "name %zu is taken for another\n", i);
			return false;
		}
	return true;
}

/* `*` is a segment, and nothing is none. */
static bool compare_nothing(void)
{
	SCOPED(scope_policy)
	struct policy *p = phrase_policy(
		"policy acme\norg volt = V\nshare \"s\"\nto org volt\ntwins *\n"
		"allow read *\nuntil 2027-01-01\n");
	const struct policy_twin twin = {.id = "acme/a", .type = ""}, none = {.id = "acme/", .type = ""};
	struct policy_query q = {.org = "volt", .right = RIGHT_READ, .twin = &twin, .property = "a"};
	const bool allowed = policy_allows(p, &q, NULL);

	q.property = "";
	const bool no_property = policy_allows(p, &q, NULL);
	q.property = "a";
	q.twin = &none;
	if (allowed && !no_property && !policy_allows(p, &q, NULL))
		return true;
	fprintf(stderr, "'*' is taken for nothing\n");
	return false;
}

/* Neither the beginning of a name nor a longer one is the name. */
static bool compare_beginnings(void)
{
	static const char *const properties[] = {"a", "abc", "axb", "c/", "ab"};
	SCOPED(scope_policy)
	struct policy *p = phrase_policy(
		"policy acme\norg volt = V\nshare \"s\"\nto org volt\ntwins **\n"
		"allow read **\nredact ab, a/b, c/* as drop\nuntil 2027-01-01\n");
	const struct policy_twin twin = {.id = "acme/a", .type = ""};

	for (int i = 0; i < 5; i++) {
		const struct policy_query q = {
			.org = "volt", .right = RIGHT_READ, .twin = &twin, .property = properties[i]};
		if (policy_allows(p, &q, NULL) == (i < 4))
			continue;
		fprintf(stderr, "%s is taken for another\n", properties[i]);
		return false;
	}
	return true;
}

int main(int argc, char *argv[])
{
	const char *seed = getenv("HOLON_SEED");
	unsigned long every = 1, large = 100;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--every") == 0)
			every = strtoul(argv[i + 1], NULL, 10);
		if (strcmp(argv[i], "--large") == 0)
			large = strtoul(argv[i + 1], NULL, 10);
	}
	must(every > 0);
	if (!compare_names() || !compare_nothing() || !compare_beginnings())
		return EXIT_FAILURE;
	make_small();
	if (!compare_small(every))
		return EXIT_FAILURE;
	printf("%zu rules, %llu decisions of small policies agree\n", n_small, n_decisions);
	chance_begin(seed ? strtoull(seed, NULL, 10) : 1);
	for (n_decisions = 0; large > 0; large--)
		if (!compare_large(large == 1))
			return EXIT_FAILURE;
	printf("%llu decisions of large policies agree\n", n_decisions);
	return EXIT_SUCCESS;
}
