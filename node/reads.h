/* SPDX-License-Identifier: Apache-2.0 */
/* Reads - the present state of one twin, or the history of one of its properties, wherever its owner is.
 *
 * The owner answers; a node of another organisation is asked through its border. Both pass egress at the
 * owner, and again at the border the answer leaves by.
 */
#pragma once

#include "node/asks.h"
#include "node/audience.h"

/* `q` is a READ or HISTORY question; `to` is who will read, copied. `done` is called once, perhaps before
 * this returns (with one part, or a failure); not when it fails. */
MUST_CHECK int reads_ask(struct engine *e, const struct audience *to, const struct question *q,
			 int64_t timeout_ns, ask_fn *done, void *ctx);
