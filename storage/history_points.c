/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a series as of many times: each source is gone through once, from the first time to the
 * last, and only chunks and records that hold what is asked for are opened. */
#include "proto/clock.h"
#include "storage/chunk.h"
#include "storage/history_private.h"
#include "storage/rollup.h"

struct question {
	struct history *h;
	const struct series *series;
	const int64_t *t_ns;
	size_t n;
	struct arena *arena;
	struct point *points;
};

/* ---- A record after the other ----------------------------------------------------------------------------
 */

/* The last record of one kind that begins at or before a time which only rises. */
struct cursor {
	struct run_walk walk;
	bool found;      /* there is one, */
	bool fresh;      /* and nobody has looked into it */
	int64_t t0_ns;   /* where it begins */
	bool more;       /* another one is behind it, */
	int64_t next_ns; /* and begins here */
	struct bytes value;
};

static int cursor_begin(struct cursor *c, const struct run *run, uint32_t series, enum run_kind kind)
{
	*c = (struct cursor){.more = true, .next_ns = INT64_MIN};
	return run_walk_begin(&c->walk, run, series, kind);
}

static void cursor_end(struct cursor *c)
{
	run_walk_end(&c->walk);
}

static int cursor_seek(struct cursor *c, int64_t t_ns)
{
	if (!c->more || t_ns < c->next_ns)
		return 0;
	const int found = run_walk_floor(&c->walk, t_ns);
	TRY(found);
	if (found > 0) {
		c->found = c->fresh = true;
		c->t0_ns = c->walk.key.t_ns;
		TRY(run_walk_value(&c->walk, &c->value));
	}
	const int more = run_walk_next(&c->walk);
	TRY(more);
	c->more = more > 0;
	c->next_ns = c->walk.key.t_ns;
	return 0;
}

/* ---- Samples ----------------------------------------------------------------------------------------------
 */

/* Would a sample at this time be taken? The younger sources are looked at first and win at equal times. */
static bool beats(const struct point *p, int64_t t_ns)
{
	return p->known == KNOWN_NOTHING || t_ns > p->sample.t_ns;
}

static int take(const struct question *q, size_t i, const struct sample *s)
{
	struct point *p = &q->points[i];

	*p = (struct point){KNOWN_SAMPLE, *s};
	TRY(value_copy(q->arena, &s->value, &p->sample.value));
	p->sample.source = arena_copy(q->arena, s->source);
	return s->source && !p->sample.source ? FAIL(-ENOMEM) : 0;
}

/* The samples in memory, of which the last ones at or before each time are taken. */
static int from_memory(const struct question *q)
{
	const struct recent *recent = &q->h->recent;
	const uint32_t id = q->series->id, chain = q->series->chain;
	struct slot_ref *refs = NULL;
	struct sample s;
	size_t n_refs = 0, at = 0;
	int r = 0;

	if (recent_at(recent, id, chain, q->t_ns[0], &s) > 0)
		TRY(take(q, 0, &s));
	if (q->n > 1 && q->t_ns[0] < INT64_MAX)
		TRY(recent_collect(recent, id, chain, q->t_ns[0] + 1, q->t_ns[q->n - 1], &refs, &n_refs));
	for (size_t i = 1; i < q->n && r == 0; i++) {
		const size_t before = at;
		while (at < n_refs && refs[at].t_ns <= q->t_ns[i])
			at++;
		q->points[i] = q->points[i - 1];
		if (at == before)
			continue;
		s = slot_view_get(&recent->all, refs[at - 1].rank);
		r = take(q, i, &s);
	}
	free(refs);
	return r;
}

/* Of a run: the chunk that lies open, and which of its samples was taken last, and for which time. */
struct open_chunk {
	struct column column;
	int64_t last_ns;
	size_t place, i;
	bool taken;
};

static void open_chunk_fini(struct open_chunk *o)
{
	column_fini(&o->column);
}

/* Decoded only if something in it may be taken. */
static int take_of_chunk(const struct question *q, size_t i, struct cursor *c, struct open_chunk *o)
{
	const int64_t t_ns = q->t_ns[i];
	struct chunk_info info;

	if (c->fresh) {
		TRY(chunk_inspect(c->value, c->t0_ns, &info));
		o->last_ns = info.last_ns;
		o->column.n = 0;
		o->taken = c->fresh = false;
	}
	if (!beats(&q->points[i], o->last_ns < t_ns ? o->last_ns : t_ns))
		return 0;
	if (o->column.n == 0)
		TRY(chunk_decode(c->value, c->t0_ns, &o->column));
	const size_t behind = t_ns == INT64_MAX ? o->column.n : column_find(&o->column, t_ns + 1);
	if (behind == 0 || !beats(&q->points[i], o->column.t_ns[behind - 1]))
		return 0;
	if (o->taken && o->place == behind - 1) {
		q->points[i] = q->points[o->i]; /* texts and all */
		return 0;
	}
	o->taken = true;
	o->place = behind - 1;
	o->i = i;
	const struct sample s = column_get(&o->column, o->place);
	return take(q, i, &s);
}

static int from_run(const struct question *q, const struct run *run)
{
	SCOPED(cursor_end) struct cursor c = {0};
	SCOPED(open_chunk_fini) struct open_chunk open = {0};

	if (!run_may_hold(run, q->series->id, INT64_MIN, q->t_ns[q->n - 1]))
		return 0;
	TRY(cursor_begin(&c, run, q->series->id, RUN_CHUNK));
	for (size_t i = 0; i < q->n; i++) {
		const int64_t t_ns = q->t_ns[i];
		if (!beats(&q->points[i], run->meta.last_ns < t_ns ? run->meta.last_ns : t_ns))
			continue;
		TRY(cursor_seek(&c, t_ns));
		if (c.found)
			TRY(take_of_chunk(q, i, &c, &open));
	}
	return 0;
}

/* ERR_CORRUPT when a later one may have been in a chunk that a merge lost. */
static int check_losses(const struct question *q, const struct run *run)
{
	SCOPED(run_walk_end) struct run_walk w = {0};
	struct run_lost lost;
	struct bytes value;
	int r;

	if (run->meta.n_lost == 0 || !run_may_hold(run, q->series->id, INT64_MIN, q->t_ns[q->n - 1]))
		return 0;
	TRY(run_walk_begin(&w, run, q->series->id, RUN_LOST));
	while ((r = run_walk_next(&w)) > 0) {
		TRY(run_walk_value(&w, &value));
		TRY(run_lost_decode(value, &lost));
		for (size_t i = 0; i < q->n; i++)
			if (w.key.t_ns <= q->t_ns[i] &&
			    beats(&q->points[i], lost.last_ns < q->t_ns[i] ? lost.last_ns : q->t_ns[i]))
				return FAIL(ERR_CORRUPT);
	}
	return r;
}

/* ---- Where retention has ended single samples ------------------------------------------------------------
 */

static struct value value_like(enum value_type type, double number)
{
	if (type == VALUE_BOOL)
		return (struct value){.type = VALUE_BOOL, .boolean = number != 0};
	if (type == VALUE_INT64 && fabs(number) <= 0x1p53)
		return (struct value){.type = VALUE_INT64, .integer = (int64_t)number};
	return (struct value){.type = VALUE_DOUBLE, .real = number};
}

/* What a bucket that begins at or before a time says as of then. */
static struct sample sample_of(const struct bucket *b, enum value_type type, int64_t t_ns)
{
	struct sample s = {.t_ns = b->t_ns, .sigma = (double)NAN};

	if (b->n == 0) {
		s.value = (struct value){.type = VALUE_DOUBLE, .real = (double)NAN};
		s.quality = QUALITY_BAD;
		return s;
	}
	s.quality = b->n_bad > 0 ? QUALITY_UNCERTAIN : QUALITY_GOOD;
	if (b->last_ns <= t_ns) {
		s.t_ns = b->last_ns;
		s.value = value_like(type, b->last);
	} else {
		s.value = (struct value){.type = VALUE_DOUBLE, .real = b->mean};
	}
	return s;
}

/* The last bucket that begins at or before a time; there is one. */
static const struct bucket *bucket_before(const struct buckets *b, int64_t t_ns)
{
	size_t low = 0, high = b->n;

	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;
		if (b->items[middle].t_ns <= t_ns)
			low = middle;
		else
			high = middle;
	}
	return &b->items[low];
}

static bool is_past(const struct question *q, size_t i, int64_t raw_since_ns)
{
	const struct point *p = &q->points[i];

	return p->known != KNOWN_SAMPLE || p->sample.t_ns < raw_since_ns;
}

/* A sample came late if it lies where single ones are not kept, and goes into its bucket with the next merge.
 * Of two stretches the later one counts, a finer one before a coarser one that begins with it. */
static void take_bucket(const struct question *q, size_t i, const struct bucket *b)
{
	struct point *p = &q->points[i];
	const int64_t end_ns = b->n > 0 ? b->last_ns : b->t_ns;
	const int64_t known_ns = end_ns < q->t_ns[i] ? end_ns : q->t_ns[i];

	if (beats(p, known_ns))
		*p = (struct point){KNOWN_COARSE, sample_of(b, q->series->type, q->t_ns[i])};
}

static int from_rolled(const struct question *q, const struct run *run, enum run_kind kind, int64_t step_ns,
		       int64_t raw_since_ns)
{
	SCOPED(cursor_end) struct cursor c = {0};
	SCOPED(buckets_fini) struct buckets open = {0};

	if (run->meta.n_rolled == 0 || !run_may_hold(run, q->series->id, INT64_MIN, q->t_ns[q->n - 1]))
		return 0;
	TRY(cursor_begin(&c, run, q->series->id, kind));
	for (size_t i = 0; i < q->n; i++) {
		if (!is_past(q, i, raw_since_ns))
			continue;
		TRY(cursor_seek(&c, q->t_ns[i]));
		if (c.fresh) {
			open.n = 0;
			TRY(rollup_decode(c.value, c.t0_ns, step_ns, &open));
			c.fresh = false;
		}
		if (c.found)
			take_bucket(q, i, bucket_before(&open, q->t_ns[i]));
	}
	return 0;
}

/* What no bucket says more of. */
static void end_past(const struct question *q, int64_t raw_since_ns)
{
	for (size_t i = 0; i < q->n; i++) {
		struct point *p = &q->points[i];
		if (!is_past(q, i, raw_since_ns) || p->known == KNOWN_COARSE)
			continue;
		if (p->known == KNOWN_SAMPLE && type_has_buckets(q->series->type))
			p->known = KNOWN_COARSE; /* came late; others may have been beside it */
		else
			*p = (struct point){.known = KNOWN_EXPIRED, .sample.sigma = (double)NAN};
	}
}

static int look_into_past(const struct question *q)
{
	const struct run_list *runs = &q->h->runs;
	int64_t raw_since_ns;
	bool any = false;

	TRY(history_raw_since(q->h, q->series, &raw_since_ns));
	if (raw_since_ns == TIME_MIN)
		return 0;
	for (size_t i = 0; i < q->n; i++)
		any = any || is_past(q, i, raw_since_ns);
	if (!any)
		return 0;
	for (size_t i = 0; i < runs->n && type_has_buckets(q->series->type); i++) {
		TRY(from_rolled(q, runs->runs[i], RUN_MINUTES, MINUTE_NS, raw_since_ns));
		TRY(from_rolled(q, runs->runs[i], RUN_HOURS, HOUR_NS, raw_since_ns));
	}
	end_past(q, raw_since_ns);
	return 0;
}

int history_points(struct history *h, const struct series *s, const int64_t *t_ns, size_t n, struct arena *a,
		   struct point *ret)
{
	const struct question q = {h, s, t_ns, n, a, ret};

	for (size_t i = 0; i < n; i++)
		ret[i] = (struct point){.sample.sigma = (double)NAN};
	if (n == 0)
		return 0;
	TRY(from_memory(&q));
	for (size_t i = h->runs.n; i-- > 0;)
		TRY(from_run(&q, h->runs.runs[i]));
	for (size_t i = 0; i < h->runs.n; i++)
		TRY(check_losses(&q, h->runs.runs[i]));
	return look_into_past(&q);
}
