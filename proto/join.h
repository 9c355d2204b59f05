/* SPDX-License-Identifier: Apache-2.0 */
/* Join objects - how a node that has nothing yet becomes one of an organisation's (SECURITY 2.3), as data;
 * security/join.h makes and verifies them.
 *
 *     admin: token  --->  node: keys, request  --->  admin: credential, answer  --->  node
 *
 * The token's secret proves that the request comes from whom the admin invited; the root in it proves that
 * the answer comes from the organisation. All pointers are borrowed.
 */
#pragma once

#include "proto/trust.h"

enum { JOIN_SECRET_BYTES = 20, JOIN_MAC_BYTES = 32 };

struct join_token {
	const char *org, *name;
	struct public_key root;            /* the organisation's: its fingerprint is made of it */
	uint8_t secret[JOIN_SECRET_BYTES]; /* one use */
	uint32_t roles;                    /* of enum role */
	const char **prefixes;
	size_t n_prefixes;
	const char *endpoint, *border_endpoint; /* of the node to be */
	int64_t until_ns;
};

/* Signed by `sign` (SIGN_JOIN), which proves that the node holds it. */
struct join_request {
	const char *org, *name;
	struct curve_key curve;
	struct public_key sign;
	uint8_t mac[JOIN_MAC_BYTES]; /* keyed by the token's secret, over everything above */
};

struct join_answer {
	uint8_t request_hash[KEY_BYTES]; /* BLAKE2b-256 of the signed request it answers */
	struct bytes bundle;             /* of the organisation, with the node's credential */
	struct bytes cursor_key;         /* sealed to the node's CURVE key; none unless it is a border */
};

void join_token_encode(const struct join_token *t, struct buf *out);
MUST_CHECK int join_token_decode(struct arena *a, struct bytes in, struct join_token *ret);
void join_request_encode(const struct join_request *r, struct buf *out);
MUST_CHECK int join_request_decode(struct arena *a, struct bytes in, struct join_request *ret);
void join_answer_encode(const struct join_answer *j, struct buf *out);
MUST_CHECK int join_answer_decode(struct arena *a, struct bytes in, struct join_answer *ret);
