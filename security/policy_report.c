/* SPDX-License-Identifier: Apache-2.0 */
#include "security/policy_report.h"

#include <stdarg.h>
#include <stdio.h>

static void keep(struct policy_report *r, unsigned line, bool error, const char *text)
{
	struct policy_finding *f = arena_push(r->arena, &r->items, &r->n, sizeof *f);
	const char *copy = arena_copy(r->arena, text);

	if (!f || !copy) {
		r->failed = true;
		return;
	}
	*f = (struct policy_finding){.line = line, .error = error, .text = copy};
}

static __attribute__((format(printf, 4, 0))) void add(struct policy_report *r, unsigned line, bool error,
						      const char *format, va_list args)
{
	char text[384];
	const size_t n = error ? r->n_errors++ : r->n_warnings++;

	if (r->failed || n > FINDINGS_MAX)
		return;
	if (n == FINDINGS_MAX)
		keep(r, line, error,
		     error ? "more errors follow, mend the first ones and check again"
			   : "more warnings follow, see to the first ones and check again");
	if (n == FINDINGS_MAX)
		return;
	vsnprintf(text, sizeof text, format, args);
	keep(r, line, error, text);
}

void report_error(struct policy_report *r, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(r, line, true, format, args);
	va_end(args);
}

void report_warning(struct policy_report *r, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(r, line, false, format, args);
	va_end(args);
}

void report_sort(struct policy_report *r)
{
	for (size_t i = 1; i < r->n; i++) {
		const struct policy_finding f = r->items[i];
		size_t at = i;
		for (; at > 0 && r->items[at - 1].line > f.line; at--)
			r->items[at] = r->items[at - 1];
		r->items[at] = f;
	}
}

const struct policy_finding *report_first_error(const struct policy_report *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->items[i].error)
			return &r->items[i];
	return NULL;
}
