/* SPDX-License-Identifier: Apache-2.0 */
#include "node/zap.h"

#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <time.h>
#include <uv.h>
#include <zmq.h>

#include "proto/clock.h"

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define STRANGER "enrol:"
#define STOP_ENDPOINT "inproc://holon.zap.stop"

/* The frames of a request, in the order of RFC 27. */
enum { VERSION, REQUEST_ID, DOMAIN, ADDRESS, ROUTING_ID, MECHANISM, CREDENTIALS, N_FRAMES };

/* Who may give orders. */
struct control_door {
	const struct curve_key *keys;
	size_t n;
};

struct zap {
	void *door;             /* REP; the thread's from its start on */
	void *stop, *stop_said; /* PAIR: the owner's end, the thread's end */
	uv_thread_t thread;
	bool running;
	uv_mutex_t roster_lock; /* held to exchange the pointers, never while answering */
	struct roster *roster;
	struct control_door control;
	_Atomic uint64_t admitted, refused, malformed;
};

struct request {
	zmq_msg_t frames[N_FRAMES];
	size_t n; /* frames that came, also beyond N_FRAMES */
};

struct answer {
	const char *status, *text;
	char user_id[USER_ID_SIZE];
};

static const struct answer MALFORMED = {.status = "500", .text = "malformed request"};
static const struct answer REFUSED = {.status = "400", .text = "not admitted"};

bool zap_admits(const char *domain, const struct roster_entry *e)
{
	if (strcmp(domain, ZAP_DOMAIN_OWN) == 0)
		return e->own;
	return strcmp(domain, ZAP_DOMAIN_BORDER) == 0 && !e->own && (e->roles & ROLE_BORDER);
}

void zap_stranger_id(const struct curve_key *key, char ret[USER_ID_SIZE])
{
	const size_t n = strlen(STRANGER);

	memcpy(ret, STRANGER, n);
	sodium_bin2hex(ret + n, USER_ID_SIZE - n, key->b, sizeof key->b);
}

bool zap_stranger_key(const char *user_id, struct curve_key *ret)
{
	const size_t n = strlen(STRANGER);
	size_t len;

	return strncmp(user_id, STRANGER, n) == 0 && strlen(user_id) == n + 2 * sizeof ret->b &&
	       sodium_hex2bin(ret->b, sizeof ret->b, user_id + n, 2 * sizeof ret->b, NULL, &len, NULL) == 0 &&
	       len == sizeof ret->b;
}

static bool is_in_time(const struct roster_entry *e)
{
	struct timespec t;
	int64_t now_ns;

	if (clock_gettime(CLOCK_REALTIME, &t) != 0 ||
	    __builtin_mul_overflow((int64_t)t.tv_sec, NS_PER_S, &now_ns) ||
	    __builtin_add_overflow(now_ns, (int64_t)t.tv_nsec, &now_ns))
		return false;
	return e->not_before_ns <= now_ns && now_ns <= e->not_after_ns;
}

static struct roster *borrow_roster(struct zap *z, struct control_door *ret_control)
{
	uv_mutex_lock(&z->roster_lock);
	struct roster *r = roster_ref(z->roster);
	*ret_control = z->control;
	uv_mutex_unlock(&z->roster_lock);
	return r;
}

static struct bytes frame(struct request *q, int i)
{
	return (struct bytes){zmq_msg_data(&q->frames[i]), zmq_msg_size(&q->frames[i])};
}

static void request_fini(struct request *q)
{
	for (int i = 0; i < N_FRAMES; i++)
		zmq_msg_close(&q->frames[i]);
}

/* A negative result is a failure of the socket, not of the request. */
static int read_request(void *door, struct request *q)
{
	int more = 1;

	q->n = 0;
	for (int i = 0; i < N_FRAMES; i++)
		zmq_msg_init(&q->frames[i]);
	while (more) {
		zmq_msg_t m;
		zmq_msg_init(&m);
		if (zmq_msg_recv(&m, door, ZMQ_DONTWAIT) < 0) {
			zmq_msg_close(&m);
			return FAIL(-zmq_errno());
		}
		more = zmq_msg_more(&m);
		if (q->n < N_FRAMES)
			zmq_msg_move(&q->frames[q->n], &m);
		q->n++;
		zmq_msg_close(&m);
	}
	return 0;
}

static const char *known_domain(struct bytes domain)
{
	if (bytes_equal(domain, BYTES(ZAP_DOMAIN_OWN)))
		return ZAP_DOMAIN_OWN;
	if (bytes_equal(domain, BYTES(ZAP_DOMAIN_CONTROL)))
		return ZAP_DOMAIN_CONTROL;
	if (bytes_equal(domain, BYTES(ZAP_DOMAIN_ENROL)))
		return ZAP_DOMAIN_ENROL;
	return bytes_equal(domain, BYTES(ZAP_DOMAIN_BORDER)) ? ZAP_DOMAIN_BORDER : NULL;
}

static struct answer decide_control(const struct control_door *door, const struct curve_key *key)
{
	for (size_t i = 0; i < door->n; i++)
		if (memcmp(door->keys[i].b, key->b, sizeof key->b) == 0)
			return (struct answer){
				.status = "200", .text = "welcome", .user_id = ZAP_USER_CONTROL};
	return REFUSED;
}

static struct answer decide(struct request *q, const struct roster *roster,
			    const struct control_door *control)
{
	struct answer a = {.status = "200", .text = "welcome"};
	struct curve_key key;

	if (q->n != N_FRAMES || !bytes_equal(frame(q, VERSION), BYTES("1.0")))
		return MALFORMED;
	const char *domain = known_domain(frame(q, DOMAIN));
	if (!domain || !bytes_equal(frame(q, MECHANISM), BYTES("CURVE")))
		return REFUSED;
	if (frame(q, CREDENTIALS).len != sizeof key.b)
		return MALFORMED;
	memcpy(key.b, frame(q, CREDENTIALS).data, sizeof key.b);
	if (strcmp(domain, ZAP_DOMAIN_CONTROL) == 0)
		return decide_control(control, &key);
	if (strcmp(domain, ZAP_DOMAIN_ENROL) == 0) {
		zap_stranger_id(&key, a.user_id);
		return a;
	}
	const struct roster_entry *e = roster_find(roster, &key);
	if (!e || !zap_admits(domain, e) || !is_in_time(e))
		return REFUSED;
	/* Never empty: libzmq would let the peer choose its own. */
	roster_user_id(e, a.user_id);
	return a;
}

static int put(void *door, struct bytes b, int flags)
{
	return zmq_send(door, b.data, b.len, flags) < 0 ? FAIL(-zmq_errno()) : 0;
}

static int send_answer(void *door, struct bytes request_id, const struct answer *a)
{
	TRY(put(door, BYTES("1.0"), ZMQ_SNDMORE));
	TRY(put(door, request_id, ZMQ_SNDMORE));
	TRY(put(door, bytes_of_text(a->status), ZMQ_SNDMORE));
	TRY(put(door, bytes_of_text(a->text), ZMQ_SNDMORE));
	TRY(put(door, bytes_of_text(a->user_id), ZMQ_SNDMORE));
	return put(door, BYTES(""), 0); /* no metadata */
}

static void count(struct zap *z, const struct answer *a)
{
	_Atomic uint64_t *counter = a->status[0] == '2'   ? &z->admitted
				    : a->status[0] == '4' ? &z->refused
							  : &z->malformed;

	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static int answer_one(struct zap *z)
{
	struct control_door control;
	SCOPED(scope_roster) struct roster *roster = borrow_roster(z, &control);
	SCOPED(request_fini) struct request q = {0};

	TRY(read_request(z->door, &q));
	const struct answer a = decide(&q, roster, &control);
	count(z, &a);
	return send_answer(z->door, frame(&q, REQUEST_ID), &a);
}

/* Leaving without having been told to would leave the doors open: better no process than that. */
static void keep_door(void *arg)
{
	struct zap *z = arg;
	zmq_pollitem_t items[] = {{.socket = z->door, .events = ZMQ_POLLIN},
				  {.socket = z->stop_said, .events = ZMQ_POLLIN}};

	for (;;) {
		if (zmq_poll(items, 2, -1) < 0 && zmq_errno() != EINTR)
			abort();
		if (items[1].revents & ZMQ_POLLIN)
			return;
		if (!(items[0].revents & ZMQ_POLLIN))
			continue;
		const int r = answer_one(z);
		if (r < 0 && r != -EINTR && r != -EAGAIN)
			abort();
	}
}

static int socket_new(void *context, int type, void **ret)
{
	const int linger = 0;
	void *s = zmq_socket(context, type);

	if (!s)
		return FAIL(-zmq_errno());
	*ret = s;
	return zmq_setsockopt(s, ZMQ_LINGER, &linger, sizeof linger) != 0 ? FAIL(-zmq_errno()) : 0;
}

static int open_sockets(struct zap *z, void *context)
{
	TRY(socket_new(context, ZMQ_REP, &z->door));
	TRY(socket_new(context, ZMQ_PAIR, &z->stop));
	TRY(socket_new(context, ZMQ_PAIR, &z->stop_said));
	if (zmq_bind(z->door, ZAP_ENDPOINT) != 0 || zmq_bind(z->stop, STOP_ENDPOINT) != 0 ||
	    zmq_connect(z->stop_said, STOP_ENDPOINT) != 0)
		return FAIL(-zmq_errno());
	return 0;
}

/* Signals are for the loop's thread. */
static int start_thread(struct zap *z)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = uv_thread_create(&z->thread, keep_door, z);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r < 0 ? FAIL(r) : 0;
}

int zap_start(struct zap **ret, void *zmq_context)
{
	struct zap *fresh = calloc(1, sizeof *fresh);

	if (!fresh)
		return FAIL(-ENOMEM);
	int r = uv_mutex_init(&fresh->roster_lock);
	if (r < 0) {
		free(fresh);
		return FAIL(r);
	}
	SCOPED(scope_zap) struct zap *z = fresh;
	TRY(open_sockets(z, zmq_context));
	TRY(start_thread(z));
	z->running = true;
	*ret = MOVE(z);
	return 0;
}

static void close_socket(void *socket)
{
	if (socket)
		zmq_close(socket);
}

void zap_stop(struct zap *z)
{
	if (!z)
		return;
	if (z->running) {
		if (zmq_send(z->stop, "", 0, 0) < 0)
			abort(); /* the context was ended first: the thread is gone or hangs */
		uv_thread_join(&z->thread);
	}
	close_socket(z->door);
	close_socket(z->stop);
	close_socket(z->stop_said);
	uv_mutex_destroy(&z->roster_lock);
	roster_unref(z->roster);
	free(z);
}

void zap_publish(struct zap *z, struct roster *r)
{
	struct roster *fresh = roster_ref(r);

	uv_mutex_lock(&z->roster_lock);
	struct roster *old = z->roster;
	z->roster = fresh;
	uv_mutex_unlock(&z->roster_lock);
	roster_unref(old);
}

void zap_set_control(struct zap *z, const struct curve_key *keys, size_t n)
{
	uv_mutex_lock(&z->roster_lock);
	z->control = (struct control_door){keys, n};
	uv_mutex_unlock(&z->roster_lock);
}

void zap_stats(const struct zap *z, struct zap_stats *ret)
{
	*ret = (struct zap_stats){
		.admitted = atomic_load_explicit(&z->admitted, memory_order_relaxed),
		.refused = atomic_load_explicit(&z->refused, memory_order_relaxed),
		.malformed = atomic_load_explicit(&z->malformed, memory_order_relaxed),
	};
}
