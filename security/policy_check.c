/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "security/policy_pattern.h"
#include "security/policy_report.h"
#include "security/policy_rules.h"

#define UNTIL_USUAL_NS (INT64_C(400) * 24 * 3600 * NS_PER_S)

static const char *kind_of(const struct rule *rule)
{
	return rule->never ? "never" : "share";
}

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

static void check_subject(const struct policy *p, const struct rule *rule, const struct subject *s,
			  struct policy_report *report)
{
	if (s->kind == TO_ORG && s->name)
		check_org(p, s->name, s->line, report);
	if (s->kind == TO_GROUP && s->name && !policy_group(p, s->name))
		report_error(report, s->line,
			     "group '%s' is not declared, add 'group %s = ORGANISATION, ...'", s->name,
			     s->name);
	if (s->role)
		report_warning(report, s->line,
			       rule->never
				       ? "role-limited never: stops live questions only, what is gossiped "
					 "reaches the "
					 "role too"
				       : "role-limited share: answers live questions only, never gossiped");
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
	const char *kind = kind_of(rule);

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
	else if (__builtin_sub_overflow(rule->until_ns, now_ns, &left_ns) || left_ns > UNTIL_USUAL_NS)
		report_warning(report, rule->until_line,
			       "the share ends in more than 400 days, consider an earlier 'until'");
}

/* ---- Rules beside each other ----
 * All of it errs on the side of silence: what is reported is so, what is not may be so. `steps` bounds the
 * work on policies that are larger than a person would write. */

enum { STEPS_MAX = 2000000 };

struct lint {
	const struct policy *p;
	struct policy_report *report;
	long steps;
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool subject_equal(const struct subject *a, const struct subject *b)
{
	return a->kind == b->kind && same_text(a->name, b->name) && same_text(a->role, b->role);
}

static bool conditions_equal(const struct condition *a, size_t n_a, const struct condition *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (a[i].by != b[i].by || strcmp(a[i].text, b[i].text) != 0)
			return false;
	return true;
}

static bool selector_equal(const struct selector *a, const struct selector *b)
{
	return conditions_equal(a->any, a->n_any, b->any, b->n_any) &&
	       conditions_equal(a->all, a->n_all, b->all, b->n_all);
}

static bool clause_equal(const struct clause *a, const struct clause *b)
{
	if (a->whole != b->whole || a->of != b->of || a->n_properties != b->n_properties ||
	    a->last_ns != b->last_ns || a->step_ns != b->step_ns)
		return false;
	for (size_t i = 0; i < a->n_properties; i++)
		if (strcmp(a->properties[i], b->properties[i]) != 0)
			return false;
	return true;
}

static bool rule_equal(struct lint *l, const struct rule *a, const struct rule *b)
{
	l->steps++;
	if (a->never != b->never || a->n_subjects != b->n_subjects || a->n_selectors != b->n_selectors ||
	    a->n_clauses != b->n_clauses)
		return false;
	for (size_t i = 0; i < a->n_subjects; i++)
		if (!subject_equal(&a->subjects[i], &b->subjects[i]))
			return false;
	for (size_t i = 0; i < a->n_selectors; i++)
		if (!selector_equal(&a->selectors[i], &b->selectors[i]))
			return false;
	for (size_t i = 0; i < a->n_clauses; i++)
		if (!clause_equal(&a->clauses[i], &b->clauses[i]))
			return false;
	return true;
}

/* Does `rule` add nothing to `other`, which says the same and holds as long? Of two alike, the later one. */
static bool is_repeated(struct lint *l, const struct rule *rule, const struct rule *other)
{
	if (rule == other || rule->until_ns > other->until_ns)
		return false;
	if (rule->until_ns == other->until_ns && rule < other)
		return false;
	return rule_equal(l, rule, other);
}

static bool subjects_covered(struct lint *l, const struct rule *never, const struct subject *s)
{
	for (size_t i = 0; i < never->n_subjects; i++) {
		const struct subject *n = &never->subjects[i];
		l->steps++;
		if (n->kind == TO_EVERYONE_ELSE || subject_equal(n, s))
			return true;
		if (n->kind == TO_ORG && s->kind == TO_ORG && !n->role && strcmp(n->name, s->name) == 0)
			return true;
	}
	return false;
}

static bool condition_covered(struct lint *l, const struct selector *never, const struct condition *c)
{
	for (size_t i = 0; i < never->n_any; i++) {
		const struct condition *n = &never->any[i];
		l->steps++;
		if (n->by == BY_PATH &&
		    (pattern_is_all(n->text) || (c->by == BY_PATH && pattern_covers(n->text, c->text))))
			return true;
		if (n->by == c->by && strcmp(n->text, c->text) == 0)
			return true;
	}
	return false;
}

static bool selector_covers(struct lint *l, const struct selector *never, const struct selector *share)
{
	if (never->n_all > 0)
		return selector_equal(never, share);
	for (size_t i = 0; i < share->n_any; i++)
		if (l->steps > STEPS_MAX || !condition_covered(l, never, &share->any[i]))
			return false;
	return true;
}

static bool selector_covered(struct lint *l, const struct rule *never, const struct selector *share)
{
	for (size_t i = 0; i < never->n_selectors; i++)
		if (selector_covers(l, &never->selectors[i], share))
			return true;
	return false;
}

/* Does the never speak to everybody the share speaks to, of every twin? */
static bool rule_covers(struct lint *l, const struct rule *never, const struct rule *share)
{
	for (size_t i = 0; i < share->n_subjects; i++)
		if (!subjects_covered(l, never, &share->subjects[i]))
			return false;
	for (size_t i = 0; i < share->n_selectors; i++)
		if (!selector_covered(l, never, &share->selectors[i]))
			return false;
	return true;
}

static bool property_denied(struct lint *l, const struct rule *never, const char *property)
{
	for (size_t i = 0; i < never->n_clauses; i++) {
		const struct clause *c = &never->clauses[i];
		if (c->whole & right_bit(RIGHT_READ))
			return true;
		for (size_t j = 0;
		     c->of & right_bit(RIGHT_READ) && j < c->n_properties && l->steps++ < STEPS_MAX; j++)
			if (pattern_covers(c->properties[j], property))
				return true;
	}
	return false;
}

/* Is nothing left of an `allow` line but the discovery that every right implies? */
static bool clause_denied(struct lint *l, const struct rule *never, const struct clause *c)
{
	const unsigned whole = c->whole & ~right_bit(RIGHT_DISCOVER);

	if (!whole && !c->of)
		return false;
	if (whole && !rule_has_right(never, RIGHT_SUMMARY, NULL))
		return false;
	for (size_t i = 0; i < c->n_properties; i++)
		if (l->steps > STEPS_MAX || !property_denied(l, never, c->properties[i]))
			return false;
	return true;
}

static void check_against(struct lint *l, const struct rule *share, const struct rule *never)
{
	if (!rule_covers(l, never, share))
		return;
	if (rule_has_right(never, RIGHT_DISCOVER, NULL)) {
		report_warning(l->report, share->line,
			       "the share allows nothing: never \"%s\" (line %u) denies it all", never->title,
			       never->line);
		return;
	}
	for (size_t i = 0; i < share->n_clauses; i++)
		if (clause_denied(l, never, &share->clauses[i]))
			report_warning(l->report, share->clauses[i].line,
				       "this line allows nothing: never \"%s\" (line %u) denies it",
				       never->title, never->line);
}

static void check_beside(struct lint *l, const struct rule *rule)
{
	const struct rule *end = l->p->rules + l->p->n_rules;

	for (const struct rule *other = l->p->rules; other < end && l->steps < STEPS_MAX; other++)
		if (is_repeated(l, rule, other)) {
			report_warning(l->report, rule->line, "the %s adds nothing to line %u, remove one",
				       kind_of(rule), other->line);
			break;
		}
	if (rule->never)
		return;
	for (const struct rule *other = l->p->rules; other < end && l->steps < STEPS_MAX; other++)
		if (other->never)
			check_against(l, rule, other);
}

void policy_check(const struct policy *p, const struct policy_options *opt, struct policy_report *report)
{
	struct lint lint = {.p = p, .report = report};

	check_names(p, report);
	for (size_t i = 0; i < p->n_rules; i++) {
		if (p->rules[i].damaged)
			continue;
		check_complete(&p->rules[i], report);
		check_time(&p->rules[i], opt->now_ns, report);
	}
	for (size_t i = 0; i < p->n_rules && report->n_errors == 0; i++)
		check_beside(&lint, &p->rules[i]);
}
