/* SPDX-License-Identifier: Apache-2.0 */
#include "node/walk_private.h"

/* In `met` beside the level: */
#define MET_RETURNED (1u << 31) /* a root that stands in the part */
#define MET_WAITS UINT32_MAX    /* a root that will be walked by itself */
#define LEVEL(value) ((value) & ~MET_RETURNED)

void walk_path_fini(struct walk *w)
{
	pointers_fini(&w->met);
	free(w->path);
	free(w->stack);
	w->path = NULL;
	w->stack = NULL;
	w->n_path = w->path_size = w->n_stack = w->stack_size = 0;
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
	pointers_prefetch(&w->met, s->what);
	return push(w, s);
}

int walk_push_root(struct walk *w, const struct step *s)
{
	if (!s->seen && !pointers_get(&w->met, s->what))
		TRY(pointers_put(&w->met, s->what, MET_WAITS));
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
	return pointers_put(&w->met, s->what, s->root && !s->seen ? s->level | MET_RETURNED : s->level);
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
		uint32_t *met = pointers_get(&w->met, s.what);
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
