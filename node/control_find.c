/* SPDX-License-Identifier: Apache-2.0 */
#include "node/control.h"
#include "node/find.h"
#include "proto/expr.h"

enum { PART_MEMBERS = 500 };

static void on_found(void *ctx, int code, const struct err_note *note, const struct view_part *view)
{
	struct call *c = ctx;
	const uint32_t asked = c->request.question.limit;
	const size_t page = asked < FIND_PAGE_MAX ? asked : FIND_PAGE_MAX;

	if (code < 0) {
		call_fail(c, code, note);
		return;
	}
	size_t at = 0;
	for (; view->n_members - at > PART_MEMBERS; at += PART_MEMBERS) {
		struct control_answer part = {.has_view = true};
		part.view.members = view->members + at;
		part.view.n_members = PART_MEMBERS;
		call_part(c, &part);
	}
	struct control_answer last = {
		.has_view = true, .view = *view, .more = page > 0 && view->n_members == page};
	last.view.members = at > 0 ? view->members + at : view->members; /* none: NULL */
	last.view.n_members = view->n_members - at;
	call_done(c, &last);
}

/* What all own types that have the property agree on; what others call so may be something else. */
static const struct property_def *define(void *ctx, const char *name)
{
	const struct engine *e = ctx;
	const struct property_def *found = NULL;

	for (const struct type *t = NULL; (t = store_type_next(e->store, t ? t->def.name : ""));) {
		const struct property_def *p = type_property(&t->def, name, NULL);
		if (p && found && !measures_alike(p, found))
			return NULL;
		found = p ? p : found;
	}
	return found;
}

int control_where(const struct call *c, struct err_note *note)
{
	struct expr *where;

	TRY(expr_parse(c->arena, c->request.question.where, &where, note));
	return expr_check(where, define, c->e, note);
}

int control_find(struct call *c, struct err_note *note)
{
	TRY(control_where(c, note));
	return find_ask(c->e, &c->to, &c->request.question, on_found, c, note);
}
