/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "node/audit.h"
#include "node/commands_private.h"
#include "node/gossip.h"
#include "node/log.h"
#include "proto/clock.h"
#include "proto/hash.h"
#include "proto/id.h"
#include "proto/words.h"

enum {
	TAKEN_BYTES = 2 << 20,
	AGAIN_FIRST_S = 5, /* handed over again when nothing was heard for so long, then twice that, ... */
	AGAIN_MOST_S = 60,
	STILL_AGAIN_S = 5, /* so often it is looked whether what was forbidden meanwhile is allowed again */
	REFUSALS_A_MINUTE = 20, /* in the audit, of one organisation */
};
#define LATE_WORD "afterwards: "

/* ---- Handing over -----------------------------------------------------------------------------------------
 */

static const char *who_wants(const struct live *l, char ret[SOURCE_MAX + 1])
{
	snprintf(ret, SOURCE_MAX + 1, "%s/%s", l->command.org,
		 l->command.person[0] ? l->command.person : l->command.node);
	return ret;
}

struct acting {
	struct commands *cs;
	struct live *live; /* busy, so it stays */
};

static void put_off(struct live *l, const char *why)
{
	snprintf(l->why, sizeof l->why, "%s", why);
	l->again_ns = engine_mono_ns() + NS_PER_S / 2;
}

static void on_acted(void *ctx, int code, const char *text)
{
	struct acting *acting = ctx;
	struct commands *cs = acting->cs;
	struct live *l = acting->live;

	free(acting);
	l->busy = false;
	if (l->gone)
		live_drop(cs, l);
	else if (code == -EAGAIN || code == ERR_UNREACHABLE)
		put_off(l, text);
	else
		ignore(live_happens(cs, l, code < 0 ? LIFE_FAILED : LIFE_DONE,
				    &(struct step_said){.who = cs->e->origin, .text = code < 0 ? text : ""}));
}

/* What the node does itself. */
static void act(struct commands *cs, struct live *l)
{
	struct acting *acting = malloc(sizeof *acting);
	struct err_note note = {0};
	char who[SOURCE_MAX + 1];
	int r = ERR_ABSENT;

	if (!acting)
		return; /* with the next tick */
	*acting = (struct acting){cs, l};
	l->busy = true;
	if (cs->ports.act)
		r = cs->ports.act(cs->e, &l->command, who_wants(l, who), on_acted, acting, &note);
	if (r < 0)
		on_acted(acting, r, note.text[0] ? note.text : "this node cannot do that");
}

static void hand_over(struct commands *cs, struct live *l)
{
	const struct command *c = &l->command;
	struct order order = {.is_command = true,
			      .twin = c->twin,
			      .operation = c->operation,
			      .arguments = c->arguments,
			      .n_arguments = c->n_arguments,
			      .desired = {.sigma = NAN},
			      .deadline_ns = c->deadline_ns};
	struct err_note note = {"no adapter has this twin"};
	char who[SOURCE_MAX + 1];

	memcpy(order.id, c->id, sizeof order.id);
	order.person = who_wants(l, who);
	const int r = cs->ports.order ? cs->ports.order(cs->e, &order, &note) : ERR_ABSENT;
	if (r == 0) {
		l->pause_ns = l->pause_ns == 0 ? AGAIN_FIRST_S * NS_PER_S : 2 * l->pause_ns;
		if (l->pause_ns > AGAIN_MOST_S * NS_PER_S)
			l->pause_ns = AGAIN_MOST_S * NS_PER_S;
		l->again_ns = engine_mono_ns() + l->pause_ns;
		snprintf(l->why, sizeof l->why, "the asset did not answer");
	} else if (r == ERR_ABSENT || r == ERR_UNREACHABLE || r == -EAGAIN || r == -ENOMEM) {
		put_off(l, note.text[0] ? note.text : err_text(r));
	} else {
		ignore(live_happens(cs, l, LIFE_FAILED,
				    &(struct step_said){.who = cs->e->origin,
							.text = note.text[0] ? note.text : err_text(r)}));
	}
}

/* What was taken may be forbidden since: then it waits for its deadline, or for another policy. */
static bool still_allowed(struct commands *cs, struct live *l)
{
	struct policy_bounds bounds;
	struct err_note note = {0};
	const int r = admit_still(cs, l, &bounds, &note);

	if (r == 0)
		return true;
	put_off(l, r == -ENOMEM ? err_text(r) : "it is not allowed any more");
	l->again_ns = engine_mono_ns() + STILL_AGAIN_S * NS_PER_S;
	return false;
}

/* Nothing is handed over that is not durable, after its deadline, or against the policy of now. */
void owner_act(struct commands *cs, struct live *l)
{
	if (live_state(l) != COMMAND_CONFIRMED || l->busy || l->n_durable < l->record.n_steps ||
	    l->again_ns > engine_mono_ns() || l->command.deadline_ns <= trust_now(cs->e->trust) ||
	    !still_allowed(cs, l))
		return;
	if (operation_built_in(l->command.operation))
		act(cs, l);
	else
		hand_over(cs, l);
}

void owner_tick(struct commands *cs, struct live *l)
{
	const enum command_state state = live_state(l);
	const char *why = state == COMMAND_PENDING    ? "nobody confirmed it"
			  : state == COMMAND_ACCEPTED ? "the asset did not say that it was done"
						      : l->why;

	if (l->command.deadline_ns > trust_now(cs->e->trust))
		owner_act(cs, l);
	else
		ignore(live_happens(cs, l, LIFE_DEADLINE,
				    &(struct step_said){.who = cs->e->origin, .text = why}));
}

/* ---- Words of assets --------------------------------------------------------------------------------------
 */

/* Of one that timed out already. */
static bool take_late(struct commands *cs, const struct command_word *word, struct step_said *said)
{
	const struct store_command *kept = store_command(cs->e->store, word->id);
	char text[REASON_MAX + 1];
	struct live *l;

	if (!kept || live_load(cs, kept->record, true, &l) < 0)
		return false;
	const struct command_step *last = &l->record.steps[l->record.n_steps - 1];
	snprintf(text, sizeof text, LATE_WORD "%s%s%s", command_state_text(word->state),
		 text_or_empty(word->text)[0] ? ": " : "", text_or_empty(word->text));
	said->text = text;
	const bool taken = !l->record.sent && last->state == COMMAND_TIMED_OUT &&
			   strncmp(last->text, LATE_WORD, strlen(LATE_WORD)) != 0 &&
			   live_happens(cs, l, word->state == COMMAND_DONE ? LIFE_DONE : LIFE_FAILED, said);
	if (!taken)
		live_drop(cs, l);
	return taken;
}

bool commands_on_word(struct commands *cs, const char *adapter, const struct command_word *word)
{
	static const enum life_event events[N_COMMAND_STATES] = {[COMMAND_ACCEPTED] = LIFE_ACCEPTED,
								 [COMMAND_DONE] = LIFE_DONE,
								 [COMMAND_FAILED] = LIFE_FAILED};
	struct live *l = live_find(cs, word->id);
	bool taken = false;

	if (cs->stopping || word->state < COMMAND_ACCEPTED || word->state > COMMAND_FAILED)
		return false;
	/* Other organisations are not told how the owner's adapters are called. */
	const bool foreign = l && strcmp(l->command.org, cs->e->trust->self->org) != 0;
	struct step_said said = {.who = foreign ? cs->e->origin : adapter, .text = word->text};
	if (l && !l->record.sent && live_state(l) == word->state)
		return true; /* it says so again */
	if (l && !l->record.sent)
		taken = live_happens(cs, l, events[word->state], &said);
	else if (!l && word->state != COMMAND_ACCEPTED)
		taken = take_late(cs, word, &said);
	cs->counts[COMMANDS_STRANGE] += !taken;
	return taken;
}

/* ---- Taking a command -------------------------------------------------------------------------------------
 */

struct waiter waiter_of(const struct commands *cs, const struct command_in *in, command_fn *done, void *ctx)
{
	return (struct waiter){.seen = in->seen,
			       .until_ns = engine_mono_ns() + in->wait_ns,
			       .foreign = in->by->org[0] && strcmp(in->by->org, cs->e->trust->self->org) != 0,
			       .done = done,
			       .ctx = ctx};
}

static void say_kept(const struct waiter *w, const struct command_record *r)
{
	struct command_step steps[COMMAND_STEPS_MAX];
	const struct command_record shown = w->foreign ? record_shown(r, steps) : *r;

	w->done(w->ctx, 0, "", &shown, true);
}

/* The same again: what became of it. */
static int take_again(struct commands *cs, const struct command_in *in, const struct command *c,
		      struct waiter *w, struct arena *a, struct err_note *note)
{
	const struct live *l = live_find(cs, c->id);
	const struct store_command *kept = l ? NULL : store_command(cs->e->store, c->id);
	struct command_record held = {0};

	if (kept)
		TRY(command_record_decode(a, kept->record, &held));
	else
		held = l->record;
	if (held.sent || !bytes_equal(held.command, in->blob) || held.unsigned_ != in->unsigned_ ||
	    (w->foreign && strcmp(in->by->org, c->org) != 0))
		return FAIL_SAY(note, ERR_REFUSED, "another command has this id already");
	cs->counts[COMMANDS_AGAIN]++;
	if (l)
		return commands_wait(cs, w);
	say_kept(w, &held);
	return 0;
}

static const struct operation_def *operation_of(const struct twin *t, const char *name)
{
	const struct operation_def *built_in = operation_built_in(name);

	return built_in ? built_in : t->type ? type_operation(&t->type->def, name, NULL) : NULL;
}

/* May it be done as it is written? Else it is refused, and that is kept. */
static int check_content(struct commands *cs, struct taken *t, struct err_note *note)
{
	const struct twin *twin = store_twin(cs->e->store, t->command.twin);
	const struct operation_def *op = twin ? operation_of(twin, t->command.operation) : NULL;

	if (!op)
		return FAIL_SAY(note, ERR_REFUSED, "%s has no operation %s", t->command.twin,
				t->command.operation);
	return command_fit(op, t->command.arguments, t->command.n_arguments, note);
}

/* The first step. A permit given beforehand is used up by one. */
static int first_step(struct commands *cs, struct live *l, const struct taken *t, const char *refused)
{
	const char *role = l->record.confirm_role;
	char who[SOURCE_MAX + 1], text[REASON_MAX + 1], by[SOURCE_MAX + 1];
	struct step_said said = {.state = COMMAND_CONFIRMED, .who = who_wants(l, who), .text = ""};

	snprintf(text, sizeof text, "a person with the role %s has to confirm it", role);
	if (refused) {
		said = (struct step_said){.state = COMMAND_REFUSED, .who = cs->e->origin, .text = refused};
	} else if (role[0] && !(l->standing = admit_standing(cs, t, role))) {
		said.state = COMMAND_PENDING;
		said.text = text;
	} else if (role[0]) {
		const struct permit *p = &l->standing->permit;
		snprintf(by, sizeof by, "%s/%s", p->by_org, p->person);
		said.who = by;
		said.permit = l->standing->record.permit;
		said.permit_person = l->standing->record.person;
	}
	TRY(live_step(cs, l, &said));
	if (l->standing)
		l->standing->record.used++;
	return 0;
}

/* Copied into a list of its own by way of its encoded form. */
static int begin(struct commands *cs, const struct command_in *in, const struct taken *t, const char *role,
		 struct live **ret)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	struct command_step none = {.state = COMMAND_PENDING, .who = "", .text = ""};
	const struct command_record record = {.command = in->blob,
					      .unsigned_ = in->unsigned_,
					      .person = in->unsigned_ ? (struct bytes){0} : t->credential,
					      .steps = &none,
					      .n_steps = 1,
					      .confirm_role = role,
					      .received_ns = trust_now(cs->e->trust)};

	command_record_encode(&record, &encoded);
	TRY(buf_check(&encoded));
	TRY(live_load(cs, buf_bytes(&encoded), false, ret));
	(*ret)->record.n_steps = 0;
	return 0;
}

static void note_refused(struct commands *cs, const struct taken *t, const char *why)
{
	cs->counts[COMMANDS_REFUSED]++;
	journal_note_bounded(cs->e->journal,
			     &(struct audit_entry){.kind = AUDIT_COMMAND,
						   .subject = "refused",
						   .partner = t->foreign ? t->command.org : "",
						   .twin = t->command.twin,
						   .property = t->command.operation,
						   .text = why},
			     "command refused", REFUSALS_A_MINUTE);
}

/* Arguments as the operation wants them: those in memory are what is handed over. */
static int fit_live(struct commands *cs, struct live *l, struct err_note *note)
{
	struct taken fitted = {.arena = l->arena, .command = l->command};

	return check_content(cs, &fitted, note);
}

static int take_new(struct commands *cs, const struct command_in *in, struct taken *t, struct waiter *w,
		    struct err_note *note)
{
	struct policy_bounds bounds;
	struct err_note refused = {0};
	struct live *l;

	TRY(admit_policy(cs, t, &bounds, note));
	TRY(admit_new(cs, t->command.issued_ns, note));
	TRY(journal_check(cs->e->journal, note));
	const int r = admit_rate(cs, t, &bounds, note);
	if (r < 0) {
		note_refused(cs, t, note->text);
		return r;
	}
	TRY(begin(cs, in, t, bounds.confirm_role, &l));
	const int bad = fit_live(cs, l, &refused);
	int code = bad == -ENOMEM ? bad : first_step(cs, l, t, bad < 0 ? refused.text : NULL);
	if (code == 0)
		code = commands_wait(cs, w);
	if (code < 0) {
		if (l->standing)
			l->standing->record.used--;
		live_drop(cs, l);
		return code;
	}
	cs->counts[bad < 0 ? COMMANDS_REFUSED : COMMANDS_TAKEN]++;
	admit_recall(cs, &l->command, l->record.received_ns, bad == 0);
	live_keep(cs, l);
	return 0;
}

/* Its id, whoever it is of: to see whether it is known. */
static int peek(struct arena *a, const struct command_in *in, struct command *ret, struct err_note *note)
{
	const struct command_record r = {.command = in->blob, .unsigned_ = in->unsigned_};
	const int code = command_of_record(a, &r, ret);

	return code < 0 ? FAIL_SAY(note, code, "the command is not readable") : 0;
}

static int take_command(struct commands *cs, const struct command_in *in, struct waiter *w,
			struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct taken t = {0};
	struct command c;

	TRY(arena_new(&a, TAKEN_BYTES));
	TRY(peek(a, in, &c, note));
	memcpy(w->id, c.id, sizeof w->id);
	if (live_find(cs, c.id) || store_command(cs->e->store, c.id))
		return take_again(cs, in, &c, w, a, note);
	t.arena = a;
	TRY(admit_command(cs, in, &t, note));
	return take_new(cs, in, &t, w, note);
}

/* ---- Permits ----------------------------------------------------------------------------------------------
 */

static int check_confirmer(const char *role, const struct person *p, struct err_note *note)
{
	if (word_find(p->roles, p->n_roles, role) < p->n_roles)
		return 0;
	return FAIL_SAY(note, ERR_REFUSED, "it takes a person with the role %s, which %s/%s does not have",
			role, p->org, p->name);
}

static int check_other(const struct command *c, const struct person *p, struct err_note *note)
{
	if (strcmp(c->org, p->org) != 0 || strcmp(c->person, p->name) != 0)
		return 0;
	return FAIL_SAY(note, ERR_REFUSED, "who sent a command cannot confirm it too");
}

/* Given already? Then it stands as it stands. */
static bool was_given(const struct live *l, struct bytes permit)
{
	for (size_t i = 0; i < l->record.n_steps; i++)
		if (bytes_equal(l->record.steps[i].permit, permit))
			return true;
	return false;
}

/* A permit is about this command: of its twin, and given when it was there to be seen. */
static int check_permit(const struct live *l, const struct permit *p, struct err_note *note)
{
	if (strcmp(p->twin, l->command.twin) != 0)
		return FAIL_SAY(note, ERR_REFUSED, "the permit is for a command to %s, and this one is to %s",
				p->twin, l->command.twin);
	if (p->issued_ns < l->record.received_ns - COMMAND_AHEAD_S * NS_PER_S)
		return FAIL_SAY(note, ERR_REFUSED, "the permit is older than the command: sign it anew");
	return 0;
}

/* Whoever sent it may still, and the confirmer has the role that the policy names now. */
static int check_now(struct commands *cs, const struct live *l, const struct person *person,
		     struct err_note *note)
{
	struct policy_bounds bounds;
	struct err_note why = {0};
	const int r = admit_still(cs, l, &bounds, &why);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return FAIL_SAY(note, ERR_REFUSED, "who sent it may not any more: %.200s", why.text);
	return bounds.confirm_role[0] ? check_confirmer(bounds.confirm_role, person, note) : 0;
}

static int confirm(struct commands *cs, const struct command_in *in, const struct permit *p,
		   const struct person *person, struct waiter *w, struct err_note *note)
{
	struct live *l = live_find(cs, p->id);
	char who[SOURCE_MAX + 1];

	if (!l || l->record.sent)
		return FAIL_SAY(note, ERR_ABSENT, "no command with this id waits here to be confirmed");
	memcpy(w->id, p->id, sizeof w->id);
	w->seen = 0;
	if (was_given(l, in->blob))
		return commands_wait(cs, w);
	if (live_state(l) != COMMAND_PENDING)
		return FAIL_SAY(note, ERR_REFUSED, "the command is %s already",
				command_state_text(live_state(l)));
	TRY(check_confirmer(l->record.confirm_role, person, note));
	TRY(check_other(&l->command, person, note));
	TRY(check_permit(l, p, note));
	if (!p->refuse)
		TRY(check_now(cs, l, person, note));
	if (l->command.deadline_ns <= trust_now(cs->e->trust))
		return FAIL_SAY(note, ERR_REFUSED, "the deadline of the command is over");
	snprintf(who, sizeof who, "%s/%s", person->org, person->name);
	w->seen = l->record.n_steps;
	TRY(commands_wait(cs, w));
	ignore(live_happens(
		cs, l, p->refuse ? LIFE_REFUSE : LIFE_PERMIT,
		&(struct step_said){
			.who = who, .text = "", .permit = in->blob, .permit_person = in->by->credential}));
	return 0;
}

/* What would have to be confirmed, were it sent now by anybody of that organisation? Roles of its persons are
 * not known: it must be open to some share that asks for a confirmation. */
static int check_standing(struct commands *cs, const struct permit *p, const struct person *person,
			  struct arena *a, struct err_note *note)
{
	const int64_t now_ns = trust_now(cs->e->trust);
	const struct twin *t = store_twin(cs->e->store, p->twin);

	(void)a;
	if (!t || !operation_of(t, p->operation))
		return FAIL_SAY(note, ERR_ABSENT, "there is no %s of %s here", p->operation, p->twin);
	if (strcmp(p->org, cs->e->trust->self->org) == 0 || !trust_org(cs->e->trust, p->org))
		return FAIL_SAY(note, ERR_REFUSED, "%s is no organisation whose commands are confirmed here",
				p->org);
	if (p->until_ns <= now_ns)
		return FAIL_SAY(note, ERR_REFUSED, "the permit has run out");
	if (person->n_roles == 0)
		return FAIL_SAY(note, ERR_REFUSED, "%s/%s has no role that could confirm it", person->org,
				person->name);
	return 0;
}

static void id_of_permit(struct bytes blob, uint8_t ret[COMMAND_ID_BYTES])
{
	const struct hash128 hash = hash128("permit", blob, (struct bytes){0});

	memcpy(ret, hash.b, COMMAND_ID_BYTES);
}

static struct standing_permit *standing_find(const struct commands *cs, const uint8_t id[COMMAND_ID_BYTES])
{
	struct standing_permit *s = cs->standing;

	while (s && memcmp(s->id, id, COMMAND_ID_BYTES) != 0)
		s = s->next;
	return s;
}

static void note_permit(struct commands *cs, const struct permit *p)
{
	char person[SOURCE_MAX + 1], text[128], until[TIME_TEXT_SIZE];

	snprintf(person, sizeof person, "%s/%s", p->by_org, p->person);
	snprintf(text, sizeof text, "%u times until %s", p->times, time_text(p->until_ns, until));
	journal_note(cs->e->journal, &(struct audit_entry){.kind = AUDIT_COMMAND,
							   .person = person,
							   .subject = "permitted beforehand",
							   .partner = p->org,
							   .twin = p->twin,
							   .property = p->operation,
							   .text = text});
}

static int stand(struct commands *cs, const struct command_in *in, const struct permit *p,
		 const struct person *person, struct arena *a, command_fn *done, void *ctx,
		 struct err_note *note)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	const struct command_record record = {.person = in->by->credential,
					      .confirm_role = "",
					      .received_ns = trust_now(cs->e->trust),
					      .permit = in->blob};
	uint8_t id[COMMAND_ID_BYTES];

	id_of_permit(in->blob, id);
	if (!standing_find(cs, id)) {
		if (store_command(cs->e->store, id))
			return FAIL_SAY(note, ERR_REFUSED, "this permit is used up");
		TRY(admit_new(cs, p->issued_ns, note));
		TRY(check_standing(cs, p, person, a, note));
		TRY(journal_check(cs->e->journal, note));
		command_record_encode(&record, &encoded);
		TRY(buf_check(&encoded));
		const int r = standing_load(cs, id, buf_bytes(&encoded));
		if (r == ERR_FULL)
			return FAIL_SAY(note, ERR_REFUSED, "%d permits stand here already", STANDING_MAX);
		TRY(r);
		note_permit(cs, p);
	}
	struct standing_permit *s = standing_find(cs, id);
	return s ? standing_keep(cs, s, done, ctx) : FAIL(ERR_REFUSED);
}

static int take_permit(struct commands *cs, const struct command_in *in, struct waiter *w,
		       struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct person person;
	struct permit p;

	TRY(arena_new(&a, TAKEN_BYTES));
	TRY(admit_permit(cs, in, a, &p, &person, note));
	return p.has_id ? confirm(cs, in, &p, &person, w, note)
			: stand(cs, in, &p, &person, a, w->done, w->ctx, note);
}

int owner_take(struct commands *cs, const struct command_in *in, struct waiter *w, struct err_note *note)
{
	if (cs->stopping)
		return FAIL(ERR_UNREACHABLE);
	if (!in->permit)
		return take_command(cs, in, w, note);
	if (w->until_ns < engine_mono_ns() + 10 * NS_PER_S)
		w->until_ns = engine_mono_ns() + 10 * NS_PER_S; /* until it is durable */
	const int r = take_permit(cs, in, w, note);
	cs->counts[PERMITS_REFUSED] += r == ERR_REFUSED || r == ERR_DENIED || r == ERR_ABSENT;
	return r;
}

int commands_take(struct commands *cs, const struct command_in *in, command_fn *done, void *ctx,
		  struct err_note *note)
{
	struct waiter w = waiter_of(cs, in, done, ctx);

	return owner_take(cs, in, &w, note);
}
