/* SPDX-License-Identifier: Apache-2.0 */
#include "node/fresh.h"

#include "proto/clock.h"

enum { PAYLOAD_SIZE = 512, SCRATCH_BYTES = 16 * 1024 };

/* The latest word of one admin node. */
struct word {
	struct freshness says; /* its `org` is not kept */
	int64_t until_ns;
	struct signed_blob blob; /* of the payload below */
	uint8_t payload[PAYLOAD_SIZE];
};

struct fresh {
	struct fresh_options opt;
	struct word *words[NODES_MAX]; /* by nothing in particular */
	size_t n_words;
	int64_t issued_ns; /* monotonic; 0: never */
	int64_t last_at_ns;
};

int fresh_new(struct fresh **ret, const struct fresh_options *opt)
{
	struct fresh *f = calloc(1, sizeof *f);

	if (!f)
		return FAIL(-ENOMEM);
	f->opt = *opt;
	*ret = f;
	return 0;
}

void fresh_free(struct fresh *f)
{
	for (size_t i = 0; f && i < f->n_words; i++)
		free(f->words[i]);
	free(f);
}

/* ---- What is known --------------------------------------------------------------------------------------
 */

static const struct org *own(const struct fresh *f)
{
	return &f->opt.trust->own.org;
}

static bool is_in_force(const struct credential *c, int64_t now_ns)
{
	return (c->roles & ROLE_ADMIN) && c->not_before_ns <= now_ns && now_ns <= c->not_after_ns;
}

static bool is_bound(const struct fresh *f)
{
	const int64_t now_ns = trust_now(f->opt.trust);

	for (size_t i = 0; i < own(f)->n_nodes; i++)
		if (is_in_force(&own(f)->nodes[i], now_ns))
			return true;
	return false;
}

/* What this node holds itself. */
static struct freshness held_here(const struct fresh *f)
{
	return (struct freshness){.manifest_version = own(f)->manifest.version,
				  .policy_epoch = f->opt.trust->policy_doc.epoch,
				  .revocation_seq = own(f)->revocations.seq};
}

/* The newest of everything that anybody spoke of. */
static struct freshness newest(const struct fresh *f)
{
	struct freshness n = held_here(f);

	for (size_t i = 0; i < f->n_words; i++) {
		const struct freshness *w = &f->words[i]->says;
		n.manifest_version =
			w->manifest_version > n.manifest_version ? w->manifest_version : n.manifest_version;
		n.policy_epoch = w->policy_epoch > n.policy_epoch ? w->policy_epoch : n.policy_epoch;
		n.revocation_seq =
			w->revocation_seq > n.revocation_seq ? w->revocation_seq : n.revocation_seq;
	}
	return n;
}

int64_t fresh_until_ns(const struct fresh *f)
{
	int64_t until_ns = 0;

	if (!is_bound(f))
		return TIME_MAX;
	for (size_t i = 0; i < f->n_words; i++)
		if (f->words[i]->until_ns > until_ns)
			until_ns = f->words[i]->until_ns;
	return until_ns;
}

static int check_nothing_lacks(const struct fresh *f, struct err_note *note)
{
	const struct freshness here = held_here(f), there = newest(f);

	if (there.policy_epoch > here.policy_epoch)
		return FAIL_SAY(note, ERR_REFUSED,
				"the policy %llu is in force, and this node has only the policy %llu",
				(unsigned long long)there.policy_epoch,
				(unsigned long long)here.policy_epoch);
	if (there.revocation_seq > here.revocation_seq)
		return FAIL_SAY(note, ERR_REFUSED,
				"there are revocations with number %llu, and this node has only number %llu",
				(unsigned long long)there.revocation_seq,
				(unsigned long long)here.revocation_seq);
	if (there.manifest_version > here.manifest_version)
		return FAIL_SAY(note, ERR_REFUSED,
				"there is a manifest %u, and this node has only version %u",
				there.manifest_version, here.manifest_version);
	return 0;
}

int fresh_check(const struct fresh *f, struct err_note *note)
{
	const int64_t until_ns = fresh_until_ns(f);
	char when[TIME_TEXT_SIZE];

	if (until_ns == TIME_MAX)
		return 0;
	if (until_ns == 0)
		return FAIL_SAY(note, ERR_REFUSED,
				"no node with the role admin has said yet what is newest: is one reachable?");
	if (until_ns <= trust_now(f->opt.trust))
		return FAIL_SAY(note, ERR_REFUSED,
				"no node with the role admin has said since %s what is newest: is one "
				"reachable?",
				time_text(until_ns - until_ns % NS_PER_S, when));
	return check_nothing_lacks(f, note);
}

/* ---- Words in -------------------------------------------------------------------------------------------
 */

static struct word *find(const struct fresh *f, const struct public_key *key)
{
	for (size_t i = 0; i < f->n_words; i++)
		if (memcmp(f->words[i]->blob.key.b, key->b, KEY_BYTES) == 0)
			return f->words[i];
	return NULL;
}

const struct signed_blob *fresh_held(const struct fresh *f, size_t i)
{
	return i < f->n_words ? &f->words[i]->blob : NULL;
}

static bool is_admin(const struct org *org, const struct public_key *key)
{
	for (size_t i = 0; i < org->n_nodes; i++)
		if ((org->nodes[i].roles & ROLE_ADMIN) &&
		    memcmp(org->nodes[i].sign.b, key->b, KEY_BYTES) == 0)
			return true;
	return false;
}

static int place_for(struct fresh *f, const struct public_key *key, struct word **ret)
{
	*ret = find(f, key);
	if (*ret)
		return 0;
	if (f->n_words == NODES_MAX)
		return FAIL(ERR_REFUSED); /* a bundle has no more nodes, and only they are taken */
	*ret = calloc(1, sizeof **ret);
	if (!*ret)
		return FAIL(-ENOMEM);
	f->words[f->n_words++] = *ret;
	return 0;
}

static int64_t shorter(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int hold(struct fresh *f, const struct signed_blob *blob, const struct freshness *says)
{
	struct word *w;

	if (blob->payload.len > PAYLOAD_SIZE)
		return FAIL(ERR_MALFORMED);
	TRY(place_for(f, &blob->key, &w));
	w->says = *says;
	w->says.org = NULL;
	w->until_ns = says->at_ns + shorter(says->ttl_ns, f->opt.ttl_ns);
	w->blob = *blob;
	memcpy(w->payload, blob->payload.data, blob->payload.len);
	w->blob.payload.data = w->payload;
	return 0;
}

/* What is behind this node vouches for nothing; what is far ahead would close the border for ever. */
static int check_epoch(const struct fresh *f, const struct freshness *says, struct err_note *note)
{
	const uint64_t here = f->opt.trust->policy_doc.epoch;

	if (says->policy_epoch < here)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the freshness statement of %s is behind what is held here", says->org);
	if (here > 0 && says->policy_epoch - here > EPOCH_JUMP_MAX)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the freshness statement of %s is more than %d policies ahead", says->org,
				EPOCH_JUMP_MAX);
	return 0;
}

int fresh_take(struct fresh *f, uint32_t session, const struct signed_blob *blob, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct word *before = find(f, &blob->key);
	struct freshness says;

	TRY(arena_new(&a, SCRATCH_BYTES));
	TRY(freshness_decode(a, blob->payload, &says));
	if (before && says.at_ns <= before->says.at_ns)
		return FRESH_OLD; /* the usual case: no signature is looked at */
	TRY(org_verify_freshness(a, own(f), blob, trust_now(f->opt.trust), &says, note));
	TRY(check_epoch(f, &says, note));
	TRY(hold(f, blob, &says));
	f->opt.tell(f->opt.ctx, blob, session);
	return 0;
}

/* ---- Words out ------------------------------------------------------------------------------------------
 */

static int issue(struct fresh *f, int64_t mono_ns)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(buf_fini) struct buf encoded = {0};
	const struct trust *t = f->opt.trust;
	struct freshness says = newest(f);
	struct signed_blob blob;

	says.org = own(f)->manifest.org;
	says.at_ns = trust_now(t) > f->last_at_ns ? trust_now(t) : f->last_at_ns + 1;
	says.ttl_ns = f->opt.ttl_ns;
	TRY(arena_new(&a, SCRATCH_BYTES));
	TRY(org_sign_freshness(t->sign, &says, &encoded));
	TRY(signed_blob_decode(a, buf_bytes(&encoded), &blob));
	TRY(hold(f, &blob, &says));
	f->last_at_ns = says.at_ns;
	f->issued_ns = mono_ns;
	f->opt.tell(f->opt.ctx, &blob, 0);
	return 0;
}

int fresh_tick(struct fresh *f, int64_t mono_ns)
{
	const bool due = f->issued_ns == 0 || mono_ns - f->issued_ns >= f->opt.every_ns;

	return due && (f->opt.trust->self->roles & ROLE_ADMIN) ? issue(f, mono_ns) : 0;
}

int fresh_changed(struct fresh *f, int64_t mono_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n_words; i++)
		if (is_admin(own(f), &f->words[i]->blob.key))
			f->words[kept++] = f->words[i];
		else
			free(f->words[i]);
	f->n_words = kept;
	f->issued_ns = 0;
	return fresh_tick(f, mono_ns);
}
