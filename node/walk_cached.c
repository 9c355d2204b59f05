/* SPDX-License-Identifier: Apache-2.0 */
#include "node/gossip.h"
#include "node/walk_private.h"
#include "proto/id.h"

/* Rows carry the child's word only. What another organisation's twin says of its place here, nobody confirms
 * now. */
static int claim(struct walk *w, const char *child, const char *parent)
{
	const char *text = arena_print(w->arena, "%s says that it belongs to %s, whose owner does not answer",
				       child, parent);

	w->part->counts.members++;
	w->part->counts.unconfirmed++;
	return text ? walk_problem(w, text) : FAIL(-ENOMEM);
}

/* Of the own organisation each node answers for its own; another one may do so live. */
static bool is_of_another_node(const struct walk *w, const struct remote_row *child)
{
	return id_is_of_org(child->id, w->e->trust->self->org);
}

enum { CACHE_LINE = 64 };

static int push_child(struct walk *w, const struct step *s, const struct remote_row *child)
{
	const struct remote_row *const parent = s->what;
	const struct step next = {.id = child->id,
				  .parent = s->id,
				  .what = child,
				  .anchor = s->anchor,
				  .depth = s->depth + 1,
				  .level = s->level + 1,
				  .seen = s->seen};

	__builtin_prefetch(child->encoded.data);
	__builtin_prefetch(child->encoded.data + CACHE_LINE);
	if (child->origin == parent->origin) /* it speaks of one organisation's twins only */
		return walk_push(w, &next);
	if (!bytes_equal(id_org(child->id), id_org(s->id)))
		return w->own && !s->seen ? claim(w, child->id, s->id) : 0;
	if (!is_of_another_node(w, child))
		return walk_push(w, &next);
	return walk_may_name(w, child->id) ? walk_push_edge(w, s, child->id) : 0;
}

static int by_id(const void *a, const void *b)
{
	const struct remote_row *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

/* Rows come in no order; what is returned has one. */
static int push_in_order(struct walk *w, const struct step *s)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct remote_row *child = NULL, **list = NULL;
	size_t n = 0;

	TRY(arena_new(&a, SIZE_MAX));
	while ((child = store_row_child_next(w->e->store, w->q->hierarchy, s->id, child))) {
		const struct remote_row **slot = arena_push(a, &list, &n, sizeof(struct remote_row *));
		if (!slot)
			return FAIL(-ENOMEM);
		*slot = child;
	}
	if (n > 1)
		qsort(list, n, sizeof(struct remote_row *), by_id);
	for (size_t i = 0; i < n; i++)
		TRY(push_child(w, s, list[i]));
	return 0;
}

static int push_children(struct walk *w, const struct step *s)
{
	const struct remote_row *child = NULL;

	if (!((const struct remote_row *)s->what)->is_parent)
		return 0;
	if (!s->seen && s->depth < w->q->depth)
		return push_in_order(w, s);
	while ((child = store_row_child_next(w->e->store, w->q->hierarchy, s->id, child)))
		TRY(push_child(w, s, child));
	return 0;
}

/* Is the claim of a parent of another organisation confirmed by this side? */
static bool is_confirmed(const struct walk *w, const struct step *s, const struct row *row)
{
	if (!s->root || s->parent[0] == '\0' || bytes_equal(id_org(s->parent), id_org(s->id)) ||
	    w->q->unconfirmed)
		return true;
	if (!w->own && !id_is_of_org(s->parent, w->to->org))
		return false; /* whose twins are confirmed to others is not the asker's to find out */
	for (size_t i = 0; i < row->n_parents; i++)
		if (strcmp(row->parents[i].parent, s->parent) == 0 &&
		    strcmp(row->parents[i].hierarchy, w->q->hierarchy) == 0)
			return row->parents[i].state == CONFIRM_CONFIRMED;
	return false;
}

/* To a partner only what it was shown counts: the row's own stamp moves with hidden changes too. */
static int find_source(struct walk *w, const struct remote_row *remote, struct view_source **ret)
{
	const char *const org = id_is_of_org(remote->id, w->e->trust->self->org)
					? w->e->trust->self->org
					: walk_org(w, remote->origin->name);
	struct view_source *s;

	if (!org)
		return FAIL(-ENOMEM);
	TRY(walk_source_of(w, org, id_local(remote->origin->name), ret));
	s = *ret;
	if (s->state == MEMBER_CACHED)
		return 0;
	const struct partner *partner = trust_org(w->e->trust, org);
	s->state = MEMBER_CACHED;
	s->age_ns = gossip_age(w->e->gossip, remote->origin->name);
	s->epoch = strcmp(org, w->e->trust->self->org) == 0 ? w->e->trust->policy_doc.epoch
		   : partner                                ? partner->epoch_seen
							    : 0;
	return 0;
}

/* Members of one origin mostly stand together. */
static int count_source(struct walk *w, const struct remote_row *remote)
{
	struct fingerprint ignored;
	int64_t stamp_ns = remote->version.stamp_ns;
	struct view_source *s;

	if (w->origin == remote->origin) {
		s = &w->part->sources[w->source_at];
	} else {
		TRY(find_source(w, remote, &s));
		w->origin = remote->origin;
		w->source_at = (size_t)(s - w->part->sources);
	}
	if (!w->own) {
		stamp_ns = 0;
		if (w->e->visibility)
			visibility_view(w->e->visibility, w->to->org, remote->origin->name, &ignored,
					&stamp_ns);
	}
	const uint64_t revision = (uint64_t)(stamp_ns / 1000);
	s->revision = revision > s->revision ? revision : s->revision;
	return 0;
}

static void look(struct holder *h, struct expr_twin *face, int64_t now_ns)
{
	const struct row *r = h->row;
	const bool summary = h->sight->summary;

	*face = (struct expr_twin){.id = r->id,
				   .type = r->type,
				   .kind = r->kind,
				   .name = summary ? r->name : "",
				   .life = summary ? r->life : LIFE_DESIGN,
				   .health = summary ? r->health : HEALTH_UNKNOWN,
				   .tags = (const char *const *)r->tags,
				   .n_tags = summary ? r->n_tags : 0,
				   .now_ns = now_ns};
	h->health = face->health;
}

static void find_position(struct walk *w, const struct holder *h, struct expr_twin *face)
{
	for (size_t i = 0; i < h->row->n_kpis && !face->position; i++) {
		const struct kpi *k = &h->row->kpis[i];
		if (k->sample.value.type == VALUE_POSITION &&
		    (w->own || egress_value(&w->e->egress, w->to, h->row, k->property, true) == FORM_PLAIN))
			face->position = &k->sample.value.position;
	}
}

static int show(struct walk *w, struct step *s, struct holder *h, const struct expr_twin *face,
		enum member_state state, bool again)
{
	struct view_member m = {
		.id = s->id, .state = state, .kind = face->kind, .life = face->life, .health = face->health};

	m.type = walk_text(w, face->type);
	m.name = arena_copy(w->arena, face->name);
	if (!m.type || !m.name)
		return FAIL(-ENOMEM);
	if (state == MEMBER_CACHED && !again)
		TRY(walk_show_values(w, h, &m));
	return walk_add_member(w, s, &m);
}

static int fill_in(struct walk *w, struct step *s, struct holder *h, const struct remote_row *remote,
		   bool again)
{
	struct member_fate fate = {.state = MEMBER_CACHED, .withheld = h->sight->withheld};
	struct expr_twin face;
	bool selected = true;

	look(h, &face, w->at_ns);
	if (w->where && expr_uses_position(w->where))
		find_position(w, h, &face);
	if (!is_confirmed(w, s, h->row))
		fate.state = MEMBER_UNCONFIRMED;
	else
		TRY(walk_selects(w, h, &face, &selected));
	fate.filtered = !selected;
	if (walk_shows(w, s, fate.filtered))
		TRY(show(w, s, h, &face, fate.state, again));
	if (again)
		return 0;
	if (fate.state == MEMBER_CACHED && !fate.filtered)
		TRY(walk_roll_up(w, s, h, &face));
	fate.withheld = fate.withheld || h->withheld;
	walk_count(w, &fate);
	if (fate.state == MEMBER_UNCONFIRMED)
		return 0;
	TRY(count_source(w, remote));
	return push_children(w, s);
}

/* A summary knows only the present. */
static int unreachable(struct walk *w, struct step *s)
{
	const struct view_member nothing = {.id = s->id, .type = "", .name = "", .state = MEMBER_UNREACHABLE};

	if (!s->root || s->seen)
		return 0;
	w->part->counts.members++;
	w->part->counts.unreachable++;
	return walk_add_member(w, s, &nothing);
}

/* Most members below are only added up: then little of their rows is needed. Parents are of roots only; to a
 * partner the whole row decides; a position may be any KPI. */
static int read_row(struct walk *w, const struct step *s, struct row *ret)
{
	const struct remote_row *remote = s->what;
	const bool face = w->where || w->q->by != GROUP_NONE || walk_shows(w, s, false);
	const struct row_wish wish = {
		.face = face, .kpis = w->needs.property, .n_kpis = face ? w->needs.n : w->needs.where};

	if (!w->own || s->root || (w->where && expr_uses_position(w->where)))
		return row_decode(w->rows, remote->encoded, ret);
	return row_read(w->rows, remote->id, remote->encoded, &wish, ret);
}

int walk_meet_cached(struct walk *w, struct step *s, bool again)
{
	struct holder h = {0};
	struct row row;

	TRY(read_row(w, s, &row));
	h.row = &row;
	TRY(walk_sight_of_row(w, &row, &h.sight));
	if (row.deleted || !h.sight->discover)
		return 0;
	if (w->q->has_as_of || view_times(w->q) > 0)
		return unreachable(w, s);
	return s->seen ? push_children(w, s) : fill_in(w, s, &h, s->what, again);
}
