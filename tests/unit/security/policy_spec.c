/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/policy_spec.h"

#include <stdio.h>

#define DAY_NS (INT64_C(86400) * 1000000000)
#define HOUR_NS (INT64_C(3600) * 1000000000)

const char spec_head[] =
	"policy acme\norg volt = V\norg harbor = H\norg bolt = B\ngroup partners = volt, harbor\n";

/* 2026-01-01, 2026-07-01 and 2027-01-01 */
const int64_t spec_until_ns[N_UNTIL] = {INT64_C(20454) * DAY_NS, INT64_C(20635) * DAY_NS,
					INT64_C(20819) * DAY_NS};
static const char *const until_text[N_UNTIL] = {"2025-12-31", "2026-07-01T00:00Z", "2027-01-01 01:00+01:00"};

static const struct {
	const char *text, *orgs[3], *role;
	bool everyone;
} to_phrases[N_TO] = {
	{"org volt", {"volt"}, NULL, false},
	{"org volt role lead", {"volt"}, "lead", false},
	{"group partners", {"volt", "harbor"}, NULL, false},
	{"everyone-else", {NULL}, NULL, true},
	{"org harbor, org bolt", {"harbor", "bolt"}, NULL, false},
};

/* A twin of the spec is one of five; bit i of `twins`: the phrase means twin i. */
static const char *const tag_x[] = {"y", "x"};
static const struct policy_twin twins[N_SPEC_TWINS] = {
	{"acme/plant1", "site", tag_x, 2},
	{"acme/plant1/line3", "line", NULL, 0},
	{"acme/plant1/line3/press7", "press", tag_x, 2},
	{"acme/plant2/line3", "line", tag_x, 1},
	{"volt/plant1/line3", "line", tag_x, 2},
};
static const struct {
	const char *text;
	unsigned twins;
} twin_phrases[N_TWINS] = {
	{"**", 0x0f},
	{"plant1/**", 0x07},
	{"*/line3", 0x0a},
	{"plant1/line3, plant2/*", 0x0a},
	{"*", 0x01},
	{"tag x", 0x05},
	{"type line, plant1/line3/press7", 0x0e},
	{"** with tag x and type press", 0x04},
	{"plant1/line3/**, plant2 with type line", 0x02},
};

enum { P_NONE, P_A, P_AB, P_AC, P_D };
static const char *const properties[] = {NULL, "a", "a/b", "a/c", "d"};

/* What a phrase gives or takes, right by right, as sets of the properties above (bit P_NONE: the right as
 * such). */
struct meaning {
	const char *text;
	unsigned of[N_RIGHTS];
	int64_t last_ns, step_ns;
};
#define ALL 0x1f
#define SOME(p) (1u << (p))
static const struct meaning allow_phrases[N_ALLOW] = {
	{"discover", {1, 0, 0, 0}, 0, 0},
	{"summary", {1, ALL, 0, 0}, 0, 0},
	{"discover, summary, read a/b", {1, ALL, SOME(P_AB), 0}, 0, 0},
	{"read a/**", {1, 0, SOME(P_A) | SOME(P_AB) | SOME(P_AC), 0}, 0, 0},
	{"read *, a/c", {1, 0, SOME(P_A) | SOME(P_D) | SOME(P_AC), 0}, 0, 0},
	{"history ** last 30d step 1h", {1, 0, ALL - 1, ALL - 1}, 30 * DAY_NS, HOUR_NS},
	{"history a/* step 1d last 24h",
	 {1, 0, SOME(P_AB) | SOME(P_AC), SOME(P_AB) | SOME(P_AC)},
	 DAY_NS,
	 DAY_NS},
};
static const struct meaning deny_phrases[N_DENY] = {
	{"discover", {1, ALL, ALL, ALL}, 0, 0},
	{"summary", {0, ALL, 0, 0}, 0, 0},
	{"summary of a/*", {0, SOME(P_AB) | SOME(P_AC), 0, 0}, 0, 0},
	{"read, watch", {0, ALL - 1, ALL - 1, ALL - 1}, 0, 0},
	{"read of a/b, d", {0, SOME(P_AB) | SOME(P_D), SOME(P_AB) | SOME(P_D), SOME(P_AB) | SOME(P_D)}, 0, 0},
	{"history of a/**", {0, 0, 0, SOME(P_A) | SOME(P_AB) | SOME(P_AC)}, 0, 0},
	{"history, summary of *", {0, SOME(P_A) | SOME(P_D), 0, SOME(P_A) | SOME(P_D)}, 0, 0},
	{"command stop, aggregate", {0, 0, 0, 0}, 0, 0},
};

static const struct {
	const char *org, *role;
} askers[N_ASKERS] = {
	{"volt", NULL}, {"volt", "lead"},     {"harbor", "lead"},
	{"bolt", NULL}, {"stranger", "lead"}, {"acme", NULL},
};

static const struct {
	enum right right;
	unsigned property;
} asked[N_ASKED] = {
	{RIGHT_DISCOVER, P_NONE}, {RIGHT_SUMMARY, P_NONE}, {RIGHT_SUMMARY, P_AB}, {RIGHT_SUMMARY, P_D},
	{RIGHT_READ, P_A},        {RIGHT_READ, P_AB},      {RIGHT_READ, P_D},     {RIGHT_HISTORY, P_AC},
	{RIGHT_HISTORY, P_AB},    {RIGHT_HISTORY, P_D},
};

struct policy_query spec_query(size_t i, int64_t now_ns)
{
	const size_t who = i % N_ASKERS, twin = i / N_ASKERS % N_SPEC_TWINS,
		     what = i / N_ASKERS / N_SPEC_TWINS;

	return (struct policy_query){
		.org = askers[who].org,
		.role = askers[who].role,
		.right = asked[what].right,
		.twin = &twins[twin],
		.property = properties[asked[what].property],
		.now_ns = now_ns,
	};
}

void spec_print(struct buf *b, const struct spec_rule *rule, size_t title)
{
	buf_print(b, "%s \"%zu\"\n", rule->never ? "never" : "share", title);
	for (unsigned i = 0; i < N_TO; i++)
		if (rule->to >> i & 1)
			buf_print(b, " to %s\n", to_phrases[i].text);
	for (unsigned i = 0; i < N_TWINS; i++)
		if (rule->twins >> i & 1)
			buf_print(b, " twins %s\n", twin_phrases[i].text);
	for (unsigned i = 0; i < (rule->never ? N_DENY : N_ALLOW); i++)
		if (rule->what >> i & 1)
			buf_print(b, rule->never ? " deny %s\n" : " allow %s\n",
				  rule->never ? deny_phrases[i].text : allow_phrases[i].text);
	if (!rule->never)
		buf_print(b, " until %s\n", until_text[rule->until]);
}

static bool speaks_to(const struct spec_rule *rule, const struct policy_query *q)
{
	bool yes = false;

	for (unsigned i = 0; i < N_TO; i++) {
		if (!(rule->to >> i & 1))
			continue;
		bool org = to_phrases[i].everyone;
		for (int j = 0; j < 3; j++)
			org |= to_phrases[i].orgs[j] && strcmp(to_phrases[i].orgs[j], q->org) == 0;
		yes |= org && (!to_phrases[i].role || (q->role && strcmp(to_phrases[i].role, q->role) == 0));
	}
	return yes && strcmp(q->org, "acme") != 0;
}

static bool speaks_of(const struct spec_rule *rule, const struct policy_query *q)
{
	const size_t twin = (size_t)(q->twin - twins);

	for (unsigned i = 0; i < N_TWINS; i++)
		if (rule->twins >> i & 1 && twin_phrases[i].twins >> twin & 1)
			return true;
	return false;
}

static bool phrase_has(const struct meaning *m, const struct policy_query *q)
{
	unsigned property = P_NONE;

	while (properties[property] != q->property)
		property++;
	return m->of[q->right] >> property & 1;
}

static const struct meaning *phrase(const struct spec_rule *rule, unsigned i)
{
	if (i >= (rule->never ? N_DENY : N_ALLOW) || !(rule->what >> i & 1))
		return NULL;
	return rule->never ? &deny_phrases[i] : &allow_phrases[i];
}

bool spec_rule_matches(const struct spec_rule *rule, const struct policy_query *q)
{
	bool what = false;

	for (unsigned i = 0; i < N_DENY || i < N_ALLOW; i++)
		what |= phrase(rule, i) && phrase_has(phrase(rule, i), q);
	return what && speaks_to(rule, q) && speaks_of(rule, q) &&
	       (rule->never || q->now_ns < spec_until_ns[rule->until]);
}

bool spec_allows(const struct spec_rule *rules, size_t n, const struct policy_query *q, int64_t *ret_until_ns)
{
	bool share = false, never = false;
	int64_t until = INT64_MIN;

	for (size_t i = 0; i < n; i++) {
		if (!spec_rule_matches(&rules[i], q))
			continue;
		share |= !rules[i].never;
		never |= rules[i].never;
		if (!rules[i].never && spec_until_ns[rules[i].until] > until)
			until = spec_until_ns[rules[i].until];
	}
	if (share && !never)
		*ret_until_ns = until;
	return share && !never;
}

bool spec_window(const struct spec_rule *rules, size_t n, const struct policy_query *q, int64_t *ret_last_ns,
		 int64_t *ret_step_ns)
{
	int64_t until;

	if (!spec_allows(rules, n, q, &until))
		return false;
	*ret_last_ns = *ret_step_ns = 0;
	for (size_t i = 0; i < n; i++)
		for (unsigned j = 0; !rules[i].never && j < N_ALLOW && spec_rule_matches(&rules[i], q); j++) {
			const struct meaning *m = phrase(&rules[i], j);
			if (!m || !phrase_has(m, q) || m->last_ns < *ret_last_ns)
				continue;
			*ret_last_ns =
				m->last_ns; /* the phrases with the longer window have the finer step */
			*ret_step_ns = m->step_ns;
		}
	return true;
}
