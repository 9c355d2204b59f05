/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/record.h"
#include "storage/remote_private.h"

enum { ORIGIN = 'o', ROW = 'w' };

/* ---- Encoding ---------------------------------------------------------------------------------------------
 */

static void put_sized(struct buf *out, struct bytes b)
{
	record_put_varint(out, b.len);
	buf_put(out, b);
}

static int put(struct changeset *to, uint8_t kind, const char *name, const struct buf *value)
{
	SCOPED(buf_fini) struct buf key = {0};

	buf_put_u8(&key, kind);
	buf_put_text(&key, name);
	TRY(buf_check(&key));
	TRY(buf_check(value));
	changeset_put(to, buf_bytes(&key), buf_bytes(value));
	return changeset_check(to);
}

static int encode_origins(const struct remote *m, struct changeset *to)
{
	SCOPED(buf_fini) struct buf value = {0};
	const char *after = "";

	for (struct own_origin *o; (o = ordered_after(&m->origins, after)); after = o->name) {
		if (!o->dirty)
			continue;
		buf_clear(&value);
		buf_put_u32(&value, o->number);
		buf_put_u32(&value, 0);
		buf_put_u64(&value, (uint64_t)o->pub.stamp_ns);
		put_sized(&value, o->pub.cursor);
		put_sized(&value, o->pub.head);
		buf_put_u64(&value, o->pub.floor);
		TRY(put(to, ORIGIN, o->name, &value));
	}
	return 0;
}

static int encode_rows(const struct remote *m, struct changeset *to)
{
	SCOPED(buf_fini) struct buf value = {0};

	for (size_t i = 0; i < m->n_dirty; i++) {
		const struct own_row *w = m->dirty[i];
		if (!w)
			continue;
		buf_clear(&value);
		buf_put_u32(&value, w->origin->number);
		buf_put_u32(&value, 0);
		buf_put(&value, w->pub.encoded);
		TRY(put(to, ROW, w->pub.id, &value));
	}
	return 0;
}

static void mark_clean(struct remote *m)
{
	const char *after = "";

	for (size_t i = 0; i < m->n_dirty; i++)
		if (m->dirty[i])
			((struct own_row *)m->dirty[i])->dirty_at = 0;
	for (struct own_origin *o; (o = ordered_after(&m->origins, after)); after = o->name)
		o->dirty = false;
	free(m->dirty);
	m->dirty = NULL;
	m->n_dirty = m->size_dirty = 0;
}

int remote_take_changes(struct remote *m, struct changeset *ret)
{
	SCOPED(changeset_fini) struct changeset changes = {0};

	TRY(encode_origins(m, &changes));
	TRY(encode_rows(m, &changes));
	TRY(changeset_append(&m->changes, &changes)); /* what is gone may have come back since */
	TRY(changeset_append(ret, &m->changes));
	mark_clean(m);
	return 0;
}

/* ---- Decoding ---------------------------------------------------------------------------------------------
 */

static int load_origin(struct remote *m, struct arena *a, const char *name, struct bytes value)
{
	struct record_reader r = record_reader(value);
	struct own_origin *o;

	(void)a;
	TRY(origin_get(m, name, &o));
	o->number = record_u32(&r);
	(void)record_u32(&r);
	o->pub.stamp_ns = (int64_t)record_u64(&r);
	TRY(origin_set_bytes(&o->cursor, record_bytes(&r, record_varint(&r)), &o->pub.cursor));
	TRY(origin_set_bytes(&o->head, record_bytes(&r, record_varint(&r)), &o->pub.head));
	if (r.at < r.end)
		o->pub.floor = record_u64(&r);
	if (o->number >= m->next_number)
		m->next_number = o->number + 1;
	return record_end(&r);
}

static struct own_origin *origin_by_number(const struct remote *m, uint32_t number)
{
	const char *after = "";

	for (struct own_origin *o; (o = ordered_after(&m->origins, after)); after = o->name)
		if (o->number == number)
			return o;
	return NULL;
}

static int load_row(struct remote *m, struct arena *a, const char *id, struct bytes value)
{
	struct record_reader r = record_reader(value);
	struct own_origin *o = origin_by_number(m, record_u32(&r));
	(void)record_u32(&r);
	const struct bytes encoded = record_rest(&r);
	struct own_row *w;
	struct row row;

	if (r.failed || !o)
		return FAIL(ERR_CORRUPT);
	TRY(row_decode(a, encoded, &row));
	if (strcmp(row.id, id) != 0)
		return FAIL(ERR_CORRUPT);
	TRY(row_put(m, o, map_get(&m->rows, row.id), &row, encoded, &w));
	if (row.seq > o->pub.max_seq)
		o->pub.max_seq = row.seq;
	return 0;
}

typedef int load_fn(struct remote *m, struct arena *a, const char *name, struct bytes value);

static int load_kind(struct remote *m, struct env_txn *txn, uint8_t kind, load_fn *load)
{
	SCOPED(env_walk_end) struct env_walk w = env_walk_begin(txn, (struct bytes){&kind, 1});
	SCOPED(scope_arena) struct arena *a = NULL;
	int r;

	TRY(arena_new(&a, SIZE_MAX));
	while ((r = env_walk_next(&w)) > 0) {
		arena_reset(a);
		const char *name = arena_text(a, (struct bytes){w.key.data + 1, w.key.len - 1});
		if (!name)
			return FAIL(-ENOMEM);
		r = load(m, a, name, w.value);
		if (r == ERR_MALFORMED)
			return FAIL(ERR_CORRUPT);
		TRY(r);
	}
	return r;
}

int remote_load(struct remote *m, struct env_txn *txn)
{
	TRY(load_kind(m, txn, ORIGIN, load_origin));
	TRY(load_kind(m, txn, ROW, load_row));
	mark_clean(m);
	return 0;
}
