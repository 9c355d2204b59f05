/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/table.h"

#include "storage/table_alias.h"

static int by_id(const void *key, const void *item)
{
	return strcmp(key, ((const struct own_twin *)item)->id);
}

static int by_seq(const void *key, const void *item)
{
	const uint64_t seq = *(const uint64_t *)key, other = ((const struct own_twin *)item)->pub.seq;

	return (seq > other) - (seq < other);
}

static int by_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct own_type *)item)->name);
}

/* From first, so that the relations of a twin lie together. */
static int by_ends(const void *key, const void *item)
{
	const struct relation *a = key, *b = &((const struct own_edge *)item)->pub.relation;
	int r = strcmp(a->from, b->from);

	if (r == 0)
		r = strcmp(a->type, b->type);
	return r != 0 ? r : strcmp(a->to, b->to);
}

static int by_child(const void *key, const void *item)
{
	const struct membership *a = key, *b = &((const struct own_member *)item)->pub;
	int r = strcmp(a->child, b->child);

	if (r == 0)
		r = strcmp(a->hierarchy, b->hierarchy);
	return r != 0 ? r : strcmp(a->parent, b->parent);
}

static int by_alias(const void *key, const void *item)
{
	const struct alias_key *a = key;
	const struct alias_ref *b = item;
	const int r = strcmp(a->alias, b->alias);

	return r != 0 ? r : strcmp(a->id, b->twin->id);
}

void table_init(struct table *t)
{
	*t = (struct table){
		.by_id.compare = by_id,
		.by_alias.compare = by_alias,
		.types.compare = by_name,
		.edges.compare = by_ends,
		.members.compare = by_child,
		.graves.compare = by_seq,
		.next_number = 1,
	};
	values_init(&t->values, &t->words);
}

static void free_twin(struct own_twin *w)
{
	if (!w)
		return;
	free(w->rest);
	free(w->map);
}

void table_fini(struct table *t)
{
	turns_fini(&t->by_seq);
	ordered_fini(&t->by_alias);
	ordered_fini(&t->by_id);
	ordered_fini(&t->graves);
	free(t->holes);
	for (uint32_t i = 1; i < t->twins.n; i++)
		free_twin(twin_index_at(&t->twins, i));
	arena_free(t->memory);
	ordered_fini_items(&t->types, type_free);
	ordered_fini_items(&t->members, free);
	edges_free(t);
	twin_index_fini(&t->twins);
	values_fini(&t->values);
	bands_fini(&t->bands);
	free(t->blocks);
	intern_fini(&t->words);
	free(t->dirty_edges.items);
	changeset_fini(&t->changes);
}

/* ---- The order of changes ---------------------------------------------------------------------------------
 */

void table_begin_batch(struct table *t, uint32_t lineage, int64_t stamp_base_ns)
{
	t->batch_seq = t->seq;
	t->lineage = lineage;
	t->next_stamp_ns = stamp_base_ns;
}

static struct hash128 hash_of(const struct twin *t)
{
	return row_hash(t->id, t->version, ROW_MASK_ALL);
}

struct fingerprint table_fingerprint(struct table *t)
{
	for (const struct twin *w; (w = table_change_next(t, t->counted_seq)); t->counted_seq = w->seq) {
		const struct hash128 hash = hash_of(w);
		if (!w->deleted)
			fingerprint_add(&t->counted, &hash);
	}
	return t->counted;
}

/* Before its version, or whether it lives, changes. */
static void uncount(struct table *t, const struct twin *w)
{
	const struct hash128 hash = hash_of(w);

	if (!w->deleted)
		fingerprint_remove(&t->counted, &hash);
}

int table_touch(struct table *t, struct own_twin *w)
{
	TRY(turn_mark(t, w->number));
	if (w->pub.seq > t->batch_seq)
		return 0;
	if (w->pub.seq <= t->counted_seq)
		uncount(t, &w->pub);
	if (w->pub.seq > 0)
		turns_remove(&t->by_seq, w->pub.seq, w->number);
	w->pub.seq = ++t->seq;
	t->stamp_ns = t->next_stamp_ns++;
	w->pub.version = (struct row_version){.lineage = t->lineage, .stamp_ns = t->stamp_ns};
	return turns_append(&t->by_seq, w->pub.seq, w->number);
}

int pile_put(struct pile *p, void *item)
{
	if (p->n == p->size) {
		const size_t size = p->size ? p->size * 2 : 64;
		void **items = realloc(p->items, size * sizeof *items);
		if (!items)
			return FAIL(-ENOMEM);
		p->items = items;
		p->size = size;
	}
	p->items[p->n++] = item;
	return 0;
}

/* ---- Looking ----------------------------------------------------------------------------------------------
 */

struct own_twin *table_twin(const struct table *t, const char *id)
{
	return twin_index_get(&t->twins, bytes_of_text(id));
}

const struct twin *table_alias_next(const struct table *t, const char *alias, const char *after_id)
{
	const struct alias_key key = {alias, after_id};
	const struct alias_ref *ref = ordered_after(&t->by_alias, &key);

	return ref && strcmp(ref->alias, alias) == 0 ? &ref->twin->pub : NULL;
}

static uint64_t seq_of(const void *ctx, uint32_t twin)
{
	const struct table *t = ctx;

	return twin_index_at(&t->twins, twin)->pub.seq;
}

const struct twin *table_change_next(const struct table *t, uint64_t seq)
{
	const struct own_twin *w = twin_index_at(&t->twins, turns_after(&t->by_seq, seq, seq_of, t));

	return w ? &w->pub : NULL;
}
