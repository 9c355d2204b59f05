/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of the table: what checkpoints put into state/ and what opening reads back. */
#include "storage/record.h"
#include "storage/table.h"

enum { TYPE = 'T', TWIN = 't', VALUES = 'v', EDGE = 'r', MEMBER = 'm' };

struct encoder {
	struct changeset *to;
	struct buf key, value;
};

static void encoder_fini(struct encoder *e)
{
	buf_fini(&e->key);
	buf_fini(&e->value);
}

static void begin(struct encoder *e, uint8_t kind)
{
	buf_clear(&e->key);
	buf_clear(&e->value);
	buf_put_u8(&e->key, kind);
}

static int put(struct encoder *e)
{
	TRY(buf_check(&e->key));
	TRY(buf_check(&e->value));
	changeset_put(e->to, buf_bytes(&e->key), buf_bytes(&e->value));
	return changeset_check(e->to);
}

/* ---- Encoding ---------------------------------------------------------------------------------------------
 */

static int encode_twin(struct encoder *e, const struct own_twin *w)
{
	begin(e, TWIN);
	buf_put_text(&e->key, w->id);
	buf_put_u64(&e->value, w->pub.seq);
	buf_put_u32(&e->value, w->pub.version.lineage);
	buf_put_u64(&e->value, (uint64_t)w->pub.version.stamp_ns);
	buf_put_u8(&e->value, w->pub.deleted);
	if (!w->pub.deleted)
		twin_def_encode(&w->def, &e->value);
	return put(e);
}

static int encode_values(struct encoder *e, const struct own_twin *w)
{
	const size_t n = w->pub.type ? w->pub.type->def.n_properties : 0;

	begin(e, VALUES);
	buf_put_text(&e->key, w->id);
	for (size_t i = 0; i < n; i++) {
		record_put_varint(&e->value, i);
		buf_put_u64(&e->value, w->series[i].id);
		record_put_sample(&e->value, &w->values[i]);
	}
	if (e->value.len > 0 || buf_check(&e->value) < 0)
		return put(e);
	changeset_delete(e->to, buf_bytes(&e->key));
	return changeset_check(e->to);
}

static int encode_types(struct encoder *e, const struct table *t)
{
	const char *after = "";

	for (struct own_type *type; (type = ordered_after(&t->types, after)); after = type->name) {
		if (!type->dirty)
			continue;
		begin(e, TYPE);
		buf_put_text(&e->key, type->name);
		type_def_encode(&type->pub.declared, &e->value);
		TRY(put(e));
	}
	return 0;
}

static int encode_members(struct encoder *e, const struct table *t)
{
	struct own_member *m = ordered_first(&t->members);

	for (; m; m = ordered_after(&t->members, &m->pub)) {
		if (!m->dirty)
			continue;
		begin(e, MEMBER);
		buf_put_u64(&e->key, m->number);
		membership_encode(&m->pub, &e->value);
		TRY(put(e));
	}
	return 0;
}

static int encode_piles(struct encoder *e, const struct table *t)
{
	for (size_t i = 0; i < t->dirty_twins.n; i++) {
		const struct own_twin *w = t->dirty_twins.items[i];
		if (w->dirty & DIRTY_TWIN)
			TRY(encode_twin(e, w));
		if (w->dirty & DIRTY_VALUES)
			TRY(encode_values(e, w));
	}
	for (size_t i = 0; i < t->dirty_edges.n; i++) {
		const struct own_edge *edge = t->dirty_edges.items[i];
		if (!edge)
			continue;
		begin(e, EDGE);
		buf_put_u64(&e->key, edge->number);
		relation_encode(&edge->pub.relation, &e->value);
		TRY(put(e));
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
		((struct own_twin *)t->dirty_twins.items[i])->dirty = 0;
	for (size_t i = 0; i < t->dirty_edges.n; i++)
		if (t->dirty_edges.items[i])
			((struct own_edge *)t->dirty_edges.items[i])->dirty_at = 0;
	for (struct own_type *type; (type = ordered_after(&t->types, after)); after = type->name)
		type->dirty = false;
	for (struct own_member *m = ordered_first(&t->members); m; m = ordered_after(&t->members, &m->pub))
		m->dirty = false;
	pile_clear(&t->dirty_twins);
	pile_clear(&t->dirty_edges);
}

int table_take_changes(struct table *t, struct changeset *ret)
{
	SCOPED(changeset_fini) struct changeset changes = {0};
	SCOPED(encoder_fini) struct encoder e = {.to = &changes};

	TRY(encode_types(&e, t));
	TRY(encode_piles(&e, t));
	TRY(encode_members(&e, t));
	TRY(changeset_append(&t->changes, &changes)); /* what is gone may have come back since */
	TRY(changeset_append(ret, &t->changes));
	mark_clean(t);
	return 0;
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

static int load_twin(struct table *t, struct arena *a, struct bytes key, struct bytes value)
{
	struct record_reader r = record_reader(value);
	struct twin_def def = {.type = ""};
	const uint64_t seq = record_u64(&r);
	const uint32_t lineage = record_u32(&r);
	const struct row_version version = {.lineage = lineage, .stamp_ns = (int64_t)record_u64(&r)};
	const bool deleted = record_u8(&r) != 0;

	if (r.failed)
		return FAIL(ERR_CORRUPT);
	if (!deleted)
		TRY(twin_def_decode(a, record_rest(&r), &def));
	def.id = arena_text(a, (struct bytes){key.data + 1, key.len - 1});
	if (!def.id)
		return FAIL(-ENOMEM);
	return table_load_twin(t, &def, seq, version, deleted);
}

static int load_values(struct table *t, struct arena *a, struct bytes key, struct bytes value)
{
	const char *id = arena_text(a, (struct bytes){key.data + 1, key.len - 1});
	struct own_twin *w = id ? table_twin(t, id) : NULL;
	const size_t n = w && w->pub.type ? w->pub.type->def.n_properties : 0;
	struct record_reader r = record_reader(value);

	if (!id)
		return FAIL(-ENOMEM);
	while (r.at != r.end && !r.failed) {
		const uint64_t i = record_varint(&r), series = record_u64(&r);
		struct sample s;
		record_sample(&r, &s);
		if (r.failed || i >= n || series == 0 ||
		    (s.value.type != VALUE_NONE && s.value.type != w->pub.type->def.properties[i].type))
			return FAIL(ERR_CORRUPT);
		TRY(twin_set_value(t, w, i, &s));
		TRY(twin_set_series(t, w, i, series));
		t->n_series++;
	}
	return record_end(&r);
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
	int (*load)(struct table *t, struct arena *a, struct bytes key, struct bytes value);
} loaders[] = {
	{TYPE, load_type}, {TWIN, load_twin}, {VALUES, load_values}, {EDGE, load_edge}, {MEMBER, load_member},
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
	return r;
}

int table_load(struct table *t, struct env_txn *txn)
{
	const uint64_t next_series = t->next_series;

	t->next_series = 0;
	for (size_t i = 0; i < sizeof loaders / sizeof loaders[0]; i++) {
		TRY(load_kind(t, txn, &loaders[i]));
		if (loaders[i].kind == TYPE)
			TRY(types_link(t));
	}
	t->next_series = next_series;
	mark_clean(t);
	return 0;
}
