/* SPDX-License-Identifier: Apache-2.0 */
#include "security/policy.h"

#include <assert.h>

#include "proto/clock.h"
#include "proto/words.h"
#include "security/policy_pattern.h"
#include "security/policy_rules.h"

static const char *const rights[] = {"discover", "summary", "read", "history"};
static_assert(N_WORDS(rights) == N_RIGHTS, "a right without its word");

const char *right_text(enum right right)
{
	return word_at(rights, N_RIGHTS, right);
}

bool right_parse(const char *text, enum right *ret)
{
	const size_t i = word_find(rights, N_RIGHTS, text);

	if (i < N_RIGHTS)
		*ret = (enum right)i;
	return i < N_RIGHTS;
}

void policy_free(struct policy *p)
{
	if (p)
		arena_free(p->arena); /* the policy itself lies in it */
}

/* ---- Names ---- */

size_t policy_org_place(const struct policy *p, const char *org, bool *ret_found)
{
	size_t low = 0, high = p->n_orgs;

	*ret_found = false;
	while (low < high && !*ret_found) {
		const size_t middle = low + (high - low) / 2;
		const int order = strcmp(p->orgs[middle]->name, org);
		*ret_found = order == 0;
		if (order >= 0)
			high = middle;
		else
			low = middle + 1;
	}
	return high;
}

const struct policy_org *policy_org(const struct policy *p, const char *org)
{
	bool found;
	const size_t at = policy_org_place(p, org, &found);

	return found ? p->orgs[at] : NULL;
}

const struct policy_group *policy_group(const struct policy *p, const char *group)
{
	for (size_t i = 0; i < p->n_groups; i++)
		if (strcmp(p->groups[i].name, group) == 0)
			return &p->groups[i];
	return NULL;
}

/* ---- The index: for each organisation and each right the rules that may speak ---- */

static void index_org(struct policy *p, const char *org, size_t rule, bool with_role)
{
	bool found;
	const size_t at = policy_org_place(p, org, &found);

	if (found)
		rule_set_add(with_role ? &p->orgs[at]->with_role : &p->orgs[at]->always, rule);
}

static void index_subject(struct policy *p, const struct subject *s, size_t rule)
{
	const struct policy_group *group = s->kind == TO_GROUP ? policy_group(p, s->name) : NULL;

	if (s->kind == TO_ORG)
		index_org(p, s->name, rule, s->role != NULL);
	for (size_t i = 0; group && i < group->n_orgs; i++)
		index_org(p, group->orgs[i], rule, false);
	if (s->kind != TO_EVERYONE_ELSE)
		return;
	rule_set_add(&p->to_others, rule);
	for (size_t i = 0; i < p->n_orgs; i++)
		rule_set_add(&p->orgs[i]->always, rule);
}

static void index_rule(struct policy *p, size_t at)
{
	const struct rule *rule = &p->rules[at];
	unsigned bits = 0;

	if (rule->never)
		rule_set_add(&p->nevers, at);
	for (size_t i = 0; i < rule->n_subjects; i++)
		index_subject(p, &rule->subjects[i], at);
	for (size_t i = 0; i < rule->n_clauses; i++)
		bits |= rule->clauses[i].whole | rule->clauses[i].of;
	for (enum right r = 0; r < N_RIGHTS; r++)
		if (bits & right_bit(r))
			rule_set_add(&p->of_right[r], at);
}

void policy_index(struct policy *p)
{
	for (size_t i = 0; i < p->n_rules; i++)
		index_rule(p, i);
}

/* ---- What a rule matches ---- */

bool clause_has_right(const struct clause *c, enum right right, const char *property)
{
	if (c->whole & right_bit(right))
		return true;
	if (!(c->of & right_bit(right)) || !property)
		return false;
	for (size_t i = 0; i < c->n_properties; i++)
		if (pattern_matches(c->properties[i], property))
			return true;
	return false;
}

bool rule_has_right(const struct rule *rule, enum right right, const char *property)
{
	for (size_t i = 0; i < rule->n_clauses; i++)
		if (clause_has_right(&rule->clauses[i], right, property))
			return true;
	return false;
}

static bool has_tag(const struct policy_twin *twin, const char *tag)
{
	for (size_t i = 0; i < twin->n_tags; i++)
		if (strcmp(twin->tags[i], tag) == 0)
			return true;
	return false;
}

static bool condition_holds(const struct condition *c, const struct policy_twin *twin, const char *path)
{
	switch (c->by) {
	case BY_PATH: return pattern_matches(c->text, path);
	case BY_TAG: return has_tag(twin, c->text);
	case BY_TYPE: return twin->type && strcmp(twin->type, c->text) == 0;
	}
	return false;
}

static bool selector_has_twin(const struct selector *s, const struct policy_twin *twin, const char *path)
{
	bool any = false;

	for (size_t i = 0; i < s->n_any && !any; i++)
		any = condition_holds(&s->any[i], twin, path);
	for (size_t i = 0; i < s->n_all && any; i++)
		any = condition_holds(&s->all[i], twin, path);
	return any;
}

const char *policy_path(const struct policy *p, const struct policy_twin *twin)
{
	const size_t n = strlen(p->own_org);

	return strncmp(twin->id, p->own_org, n) == 0 && twin->id[n] == '/' ? twin->id + n + 1 : NULL;
}

bool rule_has_twin(const struct rule *rule, const struct policy_twin *twin, const char *path)
{
	for (size_t i = 0; path && i < rule->n_selectors; i++)
		if (selector_has_twin(&rule->selectors[i], twin, path))
			return true;
	return false;
}

static bool names_role(const struct rule *rule, const char *org, const char *role)
{
	for (size_t i = 0; role && i < rule->n_subjects; i++) {
		const struct subject *s = &rule->subjects[i];
		if (s->kind == TO_ORG && s->role && strcmp(s->role, role) == 0 && strcmp(s->name, org) == 0)
			return true;
	}
	return false;
}

static bool set_has(const struct rule_set *s, size_t rule)
{
	return s->words[rule / 64] >> rule % 64 & 1;
}

static bool speaks_to(const struct policy *p, size_t at, const struct policy_org *org,
		      const struct policy_query *q)
{
	return set_has(org ? &org->always : &p->to_others, at) || names_role(&p->rules[at], q->org, q->role);
}

bool rule_speaks_to(const struct policy *p, const struct rule *rule, const struct policy_query *q)
{
	return speaks_to(p, (size_t)(rule - p->rules), policy_org(p, q->org), q);
}

/* ---- The decision ---- */

/* The rules of one word of the index that may speak in this decision. */
static uint64_t candidates(const struct policy *p, const struct policy_query *q, const struct policy_org *org,
			   bool never, size_t word)
{
	uint64_t to = org ? org->always.words[word] : p->to_others.words[word];

	if (org && q->role)
		to |= org->with_role.words[word];
	return to & p->of_right[q->right].words[word] &
	       (never ? p->nevers.words[word] : ~p->nevers.words[word]);
}

/* A question and what is looked up once for it. */
struct question {
	const struct policy_query *q;
	const struct policy_org *org; /* NULL: not declared */
	const char *path;
};

static bool rule_matches(const struct policy *p, size_t at, const struct question *question)
{
	const struct policy_query *q = question->q;
	const struct rule *rule = &p->rules[at];

	if (!rule->never && q->now_ns >= rule->until_ns)
		return false;
	return rule_has_twin(rule, q->twin, question->path) && rule_has_right(rule, q->right, q->property) &&
	       speaks_to(p, at, question->org, q);
}

const struct rule *policy_match(const struct policy *p, const struct policy_query *q, bool never,
				const struct rule *after)
{
	const struct question question = {q, policy_org(p, q->org), policy_path(p, q->twin)};
	const size_t from = after ? (size_t)(after - p->rules) + 1 : 0;
	uint64_t mask = ~UINT64_C(0) << from % 64;

	/* a policy speaks to others, of own twins, and of rights there are */
	if (strcmp(q->org, p->own_org) == 0 || !question.path || (unsigned)q->right >= N_RIGHTS)
		return NULL;
	for (size_t word = from / 64; word * 64 < p->n_rules; word++, mask = ~UINT64_C(0))
		for (uint64_t bits = candidates(p, q, question.org, never, word) & mask; bits;
		     bits &= bits - 1) {
			const size_t at = word * 64 + (size_t)__builtin_ctzll(bits);
			if (rule_matches(p, at, &question))
				return &p->rules[at];
		}
	return NULL;
}

bool policy_allows(const struct policy *p, const struct policy_query *q, int64_t *ret_until_ns)
{
	int64_t until_ns = TIME_MIN;

	if (!p || policy_match(p, q, true, NULL))
		return false;
	const struct rule *share = policy_match(p, q, false, NULL);
	if (!share)
		return false;
	for (; share && ret_until_ns; share = policy_match(p, q, false, share))
		until_ns = share->until_ns > until_ns ? share->until_ns : until_ns;
	if (ret_until_ns)
		*ret_until_ns = until_ns;
	return true;
}

/* Does window a reach farther back than b, or as far in finer steps? 0 is no bound, of either. */
static bool is_wider(const struct clause *a, const struct clause *b)
{
	if (a->last_ns != b->last_ns)
		return a->last_ns == 0 || (b->last_ns != 0 && a->last_ns > b->last_ns);
	return a->step_ns < b->step_ns;
}

/* The widest of the windows a share opens to a property, and of `widest` (NULL: none yet). */
static const struct clause *widest_window(const struct rule *share, const char *property,
					  const struct clause *widest)
{
	for (size_t i = 0; i < share->n_clauses; i++) {
		const struct clause *c = &share->clauses[i];
		if (clause_has_right(c, RIGHT_HISTORY, property) && (!widest || is_wider(c, widest)))
			widest = c;
	}
	return widest;
}

bool policy_history_window(const struct policy *p, const struct policy_query *q, int64_t *ret_last_ns,
			   int64_t *ret_step_ns)
{
	struct policy_query history = *q;
	const struct clause *widest = NULL;

	history.right = RIGHT_HISTORY;
	if (!policy_allows(p, &history, NULL))
		return false;
	for (const struct rule *share = NULL; (share = policy_match(p, &history, false, share));)
		widest = widest_window(share, q->property, widest);
	if (!widest)
		return false;
	*ret_last_ns = widest->last_ns;
	*ret_step_ns = widest->step_ns;
	return true;
}

int64_t policy_next_end(const struct policy *p, int64_t now_ns)
{
	int64_t end = TIME_MAX;

	for (size_t i = 0; p && i < p->n_rules; i++) {
		const struct rule *rule = &p->rules[i];
		if (!rule->never && rule->until_ns > now_ns && rule->until_ns < end)
			end = rule->until_ns;
	}
	return end;
}
