/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "node/asks.h"
#include "node/commands_private.h"
#include "node/gossip.h"
#include "proto/clock.h"
#include "proto/id.h"

enum { PARSE_BYTES = 2 << 20 };

struct relaying {
	struct commands *cs;
	bool foreign; /* who asks */
	struct buf command;
	command_answer_fn *done;
	void *ctx;
};

static void relaying_free(struct relaying *r)
{
	buf_fini(&r->command);
	free(r);
}

DEFINE_SCOPED(relaying, relaying_free)

static int relaying_new(struct commands *cs, const struct command_question *q, command_answer_fn *done,
			void *ctx, struct relaying **ret)
{
	SCOPED(scope_relaying) struct relaying *r = calloc(1, sizeof *r);

	if (!r)
		return FAIL(-ENOMEM);
	r->cs = cs;
	r->foreign = q->to->org[0] && strcmp(q->to->org, cs->e->trust->self->org) != 0;
	r->done = done;
	r->ctx = ctx;
	buf_put(&r->command, q->question->command);
	TRY(buf_check(&r->command));
	*ret = MOVE(r);
	return 0;
}

/* ---- As the owner -----------------------------------------------------------------------------------------
 */

static void on_taken(void *ctx, int code, const char *text, const struct command_record *record, bool last)
{
	SCOPED(scope_relaying) struct relaying *r = ctx;
	SCOPED(buf_fini) struct buf encoded = {0};

	(void)last; /* it is asked for one answer */
	if (record)
		command_record_encode(record, &encoded);
	if (code == 0)
		code = buf_check(&encoded);
	r->done(r->ctx, code, code < 0 && !text[0] ? err_text(code) : text,
		code < 0 ? (struct bytes){0} : buf_bytes(&encoded));
}

static struct command_in asked_with(const struct command_question *q, const char *node)
{
	return (struct command_in){.blob = q->question->command,
				   .permit = q->question->permit,
				   .by = q->to,
				   .node = node,
				   .seen = q->question->seen,
				   .wait_ns = q->time_ns};
}

/* Answered at once when it is not taken. */
static int take_here(struct commands *cs, const struct command_question *q, const char *node,
		     command_answer_fn *done, void *ctx)
{
	SCOPED(scope_relaying) struct relaying *r = NULL;
	const struct command_in in = asked_with(q, node);
	struct err_note note = {0};

	TRY(relaying_new(cs, q, done, ctx, &r));
	const int code = commands_take(cs, &in, on_taken, r, &note);
	if (code < 0)
		done(ctx, code, note.text[0] ? note.text : err_text(code), (struct bytes){0});
	else
		r = NULL; /* its answer's, perhaps gone already */
	return 0;
}

/* ---- Between asker and owner ------------------------------------------------------------------------------
 */

/* Decided again where it leaves: of the command that was asked about, and no more than may be shown. */
static int shown_again(const struct relaying *r, struct bytes encoded, struct buf *out)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct command_step steps[COMMAND_STEPS_MAX];
	struct command_record whole, shown;

	TRY(arena_new(&a, PARSE_BYTES));
	TRY(command_record_decode(a, encoded, &whole));
	if (!bytes_equal(whole.command, buf_bytes(&r->command)))
		return FAIL(ERR_MALFORMED);
	shown = r->foreign ? record_shown(&whole, steps) : whole;
	command_record_encode(&shown, out);
	return buf_check(out);
}

static void on_relayed(void *ctx, int code, const char *text, const struct answer *parts, size_t n)
{
	SCOPED(scope_relaying) struct relaying *r = ctx;
	SCOPED(buf_fini) struct buf shown = {0};

	if (code == 0)
		code = n == 1 ? shown_again(r, parts[0].command, &shown) : FAIL(ERR_MALFORMED);
	r->done(r->ctx, code, code < 0 && !text[0] ? err_text(code) : text,
		code < 0 ? (struct bytes){0} : buf_bytes(&shown));
}

static int relay(struct commands *cs, const struct command_question *q, const struct session *over,
		 command_answer_fn *done, void *ctx)
{
	SCOPED(scope_relaying) struct relaying *r = NULL;
	struct question onward = *q->question;
	uint64_t id;

	TRY(relaying_new(cs, q, done, ctx, &r));
	onward.asker = r->foreign ? q->to->org : "";
	TRY(asks_send(cs->e->asks, over->id, &onward, q->time_ns, on_relayed, r, &id));
	r = NULL;
	return 0;
}

/* As the border before the owner, or the own border before the partner's: who may not, is not heard there. */
static int admit(struct commands *cs, const struct command_question *q, const char *node, bool ours,
		 struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct command_in in = asked_with(q, node);
	struct policy_bounds bounds;
	struct taken t = {0};

	if (in.permit)
		return FAIL_SAY(note, ERR_DENIED, "a permit is given to the node that owns the twin");
	TRY(arena_new(&a, PARSE_BYTES));
	t.arena = a;
	TRY(admit_word(cs, &in, &t, note));
	if (strcmp(t.command.twin, q->question->twin) != 0)
		return FAIL_SAY(note, ERR_REFUSED, "the command is of another twin than the question");
	return ours ? admit_policy(cs, &t, &bounds, note) : 0;
}

int commands_question(struct commands *cs, const struct command_question *q, command_answer_fn *done,
		      void *ctx)
{
	const char *own = cs->e->trust->self->org, *twin = q->question->twin;
	const bool ours = id_is_of_org(twin, own), foreign = q->to->org[0] && strcmp(q->to->org, own) != 0;
	char node[ORG_NAME_MAX + NODE_NAME_MAX + 2];
	struct err_note note = {0};

	snprintf(node, sizeof node, "%s/%s", q->from->org, q->from->node);
	if (ours && (store_twin(cs->e->store, twin) || !store_row(cs->e->store, twin)))
		return take_here(cs, q, node, done, ctx);
	if (ours == !foreign) /* own nodes ask the owner, partners ask for our twins only */
		return FAIL(ERR_DENIED);
	const int r = admit(cs, q, node, ours, &note);
	const struct session *over = r == 0 ? commands_route(cs->e, twin) : NULL;
	if (over && over->own && (!ours || q->from->own))
		over = NULL; /* from border to border, or from node to node, it would go for ever */
	if (over)
		return relay(cs, q, over, done, ctx);
	if (r == 0)
		err_say(&note, 0, "%s: no node that could take it is connected", twin);
	done(ctx, r < 0 ? r : ERR_UNREACHABLE, note.text[0] ? note.text : err_text(r), (struct bytes){0});
	return 0;
}
