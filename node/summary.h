/* SPDX-License-Identifier: Apache-2.0 */
/* Summary - an own twin as the row its origin publishes: the full one, before any policy. */
#pragma once

#include "storage/store.h"

/* Everything in the row is borrowed from the store or taken from the arena. -ENOMEM. */
MUST_CHECK int summary_row(const struct store *s, const struct twin *t, struct arena *a, struct row *ret);

/* The health that a value of a KPI says; nothing of one that is too long for the row. */
enum health summary_health_of(const struct sample *s);

/* The health that the row says, without making it. */
enum health summary_health(const struct store *s, const struct twin *t);
