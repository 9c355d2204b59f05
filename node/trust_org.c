/* SPDX-License-Identifier: Apache-2.0 */
#include "node/trust_private.h"

#include <stdio.h>

#include "node/agreement.h"
#include "security/org_files.h"
#include "security/org_merge.h"

void trust_free_partner(struct partner *p)
{
	arena_free(p->arena);
	free(p);
}

DEFINE_SCOPED(partner, trust_free_partner)

/* Everybody who met the same bundles holds the same bytes, also of the very first. */
static int make_canonical(struct partner *p, struct err_note *note)
{
	SCOPED(buf_fini) struct buf canonical = {0};

	TRY(org_merge(p->arena, &p->org, &p->org, &canonical, note));
	const char *kept = arena_text(p->arena, buf_bytes(&canonical));
	if (!kept)
		return FAIL(-ENOMEM);
	p->org.encoded = (struct bytes){(const uint8_t *)kept, canonical.len};
	p->digest = org_digest(p->org.encoded);
	return 0;
}

static int partner_read(struct partner **ret, struct bytes bundle, int64_t now_ns, struct err_note *note)
{
	SCOPED(scope_partner) struct partner *p = calloc(1, sizeof *p);

	if (!p)
		return FAIL(-ENOMEM);
	TRY(arena_new(&p->arena, TRUST_ARENA));
	TRY(org_verify(p->arena, bundle, now_ns, &p->org, note));
	TRY(make_canonical(p, note));
	*ret = MOVE(p);
	return 0;
}

/* What two bundles say together, verified as a whole. */
static int partner_join(struct partner **ret, const struct partner *x, const struct partner *y,
			int64_t now_ns, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(buf_fini) struct buf merged = {0};

	TRY(arena_new(&a, TRUST_ARENA));
	TRY(org_merge(a, &x->org, &y->org, &merged, note));
	if (merged.len > BUNDLE_FILE_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "the bundle of %s would become longer than %d bytes",
				x->org.manifest.org, BUNDLE_FILE_MAX);
	return partner_read(ret, buf_bytes(&merged), now_ns, note);
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

static int use_own(struct trust *t, struct partner *own, struct err_note *note)
{
	const struct credential *self;
	struct bytes credential;

	TRY(find_self(t, own, &self, &credential, note));
	swap_own(t, own, self, credential);
	return 0;
}

/* The bundle the admin put there, which begins everything. */
static int load_file(const char *dir, int64_t now_ns, struct partner **ret, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	char path[TRUST_PATH_SIZE];
	struct bytes bundle;

	TRY(arena_new(&a, TRUST_ARENA));
	TRY(trust_path(dir, "bundle", path, note));
	TRY(file_read(a, path, BUNDLE_FILE_MAX, &bundle, note));
	return partner_read(ret, bundle, now_ns, note);
}

static int load_accepted(struct trust *t, int64_t now_ns, struct partner **ret)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct bytes bundle;

	TRY(arena_new(&a, TRUST_ARENA));
	int r = trust_store_get(t->store, a, "own-bundle", &bundle);
	TRY(r);
	if (r == 0 && partner_read(ret, bundle, now_ns, NULL) == -ENOMEM)
		return FAIL(-ENOMEM);
	return 0;
}

/* The file and what was accepted since, as one; if they do not go together or do not name this node, the file
 * counts: somebody put it there. A file whose manifest has expired meanwhile needs nobody's attention. */
int trust_load_own(struct trust *t, const char *dir, int64_t now_ns, struct err_note *note)
{
	SCOPED(scope_partner) struct partner *file = NULL, *accepted = NULL, *both = NULL;

	TRY(load_accepted(t, now_ns, &accepted));
	const int r = load_file(dir, now_ns, &file, note);
	if (r == ERR_UNTRUSTED && accepted)
		return use_own(t, accepted, note);
	TRY(r);
	if (accepted && partner_join(&both, accepted, file, now_ns, NULL) == 0 && use_own(t, both, NULL) == 0)
		return 0;
	return use_own(t, file, note);
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
	for (size_t i = 0; i < t->n_partners; i++)
		TRY(shadow_load(t, t->partners[i]));
	return 0;
}

/* ---- What is taken ---- */

static size_t place_of(const struct trust *t, const char *org)
{
	size_t at = 0;

	while (at < t->n_partners && strcmp(t->partners[at]->org.manifest.org, org) != 0)
		at++;
	return at;
}

const struct partner *trust_org(const struct trust *t, const char *org)
{
	const size_t at = place_of(t, org);

	if (strcmp(t->own.org.manifest.org, org) == 0)
		return &t->own;
	return at < t->n_partners ? t->partners[at] : NULL;
}

static struct partner *find_held(struct trust *t, const char *org)
{
	const size_t at = place_of(t, org);

	if (strcmp(t->own.org.manifest.org, org) == 0)
		return &t->own;
	return at < t->n_partners ? t->partners[at] : NULL;
}

static void tell_of(const struct trust *t, const struct partner *before, const struct partner *after)
{
	if (t->on_org)
		t->on_org(t->on_org_ctx, before ? &before->org : NULL, &after->org);
}

/* A bundle that is older in one thing and newer in nothing: somebody gave the wrong file, or wants to take
 * something back. */
static int check_not_older(const struct org *held, const struct org *next, struct err_note *note)
{
	const bool older = next->manifest.version < held->manifest.version ||
			   next->revocations.seq < held->revocations.seq;
	const bool newer = next->manifest.version > held->manifest.version ||
			   next->revocations.seq > held->revocations.seq;

	return older && !newer ? org_may_replace(held, next, note) : 0;
}

static int check_names_self(const struct trust *t, const struct partner *joined, struct err_note *note)
{
	const char *org = joined->org.manifest.org, *node = t->self->node;
	const struct credential *self, *named = org_node(&joined->org, node);
	struct bytes credential;

	if (!named)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"this bundle of %s leaves out the node %s it was given to", org, node);
	const int r = find_self(t, joined, &self, &credential, NULL);
	if (r == ERR_UNTRUSTED || (r == 0 && self != named))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"this bundle of %s has other keys for the node %s than the node itself: "
				"install these keys and the bundle in its directory together",
				org, node);
	return r;
}

static int accept_own(struct trust *t, struct partner *joined, struct err_note *note)
{
	TRY(check_names_self(t, joined, note));
	TRY(trust_store_put(t->store, "own-bundle", joined->org.encoded));
	TRY(use_own(t, joined, note));
	tell_of(t, joined, &t->own);
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

/* A partner shows keys of its own only, none of ours. Nor of another partner's, when it is new and an admin
 * can ask: later its bundles are taken all the same (trust_shadow.c). */
static int check_partner_keys(const struct trust *t, const struct partner *old, const struct org *next,
			      struct err_note *note)
{
	TRY(check_keys_unlike(&t->own.org, next, note));
	for (size_t i = 0; i < t->n_partners && !old; i++)
		if (strcmp(t->partners[i]->org.manifest.org, next->manifest.org) != 0)
			TRY(check_keys_unlike(&t->partners[i]->org, next, note));
	return 0;
}

/* An organisation that was not trusted until now. */
static int check_newcomer(const struct trust *t, const struct org *next, const char *fingerprint,
			  struct err_note *note)
{
	if (t->n_partners == PARTNERS_MAX)
		return FAIL_SAY(note, ERR_REFUSED,
				"%d organisations are trusted already, the most a node takes", PARTNERS_MAX);
	return agreement_admits(t, next, fingerprint && fingerprint[0], note);
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

/* In the place of `old`, NULL for nobody. */
static int accept_partner(struct trust *t, struct partner *old, struct partner **joined,
			  struct err_note *note)
{
	const struct org *org = &(*joined)->org;
	const size_t at = place_of(t, org->manifest.org);
	char key[ORG_NAME_MAX + 8];

	TRY(check_partner_keys(t, old, org, note));
	TRY(shadow_note(t, old, *joined));
	TRY(inherit_epoch(t, old, *joined));
	snprintf(key, sizeof key, "bundle/%s", org->manifest.org);
	TRY(trust_store_put(t->store, key, org->encoded));
	tell_of(t, old, *joined);
	if (old)
		trust_free_partner(old);
	else
		t->n_partners++;
	t->partners[at] = MOVE(*joined);
	return 0;
}

/* TRUST_OLD: it says nothing that is not held. */
static int join(struct trust *t, struct partner *held, const struct partner *next, int64_t now_ns,
		struct err_note *note)
{
	SCOPED(scope_partner) struct partner *joined = NULL;

	TRY(partner_join(&joined, held, next, now_ns, note));
	if (joined->digest == held->digest)
		return TRUST_OLD;
	if (held == &t->own)
		TRY(accept_own(t, joined, note));
	else
		TRY(accept_partner(t, held, &joined, note));
	trust_recompile(t, now_ns);
	return 0;
}

static int accept_newcomer(struct trust *t, struct partner **next, const char *fingerprint, int64_t now_ns,
			   struct err_note *note)
{
	TRY(check_newcomer(t, &(*next)->org, fingerprint, note));
	TRY(accept_partner(t, NULL, next, note));
	trust_recompile(t, now_ns);
	return 0;
}

int trust_accept(struct trust *t, struct bytes bundle, const char *fingerprint, int64_t now_ns,
		 const struct org **ret, struct err_note *note)
{
	SCOPED(scope_partner) struct partner *next = NULL;

	TRY(partner_read(&next, bundle, now_ns, note));
	const struct manifest *m = &next->org.manifest;
	struct partner *held = find_held(t, m->org);
	char org[ORG_NAME_MAX + 1];

	snprintf(org, sizeof org, "%s", m->org);
	if (held)
		TRY(check_not_older(&held->org, &next->org, note));
	if (held != &t->own && fingerprint && fingerprint[0])
		TRY(org_fingerprint_check(fingerprint, m->org, &m->root, note));
	if (held)
		TRY(join(t, held, next, now_ns, note));
	else
		TRY(accept_newcomer(t, &next, fingerprint, now_ns, note));
	*ret = &trust_org(t, org)->org;
	return 0;
}

int trust_join(struct trust *t, const char *org, struct bytes bundle, int64_t now_ns, struct err_note *note)
{
	SCOPED(scope_partner) struct partner *next = NULL;
	struct partner *held = find_held(t, org);
	struct public_key root;

	if (!held && !agreement_root(t, org, &root))
		return FAIL_SAY(note, ERR_UNTRUSTED, "%s is not trusted here", org);
	TRY(partner_read(&next, bundle, now_ns, note));
	if (strcmp(next->org.manifest.org, org) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "a bundle of %s came as one of %s",
				next->org.manifest.org, org);
	return held ? join(t, held, next, now_ns, note) : accept_newcomer(t, &next, NULL, now_ns, note);
}
