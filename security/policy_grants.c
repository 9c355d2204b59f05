/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "security/policy_rules.h"

static bool has_text(const char *const *texts, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(texts[i], text) == 0)
			return true;
	return false;
}

/* Append unless it is there. -ENOMEM. */
static int add_text(struct arena *a, const char ***texts, size_t *n, const char *text)
{
	if (has_text(*texts, *n, text))
		return 0;
	const char **place = arena_push(a, texts, n, sizeof *place);
	if (!place)
		return FAIL(-ENOMEM);
	*place = text;
	return 0;
}

int policy_roles(const struct policy *p, const char *org, struct arena *a, const char ***roles, size_t *n)
{
	for (size_t i = 0; p && i < p->n_rules; i++)
		for (size_t j = 0; j < p->rules[i].n_subjects; j++) {
			const struct subject *s = &p->rules[i].subjects[j];
			if (s->kind == TO_ORG && s->role && strcmp(s->name, org) == 0)
				TRY(add_text(a, roles, n, s->role));
		}
	return 0;
}

int policy_commands(const struct policy *p, struct arena *a, const char ***commands, size_t *n)
{
	for (size_t i = 0; p && i < p->n_rules; i++)
		for (size_t j = 0; !p->rules[i].never && j < p->rules[i].n_clauses; j++) {
			const struct clause *c = &p->rules[i].clauses[j];
			for (size_t k = 0; c->of & right_bit(RIGHT_COMMAND) && k < c->n_properties; k++)
				TRY(add_text(a, commands, n, c->properties[k]));
		}
	return 0;
}

enum policy_form policy_ruling(const struct policy *p, const struct policy_query *q,
			       struct policy_ruling *ret)
{
	const enum policy_form form = policy_form(p, q);
	struct rule_set found;

	*ret = (struct policy_ruling){0};
	if (form == FORM_NOTHING)
		return form;
	policy_find(p, q, form, &found);
	for (const struct rule *s = NULL; (s = policy_next(p, &found, false, s));)
		if (ret->line == 0 || s->until_ns > ret->until_ns)
			*ret = (struct policy_ruling){s->line, s->title, s->until_ns};
	return form;
}
