/* SPDX-License-Identifier: Apache-2.0 */
/* Roster - an immutable table of who may connect: CURVE key -> organisation, node, roles, times.
 *
 * The loop makes a new one whenever trust changes and hands it to the ZAP thread (zap_publish) and to the
 * transport; nobody changes one that is in use.
 */
#pragma once

#include "proto/scope.h"
#include "proto/trust.h"

struct roster_entry {
	struct curve_key key;
	char org[ORG_NAME_MAX + 1], node[NODE_NAME_MAX + 1];
	uint32_t roles;
	bool own; /* of the own organisation */
	int64_t not_before_ns, not_after_ns;
	bool returning; /* it has ended, and was not revoked: let in to show a newer one, heard of nothing
			   else */
};

struct roster; /* reference counted: the loop's and the ZAP thread's */

/* Copies the entries; of several with one key the first stays, so that whoever shows a key of another locks
 * out nobody but itself. */
MUST_CHECK int roster_new(struct roster **ret, const struct roster_entry *entries, size_t n);
struct roster *roster_ref(struct roster *r);
void roster_unref(struct roster *r); /* NULL is fine */

const struct roster_entry *roster_find(const struct roster *r,
				       const struct curve_key *key); /* NULL: a stranger */

/* The User-Id the ZAP handler answers for an entry and the transport takes back: `v1:ORG/NODE:KEYHASH`. */
enum { USER_ID_SIZE = 192 };
void roster_user_id(const struct roster_entry *e, char ret[USER_ID_SIZE]);
/* The entry of a User-Id found on a message; NULL when it is not exactly what the handler gives. */
const struct roster_entry *roster_by_user_id(const struct roster *r, const char *user_id);

DEFINE_SCOPED(roster, roster_unref)
