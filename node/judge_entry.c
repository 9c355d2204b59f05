/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "node/judge_private.h"
#include "proto/clock.h"
#include "proto/standing.h"

static const char EXPRESSION[] = "expression";

/* ---- Entries
 * -----------------------------------------------------------------------------------------------
 */

int judge_by_twin(const void *key, const void *item)
{
	const struct entry_key *a = key;
	const struct entry *b = item;
	const int r = strcmp(a->twin, b->twin);

	return r != 0 ? r : (a->series > b->series) - (a->series < b->series);
}

static void list(struct judge *j, struct entry *x, bool listed)
{
	const struct entry_key key = {x->twin, x->series};

	if (x->is_listed && !listed)
		ordered_remove(&j->standing, &key);
	if (!x->is_listed && listed && ordered_put(&j->standing, &key, x) < 0)
		j->anew = j->failed = true; /* memory is short: it is not shown until that is over */
	else
		x->is_listed = listed;
}

void judge_time(struct judge *j, struct entry *x, bool timed)
{
	if (x->is_timed == timed)
		return;
	x->is_timed = timed;
	if (timed) {
		x->next = NULL;
		x->at = j->timed_end;
		*j->timed_end = x;
		j->timed_end = &x->next;
		return;
	}
	*x->at = x->next;
	if (x->next)
		x->next->at = x->at;
	else
		j->timed_end = x->at;
}

void judge_drop(struct judge *j, struct entry *x)
{
	list(j, x, false);
	judge_time(j, x, false);
	numbered_remove(&j->entries, x->series);
	free(x);
}

static void scope_entry(struct entry **x)
{
	free(*x);
}

struct entry *judge_known(struct judge *j, const struct subject *s)
{
	struct entry *x = numbered_get(&j->entries, s->series);

	if (!x || x->is_expression == !s->rule->of)
		return x;
	judge_drop(j, x); /* the alarm means something else by now */
	return NULL;
}

int judge_need_entry(struct judge *j, const struct subject *s, struct entry **ret)
{
	const size_t size = strlen(s->twin->id) + 1;

	*ret = judge_known(j, s);
	if (*ret)
		return 0;
	SCOPED(scope_entry) struct entry *x = calloc(1, sizeof *x + size);
	if (!x)
		return FAIL(-ENOMEM);
	memcpy(x->twin, s->twin->id, size);
	x->series = s->series;
	x->is_expression = !s->rule->of;
	x->what = "";
	x->t_ns = TIME_MIN;
	x->until_ns = TIME_MAX;
	TRY(numbered_put(&j->entries, x->series, x));
	*ret = MOVE(x);
	return 0;
}

/* ---- How it stands
 * -----------------------------------------------------------------------------------------
 */

int judge_stand(struct judge *j, struct entry *x, enum alarm_state state, int64_t t_ns)
{
	if (state == ALARM_ACTIVE && !entry_stands(x))
		x->since_ns = t_ns;
	x->state = state;
	x->t_ns = entry_time(x, t_ns);
	return judge_tell(j, x);
}

/* Nothing counts any more; who did not want to hear of it does not hear of it when it comes back either. */
static int clear(struct judge *j, struct entry *x, int64_t t_ns)
{
	return entry_stands(x) ? judge_stand(j, x, ALARM_CLEARED, t_ns) : 0;
}

static int raise_it(struct judge *j, struct entry *x, const char *what, enum health severity, int64_t t_ns)
{
	const bool stands = entry_stands(x), is_worse = severity > x->severity;
	const bool is_new = !stands || strcmp(x->what, what) != 0;
	enum alarm_state state = stands ? x->state : ALARM_ACTIVE;

	if (x->until_ns != TIME_MAX) {
		if (!stands)
			x->since_ns = t_ns;
		state = ALARM_SHELVED;
	} else if (stands && is_worse) {
		state = ALARM_ACTIVE; /* nobody has seen that yet */
	}
	x->what = what;
	x->severity = severity;
	return is_new || state != x->state ? judge_stand(j, x, state, t_ns) : 0;
}

/* What counts now, since a time. */
static int follow(struct judge *j, struct entry *x, int64_t t_ns)
{
	const enum crossed worst = crossings_worst(&x->crossings);

	if (worst == CROSSED_NONE)
		return clear(j, x, t_ns);
	return raise_it(j, x, crossed_text(worst), crossed_severity(worst), t_ns);
}

static int follow_expression(struct judge *j, struct entry *x, const struct rule *rule, int64_t t_ns)
{
	if (!x->crossings.at[0].counts)
		return clear(j, x, t_ns);
	return raise_it(j, x, EXPRESSION, rule->alarm->severity, t_ns);
}

static const struct limits *limits_of(const struct subject *s)
{
	return s->rule->of->limits;
}

static void set_band(struct judge *j, const struct subject *s, const struct entry *x)
{
	const struct crossings *c = &x->crossings;
	const struct limits *l = limits_of(s);
	const uint32_t series = store_series(j->e->store, s->twin, s->rule->of_place);
	const struct band band = crossings_band(c, l);

	store_set_band(j->e->store, series,
		       crossings_rest(c) && !(l->dead_band > 0 && c->has_judged) ? NULL : &band);
}

int judge_settle(struct judge *j, struct entry *x, const struct subject *s)
{
	const bool is_shelved = x->until_ns != TIME_MAX;

	if (!x->is_expression)
		set_band(j, s, x);
	if (!entry_stands(x) && !is_shelved && crossings_rest(&x->crossings)) {
		judge_drop(j, x);
		return 0;
	}
	list(j, x, entry_stands(x));
	judge_time(j, x, is_shelved || crossings_wait(&x->crossings));
	return 0;
}

/* ---- Limits
 * ------------------------------------------------------------------------------------------------
 */

/* The delays that are over. */
static int pass_limits(struct judge *j, struct entry *x, const struct limits *l, int64_t t_ns, int64_t now_ns)
{
	int64_t at_ns;

	while (crossings_due(&x->crossings, l, t_ns, now_ns, &at_ns))
		TRY(follow(j, x, at_ns));
	return 0;
}

static bool is_stale(const struct limits *l, int64_t t_ns, int64_t now_ns)
{
	return l->stale_ns > 0 && now_ns > t_ns && (uint64_t)now_ns - (uint64_t)t_ns >= (uint64_t)l->stale_ns;
}

/* The value last compared lies in the middle of the band that a dead band leaves. */
static void remember_judged(struct judge *j, const struct subject *s, const struct band_note *n,
			    struct crossings *c)
{
	const uint32_t series = store_series(j->e->store, s->twin, s->rule->of_place);
	const struct band *now = store_band(j->e->store, series);
	const struct band *own = now && now->lo < now->hi ? now : n->has_own ? &n->own : NULL;

	if (c->has_judged || !(limits_of(s)->dead_band > 0) || !own || !(own->lo < own->hi))
		return;
	c->has_judged = true;
	c->judged = own->lo + (own->hi - own->lo) / 2;
}

static bool is_good(const struct band_note *n)
{
	return n->is_number && n->quality != QUALITY_BAD && isfinite(n->number);
}

static int take(struct judge *j, struct entry *x, const struct subject *s, const struct band_note *n)
{
	const int64_t now_ns = engine_wall_ns();
	const struct limits *l = limits_of(s);
	struct crossings *c = &x->crossings;

	if (c->at[CROSSED_STALE].crossed)
		crossing_set(&c->at[CROSSED_STALE], is_stale(l, n->t_ns, now_ns), n->t_ns, now_ns);
	TRY(pass_limits(j, x, l, is_good(n) ? n->t_ns : TIME_MIN, now_ns));
	if (!is_good(n))
		return 0;
	crossings_take(c, l, n, now_ns);
	return pass_limits(j, x, l, n->t_ns, now_ns);
}

int judge_sample(struct judge *j, const struct subject *s, const struct band_note *n)
{
	struct entry *x;

	TRY(judge_need_entry(j, s, &x));
	remember_judged(j, s, n, &x->crossings);
	TRY(take(j, x, s, n));
	return judge_settle(j, x, s);
}

int judge_stale(struct judge *j, const struct subject *s, int64_t now_ns)
{
	const struct sample present = store_value(j->e->store, s->twin, s->rule->of_place);
	struct entry *x;

	if (present.value.type == VALUE_NONE || !is_stale(limits_of(s), present.t_ns, now_ns))
		return 0;
	x = judge_known(j, s);
	if (x && x->crossings.at[CROSSED_STALE].crossed)
		return 0;
	TRY(judge_need_entry(j, s, &x));
	remember_judged(j, s, &(struct band_note){0}, &x->crossings);
	crossing_set(&x->crossings.at[CROSSED_STALE], true, now_ns, now_ns);
	TRY(pass_limits(j, x, limits_of(s), TIME_MIN, now_ns));
	return judge_settle(j, x, s);
}

/* ---- Expressions
 * -------------------------------------------------------------------------------------------
 */

static int pass_expression(struct judge *j, struct entry *x, const struct rule *rule, int64_t t_ns,
			   int64_t now_ns)
{
	struct crossing *c = &x->crossings.at[0];
	int64_t at_ns;

	if (!crossing_is_due(c, rule->alarm->delay_ns, t_ns, now_ns, &at_ns))
		return 0;
	c->counts = c->crossed;
	return follow_expression(j, x, rule, at_ns);
}

/* It speaks of several values: its time is the clock's. */
int judge_expression(struct judge *j, const struct subject *s, int64_t now_ns)
{
	const bool is_true = judge_is_true(j, s->rule, s->twin, now_ns);
	struct entry *x = judge_known(j, s);

	if (!x && !is_true)
		return 0;
	TRY(judge_need_entry(j, s, &x));
	TRY(pass_expression(j, x, s->rule, now_ns, now_ns));
	crossing_set(&x->crossings.at[0], is_true, now_ns, now_ns);
	TRY(pass_expression(j, x, s->rule, now_ns, now_ns));
	return judge_settle(j, x, s);
}

/* ---- Time
 * --------------------------------------------------------------------------------------------------
 */

static bool find_subject(struct judge *j, const struct entry *x, struct subject *ret)
{
	size_t place;
	struct rules *rules;
	const struct twin *t = store_series_owner(j->e->store, x->series, &place);

	if (!t || judge_rules(j, t->type, &rules) < 0 || rules->alarms[place] == 0)
		return false;
	*ret = (struct subject){t, &rules->rules[rules->alarms[place] - 1], x->series};
	return true;
}

static int end_shelf(struct judge *j, struct entry *x, int64_t now_ns)
{
	const int64_t until_ns = x->until_ns;

	if (now_ns < until_ns)
		return 0;
	x->until_ns = TIME_MAX;
	return x->state == ALARM_SHELVED ? judge_stand(j, x, ALARM_ACTIVE, until_ns) : 0;
}

int judge_pass(struct judge *j, struct entry *x)
{
	const int64_t now_ns = engine_wall_ns();
	struct subject s;

	if (!find_subject(j, x, &s) || x->is_expression != !s.rule->of) {
		judge_drop(j, x);
		return 0;
	}
	TRY(end_shelf(j, x, now_ns));
	TRY(x->is_expression ? pass_expression(j, x, s.rule, TIME_MIN, now_ns)
			     : pass_limits(j, x, limits_of(&s), TIME_MIN, now_ns));
	return judge_settle(j, x, &s);
}

/* ---- Anew
 * --------------------------------------------------------------------------------------------------
 */

/* How it stands in the store, if that is known there. */
static enum alarm_state read_standing(struct judge *j, const struct sample *told, struct standing *ret)
{
	enum alarm_state state;

	if (told->value.type != VALUE_TEXT || !standing_parse(j->scratch, told->value.text, ret) ||
	    !alarm_state_parse(ret->state, &state))
		return ALARM_STATE_NONE;
	return state;
}

enum { LOOK_BACK = 64 };

/* When it began to stand: before that it was cleared or had never been. */
static int64_t active_since(struct judge *j, const struct subject *s, int64_t t_ns)
{
	for (int i = 0; i < LOOK_BACK && t_ns > TIME_MIN; i++) {
		struct standing st;
		struct sample v;
		if (store_value_at(j->e->store, s->twin, s->rule->place, t_ns - 1, j->scratch, &v) != 0)
			break;
		const enum alarm_state state = read_standing(j, &v, &st);
		if (state == ALARM_STATE_NONE || state == ALARM_CLEARED)
			break;
		t_ns = v.t_ns;
	}
	return t_ns;
}

static void take_over(struct judge *j, const struct subject *s, struct entry *x)
{
	const struct sample v = store_value(j->e->store, s->twin, s->rule->place);
	struct standing st = {.what = "", .until_ns = TIME_MAX};

	arena_reset(j->scratch);
	const enum alarm_state state = read_standing(j, &v, &st);
	if (v.value.type != VALUE_NONE)
		x->t_ns = v.t_ns;
	if (state == ALARM_STATE_NONE || (state == ALARM_CLEARED && st.until_ns == TIME_MAX))
		return;
	x->state = state;
	x->until_ns = st.until_ns;
	if (!entry_stands(x))
		return;
	x->since_ns = st.since_ns ? st.since_ns : active_since(j, s, v.t_ns);
	if (x->is_expression) {
		x->what = EXPRESSION;
		x->severity = s->rule->alarm->severity;
		x->crossings.at[0] = (struct crossing){true, true, x->since_ns, x->since_ns};
		return;
	}
	const enum crossed what = crossed_parse(st.what);
	x->what = what == CROSSED_NONE ? "" : crossed_text(what);
	x->severity = what == CROSSED_NONE ? HEALTH_WARNING : crossed_severity(what);
	crossings_assume(&x->crossings, what, x->since_ns);
}

/* Nothing to remember of it, and nothing about it stands in the store: almost all of them. */
static bool is_quiet(struct judge *j, const struct subject *s, const struct sample *present)
{
	const struct sample told = store_value(j->e->store, s->twin, s->rule->place);
	const struct limits *l = limits_of(s);
	double v;

	if (told.value.type != VALUE_NONE ||
	    store_band(j->e->store, store_series(j->e->store, s->twin, s->rule->of_place)))
		return false;
	return present->value.type == VALUE_NONE || present->quality == QUALITY_BAD ||
	       (value_number(&present->value, &v) && limits_hold(l, v));
}

static int judge_limits_anew(struct judge *j, const struct subject *s, struct entry *x,
			     const struct sample *present)
{
	struct band_note n = {.quality = present->quality, .t_ns = present->t_ns};

	x->crossings.has_judged = false;
	n.is_number = value_number(&present->value, &n.number);
	if (present->value.type != VALUE_NONE)
		TRY(take(j, x, s, &n));
	return follow(j, x, present->value.type != VALUE_NONE ? present->t_ns : TIME_MIN);
}

int judge_anew(struct judge *j, const struct subject *s)
{
	const struct sample present =
		s->rule->of ? store_value(j->e->store, s->twin, s->rule->of_place) : (struct sample){0};
	struct entry *x = judge_known(j, s);

	if (!x && s->rule->of && is_quiet(j, s, &present))
		return 0;
	if (!x) {
		TRY(judge_need_entry(j, s, &x));
		take_over(j, s, x);
	} else if (store_value(j->e->store, s->twin, s->rule->place).t_ns < x->t_ns) {
		TRY(judge_tell(j, x)); /* it may have been lost */
	}
	if (s->rule->of) {
		TRY(judge_limits_anew(j, s, x, &present));
		return judge_settle(j, x, s);
	}
	TRY(judge_settle(j, x, s));
	return judge_expression(j, s, engine_wall_ns());
}
