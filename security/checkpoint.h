/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoint - an organisation's node states, signed, how many entries its audit has and the root of the tree
 * over them: C2SP tlog-checkpoint, a signed note that tools of others can read too.
 *
 *     acme/n1/audit                                   origin, which is the name of the key too
 *     1042                                            entries
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=    root of the tree over them
 *
 *     — acme/n1/audit tlS1e8mI...=                    4 bytes of key hash and an Ed25519 signature
 *
 * The key as text is `NAME+HASH+KEY`: name, hash in hexadecimal, base64 of the algorithm (1) and the public
 * key.
 */
#pragma once

#include "proto/limits.h"
#include "security/keys.h"
#include "security/merkle.h"

enum {
	CHECKPOINT_ORIGIN_SIZE = ORG_NAME_MAX + NODE_NAME_MAX + 8,
	CHECKPOINT_MAX = 512,
	CHECKPOINT_KEY_SIZE = 256
};

/* Who signs: a name without blanks and without `+`, and the key. */
struct checkpoint_key {
	char origin[CHECKPOINT_ORIGIN_SIZE];
	struct public_key key;
};
struct checkpoint_key checkpoint_key_of(const char *org, const char *node, const struct public_key *key);
void checkpoint_key_text(const struct checkpoint_key *k, char ret[CHECKPOINT_KEY_SIZE]);
MUST_CHECK int checkpoint_key_parse(const char *text, struct checkpoint_key *ret); /* ERR_MALFORMED */

/* Append the checkpoint over n entries. `k` must be the public half of `secret`. */
void checkpoint_sign(const struct sign_key *secret, const struct checkpoint_key *k, uint64_t n,
		     const struct merkle_hash *root, struct buf *out);
/* ERR_MALFORMED, or ERR_UNTRUSTED: it is not of this origin, or not signed by this key. */
MUST_CHECK int checkpoint_open(const struct checkpoint_key *k, struct bytes text, uint64_t *ret_n,
			       struct merkle_hash *ret_root);

/* The signed note below it, of any text that ends with a line end. */
void note_sign(const struct sign_key *secret, const struct checkpoint_key *k, struct bytes text,
	       struct buf *out);
MUST_CHECK int note_open(const struct checkpoint_key *k, struct bytes note, struct bytes *ret_text);
