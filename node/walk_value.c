/* SPDX-License-Identifier: Apache-2.0 */
#include "node/context.h"
#include "node/walk_private.h"
#include "proto/words.h"

/* A reading of the surroundings; of times past there is none. */
static void around_value(struct walk *w, struct holder *h, size_t need, struct sample *ret,
			 const char **ret_unit)
{
	const char *name = w->needs.property[need];
	struct context_value v;

	if (h->past || strncmp(name, CONTEXT_PREFIX, strlen(CONTEXT_PREFIX)) != 0 ||
	    !context_value(w->e, h->twin, name + strlen(CONTEXT_PREFIX), w->to, w->rows, &v))
		return;
	*ret = v.sample;
	*ret_unit = v.unit;
}

static int live_value(struct walk *w, struct holder *h, size_t need, struct sample *ret,
		      const char **ret_unit)
{
	const int place = h->type ? h->type->place[need] : -1;
	const struct past *past = h->past;
	int64_t at_ns;

	if (place < 0) {
		around_value(w, h, need, ret, ret_unit);
		return 0;
	}
	const struct property_def *p = &h->twin->type->def.properties[place];
	*ret_unit = p->unit;
	if (!walk_may_have(w, &h->sight->need[need], p->kpi, past, past ? past->t_ns[h->at] : 0, &at_ns)) {
		h->withheld = true;
		return 0;
	}
	if (past)
		return walk_past_value(w, h, need, (size_t)place, ret);
	*ret = store_value(w->e->store, h->twin, (size_t)place);
	return 0;
}

static void cached_value(struct walk *w, struct holder *h, size_t need, struct sample *ret,
			 const char **ret_unit)
{
	const struct kpi *k = row_kpi(h->row, w->needs.property[need]);
	int64_t ignored;

	if (!k)
		return;
	if (!walk_may_have(w, &h->sight->need[need], true, false, 0, &ignored)) {
		h->withheld = true;
		return;
	}
	*ret = k->sample;
	*ret_unit = k->unit;
}

int walk_value(struct walk *w, struct holder *h, size_t need, struct sample *ret, const char **ret_unit,
	       bool *ret_has)
{
	*ret = (struct sample){0};
	*ret_unit = "";
	if (h->twin)
		TRY(live_value(w, h, need, ret, ret_unit));
	else
		cached_value(w, h, need, ret, ret_unit);
	*ret_has = ret->value.type != VALUE_NONE;
	return 0;
}

/* ---- Roll-ups ---------------------------------------------------------------------------------------------
 */

/* A text where a number is asked for, from across a border: the owner put it there. */
static bool is_token(const struct holder *h, const struct value *v)
{
	return h->row && h->row->mask != ROW_MASK_ALL && v->type == VALUE_TEXT;
}

static int add_number(struct walk *w, struct rollup_state *state, const struct rollup_spec *spec,
		      struct rollup_item *item)
{
	struct err_note note = {0};

	if (state->n == 0 || strcmp(state->unit, item->unit) != 0)
		item->unit = walk_text(w, item->unit); /* it stays with the state, while the row goes */
	else
		item->unit = state->unit;
	if (!item->unit)
		return FAIL(-ENOMEM);
	const int r = rollup_add(w->arena, spec, state, item, &note);
	return r == ERR_UNIT ? walk_problem(w, note.text) : r;
}

/* The states of one roll-up that a value goes into: the anchor's and those of its groups. */
struct targets {
	size_t anchor; /* SIZE_MAX: none */
	const size_t *cells;
	size_t n_cells;
};

static size_t n_targets(const struct targets *t)
{
	return t->n_cells + (t->anchor != SIZE_MAX);
}

static struct rollup_state *target(struct walk *w, const struct targets *t, size_t i, size_t rollup)
{
	return i < t->n_cells ? &w->part->cells[t->cells[i]].rollups[rollup]
			      : &w->part->members[t->anchor].rollups[rollup];
}

static int present_number(struct walk *w, struct holder *h, size_t need, struct rollup_item *ret,
			  bool *ret_has)
{
	const int place = h->type ? h->type->place[need] : -1;
	struct store_number v;
	int64_t ignored;

	*ret_has = false;
	if (place < 0)
		return 0;
	const struct property_def *p = &h->twin->type->def.properties[place];
	if (!walk_may_have(w, &h->sight->need[need], p->kpi, false, 0, &ignored)) {
		h->withheld = true;
		return 0;
	}
	*ret_has = store_number(w->e->store, h->twin, (size_t)place, &v);
	if (*ret_has)
		*ret = (struct rollup_item){v.number, v.sigma, v.quality, v.t_ns, p->unit, ret->twin};
	return 0;
}

/* The number that answers a need. Live and of today there is a shorter way. */
static int find_number(struct walk *w, struct holder *h, size_t need, struct rollup_item *ret, bool *ret_has)
{
	struct sample sample;

	if (h->twin && !h->past)
		return present_number(w, h, need, ret, ret_has);
	TRY(walk_value(w, h, need, &sample, &ret->unit, ret_has));
	if (!*ret_has)
		return 0;
	*ret_has = value_number(&sample.value, &ret->number);
	h->withheld = h->withheld || (!*ret_has && is_token(h, &sample.value));
	ret->sigma = sample.sigma;
	ret->quality = sample.quality;
	ret->t_ns = sample.t_ns;
	ret->unit = text_or_empty(ret->unit);
	return 0;
}

static int add_numbers(struct walk *w, const struct targets *t, struct holder *h, size_t need, const char *id)
{
	struct rollup_item item = {.twin = id};
	bool has;

	TRY(find_number(w, h, need, &item, &has));
	for (size_t k = 0; has && k < w->q->n_rollups; k++)
		for (size_t i = 0; w->needs.of_rollup[k] == need && i < n_targets(t); i++) {
			struct rollup_item mine = item;
			TRY(add_number(w, target(w, t, i, k), &w->q->rollups[k], &mine));
		}
	return 0;
}

int walk_roll_up(struct walk *w, const struct step *s, struct holder *h, const struct expr_twin *face)
{
	size_t cells[TAGS_MAX], n_cells;

	TRY(walk_groups(w, h, face, cells, &n_cells));
	const struct targets t = {s->anchor, cells, n_cells};
	for (size_t need = 0; need < w->needs.where; need++)
		TRY(add_numbers(w, &t, h, need, s->id));
	for (size_t k = 0; k < w->q->n_rollups; k++)
		for (size_t i = 0; w->needs.of_rollup[k] == SIZE_MAX && i < n_targets(&t); i++)
			rollup_add_member(&w->q->rollups[k], target(w, &t, i, k), h->health);
	for (size_t i = 0; i < n_cells; i++)
		w->part->cells[cells[i]].members++;
	return 0;
}

/* ---- Showing ----------------------------------------------------------------------------------------------
 */

int walk_show_values(struct walk *w, struct holder *h, struct view_member *m)
{
	const bool withheld = h->withheld;

	for (size_t i = w->needs.show; i < w->needs.n; i++) {
		struct sample sample;
		const char *unit;
		bool has;
		TRY(walk_value(w, h, i, &sample, &unit, &has));
		if (!has)
			continue;
		struct kpi *k = arena_push(w->arena, &m->values, &m->n_values, sizeof *k);
		if (!k)
			return FAIL(-ENOMEM);
		*k = (struct kpi){.property = w->needs.property[i],
				  .unit = walk_text(w, text_or_empty(unit))};
		TRY(value_copy(w->arena, &sample.value, &sample.value));
		k->sample = sample;
		k->sample.source = NULL;
		if (!k->unit)
			return FAIL(-ENOMEM);
	}
	h->withheld = withheld; /* what is only shown is not needed */
	return 0;
}
