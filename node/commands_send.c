/* SPDX-License-Identifier: Apache-2.0 */
/* The record of who sent a command begins with a step of its own, that it is on its way; the owner's steps
 * follow, each with the owner's receipt. */
#include <stdio.h>

#include "node/asks.h"
#include "node/commands_private.h"
#include "node/gossip.h"
#include "node/log.h"
#include "proto/clock.h"
#include "proto/id.h"
#include "proto/words.h"

enum {
	PARSE_BYTES = 2 << 20,
	ASK_S = 20,        /* so long a question may take; it is answered when something happens */
	PAUSE_FIRST_S = 1, /* after a failure, then twice that, ... */
	PAUSE_MOST_S = 30,
	GRACE_S = 60, /* behind the deadline: so long the owner's last word is waited for */
};

/* ---- The way to the owner ---------------------------------------------------------------------------------
 */

static const struct session *able(const struct session *s)
{
	return s && s->features & FEATURE_COMMAND ? s : NULL;
}

/* A node that is no border hands it to one of its own. */
static const struct session *own_border(struct engine *e)
{
	const struct org *own = &e->trust->own.org;
	const struct session *s = NULL;

	for (size_t i = 0; i < own->n_nodes && !s; i++)
		if (own->nodes[i].roles & ROLE_BORDER)
			s = able(gossip_find(e->gossip, own->manifest.org, own->nodes[i].node));
	return s;
}

const struct session *commands_route(struct engine *e, const char *twin)
{
	const struct remote_row *row = store_row(e->store, twin);
	char org[ORG_NAME_MAX + 1];

	if (id_is_of_org(twin, e->trust->self->org))
		return row ? able(gossip_find(e->gossip, e->trust->self->org, id_local(row->origin->name)))
			   : NULL;
	snprintf(org, sizeof org, "%.*s", (int)id_org(twin).len, (const char *)id_org(twin).data);
	const struct session *s = able(gossip_find(e->gossip, org, ""));
	return s ? s : own_border(e);
}

static bool is_here(const struct engine *e, const char *twin)
{
	return id_is_of_org(twin, e->trust->self->org) &&
	       (store_twin(e->store, twin) || !store_row(e->store, twin));
}

/* ---- The owner's word -------------------------------------------------------------------------------------
 */

static size_t owner_steps(const struct live *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->record.n_steps; i++)
		n += l->record.steps[i].receipt.len > 0;
	return n;
}

/* How it stands by the owner's word. */
static enum command_state owner_state(const struct live *l)
{
	enum command_state state = COMMAND_NONE;

	for (size_t i = 0; i < l->record.n_steps; i++)
		if (l->record.steps[i].receipt.len > 0)
			state = l->record.steps[i].state;
	return state;
}

/* Does the owner's node say just this of this command, and can it be so? */
static int check_receipt(const struct org *org, const struct live *l, const struct command_step *s,
			 size_t number, struct arena *a, struct err_note *note)
{
	struct receipt r;

	TRY(receipt_verify(a, org, s->receipt, l->hash, &r, note));
	if (memcmp(r.id, l->command.id, sizeof r.id) != 0 || r.number != number || r.state != s->state ||
	    r.t_ns != s->t_ns || strcmp(r.who, s->who) != 0 || strcmp(r.text, s->text) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the receipt of %s is of another step", r.node);
	if (!command_may_follow(owner_state(l), s->state))
		return FAIL_SAY(note, ERR_UNTRUSTED, "%s says that it is %s, which it cannot be any more",
				r.node, command_state_text(s->state));
	return 0;
}

static int copy_step(struct arena *a, const struct command_step *from, struct command_step *ret)
{
	const char *receipt = arena_text(a, from->receipt);

	*ret = (struct command_step){.state = from->state,
				     .t_ns = from->t_ns,
				     .who = arena_copy(a, from->who),
				     .text = arena_copy(a, from->text),
				     .receipt = {(const uint8_t *)receipt, from->receipt.len}};
	return receipt && ret->who && ret->text ? 0 : FAIL(-ENOMEM);
}

static int merge(struct commands *cs, struct live *l, struct bytes encoded, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct command_record r;
	char name[ORG_NAME_MAX + 1];

	TRY(arena_new(&a, PARSE_BYTES));
	snprintf(name, sizeof name, "%.*s", (int)id_org(l->command.twin).len,
		 (const char *)id_org(l->command.twin).data);
	const struct partner *owner = trust_org(cs->e->trust, name);
	TRY(command_record_decode(a, encoded, &r));
	if (!owner || r.sent || !bytes_equal(r.command, l->record.command))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the answer of %s is about something else", name);
	for (size_t i = owner_steps(l); i < r.n_steps; i++) {
		TRY(check_receipt(&owner->org, l, &r.steps[i], i + 1, a, note));
		if (l->record.n_steps == COMMAND_STEPS_MAX)
			return FAIL(ERR_MALFORMED);
		TRY(copy_step(l->arena, &r.steps[i], &l->record.steps[l->record.n_steps]));
		l->record.n_steps++;
	}
	return 0;
}

/* ---- Asking -----------------------------------------------------------------------------------------------
 */

static void put_off(struct live *l, const char *why)
{
	l->pause_ns = l->pause_ns == 0 ? PAUSE_FIRST_S * NS_PER_S : 2 * l->pause_ns;
	if (l->pause_ns > PAUSE_MOST_S * NS_PER_S)
		l->pause_ns = PAUSE_MOST_S * NS_PER_S;
	l->again_ns = engine_mono_ns() + l->pause_ns;
	snprintf(l->why, sizeof l->why, "%s", why);
}

/* A step of this node's own, without anybody's word for it. */
static void end_here(struct commands *cs, struct live *l, enum command_state state, const char *text)
{
	const int r =
		live_step(cs, l, &(struct step_said){.state = state, .who = cs->e->origin, .text = text});

	if (r < 0)
		put_off(l, err_text(r));
	else
		live_keep(cs, l);
}

static bool is_no(int code)
{
	return code == ERR_DENIED || code == ERR_REFUSED || code == ERR_ABSENT || code == ERR_UNTRUSTED ||
	       code == ERR_MALFORMED;
}

struct asked {
	struct commands *cs;
	struct live *live; /* busy, so it stays */
	size_t before;     /* steps of the owner */
};

static void take_answer(struct commands *cs, struct live *l, size_t before, int code, const char *text,
			struct bytes record)
{
	struct err_note note = {0};

	if (command_state_is_final(live_state(l)))
		return; /* it is being kept that it is over */
	if (is_no(code) && before == 0 && !l->unsure) {
		end_here(cs, l, COMMAND_REFUSED, text);
		return;
	}
	l->unsure |= !is_no(code);
	if (code == 0)
		code = merge(cs, l, record, &note);
	if (code < 0)
		put_off(l, note.text[0] ? note.text : text);
	else if (owner_steps(l) == before)
		l->again_ns = engine_mono_ns() + PAUSE_FIRST_S * NS_PER_S;
	else
		l->again_ns = l->pause_ns = 0;
	if (l->n_durable < l->record.n_steps)
		live_keep(cs, l);
}

static void on_answer(void *ctx, int code, const char *text, const struct answer *parts, size_t n)
{
	const struct asked asked = *(struct asked *)ctx;
	struct live *l = asked.live;

	free(ctx);
	l->busy = false;
	if (l->gone)
		live_drop(asked.cs, l);
	else if (!asked.cs->stopping)
		take_answer(asked.cs, l, asked.before,
			    code < 0 ? code
			    : n == 1 ? 0
				     : ERR_MALFORMED,
			    text, n == 1 ? parts[0].command : (struct bytes){0});
}

static int ask(struct commands *cs, struct live *l)
{
	const struct session *over = commands_route(cs->e, l->command.twin);
	const struct question q = {.kind = QUESTION_COMMAND,
				   .twin = l->command.twin,
				   .property = "",
				   .asker = "",
				   .person = l->record.person,
				   .command = l->record.command,
				   .seen = (uint32_t)owner_steps(l)};
	uint64_t id;

	if (!over)
		return FAIL(ERR_UNREACHABLE);
	struct asked *asked = malloc(sizeof *asked);
	if (!asked)
		return FAIL(-ENOMEM);
	*asked = (struct asked){cs, l, q.seen};
	l->busy = true;
	const int r = asks_send(cs->e->asks, over->id, &q, ASK_S * NS_PER_S, on_answer, asked, &id);
	l->busy = r == 0;
	if (r < 0)
		free(asked);
	return r;
}

void sent_act(struct commands *cs, struct live *l)
{
	if (l->busy || l->again_ns > engine_mono_ns())
		return;
	const int r = ask(cs, l);
	if (r < 0)
		put_off(l, r == ERR_UNREACHABLE ? "no node that could take it is connected" : err_text(r));
}

void sent_tick(struct commands *cs, struct live *l)
{
	const int64_t end_ns = l->command.deadline_ns + (owner_steps(l) > 0 ? GRACE_S * NS_PER_S : 0);
	char text[REASON_MAX + 1];

	if (trust_now(cs->e->trust) < end_ns) {
		sent_act(cs, l);
		return;
	}
	snprintf(text, sizeof text, "no word of the owner by the deadline%s%.200s", l->why[0] ? ": " : "",
		 l->why);
	cs->counts[COMMANDS_TIMED_OUT]++;
	end_here(cs, l, COMMAND_TIMED_OUT, text);
}

/* ---- Sending ----------------------------------------------------------------------------------------------
 */

/* It was sent before: what is known of it. */
static int send_again(struct commands *cs, const struct command_in *in, struct waiter *w, struct arena *a,
		      struct err_note *note)
{
	const struct live *l = live_find(cs, w->id);
	const struct store_command *kept = l ? NULL : store_command(cs->e->store, w->id);
	struct command_record held = {0};

	if (kept)
		TRY(command_record_decode(a, kept->record, &held));
	else
		held = l->record;
	if (!held.sent || !bytes_equal(held.command, in->blob))
		return FAIL_SAY(note, ERR_REFUSED, "another command has this id already");
	if (l)
		return commands_wait(cs, w);
	w->done(w->ctx, 0, "", &held, true);
	return 0;
}

static int begin(struct commands *cs, const struct command_in *in, const struct taken *t, struct live **ret)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	char text[REASON_MAX + 1];
	struct command_step on_its_way = {.state = COMMAND_PENDING,
					  .t_ns = trust_now(cs->e->trust),
					  .who = cs->e->origin,
					  .text = text};
	const struct command_record record = {.command = in->blob,
					      .person = t->credential,
					      .sent = true,
					      .steps = &on_its_way,
					      .n_steps = 1,
					      .confirm_role = "",
					      .received_ns = on_its_way.t_ns};

	snprintf(text, sizeof text, "on its way to %.*s", (int)id_org(t->command.twin).len, t->command.twin);
	command_record_encode(&record, &encoded);
	TRY(buf_check(&encoded));
	return live_load(cs, buf_bytes(&encoded), false, ret);
}

static int send_new(struct commands *cs, const struct command_in *in, struct waiter *w, struct arena *a,
		    struct err_note *note)
{
	struct taken t = {.arena = a};
	struct live *l;

	if (in->unsigned_)
		return FAIL_SAY(note, ERR_REFUSED,
				"the twin is not of this node: its owner takes what a person signed");
	TRY(admit_command(cs, in, &t, note));
	if (commands_open_sent(cs) >= SENT_OPEN_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "%d commands sent from here have not ended",
				SENT_OPEN_MAX);
	TRY(begin(cs, in, &t, &l));
	const int r = commands_wait(cs, w);
	if (r < 0) {
		live_drop(cs, l);
		return r;
	}
	live_keep(cs, l);
	return 0;
}

/* ---- Permits, for another own node ------------------------------------------------------------------------
 */

struct permitting {
	command_fn *done;
	void *ctx;
};

static void on_permitted(void *ctx, int code, const char *text, const struct answer *parts, size_t n)
{
	const struct permitting p = *(struct permitting *)ctx;
	SCOPED(scope_arena) struct arena *a = NULL;
	struct command_record r;

	free(ctx);
	if (code == 0)
		code = n == 1 ? arena_new(&a, PARSE_BYTES) : FAIL(ERR_MALFORMED);
	if (code == 0)
		code = command_record_decode(a, parts[0].command, &r);
	p.done(p.ctx, code, code < 0 && !text[0] ? err_text(code) : text, code < 0 ? NULL : &r, true);
}

static int send_permit(struct commands *cs, const struct command_in *in, command_fn *done, void *ctx,
		       struct err_note *note)
{
	const struct session *over = commands_route(cs->e, in->twin);
	const struct question q = {.kind = QUESTION_COMMAND,
				   .twin = in->twin,
				   .property = "",
				   .asker = "",
				   .person = in->by->credential,
				   .command = in->blob,
				   .permit = true};
	uint64_t id;

	if (!id_is_of_org(in->twin, cs->e->trust->self->org))
		return FAIL_SAY(note, ERR_REFUSED,
				"%s is not of %s: its owner's persons confirm what is done to it", in->twin,
				cs->e->trust->self->org);
	if (!over)
		return FAIL_SAY(note, ERR_UNREACHABLE, "the owner of %s is not connected", in->twin);
	struct permitting *p = malloc(sizeof *p);
	if (!p)
		return FAIL(-ENOMEM);
	*p = (struct permitting){done, ctx};
	const int r = asks_send(cs->e->asks, over->id, &q, ASK_S * NS_PER_S, on_permitted, p, &id);
	if (r < 0)
		free(p);
	return r;
}

int commands_send(struct commands *cs, const struct command_in *in, command_fn *done, void *ctx,
		  struct err_note *note)
{
	const struct command_record blob = {.command = in->blob, .unsigned_ = in->unsigned_};
	struct waiter w = waiter_of(cs, in, done, ctx);
	SCOPED(scope_arena) struct arena *a = NULL;
	struct command c;

	if (cs->stopping)
		return FAIL(ERR_UNREACHABLE);
	w.follow = !in->permit;
	if (in->permit)
		return !text_or_empty(in->twin)[0] || is_here(cs->e, in->twin)
			       ? owner_take(cs, in, &w, note)
			       : send_permit(cs, in, done, ctx, note);
	TRY(arena_new(&a, PARSE_BYTES));
	const int r = command_of_record(a, &blob, &c);
	if (r < 0)
		return FAIL_SAY(note, r, "the command is not readable");
	if (is_here(cs->e, c.twin))
		return owner_take(cs, in, &w, note);
	memcpy(w.id, c.id, sizeof w.id);
	return live_find(cs, c.id) || store_command(cs->e->store, c.id) ? send_again(cs, in, &w, a, note)
									: send_new(cs, in, &w, a, note);
}
