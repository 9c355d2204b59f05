/* SPDX-License-Identifier: Apache-2.0 */
/* Alarms of all twins this node knows of, by twin: own ones as they stand, others as the rows held say. */
#include <math.h>
#include <string.h>

#include "node/control.h"
#include "node/judge.h"
#include "node/summary.h"
#include "proto/clock.h"
#include "proto/standing.h"
#include "proto/words.h"

/* Most rows have no alarm: of so many at most is looked whether they have, then the client goes on. Of own
 * twins the judge knows. */
enum { PAGE = 500, LOOK_MAX = 20000 };

struct place {
	const struct twin *own;
	const struct remote_row *held;
};

static struct place place_after(const struct call *c, const char *after)
{
	return (struct place){judge_next(c->e->judge, c->request.prefix, after),
			      store_row_next(c->e->store, c->request.prefix, after)};
}

static bool own_is_next(const struct place *at)
{
	return at->own && (!at->held || strcmp(at->own->id, at->held->id) <= 0);
}

/* ---- What is told of one ---------------------------------------------------------------------------------
 */

static const char *number(struct arena *a, double v, const char *unit)
{
	const struct value value = {.type = VALUE_DOUBLE, .real = v};

	return arena_print(a, "%s%s%s", text_or_empty(value_text(a, &value)), *unit ? " " : "", unit);
}

/* Where the line is: `90 degC`, `5 degC/s`, `10m`. */
static const char *limit_words(struct arena *a, const struct property_def *p, const char *what)
{
	const struct limits *l = p->limits;
	char text[DURATION_TEXT_SIZE];

	for (enum limit i = LIMIT_LOW_ALARM; i < N_LIMITS; i++)
		if (strcmp(what, limit_text(i)) == 0)
			return arena_print(a, "%s %s", i < LIMIT_HIGH_WARNING ? "at or below" : "at or above",
					   number(a, l->at[i], p->unit));
	if (strncmp(what, "rate-", 5) == 0)
		return arena_print(a, "changes by %s a second or more",
				   number(a,
					  strcmp(what, "rate-alarm") == 0 ? l->rate_alarm : l->rate_warning,
					  p->unit));
	if (strcmp(what, "stale") == 0)
		return arena_print(a, "no sample for %s", duration_text(l->stale_ns, text));
	return "";
}

static const char *of_limits(const struct call *c, const struct twin *t, size_t of, const char *what)
{
	const struct property_def *p = &t->type->def.properties[of];
	const struct sample now = store_value(c->e->store, t, of);
	struct arena *a = c->arena;
	double v;

	if (!p->limits)
		return "";
	const char *limit = limit_words(a, p, what);
	return value_number(&now.value, &v) && limit
		       ? arena_print(a, "%s; is %s", limit, number(a, v, p->unit))
		       : limit;
}

static const char *words_of(const struct call *c, const struct twin *t, size_t place, const char *what)
{
	const struct type_def *def = &t->type->def;
	const struct property_def *p = &def->properties[place];

	if (!p->made_of_alarm)
		return of_limits(c, t, p->made_of, what);
	return *def->alarms[p->made_of].text ? def->alarms[p->made_of].text : def->alarms[p->made_of].when;
}

static int push(struct call *c, struct control_answer *answer, const struct twin_alarm *alarm)
{
	struct twin_alarm *t = arena_push(c->arena, &answer->twin_alarms, &answer->n_twin_alarms, sizeof *t);

	if (!t)
		return FAIL(-ENOMEM);
	*t = *alarm;
	return 0;
}

static int push_own(struct call *c, const struct twin *t, size_t place, struct control_answer *answer)
{
	const struct sample v = store_value(c->e->store, t, place);
	struct twin_alarm alarm = {.twin = t->id, .origin = c->e->origin, .who = ""};
	struct standing standing;

	if (!summary_alarm(t->type, place, &v, c->arena, &alarm.alarm) ||
	    !standing_parse(c->arena, v.value.text, &standing))
		return 0;
	if (alarm.alarm.state != ALARM_ACTIVE)
		alarm.who = text_or_empty(v.source);
	if (alarm.alarm.state == ALARM_SHELVED && standing.until_ns != TIME_MAX)
		alarm.until_ns = standing.until_ns;
	alarm.text = words_of(c, t, place, alarm.alarm.what);
	if (alarm.text && *standing.comment)
		alarm.text = arena_print(c->arena, "%s%s%s", alarm.text, *alarm.text ? "; " : "",
					 standing.comment);
	return alarm.text ? push(c, answer, &alarm) : FAIL(-ENOMEM);
}

static int push_held(struct call *c, const struct remote_row *held, struct control_answer *answer)
{
	static const struct row_wish wish = {.alarms = true};
	struct row row;

	TRY(row_read(c->arena, held->id, held->encoded, &wish, &row));
	for (size_t i = 0; i < row.n_alarms; i++)
		TRY(push(c, answer,
			 &(struct twin_alarm){.twin = held->id,
					      .origin = held->origin->name,
					      .alarm = row.alarms[i],
					      .who = "",
					      .text = ""}));
	return 0;
}

static int push_next(struct call *c, const struct place *at, struct control_answer *answer)
{
	const struct twin *t = at->own;

	if (!own_is_next(at))
		return push_held(c, at->held, answer);
	for (size_t i = 0; t->type && i < t->type->n_standings; i++)
		TRY(push_own(c, t, t->type->standings[i], answer));
	return 0;
}

int control_twin_alarms(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	const size_t limit = r->limit > 0 && r->limit < PAGE ? r->limit : PAGE;
	struct control_answer answer = {.text = r->after};
	struct place at = place_after(c, r->after);

	(void)note;
	for (size_t n = 0; (at.own || at.held) && answer.n_twin_alarms < limit && n < LOOK_MAX; n++) {
		TRY(push_next(c, &at, &answer));
		answer.text = own_is_next(&at) ? at.own->id : at.held->id; /* where the next page goes on */
		at = place_after(c, answer.text);
	}
	answer.more = at.own || at.held;
	call_done(c, &answer);
	return 0;
}
