/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "security/policy_rules.h"

/* What a question lacks to be granted by one share: the fewer and lighter, the nearer the share. */
enum lack {
	LACK_TIME = 1,
	LACK_FORM = 2,
	LACK_ROLE = 4,
	LACK_RIGHT = 8,
	LACK_TWIN = 16,
	LACK_ORG = 32,
};

/* `read of load/power of acme/line3` */
static const char *asked(const struct policy_query *q, struct arena *a)
{
	const bool of = q->property && q->right != RIGHT_DISCOVER;

	if (of && q->right == RIGHT_COMMAND)
		return arena_print(a, "command %s of %s", q->property, q->twin->id);
	return arena_print(a, "%s%s%s of %s", right_text(q->right), of ? " of " : "", of ? q->property : "",
			   q->twin->id);
}

static const char *asker(const struct policy_query *q, struct arena *a)
{
	return q->role ? arena_print(a, "%s as %s", q->org, q->role) : q->org;
}

static const char *named(const struct rule *rule, struct arena *a)
{
	return arena_print(a, "%s \"%s\" (line %u)", rule->never ? "never" : "share", rule->title,
			   rule->line);
}

/* "for ever" would be wrong: the share that holds longest. */
static const struct rule *longest_share(const struct policy *p, const struct policy_query *q,
					enum policy_form form)
{
	const struct rule *best = NULL;
	struct rule_set found;

	policy_find(p, q, form, &found);
	for (const struct rule *s = NULL; (s = policy_next(p, &found, false, s));)
		if (!best || s->until_ns > best->until_ns)
			best = s;
	return best;
}

/* The first share or never that matches; NULL: none. */
static const struct rule *first_match(const struct policy *p, const struct policy_query *q, bool never)
{
	struct rule_set found;

	policy_find(p, q, FORM_PLAIN, &found);
	return policy_next(p, &found, never, NULL);
}

static const char *bounds_text(const struct policy *p, const struct policy_query *q, struct arena *a)
{
	struct policy_bounds b;
	char per[DURATION_TEXT_SIZE];

	if ((q->right != RIGHT_WATCH && q->right != RIGHT_COMMAND) || !policy_bounds(p, q, &b))
		return "";
	const char *confirm =
		b.confirm_role ? arena_print(a, ", confirmed by the role %s", b.confirm_role) : "";
	const char *rate = b.rate_per_ns ? arena_print(a, ", at most %u in %s", b.rate,
						       duration_text(b.rate_per_ns, per))
					 : "";
	return confirm && rate ? arena_print(a, "%s%s", confirm, rate) : NULL;
}

static const char *window_text(const struct policy *p, const struct policy_query *q, struct arena *a)
{
	int64_t last_ns, step_ns;
	char last[DURATION_TEXT_SIZE], step[DURATION_TEXT_SIZE];

	if (q->right != RIGHT_HISTORY || !policy_history_window(p, q, &last_ns, &step_ns))
		return bounds_text(p, q, a);
	const char *far =
		last_ns ? arena_print(a, ", the last %s", duration_text(last_ns, last)) : ", all of it";
	const char *fine = step_ns ? arena_print(a, " in steps of %s", duration_text(step_ns, step)) : "";
	return far && fine ? arena_print(a, "%s%s", far, fine) : NULL;
}

static const char *say_allowed(const struct policy *p, const struct policy_query *q, struct arena *a)
{
	const struct rule *share = longest_share(p, q, FORM_PLAIN);
	const char *what = asked(q, a), *who = asker(q, a), *by = named(share, a),
		   *window = window_text(p, q, a);
	char until[TIME_TEXT_SIZE];

	if (!what || !who || !by || !window)
		return NULL;
	return arena_print(a, "%s is granted to %s by %s until %s%s", what, who, by,
			   time_text(share->until_ns, until), window);
}

static const char *say_never(const struct policy *p, const struct policy_query *q, const struct rule *never,
			     struct arena *a)
{
	const struct rule *share = first_match(p, q, false);
	const char *what = asked(q, a), *who = asker(q, a), *by = named(never, a);
	const char *over = share ? named(share, a) : "";

	if (!what || !who || !by || !over)
		return NULL;
	if (!share)
		return arena_print(a, "%s is denied to %s by %s, and no share grants it", what, who, by);
	return arena_print(a, "%s is denied to %s by %s, which wins over %s", what, who, by, over);
}

/* A rule for some role of the asker's organisation, but not for the asker. */
static const char *missing_role(const struct rule *share, const struct policy_query *q)
{
	for (size_t i = 0; i < share->n_subjects; i++)
		if (share->subjects[i].role && strcmp(share->subjects[i].name, q->org) == 0)
			return share->subjects[i].role;
	return NULL;
}

static unsigned lacks(const struct policy *p, const struct rule *share, const struct policy_query *q)
{
	unsigned lack = 0;

	if (!rule_speaks_to(p, share, q))
		lack |= missing_role(share, q) ? LACK_ROLE : LACK_ORG;
	if (!rule_has_twin(share, q->twin, policy_path(p, q->twin)))
		lack |= LACK_TWIN;
	if (!rule_has_right(share, q->right, q->property))
		lack |= LACK_RIGHT;
	if (rule_form(share, q->right, q->property) != FORM_PLAIN)
		lack |= LACK_FORM;
	if (q->now_ns >= share->until_ns)
		lack |= LACK_TIME;
	return lack;
}

/* The first share with the lightest lack; NULL when there is none that is worth a word. */
static const struct rule *nearest_share(const struct policy *p, const struct policy_query *q,
					unsigned *ret_lack)
{
	const struct rule *best = NULL;

	*ret_lack = LACK_ORG + 1; /* nothing else may be lacking where the organisation is */
	for (size_t i = 0; i < p->n_rules; i++) {
		const unsigned lack = p->rules[i].never ? ~0u : lacks(p, &p->rules[i], q);
		if (lack >= *ret_lack)
			continue;
		best = &p->rules[i];
		*ret_lack = lack;
	}
	return best;
}

/* What is wrong with the nearest share, the heaviest lack first. */
static const char *say_lack(const struct rule *share, unsigned lack, const struct policy_query *q,
			    struct arena *a)
{
	const char *name = named(share, a);
	char until[TIME_TEXT_SIZE];

	if (!name)
		return NULL;
	if (lack & LACK_ORG)
		return arena_print(a, "%s grants it, but not to %s", name, q->org);
	if (lack & LACK_TWIN)
		return arena_print(a, "%s speaks to %s, but not of this twin", name, q->org);
	if (lack & LACK_RIGHT)
		return arena_print(a, "%s speaks of this twin, but does not grant that", name);
	if (lack & LACK_ROLE)
		return arena_print(a, "%s grants it to the role %s only", name, missing_role(share, q));
	if (lack & LACK_FORM && rule_form(share, q->right, q->property) == FORM_NOTHING)
		return arena_print(a, "%s drops it by a redact line", name);
	if (lack & LACK_FORM)
		return arena_print(a, "%s grants a token in its place", name);
	return arena_print(a, "%s granted it and ended %s", name, time_text(share->until_ns, until));
}

/* The right that the one asked for implies; false: none. */
static bool implied(enum right right, enum right *ret)
{
	switch (right) {
	case RIGHT_DISCOVER:
	case RIGHT_WATCH:
	case RIGHT_COMMAND:
	case N_RIGHTS: return false;
	case RIGHT_SUMMARY:
	case RIGHT_READ: *ret = RIGHT_DISCOVER; return true;
	case RIGHT_HISTORY: *ret = RIGHT_READ; return true;
	}
	return false;
}

/* "discover is granted by line 12, read is not: ", of the strongest weaker right there is; "" for none. */
static const char *say_granted(const struct policy *p, const struct policy_query *q, struct arena *a)
{
	struct policy_query weaker = *q;

	while (implied(weaker.right, &weaker.right)) {
		if (weaker.right == RIGHT_DISCOVER)
			weaker.property = NULL;
		if (policy_allows(p, &weaker, NULL))
			return arena_print(a,
					   "%s is granted by line %u, %s is not: ", right_text(weaker.right),
					   first_match(p, &weaker, false)->line, right_text(q->right));
	}
	return "";
}

static const char *say_missing(const struct policy *p, const struct policy_query *q, struct arena *a)
{
	unsigned lack;
	const struct rule *share = nearest_share(p, q, &lack);
	const char *granted = say_granted(p, q, a), *what = asked(q, a), *who = asker(q, a);
	const char *near =
		share ? say_lack(share, lack, q, a) : arena_print(a, "no share speaks to %s", q->org);

	if (!granted || !what || !who || !near)
		return NULL;
	return arena_print(a, "%sno share grants %s to %s; %s", granted, what, who, near);
}

const char *policy_why(const struct policy *p, const struct policy_query *q, struct arena *a,
		       bool *ret_allowed)
{
	*ret_allowed = policy_allows(p, q, NULL);
	if (!p)
		return "there is no policy, so nothing is shared";
	if (strcmp(q->org, p->own_org) == 0)
		return arena_print(
			a, "%s is the own organisation: its nodes need no share, a policy speaks of others",
			q->org);
	if (*ret_allowed)
		return say_allowed(p, q, a);
	const struct rule *never = first_match(p, q, true);
	return never ? say_never(p, q, never, a) : say_missing(p, q, a);
}
