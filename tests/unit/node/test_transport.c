/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions come up, carry frames, break and come back. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include "node/transport_private.h"
#include "tests/unit/node/net.h"

#define ANY_PORT "tcp://127.0.0.1:*"

static struct host a, b; /* a listens, b dials */
static struct roster *both;

static void set_up(void)
{
	net_start();
	host_init(&a, "acme", "a", true, ROLE_OWNER);
	host_init(&b, "acme", "b", true, ROLE_OWNER);
	both = roster_of(&a, &b, NULL);
	net_publish(both);
	cr_assert(eq(int, host_open(&a, both, ANY_PORT, "", NULL), 0));
	cr_assert(eq(int, host_open(&b, both, "", "", NULL), 0));
}

static void tear_down(void)
{
	roster_unref(both);
	host_fini(&a);
	host_fini(&b);
	both = NULL;
	net_stop();
}

TestSuite(transport, .init = set_up, .fini = tear_down, .timeout = 60);

static int dial(void)
{
	return transport_dial(b.t, &a.entry, transport_own_endpoint(a.t));
}

static void meet(void)
{
	const int frames = a.frames, ups = b.ups;

	cr_assert(eq(int, dial(), 0));
	cr_assert(net_until(&b.ups, ups + 1));
	cr_assert(eq(int, transport_send(b.t, b.session, BYTES("hello")), 0));
	cr_assert(net_until(&a.frames, frames + 1));
}

Test(transport, frames_go_both_ways_between_known_nodes)
{
	struct transport_stats s;

	meet();
	cr_expect(eq(int, a.ups, 1));
	cr_expect_str_eq(a.peer, "acme/b");
	cr_expect(not(a.dialled));
	cr_expect_str_eq(b.peer, "acme/a");
	cr_expect(b.dialled);
	cr_expect_str_eq(a.last, "hello");
	cr_expect(eq(int, transport_send(a.t, a.session, BYTES("welcome")), 0));
	cr_expect(net_until(&b.frames, 1));
	cr_expect_str_eq(b.last, "welcome");
	cr_expect_str_eq(transport_link_state(b.t, &a.entry.key), "up");
	transport_stats(a.t, &s);
	cr_expect(eq(u64, s.frames_in, 1));
	cr_expect(eq(u64, s.bytes_in, 5));
	cr_expect(eq(u64, s.frames_out, 1));
	cr_expect(eq(u64, s.bytes_out, 7));
	cr_expect(eq(u64, s.refused_frames, 0));
}

static void say_hello(struct host *h, uint32_t session)
{
	cr_expect(eq(int, transport_send(h->t, session, BYTES("hello at once")), 0));
}

Test(transport, frames_can_be_sent_the_moment_a_session_is_up)
{
	a.on_up = b.on_up = say_hello;
	for (int i = 1; i <= 20; i++) {
		cr_assert(eq(int, dial(), 0));
		cr_assert(net_until(&a.frames, i));
		cr_assert(net_until(&b.frames, i));
		transport_hang_up(b.t, &a.entry.key);
	}
	cr_expect_str_eq(a.last, "hello at once");
}

Test(transport, many_frames_arrive_all_and_in_order)
{
	char text[16];

	meet();
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof text, "%d", i);
		cr_assert(eq(int, transport_send(b.t, b.session, bytes_of_text(text)), 0));
	}
	cr_expect(net_until(&a.frames, 201));
	cr_expect_str_eq(a.last, "199");
	cr_expect(eq(int, a.ups, 1));
}

Test(transport, the_empty_and_the_largest_frame_pass)
{
	uint8_t *frame = calloc(1, FRAME_OWN_MAX + 1);

	meet();
	cr_expect(eq(int, transport_send(b.t, b.session, BYTES("")), 0));
	cr_expect(net_until(&a.frames, 2));
	cr_expect(eq(sz, a.last_len, 0));
	cr_expect(eq(int, transport_send(b.t, b.session, (struct bytes){frame, FRAME_OWN_MAX}), 0));
	cr_expect(net_until(&a.frames, 3));
	cr_expect(eq(sz, a.last_len, FRAME_OWN_MAX));
	cr_expect(
		eq(int, transport_send(b.t, b.session, (struct bytes){frame, FRAME_OWN_MAX + 1}), -EMSGSIZE));
	cr_expect(eq(int, transport_send(b.t, b.session, BYTES("still there")), 0));
	cr_expect(net_until(&a.frames, 4));
	cr_expect(eq(int, a.downs + b.downs, 0));
	free(frame);
}

/* Nothing is sent to it: the end of the connection alone is the news. */
Test(transport, a_session_at_a_port_ends_with_its_connection)
{
	meet();
	const uint32_t first = a.session;

	host_close(&b);
	cr_assert(net_until(&a.downs, 1));
	cr_expect(eq(u32, a.down, first));
	cr_expect(eq(int, a.ups, 1));
	cr_assert(eq(int, host_open(&b, both, "", "", NULL), 0));
	meet();
	cr_expect(eq(int, a.ups, 2));
	cr_expect(eq(int, a.downs, 1));
	cr_expect(eq(int, a.kicks, 0));
}

Test(transport, a_restarted_listener_is_found_again)
{
	char endpoint[64];

	meet();
	snprintf(endpoint, sizeof endpoint, "%s", transport_own_endpoint(a.t));
	host_close(&a);
	cr_assert(net_until(&b.downs, 1));
	cr_expect(eq(u32, b.down, b.session));
	cr_expect(eq(int, transport_send(b.t, b.session, BYTES("x")), ERR_UNREACHABLE));
	for (int i = 0; i < 100 && host_open(&a, both, endpoint, "", NULL) == -EADDRINUSE; i++)
		net_run_ms(10); /* libzmq closes its listener in its own time */
	cr_assert(a.t != NULL);
	cr_assert(net_until(&b.ups, 2));
	cr_expect(ne(u32, b.session, b.down));
	cr_expect(eq(int, transport_send(b.t, b.session, BYTES("again")), 0));
	cr_expect(net_until(&a.ups, 2));
	cr_expect(net_until(&a.frames, 2));
	cr_expect_str_eq(a.last, "again");
}

Test(transport, a_listener_that_starts_later_is_found)
{
	char endpoint[64];

	snprintf(endpoint, sizeof endpoint, "%s", transport_own_endpoint(a.t));
	host_close(&a);
	net_run_ms(50);
	cr_assert(eq(int, transport_dial(b.t, &a.entry, endpoint), 0));
	net_run_ms(100);
	cr_expect(eq(int, b.ups, 0));
	cr_expect_str_eq(transport_link_state(b.t, &a.entry.key), "connecting");
	cr_assert(eq(int, host_open(&a, both, endpoint, "", NULL), 0));
	cr_expect(net_until(&b.ups, 1));
}

Test(transport, a_peer_that_left_is_noticed_when_it_is_sent_to)
{
	meet();
	host_close(&b);
	for (int i = 0; i < 200 && a.downs == 0; i++) {
		ignore(transport_send(a.t, a.session, BYTES("anybody?"))); /* fails as soon as libzmq knows */
		net_run_ms(5);
	}
	cr_expect(eq(int, a.downs, 1));
	cr_expect(eq(u32, a.down, a.session));
	cr_expect(eq(int, transport_send(a.t, a.session, BYTES("x")), ERR_UNREACHABLE));
	net_run_ms(20);
	cr_expect(eq(int, a.downs, 1));
}

Test(transport, on_down_follows_a_failed_send_only_from_the_loop)
{
	uint8_t *frame = calloc(1, FRAME_OWN_MAX);

	meet();
	while (transport_send(a.t, a.session, (struct bytes){frame, FRAME_OWN_MAX}) == 0)
		; /* nobody reads: its queue fills up */
	cr_expect(eq(int, transport_send(a.t, a.session, BYTES("x")), ERR_UNREACHABLE));
	cr_expect(eq(int, a.downs, 0));
	free(frame);
	cr_expect(net_until(&a.downs, 1));
}

Test(transport, a_queue_that_is_full_ends_the_session_and_the_peer_comes_back)
{
	uint8_t *frame = calloc(1, FRAME_OWN_MAX);
	int sent = 0;

	meet();
	while (sent < 1000 && transport_send(a.t, a.session, (struct bytes){frame, FRAME_OWN_MAX}) == 0)
		sent++;
	cr_expect(lt(int, sent, 1000));
	cr_expect(ge(int, sent, 64));
	cr_expect(net_until(&a.downs, 1));
	cr_expect(net_until(&b.downs, 1));
	cr_assert(net_until(&b.ups, 2));
	const int before = b.frames;
	cr_assert(eq(int, transport_send(b.t, b.session, BYTES("back")), 0));
	cr_expect(net_until(&a.ups, 2));
	cr_expect_str_eq(a.last, "back");
	cr_expect(eq(int, b.frames, before)); /* nothing of the old queue comes after the break */
	free(frame);
}

Test(transport, a_closed_link_dials_again_without_on_down)
{
	meet();
	transport_close(b.t, b.session);
	cr_assert(net_until(&b.ups, 2));
	cr_expect(eq(int, b.downs, 0));
	cr_assert(eq(int, transport_send(b.t, b.session, BYTES("again")), 0));
	cr_expect(net_until(&a.ups, 2));
	cr_expect(eq(int, a.downs, 1)); /* the new connection took the old one's place */
}

Test(transport, frames_of_a_closed_port_session_start_a_new_one)
{
	meet();
	const uint32_t old = a.session;
	transport_close(a.t, old);
	cr_expect(eq(int, a.downs, 0));
	cr_expect(eq(int, transport_send(a.t, old, BYTES("x")), ERR_UNREACHABLE));
	cr_assert(eq(int, transport_send(b.t, b.session, BYTES("more")), 0));
	cr_expect(net_until(&a.ups, 2));
	cr_expect(ne(u32, a.session, old));
	cr_expect(eq(int, b.ups, 1));
}

Test(transport, hanging_up_ends_link_and_session)
{
	meet();
	transport_hang_up(b.t, &a.entry.key);
	cr_expect(eq(int, b.downs, 1));
	cr_expect_str_eq(transport_link_state(b.t, &a.entry.key), "");
	net_run_ms(150);
	cr_expect(eq(int, b.ups, 1));
	transport_hang_up(b.t, &a.entry.key);
	cr_expect(eq(int, b.downs, 1));
}

Test(transport, dialling_the_same_again_changes_nothing_another_endpoint_replaces_the_link)
{
	meet();
	cr_expect(eq(int, dial(), 0));
	net_run_ms(50);
	cr_expect(eq(int, b.ups, 1));
	cr_expect(eq(int, b.downs, 0));
	cr_expect(eq(int, transport_dial(b.t, &a.entry, "tcp://127.0.0.1:9"), 0));
	cr_expect(eq(int, b.downs, 1));
	cr_expect_str_eq(transport_link_state(b.t, &a.entry.key), "connecting");
}

Test(transport, a_newer_connection_of_a_key_takes_the_place_of_the_older)
{
	struct host twin = {0};

	meet();
	const uint32_t old = a.session;
	host_init(&twin, "acme", "b", true, ROLE_OWNER);
	curve_pair_free(twin.keys);
	twin.keys = b.keys;
	cr_assert(eq(int, host_open(&twin, both, "", "", NULL), 0));
	cr_assert(eq(int, transport_dial(twin.t, &a.entry, transport_own_endpoint(a.t)), 0));
	cr_assert(net_until(&twin.ups, 1));
	cr_assert(eq(int, transport_send(twin.t, twin.session, BYTES("me too")), 0));
	cr_expect(net_until(&a.ups, 2));
	cr_expect(eq(int, a.downs, 1));
	cr_expect(eq(u32, a.down, old));
	cr_expect(net_until(&b.downs, 1)); /* the older one was cut */
	twin.keys = NULL;
	host_fini(&twin);
}

static void close_everything(struct host *h, uint32_t session)
{
	struct roster *nobody = roster_of(NULL);

	transport_close(h->t, session);
	transport_set_roster(h->t, nobody);
	roster_unref(nobody);
}

Test(transport, callbacks_may_close_what_they_are_called_for)
{
	a.on_frame = close_everything;
	b.on_frame = close_everything;
	meet();
	cr_expect(eq(int, a.frames, 1));
	cr_expect(eq(int, transport_send(b.t, b.session, BYTES("more")), 0));
	net_run_ms(50);
	cr_expect(eq(int, a.frames, 1));
}

static void hang_up(struct host *h, uint32_t session)
{
	(void)session;
	transport_hang_up(h->t, &a.entry.key);
}

Test(transport, a_link_may_be_hung_up_while_it_delivers)
{
	b.on_frame = hang_up;
	meet();
	for (int i = 0; i < 3; i++)
		cr_assert(eq(int, transport_send(a.t, a.session, BYTES("x")), 0));
	cr_expect(net_until(&b.downs, 1));
	net_run_ms(50);
	cr_expect(eq(int, b.frames, 1));
}

Test(transport, links_go_to_tcp_endpoints_only)
{
	static const char *const bad[] = {"",
					  "inproc://zeromq.zap.01",
					  "ipc:///x",
					  "tcp://127.0.0.1:1;127.0.0.1:2",
					  "tcp://127.0.0.1",
					  "tcp://127.0.0.1:notaport",
					  "tipc://{1,1}"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_expect(lt(int, transport_dial(b.t, &a.entry, bad[i]), 0), "%s", bad[i]);
	cr_expect_str_eq(transport_link_state(b.t, &a.entry.key), "");
}

Test(transport, two_nodes_that_dial_each_other_have_a_session_each_way)
{
	struct host c = {0};

	host_init(&c, "acme", "c", true, ROLE_OWNER);
	struct roster *all = roster_of(&a, &b, &c, NULL);
	net_publish(all);
	transport_set_roster(a.t, all);
	cr_assert(eq(int, host_open(&c, all, ANY_PORT, "", NULL), 0));
	cr_assert(eq(int, transport_dial(c.t, &a.entry, transport_own_endpoint(a.t)), 0));
	cr_assert(eq(int, transport_dial(a.t, &c.entry, transport_own_endpoint(c.t)), 0));
	cr_assert(net_until(&c.ups, 1));
	cr_assert(net_until(&a.ups, 1));
	cr_assert(eq(int, transport_send(c.t, c.session, BYTES("1")), 0));
	cr_assert(eq(int, transport_send(a.t, a.session, BYTES("2")), 0));
	cr_expect(net_until(&a.ups, 2));
	cr_expect(net_until(&c.ups, 2));
	cr_expect(eq(int, a.downs + c.downs, 0));
	roster_unref(all);
	host_fini(&c);
}

static const struct transport_limits usual = {.reconnect_ms = 200, .reconnect_max_ms = 3000};

Test(transport, who_only_went_away_is_tried_within_a_second_and_not_by_all_at_once)
{
	for (unsigned failures = 0; failures < 40; failures++) {
		const struct link_wait w = link_wait(&usual, failures, false, true);
		cr_expect(le(u64, w.least_ms + w.spread_ms, 1000));
		cr_expect(ge(u64, w.spread_ms, 500)); /* of a hundred peers one every five milliseconds */
	}
}

Test(transport, who_never_was_there_or_does_not_let_us_in_is_tried_ever_more_rarely)
{
	static const struct {
		unsigned failures;
		bool refused, proven;
		uint64_t least_ms;
	} table[] = {
		{0, false, false, 200},  {1, false, false, 400},   {3, false, false, 1600},
		{4, false, false, 3000}, {99, false, false, 3000}, {0, true, false, 200},
		{5, true, false, 6400},  {99, true, false, 10000}, {99, true, true, 10000},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const struct link_wait w =
			link_wait(&usual, table[i].failures, table[i].refused, table[i].proven);
		cr_expect(eq(u64, w.least_ms, table[i].least_ms), "%zu", i);
		cr_expect(eq(u64, w.spread_ms, table[i].least_ms / 4), "%zu", i);
	}
}
