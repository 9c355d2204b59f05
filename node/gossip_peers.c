/* SPDX-License-Identifier: Apache-2.0 */
#include "node/gossip_private.h"

static int add_peer(const struct gossip *g, const struct credential *c, bool own, struct arena *a,
		    struct peer_info **peers, size_t *n)
{
	const struct session *s = g->sessions;

	if (memcmp(c->curve.b, g->engine->trust->self->curve.b, KEY_BYTES) == 0)
		return 0;
	while (s && (strcmp(s->org, c->org) != 0 || strcmp(s->node, c->node) != 0))
		s = s->next;
	enum transport_kick why = KICK_NONE;
	struct peer_info *p = arena_push(a, peers, n, sizeof *p);
	if (!p)
		return FAIL(-ENOMEM);
	*p = (struct peer_info){.org = c->org,
				.node = c->node,
				.endpoint = own ? c->endpoint : c->border_endpoint,
				.roles = roles_text(a, c->roles),
				.state = "not connected",
				.kicks = transport_kicks(g->engine->transport, &c->curve, &why),
				.heard_ns = -1};
	p->kicked = transport_kick_text(why);
	if (!s) {
		const char *link = transport_link_state(g->engine->transport, &c->curve);
		p->state = link[0] ? link : p->state; /* "connecting", or "refused" by the other side */
		return 0;
	}
	p->state = s->open ? "connected" : "greeting";
	p->dialled = s->dialled;
	p->frames_in = s->frames_in;
	p->frames_out = s->frames_out;
	p->bytes_in = s->bytes_in;
	p->bytes_out = s->bytes_out;
	p->heard_ns = engine_mono_ns() - s->heard_ns;
	mesh_session_open(g->mesh, s->id, &p->protocol);
	return 0;
}

int gossip_peers(const struct gossip *g, struct arena *a, struct peer_info **ret, size_t *ret_n)
{
	const struct trust *t = g->engine->trust;

	*ret = NULL;
	*ret_n = 0;
	for (size_t i = 0; i < t->own.org.n_nodes; i++)
		TRY(add_peer(g, &t->own.org.nodes[i], true, a, ret, ret_n));
	for (size_t i = 0; i < t->n_partners; i++)
		for (size_t j = 0; j < t->partners[i]->org.n_nodes; j++)
			if (t->partners[i]->org.nodes[j].roles & ROLE_BORDER)
				TRY(add_peer(g, &t->partners[i]->org.nodes[j], false, a, ret, ret_n));
	return 0;
}
