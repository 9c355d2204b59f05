/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to machines that the node keeps: holon-adapter(1). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/clock.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/verb.h"

enum { LETTER_SHOWN = 60, PAYLOAD_READ_MAX = 1024 * 1024 };

/* ---- add, rm ---------------------------------------------------------------------------------------------
 */

static enum status add_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_ADAPTER_PUT);
	struct control_answer answer;
	struct err_note note = {0};
	struct bytes text;

	(void)argc;
	request.name = argv[0];
	request.dry_run = flag_given(ctx, "dry-run");
	const int r = read_file(ctx->arena, argv[1], ADAPTER_MAX, &text, &note);
	if (r < 0)
		return say_failed(r, &note);
	request.text = (const char *)text.data;
	if (strlen(request.text) != text.len)
		return say_usage(&(struct err_note){"the configuration has a NUL in it"});
	const enum status status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (ctx->json)
		printf("{\"adapter\":\"%s\",\"changed\":%s,\"dry_run\":%s}\n", argv[0],
		       answer.n_changed ? "true" : "false", request.dry_run ? "true" : "false");
	else
		printf("%s: %s%s\n", argv[0], answer.text, request.dry_run ? " (nothing was done)" : "");
	return STATUS_OK;
}

static enum status rm_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_ADAPTER_DROP);
	struct control_answer answer;

	(void)argc;
	request.name = argv[0];
	const enum status status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (ctx->json)
		printf("{\"adapter\":\"%s\",\"removed\":true}\n", argv[0]);
	else
		printf("%s: removed; what it brought stays\n", argv[0]);
	return STATUS_OK;
}

/* ---- list, show ------------------------------------------------------------------------------------------
 */

static uint64_t counter(const struct adapter_info *i, const char *name)
{
	for (size_t k = 0; k < i->n_counters; k++)
		if (strcmp(i->counters[k].name, name) == 0)
			return i->counters[k].value;
	return 0;
}

static enum paint state_paint(const char *state)
{
	if (strcmp(state, "connected") == 0)
		return PAINT_GOOD;
	return strcmp(state, "connecting") == 0 ? PAINT_PLAIN : PAINT_WARNING;
}

static const char *since_words(struct arena *a, int64_t since_ns, int64_t now_ns)
{
	char text[DURATION_TEXT_SIZE];

	return arena_copy(a, duration_text(now_ns > since_ns ? now_ns - since_ns : 0, text));
}

static void list_text(const struct context *ctx, const struct control_answer *answer)
{
	struct arena *a = ctx->arena;
	struct table table = {.arena = a, .width = terminal_width(stdout)};
	static const struct {
		const char *heading, *counter;
	} counters[] = {{"MESSAGES", "messages"}, {"SAMPLES", "samples"}, {"DEAD", "dead-letters"},
			{"ORDERS", "orders"},     {"WORDS", "words"},     {"OUT", "published"}};

	table_column(&table, COLUMN_LEFT, "ADAPTER");
	table_column(&table, COLUMN_LEFT, "KIND");
	table_column(&table, COLUMN_LEFT, "STATE");
	table_column(&table, COLUMN_RIGHT, "SINCE");
	for (size_t k = 0; k < sizeof counters / sizeof *counters; k++)
		table_column(&table, COLUMN_RIGHT, counters[k].heading);
	table_column(&table, COLUMN_GIVES, "WHY");
	for (size_t i = 0; i < answer->n_adapters; i++) {
		const struct adapter_info *x = &answer->adapters[i];
		table_cell(&table, PAINT_BOLD, x->name);
		table_cell(&table, PAINT_PLAIN, x->kind[0] ? x->kind : "-");
		table_cell(&table, state_paint(x->state), x->state);
		table_cell(&table, PAINT_PLAIN, since_words(a, x->since_ns, ctx->now_ns));
		for (size_t k = 0; k < sizeof counters / sizeof *counters; k++)
			table_cell(&table, PAINT_PLAIN, human_count(a, counter(x, counters[k].counter)));
		table_cell(&table, PAINT_PLAIN, x->text[0] ? x->text : "-");
	}
	table_print(&table, stdout);
}

static void adapter_json(struct json *j, const struct adapter_info *i, const char *text)
{
	json_open(j, NULL, '{');
	json_text(j, "adapter", i->name);
	json_text(j, "kind", i->kind);
	json_text(j, "state", i->state);
	json_text(j, "why", i->text);
	json_time(j, "since", i->since_ns);
	json_open(j, "counters", '{');
	for (size_t k = 0; k < i->n_counters; k++)
		json_count(j, i->counters[k].name, i->counters[k].value);
	json_close(j);
	if (text)
		json_text(j, "configuration", text);
	json_close(j);
}

static enum status list_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_ADAPTERS);
	struct json j = {.out = stdout};
	struct control_answer answer;
	const enum status status = ask(ctx, &request, &answer);

	(void)argc, (void)argv;
	if (status != STATUS_OK)
		return status;
	if (!ctx->json) {
		list_text(ctx, &answer);
		return STATUS_OK;
	}
	json_open(&j, NULL, '{');
	json_open(&j, "adapters", '[');
	for (size_t i = 0; i < answer.n_adapters; i++)
		adapter_json(&j, &answer.adapters[i], NULL);
	json_close(&j);
	json_close(&j);
	return STATUS_OK;
}

static void show_text(const struct context *ctx, const struct adapter_info *i, const char *text)
{
	printf("%s: %s, ", i->name, i->kind[0] ? i->kind : "no kind");
	paint(stdout, state_paint(i->state), i->state);
	printf(" for %s", since_words(ctx->arena, i->since_ns, ctx->now_ns));
	printf("%s", i->text[0] ? ": " : "");
	print_clean(stdout, i->text);
	printf("\n");
	for (size_t k = 0; k < i->n_counters; k++)
		printf("  %-14s %12s\n", i->counters[k].name, human_count(ctx->arena, i->counters[k].value));
	for (const char *line = text; *line;) {
		const size_t n = strcspn(line, "\n");
		print_clean(stdout, arena_text(ctx->arena, (struct bytes){(const uint8_t *)line, n}));
		printf("\n");
		line += n + (line[n] == '\n');
	}
}

static enum status show_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_ADAPTERS);
	struct json j = {.out = stdout};
	struct control_answer answer;

	(void)argc;
	request.name = argv[0];
	const enum status status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (answer.n_adapters == 0)
		return say_failed(ERR_MALFORMED, NULL);
	if (ctx->json)
		adapter_json(&j, &answer.adapters[0], answer.text);
	else
		show_text(ctx, &answer.adapters[0], answer.text);
	return STATUS_OK;
}

/* ---- dead, try -------------------------------------------------------------------------------------------
 */

static const char *payload_words(struct arena *a, struct bytes payload, size_t most)
{
	const size_t n = payload.len < most ? payload.len : most;
	char *text = arena_text(a, (struct bytes){payload.data, n});

	for (size_t i = 0; text && i < n; i++)
		text[i] = (unsigned char)text[i] < ' ' || (unsigned char)text[i] > '~' ? '.' : text[i];
	return !text || n == 0 ? "-" : text;
}

static void letters_text(struct arena *a, const struct control_answer *answer)
{
	struct table table = {.arena = a, .width = terminal_width(stdout)};
	char at[TIME_TEXT_SIZE];

	table_column(&table, COLUMN_LEFT, "LAST");
	table_column(&table, COLUMN_LEFT, "ADAPTER");
	table_column(&table, COLUMN_RIGHT, "COUNT");
	table_column(&table, COLUMN_GIVES, "SOURCE");
	table_column(&table, COLUMN_GIVES, "REASON");
	table_column(&table, COLUMN_SPARE, "PAYLOAD");
	for (size_t i = 0; i < answer->n_letters; i++) {
		const struct dead_letter *l = &answer->letters[i];
		table_cell(&table, PAINT_PLAIN, arena_copy(a, time_text(l->t_ns - l->t_ns % NS_PER_S, at)));
		table_cell(&table, PAINT_PLAIN, l->adapter);
		table_cell(&table, PAINT_PLAIN, human_count(a, l->count));
		table_cell(&table, PAINT_PLAIN, l->source);
		table_cell(&table, PAINT_PLAIN, l->reason);
		table_cell(&table, PAINT_PLAIN, payload_words(a, l->payload, LETTER_SHOWN));
	}
	table_print(&table, stdout);
}

static void letters_json(struct arena *a, struct json *j, const struct control_answer *answer)
{
	json_open(j, "letters", '[');
	for (size_t i = 0; i < answer->n_letters; i++) {
		const struct dead_letter *l = &answer->letters[i];
		json_open(j, NULL, '{');
		json_time(j, "last", l->t_ns);
		json_text(j, "adapter", l->adapter);
		json_count(j, "count", l->count);
		json_text(j, "source", l->source);
		json_text(j, "reason", l->reason);
		json_text(j, "payload", payload_words(a, l->payload, l->payload.len));
		json_close(j);
	}
	json_close(j);
}

static enum status dead_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_LETTERS);
	struct json j = {.out = stdout};
	struct control_answer answer;
	struct err_note note = {0};

	request.name = argc > 0 ? argv[0] : "";
	if (flag_count(ctx, "limit", 100, &request.limit, &note) < 0)
		return say_usage(&note);
	const enum status status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (!ctx->json) {
		letters_text(ctx->arena, &answer);
		return STATUS_OK;
	}
	json_open(&j, NULL, '{');
	letters_json(ctx->arena, &j, &answer);
	json_close(&j);
	return STATUS_OK;
}

/* By the configuration that the adapter has, or by one that is only tried. */
static enum status try_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_ADAPTER_TRY);
	const char *map = flag_text(ctx, "config");
	struct control_answer answer;
	struct err_note note = {0};
	struct bytes text;
	int r = 0;

	(void)argc;
	request.name = argv[0];
	request.prefix = argv[1];
	if (map && (r = read_file(ctx->arena, map, ADAPTER_MAX, &text, &note)) == 0)
		request.text = (const char *)text.data;
	if (r == 0)
		r = read_file(ctx->arena, argv[2], PAYLOAD_READ_MAX, &request.blob, &note);
	if (r < 0)
		return say_failed(r, &note);
	const enum status status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	fputs(answer.text, stdout);
	for (size_t i = 0; i < answer.n_letters; i++)
		say("%s", answer.letters[i].reason);
	return answer.n_letters > 0 ? STATUS_FAILED : STATUS_OK;
}

static const struct flag add_flags[] = {
	{.name = "dry-run", .help = "check it, do nothing"},
	{0},
};
static const struct flag dead_flags[] = {
	{.name = "limit", .arg = "N", .help = "at most N of them (100)"},
	{0},
};
static const struct flag try_flags[] = {
	{.name = "config", .arg = "FILE", .help = "by this configuration, not the one that NAME has"},
	{0},
};

const struct verb cmd_adapter[] = {
	{.name = "adapter add",
	 .args = "NAME FILE",
	 .summary = "connect to machines as a file says, or anew",
	 .flags = add_flags,
	 .min_args = 2,
	 .max_args = 2,
	 .run = add_run},
	{.name = "adapter list",
	 .args = "",
	 .summary = "show how the connections to machines stand",
	 .run = list_run},
	{.name = "adapter show",
	 .args = "NAME",
	 .summary = "show one with all its counters and its configuration",
	 .min_args = 1,
	 .max_args = 1,
	 .run = show_run},
	{.name = "adapter rm",
	 .args = "NAME",
	 .summary = "end a connection to machines",
	 .min_args = 1,
	 .max_args = 1,
	 .run = rm_run},
	{.name = "adapter dead",
	 .args = "[NAME]",
	 .summary = "show what could not be mapped or stored",
	 .flags = dead_flags,
	 .min_args = 0,
	 .max_args = 1,
	 .run = dead_run},
	{.name = "adapter try",
	 .args = "NAME TOPIC FILE",
	 .summary = "show what would become of a payload",
	 .flags = try_flags,
	 .min_args = 3,
	 .max_args = 3,
	 .run = try_run},
	{0},
};
