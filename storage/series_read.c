/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/plain.h"
#include "storage/series_private.h"

/* One chunk of a series at a time, decoded. Opens its transaction when it is first needed. */
struct chunk_reader {
	struct series_set *h;
	uint64_t id;
	struct env_txn *txn;
	struct points chunk; /* n == 0: none */
};

static void chunk_reader_fini(struct chunk_reader *c)
{
	points_fini(&c->chunk);
	env_abort(c->txn);
}

static int take(struct chunk_reader *c, const struct env_walk *w)
{
	const int64_t first_ns = chunk_key_time(w->key);
	const int r = plain_decode(w->value, first_ns, &c->chunk);

	if (r < 0)
		c->chunk.n = 0;
	return r;
}

/* The chunk in which a time lies or would lie: the last one that begins at or before it. None: chunk.n is 0.
 */
static int chunk_floor(struct chunk_reader *c, int64_t t_ns)
{
	uint8_t key[CHUNK_KEY_BYTES];

	points_clear(&c->chunk);
	if (!c->txn)
		TRY(series_set_begin_read(c->h, &c->txn));
	chunk_key(c->id, t_ns, key);
	SCOPED(env_walk_end) struct env_walk w = env_walk_begin(c->txn, chunk_prefix(key));
	const int r = env_walk_floor(&w, (struct bytes){key, sizeof key});
	return r > 0 ? take(c, &w) : r;
}

/* The first chunk that begins behind a time. */
static int chunk_behind(struct chunk_reader *c, int64_t t_ns)
{
	uint8_t key[CHUNK_KEY_BYTES];

	points_clear(&c->chunk);
	chunk_key(c->id, t_ns, key);
	SCOPED(env_walk_end) struct env_walk w = env_walk_begin(c->txn, chunk_prefix(key));
	int r = env_walk_floor(&w, (struct bytes){key, sizeof key});
	TRY(r);
	r = env_walk_next(&w);
	return r > 0 ? take(c, &w) : r;
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

/* ---- The last one at or before a time ---------------------------------------------------------------------
 */

/* A later source wins at equal times. */
static void last_of(const struct points *p, int64_t at_ns, bool *found, struct sample *best)
{
	size_t i = points_find(p, at_ns);

	if (i == p->n || points_time(p, i) > at_ns) {
		if (i == 0)
			return;
		i--;
	}
	if (*found && points_time(p, i) < best->t_ns)
		return;
	*best = points_get(p, i);
	*found = true;
}

int series_at(struct series_set *h, const struct series *s, int64_t at_ns, struct arena *a, struct sample *ret)
{
	SCOPED(chunk_reader_fini) struct chunk_reader c = {.h = h, .id = s->id};
	struct sample best = {0};
	bool found = false;

	if (s->id == 0)
		return SERIES_ABSENT;
	TRY(chunk_floor(&c, at_ns));
	last_of(&c.chunk, at_ns, &found, &best);
	if (s->head) {
		last_of(&s->head->frozen, at_ns, &found, &best);
		last_of(&s->head->open, at_ns, &found, &best);
	}
	return found ? copy_out(a, &best, ret) : SERIES_ABSENT;
}

/* ---- A range ----------------------------------------------------------------------------------------------
 */

enum { FROM_CHUNK, FROM_FROZEN, FROM_OPEN, N_SOURCES }; /* the later wins at equal times */

static const struct points no_points;

/* Three sorted runs walked side by side; the first is a chunk after the other. */
struct merge {
	struct chunk_reader chunks;
	const struct points *runs[N_SOURCES];
	size_t at[N_SOURCES];
	bool chunks_done;
};

static void merge_fini(struct merge *m)
{
	chunk_reader_fini(&m->chunks);
}

static int merge_begin(struct merge *m, const struct series *s, int64_t from_ns)
{
	m->runs[FROM_CHUNK] = &m->chunks.chunk;
	m->runs[FROM_FROZEN] = s->head ? &s->head->frozen : &no_points;
	m->runs[FROM_OPEN] = s->head ? &s->head->open : &no_points;
	TRY(chunk_floor(&m->chunks, from_ns));
	if (m->chunks.chunk.n == 0)
		TRY(chunk_behind(&m->chunks, from_ns));
	m->chunks_done = m->chunks.chunk.n == 0;
	for (int i = 0; i < N_SOURCES; i++)
		m->at[i] = points_find(m->runs[i], from_ns);
	return 0;
}

/* When the chunk is used up, the next one. */
static int refill(struct merge *m)
{
	const struct points *p = &m->chunks.chunk;

	if (m->chunks_done || m->at[FROM_CHUNK] < p->n)
		return 0;
	TRY(chunk_behind(&m->chunks, points_time(p, p->n - 1)));
	m->at[FROM_CHUNK] = 0;
	m->chunks_done = p->n == 0;
	return 0;
}

/* 1: a sample, good until the next call; 0: the end. */
static int merge_next(struct merge *m, struct sample *ret)
{
	int64_t t_ns = 0;
	int best = -1;

	TRY(refill(m));
	for (int i = 0; i < N_SOURCES; i++) {
		if (m->at[i] == m->runs[i]->n)
			continue;
		const int64_t candidate_ns = points_time(m->runs[i], m->at[i]);
		if (best < 0 || candidate_ns <= t_ns) {
			best = i;
			t_ns = candidate_ns;
		}
	}
	if (best < 0)
		return 0;
	*ret = points_get(m->runs[best], m->at[best]);
	for (int i = 0; i < N_SOURCES; i++)
		if (m->at[i] < m->runs[i]->n && points_time(m->runs[i], m->at[i]) == t_ns)
			m->at[i]++;
	return 1;
}

int series_read(struct series_set *h, const struct series *s, const struct series_range *range, struct arena *a,
		struct sample **ret, size_t *ret_n, bool *ret_more)
{
	SCOPED(merge_fini) struct merge m = {.chunks = {.h = h, .id = s->id}};
	struct sample *samples = NULL, next;
	bool more = false;
	size_t n = 0;
	int r = 0;

	if (s->id != 0)
		TRY(merge_begin(&m, s, range->from_ns));
	while (s->id != 0 && (r = merge_next(&m, &next)) > 0 && next.t_ns <= range->to_ns) {
		more = n == range->limit;
		if (more)
			break;
		struct sample *place = arena_push(a, &samples, &n, sizeof *samples);
		if (!place)
			return FAIL(-ENOMEM);
		TRY(copy_out(a, &next, place));
	}
	TRY(r);
	*ret = samples;
	*ret_n = n;
	*ret_more = more;
	return 0;
}

/* ---- Exactly these ----------------------------------------------------------------------------------------
 */

static bool find_exact(const struct points *p, int64_t t_ns, struct sample *ret)
{
	const size_t i = points_find(p, t_ns);

	if (i == p->n || points_time(p, i) != t_ns)
		return false;
	*ret = points_get(p, i);
	return true;
}

static bool covers(const struct points *p, int64_t t_ns)
{
	return p->n > 0 && points_time(p, 0) <= t_ns && points_time(p, p->n - 1) >= t_ns;
}

static int holds(struct chunk_reader *c, const struct series *s, const struct sample *wanted, bool *ret)
{
	struct sample held;

	if (s->head && (find_exact(&s->head->open, wanted->t_ns, &held) ||
			find_exact(&s->head->frozen, wanted->t_ns, &held))) {
		*ret = sample_equal(&held, wanted);
		return 0;
	}
	if (!covers(&c->chunk, wanted->t_ns))
		TRY(chunk_floor(c, wanted->t_ns));
	*ret = find_exact(&c->chunk, wanted->t_ns, &held) && sample_equal(&held, wanted);
	return 0;
}

int series_holds(struct series_set *h, const struct series *s, const struct sample *samples, size_t n, bool *ret)
{
	SCOPED(chunk_reader_fini) struct chunk_reader c = {.h = h, .id = s->id};
	bool all = s->id != 0 || n == 0;

	for (size_t i = 0; all && i < n; i++)
		TRY(holds(&c, s, &samples[i], &all));
	*ret = all;
	return 0;
}
