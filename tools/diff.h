/* SPDX-License-Identifier: Apache-2.0 */
/* Diff - a plan beside what the node holds. */
#pragma once

#include "tools/plan.h"

/* Print for every object whether it would be created, changed (which fields), stay or be refused. STATUS_OK:
 * all stays; STATUS_FAILED: it does not. */
enum status diff_plan(struct plan *p);
