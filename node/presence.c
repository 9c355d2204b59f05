/* SPDX-License-Identifier: Apache-2.0 */
#include "node/presence.h"

#include <string.h>

#include "proto/err.h"
#include "proto/scope.h"

struct presence_place {
	const void *what;
	uint32_t root;
	uint32_t next; /* in the queue, one up */
	bool queued, gone_through;
};

/* Valid at the times of `valid`, which are a stretch. */
struct presence_way {
	uint32_t from, to;
	uint16_t first, last;
};

enum { SEEN, COUNTED, FRESH, N_SETS };

/* ---- Times ------------------------------------------------------------------------------------------------
 */

int64_t time_at(const struct time_axis *x, size_t i)
{
	return (int64_t)((uint64_t)x->from_ns + (uint64_t)i * (uint64_t)x->step_ns);
}

static void set_stretch(struct time_set *s, size_t first, size_t behind)
{
	memset(s, 0, sizeof *s);
	for (size_t i = first; i < behind;) {
		const size_t end = (i / 64 + 1) * 64 < behind ? (i / 64 + 1) * 64 : behind;
		const uint64_t ones = end - i == 64 ? ~UINT64_C(0) : (UINT64_C(1) << (end - i)) - 1;
		s->words[i / 64] |= ones << (i % 64);
		i = end;
	}
}

/* How many of the times lie before one. */
static size_t count_before(const struct time_axis *x, int64_t t_ns)
{
	if (t_ns <= x->from_ns)
		return 0;
	const uint64_t behind = (uint64_t)t_ns - (uint64_t)x->from_ns;
	const uint64_t n = (behind + (uint64_t)x->step_ns - 1) / (uint64_t)x->step_ns;
	return n < x->n ? (size_t)n : x->n;
}

void time_set_between(const struct time_axis *x, int64_t from_ns, int64_t to_ns, struct time_set *ret)
{
	const size_t first = count_before(x, from_ns);
	const size_t behind = to_ns == INT64_MAX ? x->n : count_before(x, to_ns + 1);

	set_stretch(ret, first, behind);
}

bool time_set_is_empty(const struct time_set *s)
{
	for (size_t i = 0; i < TIME_WORDS_MAX; i++)
		if (s->words[i] != 0)
			return false;
	return true;
}

bool time_set_stretch(const struct time_set *s, size_t n_times, size_t *at, size_t *ret_first,
		      size_t *ret_last)
{
	size_t i = *at;

	while (i < n_times && !time_set_has(s, i))
		i++;
	*ret_first = i;
	while (i < n_times && time_set_has(s, i))
		i++;
	*at = i;
	*ret_last = i - 1;
	return i > *ret_first;
}

void time_set_keep(struct time_set *a, const struct time_set *b)
{
	for (size_t i = 0; i < TIME_WORDS_MAX; i++)
		a->words[i] &= b->words[i];
}

void time_set_drop(struct time_set *a, const struct time_set *b)
{
	for (size_t i = 0; i < TIME_WORDS_MAX; i++)
		a->words[i] &= ~b->words[i];
}

void time_set_join(struct time_set *a, const struct time_set *b)
{
	for (size_t i = 0; i < TIME_WORDS_MAX; i++)
		a->words[i] |= b->words[i];
}

/* ---- Places -----------------------------------------------------------------------------------------------
 */

void presence_begin(struct presence *r, size_t n_times)
{
	*r = (struct presence){.n_times = n_times, .n_words = (n_times + 63) / 64};
}

void presence_fini(struct presence *r)
{
	pointers_fini(&r->numbers);
	free(r->places);
	free(r->sets);
	free(r->ways);
	*r = (struct presence){0};
}

size_t presence_bytes(const struct presence *r)
{
	return r->size * (sizeof *r->places + N_SETS * r->n_words * sizeof *r->sets) +
	       r->ways_size * sizeof *r->ways + r->numbers.size * sizeof *r->numbers.entries;
}

static uint64_t *set_of(const struct presence *r, uint32_t place, int which)
{
	return &r->sets[((size_t)place * N_SETS + (size_t)which) * r->n_words];
}

static int make_room(struct presence *r)
{
	if (r->n < r->size)
		return 0;
	const size_t size = r->size ? 2 * r->size : 64, set_bytes = r->n_words * sizeof *r->sets;
	struct presence_place *places = realloc(r->places, size * sizeof *places);
	if (!places)
		return FAIL(-ENOMEM);
	r->places = places;
	uint64_t *sets = realloc(r->sets, size * N_SETS * set_bytes);
	if (!sets)
		return FAIL(-ENOMEM);
	r->sets = sets;
	r->size = size;
	return 0;
}

int presence_place(struct presence *r, const void *what, uint32_t root, uint32_t *ret)
{
	const uint32_t *held = pointers_get(&r->numbers, what);

	if (held) {
		*ret = *held;
		if (r->places[*ret].root == PRESENCE_NO_ROOT)
			r->places[*ret].root = root;
		return 0;
	}
	TRY(make_room(r));
	TRY(pointers_put(&r->numbers, what, (uint32_t)r->n));
	r->places[r->n] = (struct presence_place){.what = what, .root = root};
	memset(set_of(r, (uint32_t)r->n, 0), 0, N_SETS * r->n_words * sizeof *r->sets);
	*ret = (uint32_t)r->n++;
	return 0;
}

const void *presence_what(const struct presence *r, uint32_t place)
{
	return r->places[place].what;
}

uint32_t presence_root(const struct presence *r, uint32_t place)
{
	return r->places[place].root;
}

void presence_push(struct presence *r, uint32_t place, const struct time_set *times)
{
	const uint64_t *const seen = set_of(r, place, SEEN);
	uint64_t *const mine = set_of(r, place, r->phase == PRESENCE_SEEN ? SEEN : COUNTED);
	uint64_t *const fresh = set_of(r, place, FRESH);
	struct presence_place *p = &r->places[place];
	uint64_t any = 0;

	for (size_t i = 0; i < r->n_words; i++) {
		const uint64_t new = times->words[i] & ~seen[i] & ~mine[i];
		mine[i] |= new;
		fresh[i] |= new;
		any |= new;
	}
	if (any == 0 || p->queued)
		return;
	p->queued = true;
	p->next = 0;
	*(r->last ? &r->places[r->last - 1].next : &r->first) = place + 1;
	r->last = place + 1;
}

static void get_set(const struct presence *r, uint32_t place, int which, struct time_set *ret)
{
	memset(ret, 0, sizeof *ret);
	memcpy(ret->words, set_of(r, place, which), r->n_words * sizeof *r->sets);
}

bool presence_pop(struct presence *r, uint32_t *ret, struct time_set *ret_times, bool *ret_first)
{
	if (r->first == 0)
		return false;
	*ret = r->first - 1;
	struct presence_place *p = &r->places[*ret];
	r->first = p->next;
	if (r->first == 0)
		r->last = 0;
	p->queued = false;
	*ret_first = !p->gone_through;
	p->gone_through = true;
	get_set(r, *ret, FRESH, ret_times);
	memset(set_of(r, *ret, FRESH), 0, r->n_words * sizeof *r->sets);
	return true;
}

void presence_times(const struct presence *r, uint32_t place, enum presence_phase phase, struct time_set *ret)
{
	get_set(r, place, phase == PRESENCE_SEEN ? SEEN : COUNTED, ret);
}

/* ---- Cycles -----------------------------------------------------------------------------------------------
 */

int presence_way(struct presence *r, uint32_t from, uint32_t to, const struct time_set *valid)
{
	size_t at = 0, first, last;

	if (!time_set_stretch(valid, r->n_times, &at, &first, &last))
		return 0;
	if (r->n_ways == r->ways_size) {
		const size_t size = r->ways_size ? 2 * r->ways_size : 64;
		struct presence_way *ways = realloc(r->ways, size * sizeof *ways);
		if (!ways)
			return FAIL(-ENOMEM);
		r->ways = ways;
		r->ways_size = size;
	}
	r->ways[r->n_ways++] = (struct presence_way){from, to, (uint16_t)first, (uint16_t)last};
	return 0;
}

/* Ways by where they end (`to` of place p: into[begin[p]] .. into[begin[p + 1] - 1]), and by where they
 * begin; of each place the times at which a round leads to it, as far as it is known. */
struct rounds {
	const struct presence *r;
	uint32_t *into, *into_begin, *out, *out_begin, *queue, *n_before;
	uint64_t *alive;
	uint8_t *mark;
};

static void rounds_fini(struct rounds *c)
{
	free(c->into);
	free(c->into_begin);
	free(c->out);
	free(c->out_begin);
	free(c->queue);
	free(c->n_before);
	free(c->alive);
	free(c->mark);
}

static int rounds_init(struct rounds *c, const struct presence *r)
{
	const size_t n = r->n + 2, n_ways = r->n_ways + 1;

	c->r = r;
	c->into = calloc(n_ways, sizeof *c->into);
	c->out = calloc(n_ways, sizeof *c->out);
	c->into_begin = calloc(n, sizeof *c->into_begin);
	c->out_begin = calloc(n, sizeof *c->out_begin);
	c->queue = calloc(n, sizeof *c->queue);
	c->n_before = calloc(n, sizeof *c->n_before);
	c->alive = calloc(n * r->n_words, sizeof *c->alive);
	c->mark = calloc(n, 1);
	const bool all = c->into && c->out && c->into_begin && c->out_begin && c->queue && c->n_before &&
			 c->alive && c->mark;
	return all ? 0 : FAIL(-ENOMEM);
}

/* Counting sort: the numbers of the ways by one of their ends. */
static void sort_ways(const struct presence *r, bool by_from, uint32_t *begin, uint32_t *sorted)
{
	for (size_t i = 0; i < r->n_ways; i++)
		begin[(by_from ? r->ways[i].from : r->ways[i].to) + 2]++;
	for (size_t i = 2; i < r->n + 2; i++)
		begin[i] += begin[i - 1];
	for (size_t i = 0; i < r->n_ways; i++)
		sorted[begin[(by_from ? r->ways[i].from : r->ways[i].to) + 1]++] = (uint32_t)i;
}

/* At which times does anything in a round, or below one, still lead to this place? Shrinks; true: it has. */
static bool shrink(struct rounds *c, uint32_t place)
{
	const size_t n_words = c->r->n_words;
	uint64_t *const mine = &c->alive[(size_t)place * n_words];
	struct time_set led = {0}, valid;
	bool less = false;

	for (uint32_t i = c->into_begin[place]; i < c->into_begin[place + 1]; i++) {
		const struct presence_way *way = &c->r->ways[c->into[i]];
		const uint64_t *from = &c->alive[(size_t)way->from * n_words];
		set_stretch(&valid, way->first, way->last + (size_t)1);
		for (size_t k = 0; k < n_words; k++)
			led.words[k] |= from[k] & valid.words[k];
	}
	for (size_t k = 0; k < n_words; k++) {
		less = less || (mine[k] & ~led.words[k]) != 0;
		mine[k] &= led.words[k];
	}
	return less;
}

/* Whatever the times are: who has nobody before him is in no round, nor is who has only such ones (Kahn,
 * 1962). All others may be; returns how many. */
static size_t leave_out_trees(struct rounds *c)
{
	const size_t n = c->r->n;
	size_t head = 0, out = 0;

	for (uint32_t i = 0; i < n; i++) {
		c->n_before[i] = c->into_begin[i + 1] - c->into_begin[i];
		if (c->n_before[i] == 0)
			c->queue[out++] = i;
	}
	for (; head < out; head++) {
		const uint32_t place = c->queue[head];
		for (uint32_t i = c->out_begin[place]; i < c->out_begin[place + 1]; i++) {
			const uint32_t to = c->r->ways[c->out[i]].to;
			if (--c->n_before[to] == 0)
				c->queue[out++] = to;
		}
	}
	return n - out;
}

/* What is left then at a time hangs below a round at that time: each has somebody before it who is left too.
 */
static void shrink_all(struct rounds *c)
{
	const size_t n = c->r->n;
	size_t head = 0, waiting = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (c->n_before[i] == 0)
			continue;
		memcpy(&c->alive[(size_t)i * c->r->n_words], set_of(c->r, i, COUNTED),
		       c->r->n_words * sizeof *c->alive);
		c->queue[waiting++] = i;
		c->mark[i] = 1;
	}
	while (waiting > 0) {
		const uint32_t place = c->queue[head];
		head = (head + 1) % (n + 1);
		waiting--;
		c->mark[place] = 0;
		if (!shrink(c, place))
			continue;
		for (uint32_t i = c->out_begin[place]; i < c->out_begin[place + 1]; i++) {
			const uint32_t to = c->r->ways[c->out[i]].to;
			if (c->mark[to])
				continue;
			c->mark[to] = 1;
			c->queue[(head + waiting++) % (n + 1)] = to;
		}
	}
}

static bool is_alive(const struct rounds *c, uint32_t place, size_t time)
{
	return c->alive[(size_t)place * c->r->n_words + time / 64] >> (time % 64) & 1;
}

/* One of those before a place that are alive at a time; there is one. */
static uint32_t before(const struct rounds *c, uint32_t place, size_t time)
{
	for (uint32_t i = c->into_begin[place]; i < c->into_begin[place + 1]; i++) {
		const struct presence_way *way = &c->r->ways[c->into[i]];
		if (time >= way->first && time <= way->last && is_alive(c, way->from, time))
			return way->from;
	}
	return place;
}

enum { UNSEEN, ON_THE_WAY, DONE };

/* Go back from a place until one comes again: that round is told, unless one has come to what was told. */
static int tell_round(struct rounds *c, uint32_t place, size_t time, presence_cycle_fn *told, void *ctx)
{
	uint32_t at = place;

	while (c->mark[at] == UNSEEN) {
		c->mark[at] = ON_THE_WAY;
		at = before(c, at, time);
	}
	const bool is_new = c->mark[at] == ON_THE_WAY;
	for (uint32_t i = place; c->mark[i] == ON_THE_WAY; i = before(c, i, time))
		c->mark[i] = DONE;
	return is_new ? told(ctx, c->r->places[at].what, c->r->places[before(c, at, time)].what, time) : 0;
}

int presence_cycles(const struct presence *r, presence_cycle_fn *told, void *ctx)
{
	SCOPED(rounds_fini) struct rounds c = {0};

	TRY(rounds_init(&c, r));
	sort_ways(r, false, c.into_begin, c.into);
	sort_ways(r, true, c.out_begin, c.out);
	if (leave_out_trees(&c) == 0)
		return 0;
	shrink_all(&c);
	for (uint32_t i = 0; i < r->n; i++)
		for (size_t k = 0; k < r->n_words && c.mark[i] == UNSEEN; k++) {
			const uint64_t left = c.alive[(size_t)i * r->n_words + k];
			if (left != 0)
				TRY(tell_round(&c, i, k * 64 + (size_t)__builtin_ctzll(left), told, ctx));
		}
	return 0;
}
