/* SPDX-License-Identifier: Apache-2.0 */
/* Summary - an own twin as the row its origin publishes: the full one, before any policy. */
#pragma once

#include "storage/store.h"

/* Everything in the row is borrowed from the store or taken from the arena. -ENOMEM. */
MUST_CHECK int summary_row(const struct store *s, const struct twin *t, struct arena *a, struct row *ret);

/* The health that the row says, without making it. */
enum health summary_health(const struct store *s, const struct twin *t);

/* Turn a row just made into that of a time past: its life-cycle then and, if `health` is asked for, KPIs and
 * health (a look into the history of each KPI); else health is unknown. All else stays today's. */
MUST_CHECK int summary_past(struct store *s, const struct twin *t, int64_t at_ns, bool health,
			    struct arena *a, struct row *row);
