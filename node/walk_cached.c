/* SPDX-License-Identifier: Apache-2.0 */
#include "node/walk_private.h"
#include "proto/id.h"

/* Rows carry the child's word only. What another organisation's twin says of its place here, nobody confirms
 * now. */
static int claim(struct walk *w, const char *child, const char *parent)
{
	const char *text = arena_print(w->arena, "%s says that it belongs to %s, whose owner does not answer",
				       child, parent);

	w->part->counts.members++;
	w->part->counts.unconfirmed++;
	return text ? walk_problem(w, text) : FAIL(-ENOMEM);
}

int walk_children_cached(struct walk *w, size_t place)
{
	const struct remote_row *child = NULL;

	while ((child = store_row_child_next(w->e->store, w->q->hierarchy, w->steps[place].id, child))) {
		const struct step *s = &w->steps[place];
		const struct step next = {.id = child->id,
					  .parent = s->id,
					  .above = place,
					  .anchor = s->anchor,
					  .depth = s->depth + 1};
		if (bytes_equal(id_org(child->id), id_org(s->id)))
			TRY(walk_push(w, &next));
		else if (walk_is_own(w))
			TRY(claim(w, child->id, s->id));
	}
	return 0;
}
