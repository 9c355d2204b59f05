/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "tests/unit/node/net.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <zmq.h>

#include "proto/clock.h"
#include "tests/lib/must.h"

void *net_context;
uv_loop_t net_loop;
struct zap *net_zap;
static uv_timer_t tick; /* so that uv_run(ONCE) comes back */

static void on_tick(uv_timer_t *t)
{
	(void)t;
}

void net_start(void)
{
	must(keys_init() == 0);
	net_context = zmq_ctx_new();
	must(zap_start(&net_zap, net_context) == 0);
	must(uv_loop_init(&net_loop) == 0);
	uv_timer_init(&net_loop, &tick);
	uv_timer_start(&tick, on_tick, 5, 5);
}

void net_stop(void)
{
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&net_loop, UV_RUN_DEFAULT);
	must(uv_loop_close(&net_loop) == 0);
	zap_stop(net_zap);
	net_zap = NULL;
	must(zmq_ctx_term(net_context) == 0);
}

void host_init(struct host *h, const char *org, const char *node, bool own, uint32_t roles)
{
	struct timespec now;

	*h = (struct host){.entry = {.own = own, .roles = roles}};
	must(curve_pair_new(&h->keys) == 0);
	h->entry.key = curve_pair_public(h->keys);
	snprintf(h->entry.org, sizeof h->entry.org, "%s", org);
	snprintf(h->entry.node, sizeof h->entry.node, "%s", node);
	clock_gettime(CLOCK_REALTIME, &now);
	h->entry.not_before_ns = (now.tv_sec - 3600) * NS_PER_S;
	h->entry.not_after_ns = (now.tv_sec + 3600) * NS_PER_S;
}

void host_fini(struct host *h)
{
	host_close(h);
	curve_pair_free(h->keys);
	h->keys = NULL;
}

static void on_up(void *ctx, uint32_t session, const struct transport_peer *peer)
{
	struct host *h = ctx;

	h->ups++;
	h->session = session;
	h->dialled = peer->dialled;
	snprintf(h->peer, sizeof h->peer, "%s/%s", peer->entry->org, peer->entry->node);
	if (h->on_up)
		h->on_up(h, session);
}

static void on_down(void *ctx, uint32_t session)
{
	struct host *h = ctx;

	h->downs++;
	h->down = session;
}

static void on_frame(void *ctx, uint32_t session, struct bytes frame)
{
	struct host *h = ctx;
	size_t n = frame.len < sizeof h->last - 1 ? frame.len : sizeof h->last - 1;

	h->frames++;
	memcpy(h->last, frame.data, n);
	h->last[n] = '\0';
	h->last_len = frame.len;
	if (h->on_frame)
		h->on_frame(h, session);
}

static void on_kick(void *ctx, const char *org, const char *node, enum transport_kick why)
{
	struct host *h = ctx;

	h->kicks++;
	h->why = why;
	snprintf(h->kicked, sizeof h->kicked, "%s/%s", org, node);
}

int host_open(struct host *h, struct roster *r, const char *own_endpoint, const char *border_endpoint,
	      const struct transport_limits *limits)
{
	struct err_note note = {""};
	const struct transport_options opt = {
		.loop = &net_loop,
		.zmq_context = net_context,
		.keys = h->keys,
		.own_endpoint = own_endpoint,
		.border_endpoint = border_endpoint,
		.limits = limits ? *limits
				 : (struct transport_limits){.reconnect_ms = 20, .reconnect_max_ms = 50},
		.handler = {.ctx = h, .on_up = on_up, .on_down = on_down, .on_frame = on_frame},
		.on_kick = on_kick,
		.zap = h->apart ? NULL : net_zap,
		.roster = r,
	};
	int result = transport_new(&h->t, &opt, &note);

	if (result < 0)
		cr_log_info("%s", note.text);
	return result;
}

static void on_closed(void *ctx)
{
	*(int *)ctx = 1;
}

void host_close(struct host *h)
{
	int closed = 0;

	if (!h->t)
		return;
	transport_free(h->t, on_closed, &closed);
	h->t = NULL;
	must(net_until(&closed, 1));
}

struct roster *roster_of(struct host *first, ...)
{
	struct roster_entry entries[8];
	struct roster *r;
	size_t n = 0;
	va_list more;

	va_start(more, first);
	for (struct host *h = first; h; h = va_arg(more, struct host *))
		entries[n++] = h->entry;
	va_end(more);
	must(roster_new(&r, entries, n) == 0);
	return r;
}

static struct rogue {
	void *door, *told, *tell;
	const char *user_id;
	uv_thread_t thread;
} rogue;

static void let_everybody_in(void *arg)
{
	const char *answer[] = {"1.0", "1", "200", "OK", rogue.user_id, ""};
	zmq_pollitem_t items[] = {{.socket = rogue.door, .events = ZMQ_POLLIN},
				  {.socket = rogue.told, .events = ZMQ_POLLIN}};
	char frame[256];
	int more;

	(void)arg;
	while (zmq_poll(items, 2, -1) >= 0 && !items[1].revents) {
		do {
			zmq_recv(rogue.door, frame, sizeof frame, 0);
			zmq_getsockopt(rogue.door, ZMQ_RCVMORE, &more, &(size_t){sizeof more});
		} while (more);
		for (int i = 0; i < 6; i++)
			zmq_send(rogue.door, answer[i], strlen(answer[i]), i < 5 ? ZMQ_SNDMORE : 0);
	}
	zmq_close(rogue.door);
	zmq_close(rogue.told);
}

void net_rogue_start(const char *user_id)
{
	int tries = 0;

	zap_stop(net_zap);
	net_zap = NULL;
	rogue = (struct rogue){.door = zmq_socket(net_context, ZMQ_REP),
			       .told = zmq_socket(net_context, ZMQ_PAIR),
			       .tell = zmq_socket(net_context, ZMQ_PAIR),
			       .user_id = user_id};
	while (zmq_bind(rogue.door, "inproc://zeromq.zap.01") != 0 && tries++ < 500)
		uv_sleep(10); /* libzmq closes ours in its own time */
	must(zmq_bind(rogue.told, "inproc://rogue") == 0 && zmq_connect(rogue.tell, "inproc://rogue") == 0);
	must(uv_thread_create(&rogue.thread, let_everybody_in, NULL) == 0);
}

void net_rogue_stop(void)
{
	zmq_send(rogue.tell, "", 0, 0);
	uv_thread_join(&rogue.thread);
	zmq_close(rogue.tell);
}

void net_publish(struct roster *r)
{
	zap_publish(net_zap, r);
}

bool net_until(const int *value, int at_least)
{
	const uint64_t end = uv_hrtime() + 5 * (uint64_t)NS_PER_S;

	while (*value < at_least && uv_hrtime() < end)
		uv_run(&net_loop, UV_RUN_ONCE);
	return *value >= at_least;
}

bool net_until_state(const struct host *h, const struct host *peer, const char *state)
{
	const uint64_t end = uv_hrtime() + 5 * (uint64_t)NS_PER_S;

	while (strcmp(transport_link_state(h->t, &peer->entry.key), state) != 0 && uv_hrtime() < end)
		uv_run(&net_loop, UV_RUN_ONCE);
	return strcmp(transport_link_state(h->t, &peer->entry.key), state) == 0;
}

void net_run_ms(unsigned ms)
{
	const uint64_t end = uv_hrtime() + ms * (uint64_t)NS_PER_MS;

	while (uv_hrtime() < end)
		uv_run(&net_loop, UV_RUN_ONCE);
}
