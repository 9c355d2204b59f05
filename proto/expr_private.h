/* SPDX-License-Identifier: Apache-2.0 */
/* Expression - its tree, private to proto/expr*.c.
 *
 *   expr_parse.c  text to tree, types as far as the text tells them
 *   expr_check.c  types once properties are known
 *   expr.c        evaluation
 */
#pragma once

#include "proto/expr.h"

enum node_kind {
	NODE_TRUTH,
	NODE_NUMBER, /* also the place of a word in kind, life or health */
	NODE_TEXT,
	NODE_ATTRIBUTE,
	NODE_PROPERTY,
	NODE_KNOWN,
	NODE_AGE,
	NODE_DISTANCE, /* left: latitude, right: longitude */
	NODE_NOT,
	NODE_NEGATE,
	NODE_AND,
	NODE_OR,
	NODE_EQUAL,
	NODE_UNEQUAL,
	NODE_LESS,
	NODE_LESS_EQUAL,
	NODE_MORE,
	NODE_MORE_EQUAL,
	NODE_LIKE,
	NODE_ADD,
	NODE_SUBTRACT,
	NODE_MULTIPLY,
	NODE_DIVIDE,
};

enum node_type { TYPE_ANY, TYPE_TRUTH, TYPE_NUMBER, TYPE_TEXT, TYPE_TAGS, TYPE_KIND, TYPE_LIFE, TYPE_HEALTH };

/* What two units came to the last time: a conversion of the right into the left one, or their product. */
struct unit_pair {
	char left[UNIT_MAX + 1], right[UNIT_MAX + 1], product[UNIT_MAX + 1];
	double scale, offset;
	bool known, agree;
};

struct expr_node {
	enum node_kind kind;
	enum node_type type;
	bool bare; /* a property written without quotes: beside kind, type ... it is a word */
	uint32_t column;
	struct expr_node *left, *right;
	struct unit_pair *units; /* of two numbers */
	union {
		enum truth truth;
		double number;
		enum expr_attribute attribute;
		size_t slot;
	};
	const char *text; /* a text, or the word a number stands for; NULL: none */
	const char *unit; /* of a number; "" for none */
};

struct expr {
	struct expr_node *root;
	const char *properties[EXPR_PROPERTIES_MAX];
	size_t n_properties;
};

const char *node_type_text(enum node_type type); /* `a number` */

static inline bool node_is_comparison(enum node_kind kind)
{
	return kind >= NODE_EQUAL && kind <= NODE_LIKE;
}
