/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "node/alarms.h"
#include "node/asks.h"
#include "node/find_private.h"
#include "node/gossip.h"
#include "proto/clock.h"
#include "proto/id.h"
#include "proto/words.h"

struct find_ask {
	struct find *find;
	size_t source; /* place */
	uint32_t session;
};

static bool is_ours(const struct find *f, const char *org)
{
	return strcmp(org, f->e->trust->self->org) == 0;
}

/* Is this one of the source's origins (ORG/NODE)? */
static bool is_of(const struct find_source *s, const char *origin)
{
	return id_is_of_org(origin, s->org) && (!s->node[0] || strcmp(id_local(origin), s->node) == 0);
}

/* ---- What they say ---------------------------------------------------------------------------------------
 */

/* Twins of the source's, those that were asked for, in order: else nothing of it is taken. */
static bool is_fit_member(const struct find *f, const struct find_source *s, const struct view_member *m,
			  const char *before)
{
	const struct remote_row *row = store_row(f->e->store, m->id);

	if (strcmp(m->id, before) <= 0 || !id_is_of_org(m->id, s->org) || m->n_values > f->q.n_show ||
	    (m->state != MEMBER_LIVE && (s->node[0] || m->state != MEMBER_CACHED)))
		return false;
	for (size_t i = 0; i < m->n_values; i++)
		if (word_find(f->q.show, f->q.n_show, m->values[i].property) == f->q.n_show)
			return false;
	if (s->node[0] && (store_twin(f->e->store, m->id) || (row && !is_of(s, row->origin->name))))
		return false;
	return true;
}

static bool is_fit(const struct find *f, const struct find_source *s, const struct answer *parts, size_t n)
{
	const char *before = f->q.after;
	const struct view_counts *c = &parts[n - 1].view.counts;
	size_t total = 0;

	for (size_t i = 0; i < n; i++) {
		const struct view_part *v = &parts[i].view;
		for (size_t j = 0; j < v->n_members; j++) {
			if (!is_fit_member(f, s, &v->members[j], before))
				return false;
			before = v->members[j].id;
		}
		for (size_t j = 0; j < v->n_sources; j++)
			if (strcmp(v->sources[j].org, s->org) != 0)
				return false;
		total += v->n_members;
		if (v->n_edges > 0 || v->n_cells > 0 || v->n_gone > 0)
			return false;
	}
	return total <= f->q.limit && c->members >= total && c->live <= c->members &&
	       c->cached == c->members - c->live;
}

static int take_member(struct find *f, const struct view_member *m)
{
	struct view_member copy;
	int r;

	if (f->matcher.own)
		r = find_copy_member(f->arena, m, &copy);
	else
		r = find_pass_member(f, m, &copy);
	TRY(r);
	if (r == STORE_ABSENT) {
		f->part.counts.members--;
		(*(m->state == MEMBER_LIVE ? &f->part.counts.live : &f->part.counts.cached))--;
		return 0;
	}
	struct view_member *place = arena_push(f->arena, &f->part.members, &f->part.n_members, sizeof *place);
	if (!place)
		return FAIL(-ENOMEM);
	*place = copy;
	return 0;
}

static int take_source(struct find *f, const struct view_source *s)
{
	struct view_source *place = arena_push(f->arena, &f->part.sources, &f->part.n_sources, sizeof *place);

	if (!place)
		return FAIL(-ENOMEM);
	*place = *s;
	place->org = arena_copy(f->arena, s->org);
	place->node = arena_copy(f->arena, s->node);
	return place->org && place->node ? 0 : FAIL(-ENOMEM);
}

static int take_answer(struct find *f, const struct answer *parts, size_t n)
{
	struct view_counts *c = &f->part.counts;
	const struct view_counts *more = &parts[n - 1].view.counts;
	size_t total = 0;

	c->members += more->members;
	c->live += more->live;
	c->cached += more->cached;
	c->withheld += more->withheld;
	for (size_t i = 0; i < n; i++) {
		const struct view_part *v = &parts[i].view;
		for (size_t j = 0; j < v->n_members; j++)
			TRY(take_member(f, &v->members[j]));
		for (size_t j = 0; j < v->n_sources; j++)
			TRY(take_source(f, &v->sources[j]));
		for (size_t j = 0; j < v->n_problems; j++)
			TRY(find_problem(f, v->problems[j]));
		total += v->n_members;
	}
	f->has_more |= f->q.limit > 0 && total == f->q.limit;
	return 0;
}

static void blame(struct find *f, uint32_t session)
{
	static const char text[] = "it answered a find with twins that are not its own or were not asked for";
	const struct session *from = gossip_session(f->e->gossip, session);
	char peer[sizeof from->org + sizeof from->node];

	gossip_complain(f->e->gossip, session, "%s", text);
	if (!from)
		return;
	snprintf(peer, sizeof peer, "%s/%s", from->org, from->node);
	alarms_raise(f->e->alarms, ALARM_PEER, peer, text);
}

/* A refusal means that nothing is there for us; silence that what is held must do. */
static void on_answer(void *ctx, int code, const char *text, const struct answer *parts, size_t n)
{
	struct find_ask *ask = ctx;
	struct find *f = ask->find;
	struct find_source *s = &f->sources[ask->source];
	int r = 0;

	(void)text;
	f->n_waiting--;
	if (code == ERR_DENIED || code == ERR_ABSENT || (code == 0 && n == 0)) {
		s->state = SOURCE_ANSWERED;
	} else if (code < 0) {
		s->state = SOURCE_LOST;
	} else if (!is_fit(f, s, parts, n)) {
		s->state = SOURCE_LOST;
		blame(f, ask->session);
	} else {
		s->state = SOURCE_ANSWERED;
		r = take_answer(f, parts, n);
	}
	if (r < 0 && f->failed == 0)
		f->failed = r;
	free(ask);
	find_advance(f);
}

/* ---- Asking ----------------------------------------------------------------------------------------------
 */

static int ask_session(struct find *f, size_t source, const struct session *over)
{
	struct question q = {.kind = QUESTION_FIND, .view = f->q, .twin = "", .property = ""};
	const int64_t left_ns = f->deadline_ns - engine_mono_ns();
	SCOPED(scope_free) struct find_ask *ask = calloc(1, sizeof *ask);
	uint64_t id;

	if (!ask)
		return FAIL(-ENOMEM);
	*ask = (struct find_ask){f, source, over->id};
	TRY(audience_ask(&f->to, f->matcher.own, &q));
	TRY(asks_send(f->e->asks, over->id, &q, left_ns > 0 ? left_ns : 0, on_answer, ask, &id));
	ask = NULL;
	f->sources[source].state = SOURCE_ASKED;
	f->n_waiting++;
	return 0;
}

/* Were all its origins vouched for within the time that is good enough? Of nobody held there is nothing that
 * could be. */
static bool is_fresh(const struct find *f, const struct find_source *s)
{
	const char *after = "";
	bool any = false;

	for (const struct origin *o; (o = store_origin_next(f->e->store, after)); after = o->name) {
		if (!is_of(s, o->name))
			continue;
		any = true;
		if (gossip_age(f->e->gossip, o->name) > f->q.fresh_ns)
			return false;
	}
	return any;
}

static int ask_source(struct find *f, size_t source)
{
	struct find_source *s = &f->sources[source];
	const struct session *over;

	s->state = SOURCE_CACHED;
	if (f->q.offline || (f->q.fresh_ns > 0 && is_fresh(f, s)))
		return 0;
	over = gossip_find(f->e->gossip, s->org, s->node);
	if (over && !(over->features & FEATURE_VIEW)) {
		const char *text = arena_print(f->arena,
					       "%s/%s is of an older release that cannot be asked "
					       "for what it has: looked up in its last summaries",
					       over->org, over->node);
		return text ? find_problem(f, text) : FAIL(-ENOMEM);
	}
	s->state = SOURCE_LOST;
	const int r = over ? ask_session(f, source, over) : 0;
	return r == -ENOMEM ? r : 0;
}

static int add_source(struct find *f, const char *org, const char *node)
{
	struct find_source *s = arena_push(f->arena, &f->sources, &f->n_sources, sizeof *s);

	if (!s)
		return FAIL(-ENOMEM);
	s->org = arena_copy(f->arena, org);
	s->node = arena_copy(f->arena, node);
	return s->org && s->node ? 0 : FAIL(-ENOMEM);
}

static bool has_source(const struct find *f, const char *origin)
{
	for (size_t i = 0; i < f->n_sources; i++)
		if (is_of(&f->sources[i], origin))
			return true;
	return false;
}

/* Own nodes that own twins; also one whose credential is gone while its rows are not. */
static int add_own_nodes(struct find *f)
{
	const struct trust *t = f->e->trust;
	const char *after = "";

	for (size_t i = 0; i < t->own.org.n_nodes; i++) {
		const struct credential *c = &t->own.org.nodes[i];
		if ((c->roles & ROLE_OWNER) && strcmp(c->node, t->self->node) != 0)
			TRY(add_source(f, c->org, c->node));
	}
	for (const struct origin *o; (o = store_origin_next(f->e->store, after)); after = o->name)
		if (id_is_of_org(o->name, t->self->org) && !has_source(f, o->name))
			TRY(add_source(f, t->self->org, id_local(o->name)));
	return 0;
}

int find_others_begin(struct find *f)
{
	const struct trust *t = f->e->trust;

	if (f->to.relayed)
		return 0;
	TRY(add_own_nodes(f));
	for (size_t i = 0; f->matcher.own && i < t->n_partners; i++)
		TRY(add_source(f, t->partners[i]->org.manifest.org, ""));
	for (size_t i = 0; i < f->n_sources; i++)
		TRY(ask_source(f, i));
	return 0;
}

/* ---- Who did not answer ----------------------------------------------------------------------------------
 */

bool find_wants_row(const struct find *f, const struct origin *origin)
{
	for (size_t i = 0; i < f->n_sources; i++)
		if (is_of(&f->sources[i], origin->name))
			return f->sources[i].state != SOURCE_ANSWERED;
	return false;
}

static int64_t stamp_shown(const struct find *f, const char *origin, int64_t stamp_ns)
{
	struct fingerprint ignored;
	int64_t shown_ns = 0;

	if (f->matcher.own)
		return stamp_ns;
	if (f->e->visibility)
		visibility_view(f->e->visibility, f->to.org, origin, &ignored, &shown_ns);
	return shown_ns;
}

static int add_held(struct find *f, const struct find_source *s, bool *ret_any)
{
	const struct partner *partner = is_ours(f, s->org) ? NULL : trust_org(f->e->trust, s->org);
	const char *after = "";

	for (const struct origin *o; (o = store_origin_next(f->e->store, after)); after = o->name) {
		if (!is_of(s, o->name))
			continue;
		*ret_any = true;
		const struct view_source held = {
			.org = s->org,
			.node = id_local(o->name),
			.revision = (uint64_t)(stamp_shown(f, o->name, o->stamp_ns) / 1000),
			.age_ns = gossip_age(f->e->gossip, o->name),
			.epoch = partner ? partner->epoch_seen : f->e->trust->policy_doc.epoch,
			.state = MEMBER_CACHED};
		TRY(take_source(f, &held));
	}
	return 0;
}

static int add_self(struct find *f)
{
	const struct credential *self = f->e->trust->self;
	struct store_position p;

	store_position(f->e->store, &p);
	if (p.n_twins == 0 && !(self->roles & ROLE_OWNER))
		return 0;
	return take_source(f, &(struct view_source){
				      .org = self->org,
				      .node = self->node,
				      .revision = (uint64_t)(stamp_shown(f, f->e->origin, p.stamp_ns) / 1000),
				      .epoch = f->e->trust->policy_doc.epoch,
				      .state = MEMBER_LIVE});
}

/* What it has now may be more than its last summaries say, or than nothing. */
static int say_lost(struct find *f, const struct find_source *s, bool held)
{
	const char *text =
		arena_print(f->arena, "%s%s%s did not answer: %s", s->org, s->node[0] ? "/" : "", s->node,
			    held ? "it was looked up in its last summaries" : "nothing is held of it");

	return text ? find_problem(f, text) : FAIL(-ENOMEM);
}

int find_add_sources(struct find *f)
{
	TRY(add_self(f));
	for (size_t i = 0; i < f->n_sources; i++) {
		const struct find_source *s = &f->sources[i];
		bool any = false;
		if (s->state == SOURCE_ANSWERED)
			continue;
		TRY(add_held(f, s, &any));
		if (s->state != SOURCE_LOST)
			continue;
		TRY(say_lost(f, s, any));
		if (!any)
			TRY(take_source(f, &(struct view_source){.org = s->org,
								 .node = s->node,
								 .age_ns = INT64_MAX,
								 .state = MEMBER_UNREACHABLE}));
	}
	return 0;
}
