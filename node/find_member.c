/* SPDX-License-Identifier: Apache-2.0 */
#include "node/find_private.h"
#include "node/summary.h"
#include "proto/words.h"

static int copy_value(struct arena *a, const struct kpi *v, struct kpi *ret)
{
	*ret = *v;
	ret->property = arena_copy(a, v->property);
	ret->unit = arena_copy(a, text_or_empty(v->unit));
	ret->sample.source = NULL;
	if (!ret->property || !ret->unit)
		return FAIL(-ENOMEM);
	return value_copy(a, &v->sample.value, &ret->sample.value);
}

int find_copy_member(struct arena *a, const struct view_member *m, struct view_member *ret)
{
	*ret = *m;
	ret->id = arena_copy(a, m->id);
	ret->type = arena_copy(a, m->type);
	ret->name = arena_copy(a, m->name);
	ret->values = arena_take_array(a, m->n_values, sizeof *ret->values);
	ret->parent = "";
	ret->rollups = NULL;
	if (!ret->id || !ret->type || !ret->name || !ret->values)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < m->n_values; i++)
		TRY(copy_value(a, &m->values[i], &ret->values[i]));
	return 0;
}

/* One value as they may have it, if they may. */
static int push_value(struct find *f, const struct row *full, const struct kpi *v, bool kpi,
		      struct view_member *m)
{
	const struct egress *e = &f->e->egress;
	const enum policy_form form = egress_value(e, &f->to, full, v->property, kpi);

	if (form == FORM_NOTHING || v->sample.value.type == VALUE_NONE)
		return 0;
	struct kpi *place = arena_push(f->scratch, &m->values, &m->n_values, sizeof *place);
	if (!place)
		return FAIL(-ENOMEM);
	*place = *v;
	return form == FORM_TOKEN && !f->to.relayed ? egress_redact(e, &f->to, f->scratch, place) : 0;
}

/* The row as they may have it is the face of the member. */
static int make_member(struct find *f, const struct row *full, enum member_state state,
		       struct view_member *ret)
{
	const struct egress *e = &f->e->egress;
	struct row face = *full, row;

	face.n_kpis = face.n_parents = face.n_alarms = 0; /* not of a member */
	TRY(egress_row(e, &f->to, &face, egress_mask(e, &f->to, &face), f->scratch, &row));
	*ret = (struct view_member){.id = row.id,
				    .parent = "",
				    .state = state,
				    .kind = row.kind,
				    .type = text_or_empty(row.type),
				    .name = text_or_empty(row.name),
				    .life = row.life,
				    .health = row.health};
	return 0;
}

static int own_values(struct find *f, const struct twin *t, const struct row *full, struct view_member *m)
{
	for (size_t i = 0; t->type && i < f->q.n_show; i++) {
		size_t place;
		const struct property_def *p = type_property(&t->type->def, f->q.show[i], &place);
		if (!p)
			continue;
		const struct kpi v = {
			.property = p->name, .unit = p->unit, .sample = store_value(f->e->store, t, place)};
		TRY(push_value(f, full, &v, p->kpi, m));
	}
	return 0;
}

int find_own_member(struct find *f, const char *id, struct view_member *ret)
{
	const struct twin *t = store_twin(f->e->store, id);
	struct view_member m;
	struct match match;
	struct row full;

	if (!t)
		return STORE_ABSENT;
	TRY(matcher_twin(&f->matcher, t, &match));
	if (!match.selected)
		return STORE_ABSENT;
	arena_reset(f->scratch);
	TRY(summary_row(f->e->store, t, f->scratch, &full));
	TRY(make_member(f, &full, MEMBER_LIVE, &m));
	TRY(own_values(f, t, &full, &m));
	return find_copy_member(f->arena, &m, ret);
}

int find_row_member(struct find *f, const char *id, struct view_member *ret)
{
	const struct remote_row *remote = store_row(f->e->store, id);
	struct view_member m;
	struct match match;
	struct row full;

	if (!remote)
		return STORE_ABSENT;
	arena_reset(f->scratch);
	TRY(row_decode(f->scratch, remote->encoded, &full));
	TRY(matcher_row(&f->matcher, &full, &match));
	if (!match.selected)
		return STORE_ABSENT;
	TRY(make_member(f, &full, MEMBER_CACHED, &m));
	for (size_t i = 0; i < f->q.n_show; i++) {
		const struct kpi *v = row_kpi(&full, f->q.show[i]);
		if (v)
			TRY(push_value(f, &full, v, true, &m));
	}
	return find_copy_member(f->arena, &m, ret);
}

/* The owner has decided; the border decides again before anything leaves, and puts the tokens in. */
int find_pass_member(struct find *f, const struct view_member *m, struct view_member *ret)
{
	const struct egress *e = &f->e->egress;
	struct view_member shown = *m;
	struct row full;

	arena_reset(f->scratch);
	if (egress_full_row(e, m->id, f->scratch, &full) < 0)
		return STORE_ABSENT;
	full.n_parents = full.n_alarms = 0; /* not of a member */
	const uint64_t mask = egress_mask(e, &f->to, &full);
	if (mask == 0)
		return STORE_ABSENT;
	shown.type = text_or_empty(full.type);
	if (!(mask & ROW_MASK_SUMMARY)) {
		shown.name = "";
		shown.life = LIFE_DESIGN;
		shown.health = HEALTH_UNKNOWN;
	}
	shown.values = NULL;
	shown.n_values = 0;
	for (size_t i = 0; i < m->n_values; i++)
		TRY(push_value(f, &full, &m->values[i], row_kpi(&full, m->values[i].property), &shown));
	return find_copy_member(f->arena, &shown, ret);
}
