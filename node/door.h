/* SPDX-License-Identifier: Apache-2.0 */
/* Door - the engine's eye on its ports: proves each hour that they are locked, writes down whom limits kept
 * out and who was cut, and sees to it that descriptors do not run out.
 *
 * When the proof fails, partners are not served any more: the border port closes until the next start. When
 * there is no verdict (the node is flooded, perhaps), nobody was let in either: it is said, and tried again
 * in a minute.
 *
 * Owner: the engine, from after the transport was opened. Threads: the loop's.
 */
#pragma once

#include "node/engine.h"
#include "node/files.h"

struct door;

MUST_CHECK int door_start(struct door **ret, struct engine *e);
void door_free(struct door *d); /* after the loop has ended; NULL is fine */
/* Once a second. */
void door_tick(struct door *d);
/* Write down what was counted since the last minute; NULL is fine. */
void door_stop(struct door *d);

/* For the transport; ctx is the engine. */
void door_on_kick(void *ctx, const char *org, const char *node, enum transport_kick why);

struct door_state {
	const char *self_test; /* "passed", "not yet", or what was wrong */
	bool locked;           /* false: the proof failed, and the border port is closed */
	int64_t tested_ns;     /* monotonic; 0: not yet */
	struct files_count files;
	uint64_t held; /* handshakes that a limit kept out */
};
void door_state(const struct door *d, struct door_state *ret);
/* ERR_REFUSED with a note (which may be NULL) when the proof has failed. */
MUST_CHECK int door_check(const struct door *d, struct err_note *note);
/* A sentence for `holon status`, NULL when all is well; good until the next call of anything here. */
const char *door_trouble(struct door *d);
