/* SPDX-License-Identifier: Apache-2.0 */
#include "node/transport.h"

#include <zmq.h>

#include "node/tap.h"
#include "node/transport_private.h"

/* Above MAXMSGSIZE 276 a handshake gets through; no port is that small. */
static const struct transport_limits defaults = {
	.frame_border_max = FRAME_BORDER_MAX,
	.frame_own_max = FRAME_OWN_MAX,
	.handshake_ms = 3000,
	.receive_mark = 64,
	.send_mark = 256,
	.reconnect_ms = 200,
	.reconnect_max_ms = 3000, /* a node that comes back is found again within seconds */
	.silent_ms = TRANSPORT_SILENT_MS,
	.unheard_max = 4096,
	.session_ms = INT64_C(24) * 60 * 60 * 1000,
};

struct session *session_new(struct transport *t, const struct session *like)
{
	struct session **sessions = realloc(t->sessions, (t->n_sessions + 1) * sizeof *sessions);
	struct session *s = malloc(sizeof *s);

	if (sessions)
		t->sessions = sessions;
	if (!sessions || !s || t->last_id == UINT32_MAX) {
		free(s);
		return NULL;
	}
	*s = *like;
	s->id = ++t->last_id;
	t->sessions[t->n_sessions++] = s;
	return s;
}

/* New ones come last, so they are in order. */
static size_t position_of(const struct transport *t, uint32_t id)
{
	size_t low = 0, high = t->n_sessions;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (t->sessions[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct session *transport_find(const struct transport *t, uint32_t id)
{
	size_t i = position_of(t, id);

	return i < t->n_sessions && t->sessions[i]->id == id ? t->sessions[i] : NULL;
}

void session_drop(struct transport *t, struct session *s)
{
	size_t i = position_of(t, s->id);

	memmove(&t->sessions[i], &t->sessions[i + 1], (t->n_sessions - i - 1) * sizeof(struct session *));
	t->n_sessions--;
	free(s);
}

void session_lose(struct transport *t, struct session *s)
{
	const uint32_t id = s->id;

	if (s->why != KICK_NONE)
		kick_tell(t, &(struct kicked){&s->key, s->org, s->node, s->why});
	if (s->port)
		port_cut(s);
	else
		link_restart(s->link);
	session_drop(t, s);
	t->handler.on_down(t->handler.ctx, id);
}

void session_is_lost(struct transport *t, struct session *s, enum transport_kick why)
{
	s->lost = true;
	s->why = why;
	uv_async_send(&t->later);
}

static struct session *find_lost(const struct transport *t)
{
	for (size_t i = 0; i < t->n_sessions; i++)
		if (t->sessions[i]->lost)
			return t->sessions[i];
	return NULL;
}

void sessions_sweep(struct transport *t)
{
	struct session *s;

	while ((s = find_lost(t)))
		session_lose(t, s);
}

void transport_deliver(struct transport *t, uint32_t session, void *payload)
{
	const struct bytes frame = {zmq_msg_data(payload), zmq_msg_size(payload)};

	t->stats.frames_in++;
	t->stats.bytes_in += frame.len;
	t->handler.on_frame(t->handler.ctx, session, frame);
}

static void on_later(uv_async_t *h)
{
	sessions_sweep(h->data);
}

static void on_patrol(uv_timer_t *h)
{
	struct transport *t = h->data;

	flood_patrol(&t->own);
	flood_patrol(&t->border);
	flood_patrol(&t->enrol);
	links_recycle(t);
}

static void on_handle_closed(uv_handle_t *h)
{
	transport_one_closed(h->data);
}

static void release(struct transport *t)
{
	for (size_t i = 0; i < t->n_sessions; i++)
		free(t->sessions[i]);
	free(t->sessions);
	free(t->links);
	free(t->offences);
	roster_unref(t->roster);
	free(t);
}

void transport_one_closed(struct transport *t)
{
	void (*done)(void *ctx) = t->done;
	void *ctx = t->done_ctx;

	if (--t->n_open > 0)
		return;
	release(t);
	if (done)
		done(ctx);
}

static int or_default(int64_t value, int64_t fallback)
{
	return (int)(value > 0 ? value : fallback);
}

static struct transport_limits complete(const struct transport_limits *l)
{
	const struct transport_limits *d = &defaults;

	return (struct transport_limits){
		.frame_border_max = l->frame_border_max > 0 ? l->frame_border_max : d->frame_border_max,
		.frame_own_max = l->frame_own_max > 0 ? l->frame_own_max : d->frame_own_max,
		.handshake_ms = or_default(l->handshake_ms, d->handshake_ms),
		.receive_mark = or_default(l->receive_mark, d->receive_mark),
		.send_mark = or_default(l->send_mark, d->send_mark),
		.reconnect_ms = or_default(l->reconnect_ms, d->reconnect_ms),
		.reconnect_max_ms = or_default(l->reconnect_max_ms, d->reconnect_max_ms),
		.silent_ms = or_default(l->silent_ms, d->silent_ms),
		.unheard_max = or_default(l->unheard_max, d->unheard_max),
		.session_ms = l->session_ms > 0 ? l->session_ms : d->session_ms,
	};
}

static int open_port(struct port *p, const char *endpoint, struct err_note *note)
{
	if (!endpoint || !*endpoint)
		return 0;
	TRY(port_bind(p, endpoint, note));
	TRY(transport_prove_locked(p->t, p->endpoint, note));
	return port_watch(p);
}

/* Every key is let in there, but nobody without one. */
static int open_enrol(struct port *p, const char *endpoint, struct err_note *note)
{
	if (!endpoint || !*endpoint)
		return 0;
	TRY(port_bind(p, endpoint, note));
	TRY(selftest_keyed(p->t, p->endpoint, note));
	return port_watch(p);
}

static int open_all(struct transport *t, const struct transport_options *opt, struct err_note *note)
{
	int r = uv_async_init(t->loop, &t->later, on_later);

	if (r < 0)
		return FAIL(r);
	uv_timer_init(t->loop, &t->redial);
	uv_timer_init(t->loop, &t->patrol);
	t->later.data = t->redial.data = t->patrol.data = t;
	t->n_open += 3;
	TRY(open_port(&t->own, opt->own_endpoint, note));
	TRY(open_port(&t->border, opt->border_endpoint, note));
	TRY(open_enrol(&t->enrol, opt->enrol_endpoint, note));
	uv_timer_start(&t->patrol, on_patrol, PATROL_MS, PATROL_MS);
	return 0;
}

int transport_new(struct transport **ret, const struct transport_options *opt, struct err_note *note)
{
	struct transport *t = calloc(1, sizeof *t);

	if (!t)
		return FAIL(-ENOMEM);
	t->loop = opt->loop;
	t->zmq_context = opt->zmq_context;
	t->keys = opt->keys;
	t->own_key = curve_pair_public(opt->keys);
	t->limits = complete(&opt->limits);
	t->handler = opt->handler;
	t->on_kick = opt->on_kick;
	t->zap = opt->zap;
	t->roster = roster_ref(opt->roster);
	t->own = (struct port){.t = t, .domain = ZAP_DOMAIN_OWN, .frame_max = t->limits.frame_own_max};
	t->border =
		(struct port){.t = t, .domain = ZAP_DOMAIN_BORDER, .frame_max = t->limits.frame_border_max};
	t->enrol = (struct port){.t = t, .domain = ZAP_DOMAIN_ENROL, .frame_max = JOIN_MAX};
	t->n_open = 1; /* the caller */
	int r = open_all(t, opt, note);
	if (r < 0) {
		transport_free(t, NULL, NULL);
		return r;
	}
	*ret = t;
	return 0;
}

void transport_free(struct transport *t, void (*done)(void *ctx), void *ctx)
{
	t->done = done;
	t->done_ctx = ctx;
	atomic_store(&t->closing, true);
	while (t->n_links > 0)
		link_free(t->links[0]);
	port_close(&t->own);
	port_close(&t->border);
	port_close(&t->enrol);
	if (t->later.data) {
		uv_close((uv_handle_t *)&t->later, on_handle_closed);
		uv_close((uv_handle_t *)&t->redial, on_handle_closed);
		uv_close((uv_handle_t *)&t->patrol, on_handle_closed);
	}
	transport_one_closed(t);
}

static bool is_still_welcome(const struct transport *t, const struct session *s)
{
	const struct roster_entry *e = roster_find(t->roster, &s->key);

	return e && strcmp(e->org, s->org) == 0 && strcmp(e->node, s->node) == 0 &&
	       (!s->port || zap_admits(s->port->domain, e));
}

static void hang_up_strangers(struct transport *t)
{
	for (size_t i = t->n_links; i-- > 0;)
		if (!roster_find(t->roster, &t->links[i]->to.key))
			link_free(t->links[i]);
}

void transport_set_roster(struct transport *t, struct roster *r)
{
	struct roster *old = t->roster;

	t->roster = roster_ref(r);
	roster_unref(old);
	for (size_t i = 0; i < t->n_sessions; i++)
		if (!is_still_welcome(t, t->sessions[i]))
			session_is_lost(t, t->sessions[i], KICK_REVOKED);
	sessions_sweep(t);
	hang_up_strangers(t);
	offences_forget(t);
}

int transport_dial(struct transport *t, const struct roster_entry *to, const char *endpoint)
{
	const struct link *l = link_find(t, &to->key);

	if (!endpoint_is_tcp(endpoint))
		return FAIL(ERR_REFUSED);
	if (l && strcmp(l->endpoint, endpoint) == 0)
		return 0;
	transport_hang_up(t, &to->key);
	return link_new(t, to, endpoint);
}

void transport_hang_up(struct transport *t, const struct curve_key *key)
{
	struct link *l = link_find(t, key);
	const uint32_t id = l ? l->session : 0;

	if (!l)
		return;
	link_free(l);
	struct session *s = transport_find(t, id);
	if (s) {
		session_drop(t, s);
		t->handler.on_down(t->handler.ctx, id);
	}
}

const char *transport_link_state(const struct transport *t, const struct curve_key *key)
{
	const struct link *l = link_find(t, key);

	if (!l)
		return "";
	return l->session != 0 ? "up" : l->refused ? "refused" : "connecting";
}

int transport_send(struct transport *t, uint32_t session, struct bytes frame)
{
	struct session *s = transport_find(t, session);

	if (!s || s->lost)
		return FAIL(ERR_UNREACHABLE);
	if ((int64_t)frame.len > s->frame_max)
		return FAIL(-EMSGSIZE);
	tap_sent(s->org, s->node, frame);
	const int r = s->port ? port_send(s, frame) : link_send(s, frame);
	if (r < 0) {
		t->stats.send_failures++;
		session_is_lost(t, s, s->port && r == -EAGAIN ? KICK_SLOW : KICK_NONE);
		return FAIL(ERR_UNREACHABLE);
	}
	t->stats.frames_out++;
	t->stats.bytes_out += frame.len;
	return 0;
}

int transport_answer(struct transport *t, const struct transport_stranger *who, struct bytes frame)
{
	tap_sent("", "enrol", frame);
	return port_answer(&t->enrol, who, frame) < 0 ? FAIL(ERR_UNREACHABLE) : 0;
}

void transport_close(struct transport *t, uint32_t session)
{
	struct session *s = transport_find(t, session);

	if (!s)
		return;
	if (s->link)
		link_restart(s->link);
	session_drop(t, s);
}

static struct session *find_at(const struct transport *t, const struct port *p)
{
	for (size_t i = 0; i < t->n_sessions; i++)
		if (t->sessions[i]->port == p)
			return t->sessions[i];
	return NULL;
}

void transport_close_border(struct transport *t)
{
	struct session *s;

	port_close(&t->border);
	t->border.endpoint[0] = 0;
	while ((s = find_at(t, &t->border)))
		session_lose(t, s);
}

size_t transport_shed(struct transport *t)
{
	return flood_shed(&t->own, t->n_accepted) + flood_shed(&t->border, t->n_accepted) +
	       flood_shed(&t->enrol, t->n_accepted);
}

const char *transport_own_endpoint(const struct transport *t)
{
	return t->own.endpoint;
}

const char *transport_border_endpoint(const struct transport *t)
{
	return t->border.endpoint;
}

const char *transport_enrol_endpoint(const struct transport *t)
{
	return t->enrol.endpoint;
}

void transport_stats(const struct transport *t, struct transport_stats *ret)
{
	*ret = t->stats;
}
