/* SPDX-License-Identifier: Apache-2.0 */
/* Changeset - keys put and deleted, waiting to be written into one environment in one sorted transaction. Of
 * several changes of one key the last one counts.
 *
 * Owner:   embeds the struct, zeroed is empty. Threads: one at a time.
 */
#pragma once

#include "proto/buf.h"
#include "storage/env.h"

struct changeset {
	struct buf data; /* of each: length of key, of value (all ones: deleted), key, value */
	size_t n;
	size_t n_least; /* when it was last thinned */
};

void changeset_fini(struct changeset *c);

/* Running out of memory is remembered and reported by changeset_write() and changeset_check(). */
void changeset_put(struct changeset *c, struct bytes key, struct bytes value);
void changeset_delete(struct changeset *c, struct bytes key);
MUST_CHECK int changeset_check(const struct changeset *c);

/* Add the changes of `from`, which is then empty, behind those of `to`. -ENOMEM, then nothing has changed. */
MUST_CHECK int changeset_append(struct changeset *to, struct changeset *from);

/* Once it is twice as long as it was after the last time: leave out what a later change of the same key makes
 * void. Without memory for that it stays as it is. */
void changeset_thin(struct changeset *c);

MUST_CHECK int changeset_write(const struct changeset *c, struct env_txn *t);
