/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/command.h"
#include "tools/print.h"
#include "tools/show.h"

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
			show_type(&j, NULL, &answer.types[i]);
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

static void type_text(struct arena *a, const struct type_def *t)
{
	struct table table = {.arena = a, .n_columns = 5};

	paint(stdout, PAINT_BOLD, t->name);
	printf(" version %u, %s\n", t->version, kind_text(t->kind));
	table_row(&table, (const char *[]){"PROPERTY", "TYPE", "UNIT", "KPI", "RANGE"});
	for (size_t i = 0; i < t->n_properties; i++) {
		const struct property_def *p = &t->properties[i];
		table_row(&table, (const char *[]){p->name, value_type_text(p->type), p->unit,
						   p->kpi ? "kpi" : "", range_words(a, p)});
	}
	if (t->n_properties > 0)
		table_print(&table, stdout);
}

static enum status get_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_TYPE_GET);
	struct json j = {.out = stdout};
	struct control_answer answer;
	enum status status;

	(void)argc;
	request.name = argv[0];
	status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (answer.n_types == 0) {
		say("there is no type %s", argv[0]);
		return STATUS_FAILED;
	}
	if (ctx->json)
		show_type(&j, NULL, &answer.types[0]);
	else
		type_text(ctx->arena, &answer.types[0]);
	return STATUS_OK;
}

const struct command cmd_type[] = {
	{.name = "type list", .args = "", .summary = "list the types of the node", .run = list_run},
	{.name = "type get",
	 .args = "TYPE",
	 .summary = "show a type with its properties",
	 .min_args = 1,
	 .max_args = 1,
	 .run = get_run},
	{0},
};
