/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/policy_naive.h"

#include <stdio.h>

enum { WORD = 100 };

const char *const naive_partners[3] = {"volt", "harbor"};

/* Word number i (0..) of item number j of a list with commas; "" when there is none. */
static const char *word(const char *list, int j, int i, char ret[WORD])
{
	for (; j > 0 && list; j--)
		list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL;
	ret[0] = '\0';
	for (; list && i >= 0; i--) {
		list += strspn(list, " ");
		const int n = (int)strcspn(list, " ,");
		snprintf(ret, WORD, "%.*s", n, list);
		list += n;
	}
	return ret;
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Segment by segment: `*` is one of any name, `**` the rest, also none. */
static bool matches(const char *pattern, const char *path)
{
	const size_t n = strcspn(pattern, "/"), m = strcspn(path, "/");
	const bool more = pattern[n] == '/', longer = path[m] == '/';

	if (is(pattern, "**"))
		return true;
	if (!(n == 1 && pattern[0] == '*') && (n != m || strncmp(pattern, path, n) != 0))
		return false;
	if (!longer)
		return !more || is(pattern + n + 1, "**");
	return more && matches(pattern + n + 1, path + m + 1);
}

static bool line_speaks_to(const char *line, const struct policy_query *q)
{
	char kind[WORD], name[WORD], role[WORD];

	for (int i = 0; *word(line, i, 0, kind); i++) {
		word(line, i, 1, name);
		word(line, i, 3, role);
		if (is(kind, "everyone-else"))
			return true;
		for (int j = 0; is(kind, "group") && naive_partners[j]; j++)
			if (is(naive_partners[j], q->org))
				return true;
		if (is(kind, "org") && is(name, q->org) && (!*role || (q->role && is(role, q->role))))
			return true;
	}
	return false;
}

static bool has_label(const char *kind, const char *name, const struct policy_twin *twin)
{
	bool tagged = false;

	for (size_t i = 0; i < twin->n_tags; i++)
		tagged |= is(twin->tags[i], name);
	return is(kind, "tag") ? tagged : is(kind, "type") && is(twin->type, name);
}

static bool line_speaks_of(const char *line, const struct policy_twin *twin)
{
	const char *path = twin->id + strlen("acme/");
	char first[WORD], second[WORD];
	const char *with = strstr(line, " with ");
	bool any = false, all = true;

	for (int i = 0; *word(line, i, 0, first); i++)
		any |= is(word(line, i, 1, second), "with") || !*second ? matches(first, path)
									: has_label(first, second, twin);
	for (; with; with = strstr(with + 1, " and "))
		all &= has_label(word(with, 0, 1, first), word(with, 0, 2, second), twin);
	return any && all && matches("acme/**", twin->id);
}

static bool right_implies(const char *granted, enum right right)
{
	if (is(granted, "summary") || is(granted, "read"))
		return right == RIGHT_DISCOVER || is(granted, right_text(right));
	if (is(granted, "history"))
		return right == RIGHT_DISCOVER || right == RIGHT_READ || right == RIGHT_HISTORY;
	return is(granted, right_text(right));
}

/* An allow line: rights; behind read, history, watch and command their properties or names. */
bool naive_line_allows(const char *line, const struct policy_query *q)
{
	char right[WORD] = "", item[WORD];
	enum right ignored;

	for (int i = 0; *word(line, i, 0, item); i++) {
		if (right_parse(item, &ignored)) {
			word(line, i, 0, right);
			word(line, i, 1, item);
		}
		const bool of = *item && q->right != RIGHT_DISCOVER;
		if (right_implies(right, q->right) && (!of || (q->property && matches(item, q->property))))
			return true;
	}
	return false;
}

/* Does denying a right to the properties take this away? `all`: they are `**`, which reaches what has none.
 */
static bool denial_reaches(const char *denied, enum right right, bool all, bool property)
{
	const bool values = right == RIGHT_READ || right == RIGHT_HISTORY || right == RIGHT_WATCH ||
			    (right == RIGHT_SUMMARY && property);

	if (is(denied, "discover"))
		return true;
	if (is(denied, "read"))
		return values;
	return is(denied, right_text(right)) && right != RIGHT_COMMAND && (property || all);
}

static bool line_denies(const char *line, const struct policy_query *q)
{
	const char *of = strstr(line, " of "), *properties = of ? of + 4 : "**";
	char denied[WORD], name[WORD], before[WORD];
	bool all = false, some = false;

	snprintf(before, sizeof before, "%.*s", of ? (int)(of - line) : (int)strlen(line), line);
	for (int i = 0; *word(properties, i, 0, name); i++) {
		all |= is(name, "**");
		some |= q->property && matches(name, q->property);
	}
	for (int i = 0; *word(before, i, 0, denied); i++) {
		word(before, i, 1, name);
		if (is(denied, "command") && q->right == RIGHT_COMMAND && (!*name || is(name, q->property)))
			return true;
		if (denial_reaches(denied, q->right, all, q->property) && (some || !q->property))
			return true;
		if (is(denied, "discover"))
			return true;
	}
	return false;
}

enum policy_form naive_rule_gives(const struct naive_rule *rule, const struct policy_query *q)
{
	bool to = false, of = false, what = false;
	enum policy_form form = FORM_PLAIN;
	char pattern[WORD];

	for (int i = 0; rule->to[i]; i++)
		to |= line_speaks_to(rule->to[i], q);
	for (int i = 0; rule->twins[i]; i++)
		of |= line_speaks_of(rule->twins[i], q->twin);
	for (int i = 0; rule->what[i]; i++)
		what |= rule->never ? line_denies(rule->what[i], q) : naive_line_allows(rule->what[i], q);
	for (int i = 0; rule->redact[i] && q->right != RIGHT_COMMAND && q->right != RIGHT_DISCOVER; i++)
		for (int j = 0; q->property && *word(rule->redact[i], j, 0, pattern); j++)
			if (matches(pattern, q->property))
				form = strstr(rule->redact[i], "as drop") || form == FORM_NOTHING
					       ? FORM_NOTHING
					       : FORM_TOKEN;
	if (!to || !of || !what || is(q->org, "acme") || (!rule->never && q->now_ns >= rule->until_ns))
		return FORM_NOTHING;
	return form;
}

enum policy_form naive_decides(const struct naive_rule *rules, size_t n, const struct policy_query *q,
			       int64_t *ret_until_ns)
{
	enum policy_form best = FORM_NOTHING;
	bool denied = false;

	for (size_t i = 0; i < n; i++) {
		const enum policy_form form = naive_rule_gives(&rules[i], q);
		denied |= rules[i].never && form != FORM_NOTHING;
		if (rules[i].never || form == FORM_NOTHING || form < best)
			continue;
		if (form > best || rules[i].until_ns > *ret_until_ns)
			*ret_until_ns = rules[i].until_ns;
		best = form;
	}
	return denied ? FORM_NOTHING : best;
}
