/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <time.h>
#include <zmq.h>

#include "node/zwatch.h"
#include "tests/lib/must.h"

static void *context, *here, *there;
static uv_loop_t loop;
static struct zwatch watch;
static uv_timer_t timer, giving_up;
static int received, expected, batches;
static bool gave_up;
static uint64_t started_ms;

static void stop(void)
{
	zwatch_close(&watch, NULL);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_close((uv_handle_t *)&giving_up, NULL);
}

static void read_two(struct zwatch *w)
{
	char buf[16];

	batches++;
	gave_up = gave_up || uv_now(&loop) - started_ms > 1000; /* late is lost */
	for (int i = 0; i < 2 && zmq_recv(w->socket, buf, sizeof buf, ZMQ_DONTWAIT) >= 0; i++)
		received++;
	if (received == expected)
		stop();
}

static void give_up(uv_timer_t *t)
{
	(void)t;
	gave_up = true;
	stop();
}

static void set_up(void)
{
	context = zmq_ctx_new();
	here = zmq_socket(context, ZMQ_PAIR);
	there = zmq_socket(context, ZMQ_PAIR);
	zmq_bind(here, "inproc://pair");
	zmq_connect(there, "inproc://pair");
	uv_loop_init(&loop);
	cr_assert(eq(int, zwatch_open(&watch, &loop, here, read_two), 0));
	uv_timer_init(&loop, &timer);
	uv_timer_init(&loop, &giving_up);
	uv_timer_start(&giving_up, give_up, 2000, 0);
	started_ms = uv_now(&loop);
}

static void tear_down(void)
{
	must(uv_loop_close(&loop) == 0); /* no handle left open */
	zmq_close(here);
	zmq_close(there);
	zmq_ctx_term(context);
}

TestSuite(zwatch, .init = set_up, .fini = tear_down, .timeout = 60);

static void send_five(uv_timer_t *t)
{
	(void)t;
	for (int i = 0; i < 5; i++)
		zmq_send(there, "m", 1, 0);
}

Test(zwatch, a_burst_is_read_to_the_end_in_small_batches)
{
	expected = 5;
	uv_timer_start(&timer, send_five, 10, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_expect(not(gave_up));
	cr_expect(eq(int, received, 5));
	cr_expect(ge(int, batches, 3));
}

static void swallow_the_edge(uv_timer_t *t)
{
	const struct timespec pause = {.tv_nsec = 5000000}; /* past libzmq's own throttle */

	(void)t;
	nanosleep(&pause, NULL);
	zmq_send(there, "m", 1, 0);
	nanosleep(&pause, NULL);
	zmq_send(here, "m", 1, ZMQ_DONTWAIT); /* takes the wake-up off the descriptor */
	zwatch_touch(&watch);
}

Test(zwatch, a_send_elsewhere_does_not_lose_a_message)
{
	expected = 1;
	uv_timer_start(&timer, swallow_the_edge, 10, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_expect(not(gave_up));
	cr_expect(eq(int, received, 1));
}

static int rounds;

static void send_one_more(uv_timer_t *t)
{
	zmq_send(there, "m", 1, 0);
	if (++rounds == expected)
		uv_timer_stop(t);
}

Test(zwatch, messages_one_by_one_each_wake_the_loop)
{
	expected = 20;
	uv_timer_start(&timer, send_one_more, 10, 10);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_expect(not(gave_up));
	cr_expect(eq(int, received, 20));
}

static void read_all_and_rest(struct zwatch *w)
{
	char buf[16];

	batches++;
	while (zmq_recv(w->socket, buf, sizeof buf, ZMQ_DONTWAIT) >= 0)
		received++;
	zwatch_rest(w, 30);
	if (received == expected)
		stop();
}

Test(zwatch, who_rests_is_woken_rarely_and_misses_nothing)
{
	expected = 100;
	watch.on_readable = read_all_and_rest;
	uv_timer_start(&timer, send_one_more, 1, 1);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_expect(not(gave_up));
	cr_expect(eq(int, received, 100));
	cr_expect(lt(int, batches, 50));
}

static int passes;

static void count_pass(uv_prepare_t *h)
{
	(void)h;
	passes++;
}

Test(zwatch, an_idle_socket_lets_the_loop_sleep)
{
	uv_prepare_t counter;

	uv_prepare_init(&loop, &counter);
	uv_prepare_start(&counter, count_pass);
	uv_unref((uv_handle_t *)&counter);
	uv_timer_start(&giving_up, give_up, 200, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&counter, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_expect(lt(int, passes, 20));
}

Test(zwatch, something_that_is_no_socket_is_refused)
{
	struct zwatch w = {0};
	int no_socket[64] = {0};

	cr_expect(lt(int, zwatch_open(&w, &loop, no_socket, read_two), 0));
	stop();
	uv_run(&loop, UV_RUN_DEFAULT);
}
