/* SPDX-License-Identifier: Apache-2.0 */
/* Agreement - with whom an organisation shares, as a node of it with the role admin says (proto/trust.h).
 *
 * Words about one partner have a total order, the same at every node, so that all end with the same one even
 * where two admins spoke at once.
 */
#pragma once

#include "security/org.h"

/* Appends the encoded signed_blob. */
MUST_CHECK int agreement_sign(const struct sign_key *admin, const struct agreement *x, struct buf *out);

/* Signed by a node of the organisation with the role admin whose credential has not ended, about another
 * organisation, not from the future. ERR_UNTRUSTED, ERR_MALFORMED with a note. */
MUST_CHECK int agreement_verify(struct arena *a, const struct org *own, const struct signed_blob *blob,
				int64_t now_ns, struct agreement *ret, struct err_note *note);

/* >0: a is the later word; of two with one number the one that ends trust counts. */
int agreement_compare(const struct agreement *a, const struct agreement *b);
