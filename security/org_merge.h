/* SPDX-License-Identifier: Apache-2.0 */
/* Org merge - what two bundles of one organisation say together, so that all who met the same bundles hold
 * the same bytes, whatever came first, twice or by another way.
 *
 *     manifest, ancestors   of the higher version
 *     revocations           of the higher number
 *     credentials           of each name and of each key the one that begins last, without what these two no
 *                           longer let count
 *
 * Joining never goes back: a result never has an older manifest or list than either side, and with the same
 * of both never an older credential. So passing bundles on and joining ends. The result does not depend on
 * the order as long as no credential outlives a newer one of the same node and no key changes its name; where
 * an organisation revokes only the newer one, everybody still ends with what his neighbours have.
 */
#pragma once

#include "security/org.h"

/* Appends the encoded bundle: sorted by name, each signed object verbatim. Both are verified; the result is
 * not yet, its revocations may be signed by a key that its manifest no longer lists. Joined with itself a
 * bundle becomes canonical. ERR_UNTRUSTED with a note when the newer manifest or list may not come in the
 * place of the older (org_may_replace()), or both have one number and differ. */
MUST_CHECK int org_merge(struct arena *a, const struct org *x, const struct org *y, struct buf *out,
			 struct err_note *note);

/* Of an encoded bundle; never 0. */
uint64_t org_digest(struct bytes encoded);
