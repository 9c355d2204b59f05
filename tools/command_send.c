/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/command_send.h"

#include <sodium.h>
#include <time.h>

#include "proto/clock.h"
#include "security/sign.h"
#include "tools/client.h"
#include "tools/command_show.h"

enum { ROUND_S = 50, NODE_GRACE_S = 10, AFTER_DEADLINE_S = 2, PAUSE_MS = 200 };

/* A command on its way. */
struct sending {
	struct context *ctx;
	struct control_request request;
	struct buf blob;
	int64_t wait_ns, begun_ns;
	size_t n_shown; /* steps */
	bool quiet, headed;
	struct command_record record;
	bool has_record;
};

static int64_t mono_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Who sends it, through which node. Without a person the node says whose it is. */
static enum status say_who(struct context *ctx, struct command *c)
{
	const struct errand *who = client_who(ctx->client);
	struct control_request request = ask_for(CONTROL_STATUS);
	struct control_answer answer;

	if (who) {
		c->org = who->org;
		c->person = who->person;
		c->node = who->node;
		return STATUS_OK;
	}
	const enum status status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	c->org = answer.status.org;
	c->person = "";
	c->node = answer.status.node;
	return STATUS_OK;
}

static int flags_read(const struct context *ctx, const struct command_wish *wish, struct sending *s,
		      int64_t *ret_within, struct err_note *note)
{
	int64_t within = wish->within_ns > 0 ? wish->within_ns : COMMAND_WITHIN_S * NS_PER_S;

	if (flag_is_known(ctx, "within"))
		TRY(flag_duration(ctx, "within", within, &within, note));
	if (within <= 0 || within > COMMAND_LIFE_MAX_S * NS_PER_S)
		return FAIL_SAY(note, ERR_REFUSED, "--within: a command has up to %d days",
				COMMAND_LIFE_MAX_S / 86400);
	s->wait_ns = within + AFTER_DEADLINE_S * NS_PER_S;
	if (flag_is_known(ctx, "wait"))
		TRY(flag_duration(ctx, "wait", s->wait_ns, &s->wait_ns, note));
	*ret_within = within;
	return 0;
}

static int make_blob(struct sending *s, const struct command *c)
{
	SCOPED(buf_fini) struct buf plain = {0};

	command_encode(c, &plain);
	TRY(buf_check(&plain));
	if (*c->person)
		client_sign(s->ctx->client, SIGN_COMMAND, buf_bytes(&plain), &s->blob);
	else
		buf_put(&s->blob, buf_bytes(&plain));
	TRY(buf_check(&s->blob));
	s->request = ask_for(CONTROL_COMMAND_SEND);
	s->request.twin = c->twin;
	s->request.text = *c->person ? "" : "unsigned";
	s->request.blob = buf_bytes(&s->blob);
	return 0;
}

static int take_record(struct sending *s, struct bytes encoded)
{
	struct context *ctx = s->ctx;
	struct command c;

	TRY(command_record_decode(ctx->arena, encoded, &s->record));
	s->has_record = true;
	if (ctx->json || s->quiet)
		return 0;
	if (!s->headed) {
		TRY(command_of_record(ctx->arena, &s->record, &c));
		command_show_head(stdout, ctx->arena, &c);
		s->headed = true;
	}
	for (; s->n_shown < s->record.n_steps; s->n_shown++)
		command_show_step(stdout, &s->record.steps[s->n_shown]);
	fflush(stdout);
	return 0;
}

/* The node is asked again and again, for the same question tells what became of it: an answer that was lost
 * costs nothing. */
static int ask_once(struct sending *s, int64_t for_ns, struct control_answer *ret, struct err_note *note)
{
	struct client *client = s->ctx->client;
	struct control_answer part = {0};

	s->request.step_ns = for_ns;
	client_set_timeout(client, for_ns + NODE_GRACE_S * NS_PER_S);
	TRY(client_send(client, &s->request, note));
	do {
		TRY(client_receive(client, s->ctx->arena, &part, note));
		if (part.id != s->request.id) {
			part.last = false;
			continue;
		}
		for (size_t i = 0; i < part.n_commands; i++)
			TRY(take_record(s, part.commands[i]));
	} while (!part.last);
	*ret = part;
	return 0;
}

static enum status follow(struct sending *s)
{
	struct control_answer answer = {0};
	struct err_note note = {0};
	int64_t left;

	do {
		left = s->begun_ns + s->wait_ns - mono_ns();
		const int64_t round = ROUND_S * NS_PER_S;
		const int r = ask_once(s, left < 0 ? 0 : left < round ? left : round, &answer, &note);
		if (r < 0)
			return say_failed(r, &note);
		if (answer.code < 0) {
			say("%s", answer.text && *answer.text ? answer.text : err_text(answer.code));
			return answer.code == ERR_UNREACHABLE ? STATUS_DEGRADED : STATUS_FAILED;
		}
		left = s->begun_ns + s->wait_ns - mono_ns();
		if (!command_state_is_final(command_record_state(&s->record)) &&
		    left > 0) /* a node that answers at once is not pressed */
			nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * NS_PER_MS}, NULL);
	} while (!command_state_is_final(command_record_state(&s->record)) && left > 0);
	return STATUS_OK;
}

static int show_json(const struct sending *s)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	TRY(command_show_members(&j, s->ctx->arena, &s->record, NULL));
	json_close(&j);
	return 0;
}

/* In place of its steps, that were not told as they came. */
static void tell_end(const struct sending *s, const char *done)
{
	if (command_record_state(&s->record) == COMMAND_DONE)
		puts(done);
	else if (s->record.n_steps > 0)
		command_show_step(stderr, &s->record.steps[s->record.n_steps - 1]);
}

static enum status end(const struct sending *s, const struct command_wish *wish)
{
	const enum command_state state = command_record_state(&s->record);
	const int r = s->ctx->json ? show_json(s) : 0;

	if (r < 0)
		return say_failed(r, NULL);
	if (s->quiet && !s->ctx->json)
		tell_end(s, wish->done);
	if (state == COMMAND_DONE || (s->wait_ns == 0 && !command_state_is_final(state)))
		return STATUS_OK;
	return command_state_is_final(state) ? STATUS_FAILED : STATUS_DEGRADED;
}

static void sending_fini(struct sending *s)
{
	buf_fini(&s->blob);
}

enum status command_send(struct context *ctx, const struct command_wish *wish)
{
	SCOPED(sending_fini)
	struct sending s = {.ctx = ctx, .begun_ns = mono_ns(), .quiet = wish->done != NULL};
	struct command c = {.twin = wish->twin,
			    .operation = wish->operation,
			    .arguments = wish->arguments,
			    .n_arguments = wish->n_arguments};
	struct err_note note = {0};
	int64_t within = 0;

	if (flags_read(ctx, wish, &s, &within, &note) < 0)
		return say_usage(&note);
	enum status status = ask_open(ctx);
	if (status == STATUS_OK)
		status = say_who(ctx, &c);
	if (status != STATUS_OK)
		return status;
	randombytes_buf(c.id, sizeof c.id);
	c.issued_ns = wall_ns();
	c.deadline_ns = c.issued_ns + within;
	const int r = make_blob(&s, &c);
	if (r < 0)
		return say_failed(r, NULL);
	status = follow(&s);
	return status == STATUS_OK && s.has_record ? end(&s, wish) : status;
}
