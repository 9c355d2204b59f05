/* SPDX-License-Identifier: Apache-2.0 */
/* Crossing - which limits a series of numbers crosses, and which of these count (proto/twin.h: limits).
 *
 * Each limit is a comparator by itself: reached is crossed, and so it stays until the value is more than the
 * hysteresis inside again. What is crossed, or not any more, counts when that has lasted for the delay: in
 * times of measurement, or by the clock since it was seen, whichever comes first; then it counts from the
 * moment at which the delay was over. Pure: no clock of its own.
 *
 *     limit:  ----crossed------------not crossed--------
 *     counts: --------|-delay-|======================|-delay-|----
 */
#pragma once

#include "proto/twin.h"
#include "storage/bands.h"

enum crossed { /* the first are enum limit */
	       CROSSED_RATE_WARNING = N_LIMITS,
	       CROSSED_RATE_ALARM,
	       CROSSED_STALE,
	       N_CROSSED,
	       CROSSED_NONE = N_CROSSED,
};

struct crossing {
	bool crossed, counts;
	int64_t since_ns, seen_ns; /* crossed has been so: in time of measurement, and by the clock */
};

struct crossings {
	struct crossing at[N_CROSSED];
	bool has_judged;
	double judged; /* the number last compared, for the dead band */
};

const char *crossed_text(enum crossed what);  /* "high-alarm", "stale" */
enum crossed crossed_parse(const char *text); /* CROSSED_NONE: it is none */
enum health crossed_severity(enum crossed what);

/* It is so from here on; nothing happens when it was so before. */
void crossing_set(struct crossing *c, bool crossed, int64_t t_ns, int64_t now_ns);
/* Waits for its delay to pass. */
static inline bool crossing_waits(const struct crossing *c)
{
	return c->crossed != c->counts;
}
/* Is the delay over, by the time of a sample or by the clock? *ret_ns: since when. */
bool crossing_is_due(const struct crossing *c, int64_t delay_ns, int64_t t_ns, int64_t now_ns,
		     int64_t *ret_ns);

/* A sample that is good and no older than the one before; now_ns: the clock. */
void crossings_take(struct crossings *c, const struct limits *l, const struct band_note *n, int64_t now_ns);
/* The earliest delay that is over counts: true, and when. Call until false, before a sample is taken and
 * after. */
bool crossings_due(struct crossings *c, const struct limits *l, int64_t t_ns, int64_t now_ns,
		   int64_t *ret_ns);
/* The worst of what counts: alarms before warnings, limits before rates before stale. */
enum crossed crossings_worst(const struct crossings *c);
bool crossings_wait(const struct crossings *c);
/* Nothing is crossed and nothing counts. */
bool crossings_rest(const struct crossings *c);
/* Where a number changes nothing. */
struct band crossings_band(const struct crossings *c, const struct limits *l);
/* As after a restart: so it counted, for all that is known. */
void crossings_assume(struct crossings *c, enum crossed what, int64_t t_ns);
