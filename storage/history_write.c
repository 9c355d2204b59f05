/* SPDX-License-Identifier: Apache-2.0 */
/* From what is frozen to a run: the slots are sorted by series, keeping the order in which they came; those
 * of a series by time; and out of each series become chunks. */
#include <assert.h>
#include <stdlib.h>

#include "storage/chunk.h"
#include "storage/history_private.h"

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, PREFETCH = 16 };

/* Series in the upper half, rank in the lower: in the order in which the samples came. */
static size_t list_slots(const struct slot_view *v, uint64_t *keys)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		for (uint32_t at = v->blocks[i]->first == 0; at < v->blocks[i]->n; at++)
			keys[n++] = (uint64_t)v->blocks[i]->slots[at].series << 32 |
				    ((uint32_t)i * BLOCK_SLOTS + at);
	return n;
}

static size_t count_slots(const struct slot_view *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += v->blocks[i]->n;
	return n;
}

/* One digit of a radix sort; false: all have the same, nothing was done. */
static bool sort_digit(const uint64_t *from, uint64_t *to, size_t n, unsigned shift)
{
	size_t places[DIGITS] = {0}, at = 0;

	for (size_t i = 0; i < n; i++)
		places[from[i] >> shift & (DIGITS - 1)]++;
	if (places[from[0] >> shift & (DIGITS - 1)] == n)
		return false;
	for (size_t d = 0; d < DIGITS; d++) {
		const size_t count = places[d];
		places[d] = at;
		at += count;
	}
	for (size_t i = 0; i < n; i++)
		to[places[from[i] >> shift & (DIGITS - 1)]++] = from[i];
	return true;
}

/* By series, otherwise in the order in which they were. Returns the one of the two that it ended in. */
static uint64_t *sort_by_series(uint64_t *keys, uint64_t *spare, size_t n)
{
	for (unsigned shift = 32; shift < 64 && n > 0; shift += DIGIT_BITS) {
		if (!sort_digit(keys, spare, n, shift))
			continue;
		uint64_t *sorted = spare;
		spare = keys;
		keys = sorted;
	}
	return keys;
}

struct write {
	struct run_writer run;
	struct column column;
	struct buf encoded;
	struct slot_ref *refs;
	size_t size;
	uint64_t *keys, *spare;
};

static void write_fini(struct write *w)
{
	run_writer_drop(&w->run);
	column_fini(&w->column);
	buf_fini(&w->encoded);
	free(w->refs);
	free(w->keys);
	free(w->spare);
}

int history_put_chunk(struct run_writer *run, uint32_t series, const struct column *c, size_t i, size_t end,
		      enum chunk_effort effort, struct buf *scratch)
{
	const struct run_key key = {series, RUN_CHUNK, c->t_ns[i]};
	const struct run_span span = {c->t_ns[i], c->t_ns[end - 1], end - i};

	buf_clear(scratch);
	chunk_encode(c, i, end, effort, scratch);
	TRY(buf_check(scratch));
	return run_writer_put(run, &key, buf_bytes(scratch), &span);
}

static int reserve_refs(struct write *w, size_t n)
{
	if (n <= w->size)
		return 0;
	const size_t size = n > 2 * w->size ? n : 2 * w->size;
	struct slot_ref *refs = realloc(w->refs, size * sizeof *refs);
	if (!refs)
		return FAIL(-ENOMEM);
	w->refs = refs;
	w->size = size;
	return 0;
}

/* All samples of one series. */
static int write_series(struct write *w, const struct slot_view *v, const uint64_t *keys, size_t n)
{
	const uint32_t series = (uint32_t)(keys[0] >> 32);
	size_t taken;

	TRY(reserve_refs(w, n));
	for (size_t i = 0; i < n; i++) {
		if (i + PREFETCH < n)
			__builtin_prefetch(slot_view_at(v, (uint32_t)keys[i + PREFETCH]));
		const uint32_t rank = (uint32_t)keys[i];
		w->refs[i] = (struct slot_ref){slot_view_at(v, rank)->t_ns, rank};
	}
	n = slot_refs_sort(w->refs, n);
	for (size_t i = 0; i < n; i += taken) {
		column_clear(&w->column);
		TRY(slot_view_fill(v, w->refs + i, n - i, &w->column, &taken));
		TRY(history_put_chunk(&w->run, series, &w->column, 0, w->column.n, CHUNK_FAST, &w->encoded));
	}
	return 0;
}

static int write_all(struct write *w, const struct slot_view *v, size_t n)
{
	const uint64_t *keys = sort_by_series(w->keys, w->spare, n);
	size_t end;

	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && keys[end] >> 32 == keys[i] >> 32;)
			end++;
		TRY(write_series(w, v, keys + i, end - i));
	}
	return 0;
}

int history_write(struct history *h)
{
	SCOPED(write_fini) struct write w = {0};
	const struct slot_view *v = &h->recent.frozen;
	const size_t most = count_slots(v);

	assert(!h->written);
	if (most == 0)
		return 0;
	TRY(history_check_room(h));
	w.keys = malloc(most * sizeof *w.keys);
	w.spare = malloc(most * sizeof *w.spare);
	if (!w.keys || !w.spare)
		return FAIL(-ENOMEM);
	const size_t n = list_slots(v, w.keys);
	TRY(run_writer_begin(&w.run, h->dir, h->next_number++, h->limit_bytes));
	TRY(write_all(&w, v, n));
	return run_writer_end(&w.run, &h->written);
}
