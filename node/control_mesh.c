/* SPDX-License-Identifier: Apache-2.0 */
#include "node/control.h"
#include "node/reports.h"
#include "proto/clock.h"

enum { WAIT_MAX_S = 60 };

static void on_report(void *ctx, const struct node_report *report)
{
	struct node_report one = *report;

	call_part(ctx, &(struct control_answer){.reports = &one, .n_reports = 1});
}

static void on_reports_done(void *ctx)
{
	const struct call *c = ctx;

	call_done(ctx, &(struct control_answer){.text = c->e->trust->self->org});
}

/* A part for each node as it answers. */
int control_mesh(struct call *c, struct err_note *note)
{
	const int64_t wait_ns = c->request.step_ns;

	if (wait_ns <= 0 || wait_ns > WAIT_MAX_S * NS_PER_S)
		return FAIL_SAY(note, ERR_REFUSED, "nodes are waited for up to %d s", WAIT_MAX_S);
	return reports_ask(c->e, wait_ns, on_report, on_reports_done, c);
}
