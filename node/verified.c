/* SPDX-License-Identifier: Apache-2.0 */
#include "node/verified.h"

#include <string.h>

#include "security/sign.h"

static struct hash128 digest_of(const struct signed_blob *blob)
{
	uint8_t key[sizeof blob->key.b + sizeof blob->signature];

	memcpy(key, blob->key.b, sizeof blob->key.b);
	memcpy(key + sizeof blob->key.b, blob->signature, sizeof blob->signature);
	return hash128("verified", blob->payload, (struct bytes){key, sizeof key});
}

bool verified_head(struct verified *v, const struct signed_blob *blob)
{
	const struct hash128 digest = digest_of(blob);
	struct hash128 *place = &v->seen[(digest.b[0] | digest.b[1] << 8) % VERIFIED_MAX];

	if (memcmp(place, &digest, sizeof digest) == 0)
		return true;
	v->n_checked++;
	if (!sign_verify(SIGN_HEAD, blob))
		return false;
	*place = digest;
	return true;
}
