/* SPDX-License-Identifier: Apache-2.0 */
#include "node/gossip.h"
#include "node/walk_private.h"
#include "proto/clock.h"
#include "proto/id.h"

enum { ROW_ARENA = 1 << 20 };

bool walk_is_own(const struct walk *w)
{
	return egress_is_own(&w->e->egress, w->to);
}

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

static bool leads_back(const struct walk *w, size_t at, const char *id)
{
	for (; at != SIZE_MAX; at = w->steps[at].above)
		if (strcmp(w->steps[at].id, id) == 0)
			return true;
	return false;
}

int walk_push(struct walk *w, const struct step *s)
{
	if (map_get(&w->met, s->id)) {
		if (!leads_back(w, s->above, s->id))
			return 0; /* two ways lead to it: counted once */
		const char *text = arena_print(
			w->arena, "%s contains itself by way of %s: the cycle ends there", s->id, s->parent);
		return text ? walk_problem(w, text) : FAIL(-ENOMEM);
	}
	struct step *mine = arena_push(w->arena, &w->steps, &w->n_steps, sizeof *mine);
	if (!mine)
		return FAIL(-ENOMEM);
	*mine = *s;
	mine->below = w->pending;
	w->pending = w->n_steps - 1;
	return map_put(&w->met, mine->id, w);
}

int walk_push_edge(struct walk *w, const struct step *parent, const char *child)
{
	struct view_edge *edge = arena_push(w->arena, &w->part->edges, &w->part->n_edges, sizeof *edge);

	if (!edge)
		return FAIL(-ENOMEM);
	*edge = (struct view_edge){
		.anchor = w->part->members[parent->anchor].id, .parent = parent->id, .child = child};
	return 0;
}

static int add_member(struct walk *w, struct step *s, const struct row *full, enum member_state state)
{
	struct row shown = *full;
	const struct row *row = &shown;

	if (!walk_is_own(w) && state != MEMBER_UNREACHABLE)
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

	if (walk_is_own(w))
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
	if (!walk_is_own(w) && !id_is_of_org(s->parent, w->to->org))
		return CONFIRM_PENDING; /* whose twins are confirmed to others is not the asker's to find out
					 */
	for (size_t i = 0; i < row->n_parents; i++)
		if (strcmp(row->parents[i].parent, s->parent) == 0 &&
		    strcmp(row->parents[i].hierarchy, w->q->hierarchy) == 0)
			return row->parents[i].state;
	return CONFIRM_PENDING;
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
	if (ret->deleted || (!walk_is_own(w) && !egress_discovers(&w->e->egress, w->to, ret)))
		return FAIL(ERR_ABSENT);
	if (*ret_twin && w->q->has_as_of) /* a partner is told no health: it would be history */
		return summary_past(w->e->store, *ret_twin, w->q->as_of_ns, walk_is_own(w), w->rows, ret);
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
	TRY(walk_add_values(w, s, t, row, &withheld));
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
	return t ? walk_children_live(w, place, t) : walk_children_cached(w, place);
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
				TRY(walk_problem(w, note.text));
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
		TRY(walk_push(w, &root));
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
