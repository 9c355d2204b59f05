/* SPDX-License-Identifier: Apache-2.0 */
#include "node/walk_private.h"

/* What is known of who was met, beside the level: never 0. */
#define MET (1u << 30)
#define MET_RETURNED (1u << 31) /* a root that stands in the part */
#define MET_WAITS UINT32_MAX    /* a root that will be walked by itself */
#define LEVEL(value) ((value) & (MET - 1))

void walk_path_fini(struct walk *w)
{
	pointers_fini(&w->met);
	free(w->met_twins);
	w->met_twins = NULL;
	w->met_size = 0;
	free(w->path);
	free(w->stack);
	w->path = NULL;
	w->stack = NULL;
	w->n_path = w->path_size = w->n_stack = w->stack_size = 0;
}

/* Own twins have numbers, so an array tells of them; the memory that no number leads to is never touched. */
static int make_room(struct walk *w, uint32_t number)
{
	struct store_position position;

	store_position(w->e->store, &position);
	size_t size = w->met_size ? w->met_size * 2 : position.n_twins + 1024;
	while (size <= number)
		size *= 2;
	uint32_t *met = calloc(size, sizeof *met);
	if (!met)
		return FAIL(-ENOMEM);
	if (w->met_size > 0)
		memcpy(met, w->met_twins, w->met_size * sizeof *met);
	free(w->met_twins);
	w->met_twins = met;
	w->met_size = size;
	return 0;
}

/* NULL: not met; else good until the next met_put(). */
static uint32_t *met_get(const struct walk *w, const void *what)
{
	if (w->source == WALK_CACHED)
		return pointers_get(&w->met, what);
	const uint32_t number = store_form(what).number;
	return number < w->met_size && w->met_twins[number] != 0 ? &w->met_twins[number] : NULL;
}

static int met_put(struct walk *w, const void *what, uint32_t value)
{
	if (w->source == WALK_CACHED)
		return pointers_put(&w->met, what, value);
	const uint32_t number = store_form(what).number;
	if (number >= w->met_size)
		TRY(make_room(w, number));
	w->met_twins[number] = value;
	return 0;
}

static int push(struct walk *w, const struct step *s)
{
	if (w->n_stack == w->stack_size) {
		const size_t size = w->stack_size ? w->stack_size * 2 : 256;
		struct step *stack = realloc(w->stack, size * sizeof *stack);
		if (!stack)
			return FAIL(-ENOMEM);
		w->stack = stack;
		w->stack_size = size;
	}
	w->stack[w->n_stack++] = *s;
	return 0;
}

static int tell_cycle(struct walk *w, const struct step *s)
{
	const char *text = arena_print(w->arena, "%s contains itself by way of %s: the cycle ends there",
				       s->id, s->parent);

	return text ? walk_problem(w, text) : FAIL(-ENOMEM);
}

int walk_push(struct walk *w, const struct step *s)
{
	__builtin_prefetch(s->what);
	if (w->source == WALK_CACHED)
		pointers_prefetch(&w->met, s->what);
	return push(w, s);
}

int walk_push_root(struct walk *w, const struct step *s)
{
	if (!s->seen && !met_get(w, s->what))
		TRY(met_put(w, s->what, MET_WAITS));
	return push(w, s);
}

static int enter(struct walk *w, const struct step *s)
{
	if (s->level >= w->path_size) {
		const size_t size = w->path_size ? w->path_size * 2 : 256;
		const void **path = realloc(w->path, size * sizeof *path);
		if (!path)
			return FAIL(-ENOMEM);
		w->path = path;
		w->path_size = size;
	}
	w->path[s->level] = s->what;
	w->n_path = (size_t)s->level + 1;
	w->n_met++;
	return met_put(w, s->what, MET | s->level | (s->root && !s->seen ? MET_RETURNED : 0));
}

/* What was met is come to again: by way of itself, or by another way, then it was counted already. */
static int meet_again(struct walk *w, const struct step *s, uint32_t met)
{
	const uint32_t level = LEVEL(met);
	const bool leads_back = met != MET_WAITS && level < s->level && w->path[level] == s->what;

	return leads_back && !s->seen ? tell_cycle(w, s) : 0;
}

/* The one after this will be met soon. */
static void look_ahead(const struct walk *w)
{
	if (w->n_stack > 0 && w->source == WALK_LIVE)
		__builtin_prefetch(((const struct twin *)w->stack[w->n_stack - 1].what)->out);
}

int walk_pop(struct walk *w, struct step *ret, bool *ret_again)
{
	while (w->n_stack > 0) {
		const struct step s = w->stack[--w->n_stack];
		uint32_t *met = met_get(w, s.what);
		const bool root = s.root && !s.seen;
		look_ahead(w);
		*ret = s;
		*ret_again = false;
		if (!met || (root && *met == MET_WAITS)) {
			TRY(enter(w, &s));
			return 1;
		}
		if (!s.root) {
			TRY(meet_again(w, &s, *met));
			continue;
		}
		if (!root || *met & MET_RETURNED)
			continue;
		*met |= MET_RETURNED;
		*ret_again = true;
		return 1;
	}
	return 0;
}
