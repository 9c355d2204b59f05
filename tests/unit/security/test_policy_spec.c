/* SPDX-License-Identifier: Apache-2.0 */
/* Laws of the policy, on policies made by chance: what must not matter, what may only take or only give, and
 * the windows of history against their plain meaning. HOLON_SEED=N repeats a run; every small policy is in
 * policy_exhaustive.c. */
#include "tests/unit/security/test_policy.h"

#include <time.h>

#include "tests/unit/security/policy_phrases.h"

enum { MAX_RULES = 200, N_POLICIES = 300, N_QUESTIONS = 1000 };

static void begin_chance(void)
{
	const char *given = getenv("HOLON_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	chance_begin(given ? strtoull(given, NULL, 10)
			   : (unsigned long long)now.tv_nsec ^ (unsigned long long)now.tv_sec << 20);
}

static struct buf text;

static struct policy *policy_of(const struct naive_rule *rules, size_t n)
{
	buf_clear(&text);
	phrase_print(&text, rules, n);
	return phrase_policy((const char *)text.data);
}

static void say_query(const struct policy_query *q, const char *what)
{
	phrase_say(what, q, (const char *)text.data);
	cr_fail("%s", what);
}

/* ---- Windows ---- */

static int64_t duration_behind(const char *line, const char *name)
{
	const char *at = strstr(line, name);
	int n = 0;
	char unit = 's';

	if (!at || sscanf(at + strlen(name), "%d%c", &n, &unit) < 2)
		return 0;
	return n * INT64_C(1000000000) * (unit == 'd' ? 86400 : unit == 'h' ? 3600 : 1);
}

/* Of what is granted as it is: the longest, then the finest. */
static void naive_window(const struct naive_rule *rules, size_t n, const struct policy_query *q,
			 int64_t *ret_last_ns, int64_t *ret_step_ns)
{
	bool any = false;

	*ret_last_ns = *ret_step_ns = 0;
	for (size_t i = 0; i < n; i++)
		for (int j = 0; !rules[i].never && rules[i].what[j]; j++) {
			const char *line = rules[i].what[j];
			const int64_t last = duration_behind(line, " last "),
				      step = duration_behind(line, " step ");
			if (naive_rule_gives(&rules[i], q) != FORM_PLAIN || !naive_line_allows(line, q))
				continue;
			const bool longer = *ret_last_ns && (!last || last > *ret_last_ns);
			if (!any || longer || (last == *ret_last_ns && step < *ret_step_ns)) {
				*ret_last_ns = last;
				*ret_step_ns = step;
			}
			any = true;
		}
}

Test(policy_spec, windows_are_the_widest_single_one, .timeout = 60)
{
	static struct naive_rule rules[MAX_RULES];
	size_t n_windows = 0;

	begin_chance();
	for (int i = 0; i < N_POLICIES; i++) {
		const size_t n = some_rules(rules, 12);
		struct policy *p = policy_of(rules, n);
		for (int j = 0; j < N_QUESTIONS / 5; j++) {
			const struct policy_query q = some_query();
			int64_t last = 0, wanted_last = 0, step = 0, wanted_step = 0, until = 0;
			if (q.right != RIGHT_HISTORY)
				continue;
			const bool wanted = naive_decides(rules, n, &q, &until) == FORM_PLAIN;
			if (wanted)
				naive_window(rules, n, &q, &wanted_last, &wanted_step);
			n_windows += wanted;
			if (policy_history_window(p, &q, &last, &step) != wanted || last != wanted_last ||
			    step != wanted_step)
				say_query(&q, "another window");
		}
		policy_free(p);
	}
	cr_expect(gt(sz, n_windows, 100));
	buf_fini(&text);
}

/* ---- What must not matter, and what may only take or only give ---- */

/* How far back, 0: no bound, then how finely; below every window is none at all. */
struct window {
	bool open;
	int64_t last_ns, step_ns;
};

static enum policy_form now[N_QUESTIONS];
static struct window windows[N_QUESTIONS];
static struct policy_query asked[N_QUESTIONS];

static struct window window_of(const struct policy *p, const struct policy_query *q)
{
	struct window w = {0};

	w.open = q->right == RIGHT_HISTORY && policy_history_window(p, q, &w.last_ns, &w.step_ns);
	return w;
}

static bool is_wider(const struct window *a, const struct window *b)
{
	if (a->open != b->open || !a->open)
		return a->open && !b->open;
	if (a->last_ns != b->last_ns)
		return a->last_ns == 0 || (b->last_ns != 0 && a->last_ns > b->last_ns);
	return a->step_ns < b->step_ns;
}

static void ask(const struct naive_rule *rules, size_t n)
{
	struct policy *p = policy_of(rules, n);

	for (int i = 0; i < N_QUESTIONS; i++) {
		now[i] = policy_form(p, &asked[i]);
		windows[i] = window_of(p, &asked[i]);
	}
	policy_free(p);
}

/* Ask the changed policy: it may not allow what it did not (unless `more`), nor deny what it allowed (unless
 * `less`). */
static void ask_again(const struct naive_rule *rules, size_t n, bool more, bool less)
{
	struct policy *p = policy_of(rules, n);

	for (int i = 0; i < N_QUESTIONS; i++) {
		const enum policy_form then = policy_form(p, &asked[i]);
		const struct window window = window_of(p, &asked[i]);
		if ((then > now[i] || is_wider(&window, &windows[i])) && !more)
			say_query(&asked[i], "allowed more");
		if ((then < now[i] || is_wider(&windows[i], &window)) && !less)
			say_query(&asked[i], "allowed less");
	}
	policy_free(p);
}

static void shuffle_and_repeat(struct naive_rule *rules, size_t n)
{
	for (size_t i = n; i < 2 * n; i++)
		rules[i] = rules[chance(n)];
	for (size_t i = 2 * n; i > 1; i--) {
		const size_t j = chance(i);
		const struct naive_rule swap = rules[i - 1];
		rules[i - 1] = rules[j];
		rules[j] = swap;
	}
}

Test(policy_spec, changes_take_and_give_only_what_they_may, .timeout = 60)
{
	static struct naive_rule rules[2 * MAX_RULES + 1];

	begin_chance();
	for (int i = 0; i < N_POLICIES / 2; i++) {
		const size_t n = some_rules(rules, MAX_RULES);
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

/* One rule for each subject, selector and right, with the redactions of the whole. */
static size_t split(const struct naive_rule *rule, struct naive_rule *ret)
{
	size_t n = 0;

	for (size_t i = 0; rule->to[i]; i++)
		for (size_t j = 0; rule->twins[j]; j++)
			for (size_t k = 0; rule->what[k]; k++) {
				struct naive_rule one = {.never = rule->never,
							 .to = {rule->to[i]},
							 .twins = {rule->twins[j]},
							 .what = {rule->what[k]},
							 .until_ns = rule->until_ns};
				memcpy(one.redact, rule->redact, sizeof one.redact);
				ret[n++] = one;
			}
	return n;
}

Test(policy_spec, a_rule_is_the_sum_of_its_lines, .timeout = 60)
{
	enum { WHOLE = 12, PARTS = 27 }; /* at most three lines of each sort */
	static struct naive_rule rules[WHOLE], parts[WHOLE * PARTS];
	size_t n_more = 0;

	begin_chance();
	for (int i = 0; i < N_POLICIES; i++) {
		const size_t n = some_rules(rules, WHOLE);
		size_t n_parts = 0;
		for (size_t j = 0; j < n; j++)
			n_parts += split(&rules[j], &parts[n_parts]);
		for (int j = 0; j < N_QUESTIONS; j++)
			asked[j] = some_query();
		ask(rules, n);
		ask_again(parts, n_parts, false, false);
		n_more += n_parts - n;
	}
	cr_expect(gt(sz, n_more, 100));
	buf_fini(&text);
}

/* A role opens more, as long as no never is about roles. */
Test(policy_spec, a_role_takes_nothing, .timeout = 60)
{
	static struct naive_rule rules[MAX_RULES];
	size_t n_with = 0, n_more = 0;

	begin_chance();
	for (int i = 0; i < N_POLICIES; i++) {
		const size_t n = 1 + chance(12);
		for (size_t j = 0; j < n; j++)
			rules[j] = some_rule(false);
		struct policy *p = policy_of(rules, n);
		for (int j = 0; j < N_QUESTIONS; j++) {
			struct policy_query with = some_query(), without = with;
			without.role = NULL;
			const enum policy_form less = policy_form(p, &without), more = policy_form(p, &with);
			const struct window narrow = window_of(p, &without), wide = window_of(p, &with);
			if (less > more || is_wider(&narrow, &wide))
				say_query(&with, "a role takes something away");
			n_with += with.role != NULL;
			n_more += more > less;
		}
		policy_free(p);
	}
	cr_expect(gt(sz, n_with, 1000));
	cr_expect(gt(sz, n_more, 10));
	buf_fini(&text);
}

/* ---- Names ---- */

static const char *const names[][2] = {
	{"volt", "zeta"},  {"harbor", "volt"},   {"stranger", "harbor"},
	{"bolt", "b-0"},   {"lead", "stop"},     {"partners", "p9"},
	{"plant1", "a"},   {"plant2", "plant1"}, {"line3", "site"},
	{"press7", "X"},   {"line", "hall"},     {"press", "line"},
	{"site", "press"}, {"x", "y"},           {"y", "x"},
	{"a", "c"},        {"b", "a"},           {"c", "b"},
	{"stop", "go"},    {"go", "halt"},       {"acme", "acme-2"},
	{"d", "plant2"},
};

/* Every word that is a name, for the other one. */
static const char *renamed(struct arena *a, const char *from)
{
	SCOPED(buf_fini) struct buf to = {0};

	while (from && *from) {
		const size_t n =
			strspn(from, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
		const char *name = NULL;
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			if (strlen(names[i][0]) == n && strncmp(names[i][0], from, n) == 0)
				name = names[i][1];
		if (name)
			buf_put_text(&to, name);
		else
			buf_put(&to, (struct bytes){(const uint8_t *)from, n > 0 ? n : 1});
		from += n > 0 ? n : 1;
	}
	cr_assert(eq(int, buf_check(&to), 0));
	return from ? arena_text(a, buf_bytes(&to)) : NULL;
}

static struct policy_query renamed_query(struct arena *a, const struct policy_query *q)
{
	struct policy_query r = *q;
	struct policy_twin *twin = arena_take(a, sizeof *twin);
	const char **tags = arena_take_array(a, q->twin->n_tags, sizeof *tags);

	for (size_t i = 0; i < q->twin->n_tags; i++)
		tags[i] = renamed(a, q->twin->tags[i]);
	*twin = (struct policy_twin){renamed(a, q->twin->id), renamed(a, q->twin->type), tags,
				     q->twin->n_tags};
	r.org = renamed(a, q->org);
	r.role = renamed(a, q->role);
	r.property = renamed(a, q->property);
	r.twin = twin;
	return r;
}

static struct policy *renamed_policy(struct arena *a)
{
	const struct policy_options opt = {.own_org = "acme-2"};
	struct policy_finding *findings;
	struct policy *p = NULL;
	struct err_note note = {0};
	size_t n;
	const char *other = renamed(a, (const char *)text.data);

	cr_assert(eq(int, policy_parse(other, &opt, &p, a, &findings, &n, &note), 0), "%s\n%s", note.text,
		  other);
	return p;
}

Test(policy_spec, names_do_not_matter, .timeout = 60)
{
	static struct naive_rule rules[MAX_RULES];
	SCOPED(scope_arena) struct arena *a = NULL;

	begin_chance();
	cr_assert(eq(int, arena_new(&a, 16 << 20), 0));
	for (int i = 0; i < N_POLICIES / 3; i++) {
		struct policy *p = policy_of(rules, some_rules(rules, MAX_RULES));
		struct policy *other = renamed_policy(a);
		for (int j = 0; j < N_QUESTIONS / 4; j++) {
			const struct policy_query q = some_query(), r = renamed_query(a, &q);
			int64_t until = 0, other_until = 0;
			if (policy_allows(p, &q, &until) != policy_allows(other, &r, &other_until) ||
			    policy_form(p, &q) != policy_form(other, &r) || until != other_until)
				say_query(&q, "decided otherwise under other names");
		}
		policy_free(p);
		policy_free(other);
		arena_reset(a);
	}
	buf_fini(&text);
}

/* Whatever a policy says, its end is announced: an allow ends exactly when it was said to, and between now
 * and the next end of a share nothing changes. */
Test(policy_spec, ends_are_announced, .timeout = 60)
{
	static struct naive_rule rules[MAX_RULES];

	begin_chance();
	for (int i = 0; i < N_POLICIES; i++) {
		const size_t n = some_rules(rules, MAX_RULES);
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
	static struct naive_rule rules[MAX_RULES];
	SCOPED(scope_arena) struct arena *a = NULL;

	begin_chance();
	cr_assert(eq(int, arena_new(&a, 1 << 16), 0));
	for (int i = 0; i < N_POLICIES / 3; i++) {
		const size_t n = some_rules(rules, MAX_RULES);
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
