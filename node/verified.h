/* SPDX-License-Identifier: Apache-2.0 */
/* Verified - signatures that were found good: the same head comes from many peers, and again with the rows
 * behind it, and checking it costs more than taking it in. Says only that the key signed the bytes: whether
 * the key may is asked each time.
 *
 * Owner:   the engine embeds it, zeroed. Threads: the loop's.
 */
#pragma once

#include "proto/hash.h"
#include "proto/trust.h"

enum { VERIFIED_MAX = 512 };

struct verified {
	struct hash128 seen[VERIFIED_MAX]; /* each has one place: a later one takes it */
	uint64_t n_checked;                /* signatures that had to be computed */
};

/* As sign_verify() with SIGN_HEAD. */
bool verified_head(struct verified *v, const struct signed_blob *blob);
