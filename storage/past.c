/* SPDX-License-Identifier: Apache-2.0 */
/* What stretches of a series amount to, a page of samples at a time. */
#include <math.h>

#include "storage/store.h"

enum { PAGE = 2000 };

struct summing {
	const struct store_range *range;
	struct arena *a;
	struct history_bucket *buckets;
	size_t n;
	double m2; /* of the last bucket: sum of squared distances from the mean */
	bool full; /* a sample was met behind the last bucket that may be given */
};

/* The greatest multiple of the step at or before a time. */
static int64_t begin_of(int64_t t_ns, int64_t step_ns)
{
	const int64_t into_ns = t_ns % step_ns;
	int64_t begin_ns;

	return __builtin_sub_overflow(t_ns, into_ns < 0 ? into_ns + step_ns : into_ns, &begin_ns) ? INT64_MIN
												  : begin_ns;
}

static void finish(struct summing *g)
{
	if (g->n > 0)
		g->buckets[g->n - 1].sd =
			g->buckets[g->n - 1].n > 0 ? sqrt(g->m2 / (double)g->buckets[g->n - 1].n) : NAN;
	g->m2 = 0;
}

static int begin(struct summing *g, int64_t t_ns)
{
	finish(g);
	struct history_bucket *b = arena_push(g->a, &g->buckets, &g->n, sizeof *b);
	if (!b)
		return FAIL(-ENOMEM);
	*b = (struct history_bucket){
		.t_ns = t_ns, .last_ns = t_ns, .mean = NAN, .min = NAN, .max = NAN, .last = NAN};
	return 0;
}

static void take_number(struct summing *g, struct history_bucket *b, int64_t t_ns, double v)
{
	const double before = b->n > 0 ? b->mean : 0;

	b->n++;
	b->mean = before + (v - before) / (double)b->n;
	g->m2 += (v - before) * (v - b->mean);
	b->min = fmin(b->min, v);
	b->max = fmax(b->max, v);
	b->last = v;
	b->last_ns = t_ns;
}

static int take(struct summing *g, const struct sample *s)
{
	const int64_t begin_ns = begin_of(s->t_ns, g->range->step_ns);
	double v = NAN;

	if (g->n == 0 || g->buckets[g->n - 1].t_ns != begin_ns) {
		g->full = g->n == g->range->limit;
		if (g->full)
			return 0;
		TRY(begin(g, begin_ns));
	}
	struct history_bucket *b = &g->buckets[g->n - 1];
	if (!value_number(&s->value, &v) || !isfinite(v) || s->quality == QUALITY_BAD)
		b->n_bad++;
	else
		take_number(g, b, s->t_ns, v);
	return 0;
}

static bool is_number(const struct twin *t, size_t property)
{
	if (!t->type || property >= t->type->def.n_properties)
		return false;
	const enum value_type type = t->type->def.properties[property].type;
	return type == VALUE_BOOL || type == VALUE_INT64 || type == VALUE_DOUBLE;
}

static int sum(struct store *s, const struct twin *t, size_t property, struct summing *g)
{
	SCOPED(scope_arena) struct arena *page = NULL;
	int64_t from_ns = g->range->from_ns;
	bool more = true;

	TRY(arena_new(&page, SIZE_MAX));
	while (more && !g->full) {
		struct sample *samples;
		size_t n;
		arena_reset(page);
		TRY(store_history(s, t, property, from_ns, g->range->to_ns, PAGE, page, &samples, &n, &more));
		for (size_t i = 0; i < n && !g->full; i++)
			TRY(take(g, &samples[i]));
		if (n == 0 || samples[n - 1].t_ns == INT64_MAX)
			break;
		from_ns = samples[n - 1].t_ns + 1;
	}
	finish(g);
	return 0;
}

int store_buckets(struct store *s, const struct twin *t, size_t property, const struct store_range *range,
		  struct arena *a, struct store_buckets *ret)
{
	struct summing g = {.range = range, .a = a};

	if (!is_number(t, property) || range->step_ns <= 0)
		return FAIL(ERR_REFUSED);
	TRY(sum(s, t, property, &g));
	*ret = (struct store_buckets){g.buckets, g.n, g.full};
	return 0;
}
