/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/codec.h"
#include "proto/expr.h"
#include "proto/id.h"

_Static_assert((int)HOLON__V1__ROLLUP_FN__ROLLUP_FIRST == N_ROLLUP_FNS - 1, "roll-ups agree");
_Static_assert((int)HOLON__V1__MEMBER_STATE__MEMBER_ABSENT == N_MEMBER_STATES - 1, "member states agree");
_Static_assert((int)HOLON__V1__VIEW_BY__GROUP_PROPERTY == N_VIEW_GROUPS - 1, "groupings agree");

/* ---- the question */

static int words_from_pb(struct arena *a, const pb_data *list, size_t n, word_fn is, const char ***ret)
{
	*ret = arena_take_array(a, n, sizeof **ret);
	if (!*ret)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		TRY(word_from_pb(list[i], is, &(*ret)[i]));
	return 0;
}

static int root_to_pb(struct arena *a, const struct view_root *r, PB(ViewRoot) * pb)
{
	(void)a;
	pb->id = text_to_pb(r->id);
	pb->parent = text_to_pb(r->parent);
	pb->seen = r->seen;
	pb->from_ns = r->from_ns;
	pb->to_ns = r->to_ns;
	return 0;
}

static int root_from_pb(struct arena *a, const PB(ViewRoot) * pb, struct view_root *ret)
{
	(void)a;
	TRY(word_from_pb(pb->id, id_is_twin, &ret->id));
	ret->seen = pb->seen;
	ret->from_ns = pb->from_ns;
	ret->to_ns = pb->to_ns;
	TRY(malformed_unless(ret->from_ns <= ret->to_ns));
	return word_or_none_from_pb(pb->parent, id_is_twin, &ret->parent);
}

static int spec_to_pb(struct arena *a, const struct rollup_spec *s, PB(RollupSpec) * pb)
{
	(void)a;
	pb->fn = (PB(RollupFn))s->fn;
	pb->property = text_to_pb(s->property);
	pb->quantile = s->quantile;
	return 0;
}

static int spec_from_pb(struct arena *a, const PB(RollupSpec) * pb, struct rollup_spec *ret)
{
	(void)a;
	TRY(ENUM_FROM_PB(pb->fn, N_ROLLUP_FNS, &ret->fn));
	TRY(word_or_none_from_pb(pb->property, id_is_name, &ret->property));
	ret->quantile = pb->quantile;
	return malformed_unless(ret->quantile >= 0 && ret->quantile <= 1 && rollup_spec_is_valid(ret));
}

int view_question_to_pb(struct arena *a, const struct view_question *q, PB(ViewQuestion) * pb)
{
	TRY(LIST_TO_PB(a, view_root, q->roots, q->n_roots, root_to_pb, &pb->roots, &pb->n_roots));
	TRY(LIST_TO_PB(a, rollup_spec, q->rollups, q->n_rollups, spec_to_pb, &pb->rollups, &pb->n_rollups));
	pb->hierarchy = text_to_pb(q->hierarchy);
	pb->depth = q->depth;
	if (q->has_as_of) {
		pb->as_of_case = HOLON__V1__VIEW_QUESTION__AS_OF_AS_OF_NS;
		pb->as_of_ns = q->as_of_ns;
	}
	pb->unconfirmed = q->unconfirmed;
	pb->offline = q->offline;
	pb->fresh_ns = q->fresh_ns;
	pb->deadline_ns = q->deadline_ns;
	pb->where = text_to_pb(q->where);
	pb->by = (PB(ViewBy))q->by;
	pb->by_property = text_to_pb(q->by_property);
	pb->from_ns = q->from_ns;
	pb->to_ns = q->to_ns;
	pb->step_ns = q->step_ns;
	pb->members_max = q->members_max;
	pb->after = text_to_pb(q->after);
	pb->limit = q->limit;
	return texts_to_pb(a, q->show, q->n_show, &pb->show, &pb->n_show);
}

/* A series is of times that can be counted, and not as of one. */
static int times_from_pb(const PB(ViewQuestion) * pb, struct view_question *ret)
{
	ret->from_ns = pb->from_ns;
	ret->to_ns = pb->to_ns;
	ret->step_ns = pb->step_ns;
	if (ret->step_ns == 0)
		return malformed_unless(ret->from_ns == 0 && ret->to_ns == 0);
	return malformed_unless(!ret->has_as_of && view_times(ret) > 0);
}

static int selection_from_pb(struct arena *a, const PB(ViewQuestion) * pb, struct view_question *ret)
{
	TRY(text_from_pb(pb->where, EXPR_TEXT_MAX, &ret->where));
	TRY(ENUM_FROM_PB(pb->by, N_VIEW_GROUPS, &ret->by));
	TRY(word_or_none_from_pb(pb->by_property, id_is_name, &ret->by_property));
	TRY(malformed_unless((ret->by == GROUP_PROPERTY) == (*ret->by_property != '\0')));
	TRY(malformed_unless(pb->n_show <= SHOW_MAX));
	ret->n_show = pb->n_show;
	TRY(words_from_pb(a, pb->show, pb->n_show, id_is_name, &ret->show));
	TRY(word_or_none_from_pb(pb->after, id_is_twin, &ret->after));
	ret->members_max = pb->members_max;
	ret->limit = pb->limit;
	return times_from_pb(pb, ret);
}

int view_question_from_pb(struct arena *a, const PB(ViewQuestion) * pb, struct view_question *ret)
{
	TRY(malformed_unless(pb->n_roots <= ROOTS_FRAME_MAX && pb->n_rollups <= ROLLUPS_MAX));
	TRY(LIST_FROM_PB(a, pb->roots, pb->n_roots, root_from_pb, &ret->roots, &ret->n_roots));
	TRY(LIST_FROM_PB(a, pb->rollups, pb->n_rollups, spec_from_pb, &ret->rollups, &ret->n_rollups));
	TRY(word_or_none_from_pb(pb->hierarchy, id_is_name, &ret->hierarchy));
	TRY(malformed_unless(pb->n_roots == 0 || *ret->hierarchy != '\0')); /* without roots: a find */
	ret->depth = pb->depth;
	ret->has_as_of = pb->as_of_case == HOLON__V1__VIEW_QUESTION__AS_OF_AS_OF_NS;
	ret->as_of_ns = ret->has_as_of ? pb->as_of_ns : 0;
	ret->unconfirmed = pb->unconfirmed;
	ret->offline = pb->offline;
	ret->fresh_ns = pb->fresh_ns;
	ret->deadline_ns = pb->deadline_ns;
	TRY(malformed_unless(ret->fresh_ns >= 0 && ret->deadline_ns >= 0));
	return selection_from_pb(a, pb, ret);
}

/* ---- roll-up states */

enum { SUM, CARRY, MIN, MAX, N_NUMBERS };

static int sketch_to_pb(struct arena *a, const struct sketch *s, PB(RollupState) * pb)
{
	pb->keys = arena_take_array(a, s->n_buckets, sizeof *pb->keys);
	pb->counts = arena_take_array(a, s->n_buckets, sizeof *pb->counts);
	if (!pb->keys || !pb->counts)
		return FAIL(-ENOMEM);
	pb->n_keys = pb->n_counts = s->n_buckets;
	for (size_t i = 0; i < s->n_buckets; i++) {
		pb->keys[i] = s->buckets[i].key - (i > 0 ? s->buckets[i - 1].key : 0);
		pb->counts[i] = s->buckets[i].n;
	}
	return 0;
}

static int state_to_pb(struct arena *a, const struct rollup_state *s, PB(RollupState) * pb)
{
	pb->numbers = arena_take_array(a, N_NUMBERS, sizeof *pb->numbers);
	if (!pb->numbers)
		return FAIL(-ENOMEM);
	pb->n_numbers = N_NUMBERS;
	if (s->n == 0)
		return 0;
	pb->n = s->n;
	pb->numbers[SUM] = s->sum;
	pb->numbers[CARRY] = s->carry;
	pb->numbers[MIN] = s->min;
	pb->numbers[MAX] = s->max;
	pb->unit = text_to_pb(s->unit);
	pb->unit_twin = text_to_pb(s->unit_twin);
	pb->m2 = s->m2;
	pb->variance = s->variance;
	pb->n_sigma = s->n_sigma;
	pb->min_sigma = s->min_sigma;
	pb->max_sigma = s->max_sigma;
	pb->n_uncertain = s->n_uncertain;
	pb->t_ns = s->t_ns;
	return sketch_to_pb(a, &s->sketch, pb);
}

static int sketch_from_pb(struct arena *a, const PB(RollupState) * pb, struct sketch *ret)
{
	int64_t key = 0;

	TRY(malformed_unless(pb->n_keys == pb->n_counts && pb->n_keys <= SKETCH_BUCKETS_MAX));
	ret->buckets = arena_take_array(a, pb->n_keys, sizeof *ret->buckets);
	if (!ret->buckets)
		return FAIL(-ENOMEM);
	ret->n_buckets = ret->room = pb->n_keys;
	for (size_t i = 0; i < pb->n_keys; i++) {
		key += pb->keys[i];
		TRY(malformed_unless(key >= INT32_MIN && key <= INT32_MAX));
		ret->buckets[i] = (struct sketch_bucket){(int32_t)key, pb->counts[i]};
	}
	return malformed_unless(sketch_is_valid(ret->buckets, ret->n_buckets));
}

static bool is_sigma(double x)
{
	return isfinite(x) && (x >= 0 || x == -1);
}

static int state_from_pb(struct arena *a, const PB(RollupState) * pb, struct rollup_state *ret)
{
	const double *x = pb->numbers;

	TRY(malformed_unless(pb->n_numbers == N_NUMBERS));
	if (pb->n == 0)
		return 0;
	/* Only a sum can have left the range of double. */
	TRY(malformed_unless(!isnan(x[SUM]) && isfinite(x[CARRY]) && isfinite(x[MIN]) && isfinite(x[MAX]) &&
			     x[MIN] <= x[MAX]));
	TRY(malformed_unless(!isnan(pb->m2) && pb->m2 >= 0 && !isnan(pb->variance) && pb->variance >= 0 &&
			     is_sigma(pb->min_sigma) && is_sigma(pb->max_sigma) && pb->n_sigma <= pb->n &&
			     pb->n_uncertain <= pb->n));
	*ret = (struct rollup_state){
		.n = pb->n,
		.sum = x[SUM],
		.carry = x[CARRY],
		.min = x[MIN],
		.max = x[MAX],
		.m2 = pb->m2,
		.variance = pb->variance,
		.n_sigma = pb->n_sigma,
		.min_sigma = pb->min_sigma,
		.max_sigma = pb->max_sigma,
		.n_uncertain = pb->n_uncertain,
		.t_ns = pb->t_ns,
	};
	TRY(sketch_from_pb(a, pb, &ret->sketch));
	TRY(text_from_pb(pb->unit, UNIT_MAX, &ret->unit));
	return word_or_none_from_pb(pb->unit_twin, id_is_twin, &ret->unit_twin);
}

static int states_to_pb(struct arena *a, const struct rollup_state *states, size_t n, PB(RollupState) * **ret,
			size_t *ret_n)
{
	return LIST_TO_PB(a, rollup_state, states, n, state_to_pb, ret, ret_n);
}

/* As many states as the question has; a list left out is empty states. */
static int states_from_pb(struct arena *a, PB(RollupState) *const *list, size_t n_list, size_t n,
			  struct rollup_state **ret)
{
	TRY(malformed_unless(n_list == 0 || n_list == n));
	*ret = arena_take_array(a, n, sizeof **ret);
	if (!*ret)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n_list; i++)
		TRY(state_from_pb(a, list[i], &(*ret)[i]));
	return 0;
}

/* ---- the answer */

static int member_to_pb(struct arena *a, const struct view_member *m, size_t n_rollups, PB(ViewMember) * pb)
{
	pb->id = text_to_pb(m->id);
	pb->parent = text_to_pb(m->parent);
	pb->state = (PB(MemberState))m->state;
	pb->kind = (PB(Kind))m->kind;
	pb->type = text_to_pb(m->type);
	pb->name = text_to_pb(m->name);
	pb->life = (PB(LifeCycle))m->life;
	pb->health = (PB(Health))m->health;
	TRY(LIST_TO_PB(a, kpi, m->values, m->n_values, kpi_to_pb, &pb->values, &pb->n_values));
	return states_to_pb(a, m->rollups, m->rollups ? n_rollups : 0, &pb->rollups, &pb->n_rollups);
}

static int member_from_pb(struct arena *a, const PB(ViewMember) * pb, size_t n_rollups,
			  struct view_member *ret)
{
	TRY(word_from_pb(pb->id, id_is_twin, &ret->id));
	TRY(word_or_none_from_pb(pb->parent, id_is_twin, &ret->parent));
	TRY(ENUM_FROM_PB(pb->state, N_MEMBER_STATES, &ret->state));
	TRY(ENUM_FROM_PB(pb->kind, N_KINDS, &ret->kind));
	TRY(word_or_none_from_pb(pb->type, id_is_name, &ret->type));
	TRY(text_from_pb(pb->name, NAME_MAX_BYTES, &ret->name));
	TRY(ENUM_FROM_PB(pb->life, N_LIFE_CYCLES, &ret->life));
	TRY(ENUM_FROM_PB(pb->health, N_HEALTHS, &ret->health));
	TRY(malformed_unless(pb->n_values <= SHOW_MAX));
	TRY(LIST_FROM_PB(a, pb->values, pb->n_values, kpi_from_pb, &ret->values, &ret->n_values));
	return states_from_pb(a, pb->rollups, pb->n_rollups, n_rollups, &ret->rollups);
}

static int members_to_pb(struct arena *a, const struct view_part *p, PB(ViewPart) * pb)
{
	TRY(pb_list(a, &PB_DESCRIPTOR(view_member), p->n_members, &pb->members, &pb->n_members));
	for (size_t i = 0; i < p->n_members; i++)
		TRY(member_to_pb(a, &p->members[i], p->n_rollups, pb->members[i]));
	return 0;
}

static int members_from_pb(struct arena *a, const PB(ViewPart) * pb, struct view_part *ret)
{
	ret->members = arena_take_array(a, pb->n_members, sizeof *ret->members);
	if (!ret->members)
		return FAIL(-ENOMEM);
	ret->n_members = pb->n_members;
	for (size_t i = 0; i < pb->n_members; i++)
		TRY(member_from_pb(a, pb->members[i], ret->n_rollups, &ret->members[i]));
	return 0;
}

static int edge_to_pb(struct arena *a, const struct view_edge *e, PB(ViewEdge) * pb)
{
	(void)a;
	pb->anchor = text_to_pb(e->anchor);
	pb->parent = text_to_pb(e->parent);
	pb->child = text_to_pb(e->child);
	pb->seen = e->seen;
	pb->from_ns = e->from_ns;
	pb->to_ns = e->to_ns;
	return 0;
}

static int edge_from_pb(struct arena *a, const PB(ViewEdge) * pb, struct view_edge *ret)
{
	(void)a;
	TRY(word_or_none_from_pb(pb->anchor, id_is_twin, &ret->anchor));
	TRY(word_or_none_from_pb(pb->parent, id_is_twin, &ret->parent));
	ret->seen = pb->seen;
	ret->from_ns = pb->from_ns;
	ret->to_ns = pb->to_ns;
	TRY(malformed_unless(ret->from_ns <= ret->to_ns));
	return word_from_pb(pb->child, id_is_twin, &ret->child);
}

static int cells_to_pb(struct arena *a, const struct view_part *p, PB(ViewPart) * pb)
{
	TRY(pb_list(a, &PB_DESCRIPTOR(view_cell), p->n_cells, &pb->cells, &pb->n_cells));
	for (size_t i = 0; i < p->n_cells; i++) {
		const struct view_cell *c = &p->cells[i];
		PB(ViewCell) *to = pb->cells[i];
		to->group = text_to_pb(c->group);
		to->t_ns = c->t_ns;
		to->members = c->members;
		TRY(states_to_pb(a, c->rollups, c->rollups ? p->n_rollups : 0, &to->rollups, &to->n_rollups));
	}
	return 0;
}

static bool cell_is_behind(const struct view_cell *c, const struct view_cell *before)
{
	return c->t_ns > before->t_ns || (c->t_ns == before->t_ns && strcmp(c->group, before->group) > 0);
}

static int cells_from_pb(struct arena *a, const PB(ViewPart) * pb, struct view_part *ret)
{
	TRY(malformed_unless(pb->n_cells <= VIEW_CELLS_MAX));
	ret->cells = arena_take_array(a, pb->n_cells, sizeof *ret->cells);
	if (!ret->cells)
		return FAIL(-ENOMEM);
	ret->n_cells = pb->n_cells;
	for (size_t i = 0; i < pb->n_cells; i++) {
		const PB(ViewCell) *from = pb->cells[i];
		struct view_cell *c = &ret->cells[i];
		TRY(text_from_pb(from->group, TEXT_VALUE_MAX, &c->group));
		c->t_ns = from->t_ns;
		c->members = from->members;
		TRY(states_from_pb(a, from->rollups, from->n_rollups, ret->n_rollups, &c->rollups));
		TRY(malformed_unless(i == 0 || cell_is_behind(c, c - 1)));
	}
	return 0;
}

static int source_to_pb(struct arena *a, const struct view_source *s, PB(ViewSource) * pb)
{
	(void)a;
	pb->org = text_to_pb(s->org);
	pb->node = text_to_pb(s->node);
	pb->revision = s->revision;
	pb->age_ns = s->age_ns;
	pb->epoch = s->epoch;
	pb->state = (PB(MemberState))s->state;
	return 0;
}

static int source_from_pb(struct arena *a, const PB(ViewSource) * pb, struct view_source *ret)
{
	(void)a;
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	TRY(word_or_none_from_pb(pb->node, word_is_node, &ret->node));
	TRY(malformed_unless(pb->age_ns >= 0));
	ret->revision = pb->revision;
	ret->age_ns = pb->age_ns;
	ret->epoch = pb->epoch;
	return ENUM_FROM_PB(pb->state, N_MEMBER_STATES, &ret->state);
}

static int counts_to_pb(struct arena *a, const struct view_counts *c, PB(ViewCounts) * pb)
{
	(void)a;
	pb->members = c->members;
	pb->live = c->live;
	pb->cached = c->cached;
	pb->withheld = c->withheld;
	pb->unreachable = c->unreachable;
	pb->unconfirmed = c->unconfirmed;
	pb->coarse = c->coarse;
	pb->expired = c->expired;
	pb->filtered = c->filtered;
	return 0;
}

static struct view_counts counts_from_pb(const PB(ViewCounts) * pb)
{
	return (struct view_counts){
		.members = pb->members,
		.live = pb->live,
		.cached = pb->cached,
		.withheld = pb->withheld,
		.unreachable = pb->unreachable,
		.unconfirmed = pb->unconfirmed,
		.coarse = pb->coarse,
		.expired = pb->expired,
		.filtered = pb->filtered,
	};
}

int view_part_to_pb(struct arena *a, const struct view_part *p, PB(ViewPart) * pb)
{
	pb->n_rollups_of_question = (uint32_t)p->n_rollups;
	TRY(members_to_pb(a, p, pb));
	TRY(LIST_TO_PB(a, view_edge, p->edges, p->n_edges, edge_to_pb, &pb->edges, &pb->n_edges));
	TRY(LIST_TO_PB(a, view_source, p->sources, p->n_sources, source_to_pb, &pb->sources, &pb->n_sources));
	TRY(ONE_TO_PB(a, view_counts, &p->counts, counts_to_pb, &pb->counts));
	TRY(states_to_pb(a, p->rollups, p->rollups ? p->n_rollups : 0, &pb->totals, &pb->n_totals));
	TRY(cells_to_pb(a, p, pb));
	TRY(texts_to_pb(a, p->gone, p->n_gone, &pb->gone, &pb->n_gone));
	pb->cut = p->cut;
	return texts_to_pb(a, p->problems, p->n_problems, &pb->problems, &pb->n_problems);
}

int view_part_from_pb(struct arena *a, const PB(ViewPart) * pb, struct view_part *ret)
{
	TRY(malformed_unless(pb->n_rollups_of_question <= ROLLUPS_MAX));
	ret->n_rollups = pb->n_rollups_of_question;
	TRY(members_from_pb(a, pb, ret));
	TRY(LIST_FROM_PB(a, pb->edges, pb->n_edges, edge_from_pb, &ret->edges, &ret->n_edges));
	TRY(LIST_FROM_PB(a, pb->sources, pb->n_sources, source_from_pb, &ret->sources, &ret->n_sources));
	if (pb->counts)
		ret->counts = counts_from_pb(pb->counts);
	if (pb->n_totals > 0)
		TRY(states_from_pb(a, pb->totals, pb->n_totals, ret->n_rollups, &ret->rollups));
	TRY(cells_from_pb(a, pb, ret));
	ret->cut = pb->cut;
	ret->n_gone = pb->n_gone;
	TRY(words_from_pb(a, pb->gone, pb->n_gone, id_is_twin, &ret->gone));
	ret->n_problems = pb->n_problems;
	return sentences_from_pb(a, pb->problems, pb->n_problems, SENTENCE_MAX, &ret->problems);
}
