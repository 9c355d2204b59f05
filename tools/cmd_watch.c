/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "tools/client_watch.h"
#include "tools/verb.h"
#include "tools/view_flags.h"
#include "tools/watch_show.h"

enum { NODE_GRACE_S = 2 };

static const struct flag watch_flags[] = {
	VIEW_FLAGS,
	{"events", "N", "end after so many events (default: never)", false},
	{0},
};

static enum status show_events(struct context *ctx, struct client_watch *w, struct watch_show *show,
			       uint32_t most)
{
	for (uint32_t n = 0; most == 0 || n < most;) {
		struct client_event event;
		struct err_note note = {0};
		int r = client_watch_next(w, &event, &note);
		if (r == CLIENT_WATCH_LOST) {
			say("%s; trying again", note.text);
			continue;
		}
		if (r == 0)
			r = ctx->json ? watch_show_json(show, &event) : watch_show_text(show, &event);
		if (r < 0)
			return say_failed(r, &note);
		n++;
		if (ferror(stdout))
			return STATUS_FAILED; /* nobody reads any more */
	}
	return STATUS_OK;
}

static enum status watch_run(struct context *ctx, int argc, char *const argv[])
{
	struct view_question question;
	struct watch_show show = {.out = stdout, .question = &question};
	SCOPED(scope_client_watch) struct client_watch *w = NULL;
	struct err_note note = {0};
	uint32_t most = 0;

	(void)argc;
	enum status status = view_question_for(ctx, argv[0], &question);
	if (status != STATUS_OK)
		return status;
	if (view_flags_read(ctx, &question, &note) < 0 || flag_count(ctx, "events", 0, &most, &note) < 0)
		return say_usage(&note);
	status = ask_open(ctx);
	if (status != STATUS_OK)
		return status;
	if (question.deadline_ns > ctx->timeout_ns - NODE_GRACE_S * NS_PER_S)
		client_set_timeout(ctx->client, question.deadline_ns + NODE_GRACE_S * NS_PER_S);
	const int r = client_watch_begin(&w, ctx->client, &question, &note);
	if (r < 0)
		return say_failed(r, &note);
	status = show_events(ctx, w, &show, most);
	watch_show_fini(&show);
	return status;
}

const struct verb cmd_watch[] = {
	{.name = "watch",
	 .args = "TWIN [FLAG...]",
	 .summary = "print how the view below a twin changes, until stopped; with --json one object a line",
	 .flags = watch_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = watch_run},
	{0},
};
