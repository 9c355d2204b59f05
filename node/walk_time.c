/* SPDX-License-Identifier: Apache-2.0 */
/* A series: the view as of many times at once. First who is a member when (presence.h), then each member is
 * looked at once, with all its times. */
#include "node/presence.h"
#include "node/walk_private.h"
#include "proto/clock.h"
#include "proto/words.h"

enum { TIMES_AT_ONCE = 64 /* of a member, each perhaps in a chunk of its own */ };

struct series {
	struct time_axis axis;
	struct presence presence;
	struct pointers roots;       /* twin -> its place in part->members */
	struct pointers late_places; /* twin -> its place in late */
	struct late_root *late;      /* in the walk's arena */
	size_t n_late;
	uint32_t next; /* place that is looked at next */
	enum { GO_DOWN, LOOK } phase;
	/* Of the member that is looked at: when it is one, how many of that are done, and what came of it. */
	int64_t t_ns[VIEW_TIMES_MAX];
	size_t number[VIEW_TIMES_MAX];
	size_t n_times, done;
	struct member_fate fate;
};

/* What its owner had not confirmed at these times. */
struct late_root {
	uint32_t place;
	struct time_set times;
};

static struct time_set all_times(const struct series *s)
{
	struct time_set all;

	time_set_between(&s->axis, INT64_MIN, INT64_MAX, &all);
	return all;
}

/* ---- Roots ------------------------------------------------------------------------------------------------
 */

/* As it was last. */
static int return_root(struct walk *w, const struct twin *t, bool confirmed, uint32_t *ret)
{
	struct series *s = w->series;
	struct step step = {.id = t->id, .root = true, .anchor = SIZE_MAX};
	const uint32_t *held = pointers_get(&s->roots, t);
	const struct twin_def def = store_twin_def(t);
	const struct sight *sight;

	if (held) {
		*ret = *held;
		return 0;
	}
	TRY(walk_sight(w, t, &sight));
	const struct view_member m = {.id = t->id,
				      .state = confirmed ? MEMBER_LIVE : MEMBER_UNCONFIRMED,
				      .kind = def.kind,
				      .type = text_or_empty(def.type),
				      .name = sight->summary ? text_or_empty(def.name) : "",
				      .life = sight->summary ? twin_life_at(&def, w->q->to_ns) : LIFE_DESIGN};
	TRY(walk_add_member(w, &step, &m));
	*ret = (uint32_t)step.anchor;
	return pointers_put(&s->roots, t, *ret);
}

static int add_late(struct walk *w, const struct twin *t, uint32_t place, const struct time_set *times)
{
	struct series *s = w->series;
	const uint32_t *held = pointers_get(&s->late_places, t);

	if (held) {
		time_set_join(&s->late[*held].times, times);
		return 0;
	}
	struct late_root *late = arena_push(w->arena, &s->late, &s->n_late, sizeof *late);
	if (!late)
		return FAIL(-ENOMEM);
	*late = (struct late_root){place, *times};
	return pointers_put(&s->late_places, t, (uint32_t)(s->n_late - 1));
}

static int push_counted(struct walk *w, const struct view_root *root, const struct twin *t,
			struct time_set times)
{
	struct series *s = w->series;
	struct time_set confirmed;
	uint32_t member = 0, place;
	int64_t since_ns;

	TRY(walk_confirmed_since(w, root->parent, root->id, &since_ns));
	time_set_between(&s->axis, since_ns, INT64_MAX, &confirmed);
	if (since_ns == TIME_MAX)
		confirmed = (struct time_set){0};
	time_set_keep(&confirmed, &times);
	TRY(return_root(w, t, !time_set_is_empty(&confirmed), &member));
	TRY(presence_place(&s->presence, t, member, &place));
	presence_push(&s->presence, place, &confirmed);
	time_set_drop(&times, &confirmed);
	if (time_set_is_empty(&times))
		return 0;
	return add_late(w, t, place, &times);
}

static int push_root(struct walk *w, const struct view_root *root)
{
	struct series *s = w->series;
	const struct twin *t = store_twin(w->e->store, root->id);
	struct time_set times = all_times(s);
	const struct sight *sight;
	uint32_t place;

	if (!t)
		return 0;
	TRY(walk_sight(w, t, &sight));
	if (!sight->discover)
		return 0; /* a root nobody spoke of is absent: the plan sees that */
	if (root->from_ns != 0 || root->to_ns != 0)
		time_set_between(&s->axis, root->from_ns, root->to_ns, &times);
	if (!root->seen)
		return push_counted(w, root, t, times);
	TRY(presence_place(&s->presence, t, PRESENCE_NO_ROOT, &place));
	presence_push(&s->presence, place, &times);
	return 0;
}

static int push_roots(struct walk *w, bool seen)
{
	w->series->presence.phase = seen ? PRESENCE_SEEN : PRESENCE_COUNTED;
	for (size_t i = 0; i < w->q->n_roots; i++)
		if (w->q->roots[i].seen == seen)
			TRY(push_root(w, &w->q->roots[i]));
	return 0;
}

int walk_series_begin(struct walk *w)
{
	const size_t n = view_times(w->q);

	if (n == 0 || w->source != WALK_LIVE)
		return 0;
	w->series = calloc(1, sizeof *w->series);
	if (!w->series)
		return FAIL(-ENOMEM);
	w->series->axis = (struct time_axis){w->q->from_ns, w->q->step_ns, n};
	presence_begin(&w->series->presence, n);
	return push_roots(w, true);
}

void walk_series_end(struct walk *w)
{
	if (!w->series)
		return;
	presence_fini(&w->series->presence);
	pointers_fini(&w->series->roots);
	pointers_fini(&w->series->late_places);
	free(w->series);
	w->series = NULL;
}

int64_t walk_series_time(const struct walk *w, size_t number)
{
	return time_at(&w->series->axis, number);
}

size_t walk_series_times(const struct walk *w)
{
	return w->series ? w->series->axis.n : 1;
}

size_t walk_series_bytes(const struct walk *w)
{
	return w->series ? presence_bytes(&w->series->presence) : 0;
}

/* ---- Who is a member when --------------------------------------------------------------------------------
 */

static int go_down_edge(struct walk *w, const struct edge *e, uint32_t place, const struct time_set *times,
			bool first)
{
	struct series *s = w->series;
	const struct sight *sight;
	struct time_set valid;
	uint32_t below;

	time_set_between(&s->axis, e->relation.valid_from_ns, e->relation.valid_to_ns, &valid);
	if (time_set_is_empty(&valid))
		return 0;
	TRY(walk_sight(w, e->to, &sight));
	if (!sight->discover)
		return 0;
	TRY(presence_place(&s->presence, e->to, presence_root(&s->presence, place), &below));
	if (first)
		TRY(presence_way(&s->presence, place, below, &valid));
	time_set_keep(&valid, times);
	presence_push(&s->presence, below, &valid);
	return 0;
}

static int go_down(struct walk *w, uint32_t place, const struct time_set *times, bool first)
{
	const struct twin *t = presence_what(&w->series->presence, place);

	for (const struct edge *e = t->out; e; e = e->next_out)
		if (e->to && e->relation.type == w->relation)
			TRY(go_down_edge(w, e, place, times, first));
	return 0;
}

static int tell_cycle(void *ctx, const void *what, const void *by_way_of, size_t time)
{
	struct walk *w = ctx;
	const struct twin *to = what, *from = by_way_of;
	char at[TIME_TEXT_SIZE];
	const char *text =
		arena_print(w->arena, "as of %s %s contains itself by way of %s: the cycle ends there",
			    time_text(time_at(&w->series->axis, time), at), to->id, from->id);

	return text ? walk_problem(w, text) : FAIL(-ENOMEM);
}

/* Whoever is a member by another way at those times too is one. */
static void settle_late(struct series *s)
{
	struct time_set counted, seen;

	for (size_t i = 0; i < s->n_late; i++) {
		presence_times(&s->presence, s->late[i].place, PRESENCE_COUNTED, &counted);
		presence_times(&s->presence, s->late[i].place, PRESENCE_SEEN, &seen);
		time_set_drop(&s->late[i].times, &counted);
		time_set_drop(&s->late[i].times, &seen);
	}
}

static bool is_late(const struct series *s, const struct twin *t)
{
	const uint32_t *held = pointers_get(&s->late_places, t);

	return held && !time_set_is_empty(&s->late[*held].times);
}

/* Goes through one place. */
static int descend(struct walk *w)
{
	struct series *s = w->series;
	struct time_set times;
	uint32_t place;
	bool first;

	if (presence_pop(&s->presence, &place, &times, &first)) {
		TRY(go_down(w, place, &times, first));
		w->n_met = s->presence.n;
		TRY(walk_check_budget(w));
		if (!w->part->cut)
			return 0;
	} else if (s->presence.phase == PRESENCE_SEEN) {
		return push_roots(w, false);
	}
	s->phase = LOOK;
	settle_late(s);
	return presence_cycles(&s->presence, tell_cycle, w);
}

/* ---- What they are then ----------------------------------------------------------------------------------
 */

static int push_edges_of(struct walk *w, const struct edge *e, uint32_t place, bool seen)
{
	struct series *s = w->series;
	const uint32_t root = presence_root(&s->presence, place);
	const struct step from = {.id = e->relation.from,
				  .anchor = seen || root == PRESENCE_NO_ROOT ? SIZE_MAX : root,
				  .seen = seen};
	struct time_set times, valid;
	size_t at = 0, first, last;

	presence_times(&s->presence, place, seen ? PRESENCE_SEEN : PRESENCE_COUNTED, &times);
	time_set_between(&s->axis, e->relation.valid_from_ns, e->relation.valid_to_ns, &valid);
	time_set_keep(&times, &valid);
	while (time_set_stretch(&times, s->axis.n, &at, &first, &last)) {
		TRY(walk_push_edge(w, &from, e->relation.to));
		struct view_edge *edge = &w->part->edges[w->part->n_edges - 1];
		edge->from_ns = time_at(&s->axis, first);
		edge->to_ns = time_at(&s->axis, last);
		if (edge->from_ns == 0 && edge->to_ns == 0)
			edge->from_ns = -1; /* that would be: always */
	}
	return 0;
}

static int push_edges(struct walk *w, uint32_t place)
{
	const struct twin *t = presence_what(&w->series->presence, place);

	for (const struct edge *e = t->out; e; e = e->next_out) {
		if (e->to || e->relation.type != w->relation || !walk_may_name(w, e->relation.to))
			continue;
		TRY(push_edges_of(w, e, place, true));
		TRY(push_edges_of(w, e, place, false));
	}
	return 0;
}

/* One of the times of a member: which is in h->at. */
static int add_at(struct walk *w, struct holder *h, bool *selected)
{
	const struct step nowhere = {.id = h->twin->id, .anchor = SIZE_MAX};
	struct expr_twin face;
	struct position room;
	bool ok;

	TRY(walk_look(w, h, &face, &room));
	TRY(walk_selects(w, h, &face, &ok));
	if (!ok)
		return 0;
	*selected = true;
	return walk_roll_up(w, &nowhere, h, &face);
}

/* Some of its times, so that the loop does not wait for all that it has of them. */
static int look_at(struct walk *w, const struct twin *t)
{
	struct series *s = w->series;
	const size_t left = s->n_times - s->done;
	struct past past = {.t_ns = s->t_ns + s->done,
			    .number = s->number + s->done,
			    .n = left < TIMES_AT_ONCE ? left : TIMES_AT_ONCE};
	struct holder h = {.twin = t, .past = &past};
	bool selected = false;

	TRY(walk_sight(w, t, &h.sight));
	if (t->type)
		TRY(walk_type_needs(w, t->type, &h.type));
	TRY(walk_past_begin(w, &past));
	for (h.at = 0; h.at < past.n; h.at++)
		TRY(add_at(w, &h, &selected));
	if (s->done == 0)
		s->fate = (struct member_fate){.state = MEMBER_LIVE, .filtered = true};
	s->fate.filtered = s->fate.filtered && !selected;
	s->fate.withheld = s->fate.withheld || h.sight->withheld || h.withheld;
	s->fate.coarse = s->fate.coarse || h.coarse;
	s->fate.expired = s->fate.expired || h.expired;
	s->done += past.n;
	return 0;
}

static void find_times(struct series *s, uint32_t place)
{
	struct time_set times;

	presence_times(&s->presence, place, PRESENCE_COUNTED, &times);
	s->n_times = s->done = 0;
	s->fate = (struct member_fate){0};
	for (size_t i = 0; i < s->axis.n; i++)
		if (time_set_has(&times, i)) {
			s->t_ns[s->n_times] = time_at(&s->axis, i);
			s->number[s->n_times++] = i;
		}
}

static int look(struct walk *w)
{
	struct series *s = w->series;
	const uint32_t place = s->next;
	const struct twin *t = presence_what(&s->presence, place);

	if (s->done == 0)
		find_times(s, place);
	if (s->n_times > 0)
		TRY(look_at(w, t));
	if (s->done < s->n_times)
		return 0;
	if (is_late(s, t))
		s->fate.state = MEMBER_UNCONFIRMED;
	if (s->n_times > 0 || is_late(s, t))
		walk_count(w, &s->fate);
	if (s->n_times > 0)
		w->newest_ns = t->version.stamp_ns > w->newest_ns ? t->version.stamp_ns : w->newest_ns;
	s->done = 0;
	s->next++;
	return push_edges(w, place);
}

int walk_series_next(struct walk *w)
{
	struct series *s = w->series;

	if (s->phase == GO_DOWN)
		return descend(w);
	if (s->next == s->presence.n)
		return 1;
	arena_reset(w->rows);
	TRY(look(w));
	if (arena_used(w->arena) <= w->bytes_max)
		return 0;
	TRY(walk_check_budget(w));
	return 1;
}
