/* SPDX-License-Identifier: Apache-2.0 */
/* Policy rules - how a policy lies in memory: private to security/policy*.c.
 *
 * policy_parse.c fills the rules, policy_check.c resolves names, policy_index.c makes them findable, policy.c
 * and policy_why.c only read. Everything lies in the policy's own arena.
 */
#pragma once

#include "security/conditions.h"
#include "security/policy.h"
#include "security/policy_index.h"

enum {
	POLICY_ORGS_MAX = 1024,
	POLICY_GROUPS_MAX = 1024,
};

static inline unsigned right_bit(enum right right)
{
	return 1u << right;
}

enum subject_kind { TO_ORG, TO_GROUP, TO_EVERYONE_ELSE };

struct subject {
	enum subject_kind kind;
	const char *name; /* of the organisation or group */
	const char *role; /* NULL: whoever asks for the organisation */
	unsigned line;
};

/* One `twins` line: one of `any` holds, and all of `all` (what stands behind `with`). */
struct selector {
	struct condition *any, *all;
	size_t n_any, n_all;
};

/* One `allow` or `deny` line, rights in bits with what they imply. */
struct clause {
	unsigned whole; /* rights that hold whatever the property is, also for none */
	unsigned of;    /* rights that hold for the properties (of command: the names) below */
	const char **properties;
	size_t n_properties;
	int64_t last_ns, step_ns;    /* of history; 0: no bound */
	struct policy_bounds bounds; /* of watch and command */
	unsigned line;
};

/* One pattern of a `redact` line. */
struct redaction {
	const char *pattern;
	enum policy_form form; /* what is left of the value */
	unsigned line;
};

struct rule {
	bool never;
	bool damaged; /* a line of it is in error: what is missing may have stood there */
	const char *title;
	unsigned line;
	struct subject *subjects;
	size_t n_subjects;
	struct selector *selectors;
	size_t n_selectors;
	struct clause *clauses;
	size_t n_clauses;
	struct redaction *redactions;
	size_t n_redactions;
	int64_t until_ns;    /* the share holds before it */
	unsigned until_line; /* 0: none given */
};

struct policy_org {
	const char *name;
	unsigned line;
};

struct policy_group {
	const char *name;
	unsigned line;
	const char **orgs;
	size_t n_orgs;
};

struct policy {
	struct arena *arena; /* holds all of it, this struct too */
	const char *own_org;
	struct rule *rules;
	size_t n_rules;
	struct policy_org **orgs; /* by name */
	size_t n_orgs;
	struct policy_group *groups;
	size_t n_groups;

	struct policy_index index;
	size_t own_org_bytes;
	struct rule_set of_right[N_RIGHTS]; /* rules that have the right for some property or none */
	struct rule_set whole[N_RIGHTS];    /* that have it whatever the property */
	struct rule_set nevers;
	struct rule_set careful; /* of which the index says too much: narrowed twins, redactions */
	int64_t *ends;           /* of every rule; TIME_MAX for a never */
};

struct policy_report;

/* Where `org` stands in policy.orgs, or would: *ret_found tells. */
size_t policy_org_place(const struct policy *p, const char *org, bool *ret_found);
const struct policy_org *policy_org(const struct policy *p, const char *org);       /* NULL: not declared */
const struct policy_group *policy_group(const struct policy *p, const char *group); /* NULL: not declared */

/* Names known, rules complete, times sensible, nothing dead or twice: says so in the report. */
void policy_check(const struct policy *p, const struct policy_options *opt, struct policy_report *report);
/* Rules beside each other, of a policy without errors: what adds nothing, what a never leaves nothing of,
 * redactions that another share lifts. */
void policy_lint(const struct policy *p, struct policy_report *report);

static inline const char *rule_kind(const struct rule *rule)
{
	return rule->never ? "never" : "share";
}

/* ---- The steps of a decision, for policy.c, policy_why.c and policy_grants.c ---- */
bool rule_speaks_to(const struct policy *p, const struct rule *rule, const struct policy_query *q);
/* What a share leaves of the property it grants. */
enum policy_form rule_form(const struct rule *rule, enum right right, const char *property);
/* The id of an own twin as patterns write it; NULL for a twin of others, which no rule has. */
const char *policy_path(const struct policy *p, const struct policy_twin *twin);
bool rule_has_twin(const struct rule *rule, const struct policy_twin *twin, const char *path);
bool rule_has_right(const struct rule *rule, enum right right, const char *property);
bool clause_has_right(const struct clause *c, enum right right, const char *property);
/* The rules that match the query, nevers too; shares also in time, and with at least that much of the value.
 */
void policy_find(const struct policy *p, const struct policy_query *q, enum policy_form least,
		 struct rule_set *ret);
/* In line order, the next share or never of a set after `after` (NULL: the first); NULL: none. */
const struct rule *policy_next(const struct policy *p, const struct rule_set *set, bool never,
			       const struct rule *after);
