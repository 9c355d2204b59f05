/* SPDX-License-Identifier: Apache-2.0 */
/* Audit walk - a node's audit, page by page, each in memory that is given back before the next. */
#pragma once

#include "proto/audit.h"
#include "tools/verb.h"

/* Called for each record in order; `n` is the number of the entry (of a checkpoint: of the next one). <0 ends
 * the walk and is told with the note; AUDIT_WALK_ENOUGH just ends it. */
enum { AUDIT_WALK_ENOUGH = 1 };
typedef int audit_walk_fn(void *user, uint64_t n, const struct audit_record *r, struct err_note *note);

struct audit_walk {
	struct context *ctx;
	const char *file; /* instead of a node's: an exported one (tools/audit_file.h); NULL: none */
	int64_t since_ns; /* 0: from the first entry; not of a file */
	audit_walk_fn *on_record;
	/* Called once, before the records, with the key that the node says it signs with; NULL: not wanted.
	 */
	int (*on_key)(void *user, const char *key, struct err_note *note);
	void *user;
};
/* What went wrong has been said. */
enum status audit_walk(const struct audit_walk *w);
