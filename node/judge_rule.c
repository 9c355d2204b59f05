/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "node/context.h"
#include "node/judge_private.h"
#include "proto/words.h"

/* ---- What there is to judge
 * --------------------------------------------------------------------------------
 */

static bool is_of_surroundings(const char *name)
{
	return strncmp(name, CONTEXT_PREFIX, strlen(CONTEXT_PREFIX)) == 0;
}

/* Ages and surroundings change by themselves. */
static bool changes_by_time(const struct rule *rule)
{
	size_t n;
	const char *const *names = expr_properties(rule->when, &n);
	bool any = strstr(rule->alarm->when, "age") != NULL;

	for (size_t i = 0; i < n; i++)
		any |= is_of_surroundings(names[i]);
	return any;
}

static int read_alarm(struct rules *r, struct rule *rule)
{
	const int code = expr_parse(r->arena, rule->alarm->when, &rule->when, NULL);

	if (code < 0) {
		rule->when = NULL;
		return code == -ENOMEM ? code : 0;
	}
	rule->by_time = changes_by_time(rule);
	return 0;
}

static int add_rule(struct rules *r, const struct type_def *def, size_t place)
{
	const struct property_def *made = &def->properties[place];
	struct rule *rule = &r->rules[r->n];

	*rule = (struct rule){.place = (uint16_t)place};
	r->alarms[place] = (uint16_t)++r->n;
	if (made->made_of_alarm) {
		rule->alarm = &def->alarms[made->made_of];
		TRY(read_alarm(r, rule));
		r->speaks = true;
	} else {
		rule->of = &def->properties[made->made_of];
		rule->of_place = made->made_of;
		rule->by_time = rule->of->limits->stale_ns > 0;
		r->limits[made->made_of] = (uint16_t)r->n;
	}
	r->by_time |= rule->by_time;
	return 0;
}

static void free_rules(struct rules *r)
{
	if (!r)
		return;
	arena_free(r->arena);
	free(r);
}

DEFINE_SCOPED(rules, free_rules)

int judge_rules(struct judge *j, const struct type *type, struct rules **ret)
{
	const struct type_def *def = &type->def;

	if (!j->latest || j->latest->type != type)
		j->latest = map_get(&j->rules, def->name);
	*ret = j->latest;
	if (*ret)
		return 0;
	SCOPED(scope_rules) struct rules *r = calloc(1, sizeof *r);
	if (!r)
		return FAIL(-ENOMEM);
	r->type = type;
	TRY(arena_new(&r->arena, SIZE_MAX));
	r->rules = arena_take_array(r->arena, def->n_properties + 1, sizeof *r->rules);
	if (!r->rules)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < def->n_properties; i++)
		if (def->properties[i].made == MADE_ALARM)
			TRY(add_rule(r, def, i));
	TRY(map_put(&j->rules, def->name, r));
	*ret = MOVE(r);
	return 0;
}

void judge_forget_rules(struct judge *j)
{
	size_t at = 0;

	for (const struct map_entry *x; (x = map_next(&j->rules, &at));)
		free_rules(x->value);
	map_fini(&j->rules);
	j->rules = (struct map){0};
	j->latest = NULL;
}

/* ---- Is it true?
 * -------------------------------------------------------------------------------------------
 */

struct look {
	const struct judge *j;
	const struct twin *twin;
};

static bool property_of(void *ctx, size_t slot, const char *name, struct sample *ret, const char **ret_unit)
{
	const struct look *look = ctx;
	size_t place;

	(void)slot;
	if (is_of_surroundings(name)) {
		const struct audience own = audience_of("");
		struct context_value v;
		if (!context_value(look->j->e, look->twin, name + strlen(CONTEXT_PREFIX), &own,
				   look->j->scratch, &v))
			return false;
		*ret = v.sample;
		*ret_unit = v.unit;
		return true;
	}
	const struct property_def *p = type_property(&look->twin->type->def, name, &place);
	if (!p)
		return false;
	*ret = store_value(look->j->e->store, look->twin, place);
	*ret_unit = text_or_empty(p->unit);
	return ret->value.type != VALUE_NONE;
}

static bool find_position(const struct judge *j, const struct twin *t, struct position *ret)
{
	for (size_t i = 0; i < t->type->def.n_properties; i++) {
		if (t->type->def.properties[i].type != VALUE_POSITION)
			continue;
		const struct sample s = store_value(j->e->store, t, i);
		*ret = s.value.position;
		return s.value.type == VALUE_POSITION;
	}
	return false;
}

/* The health of the twin follows from its alarms: here it is unknown. */
bool judge_is_true(struct judge *j, const struct rule *rule, const struct twin *t, int64_t now_ns)
{
	const struct twin_def def = store_twin_def(t);
	struct position position;
	struct look look = {j, t};

	if (!rule->when)
		return false;
	const struct expr_twin face = {
		.id = t->id,
		.name = text_or_empty(def.name),
		.type = t->type->def.name,
		.kind = t->kind,
		.life = twin_life_at(&def, INT64_MAX),
		.tags = (const char *const *)def.tags,
		.n_tags = def.n_tags,
		.position =
			expr_uses_position(rule->when) && find_position(j, t, &position) ? &position : NULL,
		.now_ns = now_ns,
		.property = property_of,
		.ctx = &look,
	};
	return expr_truth(rule->when, &face) == TRUTH_TRUE;
}
