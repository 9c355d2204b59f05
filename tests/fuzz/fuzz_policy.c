/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a policy: findings are in order and agree with the outcome; what parses decides and explains
 * everything, the same both ways. */
#include <stdint.h>
#include <stdlib.h>

#include "security/policy.h"
#include "tests/lib/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const tags[] = {"x", "tie-volt"};
static const struct policy_twin twins[] = {
	{"acme/plant1/line3", "line", tags, 2},
	{"acme/plant1", "", NULL, 0},
	{"volt/plant1", "line", tags, 1},
};
static const char *const orgs[] = {"volt", "harbor", "stranger", "acme"};
static const char *const properties[] = {NULL, "state/power", "recipe/mix"};
static const int64_t times[] = {0, INT64_MAX};

static void ask(const struct policy *p, const struct policy_query *q, struct arena *a)
{
	int64_t until, last, step;
	bool said;
	const bool allowed = policy_allows(p, q, &until);

	must(policy_why(p, q, a, &said) && said == allowed);
	must(!allowed || until > q->now_ns);
	if (q->right == RIGHT_HISTORY)
		must(policy_history_window(p, q, &last, &step) == allowed);
	arena_reset(a);
}

static void ask_all(const struct policy *p, struct arena *a)
{
	for (unsigned i = 0; i < 4 * 3 * 3 * 2 * 2 * N_RIGHTS; i++) {
		const struct policy_query q = {
			.org = orgs[i % 4],
			.twin = &twins[i / 4 % 3],
			.property = properties[i / 12 % 3],
			.role = i / 36 % 2 ? "lead" : NULL,
			.now_ns = times[i / 72 % 2],
			.right = i / 144,
		};
		ask(p, &q, a);
	}
	must(policy_next_end(p, INT64_MAX) == INT64_MAX);
}

static void check_findings(const struct policy_finding *f, size_t n, bool refused)
{
	size_t errors = 0;

	for (size_t i = 0; i < n; i++) {
		must(f[i].line > 0 && f[i].text[0] != '\0');
		must(i == 0 || f[i - 1].line <= f[i].line);
		errors += f[i].error;
	}
	must(refused == (errors > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(scope_policy) struct policy *p = NULL;
	SCOPED(scope_free) char *text = malloc(size + 1);
	struct policy_finding *findings;
	struct err_note note = {{0}};
	size_t n;

	must(text && arena_new(&a, 1 << 20) == 0);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	const int r =
		policy_parse(text, &(struct policy_options){.own_org = "acme"}, &p, a, &findings, &n, &note);
	must(r == 0 || (r == ERR_REFUSED && !p && memcmp(note.text, "line ", 5) == 0));
	check_findings(findings, n, r < 0);
	if (r == 0)
		ask_all(p, a);
	return 0;
}
