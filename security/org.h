/* SPDX-License-Identifier: Apache-2.0 */
/* Org - founding an organisation, issuing credentials, and judging what other organisations show.
 *
 * A verified organisation is a `struct org`: its manifest and the credentials of its nodes, all signatures
 * and names checked. A key of organisation B can speak only for B. No function here trusts on first use:
 * whoever calls org_verify() for a partner compares the fingerprint with what the other admin said.
 */
#pragma once

#include "security/sign.h"

enum {
	CREDENTIAL_LIFE_DAYS = 30,
	MANIFEST_LIFE_DAYS = 400,
	NOT_BEFORE_LEEWAY_S = 300,
	REVOCATIONS_LIFE_S = 86400,
	VERSION_JUMP_MAX = 1000, /* more is refused: a version far ahead would lock out every later one */
	FINGERPRINT_SIZE = 104,
	WORDS_SIZE = 128,
};

struct org {
	struct manifest manifest;
	struct public_key *roots; /* it had, the present one last: each was announced by the one before it */
	size_t n_roots;
	struct credential *nodes;         /* without those that were revoked */
	struct signed_blob *signed_nodes; /* the same as they were signed */
	size_t n_nodes;
	struct revocations revocations; /* seq 0: nothing was ever revoked */
	uint8_t revocations_hash[KEY_BYTES];
	struct bytes encoded; /* the bundle it came from */
};

/* Check a bundle: root signature (manifest.root signed it), times, names, every credential's issuer and
 * prefixes. `now_ns` is wall time. Everything points into the arena. ERR_MALFORMED, ERR_UNTRUSTED with a note
 * that says which object and why (expired, not yet valid, wrong signature, foreign name, ...). */
MUST_CHECK int org_verify(struct arena *a, struct bytes encoded_bundle, int64_t now_ns, struct org *ret,
			  struct err_note *note);

/* May `next` replace `old` of the same organisation? Same root (or one that follows it, the first of them
 * announced by what is held here: pre-rotation as in KERI), version not lower, no absurd jump; the same of
 * the revocations, which forget nothing early. ERR_UNTRUSTED with a note. */
MUST_CHECK int org_may_replace(const struct org *old, const struct org *next, struct err_note *note);

/* Verify one encoded signed_blob as a credential of a verified organisation. */
MUST_CHECK int org_verify_credential(struct arena *a, const struct org *org, struct bytes encoded_blob,
				     int64_t now_ns, struct credential *ret, struct err_note *note);

/* The same without its time, and of an issuer that the manifest does not list (yet, or any longer) without
 * its signature: what it says is only good to be compared. ERR_UNTRUSTED: no bundle whatever can make it
 * good. */
MUST_CHECK int org_read_credential(struct arena *a, const struct org *org, struct bytes encoded_blob,
				   struct credential *ret, struct err_note *note);
/* Is it one that org_credential_is_revoked()? */
bool org_shows_revoked(struct arena *a, const struct org *org, struct bytes encoded_blob);
bool org_credential_is_revoked(const struct org *org, const struct credential *c,
			       const struct public_key *issuer);

/* Valid at `now`? The two answers need different people: a wrong clock is ours, an expired manifest theirs.
 */
MUST_CHECK int org_check_manifest_time(const struct manifest *m, int64_t now_ns, struct err_note *note);

/* The same of a person. */
MUST_CHECK int org_verify_person(struct arena *a, const struct org *org, struct bytes encoded_blob,
				 int64_t now_ns, struct person *ret, struct err_note *note);
bool org_person_is_revoked(const struct org *org, const struct person *p, const struct public_key *issuer);

/* A statement of what is newest: signed by a node of the organisation with the role admin, neither behind
 * what is held here nor absurdly ahead of it, not run out. */
MUST_CHECK int org_verify_freshness(struct arena *a, const struct org *org, const struct signed_blob *blob,
				    int64_t now_ns, struct freshness *ret, struct err_note *note);
MUST_CHECK int org_sign_freshness(const struct sign_key *admin, const struct freshness *f, struct buf *out);

/* The list of revocations is overdue: somebody may be keeping newer ones from us. */
bool revocations_are_late(const struct revocations *r, int64_t now_ns);
/* What the next list names as the previous one. */
void revocations_hash(const struct signed_blob *blob, uint8_t ret[KEY_BYTES]);

/* A clock before the build of the program is not set, which is another trouble than everything having
 * expired or being not yet valid. ERR_REFUSED with a note. */
int64_t built_ns(void); /* when this program was built */
MUST_CHECK int org_check_clock(int64_t now_ns, int64_t built_ns, struct err_note *note);

/* Verify a signed policy against the organisation's policy keys. */
MUST_CHECK int org_verify_policy(struct arena *a, const struct org *org, const struct signed_blob *blob,
				 struct policy_doc *ret, struct err_note *note);

const struct credential *org_node(const struct org *org, const char *node); /* NULL: none of that name */
const struct credential *org_node_by_curve(const struct org *org, const struct curve_key *key);

/* `ACME-7QK4JX2-M5TQ3ZA-...`: the name in upper case and 150 bits of BLAKE2b-256("holon/org/v1", name, root)
 * as base32 in five groups of 7, the last of which is a check character. */
void org_fingerprint(const char *org, const struct public_key *root, char ret[FINGERPRINT_SIZE]);
/* Does what a person typed (any case, spaces or dashes) mean this organisation? At least 4 groups must be
 * given. ERR_UNTRUSTED with a note that says which group is mistyped or that it is another organisation's. */
MUST_CHECK int org_fingerprint_check(const char *typed, const char *org, const struct public_key *root,
				     struct err_note *note);
/* Six short words for reading over the telephone: of both organisations together, the same at either side. */
void org_words(const struct org *mine, const struct org *theirs, char ret[WORDS_SIZE]);

/* The admin's side: a directory with the sealed root, the issuer and policy keys, the public bundle.
 *
 *     root.key (sealed)  next-root.key (sealed)  issuer.key  policy.key  cursor.key  bundle
 */
struct org_dir_options {
	const char *dir;  /* made; must not hold an organisation already */
	const char *name; /* id_is_segment() */
	struct bytes passphrase;
	int64_t now_ns;
};
MUST_CHECK int org_dir_init(const struct org_dir_options *opt, struct err_note *note);
/* The verified bundle of an organisation directory. */
MUST_CHECK int org_dir_load(struct arena *a, const char *dir, int64_t now_ns, struct org *ret,
			    struct err_note *note);

struct node_options {
	const char *org_dir;
	const char *node_dir; /* made; must not hold a node already */
	const char *name;
	uint32_t roles;
	const char **prefixes; /* NULL: the whole organisation */
	size_t n_prefixes;
	const char *endpoint, *border_endpoint; /* "" for none; a border role needs a border endpoint */
	int64_t now_ns;
};
/* Make a node: keys/curve.key, keys/sign.key, keys/cursor.key (border only: the organisation's, so that a
 * partner may go on at another border node where it stopped at one), `bundle` (own organisation) in node_dir,
 * and the credential into the organisation's bundle. Refuses a name or endpoint that is taken. */
MUST_CHECK int org_dir_add_node(const struct node_options *opt, struct err_note *note);
/* Sign a policy text as the next epoch; appends the encoded signed_blob. */
MUST_CHECK int org_dir_sign_policy(const char *dir, uint64_t epoch, const char *text, int64_t now_ns,
				   struct buf *out, struct err_note *note);
