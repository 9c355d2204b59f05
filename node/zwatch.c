/* SPDX-License-Identifier: Apache-2.0 */
#include "node/zwatch.h"

#include <zmq.h>

/* A plain "no" ends the questions until the descriptor shows news again: the query itself has taken in all
 * that was there, so whatever comes later is signalled. */
static bool readable(struct zwatch *w)
{
	int events = 0;
	size_t size = sizeof events;

	if (!w->touched)
		return false;
	/* On error say yes: the reader will meet the same error and deal with it. */
	w->touched = zmq_getsockopt(w->socket, ZMQ_EVENTS, &events, &size) != 0 || (events & ZMQ_POLLIN);
	return w->touched;
}

static void on_wake(uv_poll_t *h, int status, int events)
{
	struct zwatch *w = h->data;

	(void)status, (void)events;
	w->touched = true;
}

static void on_idle(uv_idle_t *h)
{
	(void)h; /* its existence keeps the loop from sleeping */
}

static void before_sleep(uv_prepare_t *h)
{
	struct zwatch *w = h->data;

	if (readable(w))
		uv_idle_start(&w->stay_awake, on_idle);
}

static void after_sleep(uv_check_t *h)
{
	struct zwatch *w = h->data;

	uv_idle_stop(&w->stay_awake);
	if (readable(w))
		w->on_readable(w);
}

int zwatch_open(struct zwatch *w, uv_loop_t *loop, void *socket, zwatch_fn *on_readable)
{
	int fd = -1;
	size_t size = sizeof fd;

	if (zmq_getsockopt(socket, ZMQ_FD, &fd, &size) != 0)
		return FAIL(-zmq_errno());
	*w = (struct zwatch){.data = w->data, .socket = socket, .on_readable = on_readable, .touched = true};
	int r = uv_poll_init(loop, &w->wake, fd); /* the only step that can fail, so it comes first */
	if (r < 0)
		return FAIL(r);
	uv_prepare_init(loop, &w->before_sleep);
	uv_check_init(loop, &w->after_sleep);
	uv_idle_init(loop, &w->stay_awake);
	uv_timer_init(loop, &w->rest);
	w->handles_open = 5;
	w->wake.data = w->before_sleep.data = w->after_sleep.data = w->stay_awake.data = w->rest.data = w;

	uv_poll_start(&w->wake, UV_READABLE, on_wake);
	uv_prepare_start(&w->before_sleep, before_sleep);
	uv_check_start(&w->after_sleep, after_sleep);
	return 0;
}

void zwatch_touch(struct zwatch *w)
{
	w->touched = true;
}

static void on_rested(uv_timer_t *h)
{
	struct zwatch *w = h->data;

	uv_poll_start(&w->wake, UV_READABLE, on_wake);
	w->touched = true;
}

void zwatch_rest(struct zwatch *w, unsigned ms)
{
	uv_poll_stop(&w->wake);
	w->touched = false;
	uv_timer_start(&w->rest, on_rested, ms, 0);
}

static void on_handle_closed(uv_handle_t *h)
{
	struct zwatch *w = h->data;

	if (--w->handles_open == 0 && w->on_closed)
		w->on_closed(w);
}

void zwatch_close(struct zwatch *w, zwatch_fn *on_closed)
{
	w->on_closed = on_closed;
	uv_close((uv_handle_t *)&w->wake, on_handle_closed);
	uv_close((uv_handle_t *)&w->before_sleep, on_handle_closed);
	uv_close((uv_handle_t *)&w->after_sleep, on_handle_closed);
	uv_close((uv_handle_t *)&w->stay_awake, on_handle_closed);
	uv_close((uv_handle_t *)&w->rest, on_handle_closed);
}
