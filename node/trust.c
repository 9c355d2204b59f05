/* SPDX-License-Identifier: Apache-2.0 */
#include "node/trust.h"

#include <limits.h>
#include <stdio.h>

enum { BUNDLE_MAX = 1 << 20, PARTNER_ARENA = 32 << 20, PATH_SIZE = 4096 };

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
	if (r == 0)
		ignore(trust_accept(t, bundle, NULL, now_ns, &(const struct org *){NULL},
				    NULL)); /* the file is newer */
	return 0;
}

/* Among the credentials of the own bundle, the one of this node's keys, as it stands there. */
static int find_self(struct trust *t, struct err_note *note)
{
	const struct curve_key curve = curve_pair_public(t->curve);
	SCOPED(buf_fini) struct buf encoded = {0};
	struct bundle bundle;

	t->self = org_node_by_curve(&t->own.org, &curve);
	if (!t->self)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the bundle of %s has no credential for this node's keys: "
				"copy the organisation's bundle to the node's directory",
				t->own.org.manifest.org);
	TRY(bundle_decode(t->own.arena, t->own.org.encoded, &bundle));
	for (size_t i = 0; i < bundle.n_credentials; i++) {
		struct credential c;
		TRY(credential_decode(t->own.arena, bundle.credentials[i].payload, &c));
		if (memcmp(c.curve.b, curve.b, KEY_BYTES) == 0)
			signed_blob_encode(&bundle.credentials[i], &encoded);
	}
	TRY(buf_check(&encoded));
	t->credential =
		(struct bytes){(const uint8_t *)arena_text(t->own.arena, buf_bytes(&encoded)), encoded.len};
	return t->credential.data ? 0 : FAIL(-ENOMEM);
}

static int load_partners(struct trust *t, int64_t now_ns)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const char *key = "";
	struct bytes value;
	int r;

	TRY(arena_new(&a, (size_t)PARTNERS_MAX * BUNDLE_MAX));
	while ((r = trust_store_next(t->store, a, "bundle/", key, &key, &value)) == 0) {
		struct partner *p = NULL;
		/* An expired partner is not admitted, but must not keep the node from starting. */
		if (t->n_partners < PARTNERS_MAX && partner_read(&p, value, now_ns, NULL) == 0)
			t->partners[t->n_partners++] = p;
	}
	TRY(r);
	for (size_t i = 0; i < t->n_partners; i++) {
		char name[ORG_NAME_MAX + 8];
		snprintf(name, sizeof name, "epoch/%s", t->partners[i]->org.manifest.org);
		if (trust_store_get(t->store, a, name, &value) == 0 && value.len == 8)
			t->partners[i]->epoch_seen = get_u64(value.data);
	}
	return 0;
}

static int install_policy(struct trust *t, struct bytes signed_policy, int64_t now_ns, bool check_epoch,
			  struct err_note *note);

/* A stored policy that no longer compiles (a partner's bundle has expired) shares nothing, and the node says
 * so. */
static int load_policy(struct trust *t, int64_t now_ns)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct bytes blob;

	TRY(arena_new(&a, (size_t)POLICY_TEXT_MAX * 2));
	int r = trust_store_get(t->store, a, "policy", &blob);
	TRY(r);
	if (r == TRUST_STORE_ABSENT)
		return 0;
	r = install_policy(t, blob, now_ns, false, &t->policy_problem);
	return r == -ENOMEM ? r : 0;
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
	TRY(find_self(t, note));
	if (t->self->roles & ROLE_BORDER) {
		TRY(path_in(dir, "keys/cursor.key", path, note));
		TRY(secret32_load(&t->cursor_key, path, note));
	}
	TRY(load_partners(t, now_ns));
	TRY(load_policy(t, now_ns));
	*ret = MOVE(t);
	return 0;
}

void trust_close(struct trust *t)
{
	if (!t)
		return;
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
	TRY(org_may_replace(&t->own.org, &next->org, note));
	if (t->self) {
		if (!org_node(&next->org, t->self->node))
			return FAIL_SAY(note, ERR_UNTRUSTED,
					"this bundle of %s leaves out the node %s it was given to",
					next->org.manifest.org, t->self->node);
		TRY(trust_store_put(t->store, "own-bundle", bundle));
	}
	struct partner old = t->own;
	t->own = *next;
	*next = old; /* freed by the caller */
	return t->self ? find_self(t, note) : 0;
}

static int accept_partner(struct trust *t, struct partner **next, struct bytes bundle,
			  const char *fingerprint, struct err_note *note)
{
	const struct manifest *m = &(*next)->org.manifest;
	char key[ORG_NAME_MAX + 8];
	size_t at = 0;

	while (at < t->n_partners && strcmp(t->partners[at]->org.manifest.org, m->org) != 0)
		at++;
	if (at == PARTNERS_MAX)
		return FAIL_SAY(note, ERR_REFUSED,
				"%d organisations are trusted already, the most a node takes", PARTNERS_MAX);
	if (at < t->n_partners)
		TRY(org_may_replace(&t->partners[at]->org, &(*next)->org, note));
	else if (!fingerprint || !fingerprint[0])
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"%s is new here: give the fingerprint its admin told you", m->org);
	if (fingerprint && fingerprint[0])
		TRY(org_fingerprint_check(fingerprint, m->org, &m->root, note));
	snprintf(key, sizeof key, "bundle/%s", m->org);
	TRY(trust_store_put(t->store, key, bundle));
	if (at < t->n_partners) {
		(*next)->epoch_seen = t->partners[at]->epoch_seen;
		partner_free(t->partners[at]);
	} else {
		t->n_partners++;
	}
	t->partners[at] = MOVE(*next);
	return 0;
}

int trust_accept(struct trust *t, struct bytes bundle, const char *fingerprint, int64_t now_ns,
		 const struct org **ret, struct err_note *note)
{
	SCOPED(scope_partner) struct partner *next = NULL;

	TRY(partner_read(&next, bundle, now_ns, note));
	const char *name = next->org.manifest.org;
	if (strcmp(name, t->own.org.manifest.org) == 0) {
		TRY(accept_own(t, next, bundle, note));
		*ret = &t->own.org;
		return 0;
	}
	TRY(accept_partner(t, &next, bundle, fingerprint, note));
	*ret = &trust_org(t, name)->org;
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

static int install_policy(struct trust *t, struct bytes signed_policy, int64_t now_ns, bool check_epoch,
			  struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(scope_policy) struct policy *policy = NULL;
	struct policy_finding *findings;
	struct signed_blob blob;
	struct policy_doc doc;
	size_t n;

	TRY(arena_new(&a, (size_t)POLICY_TEXT_MAX * 8));
	uint8_t *kept = arena_take(a, signed_policy.len);
	if (!kept)
		return FAIL(-ENOMEM);
	memcpy(kept, signed_policy.data, signed_policy.len);
	signed_policy.data = kept;
	if (signed_blob_decode(a, signed_policy, &blob) < 0)
		return FAIL_SAY(note, ERR_MALFORMED, "this is not a signed policy");
	TRY(org_verify_policy(a, &t->own.org, &blob, &doc, note));
	if (check_epoch && doc.epoch <= t->policy_doc.epoch)
		return TRUST_OLD;
	TRY(trust_compile(t, doc.text, now_ns, &policy, a, &findings, &n, note));
	if (check_epoch)
		TRY(trust_store_put(t->store, "policy", signed_policy));
	policy_free(t->policy);
	arena_free(t->policy_arena);
	t->policy_problem = (struct err_note){0};
	t->policy = MOVE(policy);
	t->policy_arena = MOVE(a);
	t->policy_doc = doc;
	t->policy_blob = signed_policy;
	return 0;
}

int trust_publish(struct trust *t, struct bytes signed_policy, int64_t now_ns, struct err_note *note)
{
	return install_policy(t, signed_policy, now_ns, true, note);
}

int trust_see_epoch(struct trust *t, const char *org, uint64_t epoch)
{
	char key[ORG_NAME_MAX + 8];
	SCOPED(buf_fini) struct buf value = {0};

	for (size_t i = 0; i < t->n_partners; i++) {
		struct partner *p = t->partners[i];
		if (strcmp(p->org.manifest.org, org) != 0)
			continue;
		if (epoch < p->epoch_seen)
			return FAIL(ERR_UNTRUSTED);
		if (epoch == p->epoch_seen)
			return 0;
		snprintf(key, sizeof key, "epoch/%s", org);
		buf_put_u64(&value, epoch);
		TRY(buf_check(&value));
		TRY(trust_store_put(t->store, key, buf_bytes(&value)));
		p->epoch_seen = epoch;
		return 0;
	}
	return FAIL(ERR_UNTRUSTED);
}
