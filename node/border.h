/* SPDX-License-Identifier: Apache-2.0 */
/* Border - the one question before anything goes to another organisation: is the border open?
 *
 *     what leaves can be audited         (node/audit.h)
 *     the clock was not set back         (node/clock.h)
 *     the doors are locked               (node/door.h)
 *     nothing newer is kept from us      (node/fresh.h)
 *
 * If it is closed rows, heads and answers stay here, and inside the organisation everything goes on. Partners
 * are told only that none of them is served now; why is for the own operator: log, audit, `holon status`.
 *
 * Threads: the loop's.
 */
#pragma once

#include "node/engine.h"

/* ERR_REFUSED with a note (which may be NULL) that says why it is closed. */
MUST_CHECK int border_check(const struct engine *e, struct err_note *note);
bool border_is_open(const struct engine *e);
/* Once a second, and when trust changed: say in the log and the audit that it closed or opened. */
void border_watch(struct engine *e);
