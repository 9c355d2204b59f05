/* SPDX-License-Identifier: Apache-2.0 */
/* Policy naive - what a policy means, as specification: the lines of a rule read word by word as the language
 * says (holon-policy(5)), each time anew, without parser, patterns or index of the product. Of the product it
 * knows the question only.
 */
#pragma once

#include "security/policy.h"

enum { NAIVE_LINES = 8 };

/* Lines without their first word; what is not there is NULL. */
struct naive_rule {
	bool never;
	const char *to[NAIVE_LINES], *twins[NAIVE_LINES];
	const char *what[NAIVE_LINES]; /* allow lines of a share, deny lines of a never */
	const char *redact[NAIVE_LINES];
	int64_t until_ns; /* of a share */
};

/* The group there is in all policies here, which are acme's; NULL behind the last. */
extern const char *const naive_partners[3];

/* How much of it a share gives; of a never FORM_PLAIN if it denies it, else FORM_NOTHING. */
enum policy_form naive_rule_gives(const struct naive_rule *rule, const struct policy_query *q);
enum policy_form naive_decides(const struct naive_rule *rules, size_t n, const struct policy_query *q,
			       int64_t *ret_until_ns);
/* Does an allow line grant it? */
bool naive_line_allows(const char *line, const struct policy_query *q);
