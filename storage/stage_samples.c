/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "proto/clock.h"
#include "storage/column.h"
#include "storage/stage.h"
#include "storage/steps.h"
#include "storage/store_private.h"

bool stage_is_expired(const struct type_def *type, const struct property_def *p, int64_t newest_ns,
		      int64_t t_ns)
{
	const struct retention r = property_retention(type, p);
	int64_t oldest_ns;

	return r.raw_ns != 0 && !__builtin_sub_overflow(newest_ns, r.raw_ns, &oldest_ns) &&
	       !__builtin_sub_overflow(oldest_ns, r.minute_ns, &oldest_ns) &&
	       !__builtin_sub_overflow(oldest_ns, r.hour_ns, &oldest_ns) && t_ns < oldest_ns;
}

/* What the samples are of. */
struct subject {
	const struct type_def *type;
	const struct property_def *property;
	bool is_measured; /* in the table, that is: what the batch brings is no older than what is there */
	int64_t newest_ns;
};

static int check_time(const struct stage *g, const struct op_samples *in, const struct sample *s,
		      const struct subject *of)
{
	if (s->t_ns > g->now_ns && (uint64_t)s->t_ns - (uint64_t)g->now_ns > (uint64_t)AHEAD_MAX_NS) {
		char at[TIME_TEXT_SIZE];
		return FAIL_SAY(g->note, ERR_REFUSED,
				"%s of %s at %s is more than 5 minutes ahead of the clock", in->property,
				in->twin, time_text(s->t_ns, at));
	}
	if (of->is_measured && stage_is_expired(of->type, of->property, of->newest_ns, s->t_ns))
		return FAIL_SAY(g->note, ERR_REFUSED, "%s of %s: %s", in->property, in->twin,
				sample_refusal_text(SAMPLE_EXPIRED));
	return 0;
}

static int check_step(const struct stage *g, const struct op_samples *in, const struct sample *s,
		      const struct subject *of, struct step *last)
{
	char at[TIME_TEXT_SIZE];
	const int r = step_check(g->store, g->batch, in->twin, of->property, last, s);

	TRY(r);
	if (r == STEP_LATE)
		return FAIL_SAY(
			g->note, ERR_REFUSED,
			"%s of %s: %s comes too late: it is %s since %s, and steps are taken in the order "
			"of time",
			in->property, in->twin, s->value.text, last->word, time_text(last->t_ns, at));
	if (r == STEP_WRONG)
		return FAIL_SAY(g->note, ERR_REFUSED, "%s of %s: %s does not follow %s", in->property,
				in->twin, s->value.text,
				last->is_taken ? last->word : of->property->options[0]);
	if (r == 0)
		*last = (struct step){true, s->t_ns, s->value.text};
	return 0;
}

static int check_sample(const struct stage *g, const struct op_samples *in, size_t i,
			const struct subject *of, struct step *last)
{
	const struct sample *s = &in->samples[i];
	int r = property_accepts(of->property, s, g->note);

	if (r == 0)
		r = check_time(g, in, s, of);
	if (r == 0 && has_steps(of->property))
		r = check_step(g, in, s, of, last);
	if (r == ERR_REFUSED && g->ret_bad)
		*g->ret_bad = i;
	return r;
}

static bool is_non_finite(const struct sample *s)
{
	return s->value.type == VALUE_DOUBLE && !isfinite(s->value.real);
}

/* NaN and infinity are kept, with quality bad: *ret is then a copy, to be freed. */
static int mark_non_finite(const struct op_samples *in, struct sample **ret)
{
	size_t n_bad = 0;

	for (size_t i = 0; i < in->n; i++)
		n_bad += is_non_finite(&in->samples[i]) && in->samples[i].quality != QUALITY_BAD;
	if (n_bad == 0)
		return 0;
	*ret = calloc(in->n, sizeof **ret);
	if (!*ret)
		return FAIL(-ENOMEM);
	memcpy(*ret, in->samples, in->n * sizeof **ret);
	for (size_t i = 0; i < in->n; i++)
		if (is_non_finite(&(*ret)[i]))
			(*ret)[i].quality = QUALITY_BAD;
	return 0;
}

/* What looking for older samples may take, in samples looked at in memory: all of a series for each. */
enum { LOOK_MOST = 64, LOOK_WORK = 1 << 20 };

static bool may_look(const struct store *s, const struct op_samples *in)
{
	return in->n <= LOOK_MOST && in->n * history_backlog(s->history) <= LOOK_WORK;
}

/* What is dear to find out is not known. */
static int holds_all(struct store *s, const struct twin *t, size_t property, const struct op_samples *in,
		     bool *ret)
{
	const struct sample present = store_value(s, t, property);

	*ret = present.value.type != VALUE_NONE;
	for (size_t i = 0; *ret && i < in->n; i++) {
		const struct sample *sample = &in->samples[i];
		if (sample->t_ns >= present.t_ns)
			*ret = sample->t_ns == present.t_ns && sample_equal(sample, &present);
		else if (may_look(s, in))
			TRY(store_history_holds(s, t, property, sample, ret));
		else
			*ret = false;
	}
	return 0;
}

/* Is everything in it stored already? What the batch does to the series before is not looked into: then no.
 */
static int is_known(const struct stage *g, const struct op_samples *in, bool *ret)
{
	const struct own_twin *w = table_twin(&g->store->table, in->twin);
	size_t place;

	*ret = false;
	if (!w || !w->pub.type || g->batch->n_frames > 0 || stage_twin_goes(g, in->twin, 0) ||
	    batch_find(g->batch, &(struct staged_key){STAGED_SAMPLES, in->twin, in->property, NULL}) ||
	    !type_property(&w->pub.type->def, in->property, &place))
		return 0;
	return holds_all(g->store, &w->pub, place, in, ret);
}

/* Its newest sample in the table, if that is what it is about. */
static void find_newest(const struct stage *g, const struct op_samples *in, struct subject *of)
{
	const struct own_twin *w = table_twin(&g->store->table, in->twin);
	size_t place;

	if (!w || !w->pub.type || stage_twin_goes(g, in->twin, 0) ||
	    !type_property(&w->pub.type->def, in->property, &place))
		return;
	const struct sample newest = store_value(g->store, &w->pub, place);
	of->is_measured = newest.value.type != VALUE_NONE;
	of->newest_ns = newest.t_ns;
}

static int find_subject(const struct stage *g, const struct op *op, struct subject *ret)
{
	const struct op_samples *in = &op->samples;
	struct subject of = {0};
	struct twin_def twin;

	TRY(stage_check_own(g, in->twin));
	if (!stage_twin(g, in->twin, &twin))
		return FAIL_SAY(g->note, ERR_REFUSED, "there is no twin %s", in->twin);
	const struct type_def *type = stage_type(g, twin.type);
	of.type = type;
	of.property = type ? type_property(type, in->property, NULL) : NULL;
	if (!of.property)
		return FAIL_SAY(g->note, ERR_REFUSED, "%s has no property %s (its type is '%s')", in->twin,
				in->property, twin.type);
	if (property_is_nodes_own(of.property) && !op->by_node)
		return FAIL_SAY(g->note, ERR_REFUSED, "%s of %s: %s", in->property, in->twin,
				sample_refusal_text(SAMPLE_NODES_OWN));
	find_newest(g, in, &of);
	*ret = of;
	return 0;
}

/* Where looking at samples that follow each other begins, or goes on. */
static struct step first_step(const struct stage *g, const struct op_samples *in, const struct subject *of,
			      size_t from)
{
	const struct steps_seen *seen = &g->batch->steps_seen;

	if (!has_steps(of->property))
		return (struct step){0};
	return from > 0 && seen->of == in && seen->next == from
		       ? seen->last
		       : step_present(g->store, g->batch, in->twin, in->property);
}

static int check_from(const struct stage *g, const struct op *op, size_t from)
{
	const struct op_samples *in = &op->samples;
	struct subject of = {0};

	TRY(find_subject(g, op, &of));
	struct step last = first_step(g, in, &of, from);
	int r = 0;
	size_t i = from;
	for (; i < in->n && r == 0; i++)
		r = check_sample(g, in, i, &of, &last);
	g->batch->steps_seen = (struct steps_seen){in, i, last};
	return r;
}

int store_check_samples(struct store *s, struct batch *b, const struct op *op, int64_t now_ns, size_t from,
			size_t *ret_bad, struct err_note *note)
{
	const struct stage g = {.store = s, .batch = b, .now_ns = now_ns, .ret_bad = ret_bad, .note = note};
	const int r = check_from(&g, op, from);

	return r == ERR_REFUSED ? STORE_REFUSED : r;
}

/* Later ops of the batch go on from there. What was taken before is no step. */
static int take_steps(const struct stage *g, const struct op_samples *in, size_t mark)
{
	const struct type_def *type;
	struct twin_def twin;

	if (!stage_twin(g, in->twin, &twin) || !(type = stage_type(g, twin.type)))
		return 0;
	const struct property_def *p = type_property(type, in->property, NULL);
	if (!p || !has_steps(p))
		return 0;
	struct step last = step_present(g->store, g->batch, in->twin, in->property);
	for (size_t i = 0; i < in->n; i++) {
		const struct sample *s = &in->samples[i];
		if (last.is_taken && s->t_ns <= last.t_ns)
			continue;
		TRY(step_take(g->batch, in->twin, p, s, mark));
		last = (struct step){true, s->t_ns, s->value.text};
	}
	return 0;
}

int stage_samples(const struct stage *g, const struct op *op)
{
	const struct staged_key key = {STAGED_SAMPLES, op->samples.twin, op->samples.property, NULL};
	SCOPED(scope_free) struct sample *marked = NULL;
	const size_t mark = batch_mark(g->batch);
	struct op taken = *op;
	bool known;

	TRY(check_from(g, op, 0));
	TRY(mark_non_finite(&op->samples, &marked));
	if (marked)
		taken.samples.samples = marked;
	TRY(is_known(g, &taken.samples, &known));
	if (known || op->samples.n == 0)
		return STORE_UNCHANGED;
	TRY(batch_take(g->batch, &key, &taken, &taken));
	const int r = take_steps(g, &op->samples, mark);
	if (r < 0)
		batch_rewind(g->batch, mark);
	return r;
}
