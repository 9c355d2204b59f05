/* SPDX-License-Identifier: Apache-2.0 */
#include "node/trust.h"

#include <limits.h>
#include <stdio.h>

#include "proto/clock.h"

enum {
	BUNDLE_MAX = 1 << 20,
	PARTNER_ARENA = 32 << 20,
	PATH_SIZE = 4096,
	STORE_KEY_SIZE = FINGERPRINT_SIZE + 8,
	EPOCH_BYTES = 8,
};

#define EPOCH_FIRST_MAX (UINT64_C(1) << 40)

static void partner_free(struct partner *p)
{
	arena_free(p->arena);
	free(p);
}

DEFINE_SCOPED(partner, partner_free)

static int path_in(const char *dir, const char *file, char ret[PATH_SIZE], struct err_note *note)
{
	int n = snprintf(ret, PATH_SIZE, "%s/%s", dir, file);

	return n > 0 && n < PATH_SIZE ? 0 : FAIL_SAY(note, -ENAMETOOLONG, "%s: the path is too long", dir);
}

static int partner_read(struct partner **ret, struct bytes bundle, int64_t now_ns, struct err_note *note)
{
	SCOPED(scope_partner) struct partner *p = calloc(1, sizeof *p);

	if (!p)
		return FAIL(-ENOMEM);
	TRY(arena_new(&p->arena, PARTNER_ARENA));
	TRY(org_verify(p->arena, bundle, now_ns, &p->org, note));
	*ret = MOVE(p);
	return 0;
}

/* ---- Opening ---------------------------------------------------------------------------------------------
 */

static int load_keys(struct trust *t, const char *dir, struct err_note *note)
{
	char path[PATH_SIZE];

	TRY(path_in(dir, "keys/sign.key", path, note));
	TRY(sign_key_load(&t->sign, path, note));
	TRY(path_in(dir, "keys/curve.key", path, note));
	TRY(curve_pair_load(&t->curve, path, note));
	return 0;
}

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
static int load_own(struct trust *t, const char *dir, int64_t now_ns, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *scratch = NULL;
	SCOPED(scope_partner) struct partner *own = NULL;
	char path[PATH_SIZE];
	struct bytes bundle;

	TRY(arena_new(&scratch, PARTNER_ARENA));
	TRY(path_in(dir, "bundle", path, note));
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

/* Of a root, not of a name: who founds an organisation anew begins anew. */
static void epoch_key(const struct partner *p, char ret[STORE_KEY_SIZE])
{
	const struct manifest *m = &p->org.manifest;
	char fingerprint[FINGERPRINT_SIZE];

	org_fingerprint(m->org, &m->root, fingerprint);
	snprintf(ret, STORE_KEY_SIZE, "epoch/%s", fingerprint);
}

static int load_epoch(const struct trust *t, struct partner *p)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	char key[STORE_KEY_SIZE];
	struct bytes value;

	TRY(arena_new(&a, PATH_SIZE));
	epoch_key(p, key);
	int r = trust_store_get(t->store, a, key, &value);
	TRY(r);
	if (r == TRUST_STORE_ABSENT)
		return 0;
	if (value.len != EPOCH_BYTES)
		return FAIL(ERR_CORRUPT);
	p->epoch_seen = get_u64(value.data);
	return 0;
}

static int save_epoch(struct trust *t, struct partner *p)
{
	SCOPED(buf_fini) struct buf value = {0};
	char key[STORE_KEY_SIZE];

	if (!p->epoch_dirty)
		return 0;
	epoch_key(p, key);
	buf_put_u64(&value, p->epoch_seen);
	TRY(buf_check(&value));
	TRY(trust_store_put(t->store, key, buf_bytes(&value)));
	p->epoch_dirty = false;
	return 0;
}

static int load_partners(struct trust *t, int64_t now_ns)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	char after[STORE_KEY_SIZE] = "";
	const char *key;
	struct bytes value;
	int r;

	TRY(arena_new(&a, PARTNER_ARENA));
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
		TRY(load_epoch(t, t->partners[i]));
	return 0;
}

/* Copy a signed policy into the arena and take it apart; its signature is not looked at. */
static int open_policy(struct arena *a, struct bytes in, struct bytes *ret_kept, struct signed_blob *ret,
		       struct err_note *note)
{
	const char *kept = arena_text(a, in);

	if (!kept)
		return FAIL(-ENOMEM);
	*ret_kept = (struct bytes){(const uint8_t *)kept, in.len};
	int r = signed_blob_decode(a, *ret_kept, ret);
	return r == 0 || r == -ENOMEM ? r : FAIL_SAY(note, ERR_MALFORMED, "this is not a signed policy");
}

/* Nothing is shared until the caller puts in what the document compiles to. Takes the arena. */
static void hold_policy_take(struct trust *t, struct arena *a, struct bytes blob,
			     const struct policy_doc *doc)
{
	policy_free(t->policy);
	arena_free(t->policy_arena);
	t->policy = NULL;
	t->policy_problem = (struct err_note){0};
	t->policy_arena = a;
	t->policy_doc = *doc;
	t->policy_blob = blob;
}

/* The document stays in charge whether or not it compiles: its epoch must never fall back. */
static int load_policy(struct trust *t, int64_t now_ns, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct signed_blob blob;
	struct policy_doc doc;
	struct bytes stored;

	TRY(arena_new(&a, (size_t)POLICY_TEXT_MAX * 8));
	int r = trust_store_get(t->store, a, "policy", &stored);
	TRY(r);
	if (r == TRUST_STORE_ABSENT)
		return 0;
	TRY(open_policy(a, stored, &stored, &blob, note));
	TRY(policy_doc_decode(a, blob.payload, &doc));
	hold_policy_take(t, MOVE(a), stored, &doc);
	trust_recompile(t, now_ns);
	return 0;
}

int trust_open(struct trust **ret, const char *dir, int64_t now_ns, struct err_note *note)
{
	SCOPED(scope_trust) struct trust *t = calloc(1, sizeof *t);
	char path[PATH_SIZE];

	if (!t)
		return FAIL(-ENOMEM);
	TRY(load_keys(t, dir, note));
	TRY(path_in(dir, "store", path, note));
	TRY(trust_store_open(&t->store, path, note));
	TRY(load_own(t, dir, now_ns, note));
	if (t->self->roles & ROLE_BORDER) {
		TRY(path_in(dir, "keys/cursor.key", path, note));
		TRY(secret32_load(&t->cursor_key, path, note));
	}
	TRY(load_partners(t, now_ns));
	TRY(load_policy(t, now_ns, note));
	*ret = MOVE(t);
	return 0;
}

void trust_close(struct trust *t)
{
	if (!t)
		return;
	ignore(trust_flush(t)); /* what is lost is learnt again from the next heads */
	for (size_t i = 0; i < t->n_partners; i++)
		partner_free(t->partners[i]);
	policy_free(t->policy);
	arena_free(t->policy_arena);
	arena_free(t->own.arena);
	sign_key_free(t->sign);
	curve_pair_free(t->curve);
	secret32_free(t->cursor_key);
	trust_store_close(t->store);
	free(t);
}

/* ---- Organisations ---------------------------------------------------------------------------------------
 */

const struct partner *trust_org(const struct trust *t, const char *org)
{
	if (strcmp(t->own.org.manifest.org, org) == 0)
		return &t->own;
	for (size_t i = 0; i < t->n_partners; i++)
		if (strcmp(t->partners[i]->org.manifest.org, org) == 0)
			return t->partners[i];
	return NULL;
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
	TRY(load_epoch(t, next));
	if (old && old->epoch_seen > next->epoch_seen) {
		next->epoch_seen = old->epoch_seen;
		next->epoch_dirty = true;
	}
	return save_epoch(t, next);
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
	if (old)
		partner_free(old);
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

static size_t list_nodes(const struct org *org, bool own, int64_t now_ns, struct roster_entry *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < org->n_nodes; i++) {
		const struct credential *c = &org->nodes[i];
		struct roster_entry e = {.key = c->curve,
					 .roles = c->roles,
					 .own = own,
					 .not_before_ns = c->not_before_ns,
					 .not_after_ns = c->not_after_ns};
		if (!own && !(c->roles & ROLE_BORDER))
			continue; /* a partner's inner nodes have no business with us */
		if (!own && c->own_only)
			continue;
		if (now_ns > c->not_after_ns)
			continue;
		snprintf(e.org, sizeof e.org, "%s", c->org);
		snprintf(e.node, sizeof e.node, "%s", c->node);
		ret[n++] = e;
	}
	return n;
}

int trust_roster(const struct trust *t, int64_t now_ns, struct roster **ret)
{
	size_t most = t->own.org.n_nodes, n = 0;

	for (size_t i = 0; i < t->n_partners; i++)
		most += t->partners[i]->org.n_nodes;
	SCOPED(scope_free) struct roster_entry *entries = calloc(most + 1, sizeof *entries);
	if (!entries)
		return FAIL(-ENOMEM);
	n = list_nodes(&t->own.org, true, now_ns, entries);
	for (size_t i = 0; i < t->n_partners; i++)
		n += list_nodes(&t->partners[i]->org, false, now_ns, entries + n);
	return roster_new(ret, entries, n);
}

/* ---- Policy ----------------------------------------------------------------------------------------------
 */

struct fingerprints {
	const struct trust *trust;
	char text[FINGERPRINT_SIZE];
};

static const char *fingerprint_of(void *ctx, const char *org)
{
	struct fingerprints *f = ctx;
	const struct partner *p = trust_org(f->trust, org);

	if (!p)
		return NULL;
	org_fingerprint(org, &p->org.manifest.root, f->text);
	return f->text;
}

int trust_compile(const struct trust *t, const char *text, int64_t now_ns, struct policy **ret,
		  struct arena *a, struct policy_finding **ret_findings, size_t *ret_n, struct err_note *note)
{
	struct fingerprints f = {.trust = t};
	const struct policy_options opt = {.own_org = t->own.org.manifest.org,
					   .fingerprint_of = fingerprint_of,
					   .ctx = &f,
					   .now_ns = now_ns};

	return policy_parse(text, &opt, ret, a, ret_findings, ret_n, note);
}

/* What the held document says now: the signature is checked again, for its key may have been taken back. */
static int compile_held(const struct trust *t, int64_t now_ns, struct policy **ret, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct policy_finding *findings;
	struct signed_blob blob;
	struct policy_doc doc;
	size_t n;

	TRY(arena_new(&a, (size_t)POLICY_TEXT_MAX * 8));
	TRY(signed_blob_decode(a, t->policy_blob, &blob));
	TRY(org_verify_policy(a, &t->own.org, &blob, &doc, note));
	return trust_compile(t, doc.text, now_ns, ret, a, &findings, &n, note);
}

void trust_recompile(struct trust *t, int64_t now_ns)
{
	if (t->policy_doc.epoch == 0)
		return;
	policy_free(t->policy);
	t->policy = NULL;
	t->policy_problem = (struct err_note){0};
	int r = compile_held(t, now_ns, &t->policy, &t->policy_problem);
	if (r < 0 && !t->policy_problem.text[0])
		ignore(err_say(&t->policy_problem, r, "%s", err_text(r))); /* kept, not passed on */
}

/* A ring of the last ones, besides the one in charge. */
static const char *kept_key(uint64_t epoch, char ret[STORE_KEY_SIZE])
{
	snprintf(ret, STORE_KEY_SIZE, "kept-policy/%u", (unsigned)(epoch % POLICIES_KEPT));
	return ret;
}

static int keep_policy(struct trust *t, uint64_t epoch, struct bytes signed_policy)
{
	char key[STORE_KEY_SIZE];

	return trust_store_put(t->store, kept_key(epoch, key), signed_policy);
}

int trust_past_policy(const struct trust *t, uint64_t epoch, struct arena *a, struct policy_doc *ret,
		      struct err_note *note)
{
	char key[STORE_KEY_SIZE];
	struct signed_blob blob;
	struct bytes stored;

	int r = trust_store_get(t->store, a, kept_key(epoch, key), &stored);
	TRY(r);
	if (r == 0) {
		TRY(open_policy(a, stored, &stored, &blob, note));
		TRY(policy_doc_decode(a, blob.payload, ret));
	}
	if (r == 0 && ret->epoch == epoch)
		return 0;
	return FAIL_SAY(note, ERR_ABSENT, "no policy of epoch %llu is kept here, only the last %d are",
			(unsigned long long)epoch, POLICIES_KEPT);
}

enum taking { ONLY_IN_FORCE, EVEN_NOT_IN_FORCE };

static int take_policy(struct trust *t, struct bytes signed_policy, int64_t now_ns, enum taking taking,
		       struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(scope_policy) struct policy *policy = NULL;
	struct err_note problem = {0};
	struct policy_finding *findings;
	struct signed_blob blob;
	struct policy_doc doc;
	size_t n;

	TRY(arena_new(&a, (size_t)POLICY_TEXT_MAX * 8));
	TRY(open_policy(a, signed_policy, &signed_policy, &blob, note));
	TRY(org_verify_policy(a, &t->own.org, &blob, &doc, note));
	if (doc.epoch <= t->policy_doc.epoch)
		return TRUST_OLD;
	int r = trust_compile(t, doc.text, now_ns, &policy, a, &findings, &n, &problem);
	if (r == -ENOMEM || (r < 0 && taking == ONLY_IN_FORCE))
		return problem.text[0] ? FAIL_SAY(note, r, "%s", problem.text) : r;
	TRY(keep_policy(t, doc.epoch, signed_policy));
	TRY(trust_store_put(t->store, "policy", signed_policy));
	hold_policy_take(t, MOVE(a), signed_policy, &doc);
	t->policy = MOVE(policy);
	t->policy_problem = problem;
	return 0;
}

int trust_publish(struct trust *t, struct bytes signed_policy, int64_t now_ns, struct err_note *note)
{
	return take_policy(t, signed_policy, now_ns, ONLY_IN_FORCE, note);
}

int trust_take_policy(struct trust *t, struct bytes signed_policy, int64_t now_ns, struct err_note *note)
{
	return take_policy(t, signed_policy, now_ns, EVEN_NOT_IN_FORCE, note);
}

/* ---- Epochs ----------------------------------------------------------------------------------------------
 */

static bool epoch_is_near(uint64_t seen, uint64_t epoch)
{
	return seen == 0 ? epoch <= EPOCH_FIRST_MAX : epoch - seen <= EPOCH_JUMP_MAX;
}

int trust_see_epoch(struct trust *t, const char *org, uint64_t epoch)
{
	for (size_t i = 0; i < t->n_partners; i++) {
		struct partner *p = t->partners[i];
		if (strcmp(p->org.manifest.org, org) != 0)
			continue;
		if (epoch < p->epoch_seen || !epoch_is_near(p->epoch_seen, epoch))
			return FAIL(ERR_UNTRUSTED);
		p->epoch_dirty |= epoch > p->epoch_seen;
		p->epoch_seen = epoch;
		return 0;
	}
	return FAIL(ERR_UNTRUSTED);
}

int trust_flush(struct trust *t)
{
	for (size_t i = 0; i < t->n_partners; i++)
		TRY(save_epoch(t, t->partners[i]));
	return 0;
}
