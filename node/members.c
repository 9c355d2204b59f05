/* SPDX-License-Identifier: Apache-2.0 */
#include "node/members.h"

#include <stdio.h>

#include "federation/membership.h"
#include "node/gossip_private.h"
#include "proto/hash.h"

enum {
	SOON_MS = 1, /* many sessions begin together */
	LOOK_S = 10, /* credentials end without a word */
	ENDPOINT_ROOM = ENDPOINT_MAX + 1,
};

struct target {
	struct roster_entry entry;
	char endpoint[ENDPOINT_ROOM];
	bool linked;
};

/* The nodes of an organisation that this one may have to do with. */
struct circle {
	char org[ORG_NAME_MAX + 1];
	bool own;
	struct member *members;
	struct target *targets; /* the same */
	size_t n;
	struct member_fellow fellows[BORDERS_MAX]; /* own borders as to this partner */
	size_t n_fellows;
	struct member_sight alone; /* no session with any of them */
};

struct members {
	struct gossip *gossip;
	uv_timer_t timer;
	struct circle *circles; /* the own one first */
	size_t n;
	uint64_t told; /* digest of the partners that it reaches, as it said last */
	bool stopped;
};

static const struct credential *self_of(const struct members *m)
{
	return m->gossip->engine->trust->self;
}

static bool is_key(const struct curve_key *a, const struct curve_key *b)
{
	return memcmp(a->b, b->b, KEY_BYTES) == 0;
}

/* ---- From the bundles ------------------------------------------------------------------------------------
 */

static void circles_free(struct circle *circles, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(circles[i].members);
		free(circles[i].targets);
	}
	free(circles);
}

static size_t count_borders(const struct org *org)
{
	size_t n = 0;

	for (size_t i = 0; i < org->n_nodes; i++)
		n += (org->nodes[i].roles & ROLE_BORDER) != 0;
	return n;
}

static void enter(struct circle *c, const struct credential *of)
{
	struct target *t = &c->targets[c->n];

	t->entry = (struct roster_entry){.key = of->curve,
					 .roles = of->roles,
					 .own = c->own,
					 .not_before_ns = of->not_before_ns,
					 .not_after_ns = of->not_after_ns};
	snprintf(t->entry.org, sizeof t->entry.org, "%s", of->org);
	snprintf(t->entry.node, sizeof t->entry.node, "%s", of->node);
	snprintf(t->endpoint, sizeof t->endpoint, "%s", c->own ? of->endpoint : of->border_endpoint);
	c->members[c->n++].key = of->curve;
}

/* Of a partner only its border nodes, and not what it extended in an emergency. */
static int circle_fill(struct circle *c, const struct org *org, const struct credential *self)
{
	const size_t most = c->own ? org->n_nodes : count_borders(org);

	snprintf(c->org, sizeof c->org, "%s", org->manifest.org);
	c->members = calloc(most + 1, sizeof *c->members);
	c->targets = calloc(most + 1, sizeof *c->targets);
	if (!c->members || !c->targets)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < org->n_nodes; i++) {
		const struct credential *of = &org->nodes[i];
		if (is_key(&of->curve, &self->curve))
			continue;
		if (c->own || ((of->roles & ROLE_BORDER) && !of->own_only))
			enter(c, of);
	}
	return 0;
}

static void find_fellows(struct circle *c, const struct circle *own)
{
	for (size_t i = 0; i < own->n && c->n_fellows < BORDERS_MAX; i++)
		if (own->targets[i].entry.roles & ROLE_BORDER)
			c->fellows[c->n_fellows++].key = own->members[i].key;
}

static const struct circle *find_circle(const struct members *m, const char *org)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->circles[i].org, org) == 0)
			return &m->circles[i];
	return NULL;
}

/* What was seen of those who are still there. */
static void inherit(struct circle *c, const struct circle *from)
{
	c->alone = from->alone;
	for (size_t i = 0; i < c->n; i++) {
		c->members[i].learnt = true;
		for (size_t j = 0; j < from->n; j++)
			if (is_key(&c->members[i].key, &from->members[j].key)) {
				c->members[i] = from->members[j];
				c->targets[i].linked = from->targets[j].linked;
			}
	}
	for (size_t i = 0; i < c->n_fellows; i++)
		for (size_t j = 0; j < from->n_fellows; j++)
			if (is_key(&c->fellows[i].key, &from->fellows[j].key))
				c->fellows[i] = from->fellows[j];
}

static int circles_new(const struct members *m, struct circle *circles, size_t n)
{
	const struct trust *t = m->gossip->engine->trust;

	for (size_t i = 0; i < n; i++) {
		struct circle *c = &circles[i];
		c->own = i == 0;
		TRY(circle_fill(c, i == 0 ? &t->own.org : &t->partners[i - 1]->org, t->self));
		if (i > 0)
			find_fellows(c, &circles[0]);
		const struct circle *before = find_circle(m, c->org);
		if (before)
			inherit(c, before);
	}
	return 0;
}

static bool is_target(const struct circle *circles, size_t n, const struct curve_key *key)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < circles[i].n; j++)
			if (is_key(&circles[i].members[j].key, key))
				return true;
	return false;
}

static void hang_up_gone(struct members *m, const struct circle *circles, size_t n)
{
	for (size_t i = 0; i < m->n; i++)
		for (size_t j = 0; j < m->circles[i].n; j++)
			if (m->circles[i].targets[j].linked &&
			    !is_target(circles, n, &m->circles[i].members[j].key))
				transport_hang_up(m->gossip->engine->transport,
						  &m->circles[i].members[j].key);
}

/* ---- Sessions --------------------------------------------------------------------------------------------
 */

static bool says_reach(const struct session *s, const char *org)
{
	if (!(s->features & FEATURE_REACH))
		return true;
	for (const char *at = s->reach; at && *at; at += strlen(at) + 1)
		if (strcmp(at, org) == 0)
			return true;
	return false;
}

static void see_session(struct members *m, const struct session *s)
{
	for (size_t i = 0; i < m->n; i++) {
		struct circle *c = &m->circles[i];
		for (size_t j = 0; c->own == s->own && j < c->n; j++)
			if (is_key(&c->members[j].key, &s->key)) {
				c->members[j].dialled = c->members[j].dialled || s->dialled;
				c->members[j].accepted = c->members[j].accepted || !s->dialled;
			}
		for (size_t j = 0; s->own && j < c->n_fellows; j++)
			if (is_key(&c->fellows[j].key, &s->key))
				c->fellows[j].reaches = says_reach(s, c->org);
	}
}

static bool is_alone(struct circle *c, int64_t now_ns)
{
	bool up = false;

	for (size_t i = 0; i < c->n; i++)
		up = up || c->members[i].dialled || c->members[i].accepted;
	if (!c->alone.known || c->alone.up != up)
		c->alone = (struct member_sight){.known = true, .up = up, .since_ns = now_ns};
	return !up && now_ns - c->alone.since_ns >= MEMBER_GONE_NS;
}

static void see(struct members *m, int64_t now_ns)
{
	const int64_t wall_ns = trust_now(m->gossip->engine->trust);

	for (size_t i = 0; i < m->n; i++) {
		struct circle *c = &m->circles[i];
		for (size_t j = 0; j < c->n; j++)
			c->members[j].dialled = c->members[j].accepted = false;
		for (size_t j = 0; j < c->n_fellows; j++)
			c->fellows[j].reaches = false;
	}
	for (const struct session *s = m->gossip->sessions; s; s = s->next)
		if (s->open)
			see_session(m, s);
	for (size_t i = 0; i < m->n; i++) {
		struct circle *c = &m->circles[i];
		const bool alone = is_alone(c, now_ns);
		for (size_t j = 0; j < c->n; j++) {
			const struct target *t = &c->targets[j];
			c->members[j].counts = alone || wall_ns < t->entry.not_after_ns;
			c->members[j].dialable = t->endpoint[0] != '\0';
		}
		for (size_t j = 0; j < c->n_fellows; j++)
			c->fellows[j].counts = true;
	}
}

/* ---- What follows ----------------------------------------------------------------------------------------
 */

static void decide(struct members *m, struct circle *c, int64_t now_ns, int64_t *deadline_ns)
{
	const struct credential *self = self_of(m);
	const struct member_self me = {self->curve, self->org,
				       (c->own ? self->endpoint : self->border_endpoint)[0] != '\0'};
	const struct member_partner partner = {c->org, c->fellows, c->n_fellows, c->members, c->n};

	if (c->own)
		membership_inside(&me, c->members, c->n, now_ns, deadline_ns);
	else if (self->roles & ROLE_BORDER)
		membership_across(&me, &partner, now_ns, deadline_ns);
}

/* Over a link that got through the greeting goes on, and then the other side knows as well that there are
 * two.
 */
static bool is_greeting(const struct members *m, const struct curve_key *key)
{
	const struct session *s = m->gossip->sessions;

	while (s && !(s->dialled && !s->open && is_key(&s->key, key)))
		s = s->next;
	return s != NULL;
}

/* May end sessions, and so change anything but the circles. */
static void act(struct members *m, struct circle *c)
{
	struct transport *t = m->gossip->engine->transport;

	for (size_t i = 0; i < c->n; i++) {
		struct target *x = &c->targets[i];
		const bool dial = c->members[i].dial;
		if (!dial && (!x->linked || is_greeting(m, &x->entry.key)))
			continue;
		x->linked = dial;
		if (!dial)
			transport_hang_up(t, &x->entry.key);
		else if (transport_dial(t, &x->entry, x->endpoint) < 0)
			gossip_complain(m->gossip, 0, "cannot dial %s/%s at %s", x->entry.org, x->entry.node,
					x->endpoint);
	}
}

/* ---- Which partners this border reaches ------------------------------------------------------------------
 */

static size_t reached(const struct members *m, const char *ret[REACH_MAX])
{
	size_t n = 0;

	for (size_t i = 1; i < m->n && n < REACH_MAX; i++) {
		const struct circle *c = &m->circles[i];
		bool up = false;
		for (size_t j = 0; j < c->n; j++)
			up = up || c->members[j].dialled || c->members[j].accepted;
		if (up)
			ret[n++] = c->org;
	}
	return n;
}

static void tell_reach(struct members *m)
{
	const char *orgs[REACH_MAX];
	const struct message message = {.kind = MESSAGE_REACH, .reach = {orgs, reached(m, orgs)}};
	uint64_t digest = message.reach.n;

	for (size_t i = 0; i < message.reach.n; i++)
		digest = hash64("reach", (struct bytes){(const uint8_t *)&digest, sizeof digest},
				bytes_of_text(orgs[i]));
	if (digest == m->told)
		return;
	m->told = digest;
	gossip_tell(m->gossip, &message, 0);
}

void members_greet(struct members *m, uint32_t session)
{
	const char *orgs[REACH_MAX];
	const struct message message = {.kind = MESSAGE_REACH, .reach = {orgs, reached(m, orgs)}};

	if (message.reach.n > 0)
		ignore(gossip_say(m->gossip, session, &message)); /* gone: it is told when it comes again */
}

void members_on_reach(struct members *m, struct session *s, const struct reach *reach)
{
	SCOPED(buf_fini) struct buf names = {0};

	for (size_t i = 0; i < reach->n; i++)
		buf_put(&names, (struct bytes){(const uint8_t *)reach->orgs[i], strlen(reach->orgs[i]) + 1});
	buf_put_u8(&names, 0);
	if (names.failed)
		return; /* it counts as not reaching anybody */
	free(s->reach);
	s->reach = (char *)MOVE(names.data);
	members_soon(m);
}

/* ---- When ------------------------------------------------------------------------------------------------
 */

static void on_look(uv_timer_t *timer)
{
	struct members *m = timer->data;
	const int64_t now_ns = engine_mono_ns();
	int64_t deadline_ns = now_ns + LOOK_S * NS_PER_S;

	see(m, now_ns);
	for (size_t i = 0; i < m->n; i++)
		decide(m, &m->circles[i], now_ns, &deadline_ns);
	uv_timer_start(&m->timer, on_look, (uint64_t)((deadline_ns - now_ns) / NS_PER_MS) + 1, 0);
	for (size_t i = 0; i < m->n; i++)
		act(m, &m->circles[i]);
	if (self_of(m)->roles & ROLE_BORDER)
		tell_reach(m);
}

void members_soon(struct members *m)
{
	if (!m->stopped && uv_timer_get_due_in(&m->timer) > SOON_MS)
		uv_timer_start(&m->timer, on_look, SOON_MS, 0);
}

void members_renew(struct members *m)
{
	const size_t n = m->gossip->engine->trust->n_partners + 1;
	struct circle *circles = calloc(n, sizeof *circles);

	if (!circles || circles_new(m, circles, n) < 0) {
		engine_log_failure("mesh", "who is to be dialled stays as it was", -ENOMEM, NULL);
		if (circles)
			circles_free(circles, n);
		return;
	}
	hang_up_gone(m, circles, n);
	circles_free(m->circles, m->n);
	m->circles = circles;
	m->n = n;
	if (!m->stopped)
		uv_timer_start(&m->timer, on_look, 0, 0);
}

int members_new(struct members **ret, struct gossip *g)
{
	struct members *m = calloc(1, sizeof *m);

	if (!m)
		return FAIL(-ENOMEM);
	m->gossip = g;
	uv_timer_init(&g->engine->loop, &m->timer);
	m->timer.data = m;
	*ret = m;
	return 0;
}

void members_stop(struct members *m)
{
	if (m->stopped)
		return;
	m->stopped = true;
	uv_close((uv_handle_t *)&m->timer, NULL);
}

void members_free(struct members *m)
{
	if (!m)
		return;
	circles_free(m->circles, m->n);
	free(m);
}
