/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/clock.h"
#include "tools/mesh_show.h"
#include "tools/verb.h"

#define WAIT_NS (2 * NS_PER_S)

static const struct flag mesh_flags[] = {
	{"dot", NULL, "draw it for Graphviz: holon mesh --dot | dot -Tsvg > mesh.svg", false},
	{"wait", "DURATION", "how long nodes may take to answer (default 2s)", false},
	{0},
};

static int by_node(const void *a, const void *b)
{
	const struct node_report *one = a, *other = b;

	return strcmp(one->node, other->node);
}

static enum status show(struct context *ctx, const struct control_answer *answer)
{
	const struct mesh_show m = {
		.arena = ctx->arena, .org = answer->text, .reports = answer->reports, .n = answer->n_reports};
	size_t n_silent = 0;

	for (size_t i = 0; i < m.n; i++)
		n_silent += !m.reports[i].answered;
	if (flag_given(ctx, "dot"))
		mesh_show_dot(&m);
	else if (ctx->json)
		mesh_show_json(&m);
	else
		mesh_show_text(&m);
	return n_silent > 0 ? STATUS_DEGRADED : STATUS_OK;
}

static enum status mesh_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_MESH);
	struct control_answer answer;
	struct err_note note = {0};

	(void)argc, (void)argv;
	if (flag_duration(ctx, "wait", WAIT_NS, &request.step_ns, &note) < 0)
		return say_usage(&note);
	if (ctx->timeout_ns < request.step_ns + WAIT_NS)
		ctx->timeout_ns = request.step_ns + WAIT_NS;
	const enum status status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	qsort(answer.reports, answer.n_reports, sizeof *answer.reports, by_node);
	return show(ctx, &answer);
}

const struct verb cmd_mesh[] = {
	{.name = "mesh",
	 .args = "[--dot] [--wait DURATION]",
	 .summary =
		 "show who sees whom in the organisation, and how far each holds what; exit code 4 if a node "
		 "is silent",
	 .flags = mesh_flags,
	 .run = mesh_run},
	{0},
};
