/* SPDX-License-Identifier: Apache-2.0 */
/* Watch - a view that is looked at again whenever something may have changed, and whose differences are
 * streamed to a client of the control socket (DESIGN 8).
 *
 *     touched: own changes, rows of others, a session, a policy --10 ms of quiet, at most 50 ms--> evaluated
 *     evaluated: an ordinary view, by the same egress --> difference to the last event --> sent, if there is
 * any
 *
 * Answers of owners that have not changed since they gave them are used again (watch_kept.h); every now and
 * then (view.watch-refresh) all are asked anew, for what summaries do not carry. All watches together take at
 * most a quarter of the loop's time.
 *
 * A watch ends when its client is gone, has not renewed it for WATCH_LEASE_S, or may not ask any more. A
 * client that takes long to read is told nothing meanwhile: what it then gets is the difference to what it
 * has.
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "node/control.h"

struct watches;

enum {
	WATCHES_MAX = 64,
	WATCH_LEASE_S = 30,
	WATCH_WINDOW = 16, /* events that a client has not said to have taken */
};

enum watch_cause {
	WATCH_ROWS,   /* a commit with more than samples */
	WATCH_PEERS,  /* a session opened or ended, a partner has another policy */
	WATCH_POLICY, /* of this organisation, or whom it trusts */
};

MUST_CHECK int watches_start(struct watches **ret, struct engine *e);
void watches_stop(struct watches *w); /* every watch ends, before the asks do; NULL is fine */
void watches_free(struct watches *w); /* when the loop has ended; NULL is fine */

/* Takes the call, a CONTROL_WATCH: a new watch, or the renewal of one. ERR_REFUSED with a note: too many. */
MUST_CHECK int watches_take(struct watches *w, struct call *c, struct err_note *note);

/* Something is other than it was. NULL is fine: nobody watches. */
void watches_touch(struct watches *w, enum watch_cause cause);
void watches_tick(struct watches *w); /* about once a second */

/* Changes on their way to the log: which watches they may concern is remembered until they are committed. */
void watches_staged(struct watches *w, const struct op *op);
void watches_staged_frame(struct watches *w, const struct packed *frame);
void watches_committed(struct watches *w);
