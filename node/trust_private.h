/* SPDX-License-Identifier: Apache-2.0 */
/* Trust private - what the files of the trust share.
 *
 *   trust.c         open, close, the roster
 *   trust_org.c     bundles: the own one and the partners'
 *   trust_policy.c  the policy held, the highest epochs seen
 *   trust_shadow.c  keys that two partners show
 */
#pragma once

#include "node/trust.h"

enum {
	TRUST_ARENA = 32 << 20, /* for an organisation, verified */
	TRUST_PATH_SIZE = 4096,
	TRUST_KEY_SIZE = FINGERPRINT_SIZE + 8, /* in the trust environment */
};

MUST_CHECK int trust_path(const char *dir, const char *file, char ret[TRUST_PATH_SIZE],
			  struct err_note *note);

/* ---- trust_org.c */

/* The own bundle: the newer of the file the admin put there and what was accepted since. */
MUST_CHECK int trust_load_own(struct trust *t, const char *dir, int64_t now_ns, struct err_note *note);
MUST_CHECK int trust_load_partners(struct trust *t, int64_t now_ns);
void trust_free_partner(struct partner *p);

/* ---- trust_policy.c */

MUST_CHECK int trust_load_policy(struct trust *t, int64_t now_ns, struct err_note *note);
/* The highest epoch of an organisation that is stored. */
MUST_CHECK int trust_load_epoch(const struct trust *t, struct partner *p);
MUST_CHECK int trust_save_epoch(struct trust *t, struct partner *p); /* only what changed */

/* ---- trust_shadow.c */

/* Does another partner count with this key, which it showed before this one did? */
bool shadow_hides(const struct trust *t, const struct partner *p, const struct curve_key *key);
MUST_CHECK int shadow_load(const struct trust *t, struct partner *p);
/* `next` takes the place of `old` (NULL: it is new): which of its keys others showed before. Stored. */
MUST_CHECK int shadow_note(const struct trust *t, const struct partner *old, struct partner *next);
