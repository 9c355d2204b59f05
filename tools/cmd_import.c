/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "proto/unit.h"
#include "tools/change.h"
#include "tools/client.h"
#include "tools/import.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/progress.h"

static const struct flag import_flags[] = {
	{"map", "FILE.json", "mapping file: holon-map(5)", false},
	{"set", "NAME=VALUE", "value of a variable of the mapping", true},
	{"dry-run", NULL, "read and check everything, change nothing", false},
	{"strict", NULL, "send nothing and fail if anything has to be skipped", false},
	{0},
};

struct asking {
	struct context *ctx;
	enum status status; /* of a failure that has been said already */
};

static int find_type(void *ctx, const char *name, struct type_def *ret, struct err_note *note)
{
	struct asking *asking = ctx;

	asking->status = type_named(asking->ctx, name, ret, NULL);
	return asking->status == STATUS_OK ? 0 : FAIL_SAY(note, ERR_REFUSED, "unknown type %s", name);
}

static void tally_json(struct json *j, const char *key, const struct tally *t)
{
	json_open(j, key, '{');
	json_count(j, "changed", t->changed);
	json_count(j, "unchanged", t->unchanged);
	json_close(j);
}

static void rule_members(struct json *j, const struct rule_report *r)
{
	json_count(j, "rows", r->rows);
	json_count(j, "chosen", r->chosen);
	json_count(j, "skipped", r->skipped);
	tally_json(j, "twins", &r->twins);
	tally_json(j, "values", &r->values);
	tally_json(j, "relations", &r->relations);
	tally_json(j, "samples", &r->samples);
}

static void add_tally(struct tally *into, const struct tally *t)
{
	into->changed += t->changed;
	into->unchanged += t->unchanged;
}

static struct rule_report total(const struct import *im)
{
	struct rule_report sum = {0};

	for (size_t i = 0; i < im->mapping->n_rules; i++) {
		const struct rule_report *r = &im->rules[i];
		sum.rows += r->rows;
		sum.chosen += r->chosen;
		sum.skipped += r->skipped;
		add_tally(&sum.twins, &r->twins);
		add_tally(&sum.values, &r->values);
		add_tally(&sum.relations, &r->relations);
		add_tally(&sum.samples, &r->samples);
	}
	return sum;
}

static void skips_json(struct json *j, const struct import *im)
{
	json_open(j, "skipped", '[');
	for (size_t i = 0; i < im->n_skips; i++) {
		json_open(j, NULL, '{');
		json_text(j, "file", im->skips[i].file);
		json_count(j, "line", im->skips[i].line);
		json_text(j, "reason", im->skips[i].reason);
		json_close(j);
	}
	json_close(j);
}

static void report_json(const struct import *im, bool dry_run)
{
	const struct rule_report sum = total(im);
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_text(&j, "org", im->mapping->org);
	json_bool(&j, "dry_run", dry_run);
	tally_json(&j, "types", &im->types);
	json_open(&j, "rules", '[');
	for (size_t i = 0; i < im->mapping->n_rules; i++) {
		const struct rule *rule = &im->mapping->rules[i];
		json_open(&j, NULL, '{');
		json_text(&j, "rule", rule->name);
		json_text(&j, "table", rule->table ? rule->table->name : NULL);
		rule_members(&j, &im->rules[i]);
		json_close(&j);
	}
	json_close(&j);
	json_open(&j, "totals", '{');
	rule_members(&j, &sum);
	json_close(&j);
	skips_json(&j, im);
	json_close(&j);
}

/* `12 new, 3 there`, as far as there is something to say. */
static const char *tally_words(struct arena *a, const struct tally *t)
{
	if (t->unchanged == 0 && t->changed == 0)
		return "-";
	if (t->unchanged == 0 || t->changed == 0)
		return arena_print(a, "%s %s", human_count(a, t->changed + t->unchanged),
				   t->changed > 0 ? "new" : "there");
	return arena_print(a, "%s new, %s there", human_count(a, t->changed), human_count(a, t->unchanged));
}

static void report_row(struct table *table, const char *name, const struct rule_report *r)
{
	struct arena *a = table->arena;

	table_row(table, (const char *[]){name, human_count(a, r->rows), human_count(a, r->chosen),
					  human_count(a, r->skipped), tally_words(a, &r->twins),
					  tally_words(a, &r->relations), tally_words(a, &r->values),
					  tally_words(a, &r->samples)});
}

static void report_text(const struct import *im)
{
	struct table table = {.arena = im->arena, .n_columns = 8};
	const struct rule_report sum = total(im);

	table_row(&table, (const char *[]){"RULE", "ROWS", "CHOSEN", "SKIPPED", "TWINS", "RELATIONS",
					   "VALUES", "SAMPLES"});
	for (size_t i = 0; i < im->mapping->n_rules; i++)
		report_row(&table, im->mapping->rules[i].name, &im->rules[i]);
	report_row(&table, "total", &sum);
	table_print(&table, stdout);
	for (size_t i = 0; i < im->n_skips; i++) {
		const struct skip *skip = &im->skips[i];
		print_clean(stdout, skip->file);
		if (skip->line > 0)
			printf(":%u", skip->line);
		fputs(": ", stdout);
		print_clean(stdout, skip->reason);
		putchar('\n');
	}
}

static int send_plan(struct context *ctx, struct import *im, struct err_note *note)
{
	const size_t total_ops = im->twins.n + im->relations.n + im->values.n + im->n_series;
	struct progress progress;
	int r;

	progress_start(&progress, im->mapping->org, total_ops, false);
	r = import_send(im, ctx->client, &progress, note);
	progress_stop(&progress);
	return r;
}

static void book(struct import *im, const struct planned_list *list, size_t tally)
{
	for (size_t i = 0; i < list->n; i++)
		((struct tally *)(void *)((char *)&im->rules[list->items[i].rule] + tally))->changed++;
}

/* A dry run counts as changed whatever would be sent. */
static void book_plan(struct import *im)
{
	im->types.changed = im->mapping->n_types;
	book(im, &im->twins, offsetof(struct rule_report, twins));
	book(im, &im->values, offsetof(struct rule_report, values));
	book(im, &im->relations, offsetof(struct rule_report, relations));
	for (size_t i = 0; i < im->n_series; i++)
		im->rules[im->series[i].rule].samples.changed += im->series[i].n_samples;
}

/* Said before anything is sent: else the types would be there and everything else refused. */
static enum status check_owner(struct context *ctx, const char *org)
{
	struct control_request request = ask_for(CONTROL_STATUS);
	struct control_answer answer;
	const enum status status = ask(ctx, &request, &answer);

	if (status != STATUS_OK || strcmp(answer.status.org, org) == 0)
		return status;
	say("the mapping makes twins of %s, the node belongs to %s", org, answer.status.org);
	return STATUS_FAILED;
}

static enum status run_plan(struct context *ctx, struct import *im)
{
	const bool dry_run = flag_given(ctx, "dry-run"), strict = flag_given(ctx, "strict");
	struct err_note note = {0};
	size_t n_skips;
	int r = import_plan(im);
	enum status status;

	if (r < 0)
		return say_failed(r, NULL);
	n_skips = im->n_skips;
	if (dry_run)
		book_plan(im);
	if (!dry_run && !(strict && n_skips > 0)) {
		status = check_owner(ctx, im->mapping->org);
		if (status != STATUS_OK)
			return status;
		r = send_plan(ctx, im, &note);
	}
	if (ctx->json)
		report_json(im, dry_run);
	else
		report_text(im);
	if (r < 0)
		return say_failed(r, &note);
	return im->n_skips > n_skips || (strict && n_skips > 0) ? STATUS_FAILED : STATUS_OK;
}

static enum status import_run(struct context *ctx, int argc, char *const argv[])
{
	SCOPED(scope_mapping) struct mapping *mapping = NULL;
	struct asking asking = {.ctx = ctx};
	struct mapping_options options = {
		.file = flag_text(ctx, "map"), .dir = argv[0], .find_type = find_type, .ctx = &asking};
	struct err_note note = {0};
	enum status status;

	(void)argc;
	options.sets = flag_all(ctx, "set", &options.n_sets);
	if (!options.file) {
		say("usage: holon import csv --map FILE.json DIR");
		return STATUS_USAGE;
	}
	if (mapping_open(&mapping, ctx->arena, &options, &note) < 0) {
		status = say_usage(&note); /* also where a type was wanted that the node could not tell */
		return asking.status != STATUS_OK ? asking.status : status;
	}
	struct import im = {.arena = ctx->arena, .mapping = mapping};
	status = run_plan(ctx, &im);
	import_fini(&im);
	unit_fini();
	return status;
}

const struct verb cmd_import[] = {
	{.name = "import csv",
	 .args = "--map FILE.json DIR [--set NAME=VALUE]... [--dry-run] [--strict]",
	 .summary = "make twins of tables as a mapping file says",
	 .flags = import_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = import_run},
	{0},
};
