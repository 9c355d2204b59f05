/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/timeline.h"

#include <stdlib.h>

#include "proto/clock.h"

struct timed_row {
	int64_t t_ns;
	size_t row;
};

static int compare_rows(const void *a, const void *b)
{
	const struct timed_row *x = a, *y = b;

	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* The rows that have a time, in its order. */
static int sort_rows(struct arena *a, const struct mapped_series *m, const size_t **ret, size_t *ret_n)
{
	SCOPED(scope_free) struct timed_row *timed = calloc(m->table->n_rows + 1, sizeof *timed);
	size_t n = 0;

	if (!timed)
		return FAIL(-ENOMEM);
	for (size_t row = 0; row < m->table->n_rows; row++)
		if (m->times[row] != TIME_MIN)
			timed[n++] = (struct timed_row){m->times[row], row};
	qsort(timed, n, sizeof *timed, compare_rows);
	size_t *rows = arena_take_array(a, n, sizeof *rows);
	if (!rows)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		rows[i] = timed[i].row;
	*ret = rows;
	*ret_n = n;
	return 0;
}

static int open_cursor(struct timeline *t, size_t at)
{
	struct timeline_cursor *c = &t->cursors[at];

	c->series = &t->im->series[at];
	t->n_samples += c->series->n_samples;
	for (size_t i = at; i-- > 0;)
		if (t->cursors[i].series->series == c->series->series) {
			c->rows = t->cursors[i].rows;
			c->n = t->cursors[i].n;
			return 0;
		}
	return sort_rows(t->im->arena, c->series->series, &c->rows, &c->n);
}

/* ---- The earliest ----------------------------------------------------------------------------------------
 */

static int64_t time_at(const struct timeline_cursor *c)
{
	return c->series->series->times[c->rows[c->at]];
}

static bool is_before(const struct timeline_cursor *a, const struct timeline_cursor *b)
{
	return time_at(a) != time_at(b) ? time_at(a) < time_at(b) : a < b;
}

static void sink(struct timeline *t, size_t i)
{
	struct timeline_cursor *c = t->heap[i];

	for (size_t child; (child = 2 * i + 1) < t->n_heap; i = child) {
		if (child + 1 < t->n_heap && is_before(t->heap[child + 1], t->heap[child]))
			child++;
		if (!is_before(t->heap[child], c))
			break;
		t->heap[i] = t->heap[child];
	}
	t->heap[i] = c;
}

static bool is_blank(const struct timeline_cursor *c)
{
	return *csv_cell(c->series->series->table, c->rows[c->at], c->series->column) == '\0';
}

/* Behind rows that say nothing of this series. */
static bool skip_blank(struct timeline_cursor *c)
{
	while (c->at < c->n && is_blank(c))
		c->at++;
	return c->at < c->n;
}

void timeline_rewind(struct timeline *t)
{
	t->n_heap = 0;
	for (size_t i = 0; i < t->n_cursors; i++) {
		t->cursors[i].at = 0;
		if (skip_blank(&t->cursors[i]))
			t->heap[t->n_heap++] = &t->cursors[i];
	}
	for (size_t i = t->n_heap / 2; i-- > 0;)
		sink(t, i);
}

static void find_bounds(struct timeline *t)
{
	for (size_t i = 0; i < t->n_heap; i++) {
		const struct timeline_cursor *c = t->heap[i];
		const int64_t first_ns = time_at(c), last_ns = c->series->series->times[c->rows[c->n - 1]];
		if (i == 0 || first_ns < t->first_ns)
			t->first_ns = first_ns;
		if (i == 0 || last_ns > t->last_ns)
			t->last_ns = last_ns;
	}
}

int timeline_open(struct timeline *t, struct import *im)
{
	t->im = im;
	t->n_cursors = im->n_series;
	t->cursors = arena_take_array(im->arena, im->n_series, sizeof *t->cursors);
	t->heap = arena_take_array(im->arena, im->n_series, sizeof *t->heap);
	if (!t->cursors || !t->heap)
		return FAIL(-ENOMEM);
	TRY(arena_new(&t->arena, SIZE_MAX));
	for (size_t i = 0; i < t->n_cursors; i++)
		TRY(open_cursor(t, i));
	timeline_rewind(t);
	find_bounds(t);
	return 0;
}

void timeline_fini(struct timeline *t)
{
	arena_free(t->arena);
	t->arena = NULL;
}

/* The sample of a row; false: it cannot be read, which the import has said. */
static int read_row(struct timeline *t, const struct timeline_cursor *c, struct timeline_sample *ret,
		    bool *ret_good)
{
	const size_t row = c->rows[c->at];
	size_t at = row;
	struct op_samples one;

	arena_reset(t->arena);
	TRY(import_samples(t->im, c->series, t->arena, &at, 1, false, &one));
	*ret_good = one.n == 1 && at == row + 1;
	if (*ret_good)
		*ret = (struct timeline_sample){one.twin, c->series->series->def, one.samples[0]};
	return 0;
}

int timeline_next(struct timeline *t, struct timeline_sample *ret)
{
	bool good = false;

	while (!good && t->n_heap > 0) {
		struct timeline_cursor *c = t->heap[0];
		TRY(read_row(t, c, ret, &good));
		c->at++;
		if (!skip_blank(c))
			t->heap[0] = t->heap[--t->n_heap];
		if (t->n_heap > 0)
			sink(t, 0);
	}
	return good;
}
