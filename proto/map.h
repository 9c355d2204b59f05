/* SPDX-License-Identifier: Apache-2.0 */
/* Map - text keys to pointers: the one hash map of the layers above storage/.
 *
 * Owner:   embeds the struct, zeroed is empty. Keys are borrowed: they must live as long as their entry.
 * Order:   none. No removing while walking.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/err.h"
#include "proto/scope.h"

struct map_entry {
	const char *key; /* NULL: free */
	void *value;
	uint64_t hash;
};

struct map {
	struct map_entry *entries;
	size_t size, n;     /* size: a power of two, or 0 */
	uint8_t secret[16]; /* of the hash, drawn with the first entry: nobody can choose keys that collide */
};

void map_fini(struct map *m);                        /* frees the table, not the values */
void *map_get(const struct map *m, const char *key); /* NULL: not there */

/* For who looks up many keys: while one is looked at, what is in memory of the next ones comes nearer.
 * map_hint() begins it and gives the hash, map_likely() what the key probably stands for: no key is read. */
uint64_t map_hint(const struct map *m, const char *key);
void *map_likely(const struct map *m, uint64_t hash); /* NULL: nothing */

/* Insert or replace (then the new key pointer is kept). -ENOMEM. `value` is not NULL. */
MUST_CHECK int map_put(struct map *m, const char *key, void *value);
void *map_remove(struct map *m, const char *key); /* the value that was there, or NULL */
/* Walk: *at starts at 0; NULL at the end. */
struct map_entry *map_next(const struct map *m, size_t *at);
