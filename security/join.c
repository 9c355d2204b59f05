/* SPDX-License-Identifier: Apache-2.0 */
#include "security/join.h"

#include <sodium.h>

#include "security/keys_file.h"
#include "security/org_hash.h"

static const char key_domain[] = "holon/join/key/v1";
static const char mac_domain[] = "holon/join/mac/v1";
static const char words_domain[] = "holon/join/words/v1";

static void add(crypto_generichash_state *s, const void *data, size_t len)
{
	crypto_generichash_update(s, data, len);
}

void join_key(const uint8_t secret[JOIN_SECRET_BYTES], uint8_t ret[JOIN_MAC_BYTES])
{
	crypto_generichash_state s;

	crypto_generichash_init(&s, NULL, 0, JOIN_MAC_BYTES);
	add(&s, key_domain, sizeof key_domain);
	add(&s, secret, JOIN_SECRET_BYTES);
	crypto_generichash_final(&s, ret, JOIN_MAC_BYTES);
	sodium_memzero(&s, sizeof s);
}

void join_ends_of_token(const struct join_token *t, struct join_ends *ret)
{
	*ret = (struct join_ends){.org = t->org, .name = t->name, .root = t->root, .server = t->server};
	join_key(t->secret, ret->key);
}

/* Texts with their NUL, so that no two transcripts are the same bytes. */
static void transcript(const char *domain, const struct join_ends *ends, const struct join_request *r,
		       uint8_t ret[JOIN_MAC_BYTES])
{
	crypto_generichash_state s;

	crypto_generichash_init(&s, ends->key, sizeof ends->key, JOIN_MAC_BYTES);
	add(&s, domain, strlen(domain) + 1);
	add(&s, ends->org, strlen(ends->org) + 1);
	add(&s, ends->name, strlen(ends->name) + 1);
	add(&s, ends->root.b, sizeof ends->root.b);
	add(&s, ends->server.b, sizeof ends->server.b);
	add(&s, r->curve.b, sizeof r->curve.b);
	add(&s, r->sign.b, sizeof r->sign.b);
	crypto_generichash_final(&s, ret, JOIN_MAC_BYTES);
	sodium_memzero(&s, sizeof s);
}

int join_request_make(const struct join_ends *ends, const struct curve_key *curve,
		      const struct sign_key *sign, struct buf *out)
{
	SCOPED(buf_fini) struct buf payload = {0};
	struct join_request r = {
		.org = ends->org, .name = ends->name, .curve = *curve, .sign = sign_key_public(sign)};
	struct signed_blob blob;

	transcript(mac_domain, ends, &r, r.mac);
	join_request_encode(&r, &payload);
	TRY(buf_check(&payload));
	sign_blob(sign, SIGN_JOIN, buf_bytes(&payload), &blob);
	signed_blob_encode(&blob, out);
	return buf_check(out);
}

int join_request_verify(struct arena *a, const struct join_ends *ends, const struct signed_blob *blob,
			const struct curve_key *shown, struct join_request *ret, struct err_note *note)
{
	uint8_t mac[JOIN_MAC_BYTES];
	struct join_request r;

	TRY(join_request_decode(a, blob->payload, &r));
	transcript(mac_domain, ends, &r, mac);
	if (strcmp(r.org, ends->org) != 0 || strcmp(r.name, ends->name) != 0 ||
	    sodium_memcmp(mac, r.mac, sizeof mac) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the request was not made from the token of %s",
				ends->name);
	if (memcmp(blob->key.b, r.sign.b, KEY_BYTES) != 0 || !sign_verify(SIGN_JOIN, blob))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the request is not signed by the key it names");
	if (memcmp(shown->b, r.curve.b, KEY_BYTES) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the request came over a connection with another key");
	*ret = r;
	return 0;
}

void join_words(const struct join_ends *ends, const struct join_request *r, char ret[WORDS_SIZE])
{
	uint8_t pick[JOIN_MAC_BYTES];

	transcript(words_domain, ends, r, pick);
	words_spell(pick, ret);
}

void join_hash(struct bytes encoded, uint8_t ret[KEY_BYTES])
{
	crypto_generichash(ret, KEY_BYTES, encoded.data, encoded.len, NULL, 0);
}

int join_seal(const struct curve_key *to, const struct secret32 *key, struct buf *out)
{
	uint8_t *sealed = buf_extend(out, crypto_box_SEALBYTES + sizeof key->b);

	if (!sealed)
		return FAIL(-ENOMEM);
	return crypto_box_seal(sealed, key->b, sizeof key->b, to->b) == 0 ? 0 : FAIL(ERR_UNTRUSTED);
}

static int open_cursor_key(const struct join_keys *keys, struct bytes sealed, struct secret32 **ret,
			   struct err_note *note)
{
	SCOPED(scope_secret32) struct secret32 *key = NULL;
	const struct curve_key public = curve_pair_public(keys->curve);

	TRY(secret32_new(&key));
	if (sealed.len != crypto_box_SEALBYTES + sizeof key->b ||
	    crypto_box_seal_open(key->b, sealed.data, sealed.len, public.b, curve_pair_secret(keys->curve)) !=
		    0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the answer has no cursor key for this border node");
	*ret = MOVE(key);
	return 0;
}

static int check_org(const struct join_token *t, const struct org *org, struct err_note *note)
{
	if (strcmp(org->manifest.org, t->org) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the answer has the bundle of %s, the token is of %s",
				org->manifest.org, t->org);
	if (memcmp(org->manifest.root.b, t->root.b, KEY_BYTES) != 0)
		return FAIL_SAY(
			note, ERR_UNTRUSTED,
			"the answer has another root of %s than the token: ask its admin for a new one",
			t->org);
	return 0;
}

static int find_self(const struct join_token *t, const struct join_keys *keys, const struct org *org,
		     const struct credential **ret, struct err_note *note)
{
	const struct curve_key curve = curve_pair_public(keys->curve);
	const struct public_key sign = sign_key_public(keys->sign);
	const struct credential *c = org_node(org, t->name);

	if (!c || memcmp(c->curve.b, curve.b, KEY_BYTES) != 0 || memcmp(c->sign.b, sign.b, KEY_BYTES) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the answer names no node %s with this machine's keys",
				t->name);
	*ret = c;
	return 0;
}

int join_answer_verify(struct arena *a, const struct join_token *t, const struct join_keys *keys,
		       struct bytes request, struct bytes answer, int64_t now_ns, struct joined *ret,
		       struct err_note *note)
{
	struct joined joined = {0};
	struct join_answer x;
	uint8_t hash[KEY_BYTES];

	const int r = join_answer_decode(a, answer, &x);
	if (r < 0)
		return r == -ENOMEM ? r : FAIL_SAY(note, r, "the answer cannot be read");
	join_hash(request, hash);
	if (memcmp(hash, x.request_hash, sizeof hash) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the answer is to another request");
	TRY(org_verify(a, x.bundle, now_ns, &joined.org, note));
	TRY(check_org(t, &joined.org, note));
	TRY(find_self(t, keys, &joined.org, &joined.self, note));
	if (joined.self->roles & ROLE_BORDER)
		TRY(open_cursor_key(keys, x.cursor_key, &joined.cursor_key, note));
	*ret = joined;
	return 0;
}
