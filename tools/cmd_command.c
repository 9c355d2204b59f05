/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "security/sign.h"
#include "tools/change.h"
#include "tools/client.h"
#include "tools/command_args.h"
#include "tools/command_send.h"
#include "tools/command_show.h"
#include "tools/print.h"

enum { PAGE = 200, BUNDLES_MAX = 16, BUNDLE_MAX = 4 << 20, PERMIT_TIMES = 1 };

/* ---- send ------------------------------------------------------------------------------------------------
 */

/* Of the own organisation's twins the type is known here, of those of others it is the owner that judges. */
struct known_operation {
	struct operation_def def;
	bool is_known, is_own;
};

static enum status no_operation(struct context *ctx, const struct type_def *t, const char *name)
{
	const char *all = "";

	for (size_t i = 0; all && i < t->n_operations; i++)
		all = arena_print(ctx->arena, "%s%s%s", all, i > 0 ? ", " : "", t->operations[i].name);
	say("%s has no operation %s; it has %s", t->name, name, all && *all ? all : "none");
	return STATUS_FAILED;
}

static enum status find_operation(struct context *ctx, const char *twin, const char *name,
				  struct known_operation *ret)
{
	const struct operation_def *op = operation_built_in(name);
	struct control_request request = ask_for(CONTROL_TWIN_GET);
	struct control_answer answer;
	struct type_def type;

	*ret = (struct known_operation){.is_known = op != NULL};
	if (op) {
		ret->def = *op;
		return STATUS_OK;
	}
	request.twin = twin;
	enum status status = ask_frankly(ctx, &request, &answer);
	if (status != STATUS_OK || answer.code < 0 || answer.n_twins == 0 || !*answer.twins[0].type)
		return status;
	ret->is_own = true;
	status = type_named(ctx, answer.twins[0].type, &type, NULL);
	if (status != STATUS_OK)
		return status;
	op = type_operation(&type, name, NULL);
	if (!op)
		return no_operation(ctx, &type, name);
	ret->def = *op;
	ret->is_known = true;
	return STATUS_OK;
}

static const struct flag send_flags[] = {COMMAND_FLAGS, {0}};

static enum status send_run(struct context *ctx, int argc, char *const argv[])
{
	struct command_wish wish = {.twin = argv[0], .operation = argv[1], .n_arguments = (size_t)argc - 2};
	struct known_operation op;
	struct err_note note = {0};

	if (id_check_twin(argv[0], &note) < 0 || id_check_name(argv[1], "operation", &note) < 0)
		return say_usage(&note);
	const enum status status = find_operation(ctx, argv[0], argv[1], &op);
	if (status != STATUS_OK)
		return status;
	int r = command_args_read(ctx->arena, op.is_known ? &op.def : NULL, argv + 2, wish.n_arguments,
				  &wish.arguments, &note);
	if (r == 0 && op.is_known)
		r = command_fit(&op.def, wish.arguments, wish.n_arguments, &note);
	if (r < 0)
		return r == -ENOMEM ? say_failed(r, NULL) : say_usage(&note);
	wish.within_ns = op.is_known ? op.def.within_ns : 0;
	return command_send(ctx, &wish);
}

/* ---- confirm, refuse, permit
 * -------------------------------------------------------------------------------
 */

static int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int read_id(const char *text, uint8_t ret[COMMAND_ID_BYTES], struct err_note *note)
{
	if (command_id_parse(text, ret))
		return 0;
	return FAIL_SAY(note, ERR_REFUSED, "%.80s is no id of a command: it has %d hexadecimal digits", text,
			2 * COMMAND_ID_BYTES);
}

/* One record by its id. */
static enum status ask_record(struct context *ctx, const uint8_t id[COMMAND_ID_BYTES],
			      struct command_record *ret)
{
	struct control_request request = ask_for(CONTROL_COMMANDS);
	struct control_answer answer;
	char text[COMMAND_ID_TEXT_SIZE];

	request.blob = (struct bytes){id, COMMAND_ID_BYTES};
	request.limit = 1;
	const enum status status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (answer.n_commands == 0) {
		command_id_text(id, text);
		say("this node has no command %s: it is kept by the owner of the twin and by the node "
		    "through "
		    "which it was sent",
		    text);
		return STATUS_FAILED;
	}
	const int r = command_record_decode(ctx->arena, answer.commands[0], ret);
	return r < 0 ? say_failed(r, NULL) : STATUS_OK;
}

/* The twin that a command is about: said, or as the record has it. */
static enum status twin_of(struct context *ctx, const uint8_t id[COMMAND_ID_BYTES], const char **ret)
{
	struct command_record record;
	struct command c;

	*ret = flag_text(ctx, "twin");
	if (*ret)
		return STATUS_OK;
	const enum status status = ask_record(ctx, id, &record);
	if (status != STATUS_OK)
		return status;
	const int r = command_of_record(ctx->arena, &record, &c);
	*ret = r < 0 ? "" : c.twin;
	return r < 0 ? say_failed(r, NULL) : STATUS_OK;
}

static int show_answer(struct context *ctx, const struct command_record *record)
{
	struct json j = {.out = stdout};

	if (!ctx->json) {
		if (record->n_steps > 0)
			command_show_step(stdout, &record->steps[record->n_steps - 1]);
		else
			puts("taken");
		return 0;
	}
	json_open(&j, NULL, '{');
	TRY(command_show_members(&j, ctx->arena, record, NULL));
	json_close(&j);
	return 0;
}

/* Sign the permit and bring it to the owner of the twin. */
static enum status give(struct context *ctx, struct permit *p, const char *twin)
{
	SCOPED(buf_fini) struct buf plain = {0}, blob = {0};
	struct control_request request = ask_for(CONTROL_COMMAND_PERMIT);
	const struct errand *who = client_who(ctx->client);
	struct control_answer answer;
	struct command_record record;

	if (!who) {
		say("a permit is signed by a person: add --person DIR");
		return STATUS_USAGE;
	}
	p->by_org = who->org;
	p->person = who->person;
	p->issued_ns = wall_ns();
	permit_encode(p, &plain);
	client_sign(ctx->client, SIGN_PERMIT, buf_bytes(&plain), &blob);
	if (buf_check(&plain) < 0 || buf_check(&blob) < 0)
		return say_failed(-ENOMEM, NULL);
	request.name = twin;
	request.blob = buf_bytes(&blob);
	const enum status status = ask(ctx, &request, &answer);
	if (status != STATUS_OK || answer.n_commands == 0)
		return status;
	int r = command_record_decode(ctx->arena, answer.commands[0], &record);
	if (r == 0)
		r = show_answer(ctx, &record);
	return r < 0 ? say_failed(r, NULL) : STATUS_OK;
}

static const struct flag decide_flags[] = {
	{"twin", "TWIN", "the twin it is about, when this node does not know the command", false},
	{0},
};

static enum status decide(struct context *ctx, const char *id, bool refuse)
{
	struct permit p = {
		.has_id = true, .twin = "", .operation = "", .org = "", .times = 1, .refuse = refuse};
	struct err_note note = {0};
	const char *twin;

	if (read_id(id, p.id, &note) < 0)
		return say_usage(&note);
	enum status status = ask_open(ctx);
	if (status == STATUS_OK)
		status = twin_of(ctx, p.id, &twin);
	if (status != STATUS_OK)
		return status;
	p.twin = twin;
	return give(ctx, &p, twin);
}

static enum status confirm_run(struct context *ctx, int argc, char *const argv[])
{
	(void)argc;
	return decide(ctx, argv[0], false);
}

static enum status refuse_run(struct context *ctx, int argc, char *const argv[])
{
	(void)argc;
	return decide(ctx, argv[0], true);
}

static const struct flag permit_flags[] = {
	{"org", "ORG", "the organisation whose commands it is for", false},
	{"times", "N", "so many commands (default: 1)", false},
	{"for", "DURATION", "from now on for so long, at most 7d (default: 1d)", false},
	{0},
};

static enum status permit_run(struct context *ctx, int argc, char *const argv[])
{
	struct permit p = {.twin = argv[0], .operation = argv[1], .org = flag_text(ctx, "org")};
	const int64_t most = COMMAND_LIFE_MAX_S * NS_PER_S;
	struct err_note note = {0};
	int64_t life = 86400 * NS_PER_S;

	(void)argc;
	if (!p.org) {
		say("whose commands may be done? --org ORG");
		return STATUS_USAGE;
	}
	if (id_check_twin(p.twin, &note) < 0 || id_check_name(p.operation, "operation", &note) < 0 ||
	    id_check_segment(p.org, "organisation", ORG_NAME_MAX, &note) < 0 ||
	    flag_count(ctx, "times", PERMIT_TIMES, &p.times, &note) < 0 ||
	    flag_duration(ctx, "for", life, &life, &note) < 0)
		return say_usage(&note);
	if (life <= 0 || life > most || p.times == 0 || p.times > 100000) {
		say("a permit is for 1 to 100000 commands within at most 7d");
		return STATUS_USAGE;
	}
	const enum status status = ask_open(ctx);
	if (status != STATUS_OK)
		return status;
	p.until_ns = wall_ns() + life;
	return give(ctx, &p, p.twin);
}

/* ---- list, show
 * --------------------------------------------------------------------------------------------
 */

/* What the list shows of a record, whether a command or a standing permit. */
static int record_row(struct context *ctx, struct table *table, const struct command_record *r)
{
	const bool is_permit = r->permit.len > 0;
	char id[COMMAND_ID_TEXT_SIZE] = "-", at[TIME_TEXT_SIZE];
	const char *what = "a standing permit", *by = "";
	struct command c;

	if (!is_permit) {
		TRY(command_of_record(ctx->arena, r, &c));
		command_id_text(c.id, id);
		what = command_words(ctx->arena, &c);
		by = *c.person ? arena_print(ctx->arena, "%s/%s", c.org, c.person) : c.org;
	} else {
		what = command_permit_words(ctx->arena, r);
	}
	time_text(r->received_ns - r->received_ns % NS_PER_S, at);
	table_row(table, (const char *[]){arena_copy(ctx->arena, id), arena_copy(ctx->arena, at),
					  is_permit ? "permit" : command_state_text(command_record_state(r)),
					  by, what});
	return 0;
}

static int list_page(struct context *ctx, struct json *j, struct table *table,
		     const struct control_answer *answer, const char **ret_after)
{
	struct command_record record;

	for (size_t i = 0; i < answer->n_commands; i++) {
		TRY(command_record_decode(ctx->arena, answer->commands[i], &record));
		if (!ctx->json) {
			TRY(record_row(ctx, table, &record));
			continue;
		}
		json_open(j, NULL, '{');
		TRY(command_show_members(j, ctx->arena, &record, NULL));
		json_close(j);
	}
	*ret_after = answer->text;
	return 0;
}

static const struct flag list_flags[] = {{"limit", "N", "at most so many (default: 50)", false}, {0}};

static enum status list_run(struct context *ctx, int argc, char *const argv[])
{
	struct table table = {.arena = ctx->arena, .n_columns = 5, .width = terminal_width(stdout)};
	struct control_request request = ask_for(CONTROL_COMMANDS);
	struct json j = {.out = stdout};
	struct control_answer answer;
	struct err_note note = {0};
	uint32_t left = 50;

	if (flag_count(ctx, "limit", left, &left, &note) < 0)
		return say_usage(&note);
	request.twin = argc > 0 ? argv[0] : "";
	table_row(&table, (const char *[]){"ID", "SINCE", "STATE", "BY", "COMMAND"});
	if (ctx->json) {
		json_open(&j, NULL, '{');
		json_open(&j, "commands", '[');
	}
	do {
		request.limit = left < PAGE ? left : PAGE;
		const enum status status = ask(ctx, &request, &answer);
		if (status != STATUS_OK)
			return status;
		const int r = list_page(ctx, &j, &table, &answer, &request.after);
		if (r < 0)
			return say_failed(r, NULL);
		left -= answer.n_commands < left ? (uint32_t)answer.n_commands : left;
	} while (answer.more && left > 0);
	while (j.depth > 0)
		json_close(&j);
	if (!ctx->json)
		table_print(&table, stdout);
	return STATUS_OK;
}

static const struct flag show_flags[] = {
	{"bundle", "FILE", "bundle of an organisation, to prove whose the keys are", true},
	{0},
};

static int read_bundles(struct context *ctx, struct proof_orgs *ret, struct err_note *note)
{
	const char **files = flag_all(ctx, "bundle", &ret->n);
	struct org *orgs = arena_take_array(ctx->arena, ret->n, sizeof *orgs);
	struct bytes content;

	if (!files || !orgs)
		return FAIL(-ENOMEM);
	if (ret->n > BUNDLES_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "--bundle: at most %d", BUNDLES_MAX);
	for (size_t i = 0; i < ret->n; i++) {
		TRY(read_file(ctx->arena, files[i], BUNDLE_MAX, &content, note));
		TRY(org_verify(ctx->arena, content, ctx->now_ns, &orgs[i], note));
	}
	ret->orgs = orgs;
	return 0;
}

static int show_record(struct context *ctx, const struct command_record *record,
		       const struct proof_orgs *known)
{
	struct json j = {.out = stdout};

	if (!ctx->json)
		return command_show_record(stdout, ctx->arena, record, known);
	json_open(&j, NULL, '{');
	TRY(command_show_members(&j, ctx->arena, record, known));
	json_close(&j);
	return 0;
}

static enum status show_run(struct context *ctx, int argc, char *const argv[])
{
	uint8_t id[COMMAND_ID_BYTES];
	struct command_record record;
	struct proof_orgs known = {0};
	struct err_note note = {0};

	(void)argc;
	if (read_id(argv[0], id, &note) < 0 || keys_init() < 0 || read_bundles(ctx, &known, &note) < 0)
		return say_usage(&note);
	const enum status status = ask_record(ctx, id, &record);
	if (status != STATUS_OK)
		return status;
	const int r = show_record(ctx, &record, &known);
	return r < 0 ? say_failed(r, NULL) : STATUS_OK;
}

const struct verb cmd_command[] = {
	{.name = "command send",
	 .args = "TWIN OPERATION [NAME=VALUE]... [--within DURATION] [--wait DURATION]",
	 .summary = "have a twin's asset do something, and see what became of it",
	 .flags = send_flags,
	 .min_args = 2,
	 .max_args = 2 + PARAMETERS_MAX,
	 .run = send_run},
	{.name = "command confirm",
	 .args = "ID [--twin TWIN]",
	 .summary = "say that a command that waits for it may be done",
	 .flags = decide_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = confirm_run},
	{.name = "command refuse",
	 .args = "ID [--twin TWIN]",
	 .summary = "say that it may not",
	 .flags = decide_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = refuse_run},
	{.name = "command permit",
	 .args = "TWIN OPERATION --org ORG [--times N] [--for DURATION]",
	 .summary = "say beforehand that commands of an organisation may be done",
	 .flags = permit_flags,
	 .min_args = 2,
	 .max_args = 2,
	 .run = permit_run},
	{.name = "command list",
	 .args = "[TWIN] [--limit N]",
	 .summary = "list commands to own twins and those sent from here, newest first",
	 .flags = list_flags,
	 .max_args = 1,
	 .run = list_run},
	{.name = "command show",
	 .args = "ID [--bundle FILE]...",
	 .summary = "show a command with every step, and what the signatures are worth",
	 .flags = show_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = show_run},
	{0},
};
