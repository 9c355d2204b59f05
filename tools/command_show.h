/* SPDX-License-Identifier: Apache-2.0 */
/* Command show - records of commands for people and as JSON. */
#pragma once

#include <stdio.h>

#include "tools/command_proof.h"
#include "tools/json.h"
#include "tools/verb.h"

/* `safe-stop(grace_s=2.5) at acme/press7`. In the arena; "" without memory. */
const char *command_words(struct arena *a, const struct command *c);
/* The same of a record that is a standing permit. */
const char *command_permit_words(struct arena *a, const struct command_record *r);
/* How it stands. */
enum command_state command_record_state(const struct command_record *r);

/* One line each. */
void command_show_head(FILE *out, struct arena *a, const struct command *c);
void command_show_step(FILE *out, const struct command_step *step);

/* The members of a record's object, without the braces; `known` NULL: without proofs. -ENOMEM,
 * ERR_MALFORMED. */
MUST_CHECK int command_show_members(struct json *j, struct arena *a, const struct command_record *r,
				    const struct proof_orgs *known);
/* All of a record, with the proofs, for people. */
MUST_CHECK int command_show_record(FILE *out, struct arena *a, const struct command_record *r,
				   const struct proof_orgs *known);
