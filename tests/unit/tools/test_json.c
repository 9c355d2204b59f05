/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "proto/clock.h"
#include "tests/unit/tools/text.h"
#include "tools/json.h"

static struct json j;
static char *text;
static size_t len;

static void begin(void)
{
	j = (struct json){.out = open_memstream(&text, &len)};
}

static void end(void)
{
	if (j.out)
		fclose(j.out);
	free(text);
	text = NULL;
}

TestSuite(json, .init = begin, .fini = end);

static char *written(void)
{
	fflush(j.out);
	return text;
}

Test(json, a_document_is_one_line_with_commas_where_they_belong)
{
	json_open(&j, NULL, '{');
	json_text(&j, "a", "x");
	json_open(&j, "list", '[');
	json_count(&j, NULL, 1);
	json_signed(&j, NULL, -2);
	json_open(&j, NULL, '{');
	json_close(&j);
	json_close(&j);
	json_bool(&j, "yes", true);
	json_none(&j, "nothing");
	json_close(&j);
	expect_text(written(), "{\"a\": \"x\", \"list\": [1, -2, {}], \"yes\": true, \"nothing\": null}\n");
}

Test(json, a_second_document_begins_a_line_of_its_own)
{
	for (int i = 0; i < 2; i++) {
		json_open(&j, NULL, '{');
		json_count(&j, "n", (uint64_t)i);
		json_close(&j);
	}
	expect_text(written(), "{\"n\": 0}\n{\"n\": 1}\n");
}

Test(json, text_is_escaped)
{
	json_text(&j, NULL, "q\" b\\ t\t n\n c\x01 \x7f ü € 😀");
	expect_text(written(), "\"q\\\" b\\\\ t\\t n\\n c\\u0001 \\u007f ü € 😀\"");
}

Test(json, bytes_that_are_no_utf8_are_replaced)
{
	/* stray continuation, overlong form, surrogate, cut sequence */
	json_text(&j, NULL, "a\x80 \xc0\xaf \xed\xa0\x80 \xe2\x82");
	json_t *back = json_loads(written(), JSON_DECODE_ANY, NULL);
	cr_expect(back != NULL, "%s", text);
	json_decref(back);
}

Test(json, numbers_are_the_shortest_text_that_reads_back)
{
	static const double numbers[] = {0.1, 1.0 / 3, 51754.08, 1e300, 5e-324, -0.0, 123456789012345678.0,
					 3};
	char number[NUMBER_TEXT_SIZE];

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		cr_expect(eq(dbl, strtod(number_text(numbers[i], number), NULL), numbers[i]));
	expect_text(number_text(0.1, number), "0.1");
	expect_text(number_text(51754.08, number), "51754.08");
	expect_text(number_text(3, number), "3.0");
	expect_text(number_text(1e300, number), "1e+300");
}

Test(json, what_is_no_number_is_null)
{
	json_open(&j, NULL, '[');
	json_number(&j, NULL, NAN);
	json_number(&j, NULL, -INFINITY);
	json_time(&j, NULL, TIME_MIN);
	json_time(&j, NULL, TIME_MAX);
	json_text(&j, NULL, NULL);
	json_close(&j);
	expect_text(written(), "[null, null, null, null, null]\n");
}

Test(json, values_come_out_in_their_own_type)
{
	const struct value values[] = {
		{.type = VALUE_NONE},
		{.type = VALUE_BOOL, .boolean = true},
		{.type = VALUE_INT64, .integer = INT64_MIN},
		{.type = VALUE_DOUBLE, .real = 0.5},
		{.type = VALUE_ENUM, .text = "on"},
		{.type = VALUE_POSITION, .position = {52.5, 13, NAN}},
		{.type = VALUE_POSITION, .position = {52.5, 13, 34}},
	};

	json_open(&j, NULL, '[');
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		json_value(&j, NULL, &values[i]);
	json_seconds(&j, NULL, 1500 * NS_PER_MS);
	json_time(&j, NULL, 0);
	json_close(&j);
	expect_text(written(),
		    "[null, true, -9223372036854775808, 0.5, \"on\", {\"lat\": 52.5, \"lon\": 13.0}, "
		    "{\"lat\": 52.5, \"lon\": 13.0, \"alt\": 34.0}, 1.5, \"1970-01-01T00:00:00Z\"]\n");
}
