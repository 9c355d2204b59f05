/* SPDX-License-Identifier: Apache-2.0 */
/* What is dirty on its way into a checkpoint: frozen at once, encoded piece by piece while the table goes on
 * changing. What is about to change is encoded before, as it was. */
#include <stdlib.h>

#include "storage/table_record.h"

enum { PIECE_BLOCKS = 32, PIECE_EDGES = 512, PIECE_VALUES = 16 }; /* of a step: well below a millisecond */

/* ---- At once ----------------------------------------------------------------------------------------------
 */

static int encode_types(struct encoder *e, const struct table *t)
{
	const char *after = "";

	for (struct own_type *type; (type = ordered_after(&t->types, after)); after = type->name) {
		if (!type->dirty)
			continue;
		record_begin(e, RECORD_TYPE);
		buf_put_text(&e->key, type->name);
		type_def_encode(&type->pub.declared, &e->value);
		TRY(record_put(e));
	}
	return 0;
}

static int encode_members(struct encoder *e, const struct table *t)
{
	struct own_member *m = ordered_first(&t->members);

	for (; m; m = ordered_after(&t->members, &m->pub)) {
		if (!m->dirty)
			continue;
		record_begin(e, RECORD_MEMBER);
		buf_put_u64(&e->key, m->number);
		membership_encode(&m->pub, &e->value);
		TRY(record_put(e));
	}
	return 0;
}

static void clean_few(struct table *t)
{
	const char *after = "";

	for (struct own_type *type; (type = ordered_after(&t->types, after)); after = type->name)
		type->dirty = false;
	for (struct own_member *m = ordered_first(&t->members); m; m = ordered_after(&t->members, &m->pub))
		m->dirty = false;
}

int table_freeze(struct table *t, struct changeset *to)
{
	SCOPED(changeset_fini) struct changeset changes = {0};
	SCOPED(encoder_fini) struct encoder e = {.to = &changes};

	TRY(encode_types(&e, t));
	TRY(encode_members(&e, t));
	TRY(changeset_append(&t->changes, &changes)); /* what is gone may have come back since */
	TRY(changeset_append(to, &t->changes));
	clean_few(t);
	for (uint32_t i = 0; i < t->n_blocks; i++)
		t->blocks[i] = (uint8_t)(t->blocks[i] << 2); /* dirty becomes frozen */
	t->blocks_at = 0;
	t->edges_at = 0;
	t->n_frozen = t->dirty_edges.n;
	t->frozen_to = to;
	values_freeze(&t->values, to);
	return 0;
}

/* ---- In pieces --------------------------------------------------------------------------------------------
 */

static int take_rows(struct table *t, uint32_t block)
{
	SCOPED(encoder_fini) struct encoder e = {.to = t->frozen_to};

	if (t->blocks[block] & ROWS_FROZEN)
		TRY(record_encode_rows(&e, t, block));
	t->blocks[block] &= (uint8_t)~ROWS_FROZEN;
	return 0;
}

static int take_twins(struct table *t, uint32_t block)
{
	SCOPED(encoder_fini) struct encoder e = {.to = t->frozen_to};

	if (t->blocks[block] & TWINS_FROZEN)
		TRY(record_encode_twins(&e, t, block));
	t->blocks[block] &= (uint8_t)~TWINS_FROZEN;
	return 0;
}

int edge_take(struct table *t, struct own_edge *e)
{
	SCOPED(encoder_fini) struct encoder encoder = {.to = t->frozen_to};

	if (e->dirty_at == 0 || e->dirty_at > t->n_frozen)
		return 0;
	record_begin(&encoder, RECORD_EDGE);
	buf_put_u64(&encoder.key, e->number);
	relation_encode(&e->pub.relation, &encoder.value);
	TRY(record_put(&encoder));
	t->dirty_edges.items[e->dirty_at - 1] = NULL;
	e->dirty_at = 0;
	return 0;
}

static int take_blocks(struct table *t)
{
	for (unsigned n = 0; t->blocks_at < t->n_blocks; t->blocks_at++) {
		if (!(t->blocks[t->blocks_at] & (TWINS_FROZEN | ROWS_FROZEN)))
			continue;
		if (n++ == PIECE_BLOCKS)
			return 0;
		TRY(take_twins(t, t->blocks_at));
		TRY(take_rows(t, t->blocks_at));
	}
	return 1;
}

static int take_edges(struct table *t)
{
	for (unsigned n = 0; t->edges_at < t->n_frozen; t->edges_at++) {
		struct own_edge *e = t->dirty_edges.items[t->edges_at];
		if (!e)
			continue;
		if (n++ == PIECE_EDGES)
			return 0;
		TRY(edge_take(t, e));
	}
	return 1;
}

int table_take(struct table *t)
{
	int r = take_blocks(t);

	if (r == 1)
		r = take_edges(t);
	return r == 1 ? values_take(&t->values, PIECE_VALUES) : r;
}

/* Those that were dirtied since come to the front. */
static void drop_taken(struct table *t)
{
	struct pile *p = &t->dirty_edges;
	size_t n = 0;

	for (size_t i = t->edges_at; i < p->n; i++) {
		struct own_edge *e = p->items[i];
		if (!e)
			continue;
		p->items[n++] = e;
		e->dirty_at = n;
	}
	p->n = n;
	if (n > 0)
		return;
	free(p->items);
	*p = (struct pile){0};
}

void table_thaw(struct table *t)
{
	if (!t->frozen_to)
		return;
	for (uint32_t i = t->blocks_at; i < t->n_blocks; i++)
		t->blocks[i] = (t->blocks[i] | t->blocks[i] >> 2) & (TWINS_DIRTY | ROWS_DIRTY);
	drop_taken(t);
	values_thaw(&t->values);
	t->n_frozen = 0;
	t->frozen_to = NULL;
}

size_t table_frozen(const struct table *t)
{
	return t->frozen_to ? values_frozen(&t->values) + 2 * (t->n_blocks - t->blocks_at) : 0;
}

/* ---- About to change --------------------------------------------------------------------------------------
 */

static int reserve(struct table *t, uint32_t block)
{
	const uint32_t n = (block + 1) * 2;

	if (block < t->n_blocks)
		return 0;
	uint8_t *blocks = realloc(t->blocks, n);
	if (!blocks)
		return FAIL(-ENOMEM);
	memset(blocks + t->n_blocks, 0, n - t->n_blocks);
	t->blocks = blocks;
	t->n_blocks = n;
	return 0;
}

int twin_mark(struct table *t, uint32_t number)
{
	TRY(reserve(t, number / TWINS_BLOCK));
	TRY(take_twins(t, number / TWINS_BLOCK));
	t->blocks[number / TWINS_BLOCK] |= TWINS_DIRTY;
	return 0;
}

int turn_mark(struct table *t, uint32_t number)
{
	TRY(reserve(t, number / TWINS_BLOCK));
	TRY(take_rows(t, number / TWINS_BLOCK));
	t->blocks[number / TWINS_BLOCK] |= ROWS_DIRTY;
	return 0;
}

void table_forget_changes(struct table *t)
{
	clean_few(t);
	if (t->n_blocks > 0)
		memset(t->blocks, 0, t->n_blocks);
	while (t->dirty_edges.n > 0)
		((struct own_edge *)t->dirty_edges.items[--t->dirty_edges.n])->dirty_at = 0;
}
