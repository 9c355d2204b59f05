/* SPDX-License-Identifier: Apache-2.0 */
#include "node/view_pieces.h"

#include <stddef.h>

enum {
	ITEM_BYTES = 96,    /* of any item, without its texts and roll-ups: numbers, tags, lengths */
	ROLLUP_BYTES = 144, /* of a state, without its texts and sketch */
	VALUE_BYTES = 96,   /* of a value shown, without its texts */
};

static size_t text_bytes(const char *text)
{
	return text ? strlen(text) : 0;
}

static size_t varint_bytes(uint64_t x)
{
	size_t n = 1;

	while (x >= 0x80) {
		x >>= 7;
		n++;
	}
	return n;
}

static size_t sketch_bytes(const struct sketch *s)
{
	size_t bytes = 0;
	int64_t key = 0;

	for (size_t i = 0; i < s->n_buckets; i++) {
		const int64_t step = s->buckets[i].key - key; /* zigzag: twice as large */
		bytes +=
			varint_bytes(2 * (uint64_t)(step < 0 ? -step : step)) + varint_bytes(s->buckets[i].n);
		key = s->buckets[i].key;
	}
	return bytes;
}

static size_t rollups_bytes(const struct rollup_state *states, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; states && i < n; i++)
		bytes += ROLLUP_BYTES + text_bytes(states[i].unit) + text_bytes(states[i].unit_twin) +
			 sketch_bytes(&states[i].sketch);
	return bytes;
}

static size_t value_bytes(const struct kpi *k)
{
	const struct value *v = &k->sample.value;
	const bool text = v->type == VALUE_TEXT || v->type == VALUE_ENUM;

	return VALUE_BYTES + text_bytes(k->property) + text_bytes(k->unit) + text_bytes(k->sample.source) +
	       (text ? text_bytes(v->text) : 0);
}

static size_t member_bytes(const void *item, size_t n_rollups)
{
	const struct view_member *m = item;
	size_t bytes = ITEM_BYTES + text_bytes(m->id) + text_bytes(m->parent) + text_bytes(m->type) +
		       text_bytes(m->name) + rollups_bytes(m->rollups, n_rollups);

	for (size_t i = 0; i < m->n_values; i++)
		bytes += value_bytes(&m->values[i]);
	return bytes;
}

static size_t edge_bytes(const void *item, size_t n_rollups)
{
	const struct view_edge *e = item;

	(void)n_rollups;
	return ITEM_BYTES + text_bytes(e->anchor) + text_bytes(e->parent) + text_bytes(e->child);
}

static size_t cell_bytes(const void *item, size_t n_rollups)
{
	const struct view_cell *c = item;

	return ITEM_BYTES + text_bytes(c->group) + rollups_bytes(c->rollups, n_rollups);
}

static size_t source_bytes(const void *item, size_t n_rollups)
{
	const struct view_source *s = item;

	(void)n_rollups;
	return ITEM_BYTES + text_bytes(s->org) + text_bytes(s->node);
}

static size_t listed_text_bytes(const void *item, size_t n_rollups)
{
	const char *const *text = item;

	(void)n_rollups;
	return ITEM_BYTES + text_bytes(*text);
}

#define LIST(NAME, BYTES) \
	{ \
		offsetof(struct view_part, NAME), offsetof(struct view_part, n_##NAME), \
			sizeof *((struct view_part *)0)->NAME, BYTES \
	}

/* Members first: whoever reads an edge knows its anchor by then. */
static const struct list {
	size_t items_at, n_at, item_size;
	size_t (*bytes)(const void *item, size_t n_rollups);
} lists[VIEW_LISTS] = {
	LIST(members, member_bytes), LIST(edges, edge_bytes),           LIST(cells, cell_bytes),
	LIST(sources, source_bytes), LIST(problems, listed_text_bytes), LIST(gone, listed_text_bytes),
};

static size_t length_of(const struct view_part *view, const struct list *l)
{
	size_t n;

	memcpy(&n, (const char *)view + l->n_at, sizeof n);
	return n;
}

static char *items_of(const struct view_part *view, const struct list *l)
{
	char *items;

	memcpy(&items, (const char *)view + l->items_at, sizeof items);
	return items;
}

static void set_slice(struct view_part *piece, const struct list *l, char *items, size_t n)
{
	memcpy((char *)piece + l->items_at, &items, sizeof items);
	memcpy((char *)piece + l->n_at, &n, sizeof n);
}

/* True: the list is at its end. */
static bool take_slice(const struct view_part *whole, const struct list *l, size_t *at, size_t *room,
		       bool *empty, struct view_part *piece)
{
	const size_t n = length_of(whole, l), from = *at;
	char *items = items_of(whole, l);

	for (; *at < n; ++*at) {
		const size_t bytes = l->bytes(items + *at * l->item_size, whole->n_rollups);
		if (bytes > *room && !*empty)
			break;
		*room -= bytes < *room ? bytes : *room;
		*empty = false;
	}
	set_slice(piece, l, *at > from ? items + from * l->item_size : NULL, *at - from);
	return *at == n;
}

bool view_piece(const struct view_part *whole, size_t fill_bytes, struct view_place *place,
		struct view_part *ret)
{
	size_t room = fill_bytes;
	bool empty = true;

	*ret = (struct view_part){.n_rollups = whole->n_rollups};
	for (size_t i = 0; i < VIEW_LISTS; i++)
		if (!take_slice(whole, &lists[i], &place->at[i], &room, &empty, ret))
			return true;
	ret->counts = whole->counts;
	ret->rollups = whole->rollups;
	ret->cut = whole->cut;
	return false;
}

size_t view_largest_item(const struct view_part *view)
{
	size_t largest = 0;

	for (size_t i = 0; i < VIEW_LISTS; i++)
		for (size_t k = 0; k < length_of(view, &lists[i]); k++) {
			const size_t bytes = lists[i].bytes(
				items_of(view, &lists[i]) + k * lists[i].item_size, view->n_rollups);
			largest = bytes > largest ? bytes : largest;
		}
	return largest;
}
