/* SPDX-License-Identifier: Apache-2.0 */
/* Proof at the start that the door is locked (SECURITY: CURVE in libzmq fails open): somebody with a key made
 * a moment ago tries to come in and must be sent away by the handler. A handshake that merely breaks proves
 * nothing, so only the handler's refusal counts. */
#include <zmq.h>

#include "node/transport_private.h"

/* 0: nothing within the time. */
static int wait_for_verdict(void *monitor)
{
	const uint64_t end_ms = uv_hrtime() / 1000000 + SELFTEST_MS;
	int ignored;
	zmq_pollitem_t item = {.socket = monitor, .events = ZMQ_POLLIN};

	for (uint64_t now_ms = uv_hrtime() / 1000000; now_ms < end_ms; now_ms = uv_hrtime() / 1000000) {
		if (zmq_poll(&item, 1, (long)(end_ms - now_ms)) < 0 && zmq_errno() != EINTR)
			return 0;
		const int event = monitor_read(monitor, &ignored);
		if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED || event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
			return event;
	}
	return 0;
}

int transport_prove_locked(struct transport *t, const char *endpoint, struct err_note *note)
{
	return selftest_stranger(t, endpoint, note);
}

int selftest_stranger(struct transport *t, const char *endpoint, struct err_note *note)
{
	const struct curve_key server = curve_pair_public(t->keys);
	SCOPED(scope_curve_pair) struct curve_pair *stranger = NULL;
	SCOPED(monitored_close) struct monitored d = {0};

	TRY(curve_pair_new(&stranger));
	TRY(dealer_new(t, stranger, &server, t->limits.frame_border_max, &d));
	if (zmq_connect(d.socket, endpoint) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "self-test: cannot connect to %s: %s", endpoint,
				zmq_strerror(zmq_errno()));
	const int verdict = wait_for_verdict(d.monitor);
	if (verdict == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
		return 0;
	return FAIL_SAY(note, ERR_UNTRUSTED, "self-test: %s at %s: not listening",
			verdict ? "a stranger's key was let in" : "no handler refused a stranger's key",
			endpoint);
}
