/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>

#include "security/policy.h"

enum { TOKEN_BYTES = 16 };

/* With its length in front, so that no two lists of texts look alike. */
static void take(crypto_generichash_state *hash, struct bytes text)
{
	uint8_t length[4] = {(uint8_t)(text.len >> 24), (uint8_t)(text.len >> 16), (uint8_t)(text.len >> 8),
			     (uint8_t)text.len};

	crypto_generichash_update(hash, length, sizeof length);
	crypto_generichash_update(hash, text.data, text.len);
}

void policy_token_key(const uint8_t secret[POLICY_TOKEN_KEY], uint8_t ret[POLICY_TOKEN_KEY])
{
	const struct bytes use = BYTES("holon policy token key");

	crypto_generichash(ret, POLICY_TOKEN_KEY, use.data, use.len, secret, POLICY_TOKEN_KEY);
}

void policy_token(const uint8_t key[POLICY_TOKEN_KEY], const char *org, const char *property,
		  struct bytes value, char ret[TOKEN_SIZE])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t bytes[TOKEN_BYTES + 1] = {0}; /* a byte more: the last digit reads over the end */
	crypto_generichash_state hash;

	crypto_generichash_init(&hash, key, POLICY_TOKEN_KEY, TOKEN_BYTES);
	take(&hash, BYTES("holon policy token"));
	take(&hash, bytes_of_text(org));
	take(&hash, bytes_of_text(property));
	take(&hash, value);
	crypto_generichash_final(&hash, bytes, TOKEN_BYTES);
	for (size_t i = 0; i < TOKEN_SIZE - 1; i++) {
		const size_t bit = i * 5;
		const unsigned two = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
		ret[i] = digits[two >> (11 - bit % 8) & 31];
	}
	ret[TOKEN_SIZE - 1] = '\0';
}
