/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "proto/clock.h"
#include "proto/expr_private.h"
#include "proto/id.h"
#include "proto/unit.h"
#include "proto/words.h"

#define EARTH_RADIUS_M 6371008.8
#define DEGREE (3.14159265358979323846 / 180)

const char *node_type_text(enum node_type type)
{
	static const char *const words[] = {
		[TYPE_ANY] = "a property",  [TYPE_TRUTH] = "a truth",
		[TYPE_NUMBER] = "a number", [TYPE_TEXT] = "a text",
		[TYPE_TAGS] = "tags",       [TYPE_KIND] = "a kind",
		[TYPE_HEALTH] = "a health", [TYPE_LIFE] = "a life-cycle state",
	};

	return word_at(words, N_WORDS(words), type);
}

/* A value on its way up the tree. */
struct operand {
	enum { OF_NOTHING, OF_TRUTH, OF_NUMBER, OF_TEXT, OF_TAGS } type;
	enum truth truth;
	double number;
	struct bytes text; /* of a text; the unit of a number is NUL-terminated in `unit` */
	const char *unit;
};

static const struct operand nothing = {OF_NOTHING, TRUTH_UNKNOWN, 0, {0}, ""};

static struct operand evaluate(const struct expr *e, const struct expr_node *n, const struct expr_twin *t);

static struct operand of_truth(enum truth truth)
{
	return (struct operand){.type = OF_TRUTH, .truth = truth, .unit = ""};
}

static struct operand of_bool(bool is)
{
	return of_truth(is ? TRUTH_TRUE : TRUTH_FALSE);
}

static struct operand of_number(double number, const char *unit)
{
	return isfinite(number) ? (struct operand){.type = OF_NUMBER, .number = number, .unit = unit}
				: nothing;
}

static struct operand of_text(struct bytes text)
{
	return (struct operand){.type = OF_TEXT, .text = text, .unit = ""};
}

/* ---- What the twin says */

static struct operand attribute(enum expr_attribute which, const struct expr_twin *t)
{
	switch (which) {
	case EXPR_ID: return of_text(bytes_of_text(t->id));
	case EXPR_ORG: return of_text(id_org(t->id));
	case EXPR_NAME: return of_text(bytes_of_text(t->name));
	case EXPR_TYPE: return of_text(bytes_of_text(t->type));
	case EXPR_KIND: return of_number(t->kind, "");
	case EXPR_LIFE: return of_number(t->life, "");
	case EXPR_HEALTH: return of_number(t->health, "");
	case EXPR_TAG: return (struct operand){.type = OF_TAGS, .unit = ""};
	}
	return nothing;
}

static bool sample_of(const struct expr *e, const struct expr_node *n, const struct expr_twin *t,
		      struct sample *ret, const char **ret_unit)
{
	*ret_unit = "";
	return t->property(t->ctx, n->slot, e->properties[n->slot], ret, ret_unit) &&
	       ret->value.type != VALUE_NONE;
}

static struct operand property(const struct expr *e, const struct expr_node *n, const struct expr_twin *t)
{
	const char *unit;
	struct sample s;

	if (!sample_of(e, n, t, &s, &unit) || s.quality == QUALITY_BAD)
		return nothing;
	switch (s.value.type) {
	case VALUE_BOOL: return of_bool(s.value.boolean);
	case VALUE_INT64: return of_number((double)s.value.integer, unit);
	case VALUE_DOUBLE: return of_number(s.value.real, unit);
	case VALUE_TEXT:
	case VALUE_ENUM: return of_text(bytes_of_text(s.value.text));
	case VALUE_NONE:
	case VALUE_POSITION: break;
	}
	return nothing;
}

static struct operand age(const struct expr *e, const struct expr_node *n, const struct expr_twin *t)
{
	const char *unit;
	struct sample s;

	if (!sample_of(e, n, t, &s, &unit))
		return nothing;
	return of_number(((double)t->now_ns - (double)s.t_ns) / (double)NS_PER_S, "s");
}

/* Haversine formula. */
static struct operand distance(const struct expr *e, const struct expr_node *n, const struct expr_twin *t)
{
	const struct operand lat = evaluate(e, n->left, t), lon = evaluate(e, n->right, t);

	if (!t->position || lat.type != OF_NUMBER || lon.type != OF_NUMBER)
		return nothing;
	const double a = t->position->lat_deg * DEGREE, b = lat.number * DEGREE;
	const double dlat = sin((b - a) / 2), dlon = sin((lon.number - t->position->lon_deg) * DEGREE / 2);
	const double h = dlat * dlat + cos(a) * cos(b) * dlon * dlon;
	return of_number(2 * EARTH_RADIUS_M * asin(sqrt(fmin(1, fmax(0, h)))), "m");
}

/* ---- Numbers and their units */

static bool is_pair(const struct unit_pair *p, const char *left, const char *right)
{
	return p->known && strcmp(p->left, left) == 0 && strcmp(p->right, right) == 0;
}

/* What the two units come to, worked out once for each pair that comes by. */
static const struct unit_pair *units_of(const struct expr_node *n, const char *left, const char *right)
{
	struct unit_pair *p = n->units;

	if (is_pair(p, left, right))
		return p;
	snprintf(p->left, sizeof p->left, "%s", left);
	snprintf(p->right, sizeof p->right, "%s", right);
	p->known = true;
	if (n->kind == NODE_MULTIPLY || n->kind == NODE_DIVIDE) {
		const char *sign = n->kind == NODE_DIVIDE ? "/" : ".";
		const int len = right[0] ? snprintf(p->product, sizeof p->product, "(%s)%s(%s)",
						    left[0] ? left : "1", sign, right)
					 : snprintf(p->product, sizeof p->product, "%s", left);
		p->agree = len >= 0 && (size_t)len < sizeof p->product && unit_check(p->product, NULL) == 0;
		return p;
	}
	p->agree = unit_convert(right, left, &p->scale, &p->offset, NULL) == 0;
	/* 20 degC and 5 degC are not 25 of anything */
	if (n->kind == NODE_ADD || n->kind == NODE_SUBTRACT)
		p->agree = p->agree && p->offset == 0;
	return p;
}

/* The right number in the left one's unit; false: they measure different things. */
static bool align(const struct expr_node *n, const struct operand *left, struct operand *right)
{
	if (strcmp(left->unit, right->unit) == 0)
		return true;
	const struct unit_pair *p = units_of(n, left->unit, right->unit);
	if (p->agree)
		right->number = right->number * p->scale + p->offset;
	return p->agree;
}

static struct operand calculate(const struct expr *e, const struct expr_node *n, const struct expr_twin *t)
{
	const struct operand a = evaluate(e, n->left, t);
	struct operand b = evaluate(e, n->right, t);

	if (a.type != OF_NUMBER || b.type != OF_NUMBER)
		return nothing;
	if (n->kind == NODE_ADD || n->kind == NODE_SUBTRACT) {
		if (!align(n, &a, &b))
			return nothing;
		return of_number(n->kind == NODE_ADD ? a.number + b.number : a.number - b.number, a.unit);
	}
	const double number = n->kind == NODE_MULTIPLY ? a.number * b.number : a.number / b.number;
	if (a.unit[0] == '\0' && b.unit[0] == '\0')
		return of_number(number, "");
	const struct unit_pair *p = units_of(n, a.unit, b.unit);
	return p->agree ? of_number(number, p->product) : nothing;
}

/* ---- Comparing */

/* `*` any run, `?` any one character (not byte); time grows with the product of the lengths at most. */
static bool is_like(struct bytes text, struct bytes pattern)
{
	size_t t = 0, p = 0, star = SIZE_MAX, mark = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.data[p] == '*') {
			star = p++;
			mark = t;
		} else if (p < pattern.len && (pattern.data[p] == '?' || pattern.data[p] == text.data[t])) {
			const bool any = pattern.data[p++] == '?';
			t++;
			while (any && t < text.len && (text.data[t] & 0xc0) == 0x80)
				t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.data[p] == '*')
		p++;
	return p == pattern.len;
}

/* Is it so when the left is less, equal or more? */
static bool holds(enum node_kind kind, int order)
{
	static const bool table[][3] = {
		[NODE_EQUAL - NODE_EQUAL] = {false, true, false},
		[NODE_UNEQUAL - NODE_EQUAL] = {true, false, true},
		[NODE_LESS - NODE_EQUAL] = {true, false, false},
		[NODE_LESS_EQUAL - NODE_EQUAL] = {true, true, false},
		[NODE_MORE - NODE_EQUAL] = {false, false, true},
		[NODE_MORE_EQUAL - NODE_EQUAL] = {false, true, true},
	};

	return table[kind - NODE_EQUAL][1 + (order > 0) - (order < 0)];
}

static bool has_tag(const struct expr_twin *t, struct bytes tag, bool like)
{
	for (size_t i = 0; i < t->n_tags; i++) {
		const struct bytes have = bytes_of_text(t->tags[i]);
		if (like ? is_like(have, tag) : bytes_equal(have, tag))
			return true;
	}
	return false;
}

static struct operand compare_tags(const struct expr_node *n, const struct operand *b,
				   const struct expr_twin *t)
{
	if (b->type != OF_TEXT)
		return nothing;
	return of_bool(has_tag(t, b->text, n->kind == NODE_LIKE) == (n->kind != NODE_UNEQUAL));
}

static struct operand compare(const struct expr *e, const struct expr_node *n, const struct expr_twin *t)
{
	const struct operand a = evaluate(e, n->left, t);
	struct operand b = evaluate(e, n->right, t);

	if (a.type == OF_TAGS)
		return compare_tags(n, &b, t);
	if (a.type != b.type)
		return nothing;
	if (a.type == OF_TEXT && n->kind == NODE_LIKE)
		return of_bool(is_like(a.text, b.text));
	if (a.type == OF_TEXT)
		return of_bool(holds(n->kind, bytes_compare(a.text, b.text)));
	if (a.type == OF_NUMBER && n->kind != NODE_LIKE && align(n, &a, &b))
		return of_bool(holds(n->kind, (a.number > b.number) - (a.number < b.number)));
	if (a.type == OF_TRUTH && a.truth != TRUTH_UNKNOWN && b.truth != TRUTH_UNKNOWN &&
	    (n->kind == NODE_EQUAL || n->kind == NODE_UNEQUAL))
		return of_bool((a.truth == b.truth) == (n->kind == NODE_EQUAL));
	return nothing;
}

/* ---- Truths */

static enum truth truth_of(const struct expr *e, const struct expr_node *n, const struct expr_twin *t)
{
	const struct operand o = evaluate(e, n, t);

	return o.type == OF_TRUTH ? o.truth : TRUTH_UNKNOWN;
}

/* Of and the least, of or the most true; the second is looked at only where it matters. */
static struct operand junction(const struct expr *e, const struct expr_node *n, const struct expr_twin *t)
{
	const enum truth end = n->kind == NODE_AND ? TRUTH_FALSE : TRUTH_TRUE;
	const enum truth a = truth_of(e, n->left, t);

	if (a == end)
		return of_truth(end);
	const enum truth b = truth_of(e, n->right, t);
	return of_truth(b == end || a == TRUTH_UNKNOWN ? (b == end ? end : a) : b);
}

static struct operand evaluate(const struct expr *e, const struct expr_node *n, const struct expr_twin *t)
{
	struct operand o;
	const char *unit;
	struct sample s;

	switch (n->kind) {
	case NODE_TRUTH: return of_truth(n->truth);
	case NODE_NUMBER: return of_number(n->number, n->unit);
	case NODE_TEXT: return of_text(bytes_of_text(n->text));
	case NODE_ATTRIBUTE: return attribute(n->attribute, t);
	case NODE_PROPERTY: return property(e, n, t);
	case NODE_KNOWN: return of_bool(sample_of(e, n, t, &s, &unit));
	case NODE_AGE: return age(e, n, t);
	case NODE_DISTANCE: return distance(e, n, t);
	case NODE_NOT: return of_truth((enum truth)(TRUTH_TRUE - truth_of(e, n->left, t)));
	case NODE_NEGATE:
		o = evaluate(e, n->left, t);
		return o.type == OF_NUMBER ? of_number(-o.number, o.unit) : nothing;
	case NODE_AND:
	case NODE_OR: return junction(e, n, t);
	case NODE_EQUAL:
	case NODE_UNEQUAL:
	case NODE_LESS:
	case NODE_LESS_EQUAL:
	case NODE_MORE:
	case NODE_MORE_EQUAL:
	case NODE_LIKE: return compare(e, n, t);
	case NODE_ADD:
	case NODE_SUBTRACT:
	case NODE_MULTIPLY:
	case NODE_DIVIDE: return calculate(e, n, t);
	}
	return nothing;
}

enum truth expr_truth(struct expr *e, const struct expr_twin *twin)
{
	return truth_of(e, e->root, twin);
}

bool expr_number(struct expr *e, const struct expr_twin *twin, double *ret, const char **ret_unit)
{
	const struct operand o = evaluate(e, e->root, twin);

	if (o.type != OF_NUMBER)
		return false;
	*ret = o.number;
	*ret_unit = o.unit;
	return true;
}

const char *const *expr_properties(const struct expr *e, size_t *ret_n)
{
	*ret_n = e->n_properties;
	return e->properties;
}

static const char *required(const struct expr_node *n, enum expr_attribute which)
{
	if (n->kind == NODE_AND) {
		const char *left = required(n->left, which);
		return left ? left : required(n->right, which);
	}
	if (n->kind != NODE_EQUAL || n->left->kind != NODE_ATTRIBUTE || n->left->attribute != which)
		return NULL;
	return n->right->text;
}

const char *expr_requires(const struct expr *e, enum expr_attribute attribute)
{
	return required(e->root, attribute);
}

static bool uses(const struct expr_node *n, enum node_kind kind, enum expr_attribute attribute)
{
	return n && ((n->kind == kind && (kind != NODE_ATTRIBUTE || n->attribute == attribute)) ||
		     uses(n->left, kind, attribute) || uses(n->right, kind, attribute));
}

bool expr_uses(const struct expr *e, enum expr_attribute attribute)
{
	return uses(e->root, NODE_ATTRIBUTE, attribute);
}

bool expr_uses_position(const struct expr *e)
{
	return uses(e->root, NODE_DISTANCE, EXPR_ID);
}

static const char *required_text(const struct expr_node *n, size_t *ret_slot)
{
	if (n->kind == NODE_AND) {
		const char *left = required_text(n->left, ret_slot);
		return left ? left : required_text(n->right, ret_slot);
	}
	if (n->kind != NODE_EQUAL || n->left->kind != NODE_PROPERTY || n->right->kind != NODE_TEXT)
		return NULL;
	*ret_slot = n->left->slot;
	return n->right->text;
}

const char *expr_requires_text(const struct expr *e, size_t *ret_slot)
{
	return required_text(e->root, ret_slot);
}

bool expr_is_bound(const struct expr *e, struct expr_bound *ret)
{
	const struct expr_node *n = e->root;

	if (n->kind < NODE_EQUAL || n->kind > NODE_MORE_EQUAL || n->left->kind != NODE_PROPERTY ||
	    n->right->kind != NODE_NUMBER || !isfinite(n->right->number))
		return false;
	*ret = (struct expr_bound){.slot = n->left->slot,
				   .number = n->right->number,
				   .unit = n->right->unit,
				   .less = holds(n->kind, -1),
				   .equal = holds(n->kind, 0),
				   .more = holds(n->kind, 1)};
	return true;
}
