/* SPDX-License-Identifier: Apache-2.0 */
/* Summary - an own twin as the row its origin publishes: the full one, before any policy. */
#pragma once

#include "storage/store.h"

/* The health that the row says is the worst of what its data say (bad quality is an alarm of the sensor), of
 * its alarms that nobody has shelved, and, where its type has a rule for it, of its members (vitals.h). */

/* Everything in the row is borrowed from the store or taken from the arena. -ENOMEM. */
MUST_CHECK int summary_row(const struct store *s, const struct twin *t, struct arena *a, struct row *ret);

/* The health that a value of a property in the row (property_is_in_row()) says: of a KPI its quality, unless
 * it is too long for the row; how an alarm stands; what members amount to. */
enum health summary_health_of(const struct type *type, size_t place, const struct sample *s);

/* The health that the row says, without making it. */
enum health summary_health(const struct store *s, const struct twin *t);

/* What a standing (proto/standing.h) of `alarm/NAME`, at a place in the type's definition, says of the alarm.
 * False: it does not stand (any more). Its name and `what` come from the arena. */
bool summary_alarm(const struct type *type, size_t place, const struct sample *standing, struct arena *a,
		   struct row_alarm *ret);
