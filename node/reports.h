/* SPDX-License-Identifier: Apache-2.0 */
/* Reports - how the nodes of the organisation stand in the mesh, each by its own word (QUESTION_MESH).
 *
 * Every own node is asked live, all at once and over the session with it. One that does not answer by the
 * deadline, has no session with this node or is of a release that does not know the question is told of as
 * such, with how long ago anything was heard of it. Partners are neither asked nor answered.
 *
 * Owner: the engine. Threads: the loop's.
 */
#pragma once

#include "node/engine.h"
#include "proto/report.h"

/* What this node says of itself, in the arena. */
MUST_CHECK int report_here(struct engine *e, struct arena *a, struct node_report *ret);

/* The next part of a report that fits into a frame, from a place that begins zeroed: false when it was the
 * last one. Counts and alarms are in the first. */
struct report_place {
	size_t peer, origin;
	bool begun;
};
bool report_part(const struct node_report *whole, struct report_place *place, struct node_report *ret);

/* One node's, or that it did not answer; good during the call. */
typedef void report_fn(void *ctx, const struct node_report *report);
/* `each` is called once for every node of the organisation, this one first, then `done`, perhaps all from
 * here. -ENOMEM: neither is. */
MUST_CHECK int reports_ask(struct engine *e, int64_t timeout_ns, report_fn *each, void (*done)(void *ctx),
			   void *ctx);
