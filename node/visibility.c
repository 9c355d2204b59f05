/* SPDX-License-Identifier: Apache-2.0 */
#include "node/visibility.h"

#include <stdio.h>

#include "proto/id.h"
#include "proto/map.h"

enum { ROW_ARENA = 1 << 20 };

/* One origin as one partner may see it. */
struct sight {
	struct fingerprint fingerprint;
	int64_t stamp_ns;
};

struct origin_view {
	uint64_t followed; /* sequence number up to which changes were taken in */
	struct sight sights[PARTNERS_MAX];
	char name[];
};

/* A twin among the children of one that may leave the sight: its row names the parent. */
struct kin {
	struct kin *next, **back;
	struct family *family;
	struct subject *child;
};

struct family {
	struct kin *first;
	char parent[];
};

struct subject {
	struct origin_view *origin;
	struct shown *shown; /* one per partner that has or had it in sight */
	size_t n_shown;
	struct kin *kin; /* one per parent in the own organisation, whatever the hierarchy */
	size_t n_kin;
	char id[];
};

struct visibility {
	const struct egress *egress;
	struct map subjects, origins, families;
	struct arena *scratch;
	char partners[PARTNERS_MAX][ORG_NAME_MAX + 1];
	size_t n_partners; /* only grows: a place is an organisation's for the life of the process */
	char own_origin[ORG_NAME_MAX + NODE_NAME_MAX + 2];
};

int visibility_new(struct visibility **ret, const struct egress *egress)
{
	SCOPED(scope_visibility) struct visibility *v = calloc(1, sizeof *v);

	if (!v)
		return FAIL(-ENOMEM);
	v->egress = egress;
	TRY(arena_new(&v->scratch, ROW_ARENA));
	snprintf(v->own_origin, sizeof v->own_origin, "%s/%s", egress->trust->self->org,
		 egress->trust->self->node);
	*ret = MOVE(v);
	return 0;
}

static void subject_free(struct subject *s)
{
	free(s->shown);
	free(s->kin);
	free(s);
}

void visibility_free(struct visibility *v)
{
	size_t at = 0;

	if (!v)
		return;
	for (struct map_entry *e; (e = map_next(&v->subjects, &at));)
		subject_free(e->value);
	map_fini(&v->subjects);
	at = 0;
	for (struct map_entry *e; (e = map_next(&v->origins, &at));)
		free(e->value);
	map_fini(&v->origins);
	at = 0;
	for (struct map_entry *e; (e = map_next(&v->families, &at));)
		free(e->value);
	map_fini(&v->families);
	arena_free(v->scratch);
	free(v);
}

static int partner_place(const struct visibility *v, const char *org)
{
	for (size_t i = 0; i < v->n_partners; i++)
		if (strcmp(v->partners[i], org) == 0)
			return (int)i;
	return -1;
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

static int get_subject(struct visibility *v, const char *id, struct origin_view *origin, struct subject **ret)
{
	const size_t size = strlen(id) + 1;
	struct subject *s = map_get(&v->subjects, id);

	if (!s) {
		s = calloc(1, sizeof *s + size);
		if (!s)
			return FAIL(-ENOMEM);
		s->origin = origin;
		memcpy(s->id, id, size);
		if (map_put(&v->subjects, s->id, s) < 0) {
			subject_free(s);
			return FAIL(-ENOMEM);
		}
	}
	*ret = s;
	return 0;
}

/* ---- Families --------------------------------------------------------------------------------------------
 */

static int get_family(struct visibility *v, const char *parent, struct family **ret)
{
	const size_t size = strlen(parent) + 1;
	struct family *f = map_get(&v->families, parent);

	if (!f) {
		f = calloc(1, sizeof *f + size);
		if (!f)
			return FAIL(-ENOMEM);
		memcpy(f->parent, parent, size);
		if (map_put(&v->families, f->parent, f) < 0) {
			free(f);
			return FAIL(-ENOMEM);
		}
	}
	*ret = f;
	return 0;
}

static void leave_families(struct visibility *v, struct subject *s)
{
	for (size_t i = 0; i < s->n_kin; i++) {
		struct kin *k = &s->kin[i];
		*k->back = k->next;
		if (k->next)
			k->next->back = k->back;
		if (!k->family->first)
			free(map_remove(&v->families, k->family->parent));
	}
	free(s->kin);
	s->kin = NULL;
	s->n_kin = 0;
}

static int join_family(struct visibility *v, struct subject *s, const char *parent)
{
	struct kin *k = &s->kin[s->n_kin];
	struct family *f = NULL;

	TRY(get_family(v, parent, &f));
	*k = (struct kin){.next = f->first, .back = &f->first, .family = f, .child = s};
	if (k->next)
		k->next->back = &k->next;
	f->first = k;
	s->n_kin++;
	return 0;
}

/* Each once, though it may be the parent in several hierarchies; what others own never leaves the sight by
 * our policy. */
static size_t own_parents(const struct visibility *v, const struct row *full, const char *ret[PARENTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < full->n_parents && n < PARENTS_MAX; i++) {
		const char *parent = full->parents[i].parent;
		bool known = !id_is_of_org(parent, v->egress->trust->self->org);
		for (size_t k = 0; k < n; k++)
			known |= strcmp(ret[k], parent) == 0;
		if (!known)
			ret[n++] = parent;
	}
	return n;
}

static int regroup(struct visibility *v, struct subject *s, const struct row *full)
{
	const char *parents[PARENTS_MAX];
	const size_t n = own_parents(v, full, parents);
	size_t same = 0;

	while (same < n && same < s->n_kin && strcmp(s->kin[same].family->parent, parents[same]) == 0)
		same++;
	if (same == n && n == s->n_kin)
		return 0;
	leave_families(v, s);
	if (n == 0)
		return 0;
	s->kin = calloc(n, sizeof *s->kin);
	if (!s->kin)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		TRY(join_family(v, s, parents[i]));
	return 0;
}

/* ---- What is shown ---------------------------------------------------------------------------------------
 */

static struct shown *find_shown(const struct subject *s, size_t partner)
{
	for (size_t i = 0; i < s->n_shown; i++)
		if (s->shown[i].partner == partner)
			return &s->shown[i];
	return NULL;
}

static int add_shown(struct subject *s, size_t partner, struct shown **ret)
{
	struct shown *grown = realloc(s->shown, (s->n_shown + 1) * sizeof *grown);

	if (!grown)
		return FAIL(-ENOMEM);
	s->shown = grown;
	*ret = &grown[s->n_shown++];
	**ret = (struct shown){.partner = partner};
	return 0;
}

static void count(const struct subject *s, const struct shown *w, bool add)
{
	struct sight *sight = &s->origin->sights[w->partner];
	const struct hash128 h = row_hash(s->id, w->version, w->face);

	if (!add) {
		fingerprint_remove(&sight->fingerprint, &h);
		return;
	}
	fingerprint_add(&sight->fingerprint, &h);
	if (w->version.stamp_ns > sight->stamp_ns)
		sight->stamp_ns = w->version.stamp_ns;
}

/* The version stays: the retraction is as new as the row it takes back, and tells of nothing later. */
static void hide(const struct subject *s, struct shown *w, uint64_t seq)
{
	if (w->mask == 0)
		return;
	count(s, w, false);
	w->mask = 0;
	w->seq = seq;
}

static int show(struct visibility *v, struct subject *s, size_t partner, const struct row *full,
		uint64_t mask)
{
	const struct audience to = audience_of(v->partners[partner]);
	struct shown *w = find_shown(s, partner);
	struct row row;
	uint64_t digest;

	TRY(egress_row(v->egress, &to, full, mask, v->scratch, &row));
	TRY(egress_digest(&row, &digest));
	if (!w)
		TRY(add_shown(s, partner, &w));
	if (w->mask != 0 && w->digest == digest) {
		w->mask = mask; /* what is hidden may have moved the places of what is not */
		return 0;
	}
	if (w->mask != 0)
		count(s, w, false);
	*w = (struct shown){.partner = partner,
			    .mask = mask,
			    .face = row.mask,
			    .digest = digest,
			    .version = full->version,
			    .seq = full->seq};
	count(s, w, true);
	return 0;
}

/* Another owner of the organisation has it now: under the old one nothing of it is in sight any more. */
static void change_origin(struct subject *s, struct origin_view *origin)
{
	if (s->origin == origin)
		return;
	for (size_t i = 0; i < s->n_shown; i++)
		hide(s, &s->shown[i], s->shown[i].seq);
	s->origin = origin;
}

/* ---- Deciding --------------------------------------------------------------------------------------------
 */

static uint64_t mask_for(const struct visibility *v, size_t partner, const struct row *full)
{
	const struct audience to = audience_of(v->partners[partner]);

	return trust_org(v->egress->trust, to.org) ? egress_mask(v->egress, &to, full) : 0;
}

static bool is_in_sight(const struct subject *s, size_t partner)
{
	const struct shown *w = find_shown(s, partner);

	return w && w->mask != 0;
}

/* True in ret_flipped when some partner's right to know of the twin changed: its children's parents must be
 * looked at again. */
static int decide(struct visibility *v, struct origin_view *origin, const struct row *full, bool *ret_flipped)
{
	struct subject *s = NULL;

	TRY(get_subject(v, full->id, origin, &s));
	TRY(regroup(v, s, full));
	bool before[PARTNERS_MAX];
	for (size_t i = 0; i < v->n_partners; i++)
		before[i] = is_in_sight(s, i);
	change_origin(s, origin);
	for (size_t i = 0; i < v->n_partners; i++) {
		const uint64_t mask = mask_for(v, i, full);
		*ret_flipped |= (mask != 0) != before[i];
		if (mask != 0)
			TRY(show(v, s, i, full, mask));
		else if (is_in_sight(s, i))
			hide(s, find_shown(s, i), full->seq);
	}
	return 0;
}

/* `gone_seq`: of the change that deleted it, if it is deleted. */
static int decide_id(struct visibility *v, const char *id, uint64_t gone_seq, bool *ret_flipped)
{
	struct subject *s = map_get(&v->subjects, id);
	struct row row;

	arena_reset(v->scratch);
	int r = egress_full_row(v->egress, id, v->scratch, &row);
	if (r == ERR_ABSENT && s) {
		row = (struct row){.id = s->id, .seq = gone_seq, .deleted = true};
		return decide(v, s->origin, &row, ret_flipped);
	}
	if (r == ERR_ABSENT)
		return 0;
	TRY(r);
	const struct remote_row *remote =
		store_twin(v->egress->store, id) ? NULL : store_row(v->egress->store, id);
	struct origin_view *origin;
	TRY(get_origin(v, remote ? remote->origin->name : v->own_origin, &origin));
	return decide(v, origin, &row, ret_flipped);
}

/* Deciding a child may move it to other families, so the next one is taken before. */
static int decide_children(struct visibility *v, const char *id)
{
	const struct family *f = map_get(&v->families, id);
	const struct kin *next;
	bool ignored = false;

	for (const struct kin *k = f ? f->first : NULL; k; k = next) {
		next = k->next;
		TRY(decide_id(v, k->child->id, 0, &ignored));
	}
	return 0;
}

static int take_change(struct visibility *v, const char *id, uint64_t seq)
{
	bool flipped = false;

	TRY(decide_id(v, id, seq, &flipped));
	return flipped ? decide_children(v, id) : 0;
}

static bool is_relayed(const struct visibility *v, const struct origin *o)
{
	return id_is_of_org(o->name, v->egress->trust->self->org);
}

int visibility_follow(struct visibility *v)
{
	const struct store *store = v->egress->store;
	struct origin_view *view;

	TRY(get_origin(v, v->own_origin, &view));
	for (const struct twin *t; (t = store_change_next(store, view->followed));) {
		TRY(take_change(v, t->id, t->seq));
		view->followed = t->seq;
	}
	const char *after = "";
	for (const struct origin *o; (o = store_origin_next(store, after)); after = o->name) {
		if (!is_relayed(v, o))
			continue;
		TRY(get_origin(v, o->name, &view));
		for (const struct remote_row *r;
		     (r = store_row_change_next(store, o->name, view->followed));) {
			TRY(take_change(v, r->id, r->seq));
			view->followed = r->seq;
		}
	}
	return 0;
}

static int add_partners(struct visibility *v)
{
	const struct trust *t = v->egress->trust;

	for (size_t i = 0; i < t->n_partners; i++) {
		const char *org = t->partners[i]->org.manifest.org;
		if (partner_place(v, org) >= 0)
			continue;
		if (v->n_partners == PARTNERS_MAX)
			return FAIL(ERR_FULL);
		snprintf(v->partners[v->n_partners++], sizeof v->partners[0], "%s", org);
	}
	return 0;
}

/* Rows that a full listing dropped are in no order of changes any more. */
static int decide_gone(struct visibility *v)
{
	const struct store *store = v->egress->store;
	bool ignored = false;
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&v->subjects, &at));)
		if (!store_twin(store, e->key) && !store_row(store, e->key))
			TRY(decide_id(v, e->key, 0, &ignored));
	return 0;
}

/* From the beginning of every order of changes: an origin that was restored from a copy has gone back. */
int visibility_sweep(struct visibility *v)
{
	size_t at = 0;

	TRY(add_partners(v));
	for (struct map_entry *e; (e = map_next(&v->origins, &at));)
		((struct origin_view *)e->value)->followed = 0;
	TRY(visibility_follow(v));
	return decide_gone(v);
}

const struct shown *visibility_shown(const struct visibility *v, const char *org, const char *id)
{
	const struct subject *s = map_get(&v->subjects, id);
	const int place = partner_place(v, org);

	return s && place >= 0 ? find_shown(s, (size_t)place) : NULL;
}

static const struct sight *find_sight(const struct visibility *v, const char *org, const char *origin)
{
	const struct origin_view *o = map_get(&v->origins, origin);
	const int place = partner_place(v, org);

	return o && place >= 0 ? &o->sights[place] : NULL;
}

void visibility_view(const struct visibility *v, const char *org, const char *origin, struct fingerprint *ret,
		     int64_t *ret_stamp_ns)
{
	const struct sight *s = find_sight(v, org, origin);

	*ret = s ? s->fingerprint : (struct fingerprint){0};
	*ret_stamp_ns = ret->count > 0 ? s->stamp_ns : 0;
}
