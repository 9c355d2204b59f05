/* SPDX-License-Identifier: Apache-2.0 */
/* Command - the signatures of commands, permits and receipts (proto/command.h).
 *
 * A person signs a command, a person of the owner's organisation a permit, the owner's node a receipt of each
 * step. The command names the node through which it is sent, its id and its deadline: nobody who sees it can
 * send it for something else, and nothing done twice comes of it.
 */
#pragma once

#include "proto/command.h"
#include "security/org.h"

/* Sign; append the encoded signed_blob. Check the buf's failure. */
void command_sign(const struct sign_key *person, const struct command *c, struct buf *out);
void permit_sign(const struct sign_key *person, const struct permit *p, struct buf *out);
void receipt_sign(const struct sign_key *node, const struct receipt *r, struct buf *out);

/* What a person signed, with the person's credential: both encoded signed_blobs, as they travel. */
struct signed_word {
	struct bytes blob, credential;
};

/* Is it of a person of the organisation, not revoked, who signed it, for a node of it? Everything is in the
 * arena. Whether its time has come is for the caller. ERR_UNTRUSTED and ERR_MALFORMED with a note. */
MUST_CHECK int command_verify(struct arena *a, const struct org *org, const struct signed_word *w,
			      int64_t now_ns, struct command *ret, struct person *ret_person,
			      struct err_note *note);
MUST_CHECK int permit_verify(struct arena *a, const struct org *org, const struct signed_word *w,
			     int64_t now_ns, struct permit *ret, struct person *ret_person,
			     struct err_note *note);

/* Is it the word of a node of the organisation on the command with this hash? Credentials are looked at as
 * they are now. ERR_UNTRUSTED and ERR_MALFORMED with a note. */
MUST_CHECK int receipt_verify(struct arena *a, const struct org *org, struct bytes blob,
			      const uint8_t command[32], struct receipt *ret, struct err_note *note);

/* What a receipt says of the command it is about: of the encoded signed_blob as it came. */
void command_hash(struct bytes blob, uint8_t ret[32]);
