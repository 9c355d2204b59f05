/* SPDX-License-Identifier: Apache-2.0 */
/* Views of 100,000 members at ten owner nodes of three organisations, through the control socket: sum, min,
 * max, worst health and certificate, no list of members. `view-mesh`: all live. `view-lost`: one owner after
 * the other stands still while it is asked; what the certificate says is compared with what was done.
 * `view-wan`: with 40 ms one way between the organisations. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "proto/clock.h"
#include "tests/bench/league.h"
#include "tests/bench/link.h"

enum { TWINS = 10000, QUICK_TWINS = 50, RUNS = 300, QUICK_RUNS = 10, WAN_RUNS = 50, LOST_ROUNDS = 3 };
enum { ARENA_BYTES = 16 << 20, DEADLINE_MS = 200, ONE_WAY_MS = 40, BEFORE_MS = 20, WITHIN_S = 60 };

static struct league league_of(const struct bench_options *opt, const char *bench)
{
	return (struct league){.bench = bench, .n_twins = opt->quick ? QUICK_TWINS : TWINS};
}

static int not_whole(const struct league *l, const struct view_part *view)
{
	const struct view_counts *c = &view->counts;

	for (size_t i = 0; i < view->n_sources; i++)
		if (view->sources[i].state != MEMBER_LIVE)
			bench_say(l->bench, "%s/%s did not answer", view->sources[i].org,
				  view->sources[i].node);
	return bench_say(l->bench, "the view is not whole: of %zu members %llu, %llu live, %llu cached; %s",
			 league_members(l), (unsigned long long)c->members, (unsigned long long)c->live,
			 (unsigned long long)c->cached,
			 view->n_problems > 0 ? view->problems[0] : "no problem");
}

/* `ms`: room for n. All of them whole and live. */
static int ask_live(struct league *l, double *ms, size_t n)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct league_view how = {.deadline_ns = 5 * NS_PER_S};
	struct view_part view;

	if (arena_new(&a, ARENA_BYTES) < 0)
		return bench_say(l->bench, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if (league_ask(l, &how, a, &view, &ms[i]) < 0)
			return -1;
		if (!view_is_clean(&view) || !league_is_right(l, &view))
			return not_whole(l, &view);
	}
	return 0;
}

static int run_mesh(const struct bench_options *opt)
{
	SCOPED(league_fini) struct league l = league_of(opt, "view-mesh");
	const size_t n = opt->quick ? QUICK_RUNS : RUNS;
	double ms[RUNS];

	if (league_init(&l, opt) < 0 || league_launch(&l) < 0 || ask_live(&l, ms, n) < 0)
		return -1;
	bench_result(opt, "view-mesh", "p50", bench_quantile(ms, n, 0.5), "ms");
	bench_result(opt, "view-mesh", "p99", bench_quantile(ms, n, 0.99), "ms");
	return 0;
}

/* ---- One that stands still --------------------------------------------------------------------------------
 */

/* Behind a border that stands still nobody can be asked. */
static bool is_lost(const struct league_node *n, const struct league_node *victim)
{
	return strcmp(n->org, victim->org) == 0 && (n->number == victim->number || victim->number == 0);
}

static bool is_source(const struct view_part *view, const struct league_node *n, enum member_state state)
{
	char name[16];

	snprintf(name, sizeof name, "n%zu", n->number);
	for (size_t i = 0; i < view->n_sources; i++)
		if (view->sources[i].state == state && strcmp(view->sources[i].org, n->org) == 0 &&
		    strcmp(view->sources[i].node, name) == 0)
			return true;
	return false;
}

enum { LATE = 1 };

/* Does the certificate say what was done? LATE: it does, and others did not answer in time either: the
 * machine is busy with something else. */
static int check(const struct league *l, const struct league_node *victim, const struct view_part *view)
{
	const struct view_counts *c = &view->counts;
	size_t lost = 0, late = 0;

	for (size_t i = 0; i < LEAGUE_NODES; i++) {
		const struct league_node *n = &l->nodes[i];
		const bool cached = is_source(view, n, MEMBER_CACHED);
		lost += cached;
		late += cached && !is_lost(n, victim);
		if (cached == is_source(view, n, MEMBER_LIVE) || (!cached && is_lost(n, victim)))
			return bench_say(l->bench, "without %s/n%zu: %s/n%zu is not the source it was",
					 victim->org, victim->number, n->org, n->number);
	}
	if (c->members != league_members(l) || c->cached != lost * l->n_twins ||
	    c->live != c->members - c->cached || (c->withheld | c->unreachable | c->unconfirmed) != 0 ||
	    !league_is_right(l, view))
		return bench_say(l->bench, "without %s/n%zu: %llu live and %llu cached of %llu", victim->org,
				 victim->number, (unsigned long long)c->live, (unsigned long long)c->cached,
				 (unsigned long long)c->members);
	return late > 0 ? LATE : 0;
}

static int lose(struct league *l, const struct league_node *victim, double *ret_ms)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct league_view how = {.deadline_ns = DEADLINE_MS * NS_PER_MS};
	struct view_part view;

	if (arena_new(&a, ARENA_BYTES) < 0)
		return bench_say(l->bench, "out of memory");
	kill(victim->pid, SIGSTOP);
	bench_pause_ms(BEFORE_MS);
	int r = league_ask(l, &how, a, &view, ret_ms);
	kill(victim->pid, SIGCONT);
	if (r == 0)
		r = check(l, victim, &view);
	return r < 0 || league_await(l, WITHIN_S) < 0 ? -1 : r;
}

static int run_lost(const struct bench_options *opt)
{
	SCOPED(league_fini) struct league l = league_of(opt, "view-lost");
	const size_t rounds = opt->quick ? 1 : LOST_ROUNDS;
	double ms[LOST_ROUNDS * LEAGUE_NODES];
	size_t n = 0, n_late = 0;

	if (league_init(&l, opt) < 0 || league_launch(&l) < 0)
		return -1;
	for (size_t i = 0; i < rounds * (LEAGUE_NODES - 1); i++) {
		const int r = lose(&l, &l.nodes[1 + i % (LEAGUE_NODES - 1)], &ms[n++]);
		if (r < 0)
			return -1;
		n_late += r == LATE;
	}
	bench_result(opt, "view-lost", "200ms", bench_quantile(ms, n, 0.5), "ms");
	bench_result(opt, "view-lost", "200ms-worst", bench_quantile(ms, n, 1), "ms");
	bench_result(opt, "view-lost", "late", (double)n_late, "of others");
	return 0;
}

/* ---- Far apart --------------------------------------------------------------------------------------------
 */

static int put_apart(struct league *l, struct link *link)
{
	l->border_listen = l->border_port == UINT16_MAX ? l->border_port - 1 : l->border_port + 1;
	link->delay_ms = ONE_WAY_MS;
	for (size_t i = 0; i < LEAGUE_NODES; i++)
		if (l->nodes[i].number == 0 &&
		    link_route(link, l->nodes[i].host, l->border_port, l->border_listen) < 0)
			return bench_say(l->bench, "no port for the line between organisations");
	return link_start(link) < 0 ? bench_say(l->bench, "no thread") : 0;
}

static int run_wan(const struct bench_options *opt)
{
	SCOPED(league_fini) struct league l = league_of(opt, "view-wan");
	SCOPED(link_fini) struct link link = {0};
	const size_t n = opt->quick ? QUICK_RUNS : WAN_RUNS;
	double ms[WAN_RUNS];

	if (league_init(&l, opt) < 0 || put_apart(&l, &link) < 0 || league_launch(&l) < 0 ||
	    ask_live(&l, ms, n) < 0)
		return -1;
	if (bench_quantile(ms, n, 0) < 2 * ONE_WAY_MS)
		return bench_say("view-wan", "an answer came before the line could bring it");
	bench_result(opt, "view-wan", "40ms", bench_quantile(ms, n, 0.5), "ms");
	return 0;
}

const struct bench bench_view_mesh = {
	"view-mesh", "a live view of 100,000 members, 10 owners, 3 organisations: [p50] [p99]", run_mesh};
const struct bench bench_view_lost = {
	"view-lost", "the same while one of the owners stands still, with a deadline of 200 ms", run_lost};
const struct bench bench_view_wan = {"view-wan", "the same with 40 ms one way between the organisations",
				     run_wan};
