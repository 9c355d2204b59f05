/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "node/judge_private.h"
#include "node/log.h"
#include "node/writer.h"
#include "proto/clock.h"
#include "proto/standing.h"
#include "proto/words.h"

#define SOURCE "holond"

const char *judge_text(struct arena *a, const struct entry *x, const char *comment)
{
	const bool was_active = x->state == ALARM_ACKNOWLEDGED || x->state == ALARM_SHELVED;
	const struct standing st = {.state = alarm_state_text(x->state),
				    .what = x->what,
				    .until_ns = x->until_ns,
				    .comment = comment,
				    .since_ns = was_active ? x->since_ns : 0};

	return standing_text(a, &st);
}

/* An op of the node's own, in the arena. -ENOMEM. */
static int fill_op(struct arena *a, const char *twin, const char *property, const struct sample *s,
		   struct op *ret)
{
	struct sample *copy = arena_take(a, sizeof *copy);

	if (!copy)
		return FAIL(-ENOMEM);
	*copy = *s;
	*ret = (struct op){.kind = OP_SAMPLES,
			   .by_node = true,
			   .samples = {.twin = arena_copy(a, twin),
				       .property = arena_copy(a, property),
				       .samples = copy,
				       .n = 1}};
	return ret->samples.twin && ret->samples.property ? 0 : FAIL(-ENOMEM);
}

/* ---- What the node says
 * ------------------------------------------------------------------------------------
 */

enum {
	OUT_MOST = 20000, /* samples that wait for those before them to be written */
	FLUSH_MS = 3,
};

int judge_tell(struct judge *j, const struct entry *x)
{
	struct judge_out *out = &j->out;
	size_t place;
	const struct twin *t = store_series_owner(j->e->store, x->series, &place);
	struct op op;

	if (!t)
		return 0;
	if (out->n >= OUT_MOST) {
		j->failed = true;
		return 0;
	}
	if (!out->arena)
		TRY(arena_new(&out->arena, SIZE_MAX));
	const char *text = judge_text(out->arena, x, "");
	if (!text)
		return FAIL(-ENOMEM);
	const struct sample s = {.t_ns = x->t_ns,
				 .value = {.type = VALUE_TEXT, .text = text},
				 .sigma = (double)NAN,
				 .source = SOURCE};
	TRY(fill_op(out->arena, t->id, t->type->def.properties[place].name, &s, &op));
	struct op *room = arena_push(out->arena, &out->ops, &out->n, sizeof *room);
	if (!room)
		return FAIL(-ENOMEM);
	*room = op;
	return 0;
}

static void on_soon(uv_timer_t *timer)
{
	struct engine *e = timer->data;

	judge_flush(e->judge);
}

/* A commit of its own for each one that others make would halve their pace: the next one takes it along. */
void judge_flush_soon(struct judge *j)
{
	uv_timer_t *soon = &j->e->telling;

	if (j->out.n > 0 && !uv_is_active((uv_handle_t *)soon))
		uv_timer_start(soon, on_soon, FLUSH_MS, 0);
}

static void on_written(void *ctx, const struct write_result *result)
{
	struct judge *j = ctx;

	j->is_writing = false;
	j->failed |= result->code < 0;
	judge_flush_soon(j);
}

/* One request at a time: what comes meanwhile goes together with the next one. */
void judge_flush(struct judge *j)
{
	if (!j || j->is_writing || j->out.n == 0)
		return;
	const struct write_request request = {
		.arena = j->out.arena, .ops = j->out.ops, .n_ops = j->out.n, .done = on_written, .ctx = j};
	j->out = (struct judge_out){0};
	j->is_writing = true;
	if (writer_submit(j->e->writer, &request) < 0) { /* too much waits: all is judged anew after that */
		j->is_writing = false;
		j->failed = true;
	}
}

/* ---- What people do
 * ----------------------------------------------------------------------------------------
 */

/* On its way to the store; until it is there it may be taken back. */
struct act {
	struct act *next, **at;
	struct judge *judge;
	judge_fn *done;
	void *ctx;
	uint32_t series;
	int64_t t_ns;
	enum alarm_state before;
	int64_t before_until_ns;
	char text[160];
};

void judge_forget_acts(struct judge *j)
{
	for (struct act *a = j->acts; a;) {
		struct act *next = a->next;
		free(a);
		a = next;
	}
	j->acts = NULL;
}

static void unlink_act(struct act *a)
{
	*a->at = a->next;
	if (a->next)
		a->next->at = a->at;
}

static void link_act(struct judge *j, struct act *a)
{
	a->at = &j->acts;
	a->next = j->acts;
	if (j->acts)
		j->acts->at = &a->next;
	j->acts = a;
}

/* It did not become durable: unless something has happened since, it stands as before. */
static void take_back(struct act *a)
{
	struct entry *x = numbered_get(&a->judge->entries, a->series);

	if (!x || x->t_ns != a->t_ns)
		return;
	x->state = a->before;
	x->until_ns = a->before_until_ns;
}

static void on_act_written(void *ctx, const struct write_result *result)
{
	struct act *a = ctx;
	const int code = result->code < 0 ? result->code : result->n_refused > 0 ? ERR_REFUSED : 0;
	const char *why = result->note.text[0]    ? result->note.text
			  : result->n_refused > 0 ? result->refused[0].reason
						  : err_text(code);

	unlink_act(a);
	if (code < 0)
		take_back(a);
	a->done(a->ctx, code, code < 0 ? why : a->text);
	free(a);
}

/* The alarm of that name of a twin, if it stands. */
static struct entry *find(const struct judge *j, const char *twin, const char *name,
			  const char **ret_property)
{
	const struct entry_key key = {twin, 0};
	size_t place;

	for (struct entry *x = ordered_from(&j->standing, &key); x && strcmp(x->twin, twin) == 0;) {
		const struct entry_key here = {twin, x->series};
		const struct twin *t = store_series_owner(j->e->store, x->series, &place);
		*ret_property = t ? t->type->def.properties[place].name : "";
		if (t && strcmp(*ret_property + strlen(made_text(MADE_ALARM)), name) == 0)
			return x;
		x = ordered_after(&j->standing, &here);
	}
	return NULL;
}

/* What the person does to it, or why not. */
static int decide(const struct entry *x, const struct alarm_act *act, enum alarm_state *ret,
		  int64_t *ret_until_ns, struct err_note *note)
{
	const int64_t now_ns = engine_wall_ns();

	*ret = ALARM_ACKNOWLEDGED;
	*ret_until_ns = TIME_MAX;
	if (!act->shelve) {
		if (x->state != ALARM_ACTIVE)
			return FAIL_SAY(note, ERR_REFUSED, "%s of %s is %s already", act->name, act->twin,
					alarm_state_text(x->state));
		return 0;
	}
	*ret = act->until_ns == 0 ? ALARM_ACTIVE : ALARM_SHELVED;
	if (act->until_ns == 0)
		return x->state == ALARM_SHELVED
			       ? 0
			       : FAIL_SAY(note, ERR_REFUSED, "%s of %s is not shelved", act->name, act->twin);
	*ret_until_ns = act->until_ns;
	if (act->until_ns <= now_ns)
		return FAIL_SAY(note, ERR_REFUSED, "an alarm is shelved until a time to come");
	if ((uint64_t)act->until_ns - (uint64_t)now_ns > (uint64_t)SHELVE_MAX_NS)
		return FAIL_SAY(note, ERR_REFUSED,
				"an alarm is shelved for a week at most: change its limits instead");
	return 0;
}

static int write_act(struct judge *j, const struct entry *x, const struct alarm_act *what,
		     const char *property, struct act *act)
{
	SCOPED(scope_arena) struct arena *a = NULL;

	TRY(arena_new(&a, SIZE_MAX));
	struct op *op = arena_take(a, sizeof *op);
	const char *text = judge_text(a, x, text_or_empty(what->comment));
	const char *who = arena_print(a, "%.*s", SOURCE_MAX, text_or_empty(what->who));
	if (!op || !text || !who)
		return FAIL(-ENOMEM);
	const struct sample s = {.t_ns = x->t_ns,
				 .value = {.type = VALUE_TEXT, .text = text},
				 .sigma = (double)NAN,
				 .source = who};
	TRY(fill_op(a, what->twin, property, &s, op));
	snprintf(act->text, sizeof act->text, "%s of %s is %s", what->name, what->twin,
		 alarm_state_text(x->state));
	const struct write_request request = {
		.arena = MOVE(a), .ops = op, .n_ops = 1, .done = on_act_written, .ctx = act};
	return writer_submit(j->e->writer, &request);
}

int judge_act(struct judge *j, const struct alarm_act *act, judge_fn *done, void *ctx, struct err_note *note)
{
	const char *property;
	struct entry *x = find(j, act->twin, act->name, &property);
	enum alarm_state state;
	int64_t until_ns;

	if (!x)
		return FAIL_SAY(note, ERR_ABSENT, "no alarm %s of %s stands", act->name, act->twin);
	TRY(decide(x, act, &state, &until_ns, note));
	struct act *a = calloc(1, sizeof *a);
	if (!a)
		return FAIL(-ENOMEM);
	*a = (struct act){.judge = j,
			  .done = done,
			  .ctx = ctx,
			  .series = x->series,
			  .before = x->state,
			  .before_until_ns = x->until_ns};
	x->state = state;
	x->until_ns = until_ns;
	a->t_ns = x->t_ns = entry_time(x, engine_wall_ns());
	judge_time(j, x, until_ns != TIME_MAX || crossings_wait(&x->crossings));
	link_act(j, a);
	const int r = write_act(j, x, act, property, a);
	if (r == 0)
		return 0;
	take_back(a);
	unlink_act(a);
	free(a);
	return r;
}
