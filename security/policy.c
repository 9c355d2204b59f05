/* SPDX-License-Identifier: Apache-2.0 */
#include "security/policy.h"

#include <assert.h>

#include "proto/clock.h"
#include "proto/words.h"
#include "security/policy_pattern.h"
#include "security/policy_rules.h"

static const char *const right_words[] = {"discover", "summary", "read", "history", "watch", "command"};
static_assert(N_WORDS(right_words) == N_RIGHTS, "a right without its word");

const char *right_text(enum right right)
{
	return word_at(right_words, N_RIGHTS, right);
}

bool right_parse(const char *text, enum right *ret)
{
	const size_t i = word_find(right_words, N_RIGHTS, text);

	if (i < N_RIGHTS)
		*ret = (enum right)i;
	return i < N_RIGHTS;
}

bool right_has_property(enum right right)
{
	return right == RIGHT_READ || right == RIGHT_HISTORY || right == RIGHT_WATCH ||
	       right == RIGHT_COMMAND;
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
	const size_t n = p->own_org_bytes;

	return strncmp(twin->id, p->own_org, n) == 0 && twin->id[n] == '/' ? twin->id + n + 1 : NULL;
}

bool rule_has_twin(const struct rule *rule, const struct policy_twin *twin, const char *path)
{
	for (size_t i = 0; path && i < rule->n_selectors; i++)
		if (selector_has_twin(&rule->selectors[i], twin, path))
			return true;
	return false;
}

static bool subject_is(const struct policy *p, const struct subject *s, const struct policy_query *q)
{
	const struct policy_group *group = s->kind == TO_GROUP ? policy_group(p, s->name) : NULL;

	if (s->kind == TO_EVERYONE_ELSE)
		return true;
	if (s->kind == TO_ORG)
		return strcmp(s->name, q->org) == 0 &&
		       (!s->role || (q->role && strcmp(s->role, q->role) == 0));
	for (size_t i = 0; group && i < group->n_orgs; i++)
		if (strcmp(group->orgs[i], q->org) == 0)
			return true;
	return false;
}

bool rule_speaks_to(const struct policy *p, const struct rule *rule, const struct policy_query *q)
{
	for (size_t i = 0; i < rule->n_subjects; i++)
		if (subject_is(p, &rule->subjects[i], q))
			return true;
	return false;
}

/* Of a command nothing is a value; discover and the summary as such have none. */
static bool has_value(enum right right, const char *property)
{
	return property && right != RIGHT_DISCOVER && right != RIGHT_COMMAND;
}

enum policy_form rule_form(const struct rule *rule, enum right right, const char *property)
{
	enum policy_form form = FORM_PLAIN;

	for (size_t i = 0; i < rule->n_redactions && has_value(right, property); i++)
		if (rule->redactions[i].form < form && pattern_matches(rule->redactions[i].pattern, property))
			form = rule->redactions[i].form;
	return form;
}

/* ---- The decision: sets of rules, narrowed step by step ---- */

static void add_subject_rules(const struct policy *p, const struct policy_query *q, struct rule_set *set)
{
	index_add_root(&p->index, INDEX_SUBJECTS, set);
	const uint32_t org = index_add_name(&p->index, INDEX_SUBJECTS, q->org, set);
	if (org && q->role)
		index_add_name(&p->index, org, q->role, set);
}

static void add_twin_rules(const struct policy *p, const struct policy_twin *twin, const char *path,
			   struct rule_set *set)
{
	index_add_path(&p->index, INDEX_TWINS, path, ~0u, set);
	for (size_t i = 0; i < twin->n_tags; i++)
		index_add_name(&p->index, INDEX_TAGS, twin->tags[i], set);
	if (twin->type)
		index_add_name(&p->index, INDEX_TYPES, twin->type, set);
}

static void add_right_rules(const struct policy *p, const struct policy_query *q, struct rule_set *set)
{
	*set = p->whole[q->right];
	if (q->property)
		index_add_path(&p->index, INDEX_PROPERTIES, q->property, right_bit(q->right), set);
}

/* Keep in `set` what is in `other` too. Is a share left? */
static bool narrow(const struct policy *p, struct rule_set *set, const struct rule_set *other)
{
	uint64_t shares = 0;

	for (size_t i = 0; i * 64 < p->n_rules; i++) {
		set->words[i] &= other->words[i];
		shares |= set->words[i] & ~p->nevers.words[i];
	}
	return shares != 0;
}

/* A question and what is looked up once for it. */
struct question {
	const struct policy_query *q;
	const char *path;
	enum policy_form least;
};

static bool still_matches(const struct policy *p, size_t at, const struct question *question)
{
	const struct policy_query *q = question->q;
	const struct rule *rule = &p->rules[at];

	if (q->now_ns >= p->ends[at] && p->ends[at] != TIME_MAX)
		return false;
	if (!(p->careful.words[at / 64] >> at % 64 & 1))
		return true;
	return rule_has_twin(rule, q->twin, question->path) &&
	       (rule->never || rule_form(rule, q->right, q->property) >= question->least);
}

/* Take out of the candidates what does not match after all. */
static void settle(const struct policy *p, const struct question *question, struct rule_set *set)
{
	for (size_t i = 0; i * 64 < p->n_rules; i++)
		for (uint64_t bits = set->words[i]; bits; bits &= bits - 1)
			if (!still_matches(p, i * 64 + (size_t)__builtin_ctzll(bits), question))
				set->words[i] &= ~(bits & -bits);
}

/* `thorough`: also where no share is left to be denied. False: nothing is granted. */
static bool find(const struct policy *p, const struct policy_query *q, enum policy_form least, bool thorough,
		 struct rule_set *ret)
{
	const struct question question = {q, policy_path(p, q->twin), least};
	struct rule_set twins = {0}, rights;

	*ret = (struct rule_set){0};
	/* a policy speaks to others, of own twins, and of rights there are */
	if (strcmp(q->org, p->own_org) == 0 || !question.path || (unsigned)q->right >= N_RIGHTS)
		return false;
	add_subject_rules(p, q, ret);
	if (!narrow(p, ret, &p->of_right[q->right]) && !thorough)
		return false;
	add_twin_rules(p, q->twin, question.path, &twins);
	if (!narrow(p, ret, &twins) && !thorough)
		return false;
	add_right_rules(p, q, &rights);
	if (!narrow(p, ret, &rights) && !thorough)
		return false;
	settle(p, &question, ret);
	return true;
}

void policy_find(const struct policy *p, const struct policy_query *q, enum policy_form least,
		 struct rule_set *ret)
{
	(void)find(p, q, least, true, ret); /* the set says it */
}

const struct rule *policy_next(const struct policy *p, const struct rule_set *set, bool never,
			       const struct rule *after)
{
	const size_t from = after ? (size_t)(after - p->rules) + 1 : 0;
	uint64_t mask = ~UINT64_C(0) << from % 64;

	for (size_t word = from / 64; word * 64 < p->n_rules; word++, mask = ~UINT64_C(0)) {
		const uint64_t kind = never ? p->nevers.words[word] : ~p->nevers.words[word];
		const uint64_t bits = set->words[word] & kind & mask;
		if (bits)
			return &p->rules[word * 64 + (size_t)__builtin_ctzll(bits)];
	}
	return NULL;
}

/* Do the rules found grant it? How long at most. */
static bool granted(const struct policy *p, const struct rule_set *found, int64_t *ret_until_ns)
{
	int64_t until_ns = TIME_MIN;

	for (size_t i = 0; i * 64 < p->n_rules; i++)
		if (found->words[i] & p->nevers.words[i])
			return false;
	for (size_t i = 0; i * 64 < p->n_rules; i++)
		for (uint64_t bits = found->words[i]; bits; bits &= bits - 1) {
			const int64_t end_ns = p->ends[i * 64 + (size_t)__builtin_ctzll(bits)];
			until_ns = end_ns > until_ns ? end_ns : until_ns;
		}
	*ret_until_ns = until_ns;
	return until_ns > TIME_MIN;
}

static bool decide(const struct policy *p, const struct policy_query *q, enum policy_form least,
		   int64_t *ret_until_ns)
{
	struct rule_set found;

	return p && find(p, q, least, false, &found) && granted(p, &found, ret_until_ns);
}

bool policy_allows(const struct policy *p, const struct policy_query *q, int64_t *ret_until_ns)
{
	int64_t until_ns;
	const bool allowed = decide(p, q, FORM_PLAIN, &until_ns);

	if (allowed && ret_until_ns)
		*ret_until_ns = until_ns;
	return allowed;
}

enum policy_form policy_form(const struct policy *p, const struct policy_query *q)
{
	int64_t until_ns;

	if (policy_allows(p, q, NULL))
		return FORM_PLAIN;
	return decide(p, q, FORM_TOKEN, &until_ns) ? FORM_TOKEN : FORM_NOTHING;
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
	struct rule_set found;
	int64_t until_ns;

	history.right = RIGHT_HISTORY;
	if (!p || !find(p, &history, FORM_PLAIN, false, &found) || !granted(p, &found, &until_ns))
		return false;
	for (const struct rule *share = NULL; (share = policy_next(p, &found, false, share));)
		widest = widest_window(share, q->property, widest);
	if (!widest)
		return false;
	*ret_last_ns = widest->last_ns;
	*ret_step_ns = widest->step_ns;
	return true;
}

/* Is a the lighter of two terms: without confirmation, or else oftener? */
static bool is_lighter(const struct policy_bounds *a, const struct policy_bounds *b)
{
	if (!a->confirm_role != !b->confirm_role)
		return !a->confirm_role;
	if (!a->rate_per_ns || !b->rate_per_ns)
		return !a->rate_per_ns && b->rate_per_ns;
	return (double)a->rate / (double)a->rate_per_ns > (double)b->rate / (double)b->rate_per_ns;
}

bool policy_bounds(const struct policy *p, const struct policy_query *q, struct policy_bounds *ret)
{
	const struct policy_bounds *lightest = NULL;
	struct rule_set found;
	int64_t until_ns;

	if (!p || !find(p, q, FORM_PLAIN, false, &found) || !granted(p, &found, &until_ns))
		return false;
	for (const struct rule *share = NULL; (share = policy_next(p, &found, false, share));)
		for (size_t i = 0; i < share->n_clauses; i++) {
			const struct clause *c = &share->clauses[i];
			if (clause_has_right(c, q->right, q->property) &&
			    (!lightest || is_lighter(&c->bounds, lightest)))
				lightest = &c->bounds;
		}
	if (!lightest)
		return false;
	*ret = *lightest;
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
