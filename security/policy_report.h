/* SPDX-License-Identifier: Apache-2.0 */
/* Policy report - the findings of a parse, collected and put in line order. What is too much for a person to
 * read is counted, not kept. */
#pragma once

#include "security/policy.h"

enum { FINDINGS_MAX = 100 }; /* errors kept, and warnings kept */

struct policy_report {
	struct arena *arena; /* findings live in it */
	struct policy_finding *items;
	size_t n, n_errors, n_warnings; /* n: kept */
	bool failed;                    /* memory ran out */
};

void report_error(struct policy_report *r, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void report_warning(struct policy_report *r, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Line order; findings of one line stay as they were made. */
void report_sort(struct policy_report *r);
const struct policy_finding *report_first_error(const struct policy_report *r); /* NULL: none */
