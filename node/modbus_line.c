/* SPDX-License-Identifier: Apache-2.0 */
/* What passes between the thread and the loop: jobs one way, news the other, both bounded; under one lock,
 * which is never held while something waits for a device. */
#include "node/modbus_line.h"

#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/clock.h"
#include "proto/scope.h"

enum news_kind { NEWS_READ, NEWS_DENIED, NEWS_CONNECTED, NEWS_LOST, NEWS_DONE, NEWS_OVER };
enum { WHY_BYTES = 160, WITHOUT_MEMORY_MS = 1000 };

struct news {
	struct news *next;
	enum news_kind kind;
	const struct modbus_span *span;
	int64_t t_ns;
	struct modbus_job job;
	enum modbus_job_end how;
	char why[WHY_BYTES];
	uint16_t words[]; /* of the span */
};

struct modbus_line {
	struct modbus_line_options opt;
	const struct modbus_map *map;
	uv_thread_t thread;
	uv_async_t async;
	uv_mutex_t lock;
	uv_cond_t changed;

	/* under the lock */
	struct news *first, **last;
	size_t n_news;
	struct modbus_job jobs[MODBUS_JOBS_MAX]; /* ring */
	size_t first_job, n_jobs;
	uint64_t wait_ms; /* said by the loop after NEWS_LOST; UINT64_MAX: not yet */
	bool stop, paused;
	struct news *over; /* the thread's last word, which must not want for memory */

	/* the thread's */
	modbus_t *bus;   /* NULL: not connected */
	int64_t *due_ns; /* monotonic, of each span */
	bool answered;   /* something, since it was connected */
};

static int64_t now_ns(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- The thread: telling ---------------------------------------------------------------------------------
 */

static struct news *news_new(enum news_kind kind, size_t n_words)
{
	struct news *n = calloc(1, sizeof *n + n_words * sizeof n->words[0]);

	if (n)
		n->kind = kind;
	return n;
}

/* Waits while the loop is behind. Without memory there is no news: a poll is lost, the next one comes. */
static void tell(struct modbus_line *l, struct news *n)
{
	if (!n)
		return;
	uv_mutex_lock(&l->lock);
	while (l->n_news >= MODBUS_NEWS_MAX && !l->stop)
		uv_cond_wait(&l->changed, &l->lock);
	*l->last = n;
	l->last = &n->next;
	l->n_news++;
	uv_mutex_unlock(&l->lock);
	uv_async_send(&l->async);
}

static struct news *news_why(enum news_kind kind, const char *why)
{
	struct news *n = news_new(kind, 0);

	if (n)
		snprintf(n->why, sizeof n->why, "%s", why);
	return n;
}

/* ---- The thread: the connection --------------------------------------------------------------------------
 */

/* Until the loop has said how long, that time has passed, or it is over. */
static void wait_to_retry(struct modbus_line *l)
{
	uv_mutex_lock(&l->lock);
	while (l->wait_ms == UINT64_MAX && !l->stop)
		uv_cond_wait(&l->changed, &l->lock);
	const int64_t until_ns = now_ns(CLOCK_MONOTONIC) + (int64_t)l->wait_ms * NS_PER_MS;
	for (int64_t left; !l->stop && (left = until_ns - now_ns(CLOCK_MONOTONIC)) > 0;)
		uv_cond_timedwait(&l->changed, &l->lock, (uint64_t)left);
	uv_mutex_unlock(&l->lock);
}

static void hang_up(struct modbus_line *l)
{
	if (l->bus) {
		modbus_close(l->bus);
		modbus_free(l->bus);
	}
	l->bus = NULL;
}

static void lose(struct modbus_line *l, const char *why)
{
	const bool at_once = l->answered;
	struct news *n = at_once ? NULL : news_why(NEWS_LOST, why);

	hang_up(l);
	l->answered = false;
	if (at_once) /* the line was good: perhaps one device of several is silent */
		return;
	uv_mutex_lock(&l->lock);
	l->wait_ms = n ? UINT64_MAX : WITHOUT_MEMORY_MS;
	uv_mutex_unlock(&l->lock);
	tell(l, n);
	wait_to_retry(l);
}

static bool connect_bus(struct modbus_line *l)
{
	const struct modbus_map *m = l->map;
	char port[16], why[WHY_BYTES];

	snprintf(port, sizeof port, "%d", (int)m->port);
	l->bus = modbus_new_tcp_pi(m->host, port);
	if (l->bus) {
		modbus_set_response_timeout(l->bus, (uint32_t)(m->timeout_ns / NS_PER_S),
					    (uint32_t)(m->timeout_ns % NS_PER_S / 1000));
		if (modbus_connect(l->bus) == 0) {
			tell(l, news_new(NEWS_CONNECTED, 0));
			return true;
		}
	}
	snprintf(why, sizeof why, "%.80s port %d: %s", m->host, (int)m->port, modbus_strerror(errno));
	lose(l, why);
	return false;
}

/* A device's own no leaves the connection as it is. */
static bool is_denial(int code)
{
	return code > MODBUS_ENOBASE && code < MODBUS_ENOBASE + MODBUS_EXCEPTION_MAX;
}

/* ---- The thread: reading and writing ---------------------------------------------------------------------
 */

static int read_bits(modbus_t *bus, const struct modbus_span *s, uint16_t *words)
{
	uint8_t bits[MODBUS_SPAN_BITS];
	const int from = (int)s->address, n = (int)s->n;
	const int r = s->table == MODBUS_COIL ? modbus_read_bits(bus, from, n, bits)
					      : modbus_read_input_bits(bus, from, n, bits);

	for (int i = 0; i < r; i++)
		words[i] = bits[i];
	return r;
}

static int read_words(modbus_t *bus, const struct modbus_span *s, uint16_t *words)
{
	const int from = (int)s->address, n = (int)s->n;

	if (modbus_is_bits(s->table))
		return read_bits(bus, s, words);
	return s->table == MODBUS_HOLDING ? modbus_read_registers(bus, from, n, words)
					  : modbus_read_input_registers(bus, from, n, words);
}

static void deny(struct modbus_line *l, const struct modbus_span *s, const char *why)
{
	struct news *n = news_why(NEWS_DENIED, why);

	if (n)
		n->span = s;
	tell(l, n);
}

static void poll_span(struct modbus_line *l, const struct modbus_span *s)
{
	struct news *n = news_new(NEWS_READ, s->n);

	if (!n)
		return;
	n->span = s;
	modbus_set_slave(l->bus, (int)s->device);
	if (read_words(l->bus, s, n->words) == (int)s->n) {
		n->t_ns = now_ns(CLOCK_REALTIME);
		l->answered = true;
		tell(l, n);
		return;
	}
	const int code = errno;
	free(n);
	l->answered |= is_denial(code);
	deny(l, s, modbus_strerror(code));
	if (!is_denial(code))
		lose(l, modbus_strerror(code));
}

static int write_place(modbus_t *bus, const struct modbus_place *p, const uint16_t *words)
{
	const int address = (int)p->address, n = (int)modbus_size(p);

	modbus_set_slave(bus, (int)p->device);
	if (modbus_is_bits(p->table))
		return modbus_write_bit(bus, address, words[0] != 0);
	return n == 1 ? modbus_write_register(bus, address, words[0])
		      : modbus_write_registers(bus, address, n, words);
}

static void tell_done(struct modbus_line *l, const struct modbus_job *job, enum modbus_job_end how,
		      const char *why)
{
	struct news *n = news_why(NEWS_DONE, why);

	if (n) {
		n->job = *job;
		n->how = how;
	}
	tell(l, n);
}

/* What it writes is read again at once. */
static void hurry(struct modbus_line *l, const struct modbus_job *job)
{
	for (size_t i = 0; i < l->map->n_spans; i++)
		for (size_t k = 0; k < job->n; k++) {
			const struct modbus_place *p = &job->writes[k].place;
			const struct modbus_span *s = &l->map->spans[i];
			if (s->device == p->device && s->table == p->table && p->address >= s->address &&
			    p->address < s->address + s->n)
				l->due_ns[i] = 0;
		}
}

static void do_job(struct modbus_line *l, const struct modbus_job *job)
{
	if (job->refused[0]) {
		tell_done(l, job, MODBUS_NOT_WRITTEN, job->refused);
		return;
	}
	if (job->deadline_ns > 0 && job->deadline_ns <= now_ns(CLOCK_REALTIME)) {
		tell_done(l, job, MODBUS_EXPIRED, "the deadline was over before it could be written");
		return;
	}
	hurry(l, job);
	for (size_t i = 0; i < job->n; i++) {
		if (write_place(l->bus, &job->writes[i].place, job->writes[i].words) >= 0)
			continue;
		const int code = errno;
		tell_done(l, job, MODBUS_NOT_WRITTEN, modbus_strerror(code));
		if (!is_denial(code))
			lose(l, modbus_strerror(code));
		return;
	}
	l->answered = true;
	tell_done(l, job, MODBUS_WRITTEN, "");
}

/* ---- The thread ------------------------------------------------------------------------------------------
 */

static size_t next_span(const struct modbus_line *l)
{
	size_t next = 0;

	for (size_t i = 1; i < l->map->n_spans; i++)
		if (l->due_ns[i] < l->due_ns[next])
			next = i;
	return next;
}

/* 1: a job in *ret_job; 0: the span is due; -1: it is over. */
static int wait_for_work(struct modbus_line *l, int64_t due_ns, struct modbus_job *ret_job)
{
	int r = 0;

	uv_mutex_lock(&l->lock);
	while (!l->stop && l->n_jobs == 0) {
		const int64_t left = due_ns - now_ns(CLOCK_MONOTONIC);
		if (l->paused)
			uv_cond_wait(&l->changed, &l->lock);
		else if (left <= 0)
			break;
		else
			uv_cond_timedwait(&l->changed, &l->lock, (uint64_t)left);
	}
	if (l->stop) {
		r = -1;
	} else if (l->n_jobs > 0) {
		*ret_job = l->jobs[l->first_job];
		l->first_job = (l->first_job + 1) % MODBUS_JOBS_MAX;
		l->n_jobs--;
		r = 1;
	}
	uv_mutex_unlock(&l->lock);
	return r;
}

static bool is_over(struct modbus_line *l)
{
	uv_mutex_lock(&l->lock);
	const bool over = l->stop;
	uv_mutex_unlock(&l->lock);
	return over;
}

static void serve(struct modbus_line *l)
{
	struct modbus_job job;
	const size_t i = next_span(l);
	const struct modbus_span *s = &l->map->spans[i];
	const int r = wait_for_work(l, l->due_ns[i], &job);

	if (r == 1)
		do_job(l, &job);
	if (r != 0)
		return;
	const int64_t now = now_ns(CLOCK_MONOTONIC), next = l->due_ns[i] + s->every_ns;
	l->due_ns[i] = next > now ? next : now + s->every_ns; /* what was missed is not made up for */
	poll_span(l, s);
}

static void run(void *arg)
{
	struct modbus_line *l = arg;

	while (!is_over(l))
		if (l->bus || connect_bus(l))
			serve(l);
	hang_up(l);
	tell(l, MOVE(l->over));
}

/* ---- The loop --------------------------------------------------------------------------------------------
 */

static void line_free(struct modbus_line *l)
{
	for (struct news *n = l->first, *next; n; n = next) {
		next = n->next;
		free(n);
	}
	uv_cond_destroy(&l->changed);
	uv_mutex_destroy(&l->lock);
	free(l->over);
	free(l->due_ns);
	free(l);
}

static void on_closed(uv_handle_t *handle)
{
	struct modbus_line *l = handle->data;
	const struct modbus_line_options opt = l->opt;

	line_free(l);
	if (opt.closed)
		opt.closed(opt.ctx);
}

static void answer_lost(struct modbus_line *l, uint64_t wait_ms)
{
	uv_mutex_lock(&l->lock);
	l->wait_ms = wait_ms;
	uv_cond_broadcast(&l->changed);
	uv_mutex_unlock(&l->lock);
}

static void take(struct modbus_line *l, const struct news *n)
{
	const struct modbus_line_options *o = &l->opt;

	switch (n->kind) {
	case NEWS_READ: o->read(o->ctx, n->span, n->words, n->t_ns); break;
	case NEWS_DENIED: o->denied(o->ctx, n->span, n->why); break;
	case NEWS_CONNECTED: o->connected(o->ctx); break;
	case NEWS_LOST: answer_lost(l, o->lost(o->ctx, n->why)); break;
	case NEWS_DONE: o->done(o->ctx, &n->job, n->how, n->why); break;
	case NEWS_OVER:
		uv_thread_join(&l->thread);
		uv_close((uv_handle_t *)&l->async, on_closed);
		break;
	}
}

static void on_news(uv_async_t *async)
{
	struct modbus_line *l = async->data;

	uv_mutex_lock(&l->lock);
	struct news *n = l->first;
	l->first = NULL;
	l->last = &l->first;
	l->n_news = 0;
	uv_cond_broadcast(&l->changed);
	uv_mutex_unlock(&l->lock);
	for (struct news *next; n; n = next) {
		next = n->next;
		take(l, n);
		free(n);
	}
}

int modbus_line_open(struct modbus_line **ret, uv_loop_t *loop, const struct modbus_line_options *opt)
{
	struct modbus_line *l = calloc(1, sizeof *l);

	if (!l)
		return FAIL(-ENOMEM);
	l->map = opt->map;
	l->last = &l->first;
	uv_mutex_init(&l->lock);
	uv_cond_init(&l->changed);
	l->async.data = l;
	l->over = news_new(NEWS_OVER, 0);
	l->due_ns = calloc(l->map->n_spans, sizeof *l->due_ns);
	if (!l->over || !l->due_ns) {
		line_free(l);
		return FAIL(-ENOMEM);
	}
	int r = uv_async_init(loop, &l->async, on_news);
	if (r < 0) {
		line_free(l);
		return FAIL(r);
	}
	r = uv_thread_create(&l->thread, run, l);
	if (r < 0) {
		uv_close((uv_handle_t *)&l->async, on_closed);
		return FAIL(r);
	}
	l->opt = *opt;
	*ret = l;
	return 0;
}

void modbus_line_close(struct modbus_line *l)
{
	uv_mutex_lock(&l->lock);
	l->stop = true;
	uv_cond_broadcast(&l->changed);
	uv_mutex_unlock(&l->lock);
}

bool modbus_line_write(struct modbus_line *l, const struct modbus_job *job)
{
	uv_mutex_lock(&l->lock);
	const bool room = l->n_jobs < MODBUS_JOBS_MAX;
	if (room)
		l->jobs[(l->first_job + l->n_jobs++) % MODBUS_JOBS_MAX] = *job;
	uv_cond_broadcast(&l->changed);
	uv_mutex_unlock(&l->lock);
	return room;
}

void modbus_line_pause(struct modbus_line *l, bool pause)
{
	uv_mutex_lock(&l->lock);
	l->paused = pause;
	uv_cond_broadcast(&l->changed);
	uv_mutex_unlock(&l->lock);
}
