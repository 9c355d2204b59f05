/* SPDX-License-Identifier: Apache-2.0 */
/* Showing what happens to a watched view: for people a line for each thing that changed, or JSON, an object
 * a line for each event.
 *
 * Owner: embeds the struct. Threads: one.
 */
#pragma once

#include <stdio.h>

#include "proto/map.h"
#include "tools/client_watch.h"

struct watch_show {
	FILE *out;
	const struct view_question *question;
	struct map cells; /* group -> line told last; private, like the next */
	uint32_t round;
};

void watch_show_fini(struct watch_show *s);

/*     12:00:07.250Z + acme/press7 Press 7, sum:load/power 3.5 MW (1)
 *     12:00:07.250Z - acme/press6
 *     12:00:07.250Z = total sum:load/power 7 MW (2)
 *     12:00:07.250Z = 2 members: 2 live
 *
 * +: there, or as it is from now on; -: not any more; =: the whole. -ENOMEM. */
MUST_CHECK int watch_show_text(struct watch_show *s, const struct client_event *event);
MUST_CHECK int watch_show_json(struct watch_show *s, const struct client_event *event);
