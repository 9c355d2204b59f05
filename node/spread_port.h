/* SPDX-License-Identifier: Apache-2.0 */
/* Spread port - spread.h in a running node: what is held is the trust's, what is said goes by gossip.
 *
 * Threads: the loop's.
 */
#pragma once

#include "node/engine.h"
#include "proto/message.h"

MUST_CHECK int spread_start(struct engine *e);

/* For the mesh (verify_hello); ctx is the engine. The credential in HELLO, or the one held for that key, must
 * be valid and say what the session's key says. */
int spread_verify_hello(void *ctx, uint32_t session, const struct hello *h);
