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

void signed_head(struct verified *v, const struct sign_key *key, struct bytes payload,
		 struct signed_blob *ret)
{
	const struct public_key public = sign_key_public(key);
	const struct hash128 digest = hash128("made", payload, (struct bytes){public.b, sizeof public.b});
	const size_t place = digest.b[0] % SIGNED_MAX;

	if (memcmp(&v->made[place].digest, &digest, sizeof digest) == 0) {
		*ret = (struct signed_blob){.payload = payload, .key = public};
		memcpy(ret->signature, v->made[place].signature, sizeof ret->signature);
		return;
	}
	v->n_made++;
	sign_blob(key, SIGN_HEAD, payload, ret);
	v->made[place].digest = digest;
	memcpy(v->made[place].signature, ret->signature, sizeof ret->signature);
}
