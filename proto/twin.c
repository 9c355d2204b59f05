/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/twin.h"

#include "proto/words.h"

static const char *const kind_words[N_KINDS] = {"component",         "asset",      "system", "process",
						"system-of-systems", "environment"};
static const char *const life_words[N_LIFE_CYCLES] = {"design",    "build",       "commissioned",
						      "operating", "maintenance", "retired"};
static const char *const health_words[N_HEALTHS] = {"unknown", "good", "warning", "alarm"};
static const char *const limit_words[N_LIMITS] = {"low-alarm", "low-warning", "high-warning", "high-alarm"};
static const char *const rule_words[N_HEALTH_RULES] = {"own", "worst", "k-of-n", "weighted"};
static const char *const made_words[N_MADE] = {"", "desired/", "settle/", "alarm/", "health/"};
static const char *const confirmation_words[N_CONFIRMATIONS] = {"pending", "confirmed", "refused"};

const char *kind_text(enum kind kind)
{
	return word_at(kind_words, N_KINDS, kind);
}

bool kind_parse(const char *text, enum kind *ret)
{
	const size_t i = word_find(kind_words, N_KINDS, text);

	if (i == N_KINDS)
		return false;
	*ret = (enum kind)i;
	return true;
}

const char *life_cycle_text(enum life_cycle state)
{
	return word_at(life_words, N_LIFE_CYCLES, state);
}

bool life_cycle_parse(const char *text, enum life_cycle *ret)
{
	const size_t i = word_find(life_words, N_LIFE_CYCLES, text);

	if (i == N_LIFE_CYCLES)
		return false;
	*ret = (enum life_cycle)i;
	return true;
}

const char *health_text(enum health health)
{
	return word_at(health_words, N_HEALTHS, health);
}

bool health_parse(const char *text, enum health *ret)
{
	const size_t i = word_find(health_words, N_HEALTHS, text);

	if (i == N_HEALTHS)
		return false;
	*ret = (enum health)i;
	return true;
}

const char *confirmation_text(enum confirmation state)
{
	return word_at(confirmation_words, N_CONFIRMATIONS, state);
}

const char *limit_text(enum limit limit)
{
	return word_at(limit_words, N_LIMITS, limit);
}

const char *health_rule_text(enum health_rule rule)
{
	return word_at(rule_words, N_HEALTH_RULES, rule);
}

bool health_rule_parse(const char *text, enum health_rule *ret)
{
	const size_t i = word_find(rule_words, N_HEALTH_RULES, text);

	if (i == N_HEALTH_RULES)
		return false;
	*ret = (enum health_rule)i;
	return true;
}

const char *made_text(enum property_made made)
{
	return word_at(made_words, N_MADE, made);
}

bool life_cycle_may(enum life_cycle from, enum life_cycle to)
{
	if (from >= LIFE_RETIRED || to >= N_LIFE_CYCLES)
		return false;
	if (to == LIFE_RETIRED)
		return true;
	if (from == LIFE_MAINTENANCE)
		return to == LIFE_OPERATING;
	if (to == LIFE_MAINTENANCE)
		return from == LIFE_OPERATING;
	return to > from;
}

enum life_cycle twin_life_at(const struct twin_def *t, int64_t at_ns)
{
	size_t i = t->n_life;

	while (i > 0 && t->life[i - 1].since_ns > at_ns)
		i--;
	return i > 0 ? t->life[i - 1].state : LIFE_DESIGN;
}

const struct property_def *type_property(const struct type_def *type, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < type->n_properties; i++) {
		if (strcmp(type->properties[i].name, name) != 0)
			continue;
		if (ret_index)
			*ret_index = i;
		return &type->properties[i];
	}
	return NULL;
}

const struct operation_def *type_operation(const struct type_def *type, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < type->n_operations; i++) {
		if (strcmp(type->operations[i].name, name) != 0)
			continue;
		if (ret_index)
			*ret_index = i;
		return &type->operations[i];
	}
	return NULL;
}

const struct alarm_def *type_alarm(const struct type_def *type, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < type->n_alarms; i++) {
		if (strcmp(type->alarms[i].name, name) != 0)
			continue;
		if (ret_index)
			*ret_index = i;
		return &type->alarms[i];
	}
	return NULL;
}

const struct limits LIMITS_NONE = {.at = {NAN, NAN, NAN, NAN}, .rate_warning = NAN, .rate_alarm = NAN};

bool limits_are_none(const struct limits *l)
{
	bool none = isnan(l->rate_warning) && isnan(l->rate_alarm) && l->stale_ns == 0;

	for (int i = 0; i < N_LIMITS; i++)
		none = none && isnan(l->at[i]);
	return none;
}

bool transition_may(const struct property_def *p, size_t from, size_t to)
{
	bool may = p->n_transitions == 0 || from == to;

	for (size_t i = 0; !may && i < p->n_transitions; i++)
		may = p->transitions[i].from == from && p->transitions[i].to == to;
	return may;
}

bool measures_alike(const struct property_def *a, const struct property_def *b)
{
	return a->type == b->type && strcmp(text_or_empty(a->unit), text_or_empty(b->unit)) == 0;
}

bool twin_has_tag(const struct twin_def *t, const char *tag)
{
	return word_find(t->tags, t->n_tags, tag) < t->n_tags;
}
