/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/command_args.h"

#include <math.h>
#include <stdlib.h>

#include "proto/unit.h"

#define EXACT_MAX 9007199254740992.0 /* beyond it a double does not hold every whole number */

static const struct property_def *find_parameter(const struct operation_def *op, const char *name)
{
	for (size_t i = 0; i < op->n_parameters; i++)
		if (strcmp(op->parameters[i].name, name) == 0)
			return &op->parameters[i];
	return NULL;
}

static int no_parameter(struct arena *a, const struct operation_def *op, const char *name,
			struct err_note *note)
{
	const char *all = "";

	for (size_t i = 0; all && i < op->n_parameters; i++)
		all = arena_print(a, "%s%s%s", all, i > 0 ? ", " : "", op->parameters[i].name);
	if (!all)
		return FAIL(-ENOMEM);
	return FAIL_SAY(note, ERR_REFUSED, "%s has no parameter %.80s: it has %s", op->name, name,
			*all ? all : "none");
}

/* A number with a unit behind it, in the parameter's unit. */
static int convert(const struct property_def *p, double number, const char *unit, struct value *ret,
		   struct err_note *note)
{
	struct err_note why = {0};
	double scale, offset;
	const int r = unit_convert(unit, p->unit, &scale, &offset, &why);

	if (r < 0)
		return FAIL_SAY(note, r, "%s: %s", p->name, why.text);
	number = number * scale + offset;
	*ret = (struct value){.type = VALUE_DOUBLE, .real = number};
	if (p->type == VALUE_DOUBLE)
		return 0;
	if (number != floor(number) || fabs(number) > EXACT_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "%s: %.17g %s is no whole number", p->name, number,
				p->unit);
	*ret = (struct value){.type = VALUE_INT64, .integer = (int64_t)number};
	return 0;
}

static int read_as(struct arena *a, const struct property_def *p, const char *text, struct value *ret,
		   struct err_note *note)
{
	struct err_note why = {0};
	char *unit;
	const double number = strtod(text, &unit);

	const bool is_number = unit > text && (p->type == VALUE_DOUBLE || p->type == VALUE_INT64);
	unit += strspn(unit, " ");
	if (is_number && *unit)
		return convert(p, number, unit, ret, note);
	const int r = value_parse(a, p->type, text, ret, &why);
	return r < 0 ? FAIL_SAY(note, r, "%s: %s", p->name, why.text) : 0;
}

static int guess(struct arena *a, const char *text, struct value *ret)
{
	static const enum value_type numbers[] = {VALUE_INT64, VALUE_DOUBLE};
	const size_t n = strlen(text);
	struct err_note why;

	if (n >= 2 && text[0] == '"' && text[n - 1] == '"') {
		*ret = (struct value){.type = VALUE_TEXT,
				      .text = arena_print(a, "%.*s", (int)n - 2, text + 1)};
		return ret->text ? 0 : FAIL(-ENOMEM);
	}
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
		*ret = (struct value){.type = VALUE_BOOL, .boolean = text[0] == 't'};
		return 0;
	}
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		const int r = value_parse(a, numbers[i], text, ret, &why);
		if (r == 0 || r == -ENOMEM)
			return r;
	}
	*ret = (struct value){.type = VALUE_TEXT, .text = text};
	return 0;
}

static int read_word(struct arena *a, const struct operation_def *op, const char *word, struct argument *ret,
		     struct err_note *note)
{
	const char *equals = strchr(word, '=');

	if (!equals || equals == word)
		return FAIL_SAY(note, ERR_REFUSED, "%.80s: write an argument as NAME=VALUE", word);
	ret->name = arena_print(a, "%.*s", (int)(equals - word), word);
	if (!ret->name)
		return FAIL(-ENOMEM);
	if (!op)
		return guess(a, equals + 1, &ret->value);
	const struct property_def *p = find_parameter(op, ret->name);
	return p ? read_as(a, p, equals + 1, &ret->value, note) : no_parameter(a, op, ret->name, note);
}

int command_args_read(struct arena *a, const struct operation_def *op, char *const words[], size_t n,
		      struct argument **ret, struct err_note *note)
{
	if (n > PARAMETERS_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "an operation has at most %d parameters", PARAMETERS_MAX);
	*ret = arena_take_array(a, n, sizeof **ret);
	if (!*ret)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		TRY(read_word(a, op, words[i], &(*ret)[i], note));
	return 0;
}
