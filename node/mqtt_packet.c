/* SPDX-License-Identifier: Apache-2.0 */
#include "node/mqtt_packet.h"

#include "proto/words.h"

/* What is left of a packet. A read behind its end makes it bad; everything read after that is zero. */
struct cursor {
	struct bytes rest;
	bool bad;
};

static struct bytes take(struct cursor *c, size_t n)
{
	struct bytes b = {c->rest.data, n};

	if (n > c->rest.len) {
		c->bad = true;
		c->rest.len = 0;
		return (struct bytes){NULL, 0};
	}
	c->rest.data += n;
	c->rest.len -= n;
	return b;
}

static uint8_t take_u8(struct cursor *c)
{
	const struct bytes b = take(c, 1);

	return b.len > 0 ? b.data[0] : 0;
}

static uint16_t take_u16(struct cursor *c)
{
	const struct bytes b = take(c, 2);

	return b.len > 0 ? (uint16_t)(b.data[0] << 8 | b.data[1]) : 0;
}

static uint32_t take_u32(struct cursor *c)
{
	const struct bytes b = take(c, 4);

	return b.len > 0 ? get_u32(b.data) : 0;
}

/* At most four bytes, the last one without its highest bit; a longer way of writing it than needed is bad. */
static uint32_t take_length(struct cursor *c)
{
	uint32_t v = 0;

	for (unsigned int shift = 0; shift < 28; shift += 7) {
		const uint8_t b = take_u8(c);
		v |= (uint32_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			c->bad = c->bad || (b == 0 && shift > 0);
			return v;
		}
	}
	c->bad = true;
	return 0;
}

static struct bytes take_binary(struct cursor *c)
{
	return take(c, take_u16(c));
}

static struct bytes take_text(struct cursor *c)
{
	const struct bytes b = take_binary(c);

	c->bad = c->bad || !text_is_clean(b);
	return b;
}

/* Properties (mqtt-v5.0, 2.2.2.2): how a value is written, and in which packets of a broker it may be. */
enum form { FORM_NONE, FORM_BYTE, FORM_TWO, FORM_FOUR, FORM_LENGTH, FORM_TEXT, FORM_BINARY, FORM_PAIR };

enum {
	P_RECEIVE_MAX = 0x21,
	P_SESSION_EXPIRY = 0x11,
	P_MESSAGE_EXPIRY = 0x02,
	P_KEEP_ALIVE = 0x13,
	P_REASON = 0x1f,
	P_QOS_MAX = 0x24,
	P_RETAIN = 0x25,
	P_PACKET_MAX = 0x27,
	N_PROPERTIES = 0x2b,
	IN_CONNACK = 1 << MQTT_CONNACK,
	IN_PUBLISH = 1 << MQTT_PUBLISH,
	IN_ACKS = 1 << MQTT_PUBACK | 1 << MQTT_SUBACK | 1 << MQTT_UNSUBACK,
	IN_BYE = 1 << MQTT_DISCONNECT,
};

static const struct property {
	enum form form;
	unsigned int in;
	bool often; /* may be there more than once */
} properties[N_PROPERTIES] = {
	[0x01] = {FORM_BYTE, IN_PUBLISH, false},
	[P_MESSAGE_EXPIRY] = {FORM_FOUR, IN_PUBLISH, false},
	[0x03] = {FORM_TEXT, IN_PUBLISH, false},
	[0x08] = {FORM_TEXT, IN_PUBLISH, false},
	[0x09] = {FORM_BINARY, IN_PUBLISH, false},
	[0x0b] = {FORM_LENGTH, IN_PUBLISH, true},
	[P_SESSION_EXPIRY] = {FORM_FOUR, IN_CONNACK, false},
	[0x12] = {FORM_TEXT, IN_CONNACK, false},
	[P_KEEP_ALIVE] = {FORM_TWO, IN_CONNACK, false},
	[0x15] = {FORM_TEXT, IN_CONNACK, false},
	[0x16] = {FORM_BINARY, IN_CONNACK, false},
	[0x1a] = {FORM_TEXT, IN_CONNACK, false},
	[0x1c] = {FORM_TEXT, IN_CONNACK | IN_BYE, false},
	[P_REASON] = {FORM_TEXT, IN_CONNACK | IN_ACKS | IN_BYE, false},
	[P_RECEIVE_MAX] = {FORM_TWO, IN_CONNACK, false},
	[0x22] = {FORM_TWO, IN_CONNACK, false},
	[P_QOS_MAX] = {FORM_BYTE, IN_CONNACK, false},
	[P_RETAIN] = {FORM_BYTE, IN_CONNACK, false},
	[0x26] = {FORM_PAIR, IN_CONNACK | IN_PUBLISH | IN_ACKS | IN_BYE, true},
	[P_PACKET_MAX] = {FORM_FOUR, IN_CONNACK, false},
	[0x28] = {FORM_BYTE, IN_CONNACK, false},
	[0x29] = {FORM_BYTE, IN_CONNACK, false},
	[0x2a] = {FORM_BYTE, IN_CONNACK, false},
};

static uint32_t take_value(struct cursor *c, enum form form, struct bytes *ret_text)
{
	switch (form) {
	case FORM_BYTE: return take_u8(c);
	case FORM_TWO: return take_u16(c);
	case FORM_FOUR: return take_u32(c);
	case FORM_LENGTH: return take_length(c);
	case FORM_TEXT: *ret_text = take_text(c); return 0;
	case FORM_BINARY: *ret_text = take_binary(c); return 0;
	case FORM_PAIR:
		take_text(c);
		take_text(c);
		return 0;
	case FORM_NONE: break;
	}
	c->bad = true;
	return 0;
}

/* One property is noted; whether its value may be so. */
static bool note_property(struct mqtt_packet *p, uint32_t name, uint32_t v, struct bytes text)
{
	switch (name) {
	case P_RECEIVE_MAX: p->limits.receive_max = (uint16_t)v; return v > 0;
	case P_KEEP_ALIVE: p->limits.keep_alive_s = (uint16_t)v; return true;
	case P_QOS_MAX: p->limits.qos_max = (uint8_t)v; return v <= 1;
	case P_RETAIN: p->limits.retain = v == 1; return v <= 1;
	case P_PACKET_MAX: p->limits.packet_max = v; return v > 0;
	case P_REASON: p->text = text; return true;
	default: return true;
	}
}

static void take_properties(struct cursor *c, struct mqtt_packet *p)
{
	const uint32_t len = take_length(c);
	struct cursor of = {.rest = take(c, len)};
	uint64_t seen = 0;

	while (of.rest.len > 0 && !of.bad) {
		const uint32_t name = take_length(&of);
		struct bytes text = {0};
		if (name >= N_PROPERTIES || !(properties[name].in & 1u << p->type) ||
		    (!properties[name].often && (seen >> name & 1))) {
			of.bad = true;
			break;
		}
		seen |= 1ull << name;
		const uint32_t v = take_value(&of, properties[name].form, &text);
		of.bad = of.bad || !note_property(p, name, v, text);
	}
	c->bad = c->bad || of.bad;
}

/* 3.1.1 has its own numbers for why a connection is refused. */
static uint8_t connack_reason(uint8_t code)
{
	static const uint8_t reasons[] = {0, MQTT_BAD_VERSION, 0x85, 0x88, 0x86, 0x87};

	return code < sizeof reasons ? reasons[code] : MQTT_FAILURE;
}

/* A broker that does not know 5 answers as of 3.1.1: without properties. */
static void read_connack(struct cursor *c, enum mqtt_version version, struct mqtt_packet *p)
{
	const uint8_t flags = take_u8(c);
	const bool is_3 = version == MQTT_3 || c->rest.len == 1;

	p->limits = (struct mqtt_limits){
		.packet_max = MQTT_PACKET_MAX, .receive_max = MQTT_ID_MAX, .qos_max = 1, .retain = true};
	p->session_present = flags & 1;
	p->reason = take_u8(c);
	if (is_3)
		p->reason = connack_reason(p->reason);
	else
		take_properties(c, p);
	c->bad = c->bad || flags > 1 || (is_3 && version == MQTT_5 && p->reason == 0);
}

/* A name that is published to: not empty, nothing that stands for many. */
static bool is_topic(struct bytes t)
{
	return t.len > 0 && !memchr(t.data, '+', t.len) && !memchr(t.data, '#', t.len);
}

static void read_publish(struct cursor *c, enum mqtt_version version, uint8_t flags, struct mqtt_packet *p)
{
	p->dup = flags & 8;
	p->qos = flags >> 1 & 3;
	p->retain = flags & 1;
	p->topic = take_text(c);
	if (p->qos > 0)
		p->id = take_u16(c);
	if (version == MQTT_5)
		take_properties(c, p);
	p->payload = c->rest;
	c->rest.len = 0;
	c->bad = c->bad || p->qos > 1 || (p->qos == 0 && p->dup) || (p->qos == 1 && p->id == 0) ||
		 !is_topic(p->topic);
}

static void read_puback(struct cursor *c, enum mqtt_version version, struct mqtt_packet *p)
{
	p->id = take_u16(c);
	if (version == MQTT_5 && c->rest.len > 0)
		p->reason = take_u8(c);
	if (version == MQTT_5 && c->rest.len > 0)
		take_properties(c, p);
	c->bad = c->bad || p->id == 0;
}

static void read_suback(struct cursor *c, enum mqtt_version version, struct mqtt_packet *p)
{
	p->id = take_u16(c);
	if (version == MQTT_5)
		take_properties(c, p);
	p->reasons = c->rest;
	c->rest.len = 0;
	c->bad = c->bad || p->id == 0;
}

static void read_bye(struct cursor *c, enum mqtt_version version, struct mqtt_packet *p)
{
	c->bad = version == MQTT_3; /* there only a client says it */
	if (c->rest.len > 0)
		p->reason = take_u8(c);
	if (c->rest.len > 0)
		take_properties(c, p);
}

/* The packet whose first byte and rest these are. */
static int decode(enum mqtt_version version, uint8_t first, struct bytes rest, struct mqtt_packet *ret)
{
	struct cursor c = {.rest = rest};
	const uint8_t flags = first & 15;

	*ret = (struct mqtt_packet){.type = (enum mqtt_type)(first >> 4)};
	if (flags != 0 && ret->type != MQTT_PUBLISH)
		return FAIL(ERR_MALFORMED);
	switch (first >> 4) {
	case MQTT_CONNACK: read_connack(&c, version, ret); break;
	case MQTT_PUBLISH: read_publish(&c, version, flags, ret); break;
	case MQTT_PUBACK: read_puback(&c, version, ret); break;
	case MQTT_SUBACK:
	case MQTT_UNSUBACK: read_suback(&c, version, ret); break;
	case MQTT_PINGRESP: break;
	case MQTT_DISCONNECT: read_bye(&c, version, ret); break;
	default: return FAIL(ERR_MALFORMED);
	}
	return c.bad || c.rest.len > 0 ? FAIL(ERR_MALFORMED) : 0;
}

/* `missing` bytes of the packet were not kept. */
static int hand_out(struct mqtt_reader *r, uint8_t first, struct bytes rest, size_t missing,
		    struct mqtt_packet *ret)
{
	TRY(decode(r->version, first, rest, ret));
	ret->payload_bytes = (uint32_t)(ret->payload.len + missing);
	if (ret->payload_bytes <= r->payload_max)
		return 1;
	const size_t shown = r->payload_max < MQTT_HEAD_BYTES ? r->payload_max : MQTT_HEAD_BYTES;
	if (ret->payload.len > shown)
		ret->payload.len = shown;
	else if (missing > 0) /* so much is in front of it that too little was kept */
		return FAIL(ERR_MALFORMED);
	return 1;
}

/* First byte and length of a packet. 1: *ret_head bytes are them; 0: not all there. */
static int read_head(struct bytes b, size_t *ret_head, uint32_t *ret_len)
{
	struct cursor c = {.rest = b};

	take_u8(&c);
	for (size_t i = 1; i < b.len && i <= 4; i++)
		if (b.data[i] < 0x80 || i == 4) {
			*ret_len = take_length(&c);
			*ret_head = b.len - c.rest.len;
			return c.bad ? FAIL(ERR_MALFORMED) : 1;
		}
	return 0;
}

static int keep(struct mqtt_reader *r, struct bytes *in, size_t n)
{
	n = n < in->len ? n : in->len;
	buf_put(&r->part, (struct bytes){in->data, n});
	in->data += n;
	in->len -= n;
	return buf_check(&r->part);
}

/* Bytes that are kept of a packet of this length: all, or of a long message what it begins with. */
static int kept_bytes(const struct mqtt_reader *r, uint8_t first, uint32_t len, size_t *ret)
{
	const bool is_message = first >> 4 == MQTT_PUBLISH;

	if (!is_message && len > MQTT_ROOM)
		return FAIL(ERR_MALFORMED);
	*ret = is_message && len > (size_t)r->payload_max + MQTT_ROOM ? MQTT_ROOM : len;
	return 0;
}

/* Go on with the packet in `part`. */
static int read_part(struct mqtt_reader *r, struct bytes *in, struct mqtt_packet *ret)
{
	size_t head = 0, kept = 0;
	uint32_t len = 0;
	int got;

	while ((got = read_head(buf_bytes(&r->part), &head, &len)) == 0 && in->len > 0)
		TRY(keep(r, in, 1));
	TRY(got);
	if (got == 0)
		return 0;
	TRY(kept_bytes(r, r->part.data[0], len, &kept));
	TRY(keep(r, in, head + kept - r->part.len));
	if (r->part.len < head + kept)
		return 0;
	r->taken = true;
	r->skip_bytes = len - kept;
	return hand_out(r, r->part.data[0], (struct bytes){r->part.data + head, kept}, len - kept, ret);
}

static void skip(struct mqtt_reader *r, struct bytes *in)
{
	const size_t n = r->skip_bytes < in->len ? r->skip_bytes : in->len;

	r->skip_bytes -= n;
	in->data += n;
	in->len -= n;
}

static void forget_part(struct mqtt_reader *r)
{
	enum { SMALL = 64 * 1024 };

	r->taken = false;
	if (r->part.size > SMALL)
		buf_fini(&r->part);
	buf_clear(&r->part);
}

void mqtt_reader_fini(struct mqtt_reader *r)
{
	buf_fini(&r->part);
	r->skip_bytes = 0;
	r->taken = false;
}

int mqtt_read(struct mqtt_reader *r, struct bytes *in, struct mqtt_packet *ret)
{
	size_t head = 0, kept = 0;
	uint32_t len = 0;

	if (r->taken)
		forget_part(r);
	skip(r, in);
	if (in->len == 0)
		return 0;
	/* Mostly a packet lies there whole: it is read where it lies. */
	if (r->part.len == 0) {
		const int got = read_head(*in, &head, &len);
		TRY(got);
		if (got == 0)
			return read_part(r, in, ret);
		TRY(kept_bytes(r, in->data[0], len, &kept));
		if (kept == len && in->len - head >= len) {
			const struct bytes whole = {in->data + head, len};
			const uint8_t first = in->data[0];
			in->data += head + len;
			in->len -= head + len;
			return hand_out(r, first, whole, 0, ret);
		}
	}
	return read_part(r, in, ret);
}
