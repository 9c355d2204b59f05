/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/org_fixture.h"

#include <sodium.h>

#include "tests/lib/must.h"

struct arena *arena;
struct sign_key *root, *next_root, *issuer, *policy_key, *stranger;
struct err_note note;
struct issuer_key issuers[2];
struct public_key policy_keys[1];
struct manifest manifest;
struct credential nodes[BORDERS_MAX + 1];
const char *prefixes[1] = {"acme/plant1"};
struct revocations revocations;
const struct sign_key *revoker;

static struct sign_key *key_of(uint8_t seed_byte)
{
	const uint8_t seed[32] = {seed_byte, 77};
	struct sign_key *k;

	must(sign_key_from_seed(&k, seed) == 0);
	return k;
}

void begin_nodes(void)
{
	static const char *const names[N_NODES] = {"gate", "press", "reader"};

	for (size_t i = 0; i < N_NODES; i++)
		nodes[i] = (struct credential){
			.org = "acme",
			.node = names[i],
			.serial = {{(uint8_t)i}},
			.curve = {{(uint8_t)(i + 1)}},
			.sign = {{(uint8_t)(i + 101)}},
			.roles = i == 0 ? ROLE_BORDER : ROLE_OWNER,
			.endpoint = "tcp://10.0.0.1:7001",
			.border_endpoint = i == 0 ? "tcp://acme.example:7000" : "",
			.not_before_ns = NOW - DAY,
			.not_after_ns = NOW + CREDENTIAL_LIFE_DAYS * DAY,
		};
	nodes[1].prefixes = prefixes;
	nodes[1].n_prefixes = 1;
}

void org_fixture_begin(void)
{
	must(keys_init() == 0);
	must(arena_new(&arena, 64 << 20) == 0);
	root = key_of(1);
	next_root = key_of(2);
	issuer = key_of(3);
	policy_key = key_of(4);
	stranger = key_of(5);
	issuers[0] = (struct issuer_key){sign_key_public(issuer), NOW - 30 * DAY, NOW + YEAR};
	policy_keys[0] = sign_key_public(policy_key);
	manifest = (struct manifest){
		.org = "acme",
		.version = 7,
		.issued_ns = NOW - 30 * DAY,
		.valid_until_ns = NOW + YEAR,
		.root = sign_key_public(root),
		.issuers = issuers,
		.n_issuers = 1,
		.policy_keys = policy_keys,
		.n_policy_keys = 1,
	};
	const struct public_key next = sign_key_public(next_root);
	crypto_generichash(manifest.next_root_hash, KEY_BYTES, next.b, sizeof next.b, NULL, 0);
	begin_nodes();
}

void org_fixture_end(void)
{
	sign_key_free(root);
	sign_key_free(next_root);
	sign_key_free(issuer);
	sign_key_free(policy_key);
	sign_key_free(stranger);
	root = next_root = issuer = policy_key = stranger = NULL;
	arena_free(arena);
	arena = NULL;
}

struct bytes keep(struct buf *b)
{
	uint8_t *copy = arena_take(arena, b->len);

	must(copy && buf_check(b) == 0);
	if (b->len > 0)
		memcpy(copy, b->data, b->len);
	const struct bytes kept = {copy, b->len};
	buf_fini(b);
	return kept;
}

struct signed_blob sign(const struct sign_key *k, const char *context, struct buf *payload)
{
	struct signed_blob s;

	sign_blob(k, context, keep(payload), &s);
	return s;
}

struct signed_blob signed_manifest(const struct sign_key *k, const char *context)
{
	struct buf b = {0};

	manifest_encode(&manifest, &b);
	return sign(k, context, &b);
}

struct signed_blob signed_credential(const struct sign_key *k, const char *context,
				     const struct credential *c)
{
	struct buf b = {0};

	credential_encode(c, &b);
	return sign(k, context, &b);
}

struct signed_blob signed_revocations(const struct sign_key *k)
{
	struct buf b = {0};

	revocations_encode(&revocations, &b);
	return sign(k, SIGN_REVOCATIONS, &b);
}

struct bytes bundle_of(const struct signed_blob *m, struct signed_blob *credentials, size_t n)
{
	struct bundle bundle = {.manifest = *m, .credentials = credentials, .n_credentials = n};
	struct signed_blob list;
	struct buf b = {0};

	if (revocations.seq > 0) {
		list = signed_revocations(revoker ? revoker : issuer);
		bundle.revocations = &list;
	}
	bundle_encode(&bundle, &b);
	return keep(&b);
}

/* The bundle of the first n nodes as they are now. */
struct bytes make(size_t n)
{
	const struct signed_blob m = signed_manifest(root, SIGN_MANIFEST);
	struct signed_blob c[BORDERS_MAX + 1];

	for (size_t i = 0; i < n; i++)
		c[i] = signed_credential(issuer, SIGN_CREDENTIAL, &nodes[i]);
	return bundle_of(&m, c, n);
}

int verify_at(struct bytes encoded, int64_t now_ns, struct org *ret)
{
	note.text[0] = '\0';
	return org_verify(arena, encoded, now_ns, ret, &note);
}

int verify(struct bytes encoded)
{
	struct org org;

	return verify_at(encoded, NOW, &org);
}

struct org good_org(size_t n)
{
	struct org org;

	must(verify_at(make(n), NOW, &org) == 0);
	return org;
}

bool says(const char *words)
{
	return strstr(note.text, words) != NULL;
}
