/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "node/audit.h"
#include "node/commands_private.h"
#include "node/log.h"
#include "node/writer.h"
#include "proto/clock.h"
#include "proto/id.h"
#include "proto/words.h"

enum { TICK_MS = 500, PRINTED_BYTES = 2048 };

/* ---- One that has not ended -------------------------------------------------------------------------------
 */

struct live *live_find(const struct commands *cs, const uint8_t id[COMMAND_ID_BYTES])
{
	char key[COMMAND_ID_TEXT_SIZE];

	command_id_text(id, key);
	return map_get(&cs->by_id, key);
}

static void live_free(struct live *l)
{
	arena_free(l->arena);
	free(l);
}

DEFINE_SCOPED(live, live_free)

/* Room for all steps that may come. */
static int make_room(struct live *l)
{
	struct command_step *steps = arena_take_array(l->arena, COMMAND_STEPS_MAX, sizeof *steps);

	if (!steps)
		return FAIL(-ENOMEM);
	if (l->record.n_steps > 0)
		memcpy(steps, l->record.steps, l->record.n_steps * sizeof *steps);
	l->record.steps = steps;
	return 0;
}

int live_load(struct commands *cs, struct bytes record, bool durable, struct live **ret)
{
	SCOPED(scope_live) struct live *l = calloc(1, sizeof *l);

	if (!l)
		return FAIL(-ENOMEM);
	TRY(arena_new(&l->arena, LIVE_BYTES));
	TRY(command_record_decode(l->arena, record, &l->record));
	TRY(command_of_record(l->arena, &l->record, &l->command));
	TRY(make_room(l));
	command_hash(l->record.command, l->hash);
	command_id_text(l->command.id, l->key);
	l->n_durable = durable ? l->record.n_steps : 0;
	l->unsure = durable; /* it may have been asked about before a restart */
	TRY(map_put(&cs->by_id, l->key, l));
	l->next = cs->list;
	cs->list = l;
	*ret = MOVE(l);
	return 0;
}

void live_drop(struct commands *cs, struct live *l)
{
	struct live **at = &cs->list;

	if (!l->gone) {
		map_remove(&cs->by_id, l->key);
		while (*at != l)
			at = &(*at)->next;
		*at = l->next;
		l->gone = true;
	}
	if (!l->busy && l->n_writing == 0) /* else who has it lets it go when that is over */
		live_free(l);
}

enum command_state live_state(const struct live *l)
{
	return l->record.n_steps > 0 ? l->record.steps[l->record.n_steps - 1].state : COMMAND_NONE;
}

static size_t count_open(const struct commands *cs, bool sent, const char *org)
{
	size_t n = 0;

	for (const struct live *l = cs->list; l; l = l->next)
		n += l->record.sent == sent && (!org || strcmp(l->command.org, org) == 0);
	return n;
}

size_t commands_open_of(const struct commands *cs, const char *org)
{
	return count_open(cs, false, org);
}

size_t commands_open_sent(const struct commands *cs)
{
	return count_open(cs, true, NULL);
}

/* ---- Steps ------------------------------------------------------------------------------------------------
 */

/* Cut to what a record takes, and clean: it may be what an asset said. */
static const char *bounded(struct arena *a, const char *text, size_t max)
{
	const size_t len = strnlen(text_or_empty(text), max);
	char *copy = arena_text(a, (struct bytes){(const uint8_t *)text_or_empty(text), len});

	if (copy)
		text_mend(copy, len);
	return copy;
}

static int copy_blob(struct arena *a, struct bytes from, struct bytes *ret)
{
	const char *copy = from.len > 0 ? arena_text(a, from) : "";

	if (!copy)
		return FAIL(-ENOMEM);
	*ret = (struct bytes){(const uint8_t *)copy, from.len};
	return 0;
}

static int sign_step(const struct commands *cs, struct live *l, struct command_step *s)
{
	SCOPED(buf_fini) struct buf signed_ = {0};
	struct receipt r = {.number = (uint32_t)l->record.n_steps + 1,
			    .state = s->state,
			    .t_ns = s->t_ns,
			    .who = s->who,
			    .text = s->text,
			    .node = cs->e->origin};

	memcpy(r.command, l->hash, sizeof r.command);
	memcpy(r.id, l->command.id, sizeof r.id);
	receipt_sign(cs->e->trust->sign, &r, &signed_);
	TRY(buf_check(&signed_));
	return copy_blob(l->arena, buf_bytes(&signed_), &s->receipt);
}

int live_step(struct commands *cs, struct live *l, const struct step_said *said)
{
	struct command_step s = {.state = said->state,
				 .t_ns = trust_now(cs->e->trust),
				 .who = bounded(l->arena, said->who, SOURCE_MAX),
				 .text = bounded(l->arena, said->text, REASON_MAX)};

	if (l->record.n_steps == COMMAND_STEPS_MAX)
		return FAIL(ERR_FULL);
	if (!s.who || !s.text)
		return FAIL(-ENOMEM);
	TRY(copy_blob(l->arena, said->permit, &s.permit));
	TRY(copy_blob(l->arena, said->permit_person, &s.permit_person));
	if (!l->record.sent)
		TRY(sign_step(cs, l, &s));
	l->record.steps[l->record.n_steps++] = s;
	return 0;
}

bool live_happens(struct commands *cs, struct live *l, enum life_event event, const struct step_said *said)
{
	struct step_said next = *said;

	next.state = command_next(live_state(l), event);
	if (next.state == COMMAND_NONE)
		return false;
	const int r = live_step(cs, l, &next);
	if (r < 0) {
		engine_log_failure("command", "a step of a command is lost", r, NULL);
		return false;
	}
	cs->counts[COMMANDS_TIMED_OUT] += event == LIFE_DEADLINE;
	live_keep(cs, l);
	return true;
}

void commands_audit(const struct commands *cs, const struct live *l, const struct command_step *step)
{
	char text[PRINTED_BYTES], person[SOURCE_MAX + 1], other[ORG_NAME_MAX + 1];
	const struct bytes owner = id_org(l->command.twin);

	snprintf(text, sizeof text, "%s%s%s", l->key, step->text[0] ? ": " : "", step->text);
	snprintf(person, sizeof person, "%s", strchr(step->who, '/') ? step->who : "");
	if (l->record.sent)
		snprintf(other, sizeof other, "%.*s", (int)owner.len, (const char *)owner.data);
	else
		snprintf(other, sizeof other, "%s", l->command.org);
	journal_note(
		cs->e->journal,
		&(struct audit_entry){.kind = AUDIT_COMMAND,
				      .person = person,
				      .subject = command_state_text(step->state),
				      .partner = strcmp(other, cs->e->trust->self->org) == 0 ? "" : other,
				      .twin = l->command.twin,
				      .property = l->command.operation,
				      .text = text});
}

/* ---- Time -------------------------------------------------------------------------------------------------
 */

void commands_tick(struct commands *cs)
{
	for (struct live *l = cs->list, *next; l; l = next) {
		next = l->next; /* only l itself may go */
		if (l->n_durable < l->record.n_steps)
			live_keep(cs, l);
		else if (l->record.sent)
			sent_tick(cs, l);
		else
			owner_tick(cs, l);
	}
	commands_expire(cs);
	commands_retire(cs);
}

static void on_timer(uv_timer_t *timer)
{
	struct commands *cs = timer->data;

	commands_tick(cs);
}

/* ---- Beginning and ending ---------------------------------------------------------------------------------
 */

static int recall(struct commands *cs, const struct store_command *kept)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct command_record r;
	struct command c;
	struct live *l;

	TRY(arena_new(&a, LIVE_BYTES));
	TRY(command_record_decode(a, kept->record, &r));
	if (r.permit.len > 0)
		return standing_load(cs, kept->id, kept->record);
	TRY(command_of_record(a, &r, &c));
	const enum command_state state = r.steps[r.n_steps - 1].state;
	if (!r.sent)
		admit_recall(cs, &c, r.received_ns, state != COMMAND_REFUSED);
	return command_state_is_final(state) ? 0 : live_load(cs, kept->record, true, &l);
}

/* What cannot be read (any more) stays as it is, and is not acted on. */
static int recall_all(struct commands *cs)
{
	for (const struct store_command *kept = NULL; (kept = store_command_next(cs->e->store, kept));) {
		const int r = recall(cs, kept);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			engine_log_failure("command", "a record is not readable", r, NULL);
	}
	return 0;
}

int commands_start(struct commands **ret, struct engine *e)
{
	struct commands *cs = calloc(1, sizeof *cs);

	if (!cs)
		return FAIL(-ENOMEM);
	cs->e = e;
	cs->ports = commands_ports_of_node;
	const int r = recall_all(cs);
	if (r < 0) {
		commands_free(cs);
		return r;
	}
	uv_timer_init(&e->loop, &cs->timer);
	cs->timer.data = cs;
	uv_timer_start(&cs->timer, on_timer, TICK_MS, TICK_MS);
	*ret = cs;
	return 0;
}

void commands_connect(struct commands *cs, const struct commands_ports *ports)
{
	cs->ports = *ports;
}

static void on_closed(uv_handle_t *h)
{
	struct commands *cs = h->data;

	if (cs->on_stopped)
		cs->on_stopped(cs->e);
}

void commands_stop(struct commands *cs, void (*done)(struct engine *e))
{
	cs->stopping = true;
	cs->on_stopped = done;
	while (cs->waiters)
		commands_fail(cs, cs->waiters->id, ERR_UNREACHABLE, "the node is stopping");
	uv_close((uv_handle_t *)&cs->timer, on_closed);
}

void commands_free(struct commands *cs)
{
	if (!cs)
		return;
	while (cs->list) {
		struct live *l = cs->list;
		l->busy = false;
		l->n_writing = 0;
		live_drop(cs, l);
	}
	while (cs->standing) {
		struct standing_permit *s = cs->standing;
		cs->standing = s->next;
		standing_free(s);
	}
	for (size_t i = 0; i <= PARTNERS_MAX; i++)
		free(cs->recent[i]);
	map_fini(&cs->by_id);
	free(cs);
}

bool commands_count(const struct commands *cs, size_t place, const char **ret_name, uint64_t *ret)
{
	static const char *const names[] = {
#define X(name, text) text,
		COMMAND_COUNTERS(X)
#undef X
	};

	if (!cs || place >= N_COMMAND_COUNTERS)
		return false;
	*ret_name = names[place];
	*ret = cs->counts[place];
	return true;
}
