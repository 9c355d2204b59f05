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

struct subject {
	struct origin_view *origin;
	struct row_version version; /* under which the masks stand in the fingerprints */
	uint64_t ever;              /* a bit per partner */
	uint32_t *masks;            /* one per partner */
	size_t n_masks;
	char id[];
};

struct visibility {
	const struct egress *egress;
	struct map subjects, origins;
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
	free(s->masks);
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

static int grow_masks(struct subject *s, size_t n)
{
	if (s->n_masks >= n)
		return 0;
	uint32_t *masks = realloc(s->masks, n * sizeof *masks);
	if (!masks)
		return FAIL(-ENOMEM);
	memset(masks + s->n_masks, 0, (n - s->n_masks) * sizeof *masks);
	s->masks = masks;
	s->n_masks = n;
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
	TRY(grow_masks(s, v->n_partners));
	*ret = s;
	return 0;
}

/* Move one twin in one partner's sight from its old state to the new one. */
static void show(struct subject *s, size_t partner, struct row_version version, uint32_t mask)
{
	struct sight *view = &s->origin->sights[partner];
	struct hash128 h;

	if (s->masks[partner] != 0) {
		h = row_hash(s->id, s->version, s->masks[partner]);
		fingerprint_remove(&view->fingerprint, &h);
	}
	if (mask != 0) {
		h = row_hash(s->id, version, mask);
		fingerprint_add(&view->fingerprint, &h);
		if (version.stamp_ns > view->stamp_ns)
			view->stamp_ns = version.stamp_ns;
		s->ever |= UINT64_C(1) << partner;
	}
	s->masks[partner] = mask;
}

/* True in ret_flipped when some partner's right to know of the twin changed: its children's parents must be
 * looked at again. */
static int decide(struct visibility *v, struct origin_view *origin, const struct row *full, bool *ret_flipped)
{
	struct subject *s = NULL;

	TRY(get_subject(v, full->id, origin, &s));
	s->origin = origin;
	for (size_t i = 0; i < v->n_partners; i++) {
		const uint32_t mask = trust_org(v->egress->trust, v->partners[i])
					      ? egress_mask(v->egress, v->partners[i], full)
					      : 0;
		*ret_flipped |= (mask != 0) != (s->masks[i] != 0);
		show(s, i, full->version, mask);
	}
	s->version = full->version;
	return 0;
}

static int decide_id(struct visibility *v, const char *id, bool *ret_flipped)
{
	struct subject *s = map_get(&v->subjects, id);
	struct row row;

	arena_reset(v->scratch);
	int r = egress_full_row(v->egress, id, v->scratch, &row);
	if (r == ERR_ABSENT && s) {
		row = (struct row){.id = s->id, .version = s->version, .deleted = true};
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

static int decide_children(struct visibility *v, const char *id)
{
	const struct twin *t = store_twin(v->egress->store, id);
	const struct remote_row *child = NULL;
	bool ignored = false;

	for (const struct edge *e = t ? t->out : NULL; e; e = e->next_out)
		if (e->to)
			TRY(decide_id(v, e->to->def.id, &ignored));
	while ((child = store_row_child_next(v->egress->store, "contains", id, child)))
		TRY(decide_id(v, child->id, &ignored));
	return 0;
}

static int take_change(struct visibility *v, const char *id)
{
	bool flipped = false;

	TRY(decide_id(v, id, &flipped));
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
		TRY(take_change(v, t->def.id));
		view->followed = t->seq;
	}
	const char *after = "";
	for (const struct origin *o; (o = store_origin_next(store, after)); after = o->name) {
		if (!is_relayed(v, o))
			continue;
		TRY(get_origin(v, o->name, &view));
		for (const struct remote_row *r;
		     (r = store_row_change_next(store, o->name, view->followed));) {
			TRY(take_change(v, r->id));
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

int visibility_sweep(struct visibility *v)
{
	bool ignored = false;
	size_t at = 0;

	TRY(add_partners(v));
	for (struct map_entry *e; (e = map_next(&v->subjects, &at));)
		TRY(decide_id(v, e->key, &ignored));
	return visibility_follow(v);
}

uint32_t visibility_mask(const struct visibility *v, const char *org, const char *id)
{
	const struct subject *s = map_get(&v->subjects, id);
	const int place = partner_place(v, org);

	return s && place >= 0 && (size_t)place < s->n_masks ? s->masks[place] : 0;
}

bool visibility_left(const struct visibility *v, const char *org, const char *id)
{
	const struct subject *s = map_get(&v->subjects, id);
	const int place = partner_place(v, org);

	return s && place >= 0 && (s->ever >> place & 1) && s->masks[place] == 0;
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
	*ret_stamp_ns = s ? s->stamp_ns : 0;
}
