/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/table.h"

struct sample twin_value(const struct table *t, const struct own_twin *w, size_t property)
{
	return values_get(&t->values, twin_series(w, property), w->pub.type->def.properties[property].type);
}

/* ---- Which series a twin has ------------------------------------------------------------------------------
 */

/* Take over what both definitions measure alike into `map`; the rest of the old series goes. */
static int keep_series(struct table *t, const struct own_twin *w, const struct type_def *from,
		       const struct type_def *to, uint32_t *map)
{
	for (size_t i = 0; from && i < from->n_properties; i++) {
		const struct property_def *p = &from->properties[i], *q;
		size_t place;
		q = to ? type_property(to, p->name, &place) : NULL;
		if (q && measures_alike(p, q)) {
			map[place] = twin_series(w, i);
			continue;
		}
		bands_reset(&t->bands, twin_series(w, i));
		TRY(values_drop(&t->values, twin_series(w, i)));
		t->n_series--;
	}
	return 0;
}

/* New ones for the places that have none. */
static int give_series(struct table *t, const struct own_twin *w, uint32_t *map, size_t n)
{
	uint32_t n_fresh = 0, first;

	for (size_t i = 0; i < n; i++)
		n_fresh += map[i] == 0;
	if (n_fresh == 0)
		return 0;
	TRY(values_give(&t->values, n_fresh, w->number, &first));
	t->n_series += n_fresh;
	for (size_t i = 0; i < n; i++)
		if (map[i] == 0)
			map[i] = first++;
	return 0;
}

static bool is_row(const uint32_t *map, size_t n)
{
	if (map[0] % VALUES_BLOCK + n > VALUES_BLOCK)
		return false;
	for (size_t i = 1; i < n; i++)
		if (map[i] != map[0] + i)
			return false;
	return true;
}

int twin_retype(struct table *t, struct own_twin *w, const struct type_def *from, const struct type_def *to)
{
	const size_t n = to ? to->n_properties : 0;
	uint32_t map[PROPERTIES_MAX] = {0}, *kept = NULL;

	TRY(twin_mark(t, w->number));
	TRY(keep_series(t, w, from, to, map));
	TRY(give_series(t, w, map, n));
	if (!is_row(map, n)) {
		kept = malloc(n * sizeof *kept);
		if (!kept)
			return FAIL(-ENOMEM);
		memcpy(kept, map, n * sizeof *kept);
	}
	free(w->map);
	w->map = kept;
	w->first = n > 0 ? map[0] : 0;
	return 0;
}

/* ---- Samples ----------------------------------------------------------------------------------------------
 */

/* `r`: 0 when it is the present value now; `note`: of a series that is watched. */
static int show(struct table *t, const struct series_place *at, int r, struct band_note *note)
{
	if (r == VALUES_OLD)
		return 0;
	TRY(r);
	if (note)
		bands_see(&t->bands, at->def->limits, at->twin->pub.type->watched[at->property], note);
	return property_is_in_row(at->def) ? table_touch(t, at->twin) : 0;
}

static bool is_watched(const struct series_place *at)
{
	const uint8_t *watched = at->twin->pub.type->watched;

	return watched && watched[at->property] != 0;
}

int table_add_sample(struct table *t, uint32_t series, const struct series_place *at, const struct sample *s)
{
	const bool watched = is_watched(at);
	struct band_note note;

	TRY(history_add(t->history, series, values_chain(&t->values, series), s));
	if (watched) {
		note = bands_before(&t->values, series, at->def->type);
		note.t_ns = s->t_ns;
		note.quality = s->quality;
		value_number(&s->value, &note.number);
	}
	return show(t, at, values_set(&t->values, series, s), watched ? &note : NULL);
}

int table_add_number(struct table *t, uint32_t series, const struct series_place *at, int64_t t_ns,
		     uint64_t bits, enum quality quality, const char *source)
{
	const bool watched = is_watched(at);
	struct band_note note;

	TRY(history_add_number(t->history, series, values_chain(&t->values, series), t_ns, at->def->type,
			       bits, quality, source));
	if (watched) {
		note = bands_before(&t->values, series, at->def->type);
		note.t_ns = t_ns;
		note.quality = quality;
		note.number = at->def->type == VALUE_DOUBLE ? bits_double(bits) : (double)(int64_t)bits;
	}
	return show(t, at, values_set_number(&t->values, series, t_ns, bits, quality, source),
		    watched ? &note : NULL);
}

int table_add_samples(struct table *t, const struct op_samples *samples)
{
	struct own_twin *w = table_twin(t, samples->twin);
	struct series_place at = {.twin = w};

	if (!w || w->pub.deleted || !w->pub.type)
		return 0;
	at.def = type_property(&w->pub.type->def, samples->property, &at.property);
	for (size_t i = 0; at.def && i < samples->n; i++)
		if (samples->samples[i].value.type == at.def->type)
			TRY(table_add_sample(t, twin_series(w, at.property), &at, &samples->samples[i]));
	return 0;
}
