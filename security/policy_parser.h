/* SPDX-License-Identifier: Apache-2.0 */
/* Policy parser - what the readers of a policy text share: private to policy_parse*.c and policy_words.c.
 *
 * A line is a statement: its first word says what it is, and each kind has one reader. A reader returns false
 * when the line is in error; it has said so then, once. Running out of memory is remembered in the parser, as
 * in a buf, and asked for at the end.
 */
#pragma once

#include "security/policy_lex.h"
#include "security/policy_report.h"
#include "security/policy_rules.h"

struct parser {
	struct policy *p;
	const struct policy_options *opt;
	struct policy_report *report;
	struct line line;
	struct rule *rule; /* being read; NULL above the first */
	bool begun;        /* a statement was seen */
	bool over;         /* reading on makes no sense */
	bool failed;       /* memory ran out */
};

/* An error in the current line. Returns false. */
bool parser_complain(struct parser *ps, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with the column of a word of the line. */
bool parser_complain_at(struct parser *ps, const struct word *w, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same about a word that does not belong here; `what` are the words that could have stood in its place.
 */
bool parser_unexpected(struct parser *ps, const struct word *w, const char *what);

struct word parser_next(struct parser *ps);
struct word parser_peek(const struct parser *ps);
bool word_is(const struct word *w, const char *text);
/* Read on only if that is the next word. */
bool parser_skip(struct parser *ps, const char *text);
/* After an item of a list: does another follow? Reads the comma. */
bool parser_goes_on(struct parser *ps);
/* `what`: the words that could have come instead of what else stands there. */
bool parser_end(struct parser *ps, const char *what);

/* Longer words are cut where a finding repeats them. Both for "%.*s". */
enum { SHOWN = 60 };
int word_shown(const struct word *w);
const char *word_chars(const struct word *w);

/* Copies and array elements in the policy's arena; NULL when memory ran out. */
const char *parser_keep(struct parser *ps, struct bytes text);
void *parser_push(struct parser *ps, void *items, size_t *n, size_t size);

/* The next word as an organisation, group, role or tag; as a pattern. NULL: complained. */
const char *parser_name(struct parser *ps, const char *what, size_t max);
const char *parser_pattern(struct parser *ps, const char *what);

/* ---- The statements of a rule (policy_parse_rule.c); ps->rule is the rule ---- */
bool policy_read_never(struct parser *ps);
bool policy_read_share(struct parser *ps);
bool policy_read_to(struct parser *ps);
bool policy_read_twins(struct parser *ps);
bool policy_read_allow(struct parser *ps);
bool policy_read_deny(struct parser *ps);
bool policy_read_redact(struct parser *ps);
bool policy_read_until(struct parser *ps);
