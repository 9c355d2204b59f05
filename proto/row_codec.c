/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/codec.h"
#include "proto/id.h"
#include "proto/row_wire.h"

static int parent_to_pb(struct arena *a, const struct row_parent *p, PB(RowParent) * pb)
{
	(void)a;
	pb->hierarchy = text_to_pb(p->hierarchy);
	pb->parent = text_to_pb(p->parent);
	pb->state = (PB(Confirmation))p->state;
	return 0;
}

static int parent_from_pb(struct arena *a, const PB(RowParent) * pb, struct row_parent *ret)
{
	(void)a;
	TRY(word_from_pb(pb->hierarchy, id_is_name, &ret->hierarchy));
	TRY(word_from_pb(pb->parent, id_is_twin, &ret->parent));
	return ENUM_FROM_PB(pb->state, N_CONFIRMATIONS, &ret->state);
}

int row_to_pb(struct arena *a, const struct row *r, PB(Row) * pb)
{
	pb->id = text_to_pb(r->id);
	pb->lineage = r->version.lineage;
	pb->stamp_ns = r->version.stamp_ns;
	pb->seq = r->seq;
	pb->deleted = r->deleted;
	if (r->deleted)
		return 0;
	pb->mask = r->mask;
	pb->kind = (PB(Kind))r->kind;
	pb->type = text_to_pb(r->type);
	pb->name = text_to_pb(r->name);
	pb->life = (PB(LifeCycle))r->life;
	pb->health = (PB(Health))r->health;
	TRY(LIST_TO_PB(a, kpi, r->kpis, r->n_kpis, kpi_to_pb, &pb->kpis, &pb->n_kpis));
	TRY(LIST_TO_PB(a, row_parent, r->parents, r->n_parents, parent_to_pb, &pb->parents, &pb->n_parents));
	return texts_to_pb(a, r->tags, r->n_tags, &pb->tags, &pb->n_tags);
}

static int tags_from_pb(struct arena *a, const PB(Row) * pb, struct row *ret)
{
	TRY(malformed_unless(pb->n_tags <= TAGS_MAX));
	ret->tags = arena_take_array(a, pb->n_tags, sizeof *ret->tags);
	if (!ret->tags)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < pb->n_tags; i++)
		TRY(word_from_pb(pb->tags[i], word_is_tag, &ret->tags[i]));
	ret->n_tags = pb->n_tags;
	return 0;
}

/* A property, or a parent in one hierarchy, stands in a row once. */
static int no_twice(const struct row *r)
{
	for (size_t i = 0; i < r->n_kpis; i++)
		TRY(malformed_unless(row_kpi(r, r->kpis[i].property) == &r->kpis[i]));
	for (size_t i = 0; i < r->n_parents; i++)
		for (size_t k = 0; k < i; k++)
			TRY(malformed_unless(strcmp(r->parents[i].parent, r->parents[k].parent) != 0 ||
					     strcmp(r->parents[i].hierarchy, r->parents[k].hierarchy) != 0));
	return 0;
}

static int face_from_pb(struct arena *a, const PB(Row) * pb, struct row *ret)
{
	ret->mask = pb->mask;
	TRY(ENUM_FROM_PB(pb->kind, N_KINDS, &ret->kind));
	TRY(word_or_none_from_pb(pb->type, id_is_name, &ret->type));
	TRY(text_from_pb(pb->name, NAME_MAX_BYTES, &ret->name));
	TRY(ENUM_FROM_PB(pb->life, N_LIFE_CYCLES, &ret->life));
	TRY(ENUM_FROM_PB(pb->health, N_HEALTHS, &ret->health));
	TRY(malformed_unless(pb->n_kpis <= KPIS_MAX && pb->n_parents <= PARENTS_MAX));
	TRY(LIST_FROM_PB(a, pb->kpis, pb->n_kpis, kpi_from_pb, &ret->kpis, &ret->n_kpis));
	TRY(LIST_FROM_PB(a, pb->parents, pb->n_parents, parent_from_pb, &ret->parents, &ret->n_parents));
	TRY(tags_from_pb(a, pb, ret));
	return no_twice(ret);
}

int row_from_pb(struct arena *a, const PB(Row) * pb, struct row *ret)
{
	TRY(word_from_pb(pb->id, id_is_twin, &ret->id));
	TRY(malformed_unless(pb->lineage < LINEAGE_MAX));
	ret->version = (struct row_version){pb->lineage, pb->stamp_ns};
	ret->seq = pb->seq;
	ret->deleted = pb->deleted;
	ret->type = ret->name = "";
	return ret->deleted ? 0 : face_from_pb(a, pb, ret);
}

DEFINE_ENCODER(row, Row, row)

int row_decode(struct arena *a, struct bytes in, struct row *ret)
{
	struct row_space space;
	PB(Row) *pb = &space.row;
	struct row row = {0};
	const int r = row_unpack(a, in, &space);

	TRY(r);
	if (r == ROW_ODD)
		TRY(pb_unpack(a, &PB_DESCRIPTOR(row), in, &pb));
	TRY(row_from_pb(a, pb, &row));
	*ret = row;
	return 0;
}
