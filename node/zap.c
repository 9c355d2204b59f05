/* SPDX-License-Identifier: Apache-2.0 */
#include "node/zap.h"

#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <uv.h>
#include <zmq.h>

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define STRANGER "enrol:"
#define ORDERS_ENDPOINT "inproc://holon.zap.orders"

/* The frames of a request, in the order of RFC 27. */
enum { VERSION, REQUEST_ID, DOMAIN, ADDRESS, ROUTING_ID, MECHANISM, CREDENTIALS, N_FRAMES };

enum {
	EXPECTED = 4,
	HELD_MARK = 256, /* of those the owner has not asked for yet; the rest is only counted */
};

/* Who may give orders. */
struct control_door {
	const struct curve_key *keys;
	size_t n;
};

/* What the owner tells the thread: they do not wait for each other. */
struct order {
	enum { ORDER_STOP, ORDER_LIMITS, ORDER_EXPECT, ORDER_SPOKE, ORDER_ENDED, ORDER_KICKED } kind;
	struct curve_key key;
	struct zap_limits limits;
};

struct zap {
	void *door; /* REP; the thread's from its start on */
	void *owner,
		*told; /* PAIR: the owner's end, the thread's end; orders go in, struct zap_held comes out */
	uv_thread_t thread;
	bool running;
	uv_mutex_t roster_lock; /* held to exchange the pointers, never while answering */
	struct roster *roster;
	struct control_door control;
	_Atomic(const struct clock *) clock; /* NULL: the machine's */
	struct zap_limiter *limiter;         /* the thread's, with the next two; NULL: no limits yet */
	struct curve_key expected[EXPECTED]; /* no limit is in their way */
	unsigned n_expected;                 /* ever */
	_Atomic uint64_t admitted, refused, malformed, held[N_ZAP_VERDICTS];
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
static const struct answer WELCOME = {.status = "200", .text = "welcome"};

/* Somebody with a well-formed key at a door. */
struct asking {
	const struct domain *domain;
	struct curve_key key;
	const struct roster *roster;
	const struct control_door *control;
	int64_t now_ns;
	struct zap_caller *caller; /* to be filled in: whose limits count */
};

/* The doors: who is admitted, and how that is found out. */
struct domain {
	const char *name;
	struct answer (*decide)(const struct asking *q);
	bool (*admits)(const struct roster_entry *e); /* NULL: nobody because of the roster */
};

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

static bool is_in_time(const struct roster_entry *e, int64_t now_ns)
{
	return e->not_before_ns <= now_ns && (now_ns <= e->not_after_ns || e->returning);
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

static struct answer decide_node(const struct asking *q)
{
	struct answer a = WELCOME;
	const struct roster_entry *e = roster_find(q->roster, &q->key);

	if (!e || !q->domain->admits(e) || !is_in_time(e, q->now_ns))
		return REFUSED;
	q->caller->entry = e;
	/* Never empty: libzmq would let the peer choose its own. */
	roster_user_id(e, a.user_id);
	return a;
}

static struct answer decide_control(const struct asking *q)
{
	for (size_t i = 0; i < q->control->n; i++)
		if (memcmp(q->control->keys[i].b, q->key.b, sizeof q->key.b) == 0) {
			q->caller->admin = true;
			return (struct answer){
				.status = "200", .text = "welcome", .user_id = ZAP_USER_CONTROL};
		}
	return REFUSED;
}

static struct answer decide_enrol(const struct asking *q)
{
	struct answer a = WELCOME;

	zap_stranger_id(&q->key, a.user_id);
	return a;
}

static bool own_admits(const struct roster_entry *e)
{
	return e->own;
}

static bool border_admits(const struct roster_entry *e)
{
	return !e->own && (e->roles & ROLE_BORDER);
}

static const struct domain domains[] = {
	{ZAP_DOMAIN_OWN, decide_node, own_admits},
	{ZAP_DOMAIN_BORDER, decide_node, border_admits},
	{ZAP_DOMAIN_CONTROL, decide_control, NULL},
	{ZAP_DOMAIN_ENROL, decide_enrol, NULL},
};

static const struct domain *find_domain(struct bytes name)
{
	for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++)
		if (bytes_equal(name, bytes_of_text(domains[i].name)))
			return &domains[i];
	return NULL;
}

bool zap_admits(const char *domain, const struct roster_entry *e)
{
	const struct domain *d = find_domain(bytes_of_text(domain));

	return d && d->admits && d->admits(e);
}

static bool is_expected(const struct zap *z, const struct curve_key *key)
{
	for (unsigned i = 0; i < EXPECTED && i < z->n_expected; i++)
		if (memcmp(z->expected[i].b, key->b, sizeof key->b) == 0)
			return true;
	return false;
}

static int64_t now_ms(void)
{
	return (int64_t)(uv_hrtime() / 1000000);
}

/* The answer, or that it is for later: 300 goes to the peer as nothing but a break. */
static struct answer limit(struct zap *z, const struct asking *q, struct answer a)
{
	if (!z->limiter || is_expected(z, &q->key))
		return a;
	const enum zap_verdict v = zap_limiter_ask(z->limiter, q->caller, now_ms());
	if (v == ZAP_WELCOME)
		return a;
	atomic_fetch_add_explicit(&z->held[v], 1, memory_order_relaxed);
	if (q->caller->entry) {
		struct zap_held held = {.verdict = v};
		memcpy(held.org, q->caller->entry->org, sizeof held.org);
		memcpy(held.node, q->caller->entry->node, sizeof held.node);
		/* the counter has it, should nobody listen */
		ignore(zmq_send(z->told, &held, sizeof held, ZMQ_DONTWAIT));
	}
	return (struct answer){.status = "300", .text = "later"};
}

static struct answer decide(struct zap *z, struct request *q, const struct roster *roster,
			    const struct control_door *control)
{
	if (q->n != N_FRAMES || !bytes_equal(frame(q, VERSION), BYTES("1.0")))
		return MALFORMED;
	struct zap_caller caller = {.address = frame(q, ADDRESS)};
	struct asking asking = {.domain = find_domain(frame(q, DOMAIN)),
				.roster = roster,
				.control = control,
				.now_ns = clock_now(atomic_load(&z->clock)),
				.caller = &caller};
	if (!asking.domain || !bytes_equal(frame(q, MECHANISM), BYTES("CURVE")))
		return REFUSED;
	if (frame(q, CREDENTIALS).len != sizeof asking.key.b)
		return MALFORMED;
	memcpy(asking.key.b, frame(q, CREDENTIALS).data, sizeof asking.key.b);
	return limit(z, &asking, asking.domain->decide(&asking));
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
				    : a->status[0] == '5' ? &z->malformed
							  : NULL; /* 300: by limit */

	if (counter)
		atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static int answer_one(struct zap *z)
{
	struct control_door control;
	SCOPED(scope_roster) struct roster *roster = borrow_roster(z, &control);
	SCOPED(request_fini) struct request q = {0};

	TRY(read_request(z->door, &q));
	const struct answer a = decide(z, &q, roster, &control);
	count(z, &a);
	return send_answer(z->door, frame(&q, REQUEST_ID), &a);
}

static void set_limits(struct zap *z, const struct zap_limits *l)
{
	zap_limiter_free(z->limiter);
	z->limiter = NULL;
	if (zap_limiter_new(&z->limiter, l) < 0)
		abort(); /* at the start; a door without limits is not what was asked for */
}

/* False: to stop. */
static bool obey(struct zap *z, const struct order *o)
{
	if (o->kind == ORDER_STOP)
		return false;
	if (o->kind == ORDER_LIMITS)
		set_limits(z, &o->limits);
	else if (o->kind == ORDER_EXPECT)
		z->expected[z->n_expected++ % EXPECTED] = o->key;
	else if (z->limiter && o->kind == ORDER_SPOKE)
		zap_limiter_spoke(z->limiter, &o->key, now_ms());
	else if (z->limiter && o->kind == ORDER_ENDED)
		zap_limiter_ended(z->limiter, &o->key, now_ms());
	else if (z->limiter && o->kind == ORDER_KICKED)
		zap_limiter_kicked(z->limiter, &o->key, now_ms());
	return true;
}

static bool obey_all(struct zap *z)
{
	struct order o;

	while (zmq_recv(z->told, &o, sizeof o, ZMQ_DONTWAIT) == (int)sizeof o)
		if (!obey(z, &o))
			return false;
	return true;
}

/* Leaving without having been told to would leave the doors open: better no process than that. */
static void keep_door(void *arg)
{
	struct zap *z = arg;
	zmq_pollitem_t items[] = {{.socket = z->door, .events = ZMQ_POLLIN},
				  {.socket = z->told, .events = ZMQ_POLLIN}};

	for (;;) {
		if (zmq_poll(items, 2, -1) < 0 && zmq_errno() != EINTR)
			abort();
		if ((items[1].revents & ZMQ_POLLIN) && !obey_all(z))
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

static int set_mark(void *socket, int option, int mark)
{
	return zmq_setsockopt(socket, option, &mark, sizeof mark) != 0 ? FAIL(-zmq_errno()) : 0;
}

/* No order is lost; of what comes back only so much is kept. */
static int open_orders(struct zap *z, void *context)
{
	TRY(socket_new(context, ZMQ_PAIR, &z->owner));
	TRY(socket_new(context, ZMQ_PAIR, &z->told));
	TRY(set_mark(z->owner, ZMQ_SNDHWM, 0));
	TRY(set_mark(z->told, ZMQ_RCVHWM, 0));
	TRY(set_mark(z->owner, ZMQ_RCVHWM, HELD_MARK));
	TRY(set_mark(z->told, ZMQ_SNDHWM, HELD_MARK));
	if (zmq_bind(z->owner, ORDERS_ENDPOINT) != 0 || zmq_connect(z->told, ORDERS_ENDPOINT) != 0)
		return FAIL(-zmq_errno());
	return 0;
}

static int open_sockets(struct zap *z, void *context)
{
	TRY(socket_new(context, ZMQ_REP, &z->door));
	if (zmq_bind(z->door, ZAP_ENDPOINT) != 0)
		return FAIL(-zmq_errno());
	return open_orders(z, context);
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

static void give(struct zap *z, const struct order *o)
{
	if (zmq_send(z->owner, o, sizeof *o, 0) < 0)
		abort(); /* the context was ended first: the thread is gone or hangs */
}

void zap_stop(struct zap *z)
{
	if (!z)
		return;
	if (z->running) {
		give(z, &(struct order){.kind = ORDER_STOP});
		uv_thread_join(&z->thread);
	}
	close_socket(z->door);
	close_socket(z->owner);
	close_socket(z->told);
	zap_limiter_free(z->limiter);
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

void zap_set_clock(struct zap *z, const struct clock *c)
{
	atomic_store(&z->clock, c);
}

void zap_set_limits(struct zap *z, const struct zap_limits *l)
{
	give(z, &(struct order){.kind = ORDER_LIMITS, .limits = *l});
}

void zap_expect(struct zap *z, const struct curve_key *key)
{
	give(z, &(struct order){.kind = ORDER_EXPECT, .key = *key});
}

void zap_spoke(struct zap *z, const struct curve_key *key)
{
	give(z, &(struct order){.kind = ORDER_SPOKE, .key = *key});
}

void zap_ended(struct zap *z, const struct curve_key *key)
{
	give(z, &(struct order){.kind = ORDER_ENDED, .key = *key});
}

void zap_kicked(struct zap *z, const struct curve_key *key)
{
	give(z, &(struct order){.kind = ORDER_KICKED, .key = *key});
}

bool zap_next_held(struct zap *z, struct zap_held *ret)
{
	return zmq_recv(z->owner, ret, sizeof *ret, ZMQ_DONTWAIT) == (int)sizeof *ret;
}

void zap_stats(const struct zap *z, struct zap_stats *ret)
{
	*ret = (struct zap_stats){
		.admitted = atomic_load_explicit(&z->admitted, memory_order_relaxed),
		.refused = atomic_load_explicit(&z->refused, memory_order_relaxed),
		.malformed = atomic_load_explicit(&z->malformed, memory_order_relaxed),
	};
	for (size_t i = 0; i < N_ZAP_VERDICTS; i++)
		ret->held[i] = atomic_load_explicit(&z->held[i], memory_order_relaxed);
}
