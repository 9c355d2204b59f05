/* SPDX-License-Identifier: Apache-2.0 */
/* What is open is a small record in memory, made anew from the store at the start. A value is open when its
 * desired/P is newer than settle/P, or settle/P says pending or overdue. Only between a crash and a clock
 * that was ahead can one be missed: its settle/P would be newer than it. */
#include "node/settle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/adapter.h"
#include "node/log.h"
#include "node/writer.h"
#include "proto/clock.h"
#include "proto/map.h"
#include "proto/standing.h"
#include "storage/bands.h"

enum {
	WRITES_MAX = 1000, /* settle/P in one request */
	HANDED_MAX = 1000, /* orders tried again in one tick */
	ARENA_BYTES = 1 << 20,
	KEY_SIZE = TWIN_ID_MAX + PROPERTY_MAX + 2,
};

enum stand { STAND_PENDING, STAND_CONVERGED, STAND_OVERDUE };

static const char *const stand_words[] = {"pending", "converged", "overdue"};

struct open_value {
	const char *twin, *property; /* behind the key */
	int64_t deadline_ns;         /* TIME_MAX: none */
	enum stand stand;
	int64_t since_ns;
	bool handed;             /* to an adapter, or there is none */
	bool told;               /* how it stands is durable */
	bool queued, written;    /* waits to be written; is in the request under way */
	struct open_value *next; /* of the queue */
	char key[];              /* "TWIN PROPERTY" */
};

struct settle {
	struct engine *engine;
	struct map open;
	struct open_value *queue, **queue_end;
	struct open_value **writing; /* of the request under way; NULL: none is */
	size_t n_writing, n_overdue, n_unhanded;
	int64_t next_ns;  /* wall clock: the first deadline */
	uint64_t n_types; /* as of when `any` was found out */
	bool any;         /* type with a settable property */
};

/* A settable property of an own twin, with what belongs to it. */
struct place {
	const struct twin *twin;
	size_t reported, desired, settle;
};

static const struct property_def *property_at(const struct place *p, size_t place)
{
	return &p->twin->type->def.properties[place];
}

static bool place_of(const struct twin *t, size_t reported, struct place *ret)
{
	const struct type_def *def = &t->type->def;
	const char *name = def->properties[reported].name;

	*ret = (struct place){.twin = t, .reported = reported};
	return def->properties[reported].settable && type_made(def, MADE_DESIRED, name, &ret->desired) &&
	       type_made(def, MADE_SETTLE, name, &ret->settle);
}

static bool place_named(const struct settle *s, const char *twin, const char *property, struct place *ret)
{
	const struct twin *t = store_twin(s->engine->store, twin);
	size_t at;

	return t && t->type && type_property(&t->type->def, property, &at) && place_of(t, at, ret);
}

static struct sample value_at(const struct settle *s, const struct place *p, size_t place)
{
	return store_value(s->engine->store, p->twin, place);
}

/* ---- What is open -----------------------------------------------------------------------------------------
 */

static struct open_value *open_find(const struct settle *s, const struct place *p)
{
	char key[KEY_SIZE];

	snprintf(key, sizeof key, "%s %s", p->twin->id, property_at(p, p->reported)->name);
	return map_get(&s->open, key);
}

static int open_make(struct settle *s, const struct place *p, struct open_value **ret)
{
	const char *twin = p->twin->id, *property = property_at(p, p->reported)->name;
	const size_t n_twin = strlen(twin) + 1, n_property = strlen(property) + 1;
	struct open_value *o = calloc(1, sizeof *o + 2 * (n_twin + n_property));

	if (!o)
		return FAIL(-ENOMEM);
	char *names = o->key + n_twin + n_property;
	snprintf(o->key, n_twin + n_property, "%s %s", twin, property);
	memcpy(names, twin, n_twin);
	memcpy(names + n_twin, property, n_property);
	o->twin = names;
	o->property = names + n_twin;
	o->handed = true;
	o->told = true;
	const int r = map_put(&s->open, o->key, o);
	if (r < 0)
		free(o);
	else
		*ret = o;
	return r;
}

static void set_handed(struct settle *s, struct open_value *o, bool handed)
{
	if (o->handed != handed)
		s->n_unhanded += handed ? (size_t)-1 : 1;
	o->handed = handed;
}

static void set_stand(struct settle *s, struct open_value *o, enum stand stand, int64_t since_ns)
{
	s->n_overdue -= o->stand == STAND_OVERDUE;
	s->n_overdue += stand == STAND_OVERDUE;
	o->stand = stand;
	o->since_ns = since_ns;
	if (stand != STAND_PENDING)
		set_handed(s, o, true);
}

/* Nothing of it is in the queue or being written. */
static void open_drop(struct settle *s, struct open_value *o)
{
	set_handed(s, o, true);
	s->n_overdue -= o->stand == STAND_OVERDUE;
	map_remove(&s->open, o->key);
	free(o);
}

static void to_be_told(struct settle *s, struct open_value *o)
{
	o->told = false;
	if (o->queued)
		return;
	o->queued = true;
	o->next = NULL;
	*s->queue_end = o;
	s->queue_end = &o->next;
}

/* ---- Judging ----------------------------------------------------------------------------------------------
 */

static bool is_reached(const struct property_def *p, const struct sample *desired,
		       const struct sample *reported)
{
	double want, have;

	if (reported->value.type == VALUE_NONE || reported->quality == QUALITY_BAD)
		return false;
	if (value_number(&desired->value, &want) && value_number(&reported->value, &have) && p->tolerance > 0)
		return fabs(want - have) <= p->tolerance;
	return value_equal(&desired->value, &reported->value);
}

static void judge_open(struct settle *s, struct open_value *o, const struct place *p)
{
	const struct sample desired = value_at(s, p, p->desired), reported = value_at(s, p, p->reported);

	if (o->stand == STAND_CONVERGED || !is_reached(property_at(p, p->reported), &desired, &reported))
		return;
	set_stand(s, o, STAND_CONVERGED, reported.t_ns > desired.t_ns ? reported.t_ns : desired.t_ns);
	to_be_told(s, o);
}

/* What settle/P says; false: nothing. */
static bool read_standing(const struct settle *s, const struct place *p, struct arena *a,
			  struct standing *ret, int64_t *ret_t_ns)
{
	const struct sample said = value_at(s, p, p->settle);

	*ret_t_ns = said.t_ns;
	return said.value.type == VALUE_TEXT && standing_parse(a, said.value.text, ret);
}

static int64_t usual_deadline(const struct property_def *p, int64_t from_ns)
{
	return p->settle_ns > 0 && from_ns < TIME_MAX - p->settle_ns ? from_ns + p->settle_ns : TIME_MAX;
}

static void note_deadline(struct settle *s, const struct open_value *o)
{
	if (o->stand == STAND_PENDING && o->deadline_ns < s->next_ns)
		s->next_ns = o->deadline_ns;
}

/* A value is wanted, now or, `again`, already before the start. */
static int want(struct settle *s, const struct place *p, bool again)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct sample desired = value_at(s, p, p->desired);
	struct open_value *o = open_find(s, p);
	struct standing said;
	int64_t t_ns;

	if (desired.value.type == VALUE_NONE)
		return 0;
	TRY(arena_new(&a, ARENA_BYTES));
	const bool is_said = read_standing(s, p, a, &said, &t_ns);
	const bool is_of_it = is_said && (again ? t_ns >= desired.t_ns : t_ns == desired.t_ns);
	if (again && is_of_it && strcmp(said.state, stand_words[STAND_CONVERGED]) == 0)
		return 0;
	if (!o)
		TRY(open_make(s, p, &o));
	const bool was_told = is_of_it && strcmp(said.state, stand_words[STAND_CONVERGED]) != 0;
	const bool is_late = was_told && strcmp(said.state, stand_words[STAND_OVERDUE]) == 0;
	o->deadline_ns = was_told ? said.until_ns : usual_deadline(property_at(p, p->reported), desired.t_ns);
	set_stand(s, o, is_late ? STAND_OVERDUE : STAND_PENDING, was_told ? t_ns : desired.t_ns);
	if (!was_told)
		to_be_told(s, o);
	set_handed(s, o, is_late);
	judge_open(s, o, p);
	note_deadline(s, o);
	return 0;
}

/* ---- Handing over -----------------------------------------------------------------------------------------
 */

/* Nothing is handed over after its deadline. */
static void hand_over(struct settle *s, struct open_value *o, const struct place *p, int64_t now_ns)
{
	const struct sample desired = value_at(s, p, p->desired);
	const struct order order = {.twin = p->twin->id,
				    .operation = property_at(p, p->reported)->name,
				    .desired = desired,
				    .deadline_ns = o->deadline_ns == TIME_MAX ? 0 : o->deadline_ns,
				    .person = desired.source ? desired.source : s->engine->origin};
	struct err_note note = {0};

	if (!s->engine->adapters)
		return;
	const bool late = o->deadline_ns <= now_ns;
	set_handed(s, o, late || adapters_order(s->engine->adapters, &order, &note) != ERR_UNREACHABLE);
}

static void hand_over_all(struct settle *s, int64_t now_ns)
{
	struct map_entry *entry;
	struct place p;

	if (s->n_unhanded == 0 || !s->engine->adapters)
		return;
	for (size_t at = 0, n = 0; n < HANDED_MAX && (entry = map_next(&s->open, &at));) {
		struct open_value *o = entry->value;
		if (o->handed)
			continue;
		n++;
		if (place_named(s, o->twin, o->property, &p))
			hand_over(s, o, &p, now_ns);
		else
			set_handed(s, o, true);
	}
}

void settle_again(struct settle *s)
{
	struct map_entry *entry;

	if (!s)
		return;
	for (size_t at = 0; (entry = map_next(&s->open, &at));) {
		struct open_value *o = entry->value;
		if (o->stand == STAND_PENDING)
			set_handed(s, o, false);
	}
}

/* ---- Telling ----------------------------------------------------------------------------------------------
 */

static void tell(struct settle *s);

static void told(struct settle *s, struct open_value *o, bool done, bool refused)
{
	o->written = false;
	if (refused) { /* its twin, or its property, is not there any more */
		if (!o->queued)
			open_drop(s, o);
		return;
	}
	if (!done && !o->queued)
		to_be_told(s, o);
	if (o->queued)
		return;
	o->told = true;
	if (o->stand == STAND_CONVERGED)
		open_drop(s, o);
}

static bool is_refused(const struct write_result *result, size_t op)
{
	for (size_t i = 0; i < result->n_refused; i++)
		if (result->refused[i].index == op)
			return true;
	return false;
}

static void on_told(void *ctx, const struct write_result *result)
{
	struct settle *s = ctx;

	for (size_t i = 0; i < s->n_writing; i++)
		told(s, s->writing[i], result->code >= 0 || result->n_refused > 0, is_refused(result, i));
	free(s->writing);
	s->writing = NULL;
	s->n_writing = 0;
	if (result->code >= 0)
		tell(s); /* else at the next tick */
}

/* Behind what settle/P says already, in the order of time. */
static int standing_op(const struct settle *s, const struct open_value *o, struct arena *a, struct op *ret)
{
	struct sample *sample = arena_take(a, sizeof *sample);
	const struct standing standing = {
		.state = stand_words[o->stand],
		.until_ns = o->stand == STAND_PENDING ? o->deadline_ns : TIME_MAX,
	};
	int64_t t_ns = o->since_ns;
	struct place p;

	if (!sample)
		return FAIL(-ENOMEM);
	if (place_named(s, o->twin, o->property, &p)) {
		const struct sample before = value_at(s, &p, p.settle);
		if (before.value.type != VALUE_NONE && before.t_ns >= t_ns)
			t_ns = before.t_ns + 1;
	}
	const char *text = standing_text(a, &standing), *source = arena_copy(a, s->engine->origin);
	const char *name = arena_print(a, "%s%s", made_text(MADE_SETTLE), o->property);
	const char *twin = arena_copy(a, o->twin);
	if (!text || !source || !name || !twin)
		return FAIL(-ENOMEM);
	*sample = (struct sample){
		.t_ns = t_ns, .value = {.type = VALUE_TEXT, .text = text}, .sigma = NAN, .source = source};
	*ret = (struct op){.kind = OP_SAMPLES,
			   .by_node = true,
			   .samples = {.twin = twin, .property = name, .samples = sample, .n = 1}};
	return 0;
}

static void forget_queue(struct settle *s)
{
	s->queue = NULL;
	s->queue_end = &s->queue;
}

static int gather(struct settle *s, struct write_request *w)
{
	TRY(arena_new(&w->arena, SIZE_MAX));
	w->ops = arena_take_array(w->arena, WRITES_MAX, sizeof *w->ops);
	s->writing = calloc(WRITES_MAX, sizeof(struct open_value *));
	if (!w->ops || !s->writing)
		return FAIL(-ENOMEM);
	while (s->queue && w->n_ops < WRITES_MAX) {
		struct open_value *o = s->queue;
		TRY(standing_op(s, o, w->arena, &w->ops[w->n_ops]));
		s->writing[w->n_ops++] = o;
		s->n_writing++;
		s->queue = o->next;
		o->queued = false;
		o->written = true;
		if (!s->queue)
			forget_queue(s);
	}
	return 0;
}

static void give_up(struct settle *s)
{
	for (size_t i = 0; i < s->n_writing; i++) {
		s->writing[i]->written = false;
		to_be_told(s, s->writing[i]);
	}
	free(s->writing);
	s->writing = NULL;
	s->n_writing = 0;
}

static void tell(struct settle *s)
{
	struct write_request w = {.done = on_told, .ctx = s};

	if (!s->queue || s->writing || s->engine->stopping)
		return;
	int r = gather(s, &w);
	if (r < 0)
		arena_free(w.arena);
	else
		r = writer_submit(s->engine->writer, &w);
	if (r < 0)
		give_up(s);
}

/* ---- Life -------------------------------------------------------------------------------------------------
 */

static void find_types(struct settle *s)
{
	const struct store *store = s->engine->store;

	s->n_types = store_types_changed(store);
	s->any = false;
	for (const struct type *t = store_type_next(store, ""); t && !s->any;
	     t = store_type_next(store, t->def.name))
		for (size_t i = 0; i < t->def.n_properties && !s->any; i++)
			s->any = t->def.properties[i].settable;
}

static int take_up_twin(struct settle *s, const struct twin *t)
{
	struct place p;

	for (size_t i = 0; t->type && i < t->type->def.n_properties; i++)
		if (place_of(t, i, &p))
			TRY(want(s, &p, true));
	return 0;
}

static int take_up_all(struct settle *s)
{
	const char *after = "";

	if (!s->any)
		return 0;
	for (const struct twin *t; (t = store_twin_next(s->engine->store, "", after)); after = t->id)
		TRY(take_up_twin(s, t));
	return 0;
}

DEFINE_SCOPED(settle, settle_free)

int settle_start(struct settle **ret, struct engine *e)
{
	SCOPED(scope_settle) struct settle *s = calloc(1, sizeof *s);

	if (!s)
		return FAIL(-ENOMEM);
	s->engine = e;
	s->next_ns = TIME_MAX;
	forget_queue(s);
	store_watch(e->store);
	find_types(s);
	TRY(take_up_all(s));
	*ret = MOVE(s);
	return 0;
}

void settle_free(struct settle *s)
{
	struct map_entry *entry;

	if (!s)
		return;
	for (size_t at = 0; (entry = map_next(&s->open, &at));)
		free(entry->value);
	map_fini(&s->open);
	free(s->writing);
	free(s);
}

/* A sample that was noted: of a desired value, or of one that is open. */
static int see(struct settle *s, uint32_t series)
{
	size_t at;
	const struct twin *t = store_series_owner(s->engine->store, series, &at);
	struct place p;

	if (!t || !t->type)
		return 0;
	const struct property_def *def = &t->type->def.properties[at];
	if (def->made == MADE_DESIRED)
		return place_of(t, def->made_of, &p) ? want(s, &p, false) : 0;
	if (!def->settable || s->open.n == 0 || !place_of(t, at, &p))
		return 0;
	struct open_value *o = open_find(s, &p);
	if (o)
		judge_open(s, o, &p);
	return 0;
}

void settle_applied(struct settle *s)
{
	if (!s)
		return;
	struct store *store = s->engine->store;
	size_t n;
	const struct band_note *notes = store_notes(store, &n);
	int r = 0;

	if (store_types_changed(store) != s->n_types)
		find_types(s);
	if (!s->any)
		return;
	if (store_notes_lost(store))
		r = take_up_all(s);
	for (size_t i = 0; i < n && r == 0; i++)
		r = see(s, notes[i].series);
	if (r < 0)
		engine_log_failure("settle", "a desired value is not followed", r, NULL);
	hand_over_all(s, engine_wall_ns());
	tell(s);
}

static void pass_deadlines(struct settle *s, int64_t now_ns)
{
	struct map_entry *entry;

	s->next_ns = TIME_MAX;
	for (size_t at = 0; (entry = map_next(&s->open, &at));) {
		struct open_value *o = entry->value;
		if (o->stand == STAND_PENDING && o->deadline_ns <= now_ns) {
			set_stand(s, o, STAND_OVERDUE, o->deadline_ns);
			to_be_told(s, o);
		}
		note_deadline(s, o);
	}
}

void settle_tick(struct settle *s)
{
	const int64_t now_ns = engine_wall_ns();

	if (now_ns >= s->next_ns)
		pass_deadlines(s, now_ns);
	hand_over_all(s, now_ns);
	tell(s);
}

struct settle_counts settle_counts(const struct settle *s)
{
	return (struct settle_counts){s->open.n, s->n_overdue};
}

/* ---- Wanting ----------------------------------------------------------------------------------------------
 */

struct wanting {
	settle_fn *done;
	void *ctx;
};

static void on_wanted(void *ctx, const struct write_result *result)
{
	struct wanting *w = ctx;
	const char *text = result->n_refused > 0  ? result->refused[0].reason
			   : result->note.text[0] ? result->note.text
			   : result->code < 0     ? err_text(result->code)
						  : "";
	const int code = result->code < 0 || result->n_refused == 0 ? result->code : ERR_REFUSED;

	w->done(w->ctx, code, text);
	free(w);
}

/* After everything that was said of it before. */
static int64_t next_time(const struct settle *s, const struct place *p)
{
	const struct sample desired = value_at(s, p, p->desired), said = value_at(s, p, p->settle);
	int64_t t_ns = engine_wall_ns();

	if (desired.value.type != VALUE_NONE && desired.t_ns >= t_ns)
		t_ns = desired.t_ns + 1;
	if (said.value.type != VALUE_NONE && said.t_ns >= t_ns)
		t_ns = said.t_ns + 1;
	return t_ns;
}

static int find_wanted(const struct settle *s, const struct settle_wish *w, struct place *ret,
		       struct err_note *note)
{
	const struct twin *t = store_twin(s->engine->store, w->twin);
	size_t at;

	if (!t)
		return FAIL_SAY(note, ERR_ABSENT, "%s is no twin of this node", w->twin);
	if (!t->type || !type_property(&t->type->def, w->property, &at))
		return FAIL_SAY(note, ERR_ABSENT, "%s has no property %s", w->twin, w->property);
	if (!place_of(t, at, ret))
		return FAIL_SAY(note, ERR_REFUSED, "%s is not settable: its type does not say so",
				w->property);
	return 0;
}

static int wanted_ops(const struct settle *s, const struct settle_wish *w, const struct place *p,
		      struct write_request *to, struct err_note *note)
{
	const struct property_def *def = property_at(p, p->reported);
	struct sample *samples = arena_take_array(to->arena, 2, sizeof *samples);
	struct standing standing = {.state = stand_words[STAND_PENDING]};

	to->ops = arena_take_array(to->arena, 2, sizeof *to->ops);
	if (!samples || !to->ops)
		return FAIL(-ENOMEM);
	const int64_t t_ns = next_time(s, p);
	samples[0] = samples[1] =
		(struct sample){.t_ns = t_ns, .sigma = NAN, .source = arena_copy(to->arena, w->who)};
	TRY(value_parse(to->arena, def->type, w->value, &samples[0].value, note));
	TRY(property_accepts(property_at(p, p->desired), &samples[0], note));
	standing.until_ns = w->within_ns > 0 && t_ns < TIME_MAX - w->within_ns ? t_ns + w->within_ns
									       : usual_deadline(def, t_ns);
	samples[1].value = (struct value){.type = VALUE_TEXT, .text = standing_text(to->arena, &standing)};
	if (!samples[0].source || !samples[1].value.text)
		return FAIL(-ENOMEM);
	const size_t places[] = {p->desired, p->settle};
	for (size_t i = 0; i < 2; i++) {
		const char *twin = arena_copy(to->arena, p->twin->id);
		const char *name = arena_copy(to->arena, property_at(p, places[i])->name);
		if (!twin || !name)
			return FAIL(-ENOMEM);
		to->ops[to->n_ops++] = (struct op){
			.kind = OP_SAMPLES,
			.by_node = true,
			.samples = {.twin = twin, .property = name, .samples = &samples[i], .n = 1}};
	}
	return 0;
}

int settle_set(struct settle *s, const struct settle_wish *w, settle_fn *done, void *ctx,
	       struct err_note *note)
{
	struct write_request write = {.atomic = true, .done = on_wanted};
	struct wanting *waiting;
	struct place p;

	TRY(find_wanted(s, w, &p, note));
	TRY(arena_new(&write.arena, ARENA_BYTES));
	int r = wanted_ops(s, w, &p, &write, note);
	waiting = r == 0 ? calloc(1, sizeof *waiting) : NULL;
	if (r == 0 && !waiting)
		r = FAIL(-ENOMEM);
	if (r < 0) {
		arena_free(write.arena);
		return r;
	}
	*waiting = (struct wanting){done, ctx};
	write.ctx = waiting;
	r = writer_submit(s->engine->writer, &write);
	if (r < 0)
		free(waiting);
	return r;
}
