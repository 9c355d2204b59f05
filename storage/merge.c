/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/merge.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/clock.h"

enum {
	SERIES_WORK = 64,       /* what a series costs besides, in samples */
	RULES_MAX = UINT16_MAX, /* rules that differ */
	SMALL_LEVEL = 2,        /* runs from this one on have the smallest chunks */
};

/* The rules as they were at the beginning: most series share a few. */
struct rules {
	uint16_t *places; /* of each series */
	uint32_t n_series;
	struct series_rule *items;
	size_t n;
};

struct merge {
	struct merge_inputs in;
	struct rules rules;
	bool expires;
	uint32_t series; /* the next to look for */
	uint32_t *next;  /* per input: its first series at or behind that; 0: not known */
	struct series_merge one;
	struct run_writer out;
	bool begun, done;
	struct run *result;
};

/* ---- Rules ------------------------------------------------------------------------------------------------
 */

static bool same_rule(const struct series_rule *a, const struct series_rule *b)
{
	return a->alive == b->alive && a->raw_ns == b->raw_ns && a->minute_ns == b->minute_ns &&
	       a->hour_ns == b->hour_ns;
}

/* Should there be too many, the rest keeps everything. */
static int add_rule(struct rules *r, struct series_rule rule, uint16_t *ret)
{
	if (r->n == RULES_MAX - 1)
		rule = (struct series_rule){.alive = rule.alive};
	for (size_t i = r->n; i-- > 0;)
		if (same_rule(&r->items[i], &rule)) {
			*ret = (uint16_t)i;
			return 0;
		}
	struct series_rule *items = realloc(r->items, (r->n + 1) * sizeof *items);
	if (!items)
		return FAIL(-ENOMEM);
	r->items = items;
	*ret = (uint16_t)r->n;
	items[r->n++] = rule;
	return 0;
}

static int copy_rules(struct rules *r, series_rule_fn *rule, const void *ctx, uint32_t n_series)
{
	r->places = malloc(((size_t)n_series + 1) * sizeof *r->places);
	if (!r->places)
		return FAIL(-ENOMEM);
	r->n_series = n_series;
	for (uint32_t id = 0; id < n_series; id++) {
		const struct series_rule given = rule(ctx, id);
		if (id > 0 && same_rule(&given, &r->items[r->places[id - 1]]))
			r->places[id] = r->places[id - 1];
		else
			TRY(add_rule(r, given, &r->places[id]));
	}
	return 0;
}

static struct series_rule rule_of(const struct rules *r, uint32_t series)
{
	return series < r->n_series ? r->items[r->places[series]] : (struct series_rule){0};
}

/* ---- What to merge ----------------------------------------------------------------------------------------
 */

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Has anything been kept for 9/8 of the shortest retention, and is it 1/8 of it since that was looked at? */
static bool has_expired(const struct history *h, const struct rules *rules)
{
	int64_t shortest_ns = INT64_MAX, oldest_ns = INT64_MAX, newest_ns = INT64_MIN, looked_ns = INT64_MIN;

	for (size_t i = 0; i < rules->n; i++)
		if (rules->items[i].alive && rules->items[i].raw_ns > 0 &&
		    rules->items[i].raw_ns < shortest_ns)
			shortest_ns = rules->items[i].raw_ns;
	for (size_t i = 0; i < h->runs.n; i++) {
		const struct run_meta *m = &h->runs.runs[i]->meta;
		if (h->runs.runs[i]->stuck)
			return false;
		oldest_ns = m->first_ns < oldest_ns ? m->first_ns : oldest_ns;
		newest_ns = later(newest_ns, m->last_ns);
		looked_ns = later(looked_ns, m->expired_at_ns);
	}
	if (shortest_ns == INT64_MAX || newest_ns < oldest_ns)
		return false;
	const double since_ns = (double)newest_ns - (double)(looked_ns != INT64_MIN ? looked_ns : oldest_ns);
	const double wait_ns = (double)shortest_ns * (looked_ns != INT64_MIN ? 0.125 : 1.125);
	return since_ns > wait_ns;
}

/* The youngest neighbours of one level that are enough to be merged: their place and how many; 0: none. */
static size_t find_tier(const struct run_list *runs, size_t *ret_first)
{
	for (size_t end = runs->n, first; end > 0; end = first) {
		first = end - 1;
		if (runs->runs[first]->stuck)
			continue;
		while (first > 0 && !runs->runs[first - 1]->stuck &&
		       runs->runs[first - 1]->meta.level == runs->runs[first]->meta.level)
			first--;
		*ret_first = first;
		if (end - first >= MERGE_RUNS)
			return end - first;
	}
	return 0;
}

static int set_inputs(struct merge *m, const struct run_list *runs, size_t first, size_t n)
{
	m->in.runs = malloc(n * sizeof(struct run *));
	m->next = calloc(n, sizeof *m->next);
	if (!m->in.runs || !m->next)
		return FAIL(-ENOMEM);
	memcpy(m->in.runs, runs->runs + first, n * sizeof(struct run *));
	m->in.n = n;
	return 0;
}

DEFINE_SCOPED(merge, merge_free)

int history_merge_begin(struct history *h, series_rule_fn *rule, const void *ctx, uint32_t n_series)
{
	SCOPED(scope_merge) struct merge *m = NULL;
	size_t first = 0, n = find_tier(&h->runs, &first);

	assert(!h->merge);
	if (n == 0)
		return HISTORY_NOTHING;
	m = calloc(1, sizeof *m);
	if (!m)
		return FAIL(-ENOMEM);
	TRY(copy_rules(&m->rules, rule, ctx, n_series));
	m->expires = has_expired(h, &m->rules);
	if (m->expires) {
		first = 0;
		n = h->runs.n;
	}
	TRY(set_inputs(m, &h->runs, first, n));
	h->merge = MOVE(m);
	return 0;
}

/* ---- The steps --------------------------------------------------------------------------------------------
 */

/* Level, and when retention was last looked at, of what comes out. */
static void set_meta(struct merge *m)
{
	struct run_meta *out = &m->out.meta;

	for (size_t i = 0; i < m->in.n; i++) {
		const struct run_meta *in = &m->in.runs[i]->meta;
		out->level = in->level > out->level ? in->level : out->level;
		out->expired_at_ns = later(out->expired_at_ns, m->expires ? in->last_ns : in->expired_at_ns);
	}
	out->level++;
	/* What comes out of the first merge is soon merged again: most of the samples that are kept have gone
	   through a second one, and that looks harder. */
	m->one.effort = out->level < SMALL_LEVEL ? CHUNK_FAST : CHUNK_SMALL;
}

static int begin_output(struct history *h, struct merge *m)
{
	TRY(run_writer_begin(&m->out, h->dir, h->next_number++, h->limit_bytes));
	set_meta(m);
	m->begun = true;
	return 0;
}

/* The next series that any input has something of: 1, or 0 at the end. */
static int next_series(struct merge *m, uint32_t *ret)
{
	uint32_t first = UINT32_MAX;

	for (size_t i = 0; i < m->in.n; i++) {
		if (m->next[i] < m->series) {
			const int found = run_series_next(m->in.runs[i], m->series, &m->next[i]);
			TRY(found);
			if (found == 0)
				m->next[i] = UINT32_MAX;
		}
		first = m->next[i] < first ? m->next[i] : first;
	}
	*ret = first;
	return first != UINT32_MAX;
}

/* To the next series that is not gone: 1, or 0 at the end. */
static int begin_series(struct merge *m, size_t *work)
{
	uint32_t series = 0;
	int more;

	while ((more = next_series(m, &series)) > 0) {
		const struct series_rule rule = rule_of(&m->rules, series);
		m->series = series + 1;
		*work += SERIES_WORK;
		if (!rule.alive)
			continue;
		TRY(series_merge_begin(&m->one, &m->in, series, m->expires ? &rule : NULL));
		return 1;
	}
	return more;
}

static int finish(struct merge *m)
{
	if (m->out.meta.n_records > 0)
		TRY(run_writer_end(&m->out, &m->result));
	else
		run_writer_drop(&m->out);
	m->done = true;
	return 1;
}

static int step(struct history *h, struct merge *m)
{
	size_t work = 0;
	int more;

	if (!m->begun)
		TRY(begin_output(h, m));
	while (work < h->merge_work) {
		if (!m->one.active) {
			more = begin_series(m, &work);
			TRY(more);
			if (more == 0)
				return finish(m);
		}
		more = series_merge_step(&m->one, &m->in, &m->out, &work);
		TRY(more);
	}
	return run_writer_pause(&m->out);
}

int history_merge_step(struct history *h)
{
	struct merge *m = h->merge;

	assert(m && !m->done);
	const int r = step(h, m);
	if (r == ERR_CORRUPT) /* rotten records do not do this: some tree is */
		for (size_t i = 0; i < m->in.n; i++)
			m->in.runs[i]->stuck = true;
	return r;
}

/* ---- The end ----------------------------------------------------------------------------------------------
 */

bool merge_is_done(const struct merge *m)
{
	return m && m->done;
}

bool merge_takes(const struct merge *m, const struct run *r)
{
	for (size_t i = 0; i < m->in.n; i++)
		if (m->in.runs[i] == r)
			return true;
	return false;
}

bool merge_comes_at(const struct merge *m, const struct run *r)
{
	return m->result && m->in.runs[0] == r;
}

const struct run *merge_result(const struct merge *m)
{
	return m->result;
}

void merge_free(struct merge *m)
{
	if (!m)
		return;
	series_merge_end(&m->one);
	run_writer_drop(&m->out);
	run_close(m->result);
	free(m->in.runs);
	free(m->next);
	free(m->rules.places);
	free(m->rules.items);
	free(m);
}

/* The result in the place of its inputs, which go as soon as nothing durable names them. */
static void replace_inputs(struct history *h, struct merge *m)
{
	struct run_list *runs = &h->runs;
	size_t kept = 0;

	for (size_t i = 0; i < runs->n; i++) {
		struct run *run = runs->runs[i];
		if (!merge_takes(m, run))
			runs->runs[kept++] = run;
		else if (merge_comes_at(m, run))
			runs->runs[kept++] = m->result;
	}
	runs->n = kept;
	m->result = NULL;
	for (size_t i = 0; i < m->in.n; i++)
		history_doom(h, m->in.runs[i]);
}

void history_merge_end(struct history *h, bool durable)
{
	SCOPED(scope_merge) struct merge *m = MOVE(h->merge);

	assert(m && (m->done || !durable));
	if (m->done)
		replace_inputs(h, m);
	if (durable)
		history_remove_doomed(h);
}
