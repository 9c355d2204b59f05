/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/ordered.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF_ITEMS = 126 };

struct ordered_leaf {
	size_t n; /* never 0 while in the index */
	void *items[LEAF_ITEMS];
};

/* A place in the index: leaf and item, both possibly one behind the end. */
struct place {
	size_t leaf, item;
	bool exact;
};

void ordered_fini(struct ordered *o)
{
	for (size_t i = 0; i < o->n_leaves; i++)
		free(o->leaves[i]);
	free(o->leaves);
	*o = (struct ordered){.compare = o->compare};
}

void ordered_fini_items(struct ordered *o, void (*release)(void *item))
{
	for (size_t i = 0; i < o->n_leaves; i++)
		for (size_t j = 0; j < o->leaves[i]->n; j++)
			release(o->leaves[i]->items[j]);
	ordered_fini(o);
}

/* The last leaf whose first item is not behind the key; 0 when there is none. */
static size_t find_leaf(const struct ordered *o, const void *key)
{
	size_t low = 0, high = o->n_leaves;

	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;
		if (o->compare(key, o->leaves[middle]->items[0]) >= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Where the key is, or would be put: always inside or at the end of an existing leaf. */
static struct place find(const struct ordered *o, const void *key)
{
	struct place p = {.leaf = find_leaf(o, key)};

	if (p.leaf >= o->n_leaves)
		return p;
	const struct ordered_leaf *leaf = o->leaves[p.leaf];
	size_t high = leaf->n;
	while (p.item < high) {
		const size_t middle = p.item + (high - p.item) / 2;
		const int r = o->compare(key, leaf->items[middle]);
		if (r == 0)
			return (struct place){p.leaf, middle, true};
		if (r > 0)
			p.item = middle + 1;
		else
			high = middle;
	}
	return p;
}

static void *item_at(const struct ordered *o, struct place p)
{
	if (p.leaf < o->n_leaves && p.item == o->leaves[p.leaf]->n)
		p = (struct place){.leaf = p.leaf + 1};
	return p.leaf < o->n_leaves ? o->leaves[p.leaf]->items[p.item] : NULL;
}

/* A new, empty leaf at this place of the array. */
static int insert_leaf(struct ordered *o, size_t at)
{
	if (o->n_leaves == o->size) {
		const size_t size = o->size ? o->size * 2 : 4;
		struct ordered_leaf **leaves = realloc(o->leaves, size * sizeof *leaves);
		if (!leaves)
			return FAIL(-ENOMEM);
		o->leaves = leaves;
		o->size = size;
	}
	struct ordered_leaf *leaf = malloc(sizeof *leaf);
	if (!leaf)
		return FAIL(-ENOMEM);
	leaf->n = 0;
	memmove(&o->leaves[at + 1], &o->leaves[at], (o->n_leaves - at) * sizeof *o->leaves);
	o->leaves[at] = leaf;
	o->n_leaves++;
	return 0;
}

/* Make room in a full leaf. Behind the last item of the index a fresh leaf begins, so appending fills leaves.
 */
static int split(struct ordered *o, struct place *p)
{
	TRY(insert_leaf(o, p->leaf + 1));
	struct ordered_leaf *left = o->leaves[p->leaf], *right = o->leaves[p->leaf + 1];
	const bool append = p->leaf + 2 == o->n_leaves && p->item == left->n;
	const size_t keep = append ? LEAF_ITEMS : LEAF_ITEMS / 2;

	right->n = LEAF_ITEMS - keep;
	left->n = keep;
	memcpy(right->items, &left->items[keep], right->n * sizeof right->items[0]);
	if (p->item > keep || append)
		*p = (struct place){.leaf = p->leaf + 1, .item = p->item - keep};
	return 0;
}

int ordered_put(struct ordered *o, const void *key, void *item)
{
	struct place p = find(o, key);

	if (o->n_leaves == 0)
		TRY(insert_leaf(o, 0));
	else if (o->leaves[p.leaf]->n == LEAF_ITEMS)
		TRY(split(o, &p));
	struct ordered_leaf *leaf = o->leaves[p.leaf];
	memmove(&leaf->items[p.item + 1], &leaf->items[p.item], (leaf->n - p.item) * sizeof leaf->items[0]);
	leaf->items[p.item] = item;
	leaf->n++;
	o->n++;
	return 0;
}

int ordered_append(struct ordered *o, void *item)
{
	if (o->n_leaves == 0 || o->leaves[o->n_leaves - 1]->n == LEAF_ITEMS)
		TRY(insert_leaf(o, o->n_leaves));
	struct ordered_leaf *leaf = o->leaves[o->n_leaves - 1];
	leaf->items[leaf->n++] = item;
	o->n++;
	return 0;
}

static void remove_leaf(struct ordered *o, size_t at)
{
	free(o->leaves[at]);
	o->n_leaves--;
	memmove(&o->leaves[at], &o->leaves[at + 1], (o->n_leaves - at) * sizeof *o->leaves);
}

/* Join a leaf with the one behind it when both fit well into one. */
static void join(struct ordered *o, size_t at)
{
	if (at + 1 >= o->n_leaves)
		return;
	struct ordered_leaf *left = o->leaves[at], *right = o->leaves[at + 1];
	if (left->n + right->n > LEAF_ITEMS / 2)
		return;
	memcpy(&left->items[left->n], right->items, right->n * sizeof right->items[0]);
	left->n += right->n;
	remove_leaf(o, at + 1);
}

void *ordered_remove(struct ordered *o, const void *key)
{
	const struct place p = find(o, key);

	if (!p.exact)
		return NULL;
	struct ordered_leaf *leaf = o->leaves[p.leaf];
	void *item = leaf->items[p.item];
	leaf->n--;
	o->n--;
	memmove(&leaf->items[p.item], &leaf->items[p.item + 1], (leaf->n - p.item) * sizeof leaf->items[0]);
	if (leaf->n == 0)
		remove_leaf(o, p.leaf);
	else
		join(o, p.leaf);
	if (p.leaf > 0)
		join(o, p.leaf - 1);
	return item;
}

void *ordered_get(const struct ordered *o, const void *key)
{
	const struct place p = find(o, key);

	return p.exact ? item_at(o, p) : NULL;
}

void *ordered_from(const struct ordered *o, const void *key)
{
	return item_at(o, find(o, key));
}

void *ordered_after(const struct ordered *o, const void *key)
{
	struct place p = find(o, key);

	p.item += p.exact;
	return item_at(o, p);
}

void *const *ordered_run(const struct ordered *o, const void *after, size_t *ret_n)
{
	struct place p = find(o, after);

	p.item += p.exact;
	*ret_n = 0;
	if (p.leaf < o->n_leaves && p.item == o->leaves[p.leaf]->n)
		p = (struct place){.leaf = p.leaf + 1};
	if (p.leaf >= o->n_leaves)
		return NULL;
	*ret_n = o->leaves[p.leaf]->n - p.item;
	return &o->leaves[p.leaf]->items[p.item];
}

void *ordered_first(const struct ordered *o)
{
	return o->n > 0 ? o->leaves[0]->items[0] : NULL;
}

void *ordered_last(const struct ordered *o)
{
	const struct ordered_leaf *leaf = o->n > 0 ? o->leaves[o->n_leaves - 1] : NULL;

	return leaf ? leaf->items[leaf->n - 1] : NULL;
}
