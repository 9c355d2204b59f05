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
	const uint32_t *met = pointers_get(&w->met, s->what);

	if (!met) {
		__builtin_prefetch(s->what);
		return push(w, s);
	}
	const uint32_t level = LEVEL(*met);
	const bool leads_back = *met != MET_WAITS && level < w->n_path && w->path[level] == s->what;
	return leads_back && !s->seen ? tell_cycle(w, s) : 0; /* else two ways lead to it: counted once */
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

int walk_pop(struct walk *w, struct step *ret, bool *ret_again)
{
	while (w->n_stack > 0) {
		const struct step s = w->stack[--w->n_stack];
		uint32_t *met = pointers_get(&w->met, s.what);
		const bool waits = met && *met == MET_WAITS;
		*ret = s;
		*ret_again = false;
		if (!met || waits) {
			TRY(enter(w, &s));
			return 1;
		}
		if (!s.root || s.seen || *met & MET_RETURNED)
			continue;
		*met |= MET_RETURNED;
		*ret_again = true;
		return 1;
	}
	return 0;
}
