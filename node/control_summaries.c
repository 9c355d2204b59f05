/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "node/control.h"
#include "node/summary.h"
#include "storage/store.h"

enum { PAGE = 250 };

/* The next summaries of both sorts, each in the order of ids. */
struct place {
	const struct twin *own;
	const struct remote_row *held;
};

static struct place place_after(const struct call *c, const char *after)
{
	return (struct place){store_twin_next(c->e->store, c->request.prefix, after),
			      store_row_next(c->e->store, c->request.prefix, after)};
}

/* The owner's own word comes first: what was held of a twin that moved here counts no longer. */
static bool own_is_next(struct place at)
{
	return at.own && (!at.held || strcmp(at.own->id, at.held->id) <= 0);
}

static int push_next(struct call *c, struct place at, const char *self, struct control_answer *answer)
{
	struct twin_summary *s = arena_push(c->arena, &answer->summaries, &answer->n_summaries, sizeof *s);

	if (!s)
		return FAIL(-ENOMEM);
	s->origin = own_is_next(at) ? self : at.held->origin->name;
	if (own_is_next(at))
		return summary_row(c->e->store, at.own, c->arena, &s->row);
	return row_decode(c->arena, at.held->encoded, &s->row);
}

int control_summaries(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	const size_t limit = r->limit > 0 && r->limit < PAGE ? r->limit : PAGE;
	const struct credential *self = c->e->trust->self;
	const char *name = arena_print(c->arena, "%s/%s", self->org, self->node);
	struct control_answer answer = {0};
	struct place at = place_after(c, r->after);

	(void)note;
	if (!name)
		return FAIL(-ENOMEM);
	while ((at.own || at.held) && answer.n_summaries < limit) {
		TRY(push_next(c, at, name, &answer));
		at = place_after(c, own_is_next(at) ? at.own->id : at.held->id);
	}
	answer.more = at.own || at.held;
	call_done(c, &answer);
	return 0;
}
