/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/twin.h"

#include "proto/words.h"

static const char *const kind_words[N_KINDS] = {"component",         "asset",      "system", "process",
						"system-of-systems", "environment"};
static const char *const life_words[N_LIFE_CYCLES] = {"design",    "build",       "commissioned",
						      "operating", "maintenance", "retired"};
static const char *const health_words[N_HEALTHS] = {"unknown", "good", "warning", "alarm"};
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

bool measures_alike(const struct property_def *a, const struct property_def *b)
{
	return a->type == b->type && strcmp(text_or_empty(a->unit), text_or_empty(b->unit)) == 0;
}

bool twin_has_tag(const struct twin_def *t, const char *tag)
{
	return word_find(t->tags, t->n_tags, tag) < t->n_tags;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(text_or_empty(a), text_or_empty(b)) == 0;
}

static bool same_bound(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static bool same_texts(const char *const *a, size_t n_a, const char *const *b, size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return n_a == n_b;
}

static bool same_life(const struct twin_def *a, const struct twin_def *b)
{
	for (size_t i = 0; a->n_life == b->n_life && i < a->n_life; i++)
		if (a->life[i].state != b->life[i].state || a->life[i].since_ns != b->life[i].since_ns)
			return false;
	return a->n_life == b->n_life;
}

bool twin_def_equal(const struct twin_def *a, const struct twin_def *b)
{
	return same_text(a->id, b->id) && same_text(a->type, b->type) && a->kind == b->kind &&
	       same_text(a->name, b->name) && same_texts(a->tags, a->n_tags, b->tags, b->n_tags) &&
	       same_texts(a->aliases, a->n_aliases, b->aliases, b->n_aliases) && same_life(a, b);
}

static bool same_retention(const struct retention *a, const struct retention *b)
{
	return a->raw_ns == b->raw_ns && a->minute_ns == b->minute_ns && a->hour_ns == b->hour_ns;
}

static bool same_property(const struct property_def *a, const struct property_def *b)
{
	return same_text(a->name, b->name) && measures_alike(a, b) && same_bound(a->min, b->min) &&
	       same_bound(a->max, b->max) && a->kpi == b->kpi && a->settable == b->settable &&
	       same_retention(&a->retention, &b->retention) &&
	       same_texts(a->options, a->n_options, b->options, b->n_options);
}

bool type_def_equal(const struct type_def *a, const struct type_def *b)
{
	if (!same_text(a->name, b->name) || !same_text(a->parent, b->parent) || a->version != b->version ||
	    a->kind != b->kind || !same_retention(&a->retention, &b->retention) ||
	    a->n_properties != b->n_properties)
		return false;
	for (size_t i = 0; i < a->n_properties; i++)
		if (!same_property(&a->properties[i], &b->properties[i]))
			return false;
	return true;
}

bool relation_equal(const struct relation *a, const struct relation *b)
{
	return same_text(a->type, b->type) && same_text(a->from, b->from) && same_text(a->to, b->to) &&
	       a->valid_from_ns == b->valid_from_ns && a->valid_to_ns == b->valid_to_ns;
}

static int copy_text(struct arena *a, const char *text, const char **ret)
{
	*ret = arena_copy(a, text_or_empty(text));
	return *ret ? 0 : FAIL(-ENOMEM);
}

static int copy_texts(struct arena *a, const char *const *texts, size_t n, const char ***ret)
{
	const char **copy = arena_take_array(a, n, sizeof *copy);

	if (!copy)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		TRY(copy_text(a, texts[i], &copy[i]));
	*ret = copy;
	return 0;
}

int twin_def_copy(struct arena *a, const struct twin_def *t, struct twin_def *ret)
{
	struct twin_def copy = *t;

	TRY(copy_text(a, t->id, &copy.id));
	TRY(copy_text(a, t->type, &copy.type));
	TRY(copy_text(a, t->name, &copy.name));
	TRY(copy_texts(a, t->tags, t->n_tags, &copy.tags));
	TRY(copy_texts(a, t->aliases, t->n_aliases, &copy.aliases));
	copy.life = arena_take_array(a, t->n_life, sizeof *copy.life);
	if (!copy.life)
		return FAIL(-ENOMEM);
	if (t->n_life > 0)
		memcpy(copy.life, t->life, t->n_life * sizeof *copy.life);
	*ret = copy;
	return 0;
}

static int copy_property(struct arena *a, const struct property_def *p, struct property_def *ret)
{
	*ret = *p;
	TRY(copy_text(a, p->name, &ret->name));
	TRY(copy_text(a, p->unit, &ret->unit));
	TRY(copy_texts(a, p->options, p->n_options, &ret->options));
	return 0;
}

int type_def_copy(struct arena *a, const struct type_def *t, struct type_def *ret)
{
	struct type_def copy = *t;

	TRY(copy_text(a, t->name, &copy.name));
	TRY(copy_text(a, t->parent, &copy.parent));
	copy.properties = arena_take_array(a, t->n_properties, sizeof *copy.properties);
	if (!copy.properties)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < t->n_properties; i++)
		TRY(copy_property(a, &t->properties[i], &copy.properties[i]));
	*ret = copy;
	return 0;
}
