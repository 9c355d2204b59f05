/* SPDX-License-Identifier: Apache-2.0 */
/* Fresh - who knows that nothing newer is kept from it (SECURITY 4.5, threats 24 and 34).
 *
 *     admin node --statement, every 10 s--> own nodes --each newer one once--> their own nodes ...
 *
 * A statement says which manifest, policy and revocations are the newest, and for how long it counts. It goes
 * through any graph of own nodes and comes to rest: of each admin node only a later one is handed on. Several
 * admin nodes may issue, then the outage of one changes nothing.
 *
 * A node is fresh while a statement counts and none, old or new, named something newer than it holds. An
 * organisation that names no node with the role admin is not bound by any of this.
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "node/trust.h"

struct fresh;

struct fresh_options {
	struct trust *trust; /* outlives it */
	int64_t every_ns;    /* an admin node issues so often */
	int64_t ttl_ns;      /* its statements count for so long; those of others not longer, either */
	/* Tell the own nodes, all but the session it came from (0: none). */
	void (*tell)(void *ctx, const struct signed_blob *statement, uint32_t except);
	void *ctx;
};

MUST_CHECK int fresh_new(struct fresh **ret, const struct fresh_options *opt);
void fresh_free(struct fresh *f); /* NULL is fine */

/* Time passed: an admin node issues what is due. */
MUST_CHECK int fresh_tick(struct fresh *f, int64_t mono_ns);
/* The bundle or the policy changed: an admin node says so at once, and what revoked admins said is void. */
MUST_CHECK int fresh_changed(struct fresh *f, int64_t mono_ns);

/* A statement came from a session: taken and handed on. FRESH_OLD: it says nothing new. ERR_UNTRUSTED with a
 * note. */
enum { FRESH_OLD = 1 };
MUST_CHECK int fresh_take(struct fresh *f, uint32_t session, const struct signed_blob *blob,
			  struct err_note *note);
/* The statements held, for a session that begins: NULL at the end. */
const struct signed_blob *fresh_held(const struct fresh *f, size_t i);

/* ERR_REFUSED with a note that says what is missing. */
MUST_CHECK int fresh_check(const struct fresh *f, struct err_note *note);
/* Until when it is, by the clock of the trust; 0: never was; TIME_MAX: the organisation is not bound by it.
 */
int64_t fresh_until_ns(const struct fresh *f);

DEFINE_SCOPED(fresh, fresh_free)
