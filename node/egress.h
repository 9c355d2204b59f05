/* SPDX-License-Identifier: Apache-2.0 */
/* Egress - the one way out: what of a twin another organisation may have (DESIGN 6).
 *
 * Gossip rows, views, reads, history and error texts all pass here. `org` is who will read; "" or the own
 * organisation sees everything. Denied and absent are the same answer, made by egress_refuse().
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "node/trust.h"
#include "proto/row.h"
#include "storage/store.h"

struct egress {
	const struct trust *trust;
	const struct store *store;
};

bool egress_is_own(const struct egress *e, const char *org);

/* May `org` know that this twin is there? */
bool egress_discovers(const struct egress *e, const char *org, const struct row *full);
/* The right on one property of a twin it may discover. */
bool egress_allows(const struct egress *e, const char *org, enum right right, const struct row *full,
		   const char *property);
/* How far back `org` may look, and how finely (0: no bound); false: not at all. */
bool egress_history(const struct egress *e, const char *org, const struct row *full, const char *property,
		    int64_t *ret_last_ns, int64_t *ret_step_ns);

/* What of a full row is left for `org`; 0: it may not know that the twin is there. ROW_MASK_ALL for the own
 * one. */
uint32_t egress_mask(const struct egress *e, const char *org, const struct row *full);
/* The row as the mask leaves it; arrays are taken from the arena, texts are shared with `full`. Of the mask
 * only ROW_MASK_DISCOVER and ROW_MASK_SUMMARY are left, of version and seq nothing: they speak of what is
 * hidden too. With ROW_MASK_ALL the row as it is. -ENOMEM. */
MUST_CHECK int egress_row(const struct row *full, uint32_t mask, struct arena *a, struct row *ret);
/* Of the content of a row that egress_row() left; a part of it goes into the row's mask (ROW_MASK_DIGEST).
 * -ENOMEM. */
MUST_CHECK int egress_digest(struct row *shown, uint64_t *ret);

/* The full row of a twin of the own organisation, own or relayed. ERR_ABSENT. */
MUST_CHECK int egress_full_row(const struct egress *e, const char *id, struct arena *a, struct row *ret);

/* Title of the share that allows it, for the audit; "" when none does. Good until the policy changes. */
const char *egress_rule(const struct egress *e, const char *org, enum right right, const struct row *full,
			const char *property);

/* ERR_DENIED and the one sentence for "denied" and for "not there". */
int egress_refuse(const struct egress *e, const char *org, const char *id, struct err_note *note);
