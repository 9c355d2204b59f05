/* SPDX-License-Identifier: Apache-2.0 */
/* Bulk - many changes to a node: packed into requests of bounded size, several of them on their way at a
 * time.
 *
 *     op = ...built from bulk_arena(b)...
 *     bulk_add(b, &op, mark)     once a request is full it goes out; waits while the window is full
 *     bulk_drain(b)              sends the rest and waits for all answers
 *
 * Not atomic: what the node refuses is reported by the callback, the rest is kept.
 * Owner: the caller's struct, zeroed but for the fields on top. Ops are borrowed until they went out: what
 * they point to is best taken from bulk_arena(), which is emptied then.
 */
#pragma once

#include "proto/control.h"

struct client;

enum { BULK_OPS = 500, BULK_BYTES = 512 * 1024, BULK_WINDOW = 4 };

/* Where an op came from, for the report. */
struct mark {
	const char *file;
	unsigned line;
	const char *what; /* "" or what of the line */
};

typedef void bulk_refused_fn(void *ctx, const struct mark *mark, const struct refusal *refusal);

struct bulk {
	struct client *client;
	bulk_refused_fn *refused;
	void *ctx;
	size_t ops_max; /* per request; 0: BULK_OPS */
	uint64_t n_changed, n_unchanged,
		n_refused; /* ops, answered so far; the caller may reset them when drained */

	/* private */
	struct arena *answers;
	struct request {
		struct arena *arena;
		struct op *ops;
		struct mark *marks;
		size_t n, bytes;
		uint64_t id;
	} requests[BULK_WINDOW + 1], *filling; /* one being filled, the others on their way */
	size_t n_underway;
};

MUST_CHECK int bulk_init(struct bulk *b);
void bulk_fini(struct bulk *b);

/* Memory of the request being filled. */
struct arena *bulk_arena(struct bulk *b);
/* ERR_UNREACHABLE and the like when the node is gone, or the node's own code when it failed as a whole. */
MUST_CHECK int bulk_add(struct bulk *b, const struct op *op, struct mark mark, struct err_note *note);
MUST_CHECK int bulk_flush(struct bulk *b, struct err_note *note); /* sends, does not wait */
MUST_CHECK int bulk_drain(struct bulk *b, struct err_note *note);
