/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "tools/change.h"
#include "tools/fields.h"
#include "tools/print.h"
#include "tools/show.h"

static void type_json(struct json *j, const struct type_def *t)
{
	json_open(j, NULL, '{');
	show_type_members(j, t);
	json_close(j);
}

static enum status list_run(struct context *ctx, int argc, char *const argv[])
{
	struct table table = {.arena = ctx->arena, .n_columns = 4};
	struct control_request request = ask_for(CONTROL_TYPE_LIST);
	struct json j = {.out = stdout};
	struct control_answer answer;
	const enum status status = ask(ctx, &request, &answer);

	(void)argc, (void)argv;
	if (status != STATUS_OK)
		return status;
	if (ctx->json) {
		json_open(&j, NULL, '{');
		json_open(&j, "types", '[');
		for (size_t i = 0; i < answer.n_types; i++)
			type_json(&j, &answer.types[i]);
		json_close(&j);
		json_close(&j);
		return STATUS_OK;
	}
	table_row(&table, (const char *[]){"TYPE", "VERSION", "KIND", "PROPERTIES"});
	for (size_t i = 0; i < answer.n_types; i++) {
		const struct type_def *t = &answer.types[i];
		table_row(&table,
			  (const char *[]){t->name, human_count(ctx->arena, t->version), kind_text(t->kind),
					   human_count(ctx->arena, t->n_properties)});
	}
	table_print(&table, stdout);
	return STATUS_OK;
}

static const char *range_words(struct arena *a, const struct property_def *p)
{
	if (p->n_options > 0)
		return words_joined(a, p->options, p->n_options);
	if (isnan(p->min) && isnan(p->max))
		return "";
	if (isnan(p->max))
		return arena_print(a, ">= %s", human_number(a, p->min));
	if (isnan(p->min))
		return arena_print(a, "<= %s", human_number(a, p->max));
	return arena_print(a, "%s .. %s", human_number(a, p->min), human_number(a, p->max));
}

static const char *kept_words(struct arena *a, const struct type_def *t, const struct property_def *p)
{
	const struct retention r = property_retention(t, p);
	char raw[DURATION_TEXT_SIZE], minute[DURATION_TEXT_SIZE], hour[DURATION_TEXT_SIZE];
	const char *text;

	if (r.raw_ns == 0)
		return "";
	text = arena_print(
		a, "%s%s%s%s%s", duration_exact(r.raw_ns, raw), r.minute_ns > 0 ? ", minutes " : "",
		r.minute_ns > 0 ? duration_exact(r.minute_ns, minute) : "", r.hour_ns > 0 ? ", hours " : "",
		r.hour_ns > 0 ? duration_exact(r.hour_ns, hour) : "");
	return text ? text : "";
}

/* Where an effective property comes from: "desired", "alarm", ... */
static const char *source_words(struct arena *a, const struct type_def *declared,
				const struct property_def *p)
{
	const char *made = made_text(p->made);

	if (p->made != MADE_DECLARED)
		return arena_print(a, "%.*s", (int)strcspn(made, "/"), made);
	return type_property(declared, p->name, NULL) ? "" : "inherited";
}

/* ---- What its twins do by themselves */

static void row_unless_empty(struct table *table, const char *what, const char *name, const char *text)
{
	if (text && *text)
		table_row(table, (const char *[]){what, name, text});
}

static void behaviour_text(struct arena *a, const struct type_def *t)
{
	struct table table = {.arena = a, .n_columns = 3};

	for (size_t i = 0; i < t->n_properties; i++) {
		const struct property_def *p = &t->properties[i];
		row_unless_empty(&table, "limits", p->name, limits_words(a, p->limits));
		row_unless_empty(&table, "steps", p->name, steps_words(a, p));
		row_unless_empty(&table, "settles", p->name, settle_words(a, p));
	}
	for (size_t i = 0; i < t->n_alarms; i++)
		row_unless_empty(&table, "alarm", t->alarms[i].name, alarm_words(a, &t->alarms[i]));
	for (size_t i = 0; i < t->n_operations; i++)
		row_unless_empty(&table, "operation", t->operations[i].name,
				 operation_words(a, &t->operations[i]));
	row_unless_empty(&table, "health", "of members", health_rule_words(a, &t->health));
	table_print(&table, stdout);
}

static void type_text(struct arena *a, const struct type_def *t, const struct type_def *declared)
{
	struct table table = {.arena = a, .n_columns = 7};

	paint(stdout, PAINT_BOLD, t->name);
	printf(" version %u, %s%s%s\n", t->version, kind_text(t->kind), *t->parent ? ", extends " : "",
	       t->parent);
	table_row(&table, (const char *[]){"PROPERTY", "TYPE", "UNIT", "KPI", "RANGE", "KEPT", "FROM"});
	for (size_t i = 0; i < t->n_properties; i++) {
		const struct property_def *p = &t->properties[i];
		table_row(&table, (const char *[]){p->name, value_type_text(p->type), p->unit,
						   p->kpi ? "kpi" : "", range_words(a, p),
						   kept_words(a, t, p), source_words(a, declared, p)});
	}
	if (t->n_properties > 0)
		table_print(&table, stdout);
	behaviour_text(a, t);
}

/* As it was declared, which apply reads, and with that as it takes effect. */
static void both_json(const struct type_def *t, const struct type_def *declared)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	show_type_members(&j, declared);
	json_open(&j, "effective", '{');
	show_retention(&j, "retention", &t->retention);
	show_properties(&j, t);
	show_behaviour(&j, t);
	json_close(&j);
	json_close(&j);
}

static enum status get_run(struct context *ctx, int argc, char *const argv[])
{
	struct type_def type, declared;
	enum status status = type_named(ctx, argv[0], &type, &declared);

	(void)argc;
	if (status != STATUS_OK)
		return status;
	if (ctx->json)
		both_json(&type, &declared);
	else
		type_text(ctx->arena, &type, &declared);
	return STATUS_OK;
}

const struct verb cmd_type[] = {
	{.name = "type list", .args = "", .summary = "list the types of the node", .run = list_run},
	{.name = "type get",
	 .args = "TYPE",
	 .summary = "show a type with its properties, as declared and as it takes effect",
	 .min_args = 1,
	 .max_args = 1,
	 .run = get_run},
	{0},
};
