/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/table.h"

static void drop_value(struct table *t, struct own_twin *w, size_t i)
{
	struct sample *v = &w->values[i];

	intern_drop(&t->words, v->source);
	if (v->value.type == VALUE_TEXT || v->value.type == VALUE_ENUM)
		intern_drop(&t->words, v->value.text);
	*v = (struct sample){0};
	t->n_series--;
	if (w->series[i].id < t->owners_size)
		t->owners[w->series[i].id] = (struct series_owner){0};
	series_leave(&w->series[i]);
}

struct own_twin *table_series_owner(const struct table *t, uint32_t series, size_t *ret_property)
{
	if (series >= t->owners_size || !t->owners[series].twin)
		return NULL;
	*ret_property = t->owners[series].property;
	return t->owners[series].twin;
}

static int reserve_owners(struct table *t, uint64_t number)
{
	size_t size = t->owners_size ? t->owners_size : 64;

	while (size <= number)
		size *= 2;
	if (size == t->owners_size)
		return 0;
	struct series_owner *owners = realloc(t->owners, size * sizeof *owners);
	if (!owners)
		return FAIL(-ENOMEM);
	memset(owners + t->owners_size, 0, (size - t->owners_size) * sizeof *owners);
	t->owners = owners;
	t->owners_size = size;
	return 0;
}

int twin_set_series(struct table *t, struct own_twin *w, size_t property, uint64_t number)
{
	TRY(reserve_owners(t, number));
	t->owners[number] = (struct series_owner){w, (uint32_t)property};
	w->series[property].id = number;
	return 0;
}

/* Take over what both definitions measure alike; the rest of the old values goes. */
static void move_values(struct table *t, struct own_twin *w, const struct type_def *from,
			const struct type_def *to, struct sample *values, struct series *series)
{
	for (size_t i = 0; from && i < from->n_properties; i++) {
		const struct property_def *p = &from->properties[i], *q;
		size_t place;
		q = to ? type_property(to, p->name, &place) : NULL;
		if (!q || !measures_alike(p, q)) {
			drop_value(t, w, i);
			continue;
		}
		values[place] = w->values[i];
		series_move(&series[place], &w->series[i]);
	}
}

int twin_retype(struct table *t, struct own_twin *w, const struct type_def *from, const struct type_def *to)
{
	const size_t n = to ? to->n_properties : 0;
	struct sample *values = n > 0 ? calloc(n, sizeof *values + sizeof(struct series)) : NULL;

	if (n > 0 && !values)
		return FAIL(-ENOMEM);
	struct series *series = n > 0 ? (struct series *)(void *)&values[n] : NULL;
	move_values(t, w, from, to, values, series);
	free(w->values);
	w->values = values;
	w->series = series;
	for (size_t i = 0; i < n && t->next_series > 0; i++) {
		const uint64_t number = series[i].id ? series[i].id : t->next_series++;
		t->n_series += series[i].id == 0;
		TRY(twin_set_series(t, w, i, number));
	}
	return twin_mark(t, w, DIRTY_VALUES);
}

int twin_set_value(struct table *t, struct own_twin *w, size_t property, const struct sample *s)
{
	struct sample *v = &w->values[property], next = *s;
	const bool is_text = s->value.type == VALUE_TEXT || s->value.type == VALUE_ENUM;

	TRY(intern_take(&t->words, s->source && *s->source ? s->source : NULL, &next.source));
	if (is_text) {
		TRY(intern_take(&t->words, s->value.text, &next.value.text));
		intern_drop(&t->words, v->value.type == VALUE_NONE ? NULL : v->value.text);
	}
	intern_drop(&t->words, v->source);
	*v = next;
	return 0;
}

static bool is_kpi(const struct type *type, size_t property)
{
	return type->def.properties[property].kpi;
}

static int add_sample(struct table *t, struct own_twin *w, size_t property, const struct sample *s,
		      bool keep_history)
{
	struct series *series = &w->series[property];
	const struct sample *v = &w->values[property];

	if (keep_history)
		TRY(series_add(t->history, series, s));
	if (v->value.type != VALUE_NONE && (s->t_ns < v->t_ns || sample_equal(s, v)))
		return 0;
	TRY(twin_set_value(t, w, property, s));
	TRY(twin_mark(t, w, DIRTY_VALUES));
	return is_kpi(w->pub.type, property) ? table_touch(t, w) : 0;
}

int table_add_samples(struct table *t, const struct op_samples *samples, bool keep_history)
{
	struct own_twin *w = table_twin(t, samples->twin);
	size_t property;

	if (!w || w->pub.deleted || !w->pub.type)
		return 0;
	const struct property_def *p = type_property(&w->pub.type->def, samples->property, &property);
	for (size_t i = 0; p && i < samples->n; i++)
		if (samples->samples[i].value.type == p->type)
			TRY(add_sample(t, w, property, &samples->samples[i], keep_history));
	return 0;
}
