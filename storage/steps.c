/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/steps.h"

#include "proto/words.h"
#include "storage/store_private.h"

static struct staged_key key_of(const char *twin, const char *property)
{
	return (struct staged_key){STAGED_STEP, twin, property, NULL};
}

/* Is the twin in the table made anew by the batch, or taken away? */
static bool twin_goes(const struct batch *b, const char *twin, size_t since)
{
	const struct staged *s = batch_find(b, &(struct staged_key){STAGED_TWIN, twin, NULL, NULL});

	for (; s; s = s->below)
		if (s->gone && s->at >= since)
			return true;
	return false;
}

static const struct twin *held_twin(const struct store *s, const struct batch *b, const char *twin,
				    const char *property, size_t *ret_place)
{
	const struct own_twin *w = twin_goes(b, twin, 0) ? NULL : table_twin(&s->table, twin);

	return w && w->pub.type && type_property(&w->pub.type->def, property, ret_place) ? &w->pub : NULL;
}

struct step step_present(const struct store *s, const struct batch *b, const char *twin, const char *property)
{
	const struct staged_key key = key_of(twin, property);
	const struct staged *top = batch_find(b, &key);
	size_t place;

	if (top && !twin_goes(b, twin, top->at)) {
		const struct sample *last = top->op->samples.samples;
		return (struct step){true, last->t_ns, last->value.text};
	}
	const struct twin *t = held_twin(s, b, twin, property, &place);
	const struct sample last = t ? store_value(s, t, place) : (struct sample){0};
	return last.value.type == VALUE_ENUM ? (struct step){true, last.t_ns, last.value.text}
					     : (struct step){0};
}

static bool same_step(const struct sample *a, const struct sample *b)
{
	return a->t_ns == b->t_ns && strcmp(a->value.text, b->value.text) == 0;
}

/* A sample that comes again is nothing new. */
static int was_taken(struct store *s, const struct batch *b, const char *twin, const char *property,
		     const struct sample *sample, bool *ret)
{
	const struct staged_key key = key_of(twin, property);
	size_t place;

	for (const struct staged *old = batch_find(b, &key); old; old = old->below) {
		*ret = same_step(old->op->samples.samples, sample);
		if (*ret)
			return 0;
	}
	const struct twin *t = held_twin(s, b, twin, property, &place);
	*ret = false;
	return t ? store_history_holds(s, t, place, sample, ret) : 0;
}

int step_check(struct store *s, const struct batch *b, const char *twin, const struct property_def *p,
	       const struct step *present, const struct sample *sample)
{
	const size_t to = word_find(p->options, p->n_options, sample->value.text);
	const size_t from = present->is_taken ? word_find(p->options, p->n_options, present->word) : 0;

	if (present->is_taken && sample->t_ns <= present->t_ns) {
		bool held = sample->t_ns == present->t_ns && from == to;
		if (!held)
			TRY(was_taken(s, b, twin, p->name, sample, &held));
		return held ? STEP_HELD : STEP_LATE;
	}
	/* a word that the type has no more may be left for any other */
	return from == p->n_options || transition_may(p, from, to) ? 0 : STEP_WRONG;
}

int step_take(struct batch *b, const char *twin, const struct property_def *p, const struct sample *sample,
	      size_t mark)
{
	struct sample kept = *sample;
	const struct op seen = {.kind = OP_SAMPLES, .samples = {.samples = &kept, .n = 1}};
	const struct staged_key key = key_of(twin, p->name);

	return batch_note_at(b, &key, &seen, mark);
}
