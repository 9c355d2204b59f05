/* SPDX-License-Identifier: Apache-2.0 */
/* `policy why --as ORG/ROLE` and what a person with that role is answered are the same, whatever the policy:
 * both are asked, of many policies, and compared. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "node/control.h"
#include "node/reads.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/walk_part.h"
#include "tests/unit/node/world.h"

enum { POLICIES = 400, RULES_MAX = 6 };

static const char *const orgs[] = {"volt", "harbor"};
static const char *const roles[] = {NULL, "operator", "clerk"};
static const char *const twins[] = {"acme/plant", "acme/plant/p1", "acme/lab/p2"};
static const char *const properties[] = {"power", "recipe/force"};

/* ---- What is said ----------------------------------------------------------------------------------------
 */

static bool said;

/* In place of the answer to a client (--wrap). */
void __wrap_call_done(struct call *c, const struct control_answer *last);
void __wrap_call_done(struct call *c, const struct control_answer *last)
{
	(void)c;
	said = last->allowed;
}

struct case_of {
	const char *org, *role, *twin, *property;
};

static bool why(const struct case_of *k, const char *right, const char *property)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct call call = {.e = &world,
			    .request = {.org = k->org,
					.name = k->role ? k->role : "",
					.right = right,
					.twin = k->twin,
					.property = property}};
	struct err_note note = {0};

	must(arena_new(&a, 1 << 20) == 0);
	call.arena = a;
	cr_assert(eq(int, control_policy_why(&call, &note), 0), "%s", note.text);
	return said;
}

/* ---- What happens ----------------------------------------------------------------------------------------
 */

static int code;
static bool plain, token;

static void on_answer(void *ctx, int r, const char *text, const struct answer *parts, size_t n)
{
	(void)ctx, (void)text;
	code = r;
	plain = token = false;
	for (size_t i = 0; n > 0 && i < parts[0].n_values; i++) {
		plain |= parts[0].values[i].sample.value.type == VALUE_DOUBLE;
		token |= parts[0].values[i].sample.value.type == VALUE_TEXT;
	}
}

static void ask(const struct case_of *k, enum question_kind kind, const char *property)
{
	struct audience to = audience_of(k->org);
	const struct question q = {.kind = kind,
				   .asker = "",
				   .twin = k->twin,
				   .property = property,
				   .from_ns = TIME_MIN,
				   .to_ns = TIME_MAX};

	to.roles = &k->role;
	to.n_roles = k->role ? 1 : 0;
	cr_assert(eq(int, reads_ask(&world, &to, &q, NS_PER_S, on_answer, NULL), 0));
}

/* Is the value in a roll-up? */
static bool is_added(const struct case_of *k)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct audience to = audience_of(k->org);
	struct view_root root = {.id = k->twin, .parent = ""};
	struct rollup_spec sum = {.fn = ROLLUP_SUM, .property = k->property};
	const struct view_question q = {
		.roots = &root, .n_roots = 1, .hierarchy = "contains", .rollups = &sum, .n_rollups = 1};
	struct view_part part;

	to.roles = &k->role;
	to.n_roles = k->role ? 1 : 0;
	must(arena_new(&a, 8 << 20) == 0);
	cr_assert(eq(int, walk_part(&world, &to, &q, WALK_LIVE, a, &part), 0));
	return part.n_members > 0 && part.members[0].rollups[0].n > 0;
}

/* ---- Policies --------------------------------------------------------------------------------------------
 */

static uint64_t seed;

static size_t any(size_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(seed >> 33) % n;
}

#define PICK(list) list[any(sizeof list / sizeof list[0])]

static void add_rule(int number, struct buf *out)
{
	static const char *const to[] = {"org volt", "org volt role operator", "org volt role clerk",
					 "org harbor", "everyone-else"};
	static const char *const where[] = {"**", "plant/**", "plant/p1", "tag tie", "type press"};
	static const char *const allow[] = {"discover",          "discover, summary", "read power",
					    "read recipe/force", "read **",           "history power",
					    "history **"};
	static const char *const deny[] = {"read of power", "read of recipe/**", "history of **",
					   "summary",       "summary of power",  "discover"};
	static const char *const redact[] = {"", "", "  redact power as token\n", "  redact ** as token\n",
					     "  redact recipe/force as drop\n"};
	const bool never = any(4) == 0;

	buf_print(out, "%s \"%d\"\n  to %s\n  twins %s\n", never ? "never" : "share", number, PICK(to),
		  PICK(where));
	if (never)
		buf_print(out, "  deny %s\n", PICK(deny));
	else
		buf_print(out, "  allow %s\n  allow %s\n%s  until 2100-01-01\n", PICK(allow), PICK(allow),
			  PICK(redact));
}

static const char *put_policy(struct buf *text)
{
	const int n = 1 + (int)any(RULES_MAX);

	buf_clear(text);
	for (int i = 0; i < n; i++)
		add_rule(i, text);
	buf_put_u8(text, '\0');
	must(buf_check(text) == 0);
	world_policy((const char *)text->data);
	return (const char *)text->data;
}

/* ---- */

static void set_up(void)
{
	world_set_up();
	world_type("press", "power", "recipe/force", "kW");
	world_twin("acme/plant", "", NULL);
	world_twin("acme/plant/p1", "press", NULL);
	world_twin("acme/lab/p2", "press", "tie");
	world_value("acme/plant/p1", "power", 5, 7.5);
	world_value("acme/plant/p1", "recipe/force", 5, 8.5);
	world_value("acme/lab/p2", "power", 5, 7.25);
	world_value("acme/lab/p2", "recipe/force", 5, 8.25);
}

TestSuite(why, .init = set_up, .fini = world_tear_down, .timeout = 300);

static uint64_t n_plain, n_tokens, n_denied;

static void compare(const struct case_of *k, const char *policy)
{
	const bool kpi = strcmp(k->property, "power") == 0;
	const bool is_there = strcmp(k->twin, "acme/plant") != 0; /* that one has no properties */

	ask(k, QUESTION_READ, "");
	cr_assert(eq(int, code == 0, why(k, "discover", "")), "discover %s as %s/%s by\n%s", k->twin, k->org,
		  k->role, policy);
	if (!is_there)
		return;
	ask(k, QUESTION_READ, k->property);
	const bool value = why(k, "read", k->property) ||
			   (kpi && why(k, "summary", "") && why(k, "summary", k->property));
	cr_assert(eq(int, plain, value), "read %s of %s as %s/%s by\n%s", k->property, k->twin, k->org,
		  k->role, policy);
	cr_assert(eq(int, is_added(k), value), "a view of %s of %s as %s/%s by\n%s", k->property, k->twin,
		  k->org, k->role, policy);
	n_plain += plain;
	n_tokens += token;
	n_denied += code == ERR_DENIED;
	ask(k, QUESTION_HISTORY, k->property);
	cr_assert(eq(int, code == 0, why(k, "history", k->property)), "history %s of %s as %s/%s by\n%s",
		  k->property, k->twin, k->org, k->role, policy);
}

static void compare_all(const char *policy)
{
	for (size_t o = 0; o < sizeof orgs / sizeof orgs[0]; o++)
		for (size_t r = 0; r < sizeof roles / sizeof roles[0]; r++)
			for (size_t t = 0; t < sizeof twins / sizeof twins[0]; t++)
				for (size_t p = 0; p < sizeof properties / sizeof properties[0]; p++)
					compare(&(struct case_of){orgs[o], roles[r], twins[t], properties[p]},
						policy);
}

Test(why, says_what_happens)
{
	SCOPED(buf_fini) struct buf text = {0};

	for (seed = 1; seed < POLICIES;) {
		const uint64_t number = seed;
		compare_all(put_policy(&text));
		seed = number + 1;
	}
	cr_expect(n_plain > 1000 && n_tokens > 300 && n_denied > 1000, "%llu %llu %llu",
		  (unsigned long long)n_plain, (unsigned long long)n_tokens, (unsigned long long)n_denied);
}
