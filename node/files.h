/* SPDX-License-Identifier: Apache-2.0 */
/* Files - how many file descriptors the process has and may have. */
#pragma once

#include <stdint.h>

#include "proto/err.h"
#include "proto/scope.h"

/* As many as the system allows: connections, not a default of long ago, set the limit. */
void files_raise_limit(void);

uint64_t files_most(void); /* that it may have */

struct files; /* able to look also when no descriptor is left */
MUST_CHECK int files_new(struct files **ret);
void files_free(struct files *f); /* NULL is fine */

struct files_count {
	uint64_t open, most;
};
void files_count(struct files *f, struct files_count *ret);

DEFINE_SCOPED(files, files_free)
