/* SPDX-License-Identifier: Apache-2.0 */
/* Enrol - the port (setting listen.enrol) where machines that were invited ask to become nodes.
 *
 * Anybody with a key comes in there (ZAP domain "enrol"), so nothing is kept of a stranger: each frame is one
 * question (proto/join.h), at most JOIN_MAX bytes, answered at once from what invites.h knows. So many
 * questions a minute are answered to one key and to one address, and so many altogether; the rest is dropped
 * and counted.
 *
 * Owner:   the engine; NULL without the setting. Threads: the loop's.
 */
#pragma once

#include "node/transport.h"

struct engine;
struct enrol;

enum {
	ENROL_KEY_MINUTE = 60, /* a machine asks every two seconds */
	ENROL_ADDRESS_MINUTE = 240,
	ENROL_MINUTE = 3000,
	ENROL_KNOWN_MAX = 512, /* keys and addresses that are counted */
};

/* *ret stays NULL without the setting. ERR_REFUSED with a note: it needs admin.organisation. */
MUST_CHECK int enrol_start(struct enrol **ret, struct engine *e, struct err_note *note);
void enrol_free(struct enrol *x); /* NULL is fine */

/* transport_handler.on_stranger, with the enrol as its context. */
void enrol_take(void *enrol_ctx, const struct transport_stranger *who, struct bytes frame);

/* Whether one more question of this key from this address may be answered at this time. */
bool enrol_may_ask(struct enrol *x, const struct curve_key *key, const char *address, uint64_t now_ms);
