/* SPDX-License-Identifier: Apache-2.0 */
#include "security/sign.h"

#include <sodium.h>

#include "security/keys_file.h"

_Static_assert(SEAL_OVERHEAD == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES +
					crypto_aead_xchacha20poly1305_ietf_ABYTES,
	       "nonce and tag");

/* Ed25519ph: hashed piece by piece, so nothing is copied and signing has no memory to run out of. */
static void begin(crypto_sign_state *state, const char *context, struct bytes payload)
{
	crypto_sign_init(state);
	crypto_sign_update(state, (const uint8_t *)context, strlen(context) + 1); /* with its NUL */
	crypto_sign_update(state, payload.data, payload.len);
}

void sign_blob(const struct sign_key *k, const char *context, struct bytes payload, struct signed_blob *ret)
{
	crypto_sign_state state;

	begin(&state, context, payload);
	*ret = (struct signed_blob){.payload = payload, .key = sign_key_public(k)};
	crypto_sign_final_create(&state, ret->signature, NULL, sign_key_secret(k));
}

bool sign_verify(const char *context, const struct signed_blob *blob)
{
	crypto_sign_state state;

	begin(&state, context, blob->payload);
	return crypto_sign_final_verify(&state, blob->signature, blob->key.b) == 0;
}

void seal(const struct secret32 *k, struct bytes additional, struct bytes plain, struct buf *out)
{
	uint8_t *nonce = buf_extend(out, SEAL_OVERHEAD + plain.len);

	if (!nonce)
		return;
	randombytes_buf(nonce, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
	crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, NULL,
						   plain.data, plain.len, additional.data, additional.len,
						   NULL, nonce, secret32_bytes(k));
}

int unseal(const struct secret32 *k, struct bytes additional, struct bytes sealed, uint8_t *ret, size_t size,
	   size_t *ret_len)
{
	const size_t nonce_len = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;

	if (sealed.len < SEAL_OVERHEAD || sealed.len - SEAL_OVERHEAD > size)
		return FAIL(ERR_UNTRUSTED);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(ret, NULL, NULL, sealed.data + nonce_len,
						       sealed.len - nonce_len, additional.data,
						       additional.len, sealed.data, secret32_bytes(k)) != 0)
		return FAIL(ERR_UNTRUSTED);
	*ret_len = sealed.len - SEAL_OVERHEAD;
	return 0;
}
