/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of the door, with the clock in the test's hand. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "node/zap_limit.h"
#include "security/keys.h"
#include "tests/lib/must.h"

enum { MINUTE_MS = 60000 };

/* The defaults of holon.conf(5). */
static const struct zap_limits usual = {.key_rate = 10,
					.key_burst = 20,
					.address_rate = 60,
					.address_burst = 120,
					.org_rate = 120,
					.org_burst = 240,
					.total_rate = 500,
					.key_connections = 4,
					.org_connections = 16,
					.silent_ms = 20000};
static struct zap_limiter *limiter;
static int64_t now_ms;

static void set_up(void)
{
	must(keys_init() == 0);
	now_ms = 1000000;
	must(zap_limiter_new(&limiter, &usual) == 0);
}

static void tear_down(void)
{
	zap_limiter_free(limiter);
	limiter = NULL;
}

TestSuite(zap_limit, .init = set_up, .fini = tear_down);

static struct roster_entry node(const char *org, bool own, uint32_t number)
{
	struct roster_entry e = {.own = own, .roles = ROLE_BORDER};

	snprintf(e.org, sizeof e.org, "%s", org);
	snprintf(e.node, sizeof e.node, "n%u", number);
	memcpy(e.key.b, &number, sizeof number);
	memcpy(e.key.b + 8, org, strlen(org) < 20 ? strlen(org) : 20);
	return e;
}

static enum zap_verdict ask_from(const struct roster_entry *e, const char *address)
{
	const struct zap_caller who = {.entry = e, .address = bytes_of_text(address)};

	return zap_limiter_ask(limiter, &who, now_ms);
}

static enum zap_verdict ask(const struct roster_entry *e)
{
	return ask_from(e, "192.0.2.7");
}

/* It comes in, says something, and leaves. */
static enum zap_verdict visit_from(const struct roster_entry *e, const char *address)
{
	const enum zap_verdict v = ask_from(e, address);

	if (v == ZAP_WELCOME) {
		zap_limiter_spoke(limiter, &e->key, now_ms);
		zap_limiter_ended(limiter, &e->key, now_ms);
	}
	return v;
}

static enum zap_verdict visit(const struct roster_entry *e)
{
	return visit_from(e, "192.0.2.7");
}

static int visits(const struct roster_entry *e, int n)
{
	int welcome = 0;

	for (int i = 0; i < n; i++)
		welcome += visit(e) == ZAP_WELCOME;
	return welcome;
}

Test(zap_limit, a_key_comes_in_so_often_and_then_at_its_rate)
{
	const struct roster_entry e = node("acme", true, 1);

	cr_expect(eq(int, visits(&e, 100), 20));
	cr_expect(eq(int, visit(&e), ZAP_OVER_KEY));
	now_ms += MINUTE_MS / 10 - 1;
	cr_expect(eq(int, visit(&e), ZAP_OVER_KEY));
	now_ms += 1;
	cr_expect(eq(int, visits(&e, 100), 1));
	now_ms += MINUTE_MS;
	cr_expect(eq(int, visits(&e, 100), 10));
	now_ms += 60 * MINUTE_MS;
	cr_expect(eq(int, visits(&e, 100), 20));
}

Test(zap_limit, trying_in_vain_costs_nothing)
{
	const struct roster_entry e = node("acme", true, 1);

	visits(&e, 20);
	for (int i = 0; i < 1000; i++) {
		now_ms += 6;
		visit(&e);
	}
	now_ms += MINUTE_MS / 10;
	cr_expect(eq(int, visit(&e), ZAP_WELCOME));
}

Test(zap_limit, a_key_in_the_act_does_not_slow_another)
{
	const struct roster_entry e = node("acme", true, 1), other = node("acme", true, 2);

	visits(&e, 100);
	cr_expect(eq(int, visit(&other), ZAP_WELCOME));
}

Test(zap_limit, a_site_of_200_own_nodes_behind_one_address_comes_back_at_once)
{
	int welcome = 0;

	for (int again = 0; again < 2; again++, now_ms += 1000)
		for (uint32_t i = 0; i < 200; i++) {
			const struct roster_entry e = node("acme", true, i);
			welcome += ask(&e) == ZAP_WELCOME;
			zap_limiter_spoke(limiter, &e.key, now_ms);
		}
	cr_expect(eq(int, welcome, 400));
}

Test(zap_limit, a_node_restarted_ten_times_a_minute_comes_in_each_time)
{
	const struct roster_entry own = node("acme", true, 1), partner = node("bolt", false, 2);

	for (int i = 0; i < 60; i++, now_ms += MINUTE_MS / 10) {
		cr_expect(eq(int, visit(&own), ZAP_WELCOME), "%d", i);
		cr_expect(eq(int, visit(&partner), ZAP_WELCOME), "%d", i);
	}
}

Test(zap_limit, a_key_has_so_many_connections_at_once)
{
	const struct roster_entry e = node("acme", true, 1);

	for (int i = 0; i < 4; i++)
		cr_expect(eq(int, ask(&e), ZAP_WELCOME));
	cr_expect(eq(int, ask(&e), ZAP_OVER_KEY_CONNECTIONS));
	for (int i = 0; i < 4; i++)
		zap_limiter_spoke(limiter, &e.key, now_ms);
	now_ms += MINUTE_MS;
	cr_expect(eq(int, ask(&e), ZAP_OVER_KEY_CONNECTIONS), "however long they last");
	zap_limiter_ended(limiter, &e.key, now_ms);
	cr_expect(eq(int, ask(&e), ZAP_WELCOME));
	cr_expect(eq(int, ask(&e), ZAP_OVER_KEY_CONNECTIONS));
}

Test(zap_limit, who_never_spoke_counts_until_he_was_cut_for_it)
{
	const struct roster_entry e = node("acme", true, 1);

	for (int i = 0; i < 4; i++)
		ask(&e);
	now_ms += usual.silent_ms - 1;
	cr_expect(eq(int, ask(&e), ZAP_OVER_KEY_CONNECTIONS));
	now_ms += usual.silent_ms + 1;
	cr_expect(eq(int, ask(&e), ZAP_WELCOME));
}

Test(zap_limit, more_ends_than_beginnings_give_no_credit)
{
	const struct roster_entry e = node("bolt", false, 1);
	int welcome = 0;

	ask(&e);
	for (int i = 0; i < 100; i++)
		zap_limiter_ended(limiter, &e.key, now_ms);
	for (int i = 0; i < 10; i++)
		welcome += ask(&e) == ZAP_WELCOME;
	cr_expect(eq(int, welcome, 3));
}

Test(zap_limit, an_organisation_has_so_many_connections_whatever_its_keys)
{
	int welcome = 0;

	for (uint32_t i = 0; i < 100; i++) {
		const struct roster_entry e = node("bolt", false, i);
		welcome += ask(&e) == ZAP_WELCOME;
	}
	cr_expect(eq(int, welcome, 16));
	const struct roster_entry one_more = node("bolt", false, 1000), other = node("cyan", false, 1);
	cr_expect(eq(int, ask(&one_more), ZAP_OVER_ORG_CONNECTIONS));
	cr_expect(eq(int, ask(&other), ZAP_WELCOME));
}

/* SECURITY 10, row 30. */
Test(zap_limit, a_thousand_keys_of_one_organisation_leave_the_others_their_share)
{
	const struct roster_entry own = node("acme", true, 1), other = node("cyan", false, 1);
	char address[32];
	int sybils = 0, own_in = 0, other_in = 0;

	for (int second = 0; second < 60; second++, now_ms += 1000) {
		for (uint32_t i = 0; i < 1000; i++) {
			const struct roster_entry e = node("bolt", false, i);
			snprintf(address, sizeof address, "10.1.%u.%u", i / 250, i % 250);
			sybils += visit_from(&e, address) == ZAP_WELCOME;
		}
		if (second % 6 == 0) {
			own_in += visit(&own) == ZAP_WELCOME;
			other_in += visit(&other) == ZAP_WELCOME;
		}
	}
	cr_expect(le(int, sybils, 240 + 120));
	cr_expect(eq(int, own_in, 10));
	cr_expect(eq(int, other_in, 10));
}

Test(zap_limit, strangers_at_an_address_are_limited_and_do_not_lock_out_a_partner_behind_it)
{
	const struct roster_entry partner = node("bolt", false, 1);
	int answered = 0;

	for (int i = 0; i < 200; i++)
		answered += ask(NULL) == ZAP_WELCOME;
	cr_expect(eq(int, answered, 120));
	cr_expect(eq(int, ask(NULL), ZAP_OVER_ADDRESS));
	cr_expect(eq(int, ask_from(NULL, "192.0.2.8"), ZAP_WELCOME));
	cr_expect(eq(int, visit(&partner), ZAP_WELCOME));
	now_ms += 1000;
	cr_expect(eq(int, ask(NULL), ZAP_WELCOME));
	cr_expect(eq(int, ask(NULL), ZAP_OVER_ADDRESS));
}

Test(zap_limit, an_address_of_the_new_kind_stands_for_its_network)
{
	char address[64];
	int answered = 0;

	for (int i = 0; i < 200; i++) {
		snprintf(address, sizeof address, "2001:db8:0:1::%x", i);
		answered += ask_from(NULL, address) == ZAP_WELCOME;
	}
	cr_expect(eq(int, answered, 120));
	cr_expect(eq(int, ask_from(NULL, "2001:db8:0:2::1"), ZAP_WELCOME));
	for (int i = 0; i < 120; i++)
		ask_from(NULL, "198.51.100.1");
	cr_expect(eq(int, ask_from(NULL, "::ffff:198.51.100.1"), ZAP_OVER_ADDRESS),
		  "written the old way, too");
	cr_expect(eq(int, ask_from(NULL, "::ffff:198.51.100.2"), ZAP_WELCOME));
}

static int flood(uint32_t from, uint32_t n)
{
	char address[64];
	int answered = 0;

	for (uint32_t i = from; i < from + n; i++) {
		snprintf(address, sizeof address, "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
		answered += ask_from(NULL, address) == ZAP_WELCOME;
	}
	return answered;
}

Test(zap_limit, a_flood_from_everywhere_leaves_known_nodes_their_part_of_the_total)
{
	int own_in = 0, partners_in = 0;

	cr_expect(eq(int, flood(0, 10000), 250));
	for (uint32_t i = 0; i < 300; i++) {
		const struct roster_entry partner = node(i % 2 ? "bolt" : "cyan", false, i);
		partners_in += visit(&partner) == ZAP_WELCOME;
	}
	cr_expect(eq(int, partners_in, 125));
	flood(0, 1000);
	for (uint32_t i = 0; i < 125; i++) {
		const struct roster_entry own = node("acme", true, i);
		own_in += ask(&own) == ZAP_WELCOME;
	}
	cr_expect(eq(int, own_in, 125));
	cr_expect(eq(int, flood(20000, 10), 0));
}

static void without_total(void)
{
	struct zap_limits wide = usual;

	zap_limiter_free(limiter);
	wide.total_rate = 0;
	must(zap_limiter_new(&limiter, &wide) == 0);
}

Test(zap_limit, nobody_gets_a_fresh_bucket_by_crowding)
{
	const struct roster_entry e = node("acme", true, 1);

	without_total();
	visits(&e, 20);
	for (int i = 0; i < 120; i++)
		ask_from(NULL, "203.0.113.9");
	now_ms += 100;
	for (uint32_t i = 0; i < 20; i++, now_ms += 10) /* 20 times more addresses and keys than rows */
		flood(i * 4096, 4096);
	for (uint32_t i = 100; i < 9000; i++) {
		const struct roster_entry own = node("acme", true, i);
		visit(&own);
	}
	cr_expect(eq(int, visit(&e), ZAP_OVER_KEY));
	now_ms += 100;
	cr_expect(eq(int, ask_from(NULL, "203.0.113.9"), ZAP_OVER_ADDRESS));
}

Test(zap_limit, who_finds_no_room_shares_with_his_like)
{
	int answered = 0;

	without_total();
	for (int again = 0; again < 3; again++)
		answered += flood(0, 50000);
	cr_expect(ge(int, answered, 3 * 4000));
	cr_expect(le(int, answered, 3 * 4096 + 120));
}

Test(zap_limit, a_kick_makes_the_key_wait_and_not_for_ever)
{
	const struct roster_entry e = node("bolt", false, 1), other = node("bolt", false, 2);

	cr_expect(eq(int, visit(&e), ZAP_WELCOME));
	zap_limiter_kicked(limiter, &e.key, now_ms);
	cr_expect(eq(int, visits(&e, 100), 14));
	for (int i = 0; i < 100; i++)
		zap_limiter_kicked(limiter, &e.key, now_ms);
	now_ms += MINUTE_MS;
	cr_expect(eq(int, visit(&e), ZAP_OVER_KEY));
	cr_expect(eq(int, visit(&other), ZAP_WELCOME));
	now_ms += MINUTE_MS + MINUTE_MS / 10;
	cr_expect(eq(int, visit(&e), ZAP_WELCOME));
	zap_limiter_kicked(limiter, &(struct curve_key){.b = {9}}, now_ms); /* nobody */
}

Test(zap_limit, orders_are_not_limited_by_key)
{
	const struct zap_caller admin = {.admin = true, .address = BYTES("192.0.2.7")};
	int welcome = 0;

	for (int i = 0; i < 1000; i++)
		welcome += zap_limiter_ask(limiter, &admin, now_ms) == ZAP_WELCOME;
	cr_expect(eq(int, welcome, 500));
	now_ms += 1000;
	cr_expect(eq(int, zap_limiter_ask(limiter, &admin, now_ms), ZAP_WELCOME));
}

Test(zap_limit, nothing_set_is_no_limit)
{
	static const struct zap_limits none;
	const struct roster_entry e = node("bolt", false, 1);
	int welcome = 0;

	zap_limiter_free(limiter);
	must(zap_limiter_new(&limiter, &none) == 0);
	for (int i = 0; i < 1000; i++)
		welcome += (ask(&e) == ZAP_WELCOME) + (ask(NULL) == ZAP_WELCOME);
	zap_limiter_kicked(limiter, &e.key, now_ms);
	cr_expect(eq(int, welcome, 2000));
	cr_expect(eq(int, ask(&e), ZAP_WELCOME));
}

Test(zap_limit, a_clock_that_stands_or_jumps_does_no_harm)
{
	const struct roster_entry e = node("acme", true, 1);

	visits(&e, 20);
	now_ms -= MINUTE_MS;
	cr_expect(eq(int, visit(&e), ZAP_OVER_KEY));
	now_ms = INT64_MAX / 2;
	cr_expect(eq(int, visits(&e, 100), 20));
}
