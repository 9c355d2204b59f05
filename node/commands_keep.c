/* SPDX-License-Identifier: Apache-2.0 */
#include "node/commands_private.h"
#include "node/log.h"
#include "node/writer.h"
#include "proto/clock.h"

enum { WRITE_BYTES = 512 * 1024, RETIRE_EVERY_S = 60, RETIRE_AT_ONCE = 500, KEEP_MAX_S = 10 };

/* ---- Writing ----------------------------------------------------------------------------------------------
 */

static int put_op(struct arena *a, struct op *op, const uint8_t id[COMMAND_ID_BYTES],
		  const struct command_record *record)
{
	SCOPED(buf_fini) struct buf encoded = {0};

	*op = (struct op){.kind = OP_COMMAND};
	memcpy(op->command.id, id, COMMAND_ID_BYTES);
	command_record_encode(record, &encoded);
	TRY(buf_check(&encoded));
	const char *copy = arena_text(a, buf_bytes(&encoded));
	if (!copy)
		return FAIL(-ENOMEM);
	op->command.record = (struct bytes){(const uint8_t *)copy, encoded.len};
	return 0;
}

static int code_of(const struct write_result *w)
{
	return w->code < 0 ? w->code : w->n_refused > 0 ? ERR_REFUSED : 0;
}

static void on_durable(struct commands *cs, struct live *l, size_t before)
{
	for (size_t i = before; i < l->n_durable; i++)
		commands_audit(cs, l, &l->record.steps[i]);
	commands_tell(cs, l);
	if (cs->stopping)
		return;
	if (l->n_durable < l->record.n_steps)
		live_keep(cs, l);
	else if (command_state_is_final(live_state(l)))
		live_drop(cs, l);
	else if (l->record.sent)
		sent_act(cs, l);
	else
		owner_act(cs, l);
}

/* One that never was is as if it had not come; another step is written again with the next tick. */
static void on_lost(struct commands *cs, struct live *l, int code, const struct err_note *note)
{
	engine_log_failure("command", "a command could not be kept", code, note);
	if (l->n_durable > 0)
		return;
	if (l->standing)
		l->standing->record.used--;
	commands_fail(cs, l->command.id, ERR_UNREACHABLE,
		      "the node could not keep the command: send it again");
	live_drop(cs, l);
}

struct writing {
	struct commands *cs;
	struct live *live;
};

static void on_written(void *ctx, const struct write_result *w)
{
	const struct writing writing = *(struct writing *)ctx;
	struct live *l = writing.live;
	const size_t before = l->n_durable, written = l->n_writing;
	const int code = code_of(w);

	free(ctx);
	l->n_writing = 0;
	if (l->gone) {
		live_drop(writing.cs, l);
		return;
	}
	if (code == 0) {
		l->n_durable = written;
		on_durable(writing.cs, l, before);
	} else {
		on_lost(writing.cs, l, code, &w->note);
	}
}

/* The permit that it used up goes with its first step. */
static int submit(struct commands *cs, struct live *l)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const bool with_permit = l->standing && l->n_durable == 0;

	TRY(arena_new(&a, WRITE_BYTES));
	struct op *ops = arena_take_array(a, 2, sizeof *ops);
	struct writing *writing = calloc(1, sizeof *writing);
	if (!ops || !writing) {
		free(writing);
		return FAIL(-ENOMEM);
	}
	*writing = (struct writing){cs, l};
	int r = put_op(a, &ops[0], l->command.id, &l->record);
	if (r == 0 && with_permit)
		r = put_op(a, &ops[1], l->standing->id, &l->standing->record);
	const struct write_request request = {.arena = a,
					      .ops = ops,
					      .n_ops = with_permit ? 2 : 1,
					      .atomic = true,
					      .done = on_written,
					      .ctx = writing};
	if (r == 0) {
		a = NULL; /* the writer's, also when it fails */
		l->n_writing = l->record.n_steps;
		r = writer_submit(cs->e->writer, &request);
	}
	if (r < 0) {
		l->n_writing = 0;
		free(writing);
	}
	return r;
}

void live_keep(struct commands *cs, struct live *l)
{
	if (l->n_writing > 0 || cs->stopping)
		return;
	const int r = submit(cs, l);
	if (r < 0)
		on_lost(cs, l, r, NULL);
}

/* ---- Who waits --------------------------------------------------------------------------------------------
 */

struct command_record record_shown(const struct command_record *r,
				   struct command_step steps[COMMAND_STEPS_MAX])
{
	struct command_record shown = *r;

	for (size_t i = 0; i < r->n_steps; i++) {
		steps[i] = r->steps[i];
		steps[i].permit = steps[i].permit_person = (struct bytes){0};
	}
	shown.steps = steps;
	shown.person = (struct bytes){0}; /* the asker has shown it */
	shown.permit = (struct bytes){0};
	return shown;
}

static void say(const struct waiter *w, const struct command_record *record, bool last)
{
	struct command_step steps[COMMAND_STEPS_MAX];
	const struct command_record shown = w->foreign ? record_shown(record, steps) : *record;

	w->done(w->ctx, 0, "", &shown, last);
}

/* Out of the list, which may be another one after a call. */
static struct waiter *take_waiter(struct commands *cs, struct waiter **at)
{
	struct waiter *w = *at;

	*at = w->next;
	cs->n_waiters--;
	return w;
}

static bool is_of(const struct waiter *w, const uint8_t id[COMMAND_ID_BYTES])
{
	return memcmp(w->id, id, COMMAND_ID_BYTES) == 0;
}

void commands_tell(struct commands *cs, const struct live *l)
{
	struct command_record durable = l->record;
	bool said = true;

	durable.n_steps = l->n_durable;
	const bool ended =
		l->n_durable > 0 && command_state_is_final(durable.steps[durable.n_steps - 1].state);
	while (said) {
		struct waiter **at = &cs->waiters;
		while (*at && !(is_of(*at, l->command.id) && ((*at)->seen < l->n_durable || ended)))
			at = &(*at)->next;
		struct waiter *w = *at;
		said = w != NULL;
		if (!w)
			break;
		w->seen = l->n_durable;
		if (w->follow && !ended) {
			say(w, &durable, false);
			continue;
		}
		take_waiter(cs, at);
		say(w, &durable, true);
		free(w);
	}
}

void commands_fail(struct commands *cs, const uint8_t id[COMMAND_ID_BYTES], int code, const char *text)
{
	struct waiter **at = &cs->waiters;
	uint8_t of[COMMAND_ID_BYTES];

	memcpy(of, id, sizeof of); /* it may be a waiter's */
	while (*at) {
		if (!is_of(*at, of)) {
			at = &(*at)->next;
			continue;
		}
		struct waiter *w = take_waiter(cs, at);
		w->done(w->ctx, code, text, NULL, true);
		free(w);
		at = &cs->waiters;
	}
}

int commands_wait(struct commands *cs, const struct waiter *w)
{
	const struct live *l = live_find(cs, w->id);

	if (cs->n_waiters >= WAITERS_MAX)
		return FAIL(-EAGAIN);
	struct waiter *copy = malloc(sizeof *copy);
	if (!copy)
		return FAIL(-ENOMEM);
	*copy = *w;
	copy->next = cs->waiters;
	cs->waiters = copy;
	cs->n_waiters++;
	if (l)
		commands_tell(cs, l);
	return 0;
}

/* As it stands: nothing new has come. */
static void end_wait(struct commands *cs, struct waiter *w)
{
	const struct live *l = live_find(cs, w->id);

	if (l && l->n_durable > 0) {
		struct command_record durable = l->record;
		durable.n_steps = l->n_durable;
		say(w, &durable, true);
	} else {
		w->done(w->ctx, ERR_UNREACHABLE, "the command is not kept yet: ask again", NULL, true);
	}
	free(w);
}

/* It is not known whether there is such a command until it is durable. */
static bool is_being_kept(const struct commands *cs, const struct waiter *w, int64_t now_ns)
{
	const struct live *l = live_find(cs, w->id);

	return l && l->n_durable == 0 && w->until_ns > now_ns - KEEP_MAX_S * NS_PER_S;
}

void commands_expire(struct commands *cs)
{
	const int64_t now_ns = engine_mono_ns();

	for (struct waiter **at = &cs->waiters; *at;) {
		if ((*at)->until_ns > now_ns || is_being_kept(cs, *at, now_ns)) {
			at = &(*at)->next;
			continue;
		}
		end_wait(cs, take_waiter(cs, at));
		at = &cs->waiters;
	}
}

/* ---- Permits given beforehand -----------------------------------------------------------------------------
 */

struct keeping {
	struct commands *cs;
	uint8_t id[COMMAND_ID_BYTES];
	command_fn *done;
	void *ctx;
};

static void on_kept(void *ctx, const struct write_result *w)
{
	struct keeping *k = ctx;
	struct standing_permit *s = k->cs->standing;
	const int code = code_of(w);

	while (s && memcmp(s->id, k->id, sizeof k->id) != 0)
		s = s->next;
	if (code == 0 && s)
		k->done(k->ctx, 0, "", &s->record, true);
	else
		k->done(k->ctx, ERR_UNREACHABLE, "the node could not keep the permit: give it again", NULL,
			true);
	free(k);
}

int standing_keep(struct commands *cs, struct standing_permit *s, command_fn *done, void *ctx)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct keeping *k = calloc(1, sizeof *k);

	if (!k)
		return FAIL(-ENOMEM);
	*k = (struct keeping){.cs = cs, .done = done, .ctx = ctx};
	memcpy(k->id, s->id, sizeof k->id);
	int r = arena_new(&a, WRITE_BYTES);
	struct op *op = r == 0 ? arena_take(a, sizeof *op) : NULL;
	if (r == 0)
		r = op ? put_op(a, op, s->id, &s->record) : FAIL(-ENOMEM);
	const struct write_request request = {.arena = a, .ops = op, .n_ops = 1, .done = on_kept, .ctx = k};
	if (r == 0) {
		a = NULL;
		r = writer_submit(cs->e->writer, &request);
	}
	if (r < 0)
		free(k);
	return r;
}

/* ---- Old ones ---------------------------------------------------------------------------------------------
 */

static bool is_old(const struct commands *cs, const struct store_command *c, size_t n, size_t n_bytes)
{
	const int64_t age_ns = (int64_t)RECORDS_KEPT_DAYS * 86400 * NS_PER_S;
	SCOPED(scope_arena) struct arena *a = NULL;
	struct command_record r;

	if (live_find(cs, c->id))
		return false;
	if (n > RECORDS_MAX || n_bytes > RECORDS_BYTES_MAX)
		return true;
	if (n <= RECORDS_KEPT)
		return false;
	return arena_new(&a, LIVE_BYTES) < 0 || command_record_decode(a, c->record, &r) < 0 ||
	       trust_now(cs->e->trust) - r.received_ns > age_ns;
}

static int retire(struct commands *cs)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	size_t n_bytes, n_ops = 0, n = store_commands(cs->e->store, &n_bytes);
	const struct store_command *c = store_command_oldest(cs->e->store);

	if (!c || !is_old(cs, c, n, n_bytes))
		return 0;
	TRY(arena_new(&a, WRITE_BYTES));
	struct op *ops = arena_take_array(a, RETIRE_AT_ONCE, sizeof *ops);
	if (!ops)
		return FAIL(-ENOMEM);
	for (; c && n_ops < RETIRE_AT_ONCE && is_old(cs, c, n, n_bytes); n--) {
		ops[n_ops].kind = OP_COMMAND;
		memcpy(ops[n_ops++].command.id, c->id, COMMAND_ID_BYTES);
		n_bytes -= c->record.len;
		c = store_command_newer(c);
	}
	return writer_submit(cs->e->writer,
			     &(struct write_request){.arena = MOVE(a), .ops = ops, .n_ops = n_ops});
}

void commands_retire(struct commands *cs)
{
	const int64_t now_ns = engine_mono_ns();

	if (now_ns - cs->retired_ns < RETIRE_EVERY_S * NS_PER_S || cs->stopping)
		return;
	cs->retired_ns = now_ns;
	const int r = retire(cs);
	if (r < 0)
		engine_log_failure("command", "old records do not go yet", r, NULL);
}
