/* SPDX-License-Identifier: Apache-2.0 */
/* Views - assembling a view: the plan (federation/plan.h) at work over this node's walks and other nodes'
 * answers.
 *
 * For its own organisation a node asks whoever owns the members, across organisations too. For a partner a
 * border asks only inside its organisation and leaves other owners' members as edges: the asker asks for
 * itself. Who does not answer by the deadline is taken from the last summaries, and counted so.
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "node/audience.h"
#include "node/engine.h"
#include "proto/view.h"

/* code 0: the whole view; else the note says why not. Everything dies with the call. */
typedef void view_fn(void *ctx, int code, const struct err_note *note, const struct view_part *view);

MUST_CHECK int views_start(struct views **ret, struct engine *e);
void views_stop(struct views *v); /* no walk goes on; before the asks are stopped */
void views_free(struct views *v); /* NULL is fine; when no view is running */

/* `to` is who will read, copied; relayed: asked by a node of ours on their behalf, answer from the own twins
 * only. `done` is called exactly once, perhaps before this returns; not when it fails. */
MUST_CHECK int views_ask(struct views *v, const struct audience *to, const struct view_question *question,
			 view_fn *done, void *ctx);
/* The same of a view that was asked before: answers that are kept are good, and others will be. */
struct watch_kept;
MUST_CHECK int views_ask_again(struct views *v, const struct audience *to,
			       const struct view_question *question, struct watch_kept *kept, view_fn *done,
			       void *ctx);
