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
	bool own_only; /* extended in an emergency: counts inside the organisation, never across its border */
};

/* Signed by an issuer of the organisation: who a person is, for audit, receipts and shares with a role. */
struct person {
	const char *org, *name;
	struct serial serial;
	struct public_key sign;
	const char **roles; /* names the organisation defines; sorted, none twice */
	size_t n_roles;
	int64_t not_before_ns, not_after_ns;
};

enum revoked_kind {
	REVOKED_SERIAL, /* one credential, of a node or a person */
	REVOKED_KEY,    /* every credential with this key, old or new */
	REVOKED_ISSUER, /* everything this issuer key signed that begins before `before_ns` */
	REVOKED_NODE,   /* every credential of this node that begins before `before_ns` */
	N_REVOKED_KINDS,
};

struct revoked {
	enum revoked_kind kind;
	struct serial serial;   /* REVOKED_SERIAL */
	uint8_t key[KEY_BYTES]; /* REVOKED_KEY (of any kind), REVOKED_ISSUER */
	const char *node;       /* REVOKED_NODE; else "" */
	int64_t before_ns;      /* REVOKED_ISSUER, REVOKED_NODE */
	int64_t until_ns;       /* may be forgotten after this: nothing that it hits is valid any longer */
	const char *reason;     /* for people */
};

/* Signed by an issuer or the root: what was revoked, as a whole. */
struct revocations {
	const char *org;
	uint64_t seq; /* only rises; 0: there is none */
	int64_t this_update_ns, next_update_ns;
	uint8_t previous[KEY_BYTES]; /* BLAKE2b-256 of the signed list before it; zeroes for the first */
	struct revoked *entries;
	size_t n_entries;
};

/* Signed by a node with the role admin: what is newest now. Who has not heard one for `ttl_ns` is behind. */
struct freshness {
	const char *org;
	int64_t at_ns, ttl_ns;
	uint32_t manifest_version;
	uint64_t policy_epoch, revocation_seq;
};

/* Signed by a node of the organisation with the role admin: with whom it shares, or no longer does. Without
 * one the trust that an admin of a node without that role gives stays that node's own. */
struct agreement {
	const char *org, *partner;
	struct public_key root; /* the partner's, as its admin said */
	uint64_t seq;           /* rises with every word about this partner */
	int64_t at_ns;
	bool ended;
};

/* Signed by a person: this node of my organisation asks in my name until then. */
struct errand {
	const char *org, *person;
	struct serial serial; /* of the person's credential */
	const char *node;
	int64_t at_ns, until_ns;
	uint8_t nonce[SERIAL_BYTES];
};
enum { ERRAND_LIFE_MAX_S = 300 };

/* What two admins exchange: the manifest, the credentials of the nodes, and what was revoked. Of each root
 * that was rotated away its last manifest, the oldest first: each announces the root of the next. */
struct bundle {
	struct signed_blob manifest;
	struct signed_blob *ancestors;
	size_t n_ancestors;
	struct signed_blob *credentials;
	size_t n_credentials;
	const struct signed_blob *revocations; /* NULL: nothing was ever revoked */
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
void person_encode(const struct person *p, struct buf *out);
MUST_CHECK int person_decode(struct arena *a, struct bytes in, struct person *ret);
void revocations_encode(const struct revocations *r, struct buf *out);
MUST_CHECK int revocations_decode(struct arena *a, struct bytes in, struct revocations *ret);
void freshness_encode(const struct freshness *f, struct buf *out);
MUST_CHECK int freshness_decode(struct arena *a, struct bytes in, struct freshness *ret);
void agreement_encode(const struct agreement *x, struct buf *out);
MUST_CHECK int agreement_decode(struct arena *a, struct bytes in, struct agreement *ret);
void errand_encode(const struct errand *e, struct buf *out);
MUST_CHECK int errand_decode(struct arena *a, struct bytes in, struct errand *ret);
void policy_doc_encode(const struct policy_doc *p, struct buf *out);
MUST_CHECK int policy_doc_decode(struct arena *a, struct bytes in, struct policy_doc *ret);

/* "owner,border" <-> bits. */
bool roles_parse(const char *text, uint32_t *ret);
const char *roles_text(struct arena *a, uint32_t roles);
