/* SPDX-License-Identifier: Apache-2.0 */
/* Driver - a gateway that polls a plant tick by tick and sends frames of samples, as fast as the node
 * acknowledges them or at a pace. Packing and sending is part of what is measured.
 *
 * Owner: driver_open() makes it; it keeps borrowed what its options name. Threads: one.
 */
#pragma once

#include <stdatomic.h>

#include "proto/packed.h"
#include "tests/bench/plant.h"

struct driver_options {
	const struct site *site;
	const struct plant *plant;
	struct plant_times times; /* frame_sensors: samples of one frame */
	uint64_t n_ticks;         /* to send; 0: no end */
	bool newest_first;        /* from tick n_ticks - 1 down to 0 */
	double rate;              /* samples/s; 0: as fast as acknowledged */
	unsigned window;          /* frames on their way, unless the node allows fewer; 0: 64 */
};

struct driver {
	struct driver_options opt;
	atomic_bool stop;           /* set by anybody: finish what is on its way and return */
	atomic_uint_fast64_t acked; /* samples; to be looked at by anybody */
	double *latency_ms;         /* of every acknowledged frame */
	size_t n_latencies;

	/* private */
	struct client *client;
	struct packed_writer writer;
	struct arena *arena;
	uint64_t n_frames; /* sent */
	uint64_t session;
	unsigned underway, window;
	struct underway {
		uint64_t id;
		double sent_s;
	} * flight;
	size_t latencies_size;
};

int driver_open(struct driver **ret, const struct driver_options *opt);
void driver_close(struct driver *d); /* NULL is fine */

/* Send until stopped, the monotonic time `until_s` or the last tick, then wait for what is on its way. Every
 * sample sent is acknowledged when this returned 0; a refused one is -1. */
int driver_run(struct driver *d, double until_s);
/* The ticks at which the samples of a sensor were sent. */
struct plant_span driver_span(const struct driver *d, size_t sensor);

/* Send n_ticks ticks as fast as it goes, beginning so long ago that they are over; `ret` says when. */
int driver_load(const struct site *s, const struct plant *p, uint64_t n_ticks, struct plant_times *ret);
/* What driver_run() sent is in the history: `n` sensors by chance, the first and the last of the plant too.
 */
int driver_check(const struct driver *d, struct client *c, size_t n);

DEFINE_SCOPED(driver, driver_close)
