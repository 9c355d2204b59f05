/* SPDX-License-Identifier: Apache-2.0 */
/* Asks - questions to other nodes that wait for their answers.
 *
 * An ask ends exactly once: with the whole answer, with ERR_UNREACHABLE (the session broke, or time is up),
 * or with the failure the other side named. The parts of an answer are kept until the last one is there.
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "node/engine.h"
#include "proto/message.h"

/* `code` 0: parts[0..n) are the whole answer; else `text` is the sentence. Everything dies with the call. */
typedef void ask_fn(void *ctx, int code, const char *text, const struct answer *parts, size_t n);

MUST_CHECK int asks_start(struct asks **ret, struct engine *e);
void asks_stop(struct asks *a, void (*done)(struct engine *e)); /* ends every ask first */
void asks_free(struct asks *a);                                 /* NULL is fine */

/* Ask; the question's id is filled in. `done` is called later, never from here, unless this fails. */
MUST_CHECK int asks_send(struct asks *a, uint32_t session, const struct question *question,
			 int64_t timeout_ns, ask_fn *done, void *ctx, uint64_t *ret_id);
void asks_on_answer(struct asks *a, uint32_t session, const struct answer *answer);
void asks_on_down(struct asks *a, uint32_t session);
