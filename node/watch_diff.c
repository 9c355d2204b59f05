/* SPDX-License-Identifier: Apache-2.0 */
#include "node/watch_diff.h"

#include <stdlib.h>
#include <string.h>

#include "proto/buf.h"
#include "proto/hash.h"
#include "proto/view_content.h"

struct shown_member {
	uint64_t content;
	uint32_t round; /* when it was last there */
	char id[];
};

void watch_shown_fini(struct watch_shown *s)
{
	size_t at = 0;

	for (struct map_entry *m; (m = map_next(&s->members, &at));)
		free(m->value);
	map_fini(&s->members);
	*s = (struct watch_shown){0};
}

static uint64_t digest(const struct buf *b)
{
	return hash64("watch", buf_bytes(b), (struct bytes){0});
}

/* ---- Differences -----------------------------------------------------------------------------------------
 */

/* 1: it is new, or differs. */
static int see_member(struct watch_shown *s, const char *id, uint64_t content)
{
	struct shown_member *known = map_get(&s->members, id);
	const size_t size = strlen(id) + 1;

	if (!known) {
		SCOPED(scope_free) struct shown_member *fresh = malloc(sizeof *fresh + size);
		if (!fresh)
			return FAIL(-ENOMEM);
		*fresh = (struct shown_member){.content = content, .round = s->round};
		memcpy(fresh->id, id, size);
		TRY(map_put(&s->members, fresh->id, fresh));
		fresh = NULL;
		return 1;
	}
	const bool differs = known->content != content;
	known->content = content;
	known->round = s->round;
	return differs;
}

static int find_changed(struct watch_shown *s, const struct view_question *q, const struct view_part *view,
			struct arena *a, struct view_part *ret)
{
	SCOPED(buf_fini) struct buf b = {0};

	for (size_t i = 0; i < view->n_members; i++) {
		buf_clear(&b);
		view_put_member(&b, q, &view->members[i]);
		TRY(buf_check(&b));
		const int r = see_member(s, view->members[i].id, digest(&b));
		TRY(r);
		if (r == 0)
			continue;
		struct view_member *changed = arena_push(a, &ret->members, &ret->n_members, sizeof *changed);
		if (!changed)
			return FAIL(-ENOMEM);
		*changed = view->members[i];
	}
	return 0;
}

static int find_gone(struct watch_shown *s, struct arena *a, struct view_part *ret)
{
	size_t at = 0;

	for (const struct map_entry *e; (e = map_next(&s->members, &at));) {
		const struct shown_member *m = e->value;
		if (m->round == s->round)
			continue;
		const char **gone = arena_push(a, &ret->gone, &ret->n_gone, sizeof *gone);
		if (!gone || !(*gone = arena_copy(a, m->id)))
			return FAIL(-ENOMEM);
	}
	for (size_t i = 0; i < ret->n_gone; i++)
		free(map_remove(&s->members, ret->gone[i]));
	return 0;
}

int watch_differ(struct watch_shown *s, const struct view_question *q, const struct view_part *view,
		 struct arena *a, struct view_part *ret, bool *ret_differs)
{
	SCOPED(buf_fini) struct buf b = {0};
	struct view_part part = *view;

	part.members = NULL;
	part.gone = NULL;
	part.n_members = part.n_gone = 0;
	s->round++;
	TRY(find_changed(s, q, view, a, &part));
	TRY(find_gone(s, a, &part));
	view_put_totals(&b, q, view);
	view_put_certificate(&b, view);
	TRY(buf_check(&b));
	const uint64_t rest = digest(&b);
	*ret_differs = rest != s->rest || part.n_members > 0 || part.n_gone > 0;
	s->rest = rest;
	*ret = part;
	return 0;
}
