/* SPDX-License-Identifier: Apache-2.0 */
/* What a mesh remembers is bounded by what is there: its sessions, the origins offered, the rows under way.
 */
#include "federation/mesh_state.h"
#include "tests/sim/world.h"

enum {
	STORES_MAX = 2 * PULL_CREDIT, /* of one origin, given out and not yet durable */
	STEP_MAX_BYTES = 1 << 20,
};

static bool is_bounded(const struct sim_node *n, const struct mesh *m)
{
	for (size_t i = 0; i < m->n_streams; i++)
		if (m->streams[i]->n_offers > m->n_sessions)
			return false;
	for (size_t i = 0; i < m->n_sessions; i++)
		if (m->sessions[i]->n_told > N_OF_ORG)
			return false;
	return m->n_sessions <= n->n_open && m->n_streams <= N_NODES && m->n_partners < N_ORGS &&
	       m->n_pending <= m->n_streams * STORES_MAX && m->n_tallies <= N_NODES;
}

void check_memory(struct sim_node *n)
{
	struct world *w = n->world;

	if (!is_bounded(n, n->mesh))
		world_fail(w,
			   "%s remembers %zu sessions (%zu are there), %zu streams, %zu stores, %zu partners",
			   sites[n->id].origin, n->mesh->n_sessions, n->n_open, n->mesh->n_streams,
			   n->mesh->n_pending, n->mesh->n_partners);
	if (arena_used(w->arena) > STEP_MAX_BYTES)
		world_fail(w, "%s answers with %zu bytes in one step", sites[n->id].origin,
			   arena_used(w->arena));
}
