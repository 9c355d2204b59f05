/* SPDX-License-Identifier: Apache-2.0 */
/* Join objects - how a machine that has nothing yet becomes a node of an organisation (SECURITY 2.3), as
 * data; security/join.h makes and verifies them.
 *
 *     admin node: invitation, token  --->  machine: keys, request  --->  admin node: credential
 *                                                     ask, ask, ask ...  <---  reply: wait, no, or the answer
 *
 * The token's secret proves that the request comes from whom the admin invited; the root and the key in it
 * prove that the answer comes from the organisation, through the node that invited. What the node may be
 * (roles, prefixes, endpoints) stands in the invitation only. All pointers are borrowed.
 */
#pragma once

#include "proto/trust.h"

enum {
	JOIN_SECRET_BYTES = 20,
	JOIN_MAC_BYTES = 32,
	JOIN_ANSWER_MAX = FRAME_OWN_MAX + 1024,
	JOIN_PIECE_MAX = 48 * 1024,
	JOIN_REPLY_MAX = JOIN_PIECE_MAX + SENTENCE_MAX + 1024,
	JOIN_TEXT_MAX = 2048, /* a token as text */
	SEALED_KEY_MAX = 128,
	INVITATIONS_MAX = 64,
};

struct join_token {
	const char *org, *name;  /* of the node to be */
	struct public_key root;  /* the organisation's */
	const char *endpoint;    /* where it is enrolled */
	struct curve_key server; /* of the node there */
	uint8_t secret[JOIN_SECRET_BYTES];
	int64_t until_ns;
};

/* Signed by `sign` (SIGN_JOIN), which proves that the machine holds it; that it holds `curve` the handshake
 * proves. */
struct join_request {
	const char *org, *name;
	struct curve_key curve;
	struct public_key sign;
	uint8_t mac[JOIN_MAC_BYTES]; /* keyed by the token's secret, over all that and the token's keys */
};

/* What is sent, again and again until there is an answer, and then for each piece of it. */
struct join_ask {
	struct signed_blob request;
	uint32_t offset; /* of the piece that is wanted */
};

enum join_state { JOIN_WAIT, JOIN_NO, JOIN_YES, N_JOIN_STATES };

struct join_reply {
	enum join_state state;
	const char *text;        /* for people; JOIN_YES: "" */
	uint8_t hash[KEY_BYTES]; /* JOIN_YES: BLAKE2b-256 of the whole answer: another one begins anew */
	uint32_t total, offset;  /* JOIN_YES: bytes of the answer, where the piece begins */
	struct bytes piece;
};

struct join_answer {
	uint8_t request_hash[KEY_BYTES]; /* BLAKE2b-256 of the signed request it answers */
	struct bytes bundle;             /* of the organisation, with the node's credential */
	struct bytes cursor_key;         /* sealed to the node's CURVE key; none unless it is a border */
};

/*  OPEN --request--> ASKED --approved--> APPROVED       the first good request is the only one
 *    \-------------------\-----refused--> REFUSED       an end (until_ns) is none of these */
enum invitation_state {
	INVITATION_OPEN,
	INVITATION_ASKED,
	INVITATION_APPROVED,
	INVITATION_REFUSED,
	N_INVITATION_STATES
};

/* Kept by the node that invites, and shown by it (then without key and request, but with the words). */
struct invitation {
	const char *name;
	uint32_t roles;
	const char **prefixes;
	size_t n_prefixes;
	const char *endpoint, *border_endpoint; /* of the node to be */
	int64_t until_ns;
	bool at_once;                /* approved as it comes */
	uint8_t key[JOIN_MAC_BYTES]; /* of the MAC: a hash of the token's secret */
	enum invitation_state state;
	struct bytes request;    /* the signed_blob that came, encoded; none while OPEN */
	struct bytes cursor_key; /* as in the answer */
	const char *words;
};

struct invitations {
	struct invitation *items;
	size_t n;
};

void join_token_encode(const struct join_token *t, struct buf *out);
MUST_CHECK int join_token_decode(struct arena *a, struct bytes in, struct join_token *ret);
void join_request_encode(const struct join_request *r, struct buf *out);
MUST_CHECK int join_request_decode(struct arena *a, struct bytes in, struct join_request *ret);
void join_ask_encode(const struct join_ask *x, struct buf *out);
MUST_CHECK int join_ask_decode(struct arena *a, struct bytes in, struct join_ask *ret);
void join_reply_encode(const struct join_reply *r, struct buf *out);
MUST_CHECK int join_reply_decode(struct arena *a, struct bytes in, struct join_reply *ret);
void join_answer_encode(const struct join_answer *j, struct buf *out);
MUST_CHECK int join_answer_decode(struct arena *a, struct bytes in, struct join_answer *ret);
void invitations_encode(const struct invitations *i, struct buf *out);
MUST_CHECK int invitations_decode(struct arena *a, struct bytes in, struct invitations *ret);

/* A token as one line of text that survives mail and telephone: "holon-join-1-", then base32 of the encoded
 * token and a check; any case, blanks and line breaks do no harm. Appends. */
void join_token_print(const struct join_token *t, struct buf *out);
/* ERR_MALFORMED with a note: mistyped, cut, or something else altogether. */
MUST_CHECK int join_token_parse(struct arena *a, const char *text, struct join_token *ret,
				struct err_note *note);
