/* SPDX-License-Identifier: Apache-2.0 */
/* Agreement - with whom the organisation shares, as this node knows it (security/agreement.h).
 *
 *     trust store:  agreement/PARTNER   the latest word of a node with the role admin, signed
 *                   ended/PARTNER       that trust ended at this node, by such a word or by its own operator:
 *                                       the partner's root, and whether its rows are still to be forgotten
 *
 * A word replaces an earlier one only; an old one that comes again changes nothing. So a partner whose trust
 * was ended comes back only with a new word. What this node trusts by itself (holon org trust at a node
 * without the role admin) has no word and stays its own affair; where there is one, it counts.
 *
 * Threads: the loop's.
 */
#pragma once

#include "node/trust.h"
#include "security/agreement.h"

/* Words that are kept. They are told whenever a session begins, and must fit into what may wait to be sent.
 */
enum { AGREEMENTS_MAX = 128 };

/* The organisation's word about a partner, in force or ended; false: there is none. Texts are in `a`. */
bool agreement_about(const struct trust *t, struct arena *a, const char *partner, struct agreement *ret);
/* The root of a partner that the organisation trusts now; false: no word, or trust has ended. */
bool agreement_root(const struct trust *t, const char *partner, struct public_key *ret);
/* The root of any partner that was ever trusted or spoken of: what a policy may name. */
bool agreement_known_root(const struct trust *t, const char *partner, struct public_key *ret);

/* May a bundle of an organisation that is not trusted yet be taken? `told`: its fingerprint was given, and
 * agrees. ERR_UNTRUSTED, ERR_REFUSED with a note. */
MUST_CHECK int agreement_admits(const struct trust *t, const struct org *next, bool told,
				struct err_note *note);

/* As a node with the role admin: the next word about a partner. Durable when it returns; in the arena. */
MUST_CHECK int agreement_speak(struct trust *t, const char *partner, const struct public_key *root,
			       bool ended, struct arena *a, struct signed_blob *ret, struct err_note *note);
enum { AGREEMENT_NONE = 1 };
/* The same again, by partner behind `after`: whose signer is no node with the role admin any more, for who
 * has not heard it yet could not believe it. AGREEMENT_NONE: there is none. */
MUST_CHECK int agreement_renew(struct trust *t, struct arena *a, const char *after, const char **ret_partner,
			       struct signed_blob *ret, struct err_note *note);
/* A word that came from another node: durable when it returns 0. AGREEMENT_OLD: nothing new. */
enum { AGREEMENT_OLD = 1 };
MUST_CHECK int agreement_take(struct trust *t, struct arena *a, const struct signed_blob *blob,
			      struct agreement *ret, struct err_note *note);
/* The words that are kept, by partner, behind `after` ("" to begin). AGREEMENT_NONE at the end. */
MUST_CHECK int agreement_next(const struct trust *t, struct arena *a, const char *after,
			      const char **ret_partner, struct signed_blob *ret);

/* The note that trust ended here, and that rows are still there or no more; `root` NULL: take it away. */
MUST_CHECK int agreement_note_end(struct trust *t, const char *partner, const struct public_key *root,
				  bool rows_left);
/* What it says; false: there is none. */
bool agreement_end(const struct trust *t, const char *partner, struct public_key *ret_root,
		   bool *ret_rows_left);
/* The first partner behind `after` with such a note; NULL: none. In the arena. */
const char *agreement_next_end(const struct trust *t, struct arena *a, const char *after);
