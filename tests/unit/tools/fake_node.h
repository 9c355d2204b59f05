/* SPDX-License-Identifier: Apache-2.0 */
/* Fake node - a ROUTER in a thread that takes series, frames and reads, and does what a test wants to see
 * handled: gives little credit, hangs up, forgets to answer, begins a new incarnation, has no room.
 *
 * Twin and property say what a series is: the property's first letter is its type (d, i, t, b; x: no such
 * series), and the twin is `acme/tN`. Handle: incarnation + 1 + place.
 */
#pragma once

#include <pthread.h>

#include "proto/packed.h"

enum { FAKE_SERIES_MAX = 30000, FAKE_FRAMES_MAX = 4096 };

struct fake_sample {
	uint32_t series;
	int64_t t_ns;
	double number; /* of numbers and bools; the length of a text */
};

struct fake_node {
	/* how it behaves: change it under the lock while it runs */
	uint64_t incarnation; /* 1.. */
	uint32_t credit;
	bool hold;     /* answers wait until nothing more comes; most_pending counts them */
	unsigned mute; /* so many frames are taken without an answer */
	unsigned fail; /* so many frames fail with fail_code */
	int fail_code;
	double refused_below;    /* numbers below are refused; NaN: none */
	enum value_type as_type; /* VALUE_NONE, or all are of this type */
	const uint8_t *secret;   /* NULL: not encrypted */

	/* what it saw */
	unsigned n_series_requests, n_frames, n_frames_again, n_stale;
	size_t most_pending;
	uint64_t sessions[8];
	size_t n_sessions;
	char names[FAKE_SERIES_MAX][24];
	size_t n_names;
	struct fake_sample *samples;
	size_t n_samples, size;
	uint64_t numbers[FAKE_FRAMES_MAX];
	char source[128];

	char endpoint[200];
	pthread_mutex_t lock;
	pthread_t thread;
	void *zmq, *socket;
	bool stop;
};

void fake_node_start(struct fake_node *f); /* at f->endpoint, with what it has */
void fake_node_stop(struct fake_node *f);
void fake_node_fini(struct fake_node *f);
