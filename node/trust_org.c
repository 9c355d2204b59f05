/* SPDX-License-Identifier: Apache-2.0 */
#include "node/trust_private.h"

#include <stdio.h>

#include "proto/clock.h"

enum { BUNDLE_MAX = 1 << 20 };

void trust_free_partner(struct partner *p)
{
	arena_free(p->arena);
	free(p);
}

DEFINE_SCOPED(partner, trust_free_partner)

static int partner_read(struct partner **ret, struct bytes bundle, int64_t now_ns, struct err_note *note)
{
	SCOPED(scope_partner) struct partner *p = calloc(1, sizeof *p);

	if (!p)
		return FAIL(-ENOMEM);
	TRY(arena_new(&p->arena, TRUST_ARENA));
	TRY(org_verify(p->arena, bundle, now_ns, &p->org, note));
	*ret = MOVE(p);
	return 0;
}

/* ---- At the start ---- */

/* Of a bundle of the own organisation, the credential with this node's keys, also as it stands there. */
static int find_self(const struct trust *t, const struct partner *own, const struct credential **ret,
		     struct bytes *ret_encoded, struct err_note *note)
{
	const struct curve_key curve = curve_pair_public(t->curve);
	const struct public_key sign = sign_key_public(t->sign);
	const struct credential *self = org_node_by_curve(&own->org, &curve);
	SCOPED(buf_fini) struct buf encoded = {0};

	if (!self || memcmp(self->sign.b, sign.b, KEY_BYTES) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the bundle of %s has no credential for this node's keys: "
				"copy the organisation's bundle to the node's directory",
				own->org.manifest.org);
	signed_blob_encode(&own->org.signed_nodes[self - own->org.nodes], &encoded);
	TRY(buf_check(&encoded));
	const char *kept = arena_text(own->arena, buf_bytes(&encoded));
	if (!kept)
		return FAIL(-ENOMEM);
	*ret_encoded = (struct bytes){(const uint8_t *)kept, encoded.len};
	*ret = self;
	return 0;
}

/* Put `next` in the place of the own organisation; the caller frees what it gets back in it. */
static void swap_own(struct trust *t, struct partner *next, const struct credential *self,
		     struct bytes credential)
{
	const struct partner old = t->own;

	t->own = *next;
	t->self = self;
	t->credential = credential;
	*next = old;
}

static int64_t newest_credential_ns(const struct org *org)
{
	int64_t newest_ns = TIME_MIN;

	for (size_t i = 0; i < org->n_nodes; i++)
		if (org->nodes[i].not_before_ns > newest_ns)
			newest_ns = org->nodes[i].not_before_ns;
	return newest_ns;
}

/* Of two bundles with one manifest and one list of revocations: does `file` know of a node or of a renewal
 * more?
 */
static bool knows_more(const struct org *file, const struct org *accepted)
{
	return file->manifest.version == accepted->manifest.version &&
	       file->revocations.seq == accepted->revocations.seq &&
	       (file->n_nodes > accepted->n_nodes ||
		newest_credential_ns(file) > newest_credential_ns(accepted));
}

/* What was accepted since counts unless the file is newer or the other does not name this node. */
static int load_accepted(struct trust *t, struct bytes bundle, int64_t now_ns)
{
	SCOPED(scope_partner) struct partner *next = NULL;
	const struct credential *self;
	struct bytes credential;

	TRY(partner_read(&next, bundle, now_ns, NULL));
	TRY(org_may_replace(&t->own.org, &next->org, NULL));
	if (knows_more(&t->own.org, &next->org))
		return 0;
	TRY(find_self(t, next, &self, &credential, NULL));
	swap_own(t, next, self, credential);
	return 0;
}

/* The own bundle: the newer of the file the admin put there and what was accepted since. */
int trust_load_own(struct trust *t, const char *dir, int64_t now_ns, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *scratch = NULL;
	SCOPED(scope_partner) struct partner *own = NULL;
	char path[TRUST_PATH_SIZE];
	struct bytes bundle;

	TRY(arena_new(&scratch, TRUST_ARENA));
	TRY(trust_path(dir, "bundle", path, note));
	TRY(file_read(scratch, path, BUNDLE_MAX, &bundle, note));
	TRY(partner_read(&own, bundle, now_ns, note));
	t->own = *own;
	own->arena = NULL;

	int r = trust_store_get(t->store, scratch, "own-bundle", &bundle);
	TRY(r);
	if (r == 0 && load_accepted(t, bundle, now_ns) == -ENOMEM)
		return FAIL(-ENOMEM);
	return t->self ? 0 : find_self(t, &t->own, &t->self, &t->credential, note);
}

int trust_load_partners(struct trust *t, int64_t now_ns)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	char after[TRUST_KEY_SIZE] = "";
	const char *key;
	struct bytes value;
	int r;

	TRY(arena_new(&a, TRUST_ARENA));
	while ((r = trust_store_next(t->store, a, "bundle/", after, &key, &value)) == 0) {
		struct partner *p = NULL;
		snprintf(after, sizeof after, "%s", key);
		/* An expired partner is not admitted, but must not keep the node from starting. */
		if (t->n_partners < PARTNERS_MAX && partner_read(&p, value, now_ns, NULL) == 0)
			t->partners[t->n_partners++] = p;
		arena_reset(a);
	}
	TRY(r);
	for (size_t i = 0; i < t->n_partners; i++)
		TRY(trust_load_epoch(t, t->partners[i]));
	return 0;
}

/* ---- What is taken ---- */

const struct partner *trust_org(const struct trust *t, const char *org)
{
	if (strcmp(t->own.org.manifest.org, org) == 0)
		return &t->own;
	for (size_t i = 0; i < t->n_partners; i++)
		if (strcmp(t->partners[i]->org.manifest.org, org) == 0)
			return t->partners[i];
	return NULL;
}

static void tell_of(const struct trust *t, const struct partner *before, const struct partner *after)
{
	if (t->on_org)
		t->on_org(t->on_org_ctx, before ? &before->org : NULL, &after->org);
}

static int accept_own(struct trust *t, struct partner *next, struct bytes bundle, struct err_note *note)
{
	const struct manifest *m = &next->org.manifest;
	const struct credential *self = NULL;
	struct bytes credential;

	TRY(org_may_replace(&t->own.org, &next->org, note));
	const struct credential *named = org_node(&next->org, t->self->node);
	if (!named)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"this bundle of %s leaves out the node %s it was given to", m->org,
				t->self->node);
	int r = find_self(t, next, &self, &credential, NULL);
	if (r == ERR_UNTRUSTED || (r == 0 && self != named))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"this bundle of %s has other keys for the node %s than the node itself: "
				"install these keys and the bundle in its directory together",
				m->org, t->self->node);
	TRY(r);
	TRY(trust_store_put(t->store, "own-bundle", bundle));
	swap_own(t, next, self, credential);
	tell_of(t, next, &t->own);
	return 0;
}

static const struct credential *find_same_key(const struct org *org, const struct credential *c)
{
	for (size_t i = 0; i < org->n_nodes; i++)
		if (memcmp(org->nodes[i].curve.b, c->curve.b, KEY_BYTES) == 0 ||
		    memcmp(org->nodes[i].sign.b, c->sign.b, KEY_BYTES) == 0)
			return &org->nodes[i];
	return NULL;
}

static int check_keys_unlike(const struct org *held, const struct org *next, struct err_note *note)
{
	for (size_t i = 0; i < next->n_nodes; i++) {
		const struct credential *c = &next->nodes[i], *other = find_same_key(held, c);
		if (other)
			return FAIL_SAY(note, ERR_UNTRUSTED,
					"the node %s/%s has a key of %s/%s: ask the admin of %s for a bundle "
					"without it",
					c->org, c->node, other->org, other->node, c->org);
	}
	return 0;
}

/* A partner shows keys of its own only, none of ours or of another partner's. */
static int check_partner_keys(const struct trust *t, const struct org *next, struct err_note *note)
{
	TRY(check_keys_unlike(&t->own.org, next, note));
	for (size_t i = 0; i < t->n_partners; i++)
		if (strcmp(t->partners[i]->org.manifest.org, next->manifest.org) != 0)
			TRY(check_keys_unlike(&t->partners[i]->org, next, note));
	return 0;
}

/* May it come in the place of `old`, NULL for nobody? */
static int check_partner(const struct trust *t, const struct partner *old, const struct org *next,
			 const char *fingerprint, struct err_note *note)
{
	const struct manifest *m = &next->manifest;
	const bool told = fingerprint && fingerprint[0];

	if (!old && t->n_partners == PARTNERS_MAX)
		return FAIL_SAY(note, ERR_REFUSED,
				"%d organisations are trusted already, the most a node takes", PARTNERS_MAX);
	if (old)
		TRY(org_may_replace(&old->org, next, note));
	else if (!told)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"%s is new here: give the fingerprint its admin told you", m->org);
	if (told)
		TRY(org_fingerprint_check(fingerprint, m->org, &m->root, note));
	return check_partner_keys(t, next, note);
}

/* The highest epoch seen goes over, also to an announced new root, and before the bundle is stored. */
static int inherit_epoch(struct trust *t, const struct partner *old, struct partner *next)
{
	TRY(trust_load_epoch(t, next));
	if (old && old->epoch_seen > next->epoch_seen) {
		next->epoch_seen = old->epoch_seen;
		next->epoch_dirty = true;
	}
	return trust_save_epoch(t, next);
}

static int accept_partner(struct trust *t, struct partner **next, struct bytes bundle,
			  const char *fingerprint, struct err_note *note)
{
	const char *org = (*next)->org.manifest.org;
	char key[ORG_NAME_MAX + 8];
	size_t at = 0;

	while (at < t->n_partners && strcmp(t->partners[at]->org.manifest.org, org) != 0)
		at++;
	struct partner *old = at < t->n_partners ? t->partners[at] : NULL;
	TRY(check_partner(t, old, &(*next)->org, fingerprint, note));
	TRY(inherit_epoch(t, old, *next));
	snprintf(key, sizeof key, "bundle/%s", org);
	TRY(trust_store_put(t->store, key, bundle));
	tell_of(t, old, *next);
	if (old)
		trust_free_partner(old);
	else
		t->n_partners++;
	t->partners[at] = MOVE(*next);
	return 0;
}

int trust_accept(struct trust *t, struct bytes bundle, const char *fingerprint, int64_t now_ns,
		 const struct org **ret, struct err_note *note)
{
	SCOPED(scope_partner) struct partner *next = NULL;

	TRY(partner_read(&next, bundle, now_ns, note));
	if (strcmp(next->org.manifest.org, t->own.org.manifest.org) == 0) {
		TRY(accept_own(t, next, bundle, note));
		*ret = &t->own.org;
	} else {
		const struct org *org = &next->org;
		TRY(accept_partner(t, &next, bundle, fingerprint, note));
		*ret = org;
	}
	trust_recompile(t, now_ns);
	return 0;
}
