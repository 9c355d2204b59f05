/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/codec.h"
#include "proto/id.h"

_Static_assert((int)HOLON__V1__OP__OP_ORG_DROP == OP_ORG_DROP, "op kinds agree");
_Static_assert((int)HOLON__V1__OP__OP_COMMAND == OP_COMMAND, "op kinds agree");
_Static_assert((int)HOLON__V1__OP__OP_SAMPLES == OP_SAMPLES, "op kinds agree");

static int samples_to_pb(struct arena *a, const struct op_samples *s, PB(SampleBatch) * pb)
{
	pb->twin = text_to_pb(s->twin);
	pb->property = text_to_pb(s->property);
	return LIST_TO_PB(a, sample, s->samples, s->n, sample_to_pb, &pb->samples, &pb->n_samples);
}

static int samples_from_pb(struct arena *a, const PB(SampleBatch) * pb, struct op_samples *ret)
{
	TRY(word_from_pb(pb->twin, id_is_twin, &ret->twin));
	TRY(word_from_pb(pb->property, id_is_name, &ret->property));
	return LIST_FROM_PB(a, pb->samples, pb->n_samples, sample_from_pb, &ret->samples, &ret->n);
}

static int rows_to_pb(struct arena *a, const struct op_rows *r, PB(RowBatch) * pb)
{
	pb->origin = text_to_pb(r->origin);
	pb->cursor = bytes_to_pb(r->cursor);
	pb->afresh = r->afresh;
	pb->repair = r->repair;
	pb->has_floor = r->has_floor;
	pb->floor = r->floor;
	pb->head = bytes_to_pb(r->head);
	return blobs_to_pb(a, r->rows, r->n, &pb->rows, &pb->n_rows);
}

static int rows_from_pb(struct arena *a, const PB(RowBatch) * pb, struct op_rows *ret)
{
	TRY(word_from_pb(pb->origin, word_is_origin, &ret->origin));
	TRY(blobs_from_pb(a, pb->rows, pb->n_rows, FRAME_OWN_MAX, &ret->rows));
	ret->n = pb->n_rows;
	TRY(blob_from_pb(pb->cursor, CURSOR_MAX, &ret->cursor));
	ret->afresh = pb->afresh;
	ret->repair = pb->repair;
	ret->has_floor = pb->has_floor;
	ret->floor = pb->floor;
	return blob_from_pb(pb->head, HEAD_MAX, &ret->head);
}

static int collection_to_pb(struct arena *a, const struct op_collection *c, PB(Collection) * pb)
{
	(void)a;
	pb->origin = text_to_pb(c->origin);
	pb->floor = c->floor;
	return 0;
}

static int collection_from_pb(struct arena *a, const PB(Collection) * pb, struct op_collection *ret)
{
	(void)a;
	ret->floor = pb->floor;
	return word_from_pb(pb->origin, word_is_origin, &ret->origin);
}

static int command_put_to_pb(struct arena *a, const struct op_command *c, PB(CommandPut) * pb)
{
	(void)a;
	pb->id = bytes_to_pb((struct bytes){c->id, sizeof c->id});
	pb->record = bytes_to_pb(c->record);
	return 0;
}

static int command_put_from_pb(struct arena *a, const PB(CommandPut) * pb, struct op_command *ret)
{
	(void)a;
	TRY(malformed_unless(pb->id.len == sizeof ret->id));
	memcpy(ret->id, pb->id.data, sizeof ret->id);
	return blob_from_pb(pb->record, COMMAND_RECORD_MAX, &ret->record);
}

int op_to_pb(struct arena *a, const struct op *op, PB(Op) * pb)
{
	pb->op_case = (PB(Op__OpCase))op->kind;
	switch (op->kind) {
	case OP_TYPE: return ONE_TO_PB(a, type_def, &op->type, type_def_to_pb, &pb->type);
	case OP_TWIN: return ONE_TO_PB(a, twin_def, &op->twin, twin_def_to_pb, &pb->twin);
	case OP_TWIN_DELETE: pb->twin_delete = text_to_pb(op->id); return 0;
	case OP_RELATION: return ONE_TO_PB(a, relation, &op->relation, relation_to_pb, &pb->relation);
	case OP_RELATION_DELETE:
		return ONE_TO_PB(a, relation, &op->relation, relation_to_pb, &pb->relation_delete);
	case OP_MEMBERSHIP:
		return ONE_TO_PB(a, membership, &op->membership, membership_to_pb, &pb->membership);
	case OP_SAMPLES: return ONE_TO_PB(a, sample_batch, &op->samples, samples_to_pb, &pb->samples);
	case OP_ROWS: return ONE_TO_PB(a, row_batch, &op->rows, rows_to_pb, &pb->rows);
	case OP_ORG_DROP: pb->org_drop = text_to_pb(op->id); return 0;
	case OP_COLLECTION:
		return ONE_TO_PB(a, collection, &op->collection, collection_to_pb, &pb->collection);
	case OP_COMMAND: return ONE_TO_PB(a, command_put, &op->command, command_put_to_pb, &pb->command);
	}
	return 0;
}

int op_from_pb(struct arena *a, const PB(Op) * pb, struct op *ret)
{
	ret->kind = (enum op_kind)pb->op_case;
	switch (ret->kind) {
	case OP_TYPE: return type_def_from_pb(a, pb->type, &ret->type);
	case OP_TWIN: return twin_def_from_pb(a, pb->twin, &ret->twin);
	case OP_TWIN_DELETE: return word_from_pb(pb->twin_delete, id_is_twin, &ret->id);
	case OP_RELATION: return relation_from_pb(a, pb->relation, &ret->relation);
	case OP_RELATION_DELETE: return relation_from_pb(a, pb->relation_delete, &ret->relation);
	case OP_MEMBERSHIP: return membership_from_pb(a, pb->membership, &ret->membership);
	case OP_SAMPLES: return samples_from_pb(a, pb->samples, &ret->samples);
	case OP_ROWS: return rows_from_pb(a, pb->rows, &ret->rows);
	case OP_ORG_DROP: return word_from_pb(pb->org_drop, word_is_org, &ret->id);
	case OP_COLLECTION: return collection_from_pb(a, pb->collection, &ret->collection);
	case OP_COMMAND: return command_put_from_pb(a, pb->command, &ret->command);
	}
	return FAIL(ERR_MALFORMED);
}

DEFINE_CODEC(op, Op, op)
