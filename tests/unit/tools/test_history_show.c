/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* open_memstream */
#include "tools/history_show.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "tests/unit/tools/text.h"

static struct arena *arena;
static struct history_show show;
static char *text;
static size_t len;

static void set_up(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 20), 0));
	show = (struct history_show){.out = open_memstream(&text, &len), .unit = "kW"};
	cr_assert(show.out != NULL);
}

static void tear_down(void)
{
	arena_free(arena);
	fclose(show.out);
	free(text);
	arena = NULL;
	text = NULL;
}

TestSuite(history_show, .init = set_up, .fini = tear_down, .timeout = 60);

static const struct history_bucket whole = {.t_ns = 60000000000,
					    .last_ns = 61000000000,
					    .n = 3,
					    .n_bad = 1,
					    .mean = 1500.5,
					    .sd = 0.5,
					    .min = 1,
					    .max = 3000,
					    .last = 2,
					    .coarse = true};
static const struct history_bucket bad = {.t_ns = 0, .n_bad = 2};

static const char *shown(void)
{
	fflush(show.out);
	return text;
}

static void show_buckets(enum history_form form)
{
	show.form = form;
	show.buckets = true;
	history_show_defaults(&show);
	history_show_head(&show);
	history_show_bucket(&show, arena, &bad);
	history_show_bucket(&show, arena, &whole);
}

Test(history_show, buckets_for_people)
{
	show_buckets(HISTORY_TEXT);
	expect_text(shown(),
		    "1970-01-01T00:00:00Z  mean -  min -  max -  count 0\n"
		    "1970-01-01T00:01:00Z  mean 1,500.5 kW  min 1 kW  max 3,000 kW  count 3  coarse\n");
}

Test(history_show, buckets_for_programs)
{
	show_buckets(HISTORY_JSON);
	expect_text(
		shown(),
		"{\"t\": \"1970-01-01T00:00:00Z\", \"count\": 0, \"bad\": 2, \"mean\": null, \"sd\": null, "
		"\"min\": null, \"max\": null, \"sum\": null, \"last\": null, \"unit\": \"kW\"}\n"
		"{\"t\": \"1970-01-01T00:01:00Z\", \"count\": 3, \"bad\": 1, \"mean\": 1500.5, \"sd\": 0.5, "
		"\"min\": 1.0, \"max\": 3000.0, \"sum\": 4501.5, \"last\": 2.0, \"coarse\": true, "
		"\"unit\": \"kW\"}\n");
}

Test(history_show, buckets_for_tables)
{
	show.n_fns = 2;
	show.fns[0] = HISTORY_SUM;
	show.fns[1] = HISTORY_COUNT;
	show_buckets(HISTORY_CSV);
	expect_text(shown(), "t,sum,count\n1970-01-01T00:00:00Z,,0\n1970-01-01T00:01:00Z,4501.5,3\n");
}

Test(history_show, a_table_quotes_what_would_break_it)
{
	const struct sample s = {.t_ns = 0,
				 .value = {.type = VALUE_TEXT, .text = "a \"b\", c\nd"},
				 .quality = QUALITY_BAD,
				 .sigma = 0.25,
				 .source = "plc"};
	const struct sample plain = {.t_ns = 1, .value = {.type = VALUE_INT64, .integer = -3}, .sigma = NAN};

	show.form = HISTORY_CSV;
	history_show_head(&show);
	history_show_sample(&show, arena, &s);
	history_show_sample(&show, arena, &plain);
	expect_text(shown(),
		    "t,value,quality,sigma,source\n"
		    "1970-01-01T00:00:00Z,\"a \"\"b\"\", c\nd\",bad,0.25,plc\n"
		    "1970-01-01T00:00:00.000000001Z,-3,good,,\n");
}

Test(history_show, functions_have_names)
{
	enum history_fn fn;

	for (int i = 0; i < N_HISTORY_FNS; i++) {
		cr_assert(history_fn_parse(history_fn_text((enum history_fn)i), &fn));
		cr_expect(eq(int, fn, i));
	}
	cr_expect(not(history_fn_parse("median", &fn)));
}
