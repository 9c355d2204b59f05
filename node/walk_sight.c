/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a property is withheld is decided by its name alone, unless the asker could read it anyway: else
 * the count would tell which properties a twin has. */
#include "node/walk_private.h"
#include "proto/clock.h"

static void need(struct walk *w, const char *property)
{
	w->needs.property[w->needs.n++] = property;
}

static void need_rollup(struct walk *w, size_t rollup)
{
	const struct rollup_spec *spec = &w->q->rollups[rollup];
	size_t i = 0;

	w->needs.of_rollup[rollup] = SIZE_MAX;
	if (rollup_counts_members(spec))
		return;
	while (i < w->needs.n && strcmp(w->needs.property[i], spec->property) != 0)
		i++;
	if (i == w->needs.n)
		need(w, spec->property);
	w->needs.of_rollup[rollup] = i;
}

static void collect_needs(struct walk *w)
{
	const struct view_question *q = w->q;
	size_t n = 0;
	const char *const *of_where = w->where ? expr_properties(w->where, &n) : NULL;

	for (size_t i = 0; i < q->n_rollups; i++)
		need_rollup(w, i);
	w->needs.where = w->needs.n;
	for (size_t i = 0; i < n; i++)
		need(w, of_where[i]);
	w->needs.by = w->needs.n;
	if (q->by == GROUP_PROPERTY)
		need(w, q->by_property);
	w->needs.show = w->needs.n;
	for (size_t i = 0; i < q->n_show && i < SHOW_MAX; i++)
		need(w, q->show[i]);
}

static struct sight *new_sight(const struct walk *w)
{
	return calloc(1, sizeof(struct sight) + w->needs.n * sizeof(struct need_sight));
}

int walk_sights_begin(struct walk *w)
{
	collect_needs(w);
	if (!w->own) {
		if (!w->e->sights)
			TRY(sights_new(&w->e->sights));
		return sights_follow(w->e->sights, w->e->trust->policy, &w->round);
	}
	w->everything = new_sight(w);
	if (!w->everything)
		return FAIL(-ENOMEM);
	w->everything->discover = w->everything->summary = true;
	for (size_t i = 0; i < w->needs.n; i++)
		w->everything->need[i] =
			(struct need_sight){.as_kpi = true, .as_other = true, .history = true};
	return 0;
}

void walk_sights_fini(struct walk *w)
{
	for (size_t i = 0; i < w->n_sights; i++)
		free(w->sights[i]);
	for (size_t i = 0; i < w->n_type_needs; i++)
		free(w->type_needs[i]);
	free(w->sights);
	free(w->type_needs);
	free(w->everything);
	pointers_fini(&w->types);
	w->sights = NULL;
	w->type_needs = NULL;
	w->everything = NULL;
	w->n_sights = w->n_type_needs = 0;
	w->needs = (struct needs){0};
}

/* ---- What the policy says of a class ----------------------------------------------------------------------
 */

bool walk_may_have(const struct walk *w, const struct need_sight *need, bool kpi, bool past, int64_t at_ns,
		   int64_t *ret_at_ns)
{
	*ret_at_ns = at_ns;
	if (!past)
		return kpi ? need->as_kpi : need->as_other;
	/* the last full step of a time to come is that of today: else it would tell what is newer */
	if (need->step_ns > 0)
		*ret_at_ns = time_floor(at_ns < w->now_ns ? at_ns : w->now_ns, need->step_ns);
	return need->history && (need->last_ns == 0 || *ret_at_ns >= w->now_ns - need->last_ns);
}

static struct need_sight decide_need(const struct walk *w, const struct row *row, const char *property)
{
	const struct egress *e = &w->e->egress;
	struct need_sight s = {
		.as_kpi = egress_value(e, w->to, row, property, true) == FORM_PLAIN,
		.as_other = egress_value(e, w->to, row, property, false) == FORM_PLAIN,
	};
	int64_t ignored;

	s.history = egress_history(e, w->to, row, property, &s.last_ns, &s.step_ns);
	/* of a series the first time is the one that a window shuts out first */
	s.hidden = !s.as_kpi && !walk_may_have(w, &s, false, w->q->has_as_of || view_times(w->q) > 0,
					       w->q->has_as_of ? w->q->as_of_ns : w->q->from_ns, &ignored);
	return s;
}

/* Name, life-cycle, health and tags come with the summary. */
static bool needs_summary(const struct walk *w)
{
	static const enum expr_attribute of_summary[] = {EXPR_NAME, EXPR_LIFE, EXPR_HEALTH, EXPR_TAG};

	for (size_t i = 0; w->where && i < sizeof of_summary / sizeof *of_summary; i++)
		if (expr_uses(w->where, of_summary[i]))
			return true;
	return w->q->by == GROUP_TAG;
}

static bool needs_worst_health(const struct walk *w)
{
	for (size_t i = 0; i < w->q->n_rollups; i++)
		if (w->q->rollups[i].fn == ROLLUP_WORST_HEALTH)
			return true;
	return false;
}

static int decide(struct walk *w, const struct row *row, struct sight **ret)
{
	struct sight *s = new_sight(w);

	if (!s)
		return FAIL(-ENOMEM);
	*ret = s;
	s->discover = egress_discovers(&w->e->egress, w->to, row);
	if (!s->discover)
		return 0;
	s->summary = (egress_mask(&w->e->egress, w->to, row) & ROW_MASK_SUMMARY) != 0;
	s->withheld = !s->summary && (needs_summary(w) || needs_worst_health(w));
	for (size_t i = 0; i < w->needs.n; i++) {
		s->need[i] = decide_need(w, row, w->needs.property[i]);
		s->withheld = s->withheld || (s->need[i].hidden && i < w->needs.show);
	}
	return 0;
}

static int make_room(struct walk *w, uint32_t class)
{
	size_t n = w->n_sights ? w->n_sights : 16;

	while (n <= class)
		n *= 2;
	if (n == w->n_sights)
		return 0;
	struct sight **sights = realloc(w->sights, n * sizeof *sights);
	if (!sights)
		return FAIL(-ENOMEM);
	for (size_t i = w->n_sights; i < n; i++)
		sights[i] = NULL;
	w->sights = sights;
	w->n_sights = n;
	return 0;
}

static int sight_of_class(struct walk *w, uint32_t class, const struct row *row, const struct sight **ret)
{
	TRY(make_room(w, class));
	if (!w->sights[class])
		TRY(decide(w, row, &w->sights[class]));
	*ret = w->sights[class];
	return 0;
}

int walk_sight(struct walk *w, const struct twin *t, const struct sight **ret)
{
	uint32_t class;

	*ret = w->everything;
	if (w->own)
		return 0;
	TRY(sights_class(w->e->sights, t, &class));
	if (class < w->n_sights && w->sights[class]) {
		*ret = w->sights[class];
		return 0;
	}
	const struct twin_def def = store_twin_def(t);
	const struct row row = {.id = t->id, .type = def.type, .tags = def.tags, .n_tags = def.n_tags};
	return sight_of_class(w, class, &row, ret);
}

int walk_sight_of_row(struct walk *w, const struct row *full, const struct sight **ret)
{
	const struct policy_twin twin = {.id = full->id,
					 .type = full->type,
					 .tags = (const char *const *)full->tags,
					 .n_tags = full->n_tags};
	uint32_t class;

	*ret = w->everything;
	if (w->own)
		return 0;
	TRY(sights_class_of(w->e->sights, &twin, &class));
	return sight_of_class(w, class, full, ret);
}

/* ---- Where a type has it ----------------------------------------------------------------------------------
 */

static void find_position(const struct type *type, struct type_needs *n)
{
	for (size_t i = 0; i < type->n_kpis && !n->position; i++) {
		const struct property_def *p = &type->def.properties[type->kpis[i]];
		if (p->type == VALUE_POSITION) {
			n->position = p;
			n->position_place = type->kpis[i];
		}
	}
}

static struct type_needs *new_type_needs(const struct walk *w, const struct type *type)
{
	struct type_needs *n = calloc(1, sizeof *n + w->needs.n * sizeof n->place[0]);

	for (size_t i = 0; n && i < w->needs.n; i++) {
		size_t place;
		n->place[i] = type_property(&type->def, w->needs.property[i], &place) ? (int)place : -1;
	}
	if (n)
		find_position(type, n);
	return n;
}

int walk_type_needs(struct walk *w, const struct type *type, const struct type_needs **ret)
{
	const uint32_t *at = pointers_get(&w->types, type);

	if (at) {
		*ret = w->type_needs[*at];
		return 0;
	}
	struct type_needs **list =
		realloc(w->type_needs, (w->n_type_needs + 1) * sizeof(struct type_needs *));
	if (!list)
		return FAIL(-ENOMEM);
	w->type_needs = list;
	struct type_needs *n = new_type_needs(w, type);
	if (!n)
		return FAIL(-ENOMEM);
	list[w->n_type_needs++] = n;
	TRY(pointers_put(&w->types, type, (uint32_t)(w->n_type_needs - 1)));
	*ret = n;
	return 0;
}
