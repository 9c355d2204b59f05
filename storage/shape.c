/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/shape.h"

#include "storage/store_private.h"

struct store_shape store_shape(const struct store *s)
{
	return s->shape;
}

struct twin_form store_form(const struct twin *t)
{
	const struct own_twin *w = own_twin(t);

	return (struct twin_form){w->number, w->form};
}

const char *store_relation_type(const struct store *s, const char *type)
{
	return intern_find(&s->table.words, type);
}

void shape_count(struct store_shape *shape, enum op_kind kind)
{
	switch (kind) {
	case OP_SAMPLES: break;
	case OP_TYPE:
	case OP_TWIN:
	case OP_TWIN_DELETE:
	case OP_RELATION:
	case OP_RELATION_DELETE:
	case OP_MEMBERSHIP: shape->twins++; break;
	case OP_ROWS:
	case OP_ORG_DROP: shape->rows++; break;
	case OP_COLLECTION:
		shape->twins++;
		shape->rows++;
		break;
	}
}
