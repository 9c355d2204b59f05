/* SPDX-License-Identifier: Apache-2.0 */
/* Proof that the doors are locked (SECURITY: CURVE in libzmq fails open): somebody with a key made a moment
 * ago tries to come in and must be sent away by the handler, somebody without a key is not talked to, and one
 * with the node's own key must be known by the name that the handler gives. A handshake that merely breaks
 * proves nothing, so only the handler's refusal counts: it is alive, too.
 *
 * What a peer with a valid key may claim about itself (a `User-Id` of its own making) libzmq's client cannot
 * even say; the unit tests try that with a client of their own.
 *
 * At the start the caller waits for it, before anything comes in. Later it is done by a thread of the pool,
 * while the loop serves; it touches nothing of the transport that changes. */
#include <stdio.h>
#include <zmq.h>

#include "node/transport_private.h"

enum { WAIT_MS = 100 }; /* between looks at whether it shall end */

struct proof {
	struct transport *t;
	uv_work_t work;
	struct curve_pair *stranger;
	char own[ENDPOINT_SIZE], border[ENDPOINT_SIZE], enrol[ENDPOINT_SIZE];
	char self[USER_ID_SIZE]; /* what the handler calls this node; "": it is not in the roster */
	enum transport_proof result;
	struct err_note note;
	transport_proof_fn *done;
	void *ctx;
};

static uint64_t clock_ms(void)
{
	return uv_hrtime() / 1000000;
}

/* False: nothing to read by then, or the transport ends. */
static bool wait_readable(const struct transport *t, void *socket, uint64_t end_ms)
{
	zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};

	while (clock_ms() < end_ms && !atomic_load(&t->closing))
		if (zmq_poll(&item, 1, WAIT_MS) > 0)
			return true;
	return false;
}

/* The first of these events (a mask); 0: none within the time. */
static int wait_for(const struct transport *t, void *monitor, int wanted)
{
	const uint64_t end_ms = clock_ms() + SELFTEST_MS;
	int ignored;

	while (wait_readable(t, monitor, end_ms)) {
		const int event = monitor_read(monitor, &ignored);
		if (event & wanted)
			return event;
	}
	return 0;
}

static enum transport_proof say(struct err_note *note, enum transport_proof p, const char *what,
				const char *endpoint)
{
	snprintf(note->text, sizeof note->text, "self-test: %s at %.100s", what, endpoint);
	return p;
}

static enum transport_proof try_stranger(struct transport *t, const struct curve_pair *stranger,
					 const char *endpoint, struct err_note *note)
{
	SCOPED(monitored_close) struct monitored d = {0};

	if (dealer_new(t, stranger, &t->own_key, t->limits.frame_border_max, &d) < 0 ||
	    zmq_connect(d.socket, endpoint) != 0)
		return say(note, PROOF_UNSURE, "no connection", endpoint);
	const int event =
		wait_for(t, d.monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
	if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
		return PROOF_LOCKED;
	return event == 0 ? say(note, PROOF_UNSURE, "no handler refused a stranger's key", endpoint)
			  : say(note, PROOF_OPEN, "a stranger's key was let in", endpoint);
}

static enum transport_proof try_plain(struct transport *t, const char *endpoint, struct err_note *note)
{
	SCOPED(monitored_close) struct monitored d = {0};

	if (plain_dealer_new(t, &d) < 0 || zmq_connect(d.socket, endpoint) != 0)
		return say(note, PROOF_UNSURE, "no connection", endpoint);
	const int event = wait_for(t, d.monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED);
	if (event == ZMQ_EVENT_DISCONNECTED)
		return PROOF_LOCKED;
	return event == 0 ? say(note, PROOF_UNSURE, "nobody hung up on one without a key", endpoint)
			  : say(note, PROOF_OPEN, "one without a key was let in", endpoint);
}

static enum transport_proof try_self(const struct proof *p, const char *endpoint, struct err_note *note)
{
	SCOPED(monitored_close) struct monitored d = {0};
	char answer[USER_ID_SIZE + 1] = "";

	if (dealer_new(p->t, p->t->keys, &p->t->own_key, p->t->limits.frame_own_max, &d) < 0 ||
	    zmq_connect(d.socket, endpoint) != 0 ||
	    wait_for(p->t, d.monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED) == 0 ||
	    frame_send(d.socket, NULL, BYTES("who am I?")) < 0 ||
	    !wait_readable(p->t, d.socket, clock_ms() + SELFTEST_MS) ||
	    zmq_recv(d.socket, answer, sizeof answer - 1, ZMQ_DONTWAIT) < 0)
		return say(note, PROOF_UNSURE, "the node's own key got no answer", endpoint);
	return strcmp(answer, p->self) == 0 ? PROOF_LOCKED
					    : say(note, PROOF_OPEN, "a known key has another name", endpoint);
}

static enum transport_proof try_port(struct proof *p, const char *endpoint)
{
	const enum transport_proof r =
		*endpoint ? try_stranger(p->t, p->stranger, endpoint, &p->note) : PROOF_LOCKED;

	return r == PROOF_LOCKED && *endpoint ? try_plain(p->t, endpoint, &p->note) : r;
}

static void on_work(uv_work_t *w)
{
	struct proof *p = w->data;

	p->result = try_port(p, p->border);
	if (p->result == PROOF_LOCKED)
		p->result = try_port(p, p->own);
	if (p->result == PROOF_LOCKED && p->enrol[0])
		p->result = try_plain(p->t, p->enrol, &p->note);
	if (p->result == PROOF_LOCKED && p->own[0] && p->self[0])
		p->result = try_self(p, p->own, &p->note);
}

static void proof_free(struct proof *p)
{
	curve_pair_free(p->stranger);
	free(p);
}

static void on_worked(uv_work_t *w, int status)
{
	struct proof *p = w->data;
	struct transport *t = p->t;

	(void)status;
	t->proving = false;
	if (!atomic_load(&t->closing))
		p->done(p->ctx, p->result, &p->note);
	proof_free(p);
	transport_one_closed(t);
}

int transport_prove(struct transport *t, transport_proof_fn *done, void *ctx)
{
	const struct roster_entry *self = roster_find(t->roster, &t->own_key);
	struct proof *p;

	if (t->proving)
		return FAIL(-EBUSY);
	p = calloc(1, sizeof *p);
	if (!p || curve_pair_new(&p->stranger) < 0) {
		free(p);
		return FAIL(-ENOMEM);
	}
	p->t = t;
	p->work.data = p;
	p->done = done;
	p->ctx = ctx;
	memcpy(p->own, t->own.endpoint, sizeof p->own);
	memcpy(p->border, t->border.endpoint, sizeof p->border);
	memcpy(p->enrol, t->enrol.endpoint, sizeof p->enrol);
	if (self && self->own)
		roster_user_id(self, p->self);
	selftest_expect(t, p->stranger);
	const int r = uv_queue_work(t->loop, &p->work, on_work, on_worked);
	if (r < 0) {
		proof_free(p);
		return FAIL(r);
	}
	t->proving = true;
	t->n_open++;
	return 0;
}

void selftest_expect(struct transport *t, const struct curve_pair *stranger)
{
	const struct curve_key key = curve_pair_public(stranger);

	if (t->zap)
		zap_expect(t->zap, &key);
}

int selftest_keyed(struct transport *t, const char *endpoint, struct err_note *note)
{
	struct err_note why = {""};

	if (try_plain(t, endpoint, &why) == PROOF_LOCKED)
		return 0;
	return FAIL_SAY(note, ERR_UNTRUSTED, "%.200s: not listening", why.text);
}

int transport_prove_locked(struct transport *t, const char *endpoint, struct err_note *note)
{
	SCOPED(scope_curve_pair) struct curve_pair *stranger = NULL;
	struct err_note why = {""};

	TRY(curve_pair_new(&stranger));
	selftest_expect(t, stranger);
	if (try_stranger(t, stranger, endpoint, &why) == PROOF_LOCKED &&
	    try_plain(t, endpoint, &why) == PROOF_LOCKED)
		return 0;
	return FAIL_SAY(note, ERR_UNTRUSTED, "%.200s: not listening", why.text);
}
