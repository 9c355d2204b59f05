/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tools/fake_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

#include "proto/control.h"
#include "tests/lib/must.h"

enum { PENDING_MAX = 64, POLL_MS = 10 };

struct call {
	uint8_t peer[64];
	size_t peer_len;
	struct control_request request;
};

struct pending {
	struct call call;
	struct buf answer;
};

struct serving {
	struct fake_node *f;
	void *socket;
	struct pending pending[PENDING_MAX];
	size_t n_pending;
};

static enum value_type type_of(const struct fake_node *f, const char *property)
{
	static const struct {
		char letter;
		enum value_type type;
	} types[] = {{'d', VALUE_DOUBLE}, {'i', VALUE_INT64}, {'t', VALUE_TEXT}, {'b', VALUE_BOOL}};

	if (*property != 'x' && f->as_type != VALUE_NONE)
		return f->as_type;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i].letter == *property)
			return types[i].type;
	return VALUE_NONE;
}

static void send_buf(struct serving *s, const struct call *c, const struct buf *b)
{
	zmq_send(s->socket, c->peer, c->peer_len, ZMQ_SNDMORE);
	zmq_send(s->socket, b->data, b->len, 0);
}

static void answer(struct serving *s, const struct call *c, struct control_answer *a)
{
	SCOPED(buf_fini) struct buf b = {0};

	a->id = c->request.id;
	a->last = true;
	a->incarnation = a->incarnation ? a->incarnation : s->f->incarnation;
	control_answer_encode(a, &b);
	if (!s->f->hold || c->request.op != CONTROL_INGEST) {
		send_buf(s, c, &b);
		return;
	}
	must(s->n_pending < PENDING_MAX);
	s->pending[s->n_pending].call = *c;
	s->pending[s->n_pending++].answer = b;
	b = (struct buf){0};
	if (s->n_pending > s->f->most_pending)
		s->f->most_pending = s->n_pending;
}

static void answer_pending(struct serving *s)
{
	for (size_t i = 0; i < s->n_pending; i++) {
		send_buf(s, &s->pending[i].call, &s->pending[i].answer);
		buf_fini(&s->pending[i].answer);
	}
	s->n_pending = 0;
}

/* ---- operations */

static size_t place_of(struct fake_node *f, const char *twin, const char *property)
{
	char name[sizeof f->names[0]] = "";
	size_t i = 0;

	must(snprintf(name, sizeof name, "%s %s", twin, property) < (int)sizeof name);
	/* tests name their twins in order: most often it is the place that the number says */
	const size_t guess = strncmp(twin, "acme/t", 6) == 0 ? strtoul(twin + 6, NULL, 10) : 0;
	if (guess < f->n_names && strcmp(f->names[guess], name) == 0)
		return guess;
	if (guess == f->n_names)
		i = guess;
	while (i < f->n_names && strcmp(f->names[i], name) != 0)
		i++;
	if (i == f->n_names) {
		must(i < FAKE_SERIES_MAX);
		memcpy(f->names[f->n_names++], name, sizeof name);
	}
	return i;
}

static void on_series(struct serving *s, const struct call *c, struct arena *a)
{
	const size_t n = c->request.n_names;
	struct control_answer r = {.n_handles = n, .credit = s->f->credit};

	r.handles = arena_take_array(a, n, sizeof *r.handles);
	r.handle_types = arena_take_array(a, n, sizeof *r.handle_types);
	must(r.handles && r.handle_types);
	s->f->n_series_requests++;
	for (size_t i = 0; i < n; i++) {
		const struct series_name *name = &c->request.names[i];
		r.handle_types[i] = type_of(s->f, name->property);
		if (r.handle_types[i] != VALUE_NONE)
			r.handles[i] = (uint32_t)(s->f->incarnation + 1 +
						  place_of(s->f, name->twin, name->property));
	}
	answer(s, c, &r);
}

static bool was_taken(struct fake_node *f, const struct packed *p)
{
	size_t session = 0;

	while (session < f->n_sessions && f->sessions[session] != p->session)
		session++;
	if (session == f->n_sessions) {
		must(session < 8);
		f->sessions[f->n_sessions++] = p->session;
	}
	for (unsigned i = 0; i < f->n_frames; i++)
		if (f->numbers[i] == p->number)
			return true;
	must(f->n_frames < FAKE_FRAMES_MAX);
	f->numbers[f->n_frames++] = p->number;
	return false;
}

static void keep(struct fake_node *f, uint32_t series, const struct sample *v)
{
	double number = 0;

	if (f->n_samples == f->size) {
		f->size = f->size > 0 ? 2 * f->size : 4096;
		f->samples = realloc(f->samples, f->size * sizeof *f->samples);
		must(f->samples);
	}
	if (!value_number(&v->value, &number))
		number = v->value.type == VALUE_TEXT ? (double)strlen(v->value.text) : NAN;
	f->samples[f->n_samples++] = (struct fake_sample){series, v->t_ns, number};
}

static void take_frame(struct serving *s, const struct packed *p, struct arena *a, struct control_answer *r)
{
	struct fake_node *f = s->f;

	for (uint32_t i = 0; i < p->n; i++) {
		const uint32_t handle = packed_u32(p->series, i),
			       place = handle - (uint32_t)f->incarnation - 1;
		const char *property = place < f->n_names ? strchr(f->names[place], ' ') + 1 : "x";
		struct sample v;
		const char *reason = NULL;
		if (handle == 0 || place >= f->n_names)
			reason = "no series";
		else if (packed_sample(p, i, type_of(f, property), NULL, &v) < 0)
			reason = "wrong value";
		else if (v.value.type == VALUE_DOUBLE && v.value.real < f->refused_below)
			reason = "too small";
		if (!reason) {
			keep(f, place, &v);
			r->n_changed++;
			continue;
		}
		struct refusal *refusal = arena_push(a, &r->refused, &r->n_refused, sizeof *refusal);
		must(refusal);
		*refusal = (struct refusal){0, i, reason};
	}
	memcpy(f->source, p->source.data, p->source.len);
	f->source[p->source.len] = '\0';
}

static void on_ingest(struct serving *s, const struct call *c, struct arena *a)
{
	struct fake_node *f = s->f;
	struct control_answer r = {.credit = f->credit};
	struct packed p;

	must(packed_check(c->request.blob, &p) == 0);
	if (p.incarnation != f->incarnation) {
		f->n_stale++;
		r.code = ERR_REFUSED;
		r.text = "another incarnation";
	} else if (f->fail > 0) {
		f->fail--;
		r.code = f->fail_code;
		r.text = "the disk is full";
	} else if (was_taken(f, &p)) {
		f->n_frames_again++;
	} else {
		take_frame(s, &p, a, &r);
	}
	if (f->mute == 0)
		answer(s, c, &r);
	else
		f->mute--;
}

/* The value of a series is its place. */
static void on_read(struct serving *s, const struct call *c)
{
	SCOPED(packed_writer_fini) struct packed_writer w = {0};
	SCOPED(buf_fini) struct buf b = {0};
	struct control_answer r = {.credit = s->f->credit};

	for (size_t i = 0; i < c->request.n_handles; i++) {
		const uint32_t place = c->request.handles[i] - (uint32_t)s->f->incarnation - 1;
		const char *property = place < s->f->n_names ? strchr(s->f->names[place], ' ') + 1 : "x";
		struct sample v = {.t_ns = 7, .value = {.type = type_of(s->f, property)}, .sigma = NAN};
		if (v.value.type == VALUE_DOUBLE)
			v.value.real = place;
		if (v.value.type == VALUE_TEXT)
			v.value.text = s->f->names[place];
		must(packed_put(&w, c->request.handles[i], &v) == 0);
	}
	must(packed_finish(&w, &(struct packed_id){.incarnation = s->f->incarnation}, &b) == 0);
	r.blob = buf_bytes(&b);
	answer(s, c, &r);
}

static void handle(struct serving *s, struct call *c, zmq_msg_t *frame)
{
	SCOPED(scope_arena) struct arena *a = NULL;

	must(arena_new(&a, SIZE_MAX) == 0);
	must(control_request_decode(a, (struct bytes){zmq_msg_data(frame), zmq_msg_size(frame)},
				    &c->request) == 0);
	pthread_mutex_lock(&s->f->lock);
	if (c->request.op == CONTROL_SERIES)
		on_series(s, c, a);
	else if (c->request.op == CONTROL_INGEST)
		on_ingest(s, c, a);
	else if (c->request.op == CONTROL_READ)
		on_read(s, c);
	pthread_mutex_unlock(&s->f->lock);
}

static bool serve_one(struct serving *s)
{
	struct call c;
	zmq_msg_t frame;
	const int n = zmq_recv(s->socket, c.peer, sizeof c.peer, ZMQ_DONTWAIT);

	if (n < 0)
		return false;
	c.peer_len = (size_t)n;
	zmq_msg_init(&frame);
	zmq_msg_recv(&frame, s->socket, 0);
	handle(s, &c, &frame);
	zmq_msg_close(&frame);
	return true;
}

static void *serve(void *ctx)
{
	struct fake_node *f = ctx;
	struct serving s = {.f = f, .socket = f->socket};

	for (bool stop = false; !stop;) {
		zmq_pollitem_t item = {.socket = s.socket, .events = ZMQ_POLLIN};
		if (zmq_poll(&item, 1, POLL_MS) == 0)
			answer_pending(&s);
		while (serve_one(&s))
			;
		pthread_mutex_lock(&s.f->lock);
		stop = s.f->stop;
		pthread_mutex_unlock(&s.f->lock);
	}
	for (size_t i = 0; i < s.n_pending; i++)
		buf_fini(&s.pending[i].answer);
	return NULL;
}

void fake_node_start(struct fake_node *f)
{
	static const int linger_ms = 1000, server = 1;
	size_t size = sizeof f->endpoint;

	f->stop = false;
	f->zmq = zmq_ctx_new();
	f->socket = zmq_socket(f->zmq, ZMQ_ROUTER);
	zmq_setsockopt(f->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
	if (f->secret) {
		zmq_setsockopt(f->socket, ZMQ_CURVE_SERVER, &server, sizeof server);
		zmq_setsockopt(f->socket, ZMQ_CURVE_SECRETKEY, f->secret, 32);
	}
	must(zmq_bind(f->socket, f->endpoint) == 0);
	must(zmq_getsockopt(f->socket, ZMQ_LAST_ENDPOINT, f->endpoint, &size) == 0);
	pthread_mutex_init(&f->lock, NULL);
	must(pthread_create(&f->thread, NULL, serve, f) == 0); /* the socket is the thread's from here on */
}

void fake_node_stop(struct fake_node *f)
{
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_mutex_unlock(&f->lock);
	must(pthread_join(f->thread, NULL) == 0);
	zmq_close(f->socket);
	zmq_ctx_term(f->zmq);
	pthread_mutex_destroy(&f->lock);
}

void fake_node_fini(struct fake_node *f)
{
	free(f->samples);
	f->samples = NULL;
}
