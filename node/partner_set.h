/* SPDX-License-Identifier: Apache-2.0 */
/* Partner set - some of the partners, by their places, and many such sets kept once each.
 *
 * Owner:   whoever embeds struct partner_sets; zeroed is empty.
 */
#pragma once

#include "node/trust.h"

enum { PARTNER_WORDS = PARTNERS_MAX / 64 };

struct partner_set {
	uint64_t words[PARTNER_WORDS];
};

static inline bool partner_set_has(const struct partner_set *s, size_t partner)
{
	return s->words[partner / 64] >> partner % 64 & 1;
}

static inline void partner_set_add(struct partner_set *s, size_t partner)
{
	s->words[partner / 64] |= UINT64_C(1) << partner % 64;
}

static inline bool partner_set_is_empty(const struct partner_set *s)
{
	uint64_t any = 0;

	for (size_t i = 0; i < PARTNER_WORDS; i++)
		any |= s->words[i];
	return any == 0;
}

static inline bool partner_set_equal(const struct partner_set *a, const struct partner_set *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

static inline struct partner_set partner_set_and(const struct partner_set *a, const struct partner_set *b)
{
	struct partner_set s;

	for (size_t i = 0; i < PARTNER_WORDS; i++)
		s.words[i] = a->words[i] & b->words[i];
	return s;
}

static inline struct partner_set partner_set_without(const struct partner_set *a, const struct partner_set *b)
{
	struct partner_set s;

	for (size_t i = 0; i < PARTNER_WORDS; i++)
		s.words[i] = a->words[i] & ~b->words[i];
	return s;
}

static inline void partner_set_join(struct partner_set *s, const struct partner_set *other)
{
	for (size_t i = 0; i < PARTNER_WORDS; i++)
		s->words[i] |= other->words[i];
}

/* Walk: the first partner at or behind `from`; PARTNERS_MAX at the end. */
static inline size_t partner_set_next(const struct partner_set *s, size_t from)
{
	while (from < PARTNERS_MAX && !partner_set_has(s, from))
		from++;
	return from;
}

/* Sets that are kept once, each under a number, as long as somebody uses them. */
struct kept_set {
	struct partner_set set;
	uint32_t users; /* 0: the number is free */
	uint32_t next;  /* in its chain, or of the free ones; one up, 0: the last */
};

struct partner_sets {
	struct kept_set *kept;
	uint32_t *chains; /* a power of two of them; one up */
	uint32_t n, size, n_chains, first_free;
};

void partner_sets_fini(struct partner_sets *k);
/* One more user of the set; *ret is its number. -ENOMEM. */
MUST_CHECK int partner_sets_take(struct partner_sets *k, const struct partner_set *s, uint32_t *ret);
/* One user less; true: it was the last, and the number may come back for another set. */
bool partner_sets_drop(struct partner_sets *k, uint32_t number);
