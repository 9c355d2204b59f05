/* SPDX-License-Identifier: Apache-2.0 */
#include "node/gather.h"

enum { SKIP_BITS_MAX = 6 };

void gather_answered(struct gather *g, const struct gather_commit *c)
{
	const uint64_t most_ns = c->took_ns < GATHER_NS_MAX ? c->took_ns : GATHER_NS_MAX;

	g->want = 0;
	if (c->bytes > GATHER_BYTES_MAX || c->n_answered == 0)
		return;
	if (g->skip > 0) {
		g->skip--;
		return;
	}
	g->want = c->n_answered + c->n_queued;
	g->until_ns = c->now_ns + most_ns;
}

/* Most of them is nearly as good as all. */
static bool is_worth_it(const struct gather *g, size_t n_queued)
{
	return n_queued >= g->want - g->want / 4;
}

static void learn(struct gather *g, bool worth_it)
{
	if (worth_it) {
		g->misses = 0;
		return;
	}
	if (g->misses < SKIP_BITS_MAX)
		g->misses++;
	g->skip = 1U << g->misses;
}

bool gather_holds(struct gather *g, size_t n_queued, uint64_t now_ns)
{
	if (n_queued < g->want && now_ns < g->until_ns)
		return true;
	if (g->want > 1)
		learn(g, is_worth_it(g, n_queued));
	g->want = 0;
	return false;
}
