/* SPDX-License-Identifier: Apache-2.0 */
/* A million twins are held behind a link. It is cut without a word, 10,000 of them change, it heals: from
 * then until the holder shows the last that changed. A Redis replica behind the same link does the same at
 * the same time. The median of several cuts, for both look for their peer anew only now and then. */
#include <math.h>
#include <stdio.h>

#include "tests/bench/duo.h"
#include "tests/bench/link.h"
#include "tests/bench/peer_replica.h"
#include "tests/bench/process.h"

enum { TWINS = 1000000, QUICK_TWINS = 20000, CHANGED = 10000, CUT_S = 30, QUICK_CUT_S = 8, ROUNDS = 3 };
enum { WITHIN_S = 180, CHECKED = 200 };

struct heal {
	struct duo duo;
	struct link link;
	struct replica replica;
	bool has_replica;
	double ours[ROUNDS], theirs[ROUNDS];
};

/* Both asked in turn until both show it. */
static int await_equal(struct heal *h, const struct duo_change *c, size_t round)
{
	const size_t last = duo_twin(&h->duo, c, c->n - 1);
	const double began_s = bench_now_s();

	h->ours[round] = 0;
	h->theirs[round] = h->has_replica ? 0 : NAN;
	while (h->ours[round] == 0 || h->theirs[round] == 0) {
		if (h->ours[round] == 0 && duo_shown(&h->duo, last) == (int64_t)h->duo.changes[last])
			h->ours[round] = bench_now_s() - began_s;
		if (h->theirs[round] == 0 && replica_shows(&h->replica, last, h->duo.changes[last]))
			h->theirs[round] = bench_now_s() - began_s;
		if (bench_now_s() > began_s + WITHIN_S)
			return bench_say("heal", "not equal %d s after the cut", WITHIN_S);
	}
	return 0;
}

static int once(const struct bench_options *opt, struct heal *h, size_t round)
{
	const struct duo_change c = {.first = 0, .n = CHANGED};
	const struct duo_change some = {.first = 0, .n = CHECKED};
	const double cut_s = opt->quick ? QUICK_CUT_S : CUT_S, began_s = bench_now_s();

	h->link.cut = true;
	if (duo_send(&h->duo, &c) < 0 || duo_await_acks(&h->duo, 0) < 0)
		return -1;
	if (h->has_replica &&
	    replica_set(&h->replica, 0, h->duo.n_twins / CHANGED, CHANGED, h->duo.changes[0]) < 0)
		return bench_say("heal", "the Redis primary takes nothing");
	while (bench_now_s() < began_s + cut_s)
		bench_pause_ms(10);
	h->link.cut = false;
	return await_equal(h, &c, round) < 0 ? -1 : duo_check(&h->duo, &some);
}

static int measure(const struct bench_options *opt, struct heal *h)
{
	const size_t rounds = opt->quick ? 1 : ROUNDS;

	if (duo_launch(&h->duo, DUO_HOLDER) < 0 || duo_await_session(&h->duo, WITHIN_S) < 0)
		return -1;
	for (int64_t held = 0; held < (int64_t)h->duo.n_twins; held = duo_held(&h->duo)) {
		if (held < 0)
			return -1;
		bench_pause_ms(100);
	}
	for (size_t i = 0; i < rounds; i++)
		if (once(opt, h, i) < 0)
			return -1;
	bench_figure(opt, "heal", "10k", bench_quantile(h->ours, rounds, 0.5), "s", REPLICA_PEER,
		     h->has_replica ? bench_quantile(h->theirs, rounds, 0.5) : NAN);
	return 0;
}

/* The nodes of the mesh and the primary all stand behind the link. */
static int begin(const struct bench_options *opt, struct heal *h)
{
	const uint16_t port = free_port();

	h->duo.fleet.listen_port = free_port();
	h->replica.port[0] = free_port();
	if (duo_init(&h->duo, opt) < 0)
		return -1;
	for (size_t i = 0; i < N_DUO; i++)
		if (link_route(&h->link, h->duo.fleet.nodes[i].host, h->duo.fleet.port,
			       h->duo.fleet.listen_port) < 0)
			return bench_say("heal", "no place for the link");
	if (link_route(&h->link, "127.0.0.1", port, h->replica.port[0]) < 0 || link_start(&h->link) < 0)
		return bench_say("heal", "no link");
	const int r = replica_start(&h->replica, opt, port);
	h->has_replica = r == 0;
	return r < 0 ? -1 : 0;
}

static int run(const struct bench_options *opt)
{
	struct heal h = {.duo = {.bench = "heal", .n_twins = opt->quick ? QUICK_TWINS : TWINS}};

	h.replica.n_keys = h.duo.n_twins;
	const int r = begin(opt, &h) < 0 ? -1 : measure(opt, &h);
	replica_end(&h.replica);
	duo_fini(&h.duo);
	link_fini(&h.link);
	return r;
}

const struct bench bench_heal = {
	"heal", "equal again after a silent cut of 30 s in which 10,000 of a million changed: [10k]", run};
