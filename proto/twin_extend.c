/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "proto/id.h"
#include "proto/twin.h"

#define DESIRED "desired/"
enum { DESIRED_LEN = sizeof DESIRED - 1 };

bool property_is_desired(const struct type_def *type, const struct property_def *p, size_t *ret_of)
{
	const struct property_def *of = NULL;
	size_t place;

	if (strncmp(p->name, DESIRED, DESIRED_LEN) == 0)
		of = type_property(type, p->name + DESIRED_LEN, &place);
	if (!of || !of->settable)
		return false;
	if (ret_of)
		*ret_of = place;
	return true;
}

struct retention property_retention(const struct type_def *type, const struct property_def *p)
{
	struct retention r = retention_is_said(&p->retention) ? p->retention : type->retention;

	if (r.raw_ns == TIME_MAX)
		r.raw_ns = 0;
	return r;
}

static int add(struct type_def *t, const struct property_def *p, struct err_note *note)
{
	if (t->n_properties == PROPERTIES_MAX)
		return FAIL_SAY(
			note, ERR_REFUSED,
			"type '%.80s' has more than %d properties, inherited and desired ones counted",
			t->name, PROPERTIES_MAX);
	t->properties[t->n_properties++] = *p;
	return 0;
}

static int add_inherited(struct type_def *t, const struct type_def *parent, struct err_note *note)
{
	for (size_t i = 0; i < parent->n_properties; i++)
		if (!property_is_desired(parent, &parent->properties[i], NULL))
			TRY(add(t, &parent->properties[i], note));
	return 0;
}

static int add_own(struct type_def *t, const struct property_def *p, struct err_note *note)
{
	size_t place;
	const struct property_def *held = type_property(t, p->name, &place);

	if (!held)
		return add(t, p, note);
	if (!measures_alike(held, p))
		return FAIL_SAY(
			note, ERR_REFUSED,
			"type '%.80s': its property '%.80s' is %s in '%s' by the type it extends, not "
			"%s in '%s': give it another name",
			t->name, p->name, value_type_text(held->type), held->unit, value_type_text(p->type),
			p->unit);
	const bool settable = held->settable || p->settable;
	const struct retention retention = retention_is_said(&p->retention) ? p->retention : held->retention;
	t->properties[place] = *p;
	t->properties[place].settable = settable;
	t->properties[place].retention = retention;
	return 0;
}

static int add_desired(struct arena *a, struct type_def *t, const struct property_def *of,
		       struct err_note *note)
{
	struct property_def p = *of;

	p.name = arena_print(a, DESIRED "%s", of->name);
	if (!p.name)
		return FAIL(-ENOMEM);
	p.kpi = p.settable = false;
	TRY(id_check_name(p.name, "property", note));
	if (type_property(t, p.name, NULL))
		return FAIL_SAY(
			note, ERR_REFUSED,
			"type '%.80s' has the property '%.80s', which the settable '%.80s' brings already",
			t->name, p.name, of->name);
	return add(t, &p, note);
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
	/* the parent's desired ones come again, each own property may bring another */
	const size_t room = (parent ? parent->n_properties : 0) + 2 * own->n_properties;

	t.properties = arena_take_array(a, room, sizeof *t.properties);
	t.n_properties = 0;
	if (!t.properties)
		return FAIL(-ENOMEM);
	if (parent) {
		TRY(check_parent(parent, own, note));
		TRY(add_inherited(&t, parent, note));
		if (!retention_is_said(&t.retention))
			t.retention = parent->retention;
	}
	for (size_t i = 0; i < own->n_properties; i++)
		TRY(add_own(&t, &own->properties[i], note));
	const size_t n_plain = t.n_properties;
	for (size_t i = 0; i < n_plain; i++)
		if (t.properties[i].settable)
			TRY(add_desired(a, &t, &t.properties[i], note));
	TRY(check_kpis(&t, note));
	*ret = t;
	return 0;
}
