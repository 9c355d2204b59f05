/* SPDX-License-Identifier: Apache-2.0 */
/* Members - dials whom federation/membership.h says, from the bundles that are trusted and the sessions that
 * are open.
 *
 * A node whose credential has ended is dialled only by who has no session with anybody of its organisation:
 * what is held may be what is out of date.
 *
 * Owner:   gossip. Threads: the loop's.
 */
#pragma once

#include "node/gossip.h"
#include "proto/message.h"

struct members;

MUST_CHECK int members_new(struct members **ret, struct gossip *g);
void members_stop(struct members *m); /* its timer is closed by the loop's next turn */
void members_free(struct members *m); /* after the loop has ended; NULL is fine */

void members_renew(struct members *m); /* what is trusted may differ now */
void members_soon(struct members *m);  /* a session began or ended: looks at all of them in a moment */

/* An own node says which partners it reaches. */
void members_on_reach(struct members *m, struct session *s, const struct reach *reach);
/* A session with an own node is open: it is told which partners this border reaches. */
void members_greet(struct members *m, uint32_t session);
