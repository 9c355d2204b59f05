/* SPDX-License-Identifier: Apache-2.0 */
/* Machines that join by themselves: invited by a token, let in by comparing words (proto/join.h). */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/clock.h"
#include "proto/join.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/verb.h"

#define LIFE_NS (3600 * NS_PER_S)
#define LIFE_MAX_NS (24 * LIFE_NS)

static const struct flag invite_flags[] = {
	{"role", "ROLES", "of owner, border, reader, admin; joined by commas (default: owner)", false},
	{"prefix", "PREFIX", "twins it may own (default: all of the organisation)", true},
	{"listen", "ENDPOINT", "where nodes of the own organisation reach it, tcp://HOST:PORT", false},
	{"border", "ENDPOINT", "where partners reach it, tcp://HOST:PORT", false},
	{"ttl", "DURATION", "how long the token is good for (default: 1h; at most 24h)", false},
	{"auto", NULL, "whoever comes with the token is taken in at once, nobody compares words", false},
	{"enrol", "ENDPOINT", "where the machine reaches this node (default: the node's listen.enrol)",
	 false},
	{0},
};

static const struct flag approve_flags[] = {
	{"yes", NULL, "the words are those that the machine shows: do not ask", false},
	{0},
};

/* ---- invite ---- */

static int asked_from_flags(const struct context *ctx, const char *name, struct invitation *ret,
			    struct err_note *note)
{
	const char *role = flag_text(ctx, "role"), *listen = flag_text(ctx, "listen"),
		   *border = flag_text(ctx, "border");
	int64_t ttl_ns;

	*ret = (struct invitation){.name = name,
				   .roles = ROLE_OWNER,
				   .endpoint = listen ? listen : "",
				   .border_endpoint = border ? border : "",
				   .at_once = flag_given(ctx, "auto"),
				   .words = ""};
	if (role && !roles_parse(role, &ret->roles))
		return FAIL_SAY(note, ERR_REFUSED, "--role: %.60s: roles are owner, border, reader, admin",
				role);
	TRY(flag_duration(ctx, "ttl", LIFE_NS, &ttl_ns, note));
	if (ttl_ns <= 0 || ttl_ns > LIFE_MAX_NS)
		return FAIL_SAY(note, ERR_REFUSED, "--ttl: a token is good for 24h at most");
	ret->until_ns = ctx->now_ns + ttl_ns;
	ret->prefixes = flag_all(ctx, "prefix", &ret->n_prefixes);
	return ret->prefixes ? 0 : FAIL(-ENOMEM);
}

static void print_token(const struct context *ctx, const struct invitation *asked, struct bytes token)
{
	struct json j = {.out = stdout};
	const char *text = arena_text(ctx->arena, token);

	if (ctx->json) {
		json_open(&j, NULL, '{');
		json_text(&j, "node", asked->name);
		json_text(&j, "token", text ? text : "");
		json_time(&j, "until", asked->until_ns);
		json_close(&j);
		return;
	}
	printf("%s\n", text ? text : "");
	say("a secret for one use; on the new machine: holond join TOKEN --dir DIR");
}

static enum status invite_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_NODE_INVITE);
	SCOPED(buf_fini) struct buf blob = {0};
	const char *enrol = flag_text(ctx, "enrol");
	struct control_answer answer;
	struct err_note note = {0};
	struct invitation asked;

	(void)argc;
	if (asked_from_flags(ctx, argv[0], &asked, &note) < 0)
		return say_usage(&note);
	invitations_encode(&(struct invitations){&asked, 1}, &blob);
	if (buf_check(&blob) < 0)
		return say_failed(-ENOMEM, NULL);
	request.blob = buf_bytes(&blob);
	request.text = enrol ? enrol : "";
	const enum status status = ask(ctx, &request, &answer);
	if (status == STATUS_OK)
		print_token(ctx, &asked, answer.blob);
	return status;
}

/* ---- invites ---- */

static const char *state_of(const struct context *ctx, const struct invitation *x)
{
	static const char *const texts[N_INVITATION_STATES] = {
		[INVITATION_OPEN] = "invited",
		[INVITATION_ASKED] = "asks",
		[INVITATION_APPROVED] = "approved",
		[INVITATION_REFUSED] = "refused",
	};

	return x->state <= INVITATION_ASKED && x->until_ns <= ctx->now_ns ? "ended" : texts[x->state];
}

static enum status ask_list(struct context *ctx, struct invitations *ret)
{
	struct control_request request = ask_for(CONTROL_NODE_INVITES);
	struct control_answer answer;
	const enum status status = ask(ctx, &request, &answer);

	if (status != STATUS_OK)
		return status;
	const int r = invitations_decode(ctx->arena, answer.blob, ret);
	return r < 0 ? say_failed(r, NULL) : STATUS_OK;
}

static void list_json(const struct context *ctx, const struct invitations *list)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_open(&j, "invitations", '[');
	for (size_t i = 0; i < list->n; i++) {
		const struct invitation *x = &list->items[i];
		json_open(&j, NULL, '{');
		json_text(&j, "node", x->name);
		json_text(&j, "roles", roles_text(ctx->arena, x->roles));
		json_text(&j, "state", state_of(ctx, x));
		json_text(&j, "words", x->words);
		json_time(&j, "until", x->until_ns);
		json_close(&j);
	}
	while (j.depth > 0)
		json_close(&j);
}

static enum status list_run(struct context *ctx, int argc, char *const argv[])
{
	struct table table = {.arena = ctx->arena, .n_columns = 5};
	struct invitations list;
	const enum status status = ask_list(ctx, &list);

	(void)argc, (void)argv;
	if (status != STATUS_OK)
		return status;
	if (ctx->json) {
		list_json(ctx, &list);
		return STATUS_OK;
	}
	table_row(&table, (const char *[]){"NODE", "ROLES", "STATE", "UNTIL", "WORDS"});
	for (size_t i = 0; i < list.n; i++) {
		const struct invitation *x = &list.items[i];
		char until[TIME_TEXT_SIZE];
		time_text(x->until_ns - x->until_ns % NS_PER_S, until);
		table_row(&table,
			  (const char *[]){x->name, roles_text(ctx->arena, x->roles), state_of(ctx, x),
					   arena_copy(ctx->arena, until), x->words});
	}
	table_print(&table, stdout);
	return STATUS_OK;
}

/* ---- approve, refuse ---- */

static bool words_are_right(const struct context *ctx, const char *name, const char *words)
{
	char line[16] = "";

	fprintf(stderr, "%s: %s\n", name, words);
	if (flag_given(ctx, "yes"))
		return true;
	if (!isatty(STDIN_FILENO)) {
		say("nothing was approved: compare these words with those of the machine, then give --yes");
		return false;
	}
	fputs("Does the machine show these words? [y/N] ", stderr);
	return fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static enum status decide(struct context *ctx, enum control_op op, const char *name, const char *words)
{
	struct control_request request = ask_for(op);
	struct control_answer answer;
	struct json j = {.out = stdout};
	const char *what = op == CONTROL_NODE_APPROVE ? "approved" : "refused";

	request.name = name;
	request.text = words;
	const enum status status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (ctx->json) {
		json_open(&j, NULL, '{');
		json_text(&j, what, name);
		json_close(&j);
	} else {
		printf("%s is %s\n", name, what);
	}
	return STATUS_OK;
}

static enum status approve_run(struct context *ctx, int argc, char *const argv[])
{
	const char *words = "";
	struct invitations list;
	const enum status status = ask_list(ctx, &list);

	(void)argc;
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < list.n; i++)
		if (strcmp(list.items[i].name, argv[0]) == 0 && list.items[i].state == INVITATION_ASKED)
			words = list.items[i].words;
	if (*words && !words_are_right(ctx, argv[0], words))
		return STATUS_FAILED;
	return decide(ctx, CONTROL_NODE_APPROVE, argv[0], words); /* the node says why it does not */
}

static enum status refuse_run(struct context *ctx, int argc, char *const argv[])
{
	(void)argc;
	return decide(ctx, CONTROL_NODE_REFUSE, argv[0], "");
}

const struct verb cmd_invite[] = {
	{.name = "node invite",
	 .args = "NAME [--role ROLES] [--prefix PREFIX]... [--listen ENDPOINT] [--border ENDPOINT] "
		 "[--ttl DURATION] [--auto] [--enrol ENDPOINT]",
	 .summary = "invite a machine to become a node: prints a token for `holond join`",
	 .flags = invite_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = invite_run},
	{.name = "node invites",
	 .args = "",
	 .summary = "list whom this node has invited, and the words of those that ask",
	 .run = list_run},
	{.name = "node approve",
	 .args = "NAME [--yes]",
	 .summary = "let a machine that asks to join become a node",
	 .flags = approve_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = approve_run},
	{.name = "node refuse",
	 .args = "NAME",
	 .summary = "take an invitation back, whether or not a machine asks",
	 .min_args = 1,
	 .max_args = 1,
	 .run = refuse_run},
	{0},
};
