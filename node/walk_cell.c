/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/walk_private.h"

static const char cells_full[] =
	"there are more groups than fit into one answer: ask with a filter, or by something else";

/* The cells of a group, by the number of the time: places in part->cells, one up. */
static int places_of(struct walk *w, const char *group, uint32_t **ret)
{
	*ret = map_get(&w->cells, group);
	if (*ret)
		return 0;
	const char *kept = walk_text(w, group);
	*ret = arena_take_array(w->arena, walk_series_times(w), sizeof **ret);
	return kept && *ret ? map_put(&w->cells, kept, *ret) : FAIL(-ENOMEM);
}

int walk_cell(struct walk *w, const char *group, size_t time, size_t *ret)
{
	uint32_t *places;

	TRY(places_of(w, group, &places));
	*ret = (size_t)places[time] - 1;
	if (places[time] > 0)
		return 0;
	*ret = SIZE_MAX;
	if (w->part->n_cells == VIEW_CELLS_MAX)
		return walk_cut(w, cells_full);
	struct view_cell *cell = arena_push(w->arena, &w->part->cells, &w->part->n_cells, sizeof *cell);
	if (!cell)
		return FAIL(-ENOMEM);
	*cell = (struct view_cell){
		.group = walk_text(w, group),
		.t_ns = w->series ? walk_series_time(w, time) : 0,
		.rollups = arena_take_array(w->arena, w->q->n_rollups, sizeof *cell->rollups)};
	if (!cell->group || !cell->rollups)
		return FAIL(-ENOMEM);
	*ret = w->part->n_cells - 1;
	places[time] = (uint32_t)w->part->n_cells;
	return 0;
}

static int one_group(struct walk *w, const struct holder *h, const char *group, size_t *ret, size_t *n)
{
	size_t cell;

	TRY(walk_cell(w, group, h->past && h->past->number ? h->past->number[h->at] : 0, &cell));
	if (cell != SIZE_MAX)
		ret[(*n)++] = cell;
	return 0;
}

static int tag_groups(struct walk *w, const struct holder *h, const struct expr_twin *face, size_t *ret,
		      size_t *n)
{
	for (size_t i = 0; i < face->n_tags && i < TAGS_MAX; i++)
		TRY(one_group(w, h, face->tags[i], ret, n));
	return face->n_tags == 0 ? one_group(w, h, "", ret, n) : 0;
}

static int property_group(struct walk *w, struct holder *h, const char **ret)
{
	struct sample sample;
	const char *unit;
	bool has;

	*ret = "";
	TRY(walk_value(w, h, w->needs.by, &sample, &unit, &has));
	if (has && sample.value.type != VALUE_POSITION)
		*ret = value_text(w->rows, &sample.value);
	return *ret ? 0 : FAIL(-ENOMEM);
}

int walk_groups(struct walk *w, struct holder *h, const struct expr_twin *face, size_t *ret, size_t *ret_n)
{
	const char *group = NULL;

	*ret_n = 0;
	switch (w->q->by) {
	case GROUP_NONE: return w->series ? one_group(w, h, "", ret, ret_n) : 0;
	case N_VIEW_GROUPS: return 0;
	case GROUP_KIND: group = kind_text(face->kind); break;
	case GROUP_TYPE: group = face->type; break;
	case GROUP_ORG: group = walk_org(w, face->id); break;
	case GROUP_TAG: return tag_groups(w, h, face, ret, ret_n);
	case GROUP_PROPERTY: TRY(property_group(w, h, &group)); break;
	}
	return group ? one_group(w, h, group, ret, ret_n) : FAIL(-ENOMEM);
}

static int by_time_and_group(const void *a, const void *b)
{
	const struct view_cell *x = a, *y = b;

	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	return strcmp(x->group, y->group);
}

void walk_sort_cells(struct walk *w)
{
	if (w->part->n_cells > 1)
		qsort(w->part->cells, w->part->n_cells, sizeof *w->part->cells, by_time_and_group);
}
