/* SPDX-License-Identifier: Apache-2.0 */
/* Visibility - which rows of the own organisation each partner may have in sight, kept up by a border node.
 *
 * For every twin of the organisation, own or relayed, and every partner: the mask egress leaves (0: out of
 * sight) and whether the twin ever was in its sight since this process started. Per partner and origin: count
 * and fingerprint of what is in sight, which the border's heads carry. A twin that leaves a partner's sight
 * is retracted to those who had it, and to nobody else; what a restart forgets the fingerprint finds.
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "node/egress.h"
#include "proto/hash.h"

struct visibility;

MUST_CHECK int visibility_new(struct visibility **ret, const struct egress *egress);
void visibility_free(struct visibility *v); /* NULL is fine */

/* The policy, a share's end or the set of partners changed: decide everything anew. */
MUST_CHECK int visibility_sweep(struct visibility *v);

/* Take in what changed since the last call, by the change orders of the store. */
MUST_CHECK int visibility_follow(struct visibility *v);

/* 0: out of sight. */
uint32_t visibility_mask(const struct visibility *v, const char *org, const char *id);
/* True when the twin was in the organisation's sight earlier and is not any more. */
bool visibility_left(const struct visibility *v, const char *org, const char *id);

/* What of an origin is in an organisation's sight; stamp of its newest row, 0 when there is none. */
void visibility_view(const struct visibility *v, const char *org, const char *origin, struct fingerprint *ret,
		     int64_t *ret_stamp_ns);
DEFINE_SCOPED(visibility, visibility_free)
