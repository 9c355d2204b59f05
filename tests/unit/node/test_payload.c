/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "node/payload.h"
#include "node/sparkplug.h"
#include "proto/clock.h"
#include "proto/unit.h"
#include "tests/lib/must.h"
#include "tests/unit/proto/text.h"

static struct arena *arena, *scratch;
static json_t *config;
static struct payload_map map;
static char result[2000]; /* what came out: samples and faults, in order */
static int wrong_clocks;

#define NOW_NS (INT64_C(1700000000) * NS_PER_S)

static void set_up(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 20), 0));
	cr_assert(eq(int, arena_new(&scratch, 1 << 24), 0));
}

static void tear_down(void)
{
	json_decref(config);
	arena_free(arena);
	arena_free(scratch);
	unit_fini();
}

TestSuite(payload, .init = set_up, .fini = tear_down, .timeout = 60);

static int read_map(const char *text, struct err_note *note)
{
	json_decref(config);
	TRY(setting_parse("m", text, strlen(text), &config, note));
	return payload_map_read(&(struct setting_at){.key = "m", .json = config}, arena, &map, note);
}

static void use(const char *text)
{
	struct err_note note = {0};

	cr_assert(eq(int, read_map(text, &note), 0), "%s", note.text);
}

static const struct property_def *on_wants(void *ctx, const char *property)
{
	static const struct property_def defs[] = {
		{.name = "power", .type = VALUE_DOUBLE, .unit = "kW"},
		{.name = "count", .type = VALUE_INT64, .unit = ""},
		{.name = "on", .type = VALUE_BOOL, .unit = ""},
		{.name = "mode", .type = VALUE_ENUM, .unit = ""},
		{.name = "place", .type = VALUE_POSITION, .unit = ""},
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof defs / sizeof *defs; i++)
		if (strcmp(defs[i].name, property) == 0)
			return &defs[i];
	return NULL;
}

static void add(const char *text)
{
	const size_t n = strlen(result);

	snprintf(result + n, sizeof result - n, "%s%s", n > 0 ? "; " : "", text);
}

static void on_put(void *ctx, const char *property, const struct sample *s)
{
	char text[300];

	(void)ctx;
	snprintf(text, sizeof text, "%s=%s@%lld%s%s", property, value_text(scratch, &s->value),
		 (long long)((s->t_ns - NOW_NS) / NS_PER_MS), s->quality == QUALITY_GOOD ? "" : " ",
		 s->quality == QUALITY_GOOD ? "" : quality_text(s->quality));
	add(text);
	if (!isnan(s->sigma)) {
		snprintf(text, sizeof text, "sigma %g", s->sigma);
		add(text);
	}
}

static void on_fault(void *ctx, const char *reason)
{
	(void)ctx;
	add(reason);
}

static void on_wrong_clock(void *ctx)
{
	(void)ctx;
	wrong_clocks++;
}

static const char *taken(const char *topic, const char *payload)
{
	const struct payload_sink sink = {.wants = on_wants,
					  .put = on_put,
					  .fault = on_fault,
					  .wrong_clock = on_wrong_clock,
					  .now_ns = NOW_NS};
	struct topic_variables v;

	result[0] = '\0';
	must(topic_match(map.topic, bytes_of_text(topic), &v));
	payload_take(&map, &v, bytes_of_text(payload), scratch, &sink);
	return result;
}

#define EXPECT_TAKEN(payload, expected) EXPECT_TEXT(taken("a", payload), expected)

Test(payload, values_by_path_are_scaled_and_converted)
{
	use("{\"topic\": \"a\", \"twin\": \"x/y\", \"values\": ["
	    "{\"property\": \"power\", \"from\": \"p[1].w\", \"unit\": \"W\", \"scale\": 10, \"sigma\": "
	    "\"s\"},"
	    "{\"property\": \"count\", \"from\": \"n\", \"optional\": true}]}");
	EXPECT_TAKEN("{\"p\": [0, {\"w\": 150}], \"s\": 5}", "power=1.5@0; sigma 0.05");
	EXPECT_TAKEN("{\"p\": [0, {\"w\": 0}], \"n\": 3.0}", "power=0@0; count=3@0");
	EXPECT_TAKEN("{\"p\": [], \"n\": null}", "there is nothing at 'p[1].w'");
	EXPECT_TAKEN("{\"p\": [0, {\"w\": true}]}", "power: it is no number, and has a scale or unit");
	EXPECT_TAKEN("[1, 2", "it is no JSON: line 1: ']' expected near end of file");
	EXPECT_TAKEN("", "it is no JSON: line 1: unexpected token near end of file");
}

Test(payload, times_of_all_kinds_are_read)
{
	static const char *const cases[][3] = {
		{"s", "1700000001", "on=true@1000"},
		{"s", "1700000001.25", "on=true@1250"},
		{"s", "\"1700000001.5\"", "on=true@1500"},
		{"ms", "1700000001001", "on=true@1001"},
		{"us", "1700000000002000", "on=true@2"},
		{"ns", "1700000000003000000", "on=true@3"},
		{"iso", "\"2023-11-14T22:13:21Z\"", "on=true@1000"},
		{"iso", "1700000001", "what is at 't' is no time in ISO 8601"},
		{"s", "\"noon\"", "what is at 't' is no time in s"},
		{"s", "1e30", "what is at 't' is no time in s"},
		{"s", "9223372036854775807", "what is at 't' is no time in s"},
		{"s", "[1]", "what is at 't' is no time in s"},
	};
	char text[300];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text,
			 "{\"topic\": \"a\", \"twin\": \"x\", \"time\": \"t\", \"time-unit\": \"%s\","
			 " \"values\": [{\"property\": \"on\", \"from\": \"v\"}]}",
			 cases[i][0]);
		use(text);
		snprintf(text, sizeof text, "{\"v\": true, \"t\": %s}", cases[i][1]);
		EXPECT_TAKEN(text, cases[i][2]);
	}
	EXPECT_TAKEN("{\"v\": true}", "there is no time at 't'");
}

Test(payload, a_clock_that_is_off_and_a_quality_that_nobody_knows_are_uncertain)
{
	use("{\"topic\": \"a\", \"twin\": \"x\", \"time\": \"t\", \"time-unit\": \"s\", \"time-offset-max\": "
	    "\"1min\","
	    " \"quality\": \"q\", \"qualities\": {\"192\": \"good\", \"0\": \"bad\"},"
	    " \"values\": [{\"property\": \"on\", \"from\": \"v\"}]}");
	EXPECT_TAKEN("{\"v\": true, \"q\": 192, \"t\": 1700000060}", "on=true@60000");
	EXPECT_TAKEN("{\"v\": true, \"q\": 192, \"t\": 1700000061}", "on=true@0 uncertain");
	EXPECT_TAKEN("{\"v\": true, \"q\": 0, \"t\": 5}", "on=true@0 bad");
	EXPECT_TAKEN("{\"v\": true, \"q\": 7, \"t\": 1700000000}", "on=true@0 uncertain");
	EXPECT_TAKEN("{\"v\": true, \"t\": 1700000000}", "on=true@0 uncertain");
	cr_expect(eq(int, wrong_clocks, 2));
}

Test(payload, a_list_of_records_takes_the_time_from_where_it_is)
{
	use("{\"topic\": \"a\", \"twin\": \"x\", \"time\": \"t\", \"time-unit\": \"s\", \"items\": \"r\","
	    " \"values\": [{\"property\": \"count\", \"from\": \".\"}]}");
	EXPECT_TAKEN("{\"t\": 1700000000, \"r\": [1, 2]}", "count=1@0; count=2@0");
	EXPECT_TAKEN("{\"r\": 1}", "there is no list at 'r'");
	use("{\"topic\": \"a\", \"twin\": \"x\", \"time\": \"t\", \"time-unit\": \"s\", \"items\": \".\","
	    " \"values\": [{\"property\": \"place\", \"from\": \"at\"}]}");
	EXPECT_TAKEN(
		"[{\"t\": 1700000001, \"at\": [52.5, 13]}, {\"t\": 1700000002, \"at\": {\"lat\": 91, "
		"\"lon\": 0}}]",
		"place=52.5,13@1000; place: what is at 'at' is no value");
}

Test(payload, without_values_members_that_are_properties_are_taken)
{
	use("{\"topic\": \"a\", \"twin\": \"x\"}");
	EXPECT_TAKEN("{\"power\": 2, \"else\": 1}", "power=2@0");
	EXPECT_TAKEN("{\"else\": 1}", "nothing in it has the name of a property of the twin");
	EXPECT_TAKEN("5", "nothing in it has the name of a property of the twin");
}

Test(payload, words_stand_for_what_they_are_said_to)
{
	use("{\"topic\": \"a/{p}\", \"twin\": \"x\", \"format\": \"value\","
	    " \"values\": [{\"property\": \"{p}\", \"words\": {\"1\": \"run\", \"up\": \"true\"}}]}");
	EXPECT_TEXT(taken("a/mode", " 1 \n"), "mode=run@0");
	EXPECT_TEXT(taken("a/on", "up"), "on=true@0");
	EXPECT_TEXT(taken("a/on", "1"), "on: 'run' is no bool");
	EXPECT_TEXT(taken("a/mode", "2"), "'words' of mode have nothing for '2'");
	EXPECT_TEXT(taken("a/colour", "1"), "the twin has no property colour");
	EXPECT_TEXT(taken("a/mode", " "), "it is no value: it must have 1 to 4096 bytes, and none of them 0");
}

Test(payload, lines_are_split_at_the_separator_and_quotes_are_taken_off)
{
	use("{\"topic\": \"a\", \"twin\": \"x\", \"format\": \"csv\", \"separator\": \";\", \"time\": \"t\","
	    " \"time-unit\": \"s\", \"columns\": [\"t\", \"kw\", \"m\"],"
	    " \"values\": [{\"property\": \"power\", \"from\": \"kw\"},"
	    " {\"property\": \"mode\", \"from\": \"m\", \"optional\": true}]}");
	EXPECT_TAKEN("1700000000;1.5;\"a;\"\"b\"\r\n\n1700000001;2;\n",
		     "power=1.5@0; mode=a;\"b@0; power=2@1000");
	EXPECT_TAKEN("1700000000;1.5", "line 1: it has not 3 columns");
	EXPECT_TAKEN("1700000000;1.5;x;y", "line 1: it has not 3 columns");
	EXPECT_TAKEN("1700000000;1.5;\"x", "line 1: it has not 3 columns");
	EXPECT_TAKEN("1700000000;;x", "there is nothing in the column 'kw'; mode=x@0");
	EXPECT_TAKEN(";1;x", "there is no time at 't'");
}

Test(payload, what_makes_no_sense_in_a_mapping_is_refused_and_named)
{
	static const char *const cases[][2] = {
		{"{\"topic\": \"a/+\", \"twin\": \"x\"}",
		 "m: topic: 'a/+': a level is text with at most one {name}, and has no '+' or '#'"},
		{"{\"topic\": \"a\", \"twin\": \"{x}\"}", "m: twin: {x} does not occur in 'a'"},
		{"{\"topic\": \"a\", \"twin\": \"x\", \"format\": \"csv\"}",
		 "m: 'columns' goes with the format 'csv', and with no other"},
		{"{\"topic\": \"a\", \"twin\": \"x\", \"format\": \"value\"}",
		 "m: where the format is 'value' there is exactly one of 'values', and no 'time' and "
		 "'quality'"},
		{"{\"topic\": \"a\", \"twin\": \"x\", \"values\": [{\"property\": \"p\"}]}",
		 "m: values[0]: the key 'from' is missing"},
		{"{\"topic\": \"a\", \"twin\": \"x\", \"values\": [{\"property\": \"p\", \"from\": \"f\", "
		 "\"unit\": \"bogons\"}]}",
		 "m: values[0].unit: "},
		{"{\"topic\": \"a\", \"twin\": \"x\", \"qualities\": {\"x\": \"fine\"}}",
		 "m: qualities.x: it must be one of: good, uncertain, bad"},
		{"{\"topic\": \"a\", \"twin\": \"x\", \"format\": \"csv\", \"columns\": [\"c\"], \"values\": "
		 "[{\"property\": \"p\", \"from\": \"d\"}]}",
		 "m: values[0].from: 'd' is not one of the columns"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err_note note = {0};
		cr_expect(eq(int, read_map(cases[i][0], &note), ERR_REFUSED));
		cr_expect(strstr(note.text, cases[i][1]) == note.text, "%s", note.text);
	}
}

Test(payload, metrics_go_to_properties_by_their_names)
{
	const struct spark_value values[] = {
		{.name = "Line/kW",
		 .t_ns = NOW_NS - NS_PER_S,
		 .value = {.type = VALUE_INT64, .integer = 1500}},
		{.name = "on",
		 .t_ns = NOW_NS - 7200 * NS_PER_S,
		 .value = {.type = VALUE_BOOL, .boolean = true}},
		{.name = "on",
		 .t_ns = NOW_NS - 7200 * NS_PER_S,
		 .is_historical = true,
		 .quality = QUALITY_BAD,
		 .value = {.type = VALUE_BOOL}},
	};
	struct spark_word w = {.values = values, .n_values = 3};
	const struct payload_sink sink = {.wants = on_wants,
					  .put = on_put,
					  .fault = on_fault,
					  .wrong_clock = on_wrong_clock,
					  .now_ns = NOW_NS};
	const struct topic_variables v = {0};

	use("{\"topic\": \"spBv1.0/g/{t}/{n}/{d}\", \"twin\": \"x/{d}\", \"format\": \"sparkplug\", "
	    "\"time-offset-max\": \"1h\", \"values\": ["
	    "{\"property\": \"power\", \"from\": \"Line/kW\", \"unit\": \"W\"}, {\"property\": \"on\", "
	    "\"from\": "
	    "\"on\"}, {\"property\": \"mode\", \"from\": \"Mode\"}]}");
	payload_take_word(&map, &v, &w, scratch, &sink);
	EXPECT_TEXT(result, "power=1.5@-1000; on=true@0 uncertain; on=false@-7200000 bad");
	cr_expect(eq(int, wrong_clocks, 1));
	w.is_birth = true;
	payload_take_word(&map, &v, &w, scratch, &sink);
	EXPECT_WORDS(result, "the birth has no value of the metric 'Mode'");
	result[0] = '\0';
	use("{\"topic\": \"spBv1.0/g/{t}/{n}/{d}\", \"twin\": \"x/{d}\", \"format\": \"sparkplug\"}");
	payload_take_word(&map, &v, &w, scratch, &sink);
	EXPECT_TEXT(result, "on=true@-7200000; on=false@-7200000 bad");
}

Test(payload, topics_of_sparkplug_have_all_types)
{
	static const char *const topics[] = {"spBv1.0/g/DDATA/{n}/{d}", "plant/{g}/{t}/{n}", "spBv1.0/g/{t}",
					     "spBv1.0/g/{t}/{n+}", "spBv1.0/g/{t}/n/d/e"};
	char text[300];

	for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
		struct err_note note = {0};
		snprintf(text, sizeof text,
			 "{\"topic\": \"%s\", \"twin\": \"x/y\", \"format\": \"sparkplug\"}", topics[i]);
		cr_expect(eq(int, read_map(text, &note), ERR_REFUSED), "%s", topics[i]);
		EXPECT_WORDS(note.text, "it must be spBv1.0/{group}/{type}/{node}");
	}
}
