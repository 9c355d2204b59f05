/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "node/find_private.h"

bool find_counts(const struct find *f)
{
	return f->q.after[0] == '\0';
}

/* ---- The page --------------------------------------------------------------------------------------------
 */

int find_page_init(struct find_page *p, size_t limit, struct arena *a)
{
	p->limit = limit;
	p->room = arena_take_array(a, limit, sizeof *p->room);
	p->ids = arena_take_array(a, limit, sizeof *p->ids);
	if (!p->room || !p->ids)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < limit; i++)
		p->ids[i] = p->room[i];
	return 0;
}

/* The last one makes room when the page is full. */
void find_page_put(struct find_page *p, const char *id)
{
	size_t low = 0, high = p->n;

	if (p->limit == 0 || (p->n > 0 && strcmp(id, p->ids[p->n - 1]) > 0))
		low = high = p->n;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int r = strcmp(id, p->ids[middle]);
		if (r == 0)
			return;
		if (r > 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == p->limit)
		return;
	if (p->n < p->limit)
		p->n++;
	char *room = p->ids[p->n - 1];
	memmove(&p->ids[low + 1], &p->ids[low], (p->n - 1 - low) * sizeof *p->ids);
	p->ids[low] = room;
	snprintf(room, TWIN_ID_MAX + 1, "%s", id);
}

static bool is_full(const struct find_page *p)
{
	return p->n == p->limit;
}

/* ---- Own twins -------------------------------------------------------------------------------------------
 */

static void go_on(struct find *f, enum find_stage stage)
{
	f->stage = stage;
	f->place = 0;
	f->at[0] = '\0';
}

/* A text is no way in for somebody who may not see it everywhere: what is withheld is counted of all. */
int find_scan_begin(struct find *f)
{
	TRY(find_page_init(&f->own, f->q.limit, f->arena));
	f->text = f->matcher.own ? expr_requires_text(f->matcher.expr, &f->slot) : NULL;
	go_on(f, f->text ? FIND_TEXTS : f->q.limit > 0 ? FIND_IDS : FIND_STORED);
	snprintf(f->at, sizeof f->at, "%s", f->q.after);
	return 0;
}

static int look_at(struct find *f, const struct twin *t)
{
	struct match m;

	TRY(matcher_twin(&f->matcher, t, &m));
	f->own_counts.withheld += m.withheld;
	if (!m.selected)
		return 0;
	f->own_counts.members++;
	if (f->stage != FIND_STORED && strcmp(t->id, f->q.after) > 0)
		find_page_put(&f->own, t->id);
	return 0;
}

/* The page first; if that needs not all of them, all are counted in the order in which they lie in memory. */
static int scan_ids(struct find *f)
{
	const struct twin *run[FIND_RUN];
	const size_t n = store_twins(f->e->store, f->at, run, FIND_RUN);

	for (size_t i = 0; i < n && !is_full(&f->own); i++)
		TRY(look_at(f, run[i]));
	if (n > 0)
		snprintf(f->at, sizeof f->at, "%s", run[n - 1]->id);
	if (n > 0 && !is_full(&f->own))
		return 1;
	if (n == 0 || !find_counts(f))
		return 0;
	f->own_counts = (struct view_counts){0};
	go_on(f, FIND_STORED);
	return 1;
}

static int scan_stored(struct find *f)
{
	const struct twin *run[FIND_RUN];
	const size_t n = store_twins_stored(f->e->store, &f->place, run, FIND_RUN);

	for (size_t i = 0; i < n; i++)
		TRY(look_at(f, run[i]));
	return n > 0;
}

static int scan_texts(struct find *f)
{
	for (size_t i = 0; i < FIND_RUN; i++) {
		size_t property;
		f->place = store_series_with_text(f->e->store, f->text, f->place);
		if (f->place == 0)
			return 0;
		const struct twin *t = store_series_owner(f->e->store, f->place++, &property);
		if (t && strcmp(t->type->def.properties[property].name, f->matcher.properties[f->slot]) == 0)
			TRY(look_at(f, t));
	}
	return 1;
}

/* ---- Rows ------------------------------------------------------------------------------------------------
 */

static int look_at_row(struct find *f, const struct remote_row *r)
{
	struct match m;
	struct row row;

	arena_reset(f->scratch);
	TRY(row_decode(f->scratch, r->encoded, &row));
	TRY(matcher_row(&f->matcher, &row, &m));
	f->row_counts.withheld += m.withheld;
	if (!m.selected)
		return 0;
	f->row_counts.members++;
	if (strcmp(r->id, f->q.after) > 0)
		find_page_put(&f->rows, r->id);
	return 0;
}

static int scan_rows(struct find *f)
{
	const struct remote_row *run[FIND_RUN];
	const struct origin *origin = NULL;
	bool wanted = false;
	const size_t n = store_rows(f->e->store, f->at, run, FIND_RUN);

	for (size_t i = 0; i < n; i++) {
		if (run[i]->origin != origin) {
			origin = run[i]->origin;
			wanted = find_wants_row(f, origin);
		}
		if (wanted)
			TRY(look_at_row(f, run[i]));
	}
	if (n > 0)
		snprintf(f->at, sizeof f->at, "%s", run[n - 1]->id);
	return n > 0 && (find_counts(f) || !is_full(&f->rows));
}

int find_scan(struct find *f, int64_t until_ns)
{
	static int (*const scans[])(struct find * f) = {[FIND_IDS] = scan_ids,
							[FIND_STORED] = scan_stored,
							[FIND_TEXTS] = scan_texts,
							[FIND_ROWS] = scan_rows};
	int r;

	TRY(matcher_renew(&f->matcher));
	do
		r = scans[f->stage](f);
	while (r > 0 && engine_mono_ns() < until_ns);
	return r;
}
