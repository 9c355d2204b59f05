/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/twin_show.h"

#include "proto/clock.h"
#include "tools/print.h"
#include "tools/show.h"
#include "tools/view_cells_text.h"

enum { PAGE = 1000, CELL_MAX = 72 };

const struct flag twin_list_flags[] = {
	{"tag", "TAG", "only twins with this tag", false},
	{"kind", "KIND", "only twins of this kind", false},
	{0},
};

static const struct life_step *present_life(const struct twin_def *t)
{
	return t->n_life > 0 ? &t->life[t->n_life - 1] : NULL;
}

static void twin_row(struct table *table, const struct twin_def *t)
{
	const struct life_step *life = present_life(t);

	table_row(table, (const char *[]){t->id, kind_text(t->kind), t->type,
					  life ? life_cycle_text(life->state) : "",
					  words_joined(table->arena, t->tags, t->n_tags), t->name});
}

static void twin_rows(struct context *ctx, struct json *j, struct table *table,
		      const struct control_answer *answer)
{
	for (size_t i = 0; i < answer->n_twins; i++) {
		if (!ctx->json) {
			twin_row(table, &answer->twins[i]);
			continue;
		}
		json_open(j, NULL, '{');
		show_twin_members(j, &answer->twins[i]);
		json_close(j);
	}
}

/* Ask page after page and print the twins as one document or one table. */
static enum status list_twins(struct context *ctx, struct control_request *request)
{
	struct table table = {.arena = ctx->arena, .n_columns = 6};
	struct json j = {.out = stdout};
	struct control_answer answer;
	enum status status;

	table_row(&table, (const char *[]){"TWIN", "KIND", "TYPE", "LIFE", "TAGS", "NAME"});
	do {
		status = ask(ctx, request, &answer);
		if (status != STATUS_OK)
			return status;
		if (ctx->json && j.depth == 0) {
			json_open(&j, NULL, '{');
			json_open(&j, "twins", '[');
		}
		twin_rows(ctx, &j, &table, &answer);
		if (answer.n_twins > 0)
			request->after = answer.twins[answer.n_twins - 1].id;
	} while (answer.more && answer.n_twins > 0);
	while (j.depth > 0)
		json_close(&j);
	if (!ctx->json)
		table_print(&table, stdout);
	return STATUS_OK;
}

enum status twin_list_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_TWIN_LIST);
	const char *kind = flag_text(ctx, "kind"), *tag = flag_text(ctx, "tag");

	request.prefix = argc > 0 ? argv[0] : "";
	request.tag = tag ? tag : "";
	request.limit = PAGE;
	if (kind && !kind_parse(kind, &request.kind)) {
		say("--kind: %s is none of component, asset, system, process, system-of-systems, environment",
		    kind);
		return STATUS_USAGE;
	}
	request.has_kind = kind != NULL;
	return list_twins(ctx, &request);
}

const struct flag twin_find_flags[] = {{"alias", "ALIAS", "the foreign identifier", false}, {0}};

enum status twin_find_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_TWIN_FIND);

	(void)argc, (void)argv;
	request.alias = flag_text(ctx, "alias");
	if (!request.alias) {
		say("which alias? holon twin find --alias ALIAS");
		return STATUS_USAGE;
	}
	return list_twins(ctx, &request);
}

static void value_json(struct json *j, const char *twin, const struct kpi *v)
{
	json_open(j, NULL, '{');
	if (twin)
		json_text(j, "twin", twin);
	json_text(j, "property", v->property);
	json_text(j, "unit", v->unit);
	show_sample_members(j, &v->sample);
	json_close(j);
}

/* What is known of the twin's present state: of an own twin from its definition and row, of a foreign one its
 * row. */
static void state_members(struct json *j, const struct control_answer *answer,
			  const struct control_request *request)
{
	const struct life_step *life = answer->n_twins > 0 ? present_life(&answer->twins[0]) : NULL;
	const struct row *r = &answer->row;

	json_bool(j, "own", answer->n_twins > 0);
	if (request->has_as_of)
		json_time(j, "as_of", request->as_of_ns);
	json_text(j, "life_cycle", life_cycle_text(life ? life->state : r->life));
	if (!request->has_as_of)
		json_text(j, "health", health_text(r->id ? r->health : HEALTH_UNKNOWN));
	if (r->id && !request->has_as_of)
		show_row_alarms(j, r);
	if (r->id)
		show_row_parents(j, r);
}

static void twin_json(const struct control_answer *answer, const struct control_request *request)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	if (answer->n_twins > 0)
		show_twin_members(&j, &answer->twins[0]);
	else
		show_row_members(&j, &answer->row);
	state_members(&j, answer, request);
	json_open(&j, "properties", '[');
	for (size_t i = 0; i < answer->n_values; i++)
		value_json(&j, NULL, &answer->values[i]);
	json_close(&j);
	show_steps(&j, answer);
	show_relations(&j, answer);
	json_close(&j);
}

static void line(const char *what, const char *text)
{
	if (!text || !*text)
		return;
	printf("%-10s", what);
	print_clean(stdout, text);
	putchar('\n');
}

/* A value of 4 KiB must not push the times off the screen; `twin get TWIN PROPERTY` prints all of it. */
static const char *shortened(struct arena *a, const char *text)
{
	size_t n = 0;

	if (text_width(text) <= CELL_MAX)
		return text;
	for (size_t width = 0; width < CELL_MAX - 2; n++)
		width += ((unsigned char)text[n + 1] & 0xc0) != 0x80;
	const char *cut = arena_print(a, "%.*s...", (int)n, text);
	return cut ? cut : "";
}

/* The value of PREFIX + NAME; NULL: there is none. */
static const struct kpi *value_beside(const struct control_answer *answer, enum property_made made,
				      const char *name)
{
	const char *prefix = made_text(made);
	const size_t n = strlen(prefix);

	for (size_t i = 0; i < answer->n_values; i++) {
		const char *property = answer->values[i].property;
		if (strncmp(property, prefix, n) == 0 && strcmp(property + n, name) == 0)
			return &answer->values[i];
	}
	return NULL;
}

/* `desired/NAME` and `settle/NAME` stand in the line of NAME. */
static bool is_beside(const struct control_answer *answer, const struct kpi *v)
{
	static const enum property_made shown[] = {MADE_DESIRED, MADE_SETTLE};

	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
		const size_t n = strlen(made_text(shown[i]));
		if (strncmp(v->property, made_text(shown[i]), n) != 0)
			continue;
		for (size_t k = 0; k < answer->n_values; k++)
			if (strcmp(answer->values[k].property, v->property + n) == 0)
				return true;
	}
	return false;
}

static enum paint settle_paint(const char *text)
{
	if (strncmp(text, "converged", 9) == 0)
		return PAINT_GOOD;
	return strncmp(text, "overdue", 7) == 0 ? PAINT_ALARM : PAINT_WARNING;
}

static void desired_cells(struct table *table, const struct control_answer *answer, const struct kpi *v)
{
	const struct kpi *desired = value_beside(answer, MADE_DESIRED, v->property);
	const struct kpi *settle = value_beside(answer, MADE_SETTLE, v->property);
	const bool is_wanted = desired && desired->sample.value.type != VALUE_NONE;
	const bool is_told = settle && settle->sample.value.type == VALUE_TEXT;

	table_cell(table, PAINT_PLAIN,
		   is_wanted ? shortened(table->arena, sample_words(table->arena, &desired->sample, v->unit))
			     : "");
	table_cell(table, is_told ? settle_paint(settle->sample.value.text) : PAINT_PLAIN,
		   is_told ? settle->sample.value.text : "");
}

static void values_text(struct arena *a, const struct control_answer *answer)
{
	struct table table = {.arena = a};
	char at[TIME_TEXT_SIZE];
	bool settable = false;

	for (size_t i = 0; i < answer->n_values; i++)
		settable |= is_beside(answer, &answer->values[i]);
	table.n_columns = settable ? 5 : 3;
	table_row(&table, (const char *[]){"PROPERTY", "VALUE", "MEASURED", "DESIRED", "SETTLED"});
	for (size_t i = 0; i < answer->n_values; i++) {
		const struct kpi *v = &answer->values[i];
		const bool measured = v->sample.value.type != VALUE_NONE;
		if (is_beside(answer, v))
			continue;
		table_cell(&table, PAINT_PLAIN, v->property);
		table_cell(&table, PAINT_PLAIN, shortened(a, sample_words(a, &v->sample, v->unit)));
		table_cell(&table, PAINT_PLAIN,
			   measured ? arena_copy(a, time_text(v->sample.t_ns, at)) : "never");
		if (settable)
			desired_cells(&table, answer, v);
	}
	if (answer->n_values > 0)
		table_print(&table, stdout);
}

static void edges_text(const struct control_answer *answer)
{
	for (size_t i = 0; i < answer->n_relations; i++) {
		const struct relation *r = &answer->relations[i];
		print_clean(stdout, r->from);
		printf(" --%s--> ", r->type);
		print_clean(stdout, r->to);
		putchar('\n');
	}
	for (size_t i = 0; i < answer->n_memberships; i++) {
		const struct membership *m = &answer->memberships[i];
		printf("member of ");
		print_clean(stdout, m->parent);
		printf(" in %s: %s\n", m->hierarchy, confirmation_text(m->state));
	}
}

/* `temperature: high-alarm since 2026-11-22T08:00:00Z, acknowledged` */
static void alarms_text(const struct row *r)
{
	char since[TIME_TEXT_SIZE];

	for (size_t i = 0; i < r->n_alarms; i++) {
		const struct row_alarm *alarm = &r->alarms[i];
		printf("%-10s", "alarm");
		print_clean(stdout, alarm->name);
		fputs(": ", stdout);
		paint(stdout, alarm->state == ALARM_ACTIVE ? view_health_paint(alarm->severity) : PAINT_DIM,
		      alarm->what);
		printf(" since %s, %s\n", time_text(alarm->since_ns, since), alarm_state_text(alarm->state));
	}
}

static void health_line(enum health health)
{
	printf("%-10s", "health");
	paint(stdout, view_health_paint(health), health_text(health));
	putchar('\n');
}

static void twin_text(struct arena *a, const struct control_answer *answer, bool past)
{
	const struct twin_def *t = answer->n_twins > 0 ? &answer->twins[0] : NULL;
	const struct row *r = &answer->row;
	const struct life_step *life = t ? present_life(t) : NULL;

	paint(stdout, PAINT_BOLD, t ? t->id : r->id);
	putchar('\n');
	line("name", t ? t->name : r->name);
	line("kind", kind_text(t ? t->kind : r->kind));
	line("type", t ? t->type : r->type);
	line("life", life_cycle_text(life ? life->state : r->life));
	if (r->id && !past) {
		health_line(r->health);
		alarms_text(r);
	}
	line("tags", t ? words_joined(a, t->tags, t->n_tags) : words_joined(a, r->tags, r->n_tags));
	for (size_t i = 0; t && i < t->n_aliases; i++)
		line("alias", t->aliases[i]);
	values_text(a, answer);
	steps_text(answer);
	edges_text(answer);
}

static enum status one_value(struct context *ctx, const char *id, const char *property,
			     const struct control_answer *answer)
{
	struct json j = {.out = stdout};

	for (size_t i = 0; i < answer->n_values; i++) {
		const struct kpi *v = &answer->values[i];
		if (strcmp(v->property, property) != 0)
			continue;
		if (ctx->json) {
			value_json(&j, id, v);
		} else {
			print_clean(stdout, sample_words(ctx->arena, &v->sample, v->unit));
			putchar('\n');
		}
		return STATUS_OK;
	}
	say("%s has no property %s, or it is not shared with you", id, property);
	return STATUS_FAILED;
}

const struct flag twin_get_flags[] = {{"as-of", "TIME", "as it was then; own twins only", false}, {0}};

enum status twin_get_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_TWIN_GET);
	struct err_note note = {0};
	struct control_answer answer;
	enum status status;

	request.twin = argv[0];
	request.property = argc > 1 ? argv[1] : "";
	request.has_as_of = flag_given(ctx, "as-of");
	if (flag_time(ctx, "as-of", 0, &request.as_of_ns, &note) < 0)
		return say_usage(&note);
	status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (answer.n_twins == 0 && !answer.row.id) {
		say("there is no twin %s", argv[0]);
		return STATUS_FAILED;
	}
	if (argc > 1)
		return one_value(ctx, argv[0], argv[1], &answer);
	if (ctx->json)
		twin_json(&answer, &request);
	else
		twin_text(ctx->arena, &answer, request.has_as_of);
	return STATUS_OK;
}
