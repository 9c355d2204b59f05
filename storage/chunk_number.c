/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/chunk_number.h"

#include <stdlib.h>

#include "storage/bits.h"
#include "storage/chunk_decimal.h"
#include "storage/chunk_integer.h"

enum encoding { CONSTANT, INTEGER, DECIMAL, SINGLE, DICTIONARY, ORDERED, N_ENCODINGS };

static const char *const names[N_ENCODINGS] = {"constant", "integer",    "decimal",
					       "single",   "dictionary", "ordered"};

static void put_le(struct buf *out, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		buf_put_u8(out, (uint8_t)(v >> 8 * i));
}

static uint64_t get_le(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

/* Doubles whose order is that of whole numbers; its own inverse is from_ordered(). */
static uint64_t to_ordered(uint64_t bits)
{
	return bits ^ ((0 - (bits >> 63)) >> 1);
}

/* ---- Encoding ---------------------------------------------------------------------------------------------
 */

/* One way to write the part; `numbers` and `odd` are room to work in. */
struct attempt {
	const uint64_t *v;
	size_t n;
	enum number_kind kind;
	enum chunk_effort effort;
	uint64_t *numbers;
	uint16_t *odd;
};

static bool is_constant(const uint64_t *v, size_t n)
{
	uint64_t differ = 0;

	for (size_t i = 1; i < n; i++)
		differ |= v[i] ^ v[0];
	return differ == 0;
}

static uint64_t magnitude(uint64_t v)
{
	return v >> 63 ? 0 - v : v;
}

/* What divides them all; 1 when nothing does, or all are 0. */
static uint64_t common_factor(const uint64_t *v, size_t n)
{
	uint64_t g = 0;

	for (size_t i = 0; i < n && g != 1; i++) {
		uint64_t a = magnitude(v[i]);
		if (g != 0 && a % g == 0)
			continue;
		while (a != 0) {
			const uint64_t rest = g % a;
			g = a;
			a = rest;
		}
	}
	return g == 0 || g >> 62 ? 1 : g;
}

/* factor (varint), the integers without it; a->numbers holds them. */
static void put_integers(const struct attempt *a, struct buf *out)
{
	const uint64_t factor = common_factor(a->numbers, a->n);

	if (factor > 1)
		for (size_t i = 0; i < a->n; i++)
			a->numbers[i] = (uint64_t)((int64_t)a->numbers[i] / (int64_t)factor);
	record_put_varint(out, factor);
	integers_encode(a->numbers, a->n, a->effort, out);
}

static void put_decimals(const struct attempt *a, const struct decimal *d, struct buf *out)
{
	const size_t n_odd = decimal_from_doubles(d, a->v, a->n, a->numbers, a->odd);

	buf_put_u8(out, d->single ? SINGLE : DECIMAL);
	buf_put_u8(out, d->digits);
	record_put_varint(out, n_odd);
	for (size_t i = 0; i < n_odd; i++) {
		record_put_varint(out, (uint64_t)a->odd[i] - (i > 0 ? a->odd[i - 1] : 0));
		put_le(out, a->v[a->odd[i]]);
	}
	put_integers(a, out);
}

static void put_plain(const struct attempt *a, struct buf *out)
{
	buf_put_u8(out, a->kind == NUMBER_DOUBLE ? ORDERED : INTEGER);
	for (size_t i = 0; i < a->n; i++)
		a->numbers[i] = a->kind == NUMBER_DOUBLE ? to_ordered(a->v[i]) : a->v[i];
	put_integers(a, out);
}

static int by_size(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t word_of(const struct attempt *a, size_t i)
{
	return a->kind == NUMBER_DOUBLE ? to_ordered(a->v[i]) : a->v[i];
}

/* Distinct numbers by their hash: places of words, one up; 0: free. */
struct word_table {
	uint16_t slots[2 * CHUNK_SAMPLES_MAX];
	unsigned bits;
};

static void table_clear(struct word_table *t, size_t n)
{
	t->bits = 4;
	while (((size_t)1 << t->bits) < n)
		t->bits++;
	memset(t->slots, 0, ((size_t)1 << t->bits) * sizeof *t->slots);
}

/* The slot that has the word, or the free one where it belongs. */
static uint16_t *table_slot(struct word_table *t, const uint64_t *words, uint64_t v)
{
	const size_t mask = ((size_t)1 << t->bits) - 1;
	size_t at = (size_t)((v * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - t->bits));

	while (t->slots[at] != 0 && words[t->slots[at] - 1] != v)
		at = (at + 1) & mask;
	return &t->slots[at];
}

/* The distinct ones in their order; returns how many, or 0 when there are more than `most`. */
static size_t collect_words(const struct attempt *a, size_t most, struct word_table *t, uint64_t *words)
{
	size_t n_words = 0;

	table_clear(t, a->n);
	for (size_t i = 0; i < a->n; i++) {
		const uint64_t v = word_of(a, i);
		uint16_t *slot = table_slot(t, words, v);
		if (*slot != 0)
			continue;
		if (n_words == most)
			return 0;
		words[n_words++] = v;
		*slot = (uint16_t)n_words;
	}
	qsort(words, n_words, sizeof *words, by_size);
	table_clear(t, a->n);
	for (size_t i = 0; i < n_words; i++)
		*table_slot(t, words, words[i]) = (uint16_t)(i + 1);
	return n_words;
}

/* False: too many words for it to be worth while. */
static bool put_dictionary(const struct attempt *a, struct buf *out)
{
	uint64_t words[CHUNK_SAMPLES_MAX];
	struct word_table table;
	const size_t n_words = collect_words(a, a->n / 2, &table, words);

	if (n_words == 0)
		return false;
	for (size_t i = 0; i < a->n; i++)
		a->numbers[i] = *table_slot(&table, words, word_of(a, i)) - 1U;
	for (size_t i = 0; i < n_words; i++)
		words[i] = a->kind == NUMBER_DOUBLE ? to_ordered(words[i]) : words[i];
	buf_put_u8(out, DICTIONARY);
	record_put_varint(out, n_words);
	numbers_encode(words, n_words, a->kind, a->effort, out);
	integers_encode(a->numbers, a->n, a->effort, out);
	return true;
}

static void keep_smaller(struct buf *best, struct buf *other)
{
	if (best->len == 0 || other->len < best->len) {
		const struct buf b = *best;
		*best = *other;
		*other = b;
	}
	best->failed |= other->failed;
}

/* In `best`: encoding (1), bytes. */
static void encode_best(const struct attempt *a, struct buf *best)
{
	SCOPED(buf_fini) struct buf other = {0};
	struct decimal d;
	const bool is_decimal = a->kind == NUMBER_DOUBLE && decimal_find(a->v, a->n, &d);

	if (is_decimal)
		put_decimals(a, &d, best);
	if (!is_decimal || best->len > 8 * a->n) {
		put_plain(a, &other);
		keep_smaller(best, &other);
	}
	if (a->effort == CHUNK_SMALL || !is_decimal) {
		buf_clear(&other);
		if (put_dictionary(a, &other))
			keep_smaller(best, &other);
	}
}

void numbers_encode(const uint64_t *v, size_t n, enum number_kind kind, enum chunk_effort effort,
		    struct buf *out)
{
	SCOPED(buf_fini) struct buf best = {0};
	uint64_t numbers[CHUNK_SAMPLES_MAX];
	uint16_t odd[CHUNK_SAMPLES_MAX];
	const struct attempt a = {v, n, kind, effort, numbers, odd};

	if (is_constant(v, n)) {
		buf_put_u8(&best, CONSTANT);
		put_le(&best, v[0]);
	} else
		encode_best(&a, &best);
	if (best.failed || best.len == 0) {
		out->failed = true;
		return;
	}
	buf_put_u8(out, best.data[0]);
	record_put_varint(out, best.len - 1);
	buf_put(out, (struct bytes){best.data + 1, best.len - 1});
}

/* ---- Decoding ---------------------------------------------------------------------------------------------
 */

/* What turns the whole numbers of a block into the numbers that were stored. */
struct finish {
	enum encoding encoding;
	uint64_t factor;
	struct decimal decimal;
	const uint64_t *words;
	size_t n_words;
};

static int finish_block(const struct finish *f, uint64_t *v, size_t n)
{
	bool fits = true;

	if (f->factor > 1)
		for (size_t i = 0; i < n; i++)
			v[i] *= f->factor;
	if (f->encoding == DECIMAL || f->encoding == SINGLE)
		decimal_to_doubles(&f->decimal, v, n);
	else if (f->encoding == ORDERED)
		for (size_t i = 0; i < n; i++)
			v[i] = to_ordered(v[i]);
	else if (f->encoding == DICTIONARY)
		for (size_t i = 0; i < n; i++) {
			fits &= v[i] < f->n_words;
			v[i] = f->words[v[i] < f->n_words ? v[i] : 0];
		}
	return fits ? 0 : FAIL(ERR_CORRUPT);
}

static int decode_blocks(struct bytes in, const struct finish *f, size_t n, uint64_t *ret)
{
	struct integer_reader r;
	uint64_t last[INTEGER_BLOCK];

	TRY(integer_reader_begin(&r, in, n));
	for (size_t i = 0; i < n; i += INTEGER_BLOCK) {
		const size_t m = n - i < INTEGER_BLOCK ? n - i : INTEGER_BLOCK;
		uint64_t *to = m == INTEGER_BLOCK ? ret + i : last;
		TRY(integer_reader_next(&r, to));
		TRY(finish_block(f, to, m));
		if (to == last)
			memcpy(ret + i, last, m * sizeof *last);
	}
	return 0;
}

/* The numbers that are no decimals, over what stands in their places. */
static int patch(struct record_reader *odd, uint64_t n_odd, size_t n, uint64_t *ret)
{
	uint64_t at = 0;

	for (uint64_t i = 0; i < n_odd; i++) {
		at += record_varint(odd);
		const struct bytes bits = record_bytes(odd, 8);
		if (odd->failed || at >= n)
			return FAIL(ERR_CORRUPT);
		ret[at] = get_le(bits.data);
	}
	return 0;
}

static int decode_decimals(struct record_reader *r, struct finish *f, size_t n, uint64_t *ret)
{
	f->decimal = (struct decimal){record_u8(r), f->encoding == SINGLE};
	const uint64_t n_odd = record_varint(r);
	struct record_reader odd = *r;

	if (r->failed || f->decimal.digits > DECIMALS_MAX || n_odd > n)
		return FAIL(ERR_CORRUPT);
	for (uint64_t i = 0; i < n_odd; i++) {
		record_varint(r);
		record_bytes(r, 8);
	}
	f->factor = record_varint(r);
	TRY(decode_blocks(record_rest(r), f, n, ret));
	return patch(&odd, n_odd, n, ret);
}

static void scope_numbers(uint64_t **p)
{
	free(*p);
}

static int decode_part(struct record_reader *r, size_t n, bool is_nested, uint64_t *ret);

static int decode_dictionary(struct record_reader *r, struct finish *f, size_t n, uint64_t *ret)
{
	const uint64_t n_words = record_varint(r);

	if (r->failed || n_words == 0 || n_words > n)
		return FAIL(ERR_CORRUPT);
	SCOPED(scope_numbers) uint64_t *words = malloc(n_words * sizeof *words);
	if (!words)
		return FAIL(-ENOMEM);
	TRY(decode_part(r, n_words, true, words));
	f->words = words;
	f->n_words = n_words;
	return decode_blocks(record_rest(r), f, n, ret);
}

bool numbers_constant(struct record_reader *r, uint64_t *ret)
{
	struct record_reader ahead = *r;

	if (record_u8(&ahead) != CONSTANT || record_varint(&ahead) != 8)
		return false;
	const struct bytes in = record_bytes(&ahead, 8);
	if (ahead.failed)
		return false;
	*ret = get_le(in.data);
	*r = ahead;
	return true;
}

static int decode_part(struct record_reader *r, size_t n, bool is_nested, uint64_t *ret)
{
	uint64_t constant;

	if (numbers_constant(r, &constant)) {
		for (size_t i = 0; i < n; i++)
			ret[i] = constant;
		return 0;
	}
	const uint8_t encoding = record_u8(r);
	struct record_reader in = record_reader(record_bytes(r, record_varint(r)));
	struct finish f = {.encoding = (enum encoding)encoding};

	if (r->failed || encoding == CONSTANT || encoding >= N_ENCODINGS ||
	    (encoding == DICTIONARY && is_nested))
		return FAIL(ERR_CORRUPT);
	if (encoding == DICTIONARY)
		return decode_dictionary(&in, &f, n, ret);
	if (encoding == DECIMAL || encoding == SINGLE)
		return decode_decimals(&in, &f, n, ret);
	f.factor = record_varint(&in);
	return decode_blocks(record_rest(&in), &f, n, ret);
}

int numbers_decode(struct record_reader *r, size_t n, uint64_t *ret)
{
	return decode_part(r, n, false, ret);
}

const char *numbers_encoding_text(struct bytes part)
{
	return part.len > 0 && part.data[0] < N_ENCODINGS ? names[part.data[0]] : "?";
}
