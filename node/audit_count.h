/* SPDX-License-Identifier: Apache-2.0 */
/* Audit count - the counters of a minute: how often something left for, or was refused to, whom; and how
 * often what is written down only so many times a minute happened.
 *
 * Owner: embeds the struct, zeroed is empty. Threads: one at a time.
 */
#pragma once

#include "node/audit.h"
#include "proto/map.h"

struct audit_counter {
	enum audit_kind kind;
	uint64_t n, told; /* so many of them have entries of their own */
	unsigned told_entries;
	const char *partner, *person, *rule, *what, *twin, *property; /* into key */
	char key[];
};
struct audit_counts {
	struct map map;
	size_t n_bounded; /* of other kinds than AUDIT_READ and AUDIT_DENIED */
	size_t bytes;     /* that the entries of what left take, at most */
	uint64_t lost;    /* not even counted: no memory */
};
void audit_counts_fini(struct audit_counts *c);
/* The counter that was raised, NULL when it is `lost`. Of kinds other than AUDIT_READ and AUDIT_DENIED the
 * texts mean what audit_counts_place() says. */
struct audit_counter *audit_counts_add(struct audit_counts *c, enum audit_kind kind,
				       const struct journal_read *r);
/* Where the texts of such an entry go: what is of one place is counted as one. */
struct journal_read audit_counts_place(const struct audit_entry *e, const char *why);
/* Walk: *at starts at 0; NULL at the end. */
const struct audit_counter *audit_counts_next(const struct audit_counts *c, size_t *at);
