/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include <sodium.h>

#include "proto/clock.h"
#include "security/org.h"
#include "tools/client.h"
#include "tools/options.h"

enum { MEMORY_MAX = 1 << 30, TIMEOUT_S = 10 };

static void list_commands(void)
{
	for (size_t g = 0; command_groups[g]; g++)
		for (const struct verb *c = command_groups[g]; c->name; c++)
			puts(c->name);
}

/* The flags that answer by themselves, whatever the command. */
static bool answered(const struct context *ctx)
{
	if (flag_given(ctx, "help"))
		options_help(ctx, stdout);
	else if (flag_given(ctx, "version"))
		puts("holon " HOLON_VERSION);
	else if (flag_given(ctx, "list-commands"))
		list_commands();
	else
		return false;
	return true;
}

static enum status run(struct context *ctx, int argc, char *argv[])
{
	struct err_note note = {0};

	if (options_parse(ctx, argc, argv, &note) < 0)
		return say_usage(&note);
	if (answered(ctx))
		return STATUS_OK;
	if (options_check_args(ctx, &note) < 0 ||
	    flag_duration(ctx, "timeout", TIMEOUT_S * NS_PER_S, &ctx->timeout_ns, &note) < 0)
		return say_usage(&note);
	if (strcmp(ctx->command->name, "doctor") != 0 && org_check_clock(ctx->now_ns, built_ns(), &note) < 0)
		return say_failed(ERR_REFUSED, &note); /* and not that everything has expired */
	return ctx->command->run(ctx, (int)ctx->n_args, ctx->args);
}

int main(int argc, char *argv[])
{
	struct context ctx = {0};
	struct timespec now;
	enum status status;

	clock_gettime(CLOCK_REALTIME, &now);
	ctx.now_ns = (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
	if (sodium_init() < 0 || arena_new(&ctx.arena, MEMORY_MAX) < 0)
		return (int)say_failed(-ENOMEM, NULL);
	status = run(&ctx, argc - 1, argv + 1);
	client_close(ctx.client);
	curve_pair_free(ctx.key);
	sign_key_free(ctx.person);
	arena_free(ctx.arena);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		say("the answer could not be written: %s", err_text(-errno));
		status = STATUS_FAILED;
	}
	return (int)status;
}
