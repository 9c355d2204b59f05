/* SPDX-License-Identifier: Apache-2.0 */
/* Change - a few changes made as one, all or nothing, and the answer to it: what `twin create` and its like
 * do. */
#pragma once

#include "tools/verb.h"

enum change_mode {
	CHANGE_SAFELY,  /* not what would make values of twins unreachable: that is said instead */
	CHANGE_ANYWAY,  /* that too */
	CHANGE_DRY_RUN, /* say what would change */
};

/* Send the ops, print what they do to twins there are and "changed" or "unchanged" (or the JSON of it), say
 * every refusal on stderr, with the place of its op in front (`places` may be NULL: there is but one op). */
enum status change(struct context *ctx, struct op *ops, size_t n_ops, const char *const *places,
		   enum change_mode mode);
static inline enum status change_one(struct context *ctx, struct op op)
{
	return change(ctx, &op, 1, NULL, CHANGE_SAFELY);
}

/* The definition of an own twin, for a change of a part of it. Anything but STATUS_OK has been said. */
enum status own_twin(struct context *ctx, const char *id, struct twin_def *ret);
/* A type by name, as it takes effect and (may be NULL) as it was declared. */
enum status type_named(struct context *ctx, const char *name, struct type_def *ret,
		       struct type_def *ret_declared);
