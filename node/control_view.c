/* SPDX-License-Identifier: Apache-2.0 */
#include "node/control.h"
#include "node/view_pieces.h"
#include "node/views.h"
#include "proto/expr.h"
#include "proto/id.h"

enum { PART_BYTES = 1 << 20 };

bool control_view_is_absent(const struct view_part *view)
{
	return view->n_members == 0 || view->members[0].state == MEMBER_ABSENT;
}

void control_view_absent(const char *root, struct err_note *note)
{
	err_say(note, 0, "%s: not shared with you or not there; ask %.*s", root, (int)id_org(root).len,
		(const char *)id_org(root).data);
}

static void on_view(void *ctx, int code, const struct err_note *note, const struct view_part *view)
{
	struct call *c = ctx;
	struct err_note why = {0};

	if (code < 0) {
		call_fail(c, code, note);
		return;
	}
	if (control_view_is_absent(view)) {
		control_view_absent(c->request.question.roots[0].id, &why);
		call_fail(c, ERR_ABSENT, &why);
		return;
	}
	struct control_answer answer = {.has_view = true};
	struct view_place place = {0};
	while (view_piece(view, PART_BYTES, &place, &answer.view))
		call_part(c, &answer);
	call_done(c, &answer);
}

int control_view_check(const struct call *c, struct err_note *note)
{
	const struct view_question *q = &c->request.question;

	if (q->n_roots != 1)
		return FAIL_SAY(note, ERR_REFUSED, "a view has one root");
	TRY(id_check_twin(q->roots[0].id, note));
	return q->where[0] ? control_where(c, note) : 0;
}

int control_view(struct call *c, struct err_note *note)
{
	const struct view_question *q = &c->request.question;

	TRY(control_view_check(c, note));

	return views_ask(c->e->views, &c->to, q, on_view, c);
}
