/* SPDX-License-Identifier: Apache-2.0 */
/* Persons - who asks, when a person does: the credential and the errand that came with a request or a
 * question are verified here and nowhere else (security/errand.h).
 *
 * What was verified is remembered until it ends, so that of a person who asks again and again nothing is
 * verified twice, and of somebody who shows another errand each time two signatures a question. A bundle with
 * another manifest or other revocations makes it be verified anew.
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "node/audience.h"
#include "node/trust.h"
#include "security/errand.h"

enum { PERSONS_REMEMBERED = 128 };

struct persons;

MUST_CHECK int persons_new(struct persons **ret);
void persons_free(struct persons *p); /* NULL is fine */

/* What was shown, and what must be so. */
struct person_claim {
	struct errand_proof proof;
	const char *org;  /* of whom it must be a person */
	const char *node; /* to whom the errand must have been given; NULL: any node of the organisation */
};

/* Fill in the person of an audience of that organisation; everything is in the arena. ERR_UNTRUSTED and
 * ERR_MALFORMED with a note, and the audience is as it was. */
MUST_CHECK int persons_admit(struct persons *p, const struct trust *t, const struct person_claim *claim,
			     struct arena *a, struct audience *to, struct err_note *note);
/* How often signatures were verified. */
uint64_t persons_verified(const struct persons *p);

DEFINE_SCOPED(persons, persons_free)
