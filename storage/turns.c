/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/turns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF_TWINS = 254 };

struct turns_leaf {
	uint32_t n; /* never 0 while in the index */
	uint32_t twins[LEAF_TWINS];
};

void turns_fini(struct turns *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->entries[i].leaf);
	free(t->entries);
	*t = (struct turns){0};
}

static int add_leaf(struct turns *t, uint64_t seq)
{
	if (t->n == t->size) {
		const size_t size = t->size ? t->size * 2 : 16;
		struct turns_entry *entries = realloc(t->entries, size * sizeof *entries);
		if (!entries)
			return FAIL(-ENOMEM);
		t->entries = entries;
		t->size = size;
	}
	struct turns_leaf *leaf = malloc(sizeof *leaf);
	if (!leaf)
		return FAIL(-ENOMEM);
	leaf->n = 0;
	t->entries[t->n++] = (struct turns_entry){seq, leaf};
	return 0;
}

int turns_append(struct turns *t, uint64_t seq, uint32_t twin)
{
	if (t->n == 0 || t->entries[t->n - 1].leaf->n == LEAF_TWINS)
		TRY(add_leaf(t, seq));
	struct turns_leaf *leaf = t->entries[t->n - 1].leaf;
	leaf->twins[leaf->n++] = twin;
	return 0;
}

/* The last leaf that begins at or below seq; 0 when there is none. */
static size_t find_leaf(const struct turns *t, uint64_t seq)
{
	size_t low = 0, high = t->n;

	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;
		if (t->entries[middle].seq <= seq)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void remove_leaf(struct turns *t, size_t at)
{
	free(t->entries[at].leaf);
	t->n--;
	memmove(&t->entries[at], &t->entries[at + 1], (t->n - at) * sizeof *t->entries);
}

/* Join a leaf with the one behind it when both fit well into one. */
static void join(struct turns *t, size_t at)
{
	if (at + 1 >= t->n)
		return;
	struct turns_leaf *left = t->entries[at].leaf;
	const struct turns_leaf *right = t->entries[at + 1].leaf;
	if (left->n + right->n > LEAF_TWINS / 2)
		return;
	memcpy(&left->twins[left->n], right->twins, right->n * sizeof right->twins[0]);
	left->n += right->n;
	remove_leaf(t, at + 1);
}

void turns_remove(struct turns *t, uint64_t seq, uint32_t twin)
{
	const size_t at = find_leaf(t, seq);
	struct turns_leaf *leaf = t->entries[at].leaf;
	uint32_t i = 0;

	while (i < leaf->n && leaf->twins[i] != twin)
		i++;
	assert(i < leaf->n);
	leaf->n--;
	memmove(&leaf->twins[i], &leaf->twins[i + 1], (leaf->n - i) * sizeof leaf->twins[0]);
	if (leaf->n == 0)
		remove_leaf(t, at);
	else
		join(t, at);
	if (at > 0)
		join(t, at - 1);
}

/* The first place in a leaf above seq. Where no twin has left it numbers follow each other: then it is known,
 * and only what stands there and before it is looked at. */
static uint32_t place_above(const struct turns_entry *e, uint64_t seq, turns_seq_fn *seq_of, const void *ctx)
{
	const struct turns_leaf *leaf = e->leaf;
	const uint64_t dense = seq < e->seq ? 0 : seq - e->seq + 1;
	uint32_t low = 0, high = leaf->n;

	if (dense < high && seq_of(ctx, leaf->twins[dense]) > seq) {
		high = (uint32_t)dense;
		low = high > 0 && seq_of(ctx, leaf->twins[high - 1]) <= seq ? high : 0;
	}
	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;
		if (seq_of(ctx, leaf->twins[middle]) <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t turns_after(const struct turns *t, uint64_t seq, turns_seq_fn *seq_of, const void *ctx)
{
	const size_t at = find_leaf(t, seq);

	if (t->n == 0)
		return 0;
	const struct turns_entry *e = &t->entries[at];
	const uint32_t place = place_above(e, seq, seq_of, ctx);
	if (place < e->leaf->n)
		return e->leaf->twins[place];
	return at + 1 < t->n ? t->entries[at + 1].leaf->twins[0] : 0;
}
