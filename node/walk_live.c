/* SPDX-License-Identifier: Apache-2.0 */
#include "node/walk_private.h"
#include "proto/id.h"

enum { ROW_ARENA = 1 << 20 };

/* May the asker be told that this twin, which this node does not own, is a member? Of a third organisation's
 * twins only their owner speaks. */
static bool may_name(struct walk *w, const char *id)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct row row;

	if (walk_is_own(w) || id_is_of_org(id, w->to->org))
		return true;
	return arena_new(&a, ROW_ARENA) == 0 && egress_full_row(&w->e->egress, id, a, &row) == 0 &&
	       egress_discovers(&w->e->egress, w->to, &row);
}

int walk_children_live(struct walk *w, size_t place, const struct twin *t)
{
	const int64_t at_ns = w->q->has_as_of ? w->q->as_of_ns : trust_now(w->e->trust);

	for (const struct edge *e = t->out; e; e = e->next_out) {
		const struct relation *r = &e->relation;
		const struct step *s = &w->steps[place]; /* pushing may have moved them */
		const struct step child = {.id = r->to,
					   .parent = s->id,
					   .above = place,
					   .anchor = s->anchor,
					   .depth = s->depth + 1};
		if (strcmp(r->type, w->q->hierarchy) != 0 || at_ns < r->valid_from_ns ||
		    at_ns > r->valid_to_ns)
			continue;
		if (e->to)
			TRY(walk_push(w, &child));
		else if (may_name(w, r->to))
			TRY(walk_push_edge(w, s, r->to));
	}
	return 0;
}
