/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/shape.h"

#include <string.h>

#include "storage/column.h"
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

/* ---- Quick looks ------------------------------------------------------------------------------------------
 */

bool store_number(const struct store *s, const struct twin *t, size_t property, struct store_number *ret)
{
	const struct values *v = &s->table.values;
	const uint32_t series = twin_series(own_twin(t), property), i = series % VALUES_BLOCK;
	const struct values_block *b = v->blocks[series / VALUES_BLOCK];
	const struct value value = value_of_bits(t->type->def.properties[property].type, b->bits[i]);

	if (!values_is_measured(v, series) || !value_number(&value, &ret->number))
		return false;
	const uint32_t more = b->more ? b->more[i] : 0;
	ret->sigma = more / 4 > 0 ? bits_double(v->notes.items[more / 4].sigma) : (double)NAN;
	ret->t_ns = b->t_ns[i];
	ret->quality = (enum quality)(more % 4);
	return true;
}

static bool is_long_text(const struct values_block *b, uint32_t i)
{
	const char *text = b->texts[i / 64] >> i % 64 & 1 ? (const char *)(uintptr_t)b->bits[i] : "";

	return strlen(text) > KPI_TEXT_MAX;
}

bool store_worst_quality(const struct store *s, const struct twin *t, enum quality *ret)
{
	const struct values *v = &s->table.values;
	bool measured = false;

	*ret = QUALITY_GOOD;
	for (size_t k = 0; t->type && k < t->type->n_kpis; k++) {
		const uint32_t series = twin_series(own_twin(t), t->type->kpis[k]), i = series % VALUES_BLOCK;
		const struct values_block *b = v->blocks[series / VALUES_BLOCK];
		if (!values_is_measured(v, series) || is_long_text(b, i))
			continue;
		const enum quality q = b->more ? (enum quality)(b->more[i] % 4) : QUALITY_GOOD;
		*ret = q > *ret ? q : *ret;
		measured = true;
	}
	return measured;
}

void shape_count(struct store_shape *shape, enum op_kind kind)
{
	switch (kind) {
	case OP_SAMPLES:
	case OP_COMMAND: break;
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
