/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/command_args.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "proto/unit.h"
#include "tests/lib/must.h"

static struct arena *a;
static struct argument *args;
static struct err_note note;

static struct property_def parameters[] = {
	{.name = "grace", .type = VALUE_DOUBLE, .unit = "s", .min = NAN, .max = NAN},
	{.name = "count", .type = VALUE_INT64, .unit = "kg", .min = NAN, .max = NAN},
	{.name = "mode", .type = VALUE_TEXT, .unit = "", .min = NAN, .max = NAN},
	{.name = "on", .type = VALUE_BOOL, .unit = "", .min = NAN, .max = NAN},
};
static const struct operation_def stop = {
	.name = "stop", .text = "", .parameters = parameters, .n_parameters = 4};

static void set_up(void)
{
	must(arena_new(&a, 1 << 20) == 0);
	note = (struct err_note){0};
}

static void tear_down(void)
{
	unit_fini();
	arena_free(a);
	a = NULL;
	args = NULL;
}

TestSuite(command_args, .init = set_up, .fini = tear_down, .timeout = 60);

static int read_one(const struct operation_def *op, const char *word)
{
	char copy[300];
	char *words[] = {copy};

	snprintf(copy, sizeof copy, "%s", word);
	return command_args_read(a, op, words, 1, &args, &note);
}

static double number_of(const char *word)
{
	double number = NAN;

	cr_assert(eq(int, read_one(&stop, word), 0), "%s: %s", word, note.text);
	cr_expect(value_number(&args[0].value, &number));
	return number;
}

Test(command_args, a_value_is_read_as_its_parameter_wants_it)
{
	cr_expect(eq(dbl, number_of("grace=2.5"), 2.5));
	cr_expect(eq(int, args[0].value.type, VALUE_DOUBLE));
	cr_expect(eq(dbl, number_of("count=12"), 12));
	cr_expect(eq(int, args[0].value.type, VALUE_INT64));
	cr_assert(eq(int, read_one(&stop, "mode=12"), 0));
	cr_expect(args[0].value.type == VALUE_TEXT && strcmp(args[0].value.text, "12") == 0);
	cr_assert(eq(int, read_one(&stop, "on=true"), 0));
	cr_expect(args[0].value.type == VALUE_BOOL && args[0].value.boolean);
	cr_assert(eq(int, read_one(&stop, "mode=a=b"), 0));
	cr_expect(strcmp(args[0].value.text, "a=b") == 0);
}

Test(command_args, a_unit_behind_a_number_is_converted)
{
	cr_expect(eq(dbl, number_of("grace=2 min"), 120));
	cr_expect(eq(dbl, number_of("grace=2min"), 120));
	cr_expect(eq(dbl, number_of("grace=250 ms"), 0.25));
	cr_expect(eq(dbl, number_of("grace=-3 s"), -3));
	cr_expect(eq(dbl, number_of("count=2 t"), 2000));
	cr_expect(eq(int, args[0].value.type, VALUE_INT64));
}

Test(command_args, what_makes_no_sense_is_refused_with_what_would)
{
	static const struct {
		const char *word, *why;
	} all[] = {
		{"grace", "NAME=VALUE"},          {"=3", "NAME=VALUE"},
		{"grace=soon", "grace"},          {"grace=3 kg", "grace"},
		{"grace=3 nonsense", "grace"},    {"count=1 g", "whole number"},
		{"count=1e30 t", "whole number"}, {"speed=3", "grace, count, mode, on"},
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		note = (struct err_note){0};
		cr_expect(lt(int, read_one(&stop, all[i].word), 0), "%s", all[i].word);
		cr_expect(strstr(note.text, all[i].why) != NULL, "%s: %s", all[i].word, note.text);
	}
}

Test(command_args, of_an_unknown_operation_an_argument_is_what_it_looks_like)
{
	static const struct {
		const char *word;
		enum value_type type;
	} all[] = {
		{"a=true", VALUE_BOOL},  {"a=12", VALUE_INT64},    {"a=1", VALUE_INT64},
		{"a=0", VALUE_INT64},    {"a=-2.5", VALUE_DOUBLE}, {"a=1e3", VALUE_DOUBLE},
		{"a=2 min", VALUE_TEXT}, {"a=", VALUE_TEXT},       {"a=\"12\"", VALUE_TEXT},
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		cr_assert(eq(int, read_one(NULL, all[i].word), 0));
		cr_expect(eq(int, args[0].value.type, all[i].type), "%s", all[i].word);
	}
	cr_expect(strcmp(args[0].value.text, "12") == 0);
}

Test(command_args, there_are_not_more_than_an_operation_can_have)
{
	char word[] = "a=1";
	char *words[PARAMETERS_MAX + 1];

	for (size_t i = 0; i <= PARAMETERS_MAX; i++)
		words[i] = word;
	cr_expect(eq(int, command_args_read(a, NULL, words, PARAMETERS_MAX, &args, &note), 0));
	cr_expect(eq(int, command_args_read(a, NULL, words, PARAMETERS_MAX + 1, &args, &note), ERR_REFUSED));
}
