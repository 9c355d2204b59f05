/* SPDX-License-Identifier: Apache-2.0 */
/* The handler as libzmq meets it: RFC 27 requests through its inproc endpoint, well-formed and not. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <zmq.h>

#include "node/zap.h"
#include "proto/clock.h"
#include "tests/lib/must.h"

enum { OWN, FOREIGN_BORDER, FOREIGN_OWNER, EARLY, LATE, N_ENTRIES };

static void *context, *client;
static struct zap *zap;
static struct roster_entry entries[N_ENTRIES];
static char status[8], user_id[256];

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void fill(int i, const char *org, bool own, uint32_t roles)
{
	struct roster_entry *e = &entries[i];

	*e = (struct roster_entry){.own = own, .roles = roles};
	memset(e->key.b, 'a' + i, sizeof e->key.b);
	snprintf(e->org, sizeof e->org, "%s", org);
	snprintf(e->node, sizeof e->node, "n%d", i);
	e->not_before_ns = now_ns() - 60 * NS_PER_S;
	e->not_after_ns = now_ns() + 60 * NS_PER_S;
}

static void publish(void)
{
	struct roster *r;

	cr_assert(eq(int, roster_new(&r, entries, N_ENTRIES), 0));
	zap_publish(zap, r);
	roster_unref(r);
}

static void set_up(void)
{
	fill(OWN, "acme", true, ROLE_OWNER);
	fill(FOREIGN_BORDER, "bolt", false, ROLE_OWNER | ROLE_BORDER);
	fill(FOREIGN_OWNER, "bolt", false, ROLE_OWNER);
	fill(EARLY, "acme", true, ROLE_OWNER);
	fill(LATE, "acme", true, ROLE_OWNER);
	entries[EARLY].not_before_ns = now_ns() + 30 * NS_PER_S;
	entries[LATE].not_after_ns = now_ns() - 30 * NS_PER_S;
	context = zmq_ctx_new();
	cr_assert(eq(int, zap_start(&zap, context), 0));
	client = zmq_socket(context, ZMQ_REQ);
	zmq_setsockopt(client, ZMQ_RCVTIMEO, &(int){2000}, sizeof(int));
	zmq_setsockopt(client, ZMQ_LINGER, &(int){0}, sizeof(int));
	zmq_connect(client, "inproc://zeromq.zap.01");
}

static void tear_down(void)
{
	zmq_close(client);
	zap_stop(zap);
	zap = NULL;
	must(zmq_ctx_term(context) == 0);
}

TestSuite(zap, .init = set_up, .fini = tear_down, .timeout = 60);

static void receive(char *ret, size_t size, bool last)
{
	int more;
	int n = zmq_recv(client, ret, size - 1, 0);

	cr_assert(ge(int, n, 0), "no answer");
	ret[n] = '\0';
	zmq_getsockopt(client, ZMQ_RCVMORE, &more, &(size_t){sizeof more});
	cr_assert(eq(int, more, !last));
}

/* Frames of a request up to a NULL one; the answer lands in status and user_id. */
static void ask_frames(const struct bytes *frames, int n)
{
	char text[256];

	for (int i = 0; i < n; i++)
		zmq_send(client, frames[i].data, frames[i].len, i < n - 1 ? ZMQ_SNDMORE : 0);
	receive(text, sizeof text, false);
	cr_expect_str_eq(text, "1.0");
	receive(text, sizeof text, false);
	cr_expect_str_eq(text, n > 1 ? "7" : "");
	receive(status, sizeof status, false);
	receive(text, sizeof text, false);
	receive(user_id, sizeof user_id, false);
	receive(text, sizeof text, true);
	cr_expect_str_eq(text, "");
}

static void request(struct bytes frames[8], const char *domain, int key)
{
	const struct bytes good[] = {
		BYTES("1.0"), BYTES("7"),     bytes_of_text(domain),           BYTES("127.0.0.1"),
		BYTES(""),    BYTES("CURVE"), {entries[key].key.b, KEY_BYTES}, BYTES("more")};

	memcpy(frames, good, sizeof good);
}

static const char *ask(const char *domain, int key)
{
	struct bytes frames[8];

	request(frames, domain, key);
	ask_frames(frames, 7);
	return status;
}

Test(zap, without_a_roster_everybody_is_refused)
{
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "400");
	cr_expect_str_eq(user_id, "");
}

Test(zap, the_own_door_admits_the_own_organisation_only)
{
	char want[USER_ID_SIZE];

	publish();
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "200");
	roster_user_id(&entries[OWN], want);
	cr_expect_str_eq(user_id, want);
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, FOREIGN_BORDER), "400");
	cr_expect_str_eq(user_id, "");
}

Test(zap, the_border_door_admits_foreign_border_nodes_only)
{
	publish();
	cr_expect_str_eq(ask(ZAP_DOMAIN_BORDER, FOREIGN_BORDER), "200");
	cr_expect_str_eq(ask(ZAP_DOMAIN_BORDER, FOREIGN_OWNER), "400");
	cr_expect_str_eq(ask(ZAP_DOMAIN_BORDER, OWN), "400");
}

Test(zap, the_control_door_admits_the_keys_it_was_given_and_no_node)
{
	struct curve_key admins[2] = {0};

	publish();
	cr_expect_str_eq(ask(ZAP_DOMAIN_CONTROL, OWN), "400");
	admins[1] = entries[FOREIGN_OWNER].key;
	zap_set_control(zap, admins, 2);
	cr_expect_str_eq(ask(ZAP_DOMAIN_CONTROL, FOREIGN_OWNER), "200");
	cr_expect_str_eq(user_id, ZAP_USER_CONTROL);
	cr_expect_str_eq(ask(ZAP_DOMAIN_CONTROL, OWN), "400");
	cr_expect_str_eq(user_id, "");
	cr_expect_str_eq(ask(ZAP_DOMAIN_BORDER, FOREIGN_OWNER), "400", "its key opens that door only");
	zap_set_control(zap, admins, 1);
	cr_expect_str_eq(ask(ZAP_DOMAIN_CONTROL, FOREIGN_OWNER), "400");
}

Test(zap, the_enrolment_door_admits_any_key_as_a_stranger_who_is_nobody_elsewhere)
{
	struct curve_key key;

	cr_expect_str_eq(ask(ZAP_DOMAIN_ENROL, FOREIGN_OWNER), "200", "without a roster, too");
	cr_assert(zap_stranger_key(user_id, &key));
	cr_expect(eq(int, memcmp(key.b, entries[FOREIGN_OWNER].key.b, KEY_BYTES), 0));
	publish();
	cr_expect_str_eq(ask(ZAP_DOMAIN_ENROL, OWN), "200");
	cr_expect(zap_stranger_key(user_id, &key), "also an own node is a stranger there");
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "200");
	cr_expect_not(zap_stranger_key(user_id, &key), "and what it is elsewhere does not pass for one");
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, FOREIGN_OWNER), "400");
}

Test(zap, there_are_no_other_doors)
{
	publish();
	cr_expect_str_eq(ask("", OWN), "400");
	cr_expect_str_eq(ask("own ", OWN), "400");
	cr_expect_str_eq(ask("*", OWN), "400");
}

Test(zap, an_entry_that_has_ended_does_not_begin_again_when_the_clock_is_set_back)
{
	const struct clock set_back = {.floor_ns = now_ns() + 120 * NS_PER_S};

	entries[OWN].not_after_ns = now_ns() + 600 * NS_PER_S;
	entries[LATE].not_after_ns = now_ns() + 60 * NS_PER_S; /* by the wall clock it is valid */
	zap_set_clock(zap, &set_back);
	publish();
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, LATE), "400");
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "200");
	zap_stop(zap); /* it asks the clock as long as it runs */
	zap = NULL;
}

Test(zap, an_entry_outside_its_time_is_refused)
{
	publish();
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, EARLY), "400");
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, LATE), "400");
}

Test(zap, a_new_roster_counts_at_once)
{
	struct roster *empty;

	publish();
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "200");
	cr_assert(eq(int, roster_new(&empty, NULL, 0), 0));
	zap_publish(zap, empty);
	roster_unref(empty);
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "400");
	publish();
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "200");
	zap_publish(zap, NULL);
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "400");
}

Test(zap, other_mechanisms_are_refused)
{
	struct bytes frames[8];

	publish();
	request(frames, ZAP_DOMAIN_OWN, OWN);
	frames[5] = BYTES("NULL");
	ask_frames(frames, 6);
	cr_expect_str_eq(status, "500"); /* NULL has no credentials: a frame less */
	ask_frames(frames, 7);
	cr_expect_str_eq(status, "400");
	frames[5] = BYTES("PLAIN");
	ask_frames(frames, 7);
	cr_expect_str_eq(status, "400");
	frames[5] = BYTES("curve");
	ask_frames(frames, 7);
	cr_expect_str_eq(status, "400");
}

Test(zap, what_is_not_a_request_is_malformed_and_the_next_one_is_answered)
{
	struct bytes frames[8];
	uint8_t long_key[4000] = {0};

	publish();
	request(frames, ZAP_DOMAIN_OWN, OWN);
	for (int n = 1; n <= 8; n++) {
		ask_frames(frames, n);
		cr_expect_str_eq(status, n == 7 ? "200" : "500", "%d frames", n);
	}
	frames[0] = BYTES("1.1");
	ask_frames(frames, 7);
	cr_expect_str_eq(status, "500");
	request(frames, ZAP_DOMAIN_OWN, OWN);
	frames[6].len = 31;
	ask_frames(frames, 7);
	cr_expect_str_eq(status, "500");
	frames[6] = (struct bytes){long_key, sizeof long_key};
	ask_frames(frames, 7);
	cr_expect_str_eq(status, "500");
	frames[6].len = 0;
	ask_frames(frames, 7);
	cr_expect_str_eq(status, "500");
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "200");
}

Test(zap, counts_what_it_answers)
{
	struct bytes frames[8];
	struct zap_stats s;

	publish();
	ask(ZAP_DOMAIN_OWN, OWN);
	ask(ZAP_DOMAIN_OWN, LATE);
	ask(ZAP_DOMAIN_OWN, EARLY);
	request(frames, ZAP_DOMAIN_OWN, OWN);
	for (int i = 0; i < 3; i++)
		ask_frames(frames, 8);
	zap_stats(zap, &s);
	cr_expect(eq(u64, s.admitted, 1));
	cr_expect(eq(u64, s.refused, 2));
	cr_expect(eq(u64, s.malformed, 3));
}

Test(zap, a_second_handler_in_a_context_does_not_start)
{
	struct zap *second = NULL;

	cr_expect(eq(int, zap_start(&second, context), -EADDRINUSE));
	cr_expect(second == NULL);
}

Test(zap, the_process_does_not_outlive_its_handler, .signal = SIGABRT)
{
	const struct timespec while_it_aborts = {.tv_sec = 5};

	zmq_ctx_shutdown(context);
	nanosleep(&while_it_aborts, NULL);
}

Test(zap, over_a_limit_is_for_later_whatever_the_answer_would_have_been)
{
	const struct zap_limits few = {.key_rate = 1, .key_burst = 2, .address_rate = 1, .address_burst = 3};
	struct zap_stats s;
	struct zap_held held;

	publish();
	zap_set_limits(zap, &few);
	for (int i = 0; i < 2; i++)
		cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "200");
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "300");
	cr_expect_str_eq(user_id, "");
	for (int i = 0; i < 3; i++)
		cr_expect_str_eq(ask(i == 0 ? ZAP_DOMAIN_ENROL : ZAP_DOMAIN_OWN, FOREIGN_OWNER),
				 i == 0 ? "200" : "400");
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, LATE), "300", "a stranger's address counts");
	cr_expect_str_eq(ask(ZAP_DOMAIN_ENROL, OWN), "300");
	cr_expect_str_eq(ask(ZAP_DOMAIN_BORDER, FOREIGN_BORDER), "200", "a partner is no stranger");
	zap_expect(zap, &entries[LATE].key);
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, LATE), "400", "but the self-test is heard");
	zap_stats(zap, &s);
	cr_expect(eq(u64, s.held[ZAP_OVER_KEY], 1));
	cr_expect(eq(u64, s.held[ZAP_OVER_ADDRESS], 2));
	cr_expect(eq(u64, s.admitted, 4));
	cr_expect(zap_next_held(zap, &held));
	cr_expect(eq(int, held.verdict, ZAP_OVER_KEY));
	cr_expect_str_eq(held.org, "acme");
	cr_expect_str_eq(held.node, "n0");
	cr_expect(not(zap_next_held(zap, &held)), "strangers are only counted");
}

Test(zap, what_nobody_asks_for_does_not_pile_up)
{
	const struct zap_limits few = {.key_rate = 1, .key_burst = 1};
	struct zap_held held;
	struct zap_stats s;
	int n = 0;

	publish();
	zap_set_limits(zap, &few);
	for (int i = 0; i < 1001; i++)
		ask(ZAP_DOMAIN_OWN, OWN);
	while (zap_next_held(zap, &held))
		n++;
	zap_stats(zap, &s);
	cr_expect(le(int, n, 512));
	cr_expect(eq(u64, s.held[ZAP_OVER_KEY], 1000));
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "300");
}

Test(zap, who_was_kicked_is_held_back)
{
	const struct zap_limits few = {.key_rate = 1, .key_burst = 4};

	publish();
	zap_set_limits(zap, &few);
	cr_expect_str_eq(ask(ZAP_DOMAIN_BORDER, FOREIGN_BORDER), "200");
	zap_kicked(zap, &entries[FOREIGN_BORDER].key);
	cr_expect_str_eq(ask(ZAP_DOMAIN_BORDER, FOREIGN_BORDER), "300");
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "200");
}

Test(zap, connections_that_ended_make_room)
{
	const struct zap_limits few = {.key_connections = 2, .silent_ms = 3600000};

	publish();
	zap_set_limits(zap, &few);
	for (int i = 0; i < 2; i++) {
		cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "200");
		zap_spoke(zap, &entries[OWN].key);
	}
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "300");
	zap_ended(zap, &entries[OWN].key);
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "200");
	cr_expect_str_eq(ask(ZAP_DOMAIN_OWN, OWN), "300");
}
