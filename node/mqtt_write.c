/* SPDX-License-Identifier: Apache-2.0 */
/* What a client sends: mqtt_packet.h. */
#include "node/mqtt_packet.h"

enum {
	P_MESSAGE_EXPIRY = 0x02,
	P_SESSION_EXPIRY = 0x11,
	P_RECEIVE_MAX = 0x21,
	RETAINED_IF_NEW = 1 << 4, /* old values only when the session did not know the subscription */
};

static void put_u16(struct buf *out, size_t v)
{
	buf_put_u8(out, (uint8_t)(v >> 8));
	buf_put_u8(out, (uint8_t)v);
}

static void put_length(struct buf *out, size_t v)
{
	for (; v > 0x7f; v >>= 7)
		buf_put_u8(out, (uint8_t)(v | 0x80));
	buf_put_u8(out, (uint8_t)v);
}

static void put_binary(struct buf *out, struct bytes b)
{
	put_u16(out, b.len);
	buf_put(out, b);
}

static void put_text(struct buf *out, const char *text)
{
	put_binary(out, bytes_of_text(text));
}

static void put_packet(struct buf *out, enum mqtt_type type, unsigned int flags, const struct buf *body)
{
	buf_put_u8(out, (uint8_t)((unsigned int)type << 4 | flags));
	put_length(out, body->len);
	buf_put(out, buf_bytes(body));
	out->failed = out->failed || body->failed;
}

static void put_will(struct buf *body, enum mqtt_version version, const struct mqtt_connect *c)
{
	if (version == MQTT_5)
		buf_put_u8(body, 0); /* no properties */
	put_text(body, c->will_topic);
	put_binary(body, c->will_payload);
}

static unsigned int connect_flags(const struct mqtt_connect *c)
{
	return (c->user ? 0x80u : 0) | (c->password ? 0x40u : 0) | (c->will_topic ? 0x0cu : 0) |
	       (c->will_topic && c->will_retain ? 0x20u : 0);
}

void mqtt_write_connect(struct buf *out, enum mqtt_version version, const struct mqtt_connect *c)
{
	SCOPED(buf_fini) struct buf body = {0};

	put_text(&body, "MQTT");
	buf_put_u8(&body, (uint8_t)version);
	buf_put_u8(&body, (uint8_t)connect_flags(c));
	put_u16(&body, c->keep_alive_s);
	if (version == MQTT_5) {
		put_length(&body, 8);
		buf_put_u8(&body, P_SESSION_EXPIRY);
		buf_put_u32(&body, c->session_s > 0 ? c->session_s : UINT32_MAX);
		buf_put_u8(&body, P_RECEIVE_MAX);
		put_u16(&body, MQTT_ID_MAX);
	}
	put_text(&body, c->client_id);
	if (c->will_topic)
		put_will(&body, version, c);
	if (c->user)
		put_text(&body, c->user);
	if (c->password)
		put_text(&body, c->password);
	put_packet(out, MQTT_CONNECT, 0, &body);
}

size_t mqtt_publish_bytes(enum mqtt_version version, const struct mqtt_out *m)
{
	size_t properties = 0;

	if (version == MQTT_5)
		properties = m->expiry_s > 0 ? 6 : 1;
	return 2 + strlen(m->topic) + (m->id > 0 ? 2 : 0) + properties + m->payload.len;
}

void mqtt_write_publish(struct buf *out, enum mqtt_version version, const struct mqtt_out *m)
{
	const unsigned int flags = (m->dup ? 8u : 0) | (m->id > 0 ? 2u : 0) | (m->retain ? 1u : 0);

	buf_put_u8(out, (uint8_t)((unsigned int)MQTT_PUBLISH << 4 | flags));
	put_length(out, mqtt_publish_bytes(version, m));
	put_text(out, m->topic);
	if (m->id > 0)
		put_u16(out, m->id);
	if (version == MQTT_5 && m->expiry_s > 0) {
		put_length(out, 5);
		buf_put_u8(out, P_MESSAGE_EXPIRY);
		buf_put_u32(out, m->expiry_s);
	} else if (version == MQTT_5) {
		put_length(out, 0);
	}
	buf_put(out, m->payload);
}

void mqtt_write_puback(struct buf *out, uint16_t id)
{
	const uint8_t packet[] = {MQTT_PUBACK << 4, 2, (uint8_t)(id >> 8), (uint8_t)id};

	buf_put(out, (struct bytes){packet, sizeof packet});
}

void mqtt_write_subscribe(struct buf *out, enum mqtt_version version, uint16_t id, const char *const *filters,
			  size_t n)
{
	SCOPED(buf_fini) struct buf body = {0};

	put_u16(&body, id);
	if (version == MQTT_5)
		put_length(&body, 0);
	for (size_t i = 0; i < n; i++) {
		put_text(&body, filters[i]);
		buf_put_u8(&body, version == MQTT_5 ? RETAINED_IF_NEW | 1 : 1);
	}
	put_packet(out, MQTT_SUBSCRIBE, 2, &body);
}

void mqtt_write_unsubscribe(struct buf *out, enum mqtt_version version, uint16_t id,
			    const char *const *filters, size_t n)
{
	SCOPED(buf_fini) struct buf body = {0};

	put_u16(&body, id);
	if (version == MQTT_5)
		put_length(&body, 0);
	for (size_t i = 0; i < n; i++)
		put_text(&body, filters[i]);
	put_packet(out, MQTT_UNSUBSCRIBE, 2, &body);
}

void mqtt_write_ping(struct buf *out)
{
	buf_put(out, (struct bytes){(const uint8_t[]){MQTT_PINGREQ << 4, 0}, 2});
}

void mqtt_write_disconnect(struct buf *out, enum mqtt_version version, uint8_t reason)
{
	const uint8_t packet[] = {MQTT_DISCONNECT << 4, 1, reason};

	if (version == MQTT_5 && reason != 0)
		buf_put(out, (struct bytes){packet, 3});
	else
		buf_put(out, (struct bytes){(const uint8_t[]){MQTT_DISCONNECT << 4, 0}, 2});
}

const char *mqtt_reason_text(uint8_t reason)
{
	static const char *const texts[] = {
		[0x00] = "unspecified error",
		"malformed packet",
		"protocol error",
		"implementation specific error",
		"unsupported protocol version",
		"client identifier not valid",
		"bad user name or password",
		"not authorized",
		"server unavailable",
		"server busy",
		"banned",
		"server shutting down",
		"bad authentication method",
		"keep alive timeout",
		"session taken over",
		"topic filter invalid",
		"topic name invalid",
		"packet identifier in use",
		"packet identifier not found",
		"receive maximum exceeded",
		"topic alias invalid",
		"packet too large",
		"message rate too high",
		"quota exceeded",
		"administrative action",
		"payload format invalid",
		"retain not supported",
		"QoS not supported",
		"use another server",
		"server moved",
		"shared subscriptions not supported",
		"connection rate exceeded",
		"maximum connect time",
		"subscription identifiers not supported",
		"wildcard subscriptions not supported",
	};

	if (reason < MQTT_FAILURE)
		return "";
	reason = (uint8_t)(reason - MQTT_FAILURE);
	return reason < sizeof texts / sizeof texts[0] ? texts[reason] : "unknown reason";
}
