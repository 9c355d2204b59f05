/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "security/policy_pattern.h"
#include "security/policy_report.h"
#include "security/policy_rules.h"

#define DAY_NS (INT64_C(24) * 3600 * NS_PER_S)
#define UNTIL_USUAL_NS (400 * DAY_NS)
#define UNTIL_SOON_NS (30 * DAY_NS)

/* ---- Names ---- */

static void check_org(const struct policy *p, const char *org, unsigned line, struct policy_report *report)
{
	if (p->own_org && strcmp(org, p->own_org) == 0)
		report_error(report, line,
			     "'%s' is the own organisation, whose nodes see everything: name a partner", org);
	else if (!policy_org(p, org))
		report_error(report, line, "organisation '%s' is not declared, add 'org %s = FINGERPRINT'",
			     org, org);
}

static unsigned rights_of(const struct rule *rule)
{
	unsigned bits = 0;

	for (size_t i = 0; i < rule->n_clauses; i++)
		bits |= rule->clauses[i].whole | rule->clauses[i].of;
	return bits;
}

/* Commands are live by nature, so a role takes nothing from them. */
static void check_role(const struct rule *rule, unsigned line, struct policy_report *report)
{
	if (rule->never)
		report_warning(report, line,
			       "role-limited never: stops live questions only, what is gossiped reaches the "
			       "role too");
	else if (rights_of(rule) != right_bit(RIGHT_COMMAND))
		report_warning(report, line,
			       "role-limited share: answers live questions only, never gossiped");
}

static void check_subject(const struct policy *p, const struct rule *rule, const struct subject *s,
			  struct policy_report *report)
{
	if (s->kind == TO_ORG && s->name)
		check_org(p, s->name, s->line, report);
	if (s->kind == TO_GROUP && s->name && !policy_group(p, s->name))
		report_error(report, s->line,
			     "group '%s' is not declared, add 'group %s = ORGANISATION, ...'", s->name,
			     s->name);
	if (s->kind != TO_ORG && !rule->never && rights_of(rule) & right_bit(RIGHT_COMMAND))
		report_error(report, s->line,
			     "a command is for partners by name, write 'org NAME' or 'org NAME role ROLE'");
	if (s->role)
		check_role(rule, s->line, report);
}

static void check_names(const struct policy *p, struct policy_report *report)
{
	for (size_t i = 0; i < p->n_groups; i++)
		for (size_t j = 0; j < p->groups[i].n_orgs; j++)
			check_org(p, p->groups[i].orgs[j], p->groups[i].line, report);
	for (size_t i = 0; i < p->n_rules; i++)
		for (size_t j = 0; j < p->rules[i].n_subjects; j++)
			check_subject(p, &p->rules[i], &p->rules[i].subjects[j], report);
}

/* ---- Rules by themselves ---- */

static bool denies_nothing(const struct rule *never)
{
	for (size_t i = 0; i < never->n_clauses; i++)
		if (never->clauses[i].whole || never->clauses[i].of)
			return false;
	return true;
}

static void check_complete(const struct rule *rule, struct policy_report *report)
{
	const char *kind = rule_kind(rule);

	if (rule->n_subjects == 0)
		report_error(report, rule->line, "the %s says not to whom, add a 'to' line", kind);
	if (rule->n_selectors == 0)
		report_error(report, rule->line,
			     "the %s says not of what, add a 'twins' line ('twins **' for all)", kind);
	if (rule->n_clauses == 0)
		report_error(report, rule->line, "the %s says no right, add %s line", kind,
			     rule->never ? "a 'deny'" : "an 'allow'");
	else if (rule->never && denies_nothing(rule))
		report_warning(report, rule->line, "the never denies only what cannot be allowed yet");
	if (!rule->never && rule->until_line == 0)
		report_error(report, rule->line, "the share does not end, add 'until TIME'");
}

static void check_time(const struct rule *rule, int64_t now_ns, struct policy_report *report)
{
	int64_t left_ns;

	if (rule->never || rule->until_line == 0)
		return;
	if (rule->until_ns <= now_ns)
		report_warning(report, rule->until_line,
			       "the share has ended, remove it or write a later 'until'");
	else if (!__builtin_sub_overflow(rule->until_ns, now_ns, &left_ns) && left_ns <= UNTIL_SOON_NS)
		report_warning(report, rule->until_line,
			       "the share ends within 30 days, write a later 'until' if it is to go on");
	else if (left_ns < 0 || left_ns > UNTIL_USUAL_NS) /* < 0: too far for the clock */
		report_warning(report, rule->until_line,
			       "the share ends in more than 400 days, consider an earlier 'until'");
}

void policy_check(const struct policy *p, const struct policy_options *opt, struct policy_report *report)
{
	check_names(p, report);
	for (size_t i = 0; i < p->n_rules; i++) {
		if (p->rules[i].damaged)
			continue;
		check_complete(&p->rules[i], report);
		check_time(&p->rules[i], opt->now_ns, report);
	}
	if (report->n_errors == 0)
		policy_lint(p, report);
}
