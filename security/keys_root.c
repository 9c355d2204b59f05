/* SPDX-License-Identifier: Apache-2.0 */
/* The root on disk: its seed, encrypted under a key that Argon2id makes of the passphrase. Everything before
 * the sealed part (header line, cost, salt, nonce) is authenticated with it.
 */
#include <sodium.h>

#include "proto/buf.h"
#include "security/keys_file.h"

enum {
	COST_BYTES = 4 + 8 + 8, /* algorithm, passes, memory: big-endian */
	SALT_BYTES = crypto_pwhash_SALTBYTES,
	NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	OPEN_BYTES = COST_BYTES + SALT_BYTES + NONCE_BYTES,
	SEALED_BYTES = 32 + crypto_aead_xchacha20poly1305_ietf_ABYTES,
	PASSES_MAX = 16,
	MEMORY_MAX_BYTES = 1 << 30,
};

static const struct key_kind sealed_root = {"holon sealed root key v1\n", "sealed root key",
					    OPEN_BYTES + SEALED_BYTES};

/* What one try of a passphrase costs: as strong as it was when the file was written. */
struct cost {
	uint32_t algorithm;
	uint64_t passes, memory_bytes;
};

static int derive(struct secret32 **ret, struct bytes passphrase, const uint8_t *salt,
		  const struct cost *cost, struct err_note *note)
{
	SCOPED(scope_secret32) struct secret32 *k = NULL;

	TRY(secret32_new(&k));
	if (crypto_pwhash(k->b, sizeof k->b, (const char *)passphrase.data, passphrase.len, salt,
			  cost->passes, (size_t)cost->memory_bytes, (int)cost->algorithm) != 0)
		return FAIL_SAY(note, -ENOMEM,
				"no memory to turn the passphrase into a key (it takes %u MiB)",
				(unsigned)(cost->memory_bytes >> 20));
	*ret = MOVE(k);
	return 0;
}

static void put_number(struct secret_file *f, uint64_t v, int n_bytes)
{
	while (n_bytes-- > 0)
		secret_file_put(f, &(const uint8_t){(uint8_t)(v >> 8 * n_bytes)}, 1);
}

int root_key_save(const struct sign_key *k, const char *path, struct bytes passphrase, struct err_note *note)
{
	SCOPED(secret_file_wipe) struct secret_file f = {0};
	SCOPED(scope_secret32) struct secret32 *key = NULL;
	const struct cost cost = {crypto_pwhash_ALG_ARGON2ID13, crypto_pwhash_OPSLIMIT_MODERATE,
				  crypto_pwhash_MEMLIMIT_MODERATE};
	uint8_t salt[SALT_BYTES], nonce[NONCE_BYTES], sealed[SEALED_BYTES];

	if (passphrase.len == 0)
		return FAIL_SAY(note, ERR_REFUSED, "an empty passphrase protects nothing: give one for %s",
				path);
	randombytes_buf(salt, sizeof salt);
	randombytes_buf(nonce, sizeof nonce);
	TRY(derive(&key, passphrase, salt, &cost, note));
	secret_file_begin(&f, &sealed_root);
	put_number(&f, cost.algorithm, 4);
	put_number(&f, cost.passes, 8);
	put_number(&f, cost.memory_bytes, 8);
	secret_file_put(&f, salt, sizeof salt);
	secret_file_put(&f, nonce, sizeof nonce);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, sign_key_secret(k), 32, f.b, f.len, NULL,
						   nonce, key->b);
	secret_file_put(&f, sealed, sizeof sealed);
	return secret_file_save(&f, path, note);
}

/* A forged file must not make us work for hours or take all memory. */
static int read_cost(const uint8_t *at, struct cost *ret, const char *path, struct err_note *note)
{
	const struct cost cost = {get_u32(at), get_u64(at + 4), get_u64(at + 12)};

	if (cost.algorithm != crypto_pwhash_ALG_ARGON2ID13 || cost.passes < 1 || cost.passes > PASSES_MAX ||
	    cost.memory_bytes < crypto_pwhash_MEMLIMIT_MIN || cost.memory_bytes > MEMORY_MAX_BYTES)
		return FAIL_SAY(note, ERR_VERSION, "%s is sealed in a way this version does not know", path);
	*ret = cost;
	return 0;
}

int root_key_load(struct sign_key **ret, const char *path, struct bytes passphrase, struct err_note *note)
{
	SCOPED(secret_file_wipe) struct secret_file f = {0};
	SCOPED(scope_secret32) struct secret32 *key = NULL, *seed = NULL;
	const uint8_t *content;
	struct cost cost;

	TRY(secret_file_load(&f, &sealed_root, path, &content, note));
	TRY(read_cost(content, &cost, path, note));
	const uint8_t *salt = content + COST_BYTES, *nonce = salt + SALT_BYTES, *sealed = nonce + NONCE_BYTES;
	TRY(derive(&key, passphrase, salt, &cost, note));
	TRY(secret32_new(&seed));
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(seed->b, NULL, NULL, sealed, SEALED_BYTES, f.b,
						       (size_t)(sealed - f.b), nonce, key->b) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "this passphrase does not open %s", path);
	return sign_key_from_seed(ret, seed->b);
}
