/* SPDX-License-Identifier: Apache-2.0 */
/* Keys - secret keys in memory and in files.
 *
 * In memory they lie in sodium_malloc() pages (guarded, locked, wiped when freed). On disk: 0600 and owned by
 * the user of the process, or refused; written to a temporary name, fsync'd and renamed. The root is sealed
 * with a passphrase (Argon2id, XChaCha20-Poly1305). No secret is ever printed, logged or taken from argv.
 */
#pragma once

#include "proto/scope.h"
#include "proto/trust.h"

/* Call once, before anything else here. */
MUST_CHECK int keys_init(void);

struct sign_key;   /* Ed25519 pair */
struct curve_pair; /* CurveZMQ long-term pair */
struct secret32;   /* symmetric key */

MUST_CHECK int sign_key_new(struct sign_key **ret);
/* From a 32-byte seed: deterministic keys for tests and simulations only. */
MUST_CHECK int sign_key_from_seed(struct sign_key **ret, const uint8_t seed[32]);
void sign_key_free(struct sign_key *k);
struct public_key sign_key_public(const struct sign_key *k);

MUST_CHECK int curve_pair_new(struct curve_pair **ret);
void curve_pair_free(struct curve_pair *k);
struct curve_key curve_pair_public(const struct curve_pair *k);
/* The 32 secret bytes, for zmq_setsockopt(); good as long as the pair. */
const uint8_t *curve_pair_secret(const struct curve_pair *k);

MUST_CHECK int secret32_new(struct secret32 **ret);
void secret32_free(struct secret32 *k);
const uint8_t *secret32_bytes(const struct secret32 *k);

/* Files. The note names the file and what is wrong with it (permissions, owner, length, kind, checksum). */
MUST_CHECK int sign_key_save(const struct sign_key *k, const char *path, struct err_note *note);
MUST_CHECK int sign_key_load(struct sign_key **ret, const char *path, struct err_note *note);
MUST_CHECK int curve_pair_save(const struct curve_pair *k, const char *path, struct err_note *note);
MUST_CHECK int curve_pair_load(struct curve_pair **ret, const char *path, struct err_note *note);
MUST_CHECK int secret32_save(const struct secret32 *k, const char *path, struct err_note *note);
MUST_CHECK int secret32_load(struct secret32 **ret, const char *path, struct err_note *note);

/* The organisation's root, sealed under a passphrase. ERR_UNTRUSTED when the passphrase is wrong. */
MUST_CHECK int root_key_save(const struct sign_key *k, const char *path, struct bytes passphrase,
			     struct err_note *note);
MUST_CHECK int root_key_load(struct sign_key **ret, const char *path, struct bytes passphrase,
			     struct err_note *note);

/* Write a public file (0644) or a secret one (0600) so that it is there whole or not at all. */
MUST_CHECK int file_write(const char *path, struct bytes content, bool secret, struct err_note *note);
/* Make a rename of `path` last. */
MUST_CHECK int file_sync_parent(const char *path, struct err_note *note);
/* Read a whole file of at most max bytes into the arena; a NUL follows it. -ENOENT when there is none. */
MUST_CHECK int file_read(struct arena *a, const char *path, size_t max, struct bytes *ret,
			 struct err_note *note);

DEFINE_SCOPED(sign_key, sign_key_free)
DEFINE_SCOPED(curve_pair, curve_pair_free)
DEFINE_SCOPED(secret32, secret32_free)
