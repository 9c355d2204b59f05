/* SPDX-License-Identifier: Apache-2.0 */
/* The watchdog of a port. libzmq holds a message of several parts back until its last part is there, however
 * much memory that takes: its high-water marks count whole messages. So the connections of a port are looked
 * at twice a second: one that received more than an honest queue holds since it last delivered anything is
 * cut, and so is one that was let in and says nothing.
 *
 *     accepted --handshake--> let in --first frame--> heard ... disconnected
 *        | libzmq: handshake_ms   | silent_ms after that   | received and not delivered (from the beginning)
 *        v                        v                        v
 *       cut                      cut                      cut
 *
 * libzmq does not tell which connection it let in: those that are still there after handshake_ms were.
 */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <zmq.h>

#include "node/transport_private.h"

#define SLACK_BYTES (INT64_C(8) << 20) /* what the kernel may have taken in for a busy process */

enum { CONNECTIONS_STEP = 64, EVENTS_REST_MS = 20, EVENTS_REST_MAX = 512 };

static uint64_t bytes_received(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof info;

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

static struct connection *find(const struct flood *f, int fd)
{
	return fd >= 0 && (size_t)fd < f->size && f->connections[fd].open ? &f->connections[fd] : NULL;
}

/* The session on a connection that is no more has ended with it. What it still sent may come before that is
 * told. */
static void end_session(struct port *p, const struct connection *c)
{
	struct transport *t = p->t;

	for (size_t i = 0; i < t->n_sessions; i++) {
		struct session *s = t->sessions[i];
		if (s->port == p && s->cookie == c->cookie && !s->lost) {
			session_is_lost(t, s, KICK_NONE);
			return;
		}
	}
}

static void forget(struct port *p, struct connection *c)
{
	if (c->spoke && !p->closing)
		end_session(p, c);
	if (c->spoke && p->t->zap)
		zap_ended(p->t->zap, &c->key);
	p->t->n_unheard -= !c->heard;
	*c = (struct connection){0};
}

static int make_room(struct flood *f, int fd)
{
	const size_t size = ((size_t)fd / CONNECTIONS_STEP + 1) * CONNECTIONS_STEP;
	struct connection *grown;

	if (size <= f->size)
		return 0;
	grown = realloc(f->connections, size * sizeof *grown);
	if (!grown)
		return FAIL(-ENOMEM);
	memset(grown + f->size, 0, (size - f->size) * sizeof *grown);
	f->connections = grown;
	f->size = size;
	return 0;
}

static void remember(struct port *p, int fd)
{
	uint64_t cookie;

	if (!connection_cookie(fd, &cookie))
		return; /* gone already */
	if (make_room(&p->flood, fd) < 0) {
		connection_cut(fd, cookie); /* who cannot be watched cannot stay */
		return;
	}
	p->flood.connections[fd] =
		(struct connection){.open = true, .cookie = cookie, .number = ++p->t->n_accepted};
	p->t->n_unheard++;
}

static void cut(struct port *p, int fd, struct connection *c, enum transport_kick why)
{
	const struct kicked who = {c->spoke ? &c->key : NULL, c->org, c->node, why};

	connection_cut(fd, c->cookie);
	kick_tell(p->t, &who);
	forget(p, c);
}

size_t flood_shed(struct port *p, uint64_t up_to)
{
	size_t n = 0;

	for (size_t i = 0; i < p->flood.size; i++) {
		struct connection *c = &p->flood.connections[i];
		const bool may_wait = c->heard && p != &p->t->enrol; /* strangers have time */
		if (!c->open || may_wait || c->number > up_to)
			continue;
		cut(p, (int)i, c, KICK_CROWDED);
		n++;
	}
	return n;
}

/* Without descriptors nobody is let in and nothing can be opened, so they should not run out. Honest peers
 * speak within a moment: those that came first are most likely here for nothing else. */
static void keep_reserve(struct transport *t)
{
	const size_t most = (size_t)t->limits.unheard_max;

	if (t->n_unheard <= most)
		return;
	const uint64_t up_to = t->n_accepted - most / 2;
	flood_shed(&t->own, up_to);
	flood_shed(&t->border, up_to);
	flood_shed(&t->enrol, up_to);
}

static void read_events(struct port *p)
{
	int event, fd;

	while ((event = monitor_read(p->flood.monitor, &fd)) != 0) {
		struct connection *c = find(&p->flood, fd);
		if (c)
			forget(p, c); /* broken, or its end was not told of */
		if (event == ZMQ_EVENT_ACCEPTED)
			remember(p, fd);
		keep_reserve(p->t);
	}
}

/* In a storm of connections nobody is woken for each: frames and the patrol read what was told themselves.
 * But where as many as may come meanwhile would use up the descriptors, each is looked at. */
static void on_events(struct zwatch *z)
{
	const struct port *p = z->data;

	read_events(z->data);
	if (p->t->n_unheard + EVENTS_REST_MAX < (size_t)p->t->limits.unheard_max)
		zwatch_rest(z, EVENTS_REST_MS);
}

int flood_watch(struct port *p)
{
	p->flood.events.data = p;
	return zwatch_open(&p->flood.events, p->t->loop, p->flood.monitor, on_events);
}

void flood_end(struct port *p)
{
	for (size_t i = 0; i < p->flood.size; i++)
		if (p->flood.connections[i].open)
			forget(p, &p->flood.connections[i]);
	free(p->flood.connections);
	p->flood.connections = NULL;
	p->flood.size = 0;
}

void flood_delivered(struct port *p, int fd)
{
	struct connection *c = find(&p->flood, fd);

	if (!c) {
		read_events(p); /* told on another socket than what is delivered: it may be behind */
		c = find(&p->flood, fd);
	}
	if (!c)
		return;
	p->t->n_unheard -= !c->heard;
	c->delivered = c->heard = true;
}

void flood_spoke(struct port *p, int fd, const struct roster_entry *who)
{
	struct connection *c = find(&p->flood, fd);
	uint64_t cookie;

	if (c && c->spoke && memcmp(c->key.b, who->key.b, KEY_BYTES) == 0)
		return;
	read_events(p);
	c = find(&p->flood, fd);
	if (!c || c->spoke || !connection_cookie(fd, &cookie) || cookie != c->cookie)
		return; /* a frame of one that is gone */
	p->t->n_unheard -= !c->heard;
	c->spoke = c->heard = c->delivered = true;
	c->key = who->key;
	memcpy(c->org, who->org, sizeof c->org);
	memcpy(c->node, who->node, sizeof c->node);
	if (p->t->zap)
		zap_spoke(p->t->zap, &c->key);
}

/* Looks are counted, not time: a loop that stood still has not given anybody a chance to be heard. */
static bool is_silent(const struct port *p, struct connection *c)
{
	const struct transport_limits *l = &p->t->limits;

	return !c->heard && ++c->looks > (unsigned)(l->handshake_ms + l->silent_ms) / PATROL_MS;
}

static void look_at(struct port *p, int fd, struct connection *c)
{
	const uint64_t limit = (uint64_t)(p->t->limits.receive_mark * p->frame_max + SLACK_BYTES);
	const uint64_t now = bytes_received(fd);
	uint64_t cookie;

	if (!connection_cookie(fd, &cookie) || cookie != c->cookie) {
		forget(p, c);
		return;
	}
	const bool silent = is_silent(p, c);
	if (c->delivered)
		c->at_delivery = now;
	c->delivered = false;
	if (now - c->at_delivery > limit) {
		p->t->stats.refused_frames++;
		cut(p, fd, c, KICK_FLOOD);
	} else if (silent) {
		cut(p, fd, c, KICK_SILENT);
	}
}

void flood_patrol(struct port *p)
{
	if (p->flood.monitor)
		read_events(p);
	for (size_t i = 0; i < p->flood.size; i++)
		if (p->flood.connections[i].open)
			look_at(p, (int)i, &p->flood.connections[i]);
}
