/* SPDX-License-Identifier: Apache-2.0 */
#include "node/visibility.h"

#include <sodium.h>
#include <stdio.h>

#include "node/visibility_private.h"
#include "proto/id.h"

enum { ROW_ARENA = 4 << 20, SUBJECT_ALIGN = 16 };

int visibility_new(struct visibility **ret, const struct egress *egress)
{
	SCOPED(scope_visibility) struct visibility *v = calloc(1, sizeof *v);

	if (!v)
		return FAIL(-ENOMEM);
	v->egress = egress;
	TRY(arena_new(&v->scratch, ROW_ARENA));
	randombytes_buf(&v->run, sizeof v->run);
	snprintf(v->own_origin, sizeof v->own_origin, "%s/%s", egress->trust->self->org,
		 egress->trust->self->node);
	*ret = MOVE(v);
	return 0;
}

static void free_origins(struct visibility *v)
{
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&v->origins, &at));) {
		struct origin_view *o = e->value;
		free(o->order.entries);
		free(o->tallies);
		free(o);
	}
	map_fini(&v->origins);
}

static void free_subjects(struct visibility *v)
{
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&v->subjects, &at));) {
		struct subject *s = e->value;
		free(s->groups);
		free(s->kin);
	}
	map_fini(&v->subjects);
	while (v->blocks) {
		struct subjects_block *next = v->blocks->next;
		free(v->blocks);
		v->blocks = next;
	}
}

void visibility_free(struct visibility *v)
{
	if (!v)
		return;
	classes_fini(v);
	families_fini(v);
	free_subjects(v);
	free_origins(v);
	partner_sets_fini(&v->sets);
	arena_free(v->scratch);
	free(v);
}

int visibility_partner(const struct visibility *v, const char *org)
{
	for (size_t i = 0; i < v->n_partners; i++)
		if (strcmp(v->partners[i], org) == 0)
			return (int)i;
	return -1;
}

struct subject *visibility_subject(const struct visibility *v, const char *id)
{
	return map_get(&v->subjects, id);
}

static int get_origin(struct visibility *v, const char *name, struct origin_view **ret)
{
	const size_t size = strlen(name) + 1;
	struct origin_view *o = map_get(&v->origins, name);

	if (!o) {
		o = calloc(1, sizeof *o + size);
		if (!o)
			return FAIL(-ENOMEM);
		memcpy(o->name, name, size);
		if (map_put(&v->origins, o->name, o) < 0) {
			free(o);
			return FAIL(-ENOMEM);
		}
	}
	*ret = o;
	return 0;
}

/* One behind the other, so that looking at all of them is fast. */
static void *take_ground(struct visibility *v, size_t size)
{
	struct subjects_block *b = v->last_block;

	if (!b || b->used + size > sizeof b->data) {
		b = malloc(sizeof *b);
		if (!b)
			return NULL;
		b->next = NULL;
		b->used = 0;
		*(v->last_block ? &v->last_block->next : &v->blocks) = b;
		v->last_block = b;
	}
	return memset(b->data + b->used, 0, size);
}

static int get_subject(struct visibility *v, const char *id, struct origin_view *origin, struct subject **ret)
{
	const size_t id_size = strlen(id) + 1, size = (sizeof(struct subject) + id_size + SUBJECT_ALIGN - 1) &
						      ~(size_t)(SUBJECT_ALIGN - 1);
	struct subject *s = visibility_subject(v, id);

	if (!s) {
		s = take_ground(v, size);
		if (!s)
			return FAIL(-ENOMEM);
		s->origin = origin;
		s->size = (uint16_t)size;
		memcpy(s->id, id, id_size);
		TRY(map_put(&v->subjects, s->id, s));
		v->last_block->used += size;
	}
	*ret = s;
	return 0;
}

/* ---- Following the store ----------------------------------------------------------------------------------
 */

static int origin_of(struct visibility *v, const char *id, struct origin_view **ret)
{
	const struct remote_row *remote =
		store_twin(v->egress->store, id) ? NULL : store_row(v->egress->store, id);

	return get_origin(v, remote ? remote->origin->name : v->own_origin, ret);
}

static int see_gone(struct visibility *v, struct subject *s)
{
	family_leave(v, s);
	class_leave(v, s);
	return subject_show(v, s, NULL);
}

static int see_row(struct visibility *v, const struct row *full)
{
	struct origin_view *origin;
	struct subject *s = NULL;

	TRY(origin_of(v, full->id, &origin));
	TRY(get_subject(v, full->id, origin, &s));
	TRY(family_set(v, s, full));
	TRY(class_set(v, s, full));
	TRY(subject_move(v, s, origin));
	return subject_show(v, s, full);
}

/* Look at a twin's row; true in ret_flipped when somebody's right to know of it changed: its children's
 * parents must be looked at again. */
static int see(struct visibility *v, const char *id, bool *ret_flipped)
{
	struct subject *s = visibility_subject(v, id);
	const struct partner_set before = s ? class_outcome(s)->all : (struct partner_set){0};
	struct row row;

	arena_reset(v->scratch);
	const int r = egress_full_row(v->egress, id, v->scratch, &row);
	if (r == ERR_ABSENT && !s)
		return 0;
	if (r != ERR_ABSENT)
		TRY(r);
	TRY(r == ERR_ABSENT ? see_gone(v, s) : see_row(v, &row));
	s = visibility_subject(v, id);
	*ret_flipped = !partner_set_equal(&before, &class_outcome(s)->all);
	return 0;
}

/* What an edit decided of a twin, or of its parents. */
static int redecide(struct visibility *v, struct subject *s)
{
	struct row row;

	s->round = v->round;
	if (class_outcome(s)->n == 0)
		return subject_show(v, s, NULL);
	arena_reset(v->scratch);
	const int r = egress_full_row(v->egress, s->id, v->scratch, &row);
	if (r == ERR_ABSENT)
		return subject_show(v, s, NULL);
	TRY(r);
	/* else it has changed and is not taken in yet: visibility_follow() comes to it */
	return class_fits(s, &row) ? subject_show(v, s, &row) : 0;
}

static int redecide_children(struct visibility *v, const char *id)
{
	const struct family *f = family_find(v, id);
	const struct kin *next;

	for (const struct kin *k = f ? f->first : NULL; k; k = next) {
		next = k->next;
		if (k->child->round != v->round)
			TRY(redecide(v, k->child));
	}
	return 0;
}

static int take_change(struct visibility *v, const char *id)
{
	bool flipped = false;

	TRY(see(v, id, &flipped));
	if (!flipped)
		return 0;
	v->round++;
	return redecide_children(v, id);
}

/* What is put into the order meanwhile carries the sequence number. */
static int follow_change(struct visibility *v, struct origin_view *o, const char *id, uint64_t seq)
{
	const uint64_t before = o->followed;

	o->followed = seq;
	const int r = take_change(v, id);
	if (r < 0)
		o->followed = before;
	return r;
}

static int follow_own(struct visibility *v)
{
	struct origin_view *o;

	TRY(get_origin(v, v->own_origin, &o));
	for (const struct twin *t; (t = store_change_next(v->egress->store, o->followed));)
		TRY(follow_change(v, o, t->id, t->seq));
	return 0;
}

static int follow_origin(struct visibility *v, const char *name)
{
	struct origin_view *o;

	TRY(get_origin(v, name, &o));
	for (const struct remote_row *r; (r = store_row_change_next(v->egress->store, name, o->followed));)
		TRY(follow_change(v, o, r->id, r->seq));
	return 0;
}

int visibility_follow(struct visibility *v)
{
	const struct store *store = v->egress->store;
	const char *after = "";

	v->behind = true;
	TRY(follow_own(v));
	for (const struct origin *o; (o = store_origin_next(store, after)); after = o->name)
		if (id_is_of_org(o->name, v->egress->trust->self->org))
			TRY(follow_origin(v, o->name));
	v->behind = false;
	return 0;
}

bool visibility_is_settled(const struct visibility *v)
{
	return !v->unsettled && !v->behind;
}

/* ---- Edits -----------------------------------------------------------------------------------------------
 */

static int add_partners(struct visibility *v)
{
	const struct trust *t = v->egress->trust;

	v->trusted = (struct partner_set){0};
	for (size_t i = 0; i < t->n_partners; i++) {
		const char *org = t->partners[i]->org.manifest.org;
		int place = visibility_partner(v, org);
		if (place < 0 && v->n_partners == PARTNERS_MAX)
			return FAIL(ERR_FULL);
		if (place < 0) {
			place = (int)v->n_partners;
			snprintf(v->partners[v->n_partners++], sizeof v->partners[0], "%s", org);
		}
		partner_set_add(&v->trusted, (size_t)place);
	}
	return 0;
}

/* For readers that come with a cursor of another run: from where on what this edit changed stands. */
static void note_edit(struct visibility *v)
{
	const uint64_t epoch = v->egress->trust->policy_doc.epoch;

	if (v->n_edits > 0 && v->edits[v->n_edits - 1].epoch == epoch)
		return;
	if (v->n_edits == EDITS_KEPT)
		memmove(v->edits, v->edits + 1, --v->n_edits * sizeof v->edits[0]);
	v->edits[v->n_edits++] = (struct edit){epoch, v->place};
}

static int on_outcome(struct visibility *v, struct subject *s, const struct outcome *before)
{
	if (s->round != v->round)
		TRY(redecide(v, s));
	return partner_set_equal(&before->all, &class_outcome(s)->all) ? 0 : redecide_children(v, s->id);
}

int visibility_edit(struct visibility *v)
{
	const bool whole = v->unsettled;

	v->unsettled = true;
	v->round++;
	note_edit(v);
	TRY(add_partners(v));
	TRY(classes_edit(v, whole, on_outcome));
	v->unsettled = false;
	return visibility_follow(v);
}

int visibility_renew(struct visibility **v)
{
	SCOPED(scope_visibility) struct visibility *fresh = NULL;
	const int r = visibility_edit(*v);

	if (r != ERR_FULL)
		return r;
	TRY(visibility_new(&fresh, (*v)->egress));
	TRY(visibility_sweep(fresh));
	struct visibility *old = *v;
	*v = fresh;
	fresh = old;
	return 0;
}

/* Rows that a repair dropped are in no order of changes any more. */
static int see_dropped(struct visibility *v)
{
	const struct store *store = v->egress->store;
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&v->subjects, &at));)
		if (!store_twin(store, e->key) && !store_row(store, e->key))
			TRY(take_change(v, e->key));
	return 0;
}

/* From the beginning of every order of changes: an origin that was restored from a copy has gone back. */
int visibility_sweep(struct visibility *v)
{
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&v->origins, &at));) {
		struct origin_view *o = e->value;
		o->followed = 0;
		for (size_t i = 0; i < o->order.n; i++)
			o->order.entries[i].seq = 0;
	}
	TRY(visibility_edit(v));
	return see_dropped(v);
}

/* ---- What is asked ----------------------------------------------------------------------------------------
 */

bool visibility_shown(const struct visibility *v, const char *org, const char *id, struct shown *ret)
{
	const struct subject *s = visibility_subject(v, id);
	const int partner = visibility_partner(v, org);

	return s && partner >= 0 && group_read(v, s, partner, ret);
}

void visibility_view(const struct visibility *v, const char *org, const char *origin, struct fingerprint *ret,
		     int64_t *ret_stamp_ns)
{
	const struct origin_view *o = map_get(&v->origins, origin);
	const int partner = visibility_partner(v, org);
	struct tally sum = {0};

	if (o && partner >= 0)
		origin_view_sum(v, o, partner, &sum);
	*ret = sum.fingerprint;
	*ret_stamp_ns = ret->count > 0 ? sum.stamp_ns : 0;
}

uint64_t visibility_run(const struct visibility *v)
{
	return v->run;
}

uint64_t visibility_end(const struct visibility *v, const char *origin)
{
	const struct origin_view *o = map_get(&v->origins, origin);

	return o && o->order.n > 0 ? o->order.entries[o->order.n - 1].place : 0;
}

uint64_t visibility_place(const struct visibility *v, const char *origin, uint64_t seq, uint64_t epoch)
{
	const struct origin_view *o = map_get(&v->origins, origin);
	const size_t at = o ? order_behind_seq(&o->order, seq) : 0;
	uint64_t place = at > 0 ? o->order.entries[at - 1].place : 0;

	for (size_t i = 1; i < v->n_edits; i++) /* before the first one is before this run */
		if (v->edits[i].epoch > epoch) {
			place = v->edits[i].place < place ? v->edits[i].place : place;
			break;
		}
	return place;
}

struct visibility_walk visibility_walk(const struct visibility *v, const char *org, const char *origin,
				       uint64_t after)
{
	const struct origin_view *o = map_get(&v->origins, origin);

	return (struct visibility_walk){.v = v,
					.origin = o,
					.partner = visibility_partner(v, org),
					.at = o ? order_behind(&o->order, after) : 0};
}

bool visibility_walk_next(struct visibility_walk *w, struct shown *ret)
{
	const struct origin_view *o = w->origin;

	if (!o || w->partner < 0)
		return false;
	for (const struct subject *s; (s = order_next(&o->order, &w->at));)
		if (group_read(w->v, s, w->partner, ret))
			return true;
	return false;
}

void visibility_size(const struct visibility *v, struct visibility_size *ret)
{
	size_t at = 0;

	*ret = (struct visibility_size){.n_twins = v->subjects.n,
					.n_classes = v->classes.n,
					.n_sets = v->sets.n,
					.n_conditions = v->n_conditions,
					.n_decided = v->n_decided,
					.bytes = v->subjects.size * sizeof *v->subjects.entries};
	for (const struct subjects_block *b = v->blocks; b; b = b->next)
		ret->bytes += sizeof *b;
	for (struct map_entry *e; (e = map_next(&v->subjects, &at));) {
		const struct subject *s = e->value;
		ret->bytes += s->n_groups * sizeof *s->groups + s->n_kin * sizeof *s->kin;
	}
	at = 0;
	for (struct map_entry *e; (e = map_next(&v->origins, &at));) {
		const struct origin_view *o = e->value;
		ret->bytes += o->order.size * sizeof *o->order.entries + o->n_tallies * sizeof *o->tallies;
	}
}
