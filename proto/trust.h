/* SPDX-License-Identifier: Apache-2.0 */
/* Trust objects - what organisations sign, as data; security/ makes and verifies them (SECURITY 2.2).
 *
 * A signed object is a `struct signed_blob`: the bytes that were signed, the key, the signature. What the
 * bytes are is fixed by the context string that goes into the signature (security/sign.h). All pointers are
 * borrowed.
 */
#pragma once

#include "proto/arena.h"
#include "proto/buf.h"
#include "proto/limits.h"

enum { KEY_BYTES = 32, SIGNATURE_BYTES = 64, SERIAL_BYTES = 16 };

struct public_key { /* Ed25519 */
	uint8_t b[KEY_BYTES];
};
struct curve_key { /* Curve25519, as CurveZMQ uses it */
	uint8_t b[KEY_BYTES];
};
struct serial {
	uint8_t b[SERIAL_BYTES];
};

enum role {
	ROLE_OWNER = 1u << 0,  /* owns twins */
	ROLE_BORDER = 1u << 1, /* the only kind foreign organisations may connect to */
	ROLE_READER = 1u << 2,
	ROLE_ADMIN = 1u << 3,
	ROLES_ALL = 15,
};

struct signed_blob {
	struct bytes payload;
	struct public_key key;
	uint8_t signature[SIGNATURE_BYTES];
};

struct issuer_key {
	struct public_key key;
	int64_t not_before_ns, not_after_ns;
};

/* Signed by the organisation's root. */
struct manifest {
	const char *org;
	uint32_t version; /* only rises */
	int64_t issued_ns, valid_until_ns;
	struct public_key root;
	uint8_t next_root_hash[KEY_BYTES]; /* BLAKE2b-256 of the next root key; pre-rotation */
	struct issuer_key *issuers;
	size_t n_issuers;
	struct public_key *policy_keys;
	size_t n_policy_keys;
};

/* Signed by an issuer of the organisation. */
struct credential {
	const char *org, *node;
	struct serial serial;
	struct curve_key curve;
	struct public_key sign;
	uint32_t roles;        /* of enum role */
	const char **prefixes; /* twin id prefixes the node may own; none: all of the organisation */
	size_t n_prefixes;
	const char *endpoint;        /* where own nodes reach it, `tcp://host:port`; "": it only dials out */
	const char *border_endpoint; /* where partners reach it; "" unless it has the role */
	int64_t not_before_ns, not_after_ns;
};

/* What two admins exchange: the manifest and the credentials of the nodes. */
struct bundle {
	struct signed_blob manifest;
	struct signed_blob *credentials;
	size_t n_credentials;
};

/* Signed by a policy key of the organisation. The text is what is signed; everybody compiles it with the same
 * parser, and a `format` a node does not know is refused: an old node never guesses at a newer rule. */
struct policy_doc {
	const char *org;
	uint64_t epoch; /* only rises */
	int64_t issued_ns;
	uint32_t format; /* POLICY_FORMAT */
	const char *text;
};
enum { POLICY_FORMAT = 1 };

void signed_blob_encode(const struct signed_blob *s, struct buf *out);
MUST_CHECK int signed_blob_decode(struct arena *a, struct bytes in, struct signed_blob *ret);
void manifest_encode(const struct manifest *m, struct buf *out);
MUST_CHECK int manifest_decode(struct arena *a, struct bytes in, struct manifest *ret);
void credential_encode(const struct credential *c, struct buf *out);
MUST_CHECK int credential_decode(struct arena *a, struct bytes in, struct credential *ret);
void bundle_encode(const struct bundle *b, struct buf *out);
MUST_CHECK int bundle_decode(struct arena *a, struct bytes in, struct bundle *ret);
void policy_doc_encode(const struct policy_doc *p, struct buf *out);
MUST_CHECK int policy_doc_decode(struct arena *a, struct bytes in, struct policy_doc *ret);

/* "owner,border" <-> bits. */
bool roles_parse(const char *text, uint32_t *ret);
const char *roles_text(struct arena *a, uint32_t roles);
