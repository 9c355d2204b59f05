/* SPDX-License-Identifier: Apache-2.0 */
/* Context - readings of the surroundings: of the environment twins that a twin is located in (kind
 * environment, relation `located-in`, over several steps), as `context/NAME`.
 *
 * The nearest one that has NAME gives it, of equally near ones the first by id. One that this node does not
 * own gives what its row says, and ends the way. Who asks gets what they would get of that environment twin
 * itself, no more: what is not for them is as if it were not there.
 */
#pragma once

#include "node/audience.h"
#include "node/engine.h"

enum { CONTEXT_STEPS_MAX = 8, CONTEXT_TWINS_MAX = 64 };

struct context_value {
	const char *from;     /* the environment twin */
	const char *property; /* without `context/` */
	const char *unit;
	struct sample sample;
};

/* NAME (without `context/`) for this twin and asker; false: there is none. Texts are good until the next
 * commit, of a twin that this node does not own in the arena. */
bool context_value(struct engine *e, const struct twin *t, const char *name, const struct audience *to,
		   struct arena *a, struct context_value *ret);
/* All that were declared, each name once, in order of names. -ENOMEM. */
MUST_CHECK int context_values(struct engine *e, const struct twin *t, const struct audience *to,
			      struct arena *a, struct context_value **ret, size_t *ret_n);
