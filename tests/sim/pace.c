/* SPDX-License-Identifier: Apache-2.0 */
/* One node hangs and one origin changes all the time: a change of another origin must reach whoever is
 * connected to it as if nothing were. */
#include "tests/sim/world.h"

#define PACE_NS (2 * NS_PER_S) /* three hops, each a head, a pull, rows and a commit: half a second */
#define BEAT_NS (10 * NS_PER_MS)
#define HANG_NS (60 * NS_PER_S)

enum { ONE_SEED_OF = 4 };

/* Nodes of the organisation that are reached without the one that hangs. */
static void reach(const struct world *w, int from, int without, bool ret[N_NODES])
{
	bool grown = true;

	memset(ret, 0, N_NODES * sizeof *ret);
	ret[from] = true;
	while (grown) {
		grown = false;
		for (int i = 0; i < w->n_links; i++)
			for (int side = 0; side < 2; side++) {
				const int a = w->links[i].ends[side], b = w->links[i].ends[!side];
				if (!ret[a] || ret[b] || b == without || sites[a].org != sites[b].org ||
				    !net_is_up(w, i))
					continue;
				ret[b] = grown = true;
			}
	}
}

/* Who of them does not have that state yet; -1: everybody has it. */
static int lacking(const struct world *w, const bool reached[N_NODES], int origin)
{
	const struct sim_row *truth = &w->nodes[origin].disk.origins[origin].rows[0];

	for (int i = 0; i < N_NODES; i++) {
		const struct sim_row *held = &w->nodes[i].disk.origins[origin].rows[0];
		if (reached[i] && (!held->present || row_version_compare(held->version, truth->version) < 0))
			return i;
	}
	return -1;
}

static int any_owner(struct world *w, int but, int nor)
{
	int node;

	do
		node = (int)world_below(w, N_NODES);
	while (!w->duties[node].owner || node == but || node == nor);
	return node;
}

static void beat(struct world *w, int chatty)
{
	world_go_on(w, BEAT_NS);
	if (!w->failure[0])
		disk_change(&w->nodes[chatty], (int)world_below(w, TWINS), (uint8_t)world_below(w, N_ATTRS),
			    false);
}

void pace_check(struct world *w)
{
	if (world_below(w, ONE_SEED_OF) != 0)
		return;
	const int hangs = (int)world_below(w, N_NODES), chatty = any_owner(w, hangs, hangs);
	const int quiet = any_owner(w, hangs, chatty);
	struct sim_node *n = &w->nodes[quiet];
	const uint64_t before = n->disk.seq;
	bool reached[N_NODES];

	world_tell(w, "%s hangs, %s never rests, %s speaks once", sites[hangs].origin, sites[chatty].origin,
		   sites[quiet].origin);
	w->nodes[hangs].frozen_ns = w->now_ns + HANG_NS;
	reach(w, quiet, hangs, reached);
	for (int i = 0; i < 20; i++)
		beat(w, chatty);
	disk_change(n, 0, 0, false);
	const int64_t until_ns = w->now_ns + PACE_NS;
	int slow = quiet;
	while (slow >= 0 && !w->failure[0]) {
		beat(w, chatty);
		slow = n->disk.seq == before ? quiet : lacking(w, reached, quiet);
		if (slow >= 0 && w->now_ns > until_ns)
			world_fail(w, "%s waits for a change of %s while %s hangs and %s never rests",
				   sites[slow].origin, sites[quiet].origin, sites[hangs].origin,
				   sites[chatty].origin);
	}
}
