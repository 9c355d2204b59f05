/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/view_text.h"
#include "tools/change.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/saved_view.h"
#include "tools/view_flags.h"

enum { PAGE = 500, OPS = 3 };

const struct flag view_save_flags[] = {
	{"name", "NAME", "name for people", false}, VIEW_FLAGS, VIEW_TIME_FLAGS, {0}};

/* ---- Save */

static struct property_def question_property = {
	.name = SAVED_VIEW_PROPERTY, .type = VALUE_TEXT, .unit = "", .min = NAN, .max = NAN, .kpi = true};

/* The type, where the node has none of this name. */
static enum status type_op(struct context *ctx, struct op *ops, size_t *n)
{
	struct control_request request = ask_for(CONTROL_TYPE_GET);
	const struct property_def *p;
	struct control_answer answer;
	enum status status;

	request.name = SAVED_VIEW_TYPE;
	status = ask_frankly(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (answer.code < 0 || answer.n_types == 0) {
		ops[(*n)++] = (struct op){.kind = OP_TYPE,
					  .type = {.name = SAVED_VIEW_TYPE,
						   .parent = "",
						   .version = 1,
						   .kind = KIND_SYSTEM_OF_SYSTEMS,
						   .properties = &question_property,
						   .n_properties = 1}};
		return STATUS_OK;
	}
	p = type_property(&answer.types[0], SAVED_VIEW_PROPERTY, NULL);
	if (p && p->type == VALUE_TEXT && p->kpi)
		return STATUS_OK;
	say("this node has a type %s of its own that is no saved view: it needs %s, a text and KPI",
	    SAVED_VIEW_TYPE, SAVED_VIEW_PROPERTY);
	return STATUS_FAILED;
}

/* The twin, where there is none yet or its name is another from now on. */
static enum status twin_op(struct context *ctx, const char *id, struct op *ops, size_t *n)
{
	static struct life_step always = {LIFE_OPERATING, TIME_MIN};
	const char *name = flag_text(ctx, "name");
	struct twin_def twin = {.id = id,
				.type = SAVED_VIEW_TYPE,
				.kind = KIND_SYSTEM_OF_SYSTEMS,
				.name = "",
				.life = &always,
				.n_life = 1};
	const struct row *row;
	enum status status = saved_view_row(ctx, id, &row);

	if (status != STATUS_OK)
		return status;
	if (row && !row_is_saved_view(row)) {
		say("%s is there already, and no saved view: take another name", id);
		return STATUS_FAILED;
	}
	if (row && !name)
		return STATUS_OK;
	if (row)
		status = own_twin(ctx, id, &twin);
	if (status != STATUS_OK)
		return status;
	if (name)
		twin.name = name;
	ops[(*n)++] = (struct op){.kind = OP_TWIN, .twin = twin};
	return STATUS_OK;
}

static enum status save(struct context *ctx, const char *id, const char *question)
{
	struct sample sample = {.t_ns = ctx->now_ns,
				.value = {.type = VALUE_TEXT, .text = question},
				.quality = QUALITY_GOOD,
				.sigma = NAN};
	struct op ops[OPS];
	size_t n = 0;
	enum status status = type_op(ctx, ops, &n);

	if (status == STATUS_OK)
		status = twin_op(ctx, id, ops, &n);
	if (status != STATUS_OK)
		return status;
	ops[n++] = (struct op){.kind = OP_SAMPLES, .samples = {id, SAVED_VIEW_PROPERTY, &sample, 1}};
	return change(ctx, ops, n, NULL, CHANGE_SAFELY);
}

/* Words that follow `view` on a command line. */
static bool is_verb(const char *word)
{
	return strcmp(word, "save") == 0 || strcmp(word, "list") == 0 || strcmp(word, "show") == 0 ||
	       strcmp(word, "rm") == 0;
}

enum status view_save_run(struct context *ctx, int argc, char *const argv[])
{
	struct view_question q;
	const char *id, *text;
	enum status status;

	(void)argc;
	if (is_verb(argv[0])) {
		say("%s: a view of this name could not be called: take another", argv[0]);
		return STATUS_USAGE;
	}
	status = view_question_of(ctx, argv[1], &q);
	if (status == STATUS_OK)
		status = saved_view_id(ctx, argv[0], &id);
	if (status != STATUS_OK)
		return status;
	if (view_text_print(ctx->arena, &q, &text) < 0)
		return say_failed(-ENOMEM, NULL);
	if (strlen(text) > KPI_TEXT_MAX) {
		say("the question has %zu bytes as a text; at most %d can be saved: give a shorter --where "
		    "or fewer --rollup and --show",
		    strlen(text), KPI_TEXT_MAX);
		return STATUS_USAGE;
	}
	return save(ctx, id, text);
}

/* ---- List */

static const char *question_of(const struct view_member *m)
{
	for (size_t i = 0; i < m->n_values; i++)
		if (m->values[i].sample.value.type == VALUE_TEXT)
			return m->values[i].sample.value.text;
	return "";
}

static void list_page(struct context *ctx, struct json *j, struct table *table, const struct view_part *page)
{
	if (ctx->json && j->depth == 0) {
		json_open(j, NULL, '{');
		json_open(j, "views", '[');
	}
	for (size_t i = 0; i < page->n_members; i++) {
		const struct view_member *m = &page->members[i];
		if (!ctx->json) {
			table_row(table, (const char *[]){m->id, m->name, question_of(m)});
			continue;
		}
		json_open(j, NULL, '{');
		json_text(j, "id", m->id);
		json_text(j, "name", m->name);
		json_text(j, "question", question_of(m));
		json_close(j);
	}
}

/* Of all nodes whose summaries are held: saved views are few and change little. */
enum status view_list_run(struct context *ctx, int argc, char *const argv[])
{
	static const char *show[] = {SAVED_VIEW_PROPERTY};
	struct control_request request = ask_for(CONTROL_FIND);
	struct table table = {.arena = ctx->arena, .n_columns = 3, .width = terminal_width(stdout)};
	enum column columns[] = {COLUMN_LEFT, COLUMN_GIVES, COLUMN_GIVES};
	struct json j = {.out = stdout};
	struct control_answer answer;

	(void)argc, (void)argv;
	table.columns = columns;
	request.question = (struct view_question){.hierarchy = "",
						  .where = "type = " SAVED_VIEW_TYPE,
						  .by_property = "",
						  .show = show,
						  .n_show = 1,
						  .after = "",
						  .limit = PAGE,
						  .offline = true};
	table_row(&table, (const char *[]){"VIEW", "NAME", "QUESTION"});
	do {
		const enum status status = ask(ctx, &request, &answer);
		if (status != STATUS_OK)
			return status;
		list_page(ctx, &j, &table, &answer.view);
		if (answer.view.n_members > 0)
			request.question.after = answer.view.members[answer.view.n_members - 1].id;
	} while (answer.more && answer.view.n_members > 0);
	while (j.depth > 0)
		json_close(&j);
	if (!ctx->json)
		table_print(&table, stdout);
	return STATUS_OK;
}

/* ---- Show, remove */

/* Anything but STATUS_OK has been said. */
static enum status find_saved(struct context *ctx, const char *word, const struct row **ret)
{
	const char *id;
	enum status status = saved_view_id(ctx, word, &id);

	if (status == STATUS_OK)
		status = saved_view_row(ctx, id, ret);
	if (status != STATUS_OK || row_is_saved_view(*ret))
		return status;
	say(*ret ? "%s is no saved view" : "there is no saved view %s; see holon view list", id);
	return STATUS_FAILED;
}

enum status view_show_run(struct context *ctx, int argc, char *const argv[])
{
	struct json j = {.out = stdout};
	const struct row *row;
	const enum status status = find_saved(ctx, argv[0], &row);

	(void)argc;
	if (status != STATUS_OK)
		return status;
	const char *question = saved_view_question(row);
	if (ctx->json) {
		json_open(&j, NULL, '{');
		json_text(&j, "id", row->id);
		json_text(&j, "name", row->name);
		json_text(&j, "question", question);
		json_close(&j);
		return STATUS_OK;
	}
	if (!question) {
		say("the question of %s is not for you: ask its owner to share it", row->id);
		return STATUS_FAILED;
	}
	print_clean(stdout, question);
	fputc('\n', stdout);
	return STATUS_OK;
}

enum status view_rm_run(struct context *ctx, int argc, char *const argv[])
{
	const struct row *row;
	const enum status status = find_saved(ctx, argv[0], &row);

	(void)argc;
	return status == STATUS_OK ? change_one(ctx, (struct op){.kind = OP_TWIN_DELETE, .id = row->id})
				   : status;
}
