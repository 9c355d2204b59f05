/* SPDX-License-Identifier: Apache-2.0 */
/* An organisation in which nothing happens: what each node says on each of its sessions, and what it takes.
 * Bytes are those of the frames, before CURVE and TCP, counted by the node that sends them. Beside it agents
 * of serf, as many. */
#include <math.h>
#include <stdio.h>

#include "tests/bench/fleet.h"
#include "tests/bench/peer_serf.h"
#include "tests/bench/process.h"

enum {
	NODES = 40,
	QUICK_NODES = 4,
	WITHIN_S = 120,
	REST_S = 15,
	REST_QUICK_S = 1,
	LOOK_S = 30,
	LOOK_QUICK_S = 2,
	ARENA_BYTES = 4 << 20
};

static int bytes_sent(struct fleet *f, uint64_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < f->n; i++) {
		SCOPED(scope_arena) struct arena *a = NULL;
		struct peer_info *peers;
		size_t n;
		if (arena_new(&a, ARENA_BYTES) < 0 || fleet_peers(f, i, a, &peers, &n) < 0)
			return -1;
		for (size_t k = 0; k < n; k++)
			*ret += peers[k].bytes_out;
	}
	return 0;
}

static double mean_mb(const struct fleet *f)
{
	double sum = 0;

	for (size_t i = 0; i < f->n; i++)
		sum += (double)process_figure(f->nodes[i].pid, "status", "VmRSS:") / 1e6;
	return sum / (double)f->n;
}

static int measure(struct fleet *f, double look_s, double *ret_bytes, double *ret_mb)
{
	uint64_t before, after;
	const double began_s = bench_now_s();

	if (bytes_sent(f, &before) < 0)
		return -1;
	bench_pause_ms((int64_t)(look_s * 1000));
	const double took_s = bench_now_s() - began_s;
	*ret_mb = mean_mb(f);
	if (bytes_sent(f, &after) < 0)
		return -1;
	*ret_bytes = (double)(after - before) / (double)(f->n * (f->n - 1)) / took_s;
	return after > before ? 0 : bench_say(f->bench, "a session ended meanwhile");
}

static int run(const struct bench_options *opt)
{
	SCOPED(fleet_fini)
	struct fleet fleet = {.bench = "idle", .n = opt->quick ? QUICK_NODES : NODES};
	double bytes = 0, mb = 0;

	if (fleet_init(&fleet, opt) < 0 || fleet_tell_all(&fleet) < 0 || fleet_launch_all(&fleet) < 0 ||
	    fleet_settle(&fleet, WITHIN_S) < 0)
		return -1;
	bench_pause_ms((opt->quick ? REST_QUICK_S : REST_S) * 1000);
	if (measure(&fleet, opt->quick ? LOOK_QUICK_S : LOOK_S, &bytes, &mb) < 0)
		return -1;
	bench_result(opt, "idle", "bytes", bytes, "bytes/s");
	fleet_stop(&fleet);
	bench_figure(opt, "idle", "rss", mb, "MB", SERF_PEER, peer_serf_rss(opt, fleet.n, WITHIN_S));
	return 0;
}

const struct bench bench_idle = {
	"idle", "nodes with nothing to do: bytes said on a session, memory: idle [bytes] [rss]", run};
