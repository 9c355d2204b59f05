/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/pieces.h"

#include <assert.h>
#include <stdlib.h>

#include "storage/chunk.h"

enum { SHORT = 256 /* samples in a piece: fewer, and merging them with others costs no more */ };

/* Samples that lie open (chunk.t_ns[at] ..), then perhaps more: the next chunk, which begins at t0_ns. */
struct piece_source {
	enum { RUN, RUN_LOSSES, MEMORY } kind;
	const struct run *run;
	struct column chunk;
	size_t at;
	bool more;
	int64_t t0_ns;
	size_t ref, n_refs; /* of memory: those to come */
};

void pieces_fini(struct pieces *p)
{
	for (size_t i = 0; i < p->n; i++)
		column_fini(&p->sources[i].chunk);
	free(p->sources);
	free(p->refs);
	column_fini(&p->merged);
	*p = (struct pieces){0};
}

struct column column_view(const struct column *c, size_t i, size_t end)
{
	struct column view = *c;

	view.t_ns += i;
	view.bits += i;
	view.quality = c->quality ? c->quality + i : NULL;
	view.sigma = c->sigma ? c->sigma + i : NULL;
	view.source = c->source ? c->source + i : NULL;
	view.n = view.size = end - i;
	return view;
}

static bool is_open(const struct piece_source *s)
{
	return s->at < s->chunk.n;
}

static int64_t last_ns(const struct piece_source *s)
{
	return s->chunk.t_ns[s->chunk.n - 1];
}

/* No sample to come is earlier; false: there is none to come. */
static bool head_ns(const struct pieces *p, const struct piece_source *s, int64_t *ret)
{
	if (is_open(s))
		*ret = s->chunk.t_ns[s->at];
	else
		*ret = s->t0_ns > p->from_ns ? s->t0_ns : p->from_ns;
	return is_open(s) || s->more;
}

/* The place of the first sample behind a time. */
static size_t find_behind(const struct column *c, int64_t t_ns)
{
	return t_ns == INT64_MAX ? c->n : column_find(c, t_ns + 1);
}

/* ---- Where the chunks of a run are ------------------------------------------------------------------------
 */

static void set_next(const struct pieces *p, struct piece_source *s, int64_t t0_ns)
{
	s->t0_ns = t0_ns;
	s->more = t0_ns <= p->to_ns;
}

/* The chunk behind the one the walk is at, or none. */
static int look_behind(const struct pieces *p, struct piece_source *s, struct run_walk *w)
{
	const int found = run_walk_next(w);

	TRY(found);
	s->more = false;
	if (found > 0)
		set_next(p, s, w->key.t_ns);
	return 0;
}

/* The first chunk that may reach into the range: the one that begins before it, if it does. */
static int find_chunk(const struct pieces *p, struct piece_source *s)
{
	SCOPED(run_walk_end) struct run_walk w = {0};
	struct chunk_info info = {0};
	struct bytes value;

	TRY(run_walk_begin(&w, s->run, p->series, RUN_CHUNK));
	const int found = run_walk_floor(&w, p->from_ns);
	TRY(found);
	if (found == 0)
		return look_behind(p, s, &w);
	const int64_t t0_ns = w.key.t_ns;
	const bool rotten = run_walk_value(&w, &value) < 0 ||
			    chunk_inspect(value, t0_ns, &info) < 0; /* told when reached */
	if (!rotten && info.last_ns < p->from_ns)
		return look_behind(p, s, &w);
	set_next(p, s, t0_ns);
	return 0;
}

/* The first stretch that a merge lost and that reaches into the range. */
static int find_loss(const struct pieces *p, struct piece_source *s)
{
	SCOPED(run_walk_end) struct run_walk w = {0};
	struct run_lost loss;
	struct bytes value;
	int r;

	TRY(run_walk_begin(&w, s->run, p->series, RUN_LOST));
	while ((r = run_walk_next(&w)) > 0 && w.key.t_ns <= p->to_ns) {
		TRY(run_walk_value(&w, &value));
		TRY(run_lost_decode(value, &loss));
		if (loss.last_ns < p->from_ns)
			continue;
		set_next(p, s, w.key.t_ns);
		return 0;
	}
	return r < 0 ? r : 0;
}

/* ---- Opening a chunk --------------------------------------------------------------------------------------
 */

/* What lies open must be of one type: who merges it relies on that, and disks may err. */
static int check_type(struct pieces *p, const struct column *c)
{
	if (p->type == VALUE_NONE)
		p->type = c->type;
	return c->n > 0 && c->type == p->type ? 0 : FAIL(ERR_CORRUPT);
}

static void cut_to_range(const struct pieces *p, struct piece_source *s)
{
	s->chunk.n = find_behind(&s->chunk, p->to_ns);
	s->at = column_find(&s->chunk, p->from_ns);
}

static int tell_lost(const struct pieces *p, struct piece_source *s, int64_t t0_ns, struct bytes stored)
{
	/* Nothing says how far it reached: not into the next one, and not beyond what its run has. */
	const int64_t end_ns = s->more ? s->t0_ns - 1 : s->run->meta.last_ns;

	s->chunk.n = s->at = 0;
	return p->on_lost(p->lost_ctx, &(struct lost){t0_ns, end_ns > t0_ns ? end_ns : t0_ns, stored});
}

/* Decode the next chunk of a run and look where the one behind it is. */
static int open_chunk(struct pieces *p, struct piece_source *s)
{
	SCOPED(run_walk_end) struct run_walk w = {0};
	const int64_t t0_ns = s->t0_ns;
	struct bytes value;

	TRY(run_walk_begin(&w, s->run, p->series, RUN_CHUNK));
	const int found = run_walk_floor(&w, t0_ns);
	TRY(found);
	if (found == 0 || w.key.t_ns != t0_ns)
		return FAIL(ERR_CORRUPT); /* it was there before */
	const struct bytes stored = w.walk.stored;
	int r = run_walk_value(&w, &value);
	if (r == 0)
		r = chunk_decode(value, t0_ns, &s->chunk);
	if (r == 0)
		r = check_type(p, &s->chunk);
	if (r < 0)
		s->chunk.n = s->at = 0;
	if (r < 0 && !(r == ERR_CORRUPT && p->on_lost))
		return r;
	TRY(look_behind(p, s, &w));
	if (r < 0)
		return tell_lost(p, s, t0_ns, stored);
	cut_to_range(p, s);
	return 0;
}

static int open_memory(struct pieces *p, struct piece_source *s)
{
	size_t n;

	column_clear(&s->chunk);
	s->at = 0;
	TRY(slot_view_fill(p->memory, p->refs + s->ref, s->n_refs - s->ref, &s->chunk, &n));
	TRY(check_type(p, &s->chunk));
	s->ref += n;
	s->more = s->ref < s->n_refs;
	if (s->more)
		s->t0_ns = p->refs[s->ref].t_ns;
	return 0;
}

static int open_next(struct pieces *p, struct piece_source *s)
{
	switch (s->kind) {
	case RUN: return open_chunk(p, s);
	case RUN_LOSSES: return FAIL(ERR_CORRUPT);
	case MEMORY: return open_memory(p, s);
	}
	return 0;
}

/* ---- Beginning --------------------------------------------------------------------------------------------
 */

static int add_run(struct pieces *p, const struct run *run)
{
	struct piece_source *s = &p->sources[p->n];

	*s = (struct piece_source){.kind = RUN, .run = run};
	TRY(find_chunk(p, s));
	p->n += s->more;
	if (run->meta.n_lost == 0 || p->on_lost) /* who is told of losses copies these himself */
		return 0;
	s = &p->sources[p->n];
	*s = (struct piece_source){.kind = RUN_LOSSES, .run = run};
	TRY(find_loss(p, s));
	p->n += s->more;
	return 0;
}

static int add_memory(struct pieces *p, const struct piece_options *opt)
{
	struct piece_source *s = &p->sources[p->n];
	size_t n;

	TRY(recent_collect(opt->recent, opt->series, opt->chain, p->from_ns, p->to_ns, &p->refs, &n));
	if (n == 0)
		return 0;
	p->memory = &opt->recent->all;
	*s = (struct piece_source){.kind = MEMORY, .more = true, .t0_ns = p->refs[0].t_ns, .n_refs = n};
	p->n++;
	return 0;
}

int pieces_begin(struct pieces *p, const struct piece_options *opt)
{
	*p = (struct pieces){
		.series = opt->series,
		.from_ns = opt->from_ns,
		.to_ns = opt->to_ns,
		.on_lost = opt->on_lost,
		.lost_ctx = opt->lost_ctx,
	};
	p->sources = calloc(2 * opt->n_runs + 1, sizeof *p->sources);
	if (!p->sources)
		return FAIL(-ENOMEM);
	if (opt->from_ns > opt->to_ns)
		return 0;
	for (size_t i = 0; i < opt->n_runs; i++)
		if (run_may_hold(opt->runs[i], opt->series, opt->from_ns, opt->to_ns))
			TRY(add_run(p, opt->runs[i]));
	return opt->recent ? add_memory(p, opt) : 0;
}

/* ---- Going on ---------------------------------------------------------------------------------------------
 */

/* The source with the earliest head, other than one; NULL: none has any. */
static struct piece_source *earliest(const struct pieces *p, const struct piece_source *except,
				     int64_t *ret_ns)
{
	struct piece_source *best = NULL;
	int64_t t_ns;

	for (size_t i = 0; i < p->n; i++) {
		struct piece_source *s = &p->sources[i];
		if (s == except || !head_ns(p, s, &t_ns) || (best && t_ns >= *ret_ns))
			continue;
		best = s;
		*ret_ns = t_ns;
	}
	return best;
}

static int hand_out(struct pieces *p, struct piece_source *s, size_t end, const struct column **ret)
{
	p->view = column_view(&s->chunk, s->at, end);
	s->at = end;
	*ret = &p->view;
	return 1;
}

/* Samples up to a time that lie open. */
static size_t count_until(const struct pieces *p, int64_t end_ns)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct piece_source *s = &p->sources[i];
		if (is_open(s) && s->chunk.t_ns[s->at] <= end_ns)
			n += find_behind(&s->chunk, end_ns) - s->at;
	}
	return n;
}

/* An earlier time, so that about half of the samples are left; at least the first one is. */
static int64_t halve(const struct pieces *p, int64_t end_ns)
{
	size_t most = 0;
	int64_t half_ns = end_ns;

	for (size_t i = 0; i < p->n; i++) {
		const struct piece_source *s = &p->sources[i];
		if (!is_open(s) || s->chunk.t_ns[s->at] > end_ns)
			continue;
		const size_t n = find_behind(&s->chunk, end_ns) - s->at;
		if (n <= most)
			continue;
		most = n;
		half_ns = s->chunk.t_ns[s->at + (n - 1) / 2];
	}
	return half_ns;
}

/* Everything that lies open up to a time, the younger over the older. */
static int merge_until(struct pieces *p, int64_t end_ns, const struct column **ret)
{
	while (count_until(p, end_ns) > CHUNK_SAMPLES_MAX)
		end_ns = halve(p, end_ns);
	column_clear(&p->merged);
	for (size_t i = 0; i < p->n; i++) {
		struct piece_source *s = &p->sources[i];
		if (!is_open(s) || s->chunk.t_ns[s->at] > end_ns)
			continue;
		const size_t end = find_behind(&s->chunk, end_ns);
		TRY(column_merge(&p->merged, &s->chunk, s->at, end));
		s->at = end;
	}
	*ret = &p->merged;
	return 1;
}

/* How far everything that begins at or before *end_ns lies open, once it does: 1. 0: one more was opened,
 * look again. Where one cannot be opened the end is before it, so that what comes before is still handed out.
 */
static int open_until(struct pieces *p, int64_t begin_ns, int64_t *end_ns)
{
	int64_t t_ns;

	for (size_t i = 0; i < p->n; i++) {
		struct piece_source *s = &p->sources[i];
		if (!head_ns(p, s, &t_ns) || t_ns > *end_ns)
			continue;
		if (is_open(s)) {
			*end_ns = last_ns(s) < *end_ns ? last_ns(s) : *end_ns;
			continue;
		}
		const int r = open_next(p, s);
		if (r == 0)
			return 0;
		if (r != ERR_CORRUPT || t_ns <= begin_ns)
			return r;
		*end_ns = t_ns - 1;
	}
	return 1;
}

int pieces_next(struct pieces *p, const struct column **ret)
{
	int64_t begin_ns, other_ns = 0;
	struct piece_source *first;

	while ((first = earliest(p, NULL, &begin_ns))) {
		if (!is_open(first)) {
			TRY(open_next(p, first));
			continue;
		}
		const struct piece_source *other = earliest(p, first, &other_ns);
		if (!other || other_ns > last_ns(first))
			return hand_out(p, first, first->chunk.n, ret);
		const size_t apart = column_find(&first->chunk, other_ns);
		if (apart >= first->at + SHORT)
			return hand_out(p, first, apart, ret);
		int64_t end_ns = last_ns(first);
		const int r = open_until(p, begin_ns, &end_ns);
		TRY(r);
		if (r > 0)
			return merge_until(p, end_ns, ret);
	}
	return 0;
}
