/* SPDX-License-Identifier: Apache-2.0 */
/* Settle - desired values of own twins on their way to being reported (DESIGN 9): what was wanted, by when,
 * and whether it is so.
 *
 *     desired/P written --> pending --P reported within the tolerance--> converged
 *                              \--deadline over--> overdue --reported after all--> converged
 *
 * How it stands is the text property settle/P (proto/standing.h): durable, with history, no other state. What
 * is open is handed to the adapter of the twin, once, and again when an adapter is connected anew, until its
 * deadline. What has converged is closed: what P does later is for limits to judge. The deadline is said with
 * the value (settle_set()), else by the type (settle_ns), else there is none.
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "node/engine.h"
#include "proto/value.h"

struct settle;

/* Takes up what is open in the store. -ENOMEM. */
MUST_CHECK int settle_start(struct settle **ret, struct engine *e);
void settle_free(struct settle *s); /* NULL is fine */
/* A batch was applied: before the notes of the store are forgotten. */
void settle_applied(struct settle *s);
/* About once a second: deadlines, and what could not be written or handed over. */
void settle_tick(struct settle *s);
/* An adapter is connected anew: what is open is handed over again. NULL is fine. */
void settle_again(struct settle *s);

/* Want a value: desired/P and settle/P become durable together. */
struct settle_wish {
	const char *twin, *property; /* without `desired/` */
	const char *value;           /* as text, in the unit of the property */
	const char *who;
	int64_t within_ns; /* 0: as the type says */
};
typedef void settle_fn(void *ctx, int code, const char *text);
/* `done` when it is durable, or refused. ERR_ABSENT, ERR_REFUSED with a note: no such twin here, no such
 * property, not settable, no such value. */
MUST_CHECK int settle_set(struct settle *s, const struct settle_wish *w, settle_fn *done, void *ctx,
			  struct err_note *note);

/* How many are open, and of these overdue. */
struct settle_counts {
	size_t n_open, n_overdue;
};
struct settle_counts settle_counts(const struct settle *s);
