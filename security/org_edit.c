/* SPDX-License-Identifier: Apache-2.0 */
#include "security/org_edit.h"

#include <stdio.h>
#include <sys/stat.h>

/* ---- read and write ---- */

/* An expired manifest is verified as of its last moment. */
static int load_even_expired(struct org_edit *e, struct err_note *note)
{
	const char *path = path_join(e->arena, e->dir, "bundle");
	struct bytes encoded;
	struct manifest m;
	struct bundle b;

	if (!path)
		return FAIL(-ENOMEM);
	const int r = file_read(e->arena, path, BUNDLE_FILE_MAX, &encoded, note);
	if (r == -ENOENT)
		return FAIL_SAY(note, ERR_ABSENT, "%s holds no organisation: there is no file bundle in it",
				e->dir);
	TRY(r);
	int code = bundle_decode(e->arena, encoded, &b);
	if (code == 0)
		code = manifest_decode(e->arena, b.manifest.payload, &m);
	if (code < 0)
		return org_unreadable(note, code, "the bundle");
	const int64_t at = m.valid_until_ns <= e->now_ns ? m.valid_until_ns - 1 : e->now_ns;
	return org_verify(e->arena, encoded, at, &e->org, note);
}

int org_edit_begin(struct org_edit *e, struct err_note *note)
{
	TRY(arena_new(&e->arena, ORG_ARENA_BYTES));
	TRY(dir_lock(e->dir, &e->lock, note));
	TRY(load_even_expired(e, note));
	TRY(bundle_decode(e->arena, e->org.encoded, &e->bundle));
	for (size_t i = 0; i < e->org.n_nodes; i++) /* revoked ones are not carried on */
		e->bundle.credentials[i] = e->org.signed_nodes[i];
	e->bundle.n_credentials = e->org.n_nodes;
	return 0;
}

int org_edit_save(struct org_edit *e, struct err_note *note)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	const char *path = path_join(e->arena, e->dir, "bundle");
	struct org next;

	if (!path)
		return FAIL(-ENOMEM);
	bundle_encode(&e->bundle, &encoded);
	TRY(buf_check(&encoded));
	TRY(org_verify(e->arena, buf_bytes(&encoded), e->now_ns, &next, note));
	TRY(org_may_replace(&e->org, &next, note));
	TRY(file_write(path, buf_bytes(&encoded), false, note));
	e->org = next;
	return 0;
}

void org_edit_end(struct org_edit *e)
{
	dir_unlock(&e->lock);
	arena_free(e->arena);
}

/* ---- keys ---- */

static bool may_issue(const struct org *org, const struct sign_key *k, int64_t now_ns)
{
	const struct public_key public = sign_key_public(k);
	const struct issuer_key *i = org_issuer(&org->manifest, &public);

	return i && i->not_before_ns <= now_ns && now_ns < i->not_after_ns;
}

int org_today_issuer(struct arena *a, const char *dir, const struct org *org, int64_t now_ns,
		     struct sign_key **ret, struct err_note *note)
{
	static const char *const files[] = {"next-issuer.key", "issuer.key"};

	for (size_t i = 0; i < 2; i++) {
		SCOPED(scope_sign_key) struct sign_key *key = NULL;
		const char *path = path_join(a, dir, files[i]);
		if (!path)
			return FAIL(-ENOMEM);
		const int r = sign_key_load(&key, path, note);
		if (r == -ENOENT && i == 0)
			continue; /* no rotation going on */
		TRY(r);
		if (i == 0 && !may_issue(org, key, now_ns))
			continue;
		*ret = MOVE(key);
		return 0;
	}
	return FAIL(ERR_ABSENT); /* the second file was either loaded or failed */
}

/* Of a rotation of the root that was cut off after the new bundle was written. */
static int finish_root_rotation(struct org_edit *e, struct err_note *note)
{
	TRY(org_edit_rename(e, "next-root.key", "root.key", note));
	return org_edit_rename(e, "new-next-root.key", "next-root.key", note);
}

static int load_root(struct org_edit *e, const char *file, struct bytes passphrase, struct sign_key **ret,
		     struct err_note *note)
{
	const char *path = path_join(e->arena, e->dir, file);

	return path ? root_key_load(ret, path, passphrase, note) : FAIL(-ENOMEM);
}

static bool is_root(const struct org_edit *e, const struct sign_key *k)
{
	const struct public_key public = sign_key_public(k);

	return key_equal(&public, &e->org.manifest.root);
}

int org_edit_root(struct org_edit *e, struct bytes passphrase, struct sign_key **ret, struct err_note *note)
{
	SCOPED(scope_sign_key) struct sign_key *root = NULL, *next = NULL;

	TRY(load_root(e, "root.key", passphrase, &root, note));
	if (is_root(e, root)) {
		if (!org_edit_has(e, "next-root.key") && org_edit_has(e, "new-next-root.key"))
			TRY(org_edit_rename(e, "new-next-root.key", "next-root.key", note));
		*ret = MOVE(root);
		return 0;
	}
	TRY(load_root(e, "next-root.key", passphrase, &next, note));
	if (!is_root(e, next))
		return FAIL_SAY(note, ERR_UNTRUSTED, "%s/root.key is not the root of %s", e->dir,
				e->org.manifest.org);
	TRY(finish_root_rotation(e, note));
	*ret = MOVE(next);
	return 0;
}

bool org_edit_has(struct org_edit *e, const char *file)
{
	const char *path = path_join(e->arena, e->dir, file);
	struct stat st;

	return path && lstat(path, &st) == 0;
}

int org_edit_rename(struct org_edit *e, const char *from, const char *to, struct err_note *note)
{
	const char *old = path_join(e->arena, e->dir, from), *new = path_join(e->arena, e->dir, to);

	if (!old || !new)
		return FAIL(-ENOMEM);
	if (rename(old, new) < 0) {
		const int code = -errno;
		return FAIL_SAY(note, code, "cannot rename %s: %s", old, err_text(code));
	}
	return file_sync_parent(new, note);
}

/* ---- changes ---- */

int org_edit_sign(struct org_edit *e, const struct sign_key *k, const char *context, struct buf *payload,
		  struct signed_blob *ret)
{
	TRY(buf_check(payload));
	const char *kept = arena_text(e->arena, buf_bytes(payload));
	if (!kept)
		return FAIL(-ENOMEM);
	sign_blob(k, context, (struct bytes){(const uint8_t *)kept, payload->len}, ret);
	return 0;
}

int org_edit_set_manifest(struct org_edit *e, const struct manifest *m, const struct sign_key *root)
{
	SCOPED(buf_fini) struct buf payload = {0};

	manifest_encode(m, &payload);
	return org_edit_sign(e, root, SIGN_MANIFEST, &payload, &e->bundle.manifest);
}

int org_edit_set_node(struct org_edit *e, const struct sign_key *issuer, size_t at,
		      const struct credential *c)
{
	SCOPED(buf_fini) struct buf payload = {0};

	credential_encode(c, &payload);
	return org_edit_sign(e, issuer, SIGN_CREDENTIAL, &payload, &e->bundle.credentials[at]);
}

int org_edit_add_node(struct org_edit *e, const struct sign_key *issuer, const struct credential *c)
{
	const size_t n = e->bundle.n_credentials;
	struct signed_blob *all = arena_take_array(e->arena, n + 1, sizeof *all);

	if (!all)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		all[i] = e->bundle.credentials[i];
	e->bundle.credentials = all;
	e->bundle.n_credentials = n + 1;
	return org_edit_set_node(e, issuer, n, c);
}

void org_edit_drop_nodes(struct org_edit *e, leave_fn leave, const void *ctx)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->org.n_nodes; i++)
		if (!leave(&e->org.nodes[i], &e->org.signed_nodes[i], ctx))
			e->bundle.credentials[kept++] = e->org.signed_nodes[i];
	e->bundle.n_credentials = kept;
}

/* What nothing can be hit by any longer is forgotten; one second of grace, so that no verifier's "still
 * counts" and our "over" meet. */
static size_t still_count(const struct revocations *old, int64_t now_ns, struct revoked *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < old->n_entries; i++)
		if (time_later(old->entries[i].until_ns, NS_PER_S) >= now_ns)
			ret[n++] = old->entries[i];
	return n;
}

int org_edit_revoke(struct org_edit *e, const struct revoked *entries, size_t n, struct err_note *note)
{
	const struct revocations *old = &e->org.revocations;
	SCOPED(scope_sign_key) struct sign_key *issuer = NULL;
	SCOPED(buf_fini) struct buf payload = {0};
	struct signed_blob *blob = arena_take(e->arena, sizeof *blob);
	struct revocations next = {
		.org = e->org.manifest.org,
		.seq = old->seq + 1,
		.this_update_ns = e->now_ns,
		.next_update_ns = e->now_ns + REVOCATIONS_LIFE_S * NS_PER_S,
		.entries = arena_take_array(e->arena, old->n_entries + n, sizeof *next.entries),
	};

	if (!blob || !next.entries)
		return FAIL(-ENOMEM);
	memcpy(next.previous, e->org.revocations_hash, sizeof next.previous);
	next.n_entries = still_count(old, e->now_ns, next.entries);
	for (size_t i = 0; i < n; i++)
		next.entries[next.n_entries++] = entries[i];
	if (next.n_entries > REVOKED_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "%s has %d revocations already, more cannot be", next.org,
				REVOKED_MAX);
	TRY(org_today_issuer(e->arena, e->dir, &e->org, e->now_ns, &issuer, note));
	revocations_encode(&next, &payload);
	TRY(org_edit_sign(e, issuer, SIGN_REVOCATIONS, &payload, blob));
	e->bundle.revocations = blob;
	return 0;
}
