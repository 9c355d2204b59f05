/* SPDX-License-Identifier: Apache-2.0 */
/* Client watch - a view as it changes, event by event (CONTROL_WATCH).
 *
 *     client_watch_begin(&w, c, &question, &note)
 *     client_watch_next(w, &event, &note)      0: an event, the first one with all of it; as often as wanted
 *     client_watch_free(w)
 *
 * The connection may break, and the node may be started anew: then the node is asked again, and what comes is
 * the difference to what was there before, so that nothing is missing and nothing comes twice.
 *
 * Owner:   client_watch_begin() makes it; the client and the question must outlive it, and the client must
 * not be asked anything else meanwhile. Threads: that of the client.
 */
#pragma once

#include "tools/client.h"

struct client_watch;

struct client_event {
	int64_t t_ns;             /* wall clock of the node */
	bool first;               /* all members are in it */
	bool resumed;             /* after a break */
	bool totals, certificate; /* that differs from the event before: roll-ups and cells; the rest */
	/* members: new or changed; gone: not returned any more. All else is as it is now. */
	const struct view_part *view; /* good until the next call */
};

/* Sends nothing yet. -ENOMEM. */
MUST_CHECK int client_watch_begin(struct client_watch **ret, struct client *c,
				  const struct view_question *question, struct err_note *note);
void client_watch_free(struct client_watch *w); /* NULL is fine */

/* Waits for the next event, for ever. CLIENT_WATCH_LOST with a note: the connection is gone, and this call or
 * one of the next ones will make it anew. Otherwise as the node says why it does not answer: the code with a
 * note; that of a root that was there before, and is not now, is an event in which everything is gone. */
enum { CLIENT_WATCH_LOST = 1 };
MUST_CHECK int client_watch_next(struct client_watch *w, struct client_event *ret, struct err_note *note);

DEFINE_SCOPED(client_watch, client_watch_free)
