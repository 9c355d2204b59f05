/* SPDX-License-Identifier: Apache-2.0 */
/* Liveness - how long a peer may be silent before this node takes it for gone (DESIGN 7, MESH 2).
 *
 * Each node judges for itself and tells nobody. It suspects itself first: time in which it did not get to run
 * when it wanted to counts for no peer, and while most peers are late at once nobody is judged.
 *
 * Pure: all times are given, in nanoseconds. What is called awake time comes from awake_step().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct liveness_options {
	int64_t every_ns; /* peers are expected to say something so often; three times that is the floor */
	int64_t cap_ns;   /* whoever is silent for so long is gone, however irregular it was before */
};

/* Monotonic time without what this node slept longer than it wanted. */
struct awake {
	int64_t due_ns;  /* when it wants to be woken at the latest; INT64_MAX: not at all */
	int64_t lost_ns; /* slept beyond that, all in all */
};
void awake_begin(struct awake *a);
/* At the end of each step. What was due before counts from now on. */
void awake_until(struct awake *a, int64_t due_ns, int64_t now_ns);
/* At the beginning of each step: the awake time. */
int64_t awake_step(struct awake *a, int64_t now_ns);
/* The same moment on the monotonic clock, if it does not sleep too long meanwhile. */
int64_t awake_to_mono(const struct awake *a, int64_t awake_ns);

/* What a peer is used to. */
struct pulse {
	int64_t heard_ns; /* awake time of the last frame */
	int64_t beat_ns;  /* ... of the last that comes regularly */
	int64_t mean_us, variance;
	unsigned beats;
	/* So long it may be silent: mean and four standard deviations of what it is used to, between floor
	 * and cap; twice the floor until it is known. */
	int64_t patience_ns;
};
void pulse_begin(struct pulse *p, const struct liveness_options *opt, int64_t awake_ns);
void pulse_heard(struct pulse *p, int64_t awake_ns); /* any frame */
/* And this is one that comes regularly. */
void pulse_beat(struct pulse *p, const struct liveness_options *opt, int64_t awake_ns);

/* How it is with a peer. */
enum pulse_state {
	PULSE_WELL,
	PULSE_LATE /* over half its time */,
	PULSE_OVERDUE,
	PULSE_GONE /* over the cap */
};
enum pulse_state pulse_state(const struct pulse *p, const struct liveness_options *opt, int64_t awake_ns);
/* So many of so many peers are not well: is it more likely this node, or its line, that is not? */
bool liveness_is_own_fault(size_t n_unwell, size_t n_peers);
