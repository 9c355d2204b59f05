/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of the values, see storage/values.h. */
#include <stdlib.h>

#include "storage/record.h"
#include "storage/values_private.h"

enum { KEY_BYTES = 5 };

/* ---- Encoding ---------------------------------------------------------------------------------------------
 */

static struct bytes piece_key(uint32_t piece, uint8_t ret[KEY_BYTES])
{
	ret[0] = 'v';
	for (unsigned i = 0; i < 4; i++)
		ret[1 + i] = (uint8_t)(piece >> (24 - 8 * i));
	return (struct bytes){ret, KEY_BYTES};
}

static uint64_t mask_of_more(const struct values_block *b, uint32_t begin, uint64_t measured)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; b->more && i < VALUES_PIECE; i++)
		mask |= (uint64_t)(b->more[begin + i] != 0) << i;
	return mask & measured;
}

static void put_column(struct buf *out, const void *column, uint64_t mask, uint64_t without)
{
	uint64_t packed[VALUES_PIECE];
	size_t n = 0;

	for (uint64_t rest = mask; rest; rest &= rest - 1) {
		const unsigned i = (unsigned)__builtin_ctzll(rest);
		memcpy(&packed[n], (const uint8_t *)column + 8 * i, 8);
		packed[n] = without >> i & 1 ? 0 : packed[n];
		n++;
	}
	buf_put(out, (struct bytes){(const uint8_t *)packed, 8 * n});
}

static void put_more(const struct values *v, uint32_t more, struct buf *out)
{
	const struct note *note = more / 4 > 0 ? &v->notes.items[more / 4] : NULL;

	buf_put_u8(out, more % 4);
	record_put_double(out, note ? bits_double(note->sigma) : (double)NAN);
	record_put_text(out, note ? note->source : NULL);
}

static void put_position(struct buf *out, const struct position *p)
{
	record_put_double(out, p->lat_deg);
	record_put_double(out, p->lon_deg);
	record_put_double(out, p->alt_m);
}

static void encode(const struct values *v, const struct values_block *b, uint32_t begin, struct buf *out)
{
	const uint32_t word = begin / 64;
	const uint64_t texts = b->texts[word], positions = b->positions[word], measured = b->measured[word];
	const uint64_t more = mask_of_more(b, begin, measured);

	buf_put_u64(out, measured);
	buf_put_u64(out, texts);
	buf_put_u64(out, positions);
	buf_put_u64(out, more);
	put_column(out, &b->t_ns[begin], measured, 0);
	put_column(out, &b->bits[begin], measured, texts | positions);
	for (uint64_t rest = more; rest; rest &= rest - 1)
		put_more(v, b->more[begin + (uint32_t)__builtin_ctzll(rest)], out);
	for (uint64_t rest = texts; rest; rest &= rest - 1)
		record_put_text(out, values_text(b, begin + (uint32_t)__builtin_ctzll(rest)));
	for (uint64_t rest = positions; rest; rest &= rest - 1)
		put_position(out, values_position(b, begin + (uint32_t)__builtin_ctzll(rest)));
}

int values_take_piece(const struct values *v, const struct values_block *b, uint32_t piece)
{
	const uint32_t begin = piece * VALUES_PIECE % VALUES_BLOCK;
	SCOPED(buf_fini) struct buf value = {0};
	uint8_t key[KEY_BYTES];

	if (b->measured[begin / 64] == 0) {
		changeset_delete(v->frozen_to, piece_key(piece, key));
		return changeset_check(v->frozen_to);
	}
	encode(v, b, begin, &value);
	TRY(buf_check(&value));
	changeset_put(v->frozen_to, piece_key(piece, key), buf_bytes(&value));
	return changeset_check(v->frozen_to);
}

void values_freeze(struct values *v, struct changeset *to)
{
	for (size_t i = 0; i < v->n_blocks; i++) {
		struct values_block *b = v->blocks[i];
		if (!b)
			continue;
		b->frozen |= b->dirty;
		b->dirty = 0;
	}
	v->frozen_to = to;
	v->frozen_at = 0;
}

size_t values_frozen(const struct values *v)
{
	return v->frozen_to ? (v->n_blocks - v->frozen_at) * VALUES_PIECES : 0;
}

static int take_block(struct values *v, struct values_block *b, size_t at)
{
	while (b->frozen) {
		const unsigned piece = (unsigned)__builtin_ctz(b->frozen);
		TRY(values_take_piece(v, b, (uint32_t)(at * VALUES_PIECES + piece)));
		b->frozen &= (uint16_t)(b->frozen - 1);
	}
	return 0;
}

int values_take(struct values *v, size_t n_blocks)
{
	for (; v->frozen_at < v->n_blocks; v->frozen_at++) {
		struct values_block *b = v->blocks[v->frozen_at];
		if (!b || !b->frozen)
			continue;
		if (n_blocks-- == 0)
			return 0;
		TRY(take_block(v, b, v->frozen_at));
		if (!b->dirty)
			values_retire(v, v->frozen_at);
	}
	return 1;
}

void values_thaw(struct values *v)
{
	for (size_t i = 0; i < v->n_blocks; i++) {
		struct values_block *b = v->blocks[i];
		if (!b)
			continue;
		b->dirty |= b->frozen;
		b->frozen = 0;
	}
	v->frozen_to = NULL;
}

/* ---- Loading ----------------------------------------------------------------------------------------------
 */

int values_place(struct values *v, uint32_t first, uint32_t n)
{
	struct values_block *b;
	const uint32_t at = first % VALUES_BLOCK;

	if (first == 0 || n == 0 || first >= v->next || n > v->next - first || at + n > VALUES_BLOCK)
		return FAIL(ERR_CORRUPT);
	TRY(values_make_block(v, first, &b));
	for (uint32_t i = at; i < at + n; i++) {
		if (b->alive[i / 64] >> i % 64 & 1)
			return FAIL(ERR_CORRUPT);
		b->alive[i / 64] |= UINT64_C(1) << i % 64;
	}
	b->first[at / 64] |= UINT64_C(1) << at % 64;
	b->n_alive += n;
	return 0;
}

int values_index(struct values *v)
{
	for (size_t i = 0; i < v->n_blocks; i++) {
		struct values_block *b = v->blocks[i];
		uint32_t n = 0;
		for (uint32_t word = 0; b && word < VALUES_PIECES; word++) {
			b->before[word] = (uint16_t)n;
			n += (uint32_t)__builtin_popcountll(b->first[word]);
		}
		if (n == 0)
			continue;
		b->owners = calloc(n, sizeof *b->owners);
		if (!b->owners)
			return FAIL(-ENOMEM);
		b->n_owners = b->owners_size = n;
	}
	return 0;
}

void values_claim(struct values *v, uint32_t first, uint32_t twin)
{
	struct values_block *b = v->blocks[first / VALUES_BLOCK];
	const uint32_t word = first % VALUES_BLOCK / 64;

	b->owners[b->before[word] + __builtin_popcountll(b->first[word] << (63 - first % 64)) - 1] = twin;
}

static void get_column(struct record_reader *r, void *column, uint64_t mask)
{
	const struct bytes in = record_bytes(r, 8 * (uint64_t)__builtin_popcountll(mask));
	const uint8_t *at = in.data;

	if (r->failed)
		return;
	for (uint64_t rest = mask; rest; rest &= rest - 1, at += 8)
		memcpy((uint8_t *)column + 8 * (unsigned)__builtin_ctzll(rest), at, 8);
}

static int get_more(struct values *v, struct values_block *b, uint32_t begin, uint64_t mask,
		    struct record_reader *r)
{
	for (uint64_t rest = mask; rest && !r->failed; rest &= rest - 1) {
		const uint8_t quality = record_u8(r);
		const double sigma = record_double(r);
		const char *source = record_text(r);
		uint32_t note;
		if (r->failed || quality > QUALITY_BAD)
			return FAIL(ERR_CORRUPT);
		TRY(notes_take(&v->notes, sigma, source, &note));
		TRY(values_put_more(v, b, begin + (uint32_t)__builtin_ctzll(rest), quality + note * 4));
	}
	return 0;
}

static int get_held(struct values *v, struct values_block *b, uint32_t begin, uint64_t mask,
		    enum value_type type, struct record_reader *r)
{
	for (uint64_t rest = mask; rest; rest &= rest - 1) {
		struct value value = {.type = type};
		if (type == VALUE_TEXT) {
			value.text = record_text(r);
		} else {
			value.position.lat_deg = record_double(r);
			value.position.lon_deg = record_double(r);
			value.position.alt_m = record_double(r);
		}
		if (r->failed)
			return FAIL(ERR_CORRUPT);
		TRY(values_hold(v, b, begin + (uint32_t)__builtin_ctzll(rest), &value));
	}
	return 0;
}

int values_load(struct values *v, struct bytes key, struct bytes value)
{
	struct record_reader r = record_reader(value);
	const uint32_t piece = key.len == KEY_BYTES ? get_u32(key.data + 1) : UINT32_MAX / VALUES_PIECE;
	struct values_block *b =
		piece < UINT32_MAX / VALUES_PIECE ? values_block(v, piece * VALUES_PIECE) : NULL;
	const uint32_t begin = piece % VALUES_PIECES * VALUES_PIECE, word = begin / 64;
	const uint64_t measured = record_u64(&r), texts = record_u64(&r), positions = record_u64(&r);
	const uint64_t more = record_u64(&r);

	if (r.failed || !b || measured & ~b->alive[word] || (texts | positions | more) & ~measured ||
	    texts & positions || b->measured[word])
		return FAIL(ERR_CORRUPT);
	get_column(&r, &b->t_ns[begin], measured);
	get_column(&r, &b->bits[begin], measured);
	TRY(get_more(v, b, begin, more, &r));
	TRY(get_held(v, b, begin, texts, VALUE_TEXT, &r));
	TRY(get_held(v, b, begin, positions, VALUE_POSITION, &r));
	b->measured[word] = measured;
	return record_end(&r);
}
