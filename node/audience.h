/* SPDX-License-Identifier: Apache-2.0 */
/* Audience - who will read: every way out of this node decides by it (node/egress.h).
 *
 * An organisation, or a person of it whose roles open what is shared with them alone. A person comes with a
 * question only (questions.c, control.c), so nothing that is shared with a role can get into gossip.
 *
 * Owner: whoever fills it in; all pointers are borrowed.
 */
#pragma once

#include "proto/message.h"

struct audience {
	const char *org;          /* "" or the own organisation: sees everything */
	const char *person;       /* ORG/NAME as the audit has it; NULL: the node asks for itself */
	const char *const *roles; /* the person's */
	size_t n_roles;
	struct bytes credential, errand; /* as they came, to be handed on; empty without a person */
	bool relayed; /* a node of ours asks on their behalf: it decides again, and puts the tokens in */
	bool nobody;  /* who it says it is does not hold: sees nothing */
};

/* Nodes of an organisation, asking for themselves. */
struct audience audience_of(const char *org);

/* Put into a question to another node on whose behalf it is; `own`: the own organisation's. ERR_DENIED: it is
 * nobody's. */
MUST_CHECK int audience_ask(const struct audience *to, bool own, struct question *q);

/* With everything it points to, at most AUDIENCE_BYTES. -ENOMEM. */
enum { AUDIENCE_BYTES = 64 * 1024 };
MUST_CHECK int audience_copy(struct arena *a, const struct audience *from, struct audience *ret);
