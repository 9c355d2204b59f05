/* SPDX-License-Identifier: Apache-2.0 */
/* Hash - BLAKE2b as the tree uses it: checksums of stored values, row hashes, fingerprints of sets. */
#pragma once

#include "proto/bytes.h"

struct hash128 {
	uint8_t b[16];
};

/* BLAKE2b-128 of a then b. `domain` (1..16 characters) keeps hashes of different uses apart. */
struct hash128 hash128(const char *domain, struct bytes a, struct bytes b);

/* The first 8 bytes of the same, as a number: the checksum of stored values. */
uint64_t hash64(const char *domain, struct bytes a, struct bytes b);

/* BLAKE2b-256 of what comes in pieces: begin, add any number of times, end. */
struct hash256 {
	uint8_t b[32];
};
struct hash256_run {
	_Alignas(64) uint8_t state[384]; /* libsodium's */
};
void hash256_begin(struct hash256_run *r);
void hash256_add(struct hash256_run *r, struct bytes piece);
struct hash256 hash256_end(struct hash256_run *r);

/* Fingerprint of a set: sum of its members' hashes mod 2^128 and their count. Adding and removing commute,
 * so it is kept up incrementally (MESH 3.2). */
struct fingerprint {
	struct hash128 sum;
	uint64_t count;
};

void fingerprint_add(struct fingerprint *f, const struct hash128 *h);
void fingerprint_remove(struct fingerprint *f, const struct hash128 *h);
bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b);
