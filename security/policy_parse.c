/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/id.h"
#include "proto/words.h"
#include "security/policy_parser.h"

enum {
	MEMORY_BASE = 4 << 20, /* for tables that are bounded by their own limits */
	MEMORY_PER_BYTE = 160, /* lists of one-letter words */
	FINGERPRINT_TYPED_MIN = 30,
};

/* ---- Statements above the rules ---- */

static bool read_policy(struct parser *ps)
{
	const char *own = ps->opt->own_org;

	if (ps->p->own_org)
		return parser_complain(ps, "'policy' stands once, at the top: remove this line");
	const char *name = parser_name(ps, "an organisation name", ORG_NAME_MAX);
	if (!name)
		return false;
	ps->p->own_org = name;
	if (own && strcmp(name, own) != 0)
		return parser_complain(ps, "this is the policy of '%s', the organisation here is '%s'", name,
				       own);
	return parser_end(ps, "nothing more");
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* Any case, in full or at least its first groups. */
static bool means_fingerprint(struct bytes typed, const char *fingerprint)
{
	size_t n = 0;

	while (n < typed.len && fingerprint[n] != '\0' &&
	       lower(typed.data[n]) == lower((uint8_t)fingerprint[n]))
		n++;
	const bool at_group = fingerprint[n] == '-' && n >= FINGERPRINT_TYPED_MIN;
	return n == typed.len && (fingerprint[n] == '\0' || at_group);
}

static bool check_fingerprint(struct parser *ps, const char *org, struct bytes typed)
{
	policy_org_fn *fingerprint_of = ps->opt->fingerprint_of;
	const char *trusted;
	size_t n = 0;

	if (typed.len >= 3 && memcmp(typed.data + typed.len - 3, "...", 3) == 0)
		return parser_complain(ps, "the fingerprint of '%s' is shortened, write it in full", org);
	if (!fingerprint_of)
		return true;
	while ((trusted = fingerprint_of(ps->opt->ctx, org, n++)))
		if (means_fingerprint(typed, trusted))
			return true;
	trusted = fingerprint_of(ps->opt->ctx, org, 0);
	if (!trusted)
		return parser_complain(ps, "organisation '%s' is not trusted, trust it first or remove it",
				       org);
	return parser_complain(ps, "the fingerprint of '%s' is not the trusted one, which is %.100s", org,
			       trusted);
}

static bool add_org(struct parser *ps, const char *name)
{
	struct policy *p = ps->p;
	bool known;
	const size_t at = policy_org_place(p, name, &known);

	if (known)
		return parser_complain(ps, "organisation '%s' stands in line %u already, remove one", name,
				       p->orgs[at]->line);
	if (p->own_org && strcmp(name, p->own_org) == 0)
		return parser_complain(
			ps, "'%s' is the own organisation, whose nodes see everything: remove this line",
			name);
	if (p->n_orgs == POLICY_ORGS_MAX)
		return parser_complain(ps, "at most %d organisations are possible", POLICY_ORGS_MAX);
	struct policy_org *org = arena_take(p->arena, sizeof *org);
	if (!org || !parser_push(ps, &p->orgs, &p->n_orgs, sizeof(struct policy_org *)))
		return ps->failed = true, false;
	*org = (struct policy_org){.name = name, .line = ps->line.number};
	memmove(&p->orgs[at + 1], &p->orgs[at], (p->n_orgs - 1 - at) * sizeof(struct policy_org *));
	p->orgs[at] = org;
	return true;
}

static bool read_org(struct parser *ps)
{
	const char *name = parser_name(ps, "an organisation name", ORG_NAME_MAX);

	if (!name || !add_org(ps, name))
		return false;
	const struct word equals = parser_next(ps);
	if (equals.kind != WORD_EQUALS)
		return parser_unexpected(ps, &equals, "'= FINGERPRINT'");
	const struct word fingerprint = parser_next(ps);
	if (fingerprint.kind != WORD_PLAIN)
		return parser_unexpected(ps, &fingerprint, "the fingerprint");
	return check_fingerprint(ps, name, fingerprint.text) && parser_end(ps, "nothing more");
}

static bool read_group(struct parser *ps)
{
	struct policy *p = ps->p;
	const char *name = parser_name(ps, "a group name", ORG_NAME_MAX);
	const struct policy_group *same = name ? policy_group(p, name) : NULL;

	if (!name)
		return false;
	if (same)
		return parser_complain(ps, "group '%s' stands in line %u already, remove one", name,
				       same->line);
	if (p->n_groups == POLICY_GROUPS_MAX)
		return parser_complain(ps, "at most %d groups are possible", POLICY_GROUPS_MAX);
	struct policy_group *group = parser_push(ps, &p->groups, &p->n_groups, sizeof *group);
	if (!group)
		return false;
	*group = (struct policy_group){.name = name, .line = ps->line.number};
	const struct word equals = parser_next(ps);
	if (equals.kind != WORD_EQUALS)
		return parser_unexpected(ps, &equals, "'= ORGANISATION, ...'");
	do {
		const char *org = parser_name(ps, "an organisation name", ORG_NAME_MAX);
		const char **place =
			org ? parser_push(ps, &group->orgs, &group->n_orgs, sizeof *place) : NULL;
		if (!place)
			return false;
		*place = org;
	} while (parser_goes_on(ps));
	return parser_end(ps, "',' between organisations");
}

/* ---- The text ---- */

static const struct statement {
	const char *word;
	bool in_rule;
	bool (*read)(struct parser *ps);
} statements[] = {
	{"policy", false, read_policy},      {"org", false, read_org},
	{"group", false, read_group},        {"never", false, policy_read_never},
	{"share", false, policy_read_share}, {"to", true, policy_read_to},
	{"twins", true, policy_read_twins},  {"allow", true, policy_read_allow},
	{"deny", true, policy_read_deny},    {"redact", true, policy_read_redact},
	{"until", true, policy_read_until},
};

static bool read_statement(struct parser *ps, const struct word *first)
{
	const struct statement *s = statements;

	while (s < statements + N_WORDS(statements) && !word_is(first, s->word))
		s++;
	if (s == statements + N_WORDS(statements))
		return parser_unexpected(
			ps, first,
			"policy, org, group, never, share, to, twins, allow, deny, redact or until first");
	if (!s->in_rule && s->read != policy_read_never && s->read != policy_read_share)
		ps->rule = NULL;
	if (s->in_rule && !ps->rule)
		return parser_complain(
			ps, "'%s' belongs to a rule, write 'share \"TITLE\"' or 'never \"TITLE\"' above it",
			s->word);
	return s->read(ps);
}

static void read_line(struct parser *ps)
{
	const struct word first = parser_next(ps);

	if (first.kind == WORD_END)
		return;
	if (!ps->begun && !word_is(&first, "policy"))
		parser_complain(ps, "a policy begins with 'policy ORGANISATION', write that above");
	ps->begun = true;
	if (!read_statement(ps, &first) && ps->rule)
		ps->rule->damaged = true;
}

static void read_text(struct parser *ps, const char *text)
{
	struct lines lines = lines_of(text);

	while (!ps->over && !ps->failed && !ps->report->failed && lines_next(&lines, &ps->line))
		read_line(ps);
	ps->line.number = lines.number > 0 ? lines.number : 1;
	if (!ps->begun)
		parser_complain(ps, "the policy is empty, write 'policy ORGANISATION' and its rules");
}

static int policy_new(struct policy **ret, size_t text_len)
{
	SCOPED(scope_arena) struct arena *a = NULL;

	TRY(arena_new(&a, MEMORY_BASE + text_len * MEMORY_PER_BYTE));
	struct policy *p = arena_take(a, sizeof *p);
	if (!p)
		return FAIL(-ENOMEM);
	p->arena = MOVE(a);
	*ret = p;
	return 0;
}

static int parse(const char *text, const struct policy_options *opt, struct policy *p,
		 struct policy_report *report)
{
	struct parser ps = {.p = p, .opt = opt, .report = report};

	if (strlen(text) > POLICY_TEXT_MAX) {
		report_error(report, 1, "the policy has more than %d bytes, shorten it", POLICY_TEXT_MAX);
	} else {
		read_text(&ps, text);
		if (!ps.failed)
			policy_check(p, opt, report);
	}
	if (ps.failed || report->failed)
		return FAIL(-ENOMEM);
	report_sort(report);
	return 0;
}

int policy_parse(const char *text, const struct policy_options *opt, struct policy **ret, struct arena *a,
		 struct policy_finding **ret_findings, size_t *ret_n, struct err_note *note)
{
	SCOPED(scope_policy) struct policy *p = NULL;
	struct policy_report report = {.arena = a};

	*ret_findings = NULL;
	*ret_n = 0;
	TRY(policy_new(&p, strnlen(text, POLICY_TEXT_MAX)));
	TRY(parse(text, opt, p, &report));
	*ret_findings = report.items;
	*ret_n = report.n;
	const struct policy_finding *first = report_first_error(&report);
	if (first)
		return FAIL_SAY(note, ERR_REFUSED, "line %u: %s", first->line, first->text);
	TRY(policy_index(p));
	*ret = MOVE(p);
	return 0;
}
