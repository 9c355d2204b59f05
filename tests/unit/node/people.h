/* SPDX-License-Identifier: Apache-2.0 */
/* People - persons and nodes of the organisations that the world knows (world.h), with keys of their own. */
#pragma once

#include "node/engine.h"
#include "security/errand.h"

void people_set_up(void); /* after world_set_up() */
void people_tear_down(void);

/* The organisation as the world's node trusts it: acme with the nodes n1 and n2, volt with v1 and v2, harbor
 * with h1. */
struct org *people_org(const char *org);

/* A person and its errand as they travel; each field may be set otherwise before people_prove(). */
struct showing {
	const char *issuer; /* of which organisation's issuer signed the credential */
	struct person person;
	struct errand errand;
};
/* eve of volt, an operator, lets v1 ask. */
struct showing people_eve(void);
struct errand_proof people_prove(const struct showing *s);
/* The person's credential is revoked by a newer list. */
void people_revoke(const struct person *p);
