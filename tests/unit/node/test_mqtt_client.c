/* SPDX-License-Identifier: Apache-2.0 */
/* The client against a broker that says what the test wants. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

#include "node/mqtt_client.h"
#include "tests/lib/must.h"

#define RAW(text) ((struct bytes){(const uint8_t *)("" text), sizeof(text) - 1})
#define CONNACK RAW("\x20\x03\x00\x00\x00")
#define CONNACK_AGAIN RAW("\x20\x03\x01\x00\x00")
#define SUBACK RAW("\x90\x04\xff\xff\x00\x01")

static uv_loop_t loop;
static uv_tcp_t server, peer;
static bool has_peer;
static int n_peers;
static struct buf heard; /* by the broker, of the connection there is */
static struct mqtt_client *client;
static struct mqtt_options opt;
static uint16_t port;

static int states[3], n_messages, n_published, last_code;
static char why[256], last_text[256], payload[4096];
static struct mqtt_message last;
static uint64_t last_id;
static bool closed, close_at_message, done_at_message;

static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *ret)
{
	static char piece[65536];

	(void)h, (void)size;
	*ret = uv_buf_init(piece, sizeof piece);
}

static void on_peer_gone(uv_handle_t *h)
{
	(void)h;
	has_peer = false;
}

static void hang_up(void)
{
	if (has_peer && !uv_is_closing((uv_handle_t *)&peer))
		uv_close((uv_handle_t *)&peer, on_peer_gone);
	while (has_peer)
		uv_run(&loop, UV_RUN_ONCE);
}

static void on_heard(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	if (n < 0 && !uv_is_closing((uv_handle_t *)s))
		uv_close((uv_handle_t *)s, on_peer_gone);
	if (n > 0)
		buf_put(&heard, (struct bytes){(uint8_t *)b->base, (size_t)n});
}

static void on_connection(uv_stream_t *s, int status)
{
	must(status == 0 && !has_peer);
	uv_tcp_init(&loop, &peer);
	must(uv_accept(s, (uv_stream_t *)&peer) == 0);
	has_peer = true;
	n_peers++;
	buf_clear(&heard);
	uv_read_start((uv_stream_t *)&peer, on_alloc, on_heard);
}

static void on_state(void *ctx, enum mqtt_state state, const char *text)
{
	(void)ctx;
	states[state]++;
	if (state != MQTT_CONNECTING)
		snprintf(why, sizeof why, "%s", text);
}

static void on_closed(void *ctx)
{
	(void)ctx;
	closed = true;
}

static void on_message(void *ctx, const struct mqtt_message *m)
{
	(void)ctx;
	n_messages++;
	last = *m;
	snprintf(payload, sizeof payload, "%.*s", (int)m->payload.len, (const char *)m->payload.data);
	if (done_at_message)
		mqtt_client_done(client, m->token);
	if (close_at_message)
		mqtt_client_close(client, on_closed);
}

static void on_published(void *ctx, uint64_t id, int code, const char *text)
{
	(void)ctx;
	n_published++;
	last_id = id;
	last_code = code;
	snprintf(last_text, sizeof last_text, "%s", text);
}

static uint64_t backoff(void *ctx)
{
	(void)ctx;
	return 1;
}

static void set_up(void)
{
	static const char *const filters[] = {"a/+"};
	struct sockaddr_in any;
	struct sockaddr_storage mine;
	int len = sizeof mine;

	uv_loop_init(&loop);
	uv_tcp_init(&loop, &server);
	uv_ip4_addr("127.0.0.1", 0, &any);
	must(uv_tcp_bind(&server, (struct sockaddr *)&any, 0) == 0);
	must(uv_listen((uv_stream_t *)&server, 8, on_connection) == 0);
	uv_tcp_getsockname(&server, (struct sockaddr *)&mine, &len);
	port = ntohs(((struct sockaddr_in *)&mine)->sin_port);
	opt = (struct mqtt_options){
		.host = "127.0.0.1",
		.port = port,
		.client_id = "n",
		.filters = filters,
		.n_filters = 1,
		.state = on_state,
		.message = on_message,
		.published = on_published,
		.backoff_ms = backoff,
	};
}

static void begin(void)
{
	struct err_note note = {0};

	cr_assert(eq(int, mqtt_client_open(&client, &loop, &opt, &note), 0), "%s", note.text);
}

/* Everything goes away, whatever it is in the midst of: the loop ends empty. */
static void tear_down(void)
{
	if (client && !closed)
		mqtt_client_close(client, on_closed);
	if (has_peer && !uv_is_closing((uv_handle_t *)&peer))
		uv_close((uv_handle_t *)&peer, on_peer_gone);
	uv_close((uv_handle_t *)&server, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	must(!client || closed);
	must(uv_loop_close(&loop) == 0);
	buf_fini(&heard);
}

TestSuite(mqtt_client, .init = set_up, .fini = tear_down, .timeout = 60);

#define run_until(condition) \
	do { \
		while (!(condition)) \
			uv_run(&loop, UV_RUN_ONCE); \
	} while (0)

/* Whatever can happen without anybody saying more. */
static void run_out(void)
{
	for (int i = 0; i < 20; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

static void say(struct bytes b)
{
	while (b.len > 0) {
		uv_buf_t part = uv_buf_init((char *)(uintptr_t)b.data, (unsigned int)b.len);
		const int n = uv_try_write((uv_stream_t *)&peer, &part, 1);
		must(n > 0 || n == UV_EAGAIN);
		b.data += n > 0 ? n : 0;
		b.len -= n > 0 ? (size_t)n : 0;
		if (n < 0)
			uv_run(&loop, UV_RUN_NOWAIT);
	}
}

static bool has_heard(struct bytes b)
{
	for (size_t i = 0; i + b.len <= heard.len; i++)
		if (bytes_start_with((struct bytes){heard.data + i, heard.len - i}, b))
			return true;
	return false;
}

/* CONNECT and SUBSCRIBE are heard and answered. */
static void greet(struct bytes connack)
{
	run_until(has_peer && has_heard(RAW("\x00\x01n")));
	say(connack);
	run_until(
		has_heard(RAW("\x00\x03"
			      "a/+")));
	say(SUBACK);
	const int before = states[MQTT_CONNECTED];
	run_until(states[MQTT_CONNECTED] > before);
	buf_clear(&heard);
}

static void say_message(uint16_t id, bool dup)
{
	uint8_t packet[] = {dup ? 0x3a : 0x32,  10,          0, 3,   'a', '/', 'b',
			    (uint8_t)(id >> 8), (uint8_t)id, 0, 'h', 'i'};

	say((struct bytes){packet, sizeof packet});
}

static uint64_t publish(const char *topic, int64_t deadline_ms)
{
	uint64_t id = 0;
	const struct mqtt_publish p = {.topic = topic, .payload = BYTES("v"), .deadline_ms = deadline_ms};

	cr_assert(eq(int, mqtt_client_publish(client, &p, &id), 0));
	return id;
}

Test(mqtt_client, acknowledges_when_told_to_and_in_order)
{
	begin();
	greet(CONNACK);
	for (uint16_t id = 1; id <= 3; id++)
		say_message(id, false);
	run_until(n_messages == 3);
	run_out();
	cr_assert(eq(sz, heard.len, 0));
	cr_assert(last.token == 3 && last.qos == 1 && !last.again);
	mqtt_client_done(client, 2);
	run_until(heard.len >= 8);
	run_out();
	cr_assert(bytes_equal(buf_bytes(&heard), RAW("\x40\x02\x00\x01\x40\x02\x00\x02")));
	mqtt_client_done(client, 3);
	run_until(heard.len >= 12);
	cr_assert(has_heard(RAW("\x40\x02\x00\x03")));
}

/* What was not acknowledged is owed to the broker no more: it comes again, with a new token. */
Test(mqtt_client, comes_again_after_a_loss)
{
	begin();
	greet(CONNACK);
	say_message(1, false);
	run_until(n_messages == 1);
	hang_up();
	run_until(states[MQTT_WAITING] == 1);
	cr_assert(not(mqtt_client_is_up(client)));
	mqtt_client_done(client, 1);
	greet(CONNACK_AGAIN);
	cr_assert(mqtt_client_is_up(client));
	say_message(1, true);
	run_until(n_messages == 2);
	cr_assert(last.again && last.token == 2);
	run_out();
	cr_assert(eq(sz, heard.len, 0));
	mqtt_client_done(client, 2);
	run_until(heard.len > 0);
	cr_assert(bytes_equal(buf_bytes(&heard), RAW("\x40\x02\x00\x01")));
}

Test(mqtt_client, knows_3_as_well)
{
	begin();
	run_until(has_peer && has_heard(RAW("MQTT\x05")));
	say(RAW("\x20\x02\x00\x01"));
	run_until(!has_peer);
	run_until(has_peer && has_heard(RAW("MQTT\x04")));
	say(RAW("\x20\x02\x00\x00"));
	run_until(
		has_heard(RAW("\x82\x08\xff\xff\x00\x03"
			      "a/+\x01")));
	say(RAW("\x90\x03\xff\xff\x01"));
	run_until(states[MQTT_CONNECTED] == 1);
	cr_assert(eq(int, states[MQTT_WAITING], 0));
	say(RAW("\x32\x09\x00\x03"
		"a/b\x00\x05hi"));
	run_until(n_messages == 1);
	cr_assert(strcmp(payload, "hi") == 0);
}

Test(mqtt_client, says_why_it_is_refused)
{
	begin();
	run_until(has_peer && has_heard(RAW("\x00\x01n")));
	say(RAW("\x20\x0a\x00\x87\x07\x1f\x00\x04n\x1bpe"));
	run_until(states[MQTT_WAITING] == 1);
	cr_assert(strcmp(why, "the broker refuses the connection: not authorized (n\\x1bpe)") == 0, "%s",
		  why);
	run_until(n_peers == 2); /* and tries again */
	greet(CONNACK);
	say(RAW("\xe0\x01\x8e"));
	run_until(states[MQTT_WAITING] == 2);
	cr_assert(strcmp(why, "the broker ends the connection: session taken over") == 0, "%s", why);
}

Test(mqtt_client, says_which_subscription_is_refused)
{
	begin();
	run_until(has_peer && has_heard(RAW("\x00\x01n")));
	say(CONNACK);
	run_until(has_heard(RAW("a/+")));
	say(RAW("\x90\x04\xff\xff\x00\x87"));
	run_until(states[MQTT_CONNECTED] == 1);
	cr_assert(strcmp(why, "the broker refuses the subscription to a/+: not authorized") == 0, "%s", why);
}

Test(mqtt_client, what_is_not_mqtt_ends_the_connection)
{
	static const struct bytes bad[] = {
		{(const uint8_t *)"HTTP/1.1 400 Bad Request", 24}, /* before CONNACK */
		{(const uint8_t *)"\xd0\x00", 2},
		{(const uint8_t *)"\x20\x03\x00\x00\x00\x20\x03\x00\x00\x00", 10},
		{(const uint8_t *)"\x20\x03\x00\x00\x00\x90\x05\xff\xff\x00\x01\x01", 12},
	};

	begin();
	for (int i = 0; i < 4; i++) {
		run_until(n_peers == i + 1 && has_heard(RAW("\x00\x01n")));
		say(bad[i]);
		run_until(states[MQTT_WAITING] == i + 1);
		run_until(!has_peer);
	}
	cr_assert(eq(int, states[MQTT_CONNECTED], 0));
}

/* While it is paused, no more comes than was read already; nothing is lost. */
Test(mqtt_client, pauses)
{
	enum { MANY = 30000, READ_AHEAD = 65536 / 12 + 1 };

	begin();
	greet(CONNACK);
	mqtt_client_pause(client);
	for (int i = 0; i < 1000; i++)
		say_message((uint16_t)(i + 1), false);
	run_out();
	cr_assert(le(int, n_messages, READ_AHEAD));
	const int before = n_messages;
	run_out();
	cr_assert(eq(int, n_messages, before));
	mqtt_client_resume(client);
	run_until(n_messages == 1000);
	for (int i = 1000; i < MANY; i++)
		say_message((uint16_t)(i + 1), false);
	run_until(n_messages == MANY);
	mqtt_client_done(client, MANY);
	run_until(heard.len == 4 * MANY);
}

/* A broker that never waits for acknowledgements: a bounded number of them is owed. */
Test(mqtt_client, a_flood_ends_the_connection)
{
	SCOPED(buf_fini) struct buf many = {0};

	for (int i = 0; i <= 65535; i++)
		buf_put(&many, RAW("\x32\x08\x00\x03"
				   "a/b\x00\x01\x00"));
	begin();
	greet(CONNACK);
	uv_buf_t all = uv_buf_init((char *)many.data, (unsigned int)many.len);
	uv_write_t w;
	uv_write(&w, (uv_stream_t *)&peer, &all, 1, NULL);
	run_until(states[MQTT_WAITING] == 1);
	cr_assert(strcmp(why, "the broker does not wait for acknowledgements") == 0, "%s", why);
	cr_assert(eq(int, n_messages, 65535));
	run_until(!has_peer || n_peers == 2);
}

Test(mqtt_client, a_long_payload_is_not_kept)
{
	SCOPED(buf_fini) struct buf b = {0};

	opt.payload_max = 2000;
	begin();
	greet(CONNACK);
	buf_put(&b, RAW("\x32\x90\x27\x00\x03"
			"a/b\x00\x01\x00"));
	memset(buf_extend(&b, 5000), 'x', 5000);
	say(buf_bytes(&b));
	run_until(n_messages >= 1);
	cr_assert(last.payload_bytes == 5000 && last.payload.len == MQTT_HEAD_BYTES);
	say_message(2, false);
	run_until(n_messages == 2);
	cr_assert(strcmp(payload, "hi") == 0);
	mqtt_client_done(client, 2);
	run_until(heard.len == 8);
}

Test(mqtt_client, publishes_as_much_as_the_broker_takes)
{
	begin();
	for (int i = 0; i < 5; i++)
		publish("o", 0);
	greet(RAW("\x20\x06\x00\x00\x03\x21\x00\x02"));
	run_out();
	/* after SUBSCRIBE, so greet() may have taken them out of what was heard */
	say(RAW("\x40\x02\x00\x01"));
	run_until(n_published == 1);
	run_until(has_heard(RAW("\x32\x07\x00\x01o\x00\x03\x00v")));
	run_out();
	cr_assert(not(has_heard(RAW("\x32\x07\x00\x01o\x00\x04\x00v"))));
	cr_assert(eq(sz, mqtt_client_waiting(client), 4));
	say(RAW("\x40\x03\x00\x02\x10\x40\x03\x00\x03\x97"));
	run_until(n_published == 3);
	cr_assert(last_code == ERR_REFUSED && strcmp(last_text, "quota exceeded") == 0);
	run_until(has_heard(RAW("\x00\x01o\x00\x05\x00v")));
	/* what nobody waits for is no matter */
	say(RAW("\x40\x02\x77\x77\x40\x02\x00\x04\x40\x02\x00\x05"));
	run_until(n_published == 5);
	cr_assert(last_id == 5 && last_code == 0);
}

Test(mqtt_client, publishes_again_what_was_not_acknowledged)
{
	begin();
	greet(CONNACK);
	publish("o", 0);
	run_until(has_heard(RAW("\x32\x07\x00\x01o\x00\x01\x00v")));
	hang_up();
	run_until(has_peer && has_heard(RAW("\x00\x01n")));
	say(CONNACK_AGAIN);
	run_until(has_heard(RAW("\x3a\x07\x00\x01o\x00\x01\x00v"))); /* in the same session: DUP */
	hang_up();
	run_until(has_peer && has_heard(RAW("\x00\x01n")));
	say(CONNACK);
	run_until(has_heard(RAW("\x32\x07\x00\x01o\x00\x01\x00v"))); /* a new one */
	say(RAW("\x40\x02\x00\x01"));
	run_until(n_published == 1);
	cr_assert(eq(sz, mqtt_client_waiting(client), 0));
}

Test(mqtt_client, nothing_goes_out_after_its_deadline)
{
	begin();
	publish("late", (int64_t)uv_now(&loop));
	const uint64_t kept = publish("o", (int64_t)uv_now(&loop) + 50000);
	run_until(n_published == 1);
	cr_assert(eq(int, last_code, -ETIMEDOUT));
	run_until(has_peer && has_heard(RAW("\x00\x01n")));
	say(CONNACK);
	run_until(has_heard(RAW("\x00\x01o\x00\x02\x05\x02\x00\x00\x00"))); /* with an expiry */
	cr_assert(not(has_heard(RAW("late"))));
	say(RAW("\x40\x02\x00\x02"));
	run_until(n_published == 2);
	cr_assert(eq(u64, last_id, kept));
}

Test(mqtt_client, takes_a_bounded_number)
{
	uint64_t id;
	const struct mqtt_publish p = {.topic = "o"};

	opt.port = 1; /* nobody is there */
	begin();
	for (int i = 0; i < MQTT_QUEUE_MAX; i++)
		cr_assert(eq(int, mqtt_client_publish(client, &p, &id), 0));
	cr_assert(eq(int, mqtt_client_publish(client, &p, &id), MQTT_BUSY));
	cr_assert(eq(int, mqtt_client_publish(client, &(struct mqtt_publish){.topic = "o/#"}, &id),
		     ERR_REFUSED));
	run_until(states[MQTT_WAITING] >= 2);
	cr_assert(ne(ptr, (void *)strstr(why, "refused"), NULL), "%s", why);
}

Test(mqtt_client, a_longer_message_than_the_broker_takes_is_refused)
{
	begin();
	publish("a-topic-of-more-than-twenty-characters", 0);
	run_until(has_peer && has_heard(RAW("\x00\x01n")));
	say(RAW("\x20\x08\x00\x00\x05\x27\x00\x00\x00\x20"));
	run_until(n_published == 1);
	cr_assert(last_code == ERR_REFUSED && strcmp(last_text, "packet too large") == 0);
}

/* A broker that accepts and is silent: it is asked, and given up. */
Test(mqtt_client, silence_is_a_loss)
{
	opt.keep_alive_s = 1;
	begin();
	greet(CONNACK);
	run_until(has_heard(RAW("\xc0\x00")));
	run_until(states[MQTT_WAITING] == 1);
	cr_assert(strcmp(why, "nothing is heard of the broker") == 0, "%s", why);
}

Test(mqtt_client, answers_keep_it_up)
{
	opt.keep_alive_s = 1;
	begin();
	greet(CONNACK);
	const uint64_t until = uv_now(&loop) + 3000;
	while (uv_now(&loop) < until) {
		uv_run(&loop, UV_RUN_ONCE);
		if (has_heard(RAW("\xc0\x00"))) {
			buf_clear(&heard);
			say(RAW("\xd0\x00"));
		}
	}
	cr_assert(eq(int, states[MQTT_WAITING], 0));
}

static void broker_is_deaf(void)
{
	int small = 256 * 1024;

	uv_recv_buffer_size((uv_handle_t *)&peer, &small);
	uv_read_stop((uv_stream_t *)&peer);
}

/* What waited for the broker to read goes out as soon as it does, not with whatever is said next. */
Test(mqtt_client, what_waits_goes_out_when_the_broker_reads_again)
{
	static uint8_t big[200 * 1024];
	struct mqtt_publish p = {.topic = "big", .payload = {big, sizeof big}};
	uint64_t id;

	memset(big, 'b', sizeof big);
	opt.keep_alive_s = 100; /* a ping would take it along after 50 s */
	begin();
	greet(CONNACK);
	broker_is_deaf();
	for (int i = 0; i < 19; i++)
		cr_assert(eq(int, mqtt_client_publish(client, &p, &id), 0));
	run_out();
	publish("last", 0);
	run_out();
	uv_read_start((uv_stream_t *)&peer, on_alloc, on_heard);
	while (heard.len < 19 * sizeof big ||
	       !bytes_start_with((struct bytes){heard.data + heard.len - 1, 1}, RAW("v"))) {
		uv_run(&loop, UV_RUN_ONCE);
		cr_assert(not(heard.len > 2 && memcmp(heard.data + heard.len - 2, "\xc0", 2) == 0), "a ping");
	}
}

Test(mqtt_client, a_broker_that_only_talks_is_left)
{
	enum { N = 5000 };
	static uint8_t talk[N][12];
	size_t at = 0;

	for (uint16_t i = 0; i < N; i++)
		memcpy(talk[i],
		       (uint8_t[]){0x32, 10, 0, 3, 'a', '/', 'b', (uint8_t)(i >> 8), (uint8_t)i | 1, 0, 'h',
				   'i'},
		       12);
	done_at_message = true;
	begin();
	greet(CONNACK);
	broker_is_deaf();
	while (states[MQTT_WAITING] == 0) {
		uv_buf_t part = uv_buf_init((char *)talk + at, (unsigned int)(sizeof talk - at));
		const int n = uv_try_write((uv_stream_t *)&peer, &part, 1);
		at = (at + (n > 0 ? (size_t)n : 0)) % sizeof talk;
		uv_run(&loop, UV_RUN_NOWAIT);
		must(n_messages < 20000000);
	}
	cr_assert(strcmp(why, "the other side does not read what is sent to it") == 0, "%s", why);
}

Test(mqtt_client, may_be_closed_in_a_callback)
{
	close_at_message = true;
	begin();
	greet(CONNACK);
	say_message(1, false);
	say_message(2, false);
	run_until(closed);
	cr_assert(eq(int, n_messages, 1));
	run_until(!has_peer);
	cr_assert(has_heard(RAW("\xe0\x00")));
}

Test(mqtt_client, may_be_closed_at_once)
{
	begin();
}

Test(mqtt_client, may_be_closed_while_it_connects)
{
	begin();
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_run(&loop, UV_RUN_NOWAIT);
}

Test(mqtt_client, options_that_make_no_sense)
{
	static const char *const bad[] = {"a/#/b"};
	struct err_note note = {0};
	struct mqtt_options many[8];

	for (int i = 0; i < 8; i++)
		many[i] = opt;
	many[0].host = "";
	many[1].port = 0;
	many[2].client_id = "";
	many[3].password = "secret";
	many[4].ca_file = "ca.pem";
	many[5].filters = bad;
	many[6].will.topic = "a/+";
	many[7].client_id = "a\xff";
	for (int i = 0; i < 8; i++) {
		note.text[0] = '\0';
		cr_assert(eq(int, mqtt_client_open(&client, &loop, &many[i], &note), ERR_REFUSED), "%d", i);
		cr_assert(gt(sz, strlen(note.text), 0));
	}
}

Test(mqtt_client, filters_and_topics)
{
	cr_assert(mqtt_is_filter("#") && mqtt_is_filter("+") && mqtt_is_filter("a/+/b/#") &&
		  mqtt_is_filter("/"));
	static const char *const bad[] = {"", "a#", "#/a", "a+/b", "+a", "a/b#", "\xff"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_assert(not(mqtt_is_filter(bad[i])));
	cr_assert(mqtt_is_topic("a/b") && !mqtt_is_topic("a/+") && !mqtt_is_topic("") && !mqtt_is_topic("#"));
}
