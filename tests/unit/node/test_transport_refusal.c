/* SPDX-License-Identifier: Apache-2.0 */
/* Who must not come in, and what must not be taken from those who are in. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include "tests/lib/must.h"
#include "tests/unit/node/net.h"
#include "tests/unit/node/rawcurve.h"

#define ANY_PORT "tcp://127.0.0.1:*"

static struct host a, b, stranger; /* a listens; the roster knows a and b */
static struct roster *both, *nobody;

static void set_up(void)
{
	net_start();
	host_init(&a, "acme", "a", true, ROLE_OWNER);
	host_init(&b, "acme", "b", true, ROLE_OWNER);
	host_init(&stranger, "acme", "b", true, ROLE_OWNER);
	both = roster_of(&a, &b, NULL);
	nobody = roster_of(NULL);
	net_publish(both);
	cr_assert(eq(int, host_open(&a, both, ANY_PORT, ANY_PORT, NULL), 0));
}

static void tear_down(void)
{
	roster_unref(both);
	roster_unref(nobody);
	both = nobody = NULL;
	host_fini(&a);
	host_fini(&b);
	host_fini(&stranger);
	net_stop();
}

TestSuite(refusal, .init = set_up, .fini = tear_down, .timeout = 60);

static void dial_from(struct host *h, const char *endpoint)
{
	struct roster *knows_a = roster_of(&a, NULL);

	cr_assert(eq(int, host_open(h, knows_a, "", "", NULL), 0));
	cr_assert(eq(int, transport_dial(h->t, &a.entry, endpoint), 0));
	roster_unref(knows_a);
}

static void meet(void)
{
	dial_from(&b, transport_own_endpoint(a.t));
	cr_assert(net_until(&b.ups, 1));
	cr_assert(eq(int, transport_send(b.t, b.session, BYTES("hello")), 0));
	cr_assert(net_until(&a.ups, 1));
}

static uint64_t refused_frames(void)
{
	struct transport_stats s;

	transport_stats(a.t, &s);
	return s.refused_frames;
}

Test(refusal, a_stranger_is_told_so_and_delivers_nothing)
{
	struct zap_stats before, after;

	zap_stats(net_zap, &before);
	dial_from(&stranger, transport_own_endpoint(a.t));
	cr_expect(net_until_state(&stranger, &a, "refused"));
	net_run_ms(100);
	zap_stats(net_zap, &after);
	cr_expect(eq(int, a.ups, 0));
	cr_expect(eq(int, a.frames, 0));
	cr_expect(eq(int, stranger.ups, 0));
	cr_expect(eq(u64, after.admitted, before.admitted));
	cr_expect(gt(u64, after.refused, before.refused + 1)); /* it tries again */
}

Test(refusal, a_stranger_who_becomes_known_comes_in)
{
	dial_from(&stranger, transport_own_endpoint(a.t));
	cr_expect(net_until_state(&stranger, &a, "refused"));
	struct roster *all = roster_of(&a, &b, &stranger, NULL);
	transport_set_roster(a.t, all);
	net_publish(all);
	roster_unref(all);
	cr_expect(net_until(&stranger.ups, 1));
}

Test(refusal, a_client_without_encryption_is_refused)
{
	void *plain = zmq_socket(net_context, ZMQ_DEALER);

	zmq_setsockopt(plain, ZMQ_LINGER, &(int){0}, sizeof(int));
	zmq_connect(plain, transport_own_endpoint(a.t));
	zmq_send(plain, "hello", 5, 0);
	net_run_ms(200);
	cr_expect(eq(int, a.ups + a.frames, 0));
	cr_expect(eq(u64, refused_frames(), 0));
	zmq_close(plain);
}

Test(refusal, a_change_of_the_roster_cuts_a_live_session_and_bars_the_door)
{
	meet();
	net_publish(nobody);
	transport_set_roster(a.t, nobody);
	cr_expect(eq(int, a.downs, 1));
	cr_expect(eq(u32, a.down, a.session));
	cr_expect(net_until(&b.downs, 1));
	cr_expect(net_until_state(&b, &a, "refused"));
	cr_expect(eq(int, a.ups, 1));
	cr_expect(eq(int, b.ups, 1));
}

Test(refusal, somebody_unknown_to_the_roster_is_not_heard_even_inside)
{
	/* the door keeper still admits what the transport no longer knows: between two publications */
	meet();
	transport_set_roster(a.t, nobody);
	cr_assert(net_until(&b.ups, 2));
	cr_assert(eq(int, transport_send(b.t, b.session, BYTES("let me")), 0));
	cr_expect(net_until(&b.downs, 2));
	cr_expect(eq(int, a.frames, 1));
	cr_expect(eq(u64, refused_frames(), 1));
}

Test(refusal, a_key_that_now_stands_for_somebody_else_starts_anew)
{
	meet();
	snprintf(b.entry.node, sizeof b.entry.node, "renamed");
	struct roster *renamed = roster_of(&a, &b, NULL);
	net_publish(renamed);
	transport_set_roster(a.t, renamed);
	roster_unref(renamed);
	cr_expect(eq(int, a.downs, 1));
	cr_assert(net_until(&b.ups, 2));
	cr_assert(eq(int, transport_send(b.t, b.session, BYTES("me again")), 0));
	cr_expect(net_until(&a.ups, 2));
	cr_expect_str_eq(a.peer, "acme/renamed");
}

static void know(struct host *h)
{
	struct roster *r = roster_of(&a, h, NULL);

	net_publish(r);
	transport_set_roster(a.t, r);
	roster_unref(r);
}

static bool comes_in(struct host *h, const char *endpoint)
{
	const int ups = a.ups;

	know(h);
	dial_from(h, endpoint);
	if (net_until_state(h, &a, "up"))
		must(transport_send(h->t, h->session, BYTES("hello")) == 0);
	else
		cr_expect_str_eq(transport_link_state(h->t, &a.entry.key), "refused");
	net_run_ms(50);
	return a.ups > ups;
}

static bool is_refused(struct host *h, const char *endpoint)
{
	know(h);
	dial_from(h, endpoint);
	bool refused = net_until_state(h, &a, "refused");
	net_run_ms(50);
	return refused && a.ups == 0 && h->ups == 0;
}

Test(refusal, a_foreign_border_node_comes_in_through_the_border_door)
{
	struct host bolt;

	host_init(&bolt, "bolt", "edge", false, ROLE_BORDER);
	cr_expect(comes_in(&bolt, transport_border_endpoint(a.t)));
	cr_expect_str_eq(a.peer, "bolt/edge");
	host_fini(&bolt);
}

Test(refusal, a_foreign_border_node_does_not_come_in_through_the_own_door)
{
	struct host bolt;

	host_init(&bolt, "bolt", "edge", false, ROLE_BORDER);
	cr_expect(is_refused(&bolt, transport_own_endpoint(a.t)));
	host_fini(&bolt);
}

Test(refusal, a_foreign_node_without_the_role_stays_outside)
{
	struct host bolt;

	host_init(&bolt, "bolt", "mill", false, ROLE_OWNER | ROLE_READER | ROLE_ADMIN);
	cr_expect(is_refused(&bolt, transport_border_endpoint(a.t)));
	host_fini(&bolt);
}

Test(refusal, an_own_node_does_not_come_in_through_the_border_door)
{
	b.entry.roles |= ROLE_BORDER;
	cr_expect(is_refused(&b, transport_border_endpoint(a.t)));
}

Test(refusal, losing_the_border_role_ends_the_session)
{
	struct host bolt;

	host_init(&bolt, "bolt", "edge", false, ROLE_BORDER);
	cr_expect(comes_in(&bolt, transport_border_endpoint(a.t)));
	bolt.entry.roles = ROLE_OWNER;
	know(&bolt);
	cr_expect(eq(int, a.downs, 1));
	cr_expect(net_until(&bolt.downs, 1));
	cr_expect(net_until_state(&bolt, &a, "refused"));
	host_fini(&bolt);
}

Test(refusal, a_door_the_handler_leaves_open_too_long_is_closed_by_the_transport)
{
	struct host bolt;

	host_init(&bolt, "bolt", "edge", false, ROLE_BORDER);
	cr_expect(comes_in(&bolt, transport_border_endpoint(a.t)));
	bolt.entry.roles = ROLE_OWNER;
	struct roster *now = roster_of(&a, &bolt, NULL);
	transport_set_roster(a.t, now); /* and the handler still has the old one */
	roster_unref(now);
	cr_assert(net_until(&bolt.ups, 2));
	cr_assert(eq(int, transport_send(bolt.t, bolt.session, BYTES("let me")), 0));
	cr_expect(net_until(&bolt.downs, 2));
	cr_expect(eq(int, a.frames, 1));
	host_fini(&bolt);
}

Test(refusal, a_peer_that_is_not_in_the_own_roster_is_not_talked_to)
{
	know(&b);
	cr_assert(eq(int, host_open(&b, nobody, "", "", NULL), 0));
	cr_assert(eq(int, transport_dial(b.t, &a.entry, transport_own_endpoint(a.t)), 0));
	net_run_ms(200);
	cr_expect(eq(int, b.ups, 0));
	transport_set_roster(b.t, both);
	cr_expect(net_until(&b.ups, 1));
}

static void too_large(const char *endpoint, struct host *from, size_t limit)
{
	const struct transport_limits loose = {.frame_border_max = 4 * FRAME_OWN_MAX,
					       .frame_own_max = 4 * FRAME_OWN_MAX,
					       .reconnect_ms = 20,
					       .reconnect_max_ms = 50};
	uint8_t *frame = calloc(1, limit + 1);
	struct roster *r = roster_of(&a, from, NULL);

	know(from);
	cr_assert(eq(int, host_open(from, r, "", "", &loose), 0));
	cr_assert(eq(int, transport_dial(from->t, &a.entry, endpoint), 0));
	cr_assert(net_until(&from->ups, 1));
	cr_assert(eq(int, transport_send(from->t, from->session, (struct bytes){frame, limit}), 0));
	cr_assert(net_until(&a.frames, 1));
	cr_assert(eq(int, transport_send(from->t, from->session, (struct bytes){frame, limit + 1}), 0));
	cr_expect(net_until(&from->downs, 1));
	cr_expect(eq(int, a.frames, 1));
	free(frame);
	roster_unref(r);
}

Test(refusal, an_oversized_frame_of_an_own_node_breaks_the_connection)
{
	too_large(transport_own_endpoint(a.t), &b, FRAME_OWN_MAX);
}

Test(refusal, an_oversized_frame_of_a_partner_breaks_the_connection)
{
	struct host bolt;

	host_init(&bolt, "bolt", "edge", false, ROLE_BORDER);
	too_large(transport_border_endpoint(a.t), &bolt, FRAME_BORDER_MAX);
	host_fini(&bolt);
}

static enum raw_verdict connect_raw(struct raw *r, const struct host *as, const char *property,
				    struct bytes value)
{
	const struct raw_property p = {property, value};

	return raw_connect(r, transport_own_endpoint(a.t), &a.entry.key, as->keys, &p, 1);
}

Test(refusal, a_frame_of_several_parts_is_dropped_and_its_session_cut)
{
	struct raw r;

	cr_assert(eq(int, connect_raw(&r, &b, "Identity", BYTES("")), RAW_ADMITTED));
	cr_assert(raw_send(&r, BYTES("one"), false));
	cr_assert(net_until(&a.frames, 1));
	cr_assert(raw_send(&r, BYTES("two, "), true));
	cr_assert(raw_send(&r, BYTES("three, "), true));
	cr_assert(raw_send(&r, BYTES("four"), false));
	cr_expect(net_until(&a.downs, 1));
	cr_expect(eq(int, a.frames, 1));
	cr_expect(eq(u64, refused_frames(), 1));
	cr_expect(raw_is_cut(&r));
	raw_close(&r);
}

Test(refusal, a_first_frame_of_several_parts_starts_no_session)
{
	struct raw r;

	cr_assert(eq(int, connect_raw(&r, &b, "Identity", BYTES("")), RAW_ADMITTED));
	cr_assert(raw_send(&r, BYTES("one, "), true));
	cr_assert(raw_send(&r, BYTES("two"), false));
	cr_assert(raw_send(&r, BYTES("three"), false));
	net_run_ms(100);
	cr_expect(eq(int, a.ups + a.frames, 0));
	cr_expect(raw_is_cut(&r));
	raw_close(&r);
}

Test(refusal, a_message_without_end_is_cut_and_the_neighbour_goes_on)
{
	const struct transport_limits tight = {.receive_mark = 2, .frame_own_max = 512 * 1024};
	static uint8_t part[500 * 1024];
	struct raw r;
	int sent = 0;

	host_close(&a);
	cr_assert(eq(int, host_open(&a, both, ANY_PORT, "", &tight), 0));
	struct roster *all = roster_of(&a, &b, &stranger, NULL);
	net_publish(all);
	transport_set_roster(a.t, all);
	roster_unref(all);
	meet();
	cr_assert(eq(int, raw_connect(&r, transport_own_endpoint(a.t), &a.entry.key, stranger.keys, NULL, 0),
		     RAW_ADMITTED));
	/* 9 MiB may wait, the watchdog comes by twice a second; the neighbour sends twice as much */
	while (sent < 200 && raw_send(&r, (struct bytes){part, sizeof part}, true)) {
		for (int i = 0; i < 2; i++)
			cr_assert(eq(int, transport_send(b.t, b.session, (struct bytes){part, sizeof part}),
				     0));
		net_run_ms(10);
		sent++;
	}
	net_run_ms(1100); /* past two more looks of the watchdog */
	cr_expect(lt(int, sent, 150));
	cr_expect(gt(int, sent, 10));
	cr_expect(net_until(&a.frames, 1 + 2 * sent));
	cr_expect(eq(int, a.ups, 1));
	cr_expect(eq(int, a.downs + b.downs, 0));
	raw_close(&r);
}

Test(refusal, a_user_id_of_the_peers_own_making_counts_for_nothing)
{
	char forged[USER_ID_SIZE];
	struct raw r;

	roster_user_id(&a.entry, forged);
	cr_assert(eq(int, connect_raw(&r, &b, "User-Id", bytes_of_text(forged)), RAW_ADMITTED));
	cr_assert(raw_send(&r, BYTES("I am a"), false));
	cr_assert(net_until(&a.ups, 1));
	cr_expect_str_eq(a.peer, "acme/b");
	raw_close(&r);
}

Test(refusal, a_forged_user_id_does_not_open_the_door)
{
	char forged[USER_ID_SIZE];
	struct raw r;

	roster_user_id(&b.entry, forged);
	cr_expect(eq(int, connect_raw(&r, &stranger, "User-Id", bytes_of_text(forged)), RAW_REFUSED));
	raw_close(&r);
	net_run_ms(50);
	cr_expect(eq(int, a.ups, 0));
}

Test(refusal, a_routing_id_longer_than_the_protocol_allows_is_cut)
{
	uint8_t id[3500];
	struct raw r;

	memset(id, 'x', sizeof id);
	cr_assert(eq(int, connect_raw(&r, &b, "Identity", (struct bytes){id, sizeof id}), RAW_ADMITTED));
	cr_assert(raw_send(&r, BYTES("hello"), false));
	net_run_ms(100);
	cr_expect(eq(int, a.ups, 0));
	cr_expect(eq(u64, refused_frames(), 1));
	cr_expect(raw_is_cut(&r));
	raw_close(&r);
}

Test(refusal, any_other_routing_id_is_as_good_as_none)
{
	uint8_t id[255] = {0, 1, 2, 3};
	struct raw r;

	cr_assert(eq(int, connect_raw(&r, &b, "Identity", (struct bytes){id, sizeof id}), RAW_ADMITTED));
	cr_assert(raw_send(&r, BYTES("hello"), false));
	cr_expect(net_until(&a.frames, 1));
	cr_expect_str_eq(a.peer, "acme/b");
	cr_expect(eq(int, transport_send(a.t, a.session, BYTES("welcome")), 0));
	raw_close(&r);
}

Test(refusal, a_routing_id_that_changes_hands_does_not_take_the_session_along)
{
	struct host c;
	struct raw first, second;
	int tries = 0;

	host_init(&c, "acme", "c", true, ROLE_OWNER);
	struct roster *all = roster_of(&a, &b, &c, NULL);
	net_publish(all);
	transport_set_roster(a.t, all);
	cr_assert(eq(int, connect_raw(&first, &b, "Identity", BYTES("me")), RAW_ADMITTED));
	cr_assert(raw_send(&first, BYTES("hello"), false));
	cr_assert(net_until(&a.ups, 1));
	const uint32_t old = a.session;
	raw_close(&first);
	while (a.ups < 2 && tries++ < 50) { /* until libzmq has forgotten the first */
		cr_assert(eq(int, connect_raw(&second, &c, "Identity", BYTES("me")), RAW_ADMITTED));
		cr_assert(raw_send(&second, BYTES("hello, too"), false));
		net_run_ms(50);
		raw_close(&second);
	}
	cr_expect(eq(int, a.ups, 2));
	cr_expect(eq(u32, a.down, old));
	cr_expect(ne(u32, a.session, old));
	cr_expect_str_eq(a.peer, "acme/c");
	roster_unref(all);
	host_fini(&c);
}

static void *context;

static int open_without_net(struct err_note *note)
{
	uv_loop_t loop;
	struct transport *t = NULL;
	SCOPED(scope_curve_pair) struct curve_pair *keys = NULL;

	must(keys_init() == 0 && curve_pair_new(&keys) == 0 && uv_loop_init(&loop) == 0);
	const struct transport_options opt = {.loop = &loop,
					      .zmq_context = context,
					      .keys = keys,
					      .own_endpoint = ANY_PORT,
					      .border_endpoint = ""};
	int r = transport_new(&t, &opt, note);
	uv_run(&loop, UV_RUN_DEFAULT);
	must(uv_loop_close(&loop) == 0);
	return r;
}

static void let_everybody_in(void *socket)
{
	static const char *const answer[] = {"1.0", "1", "200", "OK", "v1:acme/b:00", ""};
	char frame[256];
	int more;

	while (zmq_recv(socket, frame, sizeof frame, 0) >= 0) {
		zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &(size_t){sizeof more});
		for (int i = 0; !more && i < 6; i++)
			zmq_send(socket, answer[i], strlen(answer[i]), i < 5 ? ZMQ_SNDMORE : 0);
	}
	zmq_close(socket);
}

Test(selftest, without_a_handler_nothing_is_opened, .timeout = 60)
{
	struct err_note note = {""};

	context = zmq_ctx_new();
	cr_expect(eq(int, open_without_net(&note), ERR_UNTRUSTED));
	cr_expect(strstr(note.text, "no handler refused a stranger's key") != NULL, "%s", note.text);
	cr_expect(eq(int, zmq_ctx_term(context), 0));
}

Test(selftest, with_a_handler_that_lets_everybody_in_nothing_is_opened, .timeout = 60)
{
	struct err_note note = {""};
	uv_thread_t thread;

	context = zmq_ctx_new();
	void *door = zmq_socket(context, ZMQ_REP);
	zmq_bind(door, "inproc://zeromq.zap.01");
	uv_thread_create(&thread, let_everybody_in, door);
	cr_expect(eq(int, open_without_net(&note), ERR_UNTRUSTED));
	cr_expect(strstr(note.text, "a stranger's key was let in") != NULL, "%s", note.text);
	zmq_ctx_shutdown(context);
	uv_thread_join(&thread);
	cr_expect(eq(int, zmq_ctx_term(context), 0));
}

Test(selftest, a_port_in_use_is_named, .timeout = 60)
{
	struct err_note note = {""};
	struct host x = {0};
	char text[64];

	net_start();
	host_init(&x, "acme", "x", true, ROLE_OWNER);
	cr_assert(eq(int, host_open(&x, NULL, ANY_PORT, "", NULL), 0));
	snprintf(text, sizeof text, "%s", transport_own_endpoint(x.t));
	const struct transport_options opt = {.loop = &net_loop,
					      .zmq_context = net_context,
					      .keys = x.keys,
					      .own_endpoint = ANY_PORT,
					      .border_endpoint = text};
	struct transport *second;
	cr_expect(eq(int, transport_new(&second, &opt, &note), -EADDRINUSE));
	cr_expect(strstr(note.text, text) != NULL);
	host_fini(&x);
	net_stop();
}
