/* SPDX-License-Identifier: Apache-2.0 */
/* Org hash - what fingerprint and words are made of: BLAKE2b-256 over the name and the root of an
 * organisation. */
#pragma once

#include "security/org.h"

struct org_hash {
	uint8_t b[32];
};

void org_hash(const char *org, const struct public_key *root, struct org_hash *ret);

/* So many bytes of a hash as words for reading over the telephone. */
enum { WORDS_SHOWN = 6 };
void words_spell(const uint8_t pick[WORDS_SHOWN], char ret[WORDS_SIZE]);
