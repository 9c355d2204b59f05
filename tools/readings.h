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
void readings_fini(struct readings *r);

/* As client_put(). Refusals are reported now or in a later call, those that are reported together in the
 * order of their lines. */
MUST_CHECK int readings_put(struct readings *r, const struct reading *reading, struct mark mark,
			    struct err_note *note);
MUST_CHECK int readings_flush(struct readings *r, struct err_note *note);
/* Is anything neither acknowledged nor refused? */
bool readings_pending(const struct readings *r);
