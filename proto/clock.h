/* SPDX-License-Identifier: Apache-2.0 */
/* Clock - times and durations as text. Times are signed 64-bit nanoseconds since the Unix epoch, UTC.
 * Reads no clock: whoever needs `now` is given it. */
#pragma once

#include <stdint.h>

#include "proto/err.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define TIME_MIN INT64_MIN /* "always", as the start of a validity */
#define TIME_MAX INT64_MAX /* "for ever", as its end */

enum { TIME_TEXT_SIZE = 40, DURATION_TEXT_SIZE = 32 };

/* ISO 8601: `2011-01-01`, `2011-01-01T00:00`, `2011-01-01 00:00:00.25`, with `Z` or `+01:00`; without a zone
 * it is UTC. The proleptic Gregorian calendar, years 1678..2261. ERR_REFUSED with a note otherwise. */
MUST_CHECK int time_parse(const char *text, int64_t *ret_ns, struct err_note *note);

/* `2011-01-01T00:00:00Z`, with as many decimals as needed (none, 3, 6 or 9); "always" and "forever" at the
 * ends. */
const char *time_text(int64_t ns, char ret[TIME_TEXT_SIZE]);

/* `250ms`, `5s`, `90s`, `2min`, `1h`, `30d`, `2w`, `10y` (of 365 days) and sums such as `1h30min`; never
 * negative. */
MUST_CHECK int duration_parse(const char *text, int64_t *ret_ns, struct err_note *note);

/* The multiple of a step (above 0) at or before a time; where that would be before TIME_MIN, the first there
 * is. */
int64_t time_floor(int64_t t_ns, int64_t step_ns);

/* The largest one or two units: `12ms`, `3.2s`, `4min 10s`, `2h 5min`, `3d 4h`. */
const char *duration_text(int64_t ns, char ret[DURATION_TEXT_SIZE]);
/* In one unit and without loss: `90d`, `2y`, `36h`. */
const char *duration_exact(int64_t ns, char ret[DURATION_TEXT_SIZE]);
