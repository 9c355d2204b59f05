/* SPDX-License-Identifier: Apache-2.0 */
/* MQTT load - four clients that publish what sensors say with QoS 1 as fast as the broker takes it, one
 * message a sample; and a subscriber that does nothing with it but acknowledge. Each on a thread of its own.
 *
 *     plant/mSENSOR/data     {"t": NANOSECONDS, "v": NUMBER}
 *
 * Owner: the caller's struct, zeroed but for the numbers.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "node/mqtt_client.h"
#include "tests/bench/plant.h"

enum { MQTT_LOAD_CLIENTS = 4 };

struct mqtt_load {
	uint16_t port;
	size_t n_sensors;
	uint64_t n_ticks;
	struct plant_times times;
	double began_s, ended_s; /* first message, last PUBACK of the broker; when it has ended */
	int result;

	/* private */
	pthread_t thread;
	uv_loop_t loop;
	struct load_client {
		struct mqtt_load *load;
		struct mqtt_client *client;
		size_t number;
		uint64_t next, acked; /* of its messages */
		bool is_up;
	} clients[MQTT_LOAD_CLIENTS];
	size_t n_up, n_done;
};
uint64_t mqtt_load_messages(const struct mqtt_load *l);
int mqtt_load_start(struct mqtt_load *l);
int mqtt_load_join(struct mqtt_load *l);

struct mqtt_bare {
	uint16_t port;
	uint64_t expected;
	double ended_s; /* the last of them was acknowledged */
	int result;

	/* private */
	pthread_t thread;
	uv_loop_t loop;
	struct mqtt_client *client;
	uint64_t n;
	atomic_bool is_up;
};
/* When it returns, it is subscribed. */
int mqtt_bare_start(struct mqtt_bare *b);
int mqtt_bare_join(struct mqtt_bare *b);
