/* SPDX-License-Identifier: Apache-2.0 */
/* Audit evidence - what origins signed and what cannot all be true, out of the audit: for each fork both
 * heads, checked and taken apart.
 */
#pragma once

#include "proto/audit.h"
#include "tools/verb.h"

/* Zeroed but for `ctx`: nothing was seen. */
enum { EVIDENCE_HEADS = 2 };
struct audit_evidence {
	const struct context *ctx;
	bool open; /* a fork whose heads come next */
	uint64_t entry, n_forks;
	struct audit_entry fork;
	char origin[256], why[1100];
	struct buf heads[EVIDENCE_HEADS];
};
void audit_evidence_fini(struct audit_evidence *v);
/* The entries in order, then the end. A fork is printed when its last entry was given. */
MUST_CHECK int audit_evidence_add(struct audit_evidence *v, uint64_t n, const struct audit_entry *e);
MUST_CHECK int audit_evidence_end(struct audit_evidence *v);
