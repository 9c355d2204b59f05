/* SPDX-License-Identifier: Apache-2.0 */
/* Readers - two who look at a plant while it is written: one asks for the present values of 128 random
 * sensors, one for a page of history of a random sensor; each asks again 20 ms after it was answered.
 *
 * Owner: the caller's struct, zeroed; site and plant must outlive it. Threads: makes two of its own.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "tests/bench/plant.h"

struct reader {
	const struct site *site;
	const struct plant *plant;
	pthread_t thread;
	atomic_bool *stop;
	uint64_t n_answers, n_samples, seed;
	bool runs;
	int result;
};

struct readers {
	struct reader values, history;
	atomic_bool stop;
};

int readers_start(struct readers *r, const struct site *s, const struct plant *p);
/* 0, or -1 when one of them was not answered as it should or found nothing at all. */
int readers_stop(struct readers *r);
