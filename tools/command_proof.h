/* SPDX-License-Identifier: Apache-2.0 */
/* Command proof - what the signatures in the record of a command are worth: of the person who sent it, of the
 * persons who confirmed it, of the node that tells each step.
 *
 * A node takes only what it has verified into its records. Here it is verified again, by who reads them: with
 * the bundle of an organisation also whose the keys are.
 */
#pragma once

#include "proto/command.h"
#include "security/org.h"

enum proof_worth {
	PROOF_NONE,   /* nobody signed */
	PROOF_WRONG,  /* not signed as it says, or it is about something else */
	PROOF_SIGNED, /* signed, by a key of which is not known here whose it is */
	PROOF_PROVEN, /* and it is the key of who is named */
	N_PROOF_WORTHS,
};
const char *proof_worth_text(enum proof_worth worth);

struct proof {
	enum proof_worth worth;
	const char *who; /* ORG/NAME; "" for nobody */
	struct public_key key;
};

struct proof_orgs {
	const struct org *orgs; /* whose bundles are known */
	size_t n;
};

/* All: 0 or -ENOMEM; what is malformed is PROOF_WRONG. */
MUST_CHECK int proof_of_command(struct arena *a, const struct command_record *r,
				const struct proof_orgs *known, struct proof *ret);
MUST_CHECK int proof_of_step(struct arena *a, const struct command_record *r, size_t step,
			     const struct proof_orgs *known, struct proof *ret);
/* Of the permit in a step: a person's confirmation or refusal. */
MUST_CHECK int proof_of_permit(struct arena *a, const struct command_step *step,
			       const struct proof_orgs *known, struct proof *ret);
