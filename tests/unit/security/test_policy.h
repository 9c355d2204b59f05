/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the policy share: a policy from a text, its findings as text, a question in one line. */
#pragma once

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "proto/clock.h"
#include "security/policy.h"

#define ACME \
	"policy acme\n" \
	"org volt = VOLT-1111111\n" \
	"org harbor = HARBOR-2222222\n" \
	"org bolt = BOLT-3333333\n" \
	"group partners = volt, harbor\n"

enum { ACME_LINES = 5 };

static inline int64_t at(const char *time)
{
	int64_t ns;

	cr_assert(eq(int, time_parse(time, &ns, NULL), 0));
	return ns;
}

struct parsed {
	struct arena *arena;
	struct policy *policy; /* NULL: refused */
	struct policy_finding *findings;
	size_t n;
	struct err_note note;
	int r;
};

static inline struct parsed parsed_with(const char *text, policy_org_fn *fingerprint_of)
{
	struct parsed p = {0};
	const struct policy_options opt = {
		.own_org = "acme", .now_ns = at("2026-06-01"), .fingerprint_of = fingerprint_of};

	cr_assert(eq(int, arena_new(&p.arena, 1 << 20), 0));
	p.r = policy_parse(text, &opt, &p.policy, p.arena, &p.findings, &p.n, &p.note);
	return p;
}

static inline void parsed_free(struct parsed *p)
{
	policy_free(p->policy);
	arena_free(p->arena);
	*p = (struct parsed){0};
}

/* `E 3: ...` for errors, `W 3: ...` for warnings, one per line. */
static inline const char *findings_text(const struct parsed *p)
{
	const char *all = "";

	for (size_t i = 0; i < p->n; i++)
		all = arena_print(p->arena, "%s%c %u: %s\n", all, p->findings[i].error ? 'E' : 'W',
				  p->findings[i].line, p->findings[i].text);
	return all;
}

/* The findings of a text are exactly these, and the outcome and the note follow from them. */
static inline void expect_findings_with(const char *text, policy_org_fn *fingerprint_of, const char *expected,
					int line)
{
	struct parsed p = parsed_with(text, fingerprint_of);
	const char *error = strncmp(expected, "E ", 2) == 0 ? expected : strstr(expected, "\nE ");
	char note[sizeof p.note.text] = "";

	if (strcmp(findings_text(&p), expected) != 0)
		fprintf(stderr, "test line %d, found:\n%s", line, findings_text(&p));
	cr_expect_str_eq(findings_text(&p), expected, "from test line %d", line);
	cr_expect(eq(int, p.r, error ? ERR_REFUSED : 0), "from test line %d", line);
	cr_expect(eq(int, p.policy != NULL, !error), "from test line %d", line);
	if (error) {
		error += *error == '\n' ? 3 : 2;
		snprintf(note, sizeof note, "line %.*s", (int)strcspn(error, "\n"), error);
		cr_expect_str_eq(p.note.text, note, "from test line %d", line);
	}
	parsed_free(&p);
}

#define expect_findings(text, expected) expect_findings_with(text, NULL, expected, __LINE__)

static inline struct parsed parsed_well(const char *text)
{
	struct parsed p = parsed_with(text, NULL);

	cr_assert(eq(int, p.r, 0), "%s", p.note.text);
	return p;
}
