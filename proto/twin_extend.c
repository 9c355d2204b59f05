/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/check.h"
#include "proto/clock.h"
#include "proto/expr.h"
#include "proto/id.h"

/* ---- What is made ---------------------------------------------------------------------------------------
 */

#define MEMBERS "members"

/* What brings it: a property, or else an alarm; false: nothing does. */
static bool find_maker(const struct type_def *t, enum property_made made, const char *name, size_t *ret,
		       bool *ret_alarm)
{
	const struct property_def *of = type_property(t, name, ret);

	*ret_alarm = false;
	if (made == MADE_HEALTH)
		return t->health.rule != HEALTH_OWN && strcmp(name, MEMBERS) == 0;
	if (made != MADE_ALARM)
		return of && of->settable;
	if (of && of->limits)
		return true;
	*ret_alarm = true;
	return type_alarm(t, name, ret) != NULL;
}

void type_def_mark_made(struct type_def *t)
{
	for (size_t i = 0; i < t->n_properties; i++) {
		struct property_def *p = &t->properties[i];
		p->made = MADE_DECLARED;
		for (enum property_made made = MADE_DESIRED; made < N_MADE; made++) {
			const size_t len = strlen(made_text(made));
			size_t of = 0;
			bool of_alarm;
			if (strncmp(p->name, made_text(made), len) != 0 ||
			    !find_maker(t, made, p->name + len, &of, &of_alarm))
				continue;
			p->made = made;
			p->made_of = (uint16_t)of;
			p->made_of_alarm = of_alarm;
		}
	}
}

bool property_is_desired(const struct type_def *type, const struct property_def *p, size_t *ret_of)
{
	(void)type;
	if (p->made != MADE_DESIRED)
		return false;
	if (ret_of)
		*ret_of = p->made_of;
	return true;
}

const struct property_def *type_made(const struct type_def *type, enum property_made made, const char *of,
				     size_t *ret_index)
{
	const size_t len = strlen(made_text(made));

	for (size_t i = 0; i < type->n_properties; i++) {
		const struct property_def *p = &type->properties[i];
		if (p->made != made || strcmp(p->name + len, of) != 0)
			continue;
		if (ret_index)
			*ret_index = i;
		return p;
	}
	return NULL;
}

struct retention property_retention(const struct type_def *type, const struct property_def *p)
{
	struct retention r = retention_is_said(&p->retention) ? p->retention : type->retention;

	if (r.raw_ns == TIME_MAX)
		r.raw_ns = 0;
	return r;
}

/* ---- Extending ------------------------------------------------------------------------------------------
 */

static int add(struct type_def *t, const struct property_def *p, struct err_note *note)
{
	if (t->n_properties == PROPERTIES_MAX)
		return FAIL_SAY(note, ERR_REFUSED,
				"type '%.80s' has more than %d properties, inherited ones, desired ones and "
				"those of alarms counted",
				t->name, PROPERTIES_MAX);
	t->properties[t->n_properties++] = *p;
	return 0;
}

static int add_inherited(struct type_def *t, const struct type_def *parent, struct err_note *note)
{
	for (size_t i = 0; i < parent->n_properties; i++)
		if (parent->properties[i].made == MADE_DECLARED)
			TRY(add(t, &parent->properties[i], note));
	return 0;
}

static bool same_options(const struct property_def *a, const struct property_def *b)
{
	for (size_t i = 0; a->n_options == b->n_options && i < a->n_options; i++)
		if (strcmp(a->options[i], b->options[i]) != 0)
			return false;
	return a->n_options == b->n_options;
}

/* What a property says nothing of stays as it is above. */
static int inherit(const struct property_def *held, struct property_def *p, const char *type,
		   struct err_note *note)
{
	p->settable = held->settable || p->settable;
	if (!retention_is_said(&p->retention))
		p->retention = held->retention;
	if (!p->limits)
		p->limits = held->limits;
	if (p->tolerance == 0)
		p->tolerance = held->tolerance;
	if (p->settle_ns == 0)
		p->settle_ns = held->settle_ns;
	if (p->n_transitions > 0 || held->n_transitions == 0)
		return 0;
	if (!same_options(held, p))
		return FAIL_SAY(note, ERR_REFUSED,
				"type '%.80s': its property '%.80s' has other options than in the type it "
				"extends: say its transitions anew",
				type, p->name);
	p->transitions = held->transitions;
	p->n_transitions = held->n_transitions;
	return 0;
}

static int add_own(struct type_def *t, const struct property_def *declared, struct err_note *note)
{
	struct property_def p = *declared;
	size_t place;
	const struct property_def *held = type_property(t, p.name, &place);

	p.made = MADE_DECLARED;
	if (!held)
		return add(t, &p, note);
	if (!measures_alike(held, &p))
		return FAIL_SAY(
			note, ERR_REFUSED,
			"type '%.80s': its property '%.80s' is %s in '%s' by the type it extends, not "
			"%s in '%s': give it another name",
			t->name, p.name, value_type_text(held->type), held->unit, value_type_text(p.type),
			p.unit);
	TRY(inherit(held, &p, t->name, note));
	t->properties[place] = p;
	return 0;
}

/* Below the parent's, or in place of one of the same name. */
#define EXTEND_LIST(what, find, MAX) \
	static int extend_##what(struct arena *a, const struct type_def *parent, const struct type_def *own, \
				 struct type_def *t, struct err_note *note) \
	{ \
		const size_t n_above = parent ? parent->n_##what : 0; \
		size_t place; \
		t->what = arena_take_array(a, n_above + own->n_##what, sizeof *t->what); \
		if (!t->what) \
			return FAIL(-ENOMEM); \
		if (n_above > 0) \
			memcpy(t->what, parent->what, n_above * sizeof *t->what); \
		t->n_##what = n_above; \
		for (size_t i = 0; i < own->n_##what; i++) \
			t->what[find(t, own->what[i].name, &place) ? place : t->n_##what++] = own->what[i]; \
		if (t->n_##what > (MAX)) \
			return FAIL_SAY(note, ERR_REFUSED, \
					"type '%.80s' has more than %d " #what ", inherited ones counted", \
					t->name, (MAX)); \
		return 0; \
	}
EXTEND_LIST(alarms, type_alarm, ALARMS_MAX)
EXTEND_LIST(operations, type_operation, OPERATIONS_MAX)

static const char *const brought_by[N_MADE] = {[MADE_DESIRED] = "the settable",
					       [MADE_SETTLE] = "the settable",
					       [MADE_ALARM] = "the alarm of",
					       [MADE_HEALTH] = "the health of"};

static int add_made(struct arena *a, struct type_def *t, enum property_made made, const char *of,
		    const struct property_def *form, struct err_note *note)
{
	struct property_def p = *form;

	p.name = arena_print(a, "%s%s", made_text(made), of);
	if (!p.name)
		return FAIL(-ENOMEM);
	TRY(id_check_name(p.name, "property", note));
	if (type_property(t, p.name, NULL))
		return FAIL_SAY(note, ERR_REFUSED,
				"type '%.80s' has the property '%.80s', which %s '%.80s' brings already",
				t->name, p.name, brought_by[made], of);
	return add(t, &p, note);
}

/* It is of the same form, but nothing follows from it. */
static int add_desired(struct arena *a, struct type_def *t, const struct property_def *of,
		       struct err_note *note)
{
	struct property_def p = *of;

	p.kpi = p.settable = false;
	p.limits = NULL;
	p.tolerance = 0;
	p.settle_ns = 0;
	p.n_transitions = 0;
	return add_made(a, t, MADE_DESIRED, of->name, &p, note);
}

static struct property_def text_kept(struct retention retention)
{
	return (struct property_def){
		.type = VALUE_TEXT, .unit = "", .min = NAN, .max = NAN, .retention = retention};
}

static int add_health(struct arena *a, struct type_def *t, struct err_note *note)
{
	const char **words = arena_take_array(a, N_HEALTHS, sizeof *words);
	struct property_def p = text_kept((struct retention){0});

	if (!words)
		return FAIL(-ENOMEM);
	for (enum health h = HEALTH_UNKNOWN; h < N_HEALTHS; h++)
		words[h] = health_text(h);
	p.type = VALUE_ENUM;
	p.options = words;
	p.n_options = N_HEALTHS;
	return add_made(a, t, MADE_HEALTH, MEMBERS, &p, note);
}

static int add_all_made(struct arena *a, struct type_def *t, struct err_note *note)
{
	const size_t n_plain = t->n_properties;

	for (size_t i = 0; i < n_plain; i++)
		if (t->properties[i].settable)
			TRY(add_desired(a, t, &t->properties[i], note));
	for (size_t i = 0; i < n_plain; i++) {
		const struct property_def *of = &t->properties[i], text = text_kept(of->retention);
		if (of->settable)
			TRY(add_made(a, t, MADE_SETTLE, of->name, &text, note));
	}
	for (size_t i = 0; i < n_plain; i++) {
		const struct property_def *of = &t->properties[i], text = text_kept(of->retention);
		if (of->limits)
			TRY(add_made(a, t, MADE_ALARM, of->name, &text, note));
	}
	for (size_t i = 0; i < t->n_alarms; i++) {
		const struct property_def text = text_kept((struct retention){0});
		TRY(add_made(a, t, MADE_ALARM, t->alarms[i].name, &text, note));
	}
	if (t->health.rule != HEALTH_OWN)
		TRY(add_health(a, t, note));
	type_def_mark_made(t);
	return 0;
}

/* ---- Alarms that name properties ------------------------------------------------------------------------
 */

static const struct property_def *define(void *ctx, const char *name)
{
	return type_property(ctx, name, NULL);
}

static int check_when(struct arena *a, struct type_def *t, const struct alarm_def *alarm,
		      struct err_note *note)
{
	struct err_note why = {0};
	struct expr *e;
	size_t n;

	TRY(expr_parse(a, alarm->when, &e, note));
	const char *const *names = expr_properties(e, &n);
	for (size_t i = 0; i < n; i++)
		if (!type_property(t, names[i], NULL) &&
		    strncmp(names[i], CONTEXT_PREFIX, strlen(CONTEXT_PREFIX)) != 0)
			return FAIL_SAY(note, ERR_REFUSED,
					"type '%.80s', alarm '%.80s': it has no property '%.80s'", t->name,
					alarm->name, names[i]);
	const int r = expr_check(e, define, t, &why);
	if (r == ERR_REFUSED || r == ERR_UNIT)
		return FAIL_SAY(note, ERR_REFUSED, "type '%.80s', alarm '%.80s': %s", t->name, alarm->name,
				why.text);
	return r;
}

static int check_kpis(const struct type_def *t, struct err_note *note)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_properties; i++)
		n += t->properties[i].kpi;
	if (n > KPIS_MAX)
		return FAIL_SAY(note, ERR_REFUSED,
				"type '%.80s' has %zu KPIs, inherited ones counted, at most %d are allowed",
				t->name, n, KPIS_MAX);
	return 0;
}

static int check_parent(const struct type_def *parent, const struct type_def *own, struct err_note *note)
{
	if (parent->kind != own->kind)
		return FAIL_SAY(note, ERR_REFUSED,
				"type '%.80s' is of kind %s and cannot extend '%.80s', which is of kind %s",
				own->name, kind_text(own->kind), parent->name, kind_text(parent->kind));
	return 0;
}

int type_def_extend(struct arena *a, const struct type_def *parent, const struct type_def *own,
		    struct type_def *ret, struct err_note *note)
{
	struct type_def t = *own;
	/* the parent's made ones come again, each own property may bring three */
	const size_t room = (parent ? parent->n_properties : 0) + 4 * own->n_properties + own->n_alarms + 1;

	t.properties = arena_take_array(a, room, sizeof *t.properties);
	t.n_properties = 0;
	if (!t.properties)
		return FAIL(-ENOMEM);
	if (parent) {
		TRY(check_parent(parent, own, note));
		TRY(add_inherited(&t, parent, note));
		if (!retention_is_said(&t.retention))
			t.retention = parent->retention;
		if (t.health.rule == HEALTH_OWN)
			t.health = parent->health;
	}
	for (size_t i = 0; i < own->n_properties; i++)
		TRY(add_own(&t, &own->properties[i], note));
	TRY(extend_alarms(a, parent, own, &t, note));
	TRY(extend_operations(a, parent, own, &t, note));
	TRY(add_all_made(a, &t, note));
	TRY(check_kpis(&t, note));
	for (size_t i = 0; i < t.n_alarms; i++)
		TRY(check_when(a, &t, &t.alarms[i], note));
	*ret = t;
	return 0;
}
