/* SPDX-License-Identifier: Apache-2.0 */
#include "node/agreement.h"

#include <stdio.h>

#include "proto/clock.h"

#define WORDS "agreement/"
#define ENDS "ended/"
#define FIRST_MAX (UINT64_C(1) << 40) /* as a first number more is absurd */

enum { KEY_SIZE = ORG_NAME_MAX + 16, SCRATCH_BYTES = 64 * 1024, END_BYTES = KEY_BYTES + 1 };

static const char *key_of(const char *kind, const char *partner, char ret[KEY_SIZE])
{
	snprintf(ret, KEY_SIZE, "%s%s", kind, partner);
	return ret;
}

/* ---- Words ----------------------------------------------------------------------------------------------
 */

/* What is kept was verified when it came: the node that signed it may be gone since. */
static int open_word(struct arena *a, struct bytes stored, struct signed_blob *ret_blob,
		     struct agreement *ret)
{
	TRY(signed_blob_decode(a, stored, ret_blob));
	return agreement_decode(a, ret_blob->payload, ret);
}

bool agreement_about(const struct trust *t, struct arena *a, const char *partner, struct agreement *ret)
{
	struct signed_blob blob;
	struct bytes stored;
	char key[KEY_SIZE];

	return t->store && trust_store_get(t->store, a, key_of(WORDS, partner, key), &stored) == 0 &&
	       open_word(a, stored, &blob, ret) == 0;
}

static bool word_about(const struct trust *t, const char *partner, struct agreement *ret)
{
	SCOPED(scope_arena) struct arena *a = NULL;

	if (arena_new(&a, SCRATCH_BYTES) < 0 || !agreement_about(t, a, partner, ret))
		return false;
	ret->org = ret->partner = NULL;
	return true;
}

bool agreement_root(const struct trust *t, const char *partner, struct public_key *ret)
{
	struct agreement x;

	if (!word_about(t, partner, &x) || x.ended)
		return false;
	*ret = x.root;
	return true;
}

bool agreement_known_root(const struct trust *t, const char *partner, struct public_key *ret)
{
	struct agreement x;
	bool rows_left;

	if (!word_about(t, partner, &x))
		return agreement_end(t, partner, ret, &rows_left);
	*ret = x.root;
	return true;
}

static bool had_root(const struct org *org, const struct public_key *root)
{
	for (size_t i = 0; i < org->n_roots; i++)
		if (memcmp(org->roots[i].b, root->b, KEY_BYTES) == 0)
			return true;
	return false;
}

int agreement_admits(const struct trust *t, const struct org *next, bool told, struct err_note *note)
{
	const char *partner = next->manifest.org;
	struct public_key root;
	struct agreement x;
	bool rows_left;

	if (agreement_end(t, partner, &root, &rows_left) && rows_left)
		return FAIL_SAY(note, ERR_REFUSED,
				"what is held of %s is still being forgotten: try again in a moment",
				partner);
	const bool spoken = word_about(t, partner, &x);
	if (spoken && x.ended && !(told && (t->self->roles & ROLE_ADMIN)))
		return FAIL_SAY(note, ERR_REFUSED,
				"%s ended its trust in %s: it comes back at a node with the role admin",
				t->own.org.manifest.org, partner);
	if (told || (spoken && !x.ended && had_root(next, &x.root)))
		return 0;
	return FAIL_SAY(note, ERR_UNTRUSTED, "%s is new here: give the fingerprint its admin told you",
			partner);
}

static size_t count_words(const struct trust *t)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const char *partner = "";
	struct signed_blob blob;
	size_t n = 0;

	if (arena_new(&a, (size_t)SCRATCH_BYTES * AGREEMENTS_MAX) < 0)
		return AGREEMENTS_MAX;
	while (n < AGREEMENTS_MAX && agreement_next(t, a, partner, &partner, &blob) == 0)
		n++;
	return n;
}

static int check_room(const struct trust *t, struct err_note *note)
{
	if (count_words(t) < AGREEMENTS_MAX)
		return 0;
	return FAIL_SAY(note, ERR_REFUSED, "agreements with %d organisations are kept, the most a node takes",
			AGREEMENTS_MAX);
}

static int keep_word(struct trust *t, const char *partner, struct bytes encoded)
{
	char key[KEY_SIZE];

	return trust_store_put(t->store, key_of(WORDS, partner, key), encoded);
}

int agreement_speak(struct trust *t, const char *partner, const struct public_key *root, bool ended,
		    struct arena *a, struct signed_blob *ret, struct err_note *note)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	struct agreement before, x = {.org = t->own.org.manifest.org,
				      .partner = partner,
				      .root = *root,
				      .seq = 1,
				      .at_ns = trust_now(t),
				      .ended = ended};

	if (word_about(t, partner, &before))
		x.seq = before.seq + 1;
	else
		TRY(check_room(t, note));
	TRY(agreement_sign(t->sign, &x, &encoded));
	TRY(signed_blob_decode(a, buf_bytes(&encoded), ret));
	return keep_word(t, partner, buf_bytes(&encoded));
}

/* >0: nothing new. A number far ahead would make every later word an old one. */
static int weigh(const struct trust *t, const struct agreement *x, struct err_note *note)
{
	struct agreement held;
	const bool spoken = word_about(t, x->partner, &held);

	if (spoken && agreement_compare(x, &held) <= 0)
		return AGREEMENT_OLD;
	if (spoken ? x->seq - held.seq > VERSION_JUMP_MAX : x->seq > FIRST_MAX)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the agreement about %s has the absurd number %llu",
				x->partner, (unsigned long long)x->seq);
	return spoken ? 0 : check_room(t, note);
}

int agreement_take(struct trust *t, struct arena *a, const struct signed_blob *blob, struct agreement *ret,
		   struct err_note *note)
{
	SCOPED(buf_fini) struct buf encoded = {0};

	TRY(agreement_verify(a, &t->own.org, blob, trust_now(t), ret, note));
	const int r = weigh(t, ret, note);
	TRY(r);
	if (r > 0)
		return AGREEMENT_OLD;
	signed_blob_encode(blob, &encoded);
	TRY(buf_check(&encoded));
	return keep_word(t, ret->partner, buf_bytes(&encoded));
}

int agreement_next(const struct trust *t, struct arena *a, const char *after, const char **ret_partner,
		   struct signed_blob *ret)
{
	struct agreement x;
	struct bytes stored;
	const char *found;
	char key[KEY_SIZE];

	const int r = trust_store_next(t->store, a, WORDS, key_of(WORDS, after, key), &found, &stored);
	TRY(r);
	if (r > 0)
		return AGREEMENT_NONE;
	*ret_partner = found + strlen(WORDS);
	return open_word(a, stored, ret, &x);
}

static bool signer_counts(const struct trust *t, const struct public_key *signer)
{
	const struct org *own = &t->own.org;

	for (size_t i = 0; i < own->n_nodes; i++) {
		const struct credential *c = &own->nodes[i];
		if ((c->roles & ROLE_ADMIN) && trust_now(t) < c->not_after_ns &&
		    memcmp(c->sign.b, signer->b, KEY_BYTES) == 0)
			return true;
	}
	return false;
}

int agreement_renew(struct trust *t, struct arena *a, const char *after, const char **ret_partner,
		    struct signed_blob *ret, struct err_note *note)
{
	struct agreement x;
	int r;

	while ((r = agreement_next(t, a, after, &after, ret)) == 0)
		if (!signer_counts(t, &ret->key))
			break;
	TRY(r);
	if (r > 0)
		return AGREEMENT_NONE;
	*ret_partner = after;
	TRY(agreement_decode(a, ret->payload, &x));
	return agreement_speak(t, after, &x.root, x.ended, a, ret, note);
}

/* ---- Ends -----------------------------------------------------------------------------------------------
 */

int agreement_note_end(struct trust *t, const char *partner, const struct public_key *root, bool rows_left)
{
	uint8_t value[END_BYTES];
	char key[KEY_SIZE];

	if (!root)
		return trust_store_remove(t->store, key_of(ENDS, partner, key));
	memcpy(value, root->b, KEY_BYTES);
	value[KEY_BYTES] = rows_left;
	return trust_store_put(t->store, key_of(ENDS, partner, key), (struct bytes){value, sizeof value});
}

bool agreement_end(const struct trust *t, const char *partner, struct public_key *ret_root,
		   bool *ret_rows_left)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct bytes stored;
	char key[KEY_SIZE];

	if (!t->store || arena_new(&a, SCRATCH_BYTES) < 0 ||
	    trust_store_get(t->store, a, key_of(ENDS, partner, key), &stored) != 0 || stored.len != END_BYTES)
		return false;
	memcpy(ret_root->b, stored.data, KEY_BYTES);
	*ret_rows_left = stored.data[KEY_BYTES];
	return true;
}

const char *agreement_next_end(const struct trust *t, struct arena *a, const char *after)
{
	struct bytes stored;
	const char *found;
	char key[KEY_SIZE];

	if (trust_store_next(t->store, a, ENDS, key_of(ENDS, after, key), &found, &stored) != 0)
		return NULL;
	return found + strlen(ENDS);
}
