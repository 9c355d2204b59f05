/* SPDX-License-Identifier: Apache-2.0 */
/* Ending - what happens when trust in another organisation ends.
 *
 *     noted in the trust store -> bundle gone -> sessions cut, door shut, policy and sight without it
 *                              -> its rows and cursors forgotten, in one durable step of the store
 *                              -> noted that nothing is left
 *
 * The note comes first: after a crash anywhere the next start goes on from it. What a policy says of the
 * organisation goes on to be understood, and reaches nobody.
 *
 * Threads: the loop's.
 */
#pragma once

#include "node/engine.h"

struct endings;

MUST_CHECK int endings_start(struct engine *e);
void endings_free(struct endings *s); /* NULL is fine */
/* At the start, before anybody may connect: partners whose trust ended go, rows that are left will. */
MUST_CHECK int endings_resume(struct engine *e);
/* Once a second: what could not be forgotten is tried again. */
void endings_tick(struct engine *e);

/* Trust in `partner` ends now. `done` (NULL: nobody waits) is called when its rows are gone for good (0), or
 * are not yet (negative): that is tried again. An error: nothing has changed. */
typedef void ending_fn(void *ctx, int code);
MUST_CHECK int endings_begin(struct engine *e, const char *partner, ending_fn *done, void *ctx);
/* Partners of the organisation whose bundle this node has not got yet: the next behind `after` ("" to begin),
 * good until the next call; NULL: none. */
const char *endings_next_lacking(const struct engine *e, const char *after);
bool endings_lacks(const struct engine *e, const char *partner);

/* Trust in it began anew. */
MUST_CHECK int endings_undo(struct engine *e, const char *partner);
