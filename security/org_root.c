/* SPDX-License-Identifier: Apache-2.0 */
/* Works that the root signs. Keys are on disk before the manifest that names them is, and are moved to their
 * lasting names after it: org_edit_root() and org_today_issuer() find them wherever a crash left them. */
#include <sodium.h>

#include "security/org_edit.h"
#include "security/org_persons.h"

_Static_assert((int)PERSON_LIFE_DAYS <= (int)CREDENTIAL_LIFE_DAYS, "nodes have the longer life");

/* The manifest of now, one version on. */
static struct manifest next_manifest(const struct org_edit *e)
{
	struct manifest m = e->org.manifest;

	m.version++;
	m.issued_ns = e->now_ns;
	m.valid_until_ns = e->now_ns + MANIFEST_LIFE_DAYS * DAY_NS;
	return m;
}

int org_dir_renew_manifest(const char *dir, struct bytes passphrase, int64_t now_ns, struct err_note *note)
{
	SCOPED(org_edit_end) struct org_edit e = {.dir = dir, .now_ns = now_ns, .lock = -1};
	SCOPED(scope_sign_key) struct sign_key *root = NULL;

	TRY(org_edit_begin(&e, note));
	TRY(org_edit_root(&e, passphrase, &root, note));
	struct manifest m = next_manifest(&e);
	for (size_t i = 0; i < m.n_issuers; i++)
		m.issuers[i].not_after_ns = m.valid_until_ns;
	TRY(org_edit_set_manifest(&e, &m, root));
	return org_edit_save(&e, note);
}

/* The bundle goes on with the manifest that announced the root to come. Of very many roots the oldest is
 * forgotten. */
static int keep_ancestor(struct org_edit *e)
{
	struct bundle *b = &e->bundle;
	const size_t skip = b->n_ancestors == ANCESTORS_MAX;
	struct signed_blob *ancestors = arena_take_array(e->arena, b->n_ancestors + 1, sizeof *ancestors);

	if (!ancestors)
		return FAIL(-ENOMEM);
	for (size_t i = skip; i < b->n_ancestors; i++)
		ancestors[i - skip] = b->ancestors[i];
	ancestors[b->n_ancestors - skip] = b->manifest;
	b->ancestors = ancestors;
	b->n_ancestors += 1 - skip;
	return 0;
}

int org_dir_rotate_root(const char *dir, struct bytes passphrase, int64_t now_ns, struct err_note *note)
{
	SCOPED(org_edit_end) struct org_edit e = {.dir = dir, .now_ns = now_ns, .lock = -1};
	SCOPED(scope_sign_key) struct sign_key *root = NULL, *next = NULL, *after = NULL;
	const char *next_path, *after_path;

	TRY(org_edit_begin(&e, note));
	TRY(org_edit_root(&e, passphrase, &root, note));
	next_path = path_join(e.arena, dir, "next-root.key");
	after_path = path_join(e.arena, dir, "new-next-root.key");
	if (!next_path || !after_path)
		return FAIL(-ENOMEM);
	TRY(root_key_load(&next, next_path, passphrase, note));
	TRY(sign_key_new(&after));
	TRY(root_key_save(after, after_path, passphrase, note));
	struct manifest m = next_manifest(&e);
	const struct public_key announced = sign_key_public(after);
	m.root = sign_key_public(next);
	crypto_generichash(m.next_root_hash, sizeof m.next_root_hash, announced.b, sizeof announced.b, NULL,
			   0);
	TRY(keep_ancestor(&e));
	TRY(org_edit_set_manifest(&e, &m, next));
	TRY(org_edit_save(&e, note));
	TRY(org_edit_rename(&e, "next-root.key", "root.key", note));
	return org_edit_rename(&e, "new-next-root.key", "next-root.key", note);
}

/* ---- issuers ---- */

static const struct issuer_key *newest_issuer(const struct manifest *m)
{
	const struct issuer_key *newest = &m->issuers[0];

	for (size_t i = 1; i < m->n_issuers; i++)
		if (m->issuers[i].not_before_ns > newest->not_before_ns)
			newest = &m->issuers[i];
	return newest;
}

/* Credentials of all issuers but the newest that still count. */
static int count_old(struct org_edit *e, const struct issuer_key *newest, struct issuer_status *s,
		     struct err_note *note)
{
	for (size_t i = 0; i < e->org.n_nodes; i++) {
		const int64_t end_ns = e->org.nodes[i].not_after_ns;
		if (end_ns <= e->now_ns || key_equal(&e->org.signed_nodes[i].key, &newest->key))
			continue;
		s->n_old++;
		if (end_ns > s->drained_ns)
			s->drained_ns = end_ns;
	}
	for (size_t i = 0; i < e->org.manifest.n_issuers; i++) {
		const struct issuer_key *k = &e->org.manifest.issuers[i];
		if (k != newest)
			TRY(persons_count(e, &k->key, &s->n_old, &s->drained_ns, note));
	}
	return 0;
}

/* A credential that has been renewed in the directory may still be shown by its owner, who has not heard: the
 * old key has drained only when everything that it can ever have signed has ended. */
static int read_status(struct org_edit *e, struct issuer_status *ret, struct err_note *note)
{
	const struct manifest *m = &e->org.manifest;
	struct issuer_status s = {.phase = ISSUER_STEADY};

	if (m->n_issuers == 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the manifest of %s names no issuer", m->org);
	const struct issuer_key *newest = newest_issuer(m);
	s.until_ns = newest->not_after_ns;
	if (m->n_issuers > 1) {
		TRY(count_old(e, newest, &s, note));
		s.signs_from_ns = newest->not_before_ns;
		if (s.drained_ns < s.signs_from_ns + CREDENTIAL_LIFE_DAYS * DAY_NS)
			s.drained_ns = s.signs_from_ns + CREDENTIAL_LIFE_DAYS * DAY_NS;
		s.phase = e->now_ns < s.signs_from_ns ? ISSUER_WAITING
			  : e->now_ns < s.drained_ns  ? ISSUER_DRAINING
						      : ISSUER_DRAINED;
	}
	*ret = s;
	return 0;
}

int issuer_status(const char *dir, int64_t now_ns, struct issuer_status *ret, struct err_note *note)
{
	SCOPED(org_edit_end) struct org_edit e = {.dir = dir, .now_ns = now_ns, .lock = -1};

	TRY(org_edit_begin(&e, note));
	return read_status(&e, ret, note);
}

static int publish_issuer(struct org_edit *e, const struct sign_key *root, struct err_note *note)
{
	SCOPED(scope_sign_key) struct sign_key *issuer = NULL;
	const char *path = path_join(e->arena, e->dir, "next-issuer.key");
	struct manifest m = next_manifest(e);
	struct issuer_key *issuers = arena_take_array(e->arena, m.n_issuers + 1, sizeof *issuers);

	if (!path || !issuers)
		return FAIL(-ENOMEM);
	TRY(sign_key_new(&issuer));
	TRY(sign_key_save(issuer, path, note));
	memcpy(issuers, m.issuers, m.n_issuers * sizeof *issuers);
	issuers[m.n_issuers++] = (struct issuer_key){sign_key_public(issuer),
						     e->now_ns + ISSUER_WAIT_S * NS_PER_S, m.valid_until_ns};
	m.issuers = issuers;
	TRY(org_edit_set_manifest(e, &m, root));
	return org_edit_save(e, note);
}

static bool is_of_another_issuer(const struct credential *c, const struct signed_blob *blob, const void *ctx)
{
	const struct issuer_key *newest = ctx;

	(void)c;
	return !key_equal(&blob->key, &newest->key);
}

/* Expired credentials of the old key go with it; its revocations, signed by it, are signed anew. */
static int drop_issuer(struct org_edit *e, const struct sign_key *root, struct err_note *note)
{
	struct manifest m = next_manifest(e);
	struct issuer_key newest = *newest_issuer(&m);

	newest.not_after_ns = m.valid_until_ns;
	org_edit_drop_nodes(e, is_of_another_issuer, &newest);
	if (e->bundle.revocations)
		TRY(org_edit_revoke(e, NULL, 0, note));
	m.issuers = &newest;
	m.n_issuers = 1;
	TRY(org_edit_set_manifest(e, &m, root));
	TRY(org_edit_save(e, note));
	return org_edit_rename(e, "next-issuer.key", "issuer.key", note);
}

/* Of a drop that was cut off after the new bundle was written. */
static int finish_drop(struct org_edit *e, struct err_note *note)
{
	SCOPED(scope_sign_key) struct sign_key *next = NULL;
	const char *path = path_join(e->arena, e->dir, "next-issuer.key");

	if (!path)
		return FAIL(-ENOMEM);
	if (e->org.manifest.n_issuers != 1 || !org_edit_has(e, "next-issuer.key"))
		return 0;
	TRY(sign_key_load(&next, path, note));
	const struct public_key public = sign_key_public(next);
	if (!org_issuer(&e->org.manifest, &public))
		return 0; /* made, but never published: made anew */
	return org_edit_rename(e, "next-issuer.key", "issuer.key", note);
}

static int refuse_step(const struct issuer_status *s, struct err_note *note)
{
	char when[TIME_TEXT_SIZE];

	if (s->phase == ISSUER_WAITING)
		return FAIL_SAY(note, ERR_REFUSED, "the new issuer key signs from %s on: wait",
				time_text(s->signs_from_ns - s->signs_from_ns % NS_PER_S, when));
	return FAIL_SAY(note, ERR_REFUSED, "what the old issuer key signed still counts, until %s: wait",
			time_text(s->drained_ns - s->drained_ns % NS_PER_S, when));
}

int issuer_rotate(const char *dir, struct bytes passphrase, int64_t now_ns, struct issuer_status *ret,
		  struct err_note *note)
{
	SCOPED(org_edit_end) struct org_edit e = {.dir = dir, .now_ns = now_ns, .lock = -1};
	SCOPED(scope_sign_key) struct sign_key *root = NULL;
	struct issuer_status s;

	TRY(org_edit_begin(&e, note));
	TRY(finish_drop(&e, note));
	TRY(read_status(&e, &s, note));
	if (s.phase == ISSUER_WAITING || s.phase == ISSUER_DRAINING)
		return refuse_step(&s, note);
	TRY(org_edit_root(&e, passphrase, &root, note));
	if (s.phase == ISSUER_STEADY)
		TRY(publish_issuer(&e, root, note));
	else
		TRY(drop_issuer(&e, root, note));
	return read_status(&e, ret, note);
}
