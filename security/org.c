/* SPDX-License-Identifier: Apache-2.0 */
/* The order of checks is everywhere: is the key listed, does its signature hold, only then are the bytes
 * decoded, then does what they claim fit who signed them. */
#include "security/org.h"

#include <sodium.h>
#include <stdio.h>

#include "proto/id.h"
#include "security/org_private.h"

int64_t time_later(int64_t t_ns, int64_t by_ns)
{
	int64_t sum;

	return __builtin_add_overflow(t_ns, by_ns, &sum) ? TIME_MAX : sum;
}

bool key_equal(const struct public_key *a, const struct public_key *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

int org_unreadable(struct err_note *note, int code, const char *object)
{
	return FAIL_SAY(note, code, "%s cannot be read: %s", object, err_text(code));
}

/* ---- manifest ---- */

int org_check_manifest_time(const struct manifest *m, int64_t now_ns, struct err_note *note)
{
	char when[TIME_TEXT_SIZE];

	if (m->issued_ns > time_later(now_ns, NOT_BEFORE_LEEWAY_S * NS_PER_S))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"manifest of %s is not yet valid (from %s): is this clock right?", m->org,
				time_text(m->issued_ns, when));
	if (m->valid_until_ns <= now_ns)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"manifest of %s expired on %s: ask its admin for a new bundle", m->org,
				time_text(m->valid_until_ns, when));
	return 0;
}

static int open_manifest(struct arena *a, const struct signed_blob *blob, struct manifest *ret,
			 struct err_note *note)
{
	struct manifest m;

	if (!sign_verify(SIGN_MANIFEST, blob))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the manifest in this bundle has a wrong signature");
	const int r = manifest_decode(a, blob->payload, &m);
	if (r < 0)
		return org_unreadable(note, r, "the manifest in this bundle");
	if (!key_equal(&m.root, &blob->key))
		return FAIL_SAY(note, ERR_UNTRUSTED, "manifest of %s was not signed by the root it names",
				m.org);
	if (m.valid_until_ns > time_later(m.issued_ns, MANIFEST_LIFE_DAYS * DAY_NS))
		return FAIL_SAY(note, ERR_UNTRUSTED, "manifest of %s wants to be valid for more than %d days",
				m.org, MANIFEST_LIFE_DAYS);
	*ret = m;
	return 0;
}

static bool announces(const struct manifest *m, const struct public_key *root)
{
	uint8_t hash[KEY_BYTES];

	/* without an announcement the hash is all zeroes, which no key has */
	crypto_generichash(hash, sizeof hash, root->b, sizeof root->b, NULL, 0);
	return memcmp(hash, m->next_root_hash, sizeof hash) == 0;
}

/* The manifests of earlier roots have long expired; all that counts of them is what they announced. */
static int open_ancestor(struct arena *a, const struct signed_blob *blob, const struct manifest *next,
			 struct manifest *ret, struct err_note *note)
{
	TRY(open_manifest(a, blob, ret, note));
	if (strcmp(ret->org, next->org) != 0 || ret->version >= next->version || !announces(ret, &next->root))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the roots of %s do not follow from each other",
				next->org);
	return 0;
}

static int open_roots(struct arena *a, const struct bundle *b, struct org *org, struct err_note *note)
{
	struct manifest next = org->manifest, m;

	org->n_roots = b->n_ancestors + 1;
	org->roots = arena_take_array(a, org->n_roots, sizeof *org->roots);
	if (!org->roots)
		return FAIL(-ENOMEM);
	org->roots[b->n_ancestors] = next.root;
	for (size_t i = b->n_ancestors; i-- > 0; next = m) {
		TRY(open_ancestor(a, &b->ancestors[i], &next, &m, note));
		org->roots[i] = m.root;
	}
	return 0;
}

const struct issuer_key *org_issuer(const struct manifest *m, const struct public_key *key)
{
	for (size_t i = 0; i < m->n_issuers; i++)
		if (key_equal(&m->issuers[i].key, key))
			return &m->issuers[i];
	return NULL;
}

static bool is_policy_key(const struct manifest *m, const struct public_key *key)
{
	for (size_t i = 0; i < m->n_policy_keys; i++)
		if (key_equal(&m->policy_keys[i], key))
			return true;
	return false;
}

/* ---- credentials ---- */

static int check_prefixes(const struct credential *c, struct err_note *note)
{
	for (size_t i = 0; i < c->n_prefixes; i++)
		if (!id_is_within(c->prefixes[i], c->org))
			return FAIL_SAY(note, ERR_UNTRUSTED,
					"credential of %s/%s claims a prefix that is not within %s", c->org,
					c->node, c->org);
	return 0;
}

/* What a credential claims, given that an issuer of its organisation signed it. */
static int check_claims(const struct credential *c, struct err_note *note)
{
	const bool border = c->roles & ROLE_BORDER;

	if (c->not_before_ns >= c->not_after_ns)
		return FAIL_SAY(note, ERR_UNTRUSTED, "credential of %s/%s ends before it begins", c->org,
				c->node);
	if (border && c->border_endpoint[0] == '\0')
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"credential of %s/%s has the role border but no border endpoint", c->org,
				c->node);
	if (!border && c->border_endpoint[0] != '\0')
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"credential of %s/%s has a border endpoint but not the role border", c->org,
				c->node);
	return check_prefixes(c, note);
}

static int open_credential(struct arena *a, const struct manifest *m, const struct signed_blob *blob,
			   const char *object, struct credential *ret, struct err_note *note)
{
	const struct issuer_key *issuer = org_issuer(m, &blob->key);
	struct credential c;

	if (!issuer)
		return FAIL_SAY(note, ERR_UNTRUSTED, "%s was not signed by an issuer of %s", object, m->org);
	if (!sign_verify(SIGN_CREDENTIAL, blob))
		return FAIL_SAY(note, ERR_UNTRUSTED, "%s has a wrong signature", object);
	const int r = credential_decode(a, blob->payload, &c);
	if (r < 0)
		return org_unreadable(note, r, object);
	if (strcmp(c.org, m->org) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "%s is of organisation %s, not of %s", object, c.org,
				m->org);
	if (c.not_before_ns < issuer->not_before_ns || c.not_before_ns >= issuer->not_after_ns)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"credential of %s/%s was issued when its issuer key was not valid", c.org,
				c.node);
	TRY(check_claims(&c, note));
	*ret = c;
	return 0;
}

/* Nodes are told apart by name and by either key: none may occur twice. */
static int check_unlike(const struct credential *c, const struct credential *others, size_t n,
			struct err_note *note)
{
	for (size_t i = 0; i < n; i++) {
		const struct credential *o = &others[i];

		if (strcmp(o->node, c->node) == 0)
			return FAIL_SAY(note, ERR_UNTRUSTED, "the bundle of %s has two nodes named %s",
					c->org, c->node);
		if (memcmp(o->curve.b, c->curve.b, sizeof c->curve.b) == 0 || key_equal(&o->sign, &c->sign))
			return FAIL_SAY(note, ERR_UNTRUSTED, "the nodes %s and %s of %s have the same key",
					o->node, c->node, c->org);
	}
	return 0;
}

bool org_credential_is_revoked(const struct org *org, const struct credential *c,
			       const struct public_key *issuer)
{
	const struct claim claim = {.serial = &c->serial,
				    .keys = {c->curve.b, c->sign.b},
				    .node = c->node,
				    .issuer = issuer,
				    .not_before_ns = c->not_before_ns};

	return revocations_hit(&org->revocations, &claim) != NULL;
}

static int open_revocations(struct arena *a, const struct bundle *b, int64_t now_ns, struct org *org,
			    struct err_note *note)
{
	if (!b->revocations)
		return 0;
	TRY(revocations_verify(a, &org->manifest, b->revocations, now_ns, &org->revocations, note));
	revocations_hash(b->revocations, org->revocations_hash);
	return 0;
}

/* Who was revoked is left out of the nodes; the rest of the bundle counts. */
static int open_nodes(struct arena *a, const struct bundle *b, struct org *org, struct err_note *note)
{
	char object[OBJECT_NAME_SIZE];
	size_t n_borders = 0;

	org->nodes = arena_take_array(a, b->n_credentials, sizeof *org->nodes);
	org->signed_nodes = arena_take_array(a, b->n_credentials, sizeof *org->signed_nodes);
	if (!org->nodes || !org->signed_nodes)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < b->n_credentials; i++) {
		struct credential *c = &org->nodes[org->n_nodes];

		snprintf(object, sizeof object, "credential %zu in the bundle of %s", i + 1,
			 org->manifest.org);
		TRY(open_credential(a, &org->manifest, &b->credentials[i], object, c, note));
		if (org_credential_is_revoked(org, c, &b->credentials[i].key))
			continue;
		TRY(check_unlike(c, org->nodes, org->n_nodes, note));
		n_borders += (c->roles & ROLE_BORDER) != 0;
		org->signed_nodes[org->n_nodes++] = b->credentials[i];
	}
	if (n_borders > BORDERS_MAX)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the bundle of %s has more than %d border nodes",
				org->manifest.org, BORDERS_MAX);
	return 0;
}

/* ---- public ---- */

int org_verify(struct arena *a, struct bytes encoded_bundle, int64_t now_ns, struct org *ret,
	       struct err_note *note)
{
	struct org org = {0};
	struct bundle b;
	uint8_t *copy = arena_take(a, encoded_bundle.len);

	if (!copy)
		return FAIL(-ENOMEM);
	if (encoded_bundle.len > 0)
		memcpy(copy, encoded_bundle.data, encoded_bundle.len);
	org.encoded = (struct bytes){copy, encoded_bundle.len};
	const int r = bundle_decode(a, org.encoded, &b);
	if (r < 0)
		return org_unreadable(note, r, "the bundle");
	TRY(open_manifest(a, &b.manifest, &org.manifest, note));
	TRY(org_check_manifest_time(&org.manifest, now_ns, note));
	TRY(open_roots(a, &b, &org, note));
	TRY(open_revocations(a, &b, now_ns, &org, note));
	TRY(open_nodes(a, &b, &org, note));
	*ret = org;
	return 0;
}

/* Whoever has an old root could sign another end of its time: what is held here says how it went on. */
static bool root_follows(const struct manifest *old, const struct org *next)
{
	for (size_t i = 0; i + 1 < next->n_roots; i++)
		if (key_equal(&next->roots[i], &old->root))
			return announces(old, &next->roots[i + 1]);
	return key_equal(&next->manifest.root, &old->root) || announces(old, &next->roots[0]);
}

static int check_same_manifest(const struct manifest *a, const struct manifest *b, struct err_note *note)
{
	SCOPED(buf_fini) struct buf encoded_a = {0}, encoded_b = {0};

	manifest_encode(a, &encoded_a);
	manifest_encode(b, &encoded_b);
	TRY(buf_check(&encoded_a));
	TRY(buf_check(&encoded_b));
	if (!bytes_equal(buf_bytes(&encoded_a), buf_bytes(&encoded_b)))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"there are two different manifests of %s with version %u: ask its admin",
				a->org, (unsigned)a->version);
	return 0;
}

int org_manifest_may_replace(const struct org *old, const struct org *next, struct err_note *note)
{
	const struct manifest *o = &old->manifest, *n = &next->manifest;

	if (strcmp(o->org, n->org) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "a bundle of %s cannot replace one of %s", n->org,
				o->org);
	if (!root_follows(o, next))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the root of %s changed without having been announced: ask its admin",
				o->org);
	if (n->version < o->version)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"manifest of %s has version %u, older than the version %u held here", o->org,
				(unsigned)n->version, (unsigned)o->version);
	if (n->version - o->version > VERSION_JUMP_MAX)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"manifest of %s jumps from version %u to %u, more than %d at once", o->org,
				(unsigned)o->version, (unsigned)n->version, VERSION_JUMP_MAX);
	return n->version == o->version ? check_same_manifest(o, n, note) : 0;
}

int org_may_replace(const struct org *old, const struct org *next, struct err_note *note)
{
	TRY(org_manifest_may_replace(old, next, note));
	return revocations_may_replace(old, next, note);
}

static int check_credential_time(const struct credential *c, int64_t now_ns, struct err_note *note)
{
	char when[TIME_TEXT_SIZE];

	if (c->not_before_ns > time_later(now_ns, NOT_BEFORE_LEEWAY_S * NS_PER_S))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"credential of %s/%s is not yet valid (from %s): is this clock right?",
				c->org, c->node, time_text(c->not_before_ns, when));
	if (c->not_after_ns <= now_ns)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"credential of %s/%s expired on %s: its admin must renew it", c->org, c->node,
				time_text(c->not_after_ns, when));
	return 0;
}

int org_verify_credential(struct arena *a, const struct org *org, struct bytes encoded_blob, int64_t now_ns,
			  struct credential *ret, struct err_note *note)
{
	struct signed_blob blob;
	struct credential c;
	const int r = signed_blob_decode(a, encoded_blob, &blob);

	if (r < 0)
		return org_unreadable(note, r, "the credential");
	TRY(org_check_manifest_time(&org->manifest, now_ns, note));
	TRY(open_credential(a, &org->manifest, &blob, "the credential", &c, note));
	TRY(check_credential_time(&c, now_ns, note));
	if (org_credential_is_revoked(org, &c, &blob.key))
		return FAIL_SAY(note, ERR_UNTRUSTED, "credential of %s/%s was revoked", c.org, c.node);
	*ret = c;
	return 0;
}

int org_read_credential(struct arena *a, const struct org *org, struct bytes encoded_blob,
			struct credential *ret, struct err_note *note)
{
	struct signed_blob blob;
	int r = signed_blob_decode(a, encoded_blob, &blob);

	if (r == 0)
		r = credential_decode(a, blob.payload, ret);
	if (r < 0)
		return org_unreadable(note, r, "the credential");
	if (strcmp(ret->org, org->manifest.org) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the credential is of organisation %s, not of %s",
				ret->org, org->manifest.org);
	if (org_issuer(&org->manifest, &blob.key) && !sign_verify(SIGN_CREDENTIAL, &blob))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the credential has a wrong signature");
	return 0;
}

bool org_shows_revoked(struct arena *a, const struct org *org, struct bytes encoded_blob)
{
	struct signed_blob blob;
	struct credential c;

	return signed_blob_decode(a, encoded_blob, &blob) == 0 &&
	       credential_decode(a, blob.payload, &c) == 0 && org_credential_is_revoked(org, &c, &blob.key);
}

int org_verify_policy(struct arena *a, const struct org *org, const struct signed_blob *blob,
		      struct policy_doc *ret, struct err_note *note)
{
	const char *name = org->manifest.org;
	struct policy_doc p;

	if (!is_policy_key(&org->manifest, &blob->key))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the policy was not signed by a policy key of %s", name);
	if (!sign_verify(SIGN_POLICY, blob))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the policy of %s has a wrong signature", name);
	const int r = policy_doc_decode(a, blob->payload, &p);
	if (r < 0)
		return org_unreadable(note, r, "the policy");
	if (strcmp(p.org, name) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the policy is of organisation %s, not of %s", p.org,
				name);
	if (p.format != POLICY_FORMAT)
		return FAIL_SAY(note, ERR_VERSION,
				"the policy of %s has format %u, this version knows only %d", name,
				(unsigned)p.format, POLICY_FORMAT);
	*ret = p;
	return 0;
}

const struct credential *org_node(const struct org *org, const char *node)
{
	for (size_t i = 0; i < org->n_nodes; i++)
		if (strcmp(org->nodes[i].node, node) == 0)
			return &org->nodes[i];
	return NULL;
}

const struct credential *org_node_by_curve(const struct org *org, const struct curve_key *key)
{
	for (size_t i = 0; i < org->n_nodes; i++)
		if (memcmp(org->nodes[i].curve.b, key->b, sizeof key->b) == 0)
			return &org->nodes[i];
	return NULL;
}
