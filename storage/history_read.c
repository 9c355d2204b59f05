/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "storage/chunk.h"
#include "storage/history_private.h"

/* ---- A range ----------------------------------------------------------------------------------------------
 */

struct history_reader {
	struct pieces pieces;
};

static struct piece_options options(struct history *h, const struct series *s, int64_t from_ns, int64_t to_ns)
{
	return (struct piece_options){
		.runs = h->runs.runs,
		.n_runs = h->runs.n,
		.series = s->id,
		.from_ns = from_ns,
		.to_ns = to_ns,
		.recent = &h->recent,
		.chain = s->chain,
	};
}

int history_read(struct history *h, const struct series *s, int64_t from_ns, int64_t to_ns,
		 struct history_reader **ret)
{
	SCOPED(scope_history_reader) struct history_reader *r = calloc(1, sizeof *r);
	const struct piece_options opt = options(h, s, from_ns, to_ns);

	if (!r)
		return FAIL(-ENOMEM);
	TRY(pieces_begin(&r->pieces, &opt));
	*ret = MOVE(r);
	return 0;
}

int history_next(struct history_reader *r, const struct column **ret)
{
	return pieces_next(&r->pieces, ret);
}

void history_reader_free(struct history_reader *r)
{
	if (!r)
		return;
	pieces_fini(&r->pieces);
	free(r);
}

/* ---- The last one at or before a time ---------------------------------------------------------------------
 */

/* The best so far; its texts lie in memory or in the chunk. */
struct last {
	bool found;
	struct sample sample;
	struct column chunk, spare; /* spare: of the chunk that is being looked at */
};

static void last_fini(struct last *l)
{
	column_fini(&l->chunk);
	column_fini(&l->spare);
}

/* Would a sample at this time be taken? The younger are looked at first and win at equal times. */
static bool beats(const struct last *l, int64_t t_ns)
{
	return !l->found || t_ns > l->sample.t_ns;
}

static int look_into(struct last *l, struct bytes value, int64_t t0_ns, int64_t at_ns)
{
	const struct column kept = l->chunk;

	TRY(chunk_decode(value, t0_ns, &l->spare));
	const size_t behind = at_ns == INT64_MAX ? l->spare.n : column_find(&l->spare, at_ns + 1);
	if (behind == 0 || !beats(l, l->spare.t_ns[behind - 1]))
		return 0;
	l->chunk = l->spare;
	l->spare = kept;
	l->sample = column_get(&l->chunk, behind - 1);
	l->found = true;
	return 0;
}

static int last_of_run(const struct run *run, uint32_t series, int64_t at_ns, struct last *l)
{
	SCOPED(run_walk_end) struct run_walk w = {0};
	struct chunk_info info;
	struct bytes value;

	if (!run_may_hold(run, series, INT64_MIN, at_ns) || !beats(l, run->meta.last_ns))
		return 0;
	TRY(run_walk_begin(&w, run, series, RUN_CHUNK));
	const int found = run_walk_floor(&w, at_ns);
	TRY(found);
	if (found == 0 || !beats(l, at_ns))
		return 0;
	TRY(run_walk_value(&w, &value));
	TRY(chunk_inspect(value, w.key.t_ns, &info));
	return beats(l, info.last_ns) ? look_into(l, value, w.key.t_ns, at_ns) : 0;
}

/* ERR_CORRUPT when a later one may have been in a chunk that a merge lost. */
static int check_losses(const struct run *run, uint32_t series, int64_t at_ns, const struct last *l)
{
	SCOPED(run_walk_end) struct run_walk w = {0};
	struct run_lost lost;
	struct bytes value;
	int r;

	if (run->meta.n_lost == 0 || !run_may_hold(run, series, INT64_MIN, at_ns))
		return 0;
	TRY(run_walk_begin(&w, run, series, RUN_LOST));
	while ((r = run_walk_next(&w)) > 0 && w.key.t_ns <= at_ns) {
		TRY(run_walk_value(&w, &value));
		TRY(run_lost_decode(value, &lost));
		if (beats(l, lost.last_ns < at_ns ? lost.last_ns : at_ns))
			return FAIL(ERR_CORRUPT);
	}
	return r < 0 ? r : 0;
}

static int find_last(struct history *h, const struct series *s, int64_t at_ns, struct last *l)
{
	l->found = recent_at(&h->recent, s->id, s->chain, at_ns, &l->sample) > 0;
	for (size_t i = h->runs.n; i-- > 0;)
		TRY(last_of_run(h->runs.runs[i], s->id, at_ns, l));
	for (size_t i = 0; i < h->runs.n; i++)
		TRY(check_losses(h->runs.runs[i], s->id, at_ns, l));
	return 0;
}

static int copy_out(struct arena *a, const struct sample *s, struct sample *ret)
{
	struct sample copy = *s;

	TRY(value_copy(a, &s->value, &copy.value));
	copy.source = arena_copy(a, s->source);
	if (s->source && !copy.source)
		return FAIL(-ENOMEM);
	*ret = copy;
	return 0;
}

int history_at(struct history *h, const struct series *s, int64_t at_ns, struct arena *a, struct sample *ret)
{
	SCOPED(last_fini) struct last l = {0};

	TRY(find_last(h, s, at_ns, &l));
	return l.found ? copy_out(a, &l.sample, ret) : HISTORY_ABSENT;
}

int history_holds(struct history *h, const struct series *s, const struct sample *sample, bool *ret)
{
	SCOPED(last_fini) struct last l = {0};

	TRY(find_last(h, s, sample->t_ns, &l));
	*ret = l.found && sample_equal(&l.sample, sample);
	return 0;
}
