/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/hash.h"

#include <assert.h>
#include <sodium.h>

#include "proto/buf.h"

struct hash128 hash128(const char *domain, struct bytes a, struct bytes b)
{
	unsigned char personal[crypto_generichash_blake2b_PERSONALBYTES] = {0};
	const size_t n = strlen(domain);
	crypto_generichash_blake2b_state state;
	struct hash128 h;

	assert(n >= 1 && n <= sizeof personal);
	memcpy(personal, domain, n);
	/* These fail only for lengths outside what they allow. */
	crypto_generichash_blake2b_init_salt_personal(&state, NULL, 0, sizeof h.b, NULL, personal);
	crypto_generichash_blake2b_update(&state, a.data, a.len);
	crypto_generichash_blake2b_update(&state, b.data, b.len);
	crypto_generichash_blake2b_final(&state, h.b, sizeof h.b);
	return h;
}

uint64_t hash64(const char *domain, struct bytes a, struct bytes b)
{
	const struct hash128 h = hash128(domain, a, b);

	return get_u64(h.b);
}

/* ---- In pieces --------------------------------------------------------------------------------------------
 */

_Static_assert(sizeof(crypto_generichash_state) <= sizeof(struct hash256_run), "libsodium's state has grown");

static crypto_generichash_state *state_of(struct hash256_run *r)
{
	return (crypto_generichash_state *)(void *)r->state;
}

void hash256_begin(struct hash256_run *r)
{
	crypto_generichash_init(state_of(r), NULL, 0, sizeof(struct hash256));
}

void hash256_add(struct hash256_run *r, struct bytes piece)
{
	crypto_generichash_update(state_of(r), piece.data, piece.len);
}

struct hash256 hash256_end(struct hash256_run *r)
{
	struct hash256 h;

	crypto_generichash_final(state_of(r), h.b, sizeof h.b);
	return h;
}

/* ---- Fingerprints -----------------------------------------------------------------------------------------
 */

void fingerprint_add(struct fingerprint *f, const struct hash128 *h)
{
	unsigned carry = 0;

	for (size_t i = sizeof h->b; i-- > 0;) {
		const unsigned digit = (unsigned)f->sum.b[i] + h->b[i] + carry;
		f->sum.b[i] = (uint8_t)digit;
		carry = digit >> 8;
	}
	f->count++;
}

void fingerprint_remove(struct fingerprint *f, const struct hash128 *h)
{
	unsigned borrow = 0;

	for (size_t i = sizeof h->b; i-- > 0;) {
		const unsigned digit = 0x100u + f->sum.b[i] - h->b[i] - borrow;
		f->sum.b[i] = (uint8_t)digit;
		borrow = digit < 0x100u;
	}
	f->count--;
}

bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b)
{
	return a->count == b->count && memcmp(a->sum.b, b->sum.b, sizeof a->sum.b) == 0;
}
