/* SPDX-License-Identifier: Apache-2.0 */
/* Merkle - the hash tree of RFC 6962 (SHA-256, 0x00 before a leaf, 0x01 before a node), so that others can
 * check our audit with tools of their own.
 *
 * A tree grows at its end and is remembered by its peaks: the roots of the whole subtrees that its size is
 * the sum of. With five leaves:
 *
 *              root
 *            /      \
 *         peak       \       peaks: [0..4) and [4..5)
 *        /    \       \
 *       .      .       |
 *      / \    / \      |
 *     0   1  2   3   4 = peak
 *
 * Proofs are made from all leaf hashes; whoever checks one needs a root, a size and the proof.
 *
 * Owner: plain data of the caller.
 */
#pragma once

#include "proto/bytes.h"
#include "proto/err.h"

enum { MERKLE_BYTES = 32, MERKLE_DEPTH_MAX = 64 };

struct merkle_hash {
	uint8_t b[MERKLE_BYTES];
};

/* Zeroed is empty. */
struct merkle {
	uint64_t n;
	struct merkle_hash peaks[MERKLE_DEPTH_MAX]; /* the largest first, one for each bit set in n */
};

struct merkle_hash merkle_leaf(struct bytes entry);
void merkle_append(struct merkle *t, const struct merkle_hash *leaf);
/* Of no leaf: the hash of nothing, as the RFC has it. */
struct merkle_hash merkle_root(const struct merkle *t);
bool merkle_same(const struct merkle_hash *a, const struct merkle_hash *b);

unsigned merkle_n_peaks(uint64_t n);

/* From the bottom to the top, as in RFC 6962 2.1.1 and 2.1.2. */
struct merkle_proof {
	size_t n;
	struct merkle_hash hashes[MERKLE_DEPTH_MAX + 1];
};

/* That leaf `index` is in the tree of the first `n` leaves: index < n. */
void merkle_prove(const struct merkle_hash *leaves, uint64_t n, uint64_t index, struct merkle_proof *ret);
bool merkle_proves(const struct merkle_proof *p, const struct merkle_hash *leaf, uint64_t index, uint64_t n,
		   const struct merkle_hash *root);

/* That the tree of the first `n` leaves begins with that of the first `old`: 0 < old <= n. */
void merkle_prove_growth(const struct merkle_hash *leaves, uint64_t n, uint64_t old,
			 struct merkle_proof *ret);
bool merkle_proves_growth(const struct merkle_proof *p, uint64_t old, const struct merkle_hash *old_root,
			  uint64_t n, const struct merkle_hash *root);
