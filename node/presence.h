/* SPDX-License-Identifier: Apache-2.0 */
/* Presence - which twins a series goes through, and as of which of its times: a data flow over the hierarchy.
 *
 * Each twin is a place with the set of times at which something above it leads to it. A place is gone through
 * again only with times that are new to it, so that a hierarchy that does not change costs as much as for one
 * time, however many there are. First goes what was seen: what it comes to counts no more at those times.
 *
 *     SEEN: push roots, pop until empty;  COUNTED: the same
 *     pop a place with its new times -> push what is below it, with those times at which the way to it is
 *     valid
 *
 * Owner:   embeds the struct, zeroed is empty. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "node/pointers.h"
#include "proto/limits.h"

enum { TIME_WORDS_MAX = (VIEW_TIMES_MAX + 63) / 64 };

/* Times of a series by their numbers. */
struct time_set {
	uint64_t words[TIME_WORDS_MAX];
};

/* The times from, from + step, ... of which there are n, 1 .. VIEW_TIMES_MAX. */
struct time_axis {
	int64_t from_ns, step_ns;
	size_t n;
};
int64_t time_at(const struct time_axis *x, size_t i);
/* Those from .. to, inclusive. */
void time_set_between(const struct time_axis *x, int64_t from_ns, int64_t to_ns, struct time_set *ret);
bool time_set_is_empty(const struct time_set *s);
static inline bool time_set_has(const struct time_set *s, size_t i)
{
	return s->words[i / 64] >> (i % 64) & 1;
}
/* The next stretch of times without a gap at or behind *at: first .. last, and *at moves behind it. False:
 * there is none. */
bool time_set_stretch(const struct time_set *s, size_t n_times, size_t *at, size_t *ret_first,
		      size_t *ret_last);
/* a &= b; a &= ~b; a |= b */
void time_set_keep(struct time_set *a, const struct time_set *b);
void time_set_drop(struct time_set *a, const struct time_set *b);
void time_set_join(struct time_set *a, const struct time_set *b);

enum presence_phase { PRESENCE_SEEN, PRESENCE_COUNTED };

struct presence {
	size_t n_times, n_words;
	struct pointers numbers; /* what -> number of its place */
	struct presence_place *places;
	size_t n, size;
	uint64_t *sets;       /* of each place three: seen, counted, not gone through */
	uint32_t first, last; /* queue of places, one up */
	struct presence_way *ways;
	size_t n_ways, ways_size;
	enum presence_phase phase;
};

void presence_begin(struct presence *r, size_t n_times);
void presence_fini(struct presence *r);
/* Memory that it takes. */
size_t presence_bytes(const struct presence *r);
/* The place of something, made if it has none. `root`: through which root it is come to, the first that is
 * not PRESENCE_NO_ROOT stays. -ENOMEM. */
#define PRESENCE_NO_ROOT UINT32_MAX
MUST_CHECK int presence_place(struct presence *r, const void *what, uint32_t root, uint32_t *ret);
const void *presence_what(const struct presence *r, uint32_t place);
uint32_t presence_root(const struct presence *r, uint32_t place);
/* It is come to at these times. */
void presence_push(struct presence *r, uint32_t place, const struct time_set *times);
/* A place and the times that are new to it; false: there is none. *ret_first: nobody has gone through it. */
bool presence_pop(struct presence *r, uint32_t *ret, struct time_set *ret_times, bool *ret_first);
void presence_times(const struct presence *r, uint32_t place, enum presence_phase phase,
		    struct time_set *ret);
/* A way down, to be known for presence_cycle(), once for all times. -ENOMEM. */
MUST_CHECK int presence_way(struct presence *r, uint32_t from, uint32_t to, const struct time_set *valid);

/* Ways that lead back, among what is counted: of each round one place and the one before it. */
typedef int presence_cycle_fn(void *ctx, const void *what, const void *by_way_of, size_t time);
MUST_CHECK int presence_cycles(const struct presence *r, presence_cycle_fn *told, void *ctx);
