/* SPDX-License-Identifier: Apache-2.0 */
/* Visibility - which rows of the own organisation each partner may have in sight, kept up by a border node.
 *
 * For every twin of the organisation, own or relayed, and every partner that has or had it in sight since
 * this process started: what is shown of it, and as of when. A change counts for a partner only if it changes
 * what is shown: a row whose shown part stays the same keeps the version and the place in the order of
 * changes under which that part was first shown, so that hidden changes move nothing a partner gets. A twin
 * that leaves a partner's sight is retracted to those who had it, once and as of then, and to nobody else.
 *
 * Per partner and origin: count and fingerprint of what is in sight, which the border's heads carry. They
 * speak of content and not of versions (row_hash()), so two borders of an organisation agree. What one border
 * cannot know - that another one, or itself before a restart, showed a twin or showed it otherwise - the
 * fingerprint finds, and the reader lists the origin in full. After a restart a row is shown under the
 * version it has then, which may tell once that something hidden had changed.
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

/* What an organisation sees of a twin, or saw last. */
struct shown {
	size_t partner;             /* private */
	uint64_t mask;              /* for egress_row(); 0: out of sight */
	uint32_t face;              /* the mask its row carries */
	uint64_t digest;            /* of the content */
	struct row_version version; /* of the change that brought this content */
	uint64_t seq;               /* of that change, or of the one that took the twin out of sight */
};

/* NULL: it never was in that organisation's sight. Good until the next sweep or follow. */
const struct shown *visibility_shown(const struct visibility *v, const char *org, const char *id);

/* What of an origin is in an organisation's sight; stamp of its newest row, 0 when there is none. */
void visibility_view(const struct visibility *v, const char *org, const char *origin, struct fingerprint *ret,
		     int64_t *ret_stamp_ns);
DEFINE_SCOPED(visibility, visibility_free)
