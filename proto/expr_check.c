/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/expr_private.h"
#include "proto/unit.h"

struct check {
	const struct property_def *(*define)(void *ctx, const char *name);
	void *ctx;
	struct err_note *note;
};

/* What a part is, as far as definitions tell. */
struct form {
	enum node_type type;
	const char *unit; /* NULL: not known */
	const char *name; /* for the note */
};

static int form_of(const struct check *c, const struct expr_node *n, struct form *ret);

static int wrong_types(const struct check *c, const struct expr_node *n, const struct form *a,
		       const struct form *b)
{
	return FAIL_SAY(c->note, ERR_REFUSED, "column %u: %.80s is %s and %.80s is %s", (unsigned)n->column,
			a->name, node_type_text(a->type), b->name, node_type_text(b->type));
}

static int wrong_units(const struct check *c, const struct expr_node *n, const struct form *a,
		       const struct form *b)
{
	return FAIL_SAY(c->note, ERR_UNIT, "column %u: %.80s is measured in '%.20s' and %.80s in '%.20s'",
			(unsigned)n->column, a->name, a->unit, b->name, b->unit);
}

static struct form of_property(const struct check *c, const struct expr_node *n)
{
	const struct property_def *d = c->define(c->ctx, n->text);
	struct form f = {.type = TYPE_ANY, .name = n->text};

	switch (d ? d->type : VALUE_NONE) {
	case VALUE_BOOL: f.type = TYPE_TRUTH; break;
	case VALUE_INT64:
	case VALUE_DOUBLE:
		f.type = TYPE_NUMBER;
		f.unit = d->unit;
		break;
	case VALUE_TEXT:
	case VALUE_ENUM: f.type = TYPE_TEXT; break;
	case VALUE_NONE:
	case VALUE_POSITION: break;
	}
	return f;
}

static int check_pair(const struct check *c, const struct expr_node *n, struct form *ret)
{
	double scale, offset;
	struct form a, b;

	TRY(form_of(c, n->left, &a));
	TRY(form_of(c, n->right, &b));
	*ret = (struct form){.type = n->type, .unit = a.unit, .name = "the result"};
	if (n->kind == NODE_MULTIPLY || n->kind == NODE_DIVIDE)
		ret->unit = NULL;
	const bool tags = a.type == TYPE_TAGS || b.type == TYPE_TAGS;
	const bool known = a.type != TYPE_ANY && b.type != TYPE_ANY;
	if (known && !tags && a.type != b.type)
		return wrong_types(c, n, &a, &b);
	const bool aligned = node_is_comparison(n->kind) || n->kind == NODE_ADD || n->kind == NODE_SUBTRACT;
	if (known && aligned && a.type == TYPE_NUMBER && a.unit && b.unit &&
	    unit_convert(b.unit, a.unit, &scale, &offset, NULL) < 0)
		return wrong_units(c, n, &a, &b);
	return 0;
}

static int form_of(const struct check *c, const struct expr_node *n, struct form *ret)
{
	*ret = (struct form){.type = n->type, .name = n->text ? n->text : "the other"};
	switch (n->kind) {
	case NODE_PROPERTY: *ret = of_property(c, n); return 0;
	case NODE_NUMBER: ret->unit = n->unit; return 0;
	case NODE_AGE: ret->unit = "s"; return 0;
	case NODE_DISTANCE: ret->unit = "m"; return 0;
	case NODE_NOT:
	case NODE_NEGATE: {
		struct form of;
		TRY(form_of(c, n->left, &of));
		ret->unit = of.unit;
		if (of.type != n->type && of.type != TYPE_ANY)
			return wrong_types(c, n, ret, &of);
		return 0;
	}
	case NODE_AND:
	case NODE_OR:
	case NODE_EQUAL:
	case NODE_UNEQUAL:
	case NODE_LESS:
	case NODE_LESS_EQUAL:
	case NODE_MORE:
	case NODE_MORE_EQUAL:
	case NODE_LIKE:
	case NODE_ADD:
	case NODE_SUBTRACT:
	case NODE_MULTIPLY:
	case NODE_DIVIDE: return check_pair(c, n, ret);
	case NODE_TRUTH:
	case NODE_TEXT:
	case NODE_ATTRIBUTE:
	case NODE_KNOWN: return 0;
	}
	return 0;
}

int expr_check(const struct expr *e, const struct property_def *(*define)(void *ctx, const char *name),
	       void *ctx, struct err_note *note)
{
	const struct check c = {define, ctx, note};
	struct form f;

	return form_of(&c, e->root, &f);
}
