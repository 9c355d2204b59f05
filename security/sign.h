/* SPDX-License-Identifier: Apache-2.0 */
/* Sign - domain-separated Ed25519: the signature is over context, a zero byte, payload, so a signature of one
 * kind of object never passes for another. The prehashed variant of RFC 8032 (Ed25519ph): large payloads are
 * not copied, and signing cannot fail.
 */
#pragma once

#include "security/keys.h"

#define SIGN_MANIFEST "holon/manifest/v1"
#define SIGN_CREDENTIAL "holon/credential/v1"
#define SIGN_PERSON "holon/person/v1"
#define SIGN_REVOCATIONS "holon/revocations/v1"
#define SIGN_FRESHNESS "holon/freshness/v1"
#define SIGN_AGREEMENT "holon/agreement/v1"
#define SIGN_ERRAND "holon/errand/v1"
#define SIGN_JOIN "holon/join/v1"
#define SIGN_POLICY "holon/policy/v1"
#define SIGN_HEAD "holon/head/v1"
#define SIGN_ROWS "holon/rows/v1"
#define SIGN_COMMAND "holon/command/v1"
#define SIGN_PERMIT "holon/permit/v1"
#define SIGN_RECEIPT "holon/receipt/v1"

/* Sign payload; ret->payload borrows it. */
void sign_blob(const struct sign_key *k, const char *context, struct bytes payload, struct signed_blob *ret);
/* Is the signature that of blob->key over blob->payload? Who the key belongs to is for the caller. */
bool sign_verify(const char *context, const struct signed_blob *blob);

/* Sealed tokens (XChaCha20-Poly1305 under a shared key, random nonce; additional data binds them to their
 * use): cursors handed to partners. Appends to out. */
enum { SEAL_OVERHEAD = 40 };
void seal(const struct secret32 *k, struct bytes additional, struct bytes plain, struct buf *out);
/* ERR_UNTRUSTED when it was not sealed by this key for this use. Writes at most `size` bytes. */
MUST_CHECK int unseal(const struct secret32 *k, struct bytes additional, struct bytes sealed, uint8_t *ret,
		      size_t size, size_t *ret_len);
