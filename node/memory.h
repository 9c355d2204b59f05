/* SPDX-License-Identifier: Apache-2.0 */
/* Memory - how much of it the process may have, and giving back what it does not need.
 *
 * Threads: any.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The least of what the machine has, what the process may allocate (RLIMIT_DATA) and what its control group
 * may hold (either version). */
size_t memory_limit(void);

/* What the process holds of it now, in bytes; 0: the system does not say. */
uint64_t memory_resident(void);

/* What was freed goes back to the system; takes some milliseconds. */
void memory_give_back(void);
