/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "tools/client.h"
#include "tools/print.h"
#include "tools/saved_view.h"
#include "tools/view_flags.h"
#include "tools/view_show.h"

enum { NODE_GRACE_S = 2 };

static const struct flag view_flags[] = {
	VIEW_FLAGS,
	VIEW_TIME_FLAGS,
	{"csv", NULL, "answer with CSV, a line for each member, group or time; the certificate on stderr",
	 false},
	{"dot", NULL, "answer in the language of Graphviz", false},
	{0},
};

static int check_form(const struct context *ctx, const struct view_question *q, struct err_note *note)
{
	const bool csv = flag_given(ctx, "csv"), dot = flag_given(ctx, "dot");

	if (csv + dot + ctx->json > 1)
		return FAIL_SAY(note, ERR_REFUSED, "give one of --json, --csv, --dot");
	if (dot && view_has_cells(q))
		return FAIL_SAY(note, ERR_REFUSED, "--dot draws members, not the lines of --by or --step");
	return 0;
}

/* Where the answer has no place for it. */
static void say_certificate(const struct context *ctx, const struct view_part *view)
{
	say("%s", view_certificate_text(ctx->arena, view));
	for (size_t i = 0; i < view->n_problems; i++) {
		fputs("holon: problem: ", stderr);
		print_clean(stderr, view->problems[i]);
		fputc('\n', stderr);
	}
}

static enum status print_view(struct context *ctx, const struct view_question *q,
			      const struct view_part *view)
{
	struct shown_view shown = {.arena = ctx->arena,
				   .question = q,
				   .view = view,
				   .root = q->roots[0].id,
				   .now_ns = ctx->now_ns,
				   .width = terminal_width(stdout)};

	if (view_link(&shown) < 0)
		return say_failed(-ENOMEM, NULL);
	if (ctx->json)
		view_json(&shown, stdout);
	else if (flag_given(ctx, "csv"))
		view_csv(&shown, stdout);
	else if (flag_given(ctx, "dot"))
		view_dot(&shown, stdout);
	else
		view_text(&shown, stdout);
	if (flag_given(ctx, "csv"))
		say_certificate(ctx, view);
	return view_is_degraded(q, view) ? STATUS_DEGRADED : STATUS_OK;
}

static enum status view_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_VIEW);
	struct view_question *const q = &request.question;
	struct err_note note = {0};
	struct control_answer answer;
	enum status status;

	(void)argc;
	status = view_question_of(ctx, argv[0], q);
	if (status != STATUS_OK)
		return status;
	if (check_form(ctx, q, &note) < 0)
		return say_usage(&note);
	status = ask_open(ctx);
	if (status != STATUS_OK)
		return status;
	if (q->deadline_ns > ctx->timeout_ns - NODE_GRACE_S * NS_PER_S)
		client_set_timeout(ctx->client, q->deadline_ns + NODE_GRACE_S * NS_PER_S);
	status = ask(ctx, &request, &answer);
	return status == STATUS_OK ? print_view(ctx, q, &answer.view) : status;
}

const struct verb cmd_view[] = {
	{.name = "view",
	 .args = "TWIN|VIEW [FLAG...]",
	 .summary = "assemble the view below a twin, whoever owns its members, or a saved one",
	 .flags = view_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = view_run},
	{.name = "view save",
	 .args = "VIEW TWIN|VIEW [FLAG...]",
	 .summary = "keep the question of a view under a name",
	 .flags = view_save_flags,
	 .min_args = 2,
	 .max_args = 2,
	 .run = view_save_run},
	{.name = "view list", .args = "", .summary = "list saved views", .run = view_list_run},
	{.name = "view show",
	 .args = "VIEW",
	 .summary = "print the question of a saved view",
	 .min_args = 1,
	 .max_args = 1,
	 .run = view_show_run},
	{.name = "view rm",
	 .args = "VIEW",
	 .summary = "delete a saved view",
	 .min_args = 1,
	 .max_args = 1,
	 .run = view_rm_run},
	{0},
};
