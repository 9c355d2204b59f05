/* SPDX-License-Identifier: Apache-2.0 */
/* Summary - an own twin as the row its origin publishes: the full one, before any policy. */
#pragma once

#include "storage/store.h"

/* Everything in the row is borrowed from the store or taken from the arena. -ENOMEM. */
MUST_CHECK int summary_row(const struct store *s, const struct twin *t, struct arena *a, struct row *ret);
