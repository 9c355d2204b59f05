/* SPDX-License-Identifier: Apache-2.0 */
/* MQTT queue - messages on their way to the broker, in the order in which they were given, until it has them;
 * and the acknowledgements that are owed to it.
 *
 * Owner: the client (mqtt_client.c); caller's memory. No socket, no clock.
 */
#pragma once

#include "proto/buf.h"

struct mqtt_item {
	uint64_t id;
	uint16_t packet_id;
	bool retain, sent, dup; /* dup: sent over a connection before, in a session that still is */
	int64_t deadline_ms;
	struct bytes payload;
	char topic[]; /* and behind its NUL the payload */
};

struct mqtt_queue {
	struct mqtt_item **items;
	size_t n, n_sent, bytes; /* sent: to this connection, not acknowledged */
	uint64_t last_id;
	uint16_t last_packet;
};

/* *ret is what it was copied to, not to be freed. -ENOMEM; MQTT_QUEUE_FULL. */
enum { MQTT_QUEUE_FULL = 1 };
MUST_CHECK int mqtt_queue_add(struct mqtt_queue *q, const char *topic, struct bytes payload,
			      struct mqtt_item **ret);
/* The next one to be sent, NULL when there is none; then say that it is. */
struct mqtt_item *mqtt_queue_next(struct mqtt_queue *q);
void mqtt_queue_sent(struct mqtt_queue *q, struct mqtt_item *item);
/* Taken out, to be freed: the one with this packet id that was sent; one that was not and whose deadline is
 * over; any. NULL: there is none. */
struct mqtt_item *mqtt_queue_acked(struct mqtt_queue *q, uint16_t packet_id);
struct mqtt_item *mqtt_queue_expired(struct mqtt_queue *q, int64_t now_ms);
void mqtt_queue_take(struct mqtt_queue *q, struct mqtt_item *item);
/* A new connection: everything is to be sent (again: in a session that still is, as such). */
void mqtt_queue_again(struct mqtt_queue *q, bool session_present);
void mqtt_queue_fini(struct mqtt_queue *q);

/* Acknowledgements owed, oldest first. */
struct mqtt_debt {
	uint64_t token;
	uint16_t packet_id;
};
struct mqtt_debts {
	struct mqtt_debt *ring;
	size_t first, n, size;
};

/* -ENOMEM; ERR_MALFORMED: more than there are packet ids. */
MUST_CHECK int mqtt_debts_add(struct mqtt_debts *d, uint64_t token, uint16_t packet_id);
/* The oldest one, if its token is not above this; false: none. */
bool mqtt_debts_pay(struct mqtt_debts *d, uint64_t upto, uint16_t *ret_packet_id);
void mqtt_debts_clear(struct mqtt_debts *d);
void mqtt_debts_fini(struct mqtt_debts *d);
