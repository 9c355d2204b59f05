/* SPDX-License-Identifier: Apache-2.0 */
#include "node/presence.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/must.h"

/* A random hierarchy whose ways hold for a while, gone through as of each time by itself, and as a data flow.
 */
enum { N_PLACES = 24, N_WAYS = 60, N_ROOTS = 3, N_TIMES = 150 };

struct way {
	uint32_t from, to;
	int64_t valid_from, valid_to;
};

struct world {
	struct way ways[N_WAYS];
	size_t n_ways;
	uint32_t roots[2][N_ROOTS]; /* seen, counted */
	struct time_set root_times[2][N_ROOTS];
	struct time_axis axis;
	uint64_t state;
	int things[N_PLACES];
	/* what must come of it */
	bool at[2][N_PLACES][N_TIMES];
	bool round[N_TIMES];
	/* what did */
	bool told[N_TIMES];
	size_t n_told, n_popped;
};

static uint32_t random_below(struct world *w, uint32_t n)
{
	w->state = w->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((w->state >> 33) % n);
}

static void make(struct world *w, bool rounds)
{
	w->axis = (struct time_axis){.from_ns = -70 + (int64_t)random_below(w, 40),
				     .step_ns = 1 + random_below(w, 7),
				     .n = 1 + random_below(w, N_TIMES)};
	w->n_ways = random_below(w, N_WAYS);
	for (size_t i = 0; i < w->n_ways; i++) {
		struct way *way = &w->ways[i];
		const int64_t t = time_at(&w->axis, random_below(w, (uint32_t)w->axis.n));
		way->from = random_below(w, N_PLACES - 1);
		way->to = rounds ? random_below(w, N_PLACES)
				 : way->from + 1 + random_below(w, N_PLACES - 1 - way->from);
		way->valid_from = random_below(w, 2) ? INT64_MIN : t;
		way->valid_to = random_below(w, 2) ? INT64_MAX : t + (int64_t)random_below(w, 100);
	}
	for (int phase = 0; phase < 2; phase++)
		for (int i = 0; i < N_ROOTS; i++) {
			const int64_t t = time_at(&w->axis, random_below(w, (uint32_t)w->axis.n));
			w->roots[phase][i] = random_below(w, N_PLACES);
			time_set_between(&w->axis, random_below(w, 2) ? INT64_MIN : t, INT64_MAX,
					 &w->root_times[phase][i]);
		}
}

static bool is_valid(const struct world *w, const struct way *way, size_t time)
{
	const int64_t t = time_at(&w->axis, time);

	return t >= way->valid_from && t <= way->valid_to;
}

static void walk_down(struct world *w, int phase, uint32_t place, size_t time)
{
	if (w->at[phase][place][time] || (phase == 1 && w->at[0][place][time]))
		return;
	w->at[phase][place][time] = true;
	for (size_t i = 0; i < w->n_ways; i++)
		if (w->ways[i].from == place && is_valid(w, &w->ways[i], time))
			walk_down(w, phase, w->ways[i].to, time);
}

static bool leads_to(const struct world *w, uint32_t from, uint32_t to, size_t time, bool *met)
{
	for (size_t i = 0; i < w->n_ways; i++) {
		const struct way *way = &w->ways[i];
		if (way->from != from || !is_valid(w, way, time) || !w->at[1][way->to][time] || met[way->to])
			continue;
		if (way->to == to)
			return true;
		met[way->to] = true;
		if (leads_to(w, way->to, to, time, met))
			return true;
	}
	return false;
}

static void think(struct world *w)
{
	for (size_t time = 0; time < w->axis.n; time++) {
		for (int phase = 0; phase < 2; phase++)
			for (int i = 0; i < N_ROOTS; i++)
				if (time_set_has(&w->root_times[phase][i], time))
					walk_down(w, phase, w->roots[phase][i], time);
		for (uint32_t p = 0; p < N_PLACES && !w->round[time]; p++) {
			bool met[N_PLACES] = {0};
			w->round[time] = w->at[1][p][time] && leads_to(w, p, p, time, met);
		}
	}
}

static int on_cycle(void *ctx, const void *what, const void *by_way_of, size_t time)
{
	struct world *w = ctx;
	const uint32_t to = (uint32_t)((const int *)what - w->things),
		       from = (uint32_t)((const int *)by_way_of - w->things);
	bool met[N_PLACES] = {0}, way = false;

	for (size_t i = 0; i < w->n_ways; i++)
		way = way ||
		      (w->ways[i].from == from && w->ways[i].to == to && is_valid(w, &w->ways[i], time));
	cr_assert(way && (from == to || leads_to(w, to, from, time, met)), "no round from %u by way of %u",
		  to, from);
	w->told[time] = true;
	w->n_told++;
	return 0;
}

static void flow(struct world *w, struct presence *r)
{
	struct time_set times, valid;
	uint32_t at, below;
	bool first;

	for (int phase = 0; phase < 2; phase++) {
		r->phase = phase ? PRESENCE_COUNTED : PRESENCE_SEEN;
		for (int i = 0; i < N_ROOTS; i++) {
			must(presence_place(r, &w->things[w->roots[phase][i]], 0, &at) == 0);
			presence_push(r, at, &w->root_times[phase][i]);
		}
		while (presence_pop(r, &at, &times, &first)) {
			const uint32_t from = (uint32_t)((const int *)presence_what(r, at) - w->things);
			w->n_popped++;
			cr_assert(!time_set_is_empty(&times));
			for (size_t i = 0; i < w->n_ways; i++) {
				const struct way *way = &w->ways[i];
				if (way->from != from)
					continue;
				must(presence_place(r, &w->things[way->to], 0, &below) == 0);
				time_set_between(&w->axis, way->valid_from, way->valid_to, &valid);
				if (first)
					must(presence_way(r, at, below, &valid) == 0);
				time_set_keep(&valid, &times);
				presence_push(r, below, &valid);
			}
		}
	}
}

static void play(uint64_t seed, bool rounds)
{
	static struct world w;
	struct presence r;
	struct time_set set;
	uint32_t at;
	size_t n_rounds = 0;

	w = (struct world){.state = seed};
	make(&w, rounds);
	think(&w);
	presence_begin(&r, w.axis.n);
	flow(&w, &r);
	for (uint32_t p = 0; p < N_PLACES; p++) {
		must(presence_place(&r, &w.things[p], 0, &at) == 0);
		for (int phase = 0; phase < 2; phase++) {
			presence_times(&r, at, phase ? PRESENCE_COUNTED : PRESENCE_SEEN, &set);
			for (size_t time = 0; time < w.axis.n; time++)
				cr_assert_eq(time_set_has(&set, time), w.at[phase][p][time],
					     "seed %lu, place %u, phase %d, time %zu", (unsigned long)seed, p,
					     phase, time);
		}
	}
	cr_assert_eq(presence_cycles(&r, on_cycle, &w), 0);
	for (size_t time = 0; time < w.axis.n; time++) {
		n_rounds += w.round[time];
		cr_assert(w.round[time] || !w.told[time]);
	}
	cr_assert_eq(n_rounds > 0, w.n_told > 0, "seed %lu", (unsigned long)seed);
	presence_fini(&r);
}

Test(presence, a_flow_says_what_each_time_by_itself_says, .timeout = 120)
{
	for (uint64_t seed = 1; seed <= 400; seed++)
		play(seed, seed % 2 == 0);
}

Test(presence, a_hierarchy_that_stays_is_gone_through_once)
{
	static int chain[1000];
	const struct time_axis axis = {.from_ns = 0, .step_ns = 1, .n = VIEW_TIMES_MAX};
	struct time_set times;
	uint32_t at, below;
	size_t n = 0;
	struct presence r;
	bool first;

	presence_begin(&r, axis.n);
	r.phase = PRESENCE_COUNTED;
	time_set_between(&axis, INT64_MIN, INT64_MAX, &times);
	must(presence_place(&r, &chain[0], 7, &at) == 0);
	presence_push(&r, at, &times);
	for (; presence_pop(&r, &at, &times, &first); n++) {
		const int *what = presence_what(&r, at);
		if (what == &chain[999])
			continue;
		must(presence_place(&r, what + 1, presence_root(&r, at), &below) == 0);
		presence_push(&r, below, &times);
	}
	cr_expect_eq(n, 1000);
	cr_expect_eq(presence_root(&r, at), 7);
	presence_times(&r, at, PRESENCE_COUNTED, &times);
	cr_expect(time_set_has(&times, 0) && time_set_has(&times, VIEW_TIMES_MAX - 1));
	presence_fini(&r);
}

Test(presence, times_at_the_ends_of_time)
{
	const struct time_axis axis = {.from_ns = INT64_MIN, .step_ns = INT64_MAX, .n = 3};
	struct time_set set;
	size_t at = 0, first, last;

	cr_expect_eq(time_at(&axis, 1), -1);
	cr_expect_eq(time_at(&axis, 2), INT64_MAX - 1);
	time_set_between(&axis, INT64_MIN, INT64_MAX, &set);
	cr_expect(time_set_stretch(&set, 3, &at, &first, &last) && first == 0 && last == 2);
	time_set_between(&axis, 0, INT64_MAX, &set);
	at = 0;
	cr_expect(time_set_stretch(&set, 3, &at, &first, &last) && first == 2 && last == 2);
	time_set_between(&axis, INT64_MIN, INT64_MIN, &set);
	at = 0;
	cr_expect(time_set_stretch(&set, 3, &at, &first, &last) && first == 0 && last == 0);
	cr_expect_not(time_set_stretch(&set, 3, &at, &first, &last));
	time_set_between(&axis, 5, 4, &set);
	cr_expect(time_set_is_empty(&set));
}
