/* SPDX-License-Identifier: Apache-2.0 */
#include "node/walk.h"

#include "node/gossip.h"
#include "node/summary.h"
#include "proto/clock.h"
#include "proto/id.h"
#include "proto/map.h"
#include "proto/words.h"

enum { ROW_ARENA = 1 << 20 };

/* A twin on the way down. */
struct step {
	const char *id, *parent;
	size_t above;  /* place of the step that led here, SIZE_MAX at a root */
	size_t anchor; /* place in part->members of the nearest returned member */
	uint32_t depth;
	bool root;
	size_t below; /* next one on the stack of those still to be met */
};

struct walk {
	struct engine *e;
	const struct audience *to;
	const struct view_question *q;
	enum walk_source source;
	struct arena *arena;
	struct view_part *part;
	struct map met;     /* ids found */
	struct step *steps; /* every twin found, in order; `above` is the way back up */
	size_t n_steps;
	size_t pending;     /* top of the stack: a place in steps, SIZE_MAX when it is empty */
	struct arena *rows; /* the row being looked at */
	size_t *above; /* for each returned member the place of its parent in part->members, SIZE_MAX at a
			  root */
	size_t n_above;
};

static bool is_own(const struct walk *w)
{
	return egress_is_own(&w->e->egress, w->to);
}

/* The first ones tell the story, and an answer has to fit its frame. */
static int problem(struct walk *w, const char *text)
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

static bool leads_back(const struct walk *w, size_t at, const char *id)
{
	for (; at != SIZE_MAX; at = w->steps[at].above)
		if (strcmp(w->steps[at].id, id) == 0)
			return true;
	return false;
}

static int push_step(struct walk *w, const struct step *s)
{
	if (map_get(&w->met, s->id)) {
		if (!leads_back(w, s->above, s->id))
			return 0; /* two ways lead to it: counted once */
		const char *text = arena_print(
			w->arena, "%s contains itself by way of %s: the cycle ends there", s->id, s->parent);
		return text ? problem(w, text) : FAIL(-ENOMEM);
	}
	struct step *mine = arena_push(w->arena, &w->steps, &w->n_steps, sizeof *mine);
	if (!mine)
		return FAIL(-ENOMEM);
	*mine = *s;
	mine->below = w->pending;
	w->pending = w->n_steps - 1;
	return map_put(&w->met, mine->id, w);
}

static int push_edge(struct walk *w, const struct step *parent, const char *child)
{
	struct view_edge *edge = arena_push(w->arena, &w->part->edges, &w->part->n_edges, sizeof *edge);

	if (!edge)
		return FAIL(-ENOMEM);
	*edge = (struct view_edge){
		.anchor = w->part->members[parent->anchor].id, .parent = parent->id, .child = child};
	return 0;
}

/* ---- Values ----------------------------------------------------------------------------------------------
 */

/* May the asker have this value? As-of is history, and as coarse: a share with a step shows the value at its
 * last full step, not between. A KPI comes with the summary too. */
static bool may_have(const struct walk *w, const struct row *row, const char *property, bool kpi,
		     int64_t *ret_at_ns)
{
	const struct egress *e = &w->e->egress;
	int64_t last_ns, step_ns;

	*ret_at_ns = w->q->as_of_ns;
	if (is_own(w))
		return true;
	if (!w->q->has_as_of)
		return egress_value(e, w->to, row, property, kpi) == FORM_PLAIN;
	if (!egress_history(e, w->to, row, property, &last_ns, &step_ns))
		return false;
	if (step_ns > 0)
		*ret_at_ns -= ((*ret_at_ns % step_ns) + step_ns) % step_ns;
	return last_ns == 0 || *ret_at_ns >= trust_now(e->trust) - last_ns;
}

static int add_value(struct walk *w, const struct step *s, size_t rollup, const struct sample *sample,
		     const char *unit)
{
	struct rollup_state *state = &w->part->members[s->anchor].rollups[rollup];
	struct rollup_item item = {.sigma = sample->sigma,
				   .quality = sample->quality,
				   .t_ns = sample->t_ns,
				   .unit = text_or_empty(unit),
				   .twin = s->id};
	const char *const before = state->unit;
	struct err_note note = {0};

	if (!value_number(&sample->value, &item.number))
		return 0;
	int r = rollup_add(w->arena, &w->q->rollups[rollup], state, &item, &note);
	if (r == 0 && state->unit != before) { /* it stays with the state, while the row goes */
		state->unit = arena_copy(w->arena, state->unit);
		r = state->unit ? 0 : FAIL(-ENOMEM);
	}
	return r == ERR_UNIT ? problem(w, note.text) : r;
}

/* Whether a property is withheld is decided by its name alone, unless the asker could read it anyway: else
 * the count would tell which properties a twin has. */
static bool hides_name(const struct walk *w, const struct row *row, const char *property)
{
	int64_t at_ns;

	return !is_own(w) && egress_value(&w->e->egress, w->to, row, property, true) != FORM_PLAIN &&
	       !may_have(w, row, property, false, &at_ns);
}

static int add_live_value(struct walk *w, const struct step *s, size_t rollup, const struct twin *t,
			  const struct row *row, bool *ret_withheld)
{
	size_t place;
	const struct property_def *p =
		t->type ? type_property(&t->type->def, w->q->rollups[rollup].property, &place) : NULL;
	struct sample sample;
	int64_t at_ns;

	if (!p)
		return 0;
	if (!may_have(w, row, p->name, p->kpi, &at_ns)) {
		*ret_withheld = true;
		return 0;
	}
	if (!w->q->has_as_of) {
		sample = store_value(w->e->store, t, place);
		return add_value(w, s, rollup, &sample, p->unit);
	}
	int r = store_value_at(w->e->store, t, place, at_ns, w->rows, &sample);
	TRY(r);
	return r == STORE_ABSENT ? 0 : add_value(w, s, rollup, &sample, p->unit);
}

/* A text where a number is asked for, from across a border: the owner put it there. */
static bool is_token(const struct row *row, const struct kpi *k)
{
	return row->mask != ROW_MASK_ALL && k->sample.value.type == VALUE_TEXT;
}

static int add_cached_value(struct walk *w, const struct step *s, size_t rollup, const struct row *row,
			    bool *ret_withheld)
{
	const struct kpi *k = row_kpi(row, w->q->rollups[rollup].property);
	int64_t at_ns;

	if (!k)
		return 0;
	if (!may_have(w, row, k->property, true, &at_ns) || is_token(row, k)) {
		*ret_withheld = true;
		return 0;
	}
	return add_value(w, s, rollup, &k->sample, k->unit);
}

/* Health comes with the summary; without it nothing is known of it. */
static enum health health_shown(const struct walk *w, const struct row *row)
{
	const bool shown = is_own(w) || (egress_mask(&w->e->egress, w->to, row) & ROW_MASK_SUMMARY);

	return shown ? row->health : HEALTH_UNKNOWN;
}

/* `t` NULL: from the row. */
static int add_values(struct walk *w, const struct step *s, const struct twin *t, const struct row *row,
		      bool *ret_withheld)
{
	for (size_t i = 0; i < w->q->n_rollups; i++) {
		const struct rollup_spec *spec = &w->q->rollups[i];
		if (rollup_counts_members(spec))
			rollup_add_member(spec, &w->part->members[s->anchor].rollups[i],
					  health_shown(w, row));
		else if (hides_name(w, row, spec->property))
			*ret_withheld = true;
		else
			TRY(t ? add_live_value(w, s, i, t, row, ret_withheld)
			      : add_cached_value(w, s, i, row, ret_withheld));
	}
	return 0;
}

/* ---- Members ---------------------------------------------------------------------------------------------
 */

static int add_member(struct walk *w, struct step *s, const struct row *full, enum member_state state)
{
	struct row shown = *full;
	const struct row *row = &shown;

	if (!is_own(w) && state != MEMBER_UNREACHABLE)
		TRY(egress_row(&w->e->egress, w->to, full, egress_mask(&w->e->egress, w->to, full), w->rows,
			       &shown));
	struct view_member *m = arena_push(w->arena, &w->part->members, &w->part->n_members, sizeof *m);
	size_t *above = arena_push(w->arena, &w->above, &w->n_above, sizeof *above);

	if (!m || !above)
		return FAIL(-ENOMEM);
	*m = (struct view_member){
		.id = s->id, .state = state, .kind = row->kind, .life = row->life, .health = row->health};
	m->parent = s->root ? "" : w->part->members[s->anchor].id;
	m->type = row->type ? arena_copy(w->arena, row->type) : "";
	m->name = row->name ? arena_copy(w->arena, row->name) : "";
	m->rollups = arena_take_array(w->arena, w->q->n_rollups, sizeof *m->rollups);
	*above = s->root ? SIZE_MAX : s->anchor;
	s->anchor = w->part->n_members - 1;
	return m->type && m->name && m->rollups ? 0 : FAIL(-ENOMEM);
}

static struct view_source *source_of(struct walk *w, const char *org, const char *node)
{
	for (size_t i = 0; i < w->part->n_sources; i++) {
		struct view_source *s = &w->part->sources[i];
		if (strcmp(s->org, org) == 0 && strcmp(s->node, node) == 0)
			return s;
	}
	struct view_source *s = arena_push(w->arena, &w->part->sources, &w->part->n_sources, sizeof *s);
	if (s)
		*s = (struct view_source){.org = org, .node = node};
	return s;
}

/* To a partner only what it was shown counts: the row's own stamp moves with hidden changes too. */
static int64_t stamp_of(const struct walk *w, const struct row *row, const struct remote_row *remote)
{
	struct fingerprint ignored;
	int64_t stamp_ns = 0;

	if (is_own(w))
		return row->version.stamp_ns;
	if (w->e->visibility)
		visibility_view(w->e->visibility, w->to->org, remote ? remote->origin->name : w->e->origin,
				&ignored, &stamp_ns);
	return stamp_ns;
}

static int count_source(struct walk *w, const struct row *row, const struct remote_row *remote)
{
	const struct credential *self = w->e->trust->self;
	const char *org = self->org, *node = self->node;

	if (remote) {
		org = arena_text(w->arena, id_org(remote->origin->name));
		node = id_local(remote->origin->name);
		if (!org)
			return FAIL(-ENOMEM);
	}
	struct view_source *s = source_of(w, org, node);
	if (!s)
		return FAIL(-ENOMEM);
	const struct partner *partner = trust_org(w->e->trust, org);
	const uint64_t revision = (uint64_t)(stamp_of(w, row, remote) / 1000);
	s->revision = revision > s->revision ? revision : s->revision;
	s->state = remote ? MEMBER_CACHED : MEMBER_LIVE;
	s->age_ns = remote ? gossip_age(w->e->gossip, remote->origin->name) : 0;
	s->epoch = id_is_of_org(row->id, self->org) ? w->e->trust->policy_doc.epoch
		   : partner                        ? partner->epoch_seen
						    : 0;
	return 0;
}

/* Is the claim of a parent of another organisation confirmed by this side? */
static enum confirmation word_on(struct walk *w, const struct step *s, const struct row *row)
{
	if (!s->root || s->parent[0] == '\0' || bytes_equal(id_org(s->parent), id_org(s->id)))
		return CONFIRM_CONFIRMED;
	if (!is_own(w) && !id_is_of_org(s->parent, w->to->org))
		return CONFIRM_PENDING; /* whose twins are confirmed to others is not the asker's to find out
					 */
	for (size_t i = 0; i < row->n_parents; i++)
		if (strcmp(row->parents[i].parent, s->parent) == 0 &&
		    strcmp(row->parents[i].hierarchy, w->q->hierarchy) == 0)
			return row->parents[i].state;
	return CONFIRM_PENDING;
}

/* May the asker be told that this twin, which this node does not own, is a member? Of a third organisation's
 * twins only their owner speaks. */
static bool may_name(struct walk *w, const char *id)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct row row;

	if (is_own(w) || id_is_of_org(id, w->to->org))
		return true;
	return arena_new(&a, ROW_ARENA) == 0 && egress_full_row(&w->e->egress, id, a, &row) == 0 &&
	       egress_discovers(&w->e->egress, w->to, &row);
}

static int push_children_live(struct walk *w, size_t place, const struct twin *t)
{
	const int64_t at_ns = w->q->has_as_of ? w->q->as_of_ns : trust_now(w->e->trust);

	for (const struct edge *e = t->out; e; e = e->next_out) {
		const struct relation *r = &e->relation;
		const struct step *s = &w->steps[place]; /* pushing may have moved them */
		const struct step child = {.id = r->to,
					   .parent = s->id,
					   .above = place,
					   .anchor = s->anchor,
					   .depth = s->depth + 1};
		if (strcmp(r->type, w->q->hierarchy) != 0 || at_ns < r->valid_from_ns ||
		    at_ns > r->valid_to_ns)
			continue;
		if (e->to)
			TRY(push_step(w, &child));
		else if (may_name(w, r->to))
			TRY(push_edge(w, s, r->to));
	}
	return 0;
}

/* Rows carry the child's word only. What another organisation's twin says of its place here, nobody confirms
 * now. */
static int claim(struct walk *w, const char *child, const char *parent)
{
	const char *text = arena_print(w->arena, "%s says that it belongs to %s, whose owner does not answer",
				       child, parent);

	w->part->counts.members++;
	w->part->counts.unconfirmed++;
	return text ? problem(w, text) : FAIL(-ENOMEM);
}

static int push_children_cached(struct walk *w, size_t place)
{
	const struct remote_row *child = NULL;

	while ((child = store_row_child_next(w->e->store, w->q->hierarchy, w->steps[place].id, child))) {
		const struct step *s = &w->steps[place];
		const struct step next = {.id = child->id,
					  .parent = s->id,
					  .above = place,
					  .anchor = s->anchor,
					  .depth = s->depth + 1};
		if (bytes_equal(id_org(child->id), id_org(s->id)))
			TRY(push_step(w, &next));
		else if (is_own(w))
			TRY(claim(w, child->id, s->id));
	}
	return 0;
}

/* The row of a step as far as the asker may know it; ERR_ABSENT otherwise. */
static int look(struct walk *w, const char *id, struct row *ret, const struct twin **ret_twin,
		const struct remote_row **ret_remote)
{
	const struct store *store = w->e->store;

	*ret_twin = w->source == WALK_LIVE ? store_twin(store, id) : NULL;
	*ret_remote = w->source == WALK_CACHED ? store_row(store, id) : NULL;
	if (*ret_twin)
		TRY(summary_row(store, *ret_twin, w->rows, ret));
	else if (*ret_remote)
		TRY(row_decode(w->rows, (*ret_remote)->encoded, ret));
	else
		return FAIL(ERR_ABSENT);
	if (ret->deleted || (!is_own(w) && !egress_discovers(&w->e->egress, w->to, ret)))
		return FAIL(ERR_ABSENT);
	if (*ret_twin && w->q->has_as_of) /* a partner is told no health: it would be history */
		return summary_past(w->e->store, *ret_twin, w->q->as_of_ns, is_own(w), w->rows, ret);
	return 0;
}

static int unreachable(struct walk *w, struct step *s)
{
	const struct row nothing = {.type = "", .name = ""};

	w->part->counts.members++;
	w->part->counts.unreachable++;
	return add_member(w, s, &nothing, MEMBER_UNREACHABLE);
}

static int count_member(struct walk *w, const struct step *s, const struct row *row, const struct twin *t,
			const struct remote_row *remote)
{
	struct view_counts *c = &w->part->counts;
	bool withheld = false;

	c->members++;
	*(remote ? &c->cached : &c->live) += 1;
	TRY(add_values(w, s, t, row, &withheld));
	c->withheld += withheld;
	return count_source(w, row, remote);
}

static int meet(struct walk *w, size_t place)
{
	struct step *s = &w->steps[place];
	const struct remote_row *remote;
	const struct twin *t;
	struct row row;

	int r = look(w, s->id, &row, &t, &remote);
	if (r == ERR_ABSENT)
		return 0; /* a root nobody spoke of is absent: the plan sees that */
	TRY(r);
	if (remote && w->q->has_as_of) /* a summary knows only the present */
		return s->root ? unreachable(w, s) : 0;
	const bool confirmed = word_on(w, s, &row) == CONFIRM_CONFIRMED || w->q->unconfirmed;
	if (s->root || s->depth <= w->q->depth)
		TRY(add_member(w, s, &row,
			       !confirmed ? MEMBER_UNCONFIRMED
			       : remote   ? MEMBER_CACHED
					  : MEMBER_LIVE));
	if (!confirmed) {
		w->part->counts.members++;
		w->part->counts.unconfirmed++;
		return 0;
	}
	TRY(count_member(w, s, &row, t, remote));
	return t ? push_children_live(w, place, t) : push_children_cached(w, place);
}

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
				TRY(problem(w, note.text));
			else
				TRY(r);
		}
	}
	return 0;
}

static int walk_all(struct walk *w)
{
	for (size_t i = 0; i < w->q->n_roots; i++) {
		const struct step root = {.id = w->q->roots[i].id,
					  .parent = w->q->roots[i].parent,
					  .above = SIZE_MAX,
					  .anchor = SIZE_MAX,
					  .root = true};
		TRY(push_step(w, &root));
	}
	while (w->pending != SIZE_MAX) {
		const size_t place = w->pending;
		w->pending = w->steps[place].below;
		arena_reset(w->rows);
		TRY(meet(w, place));
	}
	return hand_up(w);
}

int walk_part(struct engine *e, const struct audience *to, const struct view_question *q,
	      enum walk_source source, struct arena *a, struct view_part *ret)
{
	SCOPED(scope_arena) struct arena *rows = NULL;
	struct walk w = {
		.e = e, .to = to, .q = q, .source = source, .arena = a, .part = ret, .pending = SIZE_MAX};

	TRY(arena_new(&rows, ROW_ARENA));
	w.rows = rows;
	*ret = (struct view_part){.n_rollups = q->n_rollups};
	int r = walk_all(&w);
	map_fini(&w.met);
	return r;
}
