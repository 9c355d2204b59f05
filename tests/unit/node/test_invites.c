/* SPDX-License-Identifier: Apache-2.0 */
/* The enrolment port of acme/gate and the invitations behind it: what strangers ask is judged over real
 * connections; whatever is not exactly what was invited is refused and changes nothing. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <sys/stat.h>
#include <zmq.h>

#include "node/engine.h"
#include "node/enrol.h"
#include "node/invites.h"
#include "node/trust.h"
#include "security/join.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"
#include "tests/unit/security/org_fixture.h"

#define HOUR_NS (3600 * NS_PER_S)

static struct engine engine;
static struct config config;
static struct trust trust;

/* A machine with keys of its own and a connection to the port. */
struct machine {
	struct curve_pair *curve;
	struct sign_key *sign;
	void *socket;
	struct buf frame; /* what it sends */
};
static struct machine one, two;
static struct join_reply reply;
static struct join_token token; /* of the last invitation */

static void connect_machine(struct machine *m)
{
	must(curve_pair_new(&m->curve) == 0 && sign_key_new(&m->sign) == 0);
	const struct curve_key own = curve_pair_public(m->curve), server = curve_pair_public(trust.curve);

	m->socket = zmq_socket(engine.zmq_context, ZMQ_DEALER);
	zmq_setsockopt(m->socket, ZMQ_LINGER, &(int){0}, sizeof(int));
	zmq_setsockopt(m->socket, ZMQ_CURVE_SERVERKEY, server.b, KEY_BYTES);
	zmq_setsockopt(m->socket, ZMQ_CURVE_PUBLICKEY, own.b, KEY_BYTES);
	zmq_setsockopt(m->socket, ZMQ_CURVE_SECRETKEY, curve_pair_secret(m->curve), KEY_BYTES);
	must(zmq_connect(m->socket, transport_enrol_endpoint(engine.transport)) == 0);
}

static void machine_fini(struct machine *m)
{
	zmq_close(m->socket);
	curve_pair_free(m->curve);
	sign_key_free(m->sign);
	buf_fini(&m->frame);
	*m = (struct machine){0};
}

static void open_invites(void)
{
	struct err_note why = {0};

	invites_free(engine.invites);
	engine.invites = NULL;
	must(invites_open(&engine.invites, &engine, &why) == 0);
}

static void set_up(void)
{
	static char path[128];
	struct err_note why = {0};

	org_fixture_begin();
	snprintf(path, sizeof path, "%s/store", tmpdir_make());
	must(trust_store_open(&trust.store, path, &why) == 0);
	must(curve_pair_new(&trust.curve) == 0);
	trust.own.org = good_org(N_NODES);
	trust.self = &trust.own.org.nodes[0];
	config_defaults(&config);
	snprintf(config.enrol, sizeof config.enrol, "tcp://127.0.0.1:*");
	engine.config = &config;
	engine.trust = &trust;
	engine.signer = (struct signer *)&engine; /* there is one; nothing is asked of it here */
	uv_loop_init(&engine.loop);
	engine.zmq_context = zmq_ctx_new();
	must(zap_start(&engine.zap, engine.zmq_context) == 0);
	must(enrol_start(&engine.enrol, &engine, &why) == 0);
	open_invites();
	const struct transport_options opt = {
		.loop = &engine.loop,
		.zmq_context = engine.zmq_context,
		.keys = trust.curve,
		.enrol_endpoint = config.enrol,
		.handler = {.enrol_ctx = engine.enrol, .on_stranger = enrol_take},
	};
	must(transport_new(&engine.transport, &opt, &why) == 0);
	connect_machine(&one);
	connect_machine(&two);
}

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static void tear_down(void)
{
	bool closed = false;

	machine_fini(&one);
	machine_fini(&two);
	transport_free(engine.transport, on_closed, &closed);
	while (!closed)
		uv_run(&engine.loop, UV_RUN_ONCE);
	enrol_free(engine.enrol);
	invites_free(engine.invites);
	zap_stop(engine.zap);
	zmq_ctx_term(engine.zmq_context);
	must(uv_loop_close(&engine.loop) == 0);
	trust_store_close(trust.store);
	curve_pair_free(trust.curve);
	engine = (struct engine){0};
	trust = (struct trust){0};
	org_fixture_end();
}

TestSuite(invites, .init = set_up, .fini = tear_down, .timeout = 120);

/* ---- what is asked */

static int invite_until(const char *name, int64_t until_ns)
{
	SCOPED(buf_fini) struct buf text = {0};
	const struct invitation asked = {.name = name,
					 .roles = ROLE_READER,
					 .endpoint = "",
					 .border_endpoint = "",
					 .until_ns = until_ns};

	note.text[0] = '\0';
	TRY(invites_add(engine.invites, &asked, "", &text, &note));
	buf_put_u8(&text, 0);
	return join_token_parse(arena, (const char *)text.data, &token, &note);
}

static void invite(const char *name)
{
	cr_assert(eq(int, invite_until(name, engine_wall_ns() + HOUR_NS), 0), "%s", note.text);
}

static void make_ask(struct machine *m, const struct join_token *t, uint32_t offset)
{
	SCOPED(buf_fini) struct buf request = {0};
	const struct curve_key curve = curve_pair_public(m->curve);
	struct join_ask ask = {.offset = offset};
	struct join_ends ends;

	join_ends_of_token(t, &ends);
	must(join_request_make(&ends, &curve, m->sign, &request) == 0);
	must(signed_blob_decode(arena, keep(&request), &ask.request) == 0);
	buf_clear(&m->frame);
	join_ask_encode(&ask, &m->frame);
}

/* Send the frame; its answer lands in `reply`. False: none came. */
static bool exchange(struct machine *m)
{
	uint8_t in[JOIN_REPLY_MAX];
	int n = -1;

	if (zmq_send(m->socket, m->frame.data, m->frame.len, ZMQ_DONTWAIT) < 0)
		return false; /* hung up on already */
	for (int turn = 0; n < 0 && turn < 500; turn++) {
		uv_run(&engine.loop, UV_RUN_NOWAIT);
		zmq_poll(&(zmq_pollitem_t){.socket = m->socket, .events = ZMQ_POLLIN}, 1, 10);
		n = zmq_recv(m->socket, in, sizeof in, ZMQ_DONTWAIT);
	}
	if (n < 0)
		return false;
	char *kept = arena_text(arena, (struct bytes){in, (size_t)n});
	must(join_reply_decode(arena, (struct bytes){(uint8_t *)kept, (size_t)n}, &reply) == 0);
	return true;
}

static void ask(struct machine *m, const struct join_token *t)
{
	make_ask(m, t, 0);
	cr_assert(exchange(m));
}

#define expect_no(words) \
	do { \
		cr_expect(eq(int, reply.state, JOIN_NO)); \
		cr_expect_not_null(strstr(reply.text, words), "the reply is: %s", reply.text); \
	} while (0)

static struct invitation shown(const char *name)
{
	struct invitations list;

	must(invites_list(engine.invites, arena, &list) == 0);
	for (size_t i = 0; i < list.n; i++)
		if (strcmp(list.items[i].name, name) == 0)
			return list.items[i];
	return (struct invitation){.name = ""};
}

Test(invites, a_machine_with_the_token_waits_for_the_admin_and_its_words_are_shown)
{
	char words[WORDS_SIZE];
	struct join_request r = {.curve = curve_pair_public(one.curve), .sign = sign_key_public(one.sign)};
	struct join_ends ends;

	invite("gateway");
	cr_expect(eq(int, shown("gateway").state, INVITATION_OPEN));
	ask(&one, &token);
	cr_expect(eq(int, reply.state, JOIN_WAIT));
	cr_expect(eq(int, shown("gateway").state, INVITATION_ASKED));
	join_ends_of_token(&token, &ends);
	join_words(&ends, &r, words);
	cr_expect_str_eq(shown("gateway").words, words);
	ask(&one, &token);
	cr_expect(eq(int, reply.state, JOIN_WAIT), "the same machine may ask again");
}

Test(invites, a_token_is_good_for_one_machine)
{
	invite("gateway");
	ask(&one, &token);
	const char *words = shown("gateway").words;
	ask(&two, &token);
	expect_no("used already, by another machine");
	cr_expect_str_eq(shown("gateway").words, words);
}

Test(invites, a_token_of_another_name_secret_or_organisation_is_refused_alike)
{
	struct join_token t;

	invite("gateway");
	invite("other");
	ask(&one, (t = token, t.name = "gateway", &t)); /* that of `other` */
	expect_no("no invitation fits this token");
	ask(&one, (t = token, t.secret[3] ^= 1, &t));
	expect_no("no invitation fits this token");
	ask(&one, (t = token, t.name = "nobody", &t));
	expect_no("no invitation fits this token");
	ask(&one, (t = token, t.org = "bolt", &t));
	expect_no("no invitation fits this token");
	ask(&one, (t = token, t.root.b[0] ^= 1, &t));
	expect_no("no invitation fits this token");
	cr_expect(eq(int, shown("gateway").state, INVITATION_OPEN));
	cr_expect(eq(int, shown("other").state, INVITATION_OPEN));
}

Test(invites, an_altered_request_is_refused_and_the_token_still_good)
{
	invite("gateway");
	make_ask(&one, &token, 0);
	for (size_t i = 0; i < one.frame.len; i += 7) { /* within what one key may ask in a minute */
		one.frame.data[i] ^= 4;
		cr_assert(exchange(&one));
		cr_expect(eq(int, reply.state, JOIN_NO), "byte %zu", i);
		one.frame.data[i] ^= 4;
	}
	cr_expect(eq(int, shown("gateway").state, INVITATION_OPEN));
	ask(&two, &token);
	cr_expect(eq(int, reply.state, JOIN_WAIT));
}

Test(invites, a_request_over_somebody_elses_connection_is_refused)
{
	invite("gateway");
	make_ask(&one, &token, 0);
	buf_clear(&two.frame);
	buf_put(&two.frame, buf_bytes(&one.frame));
	cr_assert(exchange(&two));
	expect_no("no invitation fits this token");
	cr_expect(eq(int, shown("gateway").state, INVITATION_OPEN));
}

Test(invites, after_its_end_an_invitation_is_good_for_nothing)
{
	const int64_t soon_ns = engine_wall_ns() + NS_PER_S / 2;

	cr_assert(eq(int, invite_until("gateway", soon_ns), 0));
	while (engine_wall_ns() <= soon_ns)
		uv_run(&engine.loop, UV_RUN_NOWAIT);
	ask(&one, &token);
	expect_no("the invitation of gateway ended at");
	cr_expect(eq(int, shown("gateway").state, INVITATION_OPEN));
}

Test(invites, an_end_is_at_most_a_day_away_and_not_past)
{
	cr_expect(eq(int, invite_until("gateway", engine_wall_ns() - 1), ERR_REFUSED));
	cr_expect(eq(int, invite_until("gateway", engine_wall_ns() + 25 * HOUR_NS), ERR_REFUSED));
	cr_expect(says("24h at most"), "%s", note.text);
}

Test(invites, what_was_taken_back_is_refused_and_may_be_invited_anew)
{
	invite("gateway");
	const struct join_token old = token;
	cr_assert(eq(int, invites_refuse(engine.invites, "gateway", &note), 0), "%s", note.text);
	ask(&one, &old);
	expect_no("an admin has refused gateway");
	invite("gateway");
	ask(&one, &old);
	expect_no("no invitation fits this token");
	ask(&one, &token);
	cr_expect(eq(int, reply.state, JOIN_WAIT));
}

Test(invites, a_restart_forgets_neither_an_invitation_nor_that_it_was_used)
{
	invite("gateway");
	const struct join_token gateway = token;
	invite("other");
	ask(&one, &gateway);
	open_invites();
	ask(&two, &gateway);
	expect_no("used already, by another machine");
	ask(&two, &token);
	cr_expect(eq(int, reply.state, JOIN_WAIT));
}

Test(invites, what_is_shown_or_stored_does_not_have_the_secret)
{
	struct bytes stored;
	uint8_t none[JOIN_MAC_BYTES] = {0};

	invite("gateway");
	cr_assert(eq(int, trust_store_get(trust.store, arena, "invitations", &stored), 0));
	for (size_t i = 0; i + JOIN_SECRET_BYTES <= stored.len; i++)
		cr_assert(memcmp(stored.data + i, token.secret, JOIN_SECRET_BYTES) != 0);
	cr_expect(eq(int, memcmp(shown("gateway").key, none, sizeof none), 0));
}

Test(invites, there_are_so_many_open_ones_at_most)
{
	char name[16];

	for (int i = 0; i < INVITATIONS_MAX; i++) {
		snprintf(name, sizeof name, "n%d", i);
		invite(name);
	}
	cr_expect(eq(int, invite_until("more", engine_wall_ns() + HOUR_NS), ERR_REFUSED));
	cr_expect(says("64 are invited already"), "%s", note.text);
	cr_assert(eq(int, invites_refuse(engine.invites, "n7", &note), 0));
	cr_expect(eq(int, invite_until("more", engine_wall_ns() + HOUR_NS), 0), "%s", note.text);
}

Test(invites, what_is_no_request_to_join_is_answered_with_one_line)
{
	static const char *const others[] = {"", "hello", "\x0a\x02hi", "GET / HTTP/1.1"};

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		buf_clear(&one.frame);
		buf_put_text(&one.frame, others[i]);
		cr_assert(exchange(&one));
		expect_no("only requests to join are taken here");
	}
}

Test(invites, one_without_a_key_is_not_talked_to)
{
	struct machine plain = {.socket = zmq_socket(engine.zmq_context, ZMQ_DEALER)};

	zmq_setsockopt(plain.socket, ZMQ_LINGER, &(int){0}, sizeof(int));
	cr_assert(eq(int, zmq_connect(plain.socket, transport_enrol_endpoint(engine.transport)), 0));
	invite("gateway");
	make_ask(&one, &token, 0);
	buf_put(&plain.frame, buf_bytes(&one.frame));
	cr_expect_not(exchange(&plain));
	machine_fini(&plain);
	cr_expect(eq(int, shown("gateway").state, INVITATION_OPEN));
}

Test(invites, a_frame_larger_than_a_request_cuts_the_connection)
{
	buf_clear(&one.frame);
	must(buf_extend(&one.frame, JOIN_MAX + 1));
	cr_expect_not(exchange(&one));
	invite("gateway");
	ask(&two, &token);
	cr_expect(eq(int, reply.state, JOIN_WAIT), "the neighbour is answered");
}

Test(invites, a_machine_that_asks_too_often_waits_for_the_next_minute)
{
	const struct curve_key a = {"a"}, b = {"b"};

	for (unsigned i = 0; i < ENROL_KEY_MINUTE; i++)
		cr_assert(enrol_may_ask(engine.enrol, &a, "192.0.2.1", 60000));
	cr_expect_not(enrol_may_ask(engine.enrol, &a, "192.0.2.1", 60000));
	cr_expect(enrol_may_ask(engine.enrol, &b, "192.0.2.1", 60000), "another machine there");
	cr_expect(enrol_may_ask(engine.enrol, &a, "192.0.2.1", 120000));
}

Test(invites, one_address_with_many_keys_waits_too)
{
	struct curve_key key = {"a"};
	unsigned n = 0;

	for (unsigned i = 0; i < 2 * ENROL_ADDRESS_MINUTE; i++) {
		memcpy(key.b + 4, &i, sizeof i);
		n += enrol_may_ask(engine.enrol, &key, "192.0.2.1", 60000);
	}
	cr_expect(eq(uint, n, ENROL_ADDRESS_MINUTE));
}

Test(invites, who_asks_too_often_takes_nothing_from_the_others)
{
	const struct curve_key a = {"a"}, b = {"b"};

	for (unsigned i = 0; i < 2 * ENROL_MINUTE; i++)
		enrol_may_ask(engine.enrol, &a, "192.0.2.1", 60000);
	cr_expect(enrol_may_ask(engine.enrol, &b, "192.0.2.2", 60000));
}

Test(invites, so_do_all_together_and_those_for_whom_there_is_no_room)
{
	struct curve_key key = {"a"};
	char address[32];
	unsigned n = 0;

	for (unsigned i = 0; i < 2 * ENROL_MINUTE; i++) { /* 150 addresses, one key each */
		snprintf(address, sizeof address, "192.0.2.%u", i % 150);
		key.b[4] = (uint8_t)(i % 150);
		n += enrol_may_ask(engine.enrol, &key, address, 60000);
	}
	cr_expect(eq(uint, n, ENROL_MINUTE));
	n = 0;
	for (unsigned i = 0; i < 2 * ENROL_KNOWN_MAX; i++) {
		snprintf(address, sizeof address, "192.1.%u.%u", i / 256, i % 256);
		memcpy(key.b + 4, &i, sizeof i);
		n += enrol_may_ask(engine.enrol, &key, address, 120000);
	}
	cr_expect(eq(uint, n, ENROL_KNOWN_MAX / 2), "an address and a key of each");
}

Test(invites, when_connections_run_short_strangers_go_first_and_come_back)
{
	invite("gateway");
	ask(&one, &token);
	ask(&two, &token);
	cr_expect(eq(sz, transport_shed(engine.transport), 2), "though both have spoken");
	make_ask(&one, &token, 0);
	bool answered = false;
	for (int turn = 0; !answered && turn < 10; turn++) /* what was sent into the cut connection is lost */
		answered = exchange(&one);
	cr_assert(answered);
	cr_expect(eq(int, reply.state, JOIN_WAIT));
}

/* ---- the answer */

/* As it is after an approval, without the signer. */
static void approve(const char *name)
{
	SCOPED(buf_fini) struct buf out = {0};
	struct invitations list;
	struct bytes stored;

	must(trust_store_get(trust.store, arena, "invitations", &stored) == 0);
	must(invitations_decode(arena, stored, &list) == 0);
	for (size_t i = 0; i < list.n; i++)
		if (strcmp(list.items[i].name, name) == 0)
			list.items[i].state = INVITATION_APPROVED;
	invitations_encode(&list, &out);
	must(trust_store_put(trust.store, "invitations", buf_bytes(&out)) == 0);
	open_invites();
}

Test(invites, the_answer_comes_in_pieces_to_the_machine_that_asked_only)
{
	static uint8_t big[3 * JOIN_PIECE_MAX];
	SCOPED(buf_fini) struct buf whole = {0};
	struct join_answer answer;

	memset(big, 'b', sizeof big);
	invite("gateway");
	ask(&one, &token);
	approve("gateway");
	trust.own.org.encoded = (struct bytes){big, sizeof big};
	do {
		make_ask(&one, &token, (uint32_t)whole.len);
		cr_assert(exchange(&one));
		cr_assert(eq(int, reply.state, JOIN_YES));
		cr_assert(eq(sz, reply.offset, whole.len));
		buf_put(&whole, reply.piece);
	} while (whole.len < reply.total);
	cr_assert(eq(int, join_answer_decode(arena, buf_bytes(&whole), &answer), 0));
	cr_expect(bytes_equal(answer.bundle, (struct bytes){big, sizeof big}));
	ask(&two, &token);
	expect_no("used already, by another machine");
}
