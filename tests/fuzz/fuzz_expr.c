/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as an expression: what is refused names a column; what parses has an answer for every twin, the
 * same twice, and not() of it is the opposite. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/expr.h"
#include "tests/lib/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The lexer of libudunits2 2.2.28 keeps a word of some texts that are no unit. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:utlex\n";
}

static bool property(void *ctx, size_t slot, const char *name, struct sample *ret, const char **ret_unit)
{
	static const struct value values[] = {
		{VALUE_DOUBLE, {.real = -1.5}}, {VALUE_BOOL, {.boolean = true}},
		{VALUE_TEXT, {.text = "auto"}}, {VALUE_INT64, {.integer = 7}},
		{VALUE_DOUBLE, {.real = NAN}},
	};
	static const char *const units[] = {"MW", "", "", "K", "m"};
	const size_t i = (*(const size_t *)ctx + slot) % 6;

	(void)name;
	if (i == 5)
		return false;
	*ret = (struct sample){
		.t_ns = INT64_MIN, .value = values[i], .quality = i == 3 ? QUALITY_BAD : QUALITY_GOOD};
	*ret_unit = units[i];
	return true;
}

static void ask(struct expr *e, struct expr *opposite)
{
	static const char *const tags[] = {"a", "tie-volt"};
	static const struct position somewhere = {52, 13, NAN};

	for (size_t i = 0; i < 6; i++) {
		const struct expr_twin t = {.id = "acme/plant/a",
					    .name = "A",
					    .type = "line",
					    .kind = KIND_ASSET,
					    .tags = tags,
					    .n_tags = i % 3,
					    .position = i % 2 ? &somewhere : NULL,
					    .now_ns = INT64_MAX,
					    .property = property,
					    .ctx = &i};
		const enum truth truth = expr_truth(e, &t);
		const char *unit;
		double number;
		must(truth <= TRUTH_TRUE && truth == expr_truth(e, &t));
		must(!opposite || (int)expr_truth(opposite, &t) == (int)TRUTH_TRUE - (int)truth);
		must(!expr_number(e, &t, &number, &unit) || truth == TRUTH_UNKNOWN);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[2 * EXPR_TEXT_MAX], negated[sizeof text + 8];
	struct expr *e, *opposite = NULL;
	struct err_note note = {0};
	struct arena *a;

	if (size >= sizeof text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	must(arena_new(&a, 4 << 20) == 0);
	if (expr_parse(a, text, &e, &note) == 0) {
		snprintf(negated, sizeof negated, "not (%s)", text);
		if (expr_parse(a, negated, &opposite, NULL) < 0)
			opposite = NULL; /* no truth, or one part too many */
		ask(e, opposite);
	} else {
		must(strncmp(note.text, "column ", 7) == 0);
	}
	arena_free(a);
	return 0;
}
