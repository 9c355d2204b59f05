/* SPDX-License-Identifier: Apache-2.0 */
/* The watchdog of a port. libzmq holds a message of several parts back until its last part is there, however
 * much memory that takes: its high-water marks count whole messages. So the connections of a port are looked
 * at twice a second: one that received more than an honest queue holds since it last delivered anything is
 * cut. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <zmq.h>

#include "node/transport_private.h"

#define SLACK_BYTES (INT64_C(8) << 20) /* what the kernel may have taken in for a busy process */

static uint64_t bytes_received(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof info;

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

static struct connection *find(struct flood *f, int fd)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->connections[i].fd == fd)
			return &f->connections[i];
	return NULL;
}

static void forget(struct flood *f, struct connection *c)
{
	*c = f->connections[--f->n];
}

static void remember(struct flood *f, int fd)
{
	struct connection c = {.fd = fd};
	struct connection *grown;

	if (!connection_cookie(fd, &c.cookie))
		return; /* gone already */
	grown = realloc(f->connections, (f->n + 1) * sizeof c);
	if (!grown) {
		connection_cut(fd, c.cookie); /* who cannot be watched cannot stay */
		return;
	}
	f->connections = grown;
	grown[f->n++] = c;
}

static void on_events(struct zwatch *z)
{
	struct port *p = z->data;
	int event, fd;

	while ((event = monitor_read(p->flood.monitor, &fd)) != 0) {
		struct connection *c = find(&p->flood, fd);
		if (c)
			forget(&p->flood, c); /* broken, or its end was not told of */
		if (event == ZMQ_EVENT_ACCEPTED)
			remember(&p->flood, fd);
	}
}

int flood_watch(struct port *p)
{
	p->flood.events.data = p;
	return zwatch_open(&p->flood.events, p->t->loop, p->flood.monitor, on_events);
}

void flood_delivered(struct port *p, int fd)
{
	struct connection *c = find(&p->flood, fd);

	if (c)
		c->delivered = true;
}

void flood_patrol(struct port *p)
{
	const uint64_t limit = (uint64_t)(p->t->limits.receive_mark * p->frame_max + SLACK_BYTES);

	for (size_t i = p->flood.n; i-- > 0;) {
		struct connection *c = &p->flood.connections[i];
		const uint64_t now = bytes_received(c->fd);
		uint64_t cookie;
		if (!connection_cookie(c->fd, &cookie) || cookie != c->cookie) {
			forget(&p->flood, c);
			continue;
		}
		if (c->delivered)
			c->at_delivery = now;
		c->delivered = false;
		if (now - c->at_delivery <= limit)
			continue;
		p->t->stats.refused_frames++;
		connection_cut(c->fd, c->cookie);
		forget(&p->flood, c);
	}
}
