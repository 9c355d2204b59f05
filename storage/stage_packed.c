/* SPDX-License-Identifier: Apache-2.0 */
/* Staging of packed frames: each sample is judged against the table alone. What the same batch does to its
 * twin before can only take the series away, and then the sample goes with it when the batch is applied. */
#include <math.h>

#include "storage/column.h"
#include "storage/frame.h"
#include "storage/stage.h"
#include "storage/steps.h"
#include "storage/store_private.h"

struct judge {
	struct store *s;
	struct batch *batch;
	const struct packed *frame;
	int64_t latest_ns; /* no sample may be behind it */
	const char *source;
};

/* Where a sample belongs. */
struct place {
	const struct own_twin *twin;
	size_t property;
	const struct type_def *type;
	const struct property_def *def;
};

static bool find_place(const struct judge *g, size_t i, struct place *ret)
{
	struct series_place at;

	if (!table_series(&g->s->table, packed_u32(g->frame->series, i), &at))
		return false;
	*ret = (struct place){at.twin, at.property, &at.twin->pub.type->def, at.def};
	return true;
}

/* ---- Values -----------------------------------------------------------------------------------------------
 */

/* An open end of the range is NaN, which nothing is below or above. */
static bool is_in_range(const struct property_def *p, double v)
{
	return !isfinite(v) || (!(v < p->min) && !(v > p->max));
}

static bool is_number(enum value_type type)
{
	return type == VALUE_BOOL || type == VALUE_INT64 || type == VALUE_DOUBLE;
}

static bool number_fits(const struct property_def *p, uint64_t bits)
{
	if (p->type == VALUE_BOOL)
		return bits <= 1;
	return is_in_range(p, p->type == VALUE_DOUBLE ? bits_double(bits) : (double)(int64_t)bits);
}

static bool value_fits(const struct judge *g, size_t i, const struct property_def *p)
{
	const struct packed *f = g->frame;
	struct sample s;

	if (f->quality && f->quality[i] == PACKED_ABSENT)
		return false;
	if (is_number(p->type) && (!f->sigma || isnan(bits_double(packed_u64(f->sigma, i)))))
		return number_fits(p, packed_u64(f->bits, i));
	return packed_sample(f, i, p->type, g->source, &s) == 0 && property_accepts(p, &s, NULL) == 0;
}

/* ---- Times ------------------------------------------------------------------------------------------------
 */

/* When the present value was measured; false: never. */
static bool present_time(const struct judge *g, uint32_t series, int64_t *ret_ns)
{
	const struct values *v = &g->s->table.values;

	*ret_ns = values_block(v, series)->t_ns[series % VALUES_BLOCK];
	return values_is_measured(v, series);
}

static bool is_present(const struct judge *g, size_t i, const struct place *at)
{
	const struct sample present = store_value(g->s, &at->twin->pub, at->property);
	struct sample s;

	if (frame_sample(g->frame, i, at->def->type, g->source, &s) < 0)
		return false;
	return sample_equal(&s, &present);
}

/* ---- Steps ------------------------------------------------------------------------------------------------
 */

/* 0: it may follow, STORE_UNCHANGED: it was taken before, STORE_REFUSED. */
static int judge_step(const struct judge *g, size_t i, const struct place *at)
{
	const char *twin = at->twin->id;
	struct sample s;

	if (!has_steps(at->def))
		return 0;
	TRY(frame_sample(g->frame, i, at->def->type, g->source, &s));
	const struct step last = step_present(g->s, g->batch, twin, at->def->name);
	const int r = step_check(g->s, g->batch, twin, at->def, &last, &s);
	TRY(r);
	return r == 0 ? 0 : r == STEP_HELD ? STORE_UNCHANGED : STORE_REFUSED;
}

static int take_step(const struct judge *g, size_t i)
{
	struct place at;
	struct sample s;

	if (!find_place(g, i, &at) || !has_steps(at.def))
		return 0;
	TRY(frame_sample(g->frame, i, at.def->type, g->source, &s));
	return step_take(g->batch, at.twin->id, at.def, &s, batch_mark(g->batch));
}

/* ---- Frames -----------------------------------------------------------------------------------------------
 */

/* 0: taken, STORE_UNCHANGED, or STORE_REFUSED with the reason. */
static int judge(const struct judge *g, size_t i, enum sample_refusal *ret_reason)
{
	const int64_t t_ns = (int64_t)packed_u64(g->frame->t_ns, i);
	int64_t present_ns;
	struct place at;

	*ret_reason = SAMPLE_NO_SERIES;
	if (!find_place(g, i, &at))
		return STORE_REFUSED;
	*ret_reason = SAMPLE_NODES_OWN;
	if (property_is_nodes_own(at.def))
		return STORE_REFUSED;
	*ret_reason = SAMPLE_WRONG_VALUE;
	if (!value_fits(g, i, at.def))
		return STORE_REFUSED;
	*ret_reason = SAMPLE_AHEAD;
	if (t_ns > g->latest_ns)
		return STORE_REFUSED;
	*ret_reason = SAMPLE_EXPIRED;
	const bool measured = present_time(g, packed_u32(g->frame->series, i), &present_ns);
	if (measured && stage_is_expired(at.type, at.def, present_ns, t_ns))
		return STORE_REFUSED;
	if (measured && present_ns == t_ns && is_present(g, i, &at))
		return STORE_UNCHANGED;
	*ret_reason = SAMPLE_NO_STEP;
	return judge_step(g, i, &at);
}

static int refuse(struct arena *a, struct packed_result *ret, size_t i, enum sample_refusal reason)
{
	if (ret->n_refused++ >= PACKED_REFUSALS_MAX)
		return 0;
	struct packed_refusal *r = arena_push(a, &ret->refused, &ret->n_listed, sizeof *r);
	if (!r)
		return FAIL(-ENOMEM);
	*r = (struct packed_refusal){(uint32_t)i, reason};
	return 0;
}

/* `refused` (one for each sample) is made with the first that is. */
static int judge_all(const struct judge *g, struct arena *a, bool **refused, struct packed_result *ret)
{
	const size_t n = g->frame->n;

	for (size_t i = 0; i < n; i++) {
		enum sample_refusal reason;
		const int r = judge(g, i, &reason);
		TRY(r);
		if (r == 0)
			TRY(take_step(g, i));
		ret->n_taken += r == 0;
		ret->n_unchanged += r == STORE_UNCHANGED;
		if (r != STORE_REFUSED)
			continue;
		if (!*refused)
			*refused = arena_take_array(a, n, sizeof **refused);
		if (!*refused)
			return FAIL(-ENOMEM);
		(*refused)[i] = true;
		TRY(refuse(a, ret, i, reason));
	}
	return 0;
}

/* Of a frame that is in the table already: what is newer there than the present value was refused the first
 * time, though by now it might be taken. */
static bool was_left_out(const struct judge *g, size_t i)
{
	const uint32_t series = packed_u32(g->frame->series, i);
	int64_t present_ns;

	return !present_time(g, series, &present_ns) || (int64_t)packed_u64(g->frame->t_ns, i) > present_ns;
}

/* Nothing is taken, but what was refused is told again: the first answer may have got lost. */
static int judge_again(const struct judge *g, bool is_applied, struct arena *a, struct packed_result *ret)
{
	for (size_t i = 0; i < g->frame->n; i++) {
		enum sample_refusal reason;
		const int r = judge(g, i, &reason);
		TRY(r);
		if (r == STORE_REFUSED)
			TRY(refuse(a, ret, i, reason));
		else if (is_applied && was_left_out(g, i))
			TRY(refuse(a, ret, i, SAMPLE_AHEAD));
	}
	ret->n_unchanged = g->frame->n - ret->n_refused;
	return 0;
}

static int take_frame(struct batch *b, const struct packed *frame, const bool *refused)
{
	size_t at;

	b->n_samples += frame->n;
	TRY(batch_frame_begin(b, &at));
	if (refused)
		frame_without(frame, refused, &b->ops);
	else
		buf_put(&b->ops, frame->frame);
	return batch_frame_end(b, at, frame->session, frame->number);
}

static bool was_taken(const struct producers *p, const struct packed *f)
{
	return f->number > 0 && producers_took(p, f->session, f->number);
}

int store_stage_packed(struct store *s, struct batch *b, const struct packed *frame, int64_t now_ns,
		       struct arena *a, struct packed_result *ret)
{
	struct judge g = {.s = s, .batch = b, .frame = frame};
	char source[SOURCE_MAX + 1];
	bool *refused = NULL;

	if (frame->incarnation != store_incarnation(s))
		return FAIL(ERR_REFUSED);
	const bool is_applied = was_taken(&s->producers, frame);
	*ret = (struct packed_result){.again = is_applied || was_taken(&b->taken, frame)};
	if (__builtin_add_overflow(now_ns, AHEAD_MAX_NS, &g.latest_ns))
		g.latest_ns = INT64_MAX;
	g.source = frame_source(frame, source);
	if (ret->again)
		return judge_again(&g, is_applied, a, ret);
	const size_t mark = batch_mark(b);
	const int r = judge_all(&g, a, &refused, ret);
	if (r < 0)
		batch_rewind(b, mark);
	TRY(r);
	/* What is unchanged in the table may have been changed by the batch: then it is taken after all. */
	if (ret->n_taken == 0 && (ret->n_unchanged == 0 || b->n == 0))
		return 0;
	const int took = take_frame(b, frame, refused);
	if (took < 0)
		batch_rewind(b, mark);
	TRY(took);
	if (now_ns > b->now_ns)
		b->now_ns = now_ns;
	return 0;
}
