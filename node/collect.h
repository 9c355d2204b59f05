/* SPDX-License-Identifier: Apache-2.0 */
/* Collect - tombstones go when they are older than store.tombstone-age, or when more than store.tombstone-max
 * newer ones of their origin are kept.
 *
 * Up to the last one that went deletions are not known any more: that is the origin's floor here, and whoever
 * comes with a cursor from below it is told RESET_COLLECTED and repairs (federation/cursor.h). Each step is
 * one durable op of the store, and short.
 *
 * Threads: the loop's.
 */
#pragma once

#include "node/engine.h"

/* Once a second: is anything due? */
void collect_tick(struct engine *e);
