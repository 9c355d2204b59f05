/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor on the socket tells what libzmq itself keeps quiet about: that nobody listens, and that the node
 * went away in the middle of an answer. */
#include "tools/client_private.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <zmq.h>

#include "proto/clock.h"
#include "security/keys.h"
#include "tools/client_person.h"

enum {
	/* libzmq says once that it failed and does not try again: client_reconnect() does, with sockets of
	 * its own. Else a program that waits for its node would pile up events, until libzmq's own thread
	 * waits for a reader. */
	RECONNECT_MS = 86400 * 1000,
	EVENTS = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED |
		 ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
		 ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
};
enum {
	DENIALS = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
		  ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
};

static int from_zmq(int r)
{
	return r >= 0 ? 0 : FAIL(-zmq_errno());
}

int64_t client_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int milliseconds(int64_t ns)
{
	const int64_t ms = (ns + NS_PER_MS - 1) / NS_PER_MS;

	return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms;
}

/* One event of the monitor: two frames, the first begins with the event's number. */
static void read_event(struct client *c)
{
	uint16_t event = 0;
	uint8_t frame[6];

	if (zmq_recv(c->monitor, frame, sizeof frame, 0) >= (int)sizeof event)
		memcpy(&event, frame, sizeof event);
	/* a closed monitor ends in the next poll; its address frame tells nothing new */
	ignore(zmq_recv(c->monitor, frame, sizeof frame, 0));
	if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
		c->connected = true;
	else if (event != 0)
		c->gone = true;
	c->denied |= (event & DENIALS) != 0;
}

/* Wait until there is a message, the connection changed or the time is up. */
static int wait(struct client *c, int64_t until_ns, bool *ret_message)
{
	zmq_pollitem_t items[] = {
		{.socket = c->monitor, .events = ZMQ_POLLIN},
		{.socket = c->socket, .events = ZMQ_POLLIN},
	};
	const int r = zmq_poll(items, 2, milliseconds(until_ns - client_now_ns()));

	if (r < 0 && zmq_errno() != EINTR)
		return from_zmq(r);
	if (r > 0 && items[0].revents)
		read_event(c);
	*ret_message = r > 0 && items[1].revents;
	return 0;
}

static int no_node(const struct client *c, struct err_note *note)
{
	const char *path = strncmp(c->endpoint, "ipc://", 6) == 0 ? c->endpoint + 6 : NULL;

	if (c->denied)
		return FAIL_SAY(note, ERR_DENIED, "%s does not accept our key, or has another than we expect",
				c->endpoint);
	if (path && access(path, F_OK) == 0 && access(path, W_OK) != 0)
		return FAIL_SAY(note, ERR_UNREACHABLE, "no permission to use %s: run as the user of holond",
				c->endpoint);
	return FAIL_SAY(note, ERR_UNREACHABLE, "no node at %s: is holond running?", c->endpoint);
}

static int no_answer(const struct client *c, struct err_note *note)
{
	char within[DURATION_TEXT_SIZE];

	return FAIL_SAY(note, ERR_UNREACHABLE, "no answer from %s within %s", c->endpoint,
			duration_text(c->timeout_ns, within));
}

static int await_connection(struct client *c, struct err_note *note)
{
	const int64_t until_ns = client_now_ns() + c->timeout_ns;
	bool message;

	while (!c->connected && !c->gone && client_now_ns() < until_ns)
		TRY(wait(c, until_ns, &message));
	if (c->connected)
		return 0;
	return c->gone ? no_node(c, note) : no_answer(c, note);
}

static int set(struct client *c, int option, int value)
{
	return from_zmq(zmq_setsockopt(c->socket, option, &value, sizeof value));
}

static int set_key(struct client *c, int option, const uint8_t *key)
{
	return from_zmq(zmq_setsockopt(c->socket, option, key, KEY_BYTES));
}

static int set_keys(struct client *c)
{
	const struct curve_key own = curve_pair_public(c->keys.own);

	TRY(set_key(c, ZMQ_CURVE_SERVERKEY, c->keys.server.b));
	TRY(set_key(c, ZMQ_CURVE_PUBLICKEY, own.b));
	return set_key(c, ZMQ_CURVE_SECRETKEY, curve_pair_secret(c->keys.own));
}

static int open_sockets(struct client *c)
{
	const int64_t max_bytes = FRAME_CONTROL_MAX;
	char monitor[48];

	snprintf(monitor, sizeof monitor, "inproc://client-monitor-%u", c->n_monitors++);
	c->connected = c->gone = c->denied = false;
	c->socket = zmq_socket(c->zmq, ZMQ_DEALER);
	c->monitor = zmq_socket(c->zmq, ZMQ_PAIR);
	if (!c->socket || !c->monitor)
		return from_zmq(-1);
	TRY(set(c, ZMQ_LINGER, 0));
	TRY(set(c, ZMQ_RECONNECT_IVL, RECONNECT_MS));
	TRY(from_zmq(zmq_setsockopt(c->socket, ZMQ_MAXMSGSIZE, &max_bytes, sizeof max_bytes)));
	if (c->keys.own)
		TRY(set_keys(c));
	TRY(from_zmq(zmq_socket_monitor(c->socket, monitor, EVENTS)));
	TRY(from_zmq(zmq_connect(c->monitor, monitor)));
	return from_zmq(zmq_connect(c->socket, c->endpoint));
}

/* Nothing may be told to a monitor that nobody reads any more: libzmq's own thread would wait for a reader
 * for ever, and no connection of this context be made again. */
static void close_sockets(struct client *c)
{
	if (c->socket) {
		zmq_socket_monitor(c->socket, NULL, 0);
		zmq_close(c->socket);
	}
	if (c->monitor)
		zmq_close(c->monitor);
	c->monitor = c->socket = NULL;
}

int client_open_encrypted(struct client **ret, const char *endpoint, const struct client_keys *keys,
			  int64_t timeout_ns, struct err_note *note)
{
	SCOPED(scope_client) struct client *c = calloc(1, sizeof *c);

	if (!c)
		return FAIL(-ENOMEM);
	c->timeout_ns = timeout_ns;
	c->keys = *keys;
	c->endpoint = strdup(endpoint);
	c->zmq = zmq_ctx_new();
	if (!c->endpoint || !c->zmq)
		return FAIL(-ENOMEM);
	TRY(open_sockets(c));
	TRY(await_connection(c, note));

	*ret = MOVE(c);
	return 0;
}

int client_open(struct client **ret, const char *endpoint, int64_t timeout_ns, struct err_note *note)
{
	return client_open_encrypted(ret, endpoint, &(struct client_keys){.own = NULL}, timeout_ns, note);
}

int client_reconnect(struct client *c, struct err_note *note)
{
	close_sockets(c);
	TRY(open_sockets(c));
	return await_connection(c, note);
}

void client_close(struct client *c)
{
	if (!c)
		return;
	close_sockets(c);
	if (c->zmq)
		zmq_ctx_term(c->zmq);
	client_ingest_free(c->ingest);
	client_person_free(c->person);
	client_names_fini(&c->names);
	free(c->endpoint);
	free(c);
}

void client_set_timeout(struct client *c, int64_t timeout_ns)
{
	c->timeout_ns = timeout_ns;
}

int client_send(struct client *c, struct control_request *request, struct err_note *note)
{
	SCOPED(buf_fini) struct buf b = {0};

	request->id = ++c->last_id;
	struct control_request signed_request = *request;
	if (c->person)
		TRY(client_person_sign(c->person, &signed_request));
	control_request_encode(&signed_request, &b);
	TRY(buf_check(&b));
	if (b.len > FRAME_CONTROL_MAX)
		return FAIL_SAY(note, -EMSGSIZE,
				"the request has %zu bytes, a node takes at most %d: split it", b.len,
				FRAME_CONTROL_MAX);
	if (zmq_send(c->socket, b.data, b.len, ZMQ_DONTWAIT) >= 0)
		return 0;
	return zmq_errno() == EAGAIN ? no_node(c, note) : from_zmq(-1);
}

static void close_message(zmq_msg_t *m)
{
	zmq_msg_close(m);
}

static int receive(struct client *c, struct arena *a, struct control_answer *ret, struct err_note *note)
{
	SCOPED(close_message) zmq_msg_t m;
	int r;

	zmq_msg_init(&m);
	TRY(from_zmq(zmq_msg_recv(&m, c->socket, ZMQ_DONTWAIT)));
	r = control_answer_decode(a, (struct bytes){zmq_msg_data(&m), zmq_msg_size(&m)}, ret);
	if (r < 0)
		return FAIL_SAY(note, r, "the answer of %s cannot be read: is it a node of this release?",
				c->endpoint);
	return 0;
}

int client_await_part(struct client *c, int64_t until_ns, struct arena *a, struct control_answer *ret,
		      struct err_note *note)
{
	bool message = false;

	for (;;) {
		TRY(wait(c, until_ns, &message));
		if (message)
			return receive(c, a, ret, note);
		if (c->gone)
			return FAIL_SAY(note, ERR_UNREACHABLE, "the node at %s hung up", c->endpoint);
		if (client_now_ns() >= until_ns)
			return CLIENT_NOTHING;
	}
}

int client_receive(struct client *c, struct arena *a, struct control_answer *ret, struct err_note *note)
{
	const int r = client_await_part(c, client_now_ns() + c->timeout_ns, a, ret, note);

	return r == CLIENT_NOTHING ? no_answer(c, note) : r;
}

int client_ask(struct client *c, struct control_request *request, struct arena *a, struct control_answer *ret,
	       struct err_note *note)
{
	struct control_answer part = {0};

	TRY(client_send(c, request, note));
	*ret = (struct control_answer){.id = request->id};
	while (!part.last) {
		TRY(client_receive(c, a, &part, note));
		if (part.id == request->id) {
			TRY(answer_merge(a, ret, &part));
			continue;
		}
		client_ingest_take(c, &part); /* or it is a late part of an earlier question */
		part.last = false;
	}
	return 0;
}
