/* SPDX-License-Identifier: Apache-2.0 */
/* Arena - memory that is given back all at once: one per request, message or answer.
 *
 * A decoded message, an answer being built and everything they point to live in one arena, so nobody
 * asks who frees a string. The budget bounds what a peer can make us allocate (protobuf-c turns 200 kB
 * of empty sub-messages into 14 MB without one).
 *
 * Owner:   whoever called arena_new(); nothing taken from it may outlive it.
 * Threads: one at a time.
 */
#pragma once

#include <stdint.h>

#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/scope.h"

struct arena;

/* `budget_bytes` is the most the arena will ever hand out; above it every take returns NULL. */
MUST_CHECK int arena_new(struct arena **ret, size_t budget_bytes);
void arena_free(struct arena *a); /* NULL is fine */

/* Empty it for the next use; keeps its first block. */
void arena_reset(struct arena *a);

/* Zeroed memory aligned for any object, or NULL when memory or budget is used up. size 0 gives a valid
 * pointer. */
void *arena_take(struct arena *a, size_t size);

/* Zeroed array; NULL also when n * size overflows. */
void *arena_take_array(struct arena *a, size_t n, size_t size);

/* A NUL-terminated copy. NULL when memory or budget is used up. */
char *arena_text(struct arena *a, struct bytes text);

/* A copy of text; NULL stays NULL, and NULL when memory is used up. */
char *arena_copy(struct arena *a, const char *text);

/* A formatted text; NULL when memory or budget is used up. */
char *arena_print(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Bytes handed out so far. */
size_t arena_used(const struct arena *a);

DEFINE_SCOPED(arena, arena_free)

/* Append to an arena-backed array whose element count is *n: grows by doubling, returns the new zeroed
 * element or NULL. `items` is the address of the array pointer. */
void *arena_push(struct arena *a, void *items, size_t *n, size_t size);
