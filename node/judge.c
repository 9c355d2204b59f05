/* SPDX-License-Identifier: Apache-2.0 */
#include "node/judge.h"

#include <stdlib.h>
#include <string.h>

#include "node/judge_private.h"
#include "node/writer.h"
#include "proto/clock.h"
#include "storage/bands.h"

enum {
	RUN = 64,           /* twins between two looks at the clock */
	ANEW_NS = 5000000,  /* of a tick for judging everything anew */
	SLICE_NS = 1000000, /* of a tick for what time brings */
	PASS_MOST = 4096,   /* delays and shelves looked at in a tick */
	TIDY_MOST = 256,    /* alarms looked at whether their twins are still there, in a tick */
};

/* ---- What was applied
 * --------------------------------------------------------------------------------------
 */

static int speak(struct judge *j, const struct twin *t)
{
	if (j->n_spoken > 0 && j->spoken[j->n_spoken - 1] == t)
		return 0;
	if (j->n_spoken == j->spoken_size) {
		const size_t size = j->spoken_size ? j->spoken_size * 2 : 256;
		const struct twin **spoken = realloc(j->spoken, size * sizeof(struct twin *));
		if (!spoken)
			return FAIL(-ENOMEM);
		j->spoken = spoken;
		j->spoken_size = size;
	}
	j->spoken[j->n_spoken++] = t;
	return 0;
}

static struct subject subject_of(const struct judge *j, const struct twin *t, const struct rule *rule)
{
	return (struct subject){t, rule, store_series(j->e->store, t, rule->place)};
}

static int look_at(struct judge *j, const struct band_note *n)
{
	struct rules *rules;
	size_t place;
	const struct twin *t = store_series_owner(j->e->store, n->series, &place);

	if (!t || !t->type->watched)
		return 0;
	TRY(judge_rules(j, t->type, &rules));
	arena_reset(j->scratch);
	if ((t->type->watched[place] & WATCHED_LIMITS) && rules->limits[place] > 0) {
		const struct subject s = subject_of(j, t, &rules->rules[rules->limits[place] - 1]);
		TRY(judge_sample(j, &s, n));
	}
	return (t->type->watched[place] & WATCHED_ALARM) && rules->speaks ? speak(j, t) : 0;
}

static int by_place(const void *a, const void *b)
{
	const uintptr_t x = (uintptr_t) * (const struct twin *const *)a,
			y = (uintptr_t) * (const struct twin *const *)b;

	return (x > y) - (x < y);
}

/* Expressions are looked at once, when the whole batch is there. */
static int look_at_spoken(struct judge *j)
{
	const int64_t now_ns = engine_wall_ns();
	struct rules *rules;

	qsort(j->spoken, j->n_spoken, sizeof(struct twin *), by_place);
	for (size_t i = 0; i < j->n_spoken; i++) {
		if (i > 0 && j->spoken[i] == j->spoken[i - 1])
			continue;
		TRY(judge_rules(j, j->spoken[i]->type, &rules));
		for (size_t k = 0; k < rules->n; k++) {
			const struct subject s = subject_of(j, j->spoken[i], &rules->rules[k]);
			if (rules->rules[k].alarm)
				TRY(judge_expression(j, &s, now_ns));
		}
		arena_reset(j->scratch);
	}
	return 0;
}

static int look_at_all(struct judge *j)
{
	size_t n;
	const struct band_note *notes = store_notes(j->e->store, &n);

	j->n_spoken = 0;
	for (size_t i = 0; i < n; i++)
		TRY(look_at(j, &notes[i]));
	return j->n_spoken > 0 ? look_at_spoken(j) : 0;
}

static void begin_anew(struct judge *j)
{
	j->anew = true;
	j->anew_at = 0;
}

/* Is there anything that changes although no value does? */
static int look_for_time(struct judge *j)
{
	struct rules *rules;
	const char *after = "";

	j->by_time = false;
	for (const struct type *t; (t = store_type_next(j->e->store, after)); after = t->def.name) {
		TRY(judge_rules(j, t, &rules));
		j->by_time |= rules->by_time;
	}
	return 0;
}

/* Rules speak of definitions that are gone. */
static int follow_types(struct judge *j)
{
	if (store_types_changed(j->e->store) == j->n_types)
		return 0;
	judge_forget_rules(j);
	begin_anew(j);
	TRY(look_for_time(j));
	j->n_types = store_types_changed(j->e->store);
	return 0;
}

static void log_short(struct judge *j, int code)
{
	if (code == 0)
		return;
	if (!j->failed)
		engine_log_failure("alarms", "everything is judged anew soon", code, NULL);
	j->failed = true;
}

void judge_applied(struct judge *j)
{
	if (!j)
		return;
	log_short(j, follow_types(j));
	log_short(j, look_at_all(j));
	if (store_notes_lost(j->e->store)) {
		j->n_lost++;
		begin_anew(j);
	}
	store_forget_notes(j->e->store);
	judge_flush_soon(j);
}

/* ---- What time brings
 * --------------------------------------------------------------------------------------
 */

static int twin_anew(struct judge *j, const struct twin *t, const struct rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct subject s = subject_of(j, t, &rules->rules[i]);
		TRY(judge_anew(j, &s));
	}
	return 0;
}

static int twin_in_time(struct judge *j, const struct twin *t, const struct rules *rules)
{
	const int64_t now_ns = engine_wall_ns();

	for (size_t i = 0; rules->by_time && i < rules->n; i++) {
		const struct subject s = subject_of(j, t, &rules->rules[i]);
		if (rules->rules[i].by_time)
			TRY(s.rule->of ? judge_stale(j, &s, now_ns) : judge_expression(j, &s, now_ns));
	}
	return 0;
}

typedef int visit_fn(struct judge *j, const struct twin *t, const struct rules *rules);

/* So many twins as time allows, in the order in which they lie; *ret_end: those were the last. */
static int sweep(struct judge *j, visit_fn *visit, uint32_t *at, int64_t until_ns, bool *ret_end)
{
	const struct twin *run[RUN];
	struct rules *rules;

	*ret_end = false;
	do {
		const size_t n = store_twins_stored(j->e->store, at, run, RUN);
		for (size_t i = 0; i < n; i++) {
			if (!run[i]->type)
				continue;
			TRY(judge_rules(j, run[i]->type, &rules));
			arena_reset(j->scratch);
			TRY(visit(j, run[i], rules));
		}
		*ret_end = n == 0;
	} while (!*ret_end && engine_mono_ns() < until_ns);
	return 0;
}

static int go_on_anew(struct judge *j, int64_t until_ns)
{
	bool end = false;
	const int r = sweep(j, twin_anew, &j->anew_at, until_ns, &end);

	if (end)
		j->anew = false;
	return r;
}

/* Once a second at most, and as long as that takes. */
static int go_on_in_time(struct judge *j)
{
	const int64_t now_ns = engine_mono_ns();
	bool end = false;

	if (!j->by_time || (j->slice_at == 0 && now_ns - j->slice_ns < NS_PER_S))
		return 0;
	if (j->slice_at == 0)
		j->slice_ns = now_ns;
	TRY(sweep(j, twin_in_time, &j->slice_at, now_ns + SLICE_NS, &end));
	if (end)
		j->slice_at = 0;
	return 0;
}

/* From the front, and what has to wait on goes behind the others. */
static int pass_all(struct judge *j)
{
	const struct entry *last = NULL;

	for (int i = 0; i < PASS_MOST && j->timed && j->timed != last; i++) {
		struct entry *x = j->timed;
		const uint32_t series = x->series;
		TRY(judge_pass(j, x));
		x = numbered_get(&j->entries, series);
		if (!x || !x->is_timed)
			continue;
		judge_time(j, x, false);
		judge_time(j, x, true);
		last = last ? last : x;
	}
	return 0;
}

/* Their twins may have gone. */
static void tidy(struct judge *j)
{
	size_t place;

	for (int i = 0; i < TIDY_MOST; i++) {
		struct entry *x = numbered_after(&j->entries, j->tidy_at);
		j->tidy_at = x ? x->series : 0;
		if (!x)
			return;
		if (!store_series_owner(j->e->store, x->series, &place))
			judge_drop(j, x);
	}
}

void judge_tick(struct judge *j)
{
	if (!j)
		return;
	log_short(j, follow_types(j));
	if (j->failed && !j->is_writing && !writer_trouble(j->e->writer)) {
		j->failed = false;
		begin_anew(j);
	}
	log_short(j, pass_all(j));
	tidy(j);
	log_short(j, j->anew ? go_on_anew(j, engine_mono_ns() + ANEW_NS) : go_on_in_time(j));
	arena_reset(j->scratch);
	judge_flush(j);
}

/* ---- Who asks
 * ----------------------------------------------------------------------------------------------
 */

/* The worst first, then the latest. */
static bool comes_before(const struct row_alarm *a, const struct row_alarm *b)
{
	return a->severity != b->severity ? a->severity > b->severity : a->since_ns > b->since_ns;
}

static void put_alarm(struct row_alarm *ret, size_t n, size_t room, const struct row_alarm *alarm)
{
	size_t at = n < room ? n : room;

	while (at > 0 && comes_before(alarm, &ret[at - 1]))
		at--;
	if (at >= room)
		return;
	memmove(&ret[at + 1], &ret[at], ((n < room ? n : room - 1) - at) * sizeof *ret);
	ret[at] = *alarm;
}

uint64_t judge_lost(const struct judge *j)
{
	return j ? j->n_lost : 0;
}

size_t judge_alarms(const struct judge *j, const struct twin *t, struct row_alarm *ret, size_t room)
{
	struct entry_key key = {t->id, 0};
	size_t n = 0, place;

	if (!j || j->standing.n == 0)
		return 0;
	for (const struct entry *x; (x = ordered_after(&j->standing, &key)); key.series = x->series) {
		if (strcmp(x->twin, t->id) != 0)
			break;
		if (store_series_owner(j->e->store, x->series, &place) != t)
			continue;
		const char *name = t->type->def.properties[place].name + strlen(made_text(MADE_ALARM));
		const struct row_alarm alarm = {name, x->severity, x->state, x->what, x->since_ns};
		put_alarm(ret, n++, room, &alarm);
	}
	return n;
}

const struct twin *judge_next(const struct judge *j, const char *prefix, const char *after)
{
	const bool ahead = strcmp(prefix, after) > 0; /* of all that begin so */
	struct entry_key key = {ahead ? prefix : after, ahead ? 0 : UINT32_MAX};
	size_t place;

	for (const struct entry *x; j && (x = ordered_after(&j->standing, &key));) {
		const struct twin *t = store_series_owner(j->e->store, x->series, &place);
		if (strncmp(x->twin, prefix, strlen(prefix)) != 0)
			return NULL;
		if (t)
			return t;
		key = (struct entry_key){x->twin, x->series};
	}
	return NULL;
}

/* ---- Start and end
 * -----------------------------------------------------------------------------------------
 */

void judge_free(struct judge *j)
{
	if (!j)
		return;
	while (j->entries.n > 0)
		judge_drop(j, numbered_first(&j->entries));
	judge_forget_acts(j);
	numbered_fini(&j->entries);
	ordered_fini(&j->standing);
	judge_forget_rules(j);
	arena_free(j->out.arena);
	arena_free(j->scratch);
	free(j->spoken);
	free(j);
}

DEFINE_SCOPED(judge, judge_free)

int judge_start(struct judge **ret, struct engine *e)
{
	SCOPED(scope_judge) struct judge *j = calloc(1, sizeof *j);

	if (!j)
		return FAIL(-ENOMEM);
	j->e = e;
	j->timed_end = &j->timed;
	j->standing.compare = judge_by_twin;
	j->n_types = store_types_changed(e->store);
	TRY(arena_new(&j->scratch, SIZE_MAX));
	TRY(look_for_time(j));
	/* At one go: rows that go out must not say that nothing is wrong. */
	TRY(go_on_anew(j, INT64_MAX));
	store_watch(e->store);
	*ret = MOVE(j);
	return 0;
}
