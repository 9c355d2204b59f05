/* SPDX-License-Identifier: Apache-2.0 */
/* Asset - a machine on MQTT that does at once what it is told, and says so. Its own thread.
 *
 * Owner: the caller's struct, zeroed; asset_stop() ends it.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct mosquitto;

struct asset {
	const char *bench;    /* for what is said */
	uint16_t port;        /* of the broker */
	const char *in, *out; /* topics */

	/* private */
	struct mosquitto *client;
	atomic_int subscribed;
	atomic_size_t n_done;
};

/* Listens when this returns. 0, or -1 after saying why. */
int asset_start(struct asset *a);
void asset_stop(struct asset *a);
