/* SPDX-License-Identifier: Apache-2.0 */
#include "security/policy_pattern.h"
#include "security/policy_report.h"
#include "security/policy_rules.h"

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

static bool group_has(const struct policy *p, const char *group, const char *org)
{
	const struct policy_group *g = policy_group(p, group);

	for (size_t i = 0; g && i < g->n_orgs; i++)
		if (strcmp(g->orgs[i], org) == 0)
			return true;
	return false;
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
		if (n->kind == TO_GROUP && s->kind == TO_ORG && group_has(l->p, n->name, s->name))
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

static bool property_denied(struct lint *l, const struct rule *never, enum right right, const char *property)
{
	for (size_t i = 0; i < never->n_clauses; i++) {
		const struct clause *c = &never->clauses[i];
		if (c->whole & right_bit(right))
			return true;
		for (size_t j = 0; c->of & right_bit(right) && j < c->n_properties && l->steps++ < STEPS_MAX;
		     j++)
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
	/* the weakest right of the line: the others fall with it */
	const enum right right = c->of ? (enum right)__builtin_ctz(c->of) : RIGHT_READ;
	for (size_t i = 0; i < c->n_properties; i++)
		if (l->steps > STEPS_MAX || !property_denied(l, never, right, c->properties[i]))
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

/* ---- What adds nothing ---- */

/* Are the terms of `a` no more than those of `b`? */
static bool terms_within(const struct clause *a, const struct clause *b)
{
	const struct policy_bounds *x = &a->bounds, *y = &b->bounds;
	const bool last = b->last_ns == 0 || (a->last_ns != 0 && a->last_ns <= b->last_ns);
	const bool step = a->step_ns >= b->step_ns;
	const bool rate = y->rate_per_ns == 0 || (x->rate_per_ns == y->rate_per_ns && x->rate <= y->rate);
	const bool confirm = !y->confirm_role || same_text(x->confirm_role, y->confirm_role);

	return last && step && rate && confirm;
}

/* Does a line of the rule have all rights of `c` to the property, on no lesser terms? */
static bool property_covered(struct lint *l, const struct rule *rule, const struct clause *c,
			     const char *property)
{
	for (size_t i = 0; i < rule->n_clauses; i++) {
		const struct clause *o = &rule->clauses[i];
		const bool all = !(c->of & ~(o->of | o->whole)) && terms_within(c, o);
		for (size_t j = 0; all && j < o->n_properties && l->steps++ < STEPS_MAX; j++)
			if (pattern_covers(o->properties[j], property))
				return true;
	}
	return false;
}

static bool clause_covered(struct lint *l, const struct rule *rule, const struct clause *c)
{
	unsigned whole = 0;

	for (size_t i = 0; i < rule->n_clauses; i++)
		whole |= rule->clauses[i].whole;
	if (c->whole & ~whole)
		return false;
	for (size_t i = 0; c->of && i < c->n_properties; i++)
		if (l->steps > STEPS_MAX || !property_covered(l, rule, c, c->properties[i]))
			return false;
	return true;
}

/* Does `other` say all that `rule` says, for as long, to all of its partners? */
static bool rule_within(struct lint *l, const struct rule *rule, const struct rule *other)
{
	if (rule == other || rule->never != other->never || rule->until_ns > other->until_ns)
		return false;
	if (other->n_redactions > 0 || !rule_covers(l, other, rule))
		return false;
	for (size_t i = 0; i < rule->n_clauses; i++)
		if (l->steps > STEPS_MAX || !clause_covered(l, other, &rule->clauses[i]))
			return false;
	return true;
}

/* Of two that say the same, the later one adds nothing. */
static bool adds_nothing(struct lint *l, const struct rule *rule, const struct rule *other)
{
	return rule_within(l, rule, other) && (other < rule || !rule_within(l, other, rule));
}

/* ---- Redactions that another share lifts ---- */

static bool groups_meet(const struct policy *p, const char *a, const char *b)
{
	const struct policy_group *g = policy_group(p, a);

	for (size_t i = 0; g && i < g->n_orgs; i++)
		if (group_has(p, b, g->orgs[i]))
			return true;
	return false;
}

static bool subjects_meet(const struct policy *p, const struct subject *a, const struct subject *b)
{
	if (a->kind == TO_EVERYONE_ELSE || b->kind == TO_EVERYONE_ELSE)
		return true;
	if (a->kind == TO_GROUP)
		return b->kind == TO_GROUP ? groups_meet(p, a->name, b->name)
					   : group_has(p, a->name, b->name);
	if (b->kind == TO_GROUP)
		return group_has(p, b->name, a->name);
	return strcmp(a->name, b->name) == 0 && (!a->role || !b->role || strcmp(a->role, b->role) == 0);
}

static bool rules_meet_in_subjects(struct lint *l, const struct rule *a, const struct rule *b)
{
	for (size_t i = 0; i < a->n_subjects; i++)
		for (size_t j = 0; j < b->n_subjects && l->steps++ < STEPS_MAX; j++)
			if (subjects_meet(l->p, &a->subjects[i], &b->subjects[j]))
				return true;
	return false;
}

/* Can a twin be in both? What is said by tag or type may always be. */
static bool selectors_meet(struct lint *l, const struct selector *a, const struct selector *b)
{
	for (size_t i = 0; i < a->n_any; i++)
		for (size_t j = 0; j < b->n_any && l->steps++ < STEPS_MAX; j++)
			if (a->any[i].by != BY_PATH || b->any[j].by != BY_PATH ||
			    patterns_meet(a->any[i].text, b->any[j].text))
				return true;
	return false;
}

static bool rules_meet_in_twins(struct lint *l, const struct rule *a, const struct rule *b)
{
	for (size_t i = 0; i < a->n_selectors; i++)
		for (size_t j = 0; j < b->n_selectors; j++)
			if (selectors_meet(l, &a->selectors[i], &b->selectors[j]))
				return true;
	return false;
}

/* Does the share itself leave no more of these properties? */
static bool redacts_as_much(const struct rule *share, const char *pattern, enum policy_form form)
{
	for (size_t i = 0; i < share->n_redactions; i++)
		if (share->redactions[i].form <= form &&
		    pattern_covers(share->redactions[i].pattern, pattern))
			return true;
	return false;
}

/* Does the share give more of what is redacted? A summary may have any property. */
static bool lifts(struct lint *l, const struct rule *share, const struct redaction *r)
{
	if (redacts_as_much(share, r->pattern, r->form))
		return false;
	for (size_t i = 0; i < share->n_clauses; i++) {
		const struct clause *c = &share->clauses[i];
		if (c->whole & right_bit(RIGHT_SUMMARY))
			return true;
		for (size_t j = 0;
		     c->of & ~right_bit(RIGHT_COMMAND) && j < c->n_properties && l->steps++ < STEPS_MAX; j++)
			if (patterns_meet(c->properties[j], r->pattern) &&
			    !redacts_as_much(share, c->properties[j], r->form))
				return true;
	}
	return false;
}

static void check_redactions(struct lint *l, const struct rule *share, const struct rule *other)
{
	if (share == other || other->never || share->n_redactions == 0)
		return;
	if (!rules_meet_in_subjects(l, share, other) || !rules_meet_in_twins(l, share, other))
		return;
	for (size_t i = 0; i < share->n_redactions; i++) {
		const struct redaction *r = &share->redactions[i];
		if (lifts(l, other, r))
			report_warning(
				l->report, r->line,
				"redaction lifted: share \"%s\" (line %u) can give %s to the same partner",
				other->title, other->line, r->pattern);
	}
}

static void check_beside(struct lint *l, const struct rule *rule)
{
	const struct rule *end = l->p->rules + l->p->n_rules;

	for (const struct rule *other = l->p->rules; other < end && l->steps < STEPS_MAX; other++)
		if (adds_nothing(l, rule, other)) {
			report_warning(l->report, rule->line, "the %s adds nothing to line %u, remove one",
				       rule_kind(rule), other->line);
			break;
		}
	if (rule->never)
		return;
	for (const struct rule *other = l->p->rules; other < end && l->steps < STEPS_MAX; other++)
		if (other->never)
			check_against(l, rule, other);
		else
			check_redactions(l, rule, other);
}

void policy_lint(const struct policy *p, struct policy_report *report)
{
	struct lint lint = {.p = p, .report = report};

	for (size_t i = 0; i < p->n_rules; i++)
		check_beside(&lint, &p->rules[i]);
}
