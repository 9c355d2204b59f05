/* SPDX-License-Identifier: Apache-2.0 */
/* Readings - samples with the line they came from, on their way to a node: what importers and `holon ingest`
 * have in common. A reading that is refused is reported with its line and with the node's full sentence.
 *
 * Owner: the caller's struct, zeroed.
 */
#pragma once

#include "tools/bulk.h"
#include "tools/client.h"
#include "tools/document.h"

typedef void readings_refused_fn(void *ctx, const struct mark *mark, const char *reason);

struct readings {
	struct client *client;
	readings_refused_fn *refused;
	void *ctx;
	struct kept *kept; /* ring: those that may still be refused, by index */
	struct kept *refusals;
	size_t n_refusals;
	int failed; /* in a callback */
};

/* Begins the client's ingest side. */
MUST_CHECK int readings_init(struct readings *r, struct client *client, readings_refused_fn *refused,
			     void *ctx, struct err_note *note);
/* The same for a source that goes on: how long one call waits for a node that is gone or takes nothing. */
MUST_CHECK int readings_init_live(struct readings *r, struct client *client, int64_t retry_ns,
				  readings_refused_fn *refused, void *ctx, struct err_note *note);
void readings_fini(struct readings *r);

/* As client_put(). Refusals are reported now or in a later call, those that are reported together in the
 * order of their lines. */
MUST_CHECK int readings_put(struct readings *r, const struct reading *reading, struct mark mark,
			    struct err_note *note);
MUST_CHECK int readings_flush(struct readings *r, struct err_note *note);
/* Without waiting: send what was put, look after what was answered; so many lines of the source, of which the
 * last one read is `last`, are on the node's disk or were refused and reported. */
MUST_CHECK int readings_push(struct readings *r, struct err_note *note);
MUST_CHECK int readings_poll(struct readings *r, struct err_note *note);
unsigned readings_durable(const struct readings *r, unsigned last);
/* Is anything neither acknowledged nor refused? */
bool readings_pending(const struct readings *r);
