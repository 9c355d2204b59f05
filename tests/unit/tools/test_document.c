/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "proto/clock.h"
#include "tests/unit/tools/text.h"
#include "tools/document.h"

static struct arena *arena;
static json_t *json;
static struct err_note note;

static void begin(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 20), 0));
}

static void end(void)
{
	arena_free(arena);
	json_decref(json);
	arena = NULL;
	json = NULL;
}

TestSuite(document, .init = begin, .fini = end);

static struct spot spot(const char *text)
{
	json_decref(json);
	json = json_loads(text, JSON_DECODE_ANY, NULL);
	cr_assert(json != NULL, "%s", text);
	return (struct spot){.file = "f.json", .json = json};
}

static int reading(const char *text, struct reading *ret)
{
	const struct spot s = spot(text);

	return document_reading(&s, 42, ret, &note);
}

Test(document, a_reading_takes_the_present_time_and_good_quality_unless_it_says_otherwise)
{
	struct reading r;

	cr_assert(eq(int, reading("{\"twin\": \"a/b\", \"property\": \"p\", \"value\": 3}", &r), 0));
	cr_expect(eq(i64, r.sample.t_ns, 42));
	cr_expect(eq(int, r.sample.value.type, VALUE_INT64));
	cr_expect(eq(int, r.sample.quality, QUALITY_GOOD));
	cr_expect(isnan(r.sample.sigma));
	cr_expect(r.sample.source == NULL);
}

Test(document, a_reading_may_say_everything)
{
	struct reading r;

	cr_assert(eq(int,
		     reading("{\"twin\": \"a/b\", \"property\": \"p\", \"t\": \"1970-01-01T00:00:01+00:00\", "
			     "\"value\": {\"lat\": 1, "
			     "\"lon\": 2}, \"quality\": \"bad\", \"sigma\": 0.5, \"source\": \"plc\"}",
			     &r),
		     0));
	cr_expect(eq(i64, r.sample.t_ns, NS_PER_S));
	cr_expect(eq(int, r.sample.value.type, VALUE_POSITION));
	cr_expect(eq(int, r.sample.quality, QUALITY_BAD));
	cr_expect(eq(dbl, r.sample.sigma, 0.5));
	expect_text(r.sample.source, "plc");
}

Test(document, a_time_may_be_seconds_since_1970)
{
	struct reading r;

	cr_assert(eq(int,
		     reading("{\"twin\": \"a/b\", \"property\": \"p\", \"t\": 2.5, \"value\": true}", &r),
		     0));
	cr_expect(eq(i64, r.sample.t_ns, 2500 * NS_PER_MS));
	cr_assert(eq(int,
		     reading("{\"twin\": \"a/b\", \"property\": \"p\", \"t\": 1709510400, \"value\": 1}", &r),
		     0));
	cr_expect(eq(i64, r.sample.t_ns, 1709510400 * NS_PER_S));
	cr_expect(eq(int, reading("{\"twin\": \"a/b\", \"property\": \"p\", \"t\": 1e300, \"value\": 1}", &r),
		     ERR_REFUSED));
	cr_expect(
		eq(int,
		   reading("{\"twin\": \"a/b\", \"property\": \"p\", \"t\": 9999999999999999, \"value\": 1}",
			   &r),
		   ERR_REFUSED));
}

Test(document, a_bad_reading_is_refused_with_the_key)
{
	struct reading r;

	cr_expect(eq(int, reading("{\"property\": \"p\", \"value\": 1}", &r), ERR_REFUSED));
	expect_text(note.text, "f.json: the key \"twin\" is missing");
	cr_expect(eq(int, reading("{\"twin\": \"a/b\", \"property\": \"p\"}", &r), ERR_REFUSED));
	cr_expect(eq(int, reading("{\"twin\": \"a/b\", \"property\": \"p\", \"value\": null}", &r),
		     ERR_REFUSED));
	cr_expect(eq(int, reading("{\"twin\": \"a/b\", \"property\": \"p\", \"value\": [1]}", &r),
		     ERR_REFUSED));
	cr_expect(eq(
		int,
		reading("{\"twin\": \"a/b\", \"property\": \"p\", \"value\": 1, \"quality\": \"fine\"}", &r),
		ERR_REFUSED));
	expect_text(note.text, "f.json: quality: fine is none of good, uncertain, bad");
	cr_expect(eq(int,
		     reading("{\"twin\": \"a/b\", \"property\": \"p\", \"value\": 1, \"unit\": \"W\"}", &r),
		     ERR_REFUSED));
	cr_expect(eq(int, reading("[]", &r), ERR_REFUSED));
}

Test(document, a_value_is_fitted_to_its_property_where_nothing_is_lost)
{
	struct value v = {.type = VALUE_INT64, .integer = 3};

	value_fit(&v, VALUE_DOUBLE);
	cr_expect(eq(int, v.type, VALUE_DOUBLE));
	cr_expect(eq(dbl, v.real, 3));
	value_fit(&v, VALUE_INT64);
	cr_expect(eq(int, v.type, VALUE_INT64));
	v = (struct value){.type = VALUE_DOUBLE, .real = 3.5};
	value_fit(&v, VALUE_INT64);
	cr_expect(eq(int, v.type, VALUE_DOUBLE));
	v = (struct value){.type = VALUE_TEXT, .text = "on"};
	value_fit(&v, VALUE_ENUM);
	cr_expect(eq(int, v.type, VALUE_ENUM));
	v = (struct value){.type = VALUE_TEXT, .text = "3"};
	value_fit(&v, VALUE_DOUBLE);
	cr_expect(eq(int, v.type, VALUE_TEXT));
	v = (struct value){.type = VALUE_TEXT, .text = "-Infinity"};
	value_fit(&v, VALUE_INT64);
	cr_expect(eq(int, v.type, VALUE_TEXT));
	value_fit(&v, VALUE_DOUBLE);
	cr_expect(eq(int, v.type, VALUE_DOUBLE));
	cr_expect(eq(dbl, v.real, -INFINITY));
}

Test(document, a_type_is_read_with_its_properties)
{
	const struct spot s = spot(
		"{\"name\": \"press\", \"kind\": \"asset\", \"properties\": [{\"name\": \"mode\", \"type\": "
		"\"enum\", \"options\": [\"on\", \"off\"]}, {\"name\": \"power\", \"type\": \"double\", "
		"\"unit\": "
		"\"kW\", \"min\": 0, \"kpi\": true}]}");
	struct type_def t;

	cr_assert(eq(int, document_type(arena, &s, NULL, NULL, &t, &note), 0), "%s", note.text);
	cr_expect(eq(u32, t.version, 1));
	cr_assert(eq(sz, t.n_properties, 2));
	expect_text(t.properties[0].options[1], "off");
	cr_expect(eq(dbl, t.properties[1].min, 0));
	cr_expect(isnan(t.properties[1].max));
	cr_expect(t.properties[1].kpi);
}

Test(document, a_bad_type_is_refused_with_the_way_to_the_key)
{
	const struct spot s =
		spot("{\"name\": \"press\", \"kind\": \"asset\", \"properties\": [{\"name\": \"p\", "
		     "\"type\": \"float\"}]}");
	struct type_def t;

	cr_expect(eq(int, document_type(arena, &s, NULL, NULL, &t, &note), ERR_REFUSED));
	expect_text(note.text,
		    "f.json: properties[0].type: float is none of bool, int64, double, text, enum, position");
}

static bool kinds(void *ctx, const char *type, enum kind *ret)
{
	(void)ctx;
	*ret = KIND_SYSTEM;
	return strcmp(type, "line") == 0;
}

Test(document, a_twin_takes_the_kind_of_its_type_and_begins_to_operate)
{
	struct spot s = spot("{\"id\": \"acme/l1\", \"type\": \"line\", \"tags\": [\"a\", \"b\"]}");
	struct twin_def t;

	cr_assert(eq(int, document_twin(arena, &s, kinds, NULL, &t, &note), 0), "%s", note.text);
	cr_expect(eq(int, t.kind, KIND_SYSTEM));
	cr_expect(eq(sz, t.n_tags, 2));
	cr_assert(eq(sz, t.n_life, 1));
	cr_expect(eq(int, t.life[0].state, LIFE_OPERATING));
	cr_expect(eq(i64, t.life[0].since_ns, TIME_MIN));
	s = spot("{\"id\": \"acme/l1\", \"type\": \"robot\"}");
	cr_expect(eq(int, document_twin(arena, &s, kinds, NULL, &t, &note), ERR_REFUSED));
	s = spot("{\"id\": \"acme/l 1\", \"kind\": \"asset\"}");
	cr_expect(eq(int, document_twin(arena, &s, kinds, NULL, &t, &note), ERR_REFUSED));
}

Test(document, a_life_may_be_a_word_or_a_list)
{
	struct spot s = spot("{\"id\": \"acme/l1\", \"kind\": \"asset\", \"life\": \"build\"}");
	struct twin_def t;

	cr_assert(eq(int, document_twin(arena, &s, NULL, NULL, &t, &note), 0), "%s", note.text);
	cr_expect(eq(int, t.life[0].state, LIFE_BUILD));
	s =
		spot("{\"id\": \"acme/l1\", \"kind\": \"asset\", \"life\": [{\"state\": \"operating\"}, "
		     "{\"state\": \"retired\", "
		     "\"since\": \"2020-01-01\"}]}");
	cr_assert(eq(int, document_twin(arena, &s, NULL, NULL, &t, &note), 0), "%s", note.text);
	cr_expect(eq(sz, t.n_life, 2));
	cr_expect(eq(int, t.life[1].state, LIFE_RETIRED));
}

Test(document, relations_and_memberships_have_their_defaults)
{
	struct spot s = spot(
		"{\"type\": \"feeds\", \"from\": \"a/x\", \"to\": \"b/y\", \"valid_from\": \"1970-01-01\"}");
	struct membership m;
	struct relation r;

	cr_assert(eq(int, document_relation(&s, &r, &note), 0), "%s", note.text);
	cr_expect(eq(i64, r.valid_from_ns, 0));
	cr_expect(eq(i64, r.valid_to_ns, TIME_MAX));
	s = spot("{\"parent\": \"a/x\", \"child\": \"b/y\"}");
	cr_assert(eq(int, document_membership(&s, 42, &m, &note), 0), "%s", note.text);
	expect_text(m.hierarchy, "contains");
	cr_expect(eq(int, m.state, CONFIRM_CONFIRMED));
	cr_expect(eq(i64, m.since_ns, 42));
	s = spot("{\"parent\": \"a/x\", \"child\": \"b/y\", \"state\": \"pending\"}");
	cr_expect(eq(int, document_membership(&s, 42, &m, &note), ERR_REFUSED));
}

Test(document, a_type_may_extend_keep_and_be_set)
{
	const struct spot s =
		spot("{\"name\": \"press\", \"kind\": \"asset\", \"extends\": \"machine\", "
		     "\"retention\": {\"raw\": \"90d\", \"minute\": \"2y\", \"hour\": \"10y\"}, "
		     "\"properties\": [{\"name\": \"p\", \"type\": \"double\", \"settable\": true, "
		     "\"retention\": {\"raw\": \"forever\"}}]}");
	const int64_t day = INT64_C(86400) * NS_PER_S;
	struct type_def t;

	cr_assert(eq(int, document_type(arena, &s, NULL, NULL, &t, &note), 0), "%s", note.text);
	expect_text(t.parent, "machine");
	cr_expect(eq(i64, t.retention.raw_ns, 90 * day));
	cr_expect(eq(i64, t.retention.minute_ns, 730 * day));
	cr_expect(eq(i64, t.retention.hour_ns, 3650 * day));
	cr_expect(t.properties[0].settable);
	cr_expect(eq(i64, t.properties[0].retention.raw_ns, TIME_MAX));
}

#define QUOTED(...) #__VA_ARGS__

static const char what_a_press_does[] = QUOTED({
	"name" : "press",
	"kind" : "asset",
	"properties" : [
		{
			"name" : "power",
			"type" : "double",
			"unit" : "kW",
			"settable" : true,
			"tolerance" : 0.5,
			"settle" : "30s",
			"limits" : {
				"low-warning" : 1,
				"high-alarm" : 90,
				"rate-alarm" : 2,
				"hysteresis" : 3,
				"dead-band" : 0.25,
				"delay" : "5s",
				"stale" : "1min"
			}
		},
		{
			"name" : "mode",
			"type" : "enum",
			"options" : [ "idle", "run", "stop" ],
			"transitions" : {"run" : [ "stop", "idle" ], "idle" : ["run"]}
		}
	],
	"alarms" : [ {"name" : "hot", "when" : "power > 3 kW", "delay" : "2s"} ],
	"operations" : [ {
		"name" : "stop",
		"text" : "now",
		"within" : "10s",
		"parameters" : [ {"name" : "grace", "type" : "double", "unit" : "s", "min" : 0} ]
	} ],
	"health" : {"rule" : "weighted", "weight" : "power", "warning" : 0.1, "alarm" : 0.5}
});

Test(document, a_type_says_what_its_twins_do)
{
	const struct spot s = spot(what_a_press_does);
	struct type_def t;

	cr_assert(eq(int, document_type(arena, &s, NULL, NULL, &t, &note), 0), "%s", note.text);
	cr_expect(eq(dbl, t.properties[0].tolerance, 0.5));
	cr_expect(eq(i64, t.properties[0].settle_ns, 30 * NS_PER_S));
	const struct limits *l = t.properties[0].limits;
	cr_assert(l != NULL);
	cr_expect(isnan(l->at[LIMIT_LOW_ALARM]));
	cr_expect(eq(dbl, l->at[LIMIT_LOW_WARNING], 1));
	cr_expect(eq(dbl, l->at[LIMIT_HIGH_ALARM], 90));
	cr_expect(isnan(l->rate_warning));
	cr_expect(eq(dbl, l->rate_alarm, 2));
	cr_expect(eq(dbl, l->hysteresis, 3));
	cr_expect(eq(dbl, l->dead_band, 0.25));
	cr_expect(eq(i64, l->delay_ns, 5 * NS_PER_S));
	cr_expect(eq(i64, l->stale_ns, 60 * NS_PER_S));
	cr_assert(eq(sz, t.properties[1].n_transitions, 3));
	cr_expect(transition_may(&t.properties[1], 1, 0));
	cr_expect(eq(int, t.properties[1].transitions[0].from, 0), "in the order of the options");
	cr_expect(eq(int, t.alarms[0].severity, HEALTH_ALARM));
	cr_expect(eq(i64, t.alarms[0].delay_ns, 2 * NS_PER_S));
	cr_expect(eq(i64, t.operations[0].within_ns, 10 * NS_PER_S));
	expect_text(t.operations[0].parameters[0].unit, "s");
	cr_expect(eq(int, t.health.rule, HEALTH_WEIGHTED));
	cr_expect(eq(dbl, t.health.alarm, 0.5));
}

static void refuse_part(const char *part, const char *words)
{
	char text[512];
	struct type_def t;

	snprintf(text, sizeof text, "{\"name\": \"press\", \"kind\": \"asset\", %s}", part);
	const struct spot s = spot(text);
	cr_expect(eq(int, document_type(arena, &s, NULL, NULL, &t, &note), ERR_REFUSED), "%s", part);
	expect_text(note.text, words);
}

Test(document, what_a_type_cannot_do_is_refused_with_the_way_to_the_key)
{
	refuse_part(
		QUOTED("properties"
		       : [ {"name" : "m", "type" : "enum", "options" : ["a"], "transitions" : {"b" : []}} ]),
		"f.json: properties[0].transitions: b is none of the options");
	refuse_part(
		QUOTED("properties"
		       :
		       [ {"name" : "m", "type" : "enum", "options" : ["a"], "transitions" : {"a" : ["b"]}} ]),
		"f.json: properties[0].transitions.a: b is none of the options");
	refuse_part(QUOTED("alarms"
			   : [ {"name" : "a", "when" : "p > 1", "severity" : "good"} ]),
		    "f.json: alarms[0].severity: good is none of warning, alarm");
	refuse_part(QUOTED("alarms"
			   : [ {"name" : "a", "when" : "p >"} ]),
		    "f.json: alarm 'a': column 4: the expression ends too early");
	refuse_part(QUOTED("health"
			   : {"rule" : "best"}),
		    "f.json: health.rule: best is none of own, worst, k-of-n, weighted");
	refuse_part(QUOTED("health"
			   : {"rule" : "worst", "k" : 2}),
		    "f.json: health.k: unknown key, expected one of rule, hierarchy");
	refuse_part(QUOTED("operations"
			   : [ {
				   "name" : "stop",
				   "parameters" : [ {"name" : "p", "type" : "bool", "kpi" : true} ]
			   } ]),
		    "f.json: operations[0].parameters[0].kpi: unknown key, expected one of name, type, unit, "
		    "min, max, "
		    "options");
}

static int types(const char *text, struct type_def **ret)
{
	const struct spot s = spot(text);
	size_t n;

	return document_types(arena, &s, kinds, NULL, ret, &n, &note);
}

Test(document, a_type_is_of_the_kind_of_the_one_it_extends)
{
	struct type_def *t;

	cr_assert(eq(int,
		     types("[{\"name\": \"a\", \"extends\": \"b\"}, {\"name\": \"b\", \"extends\": \"c\"}, "
			   "{\"name\": \"c\", \"kind\": \"process\"}, {\"name\": \"d\", \"extends\": "
			   "\"line\"}]",
			   &t),
		     0),
		  "%s", note.text);
	cr_expect(eq(int, t[0].kind, KIND_PROCESS));
	cr_expect(eq(int, t[1].kind, KIND_PROCESS));
	cr_expect(eq(int, t[3].kind, KIND_SYSTEM), "known elsewhere");
	cr_expect(eq(int, types("[{\"name\": \"a\", \"extends\": \"z\"}]", &t), ERR_REFUSED));
	expect_text(note.text, "f.json:[0].extends: unknown type z: define it under \"types\"");
	cr_expect(eq(int,
		     types("[{\"name\": \"a\", \"extends\": \"b\"}, {\"name\": \"b\", \"extends\": \"a\"}]",
			   &t),
		     ERR_REFUSED),
		  "a ring");
	cr_expect(eq(int, types("[{\"name\": \"a\"}]", &t), ERR_REFUSED));
}
