/* SPDX-License-Identifier: Apache-2.0 */
#include "node/find_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/clock.h"
#include "proto/words.h"

enum { SLICE_NS = 2000000, FIRST_SLICE_NS = 3000000 };

static void on_closed(uv_handle_t *h)
{
	struct find *f = h->data;

	arena_free(f->arena);
	free(f);
}

/* The handle closes in the loop's next turn, and takes the find with it. */
static void find_free(struct find *f)
{
	f->e->n_finds--;
	matcher_fini(&f->matcher);
	arena_free(f->scratch);
	f->scratch = NULL;
	uv_close((uv_handle_t *)&f->idle, on_closed);
}

int find_problem(struct find *f, const char *text)
{
	if (f->part.n_problems == PROBLEMS_MAX)
		return 0;
	const char **slot = arena_push(f->arena, &f->part.problems, &f->part.n_problems, sizeof *slot);
	const char *copy = arena_copy(f->arena, text);

	if (!slot || !copy)
		return FAIL(-ENOMEM);
	*slot = copy;
	return 0;
}

/* ---- The answer ------------------------------------------------------------------------------------------
 */

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct view_member *)a)->id, ((const struct view_member *)b)->id);
}

/* What is on the page is judged as it is now. */
static int add_page(struct find *f, const struct find_page *p, struct view_counts *counts,
		    int (*member)(struct find *f, const char *id, struct view_member *ret))
{
	for (size_t i = 0; i < p->n; i++) {
		struct view_member m;
		const int r = member(f, p->ids[i], &m);
		TRY(r);
		if (r == STORE_ABSENT) {
			counts->members -= counts->members > 0;
			continue;
		}
		struct view_member *place =
			arena_push(f->arena, &f->part.members, &f->part.n_members, sizeof *place);
		if (!place)
			return FAIL(-ENOMEM);
		*place = m;
	}
	return 0;
}

/* In order, each once, no more than asked for. */
static void cut_page(struct find *f)
{
	struct view_part *p = &f->part;
	size_t n = 0;

	if (p->n_members > 0)
		qsort(p->members, p->n_members, sizeof *p->members, by_id);
	for (size_t i = 0; i < p->n_members && n < f->q.limit; i++)
		if (n == 0 || strcmp(p->members[n - 1].id, p->members[i].id) != 0)
			p->members[n++] = p->members[i];
	p->n_members = n;
}

static int put_together(struct find *f)
{
	struct view_counts *c = &f->part.counts;

	TRY(add_page(f, &f->own, &f->own_counts, find_own_member));
	TRY(add_page(f, &f->rows, &f->row_counts, find_row_member));
	cut_page(f);
	c->members += f->own_counts.members + f->row_counts.members;
	c->live += f->own_counts.members;
	c->cached += f->row_counts.members;
	c->withheld += f->own_counts.withheld + f->row_counts.withheld;
	return find_add_sources(f);
}

static void finish(struct find *f)
{
	struct err_note note = {0};
	int code = f->e->stopping ? FAIL(ERR_UNREACHABLE) : f->failed;

	f->stage = FIND_END;
	uv_idle_stop(&f->idle);
	if (code == 0)
		code = matcher_renew(&f->matcher);
	if (code == 0)
		code = put_together(f);
	if (f->e->stopping)
		err_say(&note, 0, "the node is stopping");
	f->done(f->ctx, code, &note, &f->part);
	find_free(f);
}

/* ---- Its life --------------------------------------------------------------------------------------------
 */

static void on_idle(uv_idle_t *idle)
{
	find_advance(idle->data);
}

static bool is_scanning(const struct find *f)
{
	return f->stage != FIND_WAIT && f->stage != FIND_END;
}

/* Rows of who did not answer, if there are any. */
static int begin_rows(struct find *f)
{
	f->stage = FIND_ROWS;
	snprintf(f->at, sizeof f->at, "%s", find_counts(f) ? "" : f->q.after);
	return find_page_init(&f->rows, f->q.limit, f->arena);
}

static bool has_rows_to_see(const struct find *f)
{
	for (size_t i = 0; i < f->n_sources; i++)
		if (f->sources[i].state != SOURCE_ANSWERED)
			return true;
	return false;
}

/* One slice; the share of the loop is that of one find, however many there are. */
static int scan(struct find *f)
{
	const int64_t share_ns = SLICE_NS / (int64_t)f->e->n_finds;
	const int r = find_scan(f, engine_mono_ns() + (f->has_begun ? share_ns : FIRST_SLICE_NS));

	f->has_begun = true;
	if (r == 0)
		f->stage = f->stage == FIND_ROWS ? FIND_END : FIND_WAIT;
	return r < 0 ? r : 0;
}

void find_advance(struct find *f)
{
	int r = 0;

	if (f->is_beginning)
		return;
	if (is_scanning(f) && !f->e->stopping && f->failed == 0)
		r = scan(f);
	if (r == 0 && f->stage == FIND_WAIT && f->n_waiting == 0 && has_rows_to_see(f))
		r = begin_rows(f);
	if (r < 0 && f->failed == 0)
		f->failed = r;
	const bool over = f->failed < 0 || f->e->stopping || !is_scanning(f);
	if (over && f->n_waiting == 0)
		finish(f);
	else if (over)
		uv_idle_stop(&f->idle);
	else
		uv_idle_start(&f->idle, on_idle);
}

static int copy_question(struct find *f, const struct view_question *q)
{
	f->q = (struct view_question){.where = arena_copy(f->arena, text_or_empty(q->where)),
				      .after = arena_copy(f->arena, text_or_empty(q->after)),
				      .hierarchy = "",
				      .by_property = "",
				      .limit = q->limit < FIND_PAGE_MAX ? q->limit : FIND_PAGE_MAX,
				      .offline = q->offline,
				      .fresh_ns = q->fresh_ns,
				      .n_show = q->n_show};
	f->q.show = arena_take_array(f->arena, q->n_show, sizeof *f->q.show);
	if (!f->q.where || !f->q.after || !f->q.show)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < q->n_show; i++) {
		f->q.show[i] = arena_copy(f->arena, q->show[i]);
		if (!f->q.show[i])
			return FAIL(-ENOMEM);
	}
	return 0;
}

static int begin(struct find *f, const struct audience *to, const struct view_question *q,
		 struct err_note *note)
{
	const int64_t time_ns = q->deadline_ns > 0 ? q->deadline_ns : f->e->config->deadline_ms * NS_PER_MS;

	f->deadline_ns = engine_mono_ns() + time_ns;
	TRY(arena_new(&f->arena, FIND_BYTES_MAX));
	TRY(arena_new(&f->scratch, FIND_SCRATCH_BYTES));
	TRY(audience_copy(f->arena, to, &f->to));
	TRY(copy_question(f, q));
	TRY(matcher_init(&f->matcher, f->e, &f->to, f->q.where, f->arena, note));
	TRY(find_scan_begin(f));
	return find_others_begin(f);
}

int find_ask(struct engine *e, const struct audience *to, const struct view_question *q, view_fn *done,
	     void *ctx, struct err_note *note)
{
	const size_t most = egress_is_own(&e->egress, to) ? FINDS_MAX : FINDS_MAX / 2;
	struct find *f;

	if (e->n_finds >= most)
		return FAIL_SAY(note, ERR_REFUSED, "%zu searches are running already: try again in a moment",
				e->n_finds);
	f = calloc(1, sizeof *f);
	if (!f)
		return FAIL(-ENOMEM);
	*f = (struct find){.e = e, .done = done, .ctx = ctx, .is_beginning = true};
	uv_idle_init(&e->loop, &f->idle);
	f->idle.data = f;
	e->n_finds++;
	const int r = begin(f, to, q, note);
	if (r < 0 && f->n_waiting == 0) {
		find_free(f);
		return r;
	}
	f->failed = r;
	f->is_beginning = false;
	find_advance(f);
	return 0;
}
