/* SPDX-License-Identifier: Apache-2.0 */
/* Mapping and import: what a mapping file and tables become, and every way to write one wrongly. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "proto/clock.h"
#include "tests/lib/tmpdir.h"
#include "tests/unit/tools/text.h"
#include "tools/import.h"

static const char *dir;
static char file[512];
static struct arena *arena;
static struct mapping *m;
static struct import im;
static struct err_note note;

static void write_text(const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	cr_assert(f != NULL);
	fputs(text, f);
	fclose(f);
}

static void begin(void)
{
	dir = tmpdir_make();
	snprintf(file, sizeof file, "%s/map.json", dir);
	cr_assert(eq(int, arena_new(&arena, 16 << 20), 0));
	write_text("things.csv", "name,maker,power\nDrill 1,bolt,750\nLathe,acme,1500\n");
	write_text("makers.csv", "maker,country\nbolt,DE\n");
	write_text("use.csv", "hour,Lathe\n0,1\n1,2\n2,\n");
}

static void end(void)
{
	import_fini(&im);
	mapping_close(m);
	arena_free(arena);
	arena = NULL;
	m = NULL;
	tmpdir_remove();
}

TestSuite(mapping, .init = begin, .fini = end);

static int find_type(void *ctx, const char *name, struct type_def *ret, struct err_note *n)
{
	static const struct type_def site = {.name = "site", .version = 1, .kind = KIND_SYSTEM};

	(void)ctx;
	if (strcmp(name, "site") != 0)
		return FAIL_SAY(n, ERR_REFUSED, "no type %s", name);
	*ret = site;
	return 0;
}

static int open_map(const char *text, const char *set)
{
	const struct mapping_options opt = {
		.file = file, .dir = dir, .sets = &set, .n_sets = set ? 1 : 0, .find_type = find_type};

	write_text("map.json", text);
	return mapping_open(&m, arena, &opt, &note);
}

/* A file around a rule; the rule's type is `t` with properties p (double, kW) and s (double, W, at least 0).
 */
static int open_rule(const char *rule)
{
	char text[4096];

	snprintf(text, sizeof text,
		 "{\"org\": \"acme\", \"at\": \"1970-01-01\", \"types\": [{\"name\": \"t\", \"kind\": "
		 "\"asset\", \"properties\": "
		 "[{\"name\": \"p\", \"type\": \"double\", \"unit\": \"kW\"}, {\"name\": \"s\", \"type\": "
		 "\"double\", \"unit\": "
		 "\"W\", \"min\": 0}, {\"name\": \"c\", \"type\": \"text\"}]}], \"twins\": [%s]}",
		 rule);
	return open_map(text, NULL);
}

static void plan(const char *rule)
{
	cr_assert(eq(int, open_rule(rule), 0), "%s", note.text);
	im = (struct import){.arena = arena, .mapping = m};
	cr_assert(eq(int, import_plan(&im), 0));
}

static const char *twin(size_t i)
{
	return im.twins.items[i].op.twin.id;
}

Test(mapping, a_row_becomes_a_twin)
{
	plan("{\"table\": \"things.csv\", \"id\": \"{$org}/{slug:name}\", \"type\": \"t\", \"name\": "
	     "\"{name}\", \"tags\": "
	     "[\"{maker}\"], \"aliases\": [\"{name}\"]}");
	cr_assert(eq(sz, im.twins.n, 2));
	expect_text(twin(0), "acme/Drill-1");
	expect_text(im.twins.items[0].op.twin.name, "Drill 1");
	expect_text(im.twins.items[1].op.twin.tags[0], "acme");
	cr_expect(eq(int, im.twins.items[0].op.twin.kind, KIND_ASSET));
	cr_expect(eq(uint, im.twins.items[1].mark.line, 3));
	cr_expect(eq(sz, im.rules[0].rows, 2));
	cr_expect(eq(sz, im.n_skips, 0));
}

Test(mapping, a_rule_without_table_makes_one_twin_of_a_type_the_node_has)
{
	plan("{\"id\": \"acme/site\", \"type\": \"site\"}");
	cr_assert(eq(sz, im.twins.n, 1));
	cr_expect(eq(int, im.twins.items[0].op.twin.kind, KIND_SYSTEM));
}

Test(mapping, conditions_choose_rows)
{
	plan("{\"table\": \"things.csv\", \"where\": [{\"value\": \"{maker}\", \"is\": [\"x\", \"acme\"]}, "
	     "{\"value\": \"{name}\", "
	     "\"is_not\": \"\"}], \"id\": \"{$org}/{slug:name}\", \"type\": \"t\"}");
	cr_assert(eq(sz, im.twins.n, 1));
	expect_text(twin(0), "acme/Lathe");
	cr_expect(eq(sz, im.n_skips, 0));
}

Test(mapping, a_join_brings_columns_and_a_row_without_partner_is_skipped)
{
	plan("{\"table\": \"things.csv\", \"joins\": [{\"as\": \"by\", \"table\": \"makers.csv\", \"on\": "
	     "\"maker\", \"equals\": "
	     "\"{maker}\"}], \"id\": \"{$org}/{by.country}-{slug:name}\", \"type\": \"t\"}");
	cr_assert(eq(sz, im.twins.n, 1));
	expect_text(twin(0), "acme/DE-Drill-1");
	cr_assert(eq(sz, im.n_skips, 1));
	cr_expect(eq(uint, im.skips[0].line, 3));
	expect_text(im.skips[0].reason, "makers.csv has no row with maker = 'acme'");
	cr_expect(eq(sz, im.rules[0].skipped, 1));
}

Test(mapping, an_optional_join_without_partner_gives_empty_columns)
{
	plan("{\"table\": \"things.csv\", \"joins\": [{\"as\": \"by\", \"table\": \"makers.csv\", \"on\": "
	     "\"#1\", \"equals\": "
	     "\"{maker}\", \"optional\": true}], \"id\": \"{$org}/{slug:name}\", \"type\": \"t\", \"tags\": "
	     "[\"{by.#2}\"]}");
	cr_assert(eq(sz, im.twins.n, 2));
	cr_expect(eq(sz, im.twins.items[0].op.twin.n_tags, 1));
	cr_expect(eq(sz, im.twins.items[1].op.twin.n_tags, 0));
}

Test(mapping, values_are_converted_to_the_unit_of_the_property)
{
	plan("{\"table\": \"things.csv\", \"id\": \"{$org}/{slug:name}\", \"type\": \"t\", \"properties\": "
	     "{\"p\": {\"value\": "
	     "\"{power}\", \"unit\": \"W\"}, \"c\": \"by {maker}\"}}");
	cr_assert(eq(sz, im.values.n, 4));
	const struct op_samples *p = &im.values.items[0].op.samples, *c = &im.values.items[1].op.samples;
	expect_text(p->property, "p");
	cr_expect(ieee_ulp_eq(dbl, p->samples[0].value.real, 0.75, 4));
	cr_expect(eq(i64, p->samples[0].t_ns, 0));
	expect_text(c->samples[0].value.text, "by bolt");
}

Test(mapping, a_value_that_cannot_be_read_is_reported_and_the_twin_stays)
{
	plan("{\"table\": \"things.csv\", \"id\": \"{$org}/{slug:name}\", \"type\": \"t\", \"properties\": "
	     "{\"s\": \"{maker}\", "
	     "\"p\": \"\"}}");
	cr_expect(eq(sz, im.twins.n, 2));
	cr_expect(eq(sz, im.values.n, 0));
	cr_assert(eq(sz, im.n_skips, 2));
	expect_text(im.skips[0].reason, "s: 'bolt' is not a number");
}

Test(mapping, a_value_out_of_range_is_reported)
{
	plan("{\"id\": \"acme/x\", \"type\": \"t\", \"properties\": {\"s\": \"-1\"}}");
	cr_expect(eq(sz, im.values.n, 0));
	cr_expect(eq(sz, im.n_skips, 1));
}

Test(mapping, relations_default_to_the_twin_itself_and_may_be_conditional)
{
	plan("{\"table\": \"things.csv\", \"id\": \"{$org}/{slug:name}\", \"type\": \"t\", \"relations\": "
	     "[{\"type\": \"contains\", "
	     "\"from\": \"acme/site\"}, {\"type\": \"feeds\", \"to\": \"bolt/{slug:name}\", \"where\": "
	     "[{\"value\": \"{maker}\", "
	     "\"is\": \"bolt\"}], \"valid_from\": \"1970-01-02\"}]}");
	cr_assert(eq(sz, im.relations.n, 3));
	const struct relation *contains = &im.relations.items[0].op.relation,
			      *feeds = &im.relations.items[1].op.relation;
	expect_text(contains->to, "acme/Drill-1");
	expect_text(feeds->from, "acme/Drill-1");
	cr_expect(eq(i64, feeds->valid_from_ns, 86400 * NS_PER_S));
}

Test(mapping, two_rows_of_one_id_and_ids_of_others_are_skipped)
{
	plan("{\"table\": \"things.csv\", \"id\": \"acme/x\", \"type\": \"t\"}, {\"id\": \"bolt/x\", "
	     "\"type\": \"t\"}, {\"id\": "
	     "\"acme/a b\", \"type\": \"t\"}");
	cr_expect(eq(sz, im.twins.n, 1));
	cr_assert(eq(sz, im.n_skips, 3));
	expect_text(im.skips[0].reason, "twin acme/x is made by an earlier row already");
	expect_text(im.skips[1].reason, "bolt/x is not a twin of acme");
}

#define SERIES \
	"{\"rule\": \"load\", \"table\": \"things.csv\", \"id\": \"{$org}/{slug:name}\", \"type\": \"t\", " \
	"\"series\": " \
	"[{\"property\": \"s\", \"table\": \"use.csv\", \"column\": \"{name}\", \"time\": " \
	"\"1970-01-01T0{hour}:00\""

Test(mapping, a_series_is_a_column_of_a_wide_table)
{
	struct op_samples samples;
	size_t at = 0;

	plan(SERIES "}]}");
	cr_assert(eq(sz, im.n_series, 1));
	cr_expect(eq(u64, im.series[0].n_samples + (im.n_series > 1 ? im.series[1].n_samples : 0), 2));
	cr_assert(eq(int, import_samples(&im, &im.series[0], arena, &at, 1, false, &samples), 0));
	cr_assert(eq(sz, samples.n, 1));
	cr_assert(eq(int, import_samples(&im, &im.series[0], arena, &at, 9, false, &samples), 0));
	cr_assert(eq(sz, samples.n, 1));
	cr_expect(eq(dbl, samples.samples[0].value.real, 2));
	cr_expect(eq(i64, samples.samples[0].t_ns, 3600 * NS_PER_S));
	cr_assert(eq(sz, im.n_skips, 1));
	expect_text(im.skips[0].reason, "load Drill 1 has no series in use.csv");
}

Test(mapping, an_optional_series_may_be_missing)
{
	plan(SERIES ", \"optional\": true}]}");
	cr_expect(eq(sz, im.n_series, 1));
	cr_expect(eq(sz, im.n_skips, 0));
}

Test(mapping, bad_fields_and_times_of_a_series_are_reported)
{
	write_text("use.csv", "hour,Lathe,Drill 1\n0,x,1\n9x,2,2\n2,-3,3\n");
	plan(SERIES "}]}");
	cr_expect(eq(u64, im.series[0].n_samples + (im.n_series > 1 ? im.series[1].n_samples : 0), 2));
	cr_expect(eq(sz, im.n_skips, 3));
}

Test(mapping, variables_are_declared_and_set)
{
	cr_expect(eq(int,
		     open_map("{\"vars\": {\"a\": null, \"b\": \"x\"}, \"org\": \"{lower:$a}-{$b}\", "
			      "\"twins\": []}",
			      "a=ACME"),
		     0));
	expect_text(m->org, "acme-x");
}

static void refused(const char *rule, const char *what)
{
	char expected[600];

	snprintf(expected, sizeof expected, "%s: %s", file, what);
	cr_expect(eq(int, open_rule(rule), ERR_REFUSED), "%s", rule);
	expect_text(note.text, expected);
}

#define RULE "{\"table\": \"things.csv\", \"id\": \"acme/{name}\", \"type\": \"t\", "

Test(mapping, what_is_wrong_in_a_rule_is_named_with_the_way_to_it)
{
	refused("{\"type\": \"t\"}", "twins[0]: the key \"id\" is missing");
	refused("{\"id\": 3, \"type\": \"t\"}", "twins[0].id: a text is expected here");
	refused("{\"id\": \"acme/x\"}", "twins[0]: exactly one of \"type\" and \"kind\" is needed");
	refused("{\"id\": \"acme/x\", \"type\": \"u\"}", "twins[0].type: no type u");
	refused("{\"id\": \"acme/{x}\", \"type\": \"t\"}",
		"twins[0].id: {x}: there is no row here, only variables: {$x}?");
	refused("{\"id\": \"acme/{$id}\", \"type\": \"t\"}", "twins[0].id: {$id}: the id is not known here");
	refused("{\"id\": \"acme/x\", \"type\": \"t\", \"life\": \"gone\"}",
		"twins[0].life: gone is no life-cycle state");
	refused("{\"id\": \"acme/x\", \"type\": \"t\", \"joins\": [{}]}",
		"twins[0].joins: a join needs a table to join to");
	refused("{\"table\": \"/etc/passwd\", \"id\": \"acme/x\", \"type\": \"t\"}",
		"twins[0].table: /etc/passwd is no file below the directory");
	refused("{\"table\": \"../x\", \"id\": \"acme/x\", \"type\": \"t\"}",
		"twins[0].table: ../x is no file below the directory");
	refused(RULE "\"name\": \"{title}\"}", "twins[0].name: {title}: things.csv has no such column");
	refused(RULE "\"tags\": [{}]}", "twins[0].tags[0]: the key \"value\" is missing");
	refused(RULE "\"where\": [{\"value\": \"x\"}]}",
		"twins[0].where[0]: exactly one of \"is\" and \"is_not\" is needed");
	refused(RULE
		"\"joins\": [{\"as\": \"a.b\", \"table\": \"makers.csv\", \"on\": \"maker\", \"equals\": "
		"\"x\"}]}",
		"twins[0].joins[0].as: a word of letters, digits, - and _ is expected here");
	refused(RULE
		"\"joins\": [{\"as\": \"a\", \"table\": \"makers.csv\", \"on\": \"m\", \"equals\": \"x\"}]}",
		"twins[0].joins[0].on: makers.csv has no column m");
	refused(RULE "\"properties\": {\"q\": \"1\"}}", "twins[0].properties.q: type t has no property q");
	refused(RULE "\"properties\": {\"c\": {\"value\": \"x\", \"unit\": \"W\"}}}",
		"twins[0].properties.c.unit: only a property of type double has a unit to convert to, c is "
		"text");
	refused(RULE "\"relations\": [{\"type\": \"contains\"}]}",
		"twins[0].relations[0]: one of \"from\" and \"to\" is needed");
	refused(RULE "\"relations\": {}}", "twins[0].relations: a list is expected here");
	refused(RULE
		"\"series\": [{\"property\": \"s\", \"table\": \"use.csv\", \"column\": \"x\", \"time\": "
		"\"{name}\"}]}",
		"twins[0].series[0].time: {name}: use.csv has no such column");
}

Test(mapping, what_is_wrong_at_the_top_is_named_with_its_key)
{
	static const struct {
		const char *text, *set, *what;
	} rows[] = {
		{"[]", NULL, " an object is expected here"},
		{"{}", NULL, " the key \"org\" is missing"},
		{"{\"org\": \"acme\"}", NULL, " the key \"twins\" is missing"},
		{"{\"org\": \"a/b\", \"twins\": []}", NULL, " org: organisation 'a/b' must not contain '/'"},
		{"{\"org\": \"{$x}\", \"twins\": []}", NULL, " org: {$x}: no such variable"},
		{"{\"org\": \"acme\", \"vars\": {\"id\": \"x\"}}", NULL,
		 " vars.id: {$id} has a meaning of its own"},
		{"{\"org\": \"acme\", \"vars\": {\"a\": null}}", NULL,
		 " vars: a has no value: give --set a=VALUE"},
		{"{\"org\": \"acme\", \"twins\": {}}", NULL, " twins: a list is expected here"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char expected[600];
		snprintf(expected, sizeof expected, "%s:%s", file, rows[i].what);
		cr_expect(eq(int, open_map(rows[i].text, rows[i].set), ERR_REFUSED));
		expect_text(note.text, expected);
	}
	cr_expect(eq(int, open_map("{\"org\": \"acme\", \"twins\": [],}", NULL), ERR_REFUSED));
	cr_expect(eq(int, open_map("{\"org\": \"acme\", \"twins\": []}", "x=1"), ERR_REFUSED));
	cr_expect(eq(int, open_map("{\"org\": \"acme\", \"at\": \"x\", \"twins\": []}", NULL), ERR_REFUSED));
}
