/* SPDX-License-Identifier: Apache-2.0 */
#include "node/walk_private.h"
#include "proto/clock.h"
#include "proto/id.h"
#include "proto/words.h"

enum { ROW_ARENA = 1 << 20 };

int walk_confirmed_since(const struct walk *w, const char *parent, const char *id, int64_t *ret_ns)
{
	struct membership word;

	*ret_ns = TIME_MIN;
	if (parent[0] == '\0' || bytes_equal(id_org(parent), id_org(id)) || w->q->unconfirmed)
		return 0;
	*ret_ns = TIME_MAX;
	if (!w->own && !id_is_of_org(parent, w->to->org))
		return 0; /* whose twins are confirmed to others is not the asker's to find out */
	const int r = store_membership(w->e->store, w->q->hierarchy, parent, id, &word);
	TRY(r);
	if (r != STORE_ABSENT && word.state == CONFIRM_CONFIRMED)
		*ret_ns = word.since_ns;
	return 0;
}

static int confirmed(const struct walk *w, const struct step *s, bool *ret)
{
	int64_t since_ns = TIME_MIN;

	if (s->root)
		TRY(walk_confirmed_since(w, s->parent, s->id, &since_ns));
	*ret = since_ns != TIME_MAX && (!w->q->has_as_of || since_ns <= w->q->as_of_ns);
	return 0;
}

/* May the asker be told that this twin, which this node does not own, is a member? Of a third organisation's
 * twins only their owner speaks. */
bool walk_may_name(struct walk *w, const char *id)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct row row;

	if (w->own || id_is_of_org(id, w->to->org))
		return true;
	return arena_new(&a, ROW_ARENA) == 0 && egress_full_row(&w->e->egress, id, a, &row) == 0 &&
	       egress_discovers(&w->e->egress, w->to, &row);
}

static int push_children(struct walk *w, const struct step *s, const struct twin *t)
{
	for (const struct edge *e = t->out; e; e = e->next_out) {
		const struct relation *r = &e->relation;
		const struct step child = {.id = r->to,
					   .parent = s->id,
					   .what = e->to,
					   .anchor = s->anchor,
					   .depth = s->depth + 1,
					   .level = s->level + 1,
					   .seen = s->seen};
		if (r->type != w->relation || w->at_ns < r->valid_from_ns || w->at_ns > r->valid_to_ns)
			continue;
		if (e->to)
			TRY(walk_push(w, &child));
		else if (walk_may_name(w, r->to))
			TRY(walk_push_edge(w, s, r->to));
	}
	return 0;
}

/* ---- What the asker may see of it -------------------------------------------------------------------------
 */

/* As-of reads the life-cycle and health of that time; a partner is told no health then: it would be history.
 */
static int past_face(struct walk *w, struct holder *h, const struct twin_def *def, struct expr_twin *face)
{
	const bool needed = w->needs_health || (w->where && expr_uses(w->where, EXPR_HEALTH));

	face->now_ns = h->past->t_ns[h->at];
	if (h->sight->summary)
		face->life = twin_life_at(def, face->now_ns);
	/* in a series nobody looks at it unless it is needed */
	return w->own && (needed || !w->series) ? walk_past_health(w, h, needed, &face->health) : 0;
}

static bool looks_at_position(const struct walk *w)
{
	return w->where && expr_uses_position(w->where);
}

/* A position of today's, also in a view of the past: where a twin stands is what it is. */
static void find_position(struct walk *w, struct holder *h, struct expr_twin *face, struct position *room)
{
	const struct property_def *p = h->type ? h->type->position : NULL;
	const struct row row = {.id = h->twin->id,
				.type = h->twin->type ? h->twin->type->def.name : "",
				.tags = (const char **)(uintptr_t)face->tags,
				.n_tags = face->n_tags};

	if (!p || (!w->own && egress_value(&w->e->egress, w->to, &row, p->name, true) != FORM_PLAIN))
		return;
	const struct sample v = store_value(w->e->store, h->twin, h->type->position_place);
	if (v.value.type != VALUE_POSITION)
		return;
	*room = v.value.position;
	face->position = room;
}

int walk_look(struct walk *w, struct holder *h, struct expr_twin *face, struct position *room)
{
	const struct twin_def def = store_twin_def(h->twin);

	*face = (struct expr_twin){.id = h->twin->id,
				   .type = text_or_empty(def.type),
				   .kind = def.kind,
				   .tags = (const char *const *)def.tags,
				   .n_tags = def.n_tags,
				   .name = "",
				   .life = LIFE_DESIGN,
				   .health = HEALTH_UNKNOWN,
				   .now_ns = w->at_ns};
	if (looks_at_position(w))
		find_position(w, h, face, room);
	if (h->past) {
		TRY(past_face(w, h, &def, face));
	} else if (h->sight->summary) {
		face->life = twin_life_at(&def, INT64_MAX);
		face->health = summary_health(w->e->store, h->twin);
	}
	if (h->sight->summary)
		face->name = def.name;
	else
		face->n_tags = 0;
	h->health = face->health;
	return 0;
}

/* ---- Meeting it -------------------------------------------------------------------------------------------
 */

static int show(struct walk *w, struct step *s, struct holder *h, const struct expr_twin *face,
		enum member_state state, bool again)
{
	struct view_member m = {.id = s->id,
				.state = state,
				.kind = face->kind,
				.type = face->type,
				.name = face->name,
				.life = face->life,
				.health = face->health};

	if (state == MEMBER_LIVE && !again)
		TRY(walk_show_values(w, h, &m));
	return walk_add_member(w, s, &m);
}

static int fill_in(struct walk *w, struct step *s, struct holder *h, bool again)
{
	const bool needs_face =
		w->where || (h->past && w->needs_health) || w->q->by != GROUP_NONE || walk_shows(w, s, false);
	struct member_fate fate = {.state = MEMBER_LIVE, .withheld = h->sight->withheld};
	struct expr_twin face = {0};
	struct position room;
	bool ok;

	TRY(confirmed(w, s, &ok));
	if (needs_face)
		TRY(walk_look(w, h, &face, &room));
	else if (w->needs_health && h->sight->summary)
		h->health = summary_health(w->e->store, h->twin);
	if (!ok)
		fate.state = MEMBER_UNCONFIRMED;
	else if (w->where) {
		TRY(walk_selects(w, h, &face, &ok));
		fate.filtered = !ok;
	}
	if (walk_shows(w, s, fate.filtered))
		TRY(show(w, s, h, &face, fate.state, again));
	if (again)
		return 0;
	if (fate.state == MEMBER_LIVE && !fate.filtered)
		TRY(walk_roll_up(w, s, h, &face));
	fate.withheld = fate.withheld || h->withheld;
	fate.coarse = h->coarse;
	fate.expired = h->expired;
	walk_count(w, &fate);
	const int64_t stamp_ns = h->twin->version.stamp_ns;
	w->newest_ns = stamp_ns > w->newest_ns ? stamp_ns : w->newest_ns;
	return fate.state == MEMBER_LIVE ? push_children(w, s, h->twin) : 0;
}

int walk_meet_live(struct walk *w, struct step *s, bool again)
{
	struct past past = {.t_ns = &w->q->as_of_ns, .n = 1};
	struct holder h = {.twin = s->what, .past = w->q->has_as_of ? &past : NULL};

	TRY(walk_sight(w, h.twin, &h.sight));
	if (!h.sight->discover)
		return 0; /* a root nobody spoke of is absent: the plan sees that */
	if (s->seen)
		return push_children(w, s, h.twin);
	if (h.past)
		TRY(walk_past_begin(w, h.past));
	if (h.twin->type)
		TRY(walk_type_needs(w, h.twin->type, &h.type));
	return fill_in(w, s, &h, again);
}
