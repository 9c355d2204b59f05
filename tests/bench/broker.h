/* SPDX-License-Identifier: Apache-2.0 */
/* Broker - a Mosquitto on the loopback that a bench starts beside itself, in memory alone.
 *
 * Owner: the caller's struct, zeroed; broker_stop() ends it.
 */
#pragma once

#include <sys/types.h>

#include "tests/bench/bench.h"

struct broker {
	pid_t pid;
	uint16_t port;
};

/* Its configuration and log go into `dir`. 0, or -1 after saying why. */
int broker_start(struct broker *b, const char *bench, const char *dir);
void broker_stop(struct broker *b);
