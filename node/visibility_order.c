/* SPDX-License-Identifier: Apache-2.0 */
#include "node/visibility_private.h"

enum { ORDER_FIRST = 64 };

static bool is_live(const struct order_entry *e)
{
	return e->subject->place == e->place;
}

static void drop_stale(struct order *o)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->n; i++)
		if (is_live(&o->entries[i]))
			o->entries[kept++] = o->entries[i];
	o->n = kept;
}

static int make_room(struct order *o)
{
	if (o->n < o->size)
		return 0;
	if (o->n_live <= o->n / 2)
		drop_stale(o);
	if (o->n < o->size - o->size / 4)
		return 0;
	const size_t size = o->size ? o->size * 2 : ORDER_FIRST;
	struct order_entry *entries = realloc(o->entries, size * sizeof *entries);
	if (!entries)
		return FAIL(-ENOMEM);
	o->entries = entries;
	o->size = size;
	return 0;
}

int order_put(struct order *o, struct subject *s, uint64_t place, uint64_t seq)
{
	TRY(make_room(o));
	order_take(o, s);
	o->entries[o->n++] = (struct order_entry){place, seq, s};
	o->n_live++;
	s->place = place;
	return 0;
}

void order_take(struct order *o, struct subject *s)
{
	o->n_live -= s->place > 0;
	s->place = 0;
}

/* The first entry for which `later` is true, as it is for all behind it. */
static size_t first_later(const struct order *o, uint64_t than,
			  bool (*later)(const struct order_entry *, uint64_t))
{
	size_t low = 0, high = o->n;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		if (later(&o->entries[mid], than))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static bool has_later_place(const struct order_entry *e, uint64_t than)
{
	return e->place > than;
}

static bool has_later_seq(const struct order_entry *e, uint64_t than)
{
	return e->seq > than;
}

size_t order_behind(const struct order *o, uint64_t place)
{
	return first_later(o, place, has_later_place);
}

size_t order_behind_seq(const struct order *o, uint64_t seq)
{
	return first_later(o, seq, has_later_seq);
}

struct subject *order_next(const struct order *o, size_t *at)
{
	while (*at < o->n) {
		const struct order_entry *e = &o->entries[(*at)++];
		if (is_live(e))
			return e->subject;
	}
	return NULL;
}
