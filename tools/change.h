/* SPDX-License-Identifier: Apache-2.0 */
/* Change - a few changes made as one, all or nothing, and the answer to it: what `twin create` and its like
 * do. */
#pragma once

#include "tools/command.h"

/* Send the ops, print "changed" or "unchanged" (or the JSON of it), say every refusal on stderr, with the
 * place of its op in front (`places` may be NULL: there is but one op). */
enum status change(struct context *ctx, struct op *ops, size_t n_ops, const char *const *places,
		   bool dry_run);
static inline enum status change_one(struct context *ctx, struct op op)
{
	return change(ctx, &op, 1, NULL, false);
}

/* The definition of an own twin, for a change of a part of it. Anything but STATUS_OK has been said. */
enum status own_twin(struct context *ctx, const char *id, struct twin_def *ret);
/* A type by name. */
enum status type_named(struct context *ctx, const char *name, struct type_def *ret);
