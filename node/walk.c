/* SPDX-License-Identifier: Apache-2.0 */
#include "node/walk_private.h"
#include "proto/clock.h"
#include "proto/id.h"

enum {
	ROW_ARENA = 1 << 20,
	SERIES_ARENA = 64 << 20, /* of a twin: so many values at so many times */
	RESTARTS_MAX = 2,        /* then a walk that is disturbed goes through at once */
	STEPS_A_LOOK = 64        /* at the clock */
};

/* ---- What goes into the part ------------------------------------------------------------------------------
 */

int walk_problem(struct walk *w, const char *text)
{
	if (w->part->n_problems == PROBLEMS_MAX)
		return 0;
	if (w->part->n_problems + 1 == PROBLEMS_MAX)
		text = "there are more problems than are listed";
	const char **slot = arena_push(w->arena, &w->part->problems, &w->part->n_problems, sizeof *slot);
	const char *copy = arena_copy(w->arena, text);

	if (!slot || !copy)
		return FAIL(-ENOMEM);
	*slot = copy;
	return 0;
}

int walk_cut(struct walk *w, const char *why)
{
	if (w->part->cut)
		return 0;
	w->part->cut = true;
	w->n_stack = 0;
	w->phase = WALK_ENDED;
	return walk_problem(w, why);
}

const char *walk_text(struct walk *w, const char *text)
{
	const char *held = map_get(&w->texts, text);

	if (held)
		return held;
	char *copy = arena_copy(w->arena, text);
	return copy && map_put(&w->texts, copy, copy) == 0 ? copy : NULL;
}

const char *walk_org(struct walk *w, const char *id)
{
	const struct bytes name = id_org(id);
	char org[ORG_NAME_MAX + 1];

	if (name.len >= sizeof org)
		return NULL;
	memcpy(org, name.data, name.len);
	org[name.len] = '\0';
	return walk_text(w, org);
}

int walk_push_edge(struct walk *w, const struct step *parent, const char *child)
{
	struct view_edge *edge = arena_push(w->arena, &w->part->edges, &w->part->n_edges, sizeof *edge);

	if (!edge)
		return FAIL(-ENOMEM);
	*edge = (struct view_edge){.anchor = parent->anchor == SIZE_MAX ? ""
									: w->part->members[parent->anchor].id,
				   .parent = parent->id,
				   .child = child,
				   .seen = parent->seen};
	return 0;
}

bool walk_shows(const struct walk *w, const struct step *s, bool filtered)
{
	return s->root || (!filtered && s->depth <= w->q->depth);
}

int walk_add_member(struct walk *w, struct step *s, const struct view_member *face)
{
	struct view_member *m = arena_push(w->arena, &w->part->members, &w->part->n_members, sizeof *m);
	size_t *above = arena_push(w->arena, &w->above, &w->n_above, sizeof *above);

	if (!m || !above)
		return FAIL(-ENOMEM);
	*m = *face;
	m->parent = s->root ? "" : w->part->members[s->anchor].id;
	m->rollups = arena_take_array(w->arena, w->q->n_rollups, sizeof *m->rollups);
	*above = s->root ? SIZE_MAX : s->anchor;
	s->anchor = w->part->n_members - 1;
	return m->rollups ? 0 : FAIL(-ENOMEM);
}

void walk_count(struct walk *w, const struct member_fate *fate)
{
	struct view_counts *c = &w->part->counts;

	c->members++;
	c->filtered += fate->filtered;
	if (fate->state == MEMBER_UNCONFIRMED) {
		c->unconfirmed++;
		return;
	}
	c->live += fate->state == MEMBER_LIVE;
	c->cached += fate->state == MEMBER_CACHED;
	c->withheld += fate->withheld;
	c->coarse += fate->coarse;
	c->expired += fate->expired;
}

int walk_source_of(struct walk *w, const char *org, const char *node, struct view_source **ret)
{
	struct view_part *part = w->part;

	for (size_t i = 0; i < part->n_sources; i++) {
		*ret = &part->sources[i];
		if (strcmp((*ret)->org, org) == 0 && strcmp((*ret)->node, node) == 0)
			return 0;
	}
	*ret = arena_push(w->arena, &part->sources, &part->n_sources, sizeof **ret);
	if (!*ret)
		return FAIL(-ENOMEM);
	**ret = (struct view_source){.org = org, .node = node};
	return 0;
}

/* To a partner only what it was shown counts: a twin's own stamp moves with hidden changes too. */
static int add_live_source(struct walk *w)
{
	const struct credential *self = w->e->trust->self;
	struct fingerprint ignored;
	int64_t stamp_ns = w->newest_ns;
	struct view_source *s;

	if (w->part->counts.live == 0)
		return 0;
	if (!w->own) {
		stamp_ns = 0;
		if (w->e->visibility)
			visibility_view(w->e->visibility, w->to->org, w->e->origin, &ignored, &stamp_ns);
	}
	TRY(walk_source_of(w, self->org, self->node, &s));
	s->revision = (uint64_t)(stamp_ns / 1000);
	s->state = MEMBER_LIVE;
	s->epoch = w->e->trust->policy_doc.epoch;
	return 0;
}

/* ---- Beginning --------------------------------------------------------------------------------------------
 */

static bool needs_health(const struct walk *w)
{
	for (size_t i = 0; i < w->q->n_rollups; i++)
		if (w->q->rollups[i].fn == ROLLUP_WORST_HEALTH)
			return true;
	return false;
}

/* Forget everything but what was asked. */
static void reset(struct walk *w)
{
	walk_series_end(w);
	walk_path_fini(w);
	walk_sights_fini(w);
	map_fini(&w->cells);
	map_fini(&w->texts);
	w->above = NULL;
	w->where = NULL;
	w->origin = NULL;
	w->n_above = w->n_met = 0;
	w->newest_ns = 0;
	*w->part = (struct view_part){.n_rollups = w->q->n_rollups};
}

static const void *find(const struct walk *w, const char *id)
{
	if (w->source == WALK_LIVE)
		return store_twin(w->e->store, id);
	return store_row(w->e->store, id);
}

/* The first one on top. */
static int push_roots(struct walk *w, bool seen)
{
	for (size_t i = w->q->n_roots; i-- > 0;) {
		const struct view_root *root = &w->q->roots[i];
		const struct step s = {.id = root->id,
				       .parent = root->parent,
				       .what = find(w, root->id),
				       .anchor = SIZE_MAX,
				       .root = true,
				       .seen = seen};
		if (s.what && root->seen == seen)
			TRY(walk_push_root(w, &s));
	}
	return 0;
}

static int begin(struct walk *w)
{
	reset(w);
	w->shape = store_shape(w->e->store);
	w->epoch = w->e->trust->policy_doc.epoch;
	w->relation = store_relation_type(w->e->store, w->q->hierarchy);
	w->now_ns = trust_now(w->e->trust);
	w->at_ns = w->q->has_as_of ? w->q->as_of_ns : w->now_ns;
	w->needs_health = needs_health(w);
	TRY(walk_where_begin(w));
	TRY(walk_sights_begin(w));
	w->phase = WALK_SEEN;
	TRY(walk_series_begin(w));
	return w->series ? 0 : push_roots(w, true);
}

int walk_new(struct walk **ret, struct engine *e, const struct audience *to, const struct view_question *q,
	     enum walk_source source, struct arena *a, size_t bytes_max)
{
	SCOPED(scope_walk) struct walk *w = calloc(1, sizeof *w);

	if (!w)
		return FAIL(-ENOMEM);
	*w = (struct walk){.e = e,
			   .to = to,
			   .q = q,
			   .source = source,
			   .arena = a,
			   .bytes_max = bytes_max,
			   .own = egress_is_own(&e->egress, to),
			   .members_max = q->members_max > 0 ? q->members_max
							     : (uint64_t)e->config->view_members_max};
	TRY(arena_new(&w->rows, view_times(q) > 0 ? SERIES_ARENA : ROW_ARENA));
	w->part = arena_take(a, sizeof *w->part);
	if (!w->part)
		return FAIL(-ENOMEM);
	TRY(begin(w));
	*ret = MOVE(w);
	return 0;
}

void walk_free(struct walk *w)
{
	if (!w)
		return;
	if (w->part)
		reset(w);
	arena_free(w->rows);
	free(w);
}

/* ---- Going ------------------------------------------------------------------------------------------------
 */

/* Members stand with parents before children: going backwards, each hands up what is complete. */
static int hand_up(struct walk *w)
{
	struct err_note note = {0};

	for (size_t i = w->part->n_members; i-- > 0;) {
		if (w->above[i] == SIZE_MAX)
			continue;
		for (size_t j = 0; j < w->q->n_rollups; j++) {
			const struct rollup_state *from = &w->part->members[i].rollups[j];
			int r = rollup_merge(w->arena, &w->q->rollups[j],
					     &w->part->members[w->above[i]].rollups[j], from, &note);
			if (r == ERR_UNIT)
				TRY(walk_problem(w, note.text));
			else
				TRY(r);
		}
	}
	return 0;
}

int walk_check_budget(struct walk *w)
{
	const char *why = NULL;

	if (w->n_met >= w->members_max)
		why = arena_print(
			w->arena,
			"the view was cut after %llu members: ask for a part of it, or with a higher "
			"--members-max",
			(unsigned long long)w->members_max);
	else if (arena_used(w->arena) + w->stack_size * sizeof *w->stack + walk_series_bytes(w) >
		 w->bytes_max)
		why = "the view was cut because its answer is too large: ask with less depth, or for a part "
		      "of it";
	else
		return 0;
	return why ? walk_cut(w, why) : FAIL(-ENOMEM);
}

/* Meet the next twin. 1: that was all. */
static int meet_next(struct walk *w)
{
	struct step s;
	bool again;

	if (w->series)
		return walk_series_next(w);
	int r = walk_pop(w, &s, &again);
	TRY(r);
	if (r == 0) {
		const bool done = w->phase != WALK_SEEN;
		w->phase = done ? WALK_ENDED : WALK_ROOTS;
		return done ? 1 : push_roots(w, false);
	}
	arena_reset(w->rows);
	TRY(w->source == WALK_LIVE ? walk_meet_live(w, &s, again) : walk_meet_cached(w, &s, again));
	if (w->n_stack > 0)
		TRY(walk_check_budget(w));
	return w->phase == WALK_ENDED;
}

/* What it points to may have moved, or what is decided may be decided otherwise now. */
static int is_disturbed(struct walk *w, bool *ret)
{
	const struct store_shape now = store_shape(w->e->store);
	uint64_t round = w->round;

	if (!w->own)
		TRY(sights_follow(w->e->sights, w->e->trust->policy, &round));
	*ret = round != w->round || w->epoch != w->e->trust->policy_doc.epoch ||
	       now.twins != w->shape.twins || (w->source == WALK_CACHED && now.rows != w->shape.rows);
	return 0;
}

static int finish(struct walk *w, struct view_part *ret)
{
	w->phase = WALK_ENDED;
	walk_sort_cells(w);
	TRY(hand_up(w));
	if (w->source == WALK_LIVE)
		TRY(add_live_source(w));
	*ret = *w->part;
	return 1;
}

/* Begin again, if need be. */
static int follow(struct walk *w)
{
	bool disturbed = false;

	TRY(is_disturbed(w, &disturbed));
	w->n_restarts += disturbed;
	return disturbed ? begin(w) : 0;
}

int walk_stop(struct walk *w, struct view_part *ret)
{
	int r = 0;

	TRY(follow(w));
	/* the root at least: without it nothing would be said to be there */
	for (size_t i = 0; r == 0 && i < STEPS_A_LOOK; i++)
		r = meet_next(w);
	TRY(r);
	if (r == 0)
		TRY(walk_cut(w, "the view was cut at its deadline: ask for a part of it, or wait longer"));
	return finish(w, ret);
}

int walk_step(struct walk *w, int64_t until_ns, struct view_part *ret)
{
	int r = 0;

	TRY(follow(w));
	for (size_t i = 1; r == 0; i++) {
		r = meet_next(w);
		TRY(r);
		if (r == 0 && (w->series || i % STEPS_A_LOOK == 0) && w->n_restarts < RESTARTS_MAX &&
		    engine_mono_ns() >= until_ns)
			return 0;
	}
	return finish(w, ret);
}
