/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/socket.h>
#include <zmq.h>

#include "node/transport_private.h"

#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93 /* in libzmq since 4.3.0, its name only with drafts */
#endif
#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

enum {
	BACKLOG = 1024,
	CURVE_OVERHEAD = 33, /* "\7MESSAGE", nonce, box, flags: MAXMSGSIZE looks at what is on the wire */
};

static int from_zmq(int r)
{
	return r < 0 ? FAIL(-zmq_errno()) : 0;
}

struct option {
	int name, value;
};

static int set_options(void *socket, const struct option *options, size_t n)
{
	for (size_t i = 0; i < n; i++)
		TRY(from_zmq(zmq_setsockopt(socket, options[i].name, &options[i].value, sizeof(int))));
	return 0;
}

static int set_bytes(void *socket, int name, const void *data, size_t len)
{
	return from_zmq(zmq_setsockopt(socket, name, data, len));
}

static int set_limits(struct transport *t, void *socket, int64_t frame_max)
{
	const struct option options[] = {
		{ZMQ_LINGER, 0},
		{ZMQ_HANDSHAKE_IVL, t->limits.handshake_ms},
		{ZMQ_RCVHWM, t->limits.receive_mark},
		{ZMQ_SNDHWM, t->limits.send_mark},
		{ZMQ_SNDTIMEO, 0},
		{ZMQ_TCP_KEEPALIVE, 1},
		{ZMQ_IPV6, 1},
	};
	const int64_t wire_max = frame_max + CURVE_OVERHEAD;

	TRY(set_options(socket, options, sizeof options / sizeof options[0]));
	return set_bytes(socket, ZMQ_MAXMSGSIZE, &wire_max, sizeof wire_max);
}

bool endpoint_is_tcp(const char *endpoint)
{
	return strncmp(endpoint, "tcp://", 6) == 0 && !strchr(endpoint, ';') &&
	       strlen(endpoint) < ENDPOINT_SIZE;
}

/* The door is locked three-fold: the domain is enforced, so without a handler nobody gets in; an empty domain
 * would undo that; and every frame must carry a User-Id of the handler's making (transport_port.c). */
static int make_router(struct transport *t, void *socket, const char *domain, int64_t frame_max)
{
	static const struct option options[] = {
		{ZMQ_CURVE_SERVER, 1},    {ZMQ_ZAP_ENFORCE_DOMAIN, 1}, {ZMQ_ROUTER_MANDATORY, 1},
		{ZMQ_ROUTER_HANDOVER, 0}, {ZMQ_BACKLOG, BACKLOG},
	};

	TRY(set_limits(t, socket, frame_max));
	TRY(set_options(socket, options, sizeof options / sizeof options[0]));
	TRY(set_bytes(socket, ZMQ_CURVE_SECRETKEY, curve_pair_secret(t->keys), KEY_BYTES));
	return set_bytes(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain));
}

static void *pair_new(struct transport *t)
{
	static const struct option options[] = {
		{ZMQ_LINGER, 0},
		{ZMQ_RCVHWM, 0}, /* libzmq's I/O thread waits for whoever does not read its events */
	};
	void *socket = zmq_socket(t->zmq_context, ZMQ_PAIR);

	if (socket && set_options(socket, options, sizeof options / sizeof options[0]) == 0)
		return socket;
	if (socket)
		zmq_close(socket);
	return NULL;
}

/* Fills *ret as far as it gets. */
static int monitored_new(struct transport *t, int type, int events, struct monitored *ret)
{
	char name[64];

	ret->socket = zmq_socket(t->zmq_context, type);
	ret->monitor = ret->socket ? pair_new(t) : NULL;
	if (!ret->monitor)
		return from_zmq(-1);
	/* libzmq frees the name of a closed monitor some time later: the time makes it a new one */
	snprintf(name, sizeof name, "inproc://monitor-%p-%llx", ret->socket, (unsigned long long)uv_hrtime());
	TRY(from_zmq(zmq_socket_monitor(ret->socket, name, events)));
	return from_zmq(zmq_connect(ret->monitor, name));
}

/* The end of a constructor: half-made sockets are not handed out. */
static int hand_out(int r, struct monitored *m, struct monitored *ret)
{
	if (r < 0)
		monitored_close(m);
	else
		*ret = *m;
	return r;
}

void monitored_close(struct monitored *m)
{
	if (m->socket) {
		/* First, or libzmq would go on telling a monitor nobody reads. */
		zmq_socket_monitor(m->socket, NULL, 0);
		zmq_close(m->socket);
	}
	if (m->monitor)
		zmq_close(m->monitor);
	*m = (struct monitored){0};
}

int monitor_read(void *monitor, int *ret_value)
{
	struct {
		uint16_t event;
		uint32_t value;
	} e = {0};
	zmq_msg_t m;

	zmq_msg_init(&m);
	if (frame_receive(monitor, &m)) {
		const uint8_t *data = zmq_msg_data(&m);
		if (zmq_msg_size(&m) == sizeof e.event + sizeof e.value) {
			memcpy(&e.event, data, sizeof e.event);
			memcpy(&e.value, data + sizeof e.event, sizeof e.value);
		}
		if (zmq_msg_more(&m))
			frames_drop(monitor); /* the address */
	}
	zmq_msg_close(&m);
	*ret_value = (int)e.value;
	return e.event;
}

int router_new(struct transport *t, const char *domain, int64_t frame_max, struct monitored *ret)
{
	struct monitored m = {0};
	int r = monitored_new(t, ZMQ_ROUTER, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED, &m);

	if (r == 0)
		r = make_router(t, m.socket, domain, frame_max);
	return hand_out(r, &m, ret);
}

/* libzmq binds an IPv4 address as a mapped one where it may, and then shows it so to people. */
static bool is_ipv4(const char *endpoint)
{
	const char *host = endpoint + strlen("tcp://");

	return host[strspn(host, "0123456789.")] == ':';
}

int router_bind(void *socket, const char *endpoint, char ret[ENDPOINT_SIZE])
{
	size_t size = ENDPOINT_SIZE;

	if (is_ipv4(endpoint))
		TRY(set_options(socket, &(struct option){ZMQ_IPV6, 0}, 1));
	TRY(from_zmq(zmq_bind(socket, endpoint)));
	return from_zmq(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, ret, &size));
}

static int make_dealer(struct transport *t, void *socket, const struct curve_pair *keys,
		       const struct curve_key *server, int64_t frame_max)
{
	const struct curve_key public = curve_pair_public(keys);
	const struct option options[] = {
		{ZMQ_IMMEDIATE, 1}, /* nothing is queued for a peer that is not there */
		{ZMQ_RECONNECT_IVL, t->limits.reconnect_ms},
		{ZMQ_CONNECT_TIMEOUT, CONNECT_MS},
	};

	TRY(set_limits(t, socket, frame_max));
	TRY(set_options(socket, options, sizeof options / sizeof options[0]));
	TRY(set_bytes(socket, ZMQ_CURVE_SERVERKEY, server->b, KEY_BYTES));
	TRY(set_bytes(socket, ZMQ_CURVE_PUBLICKEY, public.b, KEY_BYTES));
	return set_bytes(socket, ZMQ_CURVE_SECRETKEY, curve_pair_secret(keys), KEY_BYTES);
}

int dealer_new(struct transport *t, const struct curve_pair *keys, const struct curve_key *server,
	       int64_t frame_max, struct monitored *ret)
{
	static const int events =
		ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED;
	struct monitored m = {0};
	int r = monitored_new(t, ZMQ_DEALER, events, &m);

	if (r == 0)
		r = make_dealer(t, m.socket, keys, server, frame_max);
	return hand_out(r, &m, ret);
}

int dealer_patience(void *dealer, int most_ms)
{
	return set_options(dealer, &(struct option){ZMQ_RECONNECT_IVL_MAX, most_ms}, 1);
}

int plain_dealer_new(struct transport *t, struct monitored *ret)
{
	struct monitored m = {0};
	int r = monitored_new(t, ZMQ_DEALER, ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED, &m);

	if (r == 0)
		r = set_limits(t, m.socket, t->limits.frame_border_max);
	return hand_out(r, &m, ret);
}

bool frame_receive(void *socket, void *message)
{
	int r;

	do
		r = zmq_msg_recv(message, socket, ZMQ_DONTWAIT);
	while (r < 0 && zmq_errno() == EINTR);
	return r >= 0;
}

void frames_drop(void *socket)
{
	bool more = true;

	while (more) {
		zmq_msg_t m;
		zmq_msg_init(&m);
		more = frame_receive(socket, &m) && zmq_msg_more(&m);
		zmq_msg_close(&m);
	}
}

static int send_parts(void *socket, const struct routing_id *id, zmq_msg_t *message)
{
	if (id && zmq_send(socket, id->b, id->len, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
		return -zmq_errno();
	return zmq_msg_send(message, socket, ZMQ_DONTWAIT) < 0 ? -zmq_errno() : 0;
}

/* libzmq looks at what its I/O threads report only once a millisecond when sending: a queue may seem full, or
 * a fresh connection absent, that is not. Asking for the events makes it look. */
int frame_send(void *socket, const struct routing_id *id, struct bytes frame)
{
	int events;
	size_t size = sizeof events;
	zmq_msg_t m;

	if (zmq_msg_init_size(&m, frame.len) != 0)
		return FAIL(-ENOMEM);
	if (frame.len > 0)
		memcpy(zmq_msg_data(&m), frame.data, frame.len);
	int r = send_parts(socket, id, &m);
	if (r == -EAGAIN && zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0)
		r = send_parts(socket, id, &m);
	zmq_msg_close(&m);
	return r < 0 ? FAIL(r) : 0;
}

bool connection_cookie(int fd, uint64_t *ret)
{
	socklen_t size = sizeof *ret;

	return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_COOKIE, ret, &size) == 0;
}

void connection_of(void *payload, int *ret_fd, uint64_t *ret_cookie)
{
	*ret_fd = zmq_msg_get(payload, ZMQ_SRCFD);
	if (!connection_cookie(*ret_fd, ret_cookie))
		*ret_fd = -1;
}

/* There is no call to disconnect one peer of a ROUTER, and closing the descriptor under libzmq crashes it.
 * Connecting it to nowhere resets the connection, and libzmq finds it broken. The cookie guards against a
 * descriptor that meanwhile belongs to somebody else. */
void connection_cut(int fd, uint64_t cookie)
{
	const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	uint64_t now;

	if (connection_cookie(fd, &now) && now == cookie)
		ignore(connect(fd, &nowhere, sizeof nowhere)); /* failing, it was broken already */
}
