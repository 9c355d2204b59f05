/* SPDX-License-Identifier: Apache-2.0 */
/* Views of one owner, through the control socket: sum, min, max, worst health and certificate, no list of
 * members. `view-local`: all members are one node's, and a node of another organisation asks, to whom the
 * policy shares them: each question goes from its control socket over to the owner and back. PostgreSQL
 * beside it counts and sums only, over its own socket. `view-cached`: the hierarchy of view-mesh, offline:
 * what others own comes from their summaries. */
#include <stdio.h>

#include "proto/clock.h"
#include "tests/bench/league.h"
#include "tests/bench/peer.h"

enum { RUNS = 100, QUICK_RUNS = 5, PEER_RUNS = 9, BRANCHES = 10, ARENA_BYTES = 16 << 20, WITHIN_S = 120 };
enum { CACHED_TWINS = 10000, QUICK_CACHED_TWINS = 50, LOOK_MS = 100 };

/* As often as that, each the right answer; the median. */
static int ask_often(struct league *l, const struct league_view *how, const struct bench_options *opt,
		     double *ret_ms)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const size_t n = opt->quick ? QUICK_RUNS : RUNS;
	struct view_part view;
	double ms[RUNS];

	if (arena_new(&a, ARENA_BYTES) < 0)
		return bench_say(l->bench, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if (league_ask(l, how, a, &view, &ms[i]) < 0)
			return -1;
		if (!league_is_right(l, &view) || (!how->offline && !view_is_clean(&view)))
			return bench_say(l->bench, "the view has %llu of %zu members, %llu of them live",
					 (unsigned long long)view.counts.members, league_members(l),
					 (unsigned long long)view.counts.live);
	}
	*ret_ms = bench_quantile(ms, n, 0.5);
	return 0;
}

static int local(const struct bench_options *opt, size_t n_twins)
{
	SCOPED(league_fini) struct league l = {.bench = "view-local", .n_twins = n_twins, .lone = true};
	const struct league_view how = {.deadline_ns = 5 * NS_PER_S};
	char name[24];
	double ms;

	if (league_init(&l, opt) < 0 || league_launch(&l) < 0 || ask_often(&l, &how, opt, &ms) < 0)
		return -1;
	snprintf(name, sizeof name, "%zu", n_twins);
	bench_figure(opt, "view-local", name, ms, "ms", POSTGRES_PEER,
		     peer_postgres(opt, n_twins, BRANCHES, PEER_RUNS));
	return 0;
}

static int run_local(const struct bench_options *opt)
{
	const int small = local(opt, opt->quick ? 111 : 11111);

	return opt->quick ? small : small | local(opt, 111111);
}

/* Until all summaries are there. */
static int await_rows(struct league *l, const struct league_view *how)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const double until_s = bench_now_s() + WITHIN_S;
	struct view_part view;
	double ms;

	if (arena_new(&a, ARENA_BYTES) < 0)
		return bench_say(l->bench, "out of memory");
	do {
		if (league_ask(l, how, a, &view, &ms) < 0)
			return -1;
		if (league_is_right(l, &view) && view.counts.live == l->n_twins &&
		    view.counts.cached == league_members(l) - l->n_twins)
			return 0;
		bench_pause_ms(LOOK_MS);
	} while (bench_now_s() < until_s);
	return bench_say(l->bench, "after %d s %llu members are cached: %s", WITHIN_S,
			 (unsigned long long)view.counts.cached,
			 view.n_problems > 0 ? view.problems[0] : "no problem");
}

static int run_cached(const struct bench_options *opt)
{
	SCOPED(league_fini)
	struct league l = {.bench = "view-cached", .n_twins = opt->quick ? QUICK_CACHED_TWINS : CACHED_TWINS};
	const struct league_view how = {.deadline_ns = 5 * NS_PER_S, .offline = true};
	double ms;

	if (league_init(&l, opt) < 0 || league_launch(&l) < 0 || await_rows(&l, &how) < 0 ||
	    ask_often(&l, &how, opt, &ms) < 0)
		return -1;
	bench_result(opt, "view-cached", "100k", ms, "ms");
	return 0;
}

const struct bench bench_view_local = {
	"view-local", "a view of one node's members, asked by another organisation: [11111] [111111]",
	run_local};
const struct bench bench_view_cached = {
	"view-cached", "a view of 100,000 members from the summaries of their owners: [100k]", run_cached};
