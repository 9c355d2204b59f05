/* SPDX-License-Identifier: Apache-2.0 */
/* What mqtt_client.c (the connection's life) and mqtt_talk.c (what is said over it) share. */
#pragma once

#include "node/mqtt_client.h"
#include "node/mqtt_queue.h"
#include "node/stream.h"
#include "proto/arena.h"

/* Of the connection there is. */
enum mqtt_phase {
	MQTT_DOWN,   /* none; `retry` runs */
	MQTT_OPENED, /* resolving, connecting, TLS, CONNECT sent: CONNACK awaited */
	MQTT_GREETED /* SUBACK awaited, or nothing any more: is_up */
};

struct mqtt_client {
	uv_loop_t *loop;
	struct mqtt_options opt; /* texts in `arena` */
	struct arena *arena;
	struct stream *stream; /* NULL: none */
	enum mqtt_phase phase;
	enum mqtt_version version;
	bool is_subscribing; /* SUBACK awaited */
	bool is_up, is_paused, is_closing;
	unsigned int attempt;
	uint64_t since_ms, heard_ms, pinged_ms; /* uv_now(): the phase, bytes came, a ping was sent */
	uint32_t keep_alive_ms;
	struct mqtt_limits limits;
	struct mqtt_reader reader;
	struct mqtt_debts debts;
	struct mqtt_queue queue;
	struct buf out;
	uint64_t token;
	uv_timer_t retry, tick;
	uv_idle_t work; /* runs once, as soon as the loop comes round, when there is something to send */
	size_t n_open;  /* handles and streams that are to be closed yet */
	void (*closed)(void *ctx);
};

/* The connection is up to its first byte; bytes came. */
void mqtt_talk_begin(struct mqtt_client *c);
void mqtt_talk_bytes(struct mqtt_client *c, struct bytes in);
/* Send what waits in the queue; what can never be sent is told of. */
void mqtt_talk_send(struct mqtt_client *c);
void mqtt_talk_ping(struct mqtt_client *c);
/* `out` goes to the stream. */
void mqtt_talk_flush(struct mqtt_client *c);

/* Not usable any more: closed, and tried again. `why` in a few words. */
void mqtt_client_lose(struct mqtt_client *c, const char *why);
/* It does not know MQTT 5: again at once, with 3.1.1. */
void mqtt_client_step_down(struct mqtt_client *c);
/* Subscribed; `why`: what the broker does not give, "" for nothing. */
void mqtt_client_come_up(struct mqtt_client *c, const char *why);
