/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "proto/clock.h"
#include "storage/merge.h"
#include "storage/record.h"

enum {
	MORE_MAX = 256 * 1024, /* bytes of text in a chunk */
	PAGE_BYTES = 4096,
	PAGE_HEADER = 16,
	INLINE_MAX = 2000, /* a longer value has pages of its own */
};

/* ---- What is lost -----------------------------------------------------------------------------------------
 */

static int add_loss(struct series_merge *m, int64_t first_ns, int64_t last_ns, struct bytes stored)
{
	struct loss *at = NULL;

	for (size_t i = 0; i < m->n_losses; i++)
		if (m->losses[i].first_ns == first_ns)
			at = &m->losses[i];
	if (!at) {
		struct loss *losses = realloc(m->losses, (m->n_losses + 1) * sizeof *losses);
		if (!losses)
			return FAIL(-ENOMEM);
		m->losses = losses;
		at = &losses[m->n_losses++];
		*at = (struct loss){.first_ns = first_ns, .last_ns = last_ns};
	}
	at->last_ns = last_ns > at->last_ns ? last_ns : at->last_ns;
	buf_put(&at->stored, stored);
	return buf_check(&at->stored);
}

static void forget_losses(struct series_merge *m)
{
	for (size_t i = 0; i < m->n_losses; i++)
		buf_fini(&m->losses[i].stored);
	free(m->losses);
	m->losses = NULL;
	m->n_losses = 0;
}

static int on_lost(void *ctx, const struct lost *lost)
{
	return add_loss(ctx, lost->first_ns, lost->last_ns, lost->stored);
}

/* Nothing of the stretch would be kept any more. */
static bool is_over(const struct horizon *h, int64_t last_ns)
{
	return last_ns < h->raw_ns && last_ns < h->minute_ns && last_ns < h->hour_ns;
}

static int copy_losses(struct series_merge *m, const struct run *run)
{
	SCOPED(run_walk_end) struct run_walk w = {0};
	struct run_lost lost;
	struct bytes value;
	int r;

	if (run->meta.n_lost == 0)
		return 0;
	TRY(run_walk_begin(&w, run, m->series, RUN_LOST));
	while ((r = run_walk_next(&w)) > 0) {
		int got = run_walk_value(&w, &value);
		if (got == 0)
			got = run_lost_decode(value, &lost);
		if (got < 0) /* rotten itself: how far it reached is not known any more */
			lost = (struct run_lost){run->meta.last_ns, w.walk.stored};
		if (!is_over(&m->horizon, lost.last_ns))
			TRY(add_loss(m, w.key.t_ns, lost.last_ns, lost.stored));
	}
	return r;
}

static int by_first(const void *a, const void *b)
{
	const struct loss *x = a, *y = b;

	return x->first_ns < y->first_ns ? -1 : x->first_ns > y->first_ns;
}

static int put_losses(struct series_merge *m, struct run_writer *out)
{
	if (m->n_losses > 1)
		qsort(m->losses, m->n_losses, sizeof *m->losses, by_first);
	for (size_t i = 0; i < m->n_losses; i++) {
		const struct loss *l = &m->losses[i];
		buf_clear(&m->scratch);
		buf_put_u64(&m->scratch, (uint64_t)l->last_ns);
		buf_put(&m->scratch, buf_bytes(&l->stored));
		TRY(buf_check(&m->scratch));
		TRY(run_writer_put(out, &(struct run_key){m->series, RUN_LOST, l->first_ns},
				   buf_bytes(&m->scratch),
				   &(struct run_span){.first_ns = l->first_ns, .last_ns = l->last_ns}));
	}
	return 0;
}

/* ---- Samples ----------------------------------------------------------------------------------------------
 */

static size_t pages_of(size_t len)
{
	return (PAGE_HEADER + ENV_OVERHEAD + len + PAGE_BYTES - 1) / PAGE_BYTES;
}

/* How many of n samples that take `len` bytes would fill the pages better; n: they fill them well. */
static size_t fitting(size_t n, size_t len)
{
	const size_t pages = pages_of(len), room = pages * PAGE_BYTES;

	if (len <= INLINE_MAX || pages < 2 || room - len < room / 8)
		return n;
	const size_t less = (pages - 1) * PAGE_BYTES - PAGE_HEADER - ENV_OVERHEAD;
	const size_t fit = (size_t)((double)n * (double)less / (double)len * 0.985);
	return fit > 0 ? fit : n;
}

/* Put samples of `c` as one chunk; *ret: how many it took. */
static int put_samples(struct series_merge *m, const struct column *c, struct run_writer *out, size_t *ret)
{
	buf_clear(&m->scratch);
	chunk_encode(c, 0, c->n, m->effort, &m->scratch);
	TRY(buf_check(&m->scratch));
	const size_t fit = fitting(c->n, m->scratch.len);
	*ret = c->n;
	if (fit < c->n) {
		const size_t len = m->scratch.len;
		buf_clear(&m->scratch);
		chunk_encode(c, 0, fit, m->effort, &m->scratch);
		TRY(buf_check(&m->scratch));
		*ret = fit;
		if (pages_of(m->scratch.len) >= pages_of(len)) /* no better: at least all of them */
			return history_put_chunk(out, m->series, c, 0, *ret = c->n, m->effort, &m->scratch);
	}
	return run_writer_put(out, &(struct run_key){m->series, RUN_CHUNK, c->t_ns[0]},
			      buf_bytes(&m->scratch),
			      &(struct run_span){c->t_ns[0], c->t_ns[*ret - 1], *ret});
}

/* What was left over waits on. */
static int put_waiting(struct series_merge *m, struct run_writer *out)
{
	struct column rest = {0};
	size_t taken = 0;

	TRY(put_samples(m, &m->waiting, out, &taken));
	if (taken == m->waiting.n) {
		column_clear(&m->waiting);
		return 0;
	}
	const int r = column_merge(&rest, &m->waiting, taken, m->waiting.n);
	column_fini(&m->waiting);
	m->waiting = rest;
	return r;
}

static int keep(struct series_merge *m, const struct column *c, size_t i, struct run_writer *out)
{
	while (i < c->n) {
		const size_t room = CHUNK_SAMPLES_MAX - m->waiting.n;
		const size_t end = c->n - i < room ? c->n : i + room;
		TRY(column_merge(&m->waiting, c, i, end));
		i = end;
		if (m->waiting.n == CHUNK_SAMPLES_MAX || m->waiting.more.len > MORE_MAX)
			TRY(put_waiting(m, out));
	}
	return 0;
}

/* Samples whose time is over become the coarsest buckets that stand for that time. */
static int expire(struct series_merge *m, const struct column *c, size_t end)
{
	const struct horizon *h = &m->horizon;

	m->expired = m->expired || end > 0;
	for (size_t i = 0; i < end && type_has_buckets(c->type);) {
		const bool to_minute = c->t_ns[i] >= h->minute_ns, to_hour = c->t_ns[i] >= h->hour_ns;
		const int64_t until_ns = to_minute ? TIME_MAX : h->minute_ns;
		size_t next = until_ns == TIME_MAX ? end : column_find(c, until_ns);
		if (!to_minute && !to_hour && h->hour_ns < until_ns)
			next = column_find(c, h->hour_ns);
		next = next < end ? next : end;
		if (to_minute)
			TRY(buckets_add_column(&m->minutes, c, i, next, MINUTE_NS));
		else if (to_hour)
			TRY(buckets_add_column(&m->hours, c, i, next, HOUR_NS));
		i = next;
	}
	return 0;
}

/* ---- Buckets ----------------------------------------------------------------------------------------------
 */

static int take_bucket(struct series_merge *m, const struct bucket *b)
{
	if (b->step_ns == MINUTE_NS && b->t_ns >= m->horizon.minute_ns)
		return buckets_add(&m->minutes, b, MINUTE_NS);
	return b->t_ns >= m->horizon.hour_ns ? buckets_add(&m->hours, b, HOUR_NS) : 0;
}

static int copy_buckets(struct series_merge *m, const struct run *run, enum run_kind kind, int64_t step_ns)
{
	SCOPED(run_walk_end) struct run_walk w = {0};
	SCOPED(buckets_fini) struct buckets got = {0};
	struct bytes value;
	int r;

	TRY(run_walk_begin(&w, run, m->series, kind));
	while ((r = run_walk_next(&w)) > 0) {
		got.n = 0;
		int read = run_walk_value(&w, &value);
		if (read == 0)
			read = rollup_decode(value, w.key.t_ns, step_ns, &got);
		if (read == ERR_CORRUPT)
			TRY(add_loss(m, w.key.t_ns, run->meta.last_ns, w.walk.stored));
		else
			TRY(read);
		for (size_t i = 0; i < got.n; i++)
			TRY(take_bucket(m, &got.items[i]));
	}
	return r;
}

static int put_buckets(struct series_merge *m, const struct buckets *b, enum run_kind kind, int64_t step_ns,
		       struct run_writer *out)
{
	for (size_t i = 0, end; i < b->n; i = end) {
		end = b->n - i < ROLLUP_MAX ? b->n : i + ROLLUP_MAX;
		buf_clear(&m->scratch);
		TRY(rollup_encode(b->items + i, end - i, step_ns, &m->scratch));
		TRY(run_writer_put(out, &(struct run_key){m->series, kind, b->items[i].t_ns},
				   buf_bytes(&m->scratch),
				   &(struct run_span){.first_ns = b->items[i].t_ns,
						      .last_ns = b->items[end - 1].t_ns + step_ns - 1}));
	}
	return 0;
}

/* The latest of what the inputs say, and of what this merge has ended. */
static int put_expiry(struct series_merge *m, const struct merge_inputs *in, struct run_writer *out)
{
	int64_t since_ns = m->expired ? m->horizon.raw_ns : TIME_MIN, t_ns;

	for (size_t i = 0; i < in->n; i++) {
		const int r = run_expiry(in->runs[i], m->series, &t_ns);
		if (r == ERR_CORRUPT)
			t_ns = m->first_kept_ns; /* it said no less than that */
		else
			TRY(r);
		since_ns = t_ns > since_ns ? t_ns : since_ns;
	}
	if (since_ns == TIME_MIN)
		return 0;
	buf_clear(&m->scratch);
	buf_put_u64(&m->scratch, (uint64_t)since_ns);
	TRY(buf_check(&m->scratch));
	return run_writer_put(out, &(struct run_key){m->series, RUN_EXPIRY, 0}, buf_bytes(&m->scratch),
			      &(struct run_span){INT64_MAX, INT64_MIN, 0});
}

/* Everything of the series but its chunks, in the order of the keys. */
static int put_rest(struct series_merge *m, const struct merge_inputs *in, struct run_writer *out)
{
	for (size_t i = 0; i < in->n; i++) {
		TRY(copy_losses(m, in->runs[i]));
		if (in->runs[i]->meta.n_rolled == 0)
			continue;
		TRY(copy_buckets(m, in->runs[i], RUN_HOURS, HOUR_NS));
		TRY(copy_buckets(m, in->runs[i], RUN_MINUTES, MINUTE_NS));
	}
	TRY(put_expiry(m, in, out));
	TRY(put_buckets(m, &m->hours, RUN_HOURS, HOUR_NS, out));
	TRY(put_losses(m, out));
	return put_buckets(m, &m->minutes, RUN_MINUTES, MINUTE_NS, out);
}

/* ---- The steps --------------------------------------------------------------------------------------------
 */

/* The time of the newest sample that can be read: 1, or 0 when there is none. */
static int newest(const struct run *run, uint32_t series, bool *found, int64_t *ret_ns)
{
	SCOPED(run_walk_end) struct run_walk w = {0};
	struct chunk_info info;
	struct bytes value;

	if (!run_may_hold(run, series, INT64_MIN, INT64_MAX))
		return 0;
	TRY(run_walk_begin(&w, run, series, RUN_CHUNK));
	const int any = run_walk_floor(&w, INT64_MAX);
	TRY(any);
	if (any == 0)
		return 0;
	int64_t last_ns = w.key.t_ns;
	if (run_walk_value(&w, &value) == 0 && chunk_inspect(value, w.key.t_ns, &info) == 0)
		last_ns = info.last_ns;
	*ret_ns = *found && *ret_ns > last_ns ? *ret_ns : last_ns;
	*found = true;
	return 0;
}

static int set_horizon(struct series_merge *m, const struct merge_inputs *in, const struct series_rule *rule)
{
	bool found = false;
	int64_t newest_ns = 0;

	m->horizon = (struct horizon){TIME_MIN, TIME_MIN, TIME_MIN};
	if (!rule || rule->raw_ns <= 0)
		return 0;
	for (size_t i = 0; i < in->n; i++)
		TRY(newest(in->runs[i], m->series, &found, &newest_ns));
	if (found)
		m->horizon = horizon_of(rule, newest_ns);
	return 0;
}

int series_merge_begin(struct series_merge *m, const struct merge_inputs *in, uint32_t series,
		       const struct series_rule *rule)
{
	m->series = series;
	m->active = true;
	m->expired = false;
	m->first_kept_ns = TIME_MIN;
	m->minutes.n = m->hours.n = 0;
	forget_losses(m);
	pieces_fini(&m->pieces);
	column_clear(&m->waiting);
	TRY(set_horizon(m, in, rule));
	const struct piece_options opt = {
		.runs = in->runs,
		.n_runs = in->n,
		.series = series,
		.from_ns = INT64_MIN,
		.to_ns = INT64_MAX,
		.on_lost = on_lost,
		.lost_ctx = m,
	};
	return pieces_begin(&m->pieces, &opt);
}

int series_merge_step(struct series_merge *m, const struct merge_inputs *in, struct run_writer *out,
		      size_t *work)
{
	const struct column *c;
	const int more = pieces_next(&m->pieces, &c);

	TRY(more);
	if (more > 0) {
		const size_t begin = m->horizon.raw_ns > c->t_ns[0] ? column_find(c, m->horizon.raw_ns) : 0;
		*work += c->n;
		TRY(expire(m, c, begin));
		if (begin < c->n && m->first_kept_ns == TIME_MIN)
			m->first_kept_ns = c->t_ns[begin];
		TRY(keep(m, c, begin, out));
		return 1;
	}
	while (m->waiting.n > 0)
		TRY(put_waiting(m, out));
	TRY(put_rest(m, in, out));
	m->active = false;
	return 0;
}

void series_merge_end(struct series_merge *m)
{
	pieces_fini(&m->pieces);
	column_fini(&m->waiting);
	buckets_fini(&m->minutes);
	buckets_fini(&m->hours);
	buf_fini(&m->scratch);
	forget_losses(m);
	*m = (struct series_merge){0};
}
