/* SPDX-License-Identifier: Apache-2.0 */
/* Audit check - whoever is given the records of an audit, from its first entry on and in order, makes sure
 * that nothing was changed, left out or put in before a checkpoint that the node signed.
 *
 * Owner: the caller's memory. Zero it and set `key`, and `keep_leaves` if proofs are to be made.
 */
#pragma once

#include "proto/audit.h"
#include "security/checkpoint.h"

struct audit_check {
	struct checkpoint_key key;
	bool keep_leaves;
	struct merkle tree;              /* over the entries so far */
	uint64_t n_checkpoints, covered; /* entries under the last checkpoint */
	struct merkle_hash root;         /* that it states */
	struct merkle_hash *leaves;      /* of all entries, when they are kept */
	size_t room;
};
void audit_check_fini(struct audit_check *c);

/* ERR_UNTRUSTED: a checkpoint does not agree with what came before it, or with the key; the note says which.
 * ERR_MALFORMED, -ENOMEM. */
MUST_CHECK int audit_check_record(struct audit_check *c, const struct audit_record *r, struct err_note *note);
