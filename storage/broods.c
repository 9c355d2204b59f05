/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/broods.h"

#include <stdlib.h>

struct brood {
	struct parent_ref *first, *last; /* never empty */
};

void broods_fini(struct broods *b)
{
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&b->parents, &at));)
		free(e->value);
	map_fini(&b->parents);
}

static int brood_new(struct broods *b, struct parent_ref *ref)
{
	SCOPED(scope_free) struct brood *brood = malloc(sizeof *brood);

	if (!brood)
		return FAIL(-ENOMEM);
	*brood = (struct brood){ref, ref};
	TRY(map_put(&b->parents, ref->parent, brood));
	brood = NULL;
	ref->next = ref->prev = NULL;
	return 1;
}

int broods_put(struct broods *b, struct parent_ref *ref)
{
	struct brood *brood = map_get(&b->parents, ref->parent);

	if (!brood)
		return brood_new(b, ref);
	ref->prev = brood->last;
	ref->next = NULL;
	brood->last->next = ref;
	brood->last = ref;
	return 0;
}

bool broods_remove(struct broods *b, struct parent_ref *ref)
{
	struct brood *brood = map_get(&b->parents, ref->parent);

	if (ref->prev)
		ref->prev->next = ref->next;
	else
		brood->first = ref->next;
	if (ref->next)
		ref->next->prev = ref->prev;
	else
		brood->last = ref->prev;
	if (brood->first)
		return false;
	free(map_remove(&b->parents, ref->parent));
	return true;
}

struct parent_ref *broods_first(const struct broods *b, const char *parent)
{
	const struct brood *brood = map_get(&b->parents, parent);

	return brood ? brood->first : NULL;
}
