/* SPDX-License-Identifier: Apache-2.0 */
/* Vitals - the health that own twins take from their members, by the rule of their type (health_def).
 *
 *     a twin or a row held changes --its share--> groups it is in --the rule says otherwise?-->
 *         a sample of `health/members` of the twin above --> its row changes, and so on upwards
 *
 * Of each member is remembered what it was counted as, so a change costs as many steps as it has twins above
 * it, whatever their size. Only when twins, relations or types change all groups are gathered anew, and that
 * not more often than for a twentieth of the time; every minute besides, for relations that begin and end.
 *
 * Who is a member: the twin at the other end of a relation of the rule's hierarchy that is valid now, unless
 * it is retired. Of what other nodes own the row that is held counts, and without one it is unknown; of
 * another organisation's, once its row says that the owner has confirmed it. A member that is above the twin
 * too (a cycle) does not count: each would keep the other's alarm up. Cycles are seen as far as own relations
 * and the words on memberships tell.
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "node/engine.h"

struct member_counts {
	uint64_t n[N_HEALTHS];
	double weight[N_HEALTHS];
};

/* What the members' health amounts to. Of unknown members it is unknown whether they are well: of k of n
 * they make a warning where it depends on them, by weight they are left out; HEALTH_UNKNOWN when nothing is
 * known of any. */
enum health health_of_members(const struct health_def *rule, const struct member_counts *counts);

struct vitals;

MUST_CHECK int vitals_new(struct vitals **ret, const struct store *s);
void vitals_free(struct vitals *v);  /* NULL is fine */
void vitals_doubt(struct vitals *v); /* what was due was not written: gather anew */

/* Take in what changed. VITALS_LATER: groups are to be gathered anew, and that not yet; `pressing`: do it
 * now. */
enum { VITALS_LATER = 1 };
MUST_CHECK int vitals_follow(struct vitals *v, int64_t wall_ns, int64_t mono_ns, bool pressing);
/* A twin whose members' health is not what its `health/members` says; each is given once until the next
 * follow. NULL: the end. */
struct due_health {
	const struct twin *twin;
	const struct property_def *property;
	enum health health;
	int64_t after_ns; /* time of the sample there is; TIME_MIN: none */
};
bool vitals_next_due(struct vitals *v, struct due_health *ret);

/* How often a member was looked at since the start. */
uint64_t vitals_looked(const struct vitals *v);

/* ---- In the engine (vitals_tell.c): follows the store twenty times a second at most, and writes what is
 * due.
 */

struct teller;
MUST_CHECK int teller_start(struct teller **ret, struct engine *e);
void teller_applied(struct teller *t); /* a batch was applied; NULL is fine */
void teller_stop(struct teller *t);    /* before the writer stops; NULL is fine */
void teller_free(struct teller *t);    /* NULL is fine */

DEFINE_SCOPED(vitals, vitals_free)
DEFINE_SCOPED(teller, teller_free)
