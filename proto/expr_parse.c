/* SPDX-License-Identifier: Apache-2.0 */
/* By recursive descent, binding from the loosest: or, and, not, comparison, sum, product, sign, primary. */
#include <math.h>
#include <stdlib.h>

#include "proto/expr_private.h"
#include "proto/id.h"
#include "proto/unit.h"
#include "proto/words.h"

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_QUOTED, TOKEN_TEXT, TOKEN_NUMBER, TOKEN_SIGN };

struct token {
	enum token_kind kind;
	struct bytes text; /* without quotes */
	uint32_t column;
};

struct parser {
	struct arena *arena;
	struct expr *expr;
	const char *text;
	size_t at;
	struct token token; /* the one to be taken next */
	unsigned depth;
	size_t n_nodes;
	struct err_note *note;
};

static const char *const attribute_words[] = {
	[EXPR_ID] = "id",   [EXPR_ORG] = "org",   [EXPR_NAME] = "name", [EXPR_TYPE] = "type",
	[EXPR_TAG] = "tag", [EXPR_KIND] = "kind", [EXPR_LIFE] = "life", [EXPR_HEALTH] = "health",
};
static const enum node_type attribute_types[] = {
	[EXPR_ID] = TYPE_TEXT,  [EXPR_ORG] = TYPE_TEXT,  [EXPR_NAME] = TYPE_TEXT, [EXPR_TYPE] = TYPE_TEXT,
	[EXPR_TAG] = TYPE_TAGS, [EXPR_KIND] = TYPE_KIND, [EXPR_LIFE] = TYPE_LIFE, [EXPR_HEALTH] = TYPE_HEALTH,
};
#define WRONG(p, column, code, format, ...) \
	FAIL_SAY((p)->note, (code), "column %u: " format, (unsigned)(column), __VA_ARGS__)

static int parse_or(struct parser *p, struct expr_node **ret);

/* ---- Tokens */

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
	       c == '_' || c == '-' || c == '/';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t name_length(const char *s)
{
	size_t n = 0;

	while (is_name_byte(s[n]))
		n++;
	return n;
}

static size_t number_length(const char *s)
{
	size_t n = 0;

	while (is_digit(s[n]))
		n++;
	if (s[n] == '.')
		for (n++; is_digit(s[n]);)
			n++;
	if (s[n] != 'e' && s[n] != 'E')
		return n;
	size_t e = n + 1;
	e += s[e] == '+' || s[e] == '-';
	if (!is_digit(s[e]))
		return n;
	while (is_digit(s[e]))
		e++;
	return e;
}

static int take_quoted(struct parser *p, char quote, enum token_kind kind)
{
	const char *from = p->text + p->at + 1, *end = strchr(from, quote);

	if (!end)
		return WRONG(p, p->token.column, ERR_REFUSED, "the closing %c is missing", quote);
	p->token.kind = kind;
	p->token.text = (struct bytes){(const uint8_t *)from, (size_t)(end - from)};
	p->at = (size_t)(end - p->text) + 1;
	return 0;
}

static size_t sign_length(const char *s)
{
	if ((s[0] == '<' || s[0] == '>' || s[0] == '!') && s[1] == '=')
		return 2;
	return strchr("=<>+-*/(),", s[0]) ? 1 : 0;
}

static int advance(struct parser *p)
{
	const char *s;
	size_t n = 0;

	while (p->text[p->at] == ' ' || p->text[p->at] == '\t' || p->text[p->at] == '\n')
		p->at++;
	s = p->text + p->at;
	p->token = (struct token){.kind = TOKEN_END, .column = (uint32_t)p->at + 1};
	if (*s == '\0')
		return 0;
	if (*s == '\'')
		return take_quoted(p, *s, TOKEN_TEXT);
	if (*s == '"')
		return take_quoted(p, *s, TOKEN_QUOTED);
	if (is_digit(*s)) {
		p->token.kind = TOKEN_NUMBER;
		n = number_length(s);
	} else if (is_name_byte(*s) && *s != '-' && *s != '/') {
		p->token.kind = TOKEN_NAME;
		n = name_length(s);
	} else {
		p->token.kind = TOKEN_SIGN;
		n = sign_length(s);
	}
	if (n == 0)
		return WRONG(p, p->token.column, ERR_REFUSED, "'%.1s' means nothing here", s);
	p->token.text = (struct bytes){(const uint8_t *)s, n};
	p->at += n;
	return 0;
}

static bool is_at(const struct parser *p, enum token_kind kind, const char *text)
{
	return p->token.kind == kind && bytes_equal(p->token.text, bytes_of_text(text));
}

static bool is_word(const struct parser *p, const char *word)
{
	return is_at(p, TOKEN_NAME, word);
}

static bool is_sign(const struct parser *p, const char *sign)
{
	return is_at(p, TOKEN_SIGN, sign);
}

static int expect(struct parser *p, const char *sign)
{
	if (!is_sign(p, sign))
		return WRONG(p, p->token.column, ERR_REFUSED, "'%s' is missing here", sign);
	return advance(p);
}

/* ---- Nodes */

static int add_node(struct parser *p, enum node_kind kind, enum node_type type, uint32_t column,
		    struct expr_node **ret)
{
	struct expr_node *n = arena_take(p->arena, sizeof *n);

	if (++p->n_nodes > EXPR_NODES_MAX)
		return WRONG(p, column, ERR_REFUSED, "the expression has more than %d parts", EXPR_NODES_MAX);
	if (!n)
		return FAIL(-ENOMEM);
	n->kind = kind;
	n->type = type;
	n->column = column;
	n->unit = "";
	*ret = n;
	return 0;
}

static int add_pair(struct parser *p, enum node_kind kind, enum node_type type, uint32_t column,
		    struct expr_node *left, struct expr_node *right, struct expr_node **ret)
{
	TRY(add_node(p, kind, type, column, ret));
	(*ret)->left = left;
	(*ret)->right = right;
	(*ret)->units = arena_take(p->arena, sizeof *(*ret)->units);
	return (*ret)->units ? 0 : FAIL(-ENOMEM);
}

/* A property may turn out to be of that type; anything else is or is not. */
static int want(const struct parser *p, const struct expr_node *n, enum node_type type)
{
	if (n->type == type || n->type == TYPE_ANY)
		return 0;
	return WRONG(p, n->column, ERR_REFUSED, "this is %s, and %s is wanted", node_type_text(n->type),
		     node_type_text(type));
}

/* The property named by the present token, as a node of that kind. */
static int add_property(struct parser *p, enum node_kind kind, enum node_type type, struct expr_node **ret)
{
	const uint32_t column = p->token.column;

	if (p->token.kind != TOKEN_NAME && p->token.kind != TOKEN_QUOTED)
		return WRONG(p, column, ERR_REFUSED, "%s", "the name of a property is missing here");
	const char *name = arena_text(p->arena, p->token.text);
	if (!name)
		return FAIL(-ENOMEM);
	if (!id_is_name(p->token.text))
		return WRONG(p, column, ERR_REFUSED, "'%.80s' is not the name of a property", name);
	TRY(add_node(p, kind, type, column, ret));
	(*ret)->text = name;
	(*ret)->bare = p->token.kind == TOKEN_NAME;
	return advance(p);
}

/* ---- Primaries */

static bool is_unit_byte(char c)
{
	return is_name_byte(c) || c == '%' || c == '^' || (c & 0x80);
}

static bool is_reserved(struct bytes word)
{
	static const char *const reserved[] = {"and", "or", "not", "like", "in"};

	for (size_t i = 0; i < N_WORDS(reserved); i++)
		if (bytes_equal(word, bytes_of_text(reserved[i])))
			return true;
	return false;
}

/* Behind a number stands a unit, unless a word of the language does. */
static int take_unit(struct parser *p, const char **ret)
{
	size_t at = p->at, n = 0;
	struct err_note note;

	*ret = "";
	while (p->text[at] == ' ')
		at++;
	if (p->text[at] == '\'') {
		TRY(advance(p));
	} else {
		if (is_digit(p->text[at]) || p->text[at] == '-' || p->text[at] == '/')
			return 0;
		while (is_unit_byte(p->text[at + n]))
			n++;
		const struct bytes unit = {(const uint8_t *)p->text + at, n};
		if (n == 0 || is_reserved(unit))
			return 0;
		p->token = (struct token){TOKEN_TEXT, unit, (uint32_t)at + 1};
		p->at = at + n;
	}
	*ret = arena_text(p->arena, p->token.text);
	if (!*ret)
		return FAIL(-ENOMEM);
	return unit_check(*ret, &note) < 0 ? WRONG(p, p->token.column, ERR_UNIT, "%s", note.text) : 0;
}

static int parse_number(struct parser *p, struct expr_node **ret)
{
	const char *text = arena_text(p->arena, p->token.text);

	TRY(add_node(p, NODE_NUMBER, TYPE_NUMBER, p->token.column, ret));
	if (!text)
		return FAIL(-ENOMEM);
	(*ret)->number = strtod(text, NULL);
	if (!isfinite((*ret)->number))
		return WRONG(p, p->token.column, ERR_REFUSED, "%s", "this number is too large");
	TRY(take_unit(p, &(*ret)->unit));
	return advance(p);
}

static int parse_text(struct parser *p, struct expr_node **ret)
{
	TRY(add_node(p, NODE_TEXT, TYPE_TEXT, p->token.column, ret));
	(*ret)->text = arena_text(p->arena, p->token.text);
	return (*ret)->text ? advance(p) : FAIL(-ENOMEM);
}

static int parse_of_property(struct parser *p, enum node_kind kind, enum node_type type,
			     struct expr_node **ret)
{
	TRY(add_property(p, kind, type, ret));
	return expect(p, ")");
}

static int parse_distance(struct parser *p, uint32_t column, struct expr_node **ret)
{
	struct expr_node *lat, *lon;

	TRY(parse_or(p, &lat));
	TRY(expect(p, ","));
	TRY(parse_or(p, &lon));
	TRY(want(p, lat, TYPE_NUMBER));
	TRY(want(p, lon, TYPE_NUMBER));
	TRY(add_pair(p, NODE_DISTANCE, TYPE_NUMBER, column, lat, lon, ret));
	return expect(p, ")");
}

/* A name: something of the twin, a truth, or a property. */
static int parse_name(struct parser *p, struct expr_node **ret)
{
	const struct token t = p->token;
	const char *word = arena_text(p->arena, t.text);

	if (!word)
		return FAIL(-ENOMEM);
	if (is_reserved(t.text))
		return WRONG(p, t.column, ERR_REFUSED, "'%s' has nothing before it to stand with", word);
	const size_t which = word_find(attribute_words, N_WORDS(attribute_words), word);
	if (which < N_WORDS(attribute_words)) {
		TRY(add_node(p, NODE_ATTRIBUTE, attribute_types[which], t.column, ret));
		(*ret)->attribute = (enum expr_attribute)which;
		return advance(p);
	}
	if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
		TRY(add_node(p, NODE_TRUTH, TYPE_TRUTH, t.column, ret));
		(*ret)->truth = word[0] == 't' ? TRUTH_TRUE : TRUTH_FALSE;
		return advance(p);
	}
	TRY(add_property(p, NODE_PROPERTY, TYPE_ANY, ret));
	if (!is_sign(p, "("))
		return 0;
	TRY(advance(p));
	if (strcmp(word, "age") == 0)
		return parse_of_property(p, NODE_AGE, TYPE_NUMBER, ret);
	if (strcmp(word, "known") == 0)
		return parse_of_property(p, NODE_KNOWN, TYPE_TRUTH, ret);
	if (strcmp(word, "distance") == 0)
		return parse_distance(p, t.column, ret);
	return WRONG(p, t.column, ERR_REFUSED, "there is no function '%.40s': age, known and distance are",
		     word);
}

/* Every way down into the grammar again passes here. */
static int deeper(struct parser *p, int (*parse)(struct parser *p, struct expr_node **ret),
		  struct expr_node **ret)
{
	if (p->depth == EXPR_DEPTH_MAX)
		return WRONG(p, p->token.column, ERR_REFUSED, "nested deeper than %d", EXPR_DEPTH_MAX);
	p->depth++;
	TRY(parse(p, ret));
	p->depth--;
	return 0;
}

static int parse_primary(struct parser *p, struct expr_node **ret)
{
	const uint32_t column = p->token.column;

	switch (p->token.kind) {
	case TOKEN_NUMBER: return parse_number(p, ret);
	case TOKEN_TEXT: return parse_text(p, ret);
	case TOKEN_NAME: return deeper(p, parse_name, ret);
	case TOKEN_QUOTED: return add_property(p, NODE_PROPERTY, TYPE_ANY, ret);
	case TOKEN_END: return WRONG(p, column, ERR_REFUSED, "%s", "the expression ends too early");
	case TOKEN_SIGN: break;
	}
	if (is_sign(p, "-")) {
		struct expr_node *of;
		TRY(advance(p));
		TRY(deeper(p, parse_primary, &of));
		TRY(want(p, of, TYPE_NUMBER));
		TRY(add_node(p, NODE_NEGATE, TYPE_NUMBER, column, ret));
		(*ret)->left = of;
		return 0;
	}
	TRY(expect(p, "("));
	TRY(deeper(p, parse_or, ret));
	return expect(p, ")");
}

/* ---- Sums and products */

/* A chain of operators of one strength, from the left. */
struct operator
{
	const char *sign;
	enum node_kind kind;
};

static int parse_chain(struct parser *p, const struct operator operators[2],
		       int (*parse)(struct parser *p, struct expr_node **ret), struct expr_node **ret)
{
	TRY(parse(p, ret));
	for (;;) {
		const struct operator* o = is_sign(p, operators[0].sign) ? &operators[0]
		: is_sign(p, operators[1].sign)                          ? &operators[1]
									 : NULL;
		struct expr_node *left = *ret, *right;
		const uint32_t column = p->token.column;
		if (!o)
			return 0;
		TRY(advance(p));
		TRY(parse(p, &right));
		TRY(want(p, left, TYPE_NUMBER));
		TRY(want(p, right, TYPE_NUMBER));
		TRY(add_pair(p, o->kind, TYPE_NUMBER, column, left, right, ret));
	}
}

static int parse_product(struct parser *p, struct expr_node **ret)
{
	static const struct operator operators[2] = {{"*", NODE_MULTIPLY}, {"/", NODE_DIVIDE}};

	return parse_chain(p, operators, parse_primary, ret);
}

static int parse_sum(struct parser *p, struct expr_node **ret)
{
	static const struct operator operators[2] = {{"+", NODE_ADD}, {"-", NODE_SUBTRACT}};

	return parse_chain(p, operators, parse_product, ret);
}

/* ---- Comparisons */

static bool place_of_word(enum node_type type, const char *word, double *ret)
{
	enum life_cycle life = LIFE_DESIGN;
	enum health health = HEALTH_UNKNOWN;
	enum kind kind = KIND_COMPONENT;
	const bool good = type == TYPE_KIND   ? kind_parse(word, &kind)
			  : type == TYPE_LIFE ? life_cycle_parse(word, &life)
					      : health_parse(word, &health);

	*ret = type == TYPE_KIND ? (double)kind : type == TYPE_LIFE ? (double)life : (double)health;
	return good;
}

static bool is_of_words(enum node_type type)
{
	return type == TYPE_KIND || type == TYPE_LIFE || type == TYPE_HEALTH;
}

/* What stands beside something of the twin: a word without quotes is that word, and no property. */
static int read_word(struct parser *p, const struct expr_node *beside, struct expr_node *n)
{
	const bool word = n->kind == NODE_TEXT || (n->kind == NODE_PROPERTY && n->bare);

	if (beside->kind != NODE_ATTRIBUTE || !word)
		return 0;
	n->kind = NODE_TEXT;
	n->type = TYPE_TEXT;
	if (!is_of_words(beside->type))
		return 0;
	n->kind = NODE_NUMBER;
	n->type = beside->type;
	if (!place_of_word(beside->type, n->text, &n->number))
		return WRONG(p, n->column, ERR_REFUSED, "'%.40s' is not %s", n->text,
			     node_type_text(beside->type));
	return 0;
}

static bool has_order(enum node_type type)
{
	return type == TYPE_ANY || type == TYPE_NUMBER || type == TYPE_TEXT || type == TYPE_LIFE ||
	       type == TYPE_HEALTH;
}

/* Do the two fit each other, and the operator them? */
static int check_comparison(struct parser *p, enum node_kind kind, uint32_t column, const struct expr_node *a,
			    const struct expr_node *b)
{
	const bool any = a->type == TYPE_ANY || b->type == TYPE_ANY;
	const bool tags = a->type == TYPE_TAGS && b->type == TYPE_TEXT;
	const bool words =
		is_of_words(a->type) || is_of_words(b->type) || a->type == TYPE_TAGS || b->type == TYPE_TAGS;

	if (!tags && a->type != b->type && (!any || words))
		return WRONG(p, column, ERR_REFUSED, "%s on the left and %s on the right do not compare",
			     node_type_text(a->type), node_type_text(b->type));
	if (kind == NODE_LIKE) {
		TRY(tags ? 0 : want(p, a, TYPE_TEXT));
		return want(p, b, TYPE_TEXT);
	}
	if (kind != NODE_EQUAL && kind != NODE_UNEQUAL && (!has_order(a->type) || !has_order(b->type)))
		return WRONG(p, column, ERR_REFUSED, "%s has no order: = and != compare it",
			     node_type_text(has_order(a->type) ? b->type : a->type));
	return 0;
}

static enum node_kind mirrored(enum node_kind kind)
{
	static const enum node_kind other[] = {
		[NODE_EQUAL] = NODE_EQUAL,
		[NODE_UNEQUAL] = NODE_UNEQUAL,
		[NODE_LESS] = NODE_MORE,
		[NODE_MORE] = NODE_LESS,
		[NODE_LESS_EQUAL] = NODE_MORE_EQUAL,
		[NODE_MORE_EQUAL] = NODE_LESS_EQUAL,
	};

	return other[kind];
}

/* Something of the twin goes to the left. */
static int add_comparison(struct parser *p, enum node_kind kind, uint32_t column, struct expr_node *a,
			  struct expr_node *b, struct expr_node **ret)
{
	if (b->kind == NODE_ATTRIBUTE && a->kind != NODE_ATTRIBUTE && kind != NODE_LIKE) {
		struct expr_node *swapped = a;
		a = b;
		b = swapped;
		kind = mirrored(kind);
	}
	TRY(read_word(p, a, b));
	TRY(check_comparison(p, kind, column, a, b));
	return add_pair(p, kind, TYPE_TRUTH, column, a, b, ret);
}

/* The left side of an `in` is looked at once for each that stands in the list. One inside another would
 * multiply, so all times count as parts. `n_left`: parts of the left side. */
static int count_again(struct parser *p, uint32_t column, size_t n_left)
{
	p->n_nodes += n_left - 1;
	if (p->n_nodes > EXPR_NODES_MAX)
		return WRONG(p, column, ERR_REFUSED, "the expression has more than %d parts", EXPR_NODES_MAX);
	return 0;
}

/* left in (a, b, c): equal to a, or to b, or to c. */
static int parse_in(struct parser *p, struct expr_node *left, size_t n_left, struct expr_node **ret)
{
	struct expr_node *all = NULL, *one, *right;

	TRY(expect(p, "("));
	do {
		const uint32_t column = p->token.column;
		TRY(all ? count_again(p, column, n_left) : 0);
		TRY(parse_sum(p, &right));
		TRY(add_comparison(p, NODE_EQUAL, column, left, right, &one));
		if (all)
			TRY(add_pair(p, NODE_OR, TYPE_TRUTH, column, all, one, &one));
		all = one;
	} while (is_sign(p, ",") && advance(p) == 0);
	*ret = all;
	return expect(p, ")");
}

static bool comparison_at(const struct parser *p, enum node_kind *ret)
{
	static const struct operator operators[] = {
		{"=", NODE_EQUAL},       {"!=", NODE_UNEQUAL}, {"<=", NODE_LESS_EQUAL},
		{">=", NODE_MORE_EQUAL}, {"<", NODE_LESS},     {">", NODE_MORE},
	};

	for (size_t i = 0; i < N_WORDS(operators); i++)
		if (is_sign(p, operators[i].sign)) {
			*ret = operators[i].kind;
			return true;
		}
	*ret = NODE_LIKE;
	return is_word(p, "like");
}

static int parse_comparison(struct parser *p, struct expr_node **ret)
{
	const size_t n_before = p->n_nodes;
	struct expr_node *left, *right;
	enum node_kind kind;

	TRY(parse_sum(p, &left));
	const uint32_t column = p->token.column;
	*ret = left;
	if (is_word(p, "in")) {
		TRY(advance(p));
		return parse_in(p, left, p->n_nodes - n_before, ret);
	}
	if (!comparison_at(p, &kind))
		return 0;
	TRY(advance(p));
	TRY(parse_sum(p, &right));
	return add_comparison(p, kind, column, left, right, ret);
}

/* ---- Truths */

static int parse_not(struct parser *p, struct expr_node **ret)
{
	const uint32_t column = p->token.column;
	struct expr_node *of;

	if (!is_word(p, "not"))
		return parse_comparison(p, ret);
	TRY(advance(p));
	TRY(deeper(p, parse_not, &of));
	TRY(want(p, of, TYPE_TRUTH));
	TRY(add_node(p, NODE_NOT, TYPE_TRUTH, column, ret));
	(*ret)->left = of;
	return 0;
}

static int parse_junction(struct parser *p, const char *word, enum node_kind kind,
			  int (*parse)(struct parser *p, struct expr_node **ret), struct expr_node **ret)
{
	TRY(parse(p, ret));
	while (is_word(p, word)) {
		struct expr_node *left = *ret, *right;
		const uint32_t column = p->token.column;
		TRY(advance(p));
		TRY(parse(p, &right));
		TRY(want(p, left, TYPE_TRUTH));
		TRY(want(p, right, TYPE_TRUTH));
		TRY(add_pair(p, kind, TYPE_TRUTH, column, left, right, ret));
	}
	return 0;
}

static int parse_and(struct parser *p, struct expr_node **ret)
{
	return parse_junction(p, "and", NODE_AND, parse_not, ret);
}

static int parse_or(struct parser *p, struct expr_node **ret)
{
	return parse_junction(p, "or", NODE_OR, parse_and, ret);
}

static int slot_of(struct parser *p, const char *name, uint32_t column, size_t *ret)
{
	struct expr *e = p->expr;

	for (*ret = 0; *ret < e->n_properties; ++*ret)
		if (strcmp(e->properties[*ret], name) == 0)
			return 0;
	if (e->n_properties == EXPR_PROPERTIES_MAX)
		return WRONG(p, column, ERR_REFUSED, "more than %d properties", EXPR_PROPERTIES_MAX);
	e->properties[e->n_properties++] = name;
	return 0;
}

/* Only now is it known which names were words beside something of the twin. */
static int place_properties(struct parser *p, struct expr_node *n)
{
	if (!n)
		return 0;
	if (n->kind == NODE_PROPERTY || n->kind == NODE_KNOWN || n->kind == NODE_AGE)
		TRY(slot_of(p, n->text, n->column, &n->slot));
	TRY(place_properties(p, n->left));
	return place_properties(p, n->right);
}

int expr_parse(struct arena *a, const char *text, struct expr **ret, struct err_note *note)
{
	struct expr *e = arena_take(a, sizeof *e);
	struct parser p = {.arena = a, .expr = e, .text = text, .note = note};

	if (!e)
		return FAIL(-ENOMEM);
	if (strlen(text) > EXPR_TEXT_MAX || !text_is_clean(bytes_of_text(text)))
		return WRONG(&p, 1, ERR_REFUSED, "longer than %d bytes, or no UTF-8", EXPR_TEXT_MAX);
	TRY(advance(&p));
	TRY(parse_or(&p, &e->root));
	if (p.token.kind != TOKEN_END)
		return WRONG(&p, p.token.column, ERR_REFUSED, "'%.*s' is too much", (int)p.token.text.len,
			     (const char *)p.token.text.data);
	TRY(place_properties(&p, e->root));
	*ret = e;
	return 0;
}
