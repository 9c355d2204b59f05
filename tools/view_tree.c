/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/map.h"
#include "tools/view_show.h"

#define NONE SIZE_MAX

static void *place(size_t i)
{
	return (void *)(uintptr_t)(i + 1);
}

/* Members come parents first, so a parent is known when its child is met. */
static int link_members(struct shown_view *v, struct map *places, size_t *last_child)
{
	for (size_t i = 0; i < v->view->n_members; i++) {
		const struct view_member *m = &v->view->members[i];
		const uintptr_t known = (uintptr_t)map_get(places, m->parent);
		const size_t parent = known ? known - 1 : v->root_member;

		if (!map_get(places, m->id))
			TRY(map_put(places, m->id, place(i)));
		if (strcmp(m->id, v->root) == 0 && v->root_member == NONE) {
			v->root_member = i;
			continue;
		}
		if (parent == NONE)
			continue;
		v->parent[i] = parent;
		if (last_child[parent] == NONE)
			v->first_child[parent] = i;
		else
			v->next_sibling[last_child[parent]] = i;
		last_child[parent] = i;
	}
	return 0;
}

int view_link(struct shown_view *v)
{
	SCOPED(map_fini) struct map places = {0};
	const size_t n = v->view->n_members;
	size_t *last_child = arena_take_array(v->arena, n, sizeof *last_child);

	v->parent = arena_take_array(v->arena, n, sizeof *v->parent);
	v->first_child = arena_take_array(v->arena, n, sizeof *v->first_child);
	v->next_sibling = arena_take_array(v->arena, n, sizeof *v->next_sibling);
	if (!last_child || !v->parent || !v->first_child || !v->next_sibling)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		last_child[i] = v->parent[i] = v->first_child[i] = v->next_sibling[i] = NONE;
	v->root_member = NONE;
	return link_members(v, &places, last_child);
}

size_t view_next(const struct shown_view *v, size_t i, size_t *depth, size_t depth_max)
{
	if (v->first_child[i] != NONE && *depth < depth_max) {
		++*depth;
		return v->first_child[i];
	}
	for (; i != NONE && *depth > 0; i = v->parent[i], --*depth)
		if (v->next_sibling[i] != NONE)
			return v->next_sibling[i];
	return NONE;
}
