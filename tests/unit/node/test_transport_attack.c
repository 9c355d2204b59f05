/* SPDX-License-Identifier: Apache-2.0 */
/* What peers with and without a key may try at the ports (SECURITY 10, rows 3 to 17): what is decided by is
 * counts and what must stay so, a good peer's session and messages above all. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/must.h"
#include "tests/unit/node/net.h"
#include "tests/unit/node/rawcurve.h"

#define ANY_PORT "tcp://127.0.0.1:*"

enum { CROWD = 200, FEW = 30 }; /* connections; handshakes, which cost more */

static struct host a, b, c; /* a listens, b is good, c has a key and is not */
static struct roster *all;

static void open_a(const struct transport_limits *l)
{
	host_close(&a);
	cr_assert(eq(int, host_open(&a, all, ANY_PORT, ANY_PORT, l), 0));
}

static void set_up(void)
{
	net_start();
	host_init(&a, "acme", "a", true, ROLE_OWNER);
	host_init(&b, "acme", "b", true, ROLE_OWNER);
	host_init(&c, "bolt", "c", false, ROLE_BORDER);
	all = roster_of(&a, &b, &c, NULL);
	net_publish(all);
	open_a(NULL);
}

static void tear_down(void)
{
	roster_unref(all);
	all = NULL;
	host_fini(&a);
	host_fini(&b);
	host_fini(&c);
	net_stop();
}

TestSuite(attack, .init = set_up, .fini = tear_down, .timeout = 120);

static void b_meets(void)
{
	cr_assert(eq(int, host_open(&b, all, "", "", NULL), 0));
	cr_assert(eq(int, transport_dial(b.t, &a.entry, transport_own_endpoint(a.t)), 0));
	cr_assert(net_until(&b.ups, 1));
	cr_assert(eq(int, transport_send(b.t, b.session, BYTES("hello")), 0));
	cr_assert(net_until(&a.frames, 1));
}

static void b_says(int n)
{
	const int frames = a.frames;

	for (int i = 0; i < n; i++)
		cr_assert(eq(int, transport_send(b.t, b.session, BYTES("still here")), 0));
	cr_assert(net_until(&a.frames, frames + n));
}

static void b_lost_nothing(void)
{
	b_says(10);
	cr_expect(eq(int, b.ups, 1));
	cr_expect(eq(int, b.downs, 0));
}

static enum raw_verdict c_comes(struct raw *r, struct bytes identity)
{
	const struct raw_property p = {"Identity", identity};

	return raw_connect(r, transport_border_endpoint(a.t), &a.entry.key, c.keys, &p, 1);
}

/* ---- Row 3: whoever has no name is nobody ----------------------------------------------------------------
 */

Test(attack, a_frame_without_a_name_is_nobodys)
{
	struct raw r;

	host_close(&a);
	a.apart = true;
	open_a(NULL);
	net_rogue_start("");
	cr_expect(eq(int, raw_connect(&r, transport_own_endpoint(a.t), &a.entry.key, b.keys, NULL, 0),
		     RAW_ADMITTED));
	cr_expect(raw_send(&r, BYTES("trust me"), false));
	cr_expect(net_until(&a.kicks, 1));
	cr_expect_str_eq(a.kicked, "/");
	cr_expect(eq(int, a.ups + a.frames, 0));
	cr_expect(raw_is_cut(&r));
	raw_close(&r);
	net_rogue_stop();
}

/* ---- Row 4: another mechanism ----------------------------------------------------------------------------
 */

Test(attack, other_mechanisms_are_not_spoken)
{
	static const char *const names[] = {"NULL", "PLAIN", "GSSAPI", "curve"};
	uint8_t greeting[64] = {0xff, [9] = 0x7f, 3, 1};
	struct raw r;

	for (size_t i = 0; i < 4; i++) {
		memset(greeting + 12, 0, 20);
		memcpy(greeting + 12, names[i], strlen(names[i]));
		raw_open(&r, transport_own_endpoint(a.t));
		raw_write(&r, (struct bytes){greeting, sizeof greeting});
		raw_write(&r, BYTES("\4\031\5READY\13Socket-Type\0\0\0\6DEALER")); /* cut by then, perhaps */
		raw_write(&r, BYTES("\0\5hello"));
		cr_expect(raw_is_cut(&r), "%s", names[i]);
		raw_close(&r);
	}
	net_run_ms(50);
	cr_expect(eq(int, a.ups + a.frames, 0));
}

/* ---- Row 5: memory before a key is proved ----------------------------------------------------------------
 */

static size_t resident_bytes(void)
{
	unsigned long total, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	must(f && fscanf(f, "%lu %lu", &total, &resident) == 2);
	fclose(f);
	return resident * 4096;
}

Test(attack, a_large_command_announced_before_the_handshake_is_cut_at_once)
{
	const struct transport_limits patient = {.handshake_ms = 60000};
	static const uint8_t announced[] = {6, 0, 0, 0, 0, 0x40, 0, 0, 0}; /* a command of 1 GiB */
	static uint8_t chunk[256 * 1024];
	struct raw r[CROWD];
	int cut = 0;

	open_a(&patient);
	b_meets();
	const size_t before = resident_bytes();
	for (int i = 0; i < CROWD; i++) {
		raw_open(&r[i], transport_border_endpoint(a.t));
		cr_assert(raw_greet(&r[i]));
		raw_write(&r[i], (struct bytes){announced, sizeof announced});
		raw_write(&r[i], (struct bytes){chunk, sizeof chunk});
	}
	for (int i = 0; i < CROWD; i++) {
		if (cut == i) /* the first that is not decides */
			cut += raw_is_cut(&r[i]);
		raw_close(&r[i]);
	}
	cr_expect(eq(int, cut, CROWD));
	cr_expect(lt(sz, resident_bytes(), before + 20 * 1024 * 1024));
	b_lost_nothing();
}

/* ---- Row 6: connections that say nothing -----------------------------------------------------------------
 */

Test(attack, a_crowd_that_says_nothing_is_cut_and_a_good_peer_loses_nothing)
{
	const struct transport_limits quick = {.handshake_ms = 700};
	struct raw r[CROWD];
	int cut = 0;

	open_a(&quick);
	b_meets();
	for (int i = 0; i < CROWD; i++) {
		raw_open(&r[i], i % 2 ? transport_border_endpoint(a.t) : transport_own_endpoint(a.t));
		if (i % 3 == 0)
			cr_assert(raw_greet(&r[i]));
		if (i % 10 == 0)
			b_says(1);
	}
	for (int i = 0; i < CROWD; i++) {
		if (cut == i)
			cut += raw_is_cut(&r[i]);
		raw_close(&r[i]);
	}
	cr_expect(eq(int, cut, CROWD));
	b_lost_nothing();
}

/* ---- Row 8: descriptors -----------------------------------------------------------------------------------
 */

Test(attack, of_a_crowd_only_so_many_may_wait_and_the_descriptors_do_not_run_out)
{
	const struct transport_limits narrow = {.handshake_ms = 60000, .unheard_max = 20};
	struct raw r[CROWD];

	open_a(&narrow);
	b_meets();
	for (int i = 0; i < CROWD; i++) {
		raw_open(&r[i], transport_border_endpoint(a.t));
		if (i % 10 == 0)
			b_says(1);
	}
	cr_expect(net_until(&a.kicks, CROWD - 20));
	cr_expect(eq(int, a.why, KICK_CROWDED));
	cr_expect(raw_is_cut(&r[0]));
	b_lost_nothing();
	for (int i = 0; i < CROWD; i++)
		raw_close(&r[i]);
	net_run_ms(100);
	b_lost_nothing();
}

/* ---- Row 7: handshakes as fast as they come ---------------------------------------------------------------
 */

Test(attack, handshakes_without_end_keep_no_own_node_out)
{
	const struct zap_limits tight = {.key_rate = 60,
					 .key_burst = 20,
					 .address_rate = 1000000,
					 .address_burst = 1000000,
					 .total_rate = 12};
	struct curve_pair *stranger = NULL;
	struct raw r[5], one;
	int in = 0, refused = 0;

	b_meets();
	must(curve_pair_new(&stranger) == 0);
	zap_set_limits(net_zap, &tight);
	for (int i = 0; i < FEW; i++) {
		refused += raw_connect(&one, transport_border_endpoint(a.t), &a.entry.key, stranger, NULL,
				       0) == RAW_REFUSED;
		raw_close(&one);
		if (i % 10 == 0)
			b_says(1);
	}
	for (int i = 0; i < 5; i++)
		in += raw_connect(&r[i], transport_own_endpoint(a.t), &a.entry.key, b.keys, NULL, 0) ==
		      RAW_ADMITTED;
	cr_expect(eq(int, in, 5));
	cr_expect(lt(int, refused, FEW), "the others were not even told");
	b_lost_nothing();
	for (int i = 0; i < 5; i++)
		raw_close(&r[i]);
	curve_pair_free(stranger);
}

/* ---- Rows 10 and 12: routing ids --------------------------------------------------------------------------
 */

Test(attack, whoever_takes_a_name_as_routing_id_first_takes_nothing)
{
	const struct bytes wanted[] = {BYTES("acme/b"), BYTES("b"), {b.entry.key.b, KEY_BYTES}};
	struct raw r[3];

	for (int i = 0; i < 3; i++) { /* at the same port as b */
		const struct raw_property p = {"Identity", wanted[i]};
		struct roster *r_c;
		c.entry.own = true;
		snprintf(c.entry.org, sizeof c.entry.org, "acme");
		r_c = roster_of(&a, &b, &c, NULL);
		net_publish(r_c);
		transport_set_roster(a.t, r_c);
		roster_unref(r_c);
		cr_assert(eq(int,
			     raw_connect(&r[i], transport_own_endpoint(a.t), &a.entry.key, c.keys, &p, 1),
			     RAW_ADMITTED));
	}
	b_meets();
	cr_expect_str_eq(a.peer, "acme/b");
	cr_assert(eq(int, transport_send(a.t, a.session, BYTES("for b alone")), 0));
	cr_expect(net_until(&b.frames, 1));
	cr_expect_str_eq(b.last, "for b alone");
	for (int i = 0; i < 3; i++)
		raw_close(&r[i]);
}

Test(attack, routing_ids_of_the_automatic_kind_are_few_at_a_time_and_seldom)
{
	const struct zap_limits usual = {
		.key_rate = 10, .key_burst = 20, .key_connections = 4, .silent_ms = 3600000};
	uint8_t id[5] = {0};
	struct raw r[FEW];
	int in = 0, churned = 0;

	b_meets();
	zap_set_limits(net_zap, &usual);
	for (int i = 0; i < FEW; i++) {
		randombytes_buf(id + 1, 4);
		in += c_comes(&r[i], (struct bytes){id, sizeof id}) == RAW_ADMITTED;
	}
	cr_expect(eq(int, in, 4));
	for (int i = 0; i < FEW; i++)
		raw_close(&r[i]);
	zap_set_limits(net_zap, &usual); /* begins anew */
	for (int i = 0; i < FEW; i++) {
		const int frames = a.frames;
		const bool came = c_comes(&r[0], BYTES("")) == RAW_ADMITTED;
		if (came && raw_send(&r[0], BYTES("x"), false))
			net_until(&a.frames, frames + 1);
		churned += came;
		raw_close(&r[0]);
		net_run_ms(5);
	}
	cr_expect(ge(int, churned, 4));
	cr_expect(le(int, churned, 25));
	b_lost_nothing();
}

/* ---- Row 14: a frame twice --------------------------------------------------------------------------------
 */

Test(attack, a_frame_that_comes_twice_is_heard_once)
{
	SCOPED(buf_fini) struct buf frame = {0};
	struct raw r;

	cr_assert(eq(int, c_comes(&r, BYTES("")), RAW_ADMITTED));
	raw_message(&r, BYTES("pay 100"), &frame);
	cr_assert(raw_write(&r, buf_bytes(&frame)));
	cr_assert(net_until(&a.frames, 1));
	cr_assert(raw_write(&r, buf_bytes(&frame)));
	cr_expect(raw_is_cut(&r));
	net_run_ms(50);
	cr_expect(eq(int, a.frames, 1));
	raw_close(&r);
}

/* ---- Row 16: a peer that does not read --------------------------------------------------------------------
 */

Test(attack, a_peer_that_does_not_read_is_cut_and_another_loses_nothing)
{
	static uint8_t frame[FRAME_BORDER_MAX];
	struct raw r;
	int sent = 0;

	cr_assert(eq(int, c_comes(&r, BYTES("")), RAW_ADMITTED));
	cr_assert(raw_send(&r, BYTES("hello"), false));
	cr_assert(net_until(&a.frames, 1));
	const uint32_t slow = a.session;
	const size_t before = resident_bytes();
	while (sent < 1500 && transport_send(a.t, slow, (struct bytes){frame, sizeof frame}) == 0)
		sent++;
	cr_expect(lt(int, sent, 1500));
	cr_expect(lt(sz, resident_bytes(), before + 64 * 1024 * 1024));
	cr_expect(net_until(&a.downs, 1));
	cr_expect(eq(u32, a.down, slow));
	a.frames = 0;
	b_meets();
	b_lost_nothing();
	raw_close(&r);
}

/* ---- Row 17: a recording, and later the keys
 * --------------------------------------------------------------- */

static bool opens(struct bytes frame, const uint8_t *public, const uint8_t *secret)
{
	static const size_t head = 2 + 8; /* flags, length; "\7MESSAGE" */
	uint8_t nonce[24] = "CurveZMQMESSAGEC", plain[256];

	memcpy(nonce + 16, frame.data + head, 8);
	return crypto_box_open_easy(plain, frame.data + head + 8, frame.len - head - 8, nonce, public,
				    secret) == 0;
}

Test(attack, a_recording_does_not_open_with_the_long_term_keys)
{
	SCOPED(buf_fini) struct buf frame = {0};
	struct raw r, other;

	cr_assert(eq(int, c_comes(&r, BYTES("")), RAW_ADMITTED));
	raw_message(&r, BYTES("the recipe"), &frame);
	cr_assert(raw_write(&r, buf_bytes(&frame)));
	cr_expect(net_until(&a.frames, 1));
	const uint8_t *publics[] = {a.entry.key.b, c.entry.key.b, r.server_short.b, r.own_short};
	const uint8_t *secrets[] = {curve_pair_secret(a.keys), curve_pair_secret(c.keys)};
	for (int p = 0; p < 4; p++)
		for (int s = 0; s < 2; s++)
			cr_expect(not(opens(buf_bytes(&frame), publics[p], secrets[s])), "%d %d", p, s);
	cr_expect(opens(buf_bytes(&frame), r.server_short.b, r.secret_short),
		  "or none of this proves anything");
	cr_assert(eq(int, c_comes(&other, BYTES("")), RAW_ADMITTED));
	cr_expect(ne(int, memcmp(other.server_short.b, r.server_short.b, KEY_BYTES), 0));
	raw_close(&r);
	raw_close(&other);
}
