/* SPDX-License-Identifier: Apache-2.0 */
/* Who has heard of a partner's policy takes no rows of an older one from that partner, whichever border has
 * them: they may be what the newer one hides. */
#include "tests/sim/world.h"

static uint64_t highest(struct world *w, const struct heads *heads)
{
	uint64_t epoch = 0;
	struct head head;

	for (size_t i = 0; i < heads->n; i++) {
		arena_reset(w->scratch);
		if (head_decode(w->scratch, heads->heads[i].head.payload, &head) == 0 && head.epoch > epoch)
			epoch = head.epoch;
	}
	return epoch;
}

void check_epoch_begin(struct sim_node *n, int peer, const struct message *m)
{
	struct world *w = n->world;
	const int org = sites[peer].org;

	w->rows_of = -1;
	if (org == sites[n->id].org)
		return;
	if (m->kind == MESSAGE_ROWS) {
		w->rows_of = origin_index(m->rows.origin);
		w->rows_epoch = m->rows.epoch;
	}
	if (m->kind == MESSAGE_HEADS) {
		const uint64_t epoch = highest(w, &m->heads);
		n->seen_epoch[org] = epoch > n->seen_epoch[org] ? epoch : n->seen_epoch[org];
	}
}

void check_epoch(struct sim_node *n, const char *origin)
{
	struct world *w = n->world;
	const int stored = origin_index(origin);

	if (stored >= 0 && w->rows_of == stored && w->rows_epoch < n->seen_epoch[sites[stored].org])
		world_fail(w, "%s takes rows of policy %lu of %s, and has heard of %lu", sites[n->id].origin,
			   (unsigned long)w->rows_epoch, origin,
			   (unsigned long)n->seen_epoch[sites[stored].org]);
}

void check_epoch_end(struct world *w)
{
	w->rows_of = -1;
}
