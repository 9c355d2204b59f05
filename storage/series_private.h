/* SPDX-License-Identifier: Apache-2.0 */
/* What series.c (heads), series_read.c and series_write.c share. */
#pragma once

#include "storage/env.h"
#include "storage/series.h"

/* What came to one series since the last checkpoint. `frozen` is older than `open` and does not change while
 * a checkpoint is being written. */
struct head {
	uint64_t id;
	struct series *owner; /* NULL: it went away */
	struct points open, frozen;
};

struct series_set {
	char *dir;
	size_t limit_bytes;
	struct env *env; /* NULL: to be opened again */
	uint64_t position;
	struct head **heads; /* every series with anything in memory */
	size_t n, size;
	struct head **freezing; /* those of the running checkpoint, by id */
	size_t n_freezing;
	uint64_t new_position;
};

enum { CHUNK_KEY_BYTES = 17 };

/* Opens the environment again if a failure closed it. */
MUST_CHECK int series_set_begin_read(struct series_set *h, struct env_txn **ret);

void chunk_key(uint64_t series, int64_t t_ns, uint8_t ret[CHUNK_KEY_BYTES]);
int64_t chunk_key_time(struct bytes key);

/* The prefix of a series' chunks, out of the key of any of them. */
static inline struct bytes chunk_prefix(const uint8_t key[CHUNK_KEY_BYTES])
{
	return (struct bytes){key, CHUNK_KEY_BYTES - 8};
}
