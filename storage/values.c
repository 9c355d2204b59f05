/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/values.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "storage/column.h"
#include "storage/record.h"
#include "storage/values_private.h"

void values_init(struct values *v, struct intern *words)
{
	*v = (struct values){.next = 1, .words = words, .notes.words = words};
}

static void free_block(struct values_block *b)
{
	if (!b)
		return;
	for (uint32_t i = 0; i < VALUES_BLOCK; i++)
		if (b->positions[i / 64] >> i % 64 & 1)
			free(values_position(b, i));
	free(b->more);
	free(b->owners);
	free(b);
}

void values_fini(struct values *v)
{
	for (size_t i = 0; i < v->n_blocks; i++)
		free_block(v->blocks[i]);
	free(v->blocks);
	notes_fini(&v->notes);
	*v = (struct values){0};
}

void values_retire(struct values *v, size_t block)
{
	struct values_block *b = v->blocks[block];

	if (!b || b->n_alive > 0 || v->next / VALUES_BLOCK <= block)
		return;
	free_block(b);
	v->blocks[block] = NULL;
}

/* ---- Whose they are ---------------------------------------------------------------------------------------
 */

static int reserve(struct values *v, size_t n)
{
	size_t size = v->size ? v->size : 16;

	while (size < n)
		size *= 2;
	if (size > v->size) {
		struct values_block **blocks = realloc(v->blocks, size * sizeof *blocks);
		if (!blocks)
			return FAIL(-ENOMEM);
		v->blocks = blocks;
		v->size = size;
	}
	for (; v->n_blocks < n; v->n_blocks++)
		v->blocks[v->n_blocks] = NULL;
	return 0;
}

int values_make_block(struct values *v, uint32_t series, struct values_block **ret)
{
	const size_t at = series / VALUES_BLOCK;

	TRY(reserve(v, at + 1));
	if (!v->blocks[at])
		v->blocks[at] = calloc(1, sizeof *v->blocks[at]);
	if (!v->blocks[at])
		return FAIL(-ENOMEM);
	v->blocks[at]->number = (uint32_t)at;
	*ret = v->blocks[at];
	return 0;
}

static int push_owner(struct values_block *b, uint32_t twin)
{
	if (b->n_owners == b->owners_size) {
		const uint32_t size = b->owners_size ? b->owners_size * 2 : 64;
		uint32_t *owners = realloc(b->owners, size * sizeof *owners);
		if (!owners)
			return FAIL(-ENOMEM);
		b->owners = owners;
		b->owners_size = size;
	}
	b->owners[b->n_owners++] = twin;
	return 0;
}

int values_give(struct values *v, uint32_t n, uint32_t twin, uint32_t *ret_first)
{
	struct values_block *b;
	uint32_t series = v->next;

	assert(n > 0 && n <= VALUES_BLOCK);
	if (series % VALUES_BLOCK + n > VALUES_BLOCK)
		series += VALUES_BLOCK - series % VALUES_BLOCK;
	if (series > UINT32_MAX - VALUES_BLOCK)
		return FAIL(ERR_FULL);
	TRY(values_make_block(v, series, &b));
	TRY(push_owner(b, twin));
	const uint32_t at = series % VALUES_BLOCK;
	b->first[at / 64] |= UINT64_C(1) << at % 64;
	for (uint32_t word = at / 64 + 1; word < VALUES_PIECES; word++)
		b->before[word]++;
	for (uint32_t i = at; i < at + n; i++)
		b->alive[i / 64] |= UINT64_C(1) << i % 64;
	b->n_alive += n;
	v->next = series + n;
	*ret_first = series;
	return 0;
}

/* ---- Values -----------------------------------------------------------------------------------------------
 */

/* A piece that is frozen goes into the checkpoint as it was. */
static int mark(struct values *v, struct values_block *b, uint32_t series)
{
	const uint16_t piece = (uint16_t)(1U << series % VALUES_BLOCK / VALUES_PIECE);

	if (b->frozen & piece) {
		TRY(values_take_piece(v, b, series / VALUES_PIECE));
		b->frozen &= (uint16_t)~piece;
	}
	b->dirty |= piece;
	return 0;
}

static void forget(struct values *v, struct values_block *b, uint32_t i)
{
	const uint64_t bit = UINT64_C(1) << i % 64;

	if (b->texts[i / 64] & bit)
		intern_drop(v->words, values_text(b, i));
	if (b->positions[i / 64] & bit)
		free(values_position(b, i));
	b->texts[i / 64] &= ~bit;
	b->positions[i / 64] &= ~bit;
	b->measured[i / 64] &= ~bit;
	b->bits[i] = 0;
}

int values_put_more(struct values *v, struct values_block *b, uint32_t i, uint32_t more)
{
	if (!b->more && more == 0)
		return 0;
	if (!b->more)
		b->more = calloc(VALUES_BLOCK, sizeof *b->more);
	if (!b->more) {
		notes_drop(&v->notes, more / 4);
		return FAIL(-ENOMEM);
	}
	notes_drop(&v->notes, b->more[i] / 4);
	b->more[i] = more;
	return 0;
}

int values_drop(struct values *v, uint32_t series)
{
	struct values_block *b = v->blocks[series / VALUES_BLOCK];
	const uint32_t i = series % VALUES_BLOCK;

	TRY(mark(v, b, series));
	forget(v, b, i);
	TRY(values_put_more(v, b, i, 0));
	b->alive[i / 64] &= ~(UINT64_C(1) << i % 64);
	b->n_alive--;
	return 0;
}

static struct value get_value(const struct values_block *b, uint32_t i, enum value_type type)
{
	const bool is_text = b->texts[i / 64] >> i % 64 & 1, is_position = b->positions[i / 64] >> i % 64 & 1;

	if ((type == VALUE_TEXT || type == VALUE_ENUM) && is_text)
		return (struct value){.type = type, .text = values_text(b, i)};
	if (type == VALUE_POSITION && is_position)
		return (struct value){.type = type, .position = *values_position(b, i)};
	return value_of_bits(type, b->bits[i]);
}

struct sample values_get(const struct values *v, uint32_t series, enum value_type type)
{
	const struct values_block *b = v->blocks[series / VALUES_BLOCK];
	const uint32_t i = series % VALUES_BLOCK;
	const struct note *note = b->more && b->more[i] / 4 > 0 ? &v->notes.items[b->more[i] / 4] : NULL;

	if (!values_is_measured(v, series))
		return (struct sample){0};
	return (struct sample){
		.t_ns = b->t_ns[i],
		.value = get_value(b, i, type),
		.quality = b->more ? (enum quality)(b->more[i] % 4) : QUALITY_GOOD,
		.sigma = note ? bits_double(note->sigma) : (double)NAN,
		.source = note ? note->source : NULL,
	};
}

static int hold_position(struct values *v, struct values_block *b, uint32_t i,
			 const struct position *position)
{
	struct position *p = malloc(sizeof *p);

	if (!p)
		return FAIL(-ENOMEM);
	*p = *position;
	forget(v, b, i);
	b->bits[i] = (uintptr_t)p;
	b->positions[i / 64] |= UINT64_C(1) << i % 64;
	return 0;
}

/* Where a word is used (intern_mark()): blocks share a place with every 64th. */
static uint64_t place_of(const struct values_block *b)
{
	return UINT64_C(1) << b->number % 64;
}

int values_hold(struct values *v, struct values_block *b, uint32_t i, const struct value *value)
{
	const char *word;

	if (value->type == VALUE_POSITION)
		return hold_position(v, b, i, &value->position);
	TRY(intern_take(v->words, value->text, &word));
	intern_mark(word, place_of(b));
	forget(v, b, i);
	b->bits[i] = (uintptr_t)word;
	b->texts[i / 64] |= UINT64_C(1) << i % 64;
	return 0;
}

/* ---- Which have a text ------------------------------------------------------------------------------------
 */

/* The first place in a block at or behind `from`; VALUES_BLOCK: none. */
static uint32_t find_text(const struct values_block *b, const char *word, uint32_t from)
{
	for (uint32_t piece = from / 64; piece < VALUES_PIECES; piece++) {
		uint64_t rest = b->texts[piece];
		if (piece == from / 64)
			rest &= UINT64_MAX << from % 64;
		for (; rest; rest &= rest - 1) {
			const uint32_t i = piece * 64 + (uint32_t)__builtin_ctzll(rest);
			if (values_text(b, i) == word)
				return i;
		}
	}
	return VALUES_BLOCK;
}

uint32_t values_with_text(const struct values *v, const char *word, uint32_t from)
{
	const uint64_t places = intern_places(word);

	for (uint64_t series = from; series < v->next; series += VALUES_BLOCK - series % VALUES_BLOCK) {
		const struct values_block *b = v->blocks[series / VALUES_BLOCK];
		if (!b || !(places & place_of(b)))
			continue;
		const uint32_t i = find_text(b, word, series % VALUES_BLOCK);
		if (i < VALUES_BLOCK)
			return (uint32_t)(series - series % VALUES_BLOCK) + i;
	}
	return 0;
}

int values_set_number(struct values *v, uint32_t series, int64_t t_ns, uint64_t bits, enum quality quality,
		      const char *source)
{
	struct values_block *b = v->blocks[series / VALUES_BLOCK];
	const uint32_t i = series % VALUES_BLOCK;
	uint32_t note = 0;

	if (values_is_measured(v, series) && t_ns < b->t_ns[i])
		return VALUES_OLD;
	if (source && *source)
		TRY(notes_take(&v->notes, NAN, source, &note));
	const uint32_t more = (uint32_t)quality + note * 4;
	if (values_is_measured(v, series) && t_ns == b->t_ns[i] && bits == b->bits[i] &&
	    more == (b->more ? b->more[i] : 0)) {
		notes_drop(&v->notes, note);
		return VALUES_OLD;
	}
	const int r = mark(v, b, series);
	if (r < 0)
		notes_drop(&v->notes, note);
	TRY(r);
	TRY(values_put_more(v, b, i, more));
	b->t_ns[i] = t_ns;
	b->bits[i] = bits;
	b->measured[i / 64] |= UINT64_C(1) << i % 64;
	return 0;
}

int values_set(struct values *v, uint32_t series, const struct sample *s)
{
	struct values_block *b = v->blocks[series / VALUES_BLOCK];
	const uint32_t i = series % VALUES_BLOCK;
	const bool is_held = s->value.type >= VALUE_TEXT;
	const struct sample held = values_get(v, series, s->value.type);
	uint32_t note;

	if (held.value.type != VALUE_NONE && (s->t_ns < held.t_ns || sample_equal(s, &held)))
		return VALUES_OLD;
	TRY(mark(v, b, series));
	TRY(notes_take(&v->notes, s->sigma, s->source, &note));
	TRY(values_put_more(v, b, i, (uint32_t)s->quality + note * 4));
	if (is_held)
		TRY(values_hold(v, b, i, &s->value));
	else
		b->bits[i] = value_bits(&s->value);
	b->t_ns[i] = s->t_ns;
	b->measured[i / 64] |= UINT64_C(1) << i % 64;
	return 0;
}
