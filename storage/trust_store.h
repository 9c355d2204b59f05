/* SPDX-License-Identifier: Apache-2.0 */
/* Trust store - the tiny environment that holds trust records, apart from the rest so that a full history
 * never stops trust (DESIGN 4): accepted bundles, the policy in force, the highest epochs seen.
 *
 * Owner:   node/; one per directory.
 * Threads: the loop's. Each put is one synchronous LMDB commit.
 */
#pragma once

#include "proto/arena.h"
#include "proto/err.h"

struct trust_store;

MUST_CHECK int trust_store_open(struct trust_store **ret, const char *dir, struct err_note *note);
void trust_store_close(struct trust_store *t); /* NULL is fine */

/* Durable when it returns. ERR_FULL, -EIO, ... */
MUST_CHECK int trust_store_put(struct trust_store *t, const char *key, struct bytes value);
/* What is absent already is fine. Durable when it returns. */
MUST_CHECK int trust_store_remove(struct trust_store *t, const char *key);
/* TRUST_STORE_ABSENT when there is none; ERR_CORRUPT when its checksum does not agree. */
enum { TRUST_STORE_ABSENT = 1 };
MUST_CHECK int trust_store_get(struct trust_store *t, struct arena *a, const char *key, struct bytes *ret);
/* Keys that begin with prefix, in order, behind `after` ("" to begin); TRUST_STORE_ABSENT at the end. */
MUST_CHECK int trust_store_next(struct trust_store *t, struct arena *a, const char *prefix, const char *after,
				const char **ret_key, struct bytes *ret_value);

DEFINE_SCOPED(trust_store, trust_store_close)
