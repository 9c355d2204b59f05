/* SPDX-License-Identifier: Apache-2.0 */
/* The control port over TCP: the node's own key on this side, one of the configured keys on the other, and
 * our handler between them (node/zap.h). Like every port it is proved locked before it is used. */
#include <string.h>
#include <zmq.h>

#include "node/control.h"
#include "node/trust.h"
#include "node/zap.h"

#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93 /* in libzmq since 4.3.0, its name only with drafts */
#endif

enum {
	LINGER_MS = 1000,
	SEND_MARK = 1000,
	CURVE_OVERHEAD = 33, /* MAXMSGSIZE looks at what is on the wire */
	ENDPOINT_SIZE = 256,
};

static void close_socket(void **socket)
{
	if (*socket)
		zmq_close(*socket);
}

static int set(void *socket, int name, const void *data, size_t len)
{
	return zmq_setsockopt(socket, name, data, len) < 0 ? FAIL(-zmq_errno()) : 0;
}

static int set_int(void *socket, int name, int64_t value)
{
	const int v = (int)value;

	return set(socket, name, &v, sizeof v);
}

static int set_limits(void *socket, const struct config *c)
{
	const int64_t most = FRAME_CONTROL_MAX + CURVE_OVERHEAD;

	TRY(set_int(socket, ZMQ_LINGER, LINGER_MS));
	TRY(set_int(socket, ZMQ_HANDSHAKE_IVL, c->handshake_ms));
	TRY(set_int(socket, ZMQ_RCVHWM, c->receive_mark));
	TRY(set_int(socket, ZMQ_SNDHWM, SEND_MARK));
	TRY(set_int(socket, ZMQ_TCP_KEEPALIVE, 1));
	TRY(set_int(socket, ZMQ_ROUTER_MANDATORY, 1));
	TRY(set_int(socket, ZMQ_ROUTER_HANDOVER, 0));
	return set(socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
}

/* Three-fold, as in transport_socket.c: the domain is enforced, it is not empty, and each frame must carry
 * the User-Id of our handler. */
static int lock(void *socket, const struct curve_pair *keys)
{
	TRY(set_int(socket, ZMQ_CURVE_SERVER, 1));
	TRY(set_int(socket, ZMQ_ZAP_ENFORCE_DOMAIN, 1));
	TRY(set(socket, ZMQ_CURVE_SECRETKEY, curve_pair_secret(keys), KEY_BYTES));
	return set(socket, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN_CONTROL, strlen(ZAP_DOMAIN_CONTROL));
}

int control_port_open(struct engine *e, void **ret, char ret_endpoint[ENDPOINT_SIZE], struct err_note *note)
{
	SCOPED(close_socket) void *socket = zmq_socket(e->zmq_context, ZMQ_ROUTER);
	const char *endpoint = e->config->control;
	size_t size = ENDPOINT_SIZE;

	if (!socket)
		return FAIL(-zmq_errno());
	TRY(set_limits(socket, e->config));
	TRY(lock(socket, e->trust->curve));
	if (endpoint[strlen("tcp://")] == '[')
		TRY(set_int(socket, ZMQ_IPV6, 1));
	if (zmq_bind(socket, endpoint) < 0)
		return FAIL_SAY(note, -zmq_errno(), "cannot take orders on %.200s: %s", endpoint,
				zmq_strerror(zmq_errno()));
	if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, ret_endpoint, &size) < 0)
		return FAIL(-zmq_errno());
	TRY(transport_prove_locked(e->transport, ret_endpoint, note));
	*ret = MOVE(socket);
	return 0;
}

bool control_port_admitted(void *message)
{
	const char *user = zmq_msg_gets(message, "User-Id");

	return user && strcmp(user, ZAP_USER_CONTROL) == 0;
}
