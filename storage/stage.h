/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of staging that the files stage*.c share. All return 0
 * (taken), STORE_UNCHANGED, or fail; ERR_REFUSED and ERR_UNIT with a note become STORE_REFUSED. */
#pragma once

#include "proto/clock.h"
#include "storage/store.h"

struct stage {
	struct store *store;
	struct batch *batch;
	int64_t now_ns;
	size_t *ret_bad; /* may be NULL */
	struct err_note *note;
};

/* What will be there when the batch so far has been applied; false, NULL: nothing. */
bool stage_twin(const struct stage *g, const char *id, struct twin_def *ret);
const struct type_def *stage_type(const struct stage *g, const char *name); /* as it takes effect */

/* Does the batch delete this twin, at or behind a place in it? (It may make it again.) */
bool stage_twin_goes(const struct stage *g, const char *id, size_t since);

/* ERR_REFUSED unless it is an id of the own organisation. */
MUST_CHECK int stage_check_own(const struct stage *g, const char *id);

/* A sample may be so much ahead of the clock. */
#define AHEAD_MAX_NS (300 * NS_PER_S)

/* Is a sample older than anything that is kept of its series, whose newest is from then? */
bool stage_is_expired(const struct type_def *type, const struct property_def *p, int64_t newest_ns,
		      int64_t t_ns);

MUST_CHECK int stage_type_def(const struct stage *g, const struct op *op);
MUST_CHECK int stage_twin_def(const struct stage *g, const struct op *op);
MUST_CHECK int stage_samples(const struct stage *g, const struct op *op);
