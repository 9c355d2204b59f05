/* SPDX-License-Identifier: Apache-2.0 */
#include "node/vitals.h"

#include <math.h>
#include <string.h>

#include "node/summary.h"
#include "proto/clock.h"
#include "proto/id.h"
#include "proto/map.h"
#include "storage/shape.h"

enum {
	TWINS_AT_ONCE = 256,
	ABOVE_MAX = 256, /* twins above one that are looked at for cycles */
	GATHER_SHARE = 20,
	GATHER_EVERY_S = 60,
	ROW_BYTES = 1 << 20,
};

struct group {
	const struct twin *twin;
	const struct health_def *rule;
	const char *hierarchy; /* as relations hold it */
	struct member_counts counts;
	uint64_t n_bonds, n_changes; /* n_changes: of weights, since they were summed up */
	struct bond *bonds;
	struct group *next, *next_dirty;
	bool dirty;
};

/* A member in one group. */
struct bond {
	struct group *group;
	struct bond *next_of_member, *next_of_group;
	enum health health;
	double weight;
	bool counts;
};

struct member {
	const char *id;
	const struct twin *own; /* NULL: of others */
	struct bond *bonds;
	struct member *next_far;
	struct row_version version; /* of the row that was looked at */
	uint32_t mask;
};

struct vitals {
	const struct store *store;
	struct arena *arena, *scratch; /* of groups, members and bonds */
	struct group *groups, *dirty;
	struct member **near; /* by the twin's number */
	size_t n_near;
	struct map far; /* by id */
	struct member *far_list;
	struct store_shape shape;
	bool gathered, has_rules, has_far_above;
	uint64_t followed, looked;
	int64_t gathered_ns, gather_cost_ns; /* monotonic */
};

/* ---- The rule --------------------------------------------------------------------------------------------
 */

static enum health k_of_n(const struct health_def *rule, const struct member_counts *c)
{
	const uint64_t well = c->n[HEALTH_GOOD] + c->n[HEALTH_WARNING];

	if (well >= rule->k)
		return well > c->n[HEALTH_GOOD] || c->n[HEALTH_ALARM] > 0 || c->n[HEALTH_UNKNOWN] > 0
			       ? HEALTH_WARNING
			       : HEALTH_GOOD;
	return well + c->n[HEALTH_UNKNOWN] >= rule->k ? HEALTH_WARNING : HEALTH_ALARM;
}

static enum health weighted(const struct health_def *rule, const struct member_counts *c)
{
	const double *w = c->weight, all = w[HEALTH_GOOD] + w[HEALTH_WARNING] + w[HEALTH_ALARM];
	const double bad = all > 0 ? (w[HEALTH_ALARM] + w[HEALTH_WARNING] / 2) / all : 0;

	return bad > 0 && bad >= rule->alarm     ? HEALTH_ALARM
	       : bad > 0 && bad >= rule->warning ? HEALTH_WARNING
						 : HEALTH_GOOD;
}

static enum health worst(const struct member_counts *c)
{
	return c->n[HEALTH_ALARM] > 0     ? HEALTH_ALARM
	       : c->n[HEALTH_WARNING] > 0 ? HEALTH_WARNING
					  : HEALTH_GOOD;
}

enum health health_of_members(const struct health_def *rule, const struct member_counts *c)
{
	const bool known = c->n[HEALTH_GOOD] + c->n[HEALTH_WARNING] + c->n[HEALTH_ALARM] > 0;

	switch (rule->rule) {
	case HEALTH_OWN:
	case N_HEALTH_RULES: break;
	case HEALTH_WORST: return known ? worst(c) : HEALTH_UNKNOWN;
	case HEALTH_K_OF_N: return known ? k_of_n(rule, c) : HEALTH_UNKNOWN;
	case HEALTH_WEIGHTED: return known ? weighted(rule, c) : HEALTH_UNKNOWN;
	}
	return HEALTH_UNKNOWN;
}

/* ---- Counting --------------------------------------------------------------------------------------------
 */

static void count(struct group *g, const struct bond *b, bool add)
{
	if (!b->counts)
		return;
	g->counts.n[b->health] += add ? 1 : UINT64_MAX;
	g->counts.weight[b->health] += add ? b->weight : -b->weight;
}

/* What is added and taken away again and again does not come out at zero. */
static void sum_up(struct group *g)
{
	g->n_changes = 0;
	memset(g->counts.weight, 0, sizeof g->counts.weight);
	for (const struct bond *b = g->bonds; b; b = b->next_of_group)
		if (b->counts)
			g->counts.weight[b->health] += b->weight;
}

static void mark(struct vitals *v, struct group *g)
{
	if (g->dirty)
		return;
	g->dirty = true;
	g->next_dirty = v->dirty;
	v->dirty = g;
}

static void recount(struct vitals *v, struct bond *b, const struct bond *now)
{
	struct group *g = b->group;

	if (b->counts == now->counts && b->health == now->health && b->weight == now->weight)
		return;
	count(g, b, false);
	b->counts = now->counts;
	b->health = now->health;
	b->weight = now->weight;
	count(g, b, true);
	if (++g->n_changes > g->n_bonds + 16)
		sum_up(g);
	mark(v, g);
}

static double usable_weight(double w)
{
	return isfinite(w) && w >= 0 ? w : 1;
}

static double own_weight(const struct vitals *v, const struct twin *t, const struct health_def *rule)
{
	struct store_number number;
	size_t place;

	if (rule->rule != HEALTH_WEIGHTED || !*rule->weight || !t->type ||
	    !type_property(&t->type->def, rule->weight, &place) || !store_number(v->store, t, place, &number))
		return 1;
	return usable_weight(number.number);
}

static void recount_own(struct vitals *v, struct member *m)
{
	v->looked++;
	const struct twin_def def = store_twin_def(m->own);
	struct bond now = {.counts = twin_life_at(&def, INT64_MAX) != LIFE_RETIRED,
			   .health = summary_health(v->store, m->own)};

	for (struct bond *b = m->bonds; b; b = b->next_of_member) {
		now.weight = own_weight(v, m->own, b->group->rule);
		recount(v, b, &now);
	}
}

static double row_weight(const struct row *r, const struct health_def *rule)
{
	const struct kpi *k = rule->rule == HEALTH_WEIGHTED ? row_kpi(r, rule->weight) : NULL;
	double w;

	return k && value_number(&k->sample.value, &w) ? usable_weight(w) : 1;
}

static bool is_confirmed(const struct row *r, const struct group *g)
{
	if (bytes_equal(id_org(g->twin->id), id_org(r->id)))
		return true;
	for (size_t i = 0; i < r->n_parents; i++)
		if (strcmp(r->parents[i].parent, g->twin->id) == 0 &&
		    strcmp(r->parents[i].hierarchy, g->hierarchy) == 0)
			return r->parents[i].state == CONFIRM_CONFIRMED;
	return false;
}

/* Of what is not held, or cannot be read, nothing is known. */
static void recount_far(struct vitals *v, struct member *m)
{
	const struct remote_row *held = store_row(v->store, m->id);
	struct row row = {.id = m->id};
	bool known = false;

	v->looked++;
	m->version = held ? held->version : (struct row_version){0};
	m->mask = held ? held->mask : 0;
	arena_reset(v->scratch);
	known = held && row_decode(v->scratch, held->encoded, &row) == 0 && !row.deleted;
	for (struct bond *b = m->bonds; b; b = b->next_of_member) {
		const bool confirmed = known && is_confirmed(&row, b->group);
		const struct bond now = {
			.counts = confirmed ? row.life != LIFE_RETIRED
					    : bytes_equal(id_org(b->group->twin->id), id_org(m->id)),
			.health = confirmed && row.mask & ROW_MASK_SUMMARY ? row.health : HEALTH_UNKNOWN,
			.weight = confirmed ? row_weight(&row, b->group->rule) : 1};
		recount(v, b, &now);
	}
}

/* ---- What is above a twin ---------------------------------------------------------------------------------
 */

struct above {
	struct map seen;
	const char *list[ABOVE_MAX];
	size_t n;
	bool far;
};

static int add_above(struct above *up, const char *id)
{
	if (up->n == ABOVE_MAX || map_get(&up->seen, id))
		return 0;
	TRY(map_put(&up->seen, id, up));
	up->list[up->n++] = id;
	return 0;
}

static int add_own_parents(const struct vitals *v, struct above *up, const struct twin *t,
			   const char *hierarchy)
{
	const struct membership *m = NULL;

	for (const struct edge *e = t->in; e; e = e->next_in)
		if (e->relation.type == hierarchy)
			TRY(add_above(up, e->relation.from));
	while ((m = store_membership_next(v->store, t->id, m)))
		if (m->state == CONFIRM_CONFIRMED && strcmp(m->hierarchy, hierarchy) == 0)
			TRY(add_above(up, m->parent));
	return 0;
}

static int add_far_parents(const struct vitals *v, struct above *up, const char *id, const char *hierarchy)
{
	const struct remote_row *held = store_row(v->store, id);
	struct row row;

	up->far = true;
	for (const struct edge *e = store_edges_to(v->store, id); e; e = e->next_in)
		if (e->relation.type == hierarchy)
			TRY(add_above(up, e->relation.from));
	if (!held || row_decode(v->scratch, held->encoded, &row) < 0 || row.deleted)
		return 0;
	for (size_t i = 0; i < row.n_parents; i++)
		if (row.parents[i].state == CONFIRM_CONFIRMED &&
		    strcmp(row.parents[i].hierarchy, hierarchy) == 0)
			TRY(add_above(up, row.parents[i].parent));
	return 0;
}

static int climb(const struct vitals *v, const struct group *g, struct above *up)
{
	arena_reset(v->scratch);
	TRY(add_own_parents(v, up, g->twin, g->hierarchy));
	for (size_t i = 0; i < up->n; i++) {
		const struct twin *t = store_twin(v->store, up->list[i]);
		TRY(t ? add_own_parents(v, up, t, g->hierarchy)
		      : add_far_parents(v, up, up->list[i], g->hierarchy));
	}
	return 0;
}

/* ---- Gathering the groups ---------------------------------------------------------------------------------
 */

static int near_member(struct vitals *v, const struct twin *t, struct member ***ret)
{
	const uint32_t number = store_form(t).number;
	const size_t n = (size_t)number * 2;

	if (number >= v->n_near) {
		struct member **near = realloc(v->near, n * sizeof(struct member *));
		if (!near)
			return FAIL(-ENOMEM);
		memset(near + v->n_near, 0, (n - v->n_near) * sizeof(struct member *));
		v->near = near;
		v->n_near = n;
	}
	*ret = &v->near[number];
	return 0;
}

static int get_member(struct vitals *v, const struct edge *e, struct member **ret)
{
	struct member **place = NULL, *m = NULL;

	if (e->to)
		TRY(near_member(v, e->to, &place));
	m = place ? *place : map_get(&v->far, e->relation.to);
	if (!m) {
		m = arena_take(v->arena, sizeof *m);
		if (!m)
			return FAIL(-ENOMEM);
		m->id = e->relation.to;
		m->own = e->to;
		if (place) {
			*place = m;
		} else {
			TRY(map_put(&v->far, m->id, m));
			m->next_far = v->far_list;
			v->far_list = m;
		}
	}
	*ret = m;
	return 0;
}

static int join_group(struct vitals *v, struct group *g, const struct edge *e)
{
	struct bond *b = arena_take(v->arena, sizeof *b);
	struct member *m = NULL;

	if (!b)
		return FAIL(-ENOMEM);
	TRY(get_member(v, e, &m));
	b->group = g;
	b->next_of_member = m->bonds;
	m->bonds = b;
	b->next_of_group = g->bonds;
	g->bonds = b;
	g->n_bonds++;
	return 0;
}

static int fill_group(struct vitals *v, struct group *g, int64_t now_ns)
{
	struct above up = {.n = 0};
	int r = climb(v, g, &up);

	for (const struct edge *e = g->twin->out; e && r == 0; e = e->next_out) {
		const struct relation *rel = &e->relation;
		if (rel->type == g->hierarchy && now_ns >= rel->valid_from_ns && now_ns <= rel->valid_to_ns &&
		    e->to != g->twin && !map_get(&up.seen, rel->to))
			r = join_group(v, g, e);
	}
	v->has_far_above |= up.far;
	map_fini(&up.seen);
	return r;
}

static int add_group(struct vitals *v, const struct twin *t)
{
	const struct health_def *rule = &t->type->def.health;
	struct group *g = arena_take(v->arena, sizeof *g);

	if (!g)
		return FAIL(-ENOMEM);
	g->twin = t;
	g->rule = rule;
	g->hierarchy = store_relation_type(v->store, *rule->hierarchy ? rule->hierarchy : "contains");
	g->next = v->groups;
	v->groups = g;
	mark(v, g);
	return 0;
}

static bool any_rules(const struct store *s)
{
	const char *after = "";

	for (const struct type *t; (t = store_type_next(s, after)); after = t->def.name)
		if (t->def.health.rule != HEALTH_OWN)
			return true;
	return false;
}

static int find_groups(struct vitals *v)
{
	const struct twin *twins[TWINS_AT_ONCE];
	uint32_t at = 0;

	for (size_t n; (n = store_twins_stored(v->store, &at, twins, TWINS_AT_ONCE)) > 0;)
		for (size_t i = 0; i < n; i++)
			if (twins[i]->type && twins[i]->type->def.health.rule != HEALTH_OWN)
				TRY(add_group(v, twins[i]));
	return 0;
}

static void forget(struct vitals *v)
{
	arena_reset(v->arena);
	map_fini(&v->far);
	v->far = (struct map){0};
	v->far_list = NULL;
	v->groups = v->dirty = NULL;
	v->gathered = v->has_far_above = false;
	if (v->n_near > 0)
		memset(v->near, 0, v->n_near * sizeof *v->near);
}

static int gather_all(struct vitals *v, int64_t wall_ns)
{
	forget(v);
	v->has_rules = any_rules(v->store);
	if (v->has_rules)
		TRY(find_groups(v));
	for (struct group *g = v->groups; g; g = g->next)
		if (g->hierarchy)
			TRY(fill_group(v, g, wall_ns));
	for (size_t i = 0; i < v->n_near; i++)
		if (v->near[i])
			recount_own(v, v->near[i]);
	for (struct member *m = v->far_list; m; m = m->next_far)
		recount_far(v, m);
	v->gathered = true;
	return 0;
}

/* ---- Following the store ----------------------------------------------------------------------------------
 */

static bool is_another_shape(const struct vitals *v, int64_t mono_ns)
{
	const struct store_shape now = store_shape(v->store);

	return !v->gathered || now.twins != v->shape.twins ||
	       (v->has_far_above && now.rows != v->shape.rows) ||
	       (v->groups && mono_ns - v->gathered_ns > GATHER_EVERY_S * NS_PER_S);
}

static void follow_own(struct vitals *v)
{
	for (const struct twin *t; (t = store_change_next(v->store, v->followed));) {
		const uint32_t number = store_form(t).number;
		v->followed = t->seq;
		if (number < v->n_near && v->near[number] && v->near[number]->own == t)
			recount_own(v, v->near[number]);
	}
}

static void follow_far(struct vitals *v)
{
	for (struct member *m = v->far_list; m; m = m->next_far) {
		const struct remote_row *held = store_row(v->store, m->id);
		if (held ? row_version_compare(held->version, m->version) != 0 || held->mask != m->mask
			 : m->mask != 0)
			recount_far(v, m);
	}
}

int vitals_follow(struct vitals *v, int64_t wall_ns, int64_t mono_ns, bool pressing)
{
	const struct store_shape shape = store_shape(v->store);
	struct store_position head;

	if (is_another_shape(v, mono_ns)) {
		if (!pressing && mono_ns - v->gathered_ns < GATHER_SHARE * v->gather_cost_ns)
			return VITALS_LATER; /* what was gathered may point to what is no more */
		const int64_t began_ns = engine_mono_ns();
		TRY(gather_all(v, wall_ns));
		store_position(v->store, &head);
		v->followed = head.seq;
		v->gather_cost_ns = engine_mono_ns() - began_ns;
		v->gathered_ns = mono_ns;
	} else if (v->has_rules) {
		follow_own(v);
		if (shape.rows != v->shape.rows)
			follow_far(v);
	}
	v->shape = shape;
	return 0;
}

void vitals_doubt(struct vitals *v)
{
	forget(v);
}

bool vitals_next_due(struct vitals *v, struct due_health *ret)
{
	for (struct group *g; (g = v->dirty);) {
		v->dirty = g->next_dirty;
		g->dirty = false;
		const size_t place = g->twin->type->members_place;
		const struct sample held = store_value(v->store, g->twin, place);
		enum health said = HEALTH_UNKNOWN;
		const bool has = held.value.type == VALUE_ENUM && health_parse(held.value.text, &said);
		*ret = (struct due_health){.twin = g->twin,
					   .property = &g->twin->type->def.properties[place],
					   .health = health_of_members(g->rule, &g->counts),
					   .after_ns = has ? held.t_ns : TIME_MIN};
		if (ret->health != said)
			return true;
	}
	return false;
}

uint64_t vitals_looked(const struct vitals *v)
{
	return v->looked;
}

int vitals_new(struct vitals **ret, const struct store *s)
{
	SCOPED(scope_vitals) struct vitals *v = calloc(1, sizeof *v);

	if (!v)
		return FAIL(-ENOMEM);
	v->store = s;
	TRY(arena_new(&v->arena, SIZE_MAX));
	TRY(arena_new(&v->scratch, ROW_BYTES));
	*ret = MOVE(v);
	return 0;
}

void vitals_free(struct vitals *v)
{
	if (!v)
		return;
	map_fini(&v->far);
	free(v->near);
	arena_free(v->arena);
	arena_free(v->scratch);
	free(v);
}
