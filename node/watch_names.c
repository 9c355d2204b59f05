/* SPDX-License-Identifier: Apache-2.0 */
/* Which changes may show in a watch: a node that takes a million samples a second looks at a view again only
 * for those that could be in it. */
#include "node/watch_private.h"

#include <stdlib.h>

#include "proto/packed.h"

enum { UNKNOWN, SHOWS, HIDDEN };
enum { CLIMB_MAX = 256, LEVEL_MAX = 64 };

static void add_name(struct watch_names *n, const char *name)
{
	if (name && name[0])
		n->names[n->n++] = name;
}

/* Names are copied: the request they came with is replaced by its renewals. */
int watch_names_init(struct watch *w, const struct view_question *q)
{
	struct watch_names *n = &w->names;
	struct err_note note;
	struct expr *where;
	size_t n_where = 0;

	*n = (struct watch_names){0};
	for (size_t i = 0; i < q->n_rollups; i++)
		add_name(n, q->rollups[i].property);
	for (size_t i = 0; i < q->n_show; i++)
		add_name(n, q->show[i]);
	add_name(n, q->by_property);
	for (size_t i = 0; i < n->n; i++)
		if (!(n->names[i] = arena_copy(w->arena, n->names[i])))
			return FAIL(-ENOMEM);
	if (!q->where || !q->where[0] || expr_parse(w->arena, q->where, &where, &note) < 0)
		return 0;
	const char *const *names = expr_properties(where, &n_where);
	for (size_t i = 0; i < n_where && i < EXPR_PROPERTIES_MAX; i++)
		add_name(n, names[i]);
	return 0;
}

static bool names_property(const struct watch_names *n, const char *property)
{
	for (size_t i = 0; i < n->n; i++)
		if (strcmp(n->names[i], property) == 0)
			return true;
	return false;
}

/* Upwards from the twin. Whoever has too many above it to look at is taken to be below. */
static bool is_below(const struct watch *w, const struct twin *t)
{
	const struct view_question *q = &w->call->request.question;
	const struct twin *level[LEVEL_MAX] = {t};
	size_t n = 1;

	for (size_t seen = 0; n > 0; seen++) {
		const struct twin *at = level[--n];
		if (seen == CLIMB_MAX || strcmp(at->id, q->roots[0].id) == 0)
			return true;
		for (const struct edge *e = at->in; e; e = e->next_in) {
			if (strcmp(e->relation.type, q->hierarchy) != 0 || !e->from)
				continue;
			if (n == LEVEL_MAX)
				return true;
			level[n++] = e->from;
		}
	}
	return false;
}

/* KPIs, alarms and members make the health of their twin. */
static bool may_show(const struct watches *all, const struct twin *t, size_t place)
{
	const struct property_def *p = &t->type->def.properties[place];

	for (const struct watch *w = all->list; w; w = w->next)
		if ((property_is_in_row(p) || names_property(&w->names, p->name)) &&
		    (!w->here || is_below(w, t)))
			return true;
	return false;
}

void watches_staged(struct watches *w, const struct op *op)
{
	size_t place;

	if (!w || !w->list || w->staged)
		return;
	if (op->kind != OP_SAMPLES) {
		watches_forget_series(w);
		w->staged = true;
		return;
	}
	const struct twin *t = store_twin(w->engine->store, op->samples.twin);
	if (t && t->type && type_property(&t->type->def, op->samples.property, &place))
		w->staged = may_show(w, t, place);
}

void watches_forget_series(struct watches *w)
{
	free(w->series);
	w->series = NULL;
	w->n_series = 0;
}

static bool make_room(struct watches *w, uint32_t series)
{
	const size_t n = series < 1024 ? 1024 : (size_t)series * 2;
	uint8_t *more;

	if (series < w->n_series)
		return true;
	more = realloc(w->series, n);
	if (!more)
		return false;
	memset(more + w->n_series, UNKNOWN, n - w->n_series);
	w->series = more;
	w->n_series = n;
	return true;
}

/* Only of series that there are: nobody makes the table grow with numbers of his own. */
static bool series_may_show(struct watches *w, uint32_t series)
{
	size_t place;

	if (series < w->n_series && w->series[series] != UNKNOWN)
		return w->series[series] == SHOWS;
	const struct twin *t = store_series_owner(w->engine->store, series, &place);
	if (!t || !t->type)
		return false;
	const bool shows = may_show(w, t, place);
	if (make_room(w, series))
		w->series[series] = shows ? SHOWS : HIDDEN;
	return shows;
}

void watches_staged_frame(struct watches *w, const struct packed *frame)
{
	if (!w || !w->list)
		return;
	for (size_t i = 0; i < frame->n && !w->staged; i++)
		w->staged = series_may_show(w, packed_u32(frame->series, i));
}
