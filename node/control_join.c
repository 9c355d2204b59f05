/* SPDX-License-Identifier: Apache-2.0 */
/* Inviting machines to join, and deciding about those that ask. */
#include <string.h>

#include "node/control.h"
#include "node/invites.h"
#include "proto/clock.h"

static int check_signer(const struct call *c, struct err_note *note)
{
	return c->e->invites ? 0
			     : FAIL_SAY(note, ERR_REFUSED,
					"this node does not hold the organisation's directory: ask the admin "
					"node that "
					"has admin.organisation in its holon.conf");
}

/* The token is in the blob, for texts go into the audit. */
int control_node_invite(struct call *c, struct err_note *note)
{
	SCOPED(buf_fini) struct buf token = {0};
	struct invitations asked;
	char until[TIME_TEXT_SIZE];

	TRY(check_signer(c, note));
	TRY(invitations_decode(c->arena, c->request.blob, &asked));
	if (asked.n != 1)
		return FAIL_SAY(note, ERR_MALFORMED, "one machine is invited at a time");
	struct invitation *x = &asked.items[0];
	const char *roles = roles_text(c->arena, x->roles);
	TRY(invites_add(c->e->invites, x, c->request.text, &token, note));
	const char *text = arena_print(c->arena, "%s as %s until %s%s", x->name, roles ? roles : "",
				       time_text(x->until_ns, until), x->at_once ? ", at once" : "");
	if (!text)
		return FAIL(-ENOMEM);
	call_done(c, &(struct control_answer){.text = text, .blob = buf_bytes(&token)});
	return 0;
}

int control_node_invites(struct call *c, struct err_note *note)
{
	SCOPED(buf_fini) struct buf out = {0};
	struct invitations list;

	TRY(check_signer(c, note));
	TRY(invites_list(c->e->invites, c->arena, &list));
	invitations_encode(&list, &out);
	TRY(buf_check(&out));
	call_done(c, &(struct control_answer){.blob = buf_bytes(&out)});
	return 0;
}

static void on_approved(void *ctx, int code, const struct err_note *note)
{
	struct call *c = ctx;

	if (code < 0)
		call_fail(c, code, note);
	else
		call_done(c, &(struct control_answer){.text = arena_print(c->arena, "%s", c->request.name)});
}

int control_node_approve(struct call *c, struct err_note *note)
{
	TRY(check_signer(c, note));
	return invites_approve(c->e->invites, c->request.name, c->request.text, on_approved, c, note);
}

int control_node_refuse(struct call *c, struct err_note *note)
{
	TRY(check_signer(c, note));
	TRY(invites_refuse(c->e->invites, c->request.name, note));
	call_done(c, &(struct control_answer){.text = c->request.name});
	return 0;
}
