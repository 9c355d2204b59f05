/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/tree.h"

#include "proto/limits.h"
#include "proto/row.h"

enum { BLOCK_IDS = 16, BUCKET_SMALL = 48, BUCKET_BITS_MAX = 16 };

/* `item`: the row's number in the order in which it was added. */
struct tree_item {
	uint64_t key, hash;
	uint32_t item;
};

/* Ids lie in blocks: the first in full, of the others what differs from the one before: how much is the same
 * (1 byte), the rest, a NUL. */
struct tree {
	struct tree_item *items; /* by key, after tree_end() */
	size_t n, size;
	struct buf ids, blocks; /* blocks: places in ids, big-endian, 4 bytes each */
	char last[TWIN_ID_MAX + 1];
};

int tree_new(struct tree **ret)
{
	struct tree *t = calloc(1, sizeof *t);

	*ret = t;
	return t ? 0 : FAIL(-ENOMEM);
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	buf_fini(&t->ids);
	buf_fini(&t->blocks);
	free(t->items);
	free(t);
}

/* ---- Ids --------------------------------------------------------------------------------------------------
 */

static size_t n_same(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] != '\0' && a[n] == b[n])
		n++;
	return n;
}

static int keep_id(struct tree *t, const char *id)
{
	const bool begins = t->n % BLOCK_IDS == 0;
	const size_t same = begins ? 0 : n_same(id, t->last), rest = strlen(id + same) + 1;

	if (begins)
		buf_put_u32(&t->blocks, (uint32_t)t->ids.len);
	else
		buf_put_u8(&t->ids, (uint8_t)same);
	buf_put(&t->ids, (struct bytes){(const uint8_t *)id + same, rest});
	memcpy(t->last + same, id + same, rest);
	TRY(buf_check(&t->blocks));
	return buf_check(&t->ids);
}

int tree_id(const struct tree *t, size_t at, struct arena *a, const char **ret)
{
	const uint32_t item = t->items[at].item;
	const uint8_t *p = t->ids.data + get_u32(t->blocks.data + (size_t)item / BLOCK_IDS * 4);
	char id[TWIN_ID_MAX + 1];
	size_t same = 0;

	for (uint32_t i = 0; i <= item % BLOCK_IDS; i++) {
		same = i == 0 ? 0 : *p++;
		const size_t rest = strlen((const char *)p) + 1;
		memcpy(id + same, p, rest);
		p += rest;
	}
	*ret = arena_copy(a, id);
	return *ret ? 0 : FAIL(-ENOMEM);
}

/* ---- Making -----------------------------------------------------------------------------------------------
 */

static uint64_t low64(const struct hash128 *h)
{
	return get_u64(h->b + sizeof h->b - 8);
}

uint32_t tree_hash(const struct hash128 *row_hash)
{
	return (uint32_t)low64(row_hash);
}

uint32_t tree_prefix(uint64_t key, uint32_t depth)
{
	return depth == 0 ? 0 : (uint32_t)(key >> (64 - depth));
}

static int make_room(struct tree *t)
{
	const size_t size = t->size ? t->size * 2 : 16;

	if (t->n < t->size)
		return 0;
	if (t->n >= UINT32_MAX / 2)
		return FAIL(-ENOMEM);
	struct tree_item *items = realloc(t->items, size * sizeof *items);
	if (!items)
		return FAIL(-ENOMEM);
	t->items = items;
	t->size = size;
	return 0;
}

int tree_add(struct tree *t, const char *id, const struct hash128 *row_hash)
{
	TRY(make_room(t));
	TRY(keep_id(t, id));
	t->items[t->n] = (struct tree_item){row_key(id), low64(row_hash), (uint32_t)t->n};
	t->n++;
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const uint64_t x = ((const struct tree_item *)a)->key, y = ((const struct tree_item *)b)->key;

	return (x > y) - (x < y);
}

static void sort_bucket(struct tree_item *e, size_t n)
{
	if (n > BUCKET_SMALL) {
		qsort(e, n, sizeof *e, by_key);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		const struct tree_item moved = e[i];
		size_t to = i;
		for (; to > 0 && e[to - 1].key > moved.key; to--)
			e[to] = e[to - 1];
		e[to] = moved;
	}
}

/* Keys are as good as random: by counting into buckets of about sixteen, then each bucket by itself. */
static void sort_into(const struct tree *t, unsigned bits, uint32_t *ends, struct tree_item *ret)
{
	const size_t n_buckets = (size_t)1 << bits;
	uint32_t sum = 0, begin = 0;

	for (size_t i = 0; i < t->n; i++)
		ends[tree_prefix(t->items[i].key, bits)]++;
	for (size_t i = 0; i < n_buckets; i++) {
		const uint32_t here = ends[i];
		ends[i] = sum;
		sum += here;
	}
	for (size_t i = 0; i < t->n; i++)
		ret[ends[tree_prefix(t->items[i].key, bits)]++] = t->items[i];
	for (size_t i = 0; i < n_buckets; begin = ends[i++])
		sort_bucket(ret + begin, ends[i] - begin);
}

int tree_end(struct tree *t)
{
	unsigned bits = 0;

	while (bits < BUCKET_BITS_MAX && t->n >> bits > 16)
		bits++;
	SCOPED(scope_free) uint32_t *ends = calloc((size_t)1 << bits, sizeof *ends);
	struct tree_item *sorted = malloc((t->n + 1) * sizeof *sorted);
	if (!sorted || !ends) {
		free(sorted);
		return FAIL(-ENOMEM);
	}
	sort_into(t, bits, ends, sorted);
	free(t->items);
	t->items = sorted;
	t->size = t->n + 1;
	return 0;
}

/* ---- Asking -----------------------------------------------------------------------------------------------
 */

size_t tree_rows(const struct tree *t)
{
	return t->n;
}

size_t tree_bytes(const struct tree *t)
{
	return sizeof *t + t->size * sizeof *t->items + t->ids.size + t->blocks.size;
}

uint32_t tree_child_depth(uint32_t depth)
{
	return depth == 0 ? 8 : depth + 4;
}

size_t tree_children(uint32_t depth)
{
	return (size_t)1 << (tree_child_depth(depth) - depth);
}

/* The place of the first key that is not below this one. */
static size_t first_from(const struct tree *t, uint64_t key)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		if (t->items[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint64_t tree_sum(const struct tree *t, uint32_t depth, uint32_t prefix)
{
	uint64_t sum = 0;

	for (size_t i = first_from(t, (uint64_t)prefix << (64 - depth));
	     i < t->n && tree_prefix(t->items[i].key, depth) == prefix; i++)
		sum += t->items[i].hash;
	return sum;
}

size_t tree_leaf(const struct tree *t, uint32_t prefix, size_t *ret_first)
{
	size_t n = 0;

	*ret_first = first_from(t, (uint64_t)prefix << (64 - TREE_LEAF_DEPTH));
	while (*ret_first + n < t->n && tree_prefix(t->items[*ret_first + n].key, TREE_LEAF_DEPTH) == prefix)
		n++;
	return n;
}

struct tree_leaf tree_entry(const struct tree *t, size_t at)
{
	return (struct tree_leaf){t->items[at].key, (uint32_t)t->items[at].hash};
}

size_t tree_find(const struct tree *t, uint64_t key)
{
	const size_t at = first_from(t, key);

	return at < t->n && t->items[at].key == key ? at : t->n;
}
