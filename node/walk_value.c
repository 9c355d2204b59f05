/* SPDX-License-Identifier: Apache-2.0 */
#include "node/walk_private.h"
#include "proto/words.h"

/* May the asker have this value? As-of is history, and as coarse: a share with a step shows the value at its
 * last full step, not between. A KPI comes with the summary too. */
bool walk_may_have(const struct walk *w, const struct row *row, const char *property, bool kpi,
		   int64_t *ret_at_ns)
{
	const struct egress *e = &w->e->egress;
	int64_t last_ns, step_ns;

	*ret_at_ns = w->q->as_of_ns;
	if (walk_is_own(w))
		return true;
	if (!w->q->has_as_of)
		return egress_value(e, w->to, row, property, kpi) == FORM_PLAIN;
	if (!egress_history(e, w->to, row, property, &last_ns, &step_ns))
		return false;
	if (step_ns > 0)
		*ret_at_ns -= ((*ret_at_ns % step_ns) + step_ns) % step_ns;
	return last_ns == 0 || *ret_at_ns >= trust_now(e->trust) - last_ns;
}

static int add_value(struct walk *w, const struct step *s, size_t rollup, const struct sample *sample,
		     const char *unit)
{
	struct rollup_state *state = &w->part->members[s->anchor].rollups[rollup];
	struct rollup_item item = {.sigma = sample->sigma,
				   .quality = sample->quality,
				   .t_ns = sample->t_ns,
				   .unit = text_or_empty(unit),
				   .twin = s->id};
	const char *const before = state->unit;
	struct err_note note = {0};

	if (!value_number(&sample->value, &item.number))
		return 0;
	int r = rollup_add(w->arena, &w->q->rollups[rollup], state, &item, &note);
	if (r == 0 && state->unit != before) { /* it stays with the state, while the row goes */
		state->unit = arena_copy(w->arena, state->unit);
		r = state->unit ? 0 : FAIL(-ENOMEM);
	}
	return r == ERR_UNIT ? walk_problem(w, note.text) : r;
}

/* Whether a property is withheld is decided by its name alone, unless the asker could read it anyway: else
 * the count would tell which properties a twin has. */
static bool hides_name(const struct walk *w, const struct row *row, const char *property)
{
	int64_t at_ns;

	return !walk_is_own(w) && egress_value(&w->e->egress, w->to, row, property, true) != FORM_PLAIN &&
	       !walk_may_have(w, row, property, false, &at_ns);
}

static int add_live_value(struct walk *w, const struct step *s, size_t rollup, const struct twin *t,
			  const struct row *row, bool *ret_withheld)
{
	size_t place;
	const struct property_def *p =
		t->type ? type_property(&t->type->def, w->q->rollups[rollup].property, &place) : NULL;
	struct sample sample;
	int64_t at_ns;

	if (!p)
		return 0;
	if (!walk_may_have(w, row, p->name, p->kpi, &at_ns)) {
		*ret_withheld = true;
		return 0;
	}
	if (!w->q->has_as_of) {
		sample = store_value(w->e->store, t, place);
		return add_value(w, s, rollup, &sample, p->unit);
	}
	int r = store_value_at(w->e->store, t, place, at_ns, w->rows, &sample);
	TRY(r);
	return r == STORE_ABSENT ? 0 : add_value(w, s, rollup, &sample, p->unit);
}

/* A text where a number is asked for, from across a border: the owner put it there. */
static bool is_token(const struct row *row, const struct kpi *k)
{
	return row->mask != ROW_MASK_ALL && k->sample.value.type == VALUE_TEXT;
}

static int add_cached_value(struct walk *w, const struct step *s, size_t rollup, const struct row *row,
			    bool *ret_withheld)
{
	const struct kpi *k = row_kpi(row, w->q->rollups[rollup].property);
	int64_t at_ns;

	if (!k)
		return 0;
	if (!walk_may_have(w, row, k->property, true, &at_ns) || is_token(row, k)) {
		*ret_withheld = true;
		return 0;
	}
	return add_value(w, s, rollup, &k->sample, k->unit);
}

/* Health comes with the summary; without it nothing is known of it. */
static enum health health_shown(const struct walk *w, const struct row *row)
{
	const bool shown = walk_is_own(w) || (egress_mask(&w->e->egress, w->to, row) & ROW_MASK_SUMMARY);

	return shown ? row->health : HEALTH_UNKNOWN;
}

int walk_add_values(struct walk *w, const struct step *s, const struct twin *t, const struct row *row,
		    bool *ret_withheld)
{
	for (size_t i = 0; i < w->q->n_rollups; i++) {
		const struct rollup_spec *spec = &w->q->rollups[i];
		if (rollup_counts_members(spec))
			rollup_add_member(spec, &w->part->members[s->anchor].rollups[i],
					  health_shown(w, row));
		else if (hides_name(w, row, spec->property))
			*ret_withheld = true;
		else
			TRY(t ? add_live_value(w, s, i, t, row, ret_withheld)
			      : add_cached_value(w, s, i, row, ret_withheld));
	}
	return 0;
}
