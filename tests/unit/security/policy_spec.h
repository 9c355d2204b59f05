/* SPDX-License-Identifier: Apache-2.0 */
/* Policy spec - what a policy means, evaluated the slow and plain way, for comparison with security/policy.c.
 *
 * Rules are chosen from short lists of phrases, each with its meaning written out beside it; nothing here
 * uses the parser, the patterns or the index of the product.
 */
#pragma once

#include "proto/buf.h"
#include "security/policy.h"

enum { N_TO = 5, N_TWINS = 9, N_ALLOW = 7, N_DENY = 8, N_UNTIL = 3 };

extern const int64_t spec_until_ns[N_UNTIL]; /* when a share ends */

/* Sets of phrases, one bit each. */
struct spec_rule {
	bool never;
	unsigned to, twins, what; /* `what`: of the allow or deny phrases */
	unsigned until;           /* which one; of a share */
};

/* The rule as policy text. */
void spec_print(struct buf *b, const struct spec_rule *rule, size_t title);

/* Everything before the first rule. */
extern const char spec_head[];

bool spec_rule_matches(const struct spec_rule *rule, const struct policy_query *q);
bool spec_allows(const struct spec_rule *rules, size_t n, const struct policy_query *q,
		 int64_t *ret_until_ns);
bool spec_window(const struct spec_rule *rules, size_t n, const struct policy_query *q, int64_t *ret_last_ns,
		 int64_t *ret_step_ns);

/* The questions worth asking: who (organisation and role) x twin x what (right and property). */
enum { N_ASKERS = 6, N_SPEC_TWINS = 5, N_ASKED = 10, N_QUERIES = N_ASKERS * N_SPEC_TWINS * N_ASKED };
struct policy_query spec_query(size_t i, int64_t now_ns); /* i < N_QUERIES */
