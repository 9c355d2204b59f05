/* SPDX-License-Identifier: Apache-2.0 */
#include "security/merkle.h"

#include <assert.h>
#include <sodium.h>

_Static_assert(crypto_hash_sha256_BYTES == MERKLE_BYTES, "SHA-256");

static struct merkle_hash hash_pair(const struct merkle_hash *left, const struct merkle_hash *right)
{
	uint8_t node[1 + 2 * MERKLE_BYTES] = {1};
	struct merkle_hash h;

	memcpy(node + 1, left->b, MERKLE_BYTES);
	memcpy(node + 1 + MERKLE_BYTES, right->b, MERKLE_BYTES);
	crypto_hash_sha256(h.b, node, sizeof node);
	return h;
}

struct merkle_hash merkle_leaf(struct bytes entry)
{
	static const uint8_t prefix = 0;
	crypto_hash_sha256_state state;
	struct merkle_hash h;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, &prefix, 1);
	crypto_hash_sha256_update(&state, entry.data, entry.len);
	crypto_hash_sha256_final(&state, h.b);
	return h;
}

bool merkle_same(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->b, b->b, MERKLE_BYTES) == 0;
}

unsigned merkle_n_peaks(uint64_t n)
{
	return (unsigned)__builtin_popcountll(n);
}

void merkle_append(struct merkle *t, const struct merkle_hash *leaf)
{
	unsigned top = merkle_n_peaks(t->n);
	struct merkle_hash h = *leaf;

	for (uint64_t n = t->n; n & 1; n >>= 1)
		h = hash_pair(&t->peaks[--top], &h);
	t->peaks[top] = h;
	t->n++;
}

struct merkle_hash merkle_root(const struct merkle *t)
{
	unsigned i = merkle_n_peaks(t->n);
	struct merkle_hash h;

	if (i == 0) {
		crypto_hash_sha256(h.b, NULL, 0);
		return h;
	}
	for (h = t->peaks[--i]; i > 0; i--)
		h = hash_pair(&t->peaks[i - 1], &h);
	return h;
}

/* ---- Proofs ----------------------------------------------------------------------------------------------
 */

/* The largest power of two below n > 1: where the RFC splits a tree. */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

static void push_subtree(struct merkle_proof *p, const struct merkle_hash *leaves, uint64_t n)
{
	struct merkle t = {0};

	for (uint64_t i = 0; i < n; i++)
		merkle_append(&t, &leaves[i]);
	p->hashes[p->n++] = merkle_root(&t);
}

/* They are collected from the top. */
static void turn_over(struct merkle_proof *p)
{
	for (size_t i = 0; i < p->n / 2; i++) {
		const struct merkle_hash h = p->hashes[i];
		p->hashes[i] = p->hashes[p->n - 1 - i];
		p->hashes[p->n - 1 - i] = h;
	}
}

void merkle_prove(const struct merkle_hash *leaves, uint64_t n, uint64_t index, struct merkle_proof *ret)
{
	assert(index < n);
	ret->n = 0;
	while (n > 1) {
		const uint64_t k = split(n);
		if (index < k) {
			push_subtree(ret, leaves + k, n - k);
			n = k;
		} else {
			push_subtree(ret, leaves, k);
			leaves += k;
			index -= k;
			n -= k;
		}
	}
	turn_over(ret);
}

void merkle_prove_growth(const struct merkle_hash *leaves, uint64_t n, uint64_t old, struct merkle_proof *ret)
{
	bool is_known = true; /* the subtree is the old tree itself: its root needs no telling */

	assert(old > 0 && old <= n);
	ret->n = 0;
	while (old != n) {
		const uint64_t k = split(n);
		if (old <= k) {
			push_subtree(ret, leaves + k, n - k);
			n = k;
		} else {
			push_subtree(ret, leaves, k);
			leaves += k;
			old -= k;
			n -= k;
			is_known = false;
		}
	}
	if (!is_known)
		push_subtree(ret, leaves, old);
	turn_over(ret);
}

/* RFC 9162 2.1.3.2. */
bool merkle_proves(const struct merkle_proof *p, const struct merkle_hash *leaf, uint64_t index, uint64_t n,
		   const struct merkle_hash *root)
{
	uint64_t at = index, last = n - 1;
	struct merkle_hash h = *leaf;

	if (index >= n)
		return false;
	for (size_t i = 0; i < p->n; i++) {
		if (last == 0)
			return false;
		if (at & 1 || at == last) {
			h = hash_pair(&p->hashes[i], &h);
			for (; !(at & 1) && at != 0; at >>= 1)
				last >>= 1;
		} else {
			h = hash_pair(&h, &p->hashes[i]);
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && merkle_same(&h, root);
}

/* RFC 9162 2.1.4.2, with the proof's hashes from `i` on; `h` and `old_h` are what both begin with. */
static bool follow_growth(const struct merkle_proof *p, size_t i, uint64_t at, uint64_t last,
			  const struct merkle_hash *first, const struct merkle_hash *old_root,
			  const struct merkle_hash *root)
{
	struct merkle_hash h = *first, old_h = *first;

	for (; i < p->n; i++) {
		if (last == 0)
			return false;
		if (at & 1 || at == last) {
			old_h = hash_pair(&p->hashes[i], &old_h);
			h = hash_pair(&p->hashes[i], &h);
			for (; !(at & 1) && at != 0; at >>= 1)
				last >>= 1;
		} else {
			h = hash_pair(&h, &p->hashes[i]);
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && merkle_same(&h, root) && merkle_same(&old_h, old_root);
}

bool merkle_proves_growth(const struct merkle_proof *p, uint64_t old, const struct merkle_hash *old_root,
			  uint64_t n, const struct merkle_hash *root)
{
	uint64_t at = old - 1, last = n - 1;

	if (old == 0 || old > n)
		return false;
	if (old == n)
		return p->n == 0 && merkle_same(old_root, root);
	for (; at & 1; at >>= 1)
		last >>= 1;
	if ((old & (old - 1)) == 0)
		return follow_growth(p, 0, at, last, old_root, old_root, root);
	return p->n > 0 && follow_growth(p, 1, at, last, &p->hashes[0], old_root, root);
}
