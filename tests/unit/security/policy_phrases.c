/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/policy_phrases.h"

#include <stdio.h>

#include "tests/lib/must.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

/* 2026-01-01, 2026-07-01 and 2027-01-01 */
const int64_t phrase_until_ns[N_UNTIL] = {INT64_C(20454) * DAY_NS, INT64_C(20635) * DAY_NS,
					  INT64_C(20819) * DAY_NS};
static const char *const until_phrases[N_UNTIL] = {"2025-12-31", "2026-07-01T00:00Z",
						   "2027-01-01 01:00+01:00"};
static const char *const to_phrases[N_TO] = {"org volt", "org volt role lead", "org harbor, org bolt",
					     "group partners", "everyone-else"};
enum { TO_BY_NAME = 7 };
static const char *const twin_phrases[N_TWINS] = {
	"**",
	"plant1/**",
	"*/line3",
	"plant1/line3, plant2/*",
	"*",
	"tag x",
	"type line, plant1/line3/press7",
	"** with tag x and type press",
	"plant1/line3/**, plant2 with type line",
};
static const char *const allow_phrases[N_ALLOW] = {
	"discover",
	"summary",
	"discover, summary, read a/b",
	"read a/**",
	"read *, a/c",
	"history ** last 30d step 1h",
	"history a/* step 1d last 24h",
	"watch a/*, d",
	"command stop",
	"command a, go rate 2/s",
};
enum { ALLOW_COMMANDS = 1 << 8 | 1 << 9 };
static const char *const deny_phrases[N_DENY] = {
	"discover",
	"summary",
	"summary of a/*",
	"read, watch",
	"read of a/b, d",
	"history of a/**",
	"history, summary of *",
	"watch, command stop of a/**",
	"command go, command stop",
	"command",
	"aggregate",
};
static const char *const redact_phrases[N_REDACT] = {NULL, "a/b as token", "a/** as drop", "*, a/b as token"};

static const struct {
	const char *org, *role;
} askers[N_ASKERS] = {
	{"volt", NULL},       {"volt", "lead"}, {"harbor", "lead"},
	{"stranger", "lead"}, {"bolt", NULL},   {"acme", NULL},
};
static const char *const tags[] = {"y", "x"};
static const struct policy_twin twins[N_ASKED_TWINS] = {
	{"acme/plant1/line3/press7", "press", tags, 2}, {"acme/plant1", "site", tags, 2},
	{"acme/plant1/line3", "line", NULL, 0},         {"acme/plant2/line3", "line", tags, 1},
	{"volt/plant1/line3", "line", tags, 2},         {"acmeter/plant1/line3", "line", tags, 2},
};
static const struct {
	enum right right;
	const char *property;
} asked[N_ASKED] = {
	{RIGHT_DISCOVER, NULL},  {RIGHT_SUMMARY, NULL}, {RIGHT_SUMMARY, "a/b"}, {RIGHT_SUMMARY, "d"},
	{RIGHT_READ, "a"},       {RIGHT_READ, "a/b"},   {RIGHT_READ, "d"},      {RIGHT_HISTORY, "a/c"},
	{RIGHT_HISTORY, "a/b"},  {RIGHT_HISTORY, "d"},  {RIGHT_WATCH, "a/b"},   {RIGHT_WATCH, "d"},
	{RIGHT_COMMAND, "stop"}, {RIGHT_COMMAND, "a"},
};

struct policy_query phrase_query(size_t i, int64_t now_ns)
{
	const size_t who = i % N_ASKERS, twin = i / N_ASKERS % N_ASKED_TWINS,
		     what = i / N_ASKERS / N_ASKED_TWINS;

	return (struct policy_query){
		.org = askers[who].org,
		.role = askers[who].role,
		.right = asked[what].right,
		.twin = &twins[twin],
		.property = asked[what].property,
		.now_ns = now_ns,
	};
}

static void choose(const char *ret[NAIVE_LINES], unsigned set, const char *const phrases[], unsigned n)
{
	size_t k = 0;

	for (unsigned i = 0; i < n && k < NAIVE_LINES - 1; i++)
		if (set >> i & 1)
			ret[k++] = phrases[i];
}

bool phrase_has_command(unsigned allow)
{
	return allow & ALLOW_COMMANDS;
}

struct naive_rule phrase_meaning(struct phrase_rule rule)
{
	struct naive_rule m = {.never = rule.never};

	if (!rule.never && phrase_has_command(rule.what))
		rule.to = rule.to & TO_BY_NAME ? rule.to & TO_BY_NAME : TO_BY_NAME;
	choose(m.to, rule.to, to_phrases, N_TO);
	choose(m.twins, rule.twins, twin_phrases, N_TWINS);
	if (rule.never) {
		choose(m.what, rule.what, deny_phrases, N_DENY);
		return m;
	}
	choose(m.what, rule.what, allow_phrases, N_ALLOW);
	m.redact[0] = redact_phrases[rule.redact];
	m.until_ns = phrase_until_ns[rule.until];
	return m;
}

static void print_lines(struct buf *b, const char *word, const char *const lines[NAIVE_LINES])
{
	for (int i = 0; lines[i]; i++)
		buf_print(b, " %s %s\n", word, lines[i]);
}

void phrase_print(struct buf *b, const struct naive_rule *rules, size_t n)
{
	buf_put_text(b, "policy acme\norg volt = V\norg harbor = H\norg bolt = B\n");
	buf_print(b, "group partners = %s, %s\n", naive_partners[0], naive_partners[1]);
	for (size_t i = 0; i < n; i++) {
		const struct naive_rule *r = &rules[i];
		buf_print(b, "%s \"%zu\"\n", r->never ? "never" : "share", i);
		print_lines(b, "to", r->to);
		print_lines(b, "twins", r->twins);
		print_lines(b, r->never ? "deny" : "allow", r->what);
		print_lines(b, "redact", r->redact);
		for (int u = 0; !r->never && u < N_UNTIL; u++)
			if (r->until_ns == phrase_until_ns[u])
				buf_print(b, " until %s\n", until_phrases[u]);
	}
	buf_put_u8(b, 0);
	must(buf_check(b) == 0);
}

/* ---- Chance ---- */

static uint64_t chance_state;

void chance_begin(uint64_t seed)
{
	chance_state = seed * 2 + 1;
	fprintf(stderr, "HOLON_SEED=%llu\n", (unsigned long long)seed);
}

uint64_t chance(uint64_t n)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return (chance_state >> 11) % n;
}

static unsigned some_of(unsigned n)
{
	return chance(3) ? 1u << chance(n) : 1u << chance(n) | 1u << chance(n) | 1u << chance(n);
}

struct naive_rule some_rule(bool never)
{
	return phrase_meaning((struct phrase_rule){
		.never = never,
		.to = some_of(N_TO),
		.twins = some_of(N_TWINS),
		.what = some_of(never ? N_DENY : N_ALLOW),
		.redact = chance(3) ? 0 : (unsigned)chance(N_REDACT),
		.until = (unsigned)chance(N_UNTIL),
	});
}

size_t some_rules(struct naive_rule *rules, size_t most)
{
	const size_t n = 1 + chance(chance(2) ? 8 : most), nevers = chance(4);

	for (size_t i = 0; i < n; i++)
		rules[i] = some_rule(chance(10) < nevers);
	return n;
}

struct policy_query some_query(void)
{
	static const int64_t around[] = {-1, 0, 1, -1000000000, 1000000000};

	return phrase_query(chance(N_QUERIES), phrase_until_ns[chance(N_UNTIL)] + around[chance(5)]);
}

/* ---- The product ---- */

struct policy *phrase_policy(const char *text)
{
	static struct arena *a;
	struct policy_finding *findings;
	struct policy *p = NULL;
	struct err_note note = {0};
	size_t n;

	must(a || arena_new(&a, 1 << 22) == 0);
	arena_reset(a);
	if (policy_parse(text, &(struct policy_options){.own_org = "acme"}, &p, a, &findings, &n, &note) < 0)
		fprintf(stderr, "%s\n%s", note.text, text);
	must(p);
	return p;
}

void phrase_say(const char *what, const struct policy_query *q, const char *text)
{
	fprintf(stderr, "%s: %s%s%s %s %s %s at %lld\n%s\n", what, q->org, q->role ? " as " : "",
		q->role ? q->role : "", right_text(q->right), q->twin->id, q->property ? q->property : "-",
		(long long)q->now_ns, text);
}
