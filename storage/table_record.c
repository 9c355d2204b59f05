/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of the table: what checkpoints put into state/ and what opening reads back. */
#include "storage/table_record.h"
#include "storage/record.h"
#include "storage/table.h"

static void encoder_fini(struct encoder *e)
{
	buf_fini(&e->key);
	buf_fini(&e->value);
}

void record_begin(struct encoder *e, uint8_t kind)
{
	buf_clear(&e->key);
	buf_clear(&e->value);
	buf_put_u8(&e->key, kind);
}

int record_put(struct encoder *e)
{
	TRY(buf_check(&e->key));
	TRY(buf_check(&e->value));
	changeset_put(e->to, buf_bytes(&e->key), buf_bytes(&e->value));
	return changeset_check(e->to);
}

/* ---- Encoding ---------------------------------------------------------------------------------------------
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

static int encode_piles(struct encoder *e, const struct table *t)
{
	for (size_t i = 0; i < t->dirty_twins.n; i++)
		TRY(record_encode_twin(e, t->dirty_twins.items[i]));
	for (size_t i = 0; i < t->dirty_edges.n; i++) {
		const struct own_edge *edge = t->dirty_edges.items[i];
		if (!edge)
			continue;
		record_begin(e, RECORD_EDGE);
		buf_put_u64(&e->key, edge->number);
		relation_encode(&edge->pub.relation, &e->value);
		TRY(record_put(e));
	}
	return 0;
}

static void pile_clear(struct pile *p)
{
	free(p->items);
	*p = (struct pile){0};
}

static void mark_clean(struct table *t)
{
	const char *after = "";

	for (size_t i = 0; i < t->dirty_twins.n; i++)
		((struct own_twin *)t->dirty_twins.items[i])->dirty = false;
	for (size_t i = 0; i < t->dirty_edges.n; i++)
		if (t->dirty_edges.items[i])
			((struct own_edge *)t->dirty_edges.items[i])->dirty_at = 0;
	for (struct own_type *type; (type = ordered_after(&t->types, after)); after = type->name)
		type->dirty = false;
	for (struct own_member *m = ordered_first(&t->members); m; m = ordered_after(&t->members, &m->pub))
		m->dirty = false;
	if (t->rows_size > 0)
		memset(t->rows_dirty, 0, t->rows_size * sizeof *t->rows_dirty);
	pile_clear(&t->dirty_twins);
	pile_clear(&t->dirty_edges);
}

static int take_values(struct table *t, struct changeset *ret)
{
	values_freeze(&t->values, ret);
	const int r = values_take(&t->values, SIZE_MAX);
	values_thaw(&t->values);
	return r < 0 ? r : 0;
}

int table_take_changes(struct table *t, struct changeset *ret)
{
	SCOPED(changeset_fini) struct changeset changes = {0};
	SCOPED(encoder_fini) struct encoder e = {.to = &changes};

	TRY(encode_types(&e, t));
	TRY(encode_piles(&e, t));
	TRY(encode_members(&e, t));
	TRY(record_encode_rows(&e, t));
	TRY(changeset_append(&t->changes, &changes)); /* what is gone may have come back since */
	TRY(changeset_append(ret, &t->changes));
	mark_clean(t);
	return take_values(t, ret);
}

/* ---- Decoding ---------------------------------------------------------------------------------------------
 */

static int load_type(struct table *t, struct arena *a, struct bytes key, struct bytes value)
{
	struct type_def def;

	(void)key;
	TRY(type_def_decode(a, value, &def));
	return type_load(t, &def);
}

static int load_values(struct table *t, struct arena *a, struct bytes key, struct bytes value)
{
	(void)a;
	return values_load(&t->values, key, value);
}

static int load_edge(struct table *t, struct arena *a, struct bytes key, struct bytes value)
{
	struct relation r;
	struct own_edge *e;

	TRY(relation_decode(a, value, &r));
	if (key.len != 9 || !table_twin(t, r.from) || table_edge(t, &r))
		return FAIL(ERR_CORRUPT);
	return edge_new(t, &r, get_u64(key.data + 1), &e);
}

static int load_member(struct table *t, struct arena *a, struct bytes key, struct bytes value)
{
	struct membership m;
	struct own_member *own;

	TRY(membership_decode(a, value, &m));
	if (key.len != 9 || !table_twin(t, m.child) || table_member(t, &m))
		return FAIL(ERR_CORRUPT);
	return member_new(t, &m, get_u64(key.data + 1), &own);
}

/* In this order: each leans on those above it. */
static const struct loader {
	uint8_t kind;
	record_load_fn *load;
	int (*after)(struct table *t); /* NULL: nothing */
} loaders[] = {
	{RECORD_TYPE, load_type, types_link},
	{RECORD_TWIN, record_load_twin, record_claim_series},
	{RECORD_ROWS, record_load_rows, record_order_rows},
	{RECORD_VALUES, load_values, NULL},
	{RECORD_EDGE, load_edge, NULL},
	{RECORD_MEMBER, load_member, NULL},
};

static int load_kind(struct table *t, struct env_txn *txn, const struct loader *loader)
{
	SCOPED(env_walk_end) struct env_walk w = env_walk_begin(txn, (struct bytes){&loader->kind, 1});
	SCOPED(scope_arena) struct arena *a = NULL;
	int r;

	TRY(arena_new(&a, SIZE_MAX));
	while ((r = env_walk_next(&w)) > 0) {
		arena_reset(a);
		r = loader->load(t, a, w.key, w.value);
		if (r == ERR_MALFORMED)
			return FAIL(ERR_CORRUPT); /* the checksum agrees, so it was written so: not by this
						     version */
		TRY(r);
	}
	TRY(r);
	return loader->after ? loader->after(t) : 0;
}

int table_load(struct table *t, struct env_txn *txn)
{
	for (size_t i = 0; i < sizeof loaders / sizeof loaders[0]; i++)
		TRY(load_kind(t, txn, &loaders[i]));
	mark_clean(t);
	return 0;
}
