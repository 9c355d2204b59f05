/* SPDX-License-Identifier: Apache-2.0 */
#include "node/reads.h"

#include <stdio.h>

#include "node/gossip.h"
#include "node/summary.h"
#include "proto/clock.h"
#include "proto/id.h"

enum {
	ANSWER_BYTES = 8 << 20,
	SAMPLES_PER_FRAME = 500,
	BUCKETS_PER_FRAME = 400,
	SAMPLE_BYTES = 64,
};

/* ---- Here ------------------------------------------------------------------------------------------------
 */

/* One value as they may have it, if they may. */
static int push_value(struct engine *e, const struct audience *to, const struct row *full,
		      const struct kpi *value, bool kpi, struct arena *a, struct answer *ret)
{
	const enum policy_form form = egress_value(&e->egress, to, full, value->property, kpi);

	if (form == FORM_NOTHING)
		return 0;
	struct kpi *place = arena_push(a, &ret->values, &ret->n_values, sizeof *place);
	if (!place)
		return FAIL(-ENOMEM);
	*place = *value;
	if (!egress_is_own(&e->egress, to))
		place->sample.source = NULL;
	return form == FORM_TOKEN && !to->relayed ? egress_redact(&e->egress, to, a, place) : 0;
}

static int read_here(struct engine *e, const struct audience *to, const struct question *q, struct arena *a,
		     struct answer *ret, struct err_note *note)
{
	const struct twin *t = store_twin(e->store, q->twin);
	struct row full;

	if (!t)
		return egress_refuse(&e->egress, to, q->twin, note);
	TRY(summary_row(e->store, t, a, &full));
	const uint64_t mask = egress_mask(&e->egress, to, &full);
	if (mask == 0)
		return egress_refuse(&e->egress, to, q->twin, note);
	TRY(egress_row(&e->egress, to, &full, mask, a, &ret->row));
	for (size_t i = 0; t->type && i < t->type->def.n_properties; i++) {
		const struct property_def *p = &t->type->def.properties[i];
		if (q->property[0] && strcmp(p->name, q->property) != 0)
			continue;
		const struct kpi value = {
			.property = p->name, .unit = p->unit, .sample = store_value(e->store, t, i)};
		TRY(push_value(e, to, &full, &value, p->kpi, a, ret));
	}
	return q->property[0] && ret->n_values == 0 ? egress_refuse(&e->egress, to, q->twin, note) : 0;
}

static size_t sample_bytes(const struct sample *s)
{
	const bool text = s->value.type == VALUE_TEXT || s->value.type == VALUE_ENUM;

	return SAMPLE_BYTES + (text ? strlen(s->value.text) : 0) + (s->source ? strlen(s->source) : 0);
}

/* As many samples as one frame holds; the asker goes on behind the last of them. */
static void fit_frame(struct answer *answer)
{
	size_t bytes = 0, n = 0;

	while (n < answer->n_samples && bytes < FRAME_FILL)
		bytes += sample_bytes(&answer->samples[n++]);
	answer->more |= n < answer->n_samples;
	answer->n_samples = n;
}

/* When the step after that of a time begins; TIME_MAX: never. */
static int64_t next_step(int64_t t_ns, int64_t step_ns)
{
	int64_t begin_ns;

	return __builtin_add_overflow(time_floor(t_ns, step_ns), step_ns, &begin_ns) ? TIME_MAX : begin_ns;
}

/* Of each step only its first sample, whatever page it falls on: the one before the page decides too. */
static void thin_out(struct answer *answer, int64_t step_ns, const struct sample *before)
{
	size_t n = 0;

	for (size_t i = 0; i < answer->n_samples; i++) {
		const struct sample s = answer->samples[i];
		if (!before || time_floor(before->t_ns, step_ns) != time_floor(s.t_ns, step_ns))
			answer->samples[n++] = s;
		before = &answer->samples[n > 0 ? n - 1 : 0];
	}
	answer->n_samples = n;
}

/* One page. With a step, one of which nothing is left lies in the step of the sample before it: the next may
 * be far, and begins with a sample that is told. */
static int read_page(struct engine *e, const struct twin *t, size_t place, const struct question *q,
		     int64_t step_ns, struct arena *a, struct answer *ret)
{
	const size_t limit = q->limit > 0 && q->limit < SAMPLES_PER_FRAME ? q->limit : SAMPLES_PER_FRAME;
	int64_t from_ns = q->from_ns;

	do {
		struct sample before;
		int r = STORE_ABSENT;
		TRY(store_history(e->store, t, place, from_ns, q->to_ns, limit, a, &ret->samples,
				  &ret->n_samples, &ret->more));
		fit_frame(ret);
		if (step_ns == 0 || ret->n_samples == 0)
			return 0;
		if (from_ns > INT64_MIN)
			r = store_value_at(e->store, t, place, from_ns - 1, a, &before);
		TRY(r);
		from_ns = next_step(ret->samples[ret->n_samples - 1].t_ns, step_ns);
		thin_out(ret, step_ns, r == 0 ? &before : NULL);
	} while (ret->n_samples == 0 && ret->more);
	return 0;
}

/* Who may see one value in so long a step sees whole steps only, and those that are over: out of a part of
 * one, or of one that still grows, single samples could be told. */
static void only_whole_steps(struct store_range *range, int64_t oldest_ns, int64_t now_ns)
{
	const int64_t step_ns = range->step_ns, over_ns = time_floor(now_ns, step_ns);
	const int64_t begin_ns = time_floor(oldest_ns, step_ns);
	const int64_t oldest_whole_ns = begin_ns < oldest_ns ? next_step(oldest_ns, step_ns) : begin_ns;
	int64_t end_ns = next_step(range->to_ns, step_ns);

	range->from_ns = time_floor(range->from_ns, step_ns);
	if (range->from_ns < oldest_whole_ns)
		range->from_ns = oldest_whole_ns;
	if (end_ns > over_ns)
		end_ns = over_ns;
	range->to_ns = end_ns - 1;
}

/* `policy_step_ns`: 0, or the finest that the asker may have. */
static int buckets_here(struct engine *e, const struct twin *t, size_t place, const struct question *q,
			int64_t oldest_ns, int64_t policy_step_ns, struct arena *a, struct answer *ret)
{
	struct store_range range = {.from_ns = q->from_ns, .to_ns = q->to_ns, .step_ns = q->step_ns};
	struct store_buckets found;

	range.limit = q->limit > 0 && q->limit < BUCKETS_PER_FRAME ? q->limit : BUCKETS_PER_FRAME;
	if (range.step_ns < policy_step_ns)
		range.step_ns = policy_step_ns;
	if (policy_step_ns > 0)
		only_whole_steps(&range, oldest_ns, trust_now(e->trust));
	else if (range.from_ns < oldest_ns)
		range.from_ns = oldest_ns;
	TRY(store_buckets(e->store, t, place, &range, a, &found));
	ret->buckets = found.buckets;
	ret->n_buckets = found.n;
	ret->more = found.more;
	return 0;
}

static int history_here(struct engine *e, const struct audience *to, const struct question *q,
			struct arena *a, struct answer *ret, struct err_note *note)
{
	const struct twin *t = store_twin(e->store, q->twin);
	const struct property_def *p = NULL;
	int64_t last_ns, step_ns, oldest_ns = TIME_MIN;
	struct row full;
	size_t place;

	if (t && t->type)
		p = type_property(&t->type->def, q->property, &place);
	if (t && !p && egress_is_own(&e->egress, to))
		return FAIL_SAY(note, ERR_ABSENT, "%s has no property %s: its type is %s", t->id, q->property,
				t->type ? t->type->def.name : "not given");
	if (!p)
		return egress_refuse(&e->egress, to, q->twin, note);
	TRY(summary_row(e->store, t, a, &full));
	if (!egress_history(&e->egress, to, &full, q->property, &last_ns, &step_ns))
		return egress_refuse(&e->egress, to, q->twin, note);
	if (last_ns > 0)
		oldest_ns = trust_now(e->trust) - last_ns;
	ret->unit = p->unit;
	TRY(store_raw_since(e->store, t, place, &ret->coarse_until_ns));
	ret->has_coarse_until = ret->coarse_until_ns != TIME_MIN && egress_is_own(&e->egress, to);
	if (q->step_ns > 0 && p->type != VALUE_BOOL && p->type != VALUE_INT64 && p->type != VALUE_DOUBLE)
		return FAIL_SAY(note, ERR_REFUSED, "%s is no number: without a step its samples are given",
				q->property);
	if (q->step_ns > 0)
		return buckets_here(e, t, place, q, oldest_ns, step_ns, a, ret);
	struct question page = *q;
	if (page.from_ns < oldest_ns)
		page.from_ns = oldest_ns;
	TRY(read_page(e, t, place, &page, step_ns, a, ret));
	for (size_t i = 0; !egress_is_own(&e->egress, to) && i < ret->n_samples; i++)
		ret->samples[i].source = NULL;
	return 0;
}

static int answer_here(struct engine *e, const struct audience *to, const struct question *q, ask_fn *done,
		       void *ctx)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct answer answer = {.id = q->id, .last = true, .text = "", .kind = q->kind, .unit = ""};
	struct err_note note = {0};

	TRY(arena_new(&a, ANSWER_BYTES));
	int r = q->kind == QUESTION_READ ? read_here(e, to, q, a, &answer, &note)
					 : history_here(e, to, q, a, &answer, &note);
	done(ctx, r, note.text[0] ? note.text : err_text(r), &answer, r < 0 ? 0 : 1);
	return 0;
}

/* ---- At the border ---------------------------------------------------------------------------------------
 */

struct relayed {
	struct engine *e;
	struct arena *arena; /* of the audience */
	struct audience to;
	enum question_kind kind;
	char twin[TWIN_ID_MAX + 1], property[PROPERTY_MAX + 1];
	ask_fn *done;
	void *ctx;
};

static void relayed_free(struct relayed *r)
{
	arena_free(r->arena);
	free(r);
}

DEFINE_SCOPED(relayed, relayed_free)

/* What the owner left in, by the rules as this node has them; of what it held back nothing comes back. */
static int pass_row(const struct relayed *r, const struct row *full, struct row *row, struct arena *a)
{
	const struct egress *e = &r->e->egress;
	const uint64_t left_in = ~(uint64_t)ROW_MASK_SUMMARY | (row->mask & ROW_MASK_SUMMARY);
	struct row judged = *row;

	judged.type = full->type;
	judged.tags = full->tags;
	judged.n_tags = full->n_tags;
	const uint64_t mask = egress_mask(e, &r->to, &judged);
	return egress_row(e, &r->to, &judged, mask & left_in, a, row);
}

/* The owner has decided; the border decides again before anything leaves, and puts the tokens in. Its row
 * stands for the twin's tags. */
static int pass_border(const struct relayed *r, const struct answer *part, struct answer *ret,
		       struct arena *a, struct err_note *note)
{
	const struct egress *e = &r->e->egress;
	const bool history = r->kind == QUESTION_HISTORY;
	int64_t last_ns, step_ns;
	struct row full;

	*ret = *part;
	if (egress_is_own(e, &r->to))
		return 0;
	if (egress_full_row(e, r->twin, a, &full) < 0 || !egress_discovers(e, &r->to, &full) ||
	    (history ? !egress_history(e, &r->to, &full, r->property, &last_ns, &step_ns) : !part->row.id))
		return egress_refuse(e, &r->to, r->twin, note);
	if (history)
		return 0; /* of the one property */
	TRY(pass_row(r, &full, &ret->row, a));
	ret->values = NULL;
	ret->n_values = 0;
	for (size_t i = 0; i < part->n_values; i++) {
		const struct kpi *value = &part->values[i];
		TRY(push_value(r->e, &r->to, &full, value, row_kpi(&full, value->property), a, ret));
	}
	return 0;
}

/* The frames of an answer as one part. */
static int join(struct arena *a, const struct answer *parts, size_t n, struct answer *ret)
{
	if (n == 0)
		return FAIL(ERR_ABSENT);
	*ret = parts[0];
	ret->values = NULL;
	ret->n_values = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < parts[i].n_values; j++) {
			struct kpi *v = arena_push(a, &ret->values, &ret->n_values, sizeof *v);
			if (!v)
				return FAIL(-ENOMEM);
			*v = parts[i].values[j];
		}
	return 0;
}

static void on_relayed(void *ctx, int code, const char *text, const struct answer *parts, size_t n)
{
	SCOPED(scope_relayed) struct relayed *r = ctx;
	SCOPED(scope_arena) struct arena *a = NULL;
	struct answer whole, shown;
	struct err_note note = {0};

	if (code == 0)
		code = arena_new(&a, ANSWER_BYTES);
	if (code == 0)
		code = join(a, parts, n, &whole);
	if (code == 0)
		code = pass_border(r, &whole, &shown, a, &note);
	r->done(r->ctx, code, note.text[0] ? note.text : text, &shown, code < 0 ? 0 : 1);
}

static int relay(struct engine *e, const struct audience *to, const struct session *over,
		 const struct question *q, int64_t timeout_ns, ask_fn *done, void *ctx)
{
	SCOPED(scope_relayed) struct relayed *r = calloc(1, sizeof *r);
	struct question onward = *q;
	uint64_t id;

	if (!r)
		return FAIL(-ENOMEM);
	*r = (struct relayed){.e = e, .kind = q->kind, .done = done, .ctx = ctx};
	TRY(arena_new(&r->arena, AUDIENCE_BYTES));
	TRY(audience_copy(r->arena, to, &r->to));
	snprintf(r->twin, sizeof r->twin, "%s", q->twin);
	snprintf(r->property, sizeof r->property, "%s", q->property);
	TRY(audience_ask(&r->to, egress_is_own(&e->egress, to), &onward));
	TRY(asks_send(e->asks, over->id, &onward, timeout_ns, on_relayed, r, &id));
	r = NULL;
	return 0;
}

/* At the border first: nothing is asked of an owner for somebody who may not have the answer. */
static bool may_ask(struct engine *e, const struct audience *to, const struct question *q)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	int64_t last_ns, step_ns;
	struct row full;

	if (egress_is_own(&e->egress, to))
		return true;
	if (!id_is_of_org(q->twin, e->trust->self->org) || arena_new(&a, ANSWER_BYTES) < 0 ||
	    egress_full_row(&e->egress, q->twin, a, &full) < 0 || !egress_discovers(&e->egress, to, &full))
		return false;
	return q->kind != QUESTION_HISTORY ||
	       egress_history(&e->egress, to, &full, q->property, &last_ns, &step_ns);
}

int reads_ask(struct engine *e, const struct audience *to, const struct question *q, int64_t timeout_ns,
	      ask_fn *done, void *ctx)
{
	const bool ours = id_is_of_org(q->twin, e->trust->self->org);
	const struct remote_row *row = store_row(e->store, q->twin);
	const struct session *over = NULL;
	struct err_note note = {0};
	char name[ORG_NAME_MAX + 1];

	if (ours && (store_twin(e->store, q->twin) || !row))
		return answer_here(e, to, q, done, ctx);
	if (!may_ask(e, to, q)) {
		done(ctx, egress_refuse(&e->egress, to, q->twin, &note), note.text, NULL, 0);
		return 0;
	}
	snprintf(name, sizeof name, "%.*s", (int)id_org(q->twin).len, (const char *)id_org(q->twin).data);
	over = gossip_find(e->gossip, name, ours ? id_local(row->origin->name) : "");
	if (over)
		return relay(e, to, over, q, timeout_ns, done, ctx);
	err_say(&note, 0,
		"%s: no node that could answer is connected; the last summary is in `view --offline`",
		q->twin);
	done(ctx, ERR_UNREACHABLE, note.text, NULL, 0);
	return 0;
}
