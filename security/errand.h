/* SPDX-License-Identifier: Apache-2.0 */
/* Errand - a person lets a node of the own organisation ask in the person's name, for minutes.
 *
 * The person's credential says who it is and which roles it has, the errand which node may ask now. Both
 * travel with the question, and whoever answers verifies both: that the node says so is not enough.
 */
#pragma once

#include "security/org.h"

/* Sign; appends the encoded signed_blob. Check the buf's failure. */
void errand_sign(const struct sign_key *person, const struct errand *e, struct buf *out);

/* The two as they travel, both encoded signed_blobs. */
struct errand_proof {
	struct bytes credential, errand;
};

struct errand_word {
	struct person person;
	struct errand errand;
	int64_t until_ns; /* the errand or the credential ends, whichever is first */
};

/* Is it a person of the organisation, not revoked, who gave this errand to a node of the organisation, and is
 * it on? It may begin NOT_BEFORE_LEEWAY_S after `now_ns`, ends on time, and lasts ERRAND_LIFE_MAX_S at most.
 * That the node who asks is the one it names, the caller sees to. ERR_UNTRUSTED and ERR_MALFORMED with a
 * note. */
MUST_CHECK int errand_verify(struct arena *a, const struct org *org, const struct errand_proof *proof,
			     int64_t now_ns, struct errand_word *ret, struct err_note *note);
