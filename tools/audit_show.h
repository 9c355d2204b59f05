/* SPDX-License-Identifier: Apache-2.0 */
/* Audit show - entries of the audit for people and as JSON, and who saw a twin. */
#pragma once

#include "proto/audit.h"
#include "tools/verb.h"

#define AUDIT_SHOW_KINDS \
	"node, trust, manifest, credential, revocation, policy, admin, command, kick, limit, read, denied"

/* One line. */
void audit_show_entry(uint64_t n, const struct audit_entry *e, bool json);

/* The reads of a twin, added up. Set what stands above `items`, the rest zeroed. */
struct audit_saw_item;
struct audit_saw {
	struct context *ctx;
	struct arena *arena;         /* holds the items */
	const char *twin, *property; /* property NULL: all */
	int64_t since_ns;
	struct audit_saw_item *items;
	size_t n;
};
MUST_CHECK int audit_saw_add(struct audit_saw *s, const struct audit_entry *e);
void audit_saw_print(struct audit_saw *s);
