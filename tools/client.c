/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor on the socket tells what libzmq itself keeps quiet about: that nobody listens, and that the node
 * went away in the middle of an answer. */
#include "tools/client.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <zmq.h>

#include "proto/clock.h"

#define MONITOR "inproc://client-monitor"

struct client {
	void *zmq, *socket, *monitor;
	char *endpoint;
	int64_t timeout_ns;
	uint64_t last_id;
	bool connected, gone;
};

static int from_zmq(int r)
{
	return r >= 0 ? 0 : FAIL(-zmq_errno());
}

static int64_t now_ns(void)
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
}

/* Wait until there is a message, the connection changed or the time is up. */
static int wait(struct client *c, int64_t until_ns, bool *ret_message)
{
	zmq_pollitem_t items[] = {
		{.socket = c->monitor, .events = ZMQ_POLLIN},
		{.socket = c->socket, .events = ZMQ_POLLIN},
	};
	const int r = zmq_poll(items, 2, milliseconds(until_ns - now_ns()));

	if (r < 0 && zmq_errno() != EINTR)
		return from_zmq(r);
	if (r > 0 && items[0].revents)
		read_event(c);
	*ret_message = r > 0 && items[1].revents;
	return 0;
}

static int no_node(const struct client *c, struct err_note *note)
{
	if (access(c->endpoint + strlen("ipc://"), F_OK) == 0 &&
	    access(c->endpoint + strlen("ipc://"), W_OK) != 0)
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
	const int64_t until_ns = now_ns() + c->timeout_ns;
	bool message;

	while (!c->connected && !c->gone && now_ns() < until_ns)
		TRY(wait(c, until_ns, &message));
	if (c->connected)
		return 0;
	return c->gone ? no_node(c, note) : no_answer(c, note);
}

static int set(struct client *c, int option, int value)
{
	return from_zmq(zmq_setsockopt(c->socket, option, &value, sizeof value));
}

static int open_sockets(struct client *c)
{
	const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED;
	const int64_t max_bytes = FRAME_CONTROL_MAX;

	c->socket = zmq_socket(c->zmq, ZMQ_DEALER);
	c->monitor = zmq_socket(c->zmq, ZMQ_PAIR);
	if (!c->socket || !c->monitor)
		return from_zmq(-1);
	TRY(set(c, ZMQ_LINGER, 0));
	TRY(from_zmq(zmq_setsockopt(c->socket, ZMQ_MAXMSGSIZE, &max_bytes, sizeof max_bytes)));
	TRY(from_zmq(zmq_socket_monitor(c->socket, MONITOR, events)));
	TRY(from_zmq(zmq_connect(c->monitor, MONITOR)));
	return from_zmq(zmq_connect(c->socket, c->endpoint));
}

int client_open(struct client **ret, const char *endpoint, int64_t timeout_ns, struct err_note *note)
{
	SCOPED(scope_client) struct client *c = calloc(1, sizeof *c);

	if (!c)
		return FAIL(-ENOMEM);
	c->timeout_ns = timeout_ns;
	c->endpoint = strdup(endpoint);
	c->zmq = zmq_ctx_new();
	if (!c->endpoint || !c->zmq)
		return FAIL(-ENOMEM);
	TRY(open_sockets(c));
	TRY(await_connection(c, note));

	*ret = MOVE(c);
	return 0;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	if (c->monitor)
		zmq_close(c->monitor);
	if (c->socket)
		zmq_close(c->socket);
	if (c->zmq)
		zmq_ctx_term(c->zmq);
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
	control_request_encode(request, &b);
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

int client_receive(struct client *c, struct arena *a, struct control_answer *ret, struct err_note *note)
{
	const int64_t until_ns = now_ns() + c->timeout_ns;
	bool message = false;

	for (;;) {
		TRY(wait(c, until_ns, &message));
		if (message)
			return receive(c, a, ret, note);
		if (c->gone)
			return FAIL_SAY(note, ERR_UNREACHABLE, "the node at %s hung up", c->endpoint);
		if (now_ns() >= until_ns)
			return no_answer(c, note);
	}
}

int client_ask(struct client *c, struct control_request *request, struct arena *a, struct control_answer *ret,
	       struct err_note *note)
{
	struct control_answer part = {0};

	TRY(client_send(c, request, note));
	*ret = (struct control_answer){.id = request->id};
	while (!part.last) {
		TRY(client_receive(c, a, &part, note));
		if (part.id == request->id)
			TRY(answer_merge(a, ret, &part, note));
		else
			part.last = false; /* a late part of an earlier question */
	}
	return 0;
}

static int with_scheme(struct arena *a, const char *path, const char *tail, const char **ret,
		       struct err_note *note)
{
	const size_t longest = sizeof((struct sockaddr_un *)0)->sun_path - 1;

	if (strlen(path) + strlen(tail) > longest)
		return FAIL_SAY(note, ERR_REFUSED,
				"the control socket %s%s has a path of more than %zu bytes", path, tail,
				longest);
	*ret = arena_print(a, "ipc://%s%s", path, tail);
	return *ret ? 0 : FAIL(-ENOMEM);
}

int client_endpoint(struct arena *a, const char *endpoint, const char *node_dir, const char **ret,
		    struct err_note *note)
{
	if (endpoint && strncmp(endpoint, "ipc://", 6) == 0)
		return with_scheme(a, endpoint + 6, "", ret, note);
	if (endpoint && strstr(endpoint, "://"))
		return FAIL_SAY(note, ERR_REFUSED, "endpoint %s: only ipc://PATH is supported", endpoint);
	if (endpoint)
		return with_scheme(a, endpoint, "", ret, note);
	if (node_dir)
		return with_scheme(a, node_dir, "/control", ret, note);
	return FAIL_SAY(
		note, ERR_REFUSED,
		"which node? give --node DIR or --endpoint ENDPOINT, or set HOLON_NODE or HOLON_ENDPOINT");
}
