/* SPDX-License-Identifier: Apache-2.0 */
/* Plant - many twins of one type with equal properties of type double: acme/m0, acme/m1, ... with p0, p1, ...
 * Sensor i is the property i % n_properties of the twin i / n_properties.
 *
 * Owner: the caller's struct with the numbers set, zeroed else; plant_fini() frees.
 */
#pragma once

#include "tests/bench/site.h"

struct plant {
	size_t n_twins, n_properties;
	const struct limits *limits; /* of each property; NULL: none */
	uint32_t *handles;           /* one per sensor, after plant_open() */
	uint64_t incarnation;
	uint32_t credit;
};

void plant_fini(struct plant *p);
static inline size_t plant_sensors(const struct plant *p)
{
	return p->n_twins * p->n_properties;
}

int plant_make(const struct plant *p, const struct site *s, struct client *c); /* the type and the twins */
int plant_open(struct plant *p, const struct site *s, struct client *c);       /* learn the handles */

/* When the sensors are polled. */
struct plant_times {
	int64_t first_ns, tick_ns; /* tick 0, and from one tick to the next */
	size_t frame_sensors;      /* polled together, and sent in one frame */
};
int64_t plant_tick_ns(const struct plant_times *t, size_t sensor, uint64_t tick);

/* Does the history of a sensor hold exactly what it said at `n_ticks` ticks from first_tick on? Asked page by
 * page; -1 after saying what is wrong. */
struct plant_span {
	size_t sensor;
	uint64_t first_tick, n_ticks;
};
int plant_check(const struct plant *p, const struct plant_times *t, const struct site *s, struct client *c,
		const struct plant_span *span);
