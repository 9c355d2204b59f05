/* SPDX-License-Identifier: Apache-2.0 */
/* What stretches of time amount to: raw samples, minute and hour buckets each give the first steps that have
 * anything; the first of all of these are the answer. */
#include <assert.h>

#include "proto/clock.h"
#include "storage/history_private.h"
#include "storage/rollup.h"

struct question {
	struct history *h;
	const struct series *series;
	const struct bucket_range *range;
};

/* One more than the limit: enough to know that there are more. */
static bool is_enough(const struct question *q, const struct buckets *b)
{
	return b->n > q->range->limit;
}

static int from_raw(const struct question *q, struct buckets *out)
{
	SCOPED(scope_history_reader) struct history_reader *r = NULL;
	const struct column *c;
	int more;

	TRY(history_read(q->h, q->series, q->range->from_ns, q->range->to_ns, &r));
	while (!is_enough(q, out) && (more = history_next(r, &c)) != 0) {
		TRY(more);
		TRY(buckets_add_column(out, c, 0, c->n, q->range->step_ns));
	}
	return 0;
}

/* Adds the buckets of a record that begin in the range; what is past it or enough ends it: false. */
static int add_rolled(const struct question *q, const struct buckets *got, struct buckets *out, bool *more)
{
	for (size_t i = 0; i < got->n && *more; i++) {
		const struct bucket *b = &got->items[i];
		*more = b->t_ns <= q->range->to_ns && !is_enough(q, out);
		if (*more && b->t_ns >= q->range->from_ns)
			TRY(buckets_add(out, b, q->range->step_ns));
	}
	return 0;
}

static int from_run(const struct question *q, const struct run *run, enum run_kind kind, int64_t step_ns,
		    struct buckets *out)
{
	SCOPED(run_walk_end) struct run_walk w = {0};
	SCOPED(buckets_fini) struct buckets got = {0};
	struct bytes value;
	bool more = true;

	TRY(run_walk_begin(&w, run, q->series->id, kind));
	int r = run_walk_floor(&w, q->range->from_ns);
	if (r == 0)
		r = run_walk_next(&w);
	for (; r > 0 && more && w.key.t_ns <= q->range->to_ns; r = run_walk_next(&w)) {
		got.n = 0;
		TRY(run_walk_value(&w, &value));
		TRY(rollup_decode(value, w.key.t_ns, step_ns, &got));
		TRY(add_rolled(q, &got, out, &more));
	}
	return r < 0 ? r : 0;
}

/* What several sources found, together. */
static int join(struct buckets *to, const struct buckets *from)
{
	for (size_t i = 0; i < from->n; i++)
		TRY(buckets_add(to, &from->items[i], from->items[i].step_ns));
	return 0;
}

static int from_runs(const struct question *q, enum run_kind kind, int64_t step_ns, struct buckets *all)
{
	for (size_t i = 0; i < q->h->runs.n; i++) {
		SCOPED(buckets_fini) struct buckets found = {0};
		const struct run *run = q->h->runs.runs[i];
		if (run->meta.n_rolled == 0 ||
		    !run_may_hold(run, q->series->id, q->range->from_ns, q->range->to_ns))
			continue;
		TRY(from_run(q, run, kind, step_ns, &found));
		TRY(join(all, &found));
	}
	return 0;
}

int history_buckets(struct history *h, const struct series *s, const struct bucket_range *range,
		    struct arena *a, struct bucket **ret, size_t *ret_n, bool *ret_more)
{
	const struct question q = {h, s, range};
	SCOPED(buckets_fini) struct buckets all = {0};

	if (!type_has_buckets(s->type) || range->step_ns <= 0 || range->limit == 0)
		return FAIL(ERR_REFUSED);
	TRY(from_raw(&q, &all));
	TRY(from_runs(&q, RUN_MINUTES, MINUTE_NS, &all));
	TRY(from_runs(&q, RUN_HOURS, HOUR_NS, &all));
	const size_t n = all.n < range->limit ? all.n : range->limit;
	struct bucket *items = arena_take_array(a, n, sizeof *items);
	if (!items)
		return FAIL(-ENOMEM);
	if (n > 0)
		memcpy(items, all.items, n * sizeof *items);
	*ret = items;
	*ret_n = n;
	*ret_more = all.n > n;
	return 0;
}

int history_raw_since(struct history *h, const struct series *s, int64_t *ret_ns)
{
	int64_t since_ns = TIME_MIN, t_ns;

	for (size_t i = 0; i < h->runs.n; i++) {
		TRY(run_expiry(h->runs.runs[i], s->id, &t_ns));
		since_ns = t_ns > since_ns ? t_ns : since_ns;
	}
	*ret_ns = since_ns;
	return 0;
}
