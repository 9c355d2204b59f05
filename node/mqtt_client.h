/* SPDX-License-Identifier: Apache-2.0 */
/* MQTT client - one connection to a broker, kept up: MQTT 5, or 3.1.1 with a broker that does not know 5
 * (OASIS mqtt-v5.0, mqtt-v3.1.1; packets: node/mqtt_packet.h).
 *
 *     CONNECTING --CONNACK, SUBACK--> CONNECTED --broke, refused, silent--> WAITING --backoff--> CONNECTING
 *
 * What it is for: a message of QoS 1 is acknowledged when the caller says that it is durable, in the order in
 * which they came, and not before. The session is a lasting one: what comes while the node is away the broker
 * keeps, what was not acknowledged comes again (`again`), under a new token.
 *
 * Owner:   the caller, until mqtt_client_close(). Threads: the loop's.
 * Views:   what a callback is given is good until it returns. Callbacks come from the loop, never from within
 *          mqtt_client_*(); from within a callback every function here may be called.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "node/mqtt_packet.h"

struct mqtt_client;

enum {
	MQTT_PAYLOAD_MAX = 256 * 1024, /* default of mqtt_options.payload_max */
	MQTT_KEEP_ALIVE_S = 30,
	MQTT_CONNECT_MS = 10000,            /* from the first packet to the SUBACK */
	MQTT_QUEUE_MAX = 1000,              /* messages that wait to be sent or for their PUBACK */
	MQTT_QUEUE_BYTES_MAX = 4096 * 1024, /* and the most that they take */
};

enum mqtt_state { MQTT_CONNECTING, MQTT_CONNECTED, MQTT_WAITING };

/* A message that came in. */
struct mqtt_message {
	uint64_t token;         /* 1, 2, ...: rises by one with every message */
	struct bytes topic;     /* UTF-8, checked; no NUL, no wildcard */
	struct bytes payload;   /* or its first MQTT_HEAD_BYTES bytes, when it is too long */
	uint32_t payload_bytes; /* whole length; above payload.len: it was too long and was not kept */
	uint8_t qos;            /* 0 or 1 */
	bool again;             /* sent before (DUP): no acknowledgement had reached the broker */
	bool retained;          /* an old value, sent because of the subscription */
};

/* A message to send, QoS 1. */
struct mqtt_publish {
	const char *topic;
	struct bytes payload;
	bool retain;
	int64_t deadline_ms; /* of uv_now(); 0: none. Not sent after it; MQTT 5 tells the broker, too */
};

struct mqtt_will { /* topic NULL: none. What the broker says in our place when we are lost */
	const char *topic;
	struct bytes payload;
	bool retain;
};

/* Names of files are whole paths; they are read at every connection. */
struct mqtt_options {
	const char *host; /* name or address; it is what the broker's certificate must be for */
	uint16_t port;
	const char *client_id;       /* same id: same session; not empty */
	const char *user, *password; /* NULL: none */
	bool tls;
	const char *ca_file;              /* NULL: those of the system */
	const char *cert_file, *key_file; /* of the client, PEM; NULL: none */
	const char *const *filters;       /* to subscribe to, QoS 1 */
	size_t n_filters;
	const char *const *old_filters; /* those of an earlier configuration, taken back; may be empty */
	size_t n_old_filters;
	struct mqtt_will will;
	uint32_t payload_max;  /* 0: MQTT_PAYLOAD_MAX */
	uint16_t keep_alive_s; /* 0: MQTT_KEEP_ALIVE_S */
	uint32_t session_s;    /* how long the broker keeps the session when the node is away; 0: no end */
	bool version_3;        /* begin with 3.1.1, do not try 5 */

	void (*state)(void *ctx, enum mqtt_state state, const char *text); /* text: why, "" for nothing */
	void (*message)(void *ctx, const struct mqtt_message *m);
	/* 0: the broker has it; -ETIMEDOUT: its deadline was over before; ERR_REFUSED: the broker does not
	 * take it (`text`), nor would it the next time. */
	void (*published)(void *ctx, uint64_t id, int code, const char *text);
	uint64_t (*backoff_ms)(void *ctx); /* the connection is lost: when to try again */
	void *ctx;
};

/* Options are copied. Begins to connect at once. -ENOMEM; ERR_REFUSED with a note: options that make no
 * sense. */
MUST_CHECK int mqtt_client_open(struct mqtt_client **ret, uv_loop_t *loop, const struct mqtt_options *opt,
				struct err_note *note);
/* Says good-bye (the session stays), then `closed` (NULL is fine), no other callback comes any more. */
void mqtt_client_close(struct mqtt_client *c, void (*closed)(void *ctx));

/* Everything up to this token is done with: acknowledged. Tokens of connections before are no harm. */
void mqtt_client_done(struct mqtt_client *c, uint64_t upto);
/* Stop reading, and go on; the connection is kept up meanwhile. At most the rest of what was read already
 * still comes as messages. */
void mqtt_client_pause(struct mqtt_client *c);
void mqtt_client_resume(struct mqtt_client *c);

/* Copied; sent again after a lost connection until the broker has it. MQTT_BUSY: MQTT_QUEUE_MAX wait: try
 * again when one is `published`. ERR_REFUSED: longer than the broker takes, or no topic. *ret: for
 * `published`. */
enum { MQTT_BUSY = 1 };
MUST_CHECK int mqtt_client_publish(struct mqtt_client *c, const struct mqtt_publish *p, uint64_t *ret);
bool mqtt_client_is_up(const struct mqtt_client *c);
/* Messages that wait to be sent or for their PUBACK. */
size_t mqtt_client_waiting(const struct mqtt_client *c);

/* Is this a topic filter ('+' and '#' where they may be), a topic? NUL-free UTF-8 of 1 to 65535 bytes. */
bool mqtt_is_filter(const char *text);
bool mqtt_is_topic(const char *text);
