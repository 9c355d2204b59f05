/* SPDX-License-Identifier: Apache-2.0 */
#include "node/gossip_private.h"

#include <stdio.h>

/* What the mesh counted of a peer over all sessions. */
static void tell_counts(const struct gossip *g, struct peer_info *p)
{
	struct mesh_stats stats;

	mesh_peer_stats(g->mesh, p->org, p->node, &stats);
	p->sessions = stats.sessions;
	p->resets = stats.resets;
	p->gaps = stats.frames_gap;
	p->repairs = stats.repairs;
	p->refused = stats.frames_refused + stats.frames_unbelieved + stats.frames_old_session;
}

static int64_t known_age(const struct gossip *g, const char *origin)
{
	const int64_t age_ns = gossip_age(g, origin);

	return age_ns == INT64_MAX ? -1 : age_ns;
}

static void add_lag(const struct mesh_stream_stats *of, struct peer_info *p)
{
	p->n_origins++;
	p->n_behind += of->behind;
	p->lag = of->knows_lag && p->lag >= 0 ? p->lag + (int64_t)of->lag : -1;
}

/* How far this node is behind what a node of its organisation owns, whoever hands it on. */
static void tell_lag_inside(const struct gossip *g, struct peer_info *p)
{
	char origin[ORG_NAME_MAX + NODE_NAME_MAX + 2];
	struct mesh_stream_stats of;

	snprintf(origin, sizeof origin, "%s/%s", p->org, p->node);
	p->age_ns = known_age(g, origin);
	if (mesh_stream_of(g->mesh, origin, &of))
		add_lag(&of, p);
}

/* And behind all that a partner's border serves. */
static void tell_lag_across(const struct gossip *g, uint32_t session, struct peer_info *p)
{
	struct mesh_stream_stats of = {0};

	for (const char *after = NULL; mesh_stream_next(g->mesh, session, after, &of); after = of.origin) {
		const int64_t age_ns = known_age(g, of.origin);
		add_lag(&of, p);
		p->age_ns = age_ns > p->age_ns ? age_ns : p->age_ns;
	}
}

/* The open one, if there are two. */
static const struct session *session_of(const struct gossip *g, const struct credential *c)
{
	const struct session *found = NULL;

	for (const struct session *s = g->sessions; s && !(found && found->open); s = s->next)
		if (strcmp(s->org, c->org) == 0 && strcmp(s->node, c->node) == 0 && (!found || s->open))
			found = s;
	return found;
}

static void tell_session(const struct gossip *g, const struct session *s, struct peer_info *p)
{
	p->state = s->open ? "connected" : "greeting";
	p->dialled = s->dialled;
	p->frames_in = s->frames_in;
	p->frames_out = s->frames_out;
	p->bytes_in = s->bytes_in;
	p->bytes_out = s->bytes_out;
	p->heard_ns = engine_mono_ns() - s->heard_ns;
	mesh_session_open(g->mesh, s->id, &p->protocol);
}

static int add_peer(const struct gossip *g, const struct credential *c, bool own, struct arena *a,
		    struct peer_info **peers, size_t *n)
{
	const struct session *s = session_of(g, c);
	enum transport_kick why = KICK_NONE;
	struct peer_info *p;

	if (memcmp(c->curve.b, g->engine->trust->self->curve.b, KEY_BYTES) == 0)
		return 0;
	p = arena_push(a, peers, n, sizeof *p);
	if (!p)
		return FAIL(-ENOMEM);
	const char *link = transport_link_state(g->engine->transport, &c->curve);
	*p = (struct peer_info){.org = c->org,
				.node = c->node,
				.endpoint = own ? c->endpoint : c->border_endpoint,
				.roles = roles_text(a, c->roles),
				.state = link[0] ? link : "not connected",
				.kicks = transport_kicks(g->engine->transport, &c->curve, &why),
				.heard_ns = -1};
	p->kicked = transport_kick_text(why);
	if (s)
		tell_session(g, s, p);
	tell_counts(g, p);
	p->age_ns = -1;
	if (own)
		tell_lag_inside(g, p);
	else if (s)
		tell_lag_across(g, s->id, p);
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

bool gossip_sees(const struct gossip *g, const char *org)
{
	const struct session *s = g->sessions;

	while (s && !(s->open && strcmp(s->org, org) == 0))
		s = s->next;
	return s != NULL;
}

bool gossip_dials(const struct gossip *g, const struct org *org)
{
	for (size_t i = 0; i < org->n_nodes; i++)
		if (transport_link_state(g->engine->transport, &org->nodes[i].curve)[0])
			return true;
	return false;
}

void gossip_counts(const struct gossip *g, struct mesh_counts *ret)
{
	struct mesh_stats s;

	mesh_stats(g->mesh, &s);
	*ret = (struct mesh_counts){
		.sessions_open = s.sessions_open,
		.gaps = s.frames_gap,
		.old_session = s.frames_old_session,
		.refused = s.frames_refused,
		.unbelieved = s.frames_unbelieved,
		.pulls = s.pulls,
		.repairs = s.repairs,
		.resets = s.resets,
		.mismatches = s.mismatches,
		.alarms = s.alarms,
		.forks = s.forks,
		.over_share = s.over_share,
		.rows_outside = s.rows_outside,
	};
}
