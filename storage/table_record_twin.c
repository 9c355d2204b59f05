/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of twins.
 *
 *     't' number / 64 (4): of the twins with these numbers, as many as there are:
 *             id (text, empty: nobody has the number)  flags (1); unless deleted: kind (1)  type (text)
 *             n of series, then their first, or each with HAS_MAP (varints)
 *             with HAS_REST: name  n tags  n aliases (varint before, texts)  n of life: state (1), since (8)
 *     's' number / 64 (4): of the twins with these numbers, as many as there are: seq (8)  stamp (8)  lineage
 * (4)
 */
#include <stdlib.h>

#include "proto/clock.h"
#include "storage/record.h"
#include "storage/table_record.h"

enum { DELETED = 1, HAS_MAP = 2, HAS_REST = 4 };

/* ---- Encoding ---------------------------------------------------------------------------------------------
 */

static void put_texts(struct buf *out, const char *const *texts, size_t n)
{
	record_put_varint(out, n);
	for (size_t i = 0; i < n; i++)
		record_put_text(out, texts[i]);
}

static void put_rest(struct buf *out, const struct twin_rest *r)
{
	record_put_text(out, r->name);
	put_texts(out, r->tags, r->n_tags);
	put_texts(out, r->aliases, r->n_aliases);
	record_put_varint(out, r->n_life);
	for (size_t i = 0; i < r->n_life; i++) {
		buf_put_u8(out, (uint8_t)r->life[i].state);
		buf_put_u64(out, (uint64_t)r->life[i].since_ns);
	}
}

static void put_living(struct buf *out, const struct own_twin *w)
{
	const size_t n = twin_places(w);

	buf_put_u8(out, (uint8_t)w->pub.kind);
	record_put_text(out, w->pub.type ? w->pub.type->def.name : "");
	record_put_varint(out, n);
	for (size_t i = 0; i < (w->map ? n : n > 0); i++)
		record_put_varint(out, twin_series(w, i));
	if (w->rest)
		put_rest(out, w->rest);
}

/* Number 0 is nobody's. */
static uint32_t first_of(uint32_t block)
{
	return block > 0 ? block * TWINS_BLOCK : 1;
}

int record_encode_twins(struct encoder *e, const struct table *t, uint32_t block)
{
	record_begin(e, RECORD_TWINS);
	buf_put_u32(&e->key, block);
	for (uint32_t i = first_of(block); i < (block + 1) * TWINS_BLOCK && i < t->twins.n; i++) {
		const struct own_twin *w = twin_index_at(&t->twins, i);
		record_put_text(&e->value, w ? w->id : "");
		if (!w)
			continue;
		buf_put_u8(&e->value, (uint8_t)(w->pub.deleted * DELETED | (w->map != NULL) * HAS_MAP |
						(w->rest != NULL) * HAS_REST));
		if (!w->pub.deleted)
			put_living(&e->value, w);
	}
	return record_put(e);
}

int record_encode_rows(struct encoder *e, const struct table *t, uint32_t block)
{
	record_begin(e, RECORD_ROWS);
	buf_put_u32(&e->key, block);
	for (uint32_t i = block * TWINS_BLOCK; i < (block + 1) * TWINS_BLOCK && i < t->twins.n; i++) {
		const struct own_twin *w = twin_index_at(&t->twins, i);
		buf_put_u64(&e->value, w ? w->pub.seq : 0);
		buf_put_u64(&e->value, w ? (uint64_t)w->pub.version.stamp_ns : 0);
		buf_put_u32(&e->value, w ? w->pub.version.lineage : 0);
	}
	return record_put(e);
}

/* ---- Twins ------------------------------------------------------------------------------------------------
 */

/* As many texts as the record says, at most `max`. */
static const char **read_texts(struct record_reader *r, struct arena *a, uint64_t max, size_t *ret_n)
{
	const uint64_t n = record_varint(r);
	const char **texts = n <= max ? arena_take_array(a, (size_t)n, sizeof *texts) : NULL;

	if (!texts)
		r->failed = true;
	for (uint64_t i = 0; texts && i < n; i++)
		texts[i] = record_text(r);
	*ret_n = texts ? (size_t)n : 0;
	return texts;
}

static void read_rest(struct record_reader *r, struct arena *a, struct twin_def *ret)
{
	ret->name = record_text(r);
	ret->tags = read_texts(r, a, TAGS_MAX, &ret->n_tags);
	ret->aliases = read_texts(r, a, ALIASES_MAX, &ret->n_aliases);
	const uint64_t n = record_varint(r);
	ret->life = n <= LIFE_STEPS_MAX ? arena_take_array(a, (size_t)n, sizeof *ret->life) : NULL;
	if (!ret->life)
		r->failed = true;
	for (uint64_t i = 0; ret->life && i < n; i++) {
		const uint8_t state = record_u8(r);
		if (state >= N_LIFE_CYCLES)
			r->failed = true;
		ret->life[i] = (struct life_step){(enum life_cycle)state, (int64_t)record_u64(r)};
	}
	ret->n_life = ret->life ? (size_t)n : 0;
}

static int read_series(struct table *t, struct own_twin *w, bool has_map, struct record_reader *r)
{
	const uint64_t n = record_varint(r);

	if (r->failed || n != twin_places(w) || (has_map && n == 0))
		return FAIL(ERR_CORRUPT);
	t->n_series += n;
	if (!has_map) {
		const uint64_t first = n > 0 ? record_varint(r) : 0;
		w->first = first <= UINT32_MAX ? (uint32_t)first : 0;
		return n > 0 ? values_place(&t->values, w->first, (uint32_t)n) : 0;
	}
	w->map = calloc((size_t)n, sizeof *w->map);
	if (!w->map)
		return FAIL(-ENOMEM);
	for (uint64_t i = 0; i < n; i++) {
		const uint64_t series = record_varint(r);
		w->map[i] = series <= UINT32_MAX ? (uint32_t)series : 0;
		TRY(values_place(&t->values, w->map[i], 1));
	}
	w->first = w->map[0];
	return 0;
}

static int read_type(struct table *t, struct own_twin *w, struct record_reader *r)
{
	const char *name = record_text(r);
	struct own_type *type = *name ? table_type(t, name) : NULL;

	if (r->failed || (*name && !type))
		return FAIL(ERR_CORRUPT);
	w->pub.type = type ? &type->pub : NULL;
	if (type)
		type->n_users++;
	return 0;
}

static int read_living(struct table *t, struct arena *a, struct own_twin *w, uint8_t flags,
		       struct record_reader *r)
{
	struct life_step operating = {LIFE_OPERATING, TIME_MIN};
	struct twin_def def = {.name = "", .life = &operating, .n_life = 1};
	const uint8_t kind = record_u8(r);

	def.kind = kind < N_KINDS ? (enum kind)kind : KIND_COMPONENT;
	TRY(read_type(t, w, r));
	TRY(read_series(t, w, flags & HAS_MAP, r));
	if (flags & HAS_REST)
		read_rest(r, a, &def);
	if (r->failed || kind >= N_KINDS)
		return FAIL(ERR_CORRUPT);
	w->pub.deleted = false;
	t->n_twins++;
	return twin_set_def(t, w, &def);
}

static int load_twin(struct table *t, struct arena *a, uint32_t number, struct record_reader *r)
{
	const char *id = record_text(r);
	struct own_twin *w;

	if (!*id)
		return r->failed ? FAIL(ERR_CORRUPT) : 0;
	const uint8_t flags = record_u8(r);
	if (r->failed || number >= t->twins.twins_size || twin_index_at(&t->twins, number))
		return FAIL(ERR_CORRUPT);
	TRY(twin_new(t, bytes_of_text(id), number, &w));
	return flags & DELETED ? 0 : read_living(t, a, w, flags, r);
}

int record_load_twins(struct table *t, struct arena *a, struct bytes key, struct bytes value)
{
	struct record_reader r = record_reader(value);
	const uint32_t block = key.len == 5 ? get_u32(key.data + 1) : UINT32_MAX / TWINS_BLOCK;

	if (block >= UINT32_MAX / TWINS_BLOCK)
		return FAIL(ERR_CORRUPT);
	for (uint32_t i = first_of(block); r.at != r.end && i < (block + 1) * TWINS_BLOCK; i++)
		TRY(load_twin(t, a, i, &r));
	return record_end(&r);
}

int record_claim_series(struct table *t)
{
	TRY(record_order_ids(t));
	TRY(values_index(&t->values));
	for (uint32_t number = 1; number < t->twins.n; number++) {
		const struct own_twin *w = twin_index_at(&t->twins, number);
		for (size_t i = 0; w && i < (w->map ? twin_places(w) : w->first > 0); i++)
			values_claim(&t->values, twin_series(w, i), number);
	}
	return 0;
}

/* ---- Rows -------------------------------------------------------------------------------------------------
 */

int record_load_rows(struct table *t, struct arena *a, struct bytes key, struct bytes value)
{
	struct record_reader r = record_reader(value);
	const uint32_t block = key.len == 5 ? get_u32(key.data + 1) : UINT32_MAX / TWINS_BLOCK;

	(void)a;
	for (uint64_t i = 0; r.at != r.end && i < TWINS_BLOCK && !r.failed; i++) {
		struct own_twin *w = block < UINT32_MAX / TWINS_BLOCK
					     ? twin_index_at(&t->twins, block * TWINS_BLOCK + (uint32_t)i)
					     : NULL;
		const uint64_t seq = record_u64(&r);
		const int64_t stamp_ns = (int64_t)record_u64(&r);
		const uint32_t lineage = record_u32(&r);
		if (!w != (seq == 0))
			return FAIL(ERR_CORRUPT);
		if (!w)
			continue;
		w->pub.seq = seq;
		w->pub.version = (struct row_version){.lineage = lineage, .stamp_ns = stamp_ns};
	}
	return record_end(&r);
}

struct turn {
	uint64_t seq;
	uint32_t twin;
};

/* One pass of a radix sort, by the 11 bits at `shift`. */
static void sort_pass(const struct turn *from, struct turn *to, size_t n, unsigned shift)
{
	size_t starts[2048] = {0}, sum = 0;

	for (size_t i = 0; i < n; i++)
		starts[from[i].seq >> shift & 2047]++;
	for (size_t i = 0; i < 2048; i++) {
		const size_t count = starts[i];
		starts[i] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[starts[from[i].seq >> shift & 2047]++] = from[i];
}

static int append_turns(struct table *t, const struct turn *turns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (turns[i].seq == 0 || turns[i].seq > t->seq || (i > 0 && turns[i].seq == turns[i - 1].seq))
			return FAIL(ERR_CORRUPT);
		TRY(turns_append(&t->by_seq, turns[i].seq, turns[i].twin));
	}
	return 0;
}

int record_order_rows(struct table *t)
{
	const size_t most = t->twins.n + 1;
	SCOPED(scope_free) struct turn *turns = calloc(most, 2 * sizeof *turns);
	size_t n = 0;

	if (!turns)
		return FAIL(-ENOMEM);
	struct turn *from = turns, *to = turns + most;
	for (uint32_t i = 1; i < t->twins.n; i++)
		if (twin_index_at(&t->twins, i))
			from[n++] = (struct turn){twin_index_at(&t->twins, i)->pub.seq, i};
	for (unsigned shift = 0; shift < 64 && t->seq >> shift > 0; shift += 11) {
		sort_pass(from, to, n, shift);
		struct turn *other = from;
		from = to;
		to = other;
	}
	TRY(append_turns(t, from, n));
	return graves_load(t);
}
