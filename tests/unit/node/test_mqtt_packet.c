/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

#include "node/mqtt_packet.h"

static struct mqtt_reader reader;

static void set_up(void)
{
	reader = (struct mqtt_reader){.version = MQTT_5, .payload_max = 2000};
}

static void tear_down(void)
{
	mqtt_reader_fini(&reader);
}

TestSuite(mqtt_packet, .init = set_up, .fini = tear_down, .timeout = 60);

#define R(text) \
	{ \
		(const uint8_t *)("" text), sizeof(text) - 1 \
	}
#define RAW(text) ((struct bytes)R(text))

/* One of each that a broker sends, as of MQTT 5. */
static const struct bytes whole[] = {
	R("\x20\x03\x00\x00\x00"),
	R("\x20\x19\x01\x00\x16\x21\x00\x14\x22\x00\x0a\x24\x01\x25\x01\x27\x00\x00\x10\x00\x12\x00\x01x"
	  "\x13\x00"
	  "\x05"),
	R("\x20\x0a\x00\x87\x07\x1f\x00\x04nope"),
	R("\x30\x08\x00\x03"
	  "a/b\x00hi"),
	R("\x32\x12\x00\x03"
	  "a/b\x01\x02\x05\x02\x00\x00\x00\x3chello"),
	R("\x3b\x0c\x00\x03"
	  "a/b\x00\x07\x02\x0b\x05xy"),
	R("\x40\x02\x00\x09"),
	R("\x40\x03\x00\x09\x10"),
	R("\x40\x0a\x00\x09\x97\x06\x1f\x00\x03"
	  "bad"),
	R("\x90\x05\xff\xff\x00\x01\x87"),
	R("\xb0\x04\x00\x01\x00\x11"),
	R("\xd0\x00"),
	R("\xe0\x00"),
	R("\xe0\x02\x8e\x00"),
};

static int read_all(struct bytes in, struct mqtt_packet *ret)
{
	return mqtt_read(&reader, &in, ret);
}

Test(mqtt_packet, each_is_read)
{
	static const enum mqtt_type types[] = {MQTT_CONNACK,    MQTT_CONNACK,   MQTT_CONNACK,  MQTT_PUBLISH,
					       MQTT_PUBLISH,    MQTT_PUBLISH,   MQTT_PUBACK,   MQTT_PUBACK,
					       MQTT_PUBACK,     MQTT_SUBACK,    MQTT_UNSUBACK, MQTT_PINGRESP,
					       MQTT_DISCONNECT, MQTT_DISCONNECT};
	struct mqtt_packet p;

	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
		cr_assert(eq(int, read_all(whole[i], &p), 1), "%zu", i);
		cr_assert(eq(int, p.type, types[i]));
	}
}

Test(mqtt_packet, a_broker_says_its_limits)
{
	struct mqtt_packet p;

	cr_assert(eq(int, read_all(whole[0], &p), 1));
	cr_assert(eq(int, p.limits.receive_max, 65535));
	cr_assert(p.limits.retain && p.limits.qos_max == 1 && !p.session_present);
	cr_assert(eq(int, read_all(whole[1], &p), 1));
	cr_assert(eq(int, p.limits.receive_max, 20));
	cr_assert(eq(int, p.limits.keep_alive_s, 5));
	cr_assert(eq(int, p.limits.packet_max, 4096));
	cr_assert(p.session_present);
	cr_assert(eq(int, read_all(whole[2], &p), 1));
	cr_assert(eq(int, p.reason, 0x87));
	cr_assert(bytes_equal(p.text, BYTES("nope")));
	cr_assert(strcmp(mqtt_reason_text(p.reason), "not authorized") == 0);
}

Test(mqtt_packet, a_message_has_topic_and_payload)
{
	struct mqtt_packet p;

	cr_assert(eq(int, read_all(whole[4], &p), 1));
	cr_assert(bytes_equal(p.topic, BYTES("a/b")) && bytes_equal(p.payload, BYTES("hello")));
	cr_assert(p.id == 0x102 && p.qos == 1 && !p.dup && !p.retain && p.payload_bytes == 5);
	cr_assert(eq(int, read_all(whole[5], &p), 1));
	cr_assert(p.id == 7 && p.dup && p.retain);
	cr_assert(bytes_equal(p.payload, BYTES("xy")));
}

/* The same bytes in pieces of any size are the same packets. */
Test(mqtt_packet, split_anywhere)
{
	SCOPED(buf_fini) struct buf all = {0};
	const size_t n = sizeof whole / sizeof whole[0];

	for (size_t i = 0; i < n; i++)
		buf_put(&all, whole[i]);
	for (size_t step = 1; step <= all.len; step++) {
		size_t got = 0;
		for (size_t at = 0; at < all.len; at += step) {
			struct bytes in = {all.data + at, step < all.len - at ? step : all.len - at};
			struct mqtt_packet p, alone;
			int r;
			while ((r = mqtt_read(&reader, &in, &p)) > 0) {
				struct mqtt_reader other = {.version = MQTT_5, .payload_max = 2000};
				struct bytes again = whole[got++];
				cr_assert(eq(int, mqtt_read(&other, &again, &alone), 1));
				cr_assert(p.type == alone.type && p.id == alone.id &&
					  p.reason == alone.reason);
				cr_assert(bytes_equal(p.topic, alone.topic));
				cr_assert(bytes_equal(p.payload, alone.payload));
				mqtt_reader_fini(&other);
			}
			cr_assert(eq(int, r, 0));
		}
		cr_assert(eq(sz, got, n), "step %zu", step);
	}
}

/* Cut short, with a length that agrees: malformed, or (a payload, reasons) shorter; never read behind its
 * end. */
Test(mqtt_packet, cut_anywhere)
{
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
		for (size_t len = 2; len < whole[i].len; len++) {
			/* just as long, so that a sanitizer sees a read behind it */
			SCOPED(scope_free) uint8_t *cut = malloc(len);
			struct mqtt_packet p = {0};
			memcpy(cut, whole[i].data, len);
			cut[1] = (uint8_t)(len - 2);
			const int r = read_all((struct bytes){cut, len}, &p);
			cr_assert(r == ERR_MALFORMED || r == 1);
			if (r == 1)
				cr_assert(p.topic.len + p.payload.len + p.reasons.len <= len);
			mqtt_reader_fini(&reader);
		}
}

Test(mqtt_packet, nonsense_is_malformed)
{
	static const struct bytes bad[] = {
		R("\x00\x00"), /* no such type */
		R("\xf0\x00"), /* AUTH: never asked for */
		R("\x10\x00"), /* what only a client sends */
		R("\x82\x00"),
		R("\xc0\x00"),
		R("\x50\x02\x00\x01"), /* of QoS 2 */
		R("\x34\x0a\x00\x03"
		  "a/b\x00\x01\x00hi"), /* QoS 2 */
		R("\x36\x0a\x00\x03"
		  "a/b\x00\x01\x00hi"), /* QoS 3 */
		R("\x38\x08\x00\x03"
		  "a/b\x00hi"), /* DUP with QoS 0 */
		R("\x32\x0a\x00\x03"
		  "a/b\x00\x00\x00hi"), /* no packet id */
		R("\x30\x08\x00\x03"
		  "a/+\x00hi"),
		R("\x30\x06\x00\x00\x00hix"),
		R("\x30\x08\x00\x03"
		  "a\xff"
		  "b\x00hi"),
		R("\x30\x08\x00\x03"
		  "a\x00"
		  "b\x00hi"),
		R("\x30\x08\x00\x09"
		  "a/b\x00hi"), /* the topic is longer than the packet */
		R("\x30\x0a\x00\x03"
		  "a/b\x09\x0b\x01hi"), /* so are the properties */
		R("\x30\x0a\x00\x03"
		  "a/b\x02\x24\x01hi"), /* a property of another packet */
		R("\x30\x0a\x00\x03"
		  "a/b\x02\x7f\x01hi"), /* no such property */
		R("\x30\x0c\x00\x03"
		  "a/b\x04\x01\x00\x01\x00hi"),        /* twice */
		R("\x20\x06\x00\x00\x03\x21\x00\x00"), /* receive maximum 0 */
		R("\x20\x05\x00\x00\x02\x24\x02"),     /* maximum QoS 2 is never said */
		R("\x20\x03\x02\x00\x00"),
		R("\x20\x04\x00\x00\x00\x00"),
		R("\x20\x02\x00\x00"), /* 3.1.1 accepts what was 5 */
		R("\x21\x03\x00\x00\x00"),
		R("\x40\x02\x00\x00"),
		R("\x40\x01\x00"),
		R("\x90\x01\x00"),
		R("\xd0\x01\x00"),
		R("\x30\xff\xff\xff\xff\x01"),
		R("\xd0\x80\x00"),
		R("\x90\xff\xff\x7f"), /* longer than any answer */
	};
	struct mqtt_packet p;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		cr_assert(eq(int, read_all(bad[i], &p), ERR_MALFORMED), "%zu", i);
		mqtt_reader_fini(&reader);
	}
}

Test(mqtt_packet, three_has_its_own_numbers)
{
	struct mqtt_packet p;

	/* an answer to 5 by a broker that knows 3.1.1 only */
	cr_assert(eq(int, read_all(RAW("\x20\x02\x00\x01"), &p), 1));
	cr_assert(eq(int, p.reason, MQTT_BAD_VERSION));
	reader.version = MQTT_3;
	cr_assert(eq(int, read_all(RAW("\x20\x02\x01\x00"), &p), 1));
	cr_assert(p.session_present && p.reason == 0);
	cr_assert(eq(int, read_all(RAW("\x20\x02\x00\x05"), &p), 1));
	cr_assert(eq(int, p.reason, 0x87));
	cr_assert(eq(int, read_all(RAW("\x20\x02\x00\x77"), &p), 1));
	cr_assert(eq(int, p.reason, MQTT_FAILURE));
	cr_assert(eq(int,
		     read_all(RAW("\x32\x09\x00\x03"
				  "a/b\x00\x01hi"),
			      &p),
		     1));
	cr_assert(bytes_equal(p.payload, BYTES("hi")));
	cr_assert(eq(int, read_all(RAW("\x90\x03\xff\xff\x80"), &p), 1));
	cr_assert(eq(int, p.reasons.data[0], 0x80));
	cr_assert(eq(int, read_all(RAW("\xe0\x00"), &p), ERR_MALFORMED));
}

static void put_long(struct buf *b, size_t payload)
{
	const size_t len = 2 + 3 + 2 + 1 + payload;

	buf_put_u8(b, 0x32);
	for (size_t v = len;; v >>= 7) {
		buf_put_u8(b, (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0)));
		if (v <= 0x7f)
			break;
	}
	buf_put(b, RAW("\x00\x03"
		       "a/b\x00\x07\x00"));
	memset(buf_extend(b, payload), 'x', payload);
}

/* However it is cut up: its beginning comes, the rest is not kept, and what comes behind it is read. */
Test(mqtt_packet, a_long_message_is_not_kept)
{
	static const size_t lengths[] = {2000, 2001, 2000 + MQTT_ROOM, 3000000};
	static const size_t steps[] = {1000, 65536, 1 << 24};

	for (size_t k = 0; k < 12; k++) {
		SCOPED(buf_fini) struct buf b = {0};
		const size_t payload = lengths[k / 3], step = steps[k % 3];
		size_t got = 0;
		put_long(&b, payload);
		buf_put(&b, whole[11]);
		for (size_t at = 0; at < b.len; at += step) {
			struct bytes in = {b.data + at, step < b.len - at ? step : b.len - at};
			struct mqtt_packet p;
			int r;
			while ((r = mqtt_read(&reader, &in, &p)) > 0 && ++got == 1) {
				cr_assert(p.id == 7 && p.payload_bytes == payload);
				cr_assert(eq(sz, p.payload.len, payload <= 2000 ? payload : MQTT_HEAD_BYTES));
			}
			cr_assert(ge(int, r, 0));
			cr_assert(le(sz, reader.part.size, 2 * (MQTT_ROOM + 4096)));
		}
		cr_assert(eq(sz, got, 2), "payload %zu, step %zu", payload, step);
	}
}

static void expect(const struct buf *b, struct bytes want)
{
	cr_assert(bytes_equal(buf_bytes(b), want));
}

Test(mqtt_packet, what_a_client_writes)
{
	SCOPED(buf_fini) struct buf b = {0};
	static const char *const filters[] = {"a/+", "b/#"};
	const struct mqtt_connect connect = {
		.client_id = "n", .user = "u", .password = "p", .keep_alive_s = 30, .session_s = 7};

	mqtt_write_connect(&b, MQTT_5, &connect);
	expect(&b, RAW("\x10\x1c\x00\x04MQTT\x05\xc0\x00\x1e\x08\x11\x00\x00\x00\x07\x21\xff\xff\x00\x01n\x00"
		       "\x01u\x00"
		       "\x01p"));
	buf_clear(&b);
	mqtt_write_connect(&b, MQTT_3,
			   &(struct mqtt_connect){.client_id = "n",
						  .will_topic = "w",
						  .will_payload = BYTES("x"),
						  .will_retain = true});
	expect(&b, RAW("\x10\x13\x00\x04MQTT\x04\x2c\x00\x00\x00\x01n\x00\x01w\x00\x01x"));
	buf_clear(&b);
	mqtt_write_subscribe(&b, MQTT_5, 9, filters, 2);
	expect(&b, RAW("\x82\x0f\x00\x09\x00\x00\x03"
		       "a/+\x11\x00\x03"
		       "b/#\x11"));
	buf_clear(&b);
	mqtt_write_unsubscribe(&b, MQTT_3, 9, filters, 1);
	expect(&b, RAW("\xa2\x07\x00\x09\x00\x03"
		       "a/+"));
	buf_clear(&b);
	mqtt_write_puback(&b, 0x1234);
	mqtt_write_ping(&b);
	mqtt_write_disconnect(&b, MQTT_5, 0);
	mqtt_write_disconnect(&b, MQTT_5, 0x82);
	expect(&b, RAW("\x40\x02\x12\x34\xc0\x00\xe0\x00\xe0\x01\x82"));
}

/* What is published is what a reader reads, with both versions. */
Test(mqtt_packet, a_message_there_and_back)
{
	SCOPED(buf_fini) struct buf b = {0};
	struct mqtt_packet p;
	struct mqtt_out m = {.topic = "t", .payload = BYTES("20.5"), .id = 5, .dup = true, .expiry_s = 60};

	mqtt_write_publish(&b, MQTT_5, &m);
	expect(&b, RAW("\x3a\x0f\x00\x01t\x00\x05\x05\x02\x00\x00\x00\x3c"
		       "20.5"));
	cr_assert(eq(sz, mqtt_publish_bytes(MQTT_5, &m), b.len - 2));
	cr_assert(eq(int, read_all(buf_bytes(&b), &p), 1));
	cr_assert(p.id == 5 && p.dup && bytes_equal(p.payload, m.payload));
	buf_clear(&b);
	m = (struct mqtt_out){.topic = "t", .retain = true};
	mqtt_write_publish(&b, reader.version = MQTT_3, &m);
	expect(&b, RAW("\x31\x03\x00\x01t"));
	cr_assert(eq(int, read_all(buf_bytes(&b), &p), 1));
	cr_assert(p.qos == 0 && p.retain && p.payload.len == 0);
}
