/* SPDX-License-Identifier: Apache-2.0 */
/* Bands - which samples are worth judging: those that leave the band in which nothing about their series can
 * change.
 *
 *     sample applied --limits of its definition, or a band of its own: inside?--> nothing (a comparison)
 *                   \--outside, too fast, or an alarm speaks of it--> note --after the batch--> who judges
 *
 * As long as nothing is out of order a series has the band that its definition gives, and costs no memory.
 * Who judges gives it one of its own while it matters: {HUGE_VAL, -HUGE_VAL} has nothing inside, so that each
 * sample is noted. Samples older than the present value are never noted.
 *
 * Owner:   the table. Threads: the loop's.
 */
#pragma once

#include <math.h>

#include "proto/twin.h"
#include "storage/record.h"
#include "storage/values.h"

enum watched {                     /* of a property, in struct type */
	       WATCHED_LIMITS = 1, /* it has limits */
	       WATCHED_ALARM = 2,  /* an alarm of the type speaks of it */
	       WATCHED_SETTLE = 4, /* it is settable, or the desired value of one that is */
};

struct band {
	double lo, hi; /* neither is inside */
};

/* A sample that has become the present value. From the first one of a batch on all of its series are noted:
 * that one's note says which band of its own the series had. */
struct band_note {
	uint32_t series;
	enum quality quality;
	bool is_number, has_before, has_own;
	int64_t t_ns, before_ns; /* before: the value that it takes the place of */
	double number, before;
	struct band own;
};

enum { BAND_NOTES_MAX = 1 << 18 }; /* in one batch: 18 MiB */

struct bands {
	struct bands_block **blocks; /* by series / VALUES_BLOCK; NULL: all have that of their definition */
	size_t n_blocks;
	struct band_note *notes;
	size_t n_notes, size;
	bool is_on;       /* nobody judges before */
	bool each;        /* memory was short: no band is known */
	bool lost;        /* there were more notes than room */
	uint64_t n_types; /* definitions that changed */
};

struct bands_block {
	uint64_t own[VALUES_PIECES];
	struct band band[VALUES_BLOCK];
};

void bands_fini(struct bands *b);

/* From here on it is the series' own. Out of memory each sample of every series is noted. */
void bands_set(struct bands *b, uint32_t series, const struct band *band);
/* Back to that of its definition. */
void bands_reset(struct bands *b, uint32_t series);
/* Without memory it is lost, and bands.lost says so. */
void bands_note(struct bands *b, const struct band_note *note);
/* Its series has left its band: until it is given another one nothing is inside. */
void bands_leave(struct bands *b, struct band_note *note);

/* Has it a band of its own: is something about it out of order, or remembered? */
static inline const struct band *bands_own(const struct bands *b, uint32_t series)
{
	const struct bands_block *block =
		series / VALUES_BLOCK < b->n_blocks ? b->blocks[series / VALUES_BLOCK] : NULL;
	const uint32_t i = series % VALUES_BLOCK;

	return block && (block->own[i / 64] >> i % 64 & 1) ? &block->band[i] : NULL;
}

/* Nothing is NaN or less, so what is not said is never crossed. A dead band needs the value last judged: a
 * band of its own. */
static inline bool limits_hold(const struct limits *l, double v)
{
	return !(v <= l->at[LIMIT_LOW_WARNING]) && !(v >= l->at[LIMIT_HIGH_WARNING]) &&
	       !(v <= l->at[LIMIT_LOW_ALARM]) && !(v >= l->at[LIMIT_HIGH_ALARM]) && !(l->dead_band > 0);
}

/* The change from one number to the next in a second; 0 when no time has passed. */
static inline double rate_between(int64_t from_ns, double from, int64_t to_ns, double to)
{
	if (to_ns <= from_ns)
		return 0;
	return fabs(to - from) / ((double)((uint64_t)to_ns - (uint64_t)from_ns) / 1e9);
}

static inline bool rate_holds(const struct limits *l, const struct band_note *n)
{
	if (isnan(l->rate_warning) && isnan(l->rate_alarm))
		return true;
	const double rate = n->has_before ? rate_between(n->before_ns, n->before, n->t_ns, n->number) : 0;
	return !(rate >= l->rate_warning) && !(rate >= l->rate_alarm);
}

/* Does nothing follow from this sample? Of a bad one no limit is known to be crossed or not, but what was
 * stale is not any more. */
static inline bool bands_hold(const struct bands *b, const struct limits *l, const struct band_note *n)
{
	const struct band *own = bands_own(b, n->series);

	if (!n->is_number || n->quality == QUALITY_BAD)
		return !own;
	return (own ? n->number > own->lo && n->number < own->hi : limits_hold(l, n->number)) &&
	       rate_holds(l, n);
}

/* The series' present value, before it changes. */
static inline struct band_note bands_before(const struct values *v, uint32_t series, enum value_type type)
{
	const struct values_block *block = values_block(v, series);
	const uint32_t i = series % VALUES_BLOCK;
	struct band_note note = {.series = series, .is_number = type < VALUE_TEXT};

	note.has_before = note.is_number && values_is_measured(v, series) &&
			  !(block->more && block->more[i] % 4 == QUALITY_BAD);
	if (!note.has_before)
		return note;
	note.before_ns = block->t_ns[i];
	note.before = type == VALUE_DOUBLE ? bits_double(block->bits[i]) : (double)(int64_t)block->bits[i];
	return note;
}

/* A sample has become the present value. `l` are the limits of the definition (WATCHED_LIMITS). */
static inline void bands_see(struct bands *b, const struct limits *l, uint8_t watched, struct band_note *note)
{
	bool noted = (watched & (WATCHED_ALARM | WATCHED_SETTLE)) || b->each;

	if (!b->is_on)
		return;
	if ((watched & WATCHED_LIMITS) && !bands_hold(b, l, note)) {
		bands_leave(b, note);
		noted = true;
	}
	if (noted)
		bands_note(b, note);
}
