/* SPDX-License-Identifier: Apache-2.0 */
/* Quota - how much of this border each partner organisation may use: token buckets per organisation and kind,
 * over all its sessions, so that one partner's appetite is its own delay and nobody else's.
 *
 * What is asked for over the quota is answered later, and counted. Whoever asks on all the same loses
 * patience (QUOTA_PATIENCE refusals, QUOTA_FORGIVEN a second come back); with none left its sessions are
 * closed.
 *
 * Owner:   the engine; the partners' buckets are as many as there can be partners, none is allocated later.
 * Threads: the loop's.
 */
#pragma once

#include <stdint.h>

#include "proto/err.h"
#include "proto/limits.h"
#include "proto/scope.h"

enum quota_kind {
	QUOTA_ROWS,      /* sent to it */
	QUOTA_PULLS,     /* PULL */
	QUOTA_REPAIRS,   /* REPAIR */
	QUOTA_HEADS,     /* in HEADS; a TELL counts as QUOTA_TELL_HEADS */
	QUOTA_QUESTIONS, /* QUESTION */
	N_QUOTA_KINDS
};

/* Readers that are told to come later do so after two seconds, with each origin, on two sessions: so much is
 * no offence, however long it goes on. */
enum { QUOTA_PATIENCE = 1000, QUOTA_FORGIVEN = ORIGINS_MAX };
enum { QUOTA_TELL_HEADS = 40 };

struct quota_limits {
	struct quota_limit {
		int64_t rate, burst; /* a second; at once after a quiet time */
	} of[N_QUOTA_KINDS];
};

struct quotas;

MUST_CHECK int quotas_new(struct quotas **ret, const struct quota_limits *limits);
void quotas_free(struct quotas *q); /* NULL is fine */

/* Take so many. QUOTA_OVER: there are none, ask later; ERR_REFUSED: it has asked on for too long. NULL for
 * quotas, and the own organisation: there is no limit. now_ns is monotonic. */
enum { QUOTA_OVER = 1 };
MUST_CHECK int quota_take(struct quotas *q, const char *org, enum quota_kind kind, int64_t now_ns);
/* It got so many, more than there were perhaps: then it waits the longer. */
void quota_charge(struct quotas *q, const char *org, enum quota_kind kind, uint64_t n, int64_t now_ns);
uint64_t quota_refused(const struct quotas *q); /* since the start, of all partners */

DEFINE_SCOPED(quotas, quotas_free)
