/* SPDX-License-Identifier: Apache-2.0 */
/* The product against the plain meaning: every small policy, and large ones by chance. HOLON_SEED=N repeats a
 * run. */
#include "tests/unit/security/test_policy.h"

#include <time.h>

#include "tests/unit/security/policy_spec.h"

/* ---- Chance ---- */

static uint64_t state;

static uint64_t chance(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

static unsigned long long begin_chance(void)
{
	const char *given = getenv("HOLON_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	const unsigned long long seed =
		given ? strtoull(given, NULL, 10)
		      : (unsigned long long)now.tv_nsec ^ (unsigned long long)now.tv_sec << 20;
	state = seed * 2 + 1;
	fprintf(stderr, "HOLON_SEED=%llu\n", seed);
	return seed;
}

static unsigned some_of(unsigned n)
{
	return chance(3) ? 1u << chance(n) : 1u << chance(n) | 1u << chance(n) | 1u << chance(n);
}

static struct spec_rule some_rule(bool never)
{
	return (struct spec_rule){never, some_of(N_TO), some_of(N_TWINS), some_of(never ? N_DENY : N_ALLOW),
				  (unsigned)chance(N_UNTIL)};
}

static struct policy_query some_query(void)
{
	static const int64_t around[] = {-1, 0, 1, -1000000000, 1000000000};

	return spec_query(chance(N_QUERIES), spec_until_ns[chance(N_UNTIL)] + around[chance(5)]);
}

/* ---- Policies ---- */

static struct buf text;

static struct policy *policy_of(const struct spec_rule *rules, size_t n)
{
	static struct arena *a;
	struct policy_finding *findings;
	struct policy *p = NULL;
	struct err_note note = {0};
	size_t n_findings;

	if (!a)
		cr_assert(eq(int, arena_new(&a, 1 << 20), 0));
	arena_reset(a);
	buf_clear(&text);
	buf_put_text(&text, spec_head);
	for (size_t i = 0; i < n; i++)
		spec_print(&text, &rules[i], i);
	buf_put_u8(&text, 0);
	cr_assert(eq(int, buf_check(&text), 0));
	const int r = policy_parse((const char *)text.data, &(struct policy_options){.own_org = "acme"}, &p,
				   a, &findings, &n_findings, &note);
	cr_assert(eq(int, r, 0), "%s\n%s", note.text, (const char *)text.data);
	return p;
}

static void say_query(const struct policy_query *q, const char *what)
{
	cr_fail("%s: %s%s%s %s %s %s at %lld\n%s", what, q->org, q->role ? " as " : "",
		q->role ? q->role : "", right_text(q->right), q->twin->id, q->property ? q->property : "-",
		(long long)q->now_ns, (const char *)text.data);
}

/* ---- Every policy of one and two rules ---- */

enum { MAX_SMALL = 400, N_TIMES = 2 };
static struct spec_rule small[MAX_SMALL];
static size_t n_small;
static struct policy_query queries[N_QUERIES * N_TIMES];
static bool matches[MAX_SMALL][N_QUERIES * N_TIMES];

static void make_small_rules(bool never, unsigned n_what, unsigned n_until)
{
	static const unsigned to[] = {0, 1, 2, 3}, twin[] = {1, 5, 7};

	for (unsigned i = 0; i < 4; i++)
		for (unsigned j = 0; j < 3; j++)
			for (unsigned k = 0; k < n_what; k++)
				for (unsigned u = 0; u < n_until; u++)
					small[n_small++] = (struct spec_rule){never, 1u << to[i],
									      1u << twin[j], 1u << k, u};
	cr_assert(le(sz, n_small, MAX_SMALL));
}

static size_t compare_pair(size_t i, size_t j)
{
	const struct spec_rule rules[] = {small[i], small[j]};
	struct policy *p = policy_of(rules, i == j ? 1 : 2);
	size_t n = 0;

	for (size_t q = 0; q < N_QUERIES * N_TIMES; q++, n++) {
		const bool share = (matches[i][q] && !small[i].never) || (matches[j][q] && !small[j].never);
		const bool never = (matches[i][q] && small[i].never) || (matches[j][q] && small[j].never);
		if (policy_allows(p, &queries[q], NULL) != (share && !never))
			say_query(&queries[q], share && !never ? "wrongly denied" : "wrongly allowed");
	}
	policy_free(p);
	return n;
}

Test(policy_spec, every_policy_of_two_rules_decides_as_it_reads, .timeout = 60)
{
	size_t n = 0;

	make_small_rules(false, N_ALLOW, 2);
	make_small_rules(true, N_DENY, 1);
	for (size_t t = 0; t < N_TIMES; t++)
		for (size_t i = 0; i < N_QUERIES; i++)
			queries[t * N_QUERIES + i] = spec_query(i, spec_until_ns[0] - 1 + (int64_t)t);
	for (size_t i = 0; i < n_small; i++)
		for (size_t q = 0; q < N_QUERIES * N_TIMES; q++)
			matches[i][q] = spec_rule_matches(&small[i], &queries[q]);
	for (size_t i = 0; i < n_small; i++)
		for (size_t j = i; j < n_small; j++)
			n += compare_pair(i, j);
	fprintf(stderr, "%zu rules, %zu decisions\n", n_small, n);
	cr_expect(gt(sz, n, 5000000));
	buf_fini(&text);
}

/* ---- Large policies by chance ---- */

enum { MAX_RULES = 200, N_POLICIES = 300, N_QUESTIONS = 1000 };

static size_t some_rules(struct spec_rule *rules)
{
	const size_t n = 1 + chance(chance(2) ? 8 : MAX_RULES), nevers = chance(4);

	for (size_t i = 0; i < n; i++)
		rules[i] = some_rule(chance(10) < nevers);
	return n;
}

static void compare(const struct policy *p, const struct spec_rule *rules, size_t n,
		    const struct policy_query *q)
{
	int64_t until = 0, wanted = 0, last = 0, wanted_last = 0, step = 0, wanted_step = 0;

	if (policy_allows(p, q, &until) != spec_allows(rules, n, q, &wanted) || until != wanted)
		say_query(q, "decided otherwise");
	if (q->right != RIGHT_HISTORY)
		return;
	if (policy_history_window(p, q, &last, &step) !=
		    spec_window(rules, n, q, &wanted_last, &wanted_step) ||
	    last != wanted_last || step != wanted_step)
		say_query(q, "another window");
}

Test(policy_spec, large_policies_decide_as_they_read, .timeout = 60)
{
	static struct spec_rule rules[MAX_RULES];

	begin_chance();
	for (int i = 0; i < N_POLICIES; i++) {
		const size_t n = some_rules(rules);
		struct policy *p = policy_of(rules, n);
		for (int j = 0; j < N_QUESTIONS; j++) {
			const struct policy_query q = some_query();
			compare(p, rules, n, &q);
		}
		policy_free(p);
	}
	buf_fini(&text);
}

/* ---- What must not matter, and what may only take or only give ---- */

static bool now[N_QUESTIONS];
static struct policy_query asked[N_QUESTIONS];

static void ask(const struct spec_rule *rules, size_t n)
{
	struct policy *p = policy_of(rules, n);

	for (int i = 0; i < N_QUESTIONS; i++)
		now[i] = policy_allows(p, &asked[i], NULL);
	policy_free(p);
}

/* Ask the changed policy: it may not allow what it did not (unless `more`), nor deny what it allowed (unless
 * `less`). */
static void ask_again(const struct spec_rule *rules, size_t n, bool more, bool less)
{
	struct policy *p = policy_of(rules, n);

	for (int i = 0; i < N_QUESTIONS; i++) {
		const bool then = policy_allows(p, &asked[i], NULL);
		if (then && !now[i] && !more)
			say_query(&asked[i], "newly allowed");
		if (!then && now[i] && !less)
			say_query(&asked[i], "no longer allowed");
	}
	policy_free(p);
}

static void shuffle_and_repeat(struct spec_rule *rules, size_t n)
{
	for (size_t i = n; i < 2 * n; i++)
		rules[i] = rules[chance(n)];
	for (size_t i = 2 * n; i > 1; i--) {
		const size_t j = chance(i);
		const struct spec_rule swap = rules[i - 1];
		rules[i - 1] = rules[j];
		rules[j] = swap;
	}
}

Test(policy_spec, changes_take_and_give_only_what_they_may, .timeout = 60)
{
	static struct spec_rule rules[2 * MAX_RULES + 1];

	begin_chance();
	for (int i = 0; i < N_POLICIES / 2; i++) {
		const size_t n = some_rules(rules);
		for (int j = 0; j < N_QUESTIONS; j++)
			asked[j] = some_query();
		ask(rules, n);
		rules[n] = some_rule(false);
		ask_again(rules, n + 1, true, false); /* a share takes nothing */
		rules[n] = some_rule(true);
		ask_again(rules, n + 1, false, true); /* a never gives nothing */
		shuffle_and_repeat(rules, n);
		ask_again(rules, 2 * n, false, false); /* order and repetition do nothing */
		for (int j = 0; j < N_QUESTIONS; j++)
			asked[j].now_ns += (int64_t)chance(UINT64_C(20000000000000000));
		ask_again(rules, 2 * n, false, true); /* time gives nothing */
	}
	buf_fini(&text);
}

/* Whatever a policy says, its end is announced: an allow ends exactly when it was said to, and between now
 * and the next end of a share nothing changes. */
Test(policy_spec, ends_are_announced, .timeout = 60)
{
	static struct spec_rule rules[MAX_RULES];

	begin_chance();
	for (int i = 0; i < N_POLICIES; i++) {
		const size_t n = some_rules(rules);
		struct policy *p = policy_of(rules, n);
		for (int j = 0; j < N_QUESTIONS; j++) {
			struct policy_query q = some_query();
			int64_t until = INT64_MAX;
			const bool allowed = policy_allows(p, &q, &until);
			const int64_t end = policy_next_end(p, q.now_ns);
			q.now_ns = end - 1;
			if (policy_allows(p, &q, NULL) != allowed)
				say_query(&q, "changed before the next end");
			q.now_ns = until - 1;
			if (allowed && !policy_allows(p, &q, NULL))
				say_query(&q, "ended early");
			q.now_ns = until;
			if (allowed && policy_allows(p, &q, NULL))
				say_query(&q, "ended late");
		}
		policy_free(p);
	}
	buf_fini(&text);
}

Test(policy_spec, every_decision_has_a_reason, .timeout = 60)
{
	static struct spec_rule rules[MAX_RULES];
	SCOPED(scope_arena) struct arena *a = NULL;

	begin_chance();
	cr_assert(eq(int, arena_new(&a, 1 << 16), 0));
	for (int i = 0; i < N_POLICIES / 3; i++) {
		const size_t n = some_rules(rules);
		struct policy *p = policy_of(rules, n);
		for (int j = 0; j < 100; j++) {
			const struct policy_query q = some_query();
			bool allowed;
			arena_reset(a);
			const char *why = policy_why(p, &q, a, &allowed);
			if (!why || allowed != policy_allows(p, &q, NULL) ||
			    allowed != (strstr(why, " is granted to ") != NULL))
				say_query(&q, why ? why : "no reason");
		}
		policy_free(p);
	}
	buf_fini(&text);
}
