/* SPDX-License-Identifier: Apache-2.0 */
/* A dialled DEALER. The peer is who the pinned server key says; properties it sends mean nothing. */
#include <sodium.h>
#include <stdio.h>
#include <zmq.h>

#include "node/transport_private.h"

struct link *link_find(const struct transport *t, const struct curve_key *key)
{
	for (size_t i = 0; i < t->n_links; i++)
		if (memcmp(t->links[i]->to.key.b, key->b, KEY_BYTES) == 0)
			return t->links[i];
	return NULL;
}

static void wire_free(struct wire *w)
{
	struct transport *t = w->t;

	monitored_close(&(struct monitored){w->dealer, w->monitor});
	free(w);
	transport_one_closed(t);
}

static void on_watch_closed(struct zwatch *z)
{
	struct wire *w = z->data;

	if (--w->watches_open == 0)
		wire_free(w);
}

static void wire_close(struct wire *w)
{
	w->link = NULL;
	if (w->watches_open == 0) {
		wire_free(w);
		return;
	}
	if (w->frames.handles_open > 0)
		zwatch_close(&w->frames, on_watch_closed);
	if (w->events.handles_open > 0)
		zwatch_close(&w->events, on_watch_closed);
}

static void on_frames(struct zwatch *z);
static void on_events(struct zwatch *z);

static int watch(struct wire *w)
{
	w->frames.data = w->events.data = w;
	TRY(zwatch_open(&w->frames, w->t->loop, w->dealer, on_frames));
	w->watches_open++;
	TRY(zwatch_open(&w->events, w->t->loop, w->monitor, on_events));
	w->watches_open++;
	return 0;
}

static bool is_proven(const struct link *l)
{
	return uv_now(l->t->loop) < l->proven_ms;
}

static int connect_wire(struct wire *w, const struct link *l)
{
	struct monitored d;
	const int64_t frame_max = l->to.own ? w->t->limits.frame_own_max : w->t->limits.frame_border_max;

	TRY(dealer_new(w->t, w->t->keys, &l->to.key, frame_max, &d));
	w->dealer = d.socket;
	w->monitor = d.monitor;
	TRY(dealer_patience(w->dealer, is_proven(l) ? PROVEN_WAIT_MS : w->t->limits.reconnect_max_ms));
	TRY(watch(w));
	return zmq_connect(w->dealer, l->endpoint) != 0 ? FAIL(-zmq_errno()) : 0;
}

static int open_wire(struct link *l)
{
	struct wire *w = calloc(1, sizeof *w);

	if (!w)
		return FAIL(-ENOMEM);
	w->t = l->t;
	w->t->n_open++;
	int r = connect_wire(w, l);
	if (r < 0) {
		wire_close(w);
		return r;
	}
	w->link = l;
	l->wire = w;
	return 0;
}

static void come_up(struct link *l)
{
	SCOPED(scope_roster) struct roster *keeps_entry = roster_ref(l->t->roster);
	const struct roster_entry *e = roster_find(keeps_entry, &l->to.key);
	struct session like = {.key = l->to.key, .link = l};

	if (!e || l->session != 0) {
		link_restart(l);
		return;
	}
	like.frame_max = e->own ? l->t->limits.frame_own_max : l->t->limits.frame_border_max;
	memcpy(like.org, e->org, sizeof like.org);
	memcpy(like.node, e->node, sizeof like.node);
	const struct session *s = session_new(l->t, &like);
	if (!s) {
		link_restart(l);
		return;
	}
	l->session = s->id;
	l->refused = false;
	l->up_at_ms = uv_now(l->t->loop);
	const struct transport_peer peer = {.entry = e, .dialled = true, .endpoint = l->endpoint};
	l->t->handler.on_up(l->t->handler.ctx, s->id, &peer);
}

/* One frame; false when there is none or the wire was given up meanwhile. */
static bool read_frame(struct wire *w)
{
	struct transport *t = w->t;
	struct session *s = transport_find(t, w->link->session);
	zmq_msg_t m;

	zmq_msg_init(&m);
	bool there = frame_receive(w->dealer, &m);
	if (there && zmq_msg_more(&m)) {
		frames_drop(w->dealer);
		t->stats.refused_frames++;
		if (s)
			session_is_lost(t, s, KICK_PARTS);
	} else if (there && s && !s->lost) {
		transport_deliver(t, s->id, &m);
	}
	zmq_msg_close(&m);
	return there && w->link;
}

static void come_down(struct wire *w)
{
	struct link *l = w->link;

	/* What came before the break still counts: perhaps it says why. No more than the queue holds can be
	 * there. */
	for (int i = 0; i < w->t->limits.receive_mark && read_frame(w); i++) {
	}
	if (!w->link)
		return;
	struct session *s = transport_find(w->t, l->session);
	if (s)
		session_lose(w->t, s);
	else
		link_restart(l);
}

static void on_events(struct zwatch *z)
{
	struct wire *w = z->data;
	int event = -1, ignored;

	sessions_sweep(w->t);
	while (w->link && (event = monitor_read(w->monitor, &ignored)) != 0) {
		if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
			come_up(w->link);
		else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
			w->link->refused = true; /* disconnected is said next */
		else if (event == ZMQ_EVENT_DISCONNECTED)
			come_down(w);
	}
}

static void on_frames(struct zwatch *z)
{
	struct wire *w = z->data;

	sessions_sweep(w->t);
	for (int i = 0; i < BATCH_MAX && w->link && read_frame(w); i++) {
	}
}

static void on_redial(uv_timer_t *h)
{
	links_redial(h->data);
}

static void arm_redial(struct transport *t)
{
	const uint64_t now_ms = uv_now(t->loop);
	uint64_t due_ms = UINT64_MAX;

	for (size_t i = 0; i < t->n_links; i++)
		if (!t->links[i]->wire && t->links[i]->due_ms < due_ms)
			due_ms = t->links[i]->due_ms;
	if (due_ms == UINT64_MAX)
		uv_timer_stop(&t->redial);
	else
		uv_timer_start(&t->redial, on_redial, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

struct link_wait link_wait(const struct transport_limits *l, unsigned failures, bool refused, bool proven)
{
	const uint64_t first_ms = (uint64_t)l->reconnect_ms, longest_ms = (uint64_t)l->reconnect_max_ms;
	const uint64_t soon_ms = lesser(PROVEN_WAIT_MS, longest_ms);
	uint64_t wait_ms = first_ms;

	if (proven && !refused)
		return (struct link_wait){first_ms / 2, soon_ms > first_ms / 2 ? soon_ms - first_ms / 2 : 0};
	const uint64_t most_ms = refused ? REFUSED_WAIT_MS : longest_ms;
	for (unsigned i = 0; i < failures && wait_ms < most_ms; i++)
		wait_ms *= 2;
	wait_ms = lesser(wait_ms, most_ms);
	return (struct link_wait){wait_ms, wait_ms / 4};
}

static void back_off(struct link *l)
{
	const uint64_t now_ms = uv_now(l->t->loop);

	if (l->session != 0 && now_ms - l->up_at_ms >= STEADY_MS) {
		l->failures = 0;
		l->proven_ms = now_ms + PROVEN_MS;
	}
	const struct link_wait w = link_wait(&l->t->limits, l->failures, l->refused, is_proven(l));
	l->failures++;
	l->due_ms = now_ms + w.least_ms + randombytes_uniform((uint32_t)w.spread_ms + 1);
}

void link_restart(struct link *l)
{
	back_off(l);
	l->session = 0;
	if (l->wire)
		wire_close(l->wire);
	l->wire = NULL;
	arm_redial(l->t);
}

void links_redial(struct transport *t)
{
	for (size_t i = 0; i < t->n_links; i++) {
		struct link *l = t->links[i];
		if (!l->wire && l->due_ms <= uv_now(t->loop) && open_wire(l) < 0)
			back_off(l); /* out of descriptors, perhaps not for ever */
	}
	arm_redial(t);
}

/* CURVE has no new keys within a connection (SECURITY 1, V21), so no connection lives for ever; not all of a
 * site at the same time. */
static void draw_life(struct link *l)
{
	const uint64_t most_ms = (uint64_t)l->t->limits.session_ms;

	l->life_ms = most_ms - most_ms / 8 * randombytes_uniform(1024) / 1024;
}

void links_recycle(struct transport *t)
{
	for (size_t i = 0; i < t->n_links; i++) {
		struct link *l = t->links[i];
		struct session *s = transport_find(t, l->session);
		if (!s || s->lost || uv_now(t->loop) - l->up_at_ms < l->life_ms)
			continue;
		draw_life(l);
		session_is_lost(t, s, KICK_NONE);
	}
}

int link_new(struct transport *t, const struct roster_entry *to, const char *endpoint)
{
	SCOPED(scope_free) struct link *l = calloc(1, sizeof *l);
	struct link **links = realloc(t->links, (t->n_links + 1) * sizeof *links);

	if (links)
		t->links = links;
	if (!l || !links)
		return FAIL(-ENOMEM);
	l->t = t;
	l->to = *to;
	snprintf(l->endpoint, sizeof l->endpoint, "%s", endpoint);
	draw_life(l);
	TRY(open_wire(l));
	links[t->n_links++] = MOVE(l);
	return 0;
}

void link_free(struct link *l)
{
	struct transport *t = l->t;

	for (size_t i = 0; i < t->n_links; i++)
		if (t->links[i] == l)
			t->links[i] = t->links[--t->n_links];
	if (l->wire)
		wire_close(l->wire);
	free(l);
	arm_redial(t);
}

int link_send(struct session *s, struct bytes frame)
{
	struct wire *w = s->link->wire;
	int r = frame_send(w->dealer, NULL, frame);

	zwatch_touch(&w->frames);
	return r;
}
