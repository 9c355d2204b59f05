/* SPDX-License-Identifier: Apache-2.0 */
/* Tombstones of the own twins, and what is left when they are collected: memory, and numbers. */
#include <stdlib.h>

#include "storage/table.h"

int grave_put(struct table *t, struct own_twin *w)
{
	return ordered_put(&t->graves, &w->pub.seq, w);
}

void grave_remove(struct table *t, const struct own_twin *w)
{
	if (w->pub.seq > 0)
		ordered_remove(&t->graves, &w->pub.seq);
}

/* ---- Numbers ----------------------------------------------------------------------------------------------
 */

static int put_hole(struct table *t, uint32_t number)
{
	if (t->n_holes == t->holes_size) {
		const uint32_t size = t->holes_size ? t->holes_size * 2 : 64;
		uint32_t *holes = realloc(t->holes, size * sizeof *holes);
		if (!holes)
			return FAIL(-ENOMEM);
		t->holes = holes;
		t->holes_size = size;
	}
	t->holes[t->n_holes++] = number;
	return 0;
}

uint32_t twin_next_number(struct table *t)
{
	if (t->n_holes > 0)
		return t->holes[--t->n_holes];
	return t->twins.n ? t->twins.n : 1;
}

static int bury(struct table *t, uint32_t number, struct own_twin *w)
{
	if (!w)
		return put_hole(t, number);
	return w->pub.deleted ? grave_put(t, w) : 0;
}

int graves_load(struct table *t)
{
	for (uint32_t i = 1; i < t->twins.n; i++)
		TRY(bury(t, i, twin_index_at(&t->twins, i)));
	return 0;
}

/* ---- Memory -----------------------------------------------------------------------------------------------
 */

struct spare {
	struct spare *next;
};

static size_t size_class(size_t size)
{
	return (size + TWIN_ALIGN - 1) / TWIN_ALIGN;
}

void *spare_take(struct table *t, size_t size)
{
	struct spare **list = &t->spare[size_class(size)], *s = *list;

	if (s)
		*list = s->next;
	return s;
}

static void put_spare(struct table *t, struct own_twin *w)
{
	struct spare **list = &t->spare[size_class(offsetof(struct own_twin, id) + strlen(w->id) + 1)];
	struct spare *s = (struct spare *)(void *)w;

	s->next = *list;
	*list = s;
}

/* ---- Collecting -------------------------------------------------------------------------------------------
 */

uint64_t table_graves_over(const struct table *t, const struct graves_kept *kept)
{
	const struct own_twin *w = ordered_first(&t->graves);
	uint64_t floor = 0, n = 0;

	for (; w && n < GRAVES_AT_ONCE; n++, w = ordered_after(&t->graves, &w->pub.seq)) {
		if (t->graves.n - n <= kept->most && w->pub.version.stamp_ns >= kept->since_ns)
			break;
		floor = w->pub.seq;
	}
	return floor;
}

static int collect_one(struct table *t, struct own_twin *w)
{
	TRY(twin_mark(t, w->number));
	TRY(turn_mark(t, w->number));
	TRY(put_hole(t, w->number));
	ordered_remove(&t->graves, &w->pub.seq);
	turns_remove(&t->by_seq, w->pub.seq, w->number);
	ordered_remove(&t->by_id, w->id);
	twin_index_remove(&t->twins, w);
	put_spare(t, w);
	return 0;
}

int table_collect(struct table *t, uint64_t floor)
{
	struct own_twin *w;

	if (floor <= t->floor || floor > t->seq)
		return 0;
	while ((w = ordered_first(&t->graves)) && w->pub.seq <= floor)
		TRY(collect_one(t, w));
	t->floor = floor;
	return 0;
}
