/* SPDX-License-Identifier: Apache-2.0 */
#include "node/trust_private.h"

#include <stdio.h>

#include "node/agreement.h"
#include "proto/clock.h"

enum { EPOCH_BYTES = 8 };

#define EPOCH_FIRST_MAX (UINT64_C(1) << 40)

/* ---- Policy ---- */

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
int trust_load_policy(struct trust *t, int64_t now_ns, struct err_note *note)
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

struct fingerprints {
	const struct trust *trust;
	char text[FINGERPRINT_SIZE];
};

static const char *fingerprint_of(void *ctx, const char *org, size_t n)
{
	struct fingerprints *f = ctx;
	const struct partner *p = trust_org(f->trust, org);
	struct public_key root;

	if (p && n < p->org.n_roots)
		root = p->org.roots[p->org.n_roots - 1 - n];
	else if (p || n > 0 || !agreement_known_root(f->trust, org, &root))
		return NULL; /* who was trusted once is known, or an end would stop what the others may see */
	org_fingerprint(org, &root, f->text);
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
static const char *kept_key(uint64_t epoch, char ret[TRUST_KEY_SIZE])
{
	snprintf(ret, TRUST_KEY_SIZE, "kept-policy/%u", (unsigned)(epoch % POLICIES_KEPT));
	return ret;
}

static int keep_policy(struct trust *t, uint64_t epoch, struct bytes signed_policy)
{
	char key[TRUST_KEY_SIZE];

	return trust_store_put(t->store, kept_key(epoch, key), signed_policy);
}

int trust_past_policy(const struct trust *t, uint64_t epoch, struct arena *a, struct policy_doc *ret,
		      struct err_note *note)
{
	char key[TRUST_KEY_SIZE];
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

static bool epoch_is_near(uint64_t seen, uint64_t epoch)
{
	return seen == 0 ? epoch <= EPOCH_FIRST_MAX : epoch - seen <= EPOCH_JUMP_MAX;
}

/* An epoch or a time far ahead would make everything that follows look old. */
static int check_not_ahead(const struct trust *t, const struct policy_doc *doc, int64_t now_ns,
			   struct err_note *note)
{
	const uint64_t held = t->policy_doc.epoch;
	char when[TIME_TEXT_SIZE];

	if (!epoch_is_near(held, doc->epoch))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the policy of %s jumps from epoch %llu to %llu, more than %d at once",
				doc->org, (unsigned long long)held, (unsigned long long)doc->epoch,
				EPOCH_JUMP_MAX);
	if (doc->issued_ns > now_ns + NOT_BEFORE_LEEWAY_S * NS_PER_S)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the policy of %s is not yet valid (from %s): is this clock right?", doc->org,
				time_text(doc->issued_ns, when));
	return 0;
}

/* Of two with one epoch, published where neither node heard of the other, everybody keeps the same. */
static bool comes_after(const struct trust *t, const struct policy_doc *doc, struct bytes signed_policy)
{
	const struct policy_doc *held = &t->policy_doc;
	const size_t n = signed_policy.len < t->policy_blob.len ? signed_policy.len : t->policy_blob.len;

	if (doc->epoch != held->epoch || doc->epoch == 0)
		return doc->epoch > held->epoch;
	if (doc->issued_ns != held->issued_ns)
		return doc->issued_ns > held->issued_ns;
	const int c = n > 0 ? memcmp(signed_policy.data, t->policy_blob.data, n) : 0;
	return c != 0 ? c > 0 : signed_policy.len > t->policy_blob.len;
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
	if (!comes_after(t, &doc, signed_policy) ||
	    (taking == ONLY_IN_FORCE && doc.epoch == t->policy_doc.epoch))
		return TRUST_OLD;
	TRY(check_not_ahead(t, &doc, now_ns, note));
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

/* ---- Epochs ---- */

/* Of a root, not of a name: who founds an organisation anew begins anew. */
static void epoch_key(const struct partner *p, char ret[TRUST_KEY_SIZE])
{
	const struct manifest *m = &p->org.manifest;
	char fingerprint[FINGERPRINT_SIZE];

	org_fingerprint(m->org, &m->root, fingerprint);
	snprintf(ret, TRUST_KEY_SIZE, "epoch/%s", fingerprint);
}

int trust_load_epoch(const struct trust *t, struct partner *p)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	char key[TRUST_KEY_SIZE];
	struct bytes value;

	TRY(arena_new(&a, TRUST_PATH_SIZE));
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

int trust_save_epoch(struct trust *t, struct partner *p)
{
	SCOPED(buf_fini) struct buf value = {0};
	char key[TRUST_KEY_SIZE];

	if (!p->epoch_dirty)
		return 0;
	epoch_key(p, key);
	buf_put_u64(&value, p->epoch_seen);
	TRY(buf_check(&value));
	TRY(trust_store_put(t->store, key, buf_bytes(&value)));
	p->epoch_dirty = false;
	return 0;
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
		TRY(trust_save_epoch(t, t->partners[i]));
	return 0;
}
