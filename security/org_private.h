/* SPDX-License-Identifier: Apache-2.0 */
/* Org private - what the files that verify an organisation's objects share. */
#pragma once

#include "proto/clock.h"
#include "security/org.h"

enum { OBJECT_NAME_SIZE = 128 };

#define DAY_NS (86400 * NS_PER_S)

bool key_equal(const struct public_key *a, const struct public_key *b);
/* t + by, at most TIME_MAX. */
int64_t time_later(int64_t t_ns, int64_t by_ns);
/* Say which object could not be read; running out of memory stays what it is. */
int org_unreadable(struct err_note *note, int code, const char *object);
/* NULL: no issuer of that manifest. */
const struct issuer_key *org_issuer(const struct manifest *m, const struct public_key *key);

/* The node with the role admin whose signing key it is and whose credential counts; NULL: none. */
const struct credential *org_admin_by_key(const struct org *org, const struct public_key *key,
					  int64_t now_ns);

/* What somebody says of himself, given that an issuer signed it. */
struct claim {
	const struct serial *serial;
	const uint8_t *keys[2]; /* his own; NULL: none more */
	const char *node;       /* NULL: a person */
	const struct public_key *issuer;
	int64_t not_before_ns;
};
/* The entry that hits it; NULL: it was not revoked. Serials and keys are compared, never encodings: there are
 * many encodings of one credential, and several signatures of one encoding. */
const struct revoked *revocations_hit(const struct revocations *r, const struct claim *c);

/* Is this the list of the organisation? Signed by its root, or by an issuer that the list itself does not
 * revoke. */
MUST_CHECK int revocations_verify(struct arena *a, const struct manifest *m, const struct signed_blob *blob,
				  int64_t now_ns, struct revocations *ret, struct err_note *note);
/* The half of org_may_replace() that is about roots and manifests. */
MUST_CHECK int org_manifest_may_replace(const struct org *old, const struct org *next, struct err_note *note);
/* May `next` replace `old`? Numbers only rise, and nothing is forgotten before its time. */
MUST_CHECK int revocations_may_replace(const struct org *old, const struct org *next, struct err_note *note);
