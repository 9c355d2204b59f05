/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "tools/command.h"
#include "tools/print.h"
#include "tools/show.h"

enum { PAGE = 10000 };

static const struct flag history_flags[] = {
	{"from", "TIME", "first time (default: the oldest)", false},
	{"to", "TIME", "last time, inclusive (default: the newest)", false},
	{"limit", "N", "at most so many samples (default: all)", false},
	{0},
};

static void sample_line(struct context *ctx, const struct sample *s, const char *unit)
{
	struct json j = {.out = stdout};
	char at[TIME_TEXT_SIZE];

	if (!ctx->json) {
		printf("%s  ", time_text(s->t_ns, at));
		print_clean(stdout, sample_words(ctx->arena, s, unit));
		putchar('\n');
		return;
	}
	json_open(&j, NULL, '{');
	show_sample_members(&j, s);
	json_text(&j, "unit", unit);
	json_close(&j);
}

/* One page after the other, each in memory that is given back before the next. */
static enum status print_pages(struct context *ctx, struct control_request *request, uint32_t limit)
{
	struct arena *const whole = ctx->arena;
	struct control_answer page = {.more = true};
	enum status status = STATUS_OK;

	while (page.more && limit > 0 && status == STATUS_OK) {
		SCOPED(scope_arena) struct arena *arena = NULL;
		if (arena_new(&arena, 256 << 20) < 0)
			return say_failed(-ENOMEM, NULL);
		ctx->arena = arena;
		request->limit = limit < PAGE ? limit : PAGE;
		status = ask(ctx, request, &page);
		for (size_t i = 0; status == STATUS_OK && i < page.n_samples; i++)
			sample_line(ctx, &page.samples[i], page.unit ? page.unit : "");
		ctx->arena = whole;
		if (status != STATUS_OK || page.n_samples == 0)
			break;
		limit -= (uint32_t)page.n_samples;
		request->from_ns = page.samples[page.n_samples - 1].t_ns + 1;
	}
	return status;
}

static enum status history_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_HISTORY);
	struct err_note note = {0};
	uint32_t limit;

	(void)argc;
	if (flag_time(ctx, "from", TIME_MIN, &request.from_ns, &note) < 0 ||
	    flag_time(ctx, "to", TIME_MAX, &request.to_ns, &note) < 0 ||
	    flag_count(ctx, "limit", UINT32_MAX, &limit, &note) < 0)
		return say_usage(&note);
	request.twin = argv[0];
	request.property = argv[1];
	return print_pages(ctx, &request, limit);
}

const struct command cmd_history[] = {
	{.name = "history",
	 .args = "TWIN PROPERTY [--from TIME] [--to TIME] [--limit N]",
	 .summary = "print the samples of a property, oldest first; with --json one object a line",
	 .flags = history_flags,
	 .min_args = 2,
	 .max_args = 2,
	 .run = history_run},
	{0},
};
