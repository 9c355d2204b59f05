/* SPDX-License-Identifier: Apache-2.0 */
/* Verified - signatures of heads that were found good, or made: the same head comes from many peers and is
 * told to many, again with the rows behind it, and a signature costs more than all the rest. Says only that
 * the key signed the bytes: whether the key may is asked each time.
 *
 * Owner:   the engine embeds it, zeroed. Threads: the loop's.
 */
#pragma once

#include "proto/hash.h"
#include "proto/trust.h"

struct sign_key;

enum { VERIFIED_MAX = 512, SIGNED_MAX = 64 };

struct verified {
	struct hash128 seen[VERIFIED_MAX]; /* each has one place: a later one takes it */
	struct {
		struct hash128 digest;
		uint8_t signature[SIGNATURE_BYTES];
	} made[SIGNED_MAX];         /* the same */
	uint64_t n_checked, n_made; /* signatures that had to be computed */
};

/* As sign_verify() with SIGN_HEAD. */
bool verified_head(struct verified *v, const struct signed_blob *blob);
/* As sign_blob() with SIGN_HEAD. */
void signed_head(struct verified *v, const struct sign_key *key, struct bytes payload,
		 struct signed_blob *ret);
