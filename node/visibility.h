/* SPDX-License-Identifier: Apache-2.0 */
/* Visibility - which rows of the own organisation each partner may have in sight, kept up by a border node.
 *
 * For every twin of the organisation, own or relayed, and every partner that has or had it in sight since
 * this process started: what is shown of it, and as of when. A change counts for a partner only if it changes
 * what is shown: a row whose shown part stays the same keeps the version and the place in the order of
 * changes under which that part was first shown, so that hidden changes move nothing a partner gets. A twin
 * that leaves a partner's sight is retracted to those who had it, once and as of then, and to nobody else.
 *
 * Twins that meet the same conditions of the policy and have the same KPIs and alarms are a class: who may
 * see what of them is decided once, by egress. An edit of the policy decides anew for each class, and touches
 * the twins of those classes only whose answer is another one; what it brings into sight or takes out of it
 * gets a new place in the order of changes, as if the twin had changed. Partners that see a twin in the same
 * state share what is kept about it.
 *
 * The order of changes is one for all partners, of each origin; a twin stands in it once, at the latest
 * change of what anybody sees. Places are this process's: another border, or this one after a restart, counts
 * anew (visibility_run()).
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

/* The policy, a share's end or the set of partners changed. What the store changed meanwhile is taken in.
 * ERR_FULL: too many organisations came and went for the places there are: then visibility_renew(). */
MUST_CHECK int visibility_edit(struct visibility *v);
/* The same; where the places are used up by organisations that are not trusted any more it begins anew, as
 * after a restart. */
MUST_CHECK int visibility_renew(struct visibility **v);

/* The store may have dropped or changed rows without a trace: look at every twin anew, and decide as in
 * visibility_edit(). */
MUST_CHECK int visibility_sweep(struct visibility *v);

/* Take in what changed since the last call, by the change orders of the store. */
MUST_CHECK int visibility_follow(struct visibility *v);
/* False: one of these failed, and what is told of twins may be what was so earlier; visibility_edit() makes
 * up for it. */
bool visibility_is_settled(const struct visibility *v);

/* What an organisation sees of a twin, or saw last. */
struct shown {
	const char *id;
	uint64_t mask;              /* for egress_row(); 0: out of sight */
	uint32_t face;              /* the mask its row carries */
	struct row_version version; /* of the change that brought this content */
	uint64_t place;             /* of that change, or of the one that took the twin out of sight */
	uint64_t latest;            /* of the latest change of what anybody sees of it: where it stands */
};

/* False: it never was in that organisation's sight. */
bool visibility_shown(const struct visibility *v, const char *org, const char *id, struct shown *ret);

/* What of an origin is in an organisation's sight; stamp of its newest row, 0 when there is none. */
void visibility_view(const struct visibility *v, const char *org, const char *origin, struct fingerprint *ret,
		     int64_t *ret_stamp_ns);

/* ---- The order of changes ---------------------------------------------------------------------------------
 */

uint64_t visibility_run(const struct visibility *v); /* random: places of another run mean nothing here */
/* Behind the newest change. */
uint64_t visibility_end(const struct visibility *v, const char *origin);
/* Where to go on for one who saw everything up to a sequence number of the origin, under a policy, in another
 * run. */
uint64_t visibility_place(const struct visibility *v, const char *origin, uint64_t seq, uint64_t epoch);

struct visibility_walk {
	const struct visibility *v;
	const void *origin;
	int partner;
	size_t at;
};

/* The twins of an origin that an organisation sees or saw, in the order of changes, behind a place. Good
 * until the next edit, sweep or follow. */
struct visibility_walk visibility_walk(const struct visibility *v, const char *org, const char *origin,
				       uint64_t after);
bool visibility_walk_next(struct visibility_walk *w, struct shown *ret);

/* ---- What it costs ----------------------------------------------------------------------------------------
 */

struct visibility_size {
	uint64_t n_twins, n_classes, n_sets, n_conditions;
	uint64_t bytes;     /* of memory, about */
	uint64_t n_decided; /* twins looked at since the start */
};
void visibility_size(const struct visibility *v, struct visibility_size *ret);

DEFINE_SCOPED(visibility, visibility_free)
