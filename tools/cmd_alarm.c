/* SPDX-License-Identifier: Apache-2.0 */
/* Alarms of twins: which stand, and what somebody does about them. */
#include "proto/clock.h"
#include "proto/id.h"
#include "tools/command_send.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/show.h"
#include "tools/verb.h"
#include "tools/view_cells_text.h"

enum { PAGE = 500, SHELVE_MAX_S = 7 * 86400 };

/* ---- list ------------------------------------------------------------------------------------------------
 */

static const struct flag list_flags[] = {
	{"open", NULL, "only those that nobody has acknowledged or shelved", false},
	{0},
};

struct alarm_list {
	struct context *ctx;
	struct twin_alarm *items;
	size_t n;
	bool open_only;
};

static int add(struct alarm_list *l, const struct twin_alarm *alarm)
{
	if (l->open_only && alarm->alarm.state != ALARM_ACTIVE)
		return 0;
	struct twin_alarm *place = arena_push(l->ctx->arena, &l->items, &l->n, sizeof *place);
	if (!place)
		return FAIL(-ENOMEM);
	*place = *alarm;
	return 0;
}

static enum status load(struct alarm_list *l, const char *prefix)
{
	struct control_request request = ask_for(CONTROL_TWIN_ALARMS);
	struct control_answer answer;

	request.prefix = prefix;
	request.limit = PAGE;
	do {
		const enum status status = ask(l->ctx, &request, &answer);
		if (status != STATUS_OK)
			return status;
		for (size_t i = 0; i < answer.n_twin_alarms; i++)
			if (add(l, &answer.twin_alarms[i]) < 0)
				return say_failed(-ENOMEM, NULL);
		request.after = arena_copy(l->ctx->arena, answer.text);
		if (!request.after)
			return say_failed(-ENOMEM, NULL);
	} while (answer.more);
	return STATUS_OK;
}

/* What wants somebody first: worst, not yet seen, latest. */
static int by_need(const void *a, const void *b)
{
	const struct twin_alarm *x = a, *y = b;

	if (x->alarm.severity != y->alarm.severity)
		return x->alarm.severity > y->alarm.severity ? -1 : 1;
	if (x->alarm.state != y->alarm.state)
		return x->alarm.state < y->alarm.state ? -1 : 1;
	if (x->alarm.since_ns != y->alarm.since_ns)
		return x->alarm.since_ns > y->alarm.since_ns ? -1 : 1;
	const int twins = strcmp(x->twin, y->twin);
	return twins != 0 ? twins : strcmp(x->alarm.name, y->alarm.name);
}

static void list_json(const struct alarm_list *l)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_open(&j, "alarms", '[');
	for (size_t i = 0; i < l->n; i++) {
		const struct twin_alarm *t = &l->items[i];
		json_open(&j, NULL, '{');
		json_text(&j, "twin", t->twin);
		json_text(&j, "owner", t->origin);
		show_alarm_members(&j, &t->alarm);
		json_text(&j, "who", t->who);
		json_time(&j, "until", t->until_ns == 0 ? TIME_MAX : t->until_ns);
		json_text(&j, "text", t->text);
		json_close(&j);
	}
	while (j.depth > 0)
		json_close(&j);
}

static const char *state_words(struct arena *a, const struct twin_alarm *t)
{
	char until[TIME_TEXT_SIZE];
	const char *state = alarm_state_text(t->alarm.state);

	if (t->until_ns != 0)
		state = arena_print(a, "%s until %s", state, time_text(t->until_ns, until));
	return state ? state : "";
}

static void list_text(const struct alarm_list *l)
{
	struct arena *a = l->ctx->arena;
	struct table table = {.arena = a, .width = terminal_width(stdout)};
	char since[TIME_TEXT_SIZE];

	table_column(&table, COLUMN_LEFT, "TWIN");
	table_column(&table, COLUMN_LEFT, "ALARM");
	table_column(&table, COLUMN_LEFT, "IS");
	table_column(&table, COLUMN_LEFT, "SINCE");
	table_column(&table, COLUMN_LEFT, "STATE");
	table_column(&table, COLUMN_LEFT, "WHO");
	table_column(&table, COLUMN_GIVES, "TEXT");
	for (size_t i = 0; i < l->n; i++) {
		const struct twin_alarm *t = &l->items[i];
		const bool open = t->alarm.state == ALARM_ACTIVE;
		table_cell(&table, PAINT_BOLD, t->twin);
		table_cell(&table, PAINT_PLAIN, t->alarm.name);
		table_cell(&table, open ? view_health_paint(t->alarm.severity) : PAINT_DIM, t->alarm.what);
		table_cell(&table, PAINT_PLAIN, arena_copy(a, time_text(t->alarm.since_ns, since)));
		table_cell(&table, open ? PAINT_BOLD : PAINT_PLAIN, state_words(a, t));
		table_cell(&table, PAINT_PLAIN, t->who);
		table_cell(&table, PAINT_DIM, t->text);
	}
	if (l->n > 0)
		table_print(&table, stdout);
	else
		puts(l->open_only ? "no alarm waits for anybody" : "no alarm stands");
}

static enum status list_run(struct context *ctx, int argc, char *const argv[])
{
	struct alarm_list l = {.ctx = ctx, .open_only = flag_given(ctx, "open")};
	const enum status status = load(&l, argc > 0 ? argv[0] : "");

	if (status != STATUS_OK)
		return status;
	if (l.n > 1)
		qsort(l.items, l.n, sizeof *l.items, by_need);
	if (ctx->json)
		list_json(&l);
	else
		list_text(&l);
	return STATUS_OK;
}

/* ---- ack, shelve -----------------------------------------------------------------------------------------
 */

static const struct flag ack_flags[] = {
	{"comment", "TEXT", "for those who read it later", false},
	COMMAND_FLAGS,
	{0},
};

static const struct flag shelve_flags[] = {
	{"for", "DURATION", "so long, a week at most (default: 8h)", false},
	{"end", NULL, "do not shelve it any longer", false},
	{"comment", "TEXT", "for those who read it later", false},
	COMMAND_FLAGS,
	{0},
};

static int check_names(char *const argv[], struct err_note *note)
{
	TRY(id_check_twin(argv[0], note));
	return id_check_name(argv[1], "alarm", note);
}

static struct argument text_argument(const char *name, const char *text)
{
	return (struct argument){.name = name, .value = {.type = VALUE_TEXT, .text = text ? text : ""}};
}

static enum status send_about(struct context *ctx, const char *operation, const char *twin,
			      struct argument *arguments, size_t n, const char *done)
{
	const struct command_wish wish = {
		.twin = twin, .operation = operation, .arguments = arguments, .n_arguments = n, .done = done};

	return command_send(ctx, &wish);
}

static enum status ack_run(struct context *ctx, int argc, char *const argv[])
{
	struct err_note note = {0};
	struct argument arguments[] = {text_argument("alarm", argv[1]),
				       text_argument("comment", flag_text(ctx, "comment"))};

	(void)argc;
	if (check_names(argv, &note) < 0)
		return say_usage(&note);
	return send_about(ctx, OPERATION_ACK, argv[0], arguments, 2, "acknowledged");
}

static enum status shelve_run(struct context *ctx, int argc, char *const argv[])
{
	const bool end = flag_given(ctx, "end");
	struct err_note note = {0};
	int64_t for_ns;

	(void)argc;
	if (check_names(argv, &note) < 0 ||
	    flag_duration(ctx, "for", 8 * 3600 * NS_PER_S, &for_ns, &note) < 0)
		return say_usage(&note);
	if (end && flag_given(ctx, "for")) {
		say("give one of --for, --end");
		return STATUS_USAGE;
	}
	if (!end && (for_ns < NS_PER_S || for_ns > SHELVE_MAX_S * NS_PER_S)) {
		say("--for: an alarm is shelved for a second up to a week");
		return STATUS_USAGE;
	}
	struct argument arguments[] = {
		text_argument("alarm", argv[1]),
		{.name = "for_s", .value = {.type = VALUE_DOUBLE, .real = end ? 0 : (double)for_ns / 1e9}},
		text_argument("comment", flag_text(ctx, "comment"))};
	return send_about(ctx, OPERATION_SHELVE, argv[0], arguments, 3,
			  end ? "not shelved any longer" : "shelved");
}

const struct verb cmd_alarm[] = {
	{.name = "alarm list",
	 .args = "[PREFIX] [--open]",
	 .summary = "list the alarms that stand, of own twins and of others that are held; the worst first",
	 .flags = list_flags,
	 .max_args = 1,
	 .run = list_run},
	{.name = "alarm ack",
	 .args = "TWIN ALARM [--comment TEXT] [--within DURATION] [--wait DURATION]",
	 .summary = "say that somebody has seen an alarm",
	 .flags = ack_flags,
	 .min_args = 2,
	 .max_args = 2,
	 .run = ack_run},
	{.name = "alarm shelve",
	 .args = "TWIN ALARM [--for DURATION | --end] [--comment TEXT] [--within DURATION] [--wait DURATION]",
	 .summary = "do not hear of an alarm for a while",
	 .flags = shelve_flags,
	 .min_args = 2,
	 .max_args = 2,
	 .run = shelve_run},
	{0},
};
