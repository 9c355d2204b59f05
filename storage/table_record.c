/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of the table: what checkpoints put into state/ and what opening reads back. */
#include "storage/table_record.h"
#include "storage/record.h"
#include "storage/table.h"

void encoder_fini(struct encoder *e)
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
	{RECORD_TWINS, record_load_twins, record_claim_series},
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
	table_forget_changes(t);
	return 0;
}
