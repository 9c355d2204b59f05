/* SPDX-License-Identifier: Apache-2.0 */
/* Audit count - the counters of a minute: how often something left for, or was refused to, whom.
 *
 * Owner: embeds the struct, zeroed is empty. Threads: one at a time.
 */
#pragma once

#include "node/audit.h"
#include "proto/map.h"

struct audit_counter {
	enum audit_kind kind;
	uint64_t n;
	const char *partner, *rule, *what, *twin, *property; /* into key */
	char key[];
};
struct audit_counts {
	struct map map;
	uint64_t lost; /* not even counted: no memory */
};
void audit_counts_fini(struct audit_counts *c);
void audit_counts_add(struct audit_counts *c, enum audit_kind kind, const struct journal_read *r);
/* Walk: *at starts at 0; NULL at the end. */
const struct audit_counter *audit_counts_next(const struct audit_counts *c, size_t *at);
