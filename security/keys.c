/* SPDX-License-Identifier: Apache-2.0 */
#include "security/keys.h"

#include <sodium.h>

#include "security/keys_file.h"

struct sign_key {
	uint8_t secret[crypto_sign_SECRETKEYBYTES]; /* seed, then public key */
};

struct curve_pair {
	uint8_t secret[KEY_BYTES];
	struct curve_key public;
};

_Static_assert(crypto_sign_SEEDBYTES == 32 && crypto_sign_PUBLICKEYBYTES == KEY_BYTES, "Ed25519");
_Static_assert(crypto_sign_BYTES == SIGNATURE_BYTES, "Ed25519");
_Static_assert(crypto_box_SECRETKEYBYTES == KEY_BYTES && crypto_box_PUBLICKEYBYTES == KEY_BYTES, "CurveZMQ");

/* On disk every key is its 32 secret bytes; the public half is computed when it is loaded. */
static const struct key_kind signing = {"holon signing key v1\n", "signing key", 32};
static const struct key_kind curve = {"holon curve key v1\n", "curve key", 32};
static const struct key_kind sealing = {"holon sealing key v1\n", "sealing key", 32};

int keys_init(void)
{
	return sodium_init() < 0 ? FAIL(-EIO) : 0;
}

/* ---- in memory ---- */

int sign_key_new(struct sign_key **ret)
{
	SCOPED(scope_secret32) struct secret32 *seed = NULL;

	TRY(secret32_new(&seed));
	return sign_key_from_seed(ret, seed->b);
}

int sign_key_from_seed(struct sign_key **ret, const uint8_t seed[32])
{
	struct sign_key *k = sodium_malloc(sizeof *k);
	struct public_key public;

	if (!k)
		return FAIL(-ENOMEM);
	crypto_sign_seed_keypair(public.b, k->secret, seed);
	*ret = k;
	return 0;
}

void sign_key_free(struct sign_key *k)
{
	sodium_free(k);
}

struct public_key sign_key_public(const struct sign_key *k)
{
	struct public_key public;

	memcpy(public.b, k->secret + crypto_sign_SEEDBYTES, sizeof public.b);
	return public;
}

const uint8_t *sign_key_secret(const struct sign_key *k)
{
	return k->secret;
}

static int curve_pair_from_secret(struct curve_pair **ret, const uint8_t secret[KEY_BYTES])
{
	struct curve_pair *k = sodium_malloc(sizeof *k);

	if (!k)
		return FAIL(-ENOMEM);
	memcpy(k->secret, secret, sizeof k->secret);
	crypto_scalarmult_base(k->public.b, k->secret);
	*ret = k;
	return 0;
}

int curve_pair_new(struct curve_pair **ret)
{
	SCOPED(scope_secret32) struct secret32 *secret = NULL;

	TRY(secret32_new(&secret));
	return curve_pair_from_secret(ret, secret->b);
}

void curve_pair_free(struct curve_pair *k)
{
	sodium_free(k);
}

struct curve_key curve_pair_public(const struct curve_pair *k)
{
	return k->public;
}

const uint8_t *curve_pair_secret(const struct curve_pair *k)
{
	return k->secret;
}

int secret32_new(struct secret32 **ret)
{
	struct secret32 *k = sodium_malloc(sizeof *k);

	if (!k)
		return FAIL(-ENOMEM);
	randombytes_buf(k->b, sizeof k->b);
	*ret = k;
	return 0;
}

void secret32_free(struct secret32 *k)
{
	sodium_free(k);
}

const uint8_t *secret32_bytes(const struct secret32 *k)
{
	return k->b;
}

/* ---- in files ---- */

static int save(const struct key_kind *kind, const uint8_t secret[32], const char *path,
		struct err_note *note)
{
	SCOPED(secret_file_wipe) struct secret_file f = {0};

	secret_file_begin(&f, kind);
	secret_file_put(&f, secret, kind->len);
	return secret_file_save(&f, path, note);
}

int sign_key_save(const struct sign_key *k, const char *path, struct err_note *note)
{
	return save(&signing, k->secret, path, note);
}

int sign_key_load(struct sign_key **ret, const char *path, struct err_note *note)
{
	SCOPED(secret_file_wipe) struct secret_file f = {0};
	const uint8_t *seed;

	TRY(secret_file_load(&f, &signing, path, &seed, note));
	return sign_key_from_seed(ret, seed);
}

int curve_pair_save(const struct curve_pair *k, const char *path, struct err_note *note)
{
	return save(&curve, k->secret, path, note);
}

int curve_pair_load(struct curve_pair **ret, const char *path, struct err_note *note)
{
	SCOPED(secret_file_wipe) struct secret_file f = {0};
	const uint8_t *secret;

	TRY(secret_file_load(&f, &curve, path, &secret, note));
	return curve_pair_from_secret(ret, secret);
}

int secret32_save(const struct secret32 *k, const char *path, struct err_note *note)
{
	return save(&sealing, k->b, path, note);
}

int secret32_load(struct secret32 **ret, const char *path, struct err_note *note)
{
	SCOPED(secret_file_wipe) struct secret_file f = {0};
	SCOPED(scope_secret32) struct secret32 *k = NULL;
	const uint8_t *secret;

	TRY(secret_file_load(&f, &sealing, path, &secret, note));
	TRY(secret32_new(&k));
	memcpy(k->b, secret, sizeof k->b);
	*ret = MOVE(k);
	return 0;
}
