/* SPDX-License-Identifier: Apache-2.0 */
/* Full CURVE handshakes at the port for own nodes, each asked of the ZAP handler, its limits set high. What
 * counts is the processor time of the serving process, all its threads: connections for each second of it are
 * what one core takes, whatever the clients beside it need. */
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "security/keys.h"
#include "tests/bench/process.h"
#include "tests/bench/site.h"

enum { CLIENTS = 32, SECONDS = 8, QUICK_SECONDS = 1, WAIT_MS = 5000 };

struct knocker {
	void *socket, *monitor;
};

struct knocking {
	void *context;
	char endpoint[64];
	struct curve_pair *node; /* its own key: the one that the roster is sure to have */
	struct knocker at[CLIENTS];
	unsigned n_sockets; /* ever, for the names of monitors */
	uint64_t n;
};

static void leave(struct knocker *k)
{
	if (k->monitor)
		zmq_close(k->monitor);
	if (k->socket)
		zmq_close(k->socket);
	*k = (struct knocker){0};
}

static int set(void *socket, int option, const void *value, size_t len)
{
	return zmq_setsockopt(socket, option, value, len);
}

static int knock(struct knocking *all, struct knocker *k)
{
	const struct curve_key key = curve_pair_public(all->node);
	const int none = 0, never = -1;
	char name[32];

	snprintf(name, sizeof name, "inproc://k%u", all->n_sockets++);
	k->socket = zmq_socket(all->context, ZMQ_DEALER);
	k->monitor = zmq_socket(all->context, ZMQ_PAIR);
	if (!k->socket || !k->monitor || set(k->socket, ZMQ_LINGER, &none, sizeof none) != 0 ||
	    set(k->socket, ZMQ_RECONNECT_IVL, &never, sizeof never) != 0 ||
	    set(k->socket, ZMQ_CURVE_SERVERKEY, key.b, sizeof key.b) != 0 ||
	    set(k->socket, ZMQ_CURVE_PUBLICKEY, key.b, sizeof key.b) != 0 ||
	    set(k->socket, ZMQ_CURVE_SECRETKEY, curve_pair_secret(all->node), sizeof key.b) != 0 ||
	    zmq_socket_monitor(k->socket, name, ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) !=
		    0 ||
	    zmq_connect(k->monitor, name) != 0 || zmq_connect(k->socket, all->endpoint) != 0)
		return bench_say("handshake", "a client cannot connect: %s", zmq_strerror(zmq_errno()));
	return 0;
}

static bool came_in(struct knocker *k)
{
	uint8_t frame[64] = {0};
	uint16_t event;

	if (zmq_recv(k->monitor, frame, sizeof frame, 0) < (int)sizeof event)
		return false;
	memcpy(&event, frame, sizeof event);
	return event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
}

/* Whoever is in leaves and comes again. */
static int take_turns(struct knocking *all)
{
	zmq_pollitem_t items[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		items[i] = (zmq_pollitem_t){.socket = all->at[i].monitor, .events = ZMQ_POLLIN};
	if (zmq_poll(items, CLIENTS, WAIT_MS) <= 0)
		return bench_say("handshake", "the node does not answer");
	for (int i = 0; i < CLIENTS; i++) {
		if (!items[i].revents)
			continue;
		if (!came_in(&all->at[i]))
			return bench_say("handshake", "a handshake was refused");
		all->n++;
		leave(&all->at[i]);
		if (knock(all, &all->at[i]) < 0)
			return -1;
	}
	return 0;
}

static int knock_for(struct knocking *all, double seconds)
{
	const double end_s = bench_now_s() + seconds;

	for (int i = 0; i < CLIENTS; i++)
		if (knock(all, &all->at[i]) < 0)
			return -1;
	while (bench_now_s() < end_s)
		if (take_turns(all) < 0)
			return -1;
	return 0;
}

static void knocking_fini(struct knocking *all)
{
	for (int i = 0; i < CLIENTS; i++)
		leave(&all->at[i]);
	if (all->context)
		zmq_ctx_term(all->context);
	curve_pair_free(all->node);
}

static int measure(const struct bench_options *opt, struct site *s, const char *endpoint)
{
	SCOPED(knocking_fini) struct knocking all = {.context = zmq_ctx_new()};
	struct err_note note = {0};
	char path[160];

	snprintf(all.endpoint, sizeof all.endpoint, "%s", endpoint);
	snprintf(path, sizeof path, "%s/keys/curve.key", s->node);
	if (!all.context || curve_pair_load(&all.node, path, &note) < 0)
		return bench_say("handshake", "no key: %s", note.text);
	bench_pause_ms(1500); /* past the self-test of the start */
	const double began_s = process_cpu_s(s->pid);
	if (knock_for(&all, opt->quick ? QUICK_SECONDS : SECONDS) < 0)
		return -1;
	const double used_s = process_cpu_s(s->pid) - began_s;
	if (all.n == 0 || used_s <= 0)
		return bench_say("handshake", "nothing was measured");
	bench_result(opt, "handshake", "rate", (double)all.n / used_s, "1/s");
	return 0;
}

static int run(const struct bench_options *opt)
{
	char endpoint[48], listen[64];
	struct site s = {.bench = "handshake"};
	const char *const settings[] = {listen,
					"limits.handshakes-key=1000000",
					"limits.handshakes-key-burst=1000000",
					"limits.handshakes-total=1000000",
					"limits.connections-key=1000000",
					NULL};

	snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", free_port());
	snprintf(listen, sizeof listen, "listen.own=%s", endpoint);
	int r = site_init(&s, opt, settings);
	if (r == 0)
		r = measure(opt, &s, endpoint);
	site_fini(&s);
	return r;
}

const struct bench bench_handshake = {
	"handshake",
	"CURVE handshakes with ZAP, for each second of the node's processor time: handshake [rate]", run};
