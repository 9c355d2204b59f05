/* SPDX-License-Identifier: Apache-2.0 */
/* Clock - the time by which trust, policy and the border decide.
 *
 *     now = the wall clock, but never before the highest wall time this node has stored
 *
 * So a clock that is set back gives nobody a right again that has ended (SECURITY 2.3, threat 29). Everything
 * that asks whether something is valid, may be shown or has ended asks clock_now(); times of measurement, of
 * entries in the audit and of log lines stay those of the wall clock.
 *
 * The other way round, a clock that once stood far in the future must not poison the node for good: what is
 * kept stays within CLOCK_AHEAD_MAX_S of the newest thing that somebody else signed for the own organisation
 * (clock_evidence_ns()). That is more than a credential lives, so beyond it the node's own credential has
 * ended; and with the next renewal the node is well again by itself. Whoever cannot wait says `holond
 * --forget-clock`, which is written into the audit.
 *
 * Owner:   the trust. Threads: clock_now() and clock_back_ns() are for all, the rest is the loop's.
 */
#pragma once

#include "security/org.h"
#include "storage/trust_store.h"

enum {
	CLOCK_STORE_EVERY_S = 60,
	CLOCK_AHEAD_MAX_S = (CREDENTIAL_LIFE_DAYS + 1) * 86400,
	CLOCK_BACK_MAX_S = 300, /* farther back than this it was not set right, but set back */
};

struct clock {
	int64_t (*wall_ns)(void); /* NULL: this machine's */
	_Atomic int64_t floor_ns; /* the highest seen and kept, stored or not */
	int64_t stored_ns;
	bool was_forgotten; /* by an operator, before this start */
};

int64_t clock_wall_ns(void);
/* NULL: nothing is kept, the wall clock is all there is. */
int64_t clock_now(const struct clock *c);
/* How far behind the highest time kept the wall clock stands; 0: it does not. */
int64_t clock_back_ns(const struct clock *c);

/* What was stored at an earlier time. */
MUST_CHECK int clock_load(struct clock *c, struct trust_store *s);
/* Time passed: keep it in memory, and store it if the last time was long ago, or `now`. `evidence_ns` as
 * below. What could not be stored is tried again with the next call. */
MUST_CHECK int clock_keep(struct clock *c, struct trust_store *s, int64_t evidence_ns, bool now);
/* The highest time is what the wall clock shows from the next start on. */
MUST_CHECK int clock_forget(struct trust_store *s);

/* The latest time that a signed object of the organisation's bundle is witness of. */
int64_t clock_evidence_ns(const struct org *own);
