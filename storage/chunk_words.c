/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/chunk_words.h"

#include <stdlib.h>

#include "proto/limits.h"
#include "storage/chunk_number.h"

struct slot {
	const char *text; /* where it first occurs; NULL: free */
	uint64_t word;
};

/* Hash table of the words so far. */
struct dictionary {
	struct slot *slots;
	size_t n_slots; /* a power of two, at least twice the words */
	uint64_t n;
	struct buf words; /* as stored */
};

static void dictionary_fini(struct dictionary *d)
{
	free(d->slots);
	buf_fini(&d->words);
}

static void scope_numbers(uint64_t **p)
{
	free(*p);
}

static size_t hash_text(const char *text)
{
	uint64_t h = 0xcbf29ce484222325U; /* FNV-1a */

	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 0x100000001b3U;
	return (size_t)(h >> 32 ^ h);
}

static uint64_t word_of(struct dictionary *d, const char *text)
{
	size_t i = hash_text(text) & (d->n_slots - 1);

	for (; d->slots[i].text; i = (i + 1) & (d->n_slots - 1))
		if (strcmp(d->slots[i].text, text) == 0)
			return d->slots[i].word;
	d->slots[i] = (struct slot){text, d->n++};
	record_put_varint(&d->words, strlen(text));
	buf_put_text(&d->words, text);
	return d->slots[i].word;
}

/* Into word[]; UINT64_MAX: none. */
static void look_up(struct dictionary *d, const char *more, const uint64_t *places, size_t n, uint64_t *word)
{
	for (size_t i = 0; i < n; i++) {
		if (places[i] == COLUMN_NONE)
			word[i] = UINT64_MAX;
		else if (i > 0 && places[i] == places[i - 1])
			word[i] = word[i - 1];
		else
			word[i] = word_of(d, more + places[i]);
	}
	for (size_t i = 0; i < n; i++)
		word[i] = word[i] < d->n ? word[i] : d->n;
}

void words_encode(const struct buf *more, const uint64_t *places, size_t n, enum chunk_effort effort,
		  struct buf *out)
{
	SCOPED(dictionary_fini) struct dictionary d = {.n_slots = 2};
	SCOPED(scope_numbers) uint64_t *word = malloc(n * sizeof *word);

	while (d.n_slots < 2 * n)
		d.n_slots *= 2;
	d.slots = calloc(d.n_slots, sizeof *d.slots);
	if (!word || !d.slots) {
		out->failed = true;
		return;
	}
	look_up(&d, (const char *)more->data, places, n, word);
	record_put_varint(out, d.n);
	buf_put(out, buf_bytes(&d.words));
	out->failed |= d.words.failed;
	numbers_encode(word, n, NUMBER_INTEGER, effort, out);
}

/* Where each word begins in `more`. */
static int read_words(struct record_reader *r, uint64_t n, struct buf *more, uint64_t *begin)
{
	for (uint64_t i = 0; i < n; i++) {
		const struct bytes word = record_bytes(r, record_varint(r));

		if (r->failed || word.len > TEXT_VALUE_MAX || memchr(word.data, 0, word.len))
			return FAIL(ERR_CORRUPT);
		begin[i] = more->len;
		buf_put(more, word);
		buf_put_u8(more, 0);
	}
	return buf_check(more);
}

int words_decode(struct record_reader *r, size_t n, bool may_lack, struct buf *more, uint64_t *places)
{
	const uint64_t n_words = record_varint(r);

	if (r->failed || n_words > n)
		return FAIL(ERR_CORRUPT);
	SCOPED(scope_numbers) uint64_t *begin = malloc((n_words + 1) * sizeof *begin);
	if (!begin)
		return FAIL(-ENOMEM);
	TRY(read_words(r, n_words, more, begin));
	begin[n_words] = COLUMN_NONE;
	TRY(numbers_decode(r, n, places));
	for (size_t i = 0; i < n; i++) {
		if (places[i] > n_words || (places[i] == n_words && !may_lack))
			return FAIL(ERR_CORRUPT);
		places[i] = begin[places[i]];
	}
	return 0;
}
