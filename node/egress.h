/* SPDX-License-Identifier: Apache-2.0 */
/* Egress - the one way out: what of a twin another organisation may have (DESIGN 6).
 *
 * Gossip rows, views, reads, history and error texts all pass here. `to` is who will read; the own
 * organisation sees everything. A person has what the organisation has, and what is shared with any one of
 * the person's roles. Denied and absent are the same answer, made by egress_refuse().
 *
 * Where a share says `redact ... as token` a text stands in place of the value, the same for the same value,
 * organisation and property, at every border (policy_token()). Of what is shared so there is no history, and
 * it is no number to a roll-up.
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "node/audience.h"
#include "node/trust.h"
#include "proto/row.h"
#include "storage/store.h"

struct egress {
	const struct trust *trust;
	const struct store *store;
};

bool egress_is_own(const struct egress *e, const struct audience *to);

/* May they know that this twin is there? */
bool egress_discovers(const struct egress *e, const struct audience *to, const struct row *full);
/* How they may have the present value of a property of a twin that they may discover; `kpi`: it is one, and
 * comes with the summary too. */
enum policy_form egress_value(const struct egress *e, const struct audience *to, const struct row *full,
			      const char *property, bool kpi);
/* How far back they may look, and how finely (0: no bound); false: not at all. Of what several roles open the
 * window that reaches farthest, of those the finest. */
bool egress_history(const struct egress *e, const struct audience *to, const struct row *full,
		    const char *property, int64_t *ret_last_ns, int64_t *ret_step_ns);

/* May they have this operation done, and on which terms? The best that they have or one of their roles:
 * without confirmation first, then as often as possible. The own organisation has no terms. */
bool egress_command(const struct egress *e, const struct audience *to, const struct row *full,
		    const char *operation, struct policy_bounds *ret);

/* What of a full row is left for them; 0: they may not know that the twin is there. ROW_MASK_ALL for the own
 * ones. Beside the bits of the row's mask: which of its KPIs are to be tokens, from EGRESS_TOKEN up, and
 * which of its alarms are in, from EGRESS_ALARM up. */
#define EGRESS_TOKEN (UINT64_C(1) << 32)
#define EGRESS_TOKENS (EGRESS_TOKEN * ((1u << KPIS_MAX) - 1)) /* any of them */
#define EGRESS_ALARM (UINT64_C(1) << 48)
uint64_t egress_mask(const struct egress *e, const struct audience *to, const struct row *full);
/* The row as the mask leaves it; arrays are taken from the arena, texts are shared with `full`. Of the mask
 * only ROW_MASK_DISCOVER and ROW_MASK_SUMMARY are left, of version and seq nothing: they speak of what is
 * hidden too. With ROW_MASK_ALL the row as it is. -ENOMEM. */
MUST_CHECK int egress_row(const struct egress *e, const struct audience *to, const struct row *full,
			  uint64_t mask, struct arena *a, struct row *ret);
/* Of the content of a row that egress_row() left; a part of it goes into the row's mask (ROW_MASK_DIGEST).
 * -ENOMEM. */
MUST_CHECK int egress_digest(struct row *shown, uint64_t *ret);
/* Put the token in place of a value: no unit, no uncertainty, no source. On a node that cannot make tokens
 * (it is no border) no value is left. -ENOMEM. */
MUST_CHECK int egress_redact(const struct egress *e, const struct audience *to, struct arena *a,
			     struct kpi *value);

/* The full row of a twin of the own organisation, own or relayed. ERR_ABSENT. */
MUST_CHECK int egress_full_row(const struct egress *e, const char *id, struct arena *a, struct row *ret);

/* Title of the share that allows it, for the audit; "" when none does. Good until the policy changes. */
const char *egress_rule(const struct egress *e, const struct audience *to, enum right right,
			const struct row *full, const char *property);

/* ERR_DENIED and the one sentence for "denied" and for "not there". */
int egress_refuse(const struct egress *e, const struct audience *to, const char *id, struct err_note *note);
