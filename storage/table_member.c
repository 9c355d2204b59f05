/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/table.h"

struct own_member *table_member(const struct table *t, const struct membership *m)
{
	return ordered_get(&t->members, m);
}

struct own_member *table_member_next(const struct table *t, const char *child, const struct membership *after)
{
	const struct membership first = {.child = child, .hierarchy = "", .parent = ""};
	struct own_member *m = ordered_after(&t->members, after ? after : &first);

	return m && strcmp(m->pub.child, child) == 0 ? m : NULL;
}

int member_new(struct table *t, const struct membership *m, uint64_t number, struct own_member **ret)
{
	const size_t size = strlen(m->parent) + 1;
	SCOPED(scope_free) struct own_member *own = calloc(1, sizeof *own + size);

	if (!own)
		return FAIL(-ENOMEM);
	memcpy(own->parent, m->parent, size);
	own->pub = *m;
	own->number = number;
	own->pub.parent = own->parent;
	own->pub.child = table_twin(t, m->child)->id;
	TRY(intern_take(&t->words, m->hierarchy, &own->pub.hierarchy));
	const int r = ordered_put(&t->members, &own->pub, own);
	if (r < 0) {
		intern_drop(&t->words, own->pub.hierarchy);
		return r;
	}
	*ret = MOVE(own);
	return 0;
}

int table_put_member(struct table *t, const struct membership *m)
{
	struct own_twin *child = table_twin(t, m->child);
	struct own_member *own = table_member(t, m);

	if (!child || child->pub.deleted ||
	    (own && own->pub.state == m->state && own->pub.since_ns == m->since_ns))
		return 0;
	if (!own)
		TRY(member_new(t, m, t->next_number++, &own));
	own->pub.state = m->state;
	own->pub.since_ns = m->since_ns;
	own->dirty = true;
	return table_touch(t, child);
}

static void drop_member(struct table *t, struct own_member *own)
{
	uint8_t key[9] = {'m'};

	for (unsigned i = 0; i < 8; i++)
		key[1 + i] = (uint8_t)(own->number >> (56 - 8 * i));
	changeset_delete(&t->changes, (struct bytes){key, sizeof key});
	ordered_remove(&t->members, &own->pub);
	intern_drop(&t->words, own->pub.hierarchy);
	free(own);
}

int members_drop(struct table *t, struct own_twin *w)
{
	for (struct own_member *m; (m = table_member_next(t, w->id, NULL));)
		drop_member(t, m);
	return changeset_check(&t->changes);
}
