/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/numbered.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF_ITEMS = 127 };

struct numbered_leaf {
	size_t n; /* never 0 while in the index */
	uint64_t numbers[LEAF_ITEMS];
	void *items[LEAF_ITEMS];
};

/* Where a number is, or would be put: inside or at the end of a leaf that there is. */
struct place {
	size_t leaf, item;
	bool exact;
};

void numbered_fini(struct numbered *x)
{
	for (size_t i = 0; i < x->n_leaves; i++)
		free(x->entries[i].leaf);
	free(x->entries);
	*x = (struct numbered){0};
}

/* The last leaf that begins at or below the number; 0 when there is none. */
static size_t find_leaf(const struct numbered *x, uint64_t number)
{
	size_t low = 0, high = x->n_leaves;

	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;
		if (x->entries[middle].least <= number)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static struct place find(const struct numbered *x, uint64_t number)
{
	struct place p = {.leaf = find_leaf(x, number)};

	if (x->n_leaves == 0)
		return p;
	const struct numbered_leaf *leaf = x->entries[p.leaf].leaf;
	size_t high = leaf->n;
	while (p.item < high) {
		const size_t middle = p.item + (high - p.item) / 2;
		if (leaf->numbers[middle] < number)
			p.item = middle + 1;
		else
			high = middle;
	}
	p.exact = p.item < leaf->n && leaf->numbers[p.item] == number;
	return p;
}

/* A new, empty leaf at this place. */
static int insert_leaf(struct numbered *x, size_t at, uint64_t least)
{
	if (x->n_leaves == x->size) {
		const size_t size = x->size ? x->size * 2 : 4;
		struct numbered_entry *entries = realloc(x->entries, size * sizeof *entries);
		if (!entries)
			return FAIL(-ENOMEM);
		x->entries = entries;
		x->size = size;
	}
	struct numbered_leaf *leaf = malloc(sizeof *leaf);
	if (!leaf)
		return FAIL(-ENOMEM);
	leaf->n = 0;
	memmove(&x->entries[at + 1], &x->entries[at], (x->n_leaves - at) * sizeof *x->entries);
	x->entries[at] = (struct numbered_entry){least, leaf};
	x->n_leaves++;
	return 0;
}

static void move(struct numbered_leaf *to, size_t to_at, const struct numbered_leaf *from, size_t at,
		 size_t n)
{
	memmove(&to->numbers[to_at], &from->numbers[at], n * sizeof to->numbers[0]);
	memmove(&to->items[to_at], &from->items[at], n * sizeof to->items[0]);
}

/* Make room in a full leaf. Behind the last item a fresh leaf begins, so that appending fills leaves. */
static int split(struct numbered *x, struct place *p, uint64_t number)
{
	struct numbered_leaf *left = x->entries[p->leaf].leaf;
	const bool append = p->leaf + 1 == x->n_leaves && p->item == left->n;
	const size_t keep = append ? LEAF_ITEMS : LEAF_ITEMS / 2;

	TRY(insert_leaf(x, p->leaf + 1, append ? number : left->numbers[keep]));
	struct numbered_leaf *right = x->entries[p->leaf + 1].leaf;
	right->n = LEAF_ITEMS - keep;
	left->n = keep;
	move(right, 0, left, keep, right->n);
	if (p->item > keep || append)
		*p = (struct place){.leaf = p->leaf + 1, .item = p->item - keep};
	return 0;
}

int numbered_put(struct numbered *x, uint64_t number, void *item)
{
	struct place p = find(x, number);

	if (x->n_leaves == 0)
		TRY(insert_leaf(x, 0, number));
	else if (x->entries[p.leaf].leaf->n == LEAF_ITEMS)
		TRY(split(x, &p, number));
	struct numbered_entry *e = &x->entries[p.leaf];
	move(e->leaf, p.item + 1, e->leaf, p.item, e->leaf->n - p.item);
	e->leaf->numbers[p.item] = number;
	e->leaf->items[p.item] = item;
	e->leaf->n++;
	e->least = number < e->least ? number : e->least;
	x->n++;
	return 0;
}

static void remove_leaf(struct numbered *x, size_t at)
{
	free(x->entries[at].leaf);
	x->n_leaves--;
	memmove(&x->entries[at], &x->entries[at + 1], (x->n_leaves - at) * sizeof *x->entries);
}

/* Join a leaf with the one behind it when both fit well into one. */
static void join(struct numbered *x, size_t at)
{
	if (at + 1 >= x->n_leaves)
		return;
	struct numbered_leaf *left = x->entries[at].leaf;
	const struct numbered_leaf *right = x->entries[at + 1].leaf;
	if (left->n + right->n > LEAF_ITEMS / 2)
		return;
	move(left, left->n, right, 0, right->n);
	left->n += right->n;
	remove_leaf(x, at + 1);
}

void *numbered_remove(struct numbered *x, uint64_t number)
{
	const struct place p = find(x, number);

	if (!p.exact)
		return NULL;
	struct numbered_leaf *leaf = x->entries[p.leaf].leaf;
	void *item = leaf->items[p.item];
	leaf->n--;
	x->n--;
	move(leaf, p.item, leaf, p.item + 1, leaf->n - p.item);
	if (leaf->n == 0)
		remove_leaf(x, p.leaf);
	else
		join(x, p.leaf);
	if (p.leaf > 0)
		join(x, p.leaf - 1);
	return item;
}

void *numbered_get(const struct numbered *x, uint64_t number)
{
	const struct place p = find(x, number);

	return p.exact ? x->entries[p.leaf].leaf->items[p.item] : NULL;
}

void *numbered_after(const struct numbered *x, uint64_t number)
{
	struct place p = find(x, number);

	p.item += p.exact;
	if (p.leaf < x->n_leaves && p.item == x->entries[p.leaf].leaf->n)
		p = (struct place){.leaf = p.leaf + 1};
	return p.leaf < x->n_leaves ? x->entries[p.leaf].leaf->items[p.item] : NULL;
}

void *numbered_first(const struct numbered *x)
{
	return x->n > 0 ? x->entries[0].leaf->items[0] : NULL;
}

uint64_t numbered_last(const struct numbered *x)
{
	const struct numbered_leaf *leaf = x->n > 0 ? x->entries[x->n_leaves - 1].leaf : NULL;

	return leaf ? leaf->numbers[leaf->n - 1] : 0;
}
