/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "security/org_files.h"

enum { ARENA_BYTES = 64 * 1024 * 1024 };

/* The five secrets of an organisation. */
struct org_keys {
	struct sign_key *root, *next_root, *issuer, *policy;
	struct secret32 *cursor;
};

static void org_keys_fini(struct org_keys *k)
{
	sign_key_free(k->root);
	sign_key_free(k->next_root);
	sign_key_free(k->issuer);
	sign_key_free(k->policy);
	secret32_free(k->cursor);
}

static int org_keys_new(struct org_keys *k)
{
	TRY(sign_key_new(&k->root));
	TRY(sign_key_new(&k->next_root));
	TRY(sign_key_new(&k->issuer));
	TRY(sign_key_new(&k->policy));
	return secret32_new(&k->cursor);
}

static int save_keys(const struct org_keys *k, const struct org_dir_options *opt, struct made *made,
		     struct err_note *note)
{
	const char *root, *next_root, *issuer, *policy, *cursor;

	TRY(made_path(made, opt->dir, "root.key", &root, note));
	TRY(made_path(made, opt->dir, "next-root.key", &next_root, note));
	TRY(made_path(made, opt->dir, "issuer.key", &issuer, note));
	TRY(made_path(made, opt->dir, "policy.key", &policy, note));
	TRY(made_path(made, opt->dir, "cursor.key", &cursor, note));
	TRY(root_key_save(k->root, root, opt->passphrase, note));
	TRY(root_key_save(k->next_root, next_root, opt->passphrase, note));
	TRY(sign_key_save(k->issuer, issuer, note));
	TRY(sign_key_save(k->policy, policy, note));
	return secret32_save(k->cursor, cursor, note);
}

static void first_manifest(const struct org_keys *k, const struct org_dir_options *opt,
			   struct issuer_key *issuer, struct public_key *policy, struct manifest *ret)
{
	const int64_t end_ns = opt->now_ns + MANIFEST_LIFE_DAYS * 86400 * NS_PER_S;
	const struct public_key next_root = sign_key_public(k->next_root);

	*issuer = (struct issuer_key){sign_key_public(k->issuer), opt->now_ns, end_ns};
	*policy = sign_key_public(k->policy);
	*ret = (struct manifest){
		.org = opt->name,
		.version = 1,
		.issued_ns = opt->now_ns,
		.valid_until_ns = end_ns,
		.root = sign_key_public(k->root),
		.issuers = issuer,
		.n_issuers = 1,
		.policy_keys = policy,
		.n_policy_keys = 1,
	};
	crypto_generichash(ret->next_root_hash, sizeof ret->next_root_hash, next_root.b, sizeof next_root.b,
			   NULL, 0);
}

static int save_first_bundle(const struct org_keys *k, const struct org_dir_options *opt, const char *path,
			     struct err_note *note)
{
	SCOPED(buf_fini) struct buf payload = {0}, encoded = {0};
	struct issuer_key issuer;
	struct public_key policy;
	struct manifest m;
	struct bundle b = {0};

	first_manifest(k, opt, &issuer, &policy, &m);
	manifest_encode(&m, &payload);
	TRY(buf_check(&payload));
	sign_blob(k->root, SIGN_MANIFEST, buf_bytes(&payload), &b.manifest);
	bundle_encode(&b, &encoded);
	TRY(buf_check(&encoded));
	return file_write(path, buf_bytes(&encoded), false, note);
}

int org_dir_init(const struct org_dir_options *opt, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(org_keys_fini) struct org_keys keys = {0};
	const char *bundle;

	TRY(id_check_segment(opt->name, "organisation", ORG_NAME_MAX, note));
	TRY(arena_new(&a, ARENA_BYTES));
	SCOPED(made_undo) struct made made = {.arena = a};
	TRY(made_dir(&made, opt->dir, note));
	SCOPED(dir_unlock) int lock = -1;
	TRY(dir_lock(opt->dir, &lock, note));
	TRY(made_path(&made, opt->dir, "bundle", &bundle, note));
	TRY(org_keys_new(&keys));
	TRY(save_keys(&keys, opt, &made, note));
	TRY(save_first_bundle(&keys, opt, bundle, note));
	made_keep(&made);
	return 0;
}

int org_dir_load(struct arena *a, const char *dir, int64_t now_ns, struct org *ret, struct err_note *note)
{
	const char *path = path_join(a, dir, "bundle");
	struct bytes encoded;

	if (!path)
		return FAIL(-ENOMEM);
	const int r = file_read(a, path, BUNDLE_FILE_MAX, &encoded, note);
	if (r == -ENOENT)
		return FAIL_SAY(note, ERR_ABSENT, "%s holds no organisation: there is no file bundle in it",
				dir);
	TRY(r);
	return org_verify(a, encoded, now_ns, ret, note);
}

static int load_policy_key(struct arena *a, const char *dir, const struct org *org, struct sign_key **ret,
			   struct err_note *note)
{
	SCOPED(scope_sign_key) struct sign_key *key = NULL;
	const char *path = path_join(a, dir, "policy.key");

	if (!path)
		return FAIL(-ENOMEM);
	TRY(sign_key_load(&key, path, note));
	const struct public_key public = sign_key_public(key);
	for (size_t i = 0; i < org->manifest.n_policy_keys; i++)
		if (memcmp(org->manifest.policy_keys[i].b, public.b, sizeof public.b) == 0) {
			*ret = MOVE(key);
			return 0;
		}
	return FAIL_SAY(note, ERR_UNTRUSTED, "%s is not a policy key in the manifest of %s", path,
			org->manifest.org);
}

int org_dir_sign_policy(const char *dir, uint64_t epoch, const char *text, int64_t now_ns, struct buf *out,
			struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(scope_sign_key) struct sign_key *key = NULL;
	SCOPED(buf_fini) struct buf payload = {0};
	struct signed_blob blob;
	struct org org;

	if (strlen(text) > POLICY_TEXT_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "the policy is longer than %d bytes", POLICY_TEXT_MAX);
	TRY(arena_new(&a, ARENA_BYTES));
	TRY(org_dir_load(a, dir, now_ns, &org, note));
	TRY(load_policy_key(a, dir, &org, &key, note));
	const struct policy_doc doc = {.org = org.manifest.org,
				       .epoch = epoch,
				       .issued_ns = now_ns,
				       .format = POLICY_FORMAT,
				       .text = text};
	policy_doc_encode(&doc, &payload);
	TRY(buf_check(&payload));
	sign_blob(key, SIGN_POLICY, buf_bytes(&payload), &blob);
	signed_blob_encode(&blob, out);
	return buf_check(out);
}
