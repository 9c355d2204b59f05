/* SPDX-License-Identifier: Apache-2.0 */
/* Memory - how much of it the process may have, and giving back what it does not need.
 *
 * Threads: any.
 */
#pragma once

#include <stddef.h>

/* The least of what the machine has, what the process may allocate (RLIMIT_DATA) and what its control group
 * may hold (either version). */
size_t memory_limit(void);

/* What was freed goes back to the system; takes some milliseconds. */
void memory_give_back(void);
