/* SPDX-License-Identifier: Apache-2.0 */
/* Values of the past: of each property that is asked for one look into its history, for all times. */
#include "node/walk_private.h"

int walk_past_begin(struct walk *w, struct past *past)
{
	past->points = arena_take_array(w->rows, w->needs.n, sizeof *past->points);
	past->health = NULL;
	return past->points ? 0 : FAIL(-ENOMEM);
}

/* The same property may be asked for by several. */
static struct point *found_before(const struct walk *w, const struct past *past, size_t need)
{
	for (size_t i = 0; i < w->needs.n; i++)
		if (past->points[i] && strcmp(w->needs.property[i], w->needs.property[need]) == 0)
			return past->points[i];
	return NULL;
}

static int look_up(struct walk *w, const struct holder *h, size_t place, const int64_t *t_ns,
		   struct point **ret)
{
	struct point *points = arena_take_array(w->rows, h->past->n, sizeof *points);

	if (!points)
		return FAIL(-ENOMEM);
	TRY(store_points(w->e->store, h->twin, place, t_ns, h->past->n, w->rows, points));
	*ret = points;
	return 0;
}

/* A share with a step shows the value at its last full step: those times do not fall either. */
static int load(struct walk *w, const struct holder *h, size_t need, size_t place)
{
	struct past *past = h->past;
	int64_t *t_ns = arena_take_array(w->rows, past->n, sizeof *t_ns);

	past->points[need] = found_before(w, past, need);
	if (past->points[need])
		return 0;
	if (!t_ns)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < past->n; i++)
		ignore(walk_may_have(w, &h->sight->need[need], false, true, past->t_ns[i], &t_ns[i]));
	return look_up(w, h, place, t_ns, &past->points[need]);
}

static void note_known(struct holder *h, const struct point *p)
{
	h->coarse = h->coarse || p->known == KNOWN_COARSE;
	h->expired = h->expired || p->known == KNOWN_EXPIRED;
}

int walk_past_value(struct walk *w, struct holder *h, size_t need, size_t place, struct sample *ret)
{
	if (!h->past->points[need])
		TRY(load(w, h, need, place));
	note_known(h, &h->past->points[need][h->at]);
	*ret = h->past->points[need][h->at].sample;
	return 0;
}

/* ---- Health -----------------------------------------------------------------------------------------------
 */

static int load_health(struct walk *w, struct holder *h)
{
	const struct type *type = h->twin->type;
	struct past *past = h->past;
	struct point *points;

	past->health = arena_take_array(w->rows, past->n, sizeof *past->health);
	past->doubt = arena_take_array(w->rows, past->n, sizeof *past->doubt);
	if (!past->health || !past->doubt)
		return FAIL(-ENOMEM);
	for (size_t k = 0; type && k < type->def.n_properties; k++) {
		if (!property_is_in_row(&type->def.properties[k]))
			continue;
		TRY(look_up(w, h, k, past->t_ns, &points));
		for (size_t i = 0; i < past->n; i++) {
			const enum health health = summary_health_of(type, k, &points[i].sample);
			past->health[i] = health > past->health[i] ? health : past->health[i];
			past->doubt[i] = points[i].known > past->doubt[i] ? points[i].known : past->doubt[i];
		}
	}
	return 0;
}

int walk_past_health(struct walk *w, struct holder *h, bool needed, enum health *ret)
{
	if (!h->past->health)
		TRY(load_health(w, h));
	*ret = h->past->health[h->at];
	if (needed)
		note_known(h, &(struct point){.known = h->past->doubt[h->at]});
	return 0;
}
