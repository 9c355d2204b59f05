/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/map.h"

#include <sodium.h>
#include <string.h>

/* SipHash-2-4 under the map's own secret: twin ids come from peers, who could choose colliding ones
 * otherwise. */
static uint64_t hash_text(const struct map *m, const char *key)
{
	uint8_t h[crypto_shorthash_BYTES];
	uint64_t v;

	crypto_shorthash(h, (const uint8_t *)key, strlen(key), m->secret);
	memcpy(&v, h, sizeof v);
	return v;
}

static size_t home(const struct map *m, uint64_t hash)
{
	return (size_t)hash & (m->size - 1);
}

/* The entry of the key, or the free one where it would go. */
static struct map_entry *find(const struct map *m, const char *key, uint64_t hash)
{
	for (size_t i = home(m, hash);; i = (i + 1) & (m->size - 1)) {
		struct map_entry *e = &m->entries[i];
		if (!e->key || (e->hash == hash && strcmp(e->key, key) == 0))
			return e;
	}
}

static int grow(struct map *m)
{
	struct map bigger = {.size = m->size ? m->size * 2 : 16, .n = m->n};

	memcpy(bigger.secret, m->secret, sizeof bigger.secret);
	if (m->size == 0)
		randombytes_buf(bigger.secret, sizeof bigger.secret);
	bigger.entries = calloc(bigger.size, sizeof *bigger.entries);
	if (!bigger.entries)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < m->size; i++)
		if (m->entries[i].key)
			*find(&bigger, m->entries[i].key, m->entries[i].hash) = m->entries[i];
	free(m->entries);
	*m = bigger;
	return 0;
}

void map_fini(struct map *m)
{
	free(m->entries);
	*m = (struct map){0};
}

void *map_get(const struct map *m, const char *key)
{
	return m->n > 0 ? find(m, key, hash_text(m, key))->value : NULL;
}

uint64_t map_hint(const struct map *m, const char *key)
{
	const uint64_t hash = m->n > 0 ? hash_text(m, key) : 0;

	if (m->n > 0)
		__builtin_prefetch(&m->entries[home(m, hash)]);
	return hash;
}

void *map_likely(const struct map *m, uint64_t hash)
{
	if (m->n == 0)
		return NULL;
	for (size_t i = home(m, hash); m->entries[i].key; i = (i + 1) & (m->size - 1))
		if (m->entries[i].hash == hash)
			return m->entries[i].value;
	return NULL;
}

int map_put(struct map *m, const char *key, void *value)
{
	if (m->n * 4 >= m->size * 3)
		TRY(grow(m));
	const uint64_t hash = hash_text(m, key);
	struct map_entry *e = find(m, key, hash);
	m->n += e->key == NULL;
	*e = (struct map_entry){.key = key, .value = value, .hash = hash};
	return 0;
}

/* Entries behind a freed place move up: no chain is broken and no tombstone needed (Knuth 6.4 R). */
static void close_gap(struct map *m, size_t gap)
{
	for (size_t i = (gap + 1) & (m->size - 1); m->entries[i].key; i = (i + 1) & (m->size - 1)) {
		const size_t want = home(m, m->entries[i].hash);
		const bool stays = gap < i ? (want > gap && want <= i) : (want > gap || want <= i);
		if (stays)
			continue;
		m->entries[gap] = m->entries[i];
		m->entries[i] = (struct map_entry){0};
		gap = i;
	}
}

void *map_remove(struct map *m, const char *key)
{
	if (m->n == 0)
		return NULL;
	struct map_entry *e = find(m, key, hash_text(m, key));
	void *value = e->value;
	if (!e->key)
		return NULL;
	*e = (struct map_entry){0};
	m->n--;
	close_gap(m, (size_t)(e - m->entries));
	return value;
}

struct map_entry *map_next(const struct map *m, size_t *at)
{
	while (*at < m->size) {
		struct map_entry *e = &m->entries[(*at)++];
		if (e->key)
			return e;
	}
	return NULL;
}
