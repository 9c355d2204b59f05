/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials end and are renewed, agreements between organisations end and are made again; every node hears
 * of it at its own time. A credential is its generation; who heard that one has ended needs a later one. */
#include "tests/sim/world.h"

#define NEWS_NS (2 * NS_PER_S)    /* until the last node has heard */
#define ABSENCE_NS (4 * NS_PER_S) /* until it is put right again, at most */

enum news { NEWS_ENDED, NEWS_RENEWED, NEWS_ORG_ENDED, NEWS_ORG_AGREED };
enum { NEWS_BITS = 8, SUBJECT_BITS = 8 };

void trust_start(struct world *w)
{
	for (int i = 0; i < N_NODES; i++)
		w->nodes[i].credential = 1;
}

struct bytes trust_credential(const struct sim_node *n)
{
	return world_keep(n->world, (struct bytes){(const uint8_t *)&n->credential, sizeof n->credential});
}

uint64_t trust_generation(struct bytes credential)
{
	uint64_t generation = 0;

	if (credential.len == sizeof generation)
		memcpy(&generation, credential.data, sizeof generation);
	return generation;
}

bool trust_believes(const struct sim_node *n, int peer, uint64_t credential)
{
	const struct belief *b = &n->beliefs[peer];

	return !b->without_org && credential >= b->needs;
}

static void look_again(struct sim_node *n)
{
	const struct mesh_event trust = {.kind = MESH_TRUST, .credential = trust_credential(n)};

	if (n->up)
		node_step(n, &trust);
}

static void tell(struct world *w, int node, int64_t delay_ns, enum news what, int subject,
		 uint64_t generation)
{
	world_push(w, (struct sim_event){
			      .at_ns = w->now_ns + delay_ns,
			      .kind = SIM_TRUST,
			      .node = (int16_t)node,
			      .number = (uint64_t)what | (uint64_t)subject << NEWS_BITS |
					generation << (NEWS_BITS + SUBJECT_BITS),
		      });
}

static void set_org(struct sim_node *n, int org, bool without)
{
	for (int i = org * N_OF_ORG; i < (org + 1) * N_OF_ORG; i++)
		n->beliefs[i].without_org = without;
	const struct mesh_event ended = {.kind = MESH_ENDED, .peer.org = org_names[org]};
	look_again(n);
	if (!without || !n->up)
		return;
	disk_drop_org(n, org);
	n->seen_epoch[org] = 0;
	node_step(n, &ended);
}

static void set_needs(struct sim_node *n, int peer, uint64_t generation)
{
	if (n->beliefs[peer].needs >= generation)
		return;
	n->beliefs[peer].needs = generation;
	look_again(n);
}

static void renew(struct sim_node *n, uint64_t generation)
{
	if (n->credential >= generation)
		return;
	n->credential = generation;
	look_again(n);
}

void trust_on_event(struct world *w, const struct sim_event *e)
{
	struct sim_node *n = &w->nodes[e->node];
	const int subject = (int)(e->number >> NEWS_BITS & ((1u << SUBJECT_BITS) - 1));
	const uint64_t generation = e->number >> (NEWS_BITS + SUBJECT_BITS);

	if (w->healed)
		return;
	switch ((enum news)(e->number & ((1u << NEWS_BITS) - 1))) {
	case NEWS_ENDED: set_needs(n, subject, generation); break;
	case NEWS_RENEWED: renew(n, generation); break;
	case NEWS_ORG_ENDED: set_org(n, subject, true); break;
	case NEWS_ORG_AGREED: set_org(n, subject, false); break;
	}
}

void trust_end_or_renew(struct world *w)
{
	const int node = (int)world_below(w, N_NODES);
	const uint64_t next = w->nodes[node].credential + 1;

	world_tell(w, "the credential %lu of %s ends", (unsigned long)(next - 1), sites[node].origin);
	for (int i = 0; i < N_NODES; i++)
		if (i != node)
			tell(w, i, world_delay(w, NEWS_NS), NEWS_ENDED, node, next);
	tell(w, node, world_delay(w, ABSENCE_NS), NEWS_RENEWED, node, next);
}

void trust_end_org(struct world *w)
{
	const int org = (int)world_below(w, N_ORGS),
		  other = (org + 1 + (int)world_below(w, N_ORGS - 1)) % N_ORGS;
	const int64_t back_ns = world_delay(w, ABSENCE_NS);

	world_tell(w, "%s agrees no longer with %s", org_names[org], org_names[other]);
	for (int i = org * N_OF_ORG; i < (org + 1) * N_OF_ORG; i++) {
		const int64_t end_ns = world_delay(w, NEWS_NS);
		tell(w, i, end_ns, NEWS_ORG_ENDED, other, 0);
		tell(w, i, end_ns + back_ns, NEWS_ORG_AGREED, other, 0);
	}
}

void trust_heal(struct world *w)
{
	for (int i = 0; i < N_NODES; i++) {
		struct sim_node *n = &w->nodes[i];
		for (int peer = 0; peer < N_NODES; peer++) {
			n->beliefs[peer].without_org = false;
			if (w->nodes[peer].credential < n->beliefs[peer].needs)
				w->nodes[peer].credential = n->beliefs[peer].needs;
		}
	}
	for (int i = 0; i < N_NODES; i++)
		look_again(&w->nodes[i]);
}
