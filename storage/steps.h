/* SPDX-License-Identifier: Apache-2.0 */
/* Steps - words of a property with transitions: each follows the one before it, in the order of time. What is
 * looked at is the table and, before it, what the batch has taken already. */
#pragma once

#include "storage/batch.h"

static inline bool has_steps(const struct property_def *p)
{
	return p->n_transitions > 0;
}

/* How a series stands when the batch so far has been applied. */
struct step step_present(const struct store *s, const struct batch *b, const char *twin,
			 const char *property);

/* May this sample (which property_accepts()) follow? 0: yes; STEP_HELD: it was taken before, at its time;
 * STEP_LATE: there is a later one; STEP_WRONG: no such transition. */
enum { STEP_HELD = 1, STEP_LATE = 2, STEP_WRONG = 3 };
MUST_CHECK int step_check(struct store *s, const struct batch *b, const char *twin,
			  const struct property_def *p, const struct step *present,
			  const struct sample *sample);

/* The batch takes it, with what it is about to take at `mark` (batch_mark()). */
MUST_CHECK int step_take(struct batch *b, const char *twin, const struct property_def *p,
			 const struct sample *sample, size_t mark);
