/* SPDX-License-Identifier: Apache-2.0 */
#include "node/join_wire.h"

#include <uv.h>
#include <zmq.h>

#include "security/join.h"

enum {
	ASK_EVERY_MS = 2000,
	MEET_MS = 8000,     /* from the first try to the end of the handshake */
	SILENCE_MS = 20000, /* a node that answers nothing for so long is lost */
	HANDSHAKE_MS = 5000,
	CURVE_OVERHEAD = 33, /* MAXMSGSIZE looks at what is on the wire */
	ARENA_BYTES = JOIN_REPLY_MAX * 8,
};

struct wire {
	const struct join_wire_options *opt;
	void *context, *dealer, *monitor;
	bool connected, greeted; /* TCP; CURVE */
	int ended;               /* one of the ends; 0: not yet */
	int64_t began_ms, asked_ms, heard_ms;
	struct buf *answer;
	uint8_t hash[KEY_BYTES]; /* of the answer that is being put together */
};

static void wire_fini(struct wire *w)
{
	if (w->monitor)
		zmq_close(w->monitor);
	if (w->dealer)
		zmq_close(w->dealer);
	if (w->context)
		zmq_ctx_term(w->context);
}

static int64_t now_ms(void)
{
	return (int64_t)(uv_hrtime() / 1000000);
}

static int set(void *socket, int name, const void *data, size_t len)
{
	return zmq_setsockopt(socket, name, data, len) == 0 ? 0 : FAIL(-zmq_errno());
}

static int set_options(struct wire *w)
{
	static const struct {
		int name, value;
	} numbers[] = {{ZMQ_LINGER, 0}, {ZMQ_IMMEDIATE, 1}, {ZMQ_IPV6, 1}, {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS}};
	const int64_t most = JOIN_REPLY_MAX + CURVE_OVERHEAD;
	const struct curve_key own = curve_pair_public(w->opt->keys);

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		TRY(set(w->dealer, numbers[i].name, &numbers[i].value, sizeof(int)));
	TRY(set(w->dealer, ZMQ_MAXMSGSIZE, &most, sizeof most));
	TRY(set(w->dealer, ZMQ_CURVE_SERVERKEY, w->opt->server->b, KEY_BYTES));
	TRY(set(w->dealer, ZMQ_CURVE_PUBLICKEY, own.b, KEY_BYTES));
	return set(w->dealer, ZMQ_CURVE_SECRETKEY, curve_pair_secret(w->opt->keys), KEY_BYTES);
}

static int open_wire(struct wire *w, struct err_note *note)
{
	static const char events[] = "inproc://join";

	w->context = zmq_ctx_new();
	w->dealer = w->context ? zmq_socket(w->context, ZMQ_DEALER) : NULL;
	w->monitor = w->dealer ? zmq_socket(w->context, ZMQ_PAIR) : NULL;
	if (!w->monitor)
		return FAIL(-zmq_errno());
	TRY(set(w->monitor, ZMQ_LINGER, &(int){0}, sizeof(int)));
	TRY(set_options(w));
	if (zmq_socket_monitor(w->dealer, events, ZMQ_EVENT_ALL) < 0 || zmq_connect(w->monitor, events) < 0)
		return FAIL(-zmq_errno());
	if (zmq_connect(w->dealer, w->opt->endpoint) < 0)
		return FAIL_SAY(note, ERR_REFUSED, "cannot connect to %s: %s", w->opt->endpoint,
				zmq_strerror(zmq_errno()));
	return 0;
}

/* One frame and what belongs to it; false: none waits. */
static bool receive(void *socket, zmq_msg_t *ret)
{
	bool more = true;

	if (zmq_msg_recv(ret, socket, ZMQ_DONTWAIT) < 0)
		return false;
	for (more = zmq_msg_more(ret); more;) {
		zmq_msg_t rest;
		zmq_msg_init(&rest);
		more = zmq_msg_recv(&rest, socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&rest);
		zmq_msg_close(&rest);
	}
	return true;
}

static void take_event(struct wire *w, int event)
{
	switch (event) {
	case ZMQ_EVENT_CONNECTED: w->connected = true; break;
	case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
		w->greeted = true;
		w->heard_ms = now_ms();
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: w->ended = JOIN_WIRE_LOST; break; /* the door is shut for now */
	case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
	case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: w->ended = JOIN_WIRE_STRANGER; break;
	case ZMQ_EVENT_DISCONNECTED: w->ended = w->greeted ? JOIN_WIRE_LOST : JOIN_WIRE_STRANGER; break;
	default: break;
	}
}

static void take_events(struct wire *w)
{
	zmq_msg_t m;

	zmq_msg_init(&m);
	while (!w->ended && receive(w->monitor, &m)) {
		uint16_t event = 0;
		if (zmq_msg_size(&m) >= sizeof event)
			memcpy(&event, zmq_msg_data(&m), sizeof event);
		take_event(w, event);
	}
	zmq_msg_close(&m);
}

static int send_ask(struct wire *w)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(buf_fini) struct buf frame = {0};
	struct join_ask ask = {.offset = (uint32_t)w->answer->len};

	TRY(arena_new(&a, ARENA_BYTES));
	TRY(signed_blob_decode(a, w->opt->request, &ask.request));
	join_ask_encode(&ask, &frame);
	TRY(buf_check(&frame));
	w->asked_ms = now_ms();
	if (zmq_send(w->dealer, frame.data, frame.len, ZMQ_DONTWAIT) < 0)
		w->ended = JOIN_WIRE_LOST;
	return 0;
}

/* Another answer than the one begun (the bundle has changed meanwhile) begins anew. 1: it is whole. */
static int take_piece(struct wire *w, const struct join_reply *r)
{
	uint8_t hash[KEY_BYTES];

	if (memcmp(w->hash, r->hash, sizeof w->hash) != 0) {
		buf_clear(w->answer);
		memcpy(w->hash, r->hash, sizeof w->hash);
	}
	if (r->offset == w->answer->len)
		buf_put(w->answer, r->piece);
	TRY(buf_check(w->answer));
	if (w->answer->len < r->total)
		return send_ask(w);
	join_hash(buf_bytes(w->answer), hash);
	if (memcmp(hash, w->hash, sizeof hash) == 0)
		return 1;
	buf_clear(w->answer);
	return send_ask(w);
}

/* What a node says is for a terminal. */
static const char *plain(struct arena *a, const char *text)
{
	char *copy = arena_copy(a, text);

	for (char *p = copy; p && *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return copy ? copy : "";
}

static int take_reply(struct wire *w, struct bytes frame, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct join_reply r;

	TRY(arena_new(&a, ARENA_BYTES));
	if (join_reply_decode(a, frame, &r) < 0)
		return FAIL_SAY(note, ERR_VERSION,
				"the answer cannot be read: is the node of another version?");
	w->heard_ms = now_ms();
	switch (r.state) {
	case JOIN_WAIT: w->opt->on_wait(w->opt->ctx, plain(a, r.text)); return 0;
	case JOIN_YES: return take_piece(w, &r);
	case JOIN_NO:
	case N_JOIN_STATES: break;
	}
	return FAIL_SAY(note, ERR_REFUSED, "%s", plain(a, r.text));
}

static int take_replies(struct wire *w, struct err_note *note)
{
	zmq_msg_t m;
	int r = 0;

	zmq_msg_init(&m);
	while (r == 0 && receive(w->dealer, &m))
		r = take_reply(w, (struct bytes){zmq_msg_data(&m), zmq_msg_size(&m)}, note);
	zmq_msg_close(&m);
	return r;
}

static void look_at_clock(struct wire *w)
{
	const int64_t now = now_ms();

	if (!w->greeted && now - w->began_ms > MEET_MS)
		w->ended = w->connected ? JOIN_WIRE_STRANGER : JOIN_WIRE_ABSENT;
	if (w->greeted && now - w->heard_ms > SILENCE_MS)
		w->ended = JOIN_WIRE_LOST;
}

/* 1: the answer is whole. */
static int step(struct wire *w, struct err_note *note)
{
	zmq_pollitem_t items[] = {{.socket = w->dealer, .events = ZMQ_POLLIN},
				  {.socket = w->monitor, .events = ZMQ_POLLIN}};

	if (zmq_poll(items, 2, 500) < 0 && zmq_errno() != EINTR)
		return FAIL(-zmq_errno());
	take_events(w);
	const int r = take_replies(w, note);
	if (r != 0)
		return r;
	look_at_clock(w);
	if (w->greeted && !w->ended && now_ms() - w->asked_ms >= ASK_EVERY_MS)
		return send_ask(w);
	return 0;
}

int join_wire_ask(const struct join_wire_options *opt, struct buf *ret_answer, struct err_note *note)
{
	SCOPED(wire_fini) struct wire w = {.opt = opt, .answer = ret_answer, .began_ms = now_ms()};
	int r = 0;

	buf_clear(ret_answer);
	w.asked_ms = w.began_ms - ASK_EVERY_MS;
	TRY(open_wire(&w, note));
	while (r == 0 && !w.ended)
		r = step(&w, note);
	return r < 0 ? r : r == 1 ? 0 : w.ended;
}
