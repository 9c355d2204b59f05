/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "tools/client.h"
#include "tools/command.h"
#include "tools/view_show.h"

enum { DEPTH = 2, NODE_GRACE_S = 2 };

static const struct flag view_flags[] = {
	{"hierarchy", "TYPE", "relation that spans the tree (default: contains)", false},
	{"depth", "N", "levels of members to show (default: 2); roll-ups always reach everything", false},
	{"rollup", "FN:PROPERTY",
	 "count, sum, mean, min, max, stddev, quantile(0.95), latest or first of a property over all "
	 "members; or count or worst-health alone",
	 true},
	{"as-of", "TIME", "the view at that time", false},
	{"offline", NULL, "ask no other node: last summaries only", false},
	{"fresh", "DURATION", "summaries vouched for within this time are good enough (default: always ask)",
	 false},
	{"deadline", "DURATION", "after this the last summaries are taken (default: the node's)", false},
	{"unconfirmed", NULL, "roll up members whose owner has not confirmed, too", false},
	{0},
};

static int rollups_from_flags(struct context *ctx, struct view_question *q, struct err_note *note)
{
	const char **texts = flag_all(ctx, "rollup", &q->n_rollups);

	q->rollups = arena_take_array(ctx->arena, q->n_rollups, sizeof *q->rollups);
	if (!texts || !q->rollups)
		return FAIL(-ENOMEM);
	if (q->n_rollups > ROLLUPS_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "--rollup: more than %d", ROLLUPS_MAX);
	for (size_t i = 0; i < q->n_rollups; i++) {
		struct err_note why = {0};
		if (rollup_spec_parse(texts[i], &q->rollups[i], &why) < 0)
			return FAIL_SAY(note, ERR_REFUSED, "--rollup: %s", why.text);
	}
	return 0;
}

static int question_from_flags(struct context *ctx, const char *root, struct view_question *q,
			       struct err_note *note)
{
	const char *hierarchy = flag_text(ctx, "hierarchy");

	*q = (struct view_question){.hierarchy = hierarchy ? hierarchy : "contains", .n_roots = 1};
	q->roots = arena_take(ctx->arena, sizeof *q->roots);
	if (!q->roots)
		return FAIL(-ENOMEM);
	q->roots[0] = (struct view_root){.id = root, .parent = ""};
	q->has_as_of = flag_given(ctx, "as-of");
	q->offline = flag_given(ctx, "offline");
	q->unconfirmed = flag_given(ctx, "unconfirmed");
	TRY(flag_count(ctx, "depth", DEPTH, &q->depth, note));
	TRY(flag_time(ctx, "as-of", 0, &q->as_of_ns, note));
	TRY(flag_duration(ctx, "fresh", 0, &q->fresh_ns, note));
	TRY(flag_duration(ctx, "deadline", 0, &q->deadline_ns, note));
	return rollups_from_flags(ctx, q, note);
}

/* Did part of the mesh fail to answer? Summaries that were asked for (--offline, --fresh) are no failure. */
static bool is_degraded(const struct view_question *q, const struct view_part *view)
{
	const bool summaries_wanted = q->offline || q->fresh_ns > 0;

	for (size_t i = 0; i < view->n_sources; i++)
		if (view->sources[i].state == MEMBER_UNREACHABLE)
			return true;
	return view->counts.unreachable > 0 || (view->counts.cached > 0 && !summaries_wanted);
}

static enum status print_view(struct context *ctx, const struct view_question *q,
			      const struct view_part *view)
{
	struct shown_view shown = {.arena = ctx->arena, .question = q, .view = view, .root = q->roots[0].id};

	if (view_link(&shown) < 0)
		return say_failed(-ENOMEM, NULL);
	if (ctx->json)
		view_json(&shown, stdout);
	else
		view_text(&shown, stdout);
	return is_degraded(q, view) ? STATUS_DEGRADED : STATUS_OK;
}

static enum status view_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_VIEW);
	struct view_question *const q = &request.question;
	struct err_note note = {0};
	struct control_answer answer;
	enum status status;

	(void)argc;
	if (question_from_flags(ctx, argv[0], q, &note) < 0)
		return say_usage(&note);
	status = ask_open(ctx);
	if (status != STATUS_OK)
		return status;
	if (q->deadline_ns > ctx->timeout_ns - NODE_GRACE_S * NS_PER_S)
		client_set_timeout(ctx->client, q->deadline_ns + NODE_GRACE_S * NS_PER_S);
	status = ask(ctx, &request, &answer);
	return status == STATUS_OK ? print_view(ctx, q, &answer.view) : status;
}

const struct command cmd_view[] = {
	{.name = "view",
	 .args = "TWIN [FLAG...]",
	 .summary = "assemble the view below a twin, whoever owns its members",
	 .flags = view_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = view_run},
	{0},
};
