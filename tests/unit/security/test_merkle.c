/* SPDX-License-Identifier: Apache-2.0 */
#include "security/merkle.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sodium.h>

#include "security/keys.h"
#include "tests/lib/must.h"

enum { LEAVES = 300 };

static void begin(void)
{
	must(keys_init() == 0);
}

TestSuite(merkle, .init = begin);

/* The leaves that the implementations of Certificate Transparency test with, and the roots of 0..8 of them.
 */
static const char *const known_leaves[] = {
	"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
};
static const char *const known_roots[] = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static struct merkle_hash from_hex(const char *hex)
{
	struct merkle_hash h;

	must(sodium_hex2bin(h.b, sizeof h.b, hex, strlen(hex), NULL, NULL, NULL) == 0);
	return h;
}

static struct merkle_hash known_leaf(size_t i)
{
	uint8_t entry[16];
	size_t len;

	must(sodium_hex2bin(entry, sizeof entry, known_leaves[i], strlen(known_leaves[i]), NULL, &len,
			    NULL) == 0);
	return merkle_leaf((struct bytes){entry, len});
}

Test(merkle, roots_are_those_of_certificate_transparency)
{
	struct merkle t = {0};

	for (size_t n = 0; n <= 8; n++) {
		const struct merkle_hash root = merkle_root(&t), known = from_hex(known_roots[n]);
		cr_expect(merkle_same(&root, &known), "of %zu leaves", n);
		if (n < 8) {
			const struct merkle_hash leaf = known_leaf(n);
			merkle_append(&t, &leaf);
		}
	}
}

/* Leaf 0 of 8, as in the same tests. */
Test(merkle, proofs_are_those_of_certificate_transparency)
{
	static const char *const path[] = {
		"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
		"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
		"6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
	};
	struct merkle_hash leaves[8];
	struct merkle_proof p;

	for (size_t i = 0; i < 8; i++)
		leaves[i] = known_leaf(i);
	merkle_prove(leaves, 8, 0, &p);
	cr_assert(eq(sz, p.n, 3));
	for (size_t i = 0; i < 3; i++) {
		const struct merkle_hash known = from_hex(path[i]);
		cr_expect(merkle_same(&p.hashes[i], &known), "step %zu", i);
	}
}

/* ---- Against the definition, word for word ---------------------------------------------------------------
 */

static struct merkle_hash naive_node(struct merkle_hash l, struct merkle_hash r)
{
	struct merkle_hash h;
	uint8_t in[65] = {1};

	memcpy(in + 1, l.b, 32);
	memcpy(in + 33, r.b, 32);
	crypto_hash_sha256(h.b, in, sizeof in);
	return h;
}

static size_t naive_split(size_t n)
{
	size_t k = 1;

	while (2 * k < n)
		k *= 2;
	return k;
}

static struct merkle_hash naive_root(const struct merkle_hash *d, size_t n)
{
	const size_t k = naive_split(n);

	return n == 1 ? d[0] : naive_node(naive_root(d, k), naive_root(d + k, n - k));
}

static void naive_path(const struct merkle_hash *d, size_t n, size_t m, struct merkle_proof *p)
{
	const size_t k = naive_split(n);

	if (n == 1)
		return;
	naive_path(m < k ? d : d + k, m < k ? k : n - k, m < k ? m : m - k, p);
	p->hashes[p->n++] = m < k ? naive_root(d + k, n - k) : naive_root(d, k);
}

static void naive_growth(const struct merkle_hash *d, size_t n, size_t m, bool b, struct merkle_proof *p)
{
	const size_t k = naive_split(n);

	if (m == n) {
		if (!b)
			p->hashes[p->n++] = naive_root(d, n);
		return;
	}
	naive_growth(m <= k ? d : d + k, m <= k ? k : n - k, m <= k ? m : m - k, m <= k ? b : false, p);
	p->hashes[p->n++] = m <= k ? naive_root(d + k, n - k) : naive_root(d, k);
}

static bool same_proof(const struct merkle_proof *a, const struct merkle_proof *b)
{
	return a->n == b->n && memcmp(a->hashes, b->hashes, a->n * MERKLE_BYTES) == 0;
}

/* No two alike, or a proof of one would rightly prove the other: each begins with its number. */
static void random_leaves(struct merkle_hash *ret, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t entry[40];
		randombytes_buf(entry, sizeof entry);
		memcpy(entry, &(uint16_t){(uint16_t)i}, 2);
		ret[i] = merkle_leaf((struct bytes){entry, 2 + randombytes_uniform(sizeof entry - 2)});
	}
}

Test(merkle, the_root_at_every_size_is_the_definition_s)
{
	struct merkle_hash leaves[LEAVES];
	struct merkle t = {0};

	random_leaves(leaves, LEAVES);
	for (size_t n = 1; n <= LEAVES; n++) {
		merkle_append(&t, &leaves[n - 1]);
		const struct merkle_hash root = merkle_root(&t), naive = naive_root(leaves, n);
		cr_assert(merkle_same(&root, &naive), "of %zu leaves", n);
	}
}

Test(merkle, every_inclusion_is_proved_and_only_that)
{
	struct merkle_hash leaves[70];
	struct merkle_proof p, naive;

	random_leaves(leaves, 70);
	for (size_t n = 1; n <= 70; n++) {
		const struct merkle_hash root = naive_root(leaves, n);
		for (size_t i = 0; i < n; i++) {
			naive.n = 0;
			naive_path(leaves, n, i, &naive);
			merkle_prove(leaves, n, i, &p);
			cr_assert(same_proof(&p, &naive), "leaf %zu of %zu", i, n);
			cr_assert(merkle_proves(&p, &leaves[i], i, n, &root));
			cr_assert(not(merkle_proves(&p, &leaves[(i + 1) % 70], i, n, &root)));
			cr_assert(not(n > 1 && merkle_proves(&p, &leaves[i], (i + 1) % n, n, &root)));
			cr_assert(not(merkle_proves(&p, &leaves[i], n, n, &root)));
			p.hashes[p.n] = root;
			p.n++;
			cr_assert(not(merkle_proves(&p, &leaves[i], i, n, &root)), "one hash too many");
			p.n -= 2;
			cr_assert(not(n > 1 && merkle_proves(&p, &leaves[i], i, n, &root)), "one too few");
		}
	}
}

Test(merkle, every_growth_is_proved_and_no_rewriting)
{
	struct merkle_hash leaves[70];
	struct merkle_proof p, naive;

	random_leaves(leaves, 70);
	for (size_t n = 1; n <= 70; n++) {
		const struct merkle_hash root = naive_root(leaves, n);
		for (size_t old = 1; old <= n; old++) {
			struct merkle_hash old_root = naive_root(leaves, old);
			naive.n = 0;
			naive_growth(leaves, n, old, true, &naive);
			merkle_prove_growth(leaves, n, old, &p);
			cr_assert(same_proof(&p, &naive), "%zu of %zu", old, n);
			cr_assert(merkle_proves_growth(&p, old, &old_root, n, &root));
			old_root.b[7] ^= 1;
			cr_assert(not(merkle_proves_growth(&p, old, &old_root, n, &root)),
				  "another old tree");
			old_root.b[7] ^= 1;
			for (size_t i = 0; i < p.n; i++) {
				p.hashes[i].b[i] ^= 0x40;
				cr_assert(not(merkle_proves_growth(&p, old, &old_root, n, &root)));
				p.hashes[i].b[i] ^= 0x40;
			}
			cr_assert(not(merkle_proves_growth(&p, 0, &old_root, n, &root)));
			cr_assert(not(merkle_proves_growth(&p, n + 1, &old_root, n, &root)));
		}
	}
}
