/* SPDX-License-Identifier: Apache-2.0 */
/* MQTT packet - what a client and a broker send each other, as bytes (OASIS mqtt-v5.0 and mqtt-v3.1.1,
 * chapters 2 and 3). No socket, no state but that of half a packet.
 *
 * Only what a client with QoS 0 and 1 gets is read: anything else is malformed, and so is a packet that the
 * standard calls so. A message that is too long is not kept: of it comes the beginning.
 */
#pragma once

#include "proto/buf.h"

enum mqtt_type {
	MQTT_CONNECT = 1,
	MQTT_CONNACK,
	MQTT_PUBLISH,
	MQTT_PUBACK,
	MQTT_SUBSCRIBE = 8,
	MQTT_SUBACK,
	MQTT_UNSUBSCRIBE,
	MQTT_UNSUBACK,
	MQTT_PINGREQ,
	MQTT_PINGRESP,
	MQTT_DISCONNECT
};

enum mqtt_version { MQTT_3 = 4, MQTT_5 = 5 }; /* as in CONNECT: 3.1.1 and 5.0 */

/* Reason codes that somebody here looks at (mqtt-v5.0, 2.4). */
enum {
	MQTT_FAILURE = 0x80, /* and everything above it */
	MQTT_BAD_VERSION = 0x84,
	MQTT_TAKEN_OVER = 0x8e
};

enum {
	MQTT_ROOM = 128 * 1024, /* topic, properties and all of a PUBLISH but its payload; other packets */
	MQTT_HEAD_BYTES = 1024, /* kept of a payload that is too long */
	MQTT_PACKET_MAX = 268435455,
	MQTT_ID_MAX = 65535,
};

/* What a broker says of itself, with the values for what it does not say. */
struct mqtt_limits {
	uint32_t packet_max;
	uint16_t receive_max, keep_alive_s; /* keep_alive_s 0: ours is good */
	uint8_t qos_max;
	bool retain;
};

/* Views are into what was read, good until the next mqtt_read(). */
struct mqtt_packet {
	enum mqtt_type type;
	uint16_t id;               /* PUBLISH of QoS 1, PUBACK, SUBACK, UNSUBACK */
	uint8_t reason;            /* CONNACK (with 3.1.1 as that of 5), PUBACK, DISCONNECT */
	struct bytes text;         /* what the broker says to it; may be empty */
	struct bytes reasons;      /* SUBACK, UNSUBACK: one per filter */
	bool session_present;      /* CONNACK */
	struct mqtt_limits limits; /* CONNACK */
	bool dup, retain;          /* PUBLISH, as what follows */
	uint8_t qos;
	struct bytes topic, payload;
	uint32_t payload_bytes; /* whole length */
};

/* Half a packet. */
struct mqtt_reader {
	enum mqtt_version version;
	uint32_t payload_max;
	struct buf part;   /* what has come of the packet that is not whole */
	size_t skip_bytes; /* so much of what comes is the rest of one that is too long */
	bool taken;        /* `part` was handed out */
};

void mqtt_reader_fini(struct mqtt_reader *r); /* half a packet is forgotten; leaves version and limit */
/* Takes bytes off `in` up to the end of a packet. 1: *ret is one; 0: all is taken, more is needed;
 * ERR_MALFORMED, -ENOMEM: there is no going on with this connection. */
MUST_CHECK int mqtt_read(struct mqtt_reader *r, struct bytes *in, struct mqtt_packet *ret);

struct mqtt_connect {
	const char *client_id, *user, *password, *will_topic;
	struct bytes will_payload;
	bool will_retain;
	uint16_t keep_alive_s;
	uint32_t session_s; /* 0: no end */
};
/* Written at the end of `out`; lengths are the caller's business: texts up to 65535 bytes. */
void mqtt_write_connect(struct buf *out, enum mqtt_version version, const struct mqtt_connect *c);
struct mqtt_out {
	const char *topic;
	struct bytes payload;
	uint16_t id; /* QoS 1; 0: QoS 0 */
	bool retain, dup;
	uint32_t expiry_s; /* 0: none; 3.1.1 does not know it */
};
void mqtt_write_publish(struct buf *out, enum mqtt_version version, const struct mqtt_out *m);
/* So long is it, without what precedes its length. */
size_t mqtt_publish_bytes(enum mqtt_version version, const struct mqtt_out *m);
void mqtt_write_puback(struct buf *out, uint16_t id);
void mqtt_write_subscribe(struct buf *out, enum mqtt_version version, uint16_t id, const char *const *filters,
			  size_t n);
void mqtt_write_unsubscribe(struct buf *out, enum mqtt_version version, uint16_t id,
			    const char *const *filters, size_t n);
void mqtt_write_ping(struct buf *out);
void mqtt_write_disconnect(struct buf *out, enum mqtt_version version, uint8_t reason);

/* What a reason code means, for a person. */
const char *mqtt_reason_text(uint8_t reason);
