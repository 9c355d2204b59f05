/* SPDX-License-Identifier: Apache-2.0 */
/* A bound ROUTER. Who speaks is decided for each message by the User-Id that our ZAP handler put on the
 * payload frame (the routing-id frame of libzmq 4.3.4 has lost it). At most one session per key and port: a
 * second connection of a key takes the place of the first, which is cut. */
#include <zmq.h>

#include "node/transport_private.h"

struct arrival {
	bool whole; /* a routing id we take and exactly one payload frame */
	struct routing_id id;
	zmq_msg_t payload;
};

static bool take_routing_id(zmq_msg_t *m, struct routing_id *ret)
{
	const size_t len = zmq_msg_size(m);

	if (len > ROUTING_ID_MAX)
		return false;
	ret->len = (uint8_t)len;
	memcpy(ret->b, zmq_msg_data(m), len);
	return true;
}

static bool ids_equal(const struct routing_id *a, const struct routing_id *b)
{
	return a->len == b->len && memcmp(a->b, b->b, a->len) == 0;
}

static void arrival_fini(struct arrival *a)
{
	zmq_msg_close(&a->payload);
}

static bool receive(struct port *p, struct arrival *a)
{
	zmq_msg_t id;

	zmq_msg_init(&id);
	bool there = frame_receive(p->router, &id);
	if (there) {
		a->whole = take_routing_id(&id, &a->id) && zmq_msg_more(&id);
		if (zmq_msg_more(&id) && frame_receive(p->router, &a->payload) && zmq_msg_more(&a->payload)) {
			frames_drop(p->router);
			a->whole = false;
		}
	}
	zmq_msg_close(&id);
	return there;
}

static const struct roster_entry *sender_of(struct port *p, struct arrival *a)
{
	const char *user_id = zmq_msg_gets(&a->payload, "User-Id");
	const struct roster_entry *e = user_id ? roster_by_user_id(p->t->roster, user_id) : NULL;

	return e && zap_admits(p->domain, e) ? e : NULL;
}

static struct session *find_session(struct port *p, const struct routing_id *id)
{
	for (size_t i = 0; i < p->t->n_sessions; i++) {
		struct session *s = p->t->sessions[i];
		if (s->port == p && ids_equal(&s->routing_id, id))
			return s;
	}
	return NULL;
}

/* The session of this key on another connection, or of another key on this one. */
static struct session *find_conflict(struct port *p, const struct routing_id *id, const struct curve_key *key)
{
	for (size_t i = 0; i < p->t->n_sessions; i++) {
		struct session *s = p->t->sessions[i];
		const bool same_key = memcmp(s->key.b, key->b, KEY_BYTES) == 0;
		if (s->port == p && same_key != ids_equal(&s->routing_id, id))
			return s;
	}
	return NULL;
}

/* Late frames of a connection that is no more, and of whoever is not known any more. */
static bool is_late(struct port *p, struct arrival *a)
{
	const struct roster_entry *e = a->whole ? sender_of(p, a) : NULL;

	for (unsigned i = 0; i < RETIRED_MAX && i < p->n_retired; i++) {
		const struct retired *r = &p->retired[i];
		const bool anothers = r->known && e && memcmp(r->key.b, e->key.b, KEY_BYTES) != 0;
		if (ids_equal(&r->id, &a->id) && !anothers)
			return true;
	}
	return false;
}

static void retire(struct port *p, const struct routing_id *id, const struct curve_key *key)
{
	struct retired *r = &p->retired[p->n_retired++ % RETIRED_MAX];

	*r = (struct retired){.id = *id, .known = key != NULL};
	if (key)
		r->key = *key;
}

void port_cut(struct session *s)
{
	retire(s->port, &s->routing_id, &s->key);
	connection_cut(s->fd, s->cookie);
}

/* Of one who has no session. */
static void tell_refused(struct port *p, struct arrival *a)
{
	const struct roster_entry *e = sender_of(p, a);
	const bool unknown = a->whole && !e && p != &p->t->enrol;
	struct kicked who = {.org = "", .node = "", .why = unknown ? KICK_REVOKED : KICK_PARTS};

	if (e)
		who = (struct kicked){&e->key, e->org, e->node, who.why};
	kick_tell(p->t, &who);
}

static void refuse(struct port *p, struct arrival *a)
{
	struct session *s = find_session(p, &a->id);
	const struct roster_entry *e = a->whole ? sender_of(p, a) : NULL;
	uint64_t cookie;
	int fd;

	p->t->stats.refused_frames++;
	if (s) {
		s->why = a->whole && !e ? KICK_REVOKED : KICK_PARTS;
		session_lose(p->t, s);
		return;
	}
	tell_refused(p, a);
	if (a->id.len > 0) /* a longer one than we take is not kept */
		retire(p, &a->id, e ? &e->key : NULL);
	connection_of(&a->payload, &fd, &cookie);
	connection_cut(fd, cookie);
}

static void end_conflicts(struct port *p, const struct routing_id *id, struct curve_key key)
{
	struct session *s;

	while ((s = find_conflict(p, id, &key))) {
		if (ids_equal(&s->routing_id, id)) { /* the connection is the newcomer's now: do not cut it */
			const uint32_t number = s->id;
			session_drop(p->t, s);
			p->t->handler.on_down(p->t->handler.ctx, number);
		} else {
			session_lose(p->t, s);
		}
	}
}

static uint32_t start_session(struct port *p, struct arrival *a, const struct roster_entry *e)
{
	SCOPED(scope_roster) struct roster *roster = roster_ref(p->t->roster); /* whatever on_up does */
	struct session like = {.key = e->key, .port = p, .routing_id = a->id, .frame_max = p->frame_max};
	const char *address = zmq_msg_gets(&a->payload, "Peer-Address");
	const struct transport_peer peer = {.entry = roster_find(roster, &e->key),
					    .endpoint = address ? address : ""};

	memcpy(like.org, e->org, sizeof like.org);
	memcpy(like.node, e->node, sizeof like.node);
	connection_of(&a->payload, &like.fd, &like.cookie);
	struct session *s = session_new(p->t, &like);
	if (!s)
		return 0;
	const uint32_t id = s->id;
	p->t->handler.on_up(p->t->handler.ctx, id, &peer);
	return id;
}

/* The self-test asks what it is called here. Nobody else has that key. */
static void answer_self(struct port *p, struct arrival *a, const struct roster_entry *e)
{
	char user_id[USER_ID_SIZE];

	roster_user_id(e, user_id);
	ignore(frame_send(p->router, &a->id, bytes_of_text(user_id))); /* without an answer it fails */
	zwatch_touch(&p->watch);
}

static void take(struct port *p, struct arrival *a)
{
	const struct roster_entry *e = a->whole ? sender_of(p, a) : NULL;

	if (e && memcmp(e->key.b, p->t->own_key.b, KEY_BYTES) == 0) {
		answer_self(p, a, e);
		return;
	}
	if (e) {
		end_conflicts(p, &a->id, e->key);
		e = sender_of(p, a); /* on_down may have changed the roster */
	}
	if (!e || (int64_t)zmq_msg_size(&a->payload) > p->frame_max) {
		refuse(p, a);
		return;
	}
	flood_spoke(p, zmq_msg_get(&a->payload, ZMQ_SRCFD), e);
	const struct session *s = find_session(p, &a->id);
	const uint32_t id = s ? s->id : start_session(p, a, e);
	if (id != 0 && transport_find(p->t, id)) /* on_up may have closed it */
		transport_deliver(p->t, id, &a->payload);
}

static void take_stranger(struct port *p, struct arrival *a)
{
	const char *user_id = zmq_msg_gets(&a->payload, "User-Id");
	const char *address = zmq_msg_gets(&a->payload, "Peer-Address");
	struct transport_stranger who = {.address = address ? address : "", .routing_id = &a->id};

	if (!a->whole || !user_id || !zap_stranger_key(user_id, &who.key) ||
	    (int64_t)zmq_msg_size(&a->payload) > p->frame_max) {
		refuse(p, a);
		return;
	}
	p->t->handler.on_stranger(p->t->handler.enrol_ctx, &who,
				  (struct bytes){zmq_msg_data(&a->payload), zmq_msg_size(&a->payload)});
}

static bool read_one(struct port *p)
{
	SCOPED(arrival_fini) struct arrival a = {0};

	zmq_msg_init(&a.payload);
	if (!receive(p, &a))
		return false;
	flood_delivered(p, zmq_msg_get(&a.payload, ZMQ_SRCFD));
	if (is_late(p, &a))
		p->t->stats.refused_frames++;
	else if (p == &p->t->enrol)
		take_stranger(p, &a);
	else
		take(p, &a);
	return true;
}

static void on_readable(struct zwatch *w)
{
	struct port *p = w->data;

	sessions_sweep(p->t);
	for (int i = 0; i < BATCH_MAX && read_one(p); i++) {
	}
}

int port_bind(struct port *p, const char *endpoint, struct err_note *note)
{
	if (!endpoint_is_tcp(endpoint))
		return FAIL_SAY(note, ERR_REFUSED, "cannot listen on \"%.100s\": not tcp://host:port",
				endpoint);
	struct monitored m;
	TRY(router_new(p->t, p->domain, p->frame_max, &m));
	p->router = m.socket;
	p->flood.monitor = m.monitor;
	p->t->n_open++;
	int r = router_bind(p->router, endpoint, p->endpoint);
	if (r < 0)
		return FAIL_SAY(note, r, "cannot listen on %s: %s", endpoint, zmq_strerror(-r));
	return 0;
}

int port_watch(struct port *p)
{
	p->watch.data = p;
	TRY(zwatch_open(&p->watch, p->t->loop, p->router, on_readable));
	p->watches_open++;
	TRY(flood_watch(p));
	p->watches_open++;
	return 0;
}

static void shut(struct port *p)
{
	monitored_close(&(struct monitored){p->router, p->flood.monitor});
	p->router = NULL;
	flood_end(p);
	transport_one_closed(p->t);
}

static void on_watch_closed(struct zwatch *w)
{
	struct port *p = w->data;

	if (--p->watches_open == 0)
		shut(p);
}

void port_close(struct port *p)
{
	if (p->closing)
		return;
	p->closing = true;
	if (p->router && p->watches_open == 0)
		shut(p);
	if (p->watch.handles_open > 0)
		zwatch_close(&p->watch, on_watch_closed);
	if (p->flood.events.handles_open > 0)
		zwatch_close(&p->flood.events, on_watch_closed);
}

int port_send(struct session *s, struct bytes frame)
{
	int r = frame_send(s->port->router, &s->routing_id, frame);

	zwatch_touch(&s->port->watch);
	return r;
}

int port_answer(struct port *p, const struct transport_stranger *who, struct bytes frame)
{
	int r = frame_send(p->router, who->routing_id, frame);

	zwatch_touch(&p->watch);
	return r;
}
