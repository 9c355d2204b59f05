/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that are cut: why, who is named, and what it means for the next one. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/must.h"
#include "tests/unit/node/net.h"
#include "tests/unit/node/rawcurve.h"

#define ANY_PORT "tcp://127.0.0.1:*"

static struct host a, b, c; /* a listens */
static struct roster *all, *without_b;

static void set_up(void)
{
	const struct transport_limits quick = {
		.handshake_ms = 500, .silent_ms = 500, .receive_mark = 2, .reconnect_ms = 20};

	net_start();
	host_init(&a, "acme", "a", true, ROLE_OWNER);
	host_init(&b, "acme", "b", true, ROLE_OWNER);
	host_init(&c, "bolt", "c", false, ROLE_BORDER);
	all = roster_of(&a, &b, &c, NULL);
	without_b = roster_of(&a, &c, NULL);
	net_publish(all);
	cr_assert(eq(int, host_open(&a, all, ANY_PORT, ANY_PORT, &quick), 0));
}

static void tear_down(void)
{
	roster_unref(all);
	roster_unref(without_b);
	all = without_b = NULL;
	host_fini(&a);
	host_fini(&b);
	host_fini(&c);
	net_stop();
}

TestSuite(kick, .init = set_up, .fini = tear_down, .timeout = 60);

static void come_in(struct raw *r, const struct host *as)
{
	const char *endpoint = as->entry.own ? transport_own_endpoint(a.t) : transport_border_endpoint(a.t);

	cr_assert(eq(int, raw_connect(r, endpoint, &a.entry.key, as->keys, NULL, 0), RAW_ADMITTED));
}

static void speak(struct raw *r)
{
	const int frames = a.frames;

	cr_assert(raw_send(r, BYTES("hello"), false));
	cr_assert(net_until(&a.frames, frames + 1));
}

static void kicked_for(const char *who, enum transport_kick why)
{
	cr_assert(net_until(&a.kicks, 1));
	net_run_ms(50);
	cr_expect(eq(int, a.kicks, 1));
	cr_expect(eq(int, a.why, why), "%s", transport_kick_text(a.why));
	cr_expect_str_eq(a.kicked, who);
}

static uint64_t kicks_of(const struct host *h)
{
	enum transport_kick last;

	return transport_kicks(a.t, &h->entry.key, &last);
}

Test(kick, frames_of_several_parts)
{
	struct raw r;

	come_in(&r, &c);
	speak(&r);
	raw_send(&r, BYTES("one"), true);
	raw_send(&r, BYTES("two"), false);
	kicked_for("bolt/c", KICK_PARTS);
	cr_expect(raw_is_cut(&r));
	cr_expect(eq(u64, kicks_of(&c), 1));
	cr_expect(eq(u64, kicks_of(&b), 0));
	raw_close(&r);
}

Test(kick, frames_of_several_parts_at_once)
{
	struct raw r;

	come_in(&r, &c);
	raw_send(&r, BYTES("one"), true);
	raw_send(&r, BYTES("two"), false);
	kicked_for("bolt/c", KICK_PARTS);
	cr_expect(eq(u64, kicks_of(&c), 1));
	raw_close(&r);
}

Test(kick, who_is_not_admitted_any_more)
{
	struct raw r;

	come_in(&r, &b);
	speak(&r);
	net_publish(without_b);
	transport_set_roster(a.t, without_b);
	kicked_for("acme/b", KICK_REVOKED);
	cr_expect(raw_is_cut(&r));
	raw_close(&r);
}

Test(kick, who_came_in_and_says_nothing)
{
	struct raw silent, talker;

	come_in(&talker, &b);
	speak(&talker);
	come_in(&silent, &b);
	kicked_for("/", KICK_SILENT);
	cr_expect(raw_is_cut(&silent));
	net_run_ms(1200);
	speak(&talker); /* silent since, but known */
	cr_expect(eq(int, a.kicks, 1));
	raw_close(&silent);
	raw_close(&talker);
}

Test(kick, a_third_frame_that_makes_no_sense)
{
	struct raw r;

	come_in(&r, &b);
	for (int i = 1; i <= 3; i++) {
		cr_expect(eq(int, a.kicks, 0));
		speak(&r);
		transport_malformed(a.t, a.session);
	}
	kicked_for("acme/b", KICK_MALFORMED);
	cr_expect(eq(int, a.ups, 3), "the first two ended the session only");
	cr_expect(raw_is_cut(&r));
	raw_close(&r);
}

Test(kick, who_does_not_read)
{
	uint8_t *frame = calloc(1, FRAME_OWN_MAX);
	struct raw r;
	int sent = 0;

	come_in(&r, &b);
	speak(&r);
	while (sent < 1000 && transport_send(a.t, a.session, (struct bytes){frame, FRAME_OWN_MAX}) == 0)
		sent++;
	cr_expect(lt(int, sent, 1000));
	kicked_for("acme/b", KICK_SLOW);
	raw_close(&r);
	free(frame);
}

Test(kick, who_left_was_not_kicked)
{
	struct raw r;

	come_in(&r, &b);
	speak(&r);
	raw_close(&r);
	for (int i = 0; i < 200 && a.downs == 0; i++) {
		ignore(transport_send(a.t, a.session, BYTES("anybody?"))); /* until libzmq knows */
		net_run_ms(5);
	}
	cr_expect(eq(int, a.downs, 1));
	cr_expect(eq(int, a.kicks, 0));
}

Test(kick, whoever_said_nothing_is_shed_when_there_is_no_room)
{
	struct raw r, idle;

	come_in(&r, &b);
	speak(&r);
	raw_open(&idle, transport_border_endpoint(a.t));
	net_run_ms(100);
	cr_expect(eq(sz, transport_shed(a.t), 1));
	kicked_for("/", KICK_CROWDED);
	cr_expect(raw_is_cut(&idle));
	speak(&r);
	cr_expect(eq(sz, transport_shed(a.t), 0));
	raw_close(&idle);
	raw_close(&r);
}

static const struct zap_limits two = {
	.key_rate = 600, .key_burst = 100, .key_connections = 2, .silent_ms = 3600000};

static enum raw_verdict knock(struct raw *r, const struct host *as)
{
	return raw_connect(r, transport_own_endpoint(a.t), &a.entry.key, as->keys, NULL, 0);
}

Test(kick, the_door_counts_connections_that_live)
{
	struct raw r[3], refused;

	zap_set_limits(net_zap, &two);
	for (int i = 0; i < 10; i++) { /* one after the other: each that ends makes room */
		come_in(&r[0], &b);
		speak(&r[0]);
		raw_close(&r[0]);
		net_run_ms(50);
	}
	come_in(&r[0], &b);
	speak(&r[0]);
	come_in(&r[1], &b); /* silent */
	cr_expect(eq(int, knock(&refused, &b), RAW_CUT));
	raw_close(&refused);
	raw_close(&r[0]);
	raw_close(&r[1]);
}

Test(kick, a_kicked_key_waits_and_others_do_not)
{
	const struct zap_limits slow = {.key_rate = 1, .key_burst = 6};
	struct raw r, again;

	zap_set_limits(net_zap, &slow);
	come_in(&r, &b);
	speak(&r);
	raw_send(&r, BYTES("one"), true);
	raw_send(&r, BYTES("two"), false);
	kicked_for("acme/b", KICK_PARTS);
	cr_expect(eq(int, knock(&again, &b), RAW_CUT));
	raw_close(&again);
	come_in(&again, &c);
	raw_close(&again);
	raw_close(&r);
}

static void say_hello(struct host *h, uint32_t session)
{
	cr_expect(eq(int, transport_send(h->t, session, BYTES("hello")), 0));
}

Test(kick, a_session_as_old_as_one_may_get_begins_anew)
{
	const struct transport_limits brief = {.reconnect_ms = 20, .session_ms = 1000};

	b.on_up = say_hello;
	cr_assert(eq(int, host_open(&b, all, "", "", &brief), 0));
	cr_assert(eq(int, transport_dial(b.t, &a.entry, transport_own_endpoint(a.t)), 0));
	cr_expect(net_until(&b.ups, 3));
	cr_expect(eq(int, b.downs, b.ups - 1));
	cr_expect(eq(int, a.kicks + b.kicks, 0));
}
