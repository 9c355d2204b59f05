/* SPDX-License-Identifier: Apache-2.0 */
/* Join - making and judging what passes between a machine that joins and the node that invited it.
 *
 * A request is good when three things agree: its MAC, keyed by the token's secret, over all keys of both
 * ends and the organisation's root (so it was made from this very token, for this very node); its signature
 * (the machine holds the signing key); and the key its connection has shown (it holds the CURVE key). The
 * inviting node keeps only a hash of the secret, which is the key of the MAC.
 *
 * The words are made of the same things: two people who read the same ones to each other have nobody between
 * their machines, whoever else may have seen the token.
 */
#pragma once

#include "proto/join.h"
#include "security/org.h"

/* What both ends know: the one from the token, the other from its own organisation. */
struct join_ends {
	const char *org, *name;
	struct public_key root;
	struct curve_key server;
	uint8_t key[JOIN_MAC_BYTES]; /* join_key() of the secret */
};

void join_key(const uint8_t secret[JOIN_SECRET_BYTES], uint8_t ret[JOIN_MAC_BYTES]);
void join_ends_of_token(const struct join_token *t, struct join_ends *ret);

/* Appends the encoded signed_blob: the same one each time for the same keys. */
MUST_CHECK int join_request_make(const struct join_ends *ends, const struct curve_key *curve,
				 const struct sign_key *sign, struct buf *out);

/* Was it made from the token? ERR_UNTRUSTED with a note otherwise; `shown` is the key of its connection.
 * Points into the arena. */
MUST_CHECK int join_request_verify(struct arena *a, const struct join_ends *ends,
				   const struct signed_blob *blob, const struct curve_key *shown,
				   struct join_request *ret, struct err_note *note);

/* The six words of a request. */
void join_words(const struct join_ends *ends, const struct join_request *r, char ret[WORDS_SIZE]);

/* BLAKE2b-256 of an encoded signed_blob or answer. */
void join_hash(struct bytes encoded, uint8_t ret[KEY_BYTES]);

/* A key for the holder of the CURVE key only. Appends SEALED_KEY_MAX bytes at most. */
MUST_CHECK int join_seal(const struct curve_key *to, const struct secret32 *key, struct buf *out);

struct joined {
	struct org org;
	const struct credential *self;
	struct secret32 *cursor_key; /* NULL unless a border; the caller's to free */
};
/* The whole answer to `request` (encoded): its bundle is of the token's root and names these keys by the
 * token's name. ERR_UNTRUSTED, ERR_MALFORMED with a note. All but the key points into the arena. */
struct join_keys {
	const struct sign_key *sign;
	const struct curve_pair *curve;
};
MUST_CHECK int join_answer_verify(struct arena *a, const struct join_token *t, const struct join_keys *keys,
				  struct bytes request, struct bytes answer, int64_t now_ns,
				  struct joined *ret, struct err_note *note);
